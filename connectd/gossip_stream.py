"""Gossip on its way to one peer: sent when nothing else is, and no more asked for than is leaving. No I/O.

gossipd sends a batch and waits for `gossip_room` before the next, so a slow peer holds back its own
gossip only.
"""

from __future__ import annotations

from collections import deque
from typing import Final

CHUNK_BYTES: Final = 64 << 10
"""Gossip that goes out between two looks at the channels' messages."""
MAX_QUEUED_BYTES: Final = 16 << 20


class GossipStream:
    """What waits for one peer."""

    __slots__ = ("_bytes", "_owed", "_queue")

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._owed = 0
        """Batches for which gossipd was not told that there is room."""

    def __bool__(self) -> bool:
        return bool(self._queue) or self._owed > 0

    def add(self, messages: tuple[bytes, ...]) -> None:
        """Queue a batch. Over the bound the oldest messages are dropped: gossip comes again."""
        self._owed += 1
        self._queue.extend(messages)
        self._bytes += sum(map(len, messages))
        while self._bytes > MAX_QUEUED_BYTES:
            self._bytes -= len(self._queue.popleft())

    def take(self) -> list[bytes]:
        """The next messages, about CHUNK_BYTES of them."""
        out: list[bytes] = []
        size = 0
        while self._queue and size < CHUNK_BYTES:
            raw = self._queue.popleft()
            out.append(raw)
            size += len(raw)
        self._bytes -= size
        return out

    def room(self) -> int:
        """How often to tell gossipd that there is room; call it once the queue is on its way."""
        if self._queue:
            return 0
        owed, self._owed = self._owed, 0
        return owed
