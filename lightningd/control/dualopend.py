"""Opening channels together with the peer (BOLT 2, "Channel Establishment v2"): what the master does.

openingd negotiates and builds the funding transaction; when it is complete the channel becomes a row
(DUALOPEND_OPEN_COMMIT_READY) and goes to channeld, which exchanges `commitment_signed` and `tx_signatures`, on this
connection or on any later one.

Money rules. From the row on the wallet's coins in the transaction are tied to it. Our inputs are signed only once the peer's
signature of our first commitment is on disk. Before the peer may have our signatures (they are on disk, and either ours go
first or the peer's are on disk, too) the opening may be forgotten, and its coins are free again, for without them there is
no funding transaction; from then on the channel is remembered until the transaction is deep, or another one that spends an input of it is (`joint_watch.py`). The whole
transaction is on disk before it is broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.v2_id import v2_temporary_channel_id
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, NodeId, ShortChannelId, txid_hex
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import JointInput, JointOutput
from pylightningd.lightningd.channels.channel import Channel, Policy, StateChange
from pylightningd.lightningd.channels.inflight import BadSignatures, Inflight, outpoint_of
from pylightningd.lightningd.channels.registry import state_changed_payload
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.control.contribution import are_confirmed, new_serial, one_missing
from pylightningd.lightningd.control.dual_hooks import DualHooks
from pylightningd.lightningd.control.opening import LIGHTNINGD, Opening
from pylightningd.lightningd.rpc.errors import (
    FUNDING_PEER_NOT_CONNECTED,
    FUNDING_PSBT_INVALID,
    FUNDING_STATE_INVALID,
)
from pylightningd.lightningd.wallet import signing

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.lightningd.control.openingd import OpeningControl
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

_MAX_EARLY = 20
_MAX_OF_PEER = 4
"""So many openings that a peer asked for may be under way or wait for their lock-in: each may be half a MB of ours."""


@dataclass(slots=True, kw_only=True)
class DualRequest:
    """What the opener wants. Amounts are ours alone; feerates in sat per 1000 weight."""

    peer_id: NodeId
    amount: Sat
    announce: bool
    inputs: tuple[JointInput, ...]
    outputs: tuple[JointOutput, ...]
    """Our change."""
    inputs_confirmed: bool
    locktime: int
    funding_feerate_perkw: int
    commitment_feerate_perkw: int | None = None
    close_to: bytes | None = None
    channel_type: bytes = b""
    consult: bool = False
    """The caller wants to see the transaction before it is complete: answer with `propose`."""
    draft_number: int = 0
    """The wallet's draft that the inputs come from, if the wallet is to sign them."""


@dataclass(slots=True, kw_only=True)
class DualOpening(Opening):
    """One such opening under way, until the transaction is complete."""

    funding_serial: int = 0
    locktime: int = 0
    draft_number: int = 0
    channel_id: ChannelId | None = None
    terms: ow.OpeningdAccepted2 | None = None
    early: list[bytes] = field(default_factory=list)

    def futures(self) -> tuple[Any, ...]:
        """What is failed with it: the command that waits now."""
        return (self.accepted,)


class DualControl:
    """See the module."""

    def __init__(self, node: Node, control: OpeningControl) -> None:
        self._node = node
        self._control = control
        self._hooks = DualHooks(node)
        self._secured: dict[int, Any] = {}
        """By channel: future of who waits for the peer's signature of our first commitment."""
        self._whole: dict[int, Any] = {}
        """By channel: future of who waits for the whole transaction."""

    # Looking up

    def opening_of(self, channel_id: ChannelId) -> DualOpening | None:
        """The opening of that name whose transaction is not complete."""
        for opening in self._control.openings.values():
            if isinstance(opening, DualOpening) and opening.channel_id == channel_id:
                return opening
        return None

    # Opener

    async def open(self, request: DualRequest) -> tuple[DualOpening, ow.OpeningdProposal | Channel]:
        """Open. Returns the first proposal if the caller consults, else the channel once both commitments are signed.

        Raises UserError. Until then the caller's coins are its own to release, unless `is_tied`.
        """
        node, control = self._node, self._control
        peer = node.peers.get(request.peer_id)
        if peer is None or peer.connection is None:
            raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer not connected")
        prepared, points, first = await control.prepare(peer, we_are_opener=True)
        second = await node.hsm.ask(hw.HsmdGetPerCommitmentPoint(dbid=prepared.dbid, number=1))
        opening = self._begin(prepared, request)
        opening.accepted = node.new_future()
        try:
            await node.turn.do(
                lambda: self._send_open(peer, opening, request, points, (first, second.point))
            )
            return opening, await opening.accepted
        except BaseException as error:
            control.give_up(opening, str(error) or type(error).__name__)
            raise

    def _begin(self, prepared: Opening, request: DualRequest | None) -> DualOpening:
        """The opening in place of the plain one that was prepared."""
        opening = DualOpening(
            dbid=prepared.dbid,
            peer_id=prepared.peer_id,
            connection=prepared.connection,
            we_are_opener=prepared.we_are_opener,
            final_key_index=prepared.final_key_index,
            close_to=None if request is None else request.close_to,
            funding_serial=0 if request is None else new_serial(self._node, opener=True),
            locktime=0 if request is None else request.locktime,
            draft_number=0 if request is None else request.draft_number,
        )
        if self._control.openings.get(prepared.dbid) is not prepared:
            raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer disconnected")
        self._control.openings[prepared.dbid] = opening
        return opening

    def _send_open(
        self,
        peer: Peer,
        opening: DualOpening,
        request: DualRequest,
        points: Any,
        firsts: tuple[bytes, bytes],
    ) -> None:
        node, control = self._node, self._control
        if peer.connection != opening.connection:
            raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer disconnected")
        temporary = v2_temporary_channel_id(points.revocation)
        opening.route_id = node.peers.route(peer, temporary, "openingd")
        node.turn.send(
            control.link(),
            ow.OpeningdOpen2(
                dbid=opening.dbid,
                route_id=opening.route_id,
                peer_id=peer.id,
                their_features=peer.features,
                limits=control.limits(request.amount),
                basepoints=points,
                first_per_commitment_point=firsts[0],
                second_per_commitment_point=firsts[1],
                funding_feerate_perkw=request.funding_feerate_perkw,
                commitment_feerate_perkw=request.commitment_feerate_perkw
                or control.commitment_feerate(peer),
                locktime=request.locktime,
                announce=request.announce,
                channel_type=request.channel_type or control.channel_type(peer, request.announce),
                upfront_shutdown_script=control.upfront_script(peer, opening, request.close_to),
                require_confirmed_inputs=self._insists,
                sign_first_on_tie=node.node_id < peer.id,
                ours=ow.Contribution(
                    funding_amount=request.amount,
                    funding_serial_id=opening.funding_serial,
                    inputs=request.inputs,
                    outputs=request.outputs,
                    inputs_confirmed=request.inputs_confirmed,
                    consult=request.consult,
                ),
            ),
        )

    async def propose(
        self,
        opening: DualOpening,
        inputs: tuple[JointInput, ...],
        outputs: tuple[JointOutput, ...],
    ) -> ow.OpeningdProposal | Channel:
        """What we want in the transaction now: the next proposal, or the channel once it is committed. Raises UserError."""
        if opening.accepted is not None and not opening.accepted.done():
            raise UserError(FUNDING_STATE_INVALID, "Another openchannel command is in progress")
        future = opening.accepted = self._node.new_future()
        self._control.link().send(
            ow.OpeningdContribution(dbid=opening.dbid, inputs=inputs, outputs=outputs)
        )
        answer: ow.OpeningdProposal | Channel = await future
        return answer

    # Accepter

    def on_open_channel2(self, peer: Peer, raw: bytes) -> None:
        """A peer wants a channel. Call from a turn's after_commit or a task."""
        self._node.attempt(
            self._accept(peer, raw),
            f"open_channel2 of {peer.id.hex()}",
            lambda why: self._node.peers.disconnect(peer, why),
        )

    async def _accept(self, peer: Peer, raw: bytes) -> None:
        node, control = self._node, self._control
        msg = pw.OpenChannel2.decode(raw)
        prepared, points, first = await control.prepare(peer, we_are_opener=False)
        second = await node.hsm.ask(hw.HsmdGetPerCommitmentPoint(dbid=prepared.dbid, number=1))
        opening = self._begin(prepared, None)
        if self._count_of(peer) > _MAX_OF_PEER:
            control.openings.pop(opening.dbid, None)
            text = f"{_MAX_OF_PEER} channels of yours are being opened already: wait until one is locked in"
            node.log("info", f"open_channel2 refused: {text}", peer_id=peer.id)
            node.peers.send(peer, pw.Error(channel_id=msg.temporary_channel_id, data=text.encode()))
            return
        opening.locktime = msg.locktime
        try:
            await self._answer(peer, opening, raw, (points, first, second.point))
        except BaseException:
            control.openings.pop(opening.dbid, None)
            raise

    def _count_of(self, peer: Peer) -> int:
        """The joint openings that the peer asked for, from open_channel2 until the lock-in."""
        begun = {
            o.dbid
            for o in self._control.openings.values()
            if isinstance(o, DualOpening) and o.peer_id == peer.id and not o.we_are_opener
        }
        rows = {
            c.dbid
            for c in self._node.channels.of_peer(peer.id)
            if c.inflight is not None and not c.static.we_are_opener
        }
        return len(begun | rows)

    async def _answer(
        self, peer: Peer, opening: DualOpening, raw: bytes, keys: tuple[Any, bytes, bytes]
    ) -> None:
        node, control, (points, first, second) = self._node, self._control, keys
        msg = pw.OpenChannel2.decode(raw)
        answer = await self._hooks.openchannel2(peer, msg, points)
        if answer.refusal is not None:
            control.openings.pop(opening.dbid, None)
            text = answer.refusal.encode()
            node.peers.send(peer, pw.TxAbort(channel_id=msg.temporary_channel_id, data=text))
            return
        opening.close_to = answer.close_to
        limits = control.limits(msg.funding_satoshis + answer.ours.funding_amount)

        def start() -> None:
            if peer.connection != opening.connection:
                control.openings.pop(opening.dbid, None)
                return
            opening.route_id = node.peers.route(peer, msg.temporary_channel_id, "openingd")
            node.turn.send(
                control.link(),
                ow.OpeningdGotOpen2(
                    dbid=opening.dbid,
                    route_id=opening.route_id,
                    peer_id=peer.id,
                    their_features=peer.features,
                    limits=limits,
                    basepoints=points,
                    first_per_commitment_point=first,
                    second_per_commitment_point=second,
                    upfront_shutdown_script=control.upfront_script(peer, opening, answer.close_to),
                    require_confirmed_inputs=self._insists,
                    sign_first_on_tie=node.node_id < peer.id,
                    ours=answer.ours,
                    msg=raw,
                ),
            )

        await node.turn.do(start)

    async def _consult_plugin(self, opening: DualOpening, msg: ow.OpeningdProposal) -> None:
        channel_id = opening.channel_id or ChannelId(bytes(32))
        try:
            inputs, outputs = await self._hooks.changed(
                channel_id,
                opening.locktime,
                (msg.inputs, msg.outputs),
                confirmed=opening.terms is not None and opening.terms.requires_confirmed_inputs,
            )
        except UserError as error:
            self._control.give_up(opening, error.message)
            return
        if self._control.openings.get(opening.dbid) is opening:
            self._control.link().send(
                ow.OpeningdContribution(dbid=opening.dbid, inputs=inputs, outputs=outputs)
            )

    # Both, until the transaction is complete; what openingd says, inside turns

    def handle(self, incoming: Incoming) -> bool:
        """Whether the message was one of these."""
        match incoming.msg:
            case ow.OpeningdAccepted2() as msg:
                self._on_accepted(msg)
            case ow.OpeningdProposal() as msg:
                self._on_proposal(msg)
            case ow.OpeningdConstructed() as msg:
                if self._insists or any(joint.ours for joint in msg.funding.inputs):
                    self._check_soon(msg, incoming)
                else:
                    self._on_constructed(msg, incoming)
            case _:
                return False
        return True

    @property
    def _insists(self) -> bool:
        """Whether the peer's inputs must be in blocks."""
        return bool(self._node.config["require-confirmed-inputs"])

    def _check_soon(self, msg: ow.OpeningdConstructed, incoming: Incoming) -> None:
        name = f"inputs of the peer, opening {msg.channel.dbid}"
        self._node.turn.after_commit(
            lambda: self._node.attempt(self._check_inputs(msg, incoming), name, incoming.refuse)
        )

    async def _check_inputs(self, msg: ow.OpeningdConstructed, incoming: Incoming) -> None:
        theirs = [outpoint_of(joint) for joint in msg.funding.inputs if not joint.ours]
        if self._insists and not await are_confirmed(self._node, theirs):
            incoming.refuse("Requested only confirmed inputs for this open")
            return
        # With an input that is not there our coins would wait for ever, once we have signed.
        missing = await one_missing(self._node, theirs)
        if missing is not None:
            incoming.refuse(f"Input {missing} is spent, or does not exist")
            return
        await self._node.turn.do(lambda: self._on_constructed(msg, incoming))

    def early_message(self, dbid: int, raw: bytes) -> None:
        """What the peer said before its channel is a row here."""
        opening = self._opening(dbid)
        if opening is not None and len(opening.early) < _MAX_EARLY:
            opening.early.append(raw)

    def _opening(self, dbid: int) -> DualOpening | None:
        opening = self._control.openings.get(dbid)
        return opening if isinstance(opening, DualOpening) else None

    def _on_accepted(self, msg: ow.OpeningdAccepted2) -> None:
        opening = self._opening(msg.dbid)
        if opening is not None:
            opening.terms, opening.channel_id = msg, msg.channel_id

    def _on_proposal(self, msg: ow.OpeningdProposal) -> None:
        opening = self._opening(msg.dbid)
        if opening is None:
            return
        if opening.we_are_opener:
            self._resolve(opening.accepted, msg)
            return
        self._node.turn.after_commit(
            lambda: self._node.attempt(
                self._consult_plugin(opening, msg),
                f"openchannel2_changed {opening.dbid}",
                lambda why: self._control.give_up(opening, why),
            )
        )

    def _resolve(self, future: Any, value: object) -> None:
        if future is not None:
            self._node.turn.after_commit(lambda: future.done() or future.set_result(value))

    def _on_constructed(self, msg: ow.OpeningdConstructed, incoming: Incoming) -> None:
        """The transaction is complete: the channel becomes durable, and channeld goes on."""
        node, dbid = self._node, msg.channel.dbid
        opening = self._opening(dbid)
        if opening is None:
            incoming.refuse("this opening was given up")
            return
        if opening.we_are_opener and (opening.accepted is None or opening.accepted.done()):
            incoming.refuse("nobody waits for this channel any more")
            return
        channel = self._make_channel(msg, opening)
        self._insert(channel, opening)
        self._tie(channel, opening.draft_number)
        node.channel_events.watch_funding(channel)
        node.joint_watch.watch(channel)
        for raw in opening.early:
            node.peers.stash(node.peers.of(channel.peer_id), channel.channel_id, raw)
        if opening.we_are_opener:
            self._secured[dbid] = opening.accepted
            self.expect_whole(channel)
        node.backup.before_funding(incoming, ow.OpeningdConstructedReply())
        node.turn.after_commit(lambda: self._control.after_done(opening, channel))

    def _insert(self, channel: Channel, opening: DualOpening) -> None:
        node = self._node
        peer = node.peers.of(channel.peer_id)
        row = node.channels.store.peer_row(peer.id, peer.reachable_address, channel.their_features)
        node.channels.store.insert(channel, row)
        change = StateChange(
            timestamp=channel.opened_at,
            old_state=None,
            new_state=channel.state,
            cause=(Cause.USER if opening.we_are_opener else Cause.REMOTE).value,
            message="Ready to send our commitment sigs",
        )
        channel.state_changes.append(change)
        node.channels.store.add_state_change(channel, change)
        node.channels.add(channel)
        before = ChannelState.DUALOPEND_OPEN_INIT.name
        node.log(
            "info",
            f"State changed from {before} to {channel.state.name}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        node.turn.notify(
            "channel_state_changed", {**state_changed_payload(channel, change), "old_state": before}
        )

    def _tie(self, channel: Channel, draft_number: int) -> None:
        """The wallet's coins among our inputs are this transaction's, until it is forgotten."""
        inflight = channel.inflight
        if inflight is not None:
            self._node.wallet.tie(
                channel.static.funding.txid, inflight.outpoints(ours=True), draft_number
            )

    def _make_channel(self, msg: ow.OpeningdConstructed, opening: DualOpening) -> Channel:
        node, static, funding = self._node, msg.channel, msg.funding
        ours, theirs = funding.our_funding.to_msat(), funding.their_funding.to_msat()
        if ours + theirs != static.funding_amount.to_msat():
            raise ValueError("openingd's funding amount is not the sum of what both sides pay")
        opener = hs.Side.LOCAL if static.we_are_opener else hs.Side.REMOTE
        settings, limits = node.settings, static.remote_config
        return Channel(
            static=static,
            announce=msg.announce,
            minimum_depth=msg.minimum_depth,
            push=Msat(0),
            our_funding=funding.our_funding,
            inflight=Inflight(funding=funding, wallet_signs=bool(opening.draft_number)),
            local_upfront_shutdown_script=msg.local_upfront_shutdown_script,
            remote_upfront_shutdown_script=msg.remote_upfront_shutdown_script,
            close_to=opening.close_to,
            final_key_index=opening.final_key_index,
            state=ChannelState.DUALOPEND_OPEN_COMMIT_READY,
            to_local=ours,
            to_remote=theirs,
            min_to_local=ours,
            max_to_local=ours,
            fees=(FeeState(state=int(hs.last_add_state(opener)), feerate_perkw=msg.feerate_perkw),),
            remote_current_point=msg.remote_first_per_commitment_point,
            last_tx=msg.tx,
            last_sig=b"",
            local_alias=ShortChannelId(int.from_bytes(node.entropy.take(8), "big") >> 1),
            policy=Policy(
                fee_base_msat=settings.fee_base,
                fee_proportional_millionths=settings.fee_per_satoshi,
                cltv_expiry_delta=settings.cltv_delta,
                htlc_minimum=limits.htlc_minimum,
                htlc_maximum=min(
                    limits.max_htlc_value_in_flight,
                    static.funding_amount.to_msat() - limits.channel_reserve.to_msat(),
                    settings.htlc_maximum,
                ),
            ),
            opened_at=node.clock.now(),
            first_block=node.chain.height,
            their_features=node.peers.of(static.peer_id).features,
        )

    def failed(self, opening: DualOpening) -> None:
        """An opening that had come to terms failed. Inside a turn."""
        if opening.channel_id is not None:
            self._node.turn.notify("channel_open_failed", {"channel_id": opening.channel_id.hex()})

    # Signatures; what channeld says, inside turns

    def got_commitment(self, channel: Channel, tx: bytes, signature: bytes) -> None:
        """The peer signed our first commitment."""
        node, inflight = self._node, channel.inflight
        if inflight is None:
            raise ValueError("a first commitment came for a channel that is no joint opening")
        if not inflight.got_commitment:
            channel.last_tx, channel.last_sig = tx, signature
            inflight.got_commitment = True
            node.channels.store.save_last_tx(channel)
            node.channels.store.save_inflight(channel)
            node.channels.set_state(
                channel,
                ChannelState.DUALOPEND_OPEN_COMMITTED,
                Cause.REMOTE,
                "Commitment transaction committed",
            )
        node.turn.after_commit(partial(self.sign_soon, channel))
        self._resolve(self._secured.pop(channel.dbid, None), channel)

    def got_signatures(self, channel: Channel, witnesses: tuple[bytes, ...]) -> None:
        """The peer's tx_signatures, which channeld has checked."""
        inflight = channel.inflight
        if inflight is None or inflight.theirs is not None:
            return
        if len(witnesses) != len(inflight.places(ours=False)):
            raise ValueError(f"{len(witnesses)} witnesses came for the peer's inputs")
        inflight.theirs = witnesses
        self._node.channels.store.save_inflight(channel)
        self._node.turn.notify(
            "openchannel_peer_sigs",
            {
                "channel_id": channel.channel_id.hex(),
                "signed_psbt": inflight.psbt().to_base64(version=0),
            },
        )
        self._whole_at_last(channel, inflight)

    def sign_soon(self, channel: Channel) -> None:
        """Sign our inputs, if it is time and nobody else has to. Outside turns."""
        inflight = channel.inflight
        if inflight is not None and inflight.got_commitment and not inflight.is_signed:
            self._node.attempt(
                self._sign(channel, inflight),
                f"sign the funding of channel {channel.dbid}",
            )

    def _cannot_sign(self, channel: Channel, why: str) -> None:
        self._node.log(
            "broken",
            f"Our inputs of the funding transaction are not signed: {why}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        self.give_up(channel, "Peer error with PSBT signatures.")

    async def _sign(self, channel: Channel, inflight: Inflight) -> None:
        try:
            witnesses = await self._witnesses(channel, inflight)
        except UserError as error:
            self._cannot_sign(channel, error.message)
            return
        if witnesses is not None:
            await self._node.turn.do(lambda: self.signed(channel, witnesses))

    async def _witnesses(self, channel: Channel, inflight: Inflight) -> tuple[bytes, ...] | None:
        """For our inputs; None where openchannel_signed has to bring them. Raises UserError."""
        node = self._node
        if not inflight.places(ours=True):
            return ()
        if inflight.wallet_signs:
            psbt = inflight.psbt()
            coins = [node.wallet.store.get(o) for o in inflight.outpoints(ours=True)]
            signed = await node.wallet.sign_psbt(psbt, [c for c in coins if c is not None])
            return finished(inflight, signed)
        if channel.static.we_are_opener:
            return None
        return finished(inflight, await self._hooks.sign(channel, inflight))

    def signed(self, channel: Channel, witnesses: tuple[bytes, ...]) -> None:
        """Our inputs are signed: after the commit the peer may have that. Inside a turn."""
        node, inflight = self._node, channel.inflight
        if inflight is None or inflight.is_signed or node.channels.get(channel.dbid) is not channel:
            return
        if not inflight.got_commitment:
            raise ValueError("our inputs must not be signed before the peer's commitment_signed")
        node.turn.on_rollback(lambda: node.channels.reload(channel.dbid))
        inflight.ours = witnesses
        node.channels.store.save_inflight(channel)
        node.workers.funding_signed(channel, witnesses)
        self._whole_at_last(channel, inflight)

    def _whole_at_last(self, channel: Channel, inflight: Inflight) -> None:
        """If all signatures are here: the transaction is ours to send."""
        if not inflight.is_whole:
            return
        node, tx = self._node, inflight.tx()
        if inflight.places(ours=True):
            node.wallet.record_sent(tx, blocks=0)
        if channel.state is ChannelState.DUALOPEND_OPEN_COMMITTED:
            self.await_lockin(channel)
        node.turn.after_commit(partial(self._broadcast_soon, channel, inflight))

    def await_lockin(self, channel: Channel) -> None:
        """All is signed, or the peer has broadcast it. Inside a turn."""
        node = self._node
        node.channels.set_state(
            channel,
            ChannelState.DUALOPEND_AWAITING_LOCKIN,
            Cause.UNKNOWN,
            "Sigs exchanged, waiting for lock-in",
        )
        if not channel.static.we_are_opener:
            node.channel_events.opened(channel)

    def _broadcast_soon(self, channel: Channel, inflight: Inflight) -> None:
        self._node.attempt(
            self._broadcast(channel, inflight), f"broadcast the funding of channel {channel.dbid}"
        )

    async def _broadcast(self, channel: Channel, inflight: Inflight) -> None:
        node, tx = self._node, inflight.tx()
        node.log(
            "debug",
            f"Broadcasting funding tx {txid_hex(tx.txid())} for channel {channel.channel_id.hex()}.",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        taken, why_not = await node.chain.broadcast(tx, owner=("funding", channel.dbid))
        future = self._whole.get(channel.dbid)
        if future is not None and not future.done():
            future.set_result((tx, "" if taken else why_not))
        elif not taken:
            # Both sides send it; bitcoind may have had it from the peer, even in a block.
            node.log("info", f"Error broadcasting funding tx: {why_not}", dbid=channel.dbid)

    async def wait_whole(self, channel: Channel) -> tuple[Tx, str]:
        """The whole transaction once it was given to bitcoind, and why it was refused if so. Raises UserError."""
        future = self._whole.get(channel.dbid)
        if future is None:
            raise UserError(FUNDING_STATE_INVALID, "Nobody waits for this funding transaction")
        try:
            outcome: tuple[Tx, str] = await future
            return outcome
        finally:
            if self._whole.get(channel.dbid) is future:
                del self._whole[channel.dbid]

    def expect_whole(self, channel: Channel) -> None:
        """Somebody is about to ask `wait_whole`: what happens from now on is remembered for it."""
        self._whole[channel.dbid] = self._node.new_future()

    # The end, good or bad

    def locked_in(self, channel: Channel) -> None:
        """The funding transaction is deep: its signatures are of no more interest. Inside a turn."""
        if channel.inflight is None:
            return
        self._node.channels.store.clear_inflights(channel)
        channel.inflight = None
        self._node.joint_watch.forget(channel)

    def may_forget(self, channel: Channel) -> bool:
        """Whether there cannot be a funding transaction without signatures that the peer does not have."""
        inflight = channel.inflight
        return inflight is not None and not inflight.may_be_out

    def give_up(self, channel: Channel, reason: str) -> None:
        """An opening whose signatures we have not given is over. Outside turns."""
        self._node.turn.submit(lambda: self.abort(channel, Cause.LOCAL, reason))

    def abort(self, channel: Channel, cause: Cause, reason: str) -> None:
        """The same inside a turn; the peer hears of it. Nothing happens where it is too late for that."""
        node = self._node
        if node.channels.get(channel.dbid) is not channel or not self.may_forget(channel):
            return
        # BOLT 2, "The `tx_abort` Message": not by the worker, which may just be waiting for an answer of ours.
        message = pw.TxAbort(channel_id=channel.channel_id, data=reason.encode())
        peer = node.peers.of(channel.peer_id)
        node.turn.after_commit(lambda: node.peers.send(peer, message))
        self.forget(channel, cause, reason)

    def forget(self, channel: Channel, cause: Cause, reason: str) -> None:
        """There will be no such channel: its coins are free. Inside a turn."""
        node, inflight = self._node, channel.inflight
        txid = channel.static.funding.txid
        node.turn.on_rollback(lambda: node.channels.reload(channel.dbid))
        node.wallet.untie(txid, unreserve=inflight is not None and inflight.wallet_signs)
        node.joint_watch.forget(channel)
        node.workers.release(channel)
        for owner in ("close", "funding"):
            node.chain.forget_broadcasts((owner, channel.dbid))
        node.log(
            "info",
            f"Forgetting the opening: {reason}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        node.channels.store.clear_inflights(channel)
        node.channels.set_state(channel, ChannelState.CLOSED, cause, reason)
        node.channels.forget(channel)
        node.turn.notify("channel_open_failed", {"channel_id": channel.channel_id.hex()})
        node.backup.changed()
        self._fail_commands(channel.dbid, UserError(LIGHTNINGD, reason))

    def _fail_commands(self, dbid: int, error: UserError) -> None:
        futures = (self._secured.pop(dbid, None), self._whole.get(dbid))
        self._node.turn.after_commit(partial(_reject, futures, error))

    def peer_gone(self, peer_id: NodeId) -> None:
        """The connection ended: who waits for the peer hears of it, though the channels go on. Inside a turn."""
        for channel in self._node.channels.of_peer(peer_id):
            self._fail_commands(
                channel.dbid,
                UserError(
                    FUNDING_PEER_NOT_CONNECTED,
                    "Peer disconnected: the opening goes on when it is back",
                ),
            )

    def recover(self) -> None:
        """At the end of the start: sign and send what a stop cut short. Outside turns."""
        for channel in self._node.channels:
            inflight = channel.inflight
            if inflight is None:
                continue
            self.sign_soon(channel)
            if inflight.is_whole and channel.short_channel_id is None:
                self._broadcast_soon(channel, inflight)


def finished(inflight: Inflight, signed: Psbt) -> tuple[bytes, ...]:
    """Our witnesses out of a signed PSBT. Raises UserError."""
    signing.finalize(signed)
    try:
        return inflight.our_witnesses(signed)
    except BadSignatures as error:
        raise UserError(FUNDING_PSBT_INVALID, str(error)) from None


def _reject(futures: tuple[Any, ...], error: UserError) -> None:
    for future in futures:
        if future is not None and not future.done():
            future.set_exception(error)
            future.exception()
