"""Hook db_write: what plugins see, and what happens when one does not agree."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import BackendError
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db import vars_io
from pylightningd.lightningd.db.connect_io import OpenDatabase, open_database
from pylightningd.lightningd.db.failures import CommitFailed
from pylightningd.lightningd.plugin_host.db_write_io import DbWrite
from pylightningd.lightningd.turn import Turn
from tests.lightningd.plugin_host.harness import Host, running_host, write_plugin

RECORDER = """
MANIFEST["hooks"] = [dict(name="db_write")]
def db_write(params):
    with open({file!r}, "a") as out: out.write(json.dumps(params) + "\\n")
    {extra}
    return dict(result="continue")
METHODS = dict(db_write=db_write)
"""


@asynccontextmanager
async def recorded(tmp_path: Path, *extra: str) -> AsyncIterator[tuple[Host, list[Path]]]:
    """A host with one recording plugin for each line of `extra`, not initialised."""
    async with running_host(tmp_path) as rig:
        files = [tmp_path / f"seen{i}" for i in range(len(extra))]
        for i, line in enumerate(extra):
            rig.host.add(
                write_plugin(
                    tmp_path, f"rec{i}.py", RECORDER.format(file=str(files[i]), extra=line)
                )
            )
        await rig.host.start_all()
        try:
            yield rig, files
        finally:
            await rig.host.shutdown_last()


def opened(tmp_path: Path, rig: Host) -> OpenDatabase:
    log = rig.host.env.log
    return open_database(
        f"sqlite3://{tmp_path}/w.sqlite3", REGTEST, on_write=DbWrite(rig.host, log)
    )


def make_turn(db: OpenDatabase, fatal: list[str]) -> tuple[Turn, list[Any]]:
    ready: list[Any] = []
    turn = Turn(
        db.store,
        schedule=ready.append,
        make_future=Future,
        on_bug=lambda when, error: fatal.append(f"bug {when}: {error}"),
        on_disk_failure=fatal.append,
    )
    return turn, ready


def dump(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    try:
        return list(database.iterdump())
    finally:
        database.close()


def replay(calls: list[dict[str, Any]], path: Path) -> list[str]:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA foreign_keys = ON")
    for call in calls:
        database.execute("BEGIN")
        for statement in call["writes"]:
            database.execute(statement)
        database.execute("COMMIT")
    database.close()
    return dump(path)


def calls_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_replay_of_the_writes_is_the_same_database(tmp_path: Path) -> None:

    async def run() -> None:
        async with recorded(tmp_path, "pass", "log('seen')") as (rig, files):
            db = opened(tmp_path, rig)
            fatal: list[str] = []
            turn, _ = make_turn(db, fatal)

            def fails() -> None:
                vars_io.set_int(db.connection, "undone", 1)
                with db.connection.atomic():
                    vars_io.set_int(db.connection, "undone too", 1)
                raise ValueError("no")

            def half() -> None:
                vars_io.set_int(db.connection, "number", 5)
                vars_io.set_blob(db.connection, "it's bytes", b"\x00\xff'")
                with pytest.raises(KeyError), db.connection.atomic():
                    vars_io.set_int(db.connection, "undone", 1)
                    raise KeyError

            turn.now(half)
            with pytest.raises(ValueError, match="no"):
                turn.now(fails)
            turn.now(lambda: vars_io.get_int(db.connection, "number"))
            db.connection.execute_sql("PRAGMA optimize")
            db.close()
            assert fatal == ["bug in a turn: no"]
            calls = calls_of(files[0])
            assert calls == calls_of(files[1])
            # Before init, from the first table on, and each once.
            assert calls[0]["writes"][0] == "CREATE TABLE version (version INTEGER)"
            assert [c["data_version"] for c in calls] == list(range(1, len(calls) + 1))
            assert "INSERT" in calls[2]["writes"][0] and "5" in calls[2]["writes"][0]
            assert not any("undone" in s for c in calls for s in c["writes"])
            assert replay(calls, tmp_path / "again.sqlite3") == dump(tmp_path / "w.sqlite3")
            await rig.until_log("seen")
            await rig.host.shutdown()
            assert len(rig.host.plugins) == 2, "they see the last write"
            await rig.host.shutdown_last()
            assert not rig.host.plugins

    asyncio.run(run())


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ("if params['data_version'] == 3: return dict(result='no')", "returned failed db_write"),
        ("if params['data_version'] == 3: return dict(x=1)", "returned an invalid result"),
        ("if params['data_version'] == 3: raise ValueError()", "returned an invalid response"),
        ("if params['data_version'] == 3: os._exit(1)", "ended during the db_write hook"),
        (
            "if params['data_version'] == 3: print('rubbish', flush=True)",
            "ended during the db_write hook",
        ),
    ],
)
def test_who_does_not_agree_stops_the_node(tmp_path: Path, extra: str, why: str) -> None:

    async def run() -> None:
        async with recorded(tmp_path, "pass", extra) as (rig, _):
            db = opened(tmp_path, rig)
            fatal: list[str] = []
            turn, _ready = make_turn(db, fatal)
            sent: list[str] = []

            def write() -> None:
                vars_io.set_int(db.connection, "never", 1)
                turn.after_commit(lambda: sent.append("out"))

            with pytest.raises(BackendError, match=why):
                turn.now(write)
            assert len(fatal) == 1 and why in fatal[0]
            assert not sent
            db.close()
            assert not any("never" in line for line in dump(tmp_path / "w.sqlite3"))

    asyncio.run(run())


def test_at_start_a_refusal_leaves_no_tables(tmp_path: Path) -> None:

    async def run() -> None:
        async with recorded(tmp_path, "return dict(result='no')") as (rig, _):
            with pytest.raises(CommitFailed, match="returned failed db_write"):
                opened(tmp_path, rig)
            assert dump(tmp_path / "w.sqlite3") == ["BEGIN TRANSACTION;", "COMMIT;"]

    asyncio.run(run())


def test_much_both_ways_does_not_block(tmp_path: Path) -> None:
    """The plugin writes more than a pipe holds before it reads what is more than a pipe holds."""

    async def run() -> None:
        async with recorded(tmp_path, "log('x' * 500_000)") as (rig, files):
            db = opened(tmp_path, rig)
            turn, _ready = make_turn(db, [])
            turn.now(lambda: vars_io.set_blob(db.connection, "long", bytes(1_000_000)))
            db.close()
            assert len(calls_of(files[0])[-1]["writes"][0]) > 2_000_000

    asyncio.run(run())


def test_without_such_a_plugin_nothing_is_collected(tmp_path: Path) -> None:

    async def run() -> None:
        async with running_host(tmp_path) as rig:
            db = opened(tmp_path, rig)
            turn, _ready = make_turn(db, [])
            collected: list[object] = []
            turn.now(lambda: collected.append(db.connection._writes))
            assert collected == [None]
            db.close()

    asyncio.run(run())
