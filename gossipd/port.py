"""What the gossip core asks of the world around it. The shell provides it; tests provide a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pylightningd.common.ids import NodeId
from pylightningd.common.wire.runtime import Message

OURS = 0
"""The source of our own messages, in place of a connection."""


class Port(Protocol):
    """Ways out of the core."""

    def send(self, connection: int, msgs: Sequence[bytes]) -> None:
        """Send a peer a batch; `Gossip.room` is called when it is on its way."""

    def warn(self, connection: int, text: str) -> None:
        """The peer broke a rule: send `warning` and hang up."""

    def ask_txout(self, scid: int) -> None:
        """Find out about a funding output; `Gossip.txout` is called with what there is."""

    def tell_master(self, msg: Message) -> None:
        """A one-way message to lightningd."""

    def log(self, level: str, text: str, peer_id: NodeId | None = None) -> None:
        """A line for the log."""
