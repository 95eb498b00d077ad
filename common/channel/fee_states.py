"""Feerates on their way into both commitments: the adding half of the HTLC walk.

An `update_fee` is like an HTLC the opener offers, except that it is never removed, only replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side


@dataclass(frozen=True, slots=True)
class FeeStates:
    """Feerates (sat per 1000 weight) by state, the newest state first. Never empty."""

    opener: Side
    rates: tuple[tuple[HtlcState, int], ...]

    @classmethod
    def settled(cls, opener: Side, feerate_perkw: int) -> Self:
        """One feerate, agreed in both commitments."""
        return cls(opener, ((hs.last_add_state(opener), feerate_perkw),))

    def update(self, feerate_perkw: int) -> Self:
        """With a new feerate from the opener; one not yet signed for is replaced."""
        first = hs.first_state(self.opener)
        rest = tuple((s, r) for s, r in self.rates if s is not first)
        return type(self)(self.opener, ((first, feerate_perkw), *rest))

    def after(self, event: Event) -> Self:
        """After a message that moves states."""
        moved: dict[HtlcState, int] = {}
        for state, rate in reversed(self.rates):  # the newer rate lands on the older one
            moved[hs.state_after(state, event)] = rate
        return type(self)(self.opener, tuple(sorted(moved.items())))

    def feerate(self, side: Side) -> int:
        """The feerate of one side's newest commitment."""
        return next(rate for state, rate in self.rates if hs.is_committed(state, side))

    @property
    def is_settled(self) -> bool:
        """Whether both commitments have the same feerate and none is on its way."""
        return len(self.rates) == 1

    @property
    def newest(self) -> int:
        """The feerate proposed last, committed or not."""
        return self.rates[0][1]

    @property
    def highest(self) -> int:
        """The highest of all that may still be signed: what balances must be able to pay."""
        return max(rate for _, rate in self.rates)

    def is_pending(self, side: Side) -> bool:
        """Whether a feerate waits for the next signature on this side's commitment."""
        return any(hs.is_pending(state, side) for state, _ in self.rates)

    def without_uncommitted(self) -> Self:
        """As after a reconnect: a feerate nobody signed for is forgotten."""
        # BOLT 2, "Message Retransmission": updates not covered by a signature are forgotten.
        first = hs.first_state(self.opener)
        return type(self)(self.opener, tuple((s, r) for s, r in self.rates if s is not first))
