"""An opening under way, as the master remembers it until there is a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import NodeId

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel

LIGHTNINGD = -1


@dataclass(slots=True, kw_only=True)
class Opening:
    """One opening under way."""

    dbid: int
    peer_id: NodeId
    connection: int
    we_are_opener: bool
    final_key_index: int
    close_to: bytes | None
    route_id: int | None = None
    accepted: Any = None
    """Future of OpeningdAccepted (opener)."""
    done: Any = None
    """Future of the Channel (opener)."""
    funding_tx: Tx | None = None
    on_done: Callable[[Channel], None] | None = None
    """Called in the turn that writes the channel."""

    def futures(self) -> tuple[Any, ...]:
        """What is failed with it, in this order."""
        return self.accepted, self.done
