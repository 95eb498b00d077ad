"""What happens to a machine that talks to its peer over one route of connectd (see connectd_wire.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pylightningd.common.errors import PeerError
from pylightningd.common.ids import NodeId
from pylightningd.common.machine import Outcome
from pylightningd.common.wire.runtime import Message


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
    """The connection ended."""


RouteEvent: TypeAlias = FromPeer | BadPeerBytes | FromMaster | RouteClosed


class RoutedMachine(Protocol):
    """What `routed_shell_io` needs of a machine."""

    dbid: int
    peer_id: NodeId

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done: the shell forgets it."""

    @property
    def interruptible(self) -> bool:
        """Whether a step that waits may be dropped when the connection ends."""

    def handle(self, event: RouteEvent) -> Outcome:
        """The step for an event."""

    def on_peer_error(self, err: PeerError) -> Outcome:
        """What follows from a broken rule."""

    def on_bug(self, what: str) -> Outcome:
        """What to tell lightningd where a step failed from a bug. The machine is not used again."""
