"""The network as gossipd holds it: names, timestamps, and where in the store each message is. No I/O but the store's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.gossipd import store as st
from pylightningd.gossipd.announcements import (
    CHANNEL_ANNOUNCEMENT,
    CHANNEL_UPDATE,
    DIRECTION,
    NODE_ANNOUNCEMENT,
)
from pylightningd.gossipd.store import DELETED, DYING, Record, Store


@dataclass(slots=True)
class Update:
    """One direction's channel_update."""

    offset: int
    timestamp: int


@dataclass(slots=True)
class ChannelEntry:
    """A public channel."""

    scid: int
    node_1: NodeId
    node_2: NodeId
    offset: int
    """Of its channel_announcement; the amount is the record after it."""
    amount_offset: int = 0
    amount_sat: int = 0
    updates: list[Update | None] = field(default_factory=lambda: [None, None])
    """Of node_1 and of node_2."""
    dies_at: int = 0
    """Height at which it is forgotten, once its funding is spent; else 0."""
    dying_offset: int = 0

    def node(self, direction: int) -> NodeId:
        """Whose channel_update that direction is."""
        return self.node_2 if direction else self.node_1


@dataclass(slots=True)
class NodeEntry:
    """A node that has a public channel."""

    scids: set[int] = field(default_factory=set)
    offset: int = 0
    """Of its node_announcement, 0 if there is none."""
    timestamp: int = 0


class Graph:
    """Public channels and nodes; keeps the store's records in step with itself."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.channels: dict[int, ChannelEntry] = {}
        self.nodes: dict[NodeId, NodeEntry] = {}

    # Loading

    def load(self, records: Iterable[Record]) -> int:
        """Take what a store holds at start; returns how many records had no place and were deleted."""
        last: ChannelEntry | None = None
        orphans = 0
        for record in records:
            kind = record.type
            if kind == CHANNEL_ANNOUNCEMENT:
                last = self._load_channel(record)
                orphans += last is None
            elif kind == st.CHANNEL_AMOUNT:
                if last is not None and not last.amount_offset:
                    last.amount_offset = record.offset
                    last.amount_sat = int.from_bytes(record.msg[2:10], "big")
                else:
                    orphans += self._drop(record)
            elif kind == CHANNEL_UPDATE:
                orphans += not self._load_update(record)
            elif kind == NODE_ANNOUNCEMENT:
                orphans += not self._load_node(record)
            elif kind == st.CHAN_DYING:
                self._load_dying(record)
        # A crash may have come between an announcement and its amount.
        for channel in [c for c in self.channels.values() if not c.amount_offset]:
            self.remove(channel)
            orphans += 1
        return orphans

    def _drop(self, record: Record) -> bool:
        self.store.flag(record.offset, DELETED)
        return True

    def _load_channel(self, record: Record) -> ChannelEntry | None:
        scid, node_1, node_2 = announced(record.msg)
        if scid in self.channels:
            self._drop(record)
            return None
        return self._insert(ChannelEntry(scid, node_1, node_2, record.offset))

    def _load_update(self, record: Record) -> bool:
        scid = int.from_bytes(record.msg[98:106], "big")
        channel = self.channels.get(scid)
        if channel is None:
            self._drop(record)
            return False
        direction = record.msg[111] & DIRECTION
        old = channel.updates[direction]
        if old is not None:
            self.store.flag(old.offset, DELETED)
        channel.updates[direction] = Update(record.offset, record.timestamp)
        return True

    def _load_node(self, record: Record) -> bool:
        features_length = int.from_bytes(record.msg[66:68], "big")
        start = 68 + features_length + 4
        node = self.nodes.get(NodeId(record.msg[start : start + 33]))
        if node is None:
            self._drop(record)
            return False
        if node.offset:
            self.store.flag(node.offset, DELETED)
        node.offset, node.timestamp = record.offset, record.timestamp
        return True

    def _load_dying(self, record: Record) -> None:
        channel = self.channels.get(int.from_bytes(record.msg[2:10], "big"))
        if channel is None:
            self._drop(record)
            return
        channel.dies_at = int.from_bytes(record.msg[10:14], "big")
        channel.dying_offset = record.offset

    # Asking

    def get(self, scid: int) -> ChannelEntry | None:
        """A channel, if it is public and known."""
        return self.channels.get(scid)

    def scids(self, first_block: int = 0, end_block: int = 1 << 24) -> list[int]:
        """Channels funded in those blocks (end not included), ascending; without those whose funding is spent."""
        low, high = first_block << 40, end_block << 40
        return sorted(s for s, c in self.channels.items() if low <= s < high and not c.dies_at)

    def messages(self, scid: int, flags: int) -> Iterator[bytes]:
        """A channel's messages by the bits of BOLT 7's query_flags, without node_announcements."""
        channel = self.channels.get(scid)
        if channel is None:
            return
        if flags & 1:
            yield self.store.read(channel.offset)
        for direction, bit in ((0, 2), (1, 4)):
            update = channel.updates[direction]
            if flags & bit and update is not None:
                yield self.store.read(update.offset)

    def node_message(self, node_id: NodeId) -> bytes | None:
        """A node's announcement."""
        node = self.nodes.get(node_id)
        return self.store.read(node.offset) if node is not None and node.offset else None

    def amount_of(self, scid: int) -> int:
        """Capacity in satoshi; 0 where the channel is not known."""
        channel = self.channels.get(scid)
        return channel.amount_sat if channel is not None else 0

    # Changing

    def add_channel(self, raw: bytes, amount_sat: int, timestamp: int) -> ChannelEntry:
        """A new channel. `timestamp` is that of the channel_update which is stored next."""
        scid, node_1, node_2 = announced(raw)
        offset = self.store.append(raw, timestamp)
        channel = ChannelEntry(scid, node_1, node_2, offset)
        channel.amount_sat = amount_sat
        channel.amount_offset = self.store.append(st.amount_message(amount_sat))
        return self._insert(channel)

    def _insert(self, channel: ChannelEntry) -> ChannelEntry:
        self.channels[channel.scid] = channel
        # One object for each id, however many channels name it.
        channel.node_1, channel.node_2 = self._node(channel.node_1), self._node(channel.node_2)
        self.nodes[channel.node_1].scids.add(channel.scid)
        self.nodes[channel.node_2].scids.add(channel.scid)
        return channel

    def _node(self, node_id: NodeId) -> NodeId:
        self.nodes.setdefault(node_id, NodeEntry())
        known = next(iter(self.nodes[node_id].scids), None)
        if known is None:
            return node_id
        channel = self.channels[known]
        return channel.node_1 if channel.node_1 == node_id else channel.node_2

    def set_update(self, channel: ChannelEntry, direction: int, raw: bytes, timestamp: int) -> int:
        """A direction's newest channel_update; returns its offset in the store."""
        old = channel.updates[direction]
        offset = self.store.append(raw, timestamp)
        channel.updates[direction] = Update(offset, timestamp)
        if old is not None:
            self.store.flag(old.offset, DELETED)
        if channel.dies_at:
            self.store.flag(offset, DYING)
        return offset

    def set_node(self, node_id: NodeId, raw: bytes, timestamp: int) -> int:
        """A node's newest announcement; returns its offset. The node must have a channel."""
        node = self.nodes[node_id]
        old, node.offset = node.offset, self.store.append(raw, timestamp)
        node.timestamp = timestamp
        if old:
            self.store.flag(old, DELETED)
        return node.offset

    def set_dying(self, channel: ChannelEntry, height: int) -> None:
        """Its funding is spent: it goes at `height`."""
        channel.dies_at = height
        channel.dying_offset = self.store.append(st.dying_message(channel.scid, height))
        self.store.flag(channel.offset, DYING)
        for update in channel.updates:
            if update is not None:
                self.store.flag(update.offset, DYING)

    def remove(self, channel: ChannelEntry) -> None:
        """Forget a channel, and nodes that have no other."""
        # The marker first, so that a reader never sees updates of a channel that is not there.
        self.store.append(st.delete_message(channel.scid))
        offsets = [channel.offset, channel.amount_offset, channel.dying_offset]
        offsets += [u.offset for u in channel.updates if u is not None]
        for offset in offsets:
            if offset:
                self.store.flag(offset, DELETED)
        del self.channels[channel.scid]
        for node_id in (channel.node_1, channel.node_2):
            self._unlink(node_id, channel.scid)

    def _unlink(self, node_id: NodeId, scid: int) -> None:
        node = self.nodes.get(node_id)
        if node is None:
            return
        node.scids.discard(scid)
        if not node.scids:
            if node.offset:
                self.store.flag(node.offset, DELETED)
            del self.nodes[node_id]
        elif node.offset and all(self.channels[s].offset > node.offset for s in node.scids):
            # Readers want a node's announcement after the first of its channels.
            self.set_node(node_id, self.store.read(node.offset), node.timestamp)


def announced(raw: bytes) -> tuple[ShortChannelId, NodeId, NodeId]:
    """Channel and nodes of an encoded channel_announcement."""
    pos = 260 + int.from_bytes(raw[258:260], "big") + 32
    scid = ShortChannelId(int.from_bytes(raw[pos : pos + 8], "big"))
    return scid, NodeId(raw[pos + 8 : pos + 41]), NodeId(raw[pos + 41 : pos + 74])
