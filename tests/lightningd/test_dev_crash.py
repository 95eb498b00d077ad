"""--dev-crash-at: names, counts, and which side of the commit."""

from __future__ import annotations

from functools import partial

import pytest

from pylightningd.common.bus.link import Incoming
from pylightningd.common.wire.closingd_wire import ClosingdGotSignatureReply
from pylightningd.lightningd import dev_crash_io
from pylightningd.lightningd.dev_crash_io import CrashingStore, CrashPoint, name_of


class Dead(Exception):
    """Instead of the process."""


class FakeStore:
    """Counts commits."""

    commits = 0

    def commit(self) -> None:
        """One more."""
        self.commits += 1


@pytest.fixture(autouse=True)
def no_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise Dead

    monkeypatch.setattr(dev_crash_io, "die", die)


def some_work() -> None:
    """Named by its function."""


def test_names() -> None:
    msg = ClosingdGotSignatureReply()
    assert name_of(some_work) == "some_work"
    assert name_of(partial(print, msg)) == "closingd_got_signature_reply"
    incoming = Incoming(None, msg, 0, 0)  # type: ignore[arg-type]
    assert name_of(partial(print, incoming)) == "closingd_got_signature_reply"
    assert name_of(partial(some_work)) == "some_work"
    assert name_of(lambda: 1) == "test_names"


@pytest.mark.parametrize(("text", "commits"), [("a:2", 1), ("before:a:2", 1), ("after:a:2", 2)])
def test_dies_at_the_second(text: str, commits: int) -> None:
    inner = FakeStore()
    point = CrashPoint.parse(text)
    store = CrashingStore(inner, point, lambda _: None)  # type: ignore[arg-type]
    point.passes("a")
    store.commit()
    point.passes("b")
    point.passes("a")
    with pytest.raises(Dead):
        store.commit()
    assert inner.commits == commits


@pytest.mark.parametrize(("text", "commits"), [("before:a@onchaind", 0), ("after:a@onchaind", 1)])
def test_kills_a_daemon_and_goes_on(text: str, commits: int) -> None:
    inner = FakeStore()
    killed: list[tuple[str, int]] = []
    point = CrashPoint.parse(text)
    store = CrashingStore(inner, point, lambda kind: killed.append((kind, inner.commits)))  # type: ignore[arg-type]
    for _ in range(3):
        point.passes("a")
        store.commit()
    assert killed == [("onchaind", commits)]
    assert inner.commits == 3
