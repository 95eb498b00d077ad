"""What a payment learns from its failures: what to avoid, what a channel can carry, and its true rules. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.errors import WireError
from pylightningd.common.keys import BadSignature, InvalidKey, verify_compact
from pylightningd.common.wire import onion_wire
from pylightningd.common.wire.peer_wire import ChannelUpdate
from pylightningd.plugins.gossmap import LocalChannel, LocalHalf
from pylightningd.plugins.pay.attempt import Attempt, PartFailure, State, channel_name
from pylightningd.plugins.pay.verdict import Kind, Verdict
from pylightningd.plugins.routing import Hop

Channel = tuple[int, int]
"""short_channel_id and direction."""
_DISABLED = 2
_MAX_UPDATES = 2
"""How often a channel may change its rules before it is avoided."""
_MAX_REFUSALS = 8
"""How often a channel may refuse an amount before it is avoided, whatever the amount."""
ANY_CAPACITY_MSAT = 21_000_000 * 100_000_000 * 1000
_UPDATE_TYPE = (258).to_bytes(2, "big")
_SIGNED_FROM = 66


@dataclass(slots=True)
class Knowledge:
    """Of one payment; it begins with what the user wants excluded."""

    avoid_channels: set[Channel] = field(default_factory=set)
    avoid_nodes: set[bytes] = field(default_factory=set)
    limits: dict[Channel, int] = field(default_factory=dict)
    """The most in msat that a channel may carry, all our parts together."""
    policies: dict[Channel, LocalChannel] = field(default_factory=dict)
    """Rules that nodes told us, newer than what gossip says."""
    _updates: dict[Channel, int] = field(default_factory=dict)
    _refusals: dict[Channel, int] = field(default_factory=dict)

    def learn(
        self,
        verdict: Verdict,
        attempt: Attempt,
        failure: PartFailure,
        our_id: bytes,
        used: Mapping[Channel, int],
    ) -> str:
        """Take in a verdict; returns what follows, for the user. `used`: what our other parts use of channels."""
        hops, at = attempt.hops, verdict.hop
        match verdict.kind:
            case Kind.GIVE_UP:
                return "giving up"
            case Kind.RETRY:
                return "trying again"
            case Kind.AVOID_NODE:
                return self._avoid_node(hops, at)
            case Kind.AVOID_CHANNEL:
                return self._avoid(hops[at])
            case Kind.LIMIT_CHANNEL:
                return self._limit(hops[at], used.get((hops[at].scid, hops[at].direction), 0))
            case Kind.UPDATE_CHANNEL:
                source = our_id if at == 0 else hops[at - 1].node_id
                return self._update(hops[at], source, failure.raw)

    def _avoid(self, hop: Hop) -> str:
        self.avoid_channels.add((hop.scid, hop.direction))
        return f"avoiding {channel_name(hop)}"

    def _avoid_node(self, hops: list[Hop], at: int) -> str:
        node = hops[at].node_id
        if node == hops[-1].node_id:
            return self._avoid(hops[at])
        self.avoid_nodes.add(node)
        return f"avoiding node {node.hex()}"

    def _limit(self, hop: Hop, used_msat: int) -> str:
        key = (hop.scid, hop.direction)
        self._refusals[key] = self._refusals.get(key, 0) + 1
        if self._refusals[key] > _MAX_REFUSALS:
            return self._avoid(hop)
        least = used_msat + hop.amount_msat - 1
        self.limits[key] = min(least, self.limits.get(key, least))
        return f"{channel_name(hop)} cannot carry {hop.amount_msat}msat now"

    def _update(self, hop: Hop, source: bytes, raw: bytes) -> str:
        key = (hop.scid, hop.direction)
        update = read_update(raw, hop, source)
        self._updates[key] = self._updates.get(key, 0) + 1
        if update is None or self._updates[key] > _MAX_UPDATES:
            return self._avoid(hop)
        half = LocalHalf(
            enabled=not update.channel_flags & _DISABLED,
            base_fee_msat=update.fee_base_msat,
            fee_ppm=update.fee_proportional_millionths,
            delay=update.cltv_expiry_delta,
            htlc_min_msat=update.htlc_minimum_msat,
            htlc_max_msat=update.htlc_maximum_msat,
        )
        known = self.policies.get(key)
        if not half.enabled or (known is not None and known.outgoing == half):
            return self._avoid(hop)
        self.policies[key] = LocalChannel(
            scid=hop.scid,
            ours=source,
            peer=hop.node_id,
            capacity_msat=ANY_CAPACITY_MSAT,
            outgoing=half,
            incoming=None,
        )
        return f"{channel_name(hop)} has new rules"


def in_use(attempts: Iterable[Attempt]) -> dict[Channel, int]:
    """What parts that are on their way use of each channel, in msat."""
    used: dict[Channel, int] = {}
    for attempt in attempts:
        if attempt.state is State.PENDING:
            for hop in attempt.hops:
                key = (hop.scid, hop.direction)
                used[key] = used.get(key, 0) + hop.amount_msat
    return used


def read_update(raw: bytes, hop: Hop, source: bytes) -> ChannelUpdate | None:
    """The channel_update in a failure message, if it is one of that direction, signed by `source`."""
    try:
        message = onion_wire.decode(raw)
        encoded = getattr(message, "channel_update", b"")
        # BOLT 4, "Failure Messages": some nodes leave the message's type out; both forms are read.
        if encoded[:2] != _UPDATE_TYPE:
            encoded = _UPDATE_TYPE + encoded
        update = ChannelUpdate.decode(encoded)
    except WireError:
        return None
    # Its short_channel_id may be another alias of the same channel. The node that is paid for forwarding has
    # signed it, and it counts for this payment only: so what it says of one channel is taken for the one we used.
    if update.channel_flags & 1 != hop.direction:
        return None
    digest = sha256d(encoded[_SIGNED_FROM:])
    try:
        verify_compact(source, digest, update.signature)
    except (BadSignature, InvalidKey):
        return None
    return update
