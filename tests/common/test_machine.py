"""The driver: order of events, replies, and what remains of a failed step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pylightningd.common.effects import (
    Ask,
    AskBoth,
    Disconnect,
    Effect,
    Log,
    SendPeer,
    SetTimer,
    Step,
    ask_both,
    ask_hsmd,
    ask_master,
)
from pylightningd.common.errors import PeerError, WarnPeer
from pylightningd.common.machine import DriverBroken, MachineDriver, NotWaiting, Outcome, QueueFull
from pylightningd.common.wire.bus_wire import BusShutdown
from pylightningd.common.wire.hsmd_wire import (
    HsmdEcdh,
    HsmdEcdhReply,
    HsmdSignMessage,
    HsmdSignMessageReply,
)

ECDH = HsmdEcdh(points=())
SIGN = HsmdSignMessage(message=b"")
SIGNED = HsmdSignMessageReply(signature=bytes(65))
SEND = SendPeer(BusShutdown())


class Scripted:
    """Handlers by name of the event."""

    def __init__(self, **handlers: Callable[[], Outcome]) -> None:
        self.handlers = handlers
        self.seen: list[str] = []

    def handle(self, event: str) -> Outcome:
        self.seen.append(event)
        return self.handlers[event]()

    def on_peer_error(self, err: PeerError) -> Outcome:
        return [Log("unusual", str(err)), Disconnect()]


def asking() -> Step[None]:
    yield SetTimer("t", 1)
    reply = yield from ask_hsmd(ECDH)
    assert isinstance(reply, HsmdEcdhReply)
    yield SEND


def nothing() -> None:
    return None


def test_effects_before_a_question_come_with_it() -> None:
    driver = MachineDriver(Scripted(a=asking))
    assert driver.feed("a") == [SetTimer("t", 1), Ask("hsmd", ECDH)]
    assert driver.waiting == Ask("hsmd", ECDH)
    assert driver.resume(HsmdEcdhReply(secrets=())) == [SEND]
    assert driver.waiting is None


def test_events_wait_behind_a_question_and_replay_in_order() -> None:
    machine = Scripted(a=asking, b=lambda: [Log("debug", "b")], c=asking, d=nothing)
    driver = MachineDriver(machine)
    driver.feed("a")
    for event in "bcd":
        assert driver.feed(event) == []
    assert machine.seen == ["a"]
    effects = driver.resume(HsmdEcdhReply(secrets=()))
    assert effects == [SEND, Log("debug", "b"), SetTimer("t", 1), Ask("hsmd", ECDH)]
    assert (machine.seen, driver.queued) == (["a", "b", "c"], 1)
    assert driver.resume(HsmdEcdhReply(secrets=())) == [SEND]
    assert machine.seen == ["a", "b", "c", "d"]


def test_both_are_asked_at_once() -> None:
    got: list[object] = []

    def both() -> Step[None]:
        got.extend((yield from ask_both(ECDH, SIGN)))

    driver = MachineDriver(Scripted(a=both))
    assert driver.feed("a") == [AskBoth(ECDH, SIGN)]
    assert driver.resume((HsmdEcdhReply(secrets=()), SIGNED)) == []
    assert got == [HsmdEcdhReply(secrets=()), SIGNED]


def test_a_peer_error_discards_what_was_not_performed() -> None:
    def bad() -> Step[None]:
        yield SEND
        yield Log("debug", "kept")
        raise WarnPeer("no")

    driver = MachineDriver(Scripted(a=bad, b=lambda: [SEND]))
    assert driver.feed("a") == [Log("debug", "kept"), Log("unusual", "no"), Disconnect()]
    assert driver.feed("b") == [SEND]


def test_a_peer_error_after_a_reply_keeps_what_other_steps_made() -> None:
    def bad() -> Step[None]:
        yield from ask_master(SIGN)
        yield SEND
        raise WarnPeer("no")

    driver = MachineDriver(Scripted(a=bad, b=lambda: [SEND]))
    driver.feed("a")
    driver.feed("b")
    assert driver.resume(SIGNED) == [Log("unusual", "no"), Disconnect(), SEND]


def test_peer_error_from_the_handler_itself() -> None:
    def bad() -> Outcome:
        raise WarnPeer("at once")

    assert MachineDriver(Scripted(a=bad)).feed("a") == [Log("unusual", "at once"), Disconnect()]


def test_on_peer_error_may_ask_too() -> None:
    class Careful(Scripted):
        def on_peer_error(self, err: PeerError) -> Step[None]:
            yield from ask_master(SIGN)
            yield Disconnect()

    def bad() -> Outcome:
        raise WarnPeer("x")

    driver = MachineDriver(Careful(a=bad))
    assert driver.feed("a") == [Ask("master", SIGN)]
    assert driver.resume(SIGNED) == [Disconnect()]


def test_a_refusal_is_raised_in_the_step() -> None:
    def bold() -> Step[None]:
        try:
            yield from ask_hsmd(ECDH)
        except LookupError:
            yield SEND

    driver = MachineDriver(Scripted(a=bold))
    driver.feed("a")
    assert driver.fail(LookupError("refused")) == [SEND]


def test_a_bug_breaks_the_driver_for_good() -> None:
    def buggy() -> Step[None]:
        yield SEND
        raise KeyError("bug")

    driver = MachineDriver(Scripted(a=buggy))
    with pytest.raises(KeyError, match="bug"):
        driver.feed("a")
    with pytest.raises(DriverBroken, match="bug"):
        driver.feed("a")


def test_the_queue_is_bounded() -> None:
    driver = MachineDriver(Scripted(a=asking, b=nothing), queue_limit=2)
    driver.feed("a")
    driver.feed("b")
    assert driver.should_pause
    driver.feed("b")
    with pytest.raises(QueueFull, match="2 events"):
        driver.feed("b")


def test_clear_forgets_step_and_queue() -> None:
    machine = Scripted(a=asking, b=nothing)
    driver = MachineDriver(machine)
    driver.feed("a")
    driver.feed("b")
    driver.clear()
    with pytest.raises(NotWaiting, match="no step"):
        driver.resume(None)
    effects: list[Effect] = driver.feed("b")
    assert (effects, machine.seen) == ([], ["a", "b"])
