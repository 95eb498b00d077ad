"""A record of what a machine was fed, and of what it wanted done: the frames of the file that `--dev-record` writes.

Everything is kept as it travelled: messages encoded, in order. Keys are never in it, for no machine has one; the ECDH
secrets that hsmd's replies carry are masked, alike wherever they come up again (`Mask`). What remains, peers, amounts
and preimages, is private, not dangerous.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from pylightningd.common.effects import (
    AliasRoute,
    Ask,
    AskBoth,
    CancelTimer,
    Disconnect,
    Log,
    SendPeer,
    SetTimer,
    Tell,
)
from pylightningd.common.wire.hsmd_wire import HsmdRevokeCommitmentReply
from pylightningd.common.wire.runtime import Message

MAGIC = b"pylightningd record 1\n"
_HEAD = struct.Struct(">IBQ")
"""Length of the payload, kind, microseconds since 1970."""
_LONGEST = 1 << 28


class Kind(Enum):
    """What a frame holds."""

    HEADER = b"H"
    """The hash of the message definitions (32 bytes), then the daemon's name."""
    MADE_FROM = b"m"
    """A message that the machine was made from."""
    PEER = b"P"
    MASTER = b"M"
    BAD_BYTES = b"B"
    """Why (UTF-8)."""
    ROUTE_CLOSED = b"C"
    """The route's id (u64); empty where the machine has one route only."""
    FLUSH = b"F"
    TIMER = b"T"
    """Its name."""
    PEER_ERROR = b"!"
    """The peer's error, given past the queue."""
    REPLY = b"R"
    """One reply, or hsmd's and lightningd's, each with a u32 length."""
    REFUSED = b"X"
    """Class and text of what is raised in place of a reply."""
    CLEAR = b"-"
    """The step that waits and all queued events are forgotten."""
    EFFECTS = b"E"
    """What came of the frame before, each with a u32 length: see `encode_effect`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry."""

    kind: Kind
    payload: bytes
    micros: int = 0

    def parts(self) -> list[bytes]:
        """The payload of REPLY and EFFECTS."""
        return split(self.payload)

    def encode(self) -> bytes:
        """As in the file."""
        return _HEAD.pack(len(self.payload), self.kind.value[0], self.micros) + self.payload


class BadRecord(ValueError):
    """The file is no record."""


def read(data: bytes) -> Iterator[Frame]:
    """The frames of a file. One cut off at the end, as kill -9 leaves it, is left out. Raises BadRecord."""
    if not data.startswith(MAGIC):
        raise BadRecord("this is no record of --dev-record")
    pos = len(MAGIC)
    while pos + _HEAD.size <= len(data):
        length, kind, micros = _HEAD.unpack_from(data, pos)
        end = pos + _HEAD.size + length
        if length > _LONGEST:
            raise BadRecord(f"a frame of {length} bytes at {pos}")
        if end > len(data):
            return
        yield Frame(Kind(bytes([kind])), data[pos + _HEAD.size : end], micros)
        pos = end


def join(parts: Iterable[bytes]) -> bytes:
    """Several byte strings, each behind its length."""
    return b"".join(len(p).to_bytes(4, "big") + p for p in parts)


def split(data: bytes) -> list[bytes]:
    """What `join` has joined."""
    parts, pos = [], 0
    while pos < len(data):
        end = pos + 4 + int.from_bytes(data[pos : pos + 4], "big")
        parts.append(data[pos + 4 : end])
        pos = end
    return parts


# ---- events and effects -----------------------------------------------------------------------


def encode_event(event: Any) -> Frame:
    """The frame for an event of any machine. Raises TypeError for one of a class that nobody told us of."""
    match type(event).__name__:
        case "FromPeer":
            return Frame(Kind.PEER, event.msg.encode())
        case "FromMaster":
            return Frame(Kind.MASTER, event.msg.encode())
        case "BadPeerBytes":
            return Frame(Kind.BAD_BYTES, event.why.encode())
        case "RouteClosed":
            route_id = getattr(event, "route_id", None)
            return Frame(
                Kind.ROUTE_CLOSED, b"" if route_id is None else struct.pack(">Q", route_id)
            )
        case "Flush":
            return Frame(Kind.FLUSH, b"")
        case "TimerFired":
            return Frame(Kind.TIMER, event.name.encode())
        case other:
            raise TypeError(f"no frame for the event {other}")


def encode_effect(effect: Any) -> bytes:
    """An effect as bytes, its kind first: alike if and only if the effects are."""
    match effect:
        case SendPeer(msg):
            return b"P" + msg.encode()
        case Ask(to, request):
            return (b"a" if to == "hsmd" else b"A") + request.encode()
        case AskBoth(hsmd, master):
            return b"2" + join([hsmd.encode(), master.encode()])
        case Tell(to, msg):
            return (b"t" if to == "hsmd" else b"T") + msg.encode()
        case Log(level, text, fields):
            return b"L" + join([level.encode(), text.encode(), _fields(fields)])
        case SetTimer(name, seconds):
            return b"S" + join([name.encode(), repr(seconds).encode()])
        case CancelTimer(name):
            return b"s" + name.encode()
        case Disconnect():
            return b"D"
        case AliasRoute(channel_id):
            return b"@" + channel_id
        case _:
            # An effect that one daemon alone has: its repr says it all.
            return b"?" + repr(effect).encode()


def _fields(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, default=str).encode() if fields else b""


# ---- secrets ----------------------------------------------------------------------------------

PUBLISHED: frozenset[type[Message]] = frozenset({HsmdRevokeCommitmentReply})
"""Replies whose secret is the peer's in the next moment: that of a commitment that we revoke."""


def secrets_of(reply: Message) -> list[bytes]:
    """What a reply of hsmd carries that must not be written down."""
    if type(reply) in PUBLISHED:
        return []
    found = []
    for name, kind, _ in type(reply).WIRE:
        if kind == "secret":
            value = getattr(reply, name)
            for one in value if isinstance(value, tuple | list) else [value]:
                found.append(one.reveal())
    # Zeros are no secret, and what they would be replaced by would be found in every message.
    return [s for s in found if any(s)]


class Mask:
    """Puts another value in the place of each secret it has seen, the same one each time."""

    REMEMBERED = 2000

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._masks: dict[bytes, bytes] = {}

    def learn(self, reply: Message) -> None:
        """Note the secrets of a reply of hsmd."""
        for secret in secrets_of(reply):
            self._masks[secret] = sha256(self._salt + secret).digest()[: len(secret)]
        while len(self._masks) > self.REMEMBERED:
            del self._masks[next(iter(self._masks))]

    def apply(self, data: bytes) -> bytes:
        """The same bytes without the secrets."""
        for secret, mask in self._masks.items():
            data = data.replace(secret, mask)
        return data
