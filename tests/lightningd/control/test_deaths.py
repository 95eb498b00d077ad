"""The master dies before or after the commit for one message of a daemon, starts again, and is told what a daemon then says.

In both cases its tables hold in the end what they hold when nobody dies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.wire import channeld_wire as cw
from pylightningd.lightningd.channels.states import ChannelState
from tests.lightningd.channels.rig import (
    Rig,
    got_commitsig,
    got_revoke,
    offered,
    peer_connected,
    reestablished,
    send_part,
    sending_commitsig,
)
from tests.lightningd.control.dying import die_of, doom, tables

FEE = (cw.FeeState(state=4, feerate_perkw=1000), cw.FeeState(state=0, feerate_perkw=2000))
HASH = sha256(b"x" * 32).digest()
Message = Callable[[Rig], Any]


@dataclass(frozen=True)
class Case:
    """A message of channeld, or of connectd, to a node with one channel that is in use."""

    name: str
    message: Message
    again: bool = True
    """Whether the daemon of the next start says the same if nothing of it was on disk; else nobody ever does."""
    begin: Callable[[Rig], object] = lambda rig: rig.ready(1)
    by_connectd: bool = False


def _channel(rig: Rig) -> Any:
    return rig.node.channels.get(1)


def _failed(kind: int) -> Message:
    return lambda rig: cw.ChanneldFailed(
        dbid=1, kind=kind, reason="so it is", remote_point=_channel(rig).remote_current_point
    )


def _fee(make: Callable[[Any], Any]) -> Message:
    return lambda rig: replace(make(_channel(rig)), fees=FEE)


def _offered(rig: Rig) -> cw.ChanneldHtlcOffered:
    (offer,) = rig.node.switch.offers.of_channel(1)
    return offered(_channel(rig), offer.cookie, 0)


def _with_a_part(rig: Rig) -> None:
    send_part(rig, rig.ready(1), HASH)


def _only_connected(rig: Rig) -> None:
    rig.open_channel(1)
    rig.connect(1)


CASES = (
    Case("channeld_sending_commitsig", _fee(sending_commitsig)),
    Case("channeld_got_commitsig", _fee(got_commitsig)),
    Case("channeld_got_revoke", _fee(got_revoke)),
    Case("channeld_failed", _failed(1)),
    Case("channeld_failed", _failed(2)),
    Case("channeld_failed", _failed(3)),
    Case("channeld_failed", _failed(0)),
    Case("channeld_failed", _failed(4)),
    Case("channeld_failed", _failed(5)),
    Case("channeld_reestablished", lambda rig: reestablished(_channel(rig)), begin=_only_connected),
    # Nothing was promised to the peer: the part fails at the next start, and is offered to nobody again.
    Case("channeld_htlc_offered", _offered, again=False, begin=_with_a_part),
    Case(
        "connectd_peer_connected",
        lambda _: peer_connected(1, 1),
        begin=lambda rig: rig.open_channel(1),
        by_connectd=True,
    ),
)


def _tell(rig: Rig, case: Case) -> None:
    says = rig.connectd_says if case.by_connectd else rig.worker_says
    says(case.message(rig))


def _rise(rig: Rig, case: Case) -> None:
    """Start, and let a peer whose channel is still in use come back."""
    rig.restart()
    rig.recover()
    channel = _channel(rig)
    if channel.state is ChannelState.CHANNELD_NORMAL and not case.by_connectd:
        rig.connect(1, 2)
        if case.begin is not _only_connected:
            rig.worker_says(reestablished(channel))


def _end(rig: Rig) -> dict[str, list[tuple[Any, ...]]]:
    rig.restart()
    rig.recover()
    found = tables(rig)
    rig.forgive()
    rig.close()
    return found


def _without_death(path: Path, case: Case) -> dict[str, list[tuple[Any, ...]]]:
    rig = Rig(path)
    case.begin(rig)
    _tell(rig, case)
    return _end(rig)


def _with_death(path: Path, case: Case, when: str) -> dict[str, list[tuple[Any, ...]]]:
    rig = Rig(path)
    case.begin(rig)
    assert die_of(rig, doom(rig, when), lambda: _tell(rig, case))
    _rise(rig, case)
    if when == "before" and case.again:
        _tell(rig, case)
    return _end(rig)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_death_at_one_commit(tmp_path: Path, case: Case, when: str) -> None:
    folders = [tmp_path / "whole", tmp_path / "cut"]
    for folder in folders:
        folder.mkdir()
    expected = _without_death(folders[0], case)
    found = _with_death(folders[1], case, when)
    for name, rows in expected.items():
        assert found[name] == rows, name
