"""Rows of the datastore. A key is a tuple of texts; a key that has data has no children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `generation` counts the changes."""

    key: Key
    data: bytes
    generation: int

    @property
    def bytes_used(self) -> int:
        """Data and key, with the key's separators."""
        return len(self.data) + len(_join(self.key))


def _join(key: Key) -> bytes:
    return b"\0".join(part.encode() for part in key)


def get(database: Any, key: Key) -> Entry | None:
    """The row of exactly this key."""
    row = database.execute_sql(
        "SELECT data, generation FROM datastore WHERE key = ?", (_join(key),)
    ).fetchone()
    return None if row is None else Entry(key, bytes(row[0]), row[1])


def below(database: Any, key: Key) -> Iterator[Entry]:
    """The row of this key and all below it, parents first. The empty key means all."""
    query, params = "SELECT key, data, generation FROM datastore", ()
    if key:
        low = _join(key)
        query += " WHERE key = ? OR (key > ? AND key < ?)"
        params = (low, low + b"\0", low + b"\1")  # type: ignore[assignment]
    for raw, data, generation in database.execute_sql(query + " ORDER BY key", params).fetchall():
        yield Entry(tuple(p.decode() for p in bytes(raw).split(b"\0")), bytes(data), generation)


def put(database: Any, entry: Entry) -> None:
    """Write a row. Call inside a turn."""
    database.execute_sql(
        "INSERT INTO datastore (key, data, generation) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET data = excluded.data, generation = excluded.generation",
        (_join(entry.key), entry.data, entry.generation),
    )


def delete(database: Any, key: Key) -> None:
    """Remove a row. Call inside a turn."""
    database.execute_sql("DELETE FROM datastore WHERE key = ?", (_join(key),))
