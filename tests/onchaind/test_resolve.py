"""Each case of BOLT 5: which outputs there are, what is claimed and when, and that the network takes the claims."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.backup.own_close import delay_of
from tests.onchaind.rig import (
    HEIGHT,
    OUR_SHUTDOWN,
    SWEEP,
    THEIR_SHUTDOWN,
    Rig,
    htlc,
    index_of,
    preimage,
)
from tests.onchaind.script_check import ScriptFailed, check_spend

DELAY = 6
HTLCS = (
    htlc(1, ours=True, cltv=700),
    htlc(2, ours=False, cltv=710, known=True),
    htlc(3, ours=False, cltv=720),
    htlc(4, ours=True, sat=300, cltv=730),  # trimmed
)
both_types = pytest.mark.parametrize("anchors", [True, False], ids=["anchors", "static"])


def check(rig: Rig, claim: Claim, parent: Tx) -> Tx:
    """Make the claim and let the script judge it."""
    tx = rig.make(claim)
    spent = parent.outputs[claim.outpoint.index]
    assert claim.outpoint.txid == parent.txid()
    assert claim.amount == spent.amount
    check_spend(tx, 0, spent.script, spent.amount)
    return tx


# Our commitment


@both_types
def test_our_commitment(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    seen = rig.resolve(rig.ours.tx)
    (recognised,) = seen.of(ow.OnchaindRecognised)
    assert recognised.status == "Tracking our own unilateral close"
    assert recognised.number == rig.NUMBER
    kinds = {c.kind: c.first_block for c in seen.claims}
    assert kinds == {
        "OUR_DELAYED_RETURN_TO_WALLET": HEIGHT + DELAY,
        "OUR_HTLC_TIMEOUT_TX": 701,
        "OUR_HTLC_SUCCESS_TX": HEIGHT + 1,
    }
    for claim in seen.claims:
        check(rig, claim, rig.ours.tx)
    assert (
        "Telling lightningd about OUR_DELAYED_RETURN_TO_WALLET to resolve OUR_UNILATERAL/DELAYED_OUTPUT_TO_US"
        f" after block {HEIGHT + DELAY - 1} ({DELAY - 1} more blocks)" in seen.log
    )


@both_types
def test_second_stage_of_ours_is_ours_after_the_delay(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    seen = rig.resolve(rig.ours.tx)
    for height, kind in ((701, "OUR_HTLC_TIMEOUT_TX"), (601, "OUR_HTLC_SUCCESS_TX")):
        tx = check(rig, seen.claim(kind), rig.ours.tx)
        before = len(seen.claims)
        seen.spent(tx, height)
        (claim,) = seen.claims[before:]
        assert claim.kind == "OUR_DELAYED_RETURN_TO_WALLET"
        assert claim.first_block == height + DELAY
        check(rig, claim, tx)
        early = replace(claim, sequence=DELAY - 1)
        with pytest.raises(ScriptFailed, match="sequence"):
            check(rig, early, tx)


@both_types
def test_trimmed_htlc_fails_upstream_when_the_commitment_is_deep(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    seen = rig.resolve(rig.ours.tx)
    seen.block(HEIGHT + 1)
    assert not seen.of(ow.OnchaindHtlcGone)
    seen.block(HEIGHT + 2)
    assert [g.id for g in seen.of(ow.OnchaindHtlcGone)] == [4]
    seen.block(HEIGHT + 3)
    assert len(seen.of(ow.OnchaindHtlcGone)) == 1


@both_types
def test_timed_out_htlc_fails_upstream_when_the_timeout_is_deep(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[:1])
    seen = rig.resolve(rig.ours.tx)
    timeout = rig.make(seen.claim("OUR_HTLC_TIMEOUT_TX"))
    seen.spent(timeout, 701)
    seen.block(701)
    seen.block(702)
    assert not seen.of(ow.OnchaindHtlcGone)
    seen.block(703)
    assert [g.id for g in seen.of(ow.OnchaindHtlcGone)] == [1]


@both_types
def test_peer_claims_our_htlc_and_shows_the_preimage(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[:1])
    seen = rig.resolve(rig.ours.tx)
    index = index_of(rig.ours, OutputKind.OFFERED_HTLC)
    script = rig.ours.outputs[index].witness_script
    tx = Tx(
        2,
        (TxIn(rig.ours.txid, index, witness=(b"s" * 71, preimage(1), script)),),
        (TxOut(Sat(1000), SWEEP),),
    )
    seen.spent(tx, 605)
    (shown,) = seen.of(ow.OnchaindExtractedPreimage)
    assert shown.preimage == preimage(1)
    assert seen.of(ow.OnchaindUnclaim)
    for height in range(605, 800):
        seen.block(height)
    assert not seen.of(ow.OnchaindHtlcGone)


@both_types
def test_a_preimage_that_comes_late_is_used(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[2:3])
    seen = rig.resolve(rig.ours.tx)
    assert "OUR_HTLC_SUCCESS_TX" not in [c.kind for c in seen.claims]
    seen.block(721)
    seen.preimage(preimage(3))
    check(rig, seen.claim("OUR_HTLC_SUCCESS_TX"), rig.ours.tx)
    before = len(seen.claims)
    seen.preimage(preimage(3))
    assert len(seen.claims) == before


def test_htlcs_alike_but_for_their_expiry() -> None:
    late, early = htlc(1, ours=True, cltv=720), replace(htlc(1, ours=True, cltv=700), id=9)
    rig = Rig(anchors=True, htlcs=(late, early))
    seen = rig.resolve(rig.ours.tx)
    timeouts = [c for c in seen.claims if c.kind == "OUR_HTLC_TIMEOUT_TX"]
    assert sorted(c.locktime for c in timeouts) == [700, 720]
    for claim in timeouts:
        check(rig, claim, rig.ours.tx)


@both_types
@pytest.mark.parametrize("first", [0, 1])
def test_only_one_of_two_alike_is_in_our_commitment(anchors: bool, first: int) -> None:
    """The other was offered later and expires earlier: the peer's signature tells which one has the output."""
    late, early = htlc(1, ours=True, cltv=720), replace(htlc(1, ours=True, cltv=700), id=9)
    inside = (late, early)[first]
    rig = Rig(anchors=anchors, htlcs=(inside,))
    seen = rig.resolve(rig.ours.tx, htlcs=(late, early))
    claim = seen.claim("OUR_HTLC_TIMEOUT_TX")
    assert claim.locktime == inside.cltv_expiry
    check(rig, claim, rig.ours.tx)
    seen.block(HEIGHT + 2)
    assert [g.id for g in seen.of(ow.OnchaindHtlcGone)] == [({1, 9} - {inside.id}).pop()]


@both_types
def test_an_htlc_alike_does_not_hide_the_one_with_a_known_preimage(anchors: bool) -> None:
    """A peer could add it just before it goes on chain, to a commitment of ours only."""
    known = htlc(1, ours=False, cltv=720, known=True)
    decoy = replace(htlc(1, ours=False, cltv=700), id=9)
    rig = Rig(anchors=anchors, htlcs=(known,))
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED)
    seen = rig.resolve(theirs.tx, htlcs=(known, decoy))
    check(rig, seen.claim("THEIR_HTLC_FULFILL_TO_US"), theirs.tx)


# Their commitment


@both_types
@pytest.mark.parametrize("newer", [0, 1], ids=["current", "next"])
def test_their_commitment(anchors: bool, newer: int) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED + newer)
    seen = rig.resolve(theirs.tx)
    (recognised,) = seen.of(ow.OnchaindRecognised)
    assert recognised.status == "Tracking their unilateral close"
    kinds = {c.kind: c.first_block for c in seen.claims}
    assert kinds == {"OUR_HTLC_TIMEOUT_TO_US": 701, "THEIR_HTLC_FULFILL_TO_US": HEIGHT + 1}
    for claim in seen.claims:
        check(rig, claim, theirs.tx)
    (to_us,) = seen.of(ow.OnchaindToUs)
    assert to_us.amount == theirs.outputs[index_of(theirs, OutputKind.TO_REMOTE)].amount
    assert to_us.csv == (1 if anchors else 0)
    with pytest.raises(ScriptFailed, match="locktime"):
        check(rig, replace(seen.claim("OUR_HTLC_TIMEOUT_TO_US"), locktime=699), theirs.tx)


@both_types
def test_their_htlc_success_shows_the_preimage(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[:1])
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED)
    seen = rig.resolve(theirs.tx)
    index = index_of(theirs, OutputKind.RECEIVED_HTLC)
    seen.spent(rig.their_htlc_tx(theirs, index, preimage(1)), 610)
    (shown,) = seen.of(ow.OnchaindExtractedPreimage)
    assert shown.preimage == preimage(1)
    assert "Resolved THEIR_UNILATERAL/OUR_HTLC by OUR_HTLC_FULFILL_TO_THEM" in seen.log


@both_types
def test_their_htlc_timeout_resolves_it(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[2:3])
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED)
    seen = rig.resolve(theirs.tx)
    seen.spent(rig.their_htlc_tx(theirs, index_of(theirs, OutputKind.OFFERED_HTLC), None), 721)
    assert "Resolved THEIR_UNILATERAL/THEIR_HTLC by THEIR_HTLC_TIMEOUT_TO_THEM" in seen.log
    assert not seen.claims


@both_types
def test_a_commitment_from_the_future(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    theirs = rig.commitment(Side.REMOTE, 40)
    seen = rig.resolve(theirs.tx)
    assert len(seen.of(ow.OnchaindToUs)) == 1
    assert not seen.claims
    assert seen.of(ow.OnchaindRecognised)[0].status.startswith("ERROR: FUNDS LOST")
    seen.block(HEIGHT + 2)
    assert not seen.of(ow.OnchaindHtlcGone)


@both_types
def test_a_commitment_from_the_future_whose_point_the_peer_told(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    theirs = rig.commitment(Side.REMOTE, 40)
    seen = rig.resolve(theirs.tx, future_remote_point=rig.remote_point(40))
    assert seen.of(ow.OnchaindRecognised)[0].status.endswith("recovering our funds!")
    assert {c.kind for c in seen.claims} == {"OUR_HTLC_TIMEOUT_TO_US", "THEIR_HTLC_FULFILL_TO_US"}
    for claim in seen.claims:
        check(rig, claim, theirs.tx)
    seen.block(HEIGHT + 2)
    # What has no output may have been paid since, in what we lost.
    assert not seen.of(ow.OnchaindHtlcGone)


@both_types
def test_a_wrong_point_says_nothing_of_htlcs(anchors: bool) -> None:
    """The peer may yet claim what we do not recognise: nobody upstream is failed, and nothing forgotten."""
    cltv = HEIGHT + 200
    rig = Rig(anchors=anchors, htlcs=(htlc(1, ours=True, cltv=cltv),))
    theirs = rig.commitment(Side.REMOTE, 40)
    seen = rig.resolve(theirs.tx, future_remote_point=rig.remote_point(6))
    assert not seen.claims
    for height in range(HEIGHT + 1, cltv + 3):
        seen.block(height)
    assert not seen.of(ow.OnchaindHtlcGone)
    assert not seen.of(ow.OnchaindAllResolved)
    seen.block(cltv + 3)
    assert len(seen.of(ow.OnchaindAllResolved)) == 1


# Channels restored from a static channel backup


def stub_facts(rig: Rig) -> dict[str, Any]:
    """What the master tells of a channel whose data was lost."""
    config = replace(rig.channel.remote_config, to_self_delay=0)
    static = replace(rig.channel, remote_config=config)
    return {
        "channel": static,
        "local_tx": b"",
        "local_number": 0,
        "local_point": rig.remote_point(0),
        "remote_current_point": static.peer_id,
        "remote_next_point": None,
        "future_remote_point": static.peer_id,
        "signed_remote": 0,
        "local_shutdown_script": b"",
        "remote_shutdown_script": b"",
        "htlc_signatures": (),
        "htlcs": (),
    }


@both_types
@pytest.mark.parametrize("number", [5, 6, 40])
def test_of_a_restored_channel_our_balance_comes_home(anchors: bool, number: int) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS)
    theirs = rig.commitment(Side.REMOTE, number)
    seen = rig.resolve(theirs.tx, **stub_facts(rig))
    (to_us,) = seen.of(ow.OnchaindToUs)
    assert to_us.outpoint.index == index_of(theirs, OutputKind.TO_REMOTE)
    assert to_us.csv == int(anchors)
    assert not seen.claims


@both_types
def test_of_a_restored_channel_a_revoked_commitment_is_punished(anchors: bool) -> None:
    rig = Rig(anchors=anchors)
    revoked = rig.commitment(Side.REMOTE, 3)
    seen = rig.resolve(revoked.tx, **stub_facts(rig))
    (claim,) = seen.claims
    check(rig, claim, revoked.tx)


@both_types
def test_of_a_restored_channel_our_own_commitment_is_found(anchors: bool) -> None:
    rig = Rig(anchors=anchors)
    facts = stub_facts(rig)
    point = rig.told(rig.ours.tx).local_point
    delay = delay_of(facts["channel"], rig.ours.tx, point)
    assert delay == rig.channel.remote_config.to_self_delay
    assert delay_of(facts["channel"], rig.commitment(Side.REMOTE, 5).tx, point) is None
    facts |= {
        "channel": rig.channel,
        "local_tx": rig.ours.tx.serialize(),
        "local_number": rig.NUMBER,
        "local_point": point,
    }
    seen = rig.resolve(rig.ours.tx, **facts)
    claim = seen.claim("OUR_DELAYED_RETURN_TO_WALLET")
    check(rig, claim, rig.ours.tx)


def test_of_a_restored_channel_a_mutual_close_is_no_loss() -> None:
    rig = Rig(anchors=True)
    tx = Tx(
        2,
        (TxIn(rig.channel.funding.txid, rig.channel.funding.index),),
        (TxOut(Sat(400_000), OUR_SHUTDOWN), TxOut(Sat(500_000), THEIR_SHUTDOWN)),
    )
    seen = rig.resolve(tx, **stub_facts(rig))
    assert seen.of(ow.OnchaindRecognised)[0].status == "Tracking mutual close transaction"


# Revoked


@both_types
@pytest.mark.parametrize("number", [0, 3, 4])
def test_revoked_commitment(anchors: bool, number: int) -> None:
    rig = Rig(anchors=anchors, htlcs=tuple(replace(h, live=h.id == 1) for h in HTLCS))
    revoked = rig.commitment(Side.REMOTE, number, feerate=FEERATE_THEN)
    seen = rig.resolve(revoked.tx)
    (recognised,) = seen.of(ow.OnchaindRecognised)
    assert recognised.status == "Tracking their illegal close: taking all funds"
    assert [c.kind for c in seen.claims] == ["OUR_PENALTY_TX"] * 4
    for claim in seen.claims:
        assert claim.first_block == HEIGHT + 1
        assert claim.deadline == HEIGHT + DELAY
        check(rig, claim, revoked.tx)
    assert len(seen.of(ow.OnchaindToUs)) == 1


FEERATE_THEN = 750


@both_types
@pytest.mark.parametrize("offered_by_us", [True, False])
def test_second_stage_of_a_cheater_is_punished_too(anchors: bool, offered_by_us: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=(htlc(1, ours=offered_by_us),))
    revoked = rig.commitment(Side.REMOTE, 2)
    seen = rig.resolve(revoked.tx)
    kind = OutputKind.RECEIVED_HTLC if offered_by_us else OutputKind.OFFERED_HTLC
    secret = preimage(1) if offered_by_us else None
    tx = rig.their_htlc_tx(revoked, index_of(revoked, kind), secret)
    before = len(seen.claims)
    seen.spent(tx, 702)
    (claim,) = seen.claims[before:]
    assert claim.kind == "OUR_PENALTY_TX"
    assert claim.deadline == 702 + DELAY
    check(rig, claim, tx)
    assert len(seen.of(ow.OnchaindExtractedPreimage)) == offered_by_us
    penalty = rig.make(claim)
    seen.spent(penalty, 703)
    assert "Resolved" in seen.log


# Mutual, unknown, the end


def test_mutual_close_is_over_after_a_hundred_blocks() -> None:
    rig = Rig(anchors=True, htlcs=())
    tx = Tx(
        2,
        (TxIn(rig.channel.funding.txid, rig.channel.funding.index),),
        (TxOut(Sat(400_000), OUR_SHUTDOWN), TxOut(Sat(500_000), THEIR_SHUTDOWN)),
    )
    seen = rig.resolve(tx)
    assert seen.of(ow.OnchaindRecognised)[0].status == "Tracking mutual close transaction"
    seen.block(HEIGHT + 98)
    assert not seen.of(ow.OnchaindAllResolved)
    assert (
        seen.of(ow.OnchaindProgress)[-1].status
        == "All outputs resolved: waiting 1 more blocks before forgetting channel"
    )
    seen.block(HEIGHT + 99)
    seen.block(HEIGHT + 100)
    assert len(seen.of(ow.OnchaindAllResolved)) == 1


def test_unknown_spend_is_reported() -> None:
    rig = Rig(anchors=True, htlcs=HTLCS[:1])
    tx = Tx(2, (TxIn(rig.channel.funding.txid, 1),), (TxOut(Sat(9), b"\x51"),))
    seen = rig.resolve(tx)
    assert "broken" in seen.log
    seen.block(HEIGHT + 2)
    assert not seen.of(ow.OnchaindHtlcGone)


@both_types
def test_all_is_resolved_when_every_output_is_deep(anchors: bool) -> None:
    rig = Rig(anchors=anchors, htlcs=HTLCS[:1])
    seen = rig.resolve(rig.ours.tx)
    seen.spent(rig.make(seen.claim("OUR_DELAYED_RETURN_TO_WALLET")), HEIGHT + DELAY)
    timeout = rig.make(seen.claim("OUR_HTLC_TIMEOUT_TX"))
    seen.spent(timeout, 701)
    seen.block(820)
    assert not seen.of(ow.OnchaindAllResolved)
    seen.spent(rig.make(seen.claims[-1]), 821)
    seen.block(919)
    assert not seen.of(ow.OnchaindAllResolved)
    seen.block(920)
    assert len(seen.of(ow.OnchaindAllResolved)) == 1


def test_the_same_facts_give_the_same_plans() -> None:
    rig = Rig(anchors=True, htlcs=HTLCS)
    first, second = rig.resolve(rig.ours.tx), rig.resolve(rig.ours.tx)
    assert first.plans == second.plans


def test_dust_is_left_alone() -> None:
    rig = Rig(anchors=True, htlcs=(htlc(1, ours=True, sat=600),))
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED)
    seen = rig.resolve(theirs.tx, min_feerate_perkw=5000)
    assert not seen.claims
    assert "is too small" in seen.log
    seen.block(700)
    assert not seen.of(ow.OnchaindHtlcGone)
    seen.block(703)
    assert [g.id for g in seen.of(ow.OnchaindHtlcGone)] == [1]


def test_a_restart_long_after_says_all_at_once() -> None:
    """No further block is needed for what is deep already when the facts are told again."""
    rig = Rig(anchors=True, htlcs=HTLCS[:1])
    theirs = rig.commitment(Side.REMOTE, rig.REVOKED)
    claim = rig.resolve(theirs.tx).claim("OUR_HTLC_TIMEOUT_TO_US")
    seen = rig.resolve(theirs.tx, tip=703)
    assert not seen.of(ow.OnchaindHtlcGone)
    seen.spent(rig.make(claim), 701)
    assert [g.id for g in seen.of(ow.OnchaindHtlcGone)] == [1]
