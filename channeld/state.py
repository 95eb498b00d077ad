"""What a worker knows of one channel: the facts that never change, and what the peer and we have agreed.

`load` makes it from lightningd's `channeld_channel`. Everything in `Channel` is durable (lightningd has
written it down) except `Session`, which lasts as long as one connection.

Numbers: commitment 0 was exchanged when the channel was opened. `next_local` is the number of the next
commitment_signed we expect, `next_remote` that of the next we send, `revocations` how many of the
peer's commitments are revoked. The peer's oldest unrevoked commitment is `revocations`; at rest that is
`next_remote - 1`, and one less while we wait for its revoke_and_ack.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from pylightningd.channeld import rows
from pylightningd.channeld.view import View
from pylightningd.common.amount import Msat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.commitment_spec import Balances, settle
from pylightningd.common.channel.commitment_tx import CommitmentParams
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.channel.keyset import Basepoints, obscuring_factor
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.shachain import Shachain
from pylightningd.common.wire import common_wire
from pylightningd.common.wire.channeld_wire import ChanneldChannel
from pylightningd.common.wire.runtime import Message

NEVER = 0xFFFFFFFF
"""`dev_disable_commit_after` when it is not used."""

HtlcKey = tuple[Side, int]


class Phase(Enum):
    """Where the conversation with the peer stands; decides which messages are legal."""

    OFFLINE = "offline"
    REESTABLISHING = "reestablishing"
    """Our channel_reestablish is out, theirs is not here."""
    SIGNING_FUNDING = "signing_funding"
    """Not both have signed a funding transaction that both made."""
    AWAITING_READY = "awaiting_ready"
    """Not both channel_ready have been exchanged."""
    NORMAL = "normal"
    SHUTTING_DOWN = "shutting_down"
    """A shutdown was sent or received; HTLCs are still being resolved."""
    HANDED_OVER = "handed_over"
    """Nothing is pending after shutdown: closingd has the route."""
    LEAVING = "leaving"
    """We have asked to hang up; what the peer still sends is ignored."""
    FAILED = "failed"
    """The channel is lightningd's to end on chain, or held because of a bug of ours."""


LIVE = frozenset({Phase.AWAITING_READY, Phase.NORMAL, Phase.SHUTTING_DOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How we resolve an HTLC the peer offered. Exactly one of the three is set."""

    preimage: bytes | None = None
    failure_onion: bytes | None = None
    malformed_code: int = 0
    malformed_sha256: bytes = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stays the same for the channel's life."""

    static: common_wire.ChannelStatic
    opener: Side
    anchors: bool
    announce: bool
    minimum_depth: int
    params: tuple[CommitmentParams, CommitmentParams]
    """Of our commitments and of the peer's."""
    basepoints: tuple[Basepoints, Basepoints]
    remote_upfront_script: bytes
    max_dust_exposure: Msat

    @property
    def dbid(self) -> int:
        """The database id, which names the channel to lightningd and hsmd."""
        return self.static.dbid

    @property
    def channel_id(self) -> ChannelId:
        """BOLT 2's channel_id."""
        return self.static.channel_id

    @property
    def peer_id(self) -> NodeId:
        """The other end."""
        return self.static.peer_id

    def config_of(self, side: Side) -> common_wire.ChannelConfig:
        """The limits that `side` set: its own dust limit, everything else binds the other side."""
        return self.static.local_config if side is Side.LOCAL else self.static.remote_config


@dataclass(slots=True, kw_only=True)
class Signing:
    """A funding transaction that both sides made, and whose signatures are there (BOLT 2, "Channel Establishment v2")."""

    funding: common_wire.JointFunding
    txid: Txid
    got_commitment: bool
    """The peer has signed our first commitment."""
    got_signatures: bool
    """The peer has signed its inputs."""
    witnesses: tuple[bytes, ...] | None
    """Of our inputs, encoded; None until they are signed."""

    @property
    def may_be_sent(self) -> bool:
        """Whether it is time for our tx_signatures, which the peer may then have."""
        return (
            self.got_commitment
            and self.witnesses is not None
            and (self.funding.we_sign_first or self.got_signatures)
        )

    @property
    def is_complete(self) -> bool:
        """Whether all signatures are there."""
        return self.may_be_sent and self.got_signatures


@dataclass(slots=True)
class Session:
    """What one connection knows, forgotten with it."""

    route_id: int
    fresh: bool = False
    """The channel was made on this very connection."""
    reestablished: bool = False
    handed_over: bool = False
    leaving: bool = False
    unsigned_updates: list[bytes] = field(default_factory=list)
    """Update messages sent since our last commitment_signed, encoded."""
    offers: dict[int, int] = field(default_factory=dict)
    """HTLC id -> cookie of offers not yet covered by a commitment_signed."""
    sent_shutdown: bool = False
    got_shutdown: bool = False
    early: list[Message] = field(default_factory=list)
    """What the peer sent before its channel_reestablish."""
    last_was_empty: bool = False
    """The peer's last commitment_signed changed nothing."""
    sent_signatures: bool = False
    """Our tx_signatures are out, or the peer has them from before."""
    sent_abort: bool = False
    """Our tx_abort is out; the peer will echo it."""
    early_signatures: Message | None = None
    """The peer's tx_signatures, where they came before its commitment_signed."""


@dataclass(slots=True, kw_only=True)
class Channel:
    """One channel."""

    facts: Facts
    short_channel_id: ShortChannelId | None
    local_alias: ShortChannelId | None
    depth: int
    next_local: int
    next_remote: int
    revocations: int
    settled: Balances
    """Counts every dead HTLC and no live one."""
    htlcs: dict[HtlcKey, Htlc]
    malformed: dict[int, tuple[int, bytes]]
    """Of HTLCs we offered that came back malformed, by id: failure code and the onion's hash."""
    removals: dict[int, Removal]
    """How to resolve HTLCs the peer offered, by id, until a commitment_signed covers it."""
    fees: FeeStates
    remote_current_point: bytes
    """Of the peer's oldest unrevoked commitment."""
    remote_next_point: bytes | None
    """Of the one after it; None before channel_ready."""
    local_next_point: bytes | None = None
    """Of our commitment `next_local`, once hsmd has told it."""
    shachain: Shachain
    next_htlc_id: int
    next_remote_htlc_id: int
    last_sent_updates: tuple[bytes, ...]
    last_was_revoke: bool
    sent_channel_ready: bool
    got_channel_ready: bool
    local_shutdown_script: bytes
    """Not empty once we have sent, or shall send, shutdown."""
    remote_shutdown_script: bytes
    wrong_funding: Outpoint | None = None
    """What our shutdown names as really paid to, where that is not the funding output."""
    our_features: bytes
    their_features: bytes
    feerate_min_perkw: int
    feerate_max_perkw: int
    feerate_wanted_perkw: int | None = None
    signing: Signing | None = None
    """Until the funding transaction is known to be in a block; None in channels of one side's funding."""
    waits_for_ever: bool = False
    """For tests: a peer that does not revoke is not given up."""
    commits_allowed: int | None = None
    """How many commitment_signed may still be sent (for tests); None: any number."""
    failed: bool = False
    held_sends: list[bytes] = field(default_factory=list)
    """Messages of lightningd for the peer, encoded, until the channel is reestablished."""
    session: Session | None = None
    views: tuple[View, View]

    @property
    def phase(self) -> Phase:
        """Derived, so that it can never disagree with the rest."""
        session = self.session
        if self.failed:
            return Phase.FAILED
        if session is None:
            return Phase.OFFLINE
        if session.leaving:
            return Phase.LEAVING
        if session.handed_over:
            return Phase.HANDED_OVER
        if not session.reestablished:
            return Phase.REESTABLISHING
        if self.signing is not None and not self.signing.is_complete:
            return Phase.SIGNING_FUNDING
        if session.sent_shutdown or session.got_shutdown:
            return Phase.SHUTTING_DOWN
        if not (self.sent_channel_ready and self.got_channel_ready):
            return Phase.AWAITING_READY
        return Phase.NORMAL

    @property
    def live(self) -> Session:
        """The session, where the table of handlers has made sure that there is one."""
        assert self.session is not None
        return self.session

    @property
    def awaiting_revoke(self) -> bool:
        """Whether our last commitment_signed has not been answered by a revoke_and_ack."""
        return self.next_remote == self.revocations + 2

    # ---- changes ----------------------------------------------------------------------------

    def put(self, new: Htlc) -> None:
        """Add or replace an HTLC."""
        key = new.key
        old = self.htlcs.get(key)
        self.htlcs[key] = new
        self.views[0].move(old, new)
        self.views[1].move(old, new)

    def set_fees(self, fees: FeeStates) -> None:
        """Replace the feerates."""
        self.fees = fees
        for view in self.views:
            view.set_feerate(next_feerate(fees, view.owner), self.htlcs.values())

    def bury(self, changed: list[Htlc]) -> None:
        """Drop those of `changed` that are dead and settle them."""
        self.settled, alive = settle(self.settled, changed)
        if len(alive) == len(changed):
            return
        for htlc in changed:
            if hs.is_dead(htlc.state):
                del self.htlcs[htlc.key]
                self.malformed.pop(htlc.id, None)

    def forget_uncommitted(self) -> None:
        """What neither side has signed for is gone, as after a reconnect."""
        # BOLT 2, "Message Retransmission", upon disconnection MUST reverse uncommitted updates of the other
        # side; ours we may forget too, and resolve HTLCs anew from `removals`.
        for key, htlc in list(self.htlcs.items()):
            if htlc.state in (HtlcState.SENT_ADD_HTLC, HtlcState.RCVD_ADD_HTLC):
                del self.htlcs[key]
                if htlc.offerer is Side.LOCAL:
                    self.next_htlc_id = min(self.next_htlc_id, htlc.id)
                else:
                    self.next_remote_htlc_id = min(self.next_remote_htlc_id, htlc.id)
            elif htlc.state in (HtlcState.RCVD_REMOVE_HTLC, HtlcState.SENT_REMOVE_HTLC):
                state = hs.last_add_state(htlc.offerer)
                self.htlcs[key] = replace(htlc, state=state, preimage=None, failure=None)
                if htlc.offerer is Side.LOCAL:
                    self.malformed.pop(htlc.id, None)
        self.fees = self.fees.without_uncommitted()
        self.rebuild_views()

    def rebuild_views(self) -> None:
        """Count the totals anew."""
        for view in self.views:
            rate = next_feerate(self.fees, view.owner)
            view.rebuild(self.settled, self.htlcs.values(), rate)


def next_feerate(fees: FeeStates, owner: Side) -> int:
    """The feerate of `owner`'s next commitment."""
    if fees.is_settled:
        return fees.newest
    return next(
        rate
        for state, rate in fees.rates
        if hs.is_committed(state, owner) or hs.is_pending(state, owner)
    )


# ---- from lightningd's row ---------------------------------------------------------------------


def load(
    msg: ChanneldChannel, *, our_features: bytes = b"", commits_allowed: int | None = None
) -> Channel:
    """The channel as lightningd last wrote it down."""
    facts = _facts(msg)
    htlcs: dict[HtlcKey, Htlc] = {}
    removals: dict[int, Removal] = {}
    malformed: dict[int, tuple[int, bytes]] = {}
    for row in msg.htlcs:
        htlc = rows.htlc_from_row(row)
        if row.malformed_code and row.offered_by_us:
            malformed[row.id] = (row.malformed_code, row.malformed_sha256)
        if htlc.state is HtlcState.RCVD_ADD_ACK_REVOCATION:
            removal = _removal_of(row)
            if removal is not None:
                removals[row.id] = removal
            htlc = replace(htlc, preimage=None, failure=None)
        htlcs[htlc.key] = htlc
    views = tuple(View(s, facts.config_of(s).dust_limit, facts.anchors) for s in Side)
    channel = Channel(
        facts=facts,
        short_channel_id=msg.short_channel_id,
        local_alias=msg.local_alias,
        depth=msg.depth,
        next_local=msg.next_local_commitment,
        next_remote=msg.next_remote_commitment,
        revocations=msg.revocations_received,
        settled=Balances(msg.to_local, msg.to_remote),
        htlcs=htlcs,
        malformed=malformed,
        removals=removals,
        fees=rows.fees_from_rows(facts.opener, msg.fees),
        remote_current_point=msg.remote_current_point,
        remote_next_point=msg.remote_next_point,
        shachain=Shachain.decode(msg.shachain),
        next_htlc_id=msg.next_htlc_id,
        next_remote_htlc_id=msg.next_remote_htlc_id,
        last_sent_updates=msg.last_sent_updates,
        last_was_revoke=msg.last_was_revoke,
        sent_channel_ready=msg.sent_channel_ready,
        got_channel_ready=msg.got_channel_ready,
        local_shutdown_script=msg.local_shutdown_script,
        remote_shutdown_script=msg.remote_shutdown_script,
        our_features=our_features,
        their_features=msg.their_features,
        feerate_min_perkw=msg.feerate_min_perkw,
        feerate_max_perkw=msg.feerate_max_perkw,
        commits_allowed=commits_allowed,
        views=(views[0], views[1]),
    )
    channel.rebuild_views()
    return channel


def _removal_of(row: rows.HtlcRow) -> Removal | None:
    if row.preimage is None and row.failure_onion is None and not row.malformed_code:
        return None
    return Removal(
        preimage=row.preimage,
        failure_onion=row.failure_onion,
        malformed_code=row.malformed_code,
        malformed_sha256=row.malformed_sha256,
    )


def _facts(msg: ChanneldChannel) -> Facts:
    static = msg.channel
    anchors = ChannelType.decode(static.channel_type).has_anchors
    opener = Side.LOCAL if static.we_are_opener else Side.REMOTE
    return Facts(
        static=static,
        opener=opener,
        anchors=anchors,
        announce=msg.announce,
        minimum_depth=msg.minimum_depth,
        params=(_params(static, Side.LOCAL, anchors), _params(static, Side.REMOTE, anchors)),
        basepoints=(_basepoints(static.local_basepoints), _basepoints(static.remote_basepoints)),
        remote_upfront_script=msg.remote_upfront_shutdown_script,
        max_dust_exposure=msg.max_dust_exposure,
    )


def _basepoints(wire: common_wire.Basepoints) -> Basepoints:
    return Basepoints(
        revocation=wire.revocation,
        payment=wire.payment,
        htlc=wire.htlc,
        delayed_payment=wire.delayed_payment,
    )


def _params(static: common_wire.ChannelStatic, owner: Side, anchors: bool) -> CommitmentParams:
    local, remote = static.local_basepoints, static.remote_basepoints
    ours = owner is Side.LOCAL
    opener, accepter = (local, remote) if static.we_are_opener else (remote, local)
    mine, other = (local, remote) if ours else (remote, local)
    my_config = static.local_config if ours else static.remote_config
    other_config = static.remote_config if ours else static.local_config
    return CommitmentParams(
        funding=static.funding,
        funding_amount=static.funding_amount,
        owner_funding_key=mine.funding_pubkey,
        other_funding_key=other.funding_pubkey,
        owner_is_opener=static.we_are_opener == ours,
        to_self_delay=other_config.to_self_delay,
        dust_limit=my_config.dust_limit,
        anchors=anchors,
        obscuring_factor=obscuring_factor(opener.payment, accepter.payment),
    )
