"""The live copy: in the same commit, whatever the instant of the crash; what it cannot take stops the node."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import BackendError
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db import vars_io
from pylightningd.lightningd.db.connect_io import OpenDatabase, open_database
from pylightningd.lightningd.db.failures import CommitFailed
from pylightningd.lightningd.db.replica_io import data_version
from pylightningd.lightningd.turn import Turn

# A node's turns and nothing else. Each answer that leaves a turn is the number of the commit, written after it.
CHILD = """
import os, signal, sys
from concurrent.futures import Future
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db import connect_io, vars_io
from pylightningd.lightningd.db.replica_io import Replica
from pylightningd.lightningd.turn import Turn

folder, point, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
left = [count]
def die_at(name):
    if name == point:
        left[0] -= 1
        if not left[0]: os.kill(os.getpid(), signal.SIGKILL)

class Dying(Replica):
    def execute(self, sql, params=()):
        die_at("before the copy's " + sql.split()[0])
        super().execute(sql, params)
        die_at("after the copy's " + sql.split()[0])
    def check(self):
        die_at("before the commit")
        super().check()
connect_io.Replica = Dying
opened = connect_io.open_database(f"sqlite3://{folder}/w.sqlite3:{folder}/copy.sqlite3", REGTEST)
db = opened.connection
turn = Turn(opened.store, schedule=lambda f: None, make_future=Future, on_bug=print, on_disk_failure=print)
def write():
    vars_io.set_blob(db, "pad", os.urandom(3000))
    turn.after_commit(lambda: os.write(1, b"%d\\n" % db.wallet_version))
for _ in range(1000):
    turn.now(write)
"""


def version_of(path: Path) -> int:
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return data_version(database)
    finally:
        database.close()


def start_child(folder: Path, point: str = "never", count: int = 1) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", CHILD, str(folder), point, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


def check_after_crash(folder: Path, answered: int) -> None:
    """Neither lacks what was answered, and after a start they are one again."""
    here, there = version_of(folder / "w.sqlite3"), version_of(folder / "copy.sqlite3")
    assert answered <= there <= here <= there + 1
    opened = open_database(f"sqlite3://{folder}/w.sqlite3:{folder}/copy.sqlite3", REGTEST)
    opened.close()
    assert version_of(folder / "w.sqlite3") == version_of(folder / "copy.sqlite3") == here


@pytest.mark.parametrize(
    "point",
    [
        "before the copy's BEGIN",
        "after the copy's BEGIN",
        "before the copy's UPDATE",
        "after the copy's UPDATE",
        "before the commit",
        "before the copy's COMMIT",
        "after the copy's COMMIT",
    ],
)
def test_killed_around_the_commit(tmp_path: Path, point: str) -> None:
    child = start_child(tmp_path, point, 4)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, point
    check_after_crash(tmp_path, int(out.split()[-1]))


def test_killed_anywhere(tmp_path: Path) -> None:
    for _ in range(6):
        with start_child(tmp_path) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(7)]
            child.kill()
            lines += child.stdout.readlines()
        check_after_crash(tmp_path, int(lines[-1] if lines[-1].endswith(b"\n") else lines[-2]))


def opened_with(tmp_path: Path, copy: Path) -> OpenDatabase:
    return open_database(f"sqlite3://{tmp_path}/w.sqlite3:{copy}", REGTEST)


def test_a_copy_that_cannot_be_written_is_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(CommitFailed, match="Copy of the wallet at .*no/copy.*: unable to open"):
        opened_with(tmp_path, tmp_path / "no" / "copy.sqlite3")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommitFailed, match="Copy of the wallet at .*folder: "):
        opened_with(tmp_path, tmp_path / "folder")
    text = tmp_path / "text"
    text.write_bytes(b"this is a letter to my mother" * 100)
    with pytest.raises(CommitFailed, match="not a database"):
        opened_with(tmp_path, text)
    assert text.read_bytes().startswith(b"this is a letter")


def test_a_newer_copy_is_not_overwritten(tmp_path: Path) -> None:
    """The database was lost and a new one made, or an old one put there: the copy is all there is."""
    copy = tmp_path / "copy.sqlite3"
    opened = opened_with(tmp_path, copy)
    for i in range(3):
        with opened.connection.atomic():
            vars_io.set_int(opened.connection, "x", i)
    opened.close()
    before = copy.read_bytes()
    for path in tmp_path.glob("w.sqlite3*"):
        path.unlink()
    with pytest.raises(CommitFailed, match="is newer .*copy it over the database"):
        opened_with(tmp_path, copy)
    assert copy.read_bytes() == before
    for path in tmp_path.glob("w.sqlite3*"):
        path.unlink()
    (tmp_path / "w.sqlite3").write_bytes(before)
    opened = opened_with(tmp_path, copy)
    assert vars_io.get_int(opened.connection, "x") == 2
    opened.close()


def test_a_foreign_database_is_not_overwritten(tmp_path: Path) -> None:
    copy = tmp_path / "recipes.sqlite3"
    other = sqlite3.connect(copy)
    other.execute("CREATE TABLE recipes (id INTEGER)")
    other.commit()
    other.close()
    before = copy.read_bytes()
    with pytest.raises(CommitFailed, match="no wallet"):
        opened_with(tmp_path, copy)
    assert copy.read_bytes() == before


def _full(opened: OpenDatabase, _copy: Path) -> None:
    replica: Any = opened.connection._replica
    pages = replica._connection.execute("PRAGMA page_count").fetchone()[0]
    replica._connection.execute(f"PRAGMA max_page_count={pages}")


def _removed(_opened: OpenDatabase, copy: Path) -> None:
    copy.unlink()


def _replaced(_opened: OpenDatabase, copy: Path) -> None:
    os.replace(copy, copy.with_suffix(".old"))
    copy.write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "why"),
    [(_full, "is full"), (_removed, "No such file"), (_replaced, "another file is in its place")],
)
def test_a_copy_that_fails_stops_the_node(
    tmp_path: Path, harm: Callable[[OpenDatabase, Path], None], why: str
) -> None:
    copy = tmp_path / "copy.sqlite3"
    opened = opened_with(tmp_path, copy)
    fatal: list[str] = []
    sent: list[int] = []
    turn = Turn(
        opened.store,
        schedule=lambda _fn: None,
        make_future=lambda: None,  # type: ignore[arg-type,return-value]  # nobody waits
        on_bug=lambda when, error: fatal.append(f"{when}: {error}"),
        on_disk_failure=fatal.append,
    )

    def write() -> None:
        turn.after_commit(lambda: sent.append(1))
        try:
            vars_io.set_blob(opened.connection, "x", bytes(100_000))
        except BackendError:
            pass  # code that takes no notice does not make it unseen

    harm(opened, copy)
    with pytest.raises(BackendError, match=f"Cannot write the copy of the wallet.*{why}"):
        turn.now(write)
    assert not sent
    assert len(fatal) == 1 and why in fatal[0]
    assert vars_io.get_blob(opened.connection, "x") is None
    opened.close()
