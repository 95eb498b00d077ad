"""The machine of one channel: which message is legal when, and who handles it.

Tour: `handle` looks an event up in a table and returns the step its handler makes. Handlers live in the
topic files; none of them does I/O. `Flush` ends each batch of events: only then does a commitment round
start, so that everything that came together travels in one commitment_signed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pylightningd.channeld import (
    announce,
    commit,
    dual_funding,
    ready,
    reestablish,
    revoke,
    shutdown,
    updates,
)
from pylightningd.channeld.events import (
    BadPeerBytes,
    ChannelEffect,
    ChannelStep,
    Event,
    Flush,
    FromMaster,
    FromPeer,
    RouteClosed,
)
from pylightningd.channeld.state import LIVE, NEVER, Channel, Phase, load
from pylightningd.common.effects import CancelTimer, Disconnect, Log, SendPeer, Tell, TimerFired
from pylightningd.common.errors import (
    DisconnectPeer,
    FailChannel,
    PeerError,
    WarnPeer,
    WireError,
)
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.machine import Outcome
from pylightningd.common.peer_failure import describe, make_abort
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message, UnknownOdd

Handler: TypeAlias = Callable[[Channel, Any], ChannelStep[None]]

TRANSIENT, WE_FAILED, PEER_ERROR = 0, 1, 2
"""`kind` of channeld_failed."""
MAX_EARLY = 10
"""Messages before the peer's channel_reestablish that are kept for later; some nodes send a few."""
_MAX_TEXT = 60_000

_UP = LIVE
_TRADING = frozenset({Phase.NORMAL, Phase.SHUTTING_DOWN})
_CLOSING = frozenset({Phase.SHUTTING_DOWN, Phase.HANDED_OVER})


def on_warning(channel: Channel, msg: pw.Warning) -> ChannelStep[None]:
    """The peer complains; it will say more or hang up."""
    text = _printable(msg.data)
    yield Log("info", f"WARNING: {text}")
    yield Tell("master", cw.ChanneldWarning(dbid=channel.facts.dbid, text=text))


# BOLT 2 throughout: what is not in this table, or not in this phase, breaks a rule.
PEER_HANDLERS: dict[type[Message], tuple[Handler, frozenset[Phase]]] = {
    pw.Warning: (on_warning, frozenset(Phase)),
    pw.ChannelReestablish: (reestablish.on_reestablish, frozenset({Phase.REESTABLISHING})),
    pw.ChannelReady: (ready.on_channel_ready, _UP),
    pw.UpdateAddHtlc: (updates.on_add, _TRADING),
    pw.UpdateFulfillHtlc: (updates.on_fulfill, _TRADING),
    pw.UpdateFailHtlc: (updates.on_fail, _TRADING),
    pw.UpdateFailMalformedHtlc: (updates.on_fail_malformed, _TRADING),
    # Some nodes send it before channel_ready; it does no harm.
    pw.UpdateFee: (updates.on_fee, _UP),
    pw.CommitmentSigned: (commit.on_commitment_signed, _TRADING),
    pw.RevokeAndAck: (revoke.on_revoke_and_ack, _TRADING),
    pw.Shutdown: (shutdown.on_shutdown, _UP),
    pw.ClosingSigned: (shutdown.on_closing_message, _CLOSING),
    pw.ClosingComplete: (shutdown.on_closing_message, _CLOSING),
    pw.ClosingSig: (shutdown.on_closing_message, _CLOSING),
    pw.AnnouncementSignatures: (announce.to_master, _UP | {Phase.HANDED_OVER}),
    pw.ChannelUpdate: (announce.to_master, _UP | {Phase.HANDED_OVER}),
}

_SIGNING = frozenset({Phase.SIGNING_FUNDING})

# BOLT 2, "Channel Establishment v2": with option_dual_fund these are legal besides.
DUAL_HANDLERS: dict[type[Message], tuple[Handler, frozenset[Phase]]] = {
    pw.CommitmentSigned: (dual_funding.on_commitment_signed, _SIGNING),
    pw.TxSignatures: (dual_funding.on_tx_signatures, _SIGNING | LIVE),
    pw.TxAbort: (dual_funding.on_tx_abort, _SIGNING | LIVE),
    pw.TxInitRbf: (dual_funding.on_tx_init_rbf, _SIGNING | LIVE),
}


def on_reenable_commit(channel: Channel, msg: cw.ChanneldDevReenableCommit) -> ChannelStep[None]:
    """For tests: commitment_signed may be sent again."""
    channel.commits_allowed = None
    yield from ()


def on_depth(channel: Channel, msg: cw.ChanneldFundingDepth) -> ChannelStep[None]:
    """The funding transaction has so many confirmations now."""
    if msg.depth > 0:
        dual_funding.on_confirmed(channel)
    yield from ready.on_depth(channel, msg)


MASTER_HANDLERS: dict[type[Message], Handler] = {
    cw.ChanneldConnected: reestablish.on_connected,
    cw.ChanneldFundingDepth: on_depth,
    cw.ChanneldOfferHtlc: updates.on_offer,
    cw.ChanneldFulfillHtlc: updates.on_fulfill_wanted,
    cw.ChanneldFailHtlc: updates.on_fail_wanted,
    cw.ChanneldFeerates: updates.on_feerates,
    cw.ChanneldShutdown: shutdown.on_shutdown_wanted,
    cw.ChanneldWrongFunding: shutdown.on_wrong_funding,
    cw.ChanneldJointFunding: dual_funding.on_joint_funding,
    cw.ChanneldFundingSigned: dual_funding.on_funding_signed,
    cw.ChanneldAbortFunding: dual_funding.on_abort_funding,
    cw.ChanneldSend: announce.on_send,
    cw.ChanneldDevReenableCommit: on_reenable_commit,
}


@dataclass(slots=True)
class ChannelMachine:
    """One channel's protocol."""

    channel: Channel

    @classmethod
    def from_row(cls, msg: cw.ChanneldChannel, init: cw.ChanneldInit) -> ChannelMachine:
        """From what lightningd wrote down."""
        limit = init.dev_disable_commit_after
        allowed = None if limit == NEVER else limit
        channel = load(msg, our_features=init.features, commits_allowed=allowed)
        channel.waits_for_ever = init.dev_no_htlc_timeout
        return cls(channel)

    def handle(self, event: Event) -> Outcome:
        """The step for an event."""
        return cast("Outcome", self._step(event))

    def _step(self, event: Event) -> ChannelStep[None] | list[ChannelEffect] | None:
        match event:
            case FromPeer(msg):
                return self._from_peer(msg)
            case BadPeerBytes(why):
                return self._from_garbage(why)
            case FromMaster(cw.ChanneldLateMsg() as late):
                return self._from_peer_late(late)
            case FromMaster(msg):
                return self._from_master(msg)
            case RouteClosed(route_id):
                session = self.channel.session
                if session is None or session.route_id != route_id:
                    return None
                return reestablish.disconnect(self.channel)
            case Flush():
                return self._flush()
            case TimerFired():
                return self._timer()

    # ---- events -----------------------------------------------------------------------------

    @property
    def is_comparing(self) -> bool:
        """Whether it is not known yet how the peer's figures compare with ours."""
        return self.channel.phase is Phase.REESTABLISHING

    def _from_peer(self, msg: Message) -> ChannelStep[None] | list[ChannelEffect] | None:
        if isinstance(msg, pw.Error):
            return self.on_error_message(msg)
        return self._told(msg)

    def _from_peer_late(
        self, late: cw.ChanneldLateMsg
    ) -> ChannelStep[None] | list[ChannelEffect] | None:
        """A message of the peer that went to openingd. Its route may be the one that we are about to use."""
        session = self.channel.session
        if session is None or session.route_id != late.route_id:
            return None
        try:
            msg = pw.decode(late.msg)
        except WireError as err:
            return self._from_garbage(str(err))
        return None if isinstance(msg, UnknownOdd) else self._from_peer(msg)

    def _told(self, msg: Message) -> ChannelStep[None] | None:
        """Any other message of the peer."""
        channel = self.channel
        phase = channel.phase
        entry = self._entry(type(msg), phase)
        if entry is not None and phase in entry[1]:
            handler = entry[0]
            if phase is Phase.REESTABLISHING and handler is reestablish.on_reestablish:
                return self._reestablish(cast("pw.ChannelReestablish", msg))
            return handler(channel, msg)
        if phase in (Phase.OFFLINE, Phase.LEAVING, Phase.FAILED):
            return None  # what was still on its way when the connection or the channel ended
        if phase is Phase.HANDED_OVER:
            return announce.to_master(channel, msg)
        if phase is Phase.REESTABLISHING and entry is not None:
            self._keep_early(msg)
            return None
        name = getattr(type(msg), "NAME", type(msg).__name__)
        if phase is Phase.AWAITING_READY and entry is not None:
            raise WarnPeer(f"{name} before channel_ready")
        raise WarnPeer(f"Unexpected message {name} in phase {phase.value}")

    def _entry(self, kind: type[Message], phase: Phase) -> tuple[Handler, frozenset[Phase]] | None:
        entry = PEER_HANDLERS.get(kind)
        if entry is not None and phase in entry[1]:
            return entry
        if dual_funding.is_in_use(self.channel):
            return DUAL_HANDLERS.get(kind, entry)
        return entry

    def _keep_early(self, msg: Message) -> None:
        # BOLT 2, "Message Retransmission": a peer MUST wait for our channel_reestablish before anything else;
        # some send channel_ready or announcement_signatures sooner.
        early = self.channel.live.early
        if len(early) >= MAX_EARLY:
            raise WarnPeer(f"{type(msg).NAME} before channel_reestablish")
        early.append(msg)

    def _reestablish(self, msg: pw.ChannelReestablish) -> ChannelStep[None]:
        session = self.channel.live
        yield from reestablish.on_reestablish(self.channel, msg)
        early, session.early = session.early, []
        for kept in early:
            step = self._told(kept)
            if step is not None:
                yield from step

    def _from_garbage(self, why: str) -> list[ChannelEffect] | None:
        if self.channel.phase in (Phase.OFFLINE, Phase.LEAVING, Phase.FAILED):
            return None
        # BOLT 1, "Lightning Message Format", receiver MUST close the connection on an unknown even type, and
        # may fail the channels; a message that does not parse is no better.
        raise WarnPeer(why)

    def _from_master(self, msg: Message) -> ChannelStep[None] | None:
        if self.channel.failed:
            return self._refuse(msg)
        return MASTER_HANDLERS[type(msg)](self.channel, msg)

    def _refuse(self, msg: Message) -> ChannelStep[None] | None:
        """A failed channel still owes an answer to an offer."""
        if isinstance(msg, cw.ChanneldOfferHtlc):
            return updates.on_offer(self.channel, msg)
        return None

    def _flush(self) -> ChannelStep[None] | None:
        if self.channel.phase not in LIVE:
            return None
        return self._rounds()

    def _rounds(self) -> ChannelStep[None]:
        channel = self.channel
        yield from updates.maybe_send_fee(channel)
        if commit.should_commit(channel):
            yield from commit.send_commit(channel)
        yield from shutdown.maybe_send_shutdown(channel)
        yield from shutdown.maybe_complete(channel)

    def _timer(self) -> list[ChannelEffect] | None:
        channel = self.channel
        if channel.phase not in LIVE or not channel.awaiting_revoke:
            return None
        text = f"No revoke_and_ack within {commit.REVOKE_SECONDS} seconds"
        channel.live.leaving = True
        return [Log("unusual", text), self._failed(TRANSIENT, text), Disconnect()]

    # ---- the peer failed --------------------------------------------------------------------

    def on_peer_error(self, err: PeerError) -> Outcome:
        """A rule was broken: the class of the error says what follows."""
        return cast("Outcome", self._after_peer_error(err, str(err)[:_MAX_TEXT]))

    def _after_peer_error(self, err: PeerError, text: str) -> list[ChannelEffect]:
        channel = self.channel
        data, channel_id = text.encode(), channel.facts.channel_id
        if isinstance(err, NegotiationFailed):
            if dual_funding.can_be_undone(channel):
                return [
                    Log("unusual", f"Giving up the opening: {text}"),
                    SendPeer(make_abort(channel_id, text)),
                    *self._end(dual_funding.GIVEN_UP, text),
                ]
            # BOLT 2, "The `tx_abort` Message", sender MUST NOT have transmitted tx_signatures: so only the connection
            # ends, and the channel is remembered.
            err = WarnPeer(text)
        if isinstance(err, FailChannel):
            return [
                Log("unusual", f"Failing channel: {text}"),
                SendPeer(pw.Error(channel_id=channel_id, data=data)),
                *self._end(WE_FAILED, text),
            ]
        if isinstance(err, WarnPeer | DisconnectPeer):
            if channel.session is not None:
                channel.session.leaving = True
            warning = SendPeer(pw.Warning(channel_id=channel_id, data=data))
            return [
                Log("unusual", f"Peer transient failure: {text}"),
                *([warning] if isinstance(err, WarnPeer) else []),
                self._failed(TRANSIENT, text),
                Disconnect(),
            ]
        return [Log("debug", f"Ignoring: {text}")]

    def on_error_message(self, msg: pw.Error) -> list[ChannelEffect]:
        """The peer failed the channel. Not a step: nothing that we wait for may delay it, but for a reestablish."""
        if self.channel.failed:
            return []
        text = _printable(msg.data)
        return [
            Log("unusual", f"peer sent ERROR: {text}"),
            *self._end(PEER_ERROR, f"They sent {describe(msg)}"),
        ]

    def _end(self, kind: int, text: str) -> list[ChannelEffect]:
        channel = self.channel
        if dual_funding.can_be_undone(channel):
            kind = dual_funding.GIVEN_UP
        channel.failed = True
        return [
            CancelTimer(commit.REVOKE_TIMER),
            *updates.lost_offers(channel),
            self._failed(kind, text),
        ]

    def _failed(self, kind: int, text: str) -> Tell:
        dbid = self.channel.facts.dbid
        return Tell(
            "master", cw.ChanneldFailed(dbid=dbid, kind=kind, reason=text, remote_point=None)
        )


def _printable(data: bytes) -> str:
    """The text of `error` or `warning`; hex where it is not plain text."""
    # BOLT 1, "The `error` and `warning` Messages", receiver: data that is not printable ASCII SHOULD NOT be
    # shown as it is.
    if all(32 <= byte < 127 for byte in data):
        return data.decode("ascii")
    return data.hex()[:_MAX_TEXT]
