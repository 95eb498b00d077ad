"""Counters of what was made, changed and deleted: what command `wait` waits for, and the order of lists.

Each subsystem has three counters that only grow. A row's `created_index` is its id and the counter's value when it was
made, `updated_index` that of its last change; neither is ever used twice. A counter moves with the row: the memory here
follows the savepoints of a turn, and its rows in ``vars`` are written once for each commit, just before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

SUBSYSTEMS = (
    "forwards", "sendpays", "invoices", "htlcs", "chainmoves", "channelmoves", "networkevents",
)  # fmt: skip
INDEXES = ("created", "updated", "deleted")
_TABLES = (
    "forwards", "payments", "invoices", "channel_htlcs", "chain_moves", "channel_moves", "network_events",
)  # fmt: skip
Json = dict[str, Any]


class Result(Protocol):
    """The part of asyncio.Future that is used."""

    def set_result(self, result: Any) -> None: ...
    def done(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Reached:
    """A counter's value, and the row that brought it there; None where it was there already."""

    value: int
    row: Json | None


@dataclass(slots=True)
class _Waiter:
    counter: int
    value: int
    future: Result


@dataclass(slots=True)
class _Event:
    counter: int
    reached: Reached


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a list: `index` is "created" or "updated", `start` the first value wanted."""

    index: str = "created"
    start: int = 0
    limit: int | None = None

    def sql(self, prefix: str = "") -> tuple[str, tuple[int, int]]:
        """Condition, order and limit to put behind ``WHERE ... AND``, with their values."""
        column = f"{prefix}updated_index" if self.index == "updated" else f"{prefix}id"
        # Rows that never changed have updated_index 0, and no place in that order.
        first = min(max(self.start, 1), 2**63 - 1)
        limit = -1 if self.limit is None else self.limit
        return f"{column}>=? ORDER BY {column} LIMIT ?", (first, limit)


EVERYTHING = Window()


class Indexes:
    """The counters of one database. `TurnStore` tells it where transactions and savepoints begin and end."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self._loaded = False
        self._values = [0] * (len(SUBSYSTEMS) * len(INDEXES))
        self._begun: tuple[int, ...] | None = None
        """The values before the first change of this transaction."""
        self._marked: tuple[int, ...] | None = None
        """The values before the first change since the savepoint."""
        self._marked_events = 0
        self._events: list[_Event] = []
        self._waiters: list[_Waiter] = []

    # Counting

    def value(self, subsystem: str, index: str) -> int:
        """Where a counter stands."""
        self._load()
        return self._values[_counter(subsystem, index)]

    def bump(self, subsystem: str, index: str, row: Callable[[], Json]) -> int:
        """Count one more. `row` tells those who wait for it which. Inside a turn; returns the new value."""
        if not self._loaded:
            self._load()
        if self._marked is None:
            self._marked = tuple(self._values)
            self._marked_events = len(self._events)
            if self._begun is None:
                self._begun = self._marked
        counter = _counter(subsystem, index)
        value = self._values[counter] = self._values[counter] + 1
        if self._waiters and any(w.counter == counter and w.value <= value for w in self._waiters):
            self._events.append(_Event(counter, Reached(value, row())))
        return value

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        names = {_name(i): i for i in range(len(self._values))}
        for name, value in self._db.execute_sql(
            "SELECT name, intval FROM vars WHERE name LIKE 'last%index'"
        ).fetchall():
            if name in names:
                self._values[names[name]] = int(value or 0)
        for subsystem, table in zip(SUBSYSTEMS, _TABLES, strict=True):
            newest = self._db.execute_sql(f"SELECT MAX(id) FROM {table}").fetchone()[0]
            created = _counter(subsystem, "created")
            self._values[created] = max(self._values[created], int(newest or 0))

    # Waiting

    def wait(self, subsystem: str, index: str, value: int, future: Result) -> None:
        """Give `future` a `Reached` once the counter is at `value` for good. Outside turns."""
        now = self.value(subsystem, index)
        if now >= value:
            future.set_result(Reached(now, None))
        else:
            self._waiters.append(_Waiter(_counter(subsystem, index), value, future))

    def _wake(self, events: list[_Event]) -> None:
        waiters = [w for w in self._waiters if not w.future.done()]
        for event in events:
            for waiter in waiters:
                if (
                    waiter.counter == event.counter
                    and waiter.value <= event.reached.value
                    and not waiter.future.done()
                ):
                    waiter.future.set_result(event.reached)
        self._waiters = [w for w in waiters if not w.future.done()]

    # What the transaction does

    def savepoint(self) -> None:
        """A function of a turn begins."""
        self._marked = None

    def undo(self) -> None:
        """That function failed."""
        if self._marked is not None:
            self._values = list(self._marked)
            del self._events[self._marked_events :]
            self._marked = None

    def flush(self) -> None:
        """Write what changed; the commit follows."""
        if self._begun is None:
            return
        for counter, (old, new) in enumerate(zip(self._begun, self._values, strict=True)):
            if old != new:
                self._db.execute_sql(
                    "INSERT INTO vars (name, intval) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET intval=excluded.intval",
                    (_name(counter), new),
                )

    def committed(self) -> None:
        """It is on disk: those who waited hear of it."""
        self._begun = self._marked = None
        events, self._events = self._events, []
        if events:
            self._wake(events)

    def rolled_back(self) -> None:
        """Nothing of this transaction came to be."""
        if self._begun is not None:
            self._values = list(self._begun)
        self._begun = self._marked = None
        self._events.clear()


def _counter(subsystem: str, index: str) -> int:
    return _PLACES[subsystem, index]


_PLACES = {
    (subsystem, index): n * len(INDEXES) + m
    for n, subsystem in enumerate(SUBSYSTEMS)
    for m, index in enumerate(INDEXES)
}


def _name(counter: int) -> str:
    """The variable of a counter, as CLN calls it."""
    subsystem, index = divmod(counter, len(INDEXES))
    return f"last_{SUBSYSTEMS[subsystem]}_{INDEXES[index]}_index"
