"""Whatever a peer sends, in whatever order: an opening ends well or badly, once, and never with an exception."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.common.errors import WireError
from pylightningd.common.route_events import BadPeerBytes, FromPeer, RouteClosed
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.openingd_wire import OpeningdDone, OpeningdFailed, OpeningdFunding
from pylightningd.common.wire.runtime import UnknownOdd
from tests.openingd import sides
from tests.openingd.player import Player, converse
from tests.openingd.sides import FUNDING


def _transcript() -> list[bytes]:
    """All messages of a good opening."""
    alice = sides.opener()
    bob = sides.accepter(alice.outbox.pop(0))
    said = [m.encode() for m in (*alice.sent(), *bob.sent())]
    converse(alice, bob)
    alice.master(OpeningdFunding(dbid=7, funding=FUNDING))
    said.append(alice.outbox[0])
    converse(alice, bob)
    return [*said, bob.sent()[-1].encode()]


SAID = _transcript()
OPEN, ACCEPT, CREATED, SIGNED = range(4)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of a good opening with a few bytes changed."""
    raw = bytearray(draw(st.sampled_from(SAID)))
    for _ in range(draw(st.integers(0, 3))):
        raw[draw(st.integers(2, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw)


def feed_bytes(player: Player, raw: bytes) -> None:
    """As the shell does."""
    try:
        msg = peer_wire.decode(raw)
    except WireError as err:
        player.feed(BadPeerBytes(str(err)))
        return
    if not isinstance(msg, UnknownOdd):
        player.feed(FromPeer(msg))


def _check(player: Player) -> None:
    failures = [m for m in player.told() if isinstance(m, OpeningdFailed)]
    stored = [m for m in player.asked() if isinstance(m, OpeningdDone)]
    assert len(failures) + len(stored) == 1
    assert player.machine.opened == bool(stored)


@settings(max_examples=150)
@given(st.lists(damaged(), max_size=4))
def test_opener(messages: list[bytes]) -> None:
    alice = sides.opener()
    for raw in messages:
        feed_bytes(alice, raw)
        if type(alice.machine.phase).__name__ == "Accepted":
            alice.master(OpeningdFunding(dbid=7, funding=FUNDING))
    alice.feed(RouteClosed())
    _check(alice)


@settings(max_examples=150)
@given(st.data())
def test_accepter(data: Any) -> None:
    raw = bytearray(SAID[OPEN])
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(2, len(raw) - 1))] = data.draw(st.integers(0, 255))
    bob = sides.accepter(bytes(raw))
    for message in data.draw(st.lists(damaged(), max_size=3)):
        feed_bytes(bob, message)
    bob.feed(RouteClosed())
    _check(bob)


def test_the_good_order_opens() -> None:
    bob = sides.accepter(SAID[OPEN])
    feed_bytes(bob, SAID[CREATED])
    _check(bob)
    assert bob.machine.opened
    assert bob.sent()[-1].encode() == SAID[SIGNED]
