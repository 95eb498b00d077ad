"""Channels that a peer opened and never paid into, or not even signed: after so many blocks they are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.ids import txid_hex
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import OPENING, Cause, ChannelState

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

TIMEOUT_BLOCKS = 2016
UNSIGNED_BLOCKS = 6
"""So long coins of ours wait for the peer that wanted to open a channel together with us."""
KEPT = 100
"""So many of them, the newest, are kept all the same, as CLN does: a month of high fees may end."""
KEPT_IN_TESTS = 1
"""The same where --dev-max-funding-unconfirmed-blocks gives another timeout."""


class Unfunded:
    """Looks for such channels in each block's turn."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._timeout = node.settings.max_funding_unconfirmed
        self._kept = KEPT if self._timeout == TIMEOUT_BLOCKS else KEPT_IN_TESTS

    def on_block(self, height: int) -> None:
        """Inside a turn."""
        for channel in [c for c in self._node.channels if self._is_unsigned(c, height)]:
            text = f"The peer has not signed for {height - channel.first_block} blocks"
            self._node.dual.abort(channel, Cause.LOCAL, text)
        idle = [c for c in self._node.channels if self._is_idle(c, height)]
        idle.sort(key=lambda c: c.first_block)
        for channel in idle[: max(0, len(idle) - self._kept)]:
            self._forget(channel, height)

    def _is_unsigned(self, channel: Channel, height: int) -> bool:
        """Whether a joint opening of the peer ties coins of ours, and our signatures are not out."""
        inflight = channel.inflight
        return (
            inflight is not None
            and not channel.static.we_are_opener
            and height - channel.first_block >= UNSIGNED_BLOCKS
            and bool(inflight.places(ours=True))
            and self._node.dual.may_forget(channel)
        )

    def _is_idle(self, channel: Channel, height: int) -> bool:
        # BOLT 2, "The `funding_signed` Message": a non-funding node SHOULD forget a channel whose funding
        # transaction it does not see for 2016 blocks. Not if we ever had a stake in it. A row from a static
        # backup knows neither stake nor depth: it waits for its peer's commitment, however long that takes.
        return (
            not channel.static.we_are_opener
            and channel.short_channel_id is None
            and channel.state in OPENING
            and not channel.only_peer_closes
            and not channel.htlcs
            and height - channel.first_block >= self._timeout
            and not channel.max_to_local
        )

    def _forget(self, channel: Channel, height: int) -> None:
        node = self._node
        text = (
            f"It has been {height - channel.first_block} blocks without the funding transaction "
            f"{txid_hex(channel.static.funding.txid)} getting deeply confirmed."
        )
        node.log(
            "unusual",
            f"Forgetting channel: {text} We are fundee and can forget channel without loss of funds.",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        if channel.inflight is not None:
            node.dual.forget(channel, Cause.LOCAL, text)
            return
        node.workers.release(channel)
        node.chain.forget_broadcasts(("close", channel.dbid))
        node.channels.set_state(channel, ChannelState.CLOSED, Cause.LOCAL, text)
        node.channels.forget(channel)
