"""A channel and its HTLCs as the master holds them in memory: a mirror of their database rows.

Only turns change them, together with the rows (see `lightningd/turn.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pylightningd.common import features as ft
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, ShortChannelId
from pylightningd.common.onion.sphinx import PACKET_SIZE
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.channeld_wire import Htlc as WireHtlc
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.lightningd.channels.inflight import Inflight
from pylightningd.lightningd.channels.states import ChannelState

RUNTIME_FIELDS = frozenset(
    {"worker", "route_id", "reestablished", "depth", "status", "their_features"}
)
"""What a `Channel` knows only while the node runs."""


@dataclass(slots=True, kw_only=True)
class Policy:
    """What we ask for forwarding through one of our channels (BOLT 7, channel_update)."""

    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int
    """Blocks."""
    htlc_minimum: Msat
    htlc_maximum: Msat


@dataclass(slots=True, kw_only=True)
class RemotePolicy:
    """The newest channel_update of our peer for its direction of the channel."""

    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int
    htlc_minimum: Msat
    htlc_maximum: Msat


@dataclass(slots=True, kw_only=True)
class LiveHtlc:
    """An HTLC that is not yet forgotten. Of the ends, `origin_...` says whom an offered one serves."""

    dbid: int
    channel_dbid: int
    id: int
    offered_by_us: bool
    state: HtlcState
    amount: Msat
    payment_hash: bytes
    cltv_expiry: int
    """Height."""
    onion: bytes
    """Offered ones: empty after a restart, for it is in the updates we sent."""
    path_key: bytes | None = None
    shared_secret: bytes | None = None
    """Received ones: from the onion's ephemeral key, to encrypt a failure with."""
    preimage: bytes | None = None
    failure_onion: bytes | None = None
    """Encrypted for the hop before us (received) or as it came (offered)."""
    malformed_code: int = 0
    malformed_sha256: bytes = bytes(32)
    origin_htlc: int | None = None
    """Offered ones: row id of the received HTLC that this forwards."""
    origin_payment: int | None = None
    """Offered ones: row id of the payment that this is a part of."""
    received_time: float = 0.0
    handled: bool = False
    """Received ones: the switch has taken charge of it (in memory only, so a restart decides anew)."""

    @property
    def key(self) -> tuple[bool, int]:
        """Its name in its channel."""
        return self.offered_by_us, self.id

    @property
    def is_resolved(self) -> bool:
        """Whether it is known how it ends, even if the peer has not yet been told."""
        return (
            self.preimage is not None or self.failure_onion is not None or self.malformed_code != 0
        )

    def to_wire(self) -> WireHtlc:
        """As channeld takes it."""
        return WireHtlc(
            id=self.id,
            offered_by_us=self.offered_by_us,
            state=int(self.state),
            amount=self.amount,
            payment_hash=self.payment_hash,
            cltv_expiry=self.cltv_expiry,
            onion=self.onion or bytes(PACKET_SIZE),
            path_key=self.path_key,
            preimage=self.preimage,
            failure_onion=self.failure_onion,
            malformed_code=self.malformed_code,
            malformed_sha256=self.malformed_sha256,
        )


@dataclass(slots=True, kw_only=True)
class Counters:
    """What listpeerchannels tells of past payments."""

    in_payments_offered: int = 0
    in_offered_msat: int = 0
    in_payments_fulfilled: int = 0
    in_fulfilled_msat: int = 0
    out_payments_offered: int = 0
    out_offered_msat: int = 0
    out_payments_fulfilled: int = 0
    out_fulfilled_msat: int = 0


@dataclass(slots=True, kw_only=True)
class StateChange:
    """One line of a channel's history."""

    timestamp: float
    old_state: ChannelState | None
    new_state: ChannelState
    cause: str
    message: str


@dataclass(slots=True, kw_only=True)
class Channel:
    """One channel. Local is us. Balances are settled: they count every dead HTLC and no live one."""

    # For life
    static: ChannelStatic
    announce: bool
    minimum_depth: int
    push: Msat
    local_upfront_shutdown_script: bytes
    remote_upfront_shutdown_script: bytes
    close_to: bytes | None = None
    our_funding: Sat | None = None
    """Our part of the funding amount, where both sides may have paid (dual funding); None: the opener's is all."""
    inflight: Inflight | None = None
    """The funding transaction that both sides made, until the channel is locked in."""
    final_key_index: int = 0
    """BIP 32 index of the wallet address that our closing output goes to."""

    # Commitments
    state: ChannelState
    to_local: Msat
    to_remote: Msat
    min_to_local: Msat
    max_to_local: Msat
    fees: tuple[FeeState, ...]
    next_local_commitment: int = 1
    next_remote_commitment: int = 1
    revocations_received: int = 0
    remote_current_point: bytes
    remote_next_point: bytes | None = None
    shachain: bytes = b""
    next_htlc_id: int = 0
    next_remote_htlc_id: int = 0
    last_sent_updates: tuple[bytes, ...] = ()
    last_was_revoke: bool = False
    last_tx: bytes
    """Our newest commitment transaction, without signatures (or the mutual close, once signed)."""
    last_sig: bytes
    """The peer's signature for it."""
    last_htlc_sigs: tuple[bytes, ...] = ()
    future_remote_point: bytes | None = None
    """We lost data, and only the peer may close: its newest per-commitment point as far as we know. See `is_stub`."""

    # Getting ready and going away
    sent_channel_ready: bool = False
    got_channel_ready: bool = False
    short_channel_id: ShortChannelId | None = None
    local_alias: ShortChannelId
    remote_alias: ShortChannelId | None = None
    local_shutdown_script: bytes = b""
    """Set once we have sent, or must send, shutdown."""
    remote_shutdown_script: bytes = b""
    wrong_funding: Outpoint | None = None
    """The output that the opener really paid to, where that is not the negotiated one: what a mutual close spends."""
    closer: str | None = None
    """'local' or 'remote': who began to close."""
    close_cause: str = ""

    # Forwarding and gossip
    policy: Policy
    ignore_fee_limits: bool = False
    remote_policy: RemotePolicy | None = None
    remote_announcement_sigs: tuple[bytes, bytes] | None = None
    """Node and bitcoin signature from announcement_signatures."""
    our_update: bytes = b""
    """The channel_update we sent last."""

    # History
    opened_at: float = 0.0
    first_block: int = 0
    """Height of the chain when it was opened: nothing of it is in an earlier block."""
    counters: Counters = field(default_factory=Counters)
    state_changes: list[StateChange] = field(default_factory=list)
    last_stable_connection: int = 0

    htlcs: dict[tuple[bool, int], LiveHtlc] = field(default_factory=dict)

    # Runtime only
    worker: str | None = None
    """The daemon that has the channel now, e.g. 'channeld-0'."""
    route_id: int | None = None
    reestablished: bool = False
    depth: int = 0
    """Confirmations of the funding transaction."""
    status: list[str] = field(default_factory=list)
    """What listpeerchannels shows under `status`, newest last."""
    their_features: bytes = b""

    @property
    def dbid(self) -> int:
        """The row id; hsmd derives the channel's keys from it."""
        return self.static.dbid

    @property
    def peer_id(self) -> NodeId:
        """The other end."""
        return self.static.peer_id

    @property
    def channel_id(self) -> ChannelId:
        """BOLT 2's channel_id."""
        return self.static.channel_id

    @property
    def capacity(self) -> Sat:
        """The funding amount."""
        return self.static.funding_amount

    @property
    def our_funds(self) -> Sat:
        """What we paid into the funding output."""
        if self.our_funding is not None:
            return self.our_funding
        return self.capacity if self.static.we_are_opener else Sat(0)

    @property
    def channel_type(self) -> ChannelType:
        """What both sides agreed on."""
        return ChannelType.decode(self.static.channel_type)

    @property
    def only_peer_closes(self) -> bool:
        """We have lost data: our newest commitment may be a revoked one."""
        return self.future_remote_point is not None

    @property
    def is_stub(self) -> bool:
        """Restored from a static channel backup: only what the peer's commitment pays to us can be had."""
        return self.future_remote_point == self.static.peer_id

    def local_feerate(self) -> int:
        """Feerate of our own commitment, sat per 1000 weight."""
        return self._feerate(hs.Side.LOCAL)

    def remote_feerate(self) -> int:
        """Feerate of the peer's newest commitment."""
        return self._feerate(hs.Side.REMOTE)

    def _feerate(self, side: hs.Side) -> int:
        newest_first = sorted(self.fees, key=lambda f: f.state)
        return next(
            f.feerate_perkw for f in newest_first if hs.is_committed(HtlcState(f.state), side)
        )

    @property
    def usable_scid(self) -> ShortChannelId:
        """How plugins and payments name the channel: the real scid once there is one."""
        return self.short_channel_id or self.local_alias

    def is_ready(self) -> bool:
        """Whether HTLCs can be sent: both sides ready, peer connected and reestablished."""
        return (
            self.state is ChannelState.CHANNELD_NORMAL
            and self.reestablished
            and self.worker is not None
        )

    def estimate_spendable(self) -> Msat:
        """The largest single HTLC we could add now, as listpeerchannels' spendable_msat."""
        offered = sum(h.amount.msat for h in self.htlcs.values() if h.offered_by_us)
        available = (
            self.to_local.msat - offered - self.static.remote_config.channel_reserve.sat * 1000
        )
        if self.static.we_are_opener:
            available -= self._opener_reserve_msat()
        return self._capped(available, self.static.remote_config.max_htlc_value_in_flight, offered)

    def estimate_receivable(self) -> Msat:
        """The largest single HTLC the peer could add now."""
        offered = sum(h.amount.msat for h in self.htlcs.values() if not h.offered_by_us)
        available = (
            self.to_remote.msat - offered - self.static.local_config.channel_reserve.sat * 1000
        )
        if not self.static.we_are_opener:
            available -= self._opener_reserve_msat()
        return self._capped(available, self.static.local_config.max_htlc_value_in_flight, offered)

    def _capped(self, available: int, in_flight_limit: Msat, in_flight_msat: int) -> Msat:
        if self.state is not ChannelState.CHANNELD_NORMAL:
            return Msat(0)
        return Msat(max(0, min(available, in_flight_limit.msat - in_flight_msat)))

    def _opener_reserve_msat(self) -> int:
        """Fee of a commitment with one more HTLC at twice the feerate, and the anchors."""
        # BOLT 2, "Adding an HTLC: `update_add_htlc`": the opener keeps a fee spike buffer.
        anchors = self.channel_type.has_anchors
        feerate = max(f.feerate_perkw for f in self.fees)
        weight = (1124 if anchors else 724) + 172 * (len(self.htlcs) + 2)
        return (2 * feerate * weight // 1000 + (660 if anchors else 0)) * 1000

    def supports(self, feature: int) -> bool:
        """Whether the peer offered a feature when it connected last."""
        return ft.offers(self.their_features, feature)
