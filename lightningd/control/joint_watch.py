"""Openings that will never be: another transaction spends an input of the funding transaction, deep enough."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.ids import Txid, txid_hex
from pylightningd.lightningd.channels.states import Cause

if TYPE_CHECKING:
    from pylightningd.common.bitcoin.tx import Tx
    from pylightningd.lightningd.chain.watches import Watch
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node

FORGET_DEPTH = 6
"""Confirmations of the other transaction: then no reorganisation is expected to bring ours back."""


class JointWatch:
    """Watches all inputs of funding transactions that both sides made, until the channels are locked in."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._watches: dict[int, list[Watch]] = {}

    def start(self) -> None:
        """Take up what the database has."""
        for channel in self._node.channels:
            self.watch(channel)

    def watch(self, channel: Channel) -> None:
        """Hear of it when an input is spent. Inside a turn, or at the start."""
        inflight = channel.inflight
        if inflight is None or channel.dbid in self._watches:
            return
        outpoints = inflight.outpoints(ours=True) + inflight.outpoints(ours=False)
        self._watches[channel.dbid] = [
            self._node.chain.watch_spend(
                outpoint, partial(self._spent, channel.dbid), since_height=channel.first_block
            )
            for outpoint in outpoints
        ]

    def forget(self, channel: Channel) -> None:
        """It is locked in, or over."""
        for watch in self._watches.pop(channel.dbid, ()):
            watch.cancel()

    def _spent(self, dbid: int, tx: Tx, _index: int, height: int) -> None:
        channel, txid = self._node.channels.get(dbid), tx.txid()
        if channel is None or txid == channel.static.funding.txid:
            return
        self._node.log(
            "unusual",
            f"{txid_hex(txid)} spends an input of the funding transaction {txid_hex(channel.static.funding.txid)}",
            peer_id=channel.peer_id,
            dbid=dbid,
        )
        watch = self._node.chain.watch_tx(
            txid, partial(self._deeper, dbid, txid), since_height=height, enough=FORGET_DEPTH
        )
        self._watches.setdefault(dbid, []).append(watch)

    def _deeper(self, dbid: int, txid: Txid, depth: int) -> None:
        channel = self._node.channels.get(dbid)
        if channel is None or depth < FORGET_DEPTH or channel.short_channel_id is not None:
            return
        reason = f"an input of the funding transaction was spent by {txid_hex(txid)}"
        if channel.htlcs:
            # A channel without confirmations was in use: what is owed in it is remembered.
            self._node.channel_events.permanent_failure(channel, Cause.ONCHAIN, reason)
            return
        # BOLT 2, "The `tx_abort` Message": not to be forgotten before an input of it is spent elsewhere.
        self._node.dual.forget(channel, Cause.ONCHAIN, reason)
