"""Updates, both ways: what is allowed and what follows when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.channel_type import STATIC_REMOTEKEY_TYPE
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import CID, SWEAR_WORDS, add, failures, reach_htlc, reach_normal, traced
from tests.sim.peers import Pair


def feerates(rate: int) -> cw.ChanneldFeerates:
    return cw.ChanneldFeerates(
        dbid=1, feerate_perkw=rate, feerate_min_perkw=253, feerate_max_perkw=10_000
    )


def refusal(pair: Pair, msat: int, cltv_expiry: int = 500) -> cw.ChanneldHtlcOffered:
    cookie = pair.offer(pair.alice, msat, cltv_expiry)
    return pair.alice.master.refused[cookie]


def test_offer_is_answered_with_its_id_and_signed_in_one_round() -> None:
    pair = reach_normal()
    trace = traced(pair.alice, lambda: pair.offer(pair.alice, 1_000_000))
    assert trace == [
        pw.UpdateAddHtlc,
        cw.ChanneldHtlcOffered,
        hw.HsmdSignRemoteCommitment,
        cw.ChanneldSendingCommitsig,
        pw.CommitmentSigned,
    ]


@pytest.mark.parametrize(
    ("msat", "cltv", "code", "text"),
    [
        (1_000, 500_000_000, FailureCode.INCORRECT_CLTV_EXPIRY, "Invalid cltv_expiry"),
        (0, 500, FailureCode.AMOUNT_BELOW_MINIMUM, "HTLC too small"),
        (600_000_001, 500, FailureCode.TEMPORARY_CHANNEL_FAILURE, "Maximum value in flight"),
        (589_000_000, 500, FailureCode.TEMPORARY_CHANNEL_FAILURE, "Capacity exceeded"),
    ],
)
def test_offer_is_refused(msat: int, cltv: int, code: FailureCode, text: str) -> None:
    pair = reach_normal()
    reply = refusal(pair, msat, cltv)
    assert reply.failure_code == code
    assert text in reply.error
    assert not pair.alice.outbox


def test_too_many_offers() -> None:
    pair = reach_normal()
    for _ in range(10):
        pair.offer(pair.alice, 1_000_000)
    assert "Too many HTLCs" in refusal(pair, 1_000_000).error


def test_the_opener_keeps_a_fee_spike_buffer() -> None:
    pair = reach_normal()
    # 600,000 less reserve 10,000, anchors 660 and, at twice the feerate, two HTLCs: 2 * (1124 + 344).
    most = 600_000_000 - 10_000_000 - 660_000 - 2 * (1124 + 2 * 172) * 1000
    assert "Capacity exceeded" in refusal(pair, most + 1).error
    pair.offer(pair.alice, most)
    pair.settle()
    pair.check()
    assert pair.alice.master.accepted


def test_too_much_dust_is_refused() -> None:
    pair = reach_normal()
    pair.alice.channel.facts = replace(pair.alice.channel.facts, max_dust_exposure=Msat(700_000))
    pair.offer(pair.alice, 353_000)
    assert "dust" in refusal(pair, 353_000).error


def test_no_offer_before_channel_ready_or_when_offline() -> None:
    pair = Pair.open(ready=False)
    assert refusal(pair, 1_000_000).failure_code == FailureCode.TEMPORARY_CHANNEL_FAILURE
    pair.connect(fresh=True)
    assert "not ready" in refusal(pair, 1_000_000).error


@pytest.mark.parametrize(
    ("msg", "text"),
    [
        (add(id=1), "id 1, expected 0"),
        (add(amount_msat=Msat(0)), "below our minimum"),
        (add(cltv_expiry=500_000_000), "invalid cltv_expiry"),
        (add(amount_msat=Msat(600_000_001)), "in flight"),
        (add(amount_msat=Msat(589_000_000)), "must keep"),
    ],
)
def test_add_is_rejected(msg: pw.UpdateAddHtlc, text: str) -> None:
    pair = reach_normal()
    assert traced(pair.bob, lambda: pair.bob.deliver(msg.encode())) == SWEAR_WORDS
    assert text in failures(pair.bob)[0].reason
    assert failures(pair.bob)[0].kind == 0


def test_too_many_adds() -> None:
    pair = reach_normal()
    for n in range(10):
        pair.bob.deliver(add(id=n).encode())
    assert traced(pair.bob, lambda: pair.bob.deliver(add(id=10).encode())) == SWEAR_WORDS


def test_same_payment_hash_twice_is_fine() -> None:
    pair = reach_normal()
    pair.bob.deliver(add(id=0).encode())
    pair.bob.deliver(add(id=1).encode())
    assert not failures(pair.bob)


def test_wrong_preimage() -> None:
    pair = reach_htlc()
    msg = pw.UpdateFulfillHtlc(channel_id=CID, id=0, payment_preimage=bytes(32))
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == SWEAR_WORDS
    assert "wrong preimage" in failures(pair.alice)[0].reason


def test_unknown_htlc_cannot_be_removed() -> None:
    pair = reach_htlc()
    msg = pw.UpdateFailHtlc(channel_id=CID, id=7, reason=b"")
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == SWEAR_WORDS
    assert "no HTLC 7" in failures(pair.alice)[0].reason


def test_htlc_cannot_be_removed_before_it_is_irrevocable_nor_twice() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    msg = pw.UpdateFailHtlc(channel_id=CID, id=0, reason=b"").encode()
    pair.alice.deliver(msg)
    assert "SENT_ADD_COMMIT" in failures(pair.alice)[0].reason
    pair = reach_htlc()
    pair.alice.deliver(msg)
    assert not failures(pair.alice)
    pair.alice.deliver(msg)
    assert "RCVD_REMOVE_HTLC" in failures(pair.alice)[0].reason


def test_malformed_needs_badonion() -> None:
    pair = reach_htlc()
    msg = pw.UpdateFailMalformedHtlc(
        channel_id=CID, id=0, sha256_of_onion=bytes(32), failure_code=0x4005
    )
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == SWEAR_WORDS
    assert "BADONION" in failures(pair.alice)[0].reason


def test_malformed_is_told_with_its_code_and_hash() -> None:
    pair = reach_htlc()
    seen = []
    learn = pair.alice.master.answer
    pair.alice.master.answer = lambda m: (seen.append(m), learn(m))[1]  # type: ignore[method-assign]
    pair.resolve(pair.bob, 0, "malformed")
    pair.settle()
    (row,) = [h for m in seen if isinstance(m, cw.ChanneldGotCommitsig) for h in m.removed]
    assert (row.malformed_code, row.failure_onion, row.preimage) == (0xC005, None, None)
    assert pair.alice.master.outcomes == {(True, 0): False}


def test_removal_said_twice_is_sent_once() -> None:
    pair = reach_htlc()
    preimage = pair.preimages[pair.bob.master.htlcs[False, 0].payment_hash]
    msg = pair.bob.master.decide(0, preimage)
    trace = traced(pair.bob, lambda: pair.say(pair.bob, msg, msg))
    assert trace.count(pw.UpdateFulfillHtlc) == 1
    pair.settle()
    assert traced(pair.bob, lambda: pair.say(pair.bob, msg)) == []


def test_wrong_preimage_of_lightningd_is_a_bug() -> None:
    pair = reach_htlc()
    with pytest.raises(RuntimeError, match="wrong preimage"):
        pair.say(pair.bob, cw.ChanneldFulfillHtlc(dbid=1, id=0, preimage=bytes(32)))


# ---- feerates -------------------------------------------------------------------------------------


def test_opener_changes_the_feerate() -> None:
    pair = reach_normal()
    trace = traced(pair.alice, lambda: pair.say(pair.alice, feerates(2000)))
    assert trace[0] is pw.UpdateFee
    pair.settle()
    for peer in pair.both:
        assert [f.feerate_perkw for f in peer.master.row.fees] == [2000]
    assert traced(pair.alice, lambda: pair.say(pair.alice, feerates(2000))) == []


def test_accepter_does_not_send_update_fee() -> None:
    pair = reach_normal()
    assert traced(pair.bob, lambda: pair.say(pair.bob, feerates(2000))) == []


def test_feerate_is_lowered_to_what_we_can_pay() -> None:
    pair = reach_normal(push=Msat(985_000_000))
    pair.say(pair.alice, feerates(9000))
    pair.settle()
    # 15,000 less reserve 10,000 and anchors 660.
    assert pair.bob.channel.fees.newest == 4340 * 1000 // 1124


@pytest.mark.parametrize(
    ("rate", "text"),
    [(252, "outside range"), (100_001, "outside range"), (90_000, None), (253, None)],
)
def test_update_fee_is_checked(rate: int, text: str | None) -> None:
    pair = reach_normal()
    msg = pw.UpdateFee(channel_id=CID, feerate_per_kw=rate)
    trace = traced(pair.bob, lambda: pair.bob.deliver(msg.encode()))
    assert trace == (SWEAR_WORDS if text else [])
    assert text is None or text in failures(pair.bob)[0].reason


def test_update_fee_that_the_opener_cannot_pay() -> None:
    pair = reach_normal(push=Msat(985_000_000))
    pair.bob.deliver(pw.UpdateFee(channel_id=CID, feerate_per_kw=5000).encode())
    assert "unaffordable" in failures(pair.bob)[0].reason


def test_update_fee_from_the_accepter() -> None:
    pair = reach_normal()
    pair.alice.deliver(pw.UpdateFee(channel_id=CID, feerate_per_kw=2000).encode())
    assert "non-opener" in failures(pair.alice)[0].reason


def test_feerate_that_turns_htlcs_into_dust() -> None:
    pair = reach_htlc(2_000_000, channel_type=STATIC_REMOTEKEY_TYPE)
    pair.bob.channel.facts = replace(pair.bob.channel.facts, max_dust_exposure=Msat(1_000_000))
    pair.bob.deliver(pw.UpdateFee(channel_id=CID, feerate_per_kw=9000).encode())
    assert "dust" in failures(pair.bob)[0].reason
