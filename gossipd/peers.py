"""What goes to each peer: answers to its queries first, then the stream of new gossip, in batches.

A batch is sent only when the one before is on its way, so a slow peer slows nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pylightningd.common import features as ft
from pylightningd.common.ids import NodeId
from pylightningd.gossipd.announcements import GOSSIP_TYPES
from pylightningd.gossipd.store import DELETED, DYING, Store

MAX_BATCH = 100
"""Messages."""
MAX_BATCH_BYTES = 60_000
MAX_SCAN = 1000
"""Records looked at for one batch; most of them may not be for this peer."""
MAX_ANSWERS = 4
"""Queries that may wait for their answers."""
FIRST_OFFSET = 1
_CHANNEL_ANNOUNCEMENT = 256


@dataclass(slots=True)
class Filter:
    """A peer's gossip_timestamp_filter: which relayed gossip it wants."""

    first: int
    end: int
    """Not included."""


@dataclass(slots=True)
class GossipPeer:
    """One connection."""

    connection: int
    node_id: NodeId
    features: bytes
    filter: Filter | None = None
    cursor: int = FIRST_OFFSET
    """Offset in the store up to which its stream has come."""
    flushing: bool = False
    """Its stream goes on until the end of the store."""
    room: bool = True
    """The last batch is on its way."""
    direct: deque[bytes] = field(default_factory=deque)
    answers: deque[Iterator[bytes]] = field(default_factory=deque)

    def offers(self, feature: int) -> bool:
        """Whether its init had a feature."""
        return ft.offers(self.features, feature)

    @property
    def has_work(self) -> bool:
        """Whether there may be something to send."""
        return bool(self.direct or self.answers or (self.flushing and self.filter is not None))

    def set_filter(self, first: int, count: int) -> None:
        """The peer (again) says what it wants: start over from the oldest."""
        # BOLT 7, "The `gossip_timestamp_filter` Message": the filter replaces the previous one, and what we
        # have already counts as well.
        self.filter = Filter(first, first + count)
        self.cursor = FIRST_OFFSET
        self.flushing = count > 0

    def next_batch(self, store: Store, came_from: Callable[[int], int | None]) -> list[bytes]:
        """What to send next; empty where nothing was found (`has_work` tells if it is worth asking again).

        `came_from` tells which connection a record came from, if that is still known.
        """
        batch: list[bytes] = []
        size = 0
        for raw in self._sources(store, came_from):
            batch.append(raw)
            size += len(raw)
            if len(batch) >= MAX_BATCH or size >= MAX_BATCH_BYTES:
                break
        return batch

    def _sources(self, store: Store, came_from: Callable[[int], int | None]) -> Iterator[bytes]:
        while self.direct:
            yield self.direct.popleft()
        while self.answers:
            yield from self.answers[0]
            self.answers.popleft()
        if self.flushing:
            yield from self._stream(store, came_from)

    def _stream(self, store: Store, came_from: Callable[[int], int | None]) -> Iterator[bytes]:
        wanted = self.filter
        for _ in range(MAX_SCAN):
            record = store.record(self.cursor)
            if record is None or wanted is None:
                self.flushing = False
                return
            self.cursor = record.end
            if record.type not in GOSSIP_TYPES or record.flags & DELETED:
                continue
            # BOLT 7, "The `gossip_timestamp_filter` Message": no announcement of a spent channel.
            if record.flags & DYING and record.type == _CHANNEL_ANNOUNCEMENT:
                continue
            if not wanted.first <= record.timestamp < wanted.end:
                continue
            if came_from(record.offset) != self.connection:
                yield record.msg
