"""revoke_and_ack from the peer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import SWEAR_WORDS, failures, reach_normal, traced
from tests.sim.peers import Pair


def revocation_for_alice() -> tuple[Pair, pw.RevokeAndAck]:
    """Alice signed, and Bob's answer is on its way."""
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    pair.deliver_one(pair.alice)
    pair.deliver_one(pair.alice)
    msg = pw.decode(pair.bob.outbox.popleft())
    assert isinstance(msg, pw.RevokeAndAck)
    return pair, msg


def test_revocation_is_written_down() -> None:
    pair, msg = revocation_for_alice()
    assert pair.alice.timers == {"revoke"}
    trace = traced(pair.alice, lambda: pair.alice.deliver(msg.encode()))
    assert trace == [cw.ChanneldGotRevoke]
    assert not pair.alice.timers


@pytest.mark.parametrize("secret", [b"\x01" * 32, bytes(32)])
def test_wrong_secret_fails_the_channel(secret: bytes) -> None:
    pair, msg = revocation_for_alice()
    bad = replace(msg, per_commitment_secret=secret)
    trace = traced(pair.alice, lambda: pair.alice.deliver(bad.encode()))
    assert trace == [pw.Error, cw.ChanneldFailed]
    assert failures(pair.alice)[0].kind == 1


def test_next_point_must_be_a_point() -> None:
    pair, msg = revocation_for_alice()
    bad = replace(msg, next_per_commitment_point=b"\x02" + b"\xff" * 32)
    assert traced(pair.alice, lambda: pair.alice.deliver(bad.encode())) == SWEAR_WORDS


def test_revocation_that_nobody_asked_for() -> None:
    pair, msg = revocation_for_alice()
    pair.alice.deliver(msg.encode())
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == SWEAR_WORDS
    assert "unexpected revoke_and_ack" in failures(pair.alice)[0].reason


def test_all_onions_of_a_round_are_one_question() -> None:
    pair = reach_normal()
    pair.alice.slow = True
    for _ in range(3):
        pair.offer(pair.alice, 1_000_000)
    trace = traced(pair.bob, pair.settle)
    assert trace.count(hw.HsmdEcdh) <= 2  # the first offer went alone
    assert len(pair.bob.master.resolvable) == 3


def test_an_onion_key_that_is_no_point_has_no_secret() -> None:
    pair = reach_normal()
    seen = []
    answer = pair.bob.master.answer
    pair.bob.master.answer = lambda m: (seen.append(m), answer(m))[1]  # type: ignore[method-assign]
    pair.alice.master.offers[1] = None
    pair.say(
        pair.alice,
        cw.ChanneldOfferHtlc(
            dbid=1,
            cookie=1,
            amount=Msat(1_000_000),
            cltv_expiry=500,
            payment_hash=bytes(32),
            onion=bytes(1366),
        ),
    )
    pair.settle()
    (msg,) = [m for m in seen if isinstance(m, cw.ChanneldGotRevoke)]
    assert [s.secret.reveal() for s in msg.onion_secrets] == [bytes(32)]


def test_a_blinded_onion_is_tweaked() -> None:
    pair = reach_normal()
    key = pair.bob.hsmd.node_id
    msg = cw.ChanneldOfferHtlc(
        dbid=1,
        cookie=1,
        amount=Msat(1_000_000),
        cltv_expiry=500,
        payment_hash=bytes(32),
        onion=b"\x00" + key + bytes(1332),
        path_key=key,
    )
    pair.alice.master.offers[1] = None
    trace = traced(pair.bob, lambda: (pair.say(pair.alice, msg), pair.settle()))
    assert trace.count(hw.HsmdEcdh) == 2
    assert pair.bob.channel.htlcs[1, 0].path_key == key


def reach_normal_with_little_dust() -> Pair:
    """Bob allows 900 satoshis of dust."""
    pair = Pair.open()
    pair.bob.master.row = replace(pair.bob.master.row, max_dust_exposure=Msat(900_000))
    pair.bob.start()
    pair.connect(fresh=True)
    pair.settle()
    return pair


def test_dust_over_our_limit_is_to_be_failed() -> None:
    pair = reach_normal_with_little_dust()
    for msat in (400_000, 400_000, 5_000_000, 400_000):
        pair.offer(pair.alice, msat)
        pair.settle()
    assert pair.bob.master.too_dusty == {0: False, 1: False, 2: False, 3: True}


def test_dust_that_came_together_is_judged_in_order() -> None:
    pair = reach_normal_with_little_dust()
    pair.alice.slow = True
    for _ in range(4):
        pair.offer(pair.alice, 400_000)
    pair.settle()
    assert pair.bob.master.too_dusty == {0: False, 1: False, 2: True, 3: True}
