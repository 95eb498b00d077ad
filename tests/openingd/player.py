"""Plays one machine: answers its questions, collects what it sends, tells and logs. Two can talk to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pylightningd.common.effects import Ask, Effect, Log, SendPeer, Tell
from pylightningd.common.machine import MachineDriver
from pylightningd.common.route_events import FromMaster, FromPeer, RoutedMachine, RouteEvent
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.runtime import Message

Answer = Callable[[Message], Message | Exception | None]
"""None: the reply is to come later, by `reply`."""


class Player:
    """One side."""

    def __init__(self, machine: RoutedMachine, answer: Answer) -> None:
        self.machine: Any = machine
        self.driver: MachineDriver[RouteEvent] = MachineDriver(machine)
        self.answer = answer
        self.effects: list[Effect] = []
        self.outbox: list[bytes] = []

    def master(self, msg: Message) -> None:
        """A message of lightningd, encoded and decoded."""
        self.feed(FromMaster(type(msg).decode(msg.encode())))

    def peer(self, msg: Message) -> None:
        """A message of the peer."""
        decoded = peer_wire.decode(msg.encode())
        assert isinstance(decoded, Message)
        self.feed(FromPeer(decoded))

    def feed(self, event: RouteEvent) -> None:
        self._perform(self.driver.feed(event))

    def reply(self, msg: Message | Exception) -> None:
        """Answer the question that waits."""
        if isinstance(msg, Exception):
            self._perform(self.driver.fail(msg))
        else:
            self._perform(self.driver.resume(type(msg).decode(msg.encode())))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.effects.append(effect)
            if isinstance(effect, SendPeer):
                self.outbox.append(effect.msg.encode())
            elif isinstance(effect, Ask):
                request = type(effect.request).decode(effect.request.encode())
                reply = self.answer(request)
                if reply is not None:
                    self.reply(reply)

    # ---- what came out -------------------------------------------------------------------------

    def sent(self) -> list[Message]:
        return [e.msg for e in self.effects if isinstance(e, SendPeer)]

    def told(self) -> list[Message]:
        return [e.msg for e in self.effects if isinstance(e, Tell)]

    def asked(self) -> list[Message]:
        return [e.request for e in self.effects if isinstance(e, Ask)]

    def logged(self) -> str:
        return "\n".join(e.text for e in self.effects if isinstance(e, Log))

    def order(self) -> list[str]:
        """Names of all that was sent, asked and told, in order."""
        out = []
        for effect in self.effects:
            if isinstance(effect, Ask):
                out.append(effect.request.NAME)
            elif isinstance(effect, SendPeer | Tell):
                out.append(effect.msg.NAME)
        return [name.removeprefix("WIRE_").lower() for name in out]

    def only_told(self, kind: type[Any]) -> Any:
        """The one thing of this kind the master was told."""
        (found,) = (m for m in self.told() if isinstance(m, kind))
        return found


def converse(one: Player, other: Player, limit: int = 1000) -> int:
    """Deliver until both are silent; how many messages that took."""
    count = 0
    while one.outbox or other.outbox:
        for giver, taker in ((one, other), (other, one)):
            if giver.outbox:
                count += 1
                assert count < limit, "the two talk for ever"
                msg = peer_wire.decode(giver.outbox.pop(0))
                assert isinstance(msg, Message)
                taker.feed(FromPeer(msg))
    return count
