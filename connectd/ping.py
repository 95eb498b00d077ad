"""Ping and pong (BOLT 1, "The `ping` and `pong` Messages"): is the peer still there?

One `Ping` state a connection. Times are seconds of a monotonic clock and are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from pylightningd.common.errors import WarnPeer, WireError
from pylightningd.common.wire.peer_wire import Ping, Pong

IDLE_SECONDS: Final = 60
"""A peer that said something within this time needs no ping."""
TIMER_SECONDS: Final = (15, 45)
"""How long to wait between two looks, at random within these."""
# BOLT 1, "The `ping` and `pong` Messages": from this number on no pong may come.
NO_PONG_FROM: Final = 65532


class PingError(ValueError):
    """The ping that was asked for cannot be sent."""


class Due(Enum):
    """What the timer's end calls for."""

    NOTHING = 0
    PING = 1
    HANG_UP = 2


@dataclass(frozen=True, slots=True)
class PingDone:
    """The pong of a ping that someone asked for."""

    cookie: int
    total_length: int
    """Of the whole pong message."""


class Pinger:
    """What is known of one peer's being alive."""

    __slots__ = ("_cookie", "_waiting", "last_received")

    def __init__(self, now: float) -> None:
        self.last_received = now
        self._waiting: int | None = None
        """num_pong_bytes of the ping that has no pong yet."""
        self._cookie: int | None = None

    def on_timer(self, now: float) -> Due:
        """Look after the peer. Where a ping is due, send `probe()`."""
        if now - self.last_received < IDLE_SECONDS:
            return Due.NOTHING
        # BOLT 1, "The `ping` and `pong` Messages", sender MAY close where no pong comes.
        return Due.HANG_UP if self._waiting is not None else Due.PING

    def probe(self) -> Ping:
        """The ping of the timer."""
        self._waiting, self._cookie = 1, None
        return Ping(num_pong_bytes=1, ignored=b"")

    def ask(self, cookie: int, num_pong_bytes: int, size: int) -> Ping:
        """The ping of a user. `awaits_pong` tells whether an answer will come. Raises PingError."""
        if size > 65535 - 6:
            raise PingError(f"a ping of {size} bytes does not fit a message")
        if self._waiting is not None:
            raise PingError("Ping already pending")
        if num_pong_bytes < NO_PONG_FROM:
            self._waiting, self._cookie = num_pong_bytes, cookie
        return Ping(num_pong_bytes=num_pong_bytes, ignored=bytes(size))

    @property
    def awaits_pong(self) -> bool:
        """Whether a ping is in flight."""
        return self._waiting is not None

    def on_pong(self, raw: bytes) -> PingDone | str | None:
        """What a pong means: an answer for a user, a text for the log, or nothing to tell. Raises WarnPeer."""
        pong = _decode_pong(raw)
        waiting, cookie = self._waiting, self._cookie
        if waiting is None or len(pong.ignored) != waiting:
            # BOLT 1, "The `ping` and `pong` Messages", receiver MAY close on a pong that fits no ping. We do not.
            return "Unexpected pong?"
        self._waiting = self._cookie = None
        return None if cookie is None else PingDone(cookie, len(raw))

    def abandon(self) -> int | None:
        """The connection ends: the cookie of a user who still waits."""
        cookie, self._waiting, self._cookie = self._cookie, None, None
        return cookie


def answer(raw: bytes) -> Pong | None:
    """The pong for a ping, None where it wants none. Raises WarnPeer."""
    try:
        ping = Ping.decode(raw)
    except WireError:
        raise WarnPeer(f"Invalid ping {raw[:64].hex()}") from None
    # BOLT 1, "The `ping` and `pong` Messages", receiver MUST answer below 65532 and MUST ignore the others.
    if ping.num_pong_bytes >= NO_PONG_FROM:
        return None
    return Pong(ignored=bytes(ping.num_pong_bytes))


def _decode_pong(raw: bytes) -> Pong:
    try:
        return Pong.decode(raw)
    except WireError:
        raise WarnPeer(f"Invalid pong {raw[:64].hex()}") from None
