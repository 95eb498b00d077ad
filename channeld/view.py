"""Running totals of one side's *next* commitment: what it will hold once all that waits is signed for.

The checks of `limits` look at these instead of adding up all HTLCs each time. `move` keeps them right
as HTLCs change; `rebuild` makes them from nothing (after a reconnect, and in tests to compare).
A hot loop: amounts are plain ints in msat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pylightningd.common.amount import Sat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.commitment_spec import Balances
from pylightningd.common.channel.dust import (
    dust_exposure_feerate,
    offered_threshold,
    received_threshold,
)
from pylightningd.common.channel.fees import commitment_cost
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side

IN_NEXT: tuple[tuple[bool, ...], ...] = tuple(
    tuple(hs.is_committed(state, side) != hs.is_pending(state, side) for state in HtlcState)
    for side in Side
)
"""By side and state: whether the HTLC will be in that side's next commitment."""

_PENDING: tuple[tuple[int, ...], ...] = tuple(
    tuple(int(hs.is_pending(state, side)) for state in HtlcState) for side in Side
)


@dataclass(slots=True)
class View:
    """Totals of `owner`'s next commitment; `dust_limit` is the owner's."""

    owner: Side
    dust_limit: Sat
    anchors: bool
    feerate_perkw: int = 0
    count: list[int] = field(default_factory=lambda: [0, 0])
    """HTLCs by offerer."""
    in_flight_msat: list[int] = field(default_factory=lambda: [0, 0])
    """Their amounts by offerer."""
    owed_msat: list[int] = field(default_factory=lambda: [0, 0])
    """What each side has outside HTLCs, before fees."""
    untrimmed: int = 0
    dust_msat: int = 0
    """HTLCs that would be trimmed at the raised feerate at which dust is counted."""
    pending: int = 0
    """HTLC changes that wait for the next signature on this commitment."""
    _trim_msat: tuple[int, int] = (0, 0)
    _dust_trim_msat: tuple[int, int] = (0, 0)

    def rebuild(self, settled: Balances, htlcs: Iterable[Htlc], feerate_perkw: int) -> None:
        """Count everything anew."""
        self.count, self.in_flight_msat = [0, 0], [0, 0]
        self.owed_msat = [settled.local.msat, settled.remote.msat]
        self.untrimmed = self.dust_msat = self.pending = 0
        self._set_thresholds(feerate_perkw)
        for htlc in htlcs:
            self.pending += _PENDING[self.owner][htlc.state]
            if IN_NEXT[self.owner][htlc.state]:
                self._enter(htlc)
            elif htlc.preimage is not None and hs.was_committed(htlc.state, self.owner):
                self.owed_msat[htlc.offerer] -= htlc.amount.msat
                self.owed_msat[htlc.offerer.other] += htlc.amount.msat

    def move(self, old: Htlc | None, new: Htlc) -> None:
        """An HTLC is new (`old` is None) or has changed."""
        before = after = False
        if old is not None:
            before = IN_NEXT[self.owner][old.state]
            self.pending -= _PENDING[self.owner][old.state]
        after = IN_NEXT[self.owner][new.state]
        self.pending += _PENDING[self.owner][new.state]
        if before == after:
            return
        if after:
            self._enter(new)
        else:
            self._leave(new)

    def set_feerate(self, feerate_perkw: int, htlcs: Iterable[Htlc]) -> None:
        """The next commitment's feerate may have changed: what is dust may differ."""
        if feerate_perkw == self.feerate_perkw:
            return
        self._set_thresholds(feerate_perkw)
        self.untrimmed = self.dust_msat = 0
        for htlc in htlcs:
            if IN_NEXT[self.owner][htlc.state]:
                self._count_size(htlc, 1)

    def is_untrimmed(self, offerer: Side, amount_msat: int) -> bool:
        """Whether such an HTLC would have an output."""
        return amount_msat >= self._trim_msat[offerer is not self.owner]

    def is_dust(self, offerer: Side, amount_msat: int) -> bool:
        """Whether such an HTLC counts as dust at the raised feerate."""
        return amount_msat < self._dust_trim_msat[offerer is not self.owner]

    def cost_msat(self, feerate_perkw: int, more_htlcs: int = 0) -> int:
        """Fee and anchors of the next commitment at a feerate, with some untrimmed HTLCs more."""
        cost = commitment_cost(feerate_perkw, self.untrimmed + more_htlcs, anchors=self.anchors)
        return cost.sat * 1000

    def _set_thresholds(self, feerate_perkw: int) -> None:
        self.feerate_perkw = feerate_perkw
        self._trim_msat = self._thresholds(feerate_perkw)
        self._dust_trim_msat = self._thresholds(dust_exposure_feerate(feerate_perkw))

    def _thresholds(self, feerate_perkw: int) -> tuple[int, int]:
        """For HTLCs the owner offered, and for those it received."""
        offered = offered_threshold(self.dust_limit, feerate_perkw, anchors=self.anchors)
        received = received_threshold(self.dust_limit, feerate_perkw, anchors=self.anchors)
        return offered.sat * 1000, received.sat * 1000

    def _enter(self, htlc: Htlc) -> None:
        amount, offerer = htlc.amount.msat, htlc.offerer
        self.count[offerer] += 1
        self.in_flight_msat[offerer] += amount
        self.owed_msat[offerer] -= amount
        self._count_size(htlc, 1)

    def _leave(self, htlc: Htlc) -> None:
        amount, offerer = htlc.amount.msat, htlc.offerer
        self.count[offerer] -= 1
        self.in_flight_msat[offerer] -= amount
        self.owed_msat[offerer if htlc.preimage is None else offerer.other] += amount
        self._count_size(htlc, -1)

    def _count_size(self, htlc: Htlc, sign: int) -> None:
        if self.is_untrimmed(htlc.offerer, htlc.amount.msat):
            self.untrimmed += sign
        if self.is_dust(htlc.offerer, htlc.amount.msat):
            self.dust_msat += sign * htlc.amount.msat
