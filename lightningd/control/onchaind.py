"""Channels whose funding output was spent: what the master does about it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import txid_hex
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import Cause, ChannelState

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

FORGET_DEPTH = 100


class OnchainControl:
    """Broadcasts closes, and follows spends of funding outputs until they are deep."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def broadcast_commitment(self, channel: Channel, tx: Tx) -> None:
        """Our own commitment goes out."""
        await self._node.chain.broadcast(tx, owner=("close", channel.dbid), allow_high_fees=True)
        self._node.closing.resolve(channel, tx, "unilateral")

    async def broadcast_mutual(self, channel: Channel, tx: Tx) -> None:
        """The close that both signed goes out."""
        await self._node.chain.broadcast(tx, owner=("close", channel.dbid))

    def preimage_known(self, channel: Channel, htlc: LiveHtlc) -> None:
        """A preimage came for an HTLC of a channel that is on chain."""

    def funding_spent(self, dbid: int, tx: Tx, _index: int, height: int) -> None:
        """A transaction that spends the funding output is in a block. In a turn."""
        node = self._node
        channel = node.channels.get(dbid)
        if channel is None or channel.state in (ChannelState.ONCHAIN, ChannelState.CLOSED):
            return
        node.channels.set_state(
            channel,
            ChannelState.FUNDING_SPEND_SEEN,
            Cause.ONCHAIN,
            f"Funding output spent by {txid_hex(tx.txid())}",
        )
        node.workers.release(channel)
        node.channels.set_state(channel, ChannelState.ONCHAIN, Cause.ONCHAIN, "Onchain init reply")
        node.chain.watch_tx(tx.txid(), partial(self._depth, dbid), height=height)

    def _depth(self, dbid: int, depth: int) -> None:
        node = self._node
        channel = node.channels.get(dbid)
        if channel is None:
            return
        if depth >= FORGET_DEPTH:
            node.channels.set_state(channel, ChannelState.CLOSED, Cause.ONCHAIN, "Onchain resolved")
            node.channels.forget(channel)
