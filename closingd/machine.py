"""The order of a mutual close with closing_signed."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.closingd.fee_range import FeeRange, expected_weight, fee_bounds
from pylightningd.closingd.legacy import Agree, Negotiation, Step
from pylightningd.closingd.state import Close, Phase
from pylightningd.common import effects as ef
from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Refused
from pylightningd.common.effects import Disconnect, Log, SendPeer, Tell, ask_hsmd, ask_master
from pylightningd.common.errors import FailChannel, IgnorePeer, PeerError, WarnPeer
from pylightningd.common.ids import NodeId
from pylightningd.common.machine import Outcome
from pylightningd.common.peer_failure import describe, make_error, make_warning
from pylightningd.common.route_events import (
    BadPeerBytes,
    FromMaster,
    FromPeer,
    RouteClosed,
    RouteEvent,
)
from pylightningd.common.wire.closingd_wire import (
    ClosingdDone,
    ClosingdFailed,
    ClosingdGotSignature,
    ClosingdStart,
)
from pylightningd.common.wire.hsmd_wire import HsmdSignMutualClose
from pylightningd.common.wire.peer_wire import (
    AnnouncementSignatures,
    ChannelReady,
    ClosingSigned,
    ClosingSignedTlvs,
    Error,
    Shutdown,
)
from pylightningd.common.wire.peer_wire import (
    Warning as PeerWarning,
)
from pylightningd.common.wire.runtime import Message

RECONNECT, CHANNEL_FAILED = 0, 1
"""Kinds of `closingd_failed`."""

# BOLT 2, "Message Retransmission": redundant channel_ready and shutdown come after a reconnect;
# announcement_signatures may have been under way.
IGNORED = (ChannelReady, Shutdown, AnnouncementSignatures)


@dataclass(frozen=True, slots=True)
class OurSignature:
    """The transaction we signed last."""

    tx: Tx
    signature: bytes


class ClosingMachine:
    """One mutual close on one connection. Begins with `closingd_start`."""

    def __init__(self, start: ClosingdStart) -> None:
        self.dbid: int = start.channel.dbid
        self.peer_id: NodeId = start.channel.peer_id
        self.phase = Phase.FRESH
        self._close = Close(start)
        self._channel_id = start.channel.channel_id
        self._ours: OurSignature | None = None
        self._talk = Negotiation(
            we_are_opener=start.channel.we_are_opener,
            bounds=fee_bounds(start),
            use_fee_range=start.use_fee_range,
            step=Step(start.fee_negotiation_step, start.step_is_percent),
        )

    @property
    def finished(self) -> bool:
        """Whether it is over, well or not."""
        return self.phase is Phase.FINISHED

    @property
    def interruptible(self) -> bool:
        """Once the fee is found, the end of the connection does not matter any more."""
        return self.phase is not Phase.AGREED

    def handle(self, event: RouteEvent) -> Outcome:
        """The step for an event."""
        if self.finished:
            return None
        if isinstance(event, FromPeer):
            return self._guarded(self._from_peer(event.msg))
        if isinstance(event, FromMaster):
            return self._guarded(self._begin())
        if isinstance(event, BadPeerBytes):
            raise WarnPeer(f"Bad message: {event.why}")
        assert isinstance(event, RouteClosed)
        return self._fail(RECONNECT, "peer connection lost")

    def on_peer_error(self, err: PeerError) -> ef.Step[None]:
        """`warning` and another try after a reconnect, or `error` and the end of the channel."""
        if isinstance(err, IgnorePeer):
            return
        text = str(err)
        if isinstance(err, FailChannel):
            yield SendPeer(make_error(self._channel_id, text))
            yield from self._fail(CHANNEL_FAILED, text)
            return
        if isinstance(err, WarnPeer):
            yield SendPeer(make_warning(self._channel_id, text))
        yield Disconnect()
        yield from self._fail(RECONNECT, text)

    def on_bug(self, what: str) -> Outcome:
        """A reconnect tries again; the peer hears nothing."""
        failed = ClosingdFailed(dbid=self.dbid, kind=RECONNECT, reason=f"internal error: {what}")
        return [Disconnect(), Tell("master", failed)]

    def _fail(self, kind: int, reason: str) -> ef.Step[None]:
        self.phase = Phase.FINISHED
        yield Log("info" if kind == RECONNECT else "unusual", f"closing failed: {reason}")
        yield Tell("master", ClosingdFailed(dbid=self.dbid, kind=kind, reason=reason))

    def _guarded(self, step: ef.Step[None]) -> ef.Step[None]:
        """Where hsmd or the master refuse a request, this connection leads to no close."""
        try:
            yield from step
        except Refused as err:
            yield Log("unusual", f"a request was refused: {err}")
            raise WarnPeer(f"Cannot close: {err}") from err

    # ---- what comes ----------------------------------------------------------------------------

    def _begin(self) -> ef.Step[None]:
        if self.phase is not Phase.FRESH:
            raise TypeError("the master started a close twice")
        self.phase = Phase.NEGOTIATING
        yield from self._log_plan()
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`": the funding node sends the first one.
        if self._talk.we_are_opener:
            self._talk, fee = self._talk.first()
            yield from self._send_offer(fee, self._close.tx(fee))

    def _from_peer(self, msg: Message) -> ef.Step[None]:
        if isinstance(msg, Error):
            yield from self._fail(CHANNEL_FAILED, f"They sent {describe(msg)}")
        elif isinstance(msg, PeerWarning):
            yield Disconnect()
            yield from self._fail(RECONNECT, f"They sent {describe(msg)}")
        elif isinstance(msg, ClosingSigned):
            yield from self._on_closing_signed(msg)
        elif not isinstance(msg, IGNORED):
            raise WarnPeer(f"Expected closing_signed: {msg.encode().hex()}")

    def _on_closing_signed(self, msg: ClosingSigned) -> ef.Step[None]:
        if msg.channel_id != self._channel_id:
            raise WarnPeer(f"closing_signed for channel {msg.channel_id.hex()}")
        fee = msg.fee_satoshis
        tx = self._close.tx_signed_by_peer(fee, msg.signature)
        self._close.check_relayable(tx)
        theirs = FeeRange.from_wire(msg.tlvs.fee_range)
        with_range = f"with range {theirs}" if theirs else "without range"
        yield Log("info", f"Received closing fee offer {fee}, {with_range}")
        if fee in self._talk.bounds.accepted:
            yield Log("debug", "...offer is reasonable")
            yield from ask_master(
                ClosingdGotSignature(dbid=self.dbid, tx=tx.serialize(), signature=msg.signature)
            )
        self._talk, verdict = self._talk.receive(fee, theirs)
        if isinstance(verdict, Agree):
            yield from self._agree(fee, tx, msg.signature, answer=verdict.answer)
        else:
            yield from self._send_offer(verdict.fee, self._close.tx(verdict.fee))

    # ---- what goes -----------------------------------------------------------------------------

    def _agree(self, fee: Sat, tx: Tx, theirs: bytes, *, answer: bool) -> ef.Step[None]:
        self.phase = Phase.AGREED
        if answer:
            yield from self._send_offer(fee, tx)
        ours = yield from self._sign(tx)
        signed = self._close.signed(tx, ours, theirs)
        self.phase = Phase.FINISHED
        yield Log(
            "info",
            f"We agreed on a closing fee of {fee.sat} satoshi for tx:{signed.txid()[::-1].hex()}",
        )
        yield Tell("master", ClosingdDone(dbid=self.dbid, tx=signed.serialize()))

    def _send_offer(self, fee: Sat, tx: Tx) -> ef.Step[None]:
        signature = yield from self._sign(tx)
        announced = self._talk.announced
        with_range = f"with range {announced}" if announced else "without range"
        yield Log("info", f"Sending closing fee offer {fee}, {with_range}")
        yield SendPeer(
            ClosingSigned(
                channel_id=self._channel_id,
                fee_satoshis=fee,
                signature=signature,
                tlvs=ClosingSignedTlvs(fee_range=announced.to_wire() if announced else None),
            )
        )

    def _sign(self, tx: Tx) -> ef.Step[bytes]:
        if self._ours is None or self._ours.tx != tx:
            reply = yield from ask_hsmd(HsmdSignMutualClose(dbid=self.dbid, tx=tx.serialize()))
            self._close.verify(tx, self._close.local_key, reply.signature)
            self._ours = OurSignature(tx, reply.signature)
        return self._ours.signature

    def _log_plan(self) -> ef.Step[None]:
        start, bounds = self._close.start, self._talk.bounds
        yield Log(
            "debug",
            f"Expected closing weight = {expected_weight(start)}, fee {bounds.preferred} "
            f"(min {bounds.accepted.low}, max {bounds.announced.high})",
        )
        yield Log("debug", f"fee negotiation step = {self._talk.step}")
        if start.wrong_funding is not None:
            yield Log("unusual", f"Setting wrong_funding_txid to {start.wrong_funding}")
