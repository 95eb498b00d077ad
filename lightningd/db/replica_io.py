"""The live copy of the wallet (``--wallet=sqlite3://path:copy``): a second file that gets every statement and commit.

The database commits first, then the copy, and only then anything leaves the node. So the copy lacks at most a
turn that nobody has heard of, and whoever goes on from it after the disk is lost loses nothing. What the copy cannot
take stops the node: a copy that stays behind without a word is worse than none.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any

from pylightningd.lightningd.db.failures import CommitFailed


class Replica:
    """An open copy, in the same state as the database."""

    def __init__(self, path: str, database_path: str) -> None:
        self.path = path
        self._database_path = database_path
        self._connection: sqlite3.Connection | None = None
        self._failed: CommitFailed | None = None
        self._inode: tuple[int, int] | None = None

    def start(self, database: sqlite3.Connection) -> None:
        """Bring the copy level with the database. Raises CommitFailed, and has then changed nothing."""
        try:
            connection = self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._check_not_newer(connection, data_version(database))
            os.chmod(self.path, 0o600)
            database.backup(connection)
            connection.execute("PRAGMA journal_mode=wal")
            connection.execute("PRAGMA synchronous=full")
            connection.execute("PRAGMA foreign_keys=1")
            # Who restores from it takes the file, not the log beside it: each commit goes into the file at once.
            connection.execute("PRAGMA wal_autocheckpoint=1")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._inode = self._identity()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise CommitFailed(f"Copy of the wallet at {self.path}: {error}") from error
        except CommitFailed:
            self.close()
            raise

    def _check_not_newer(self, connection: sqlite3.Connection, version: int) -> None:
        """Never overwrite what may be all that is left of the wallet."""
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if tables and "vars" not in tables:
            raise CommitFailed(
                f"Copy of the wallet at {self.path}: there is a database that is no wallet. It was left as it is."
            )
        theirs = data_version(connection) if tables else 0
        if theirs > version:
            raise CommitFailed(
                f"The copy of the wallet at {self.path} is newer (data version {theirs}) than the database "
                f"{self._database_path} (data version {version}): was that lost, or taken from an old backup? The "
                "copy was left as it is. To go on from it, copy it over the database while no node runs; "
                "to throw it away, remove it."
            )

    def _identity(self) -> tuple[int, int]:
        status = os.stat(self.path)
        return status.st_dev, status.st_ino

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run here what was run on the database. Raises CommitFailed, from then on at each commit, too."""
        try:
            self._connect().execute(sql, params)
        except sqlite3.Error as error:
            raise self._fail(str(error)) from error

    def check(self) -> None:
        """Raise CommitFailed unless a commit now would reach the file."""
        if self._failed is not None:
            raise self._failed
        try:
            there = self._identity() == self._inode
        except OSError as error:
            raise self._fail(str(error.strerror)) from error
        if not there:
            raise self._fail("another file is in its place")

    def commit(self) -> None:
        """After the database's own commit."""
        if self._connect().in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what is open."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self._fail(str(error))

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            raise self._failed or CommitFailed(f"The copy of the wallet at {self.path} is closed")
        return self._connection

    def _fail(self, reason: str) -> CommitFailed:
        # What fails first counts: it makes everything after it fail, too.
        self._failed = self._failed or CommitFailed(
            f"Cannot write the copy of the wallet at {self.path}: {reason}. The node stops before the copy falls "
            "behind; make room or mend the disk, or start without the copy."
        )
        return self._failed


def data_version(connection: sqlite3.Connection) -> int:
    """How many turns have written to a wallet; 0 where it does not say."""
    try:
        row = connection.execute("SELECT intval FROM vars WHERE name='data_version'").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(row[0]) if row is not None and row[0] is not None else 0
