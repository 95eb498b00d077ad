"""What becomes of each gossip message: into the graph, kept waiting, or refused.

Methods raise BadGossip (the sender broke a rule) or IgnoredGossip (of no use); otherwise the message was taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from pylightningd.common.bitcoin.script import funding_script, p2wsh
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.wire.peer_wire import ChannelUpdate
from pylightningd.gossipd import announcements as ann
from pylightningd.gossipd.announcements import BadGossip, IgnoredGossip
from pylightningd.gossipd.graph import ChannelEntry, Graph
from pylightningd.gossipd.pending import Pending, PendingChannels, Waiting
from pylightningd.gossipd.port import OURS
from pylightningd.gossipd.prune import describe_pruning, stale_channels
from pylightningd.gossipd.rate_limit import RateLimit

ANNOUNCE_DEPTH = 6
DYING_BLOCKS = 72
MAX_REFUSED = 50_000
REFUSED_BLOCKS = 144
"""How often refusals are forgotten: a reorganisation may have proved them wrong."""


class Outcome(Protocol):
    """What the intake reports."""

    def accepted(self, offset: int, source: int) -> None:
        """A message went into the store."""

    def ask_txout(self, scid: int) -> None:
        """Look up a funding output."""

    def unknown_channel(self, scid: int, source: int) -> None:
        """Somebody told of a channel that we do not know."""

    def remote_update(self, peer_id: NodeId, raw: bytes) -> None:
        """A channel_update by the peer of one of our own channels."""

    def log(self, level: str, text: str, source: int) -> None:
        """A line for the log, about whoever sent the message."""

    def bad(self, source: int, error: BadGossip) -> None:
        """A waiting message turned out to break a rule."""


@dataclass(slots=True)
class OwnChannel:
    """A channel of ours, announced or not."""

    peer_id: NodeId
    last_update: bytes = b""
    """The peer's, kept here until the channel is announced: some tell it only once."""
    last_timestamp: int = 0
    last_source: int = OURS


@dataclass
class Intake:
    """The rules of BOLT 7 for what comes in."""

    graph: Graph
    outcome: Outcome
    chain_hash: bytes
    our_id: NodeId
    height: int
    limit: RateLimit | None = None
    """None: no limit (dev_fast_gossip)."""
    stale_seconds: int = ann.STALE_SECONDS
    """For how long a channel_update holds."""
    pending: PendingChannels = field(default_factory=PendingChannels)
    own: dict[int, OwnChannel] = field(default_factory=dict)
    early_nodes: dict[NodeId, Waiting] = field(default_factory=dict)
    """Announcements of our channels' peers that came before their channel's."""
    refused: dict[int, None] = field(default_factory=dict)
    """Channels without such an unspent output, so that we do not ask again for each copy."""

    # channel_announcement

    def channel_announcement(
        self, raw: bytes, source: int, known_amount_sat: int | None = None
    ) -> None:
        """Check it; it then waits for the chain and for an update."""
        msg = ann.read_channel_announcement(raw, self.chain_hash)
        scid = msg.short_channel_id
        if self.graph.get(scid) is not None:
            raise IgnoredGossip(f"channel_announcement: {scid} is known")
        known = self.pending.get(scid)
        if known is not None:
            if known_amount_sat is None or known.amount_sat is not None:
                raise IgnoredGossip(f"channel_announcement: {scid} is pending")
            self.pending.remove(scid)
        if source != OURS and scid in self.refused:
            raise IgnoredGossip(f"channel_announcement: {scid} was refused before")
        ann.verify_channel_announcement(msg, raw)
        pending = Pending(msg, raw, source, amount_sat=known_amount_sat)
        if known is not None:
            pending.updates, pending.nodes = known.updates, known.nodes
        self.pending.add(pending)
        self._take_early(pending)
        self.outcome.log("trace", f"channel_announcement: Adding {scid} to pending...", source)
        if known_amount_sat is not None:
            self._complete(pending)
        elif self._is_deep(scid):
            self._ask(pending)

    def _take_early(self, pending: Pending) -> None:
        """What the peer of a channel of ours has said already."""
        own = self.own.get(pending.msg.short_channel_id)
        if own is None:
            return
        direction = int(own.peer_id > self.our_id)
        if (
            own.last_update
            and pending.updates[direction] is None
            and not own.last_update[110] & ann.DONT_FORWARD
        ):
            pending.updates[direction] = Waiting(
                own.last_update, own.last_timestamp, own.last_source
            )
        node = self.early_nodes.pop(own.peer_id, None)
        if node is not None:
            pending.nodes.setdefault(own.peer_id, node)

    def _is_deep(self, scid: ShortChannelId) -> bool:
        # BOLT 7, "The `announcement_signatures` Message": announced with six confirmations or more.
        return scid.block + ANNOUNCE_DEPTH - 1 <= self.height

    def _ask(self, pending: Pending) -> None:
        pending.asked = True
        self.outcome.ask_txout(pending.msg.short_channel_id)

    def txout(self, scid: int, amount_sat: int, script: bytes) -> None:
        """The chain's answer: an empty script where there is no such unspent output."""
        pending = self.pending.get(scid)
        if pending is None or not pending.asked:
            return
        name = pending.msg.short_channel_id
        if not script:
            # BOLT 7, "The `channel_announcement` Message", receiver MUST ignore one whose output is spent.
            self._refuse(pending)
            text = f"channel_announcement: no unspent txout {name}"
            self.outcome.log("debug", text, pending.source)
            return
        # BOLT 7, "The `channel_announcement` Message": the output must be the P2WSH of both bitcoin keys.
        wanted = p2wsh(funding_script(pending.msg.bitcoin_key_1, pending.msg.bitcoin_key_2))
        if script != wanted:
            self._refuse(pending)
            text = f"channel_announcement: txout {name} expected {wanted.hex()}, got {script.hex()}"
            self.outcome.bad(pending.source, BadGossip(text))
            return
        pending.amount_sat = amount_sat
        self._complete(pending)

    def txout_unanswered(self, scid: int) -> None:
        """The chain could not be asked: forget the announcement, it may be sent again."""
        self.pending.remove(scid)

    def _refuse(self, pending: Pending) -> None:
        scid = pending.msg.short_channel_id
        self.pending.remove(scid)
        if len(self.refused) >= MAX_REFUSED:
            del self.refused[next(iter(self.refused))]
        self.refused[scid] = None

    def _complete(self, pending: Pending) -> None:
        """Publish a confirmed channel once it has an update; what waited with it follows."""
        # BOLT 7, "The `gossip_timestamp_filter` Message": no announcement is sent before its first update.
        first = next((u for u in pending.updates if u is not None), None)
        if first is None or pending.amount_sat is None:
            return
        scid = pending.msg.short_channel_id
        self.pending.remove(scid)
        channel = self.graph.add_channel(pending.raw, pending.amount_sat, first.timestamp)
        self.outcome.accepted(channel.offset, pending.source)
        for direction, update in enumerate(pending.updates):
            if update is not None:
                self._store_update(channel, direction, update)
        for node_id, waiting in pending.nodes.items():
            if waiting.timestamp > self.graph.nodes[node_id].timestamp:
                self._store_node(node_id, waiting)

    # channel_update

    def channel_update(self, raw: bytes, source: int, now: float) -> None:
        """A direction's new terms."""
        msg = ann.read_channel_update(raw, self.chain_hash, now, self.stale_seconds)
        scid = msg.short_channel_id
        direction = msg.channel_flags & ann.DIRECTION
        ours = self._own_update(msg, raw, direction, source)
        channel = self.graph.get(scid)
        pending = self.pending.get(scid)
        waiting = Waiting(raw, msg.timestamp, source)
        if channel is not None:
            self._known_update(channel, msg, waiting, now)
        elif pending is not None:
            self._pending_update(pending, msg, waiting)
        elif not ours:
            if source != OURS:
                self.outcome.unknown_channel(scid, source)
            raise IgnoredGossip(f"Unknown channel {scid}")

    def _own_update(self, msg: ChannelUpdate, raw: bytes, direction: int, source: int) -> bool:
        """Whether it is our peer's update of a channel of ours; then the master gets it."""
        own = self.own.get(msg.short_channel_id)
        if own is None or direction != (own.peer_id > self.our_id):
            return False
        if raw != own.last_update:
            ann.verify_channel_update(msg, raw, own.peer_id)
            if msg.timestamp >= own.last_timestamp:
                own.last_update, own.last_timestamp = raw, msg.timestamp
                own.last_source = source
            self.outcome.remote_update(own.peer_id, raw)
        return True

    def _check_public(self, msg: ChannelUpdate) -> None:
        # BOLT 7, "The `channel_update` Message": `dont_forward` is for channels that are not announced.
        if msg.message_flags & ann.DONT_FORWARD:
            name = ann.scid_direction(msg)
            raise IgnoredGossip(f"channel_update: {name} is not to be forwarded")

    def _known_update(
        self, channel: ChannelEntry, msg: ChannelUpdate, waiting: Waiting, now: float
    ) -> None:
        self._check_public(msg)
        direction = msg.channel_flags & ann.DIRECTION
        old = channel.updates[direction]
        name = ann.scid_direction(msg)
        # BOLT 7, "The `channel_update` Message", receiver ignores what is not newer.
        if old is not None and msg.timestamp <= old.timestamp:
            raise IgnoredGossip(f"channel_update: too old for {name}")
        ann.verify_channel_update(msg, waiting.raw, channel.node(direction))
        if waiting.source != OURS and not self._allow((channel.scid, direction), now):
            raise IgnoredGossip(f"channel_update: {name} changes too often")
        self._store_update(channel, direction, waiting)

    def _pending_update(self, pending: Pending, msg: ChannelUpdate, waiting: Waiting) -> None:
        self._check_public(msg)
        direction = msg.channel_flags & ann.DIRECTION
        old = pending.updates[direction]
        if old is not None and msg.timestamp <= old.timestamp:
            name = ann.scid_direction(msg)
            raise IgnoredGossip(f"channel_update: too old for {name}")
        ann.verify_channel_update(msg, waiting.raw, pending.node(direction))
        pending.updates[direction] = waiting
        self._complete(pending)

    def _store_update(self, channel: ChannelEntry, direction: int, update: Waiting) -> None:
        offset = self.graph.set_update(channel, direction, update.raw, update.timestamp)
        state = "DISABLED" if update.raw[111] & ann.DISABLE else "ACTIVE"
        scid = ShortChannelId(channel.scid)
        text = f"Received channel_update for channel {scid}/{direction} now {state}"
        self.outcome.log("debug", text, update.source)
        self.outcome.accepted(offset, update.source)

    # node_announcement

    def node_announcement(self, raw: bytes, source: int, now: float) -> None:
        """A node's name and addresses."""
        msg = ann.read_node_announcement(raw, now)
        node_id = msg.node_id
        node = self.graph.nodes.get(node_id)
        waiting = Waiting(raw, msg.timestamp, source)
        if node is None:
            self._pending_node(node_id, waiting)
            return
        if msg.timestamp <= node.timestamp:
            raise IgnoredGossip(f"node_announcement: too old for {node_id.hex()}")
        ann.verify_node_announcement(msg, raw)
        if source != OURS and not self._allow(node_id, now):
            raise IgnoredGossip(f"node_announcement: {node_id.hex()} changes too often")
        self._store_node(node_id, waiting)

    def _pending_node(self, node_id: NodeId, waiting: Waiting) -> None:
        # BOLT 7, "The `node_announcement` Message", receiver ignores nodes without a known channel.
        holders = self.pending.with_node(node_id)
        is_peer = any(o.peer_id == node_id for o in self.own.values())
        if not holders and not is_peer:
            raise IgnoredGossip(f"node_announcement: unknown node {node_id.hex()}")
        msg = ann.read_node_announcement(waiting.raw, waiting.timestamp)
        ann.verify_node_announcement(msg, waiting.raw)
        if not holders:
            self.early_nodes[node_id] = waiting
        for pending in holders:
            old = pending.nodes.get(node_id)
            if old is None or old.timestamp < waiting.timestamp:
                pending.nodes[node_id] = waiting

    def _store_node(self, node_id: NodeId, waiting: Waiting) -> None:
        offset = self.graph.set_node(node_id, waiting.raw, waiting.timestamp)
        text = f"Received node_announcement for node {node_id.hex()}"
        self.outcome.log("debug", text, waiting.source)
        self.outcome.accepted(offset, waiting.source)

    def _allow(self, name: object, now: float) -> bool:
        return self.limit is None or self.limit.allow(name, now)

    # The chain and the calendar

    def new_height(self, height: int) -> None:
        """A block: early announcements may be deep enough, channels of long ago are forgotten."""
        self.height = height
        if height % REFUSED_BLOCKS == 0:
            self.refused.clear()
        for pending in self.pending:
            if (
                not pending.asked
                and pending.amount_sat is None
                and self._is_deep(pending.msg.short_channel_id)
            ):
                self._ask(pending)
        for channel in [c for c in self.graph.channels.values() if 0 < c.dies_at <= height]:
            scid = ShortChannelId(channel.scid)
            text = f"Deleting channel {scid} due to the funding outpoint being spent"
            self.outcome.log("debug", text, OURS)
            self.graph.remove(channel)

    def spent(self, height: int, scids: tuple[ShortChannelId, ...]) -> None:
        """Funding outputs were spent in that block."""
        # BOLT 7, "The `channel_announcement` Message": a spent channel is forgotten after 72 blocks, as its
        # successor by a splice takes a while to be announced.
        for scid in scids:
            self.pending.remove(scid)
            channel = self.graph.get(scid)
            if channel is not None and not channel.dies_at:
                text = f"channel {scid} closing soon due to the funding outpoint being spent"
                self.outcome.log("trace", text, OURS)
                self.graph.set_dying(channel, height + DYING_BLOCKS)

    def prune(self, now: float) -> None:
        """Forget what nobody refreshes."""
        for channel in stale_channels(self.graph, now, self.stale_seconds):
            text = describe_pruning(channel, now, str(ShortChannelId(channel.scid)))
            level = "unusual" if self.our_id in (channel.node_1, channel.node_2) else "debug"
            self.outcome.log(level, text, OURS)
            self.graph.remove(channel)
