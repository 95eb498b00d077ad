"""Fees for a mutual close: what we want, what we take, and BOLT 2's fee_range."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.weight import fee_for_weight
from pylightningd.common.channel.closing_tx import closing_tx_weight
from pylightningd.common.wire.closingd_wire import ClosingdStart
from pylightningd.common.wire.peer_wire import ClosingSignedFeeRange


@dataclass(frozen=True, slots=True)
class FeeRange:
    """Fees from `low` to `high`, both included."""

    low: Sat
    high: Sat

    def __contains__(self, fee: Sat) -> bool:
        return self.low <= fee <= self.high

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"

    def overlap(self, other: FeeRange) -> FeeRange | None:
        """What is in both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return FeeRange(low, high) if low <= high else None

    def nearest(self, fee: Sat) -> Sat:
        """The fee in the range that is closest to `fee`."""
        return min(max(fee, self.low), self.high)

    def to_wire(self) -> ClosingSignedFeeRange:
        """As closing_signed carries it."""
        return ClosingSignedFeeRange(min_fee_satoshis=self.low, max_fee_satoshis=self.high)

    @classmethod
    def from_wire(cls, wire: ClosingSignedFeeRange | None) -> FeeRange | None:
        """Of the peer's closing_signed. A range upside down overlaps with nothing."""
        return None if wire is None else cls(wire.min_fee_satoshis, wire.max_fee_satoshis)


@dataclass(frozen=True, slots=True)
class FeeBounds:
    """What we take (`accepted`), offer first (`preferred`) and announce (`announced`)."""

    accepted: FeeRange
    preferred: Sat
    announced: FeeRange


def expected_weight(start: ClosingdStart) -> int:
    """Weight of the closing transaction before any fee, which may make an output vanish."""
    dust = start.channel.local_config.dust_limit
    return closing_tx_weight(
        start.local_script if start.to_local.to_sat_floor() >= dust else None,
        start.remote_script if start.to_remote.to_sat_floor() >= dust else None,
    )


def most_payable(start: ClosingdStart) -> Sat:
    """The largest fee the opener can pay such that the transaction still has an output."""
    local, remote = start.to_local.to_sat_floor(), start.to_remote.to_sat_floor()
    opener, other = (local, remote) if start.channel.we_are_opener else (remote, local)
    dust = start.channel.local_config.dust_limit
    return opener if other >= dust else opener.minus_or_zero(dust)


def fee_bounds(start: ClosingdStart) -> FeeBounds:
    """From the master's feerates."""
    weight, payable = expected_weight(start), most_payable(start)
    least = fee_for_weight(start.feerate_min_perkw, weight)
    preferred = fee_for_weight(start.feerate_preferred_perkw, weight)
    if start.channel.we_are_opener:
        most = announced_most = min(fee_for_weight(start.feerate_max_perkw, weight), payable)
    else:
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`": who does not pay has no reason for a
        # maximum, and SHOULD set max_fee_satoshis to at least the one received. As CLN: all there is.
        most, announced_most = payable, max(start.channel.funding_amount, payable)
    least = min(least, most)
    accepted = FeeRange(least, most)
    return FeeBounds(accepted, accepted.nearest(preferred), FeeRange(least, announced_most))
