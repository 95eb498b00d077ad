"""Ranges, bounds from feerates, and negotiations between any two sets of wishes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.closingd.fee_range import FeeBounds, FeeRange, expected_weight, fee_bounds
from pylightningd.closingd.legacy import Agree, Negotiation, Offer, Step
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import WarnPeer
from tests.closingd import ends
from tests.openingd.sides import ALICE, BOB


def rng(low: int, high: int) -> FeeRange:
    return FeeRange(Sat(low), Sat(high))


def test_overlap() -> None:
    assert rng(1, 5).overlap(rng(5, 9)) == rng(5, 5)
    assert rng(1, 5).overlap(rng(6, 9)) is None
    assert rng(1, 9).overlap(rng(9, 1)) is None
    assert [rng(3, 5).nearest(Sat(n)).sat for n in (2, 4, 6)] == [3, 4, 5]
    assert FeeRange.from_wire(rng(1, 5).to_wire()) == rng(1, 5)
    assert FeeRange.from_wire(None) is None


def fee(feerate: int, weight: int = ends.FULL_WEIGHT) -> int:
    return feerate * weight // 1000


def test_bounds_of_the_opener() -> None:
    bounds = fee_bounds(ends.start(ALICE))
    assert bounds.accepted == bounds.announced == rng(fee(253), fee(10_000))
    assert bounds.preferred == Sat(fee(2500))


def test_bounds_of_the_other() -> None:
    bounds = fee_bounds(ends.start(BOB))
    assert bounds.accepted == rng(fee(253), 700_000)
    assert bounds.announced == rng(fee(253), 1_000_000)


@pytest.mark.parametrize(
    ("feerates", "expected"),
    [
        ((253, 20_000, 10_000), (fee(253), fee(10_000), fee(10_000))),
        ((3000, 1000, 10_000), (fee(3000), fee(3000), fee(10_000))),
        ((20_000, 1000, 10_000), (fee(10_000), fee(10_000), fee(10_000))),
    ],
)
def test_odd_feerates(feerates: tuple[int, int, int], expected: tuple[int, int, int]) -> None:
    names = ("feerate_min_perkw", "feerate_preferred_perkw", "feerate_max_perkw")
    rates: dict[str, Any] = dict(zip(names, feerates, strict=True))
    bounds = fee_bounds(ends.start(ALICE, **rates))
    found = bounds.accepted.low.sat, bounds.preferred.sat, bounds.accepted.high.sat
    assert found == expected


def test_the_opener_never_offers_what_it_has_not() -> None:
    poor = ends.start(ALICE, to_local=Msat(100_999), to_remote=Msat(999_899_001))
    assert fee_bounds(poor).accepted == rng(100, 100)
    # Alone with the money, it keeps its output.
    alone = ends.start(ALICE, to_local=Msat(1_500_000), to_remote=Msat(500_000))
    assert fee_bounds(alone).accepted.high == Sat(1500 - 546)
    nothing = ends.start(ALICE, to_local=Msat(400_000), to_remote=Msat(500_000))
    assert fee_bounds(nothing).preferred == Sat(0)


def test_weight_counts_outputs_that_are_there() -> None:
    assert expected_weight(ends.start(ALICE)) == ends.FULL_WEIGHT
    gone = ends.start(ALICE, to_remote=Msat(545_999))
    assert expected_weight(gone) == ends.FULL_WEIGHT - (9 + 34) * 4


# ---- any two negotiate --------------------------------------------------------------------------------


def negotiation(opener: bool, use_fee_range: bool, bounds: FeeBounds, step: Step) -> Negotiation:
    return Negotiation(we_are_opener=opener, bounds=bounds, use_fee_range=use_fee_range, step=step)


def talk(opener: Negotiation, other: Negotiation, limit: int = 3000) -> tuple[Sat, list[int]]:
    """The fee agreed on and all offers. Raises WarnPeer."""
    opener, offer = opener.first()
    sides, fees = [opener, other], [offer.sat]
    turn = 1
    for _ in range(limit):
        announced = sides[1 - turn].announced
        sides[turn], verdict = sides[turn].receive(offer, announced)
        if isinstance(verdict, Agree):
            if verdict.answer:
                sides[1 - turn], last = sides[1 - turn].receive(offer, sides[turn].announced)
                assert last == Agree(answer=False)
            return offer, fees
        offer = verdict.fee
        fees.append(offer.sat)
        turn = 1 - turn
    raise AssertionError(f"no end: {fees}")


sats = st.integers(0, 20_000)
steps = st.one_of(
    st.builds(Step, st.integers(1, 100), st.just(True)),
    st.builds(Step, st.integers(20, 3000), st.just(False)),
)


@st.composite
def wishes(draw: st.DrawFn) -> FeeBounds:
    low, preferred, high = sorted((draw(sats), draw(sats), draw(sats)))
    return FeeBounds(rng(low, high), Sat(preferred), rng(low, high))


@given(wishes(), wishes(), steps, steps)
def test_ranges_that_overlap_agree_in_three_messages(
    a: FeeBounds, b: FeeBounds, step_a: Step, step_b: Step
) -> None:
    both = a.announced.overlap(b.announced)
    one, other = negotiation(True, True, a, step_a), negotiation(False, True, b, step_b)
    if both is None:
        with pytest.raises(WarnPeer, match="Unable to agree on a feerate"):
            talk(one, other)
        return
    fee, offers = talk(one, other)
    assert fee in both
    assert len(offers) <= 2
    assert fee == both.nearest(b.preferred)


@settings(max_examples=300)
@given(wishes(), wishes(), steps, steps, st.booleans(), st.booleans())
def test_without_ranges_it_ends(
    a: FeeBounds, b: FeeBounds, step_a: Step, step_b: Step, range_a: bool, range_b: bool
) -> None:
    range_b = range_b and not range_a
    one, other = negotiation(True, range_a, a, step_a), negotiation(False, range_b, b, step_b)
    try:
        fee, offers = talk(one, other)
    except WarnPeer:
        # Each can live with what the other wants most: then they must agree.
        assert not (b.preferred in a.accepted and a.preferred in b.accepted)
        return
    assert fee in a.accepted
    assert fee in b.accepted
    for low, high, new in zip(offers, offers[1:], offers[2:], strict=False):
        assert min(low, high) < new < max(low, high) or new in (low, high)


# As Core Lightning: the opener wants 21000 sat, the other 20000; who closed has a step of its own and no
# fee_range, the other side goes half way each time and has one.
@pytest.mark.parametrize(
    ("step", "opener_closed", "agreed"),
    [
        (Step(30, True), True, 20537),
        (Step(30, True), False, 20233),
        (Step(100, True), True, 20001),
        (Step(100, True), False, 20499),
        (Step(1, False), True, 20989),
        (Step(1, False), False, 20010),
        (Step(700, False), True, 20151),
        (Step(700, False), False, 20499),
    ],
)
def test_steps(step: Step, opener_closed: bool, agreed: int) -> None:
    def wish(n: int) -> FeeBounds:
        return FeeBounds(rng(200, 50_000), Sat(n), rng(200, 50_000))

    half = Step(50, True)
    one = negotiation(True, not opener_closed, wish(21_000), step if opener_closed else half)
    other = negotiation(False, opener_closed, wish(20_000), half if opener_closed else step)
    assert talk(one, other)[0] == Sat(agreed)


@pytest.mark.parametrize(
    ("offers", "text"),
    [
        ([5000, 5001], "not strictly between our 2000sat and your 5000sat"),
        ([5000, 1999], "not strictly between our 2000sat and your 5000sat"),
        ([5000, 5000], "not strictly between"),
    ],
)
def test_offers_must_come_closer(offers: list[int], text: str) -> None:
    wish = FeeBounds(rng(1, 50_000), Sat(2000), rng(1, 50_000))
    bob = negotiation(False, False, wish, Step(50, True))
    bob, verdict = bob.receive(Sat(offers[0]), None)
    assert verdict != Agree(answer=True)
    with pytest.raises(WarnPeer, match=text):
        bob.receive(Sat(offers[1]), None)


def _opener(**changes: Any) -> Negotiation:
    values: dict[str, Any] = {"opener": True, "use_fee_range": True, "step": Step(50, True)}
    bounds = FeeBounds(rng(100, 1000), Sat(500), rng(100, 1000))
    return negotiation(**(values | {"bounds": bounds} | changes)).first()[0]


def test_opener_wants_the_answer_in_both_ranges() -> None:
    with pytest.raises(WarnPeer, match="Your fee 2000sat was not in range"):
        _opener().receive(Sat(2000), rng(500, 5000))
    with pytest.raises(WarnPeer, match="Unable to agree on a feerate"):
        _opener().receive(Sat(2000), rng(1001, 5000))
    assert _opener().receive(Sat(700), rng(500, 5000))[1] == Agree(answer=True)
    assert _opener().receive(Sat(500), rng(500, 5000))[1] == Agree(answer=False)
    # Without a range of theirs, it is step by step.
    assert _opener().receive(Sat(700), None)[1] == Offer(Sat(600))


def test_opener_pays_no_more_than_its_maximum() -> None:
    talk, verdict = _opener(use_fee_range=False).receive(Sat(9000), None)
    assert verdict.fee == Sat(750)  # type: ignore[union-attr]
    talk, verdict = talk.receive(Sat(8000), None)
    assert verdict.fee <= Sat(1000)  # type: ignore[union-attr]
    with pytest.raises(WarnPeer, match="outside of what is acceptable"):
        for offer in range(7999, 7000, -1):
            talk, verdict = talk.receive(Sat(offer), None)


def test_the_other_must_get_its_own_fee_back() -> None:
    bounds = FeeBounds(rng(100, 9000), Sat(3000), rng(100, 9000))
    bob, verdict = negotiation(False, True, bounds, Step(50, True)).receive(
        Sat(500), rng(100, 1000)
    )
    assert verdict.fee == Sat(1000)  # type: ignore[union-attr]
    with pytest.raises(WarnPeer, match="Your fee 999sat was not equal to 1000sat"):
        bob.receive(Sat(999), rng(100, 1000))
