"""Opening databases: good, locked, newer, foreign, broken, copied."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.lightningd.db import vars_io
from pylightningd.lightningd.db.connect_io import DatabaseError, open_database, parse_dsn
from pylightningd.lightningd.db.migrations import STEPS


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
