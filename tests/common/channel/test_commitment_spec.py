"""Balances and feerates of both commitments while HTLCs come and go."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Msat
from pylightningd.common.channel.commitment_spec import (
    Balances,
    Overdrawn,
    make_spec,
    next_spec,
    settle,
)
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side

LOCAL, REMOTE = Side.LOCAL, Side.REMOTE
START = Balances(Msat(1_000_000), Msat(500_000))
FEES = FeeStates.settled(LOCAL, 253)
PREIMAGE = b"\1" * 32
HASH = sha256(PREIMAGE).digest()


def _offered(offerer: Side = LOCAL, amount: int = 1_000) -> Htlc:
    return Htlc.offered(offerer, 0, Msat(amount), HASH, 500)


def _walk(htlc: Htlc, *events: Event) -> Htlc:
    for event in events:
        htlc = htlc.after(event)
    return htlc


LOCAL_ROUND = (Event.SENT_COMMIT, Event.RCVD_REVOCATION, Event.RCVD_COMMIT, Event.SENT_REVOCATION)
REMOTE_ROUND = (Event.RCVD_COMMIT, Event.SENT_REVOCATION, Event.SENT_COMMIT, Event.RCVD_REVOCATION)


def test_an_offer_reaches_the_remote_commitment_first() -> None:
    htlc = _offered()
    assert make_spec(REMOTE, START, [htlc], FEES).htlcs == ()
    assert next_spec(REMOTE, START, [htlc], FEES).htlcs == (_walk(htlc, Event.SENT_COMMIT),)
    assert next_spec(LOCAL, START, [htlc], FEES).htlcs == ()
    htlc = htlc.after(Event.SENT_COMMIT)
    theirs = make_spec(REMOTE, START, [htlc], FEES)
    assert theirs.htlcs == (htlc,)
    assert (theirs.to_owner, theirs.to_other) == (Msat(500_000), Msat(999_000))
    ours = make_spec(LOCAL, START, [htlc], FEES)
    assert (ours.to_owner, ours.to_other, ours.htlcs) == (Msat(1_000_000), Msat(500_000), ())


def test_fulfilment_pays_and_failure_gives_back() -> None:
    committed = _walk(_offered(), *LOCAL_ROUND)
    paid = _walk(committed.fulfilled(PREIMAGE), Event.RCVD_COMMIT)
    ours = make_spec(LOCAL, START, [paid], FEES)
    assert (ours.to_owner, ours.to_other, ours.htlcs) == (Msat(999_000), Msat(501_000), ())
    theirs = make_spec(REMOTE, START, [paid], FEES)
    assert theirs.htlcs == (paid,)
    failed = _walk(committed.failed(b"onion"), Event.RCVD_COMMIT)
    assert make_spec(LOCAL, START, [failed], FEES).to_owner == Msat(1_000_000)


def test_the_dead_are_settled() -> None:
    dead = _walk(_walk(_offered(), *LOCAL_ROUND).fulfilled(PREIMAGE), *REMOTE_ROUND)
    assert dead.state is HtlcState.RCVD_REMOVE_ACK_REVOCATION
    gone = _walk(_walk(_offered(REMOTE), *REMOTE_ROUND).failed(b"x"), *LOCAL_ROUND)
    alive = _offered(REMOTE, 7)
    balances, left = settle(START, [dead, gone, alive])
    assert balances == Balances(Msat(999_000), Msat(501_000))
    assert left == (alive,)


def test_overdrawn() -> None:
    htlc = _walk(_offered(REMOTE, 500_001), Event.RCVD_COMMIT)
    with pytest.raises(Overdrawn, match="REMOTE offers 1msat more"):
        make_spec(LOCAL, START, [htlc], FEES)
    with pytest.raises(Overdrawn, match="LOCAL cannot pay"):
        START.pay(LOCAL, Msat(1_000_001))


HTLCS = st.lists(
    st.builds(
        lambda state, amount, paid: Htlc(
            id=0,
            offerer=LOCAL if state < HtlcState.RCVD_ADD_HTLC else REMOTE,
            amount=Msat(amount),
            payment_hash=HASH,
            cltv_expiry=1,
            state=state,
            preimage=PREIMAGE if paid else None,
        ),
        st.sampled_from(list(HtlcState)),
        st.integers(0, 50_000),
        st.booleans(),
    ),
    max_size=8,
)


@given(HTLCS, st.sampled_from(list(Side)))
def test_no_money_appears_or_vanishes(htlcs: list[Htlc], owner: Side) -> None:
    spec = make_spec(owner, START, htlcs, FEES)
    inside = sum(h.amount.msat for h in spec.htlcs)
    assert spec.to_owner.msat + spec.to_other.msat + inside == 1_500_000


@given(HTLCS, st.sampled_from(list(Side)))
def test_settling_changes_no_commitment(htlcs: list[Htlc], owner: Side) -> None:
    balances, alive = settle(START, htlcs)
    assert make_spec(owner, balances, alive, FEES) == make_spec(owner, START, htlcs, FEES)


def test_feerate_walks_like_an_offer_of_the_opener() -> None:
    fees = FEES.update(300).update(400)
    assert fees.newest == fees.highest == 400
    assert fees.is_pending(REMOTE)
    assert not fees.is_pending(LOCAL)
    seen = []
    for event in LOCAL_ROUND:
        fees = fees.after(event)
        seen.append((fees.feerate(REMOTE), fees.feerate(LOCAL), fees.is_settled))
    assert seen == [(400, 253, False), (400, 253, False), (400, 400, False), (400, 400, True)]


def test_two_feerates_on_their_way() -> None:
    fees = FEES.update(300).after(Event.SENT_COMMIT).update(200)
    assert (fees.newest, fees.highest, fees.feerate(REMOTE), fees.feerate(LOCAL)) == (
        200, 300, 300, 253,
    )  # fmt: skip
    assert fees.without_uncommitted().newest == 300
    remote = FeeStates.settled(REMOTE, 500).update(600)
    assert next_spec(LOCAL, START, [], remote).feerate_perkw == 600
    assert next_spec(REMOTE, START, [], remote).feerate_perkw == 500
