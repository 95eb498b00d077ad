"""Which fee to answer with (BOLT 2, "Legacy Closing Negotiation: `closing_signed`").

A pure value: `Negotiation.receive` takes the peer's fee and says what follows. With a fee_range on
both sides two or three messages do. Without, each offer lies strictly between the last two; how far
we go each time is CLN's fee_negotiation_step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from pylightningd.closingd.fee_range import FeeBounds, FeeRange
from pylightningd.common.amount import Sat
from pylightningd.common.errors import WarnPeer


@dataclass(frozen=True, slots=True)
class Agree:
    """The peer's fee is the fee. With `answer`, the peer is still to be told so."""

    answer: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Propose this fee."""

    fee: Sat


Verdict: TypeAlias = Agree | Offer


@dataclass(frozen=True, slots=True)
class Step:
    """How far an offer moves: a percentage of what is left, or so many sat."""

    amount: int
    is_percent: bool

    def __str__(self) -> str:
        return f"{self.amount}{'%' if self.is_percent else 'sat'}"

    def within(self, span_sat: int) -> int:
        """In sat. The range was narrowed by one already, which a step of 1 sat is."""
        return span_sat * self.amount // 100 if self.is_percent else max(self.amount, 1) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """What may still be offered, ends included: strictly between the last offers of both sides."""

    we_are_higher: bool
    low_sat: int
    high_sat: int

    def after(self, fee: Sat, *, ours: bool) -> Window:
        """One side has offered `fee`."""
        if ours is self.we_are_higher:
            return replace(self, high_sat=fee.sat - 1)
        return replace(self, low_sat=fee.sat + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiation:
    """What was said until now. `sent` and `received` are the latest offers."""

    we_are_opener: bool
    bounds: FeeBounds
    use_fee_range: bool
    step: Step
    sent: Sat | None = None
    received: Sat | None = None
    settled_on: Sat | None = None
    """Not the opener, and both have sent ranges: the opener must answer with this fee."""
    window: Window | None = None

    @property
    def announced(self) -> FeeRange | None:
        """The fee_range we send."""
        return self.bounds.announced if self.use_fee_range else None

    def first(self) -> tuple[Negotiation, Sat]:
        """The opener's first offer."""
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", sender SHOULD begin with its estimate
        # of what gets the transaction into a block.
        fee = self.bounds.preferred
        return replace(self, sent=fee), fee

    def receive(self, fee: Sat, theirs: FeeRange | None) -> tuple[Negotiation, Verdict]:
        """The peer offers `fee`. Raises WarnPeer where that cannot lead to an agreement."""
        if self.settled_on is not None:
            # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", not the funder and has sent one:
            # MUST fail where fee_satoshis is not the value it sent.
            if fee != self.settled_on:
                raise WarnPeer(f"Your fee {fee} was not equal to {self.settled_on}")
            return self, Agree(answer=False)
        if fee == self.sent:
            return replace(self, received=fee), Agree(answer=False)
        if self.use_fee_range and theirs is not None and self.received is None:
            return self._by_ranges(fee, theirs)
        return self._by_steps(fee)

    # ---- with a fee_range on both sides --------------------------------------------------------

    def _by_ranges(self, fee: Sat, theirs: FeeRange) -> tuple[Negotiation, Verdict]:
        ours = self.bounds.announced
        both = ours.overlap(theirs)
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", no overlap of the ranges: SHOULD send
        # a warning.
        if both is None:
            raise WarnPeer(f"Unable to agree on a feerate. Our range {ours}, other range {theirs}")
        if self.we_are_opener:
            # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", funder MUST fail where fee_satoshis
            # is not in the overlap, and otherwise MUST reply with the same fee.
            if fee not in both:
                raise WarnPeer(
                    f"Your fee {fee} was not in range: Our range {ours}, other range {theirs}"
                )
            return replace(self, sent=fee, received=fee), Agree(answer=True)
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", not the funder MUST propose a fee in
        # the overlap.
        choice = both.nearest(self.bounds.preferred)
        after = replace(self, sent=choice, received=fee, settled_on=choice)
        return after, Agree(answer=True) if choice == fee else Offer(choice)

    # ---- step by step --------------------------------------------------------------------------

    def _by_steps(self, fee: Sat) -> tuple[Negotiation, Verdict]:
        self._check_progress(fee)
        if self.sent is None:
            return self._answer_first(fee)
        window = self.window or self._new_window(self.sent, fee).after(self.sent, ours=True)
        window = window.after(fee, ours=False)
        offer = self._next_offer(window, fee)
        after = replace(self, sent=offer, received=fee, window=window.after(offer, ours=True))
        return after, Agree(answer=True) if offer == fee else Offer(offer)

    def _answer_first(self, fee: Sat) -> tuple[Negotiation, Verdict]:
        """Not the opener: the first offer of our own, whatever theirs is."""
        offer = self.bounds.preferred
        window = self._new_window(offer, fee).after(fee, ours=False).after(offer, ours=True)
        after = replace(self, sent=offer, received=fee, window=window)
        return after, Agree(answer=True) if offer == fee else Offer(offer)

    def _new_window(self, ours: Sat, theirs: Sat) -> Window:
        return Window(ours > theirs, 0, self.bounds.accepted.high.sat)

    def _check_progress(self, fee: Sat) -> None:
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`": not strictly between our last offer
        # and the peer's, SHOULD send a warning and close the connection.
        if self.sent is None or self.received is None:
            return
        low, high = sorted((self.sent, self.received))
        if not low < fee < high:
            raise WarnPeer(
                f"Your fee {fee} is not strictly between our {self.sent} and your {self.received}"
            )

    def _next_offer(self, window: Window, fee: Sat) -> Sat:
        accepted = self.bounds.accepted
        # Within 1 sat: agree.
        if window.low_sat + 1 >= window.high_sat and fee in accepted:
            return fee
        low = max(window.low_sat, accepted.low.sat)
        high = min(window.high_sat, accepted.high.sat)
        if low > high:
            raise WarnPeer(
                f"Feerange {window.low_sat}sat-{window.high_sat}sat is outside of what is "
                f"acceptable: {accepted}"
            )
        step = self.step.within(high - low)
        return Sat(max(high - step, low) if window.we_are_higher else min(low + step, high))
