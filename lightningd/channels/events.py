"""What happens to a channel as a whole: funding confirms, it fails, it must go to the chain.

`permanent_failure` is the only way to a unilateral close, whatever the cause, and it happens once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin.script import funding_script, funding_witness
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import funding_sighash
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ShortChannelId, txid_hex
from pylightningd.common.keys import sig_to_der, verify_compact
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.channeld_wire import ChanneldFeerates, ChanneldFundingDepth
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.own_gossip import ANNOUNCE_DEPTH
from pylightningd.lightningd.channels.states import (
    CAN_CLOSE_UNILATERALLY,
    OPENING,
    WITH_PEER,
    Cause,
    ChannelState,
)
from pylightningd.lightningd.control.workers import fee_bounds

if TYPE_CHECKING:
    from pylightningd.lightningd.chain.watches import TxWatch
    from pylightningd.lightningd.node import Node

_SIGHASH_ALL = 1


class ChannelEvents:
    """Funding, failures and unilateral closes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._funding: dict[int, TxWatch] = {}

    def start(self) -> None:
        """Watch every channel's funding output, and finish unilateral closes a crash cut short."""
        for channel in self._node.channels:
            self.watch_funding(channel)
            if (
                channel.state is ChannelState.AWAITING_UNILATERAL
                and not self.must_not_broadcast(channel)
                and self._node.closing.agreed_tx(channel) is None
            ):
                self.broadcast_soon(channel)

    # Funding

    def watch_funding(self, channel: Channel) -> None:
        """Hear of the funding transaction's depth and of its output being spent."""
        chain, scid = self._node.chain, channel.short_channel_id
        self._funding[channel.dbid] = chain.watch_tx(
            channel.static.funding.txid,
            partial(self._depth, channel.dbid),
            height=None if scid is None else scid.block,
            tx_index=None if scid is None else scid.tx_index,
            since_height=channel.first_block,
            enough=max(channel.minimum_depth, ANNOUNCE_DEPTH),
        )
        chain.watch_spend(
            channel.static.funding,
            partial(self._node.onchain.funding_spent, channel.dbid),
            since_height=self._spend_not_before(channel),
        )

    def _spend_not_before(self, channel: Channel) -> int:
        """The first block that may spend the funding output."""
        known: int | None = self._node.onchain.spent_since(channel)
        if known is not None:
            return known
        scid = channel.short_channel_id
        return channel.first_block if scid is None else scid.block

    def opened(self, channel: Channel) -> None:
        """A channel has just become durable."""
        self._node.turn.notify(
            "channel_opened",
            {
                "id": channel.peer_id.hex(),
                "funding_msat": channel.capacity.to_msat().msat,
                "funding_txid": txid_hex(channel.static.funding.txid),
                "channel_ready": False,
            },
        )

    def _depth(self, dbid: int, depth: int) -> None:
        """The funding transaction has `depth` confirmations (0: a reorganisation took it out). In a turn."""
        channel = self._node.channels.get(dbid)
        if channel is None or channel.state not in WITH_PEER:
            return
        before = channel.depth
        self._node.turn.on_rollback(lambda: setattr(channel, "depth", before))
        channel.depth = depth
        watch = self._funding[dbid]
        if depth > 0 and watch.height is not None and watch.tx_index is not None:
            if channel.state is ChannelState.DUALOPEND_OPEN_COMMITTED:
                self._node.dual.await_lockin(channel)  # the peer had all signatures, and sent it
            self._learn_scid(channel, watch.height, watch.tx_index)
            if channel.inflight is not None and channel.state not in OPENING:
                # It was in use before: until now another spend of an input could have ended it.
                self._node.dual.locked_in(channel)
        self._node.workers.send(
            channel,
            ChanneldFundingDepth(
                dbid=dbid,
                depth=depth,
                short_channel_id=channel.short_channel_id,
                local_alias=channel.local_alias,
            ),
        )
        self._node.channel_gossip.depth_changed(channel)

    def _learn_scid(self, channel: Channel, block: int, tx_index: int) -> None:
        scid = ShortChannelId.make(block, tx_index, channel.static.funding.index)
        if scid == channel.short_channel_id:
            return
        if channel.short_channel_id is not None:
            self._node.log(
                "unusual",
                f"Short channel id changes from {channel.short_channel_id} to {scid}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
        self._node.channels.name_scid(channel, scid)
        if channel.state not in OPENING:
            # It was in use before its funding was in a block.
            self._node.moves.channel_open(channel, with_push=False)
        self._node.channels.store.save(channel)

    def reestablished(self, channel: Channel) -> None:
        """The channel is in step with the peer again."""
        self._say(channel, "Reconnected, and reestablished.")

    def fee_limits_changed(self, channel: Channel) -> None:
        """Tell the worker which feerates the peer may choose, and which we want. Inside a turn."""
        low, high = fee_bounds(self._node, channel)
        self._node.workers.send(
            channel,
            ChanneldFeerates(
                dbid=channel.dbid,
                feerate_perkw=self.wanted_feerate(channel),
                feerate_min_perkw=low,
                feerate_max_perkw=high,
            ),
        )

    def wanted_feerate(self, channel: Channel) -> int:
        """What our side, as opener, wants commitments to pay; what they pay now where nothing is known."""
        feerates, settings = self._node.chain.feerates, self._node.settings
        if channel.channel_type.has_anchors:
            return feerates.get("unilateral_anchor_close") or channel.remote_feerate()
        rate = feerates.get("unilateral_close")
        return channel.remote_feerate() if rate is None else rate + settings.feerate_offset_perkw

    def feerates_changed(self) -> None:
        """New estimates came: every channel with a worker hears of them. Outside turns."""

        def tell_all() -> None:
            for channel in self._node.channels:
                if channel.state in WITH_PEER:
                    self.fee_limits_changed(channel)

        self._node.turn.submit(tell_all)

    # Failures

    def transient_failure(
        self, channel: Channel, reason: str, *, worker_hangs_up: bool = False
    ) -> None:
        """The connection must be made anew; the channel itself is well.

        `worker_hangs_up`: whoever tells us has asked connectd to disconnect, behind its last words to the peer.
        """
        node = self._node
        node.log(
            "info",
            f"Peer transient failure in {channel.state.name}: {reason}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        self._say(channel, reason)
        peer = node.peers.of(channel.peer_id)
        if worker_hangs_up:
            # Our own order could overtake the worker's warning.
            node.turn.after_commit(lambda: node.peers.disconnect_later(peer, reason))
        else:
            node.turn.after_commit(lambda: node.peers.disconnect(peer, reason))

    def lost_state(self, channel: Channel, reason: str) -> None:
        """The peer, or hsmd, proves that our data is old: we never broadcast, the peer must close. Inside a turn."""
        node = self._node
        was = channel.future_remote_point, channel.close_cause, channel.closer
        node.turn.on_rollback(lambda: _put_back(channel, was))
        if channel.future_remote_point is None:
            channel.future_remote_point = channel.remote_next_point or channel.remote_current_point
        node.log(
            "unusual",
            f"Peer permanent failure in {channel.state.name}: {reason} (reason=local)",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        channel.close_cause = reason
        channel.closer = channel.closer or "local"
        if channel.state in WITH_PEER:
            node.channels.set_state(
                channel, ChannelState.AWAITING_UNILATERAL, Cause.PROTOCOL, reason
            )
        else:
            node.channels.store.save(channel)
        self.say_lost(channel)
        node.workers.release(channel)

    def say_lost(self, channel: Channel) -> None:
        """The status line of a channel that only the peer can close."""
        self._say(
            channel,
            f"{channel.close_cause}. We never broadcast: waiting for the peer to close the channel",
        )

    def must_not_broadcast(self, channel: Channel) -> bool:
        """Whether our newest commitment may be an old one, which the peer could punish."""
        return channel.only_peer_closes

    def permanent_failure(self, channel: Channel, cause: Cause, reason: str) -> None:
        """Close unilaterally: once, whoever asks and however often. Inside a turn."""
        node = self._node
        if channel.state not in CAN_CLOSE_UNILATERALLY:
            return
        if channel.inflight is not None and node.dual.may_forget(channel):
            node.dual.forget(channel, cause, reason)
            return
        if channel.state is ChannelState.CLOSINGD_COMPLETE:
            self._failed_after_mutual_close(channel, reason)
            return
        word = {Cause.PROTOCOL: "protocol", Cause.REMOTE: "remote", Cause.USER: "user"}
        node.log(
            "unusual",
            f"Peer permanent failure in {channel.state.name}: {reason}"
            f" (reason={word.get(cause, 'local')})",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        if channel.state is ChannelState.AWAITING_UNILATERAL:
            return
        channel.close_cause = reason
        channel.closer = channel.closer or ("remote" if cause is Cause.REMOTE else "local")
        node.channels.set_state(channel, ChannelState.AWAITING_UNILATERAL, cause, reason)
        self._say(channel, reason)
        node.workers.release(channel)
        node.channel_gossip.channel_changed(channel)
        if not self.must_not_broadcast(channel):
            node.turn.after_commit(partial(self.broadcast_soon, channel))

    def _failed_after_mutual_close(self, channel: Channel, reason: str) -> None:
        """The closing transaction is signed and out: the peer may well have forgotten the channel."""
        self._node.log(
            "debug",
            f"After the mutual close: {reason}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        self._node.workers.release(channel)

    def close_again(self, channel: Channel) -> None:
        """close of a channel that is on its way to the chain: send the commitment once more. In a turn.

        Raises UserError where the peer must close, since our data is old.
        """
        if self.must_not_broadcast(channel):
            raise UserError(
                -1,
                "We have lost data of this channel, so only the peer can close it: our commitment transaction may be "
                "an old one, which would cost all its funds",
            )
        self._node.turn.after_commit(partial(self.broadcast_soon, channel))

    def broadcast_soon(self, channel: Channel) -> None:
        """Our newest commitment goes out, and is minded. Outside turns; see `must_not_broadcast`."""

        def failed(why: str) -> None:
            self._node.log(
                "broken",
                f"Our commitment transaction could not be broadcast: {why}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )

        self._node.attempt(self._broadcast(channel), f"close channel {channel.dbid}", failed)

    async def signed_commitment(self, channel: Channel, *, for_chain: bool = True) -> Tx:
        """Our newest commitment transaction with both signatures, ready for the chain.

        From then on hsmd does not revoke it, unless it was not `for_chain`, but for a test to look at.
        """
        node, static = self._node, channel.static
        tx = Tx.parse(channel.last_tx)
        await node.hsm.ask(hw.HsmdSetupChannel(channel=static))
        reply = await node.hsm.ask(
            hw.HsmdSignLocalCommitment(
                dbid=channel.dbid,
                number=channel.next_local_commitment - 1,
                for_chain=for_chain,
                tx=channel.last_tx,
            )
        )
        ours, theirs = (
            static.local_basepoints.funding_pubkey,
            static.remote_basepoints.funding_pubkey,
        )
        script = funding_script(ours, theirs)
        digest = funding_sighash(tx, script, static.funding_amount)
        verify_compact(theirs, digest, channel.last_sig)
        witness = funding_witness(
            ours,
            sig_to_der(reply.signature, _SIGHASH_ALL),
            theirs,
            sig_to_der(channel.last_sig, _SIGHASH_ALL),
        )
        return tx.with_witness(0, witness)

    async def _broadcast(self, channel: Channel) -> None:
        tx = await self.signed_commitment(channel)
        await self._node.onchain.broadcast_commitment(channel, tx)

    def _say(self, channel: Channel, text: str) -> None:
        """A line of listpeerchannels' `status`, with what it is about."""
        channel.status = [*channel.status[-2:], f"{channel.state.name}:{text}"]


def _put_back(channel: Channel, was: tuple[bytes | None, str, str | None]) -> None:
    channel.future_remote_point, channel.close_cause, channel.closer = was
