"""Feerates under their names, smoothed, forced, unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.errors import UserError
from pylightningd.lightningd.chain.feerates import (
    FLOOR_PERKW,
    MAX_U32,
    Feerates,
    FeeSettings,
    parse_forced,
    to_style,
)

RATES = [(2, 60000), (6, 44000), (12, 30000), (100, 15000)]


def rates(**settings: object) -> Feerates:
    found = Feerates(FeeSettings(**settings))  # type: ignore[arg-type]
    found.update(1000, RATES)
    return found


def test_names_in_perkw() -> None:
    found = rates()
    assert {
        name: found.get(name)
        for name in (
            "opening", "mutual_close", "unilateral_close", "unilateral_anchor_close", "delayed_to_us",
            "htlc_resolution", "penalty", "splice", "slow", "normal", "urgent", "minimum",
        )
    } == {
        "opening": 7500, "mutual_close": 3750, "unilateral_close": 11000, "unilateral_anchor_close": 3750,
        "delayed_to_us": 7500, "htlc_resolution": 11000, "penalty": 7500, "splice": 7505, "slow": 3750,
        "normal": 7500, "urgent": 11000, "minimum": FLOOR_PERKW,
    }  # fmt: skip
    assert (found.min_acceptable, found.max_acceptable) == (1875, 150000)
    with pytest.raises(KeyError):
        found.get("fast")


def test_between_and_beyond_the_estimates() -> None:
    found = rates()
    assert found.for_blocks(1) == 15000
    assert found.for_blocks(4) == 13000
    assert found.for_blocks(9) == 9250
    assert found.for_blocks(1000) == 3750
    assert found.for_deadline(1006, 1000) == 11000
    assert found.for_deadline(999, 1000) == 15000
    assert found.for_deadline(1150, 1000) == FLOOR_PERKW
    assert found.for_deadline(1300, 1000) == FLOOR_PERKW


def test_unknown() -> None:
    found = Feerates()
    assert not found.update(1000, [])
    assert found.get("opening") is None
    assert found.get("minimum") == FLOOR_PERKW
    assert found.max_acceptable == MAX_U32
    with pytest.raises(UserError, match=r"Cannot estimate fees \(yet\)") as error:
        found.need("opening")
    assert error.value.code == 501
    found.update(1000, RATES)
    found.update(1000, [])
    assert found.get("opening") == 7500


def test_forced() -> None:
    assert parse_forced("15000/11000/7500") == (15000, 11000, 7500, 7500, 7500, 7500)
    with pytest.raises(ValueError, match="Too many"):
        parse_forced("1/2/3/4/5/6/7")
    with pytest.raises(ValueError, match="numbers"):
        parse_forced("1/x")
    found = Feerates(FeeSettings(forced=parse_forced("15000/11000/7500")))
    assert found.get("opening") == 15000
    assert found.get("unilateral_anchor_close") == 7500
    assert found.get("normal") is None


def test_limits_can_be_ignored() -> None:
    assert rates().acceptable() == (1875, 150000)
    assert rates().acceptable(ignore_limits=True) == (1, MAX_U32)
    assert rates(ignore_limits=True).acceptable() == (1, MAX_U32)


def test_smoothing_follows_slowly_and_arrives() -> None:
    found = rates(poll_seconds=30)
    found.update(1000, [(blocks, rate * 4) for blocks, rate in RATES])
    first = found.get("mutual_close")
    assert first is not None
    assert 3750 < first < 15000
    assert found.get("opening") == 30000
    for _ in range(20):
        changed = found.update(1000, [(blocks, rate * 4) for blocks, rate in RATES])
    assert found.get("mutual_close") == 15000
    assert changed is False


def test_other_targets_start_anew() -> None:
    found = rates()
    found.update(1000, [(3, 40000)])
    assert found.get("mutual_close") == 10000
    assert [e.blocks for e in found.smoothed] == [3]


def test_styles() -> None:
    assert to_style(253, "perkw") == 253
    assert to_style(253, "perkb") == 1012
    assert to_style(MAX_U32, "perkb") == MAX_U32


estimates = st.dictionaries(st.integers(1, 1008), st.integers(1, 10**7), min_size=1, max_size=6)


@given(
    answers=st.lists(estimates, min_size=1, max_size=5),
    floor=st.integers(0, 10**6),
    blocks=st.integers(1, 2000),
)
def test_more_time_never_costs_more(answers: list[dict[int, int]], floor: int, blocks: int) -> None:
    found = Feerates()
    for answer in answers:
        found.update(floor, sorted(answer.items()))
    soon, later = found.for_blocks(blocks), found.for_blocks(blocks + 1)
    assert soon is not None and later is not None
    assert soon >= later >= found.floor_perkw >= FLOOR_PERKW
    assert found.min_acceptable <= later
    assert found.max_acceptable >= soon
