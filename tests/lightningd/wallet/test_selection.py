"""Coin selection: never short, fees exact, change never dust, the same every time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.weight import core_weight, fee_for_weight, output_weight
from pylightningd.common.errors import UserError
from pylightningd.lightningd.wallet import selection
from pylightningd.lightningd.wallet.selection import CHANGE_DUST, CHANGE_WEIGHT, Want

START = core_weight(1, 1) + output_weight(bytes(22))


@dataclass(frozen=True)
class FakeCoin:
    amount: Sat
    wu: int = 230

    def weight(self, min_witness_wu: int = 0) -> int:
        return self.wu


def coins(*amounts: int) -> list[FakeCoin]:
    return [FakeCoin(Sat(a)) for a in amounts]


def want(target: int, feerate: int = 1000, *, change_ok: bool = True) -> Want:
    return Want(target_sat=target, start_weight=START, feerate_perkw=feerate, change_ok=change_ok)


def test_an_exact_match_needs_no_change() -> None:
    wanted = want(50_000)
    exact = 50_000 + fee_for_weight(1000, START + 230).sat
    assert selection.choose(coins(90_000, exact, 60_000), wanted) == [1]
    pair = coins(200_000, 20_000, 30_000 + wanted.fee(coins(1, 1)))
    assert selection.choose(pair, wanted) == [1, 2]


def test_the_smallest_coin_that_is_enough() -> None:
    assert selection.choose(coins(900_000, 100_000, 10_000, 300_000), want(50_000)) == [1]


def test_the_largest_coins_where_one_is_not_enough() -> None:
    assert selection.choose(coins(10_000, 40_000, 30_000, 35_000), want(60_000)) == [1, 3]


def test_coins_that_cost_more_than_they_bring_stay() -> None:
    assert selection.choose(coins(200, 200, 200), want(100)) is None


def test_change_of_at_least_so_much() -> None:
    found = selection.choose(coins(60_000, 55_000), want(50_000), 30_000)
    assert found == [0, 1]


def test_many_inputs_count_three_more_bytes() -> None:
    many = coins(*[1000] * 300)
    wanted = want(1)
    assert wanted.weight(many) == START + 300 * 230 + 2 * 4
    assert wanted.weight(many[:252]) == START + 252 * 230


def test_left_over_that_is_kept() -> None:
    wanted = want(0)
    assert selection.settle(30_000, 1000, wanted, as_change=False, keep_sat=25_000) == (
        selection.Settled(1000 + CHANGE_WEIGHT, 25_000, 30_000 - 25_000 - CHANGE_WEIGHT)
    )
    assert selection.settle(25_100, 1000, wanted, as_change=False, keep_sat=25_000) is None
    assert selection.settle(25_100, 1000, wanted, as_change=True, keep_sat=25_000) is None


amounts = st.lists(
    st.tuples(st.integers(1, 10**7), st.sampled_from([230, 272, 364])), min_size=1, max_size=40
)


@given(amounts, st.integers(1, 3 * 10**7), st.integers(253, 50_000), st.booleans())
def test_whatever_is_wanted(
    having: list[tuple[int, int]], target: int, feerate: int, change_ok: bool
) -> None:
    have = [FakeCoin(Sat(a), wu) for a, wu in having]
    wanted = want(target, feerate, change_ok=change_ok)
    found = selection.choose(have, wanted)
    assert found == selection.choose(have, wanted)
    if found is None:
        worth = [c for c in have if c.amount.sat > fee_for_weight(feerate, c.wu).sat]
        assert wanted.left_over(worth) < 0
        return
    assert found == sorted(set(found))
    chosen = [have[n] for n in found]
    left = wanted.left_over(chosen)
    assert left >= 0
    weight = wanted.weight(chosen)
    settled = selection.settle(left, weight, wanted, as_change=change_ok)
    assert settled is not None
    assert settled.change_sat == 0 or settled.change_sat >= CHANGE_DUST
    fee = selection.total(chosen) - target - settled.change_sat - settled.excess_sat
    exact = fee_for_weight(feerate, settled.weight).sat
    if settled.change_sat or not change_ok:
        assert fee == exact
    else:
        assert exact <= fee < exact + wanted.change_fee(weight) + CHANGE_DUST


def test_errors_are_clns() -> None:
    from pylightningd.lightningd.wallet.funding import Purse, fund

    with pytest.raises(UserError, match="all using all 0 available UTXOs: all short") as error:
        fund(Purse(coins=[]), want(0), everything=True, as_change=False)
    assert error.value.code == 301
    with pytest.raises(UserError, match="Cannot afford: still syncing") as error:
        fund(Purse(coins=[], synced=False), want(5), everything=False, as_change=True)
    assert error.value.code == 304
