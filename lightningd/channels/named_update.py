"""The channel_update in a failure message must name the channel as the onion did, whatever else it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.runtime import Message

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_SCID = slice(98, 106)
"""Where an encoded channel_update has its short_channel_id."""


class NamedUpdates:
    """Our updates under the other names of their channels, signed when they are needed first."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._signed: dict[ShortChannelId, tuple[bytes, bytes]] = {}
        """The update that was renamed, and what came of it."""

    def fits(self, failure: Message, scid: ShortChannelId | None) -> bool:
        """Whether a failure may be sent as it is to who used `scid`."""
        # BOLT 4, "Failure Messages": if it returns a channel_update, with the short_channel_id of the onion.
        update = _update_of(failure)
        return not update or scid is None or update[_SCID] == int(scid).to_bytes(8, "big")

    async def rename(self, failure: Message, scid: ShortChannelId) -> Message:
        """The failure with an update for `scid`. Raises what asking hsmd raises."""
        update = _update_of(failure)
        known = self._signed.get(scid)
        if known is None or known[0] != update:
            named = update[: _SCID.start] + int(scid).to_bytes(8, "big") + update[_SCID.stop :]
            reply = await self._node.hsm.ask(hw.HsmdSignGossip(message=named))
            known = self._signed[scid] = (update, reply.message)
        return _with_update(failure, known[1])


def without_update(failure: Message) -> Message:
    """The failure with no update at all, which BOLT 4 allows."""
    return _with_update(failure, b"")


def _update_of(failure: Message) -> bytes:
    found: bytes = getattr(failure, "channel_update", b"")
    return found


def _with_update(failure: Any, update: bytes) -> Message:
    renamed: Message = replace(failure, channel_update=update)
    return renamed
