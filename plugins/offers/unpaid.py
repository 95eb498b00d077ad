"""How many invoices strangers may make us store: a bound, and when one that nobody paid goes again. Pure.

Every request for an invoice writes a row, as CLN's does. Here no more than about `MOST` of them are open at a time,
whoever asks: one that expires unpaid is deleted, and when there are too many, others are, by lot. So the table cannot
grow without money, and who fills it keeps nobody out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection
from typing import NamedTuple

MOST = 5000
"""Open invoices of offers; each lives for two hours at most."""


class _Open(NamedTuple):
    expires_at: int
    payment_hash: str


class Unpaid:
    """Labels of invoices of offers that were not paid yet, by when they expire (seconds since 1970)."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._open: dict[str, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, label: str, expires_at: int, payment_hash: str) -> None:
        """One more, or a new one of the same label."""
        new = _Open(expires_at, payment_hash)
        if self._open.get(label) == new:
            return
        self._open[label] = new
        heapq.heappush(self._heap, (expires_at, label))
        if len(self._heap) > 2 * max(MOST, len(self._open)):
            self._heap = [(one.expires_at, label) for label, one in self._open.items()]
            heapq.heapify(self._heap)

    def paid(self, label: str) -> None:
        """One less."""
        self._open.pop(label, None)

    def has_room(self, label: str) -> bool:
        """Whether an invoice of that label may be made (or is there already)."""
        return label in self._open or len(self._open) < MOST

    def take_expired(self, now: int) -> list[str]:
        """Those that are past their time and still unpaid; they are forgotten here."""
        late: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            expires_at, label = heapq.heappop(self._heap)
            known = self._open.get(label)
            if known is not None and known.expires_at == expires_at:
                del self._open[label]
                late.append(label)
        return late

    def take_random(
        self, count: int, below: Callable[[int], int], held: Collection[str]
    ) -> list[str]:
        """So many by lot, which are forgotten here; none whose payment_hash is in `held`, for somebody is paying it."""
        free = [label for label, one in self._open.items() if one.payment_hash not in held]
        taken: list[str] = []
        while free and len(taken) < count:
            place = below(len(free))
            free[place], free[-1] = free[-1], free[place]
            taken.append(free.pop())
            del self._open[taken[-1]]
        return taken
