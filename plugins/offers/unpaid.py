"""How many invoices strangers may make us store: a bound, and when one that nobody paid goes again. Pure.

Every request for an invoice writes a row, as CLN's does. Here no more than `MOST` of them are open at a time, whoever
asks, and one that expires unpaid is deleted; so the table cannot grow without money.
"""

from __future__ import annotations

import heapq

MOST = 5000
"""Open invoices of offers; each lives for two hours at most."""


class Unpaid:
    """Labels of invoices of offers that were not paid yet, by when they expire (seconds since 1970)."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, label: str, expires_at: int) -> None:
        """One more, or a new one of the same label."""
        if self._open.get(label) != expires_at:
            self._open[label] = expires_at
            heapq.heappush(self._heap, (expires_at, label))

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
            if self._open.get(label) == expires_at:
                del self._open[label]
                late.append(label)
        return late
