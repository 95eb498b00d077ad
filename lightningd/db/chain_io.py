"""Rows of processed blocks. Writing calls belong to the turn that is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pylightningd.lightningd.chain.block import Header
from pylightningd.lightningd.db.vars_io import set_int


class ChainStore:
    """Reads and writes the table `blocks`."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def max_height(self) -> int | None:
        """The highest block that was processed; None in a new wallet."""
        row = self._db.execute_sql("SELECT max(height) FROM blocks").fetchone()
        return None if row[0] is None else int(row[0])

    def min_height(self) -> int | None:
        """The lowest block that was processed; None in a new wallet."""
        row = self._db.execute_sql("SELECT min(height) FROM blocks").fetchone()
        return None if row[0] is None else int(row[0])

    def hash_at(self, height: int) -> bytes | None:
        """Hash of the processed block of this height."""
        row = self._db.execute_sql("SELECT hash FROM blocks WHERE height = ?", (height,)).fetchone()
        return None if row is None else bytes(row[0])

    def header_at(self, height: int) -> Header | None:
        """The processed block of this height."""
        row = self._db.execute_sql(
            "SELECT hash, prev_hash FROM blocks WHERE height = ?", (height,)
        ).fetchone()
        return None if row is None else Header(height, bytes(row[0]), bytes(row[1]))

    def add(self, header: Header) -> None:
        """Enter a block."""
        self._db.execute_sql(
            "INSERT INTO blocks (height, hash, prev_hash) VALUES (?, ?, ?)",
            (header.height, header.hash, header.prev_hash),
        )
        set_int(self._db, "last_processed_block", header.height)

    def remove_from(self, height: int) -> None:
        """Forget this block and all above it."""
        self._db.execute_sql("DELETE FROM blocks WHERE height >= ?", (height,))
        set_int(self._db, "last_processed_block", height - 1)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Undo the rows of what runs inside if it raises; the exception goes on."""
        self._db.execute_sql("SAVEPOINT chain")
        try:
            yield
        except BaseException:
            self._db.execute_sql("ROLLBACK TO chain")
            self._db.execute_sql("RELEASE chain")
            raise
        self._db.execute_sql("RELEASE chain")
