"""What a waiting commitment should pay: more as deadlines come, never more than is at stake."""

from __future__ import annotations

from pylightningd.common.amount import Sat
from pylightningd.lightningd.control.anchor_goal import Goal, Stake, choose

CALM = Stake(1000, Sat(5000))
RATES = {1000: 253, 900: 2000, 880: 6000, 870: 20_000}


def goal(*stakes: Stake) -> Goal:
    return choose(stakes, CALM, 1124, Sat(284), RATES.__getitem__)


def test_without_htlcs_there_is_no_hurry() -> None:
    assert goal() == Goal(253, Sat(5000))


def test_the_nearest_deadline_decides_where_it_is_worth_it() -> None:
    assert goal(Stake(900, Sat(50_000))) == Goal(2000, Sat(50_000))
    assert goal(Stake(900, Sat(50_000)), Stake(870, Sat(50_000))) == Goal(20_000, Sat(50_000))


def test_a_small_htlc_does_not_drive_the_fee_but_what_comes_with_it_does() -> None:
    small = Stake(870, Sat(6000))
    assert goal(small) == Goal(253, Sat(5000))
    # At 880 both are at stake: 16,000 sat are worth 6000 perkw, the 6000 sat at 870 are not worth 20,000.
    assert goal(small, Stake(880, Sat(10_000))) == Goal(6000, Sat(16_000))


def test_the_balance_alone_gets_the_commitment_into_a_full_mempool() -> None:
    assert choose([], CALM, 1124, Sat(284), lambda _d: 2500) == Goal(2500, Sat(5000))
    # Never more than it is worth.
    assert choose([], CALM, 1124, Sat(284), lambda _d: 90_000).most == Sat(5000)
