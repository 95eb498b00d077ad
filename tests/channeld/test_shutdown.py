"""shutdown, until closingd takes over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.channeld.state import Phase
from pylightningd.common.amount import Sat
from pylightningd.common.channel_type import STATIC_REMOTEKEY_TYPE
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import (
    CID,
    SWEAR_WORDS,
    add,
    failures,
    reach_htlc,
    reach_normal,
    traced,
)
from tests.sim.peers import Pair, Peer

P2TR = b"\x51\x20" + bytes(32)
P2PKH = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"
CLOSING_SIGNED = pw.ClosingSigned(channel_id=CID, fee_satoshis=Sat(500), signature=bytes(64))


def is_complete(peer: Peer) -> bool:
    """Whether lightningd has heard that closingd is to go on, on this very connection."""
    session = peer.channel.session
    assert session is not None
    complete = cw.ChanneldShutdownComplete(dbid=1, route_id=session.route_id)
    return complete in peer.master.told


def close(pair: Pair, peer: Peer) -> None:
    peer.master.row = replace(peer.master.row, local_shutdown_script=peer.master.script)
    pair.say(peer, cw.ChanneldShutdown(dbid=1, script=peer.master.script))


def test_with_nothing_pending_it_is_complete_at_once() -> None:
    pair = reach_normal()
    close(pair, pair.alice)
    pair.settle()
    for peer in pair.both:
        assert is_complete(peer)
        assert peer.channel.phase is Phase.HANDED_OVER


def test_htlcs_are_resolved_first() -> None:
    pair = reach_htlc()
    close(pair, pair.bob)
    pair.settle()
    assert all(p.channel.phase is Phase.SHUTTING_DOWN for p in pair.both)
    cookie = pair.offer(pair.alice, 1_000_000)
    assert pair.alice.master.refused[cookie].failure_code == FailureCode.PERMANENT_CHANNEL_FAILURE
    pair.resolve(pair.bob, 0, "fulfill")
    pair.settle()
    assert all(is_complete(p) for p in pair.both)
    pair.check()


def test_it_waits_for_our_updates_to_be_signed() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    pair.offer(pair.alice, 1_000_000)
    assert traced(pair.alice, lambda: close(pair, pair.alice)) == []
    trace = traced(pair.alice, pair.settle)
    assert trace.index(pw.Shutdown) > trace.index(pw.CommitmentSigned)


def test_it_is_sent_again_after_a_reconnect() -> None:
    pair = reach_htlc()
    close(pair, pair.alice)
    pair.settle()
    pair.cut()
    pair.connect()
    for peer in pair.both:
        peer.trace.clear()
    pair.settle()
    assert all(p.trace.count(pw.Shutdown) == 1 for p in pair.both)
    pair.resolve(pair.bob, 0, "fail")
    pair.settle()
    assert all(is_complete(p) for p in pair.both)


def test_an_htlc_after_shutdown() -> None:
    pair = reach_htlc()
    close(pair, pair.alice)
    pair.settle()
    assert traced(pair.bob, lambda: pair.bob.deliver(add(id=1).encode())) == SWEAR_WORDS
    assert "after shutdown" in failures(pair.bob)[0].reason


def test_an_htlc_after_a_close_on_an_earlier_connection() -> None:
    """The mutual close may be signed already: whoever forwards such an HTLC pays it out of its own pocket."""
    pair = reach_normal()
    close(pair, pair.alice)
    pair.settle()
    assert all(is_complete(p) for p in pair.both)
    pair.cut()
    pair.connect()
    assert pair.deliver_one(pair.alice)  # channel_reestablish alone; shutdown has not come again
    assert pair.bob.channel.phase is not Phase.HANDED_OVER
    pair.bob.deliver(add(id=0).encode())
    assert "after shutdown" in failures(pair.bob)[-1].reason
    assert not pair.bob.channel.htlcs


@pytest.mark.parametrize("script", [b"", b"\x00\x15" + bytes(21), P2PKH])
def test_bad_scripts(script: bytes) -> None:
    pair = reach_normal()
    msg = pw.Shutdown(channel_id=CID, scriptpubkey=script)
    assert traced(pair.bob, lambda: pair.bob.deliver(msg.encode())) == SWEAR_WORDS


def test_old_script_on_an_old_channel() -> None:
    pair = reach_normal(channel_type=STATIC_REMOTEKEY_TYPE)
    pair.bob.deliver(pw.Shutdown(channel_id=CID, scriptpubkey=P2PKH).encode())
    assert pair.bob.channel.remote_shutdown_script == P2PKH


@pytest.mark.parametrize("negotiated", [True, False])
def test_taproot_script_needs_the_feature(negotiated: bool) -> None:
    pair = reach_normal()
    pair.bob.channel.their_features = b"\x08\x00\x00\x00" if negotiated else b""
    pair.bob.deliver(pw.Shutdown(channel_id=CID, scriptpubkey=P2TR).encode())
    assert bool(failures(pair.bob)) != negotiated


def test_upfront_script_must_be_the_same() -> None:
    pair = Pair.open()
    script = b"\x00\x14" + bytes(20)
    row = pair.bob.master.row
    pair.bob.master.row = replace(row, remote_upfront_shutdown_script=script)
    pair.bob.start()
    pair.connect(fresh=True)
    pair.bob.deliver(pw.Shutdown(channel_id=CID, scriptpubkey=b"\x00\x14" + b"\1" * 20).encode())
    assert "upfront" in failures(pair.bob)[0].reason


def test_closing_messages_go_to_lightningd() -> None:
    pair = reach_normal()
    close(pair, pair.alice)
    pair.settle()
    pair.bob.deliver(CLOSING_SIGNED.encode())
    assert pair.bob.master.told[-1] == cw.ChanneldPeerMsg(dbid=1, msg=CLOSING_SIGNED.encode())


def test_closing_signed_while_htlcs_are_pending() -> None:
    pair = reach_htlc()
    close(pair, pair.alice)
    pair.settle()
    raw = CLOSING_SIGNED.encode()
    assert traced(pair.bob, lambda: pair.bob.deliver(raw)) == SWEAR_WORDS
