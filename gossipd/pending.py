"""Channel announcements that wait: for the chain's answer, for more blocks, or for their first channel_update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pylightningd.common.ids import NodeId
from pylightningd.common.wire.peer_wire import ChannelAnnouncement

MAX_PENDING = 20_000
"""A full graph arrives at first start; signatures are checked before anything gets here."""


@dataclass(slots=True)
class Waiting:
    """A message that waits with its channel, and who sent it."""

    raw: bytes
    timestamp: int
    source: int


@dataclass(slots=True)
class Pending:
    """One announcement, its signatures checked."""

    msg: ChannelAnnouncement
    raw: bytes
    source: int
    asked: bool = False
    amount_sat: int | None = None
    """Set once the chain has confirmed it; then it waits for an update."""
    updates: list[Waiting | None] = field(default_factory=lambda: [None, None])
    nodes: dict[NodeId, Waiting] = field(default_factory=dict)

    def node(self, direction: int) -> NodeId:
        """Whose channel_update that direction is."""
        return self.msg.node_id_2 if direction else self.msg.node_id_1


class PendingChannels:
    """All of them, oldest first. Bounded: the oldest is dropped for a new one."""

    def __init__(self, limit: int = MAX_PENDING) -> None:
        self._by_scid: dict[int, Pending] = {}
        self._by_node: dict[NodeId, set[int]] = {}
        self._limit = limit
        self.dropped = 0

    def __contains__(self, scid: int) -> bool:
        return scid in self._by_scid

    def __len__(self) -> int:
        return len(self._by_scid)

    def __iter__(self) -> Iterator[Pending]:
        return iter(list(self._by_scid.values()))

    def get(self, scid: int) -> Pending | None:
        """The one of that channel."""
        return self._by_scid.get(scid)

    def add(self, pending: Pending) -> None:
        """One more."""
        if len(self._by_scid) >= self._limit:
            self.remove(next(iter(self._by_scid)))
            self.dropped += 1
        scid = pending.msg.short_channel_id
        self._by_scid[scid] = pending
        for node_id in (pending.msg.node_id_1, pending.msg.node_id_2):
            self._by_node.setdefault(node_id, set()).add(scid)

    def remove(self, scid: int) -> Pending | None:
        """It waits no more."""
        pending = self._by_scid.pop(scid, None)
        if pending is not None:
            for node_id in (pending.msg.node_id_1, pending.msg.node_id_2):
                self._by_node[node_id].discard(scid)
                if not self._by_node[node_id]:
                    del self._by_node[node_id]
        return pending

    def with_node(self, node_id: NodeId) -> list[Pending]:
        """Those that a node is an end of."""
        return [self._by_scid[s] for s in sorted(self._by_node.get(node_id, ()))]
