"""How much a waiting commitment of ours should pay, and what that may cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.weight import fee_for_weight

BALANCE_PERCENT = 5
"""Of our balance, the most that it is worth to confirm a commitment where no HTLC presses."""
OWN_PAYMENT_PERCENT = 10
"""Of an HTLC that nobody upstream waits for: the peer may take it late, but we lose nothing by that."""
NO_HTLC_BLOCKS = 144
"""Where no HTLC presses, the commitment should be in a block within a day."""
CLAIM_BLOCKS = 4
"""The commitment should be in a block so long before a received HTLC expires, for its claim to follow."""
_CHILD_WEIGHT = 700
"""Of a child with one coin, roughly."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What we may lose if the commitment is not in a block by the deadline."""

    deadline: int
    value: Sat


@dataclass(frozen=True, slots=True)
class Goal:
    """Feerate of the commitment with its child, and the most that the child may pay."""

    feerate_perkw: int
    most: Sat


def choose(
    stakes: Sequence[Stake],
    calm: Stake,
    parent_weight: int,
    parent_fee: Sat,
    rate: Callable[[int], int],
) -> Goal:
    """The highest feerate that any deadline asks for and that is worth it.

    At a deadline all is at stake whose own deadline is not later. `calm`: what it is worth without any HTLC. `rate`
    tells the feerate for a deadline. Where nothing is worth it, as much as `calm` allows.
    """
    goals = [Goal(rate(calm.deadline), calm.value)]
    for deadline in sorted({stake.deadline for stake in stakes}):
        at_stake = sum(s.value.sat for s in stakes if s.deadline <= deadline)
        goals.append(Goal(rate(deadline), Sat(max(at_stake, calm.value.sat))))
    worth_it = [
        g
        for g in goals
        if fee_for_weight(g.feerate_perkw, parent_weight + _CHILD_WEIGHT) <= parent_fee + g.most
    ]
    return max(worth_it or goals[:1], key=lambda g: (g.feerate_perkw, g.most))
