"""A channel that both sides fund, from open_channel2 to channel_ready, with everything that may go wrong on the way."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from pylightningd.common.wire import channeld_wire as cw
from tests.sim.dual import World

BOTH = {"brings": (600_000, 400_000), "coins": (2_000_000, 1_000_000)}
BOB_SIGNS_LAST = {"brings": (600_000, 400_000), "coins": (1_000_000, 2_000_000)}
SAME = {"brings": (500_000, 500_000), "coins": (1_000_000, 1_000_000)}
ALICE_ALONE = {"brings": (600_000, 0), "coins": (1_000_000, 0)}
ZEROCONF = {**BOTH, "minimum_depth": 0}
SETTINGS = {
    "both": BOTH,
    "bob_last": BOB_SIGNS_LAST,
    "same": SAME,
    "alice_alone": ALICE_ALONE,
    "zeroconf": ZEROCONF,
}


def world(kind: str) -> World:
    made = World(**SETTINGS[kind])  # type: ignore[arg-type]
    made.open()
    return made


def transcript(made: World) -> str:
    return "\n".join(made.ladder)


def length(kind: str) -> int:
    made = world(kind)
    made.settle()
    return made.delivered


@pytest.mark.parametrize("kind", SETTINGS)
def test_whole_opening(kind: str) -> None:
    made = world(kind)
    made.settle()
    assert made.check_end() == "open", transcript(made)
    sent = [
        line
        for line in made.ladder
        if line.endswith(("- WIRE_TX_SIGNATURES", "> WIRE_TX_SIGNATURES"))
    ]
    # Who put in less goes first.
    order = [line.split()[0] for line in sent]
    if kind == "bob_last":
        assert order == ["---->", "<----"]
    elif kind != "same":
        assert order == ["<----", "---->"]
    assert len(sent) == 2


@pytest.mark.parametrize("kind", SETTINGS)
def test_cut_after_every_message(kind: str) -> None:
    outcomes = []
    for n in range(length(kind) + 1):
        made = world(kind)
        made.run_until(n)
        made.check()
        made.cut()
        made.check()
        made.reconnect()
        made.settle()
        outcomes.append(made.check_end())
    assert "open" in outcomes
    assert outcomes == sorted(outcomes), "once it is remembered it is finished"


@pytest.mark.parametrize("kind", ["both", "bob_last"])
def test_two_cuts(kind: str) -> None:
    total = length(kind)
    for n, m in product(range(7, total + 1), range(1, 7)):
        made = world(kind)
        made.run_until(n)
        made.cut()
        made.reconnect()
        made.run_until(n + m)
        made.check()
        made.cut()
        made.reconnect()
        made.settle()
        made.check_end()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("kind", ["both", "bob_last", "alice_alone"])
def test_crash_at_every_persist(kind: str, who: int, after: bool) -> None:
    for n in range(3):
        made = world(kind)
        while made.sides[who].peer is None:
            assert made.step_both()
        peer: Any = made.sides[who].peer
        peer.crash_in, peer.crash_after = n, after
        made.settle()
        made.check()
        if made.connected:
            continue  # there are not so many
        made.reconnect()
        made.settle()
        assert made.check_end() == "open", transcript(made)


@pytest.mark.parametrize("kind", ["both", "bob_last", "same"])
@pytest.mark.parametrize("slow", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("cut", [False, True])
def test_signatures_may_take_their_time(kind: str, slow: tuple[int, ...], cut: bool) -> None:
    """openchannel_signed comes when the user likes."""
    made = world(kind)
    for n in slow:
        made.sides[n].signs_at_once = False
    made.settle()
    assert all(s.commitment is not None for s in made.sides)
    if cut:
        made.cut()
        made.reconnect()
        made.settle()
    for n in slow:
        made.sides[n].sign()
        if cut:
            made.cut()
            made.reconnect()
        made.settle()
    assert made.check_end() == "open", transcript(made)


@pytest.mark.parametrize("kind", ["both", "bob_last"])
@pytest.mark.parametrize("who", [0, 1])
def test_aborted_by_the_user_before_it_signs(kind: str, who: int) -> None:
    made = world(kind)
    for side in made.sides:
        side.signs_at_once = False
    made.settle()
    made.sides[who].tell(cw.ChanneldAbortFunding(dbid=1, reason="I changed my mind"))
    made.settle()
    assert made.check_end() == "forgotten", transcript(made)
    reasons = [m.reason for s in made.sides for m in s.failures if isinstance(m, cw.ChanneldFailed)]
    assert "I changed my mind" in reasons
    assert "They sent tx_abort: I changed my mind" in reasons


def test_too_late_to_abort() -> None:
    made = world("both")
    made.settle()
    made.bob.tell(cw.ChanneldAbortFunding(dbid=1, reason="no"))
    made.settle()
    assert made.check_end() == "open"


def test_a_peer_that_aborts_after_our_signatures() -> None:
    """Bob's signatures are out, so whatever Alice says he remembers the channel."""
    made = world("both")
    made.alice.signs_at_once = False
    made.settle()
    assert made.bob.gave
    made.alice.tell(cw.ChanneldAbortFunding(dbid=1, reason="no"))
    made.settle()
    assert made.alice.forgot
    assert made.bob.channel is not None
    assert not made.bob.failures


def test_confirmed_while_signatures_were_lost() -> None:
    """Alice has broadcast; Bob never got her tx_signatures and sees the transaction in a block."""
    made = world("both")
    while made.alice.theirs is None:
        assert made.step_both()
    assert made.bob.theirs is None
    made.cut()
    assert made.bob.peer is not None
    made.bob.peer.master_says(cw.ChanneldFundingDepth(dbid=1, depth=1, short_channel_id=None))
    made.bob.theirs = made.alice.witnesses
    made.reconnect()
    made.settle()
    assert made.check_end() == "open", transcript(made)
