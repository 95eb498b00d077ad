"""Closing channels together with the peer: shutdown through channeld, then the fee through closingd."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.script import funding_script
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, Outpoint, txid_hex
from pylightningd.common.wire import closingd_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.channeld_wire import ChanneldShutdown, ChanneldWrongFunding
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import OPENING, Cause, ChannelState

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.lightningd.node import Node

_TRANSIENT = 0
HSMD_SIGN_CLOSE = 4
MAX_EARLY = 10
"""Messages of one peer that are kept for closingd until it has the channel."""


@dataclass(slots=True, kw_only=True)
class CloseWish:
    """What the caller of close asked for, while the node runs. A restart negotiates with defaults."""

    fee_negotiation_step: int = 50
    step_is_percent: bool = True
    feerange: tuple[int, int] | None = None
    """Least and most, sat per 1000 weight."""
    waiters: list[Any] = field(default_factory=list)


class ClosingControl:
    """The master's side of closingd, and the mutual part of close."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wishes: dict[int, CloseWish] = {}
        self._active: set[int] = set()
        self._routes: dict[int, int] = {}
        """By channel: the route that closingd was told of."""
        self._early: dict[int, list[bytes]] = {}

    # Beginning

    def start(self) -> None:
        """At start: mutual closes that both signed go out once more."""
        for channel in self._node.channels:
            if channel.wrong_funding is not None and channel.state is not ChannelState.CLOSED:
                self._watch_other_funding(channel, channel.wrong_funding)
            # A reorganisation puts a channel whose close was mined back to AWAITING_UNILATERAL.
            states = (ChannelState.CLOSINGD_COMPLETE, ChannelState.AWAITING_UNILATERAL)
            tx = self.agreed_tx(channel) if channel.state in states else None
            if tx is not None:
                self.broadcast_again(channel, tx)

    def agreed_tx(self, channel: Channel) -> Tx | None:
        """The close that both signed."""
        raw = self._node.channels.store.mutual_close(channel.dbid)
        tx = Tx.parse(raw) if raw else None
        return tx if tx is not None and tx.inputs[0].witness else None

    def broadcast_again(self, channel: Channel, tx: Tx) -> Tx:
        """Send the transaction of a complete close again; returns it. Outside turns."""
        node = self._node
        node.attempt(node.onchain.broadcast_mutual(channel, tx), f"mutual close {channel.dbid}")
        return tx

    def wish(self, channel: Channel) -> CloseWish:
        """What was asked for this channel's close."""
        return self._wishes.setdefault(channel.dbid, CloseWish())

    def own_script(self, channel: Channel) -> bytes:
        """Where our side is paid: what we promised at opening, or what the opener of the channel chose."""
        # BOLT 2, "Closing Initiation: `shutdown`": shutdown_scriptpubkey is the upfront one where that was given.
        if channel.local_upfront_shutdown_script:
            return channel.local_upfront_shutdown_script
        if channel.close_to is not None:
            return channel.close_to
        return self._node.wallet.script_of(channel.final_key_index)

    def other_funding(self, channel: Channel, outpoint: Outpoint) -> None:
        """The opener has paid to another output than was negotiated: closing spends that one. Inside a turn.

        Whoever calls saves the channel.
        """
        before = channel.wrong_funding
        if before == outpoint:
            return
        self._node.turn.on_rollback(lambda: setattr(channel, "wrong_funding", before))
        channel.wrong_funding = outpoint
        self._watch_other_funding(channel, outpoint)

    def _watch_other_funding(self, channel: Channel, outpoint: Outpoint) -> None:
        """Its spend ends the channel as that of the negotiated output would."""
        node = self._node
        node.chain.watch_spend(
            outpoint,
            partial(self._other_funding_spent, channel.dbid),
            since_height=channel.first_block,
        )

    def _other_funding_spent(self, dbid: int, tx: Tx, index: int, height: int) -> None:
        """A transaction that spends that output is in a block. Inside a turn."""
        node = self._node
        channel = node.channels.get(dbid)
        if channel is None or channel.state is ChannelState.CLOSED:
            return
        static = channel.static
        ours = funding_script(
            static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey
        )
        seen = node.onchain.store.spend_of(dbid, static.funding)
        is_really_spent = seen is not None and any(
            i.outpoint == static.funding for i in seen.tx.inputs
        )
        # The peer may name any output, also one of its own: only a spend that needed our signature closes anything.
        if tx.inputs[index].witness[-1:] != (ours,) or is_really_spent:
            node.log(
                "unusual",
                f"{txid_hex(tx.txid())} spends the wrong_funding output, but is no close of this channel",
                peer_id=channel.peer_id,
                dbid=dbid,
            )
            return
        node.onchain.funding_spent(dbid, tx, index, height)

    def begin(
        self, channel: Channel, script: bytes | None, wrong_funding: Outpoint | None = None
    ) -> None:
        """Send shutdown, now or once the peer is back. Inside a turn."""
        node = self._node
        if channel.inflight is not None and not channel.inflight.is_whole:
            raise UserError(
                -1,
                "The funding transaction still lacks signatures, so there is no channel to close: see openchannel_abort",
            )
        if wrong_funding is not None:
            self.other_funding(channel, wrong_funding)
            node.workers.send(
                channel, ChanneldWrongFunding(dbid=channel.dbid, outpoint=wrong_funding)
            )
        if not channel.local_shutdown_script:
            channel.local_shutdown_script = script or self.own_script(channel)
        channel.closer = channel.closer or "local"
        if channel.state is ChannelState.CHANNELD_NORMAL or channel.state in OPENING:
            node.channels.set_state(
                channel,
                ChannelState.CHANNELD_SHUTTING_DOWN,
                Cause.USER,
                "User or plugin invoked close command",
            )
        else:
            node.channels.store.save(channel)
        node.workers.send(
            channel, ChanneldShutdown(dbid=channel.dbid, script=channel.local_shutdown_script)
        )
        node.channel_gossip.channel_changed(channel)

    # Negotiation

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of closingd."""
        for incoming in batch:
            self._node.turn.submit(partial(self._handle, incoming))

    def _handle(self, incoming: Incoming) -> None:
        msg: Any = incoming.msg
        if incoming.request_id:
            self._node.turn.on_rollback(lambda: incoming.refuse("the node could not store it"))
        channel = self._node.channels.get(msg.dbid)
        if channel is None:
            return
        match msg:
            case cw.ClosingdGotSignature():
                self._on_signature(channel, msg, incoming)
            case cw.ClosingdDone():
                self._on_done(channel, msg)
            case cw.ClosingdFailed():
                self._on_failed(channel, msg)
            case _:
                raise TypeError(f"closingd sent {msg.NAME}")

    def shutdown_complete(self, channel: Channel) -> None:
        """Both said shutdown and no HTLC is left: agree on the fee. Inside a turn."""
        node = self._node
        if channel.state is ChannelState.CHANNELD_SHUTTING_DOWN:
            node.channels.set_state(
                channel, ChannelState.CLOSINGD_SIGEXCHANGE, Cause.UNKNOWN, "Start closingd"
            )
        self._active.add(channel.dbid)
        peer = node.peers.of(channel.peer_id)
        connection = peer.connection
        node.turn.after_commit(
            lambda: node.attempt(
                self._start(channel, connection),
                f"closing {channel.dbid}",
                lambda why: node.peers.disconnect(peer, why),
            )
        )

    async def _start(self, channel: Channel, connection: int | None) -> None:
        node = self._node
        await node.fleet.need("closingd")
        node.hsm.send(
            hw.HsmdAssignChannel(
                link_id=node.fleet.link_id("closingd", "hsmd"),
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
        )
        await node.hsm.ask(hw.HsmdSetupChannel(channel=channel.static))

        def start() -> None:
            peer = node.peers.of(channel.peer_id)
            if peer.connection is None or peer.connection != connection:
                return
            route_id = node.peers.route(peer, channel.channel_id, "closingd")
            channel.route_id = self._routes[channel.dbid] = route_id
            node.fleet.tell("closingd", self._start_message(channel, route_id))
            for raw in self._early.pop(channel.dbid, ()):
                node.fleet.tell("closingd", cw.ClosingdPeerMsg(dbid=channel.dbid, msg=raw))

        await node.turn.do(start)

    def early_message(self, channel: Channel, raw: bytes) -> None:
        """A closing_signed overtook the change of route. Inside a turn."""
        route_id = channel.route_id
        if route_id is None:
            return  # of a connection that has ended since
        if self._routes.get(channel.dbid) == route_id:
            self._node.fleet.tell("closingd", cw.ClosingdPeerMsg(dbid=channel.dbid, msg=raw))
            return
        early = self._early.setdefault(channel.dbid, [])
        if len(early) < MAX_EARLY:
            early.append(raw)

    def _start_message(self, channel: Channel, route_id: int) -> cw.ClosingdStart:
        node, wish = self._node, self.wish(channel)
        feerates = node.chain.feerates
        preferred = feerates.get("mutual_close") or channel.local_feerate()
        low, high = feerates.min_acceptable, max(preferred, channel.local_feerate())
        if wish.feerange is not None:
            low, high = wish.feerange
            preferred = min(max(preferred, low), high)
        return cw.ClosingdStart(
            channel=channel.static,
            route_id=route_id,
            to_local=channel.to_local,
            to_remote=channel.to_remote,
            local_script=channel.local_shutdown_script,
            remote_script=channel.remote_shutdown_script,
            feerate_min_perkw=min(low, preferred),
            feerate_preferred_perkw=preferred,
            feerate_max_perkw=max(high, preferred),
            fee_negotiation_step=wish.fee_negotiation_step,
            step_is_percent=wish.step_is_percent,
            use_fee_range=True,
            wrong_funding=channel.wrong_funding,
        )

    def _on_signature(
        self, channel: Channel, msg: cw.ClosingdGotSignature, incoming: Incoming
    ) -> None:
        """The peer signed a closing transaction that it may broadcast once we sign too: remember it, unsigned."""
        if channel.state is not ChannelState.CLOSINGD_COMPLETE:
            self._node.channels.store.save_mutual_close(channel, msg.tx)
        self._node.turn.reply(incoming, cw.ClosingdGotSignatureReply())

    def _on_done(self, channel: Channel, msg: cw.ClosingdDone) -> None:
        node = self._node
        tx = Tx.parse(msg.tx)
        if channel.state is ChannelState.CLOSINGD_SIGEXCHANGE:
            node.channels.set_state(
                channel, ChannelState.CLOSINGD_COMPLETE, Cause.UNKNOWN, "Closing complete"
            )
        channel.close_cause = channel.close_cause or "mutual close"
        node.channels.store.save_mutual_close(channel, msg.tx)
        self._active.discard(channel.dbid)
        node.turn.after_commit(lambda: self._finish(channel, tx))

    def _finish(self, channel: Channel, tx: Tx) -> None:
        node = self._node
        node.attempt(node.onchain.broadcast_mutual(channel, tx), f"mutual close {channel.dbid}")
        self.resolve(channel, tx, "mutual")

    def resolve(self, channel: Channel, tx: Tx, kind: str) -> None:
        """Tell whoever waits in close."""
        wish = self._wishes.pop(channel.dbid, None)
        for future in wish.waiters if wish is not None else ():
            if not future.done():
                future.set_result((tx, kind))

    def seen_on_chain(self, channel: Channel, tx: Tx) -> None:
        """Somebody's close is in a block: whoever waits in close has waited enough. Inside a turn."""
        candidate = self._node.channels.store.mutual_close(channel.dbid)
        mutual = bool(candidate) and Tx.parse(candidate).txid() == tx.txid()
        kind = "mutual" if mutual else "unilateral"
        self._node.turn.after_commit(lambda: self.resolve(channel, tx, kind))

    def _on_failed(self, channel: Channel, msg: cw.ClosingdFailed) -> None:
        self._active.discard(channel.dbid)
        if msg.kind == _TRANSIENT:
            self._node.channel_events.transient_failure(channel, msg.reason, worker_hangs_up=True)
        else:
            self._node.channel_events.permanent_failure(channel, Cause.REMOTE, msg.reason)

    def peer_gone(self, peer_id: NodeId) -> None:
        """The connection ended: negotiation starts anew on the next. Inside a turn."""
        for channel in self._node.channels.of_peer(peer_id):
            self._active.discard(channel.dbid)
            self._routes.pop(channel.dbid, None)
            self._early.pop(channel.dbid, None)

    def closingd_died(self) -> None:
        """Every negotiation starts anew after a reconnect. Inside a turn."""
        for dbid in list(self._active):
            channel = self._node.channels.get(dbid)
            if channel is not None:
                self._node.channel_events.transient_failure(channel, "closingd stopped")
        self._active.clear()


def fee_of(channel: Channel, tx: Tx) -> Sat:
    """What a transaction that spends the funding output pays."""
    return channel.capacity - Sat(sum(output.amount.sat for output in tx.outputs))
