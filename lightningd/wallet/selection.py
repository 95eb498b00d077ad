"""Which coins to spend, and what is left over. Pure and deterministic.

First a search for coins that need no change output; then the smallest coin that is enough alone; then the largest
coins until they are enough. Fees are those of the whole transaction's weight, rounded down once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.compact_size import write_compact_size
from pylightningd.common.bitcoin.weight import P2TR_INPUT_WEIGHT, fee_for_weight, output_weight

CHANGE_WEIGHT = output_weight(bytes(34))
"""A P2TR output."""
CHANGE_DUST = 330
_MAX_TRIES = 5_000


class Spendable(Protocol):
    """What is needed to know of a coin."""

    @property
    def amount(self) -> Sat: ...
    def weight(self, min_witness_wu: int = 0) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What the coins are to pay for."""

    target_sat: int
    """Sum of the outputs."""
    start_weight: int
    """The transaction with its outputs and no inputs (counted with one input, as `core_weight(1, ...)`)."""
    feerate_perkw: int
    outputs: int = 1
    change_ok: bool = True
    """Whether what is left over may become a change output; else it is the excess."""
    min_witness_wu: int = 0

    def weight(self, coins: Sequence[Spendable]) -> int:
        """Weight of the signed transaction without change."""
        return self.weight_of(len(coins), sum(coin.weight(self.min_witness_wu) for coin in coins))

    def weight_of(self, count: int, inputs_weight: int) -> int:
        """The same from the number and the weight of the inputs."""
        more_count_bytes = len(write_compact_size(count)) - 1
        return self.start_weight + inputs_weight + more_count_bytes * 4

    def fee(self, coins: Sequence[Spendable]) -> int:
        """Fee in sat without change."""
        return fee_for_weight(self.feerate_perkw, self.weight(coins)).sat

    def left_over(self, coins: Sequence[Spendable]) -> int:
        """What the coins bring beyond outputs and fee; below zero where they are not enough."""
        return total(coins) - self.target_sat - self.fee(coins)

    def change_fee(self, weight: int) -> int:
        """What a change output adds to the fee of a transaction of this weight."""
        return (
            fee_for_weight(self.feerate_perkw, weight + self.change_weight).sat
            - fee_for_weight(self.feerate_perkw, weight).sat
        )

    @property
    def change_weight(self) -> int:
        """A change output, and a longer count of outputs where it is the 253rd."""
        longer = len(write_compact_size(self.outputs + 1)) - len(write_compact_size(self.outputs))
        return CHANGE_WEIGHT + longer * 4

    def change_for(self, left_over: int, weight: int) -> int:
        """The change output that this much pays for; 0 where there would be none or only dust."""
        change = left_over - self.change_fee(weight)
        return change if change >= CHANGE_DUST else 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the rest."""

    weight: int
    """Of the transaction with the change output, if there is one."""
    change_sat: int
    excess_sat: int
    """Neither paid nor change: part of the fee, unless the caller uses it."""


def total(coins: Sequence[Spendable]) -> int:
    """Sum of the amounts in sat."""
    return sum(coin.amount.sat for coin in coins)


def choose(
    candidates: Sequence[Spendable], want: Want, min_change_sat: int = 0
) -> list[int] | None:
    """Places of the coins to spend, ascending; None where all that are worth their fee are not enough.

    With `min_change_sat` there must be a change output of at least that.
    """
    worth = [
        (
            coin.amount.sat
            - fee_for_weight(want.feerate_perkw, coin.weight(want.min_witness_wu)).sat,
            n,
        )
        for n, coin in enumerate(candidates)
    ]
    ranked = sorted(((value, n) for value, n in worth if value > 0), key=lambda x: (-x[0], x[1]))
    if not min_change_sat:
        exact = _without_change([_certain_value(candidates[n], want) for _, n in ranked], want)
        if exact is not None:
            places = sorted(ranked[i][1] for i in exact)
            if want.left_over([candidates[n] for n in places]) >= 0:
                return places
    return _with_change(candidates, [n for _, n in ranked], want, min_change_sat)


def _certain_value(coin: Spendable, want: Want) -> int:
    """What a coin brings beyond its fee, that fee rounded up: sums of it are never more than there is."""
    return coin.amount.sat - -(-want.feerate_perkw * coin.weight(want.min_witness_wu) // 1000)


def _without_change(values: Sequence[int], want: Want) -> list[int] | None:
    """Branch and bound: the set with the least left over, if that is less than change would cost."""
    low = want.target_sat + fee_for_weight(want.feerate_perkw, want.start_weight).sat
    change_cost = fee_for_weight(want.feerate_perkw, CHANGE_WEIGHT + P2TR_INPUT_WEIGHT).sat
    high = low + (change_cost if want.change_ok else 0)
    rest = [0] * (len(values) + 1)
    for i in range(len(values) - 1, -1, -1):
        rest[i] = rest[i + 1] + values[i]
    best: list[int] | None = None
    best_sum = high + 1
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    for _ in range(_MAX_TRIES):
        if not stack:
            break
        i, reached, chosen = stack.pop()
        if low <= reached < best_sum:
            best, best_sum = list(chosen), reached
            if reached == low:
                break
        if i == len(values) or reached >= low or reached + rest[i] < low:
            continue
        stack.append((i + 1, reached, chosen))
        if reached + values[i] < best_sum:
            stack.append((i + 1, reached + values[i], (*chosen, i)))
    return best


def _with_change(
    candidates: Sequence[Spendable], ranked: Sequence[int], want: Want, min_change_sat: int
) -> list[int] | None:
    """The smallest coin that is enough alone, else the largest ones until they are enough."""
    for n in reversed(ranked):
        coin = candidates[n]
        left = want.left_over([coin])
        if want.change_ok and want.change_for(left, want.weight([coin])) >= max(min_change_sat, 1):
            return [n]
        if not want.change_ok and left >= 0:
            return [n]
    amount = weight = 0
    for count, n in enumerate(ranked, 1):
        amount += candidates[n].amount.sat
        weight += candidates[n].weight(want.min_witness_wu)
        whole = want.weight_of(count, weight)
        left = amount - want.target_sat - fee_for_weight(want.feerate_perkw, whole).sat
        if left >= 0 and (not min_change_sat or want.change_for(left, whole) >= min_change_sat):
            return sorted(ranked[:count])
    return None


def settle(
    left_over_sat: int, weight: int, want: Want, *, as_change: bool, keep_sat: int = 0
) -> Settled | None:
    """Divide what is left over into change and excess; None where `keep_sat` cannot stay in the wallet.

    `weight` is without change. `keep_sat` is what the change must hold at least (the emergency reserve).
    """
    change_fee = want.change_fee(weight)
    change = want.change_for(left_over_sat, weight) if as_change else 0
    excess = 0 if as_change else left_over_sat
    if change < keep_sat:
        if as_change:
            return None
        # Split the change off what would have been paid out.
        change, excess = keep_sat, left_over_sat - keep_sat - change_fee
        if excess < 0 or change < CHANGE_DUST:
            return None
    if change:
        weight += want.change_weight
    return Settled(weight, change, excess)
