"""Channels whose funding output was spent: the master's side of onchaind.

Every fact (a transaction in a block that spends an output of the channel) is a row before onchaind hears of it. A
start, a reorganisation and a death of onchaind are one path: tell it the rows anew (`_engage`). What it answers is
harmless to hear twice, and an answer of an earlier telling (`epoch`) is not listened to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW
from pylightningd.common.channel.commitment_tx import commitment_number_of
from pylightningd.common.channel.from_wire import commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import NodeId, Outpoint, Txid, txid_hex
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.lightningd.backup.own_close import OwnCommitment, find_own_commitment
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.control.anchors import Anchors
from pylightningd.lightningd.control.claims import Claims
from pylightningd.lightningd.db.onchain_io import OnchainStore, Spend
from pylightningd.lightningd.wallet.coin import CloseInfo

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming, Link
    from pylightningd.lightningd.chain.watches import SpendWatch
    from pylightningd.lightningd.node import Node

WORKER = "onchaind"
REASONABLE_DEPTH = 3
"""Blocks after which an HTLC that died on the chain fails upstream, as CLN's."""
_WHO_CLOSED = {
    "Tracking our own unilateral close": "local",
    "Tracking mutual close transaction": "chain",
}
"""Whose transaction it is, by what onchaind says; else the peer's."""
_ON_CHAIN = (ChannelState.FUNDING_SPEND_SEEN, ChannelState.ONCHAIN)
_WITHOUT_POINT = ("OUTPUT_TO_US", "ANCHOR_TO_US", "ANCHOR_TO_THEM")
"""Outputs of a peer's commitment that are found whatever its per-commitment point is."""


class OnchainControl:
    """Broadcasts closes, tells onchaind what blocks hold, and does what it plans."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.store = OnchainStore(node.db)
        self.claims = Claims(node, self.store)
        self.anchors = Anchors(node, self.store)
        self.outputs: dict[int, tuple[ow.OnchainOutput, ...]] = {}
        """By channel: how each output stands."""
        self._told = 0
        self._epochs: dict[int, int] = {}
        """Channels that onchaind is, or is to be, told of, with the number of the last telling."""
        self._watches: dict[int, dict[Outpoint, SpendWatch]] = {}
        self._engaging: set[int] = set()
        self._telling: set[tuple[int, Txid, int]] = set()
        """Spends that onchaind is told of in this turn."""
        self._handlers: dict[type, Callable[[Channel, Any], None]] = {
            ow.OnchaindRecognised: self._on_recognised,
            ow.OnchaindWatch: self._on_watch,
            ow.OnchaindClaims: self._on_claims,
            ow.OnchaindUnclaim: self._on_unclaim,
            ow.OnchaindToUs: self._on_to_us,
            ow.OnchaindExtractedPreimage: self._on_preimage,
            ow.OnchaindHtlcGone: self._on_htlc_gone,
            ow.OnchaindProgress: self._on_progress,
            ow.OnchaindAllResolved: self._on_all_resolved,
        }

    # Start

    def start(self) -> None:
        """Follow blocks; take up channels that are on the chain. Before anything watches their funding outputs."""
        node = self._node
        node.chain.on_block(self._on_block)
        node.chain.on_reorg(self._on_reorg)
        for channel in node.channels:
            if channel.state not in _ON_CHAIN:
                continue
            channel.worker = WORKER
            spend = self.store.spend_of(channel.dbid, channel.static.funding)
            if spend is not None:
                self._log(
                    channel,
                    "info",
                    f"Restarting onchaind ({channel.state.name}): closed in block {spend.height}",
                )
                self._engage_soon(channel)

    def spent_since(self, channel: Channel) -> int | None:
        """The block that spent a funding output, where that is known."""
        if channel.state not in _ON_CHAIN:
            return None
        spend = self.store.spend_of(channel.dbid, channel.static.funding)
        return None if spend is None else spend.height

    async def greet(self, link: Link) -> None:
        """An onchaind runs: the first, or another after one died."""
        link.on_message = self.on_message
        link.send(ow.OnchaindInit(network=self._node.network.name))
        for dbid in list(self._epochs):
            channel = self._node.channels.get(dbid)
            if channel is not None:
                self._engage_soon(channel)

    async def died(self) -> None:
        """Its successor is told all anew."""

    # Broadcasting closes

    async def broadcast_commitment(self, channel: Channel, tx: Tx) -> None:
        """Our own commitment goes out."""
        await self._node.chain.broadcast(tx, owner=("close", channel.dbid), allow_high_fees=True)
        self._node.closing.resolve(channel, tx, "unilateral")
        self.anchors.mind(channel, tx)

    async def broadcast_mutual(self, channel: Channel, tx: Tx) -> None:
        """The close that both signed goes out."""
        await self._node.chain.broadcast(tx, owner=("close", channel.dbid))

    # Facts; in turns

    def funding_spent(self, dbid: int, tx: Tx, _index: int, height: int) -> None:
        """A transaction that spends the funding output is in a block."""
        node = self._node
        channel = node.channels.get(dbid)
        if channel is None or channel.state is ChannelState.CLOSED:
            return
        spend = Spend(channel.static.funding, tx, height)
        if self.store.spend_of(dbid, channel.static.funding) == spend and dbid in self._epochs:
            return
        self.store.put_spend(dbid, spend)
        node.moves.channel_closed(channel, tx, height)
        message = f"Funding output spent by {txid_hex(tx.txid())}"
        node.channels.close_step(channel, "chain", "funding_spent", message, tx.txid(), height)
        if channel.state not in _ON_CHAIN:
            channel.closer = channel.closer or "remote"
            node.workers.release(channel)
            node.channels.set_state(
                channel,
                ChannelState.FUNDING_SPEND_SEEN,
                Cause.ONCHAIN,
                message,
            )
            node.channel_gossip.channel_changed(channel)
        node.closing.seen_on_chain(channel, tx)
        channel.worker = WORKER
        self._epochs.setdefault(dbid, 0)
        node.turn.after_commit(partial(self._engage_soon, channel))

    def point_known(self, channel: Channel) -> None:
        """The peer has told the point of its commitment, which may be on the chain already. Inside a turn."""
        if channel.state in _ON_CHAIN:
            self._node.turn.after_commit(partial(self._engage_soon, channel))

    def explains(self, channel: Channel) -> bool:
        """Whether a commitment is on the chain, and we need no other point to know its outputs, or cannot tell yet."""
        if channel.state not in _ON_CHAIN:
            return False
        outputs = self.outputs.get(channel.dbid)
        return outputs is None or any(o.kind not in _WITHOUT_POINT for o in outputs)

    def preimage_known(self, channel: Channel, htlc: LiveHtlc) -> None:
        """A preimage came for an HTLC of a channel that is on chain."""
        link = self._node.fleet.get(WORKER)
        if link is not None and htlc.preimage is not None and channel.dbid in self._epochs:
            self._node.turn.send(
                link, ow.OnchaindPreimage(dbid=channel.dbid, preimage=htlc.preimage)
            )

    def _spent(self, dbid: int, outpoint: Outpoint, tx: Tx, _index: int, height: int) -> None:
        """A block holds a spend of an output that onchaind watches."""
        txid = tx.txid()
        if self.store.spender_of(dbid, outpoint) == (txid, height):
            return
        self.store.put_spend(dbid, Spend(outpoint, tx, height), txid)
        self.claims.drop(dbid, outpoint)
        # One transaction may spend hundreds of them: onchaind looks at all its inputs at once.
        told = dbid, txid, height
        if told in self._telling:
            return
        self._telling.add(told)
        self._node.turn.after_commit(self._telling.clear)
        self._node.turn.on_rollback(self._telling.clear)
        link = self._node.fleet.get(WORKER)
        if link is not None:
            self._node.turn.send(
                link, ow.OnchaindSpent(dbid=dbid, tx=tx.serialize(), height=height)
            )

    def _on_block(self, height: int, _block: object) -> None:
        node = self._node
        link = node.fleet.get(WORKER) if self._epochs else None
        if link is not None:
            node.turn.send(link, ow.OnchaindBlock(height=height))
        node.turn.after_commit(partial(self.claims.on_block, height))
        node.turn.after_commit(partial(self.anchors.on_block, height))

    def _on_reorg(self, height: int) -> None:
        node = self._node
        for dbid in self.store.undo_block(height):
            channel = node.channels.get(dbid)
            if channel is None:
                continue
            self._log(channel, "unusual", "Chain reorganization!")
            if self.store.spend_of(dbid, channel.static.funding) is None:
                self._unspent(channel)
            else:
                node.turn.after_commit(partial(self._engage_soon, channel))

    def _unspent(self, channel: Channel) -> None:
        """The funding output is not spent any more: wait for the next transaction that does."""
        node = self._node
        self._let_go(channel)
        if channel.state in _ON_CHAIN:
            node.channels.set_state(
                channel,
                ChannelState.AWAITING_UNILATERAL,
                Cause.ONCHAIN,
                "Chain reorganization: the spend of the funding output is gone",
            )
            # Whatever it was that spent it, it may never come again.
            events, agreed = node.channel_events, node.closing.agreed_tx(channel)
            if agreed is not None:
                node.turn.after_commit(partial(node.closing.broadcast_again, channel, agreed))
            elif not events.must_not_broadcast(channel):
                node.turn.after_commit(partial(events.broadcast_soon, channel))

    # Telling onchaind

    def _engage_soon(self, channel: Channel) -> None:
        if channel.dbid not in self._engaging:
            self._engaging.add(channel.dbid)
            self._epochs.setdefault(channel.dbid, 0)
            self._node.attempt(self._engage(channel), f"onchaind for channel {channel.dbid}")

    async def _engage(self, channel: Channel) -> None:
        """Tell onchaind all that is known of a channel."""
        node = self._node
        try:
            link = await node.fleet.need(WORKER)
            await node.hsm.ask(hw.HsmdSetupChannel(channel=channel.static))
            number = channel.next_local_commitment - 1
            reply = await node.hsm.ask(
                hw.HsmdGetPerCommitmentPoint(dbid=channel.dbid, number=number)
            )
            own = await self._own_of_stub(channel)
        finally:
            self._engaging.discard(channel.dbid)
        await node.turn.do(lambda: self._tell(channel, link, reply.point, own))

    async def _own_of_stub(self, channel: Channel) -> OwnCommitment | None:
        """Of a channel from a backup: the spend, if it is a commitment that we broadcast before data was lost."""
        spend = self.store.spend_of(channel.dbid, channel.static.funding)
        if not channel.is_stub or spend is None:
            return None
        return await find_own_commitment(self._node, channel.static, spend.tx)

    def _tell(
        self, channel: Channel, link: Link, local_point: bytes, own: OwnCommitment | None
    ) -> None:
        dbid, turn = channel.dbid, self._node.turn
        spends = self.store.spends(dbid)
        funding = next((s for s in spends if s.outpoint == channel.static.funding), None)
        if funding is None:
            return
        self._told += 1
        self._epochs[dbid] = self._told
        self._forget_watches(dbid)
        self.claims.drop_all(dbid)
        if channel.state is ChannelState.FUNDING_SPEND_SEEN:
            # Before onchaind can say a word: those who read the log look for its plans after this line.
            self._node.channels.set_state(
                channel, ChannelState.ONCHAIN, Cause.UNKNOWN, "Onchain init reply"
            )
        message = self._channel_message(channel, funding, local_point)
        if own is not None:
            message = replace(
                message,
                channel=own.static,
                local_tx=message.tx,
                local_number=own.number,
                local_point=own.point,
            )
        turn.send(link, message)
        told: set[Txid] = set()
        for spend in spends:
            txid = spend.tx.txid()
            if spend is not funding and txid not in told:
                told.add(txid)
                turn.send(
                    link,
                    ow.OnchaindSpent(dbid=dbid, tx=spend.tx.serialize(), height=spend.height),
                )

    def _channel_message(
        self, channel: Channel, funding: Spend, local_point: bytes
    ) -> ow.OnchaindChannel:
        node, dbid = self._node, channel.dbid
        htlcs = [self._htlc(h) for h in channel.htlcs.values()]
        if self._may_be_revoked(channel, funding.tx):
            htlcs += self.store.old_htlcs(dbid)
        feerates = {channel.local_feerate(), *(f.feerate_perkw for f in channel.fees)}
        return ow.OnchaindChannel(
            epoch=self._epochs[dbid],
            channel=channel.static,
            tx=funding.tx.serialize(),
            height=funding.height,
            tip=node.chain.height,
            local_number=channel.next_local_commitment - 1,
            local_point=local_point,
            local_tx=channel.last_tx,
            local_feerates=tuple(sorted(feerates)),
            htlc_signatures=channel.last_htlc_sigs,
            revocations_received=channel.revocations_received,
            signed_remote=channel.next_remote_commitment - 1,
            remote_current_point=channel.remote_current_point,
            remote_next_point=channel.remote_next_point,
            future_remote_point=channel.future_remote_point,
            shachain=channel.shachain,
            local_shutdown_script=channel.local_shutdown_script,
            remote_shutdown_script=channel.remote_shutdown_script,
            reasonable_depth=REASONABLE_DEPTH,
            # Not what is demanded just now: what is dust then is given up for good.
            min_feerate_perkw=FEERATE_FLOOR_PERKW,
            htlcs=tuple(htlcs),
        )

    def _may_be_revoked(self, channel: Channel, tx: Tx) -> bool:
        if channel.last_tx and tx.txid() == Tx.parse(channel.last_tx).txid():
            return False
        params = commitment_params(channel.static, Side.REMOTE)
        number = commitment_number_of(tx, params.obscuring_factor)
        return number is not None and number < channel.revocations_received

    def _htlc(self, htlc: LiveHtlc) -> ow.OnchainHtlc:
        deadline = htlc.cltv_expiry
        if htlc.offered_by_us:
            # Whom it serves says how long there is time; for our own payments there is no hurry.
            incoming = None
            if htlc.origin_htlc is not None:
                incoming = self._node.channels.store.htlc_by_row(htlc.origin_htlc)
            deadline = 0 if incoming is None else incoming.cltv_expiry
        return ow.OnchainHtlc(
            id=htlc.id,
            offered_by_us=htlc.offered_by_us,
            amount=htlc.amount,
            payment_hash=htlc.payment_hash,
            cltv_expiry=htlc.cltv_expiry,
            preimage=htlc.preimage,
            live=True,
            deadline=deadline,
        )

    # What onchaind plans

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of onchaind."""
        for incoming in batch:
            self._node.turn.submit(partial(self._handle, incoming.msg))

    def _handle(self, msg: Any) -> None:
        handler = self._handlers.get(type(msg))
        if handler is None:
            raise TypeError(f"onchaind sent {msg.NAME}")
        channel = self._node.channels.get(msg.dbid)
        if channel is not None and self._epochs.get(msg.dbid) == msg.epoch:
            handler(channel, msg)

    def _on_recognised(self, channel: Channel, msg: ow.OnchaindRecognised) -> None:
        node = self._node
        kept = [line for line in channel.status if not line.startswith("ONCHAIN:")]
        channel.status = [*kept[-1:], f"ONCHAIN:{msg.status}"]
        spend = self.store.spend_of(channel.dbid, channel.static.funding)
        if spend is not None:
            closed_by = _WHO_CLOSED.get(msg.status.split(":")[0], "remote")
            node.channels.close_step(
                channel, closed_by, "recognised", msg.status, spend.tx.txid(), spend.height
            )
            # Whoever waits in close: the peer was faster, or nobody told us of the end of the negotiation.
            kind = "mutual" if msg.status.startswith("Tracking mutual") else "unilateral"
            if kind == "mutual":
                node.moves.mutually_closed(channel, spend.tx, spend.height)
            node.turn.after_commit(partial(node.closing.resolve, channel, spend.tx, kind))

    def _on_progress(self, channel: Channel, msg: ow.OnchaindProgress) -> None:
        self.outputs[channel.dbid] = msg.outputs
        self._node.moves.outputs(channel, msg.outputs)
        kept = [s for s in channel.status if not s.startswith("ONCHAIN:")][-1:]
        kept += [s for s in channel.status if s.startswith("ONCHAIN:")][:1]
        channel.status = [*kept, f"ONCHAIN:{msg.status}"]

    def _on_watch(self, channel: Channel, msg: ow.OnchaindWatch) -> None:
        watches = self._watches.setdefault(channel.dbid, {})
        for outpoint in msg.outpoints:
            if outpoint not in watches:
                known = self.store.spender_of(channel.dbid, outpoint)
                watches[outpoint] = self._node.chain.watch_spend(
                    outpoint,
                    partial(self._spent, channel.dbid, outpoint),
                    since_height=msg.height if known is None else None,
                )

    def _on_claims(self, channel: Channel, msg: ow.OnchaindClaims) -> None:
        spent = self.store.spent_outpoints(channel.dbid)
        self.claims.take(channel, tuple(c for c in msg.claims if c.outpoint not in spent))

    def _on_unclaim(self, channel: Channel, msg: ow.OnchaindUnclaim) -> None:
        self.claims.drop(channel.dbid, msg.outpoint)

    def _on_to_us(self, channel: Channel, msg: ow.OnchaindToUs) -> None:
        """Our balance in the peer's commitment: from now on a coin of the wallet."""
        self._log(channel, "debug", f"adding utxo to watch {msg.outpoint}, csv {msg.csv}")
        self._node.wallet.add_output(
            msg.outpoint,
            msg.amount,
            msg.script,
            0,
            msg.height,
            close=CloseInfo(channel.dbid, NodeId(channel.peer_id), msg.csv),
        )
        self._node.moves.deposit(msg.outpoint, msg.amount, msg.height, channel)

    def _on_preimage(self, channel: Channel, msg: ow.OnchaindExtractedPreimage) -> None:
        """The peer claimed an HTLC on the chain: whom it serves is paid at once."""
        node = self._node
        payment_hash = sha256(msg.preimage).digest()
        for htlc in list(channel.htlcs.values()):
            if htlc.offered_by_us and htlc.payment_hash == payment_hash and htlc.preimage is None:
                htlc.preimage = msg.preimage
                node.channels.store.save_htlc_resolution(htlc)
                node.switch.fulfilled_downstream(htlc, msg.preimage)

    def _on_htlc_gone(self, channel: Channel, msg: ow.OnchaindHtlcGone) -> None:
        htlc = channel.htlcs.get((True, msg.id))
        if htlc is not None and htlc.preimage is None:
            self._node.switch.lost_onchain(htlc, msg.why)

    def _on_all_resolved(self, channel: Channel, msg: ow.OnchaindAllResolved) -> None:
        node = self._node
        self._let_go(channel)
        self._settle_balance(channel, frozenset(msg.won))
        for htlc in channel.htlcs.values():
            if htlc.offered_by_us and htlc.preimage is None:
                node.switch.lost_onchain(htlc, "the channel is closed and resolved")
        self._log(channel, "info", "onchaind complete, forgetting peer")
        self.store.bury_htlcs(channel.dbid)
        self.store.forget(channel.dbid)
        node.channels.set_state(
            channel, ChannelState.CLOSED, Cause.ONCHAIN, "All outputs are resolved"
        )
        node.chain.forget_broadcasts(("close", channel.dbid))
        node.chain.forget_broadcasts(("onchain", channel.dbid))
        node.channels.forget(channel)

    def _settle_balance(self, channel: Channel, won: frozenset[int]) -> None:
        """The last balance counts HTLCs that the chain has settled: those we won, and those the peer has claimed."""
        ours = sum(
            h.amount.msat for h in channel.htlcs.values() if h.id in won and not h.offered_by_us
        )
        theirs = sum(
            h.amount.msat
            for h in channel.htlcs.values()
            if h.offered_by_us and h.preimage is not None
        )
        settled = max(0, channel.to_local.msat + ours - theirs)
        self._node.turn.on_rollback(lambda: self._node.channels.reload(channel.dbid))
        channel.to_local = Msat(settled)
        channel.to_remote = channel.capacity.to_msat() - channel.to_local
        channel.min_to_local = min(channel.min_to_local, channel.to_local)
        channel.max_to_local = max(channel.max_to_local, channel.to_local)

    def _let_go(self, channel: Channel) -> None:
        """onchaind and the claims have no more to do with it."""
        dbid = channel.dbid
        if self._epochs.pop(dbid, None) is not None:
            link = self._node.fleet.get(WORKER)
            if link is not None:
                self._node.turn.send(link, ow.OnchaindForget(dbid=dbid))
        self._forget_watches(dbid)
        self.claims.drop_all(dbid)
        self.outputs.pop(dbid, None)
        channel.worker = None

    def _forget_watches(self, dbid: int) -> None:
        for watch in self._watches.pop(dbid, {}).values():
            watch.cancel()

    def _log(self, channel: Channel, level: str, text: str) -> None:
        self._node.log(level, text, peer_id=channel.peer_id, dbid=channel.dbid)
