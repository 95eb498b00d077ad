"""Opening channels: what the master does while openingd talks to the peer.

Money rules. The funding transaction is signed by us before the peer signs our commitment, but it is broadcast
only after that commitment is on disk. The channel's row and the spent coins are written in one turn; from
then on a restart finishes the job: `wallet/start_io.py` broadcasts what no block holds, however the node stopped.
Until then nothing of an opening is on disk, and its coins are only reserved; the next start frees them
(`Wallet.release_cut_drafts`), for the signed transaction was nowhere but in our memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel_type import default_channel_type
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, ShortChannelId
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import ChannelConfig
from pylightningd.lightningd.channels.channel import Channel, Policy, StateChange
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.control.dualopend import DualControl, DualOpening
from pylightningd.lightningd.control.opening import LIGHTNINGD, Opening
from pylightningd.lightningd.control.workers import fee_bounds
from pylightningd.lightningd.rpc.errors import (
    FUNDING_BROADCAST_FAIL,
    FUNDING_PEER_NOT_CONNECTED,
)

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

UNROUTE_SECONDS = 5
"""How long a failed opening keeps its route, so that openingd's last words reach the peer."""


@dataclass(slots=True, kw_only=True)
class OpenRequest:
    """What the caller of fundchannel wants. Amounts are ours alone; feerate in sat per 1000 weight."""

    peer_id: NodeId
    amount: Sat
    push: Msat
    announce: bool
    commitment_feerate_perkw: int | None = None
    minimum_depth: int | None = None
    reserve: Sat | None = None
    close_to: bytes | None = None
    channel_type: bytes = b""


class OpeningControl:
    """The master's side of openingd."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.openings: dict[int, Opening] = {}
        self.dual = DualControl(node, self)

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of openingd."""
        for incoming in batch:
            self._node.turn.submit(partial(self._handle, incoming))

    def _handle(self, incoming: Incoming) -> None:
        if incoming.request_id:
            why = "the node could not store the channel"
            self._node.turn.on_rollback(lambda: incoming.refuse(why))
        match incoming.msg:
            case ow.OpeningdAccepted() as msg:
                opening = self.openings.get(msg.dbid)
                if opening is not None and opening.accepted is not None:
                    self._resolve(opening.accepted, msg)
            case ow.OpeningdDone() as msg:
                self._on_done(msg, incoming)
            case ow.OpeningdFailed() as msg:
                self._on_failed(msg.dbid, msg.reason)
            case ow.OpeningdPeerMsg() as msg:
                self._on_early_message(msg)
            case other:
                if self.dual.handle(incoming):
                    return
                raise TypeError(f"openingd sent {other.NAME}")

    def _on_early_message(self, msg: ow.OpeningdPeerMsg) -> None:
        """A fast peer's channel_ready came by the opening's route: channeld gets it with its own."""
        channel = self._node.channels.get(msg.dbid)
        if channel is None:
            self.dual.early_message(msg.dbid, msg.msg)
            return
        peer = self._node.peers.of(channel.peer_id)
        if channel.inflight is not None and channel.route_id is not None:
            # The peer's commitment_signed follows its tx_complete at once, so this is nothing unusual.
            self._node.workers.late_message(channel, channel.route_id, msg.msg)
        elif not self._node.peers.stash(peer, channel.channel_id, msg.msg):
            # Too late for that: after a reconnect the peer says it again.
            self._node.channel_events.transient_failure(
                channel, "a message overtook the change of route"
            )

    def _resolve(self, future: Any, value: object) -> None:
        self._node.turn.after_commit(lambda: future.done() or future.set_result(value))

    # Opener

    async def open(
        self,
        request: OpenRequest,
        make_tx: Callable[[bytes], Any],
        on_row: Callable[[Channel, Tx], None],
    ) -> tuple[Channel, Tx]:
        """Open a channel. Raises UserError with the peer's or our reason.

        `make_tx(script)` is awaited for the signed transaction and the index of its output that pays `amount`
        to the script. `on_row` is called in the turn that makes the channel durable (the coins are spent there).
        """
        node = self._node
        peer = node.peers.get(request.peer_id)
        if peer is None or peer.connection is None:
            raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer not connected")
        opening, points, first_point = await self.prepare(peer, we_are_opener=True)
        opening.close_to = request.close_to
        opening.accepted, opening.done = node.new_future(), node.new_future()
        try:
            await node.turn.do(lambda: self._send_open(peer, opening, request, points, first_point))
            accepted: ow.OpeningdAccepted = await opening.accepted
            tx, index = await make_tx(accepted.funding_scriptpubkey)
            opening.funding_tx = tx
            opening.on_done = lambda channel: on_row(channel, tx)
            funding = Outpoint(tx.txid(), index)
            self.link().send(ow.OpeningdFunding(dbid=opening.dbid, funding=funding))
            channel: Channel = await opening.done
        except BaseException as error:
            self.give_up(opening, str(error) or type(error).__name__)
            raise
        return channel, tx

    def link(self) -> Any:
        """To openingd. Raises UserError while it is being restarted."""
        link = self._node.fleet.get("openingd")
        if link is None:
            raise UserError(FUNDING_BROADCAST_FAIL, "openingd is being restarted; try again")
        return link

    async def prepare(self, peer: Peer, *, we_are_opener: bool) -> tuple[Opening, Any, bytes]:
        """A number and keys for a new channel: the opening, our basepoints, our first point. Raises UserError."""
        node = self._node
        await node.fleet.need("openingd")
        dbid = await node.turn.do(node.channels.store.next_dbid)
        key_index = await node.wallet.new_key_index()
        node.hsm.send(
            hw.HsmdAssignChannel(
                link_id=node.fleet.link_id("openingd", "hsmd"), peer_id=peer.id, dbid=dbid
            )
        )
        points = await node.hsm.ask(hw.HsmdGetBasepoints(peer_id=peer.id, dbid=dbid))
        first = await node.hsm.ask(hw.HsmdGetPerCommitmentPoint(dbid=dbid, number=0))
        if peer.connection is None:
            raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer disconnected")
        opening = Opening(
            dbid=dbid,
            peer_id=peer.id,
            connection=peer.connection,
            we_are_opener=we_are_opener,
            final_key_index=key_index,
            close_to=None,
        )
        self.openings[dbid] = opening
        return opening, points.basepoints, first.point

    def _send_open(
        self, peer: Peer, opening: Opening, request: OpenRequest, points: Any, first_point: bytes
    ) -> None:
        node = self._node
        temporary = node.config["dev-force-tmp-channel-id"] or ChannelId(node.entropy.take(32))
        opening.route_id = route_id = node.peers.route(peer, temporary, "openingd")
        feerate = request.commitment_feerate_perkw or self.commitment_feerate(peer)
        script = self.upfront_script(peer, opening, request.close_to)
        node.turn.send(
            self.link(),
            ow.OpeningdOpen(
                dbid=opening.dbid,
                route_id=route_id,
                peer_id=peer.id,
                temporary_channel_id=temporary,
                their_features=peer.features,
                limits=self.limits(request.amount, request.minimum_depth),
                basepoints=points,
                first_per_commitment_point=first_point,
                funding_amount=request.amount,
                push=request.push,
                feerate_perkw=feerate,
                announce=request.announce,
                channel_type=request.channel_type or self.channel_type(peer, request.announce),
                upfront_shutdown_script=script,
                wanted_reserve=request.reserve,
            ),
        )

    def channel_type(self, peer: Peer, announce: bool) -> bytes:
        """The type to ask for where the caller has no wish, as a feature bitmap."""
        ours = self._node.features["init"]
        kind = default_channel_type(ours, peer.features)
        # As CLN: a channel that is not announced is only ever named by aliases, if both can do that.
        hidden = not announce and ft.negotiated(ours, peer.features, ft.SCID_ALIAS)
        return kind.with_variant(scid_alias=hidden).encode()

    def commitment_feerate(self, peer: Peer) -> int:
        """What our first commitment pays, sat per 1000 weight: less where anchors can add to it."""
        node = self._node
        anchors = ft.negotiated(node.features["init"], peer.features, ft.ANCHORS_ZERO_FEE_HTLC)
        name = "unilateral_anchor_close" if anchors else "unilateral_close"
        return node.chain.feerates.need(name) + (
            node.settings.feerate_offset_perkw if not anchors else 0
        )

    def upfront_script(self, peer: Peer, opening: Opening, close_to: bytes | None) -> bytes:
        """Where our side must be paid to at a mutual close; empty if the peer does not support saying so."""
        node = self._node
        if not ft.negotiated(node.features["init"], peer.features, ft.UPFRONT_SHUTDOWN_SCRIPT):
            if close_to is not None:
                raise UserError(
                    LIGHTNINGD, "close_to: the peer does not support option_upfront_shutdown_script"
                )
            return b""
        return close_to if close_to is not None else node.wallet.script_of(opening.final_key_index)

    def limits(self, capacity: Sat, minimum_depth: int | None = None) -> ow.OpeningLimits:
        """What we ask of a peer and accept from one, for a channel of this size."""
        node, settings = self._node, self._node.settings
        low, high = fee_bounds(node, None)
        depth = settings.funding_confirms if minimum_depth is None else minimum_depth
        return ow.OpeningLimits(
            local_config=ChannelConfig(
                dust_limit=Sat(546),
                max_htlc_value_in_flight=capacity.to_msat() if capacity else Msat(21 * 10**17),
                # 1 % of the channel, but never below the dust limit.
                channel_reserve=Sat(max(capacity.sat // 100, 546)),
                htlc_minimum=settings.htlc_minimum,
                to_self_delay=settings.watchtime_blocks,
                max_accepted_htlcs=settings.max_concurrent_htlcs,
            ),
            max_to_self_delay=settings.max_to_self_delay,
            min_effective_htlc_capacity=settings.min_capacity.to_msat(),
            feerate_min_perkw=low,
            feerate_max_perkw=high,
            minimum_depth=depth,
            allow_dust_reserve=settings.allow_dust_reserve,
        )

    # Accepter

    def on_open_channel(self, peer: Peer, raw: bytes) -> None:
        """A peer wants a channel. Call from a turn's after_commit or a task."""
        self._node.attempt(
            self._accept(peer, raw),
            f"open_channel of {peer.id.hex()}",
            lambda why: self._node.peers.disconnect(peer, why),
        )

    async def _accept(self, peer: Peer, raw: bytes) -> None:
        node = self._node
        msg = pw.OpenChannel.decode(raw)
        refusal, close_to, depth = await node.peer_hooks.open_channel(peer, msg)
        if refusal is not None:
            self._send_error(peer, msg.temporary_channel_id, refusal)
            return
        opening, points, first_point = await self.prepare(peer, we_are_opener=False)
        opening.close_to = close_to
        limits = self.limits(msg.funding_satoshis, depth)

        def start() -> None:
            if peer.connection != opening.connection:
                self.openings.pop(opening.dbid, None)
                return
            opening.route_id = route_id = node.peers.route(
                peer, msg.temporary_channel_id, "openingd"
            )
            node.turn.send(
                self.link(),
                ow.OpeningdGotOpen(
                    dbid=opening.dbid,
                    route_id=route_id,
                    peer_id=peer.id,
                    their_features=peer.features,
                    limits=limits,
                    basepoints=points,
                    first_per_commitment_point=first_point,
                    upfront_shutdown_script=self.upfront_script(peer, opening, close_to),
                    msg=raw,
                ),
            )

        await node.turn.do(start)

    def _send_error(self, peer: Peer, channel_id: ChannelId, text: str) -> None:
        self._node.peers.send(peer, pw.Error(channel_id=channel_id, data=text.encode()))

    # Both

    def _on_done(self, msg: ow.OpeningdDone, incoming: Incoming) -> None:
        """Everything is signed: make the channel durable, then let openingd go on."""
        node = self._node
        opening = self.openings.get(msg.channel.dbid)
        if opening is None:
            incoming.refuse("this opening was given up")
            return
        channel = self._make_channel(msg, opening)
        peer_row = node.channels.store.peer_row(
            channel.peer_id,
            node.peers.of(channel.peer_id).reachable_address,
            channel.their_features,
        )
        node.channels.store.insert(channel, peer_row)
        first = StateChange(
            timestamp=channel.opened_at,
            old_state=None,
            new_state=channel.state,
            cause=(Cause.USER if opening.we_are_opener else Cause.REMOTE).value,
            message="new channel opened",
        )
        channel.state_changes.append(first)
        node.channels.store.add_state_change(channel, first)
        node.channels.add(channel)
        node.log(
            "info",
            "State changed from OPENINGD to CHANNELD_AWAITING_LOCKIN",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        if opening.on_done is not None:
            opening.on_done(channel)
        node.channel_events.watch_funding(channel)
        node.channel_events.opened(channel)
        node.backup.before_funding(incoming, ow.OpeningdDoneReply())
        node.turn.after_commit(lambda: self.after_done(opening, channel))

    def after_done(self, opening: Opening, channel: Channel) -> None:
        """The channel is durable: give it to its worker. Outside turns."""
        self.openings.pop(opening.dbid, None)
        node = self._node
        if opening.done is not None and not opening.done.done():
            opening.done.set_result(channel)
        node.attempt(
            self._hand_over(opening, channel),
            f"hand over channel {channel.dbid}",
            lambda why: node.peers.reconnect_now(channel.peer_id, why),
        )

    async def _hand_over(self, opening: Opening, channel: Channel) -> None:
        """The channel goes to its worker on the same connection."""
        node = self._node
        await node.workers.prepare(channel)

        def route() -> None:
            peer = node.peers.of(channel.peer_id)
            if peer.connection == opening.connection and channel.route_id is None:
                node.peers.route_to_channeld(peer, channel, fresh=True)

        await node.turn.do(route)

    def _make_channel(self, msg: ow.OpeningdDone, opening: Opening) -> Channel:
        node, static = self._node, msg.channel
        capacity_msat = static.funding_amount.to_msat()
        ours = capacity_msat - msg.push if static.we_are_opener else msg.push
        theirs = msg.push if static.we_are_opener else capacity_msat - msg.push
        opener = hs.Side.LOCAL if static.we_are_opener else hs.Side.REMOTE
        peer = node.peers.of(static.peer_id)
        settings = node.settings
        return Channel(
            static=static,
            announce=msg.announce,
            minimum_depth=msg.minimum_depth,
            push=msg.push,
            local_upfront_shutdown_script=msg.local_upfront_shutdown_script,
            remote_upfront_shutdown_script=msg.remote_upfront_shutdown_script,
            close_to=opening.close_to,
            final_key_index=opening.final_key_index,
            state=ChannelState.CHANNELD_AWAITING_LOCKIN,
            to_local=ours,
            to_remote=theirs,
            min_to_local=ours,
            max_to_local=ours,
            fees=(FeeState(state=int(hs.last_add_state(opener)), feerate_perkw=msg.feerate_perkw),),
            remote_current_point=msg.remote_first_per_commitment_point,
            last_tx=msg.tx,
            last_sig=msg.signature,
            local_alias=ShortChannelId(int.from_bytes(node.entropy.take(8), "big") >> 1),
            policy=Policy(
                fee_base_msat=settings.fee_base,
                fee_proportional_millionths=settings.fee_per_satoshi,
                cltv_expiry_delta=settings.cltv_delta,
                htlc_minimum=static.remote_config.htlc_minimum,
                htlc_maximum=min(
                    static.remote_config.max_htlc_value_in_flight,
                    capacity_msat - static.remote_config.channel_reserve.to_msat(),
                    settings.htlc_maximum,
                ),
            ),
            opened_at=node.clock.now(),
            first_block=node.chain.height,
            their_features=peer.features,
        )

    def _on_failed(self, dbid: int, reason: str) -> None:
        opening = self.openings.pop(dbid, None)
        if opening is None:
            return
        self._node.log("info", f"Opening failed: {reason}", peer_id=opening.peer_id, dbid=dbid)
        self._fail_futures(opening, UserError(LIGHTNINGD, reason))
        if isinstance(opening, DualOpening):
            self.dual.failed(opening)
        self._node.turn.after_commit(lambda: self._unroute_later(opening))

    def _fail_futures(self, opening: Opening, error: BaseException) -> None:
        waited_for = opening.futures()
        self._node.turn.after_commit(partial(_reject_next, waited_for, error))

    def give_up(self, opening: Opening, reason: str) -> None:
        """End an opening that has not become a channel. Outside turns."""
        if self.openings.pop(opening.dbid, None) is not None:
            link = self._node.fleet.get("openingd")
            if link is not None:
                link.send(ow.OpeningdCancel(dbid=opening.dbid, reason=reason))
            self._unroute_later(opening)

    def _unroute_later(self, opening: Opening) -> None:
        """An opening is over without a channel: connectd need not know its route any more."""
        node, route_id = self._node, opening.route_id
        if route_id is None:
            return

        def unroute() -> None:
            connectd = node.fleet.get("connectd")
            peer = node.peers.get(opening.peer_id)
            if connectd is not None and peer is not None and peer.connection == opening.connection:
                connectd.send(cw.ConnectdUnroute(route_id=route_id))

        node.call_later(UNROUTE_SECONDS, unroute)

    def peer_gone(self, peer_id: NodeId) -> None:
        """The connection ended: openings on it are over. Inside a turn."""
        for opening in [o for o in self.openings.values() if o.peer_id == peer_id]:
            self._on_failed(opening.dbid, "peer disconnected before the channel was funded")
        self.dual.peer_gone(peer_id)

    def openingd_died(self) -> None:
        """Every opening that was not done is over. Inside a turn."""
        for opening in list(self.openings.values()):
            self._on_failed(opening.dbid, "openingd stopped")


def _reject_next(futures: tuple[Any, ...], error: BaseException) -> None:
    """Fail the first that is still open: after the commit, when what came in the same turn has been told."""
    for future in futures:
        if future is not None and not future.done():
            future.set_exception(error)
            # The opener may have failed by itself and not ask for it any more.
            future.exception()
            break
