"""Opening the wallet database: where it is, who may use it, which version it has.

`--wallet=sqlite3:///path/file.sqlite3`; a second path after a colon keeps a live copy: every statement that
writes is run on both, so that the copy is never behind by more than the transaction in progress.

Not here: tables (`models.py`), steps between versions (`migrations/`), transactions (`turn.py`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import peewee

from pylightningd.common.errors import BackendError
from pylightningd.common.network import Network
from pylightningd.lightningd.db import migrations
from pylightningd.lightningd.db.failures import CommitFailed
from pylightningd.lightningd.db.indexes_io import Indexes
from pylightningd.lightningd.db.replica_io import Replica, data_version
from pylightningd.lightningd.db.write_log_io import OnWrite, WriteLog

DSN_PREFIX = "sqlite3://"
_DISK_ERRORS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error",
    sqlite3.SQLITE_READONLY: "it can no longer be written",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
}
_READS = ("SELECT", "PRAGMA", "EXPLAIN")
_U32 = 0xFFFFFFFF
_CHECK_WHOLE = 100 << 20
"""Bytes up to which a database is checked as a whole at start."""


class DatabaseError(BackendError):
    """The database cannot be used; the text tells the user why and what to do."""


class WalletDatabase(peewee.SqliteDatabase):
    """SQLite through peewee: counts the commits that write, keeps the copy in step, asks hook `db_write`."""

    def __init__(
        self, path: str, replica_path: str | None = None, on_write: OnWrite | None = None
    ) -> None:
        # No statement waits: nobody else writes, and a reader cannot block us in WAL mode.
        super().__init__(
            path,
            pragmas=[
                ("journal_mode", "wal"),
                ("synchronous", "full"),
                ("foreign_keys", 1),
                ("busy_timeout", 5000),
            ],
            thread_safe=False,
            cached_statements=512,
        )
        self.path = path
        self.replica_path = replica_path
        self.indexes = Indexes(self)
        self.wallet_version: int | None = None
        """How many transactions have written to this wallet. None until there are tables."""
        self._on_write = on_write
        self._writes: WriteLog | None = None
        self._changes = 0
        self._replica: Replica | None = None

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> sqlite3.Cursor:
        """Run a statement, and on the copy too if it writes."""
        writes, replica = self._writes, self._replica
        try:
            # Not peewee's own execute_sql: what it does besides costs more than most statements.
            cursor: sqlite3.Cursor = self.connection().execute(sql, params or ())  # type: ignore[no-untyped-call]  # peewee's stub
        except sqlite3.Error as error:
            _raise_as_peewee(error)
        if writes is not None:
            writes.done(sql, params)
        if replica is not None and not sql.lstrip().upper().startswith(_READS):
            replica.execute(sql, params or ())
        return cursor

    def execute_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement that writes once for each row of parameters."""
        if self._writes is not None or self._replica is not None:
            for row in rows:
                self.execute_sql(sql, row)
            return
        try:
            self.connection().executemany(sql, rows)  # type: ignore[no-untyped-call]  # peewee's stub
        except sqlite3.Error as error:
            _raise_as_peewee(error)

    def begin(self, lock_type: str | None = None) -> None:
        """Begin a transaction."""
        connection = self.connection()  # type: ignore[no-untyped-call]  # peewee's stub
        if self._on_write is not None and self._on_write.wanted():
            self._writes = WriteLog()
        super().begin(lock_type)
        self._changes = connection.total_changes
        if self._replica is not None:
            self._replica.execute("BEGIN IMMEDIATE")

    def commit(self) -> Any:
        """Commit, the copy last. Raises CommitFailed where a plugin refuses or the copy cannot be written."""
        connection = self.connection()  # type: ignore[no-untyped-call]  # peewee's stub
        version = self.wallet_version
        if connection.total_changes != self._changes:
            version = self._count_version(connection)
            if self._writes is not None and self._on_write is not None and version is not None:
                self._on_write.ask(version & _U32, self._writes.statements)
        if self._replica is not None:
            self._replica.check()
        done = super().commit()
        self.wallet_version = version
        if self._replica is not None:
            self._replica.commit()
        self._writes = None
        return done

    def _count_version(self, connection: sqlite3.Connection) -> int | None:
        """One more commit that writes. Raises CommitFailed where somebody else has written."""
        if self.wallet_version is None:
            if self._no_table("vars"):
                return None
            self.execute_sql("INSERT OR IGNORE INTO vars (name, intval) VALUES ('data_version', 0)")
            self.wallet_version = data_version(connection)
        version = self.wallet_version + 1
        done = self.execute_sql(
            "UPDATE vars SET intval=? WHERE name='data_version' AND intval=?",
            (version, self.wallet_version),
        )
        if done.rowcount != 1:
            raise CommitFailed(
                f"The wallet database {self.path} was changed by another program while the node used it. "
                "The node stops: going on could lose funds."
            )
        return version

    def _no_table(self, name: str) -> bool:
        sql = "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?"
        return self.execute_sql(sql, (name,)).fetchone() is None

    def rollback(self) -> Any:
        """Undo both."""
        done = super().rollback()
        if self._replica is not None:
            self._replica.rollback()
        self._writes = None
        return done

    def start_replica(self) -> None:
        """Bring the copy level with the database. From here on both get every write. Raises CommitFailed."""
        if self.replica_path is None:
            return
        replica = Replica(self.replica_path, self.path)
        replica.start(self.connection())  # type: ignore[no-untyped-call]  # peewee's stub
        self._replica = replica

    def keep_file_whole(self) -> None:
        """From here on the file alone holds every commit: for those who copy it while we run. Costs two more syncs."""
        self.execute_sql("PRAGMA wal_autocheckpoint=1")
        self.execute_sql("PRAGMA wal_checkpoint")

    def close(self) -> Any:
        """Close both."""
        if self._replica is not None:
            self._replica.close()
            self._replica = None
        return super().close()


def _raise_as_peewee(error: sqlite3.Error) -> NoReturn:
    """Raise what peewee makes of an error of SQLite."""
    with peewee.__exception_wrapper__:  # type: ignore[attr-defined]  # not in the stub
        raise error


class TurnStore:
    """The transaction calls that `turn.py` makes."""

    def __init__(self, database: WalletDatabase) -> None:
        self._database = database
        self._transaction: Any = None

    def begin(self) -> None:
        """Start the transaction. `atomic()` inside it makes savepoints."""
        self._transaction = self._database.transaction("IMMEDIATE")
        self._transaction.__enter__()

    def commit(self) -> None:
        """Make it durable."""
        self._database.indexes.flush()
        transaction, self._transaction = self._transaction, None
        transaction.__exit__(None, None, None)
        self._database.indexes.committed()

    def rollback(self) -> None:
        """Undo whatever is open."""
        self._database.indexes.rolled_back()
        transaction, self._transaction = self._transaction, None
        if transaction is not None and self._database.in_transaction():
            try:
                transaction.__exit__(BaseException, None, None)
            except peewee.DatabaseError:
                pass  # SQLite rolls back by itself when the disk is full

    def savepoint(self) -> None:
        """Mark the place to come back to."""
        self._database.execute_sql("SAVEPOINT turn")
        self._database.indexes.savepoint()

    def release(self) -> None:
        """Keep what came after the mark."""
        self._database.execute_sql("RELEASE turn")

    def rollback_to_savepoint(self) -> None:
        """Undo what came after the mark."""
        self._database.indexes.undo()
        self._database.execute_sql("ROLLBACK TO turn")
        self._database.execute_sql("RELEASE turn")

    def disk_trouble(self, error: BaseException) -> str | None:
        """The text for the user if the disk or the file is at fault, or the commit was refused."""
        if isinstance(error, CommitFailed):
            return str(error)
        code = _sqlite_code(error)
        reason = _DISK_ERRORS.get(code & 0xFF) if code is not None else None
        if reason is None:
            return None
        return (
            f"Cannot write the wallet database {self._database.path}: {reason}. The node stops before "
            "anything is lost; make room or mend the disk, and start it again."
        )


class OpenDatabase:
    """An open wallet: its connection and the lock that keeps others out."""

    def __init__(self, database: WalletDatabase, lock_fd: int) -> None:
        self.connection = database
        self.store = TurnStore(database)
        self._lock_fd = lock_fd

    def close(self) -> None:
        """Close the database and let others in."""
        self.connection.close()
        os.close(self._lock_fd)


def parse_dsn(dsn: str) -> tuple[str, str | None]:
    """Split ``sqlite3://path[:copy]``. Raises DatabaseError."""
    if not dsn.startswith(DSN_PREFIX):
        raise DatabaseError(
            f"--wallet: '{dsn}' is not a database this node can use: "
            "expected sqlite3://<path>[:<path of a copy>], for example sqlite3:///home/me/ln.sqlite3"
        )
    path, _, replica = dsn[len(DSN_PREFIX) :].partition(":")
    if not path:
        raise DatabaseError("--wallet: the path after sqlite3:// is empty")
    return os.path.expanduser(path), os.path.expanduser(replica) if replica else None


def open_database(
    dsn: str, network: Network, *, allow_upgrade: bool = True, on_write: OnWrite | None = None
) -> OpenDatabase:
    """Open or make the wallet database and bring its tables to our version. Raises DatabaseError or CommitFailed."""
    path, replica_path = parse_dsn(dsn)
    lock_fd = _lock(path)
    database = WalletDatabase(path, replica_path, on_write)
    try:
        _check_rights(path)
        _look_first(path, network)
        _make_private(path)
        _open_checked(database, network, allow_upgrade)
        database.start_replica()
    except BaseException:
        database.close()
        os.close(lock_fd)
        raise
    return OpenDatabase(database, lock_fd)


def _check_rights(path: str) -> None:
    """Refuse what this user may not read and write, the folder too: SQLite would say so late, and of anything. Raises DatabaseError."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DatabaseError(
            _unusable(path, f"nothing may be written in its folder {folder} by this user")
        )
    if not os.path.exists(path):
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise DatabaseError(
            _unusable(path, f"{error.strerror}, and this user must read and write it")
        ) from error


def _look_first(path: str, network: Network) -> None:
    """Refuse a file that is no wallet of ours, or is damaged, before a single byte of it changes. Raises DatabaseError."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return
    try:
        with closing(
            sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        ) as file:
            reader = _Reader(file)
            version = migrations.current_version(reader)
            migrations.check_version(version)
            if version:
                _check_network(reader, path, network)
            if version == len(migrations.STEPS):
                _check_columns(reader, path)
            if os.path.getsize(path) <= _CHECK_WHOLE:
                found = file.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise DatabaseError(_unusable(path, f"it is damaged: {found.splitlines()[-1]}"))
    except migrations.MigrationError as error:
        raise DatabaseError(f"Wallet database {path}: {error}") from error
    except sqlite3.Error as error:
        raise DatabaseError(_unusable(path, _reason(error))) from error


class _Reader:
    """A plain connection with the one method that checks need."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute_sql(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a query."""
        return self._connection.execute(sql, params)


def _reason(error: BaseException) -> str:
    code = _sqlite_code(error)
    return (_DISK_ERRORS.get(code & 0xFF) if code is not None else None) or str(error)


def _unusable(path: str, reason: str) -> str:
    return f"Cannot open the wallet database {path}: {reason}. It was left as it is."


def _open_checked(database: WalletDatabase, network: Network, allow_upgrade: bool) -> None:
    # Importing the models takes a while; nothing needs them before a database is opened.
    from pylightningd.lightningd.db import models

    try:
        database.connect()
        database.execute_sql("SELECT count(*) FROM sqlite_master").fetchone()
        models.bind(database)
        migrations.migrate(database, allow_upgrade=allow_upgrade)
        _note_network(database, network)
    except migrations.MigrationError as error:
        raise DatabaseError(f"Wallet database {database.path}: {error}") from error
    except (peewee.DatabaseError, sqlite3.Error) as error:
        raise DatabaseError(_unusable(database.path, _reason(error))) from error


def _check_columns(reader: _Reader, path: str) -> None:
    """Refuse tables that lack what the models have: the version does not tell where both are of before a release.

    Raises DatabaseError. Late it would be an error in the middle of a turn.
    """
    from pylightningd.lightningd.db import models

    missing: list[str] = []
    for table in models.all_tables():
        meta = table._meta
        there = {row[1] for row in reader.execute_sql(f"PRAGMA table_info({meta.table_name})")}
        wanted = {field.column_name for field in meta.sorted_fields}
        missing += [f"{meta.table_name}.{column}" for column in sorted(wanted - there)]
    if missing:
        more = ", ..." if len(missing) > 5 else ""
        raise DatabaseError(
            f"The wallet database {path} was made by an unreleased lightningd that is no longer "
            f"compatible; it lacks {', '.join(missing[:5])}{more}. Nothing was changed: use the lightningd "
            "that made it, close its channels and move its coins, and begin with a new --wallet."
        )


def _make_private(path: str) -> None:
    """A new database is nobody else's to read. One that exists keeps the rights its owner gave it."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseError(f"Cannot make the wallet database {path}: {error.strerror}") from error


def _lock(path: str) -> int:
    """Keep a second node away from this database, also one with another lightning-dir."""
    # A lock on the database file itself would be lost: SQLite's own locks go with any close() of it.
    try:
        fd = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(
            f"Cannot open the wallet database {path}: {error.strerror}. "
            "Check that the folder exists and that it is yours."
        ) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise DatabaseError(
            f"The wallet database {path} is in use by another lightningd. "
            "Two nodes with one wallet lose money: stop the other one first."
        ) from None
    return fd


_GENESIS = "SELECT blobval FROM vars WHERE name = 'genesis_hash'"


def _note_network(database: WalletDatabase, network: Network) -> None:
    """A new wallet belongs to this chain from now on."""
    if database.execute_sql(_GENESIS).fetchone() is None:
        with database.atomic():
            database.execute_sql(
                "INSERT INTO vars (name, blobval) VALUES ('genesis_hash', ?)", (network.chain_hash,)
            )


def _check_network(reader: _Reader, path: str, network: Network) -> None:
    """Refuse a wallet of another chain."""
    row = reader.execute_sql(_GENESIS).fetchone()
    if row is None or bytes(row[0]) == network.chain_hash:
        return
    from pylightningd.common.network import network_by_chain_hash

    other = network_by_chain_hash(bytes(row[0]))
    raise DatabaseError(
        f"Wallet blockchain hash does not match network blockchain hash: the wallet database "
        f"{path} belongs to {other.name if other else bytes(row[0])[::-1].hex()}, "
        f"this node runs on {network.name}. Give another --wallet or --lightning-dir, or --network="
        f"{other.name if other else '...'}."
    )


def _sqlite_code(error: BaseException | None) -> int | None:
    """SQLite's number for an error, also where peewee has wrapped it.

    After a failed write SQLite has rolled back by itself; a rollback that then fails as well is not what is wrong.
    """
    first: int | None = None
    while error is not None:
        code = getattr(error, "sqlite_errorcode", None)
        if not isinstance(code, int):
            operational = isinstance(error, sqlite3.OperationalError | peewee.OperationalError)
            full = operational and "disk is full" in str(error)
            code = sqlite3.SQLITE_FULL if full else None
        if code is not None and code & 0xFF in _DISK_ERRORS:
            return code
        first = code if first is None else first
        error = error.__cause__ or error.__context__
    return first
