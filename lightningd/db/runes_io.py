"""Rows of runes: what was given out, when it was used last, what counts no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredRune:
    """One that we gave out. `used_at_nsec`: when it was allowed something last, since 1970."""

    unique_id: int
    text: str
    used_at_nsec: int | None


Span = tuple[int, int]
"""First and last unique id."""


class RuneStore:
    """Reads and writes runes; writes belong to the turn that is running."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def next_id(self) -> int:
        """The next unique id. Rows are never deleted."""
        row = self._db.execute_sql("SELECT MAX(id) FROM runes").fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def insert(self, unique_id: int, text: str) -> None:
        """One more."""
        self._db.execute_sql("INSERT INTO runes (id, rune) VALUES (?, ?)", (unique_id, text))

    def get(self, unique_id: int) -> StoredRune | None:
        """By unique id."""
        found = self._runes("WHERE id=?", unique_id)
        return found[0] if found else None

    def all(self) -> list[StoredRune]:
        """Every one, oldest first."""
        return self._runes("ORDER BY id")

    def _runes(self, where: str, *values: object) -> list[StoredRune]:
        cursor = self._db.execute_sql(f"SELECT id, rune, last_used_nsec FROM runes {where}", values)
        return [StoredRune(*row) for row in cursor.fetchall()]

    def used(self, unique_id: int, at_nsec: int) -> None:
        """It was allowed something."""
        self._db.execute_sql("UPDATE runes SET last_used_nsec=? WHERE id=?", (at_nsec, unique_id))

    def blacklist(self) -> list[Span]:
        """What counts no more, in order; spans neither touch nor overlap."""
        cursor = self._db.execute_sql(
            "SELECT start_index, end_index FROM runes_blacklist ORDER BY start_index"
        )
        return [(int(row[0]), int(row[1])) for row in cursor.fetchall()]

    def set_blacklist(self, spans: list[Span]) -> None:
        """All of it anew."""
        self._db.execute_sql("DELETE FROM runes_blacklist")
        for span in spans:
            self._db.execute_sql(
                "INSERT INTO runes_blacklist (start_index, end_index) VALUES (?, ?)", span
            )
