"""Opening databases: good, locked, newer, foreign, broken, copied."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import peewee
import pytest

from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.lightningd.db import vars_io
from pylightningd.lightningd.db.connect_io import DatabaseError, open_database, parse_dsn
from pylightningd.lightningd.db.failures import CommitFailed
from pylightningd.lightningd.db.migrations import STEPS
from tests.rights import obey_permissions


def dsn(path: Path) -> str:
    return f"sqlite3://{path}/w.sqlite3"


def test_opens_with_the_settings_that_keep_money_safe(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    sql = db.connection.execute_sql
    assert sql("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sql("PRAGMA synchronous").fetchone() == (2,)
    assert sql("PRAGMA foreign_keys").fetchone() == (1,)
    assert sql("SELECT version FROM version").fetchall() == [(len(STEPS),)]
    db.close()
    open_database(dsn(tmp_path), REGTEST).close()


def test_two_users_are_refused(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    with pytest.raises(DatabaseError, match="in use by another lightningd"):
        open_database(dsn(tmp_path), REGTEST)
    db.close()


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    db.connection.execute_sql("UPDATE version SET version = 9999")
    db.close()
    with pytest.raises(DatabaseError, match="version 9999, written by a newer lightningd"):
        open_database(dsn(tmp_path), REGTEST)


def test_another_network_is_refused(tmp_path: Path) -> None:
    open_database(dsn(tmp_path), REGTEST).close()
    with pytest.raises(DatabaseError, match="belongs to regtest, this node runs on bitcoin"):
        open_database(dsn(tmp_path), BITCOIN)


def test_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "w.sqlite3").write_bytes(b"this is a text file" * 100)
    with pytest.raises(DatabaseError, match="not a SQLite database"):
        open_database(dsn(tmp_path), REGTEST)
    assert (tmp_path / "w.sqlite3").read_bytes().startswith(b"this is a text file")


def test_a_foreign_database(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "w.sqlite3")
    other.execute("CREATE TABLE recipes (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(DatabaseError, match="not a wallet"):
        open_database(dsn(tmp_path), REGTEST)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="No such file"):
        open_database(f"sqlite3://{tmp_path}/no/w.sqlite3", REGTEST)


def test_dsn() -> None:
    assert parse_dsn("sqlite3:///a/b:/c/d") == ("/a/b", "/c/d")
    assert parse_dsn("sqlite3:///a/b") == ("/a/b", None)
    with pytest.raises(DatabaseError, match="expected sqlite3://"):
        parse_dsn("mysql://x")


def test_the_copy_follows(tmp_path: Path) -> None:
    open_database(dsn(tmp_path), REGTEST).close()
    db = open_database(f"{dsn(tmp_path)}:{tmp_path}/copy.sqlite3", REGTEST)
    store = db.store
    store.begin()
    store.savepoint()
    vars_io.set_int(db.connection, "kept", 5)
    store.release()
    store.savepoint()
    vars_io.set_blob(db.connection, "undone", b"x")
    store.rollback_to_savepoint()
    store.commit()
    assert vars_io.get_int(db.connection, "kept") == 5
    assert vars_io.get_blob(db.connection, "undone") is None
    # The file alone is enough, as after a lost disk.
    (tmp_path / "alone.sqlite3").write_bytes((tmp_path / "copy.sqlite3").read_bytes())
    copy = sqlite3.connect(tmp_path / "alone.sqlite3")
    rows = copy.execute(
        "SELECT name, intval FROM vars WHERE name != 'genesis_hash' ORDER BY name"
    ).fetchall()
    copy.close()
    db.close()
    assert rows == [("data_version", 3), ("kept", 5)]


@pytest.mark.parametrize("copy", [True, False])
def test_a_statement_for_each_row(tmp_path: Path, copy: bool) -> None:
    db = open_database(dsn(tmp_path) + (f":{tmp_path}/copy.sqlite3" if copy else ""), REGTEST)
    insert = "INSERT INTO vars (name, intval) VALUES (?, ?)"
    db.store.begin()
    db.connection.execute_each(insert, [("one", 1), ("two", 2)])
    db.store.savepoint()
    with pytest.raises(peewee.IntegrityError):
        db.connection.execute_each(insert, [("three", 3), ("one", 4)])
    db.store.rollback_to_savepoint()
    db.store.commit()
    db.close()
    for name in ("w", "copy") if copy else ("w",):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite3")) as file:
            rows = file.execute("SELECT name FROM vars WHERE intval BETWEEN 1 AND 4").fetchall()
        assert {row[0] for row in rows} >= {"one", "two"}
        assert "three" not in {row[0] for row in rows}


def test_the_file_alone_may_hold_every_commit(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    db.connection.keep_file_whole()
    db.store.begin()
    vars_io.set_int(db.connection, "kept", 5)
    db.store.commit()
    taken = tmp_path / "taken.sqlite3"
    taken.write_bytes((tmp_path / "w.sqlite3").read_bytes())
    db.close()
    copy = sqlite3.connect(taken)
    rows = copy.execute("SELECT intval FROM vars WHERE name = 'kept'").fetchall()
    copy.close()
    assert rows == [(5,)]


def _damaged(path: Path) -> None:
    db = open_database(dsn(path), REGTEST)
    with db.connection.atomic():
        for i in range(2000):
            vars_io.set_blob(db.connection, f"blob{i}", bytes(200))
    db.close()
    raw = bytearray((path / "w.sqlite3").read_bytes())
    middle = len(raw) // 2 & ~0xFFF
    raw[middle : middle + 4096] = b"\xaa" * 4096
    (path / "w.sqlite3").write_bytes(raw)


def _truncated(path: Path) -> None:
    open_database(dsn(path), REGTEST).close()
    raw = (path / "w.sqlite3").read_bytes()
    (path / "w.sqlite3").write_bytes(raw[: len(raw) // 2])


def _foreign(path: Path) -> None:
    other = sqlite3.connect(path / "w.sqlite3")
    other.execute("CREATE TABLE recipes (id INTEGER)")
    other.commit()
    other.close()


def _newer(path: Path) -> None:
    db = open_database(dsn(path), REGTEST)
    db.connection.execute_sql("UPDATE version SET version = 9999")
    db.close()


def _text(path: Path) -> None:
    (path / "w.sqlite3").write_bytes(b"this is a text file" * 1000)


def test_tables_of_the_same_version_that_lack_a_column_are_refused(tmp_path: Path) -> None:
    open_database(dsn(tmp_path), REGTEST).close()
    file = sqlite3.connect(tmp_path / "w.sqlite3")
    file.execute("ALTER TABLE channels DROP COLUMN close_cause")
    file.execute("DROP TABLE invoices")
    file.commit()
    rows = file.execute("SELECT * FROM version, vars").fetchall()
    with pytest.raises(
        DatabaseError, match=r"unreleased.*lacks channels\.close_cause, invoices\..*new --wallet"
    ):
        open_database(dsn(tmp_path), REGTEST)
    assert file.execute("SELECT * FROM version, vars").fetchall() == rows
    file.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_damaged, "it is damaged.*left as it is"),
        (_truncated, "it is damaged.*left as it is"),
        (_foreign, "not a wallet"),
        (_newer, "written by a newer"),
        (_text, "not a SQLite database.*left as it is"),
    ],
)
def test_what_is_refused_keeps_every_byte(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path)
    before = (tmp_path / "w.sqlite3").read_bytes()
    with pytest.raises(DatabaseError, match=why):
        open_database(dsn(tmp_path), REGTEST)
    assert (tmp_path / "w.sqlite3").read_bytes() == before
    with pytest.raises(DatabaseError):  # and it is not locked after the refusal
        open_database(dsn(tmp_path), REGTEST)


def test_what_a_crash_left_in_the_log_beside_it_is_seen(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    vars_io.set_int(db.connection, "late", 5)
    for name in ("w.sqlite3", "w.sqlite3-wal"):
        (tmp_path / "crashed").mkdir(exist_ok=True)
        (tmp_path / "crashed" / name).write_bytes((tmp_path / name).read_bytes())
    db.close()
    db = open_database(dsn(tmp_path / "crashed"), REGTEST)
    assert vars_io.get_int(db.connection, "late") == 5
    db.close()


def test_a_new_wallet_is_ours_alone(tmp_path: Path) -> None:
    db = open_database(f"{dsn(tmp_path)}:{tmp_path}/copy.sqlite3", REGTEST)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    db.close()


def test_each_commit_that_writes_is_counted(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    first = db.connection.wallet_version
    assert first is not None
    store = db.store

    def turn(*values: int) -> None:
        store.begin()
        for value in values:
            vars_io.set_int(db.connection, "x", value)
        vars_io.get_int(db.connection, "x")
        store.commit()

    turn(1, 2)
    turn()
    turn(3)
    store.begin()
    vars_io.set_int(db.connection, "x", 9)
    store.rollback()
    assert db.connection.wallet_version == first + 2
    assert vars_io.get_int(db.connection, "data_version") == first + 2
    db.close()
    db = open_database(dsn(tmp_path), REGTEST)
    store = db.store
    turn(4)
    assert db.connection.wallet_version == first + 3
    db.close()


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    db = open_database(dsn(tmp_path), REGTEST)
    db.store.begin()
    vars_io.set_int(db.connection, "x", 1)
    db.store.commit()
    other = sqlite3.connect(tmp_path / "w.sqlite3")
    other.execute("UPDATE vars SET intval=intval+1 WHERE name='data_version'")
    other.commit()
    other.close()
    db.store.begin()
    vars_io.set_int(db.connection, "x", 2)
    with pytest.raises(CommitFailed, match="changed by another program"):
        db.store.commit()
    db.close()


def sqlite_error(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def test_a_failed_write_is_named_though_the_rollback_after_it_failed_too(tmp_path: Path) -> None:
    """SQLite has rolled back by itself then: "no transaction is active" tells nobody that the disk is full."""
    db = open_database(dsn(tmp_path), REGTEST)
    store = db.store
    try:
        try:
            raise sqlite_error(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")
        except sqlite3.OperationalError:
            raise sqlite_error(sqlite3.SQLITE_ERROR, "cannot rollback - no transaction is active")  # noqa: B904
    except sqlite3.OperationalError as error:
        text = store.disk_trouble(error)
    assert text is not None and "input/output error" in text
    assert store.disk_trouble(sqlite_error(sqlite3.SQLITE_CONSTRAINT, "unique")) is None
    db.close()


OPEN = """
import sys
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db.connect_io import DatabaseError, open_database
try:
    open_database(f"sqlite3://{sys.argv[1]}", REGTEST).close()
except DatabaseError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("path", "mode", "said"),
    [
        ("w/x.sqlite3", 0o000, "Permission denied, and this user must read and write it"),
        ("w/x.sqlite3", 0o400, "Permission denied, and this user must read and write it"),
        ("w", 0o500, "nothing may be written in its folder"),
        ("w", 0o000, "Check that the folder exists and that it is yours"),
    ],
)
def test_what_this_user_may_not_touch(tmp_path: Path, path: str, mode: int, said: str) -> None:
    (tmp_path / "w").mkdir()
    database = tmp_path / "w" / "x.sqlite3"
    open_database(f"sqlite3://{database}", REGTEST).close()
    before = database.read_bytes()

    def open_it() -> str:
        return subprocess.run(
            [sys.executable, "-c", OPEN, str(database)],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=obey_permissions,
            cwd=Path(__file__).parents[3],
        ).stdout

    good = (tmp_path / path).stat().st_mode
    (tmp_path / path).chmod(mode)
    try:
        told = open_it()
    finally:
        (tmp_path / path).chmod(good)
    assert said in told
    assert str(database) in told
    assert database.read_bytes() == before
    assert open_it() == ""


def test_a_folder_in_the_place_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(DatabaseError, match="x: Is a directory"):
        open_database(f"sqlite3://{tmp_path}/x", REGTEST)
