"""The turn: one commit, savepoints, outbox after the commit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import BackendError
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db.connect_io import OpenDatabase, open_database
from pylightningd.lightningd.turn import Turn


class Rig:
    """A turn on a real database; the loop is a list."""

    def __init__(self, path: Path) -> None:
        self.db: OpenDatabase = open_database(f"sqlite3://{path}/w.sqlite3", REGTEST)
        self.sql = self.db.connection.execute_sql
        self.ready: list[Callable[[], None]] = []
        self.bugs: list[str] = []
        self.fatal: list[str] = []
        self.sent: list[Any] = []
        self.turn = Turn(
            self.db.store,
            schedule=self.ready.append,
            make_future=Future,
            on_bug=lambda when, error: self.bugs.append(f"{when}: {error}"),
            on_disk_failure=self.fatal.append,
            notify=lambda topic, payload: self.sent.append((topic, payload)),
        )

    def spin(self) -> None:
        while self.ready:
            self.ready.pop(0)()

    def names(self) -> list[str]:
        return [r[0] for r in self.sql("SELECT name FROM vars WHERE name LIKE 't%' ORDER BY name")]

    def put(self, name: str) -> None:
        self.sql("INSERT INTO vars (name) VALUES (?)", (name,))


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    rig = Rig(tmp_path)
    yield rig
    rig.db.close()


def test_all_that_is_ready_shares_one_commit(rig: Rig) -> None:
    futures = [rig.turn.do(lambda i=i: rig.put(f"t{i}")) for i in range(5)]
    assert rig.names() == []
    rig.spin()
    assert rig.turn.turns == 1
    assert rig.names() == [f"t{i}" for i in range(5)]
    assert all(f.done() for f in futures)


def test_a_failure_undoes_only_itself(rig: Rig) -> None:
    memory: list[str] = ["x"]

    def fails() -> None:
        rig.put("t-bad")
        memory.clear()
        rig.turn.on_rollback(lambda: memory.append("x"))
        rig.turn.after_commit(lambda: rig.sent.append("must not"))
        raise ValueError("no")

    good = rig.turn.do(lambda: rig.put("t-good") or 7)
    bad = rig.turn.do(fails)
    rig.turn.submit(fails)
    rig.spin()
    assert good.result(0) == 7
    with pytest.raises(ValueError, match="no"):
        bad.result(0)
    assert rig.names() == ["t-good"]
    assert rig.sent == []
    assert memory == ["x"]
    assert rig.bugs == ["in a turn: no"]


def test_the_outbox_leaves_after_the_commit_and_before_the_result(rig: Rig) -> None:
    class Link:
        def send(self, msg: Any, *, request_id: int = 0) -> None:
            rig.sent.append((msg, rig.db.connection.in_transaction(), future.done()))

        def reply(self, msg: Any) -> None:
            rig.sent.append((msg, rig.db.connection.in_transaction(), future.done()))

    def work() -> None:
        rig.turn.send(Link(), "a")
        rig.turn.reply(Link(), "b")
        rig.turn.notify("topic", {"k": 1})
        assert rig.turn.active
        assert rig.sent == []

    future = rig.turn.do(work)
    rig.spin()
    assert rig.sent == [("a", False, False), ("b", False, False), ("topic", {"k": 1})]
    assert not rig.turn.active


def test_what_a_function_queues_runs_in_the_same_turn(rig: Rig) -> None:
    rig.turn.submit(lambda: rig.turn.submit(lambda: rig.put("t2")))
    rig.spin()
    assert rig.turn.turns == 1
    assert rig.names() == ["t2"]


def test_atomic_inside_a_turn_is_a_savepoint(rig: Rig) -> None:
    def work() -> None:
        try:
            with rig.db.connection.atomic():
                rig.put("t1")
                raise KeyError
        except KeyError:
            rig.put("t2")

    rig.turn.now(work)
    assert rig.names() == ["t2"]


def test_now_returns_and_raises(rig: Rig) -> None:
    assert rig.turn.now(lambda: 3) == 3
    with pytest.raises(KeyError):
        rig.turn.now(lambda: {}["x"])


def test_outbox_outside_a_turn_is_a_bug(rig: Rig) -> None:
    with pytest.raises(RuntimeError, match="outbox"):
        rig.turn.after_commit(lambda: None)


def test_a_failing_effect_is_logged_and_the_rest_goes_out(rig: Rig) -> None:
    def work() -> None:
        rig.turn.after_commit(lambda: 1 / 0)
        rig.turn.after_commit(lambda: rig.sent.append("second"))

    rig.turn.submit(work)
    rig.spin()
    assert rig.sent == ["second"]
    assert rig.bugs == ["after the commit: division by zero"]


def test_a_full_disk_stops_everything_and_sends_nothing(rig: Rig) -> None:
    (pages,) = rig.sql("PRAGMA page_count").fetchone()
    rig.sql(f"PRAGMA max_page_count={pages}")
    undone: list[str] = []

    def big() -> None:
        rig.turn.after_commit(lambda: rig.sent.append("must not"))
        rig.turn.on_rollback(lambda: undone.append("big"))
        rig.sql("INSERT INTO vars (name, blobval) VALUES ('t', ?)", (bytes(1_000_000),))

    first = rig.turn.do(lambda: rig.turn.on_rollback(lambda: undone.append("first")))
    future = rig.turn.do(big)
    rig.spin()
    for f in (first, future):
        with pytest.raises(BackendError, match="disk is full"):
            f.result(0)
    assert len(rig.fatal) == 1
    assert "disk is full" in rig.fatal[0]
    assert rig.sent == []
    assert "first" in undone
    assert rig.names() == []
    later = rig.turn.do(lambda: rig.put("t-later"))
    rig.spin()
    with pytest.raises(BackendError):
        later.result(0)
    assert len(rig.fatal) == 1


def test_after_the_end_nothing_is_taken(rig: Rig) -> None:
    early = rig.turn.do(lambda: rig.put("t-early"))
    rig.turn.close("the node is stopping")
    late = rig.turn.do(lambda: rig.put("t-late"))
    rig.turn.submit(lambda: rig.put("t-late2"))
    rig.spin()
    for future in (early, late):
        with pytest.raises(BackendError, match="stopping"):
            future.result(0)
    assert rig.names() == []
    assert (rig.fatal, rig.bugs) == ([], [])


def test_a_part_that_fails_alone(rig: Rig) -> None:
    """As a watcher of the chain: the rest of the function goes on, of the part nothing is left."""
    memory: list[str] = []

    def change(name: str) -> None:
        memory.append(name)
        rig.turn.on_rollback(lambda: memory.remove(name))
        rig.turn.after_commit(lambda: rig.sent.append(name))

    def work() -> None:
        change("before")
        with pytest.raises(ValueError, match="no"), rig.turn.nested():
            change("part")
            raise ValueError("no")
        with rig.turn.nested():
            change("good part")

    rig.turn.now(work)
    assert memory == rig.sent == ["before", "good part"]

    def fails_later() -> None:
        with rig.turn.nested():
            change("undone with the rest")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rig.turn.now(fails_later)
    assert memory == ["before", "good part"]
