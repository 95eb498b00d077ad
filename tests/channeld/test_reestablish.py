"""channel_reestablish: what is sent again, in which order, and what is done about lost data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pylightningd.channeld.state import Phase
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import SWEAR_WORDS, failures, reach_htlc, reach_normal, traced
from tests.sim.peers import INIT, Pair, Peer


def connected(route_id: int = 99, *, fresh: bool = False) -> cw.ChanneldConnected:
    return cw.ChanneldConnected(
        dbid=1, route_id=route_id, fresh=fresh, their_features=INIT.features
    )


def sent(peer: Peer) -> list[str]:
    """Names of what is on its way from the peer."""
    return [type(pw.decode(raw)).__name__ for raw in peer.outbox]


def reconnect(pair: Pair) -> None:
    pair.cut()
    pair.connect()


def reestablish_of(peer: Peer) -> pw.ChannelReestablish:
    msg = pw.decode(peer.outbox[0])
    assert isinstance(msg, pw.ChannelReestablish)
    return msg


def test_figures_of_a_new_channel() -> None:
    pair = Pair.open()
    pair.connect()
    msg = reestablish_of(pair.alice)
    assert (msg.next_commitment_number, msg.next_revocation_number) == (1, 0)
    assert msg.your_last_per_commitment_secret == bytes(32)


def test_figures_after_an_htlc() -> None:
    pair = reach_htlc()
    reconnect(pair)
    msg = reestablish_of(pair.alice)
    assert (msg.next_commitment_number, msg.next_revocation_number) == (2, 1)
    assert msg.your_last_per_commitment_secret != bytes(32)


def test_nothing_is_sent_before_the_peers_reestablish() -> None:
    pair = reach_htlc()
    pair.cut()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.connect()
    assert sent(pair.bob) == ["ChannelReestablish"]
    pair.deliver_one(pair.alice)
    assert sent(pair.bob)[1:] == ["UpdateFulfillHtlc", "CommitmentSigned"]
    pair.settle()
    assert pair.alice.master.outcomes == {(True, 0): True}


def test_lost_commitment_is_sent_again_with_its_updates() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    reconnect(pair)
    pair.deliver_one(pair.bob)
    assert sent(pair.alice) == [
        "ChannelReestablish",
        "ChannelReady",
        "UpdateAddHtlc",
        "CommitmentSigned",
    ]
    pair.settle()
    assert pair.bob.master.resolvable == [0]


def lost_both(pair: Pair, *, revoke_first: bool) -> None:
    """Bob has sent both a revoke_and_ack and a commitment_signed; Alice sees neither."""
    if revoke_first:
        pair.offer(pair.alice, 1_000_000)
        pair.deliver_one(pair.alice)
        pair.deliver_one(pair.alice)
    else:
        pair.offer(pair.bob, 1_000_000)
        pair.offer(pair.alice, 1_000_000)
        pair.deliver_one(pair.alice)
        pair.deliver_one(pair.alice)


@pytest.mark.parametrize("revoke_first", [True, False])
@pytest.mark.parametrize("crash", [True, False])
def test_order_is_kept(revoke_first: bool, crash: bool) -> None:
    pair = reach_normal()
    lost_both(pair, revoke_first=revoke_first)
    before = [n for n in sent(pair.bob) if n in ("RevokeAndAck", "CommitmentSigned")]
    assert len(before) == 2
    if crash:
        pair.crash(pair.bob)
    else:
        pair.cut()
    pair.connect()
    pair.deliver_one(pair.alice)
    after = [n for n in sent(pair.bob) if n in ("RevokeAndAck", "CommitmentSigned")]
    assert (
        after
        == before
        == (
            ["RevokeAndAck", "CommitmentSigned"]
            if revoke_first
            else ["CommitmentSigned", "RevokeAndAck"]
        )
    )
    pair.settle()
    pair.check_at_rest()


def test_offers_without_a_commitment_are_given_back() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    lost = pair.offer(pair.alice, 1_000_000)
    pair.cut()
    assert pair.alice.master.refused[lost].failure_code == FailureCode.TEMPORARY_CHANNEL_FAILURE
    pair.connect()
    pair.settle()
    pair.offer(pair.alice, 1_000_000)
    pair.settle()
    assert pair.bob.master.resolvable == [0, 1], "the id is used again"


def test_removals_without_a_commitment_are_sent_again() -> None:
    pair = reach_htlc()
    pair.offer(pair.bob, 1_000_000)  # keeps a round open
    pair.resolve(pair.bob, 0, "fail")
    assert "UpdateFailHtlc" in sent(pair.bob)
    reconnect(pair)
    pair.settle()
    assert pair.alice.master.outcomes == {(True, 0): False}


def test_early_messages_are_kept() -> None:
    pair = Pair.open(ready=False)
    pair.connect()
    early = pw.ChannelReady(
        channel_id=pair.alice.channel.facts.channel_id,
        second_per_commitment_point=pair.bob.hsmd.node_id,
    )
    pair.alice.deliver(early.encode())
    assert not pair.alice.channel.got_channel_ready
    pair.deliver_one(pair.bob)
    assert pair.alice.channel.got_channel_ready
    assert not failures(pair.alice)


def test_too_many_early_messages() -> None:
    pair = Pair.open()
    pair.connect()
    msg = pw.Shutdown(channel_id=pair.alice.channel.facts.channel_id, scriptpubkey=b"")
    for _ in range(11):
        pair.alice.deliver(msg.encode())
    assert "before channel_reestablish" in failures(pair.alice)[0].reason


# ---- impossible figures and lost data ---------------------------------------------------------------


def answer_to(change: Callable[[pw.ChannelReestablish], Any]) -> tuple[Peer, list[type]]:
    """What Bob, with two revoked commitments, does on a changed channel_reestablish of Alice's."""
    pair = reach_htlc()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.settle()
    reconnect(pair)
    msg = change(reestablish_of(pair.alice))
    return pair.bob, traced(pair.bob, lambda: pair.bob.deliver(msg.encode()))


FAILED = [hw.HsmdCheckSecret, pw.Error, cw.ChanneldFailed]


def test_impossible_commitment_number() -> None:
    bob, trace = answer_to(lambda m: replace(m, next_commitment_number=4))
    assert trace == FAILED
    assert failures(bob)[0].kind == 1
    assert "bad reestablish commitment_number" in failures(bob)[0].reason


@pytest.mark.parametrize("number", [1, 2])
def test_a_peer_that_forgot_it_revoked(number: int) -> None:
    bob, trace = answer_to(lambda m: replace(m, next_commitment_number=number))
    assert trace == [hw.HsmdCheckSecret, pw.Warning]
    assert not failures(bob), "it may still find its data, or send an error"


def test_commitment_number_zero_asks_for_a_close() -> None:
    bob, trace = answer_to(lambda m: replace(m, next_commitment_number=0))
    assert trace == [cw.ChanneldFailed]
    assert failures(bob)[0].kind == 4


def test_wrong_last_secret() -> None:
    bob, trace = answer_to(lambda m: replace(m, your_last_per_commitment_secret=b"\x01" * 32))
    assert trace == FAILED
    assert failures(bob)[0].kind == 1


def test_we_lost_data() -> None:
    pair = reach_htlc()
    old = pair.bob.master.snapshot()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.settle()
    pair.crash(pair.bob)
    pair.bob.master.row = old
    pair.bob.start()
    pair.connect()
    trace = traced(pair.bob, lambda: pair.deliver_one(pair.alice))
    assert trace == FAILED
    (failed,) = failures(pair.bob)
    assert failed.kind == 3
    assert failed.remote_point is not None
    # The peer sees that we are behind, keeps the connection, and closes on our error.
    trace = traced(pair.alice, lambda: pair.deliver_one(pair.bob))
    assert trace == [hw.HsmdCheckSecret, pw.Warning]
    assert pair.alice.channel.phase is Phase.LEAVING
    error = pw.decode(pair.bob.outbox.popleft())
    assert isinstance(error, pw.Error)
    assert error.data == b"Awaiting unilateral close"


def test_a_future_secret_that_is_wrong() -> None:
    bob, trace = answer_to(lambda m: replace(m, next_revocation_number=9))
    assert trace == FAILED
    assert failures(bob)[0].kind == 1
    assert "bad future" in failures(bob)[0].reason


def test_reestablish_twice() -> None:
    pair = reach_htlc()
    reconnect(pair)
    raw = pair.alice.outbox[0]
    pair.settle()
    assert traced(pair.bob, lambda: pair.bob.deliver(raw)) == SWEAR_WORDS


def test_new_route_without_a_word_of_the_old_ones_end() -> None:
    pair = reach_normal()
    lost = [pair.offer(pair.alice, 1_000_000) for _ in range(2)][1]
    trace = traced(pair.alice, lambda: pair.say(pair.alice, connected(77)))
    assert trace[0] is cw.ChanneldHtlcOffered
    assert lost in pair.alice.master.refused
    assert pair.alice.route == 77
