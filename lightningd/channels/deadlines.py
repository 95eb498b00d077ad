"""HTLC deadlines: at each block, which channels must go to the chain, and what must fail upstream (BOLT 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import WITH_PEER, Cause, ChannelState

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

GRACE_BLOCKS = 1
"""Blocks that the peer is given after an HTLC we offered has expired."""
UPSTREAM_BLOCKS = 3
"""Blocks before the incoming HTLC expires at which an unresolved outgoing one is given up."""


def out_deadline(htlc: LiveHtlc) -> int:
    """Height at which a channel fails over an HTLC that we offered."""
    # BOLT 2, "`cltv_expiry_delta` Selection": the deadline for offered HTLCs, a grace period after cltv_expiry.
    return htlc.cltv_expiry + GRACE_BLOCKS


def in_deadline(htlc: LiveHtlc, cltv_delta: int) -> int:
    """Height at which a channel fails over a received HTLC whose preimage we know."""
    # BOLT 2, "`cltv_expiry_delta` Selection": the deadline for received HTLCs; as CLN, half of our cltv_delta.
    return htlc.cltv_expiry - (cltv_delta + 1) // 2


class Deadlines:
    """Looks at every channel's HTLCs in each block's turn."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def on_block(self, height: int) -> None:
        """Inside a turn."""
        for channel in self._node.channels:
            if not channel.htlcs:
                continue
            if channel.state in WITH_PEER:
                self._check(channel, height)
            elif channel.state is not ChannelState.CLOSED:
                for htlc in list(channel.htlcs.values()):
                    self._protect_upstream(channel, htlc, height)

    def _check(self, channel: Channel, height: int) -> None:
        delta = self._node.settings.cltv_delta
        for htlc in channel.htlcs.values():
            if htlc.offered_by_us:
                hit, word = height >= out_deadline(htlc), "Offered"
            else:
                hit = htlc.preimage is not None and height >= in_deadline(htlc, delta)
                word = "Fulfilled"
            if hit:
                # BOLT 2, "`cltv_expiry_delta` Selection": MUST fail the channel.
                self._node.channel_events.permanent_failure(
                    channel,
                    Cause.PROTOCOL,
                    f"{word} HTLC {htlc.id} {htlc.state.name} cltv {htlc.cltv_expiry} hit deadline",
                )
                return

    def _protect_upstream(self, channel: Channel, htlc: LiveHtlc, height: int) -> None:
        """An outgoing HTLC that is stuck on the chain must not cost us the incoming channel as well."""
        if not htlc.offered_by_us or htlc.preimage is not None or htlc.origin_htlc is None:
            return
        node = self._node
        row = node.channels.store.htlc_by_row(htlc.origin_htlc)
        if row is None or height + UPSTREAM_BLOCKS < row.cltv_expiry:
            return
        upstream = node.channels.get(row.channel_dbid)
        incoming = None if upstream is None else upstream.htlcs.get((False, row.id))
        if (
            upstream is None
            or incoming is None
            or incoming.is_resolved
            or upstream.state not in WITH_PEER
        ):
            return
        node.log(
            "unusual",
            f"Abandoning unresolved onchain HTLC at block {height} (expired at {htlc.cltv_expiry})"
            f" to avoid peer closing incoming HTLC at block {row.cltv_expiry}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        node.switch.lost_onchain(htlc, "not resolved on chain in time")
