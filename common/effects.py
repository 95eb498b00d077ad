"""What a machine wants done, as values. A step yields them; a shell performs them.

A handler of a machine is a generator: it yields effects and, where it asks, is given the reply::

    def on_commitment_signed(self, msg: CommitmentSigned) -> Step[None]:
        change = self.commit.receive(msg)                        # pure; may raise PeerError
        yield from ask_master(ChanneldGotCommitsig(...))         # durable when this returns
        yield SendPeer(RevokeAndAck(...))

`common.machine` drives such steps. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from pylightningd.common.ids import ChannelId
from pylightningd.common.wire.runtime import Message, Request

Neighbour: TypeAlias = Literal["master", "hsmd"]
Level: TypeAlias = Literal["io", "trace", "debug", "info", "unusual", "broken"]

R = TypeVar("R", bound=Message)
R2 = TypeVar("R2", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SendPeer:
    """Send a BOLT message to the peer."""

    msg: Message


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request; the step sleeps until the reply is there."""

    to: Neighbour
    request: Request[Any]


@dataclass(frozen=True, slots=True)
class AskBoth:
    """Send two requests at once; the step sleeps until both replies are there, given as (hsmd's, master's)."""

    hsmd: Request[Any]
    master: Request[Any]


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a message that has no reply."""

    to: Neighbour
    msg: Message


@dataclass(frozen=True, slots=True)
class Log:
    """One line for the log: a fixed phrase, and what varies in `fields`."""

    level: Level
    text: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Feed a `TimerFired` with this name after so many seconds. Replaces a timer of the same name."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of this name, if it runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Hang up on the peer, after what was sent before."""


@dataclass(frozen=True, slots=True)
class AliasRoute:
    """Messages with this channel_id belong to our route too (openingd, once there is a funding outpoint)."""

    channel_id: ChannelId


Effect: TypeAlias = (
    SendPeer | Ask | AskBoth | Tell | Log | SetTimer | CancelTimer | Disconnect | AliasRoute
)
Step: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The event that `SetTimer` leads to."""

    name: str


def ask_hsmd(request: Request[R]) -> Step[R]:
    """Ask hsmd and return its reply. Raises what the driver is told of a refusal."""
    reply: R = yield Ask("hsmd", request)
    return reply


def ask_master(request: Request[R]) -> Step[R]:
    """Ask lightningd and return its reply; what was to be written is on disk by then."""
    reply: R = yield Ask("master", request)
    return reply


def ask_both(hsmd: Request[R], master: Request[R2]) -> Step[tuple[R, R2]]:
    """Ask both at the same time; return (hsmd's reply, lightningd's reply)."""
    replies: tuple[R, R2] = yield AskBoth(hsmd, master)
    return replies
