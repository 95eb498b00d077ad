"""Named single values: table `vars`."""

from __future__ import annotations

from typing import Any


def get_int(database: Any, name: str, default: int = 0) -> int:
    """The number of that name."""
    row = database.execute_sql("SELECT intval FROM vars WHERE name = ?", (name,)).fetchone()
    return default if row is None or row[0] is None else int(row[0])


def set_int(database: Any, name: str, value: int) -> None:
    """Store a number under a name. Call inside a turn."""
    database.execute_sql(
        "INSERT INTO vars (name, intval) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET intval = excluded.intval",
        (name, value),
    )


def get_blob(database: Any, name: str) -> bytes | None:
    """The bytes of that name."""
    row = database.execute_sql("SELECT blobval FROM vars WHERE name = ?", (name,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def set_blob(database: Any, name: str, value: bytes) -> None:
    """Store bytes under a name. Call inside a turn."""
    database.execute_sql(
        "INSERT INTO vars (name, blobval) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET blobval = excluded.blobval",
        (name, value),
    )
