"""What a link between two processes is, and the bytes of its frames. No I/O.

What leaves together is one ZeroMQ message: a count (u32), a head for each message of ours, then their bytes,
one after the other. A head is a request id (0: one-way; top bit set: it is a reply) and a trace id, u64 each,
and the length of its message, u32; all big-endian. One frame, since ZeroMQ's price is by the frame.
`zmq_link_io` is the real thing, `memory_link_io` the pair for tests; both stand on `base_link_io`.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha256
from types import ModuleType
from typing import Protocol, TypeAlias, TypeVar

from pylightningd.common.errors import WireError
from pylightningd.common.wire import bus_wire
from pylightningd.common.wire.bus_wire import BusRefused
from pylightningd.common.wire.runtime import Message, Request

R = TypeVar("R", bound=Message)
Codec: TypeAlias = dict[int, type[Message]]

REPLY_BIT = 1 << 63
_COUNT = struct.Struct(">I")
_HEAD = struct.Struct(">QQI")
FIRST_OWN_TYPE = 100
"""Types below are the bus's own; see bus_wire.csv."""


class LinkClosed(ConnectionError):
    """The process at the other end is gone, or the link was dropped."""


class LinkFull(RuntimeError):
    """More is queued than a link may hold: the sender did not heed `paused`."""


class HelloMismatch(RuntimeError):
    """The other end is not who it should be, or was built from other message definitions."""


class Refused(Exception):
    """The asked process refused a request; the text says why."""


class Incoming:
    """One message that came in and is not the reply to a question of ours."""

    __slots__ = ("link", "msg", "request_id", "trace_id")

    def __init__(self, link: Link, msg: Message, request_id: int, trace_id: int) -> None:
        self.link = link
        self.msg = msg
        self.request_id = request_id
        """0 where the sender wants no reply."""
        self.trace_id = trace_id

    def reply(self, msg: Message) -> None:
        """Answer it. Raises ValueError where it is no request."""
        if self.request_id == 0:
            raise ValueError(f"{self.msg.NAME} was sent without a request id")
        self.link.send(msg, request_id=self.request_id | REPLY_BIT, trace_id=self.trace_id)

    def refuse(self, reason: str) -> None:
        """Answer that it will not be done; the asker gets `Refused`."""
        self.reply(BusRefused(reason=reason))

    def __repr__(self) -> str:
        return f"Incoming({self.link.name}, {self.request_id}, {self.msg!r})"


OnMessage: TypeAlias = Callable[[list[Incoming]], None]


class Link(Protocol):
    """One end of the connection of two processes."""

    name: str
    """The process at the other end."""
    link_id: int
    """The same at both ends; 0 for a daemon's link to the master."""
    capabilities: int
    """What the other end may ask (hsmd)."""
    closed: bool
    paused: bool
    """Much is queued: stop reading what makes you send here."""
    on_closed: Callable[[str], None] | None
    """Called once with the reason, unless we closed it ourselves."""
    on_paused: Callable[[bool], None] | None
    """Called when `paused` changes."""

    @property
    def on_message(self) -> OnMessage | None:
        """Called with all messages of one wake-up. What comes before it is set is kept."""

    @on_message.setter
    def on_message(self, handler: OnMessage | None) -> None: ...

    def send(self, msg: Message, *, request_id: int = 0, trace_id: int = 0) -> None:
        """Queue a message; all of one loop iteration leave together. To a closed link: dropped."""

    def ask(self, req: Request[R], *, trace_id: int = 0) -> Awaitable[R]:
        """Send a request and await the reply. Raises Refused or LinkClosed."""

    def pause_reading(self) -> None:
        """Take nothing more off the link until `resume_reading`; replies stay there as well."""

    def resume_reading(self) -> None:
        """Read again."""

    def close(self, reason: str = "") -> None:
        """Send what is queued, as far as it goes without waiting, and hang up."""


def make_codec(wires: Iterable[ModuleType]) -> Codec:
    """The messages of some generated modules by type; those of the bus are always among them."""
    codec: Codec = dict(bus_wire.MESSAGES)
    for module in wires:
        for wire_type, cls in module.MESSAGES.items():
            if codec.setdefault(wire_type, cls) is not cls:
                raise ValueError(f"message type {wire_type} is both {codec[wire_type]} and {cls}")
    return codec


def pack_batch(ids: Sequence[int], messages: Sequence[bytes]) -> bytes:
    """What leaves together; `ids` is request id and trace id of each message in turn."""
    parts = [_COUNT.pack(len(messages))]
    pack = _HEAD.pack
    parts += [pack(ids[2 * n], ids[2 * n + 1], len(raw)) for n, raw in enumerate(messages)]
    parts += messages
    return b"".join(parts)


def unpack_batch(batch: bytes) -> list[tuple[int, int, bytes]]:
    """Request id, trace id and bytes of each message in turn. Raises WireError."""
    found: list[tuple[int, int, bytes]] = []
    try:
        (count,) = _COUNT.unpack_from(batch)
        start = 4 + count * _HEAD.size
        if not count or start > len(batch):
            raise WireError(f"{count} messages in a batch of {len(batch)} bytes")
        for request_id, trace_id, length in _HEAD.iter_unpack(batch[4:start]):
            end = start + length
            found.append((request_id, trace_id, batch[start:end]))
            start = end
    except struct.error as err:
        raise WireError(f"a batch of {len(batch)} bytes: {err}") from err
    if start != len(batch):
        raise WireError(f"a batch of {len(batch)} bytes that should have {start}")
    return found


def decode_message(codec: Codec, frame: bytes) -> Message:
    """Read one message frame. Raises WireError."""
    cls = codec.get(int.from_bytes(frame[:2], "big"))
    if cls is None:
        raise WireError(
            f"message type {int.from_bytes(frame[:2], 'big')} has no place on this link"
        )
    return cls.decode(frame)


def hello_proof(token: bytes, *, binder: bool) -> bytes:
    """What an end puts in its hello: it knows the link's token, and does not give it away."""
    return sha256((b"bind" if binder else b"connect") + token).digest()


def memory_link_pair(
    left: str = "left", right: str = "right", wires: Iterable[ModuleType] = ()
) -> tuple[Link, Link]:
    """Two ends in one process, for tests; see `memory_link_io`."""
    from pylightningd.common.bus.memory_link_io import make_pair

    return make_pair(left, right, make_codec(wires))
