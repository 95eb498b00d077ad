"""The table of what is legal when, and what ends a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.channeld.events import BadPeerBytes
from pylightningd.channeld.machine import MASTER_HANDLERS, PEER_HANDLERS
from pylightningd.channeld.state import Phase
from pylightningd.common.effects import Disconnect, Log, Tell, TimerFired
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message, Request
from tests.channeld.scenes import CID, SWEAR_WORDS, failures, reach_htlc, reach_normal, traced
from tests.channeld.test_shutdown import close
from tests.sim.peers import Pair

POINT = b"\x02" + b"\xff" * 32
SAMPLES: list[Message] = [
    pw.Warning(channel_id=CID, data=b"hm"),
    pw.ChannelReestablish(
        channel_id=CID,
        next_commitment_number=1,
        next_revocation_number=0,
        your_last_per_commitment_secret=bytes(32),
        my_current_per_commitment_point=POINT,
    ),
    pw.ChannelReady(channel_id=CID, second_per_commitment_point=POINT),
    pw.UpdateFulfillHtlc(channel_id=CID, id=9, payment_preimage=bytes(32)),
    pw.UpdateFailHtlc(channel_id=CID, id=9, reason=b""),
    pw.UpdateFee(channel_id=CID, feerate_per_kw=1),
    pw.CommitmentSigned(channel_id=CID, signature=bytes(64), htlc_signature=()),
    pw.RevokeAndAck(
        channel_id=CID, per_commitment_secret=bytes(32), next_per_commitment_point=POINT
    ),
    pw.Shutdown(channel_id=CID, scriptpubkey=b""),
    pw.Stfu(channel_id=CID, initiator=1),
    pw.SpliceLocked(channel_id=CID, splice_txid=bytes(32)),  # type: ignore[arg-type]
    pw.TxAbort(channel_id=CID, data=b""),
    pw.StartBatch(channel_id=CID, batch_size=2),
]


def in_phase(phase: Phase) -> Pair:
    """Bob is in this phase."""
    if phase is Phase.OFFLINE:
        return Pair.open()
    if phase is Phase.REESTABLISHING:
        pair = Pair.open()
        pair.connect()
        return pair
    if phase is Phase.AWAITING_READY:
        pair = Pair.open(ready=False)
        pair.connect(fresh=True)
        return pair
    if phase is Phase.SHUTTING_DOWN:
        pair = reach_htlc()
        close(pair, pair.alice)
        pair.settle()
        return pair
    pair = reach_normal()
    if phase is Phase.HANDED_OVER:
        close(pair, pair.alice)
        pair.settle()
    elif phase is Phase.LEAVING:
        pair.bob.channel.session.leaving = True
    elif phase is Phase.FAILED:
        pair.bob.channel.failed = True
    return pair


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.SIGNING_FUNDING])
@pytest.mark.parametrize("msg", SAMPLES, ids=lambda m: type(m).__name__)
def test_every_message_in_every_phase(phase: Phase, msg: Message) -> None:
    """Nothing but the consequences of a PeerError may follow from a message out of place."""
    pair = in_phase(phase)
    assert pair.bob.channel.phase is phase
    trace = traced(pair.bob, lambda: pair.bob.deliver(msg.encode()))
    entry = PEER_HANDLERS.get(type(msg))
    legal = entry is not None and phase in entry[1]
    if legal:
        return
    if phase in (Phase.OFFLINE, Phase.LEAVING, Phase.FAILED):
        assert trace == []
    elif phase is Phase.HANDED_OVER:
        assert trace == [cw.ChanneldPeerMsg]
    elif phase is Phase.REESTABLISHING and entry is not None:
        assert pair.bob.channel.session.early == [msg]
    else:
        assert trace == SWEAR_WORDS
        assert pair.bob.channel.phase is Phase.LEAVING


def test_every_message_of_lightningd_has_a_handler() -> None:
    downward = {
        cls
        for kind, cls in cw.MESSAGES.items()
        if (kind < 620 or kind == 650) and not issubclass(cls, Request)
    }
    by_worker = {
        cw.ChanneldInit,
        cw.ChanneldChannel,
        cw.ChanneldForget,
        cw.ChanneldBlockheight,
        cw.ChanneldLateMsg,
    }
    assert set(MASTER_HANDLERS) == downward - by_worker - {cw.ChanneldHtlcOffered}


def perform(pair: Pair, effects: list[Any]) -> list[Any]:
    pair.bob._perform(effects)
    return effects


def test_error_is_told_at_once_even_mid_step() -> None:
    pair = reach_normal()
    pair.bob.slow = True
    pair.offer(pair.alice, 1_000_000)
    pair.deliver_one(pair.alice)
    pair.deliver_one(pair.alice)
    assert pair.bob.driver is not None
    assert pair.bob.driver.waiting is not None
    assert pair.bob.machine is not None
    effects = pair.bob.machine.on_error_message(pw.Error(channel_id=CID, data=b"go away"))
    (tell,) = [e for e in effects if isinstance(e, Tell)]
    assert isinstance(tell.msg, cw.ChanneldFailed)
    assert tell.msg.kind == 2
    assert tell.msg.reason == f"They sent ERROR channel {CID.hex()}: go away"
    assert pair.bob.machine.on_error_message(pw.Error(channel_id=CID, data=b"again")) == []


def test_error_gives_back_what_was_not_committed() -> None:
    pair = reach_normal()
    committed, lost = [pair.offer(pair.bob, 1_000_000) for _ in range(2)]
    assert pair.bob.machine is not None
    perform(pair, pair.bob.machine.on_error_message(pw.Error(channel_id=CID, data=b"\x00\xff")))
    assert lost in pair.bob.master.refused
    assert committed not in pair.bob.master.refused
    assert failures(pair.bob)[0].reason == f"They sent ERROR channel {CID.hex()}: 00ff"
    cookie = pair.offer(pair.bob, 1_000_000)
    assert cookie in pair.bob.master.refused


def test_warning_is_passed_on() -> None:
    pair = reach_normal()
    pair.bob.deliver(pw.Warning(channel_id=CID, data=b"careful").encode())
    assert pair.bob.master.told[-1] == cw.ChanneldWarning(dbid=1, text="careful")


def test_garbage_is_warned_about() -> None:
    pair = reach_normal()
    assert traced(pair.bob, lambda: pair.bob.feed(BadPeerBytes("unknown even"))) == SWEAR_WORDS


def test_a_stalled_peer_is_hung_up_on() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    assert pair.alice.timers == {"revoke"}
    trace = traced(pair.alice, lambda: pair.alice.feed(TimerFired("revoke")))
    assert trace == [cw.ChanneldFailed, Disconnect]
    pair = reach_htlc()
    assert traced(pair.bob, lambda: pair.bob.feed(TimerFired("revoke"))) == []


def test_announcements_pass_through() -> None:
    pair = reach_normal()
    msg = pw.AnnouncementSignatures(
        channel_id=CID,
        short_channel_id=pair.alice.channel.local_alias,
        node_signature=bytes(64),
        bitcoin_signature=bytes(64),
    )
    pair.bob.deliver(msg.encode())
    assert pair.bob.master.told[-1] == cw.ChanneldPeerMsg(dbid=1, msg=msg.encode())
    pair.cut()
    pair.say(pair.bob, cw.ChanneldSend(dbid=1, msg=msg.encode()))
    pair.connect()
    assert pw.AnnouncementSignatures not in pair.bob.trace
    pair.settle()
    assert pw.AnnouncementSignatures in pair.bob.trace


def test_logs_are_effects() -> None:
    pair = reach_normal()
    assert pair.bob.driver is not None
    effects = pair.bob.driver.feed(BadPeerBytes("x"))
    assert [e.level for e in effects if isinstance(e, Log)] == ["unusual"]
