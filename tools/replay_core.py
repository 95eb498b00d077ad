"""Feeds a record (common/record.py) into a fresh machine.

`Replay` makes the machine of a daemon and gives it events and replies by hand, which is what tests printed by
`python -m tools.replay --as-test` do; `replay` does that with all frames of a file and compares what comes of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pylightningd.channeld import events as channeld_events
from pylightningd.channeld.machine import ChannelMachine
from pylightningd.closingd.machine import ClosingMachine
from pylightningd.common import record, route_events
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Refused, decode_message, make_codec
from pylightningd.common.effects import Ask, AskBoth, Log, Tell, TimerFired
from pylightningd.common.machine import MachineDriver
from pylightningd.common.network import network_by_name
from pylightningd.common.record import Frame, Kind
from pylightningd.common.wire import (
    channeld_wire,
    closingd_wire,
    hsmd_wire,
    onchaind_wire,
    openingd_wire,
    peer_wire,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.onchaind.machine import Resolver, Say
from pylightningd.openingd.state import Node as OpeningNode
from pylightningd.openingd.v2_machine import make_machine as make_opening

CODEC = make_codec([channeld_wire, closingd_wire, hsmd_wire, onchaind_wire, openingd_wire])
QUEUE_LIMIT = 1 << 16


class OnchainMachine:
    """onchaind's resolver, which takes facts by calls, as a machine that takes events."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def begin(self) -> list[Any]:
        """What it says as soon as it is made."""
        return self._effects(self._resolver.start())

    def handle(self, event: Any) -> list[Any]:
        """The effects of a fact."""
        match event.msg:
            case onchaind_wire.OnchaindBlock(height=height):
                return self._effects(self._resolver.block(height))
            case onchaind_wire.OnchaindSpent(tx=raw, height=height):
                return self._effects(self._resolver.spent(Tx.parse(raw), height))
            case onchaind_wire.OnchaindPreimage(preimage=preimage):
                return self._effects(self._resolver.preimage(preimage))
        raise TypeError(f"no fact: {event.msg!r}")

    def on_peer_error(self, err: Exception) -> None:
        """No peer is involved."""
        raise err

    @staticmethod
    def _effects(plans: Sequence[Any]) -> list[Any]:
        return [
            Log(p.level, p.text) if isinstance(p, Say) else Tell("master", p)  # type: ignore[arg-type]
            for p in plans
        ]


def make_machine(daemon: str, made_from: Sequence[Message]) -> Any:
    """A fresh machine as the daemon makes it. `daemon` may be numbered: channeld-0."""
    messages: Any = made_from
    match daemon.partition("-")[0]:
        case "channeld":
            init, row = messages
            return ChannelMachine.from_row(row, init)
        case "openingd":
            init, request = messages
            node = OpeningNode(network_by_name(init.network), init.features)
            return make_opening(node, request)
        case "closingd":
            return ClosingMachine(messages[0])
        case "onchaind":
            return OnchainMachine(Resolver(messages[0]))
    raise record.BadRecord(f"{daemon} has no machine that is recorded")


def decode(raw: bytes) -> Message:
    """A message between daemons."""
    return decode_message(CODEC, raw)


class Replay:
    """One machine, driven by hand. Each call returns the effects; `effects` has all so far."""

    def __init__(self, daemon: str, made_from: Sequence[str | bytes]) -> None:
        """`made_from`: the messages (bytes or hex) that the daemon made the machine from."""
        self._events: Any = channeld_events if daemon.startswith("channeld") else route_events
        self.machine = make_machine(daemon, [decode(_raw(m)) for m in made_from])
        self.driver: MachineDriver[Any] = MachineDriver(self.machine, queue_limit=QUEUE_LIMIT)
        begin = getattr(self.machine, "begin", None)
        self.effects: list[Any] = begin() if begin else []
        self.first = list(self.effects)
        """What came of making it."""

    def peer(self, msg: str | bytes) -> list[Any]:
        """A message of the peer."""
        return self._feed(self._events.FromPeer(peer_wire.decode(_raw(msg))))

    def master(self, msg: str | bytes) -> list[Any]:
        """A message of lightningd."""
        return self._feed(self._events.FromMaster(decode(_raw(msg))))

    def bad_bytes(self, why: str) -> list[Any]:
        """Bytes of the peer that are no message."""
        return self._feed(self._events.BadPeerBytes(why))

    def route_closed(self, route_id: int | None = None) -> list[Any]:
        """The connection ended."""
        closed = self._events.RouteClosed
        return self._feed(closed() if route_id is None else closed(route_id))

    def flush(self) -> list[Any]:
        """All that was ready has been fed."""
        return self._feed(self._events.Flush())

    def timer(self, name: str) -> list[Any]:
        """A timer fired."""
        return self._feed(TimerFired(name))

    def peer_error(self, msg: str | bytes) -> list[Any]:
        """The peer's error, which does not wait."""
        return self._keep(self.machine.on_error_message(peer_wire.decode(_raw(msg))))

    def reply(self, *msgs: str | bytes) -> list[Any]:
        """The answer to the question that waits; hsmd's and lightningd's where both were asked."""
        replies = [decode(_raw(m)) for m in msgs]
        return self._keep(self.driver.resume(replies[0] if len(replies) == 1 else tuple(replies)))

    def refused(self, text: str) -> list[Any]:
        """The question was refused."""
        return self._keep(self.driver.fail(Refused(text)))

    def clear(self) -> list[Any]:
        """The question and all queued events are forgotten."""
        self.driver.clear()
        return []

    def _feed(self, event: Any) -> list[Any]:
        return self._keep(self.driver.feed(event))

    def _keep(self, effects: list[Any]) -> list[Any]:
        self.effects += effects
        return effects


def _raw(msg: str | bytes) -> bytes:
    return bytes.fromhex(msg) if isinstance(msg, str) else msg


def names(effects: Sequence[Any]) -> list[str]:
    """What a test compares: the messages' names, other effects' classes; log lines are left out."""
    found = []
    for effect in effects:
        match effect:
            case Log():
                continue
            case AskBoth(hsmd, master):
                found.append(f"AskBoth {hsmd.NAME} {master.NAME}")
            case Ask(_, msg) | Tell(_, msg):
                found.append(f"{type(effect).__name__} {msg.NAME}")
            case _:
                msg = getattr(effect, "msg", None)
                found.append(f"SendPeer {msg.NAME}" if msg is not None else type(effect).__name__)
    return found


# ---- whole records ------------------------------------------------------------------------------


@dataclass
class Story:
    """A record, read."""

    daemon: str
    wire_hash: bytes
    made_from: list[bytes]
    steps: list[tuple[Frame, list[bytes]]]
    """What was fed, and the effects that were recorded with it."""
    first: list[bytes] = field(default_factory=list)
    """Effects of making the machine."""

    @classmethod
    def load(cls, path: Path) -> Story:
        """Read a file. Raises BadRecord, OSError."""
        return cls.of(path.read_bytes())

    @classmethod
    def of(cls, data: bytes) -> Story:
        """Read a file's bytes. Raises BadRecord."""
        story = cls("", b"", [], [])
        for frame in record.read(data):
            if frame.kind is Kind.HEADER:
                story.wire_hash, story.daemon = frame.payload[:32], frame.payload[32:].decode()
            elif frame.kind is Kind.MADE_FROM:
                story.made_from.append(frame.payload)
            elif frame.kind is not Kind.EFFECTS:
                story.steps.append((frame, []))
            elif story.steps:
                story.steps[-1] = (story.steps[-1][0], frame.parts())
            else:
                story.first = frame.parts()
        if not story.daemon:
            raise record.BadRecord("the record has no header")
        return story


@dataclass(frozen=True)
class Done:
    """One step, done again."""

    number: int
    frame: Frame
    effects: list[Any]
    recorded: list[bytes]
    error: Exception | None = None
    """A bug that the step raised."""

    @property
    def differs(self) -> bool:
        """Whether something else came of it than at that time."""
        return [record.encode_effect(e) for e in self.effects] != self.recorded


def begin(story: Story) -> Replay:
    """The machine of a record."""
    return Replay(story.daemon, story.made_from)


def replay(story: Story) -> Iterator[Done]:
    """Do every step; ends after one that raises."""
    run = begin(story)
    for number, (frame, recorded) in enumerate(story.steps, 1):
        try:
            effects = act(run, frame)
        except Exception as error:
            yield Done(number, frame, [], recorded, error)
            return
        yield Done(number, frame, effects, recorded)


def act(run: Replay, frame: Frame) -> list[Any]:
    """Give the machine what one frame holds."""
    name, args = as_call(frame)
    call: Callable[..., list[Any]] = getattr(run, name)
    return call(*args)


def as_call(frame: Frame) -> tuple[str, tuple[Any, ...]]:
    """The method of `Replay` for a frame, and its arguments."""
    payload = frame.payload
    match frame.kind:
        case Kind.PEER:
            return "peer", (payload,)
        case Kind.MASTER:
            return "master", (payload,)
        case Kind.BAD_BYTES:
            return "bad_bytes", (payload.decode(),)
        case Kind.ROUTE_CLOSED:
            return "route_closed", struct.unpack(">Q", payload) if payload else ()
        case Kind.FLUSH:
            return "flush", ()
        case Kind.TIMER:
            return "timer", (payload.decode(),)
        case Kind.PEER_ERROR:
            return "peer_error", (payload,)
        case Kind.REPLY:
            return "reply", tuple(frame.parts())
        case Kind.REFUSED:
            return "refused", (payload.decode().partition(": ")[2],)
        case Kind.CLEAR:
            return "clear", ()
    raise record.BadRecord(f"no step: {frame.kind}")
