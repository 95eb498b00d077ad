"""What happens to a channel: the events its machine takes, and the effects only channeld has."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pylightningd.common.effects import Effect, TimerFired
from pylightningd.common.wire.runtime import Message

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FromPeer:
    """A message of the peer, decoded."""

    msg: Message


@dataclass(frozen=True, slots=True)
class BadPeerBytes:
    """Bytes of the peer that are no message."""

    why: str


@dataclass(frozen=True, slots=True)
class FromMaster:
    """A message of lightningd."""

    msg: Message


@dataclass(frozen=True, slots=True)
class RouteClosed:
    """The connection of this route ended."""

    route_id: int


@dataclass(frozen=True, slots=True)
class Flush:
    """All that was ready in one wake-up has been fed: now is the time to start a commitment round."""


Event: TypeAlias = FromPeer | BadPeerBytes | FromMaster | RouteClosed | Flush | TimerFired


@dataclass(frozen=True, slots=True)
class UseRoute:
    """From here on, peer messages go by this route; None: there is no connection."""

    route_id: int | None


ChannelEffect: TypeAlias = Effect | UseRoute
ChannelStep: TypeAlias = Generator[ChannelEffect, Any, T]
