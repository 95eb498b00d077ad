"""Fees that both sides must calculate alike (BOLT 3, "Fee Calculation"). Feerates are sat per 1000 weight."""

from __future__ import annotations

from pylightningd.common.amount import Sat

COMMITMENT_WEIGHT = 724
COMMITMENT_WEIGHT_ANCHORS = 1124
HTLC_OUTPUT_WEIGHT = 172
HTLC_TIMEOUT_WEIGHT = 663
HTLC_TIMEOUT_WEIGHT_ANCHORS = 666
HTLC_SUCCESS_WEIGHT = 703
HTLC_SUCCESS_WEIGHT_ANCHORS = 706
ANCHOR_AMOUNT = Sat(330)


def commitment_weight(untrimmed_htlcs: int, *, anchors: bool) -> int:
    """Expected weight of a commitment transaction, in weight units."""
    base = COMMITMENT_WEIGHT_ANCHORS if anchors else COMMITMENT_WEIGHT
    return base + HTLC_OUTPUT_WEIGHT * untrimmed_htlcs


def commitment_base_fee(feerate_perkw: int, untrimmed_htlcs: int, *, anchors: bool) -> Sat:
    """What the opener pays for a commitment, anchors' own amounts not counted."""
    return Sat(feerate_perkw * commitment_weight(untrimmed_htlcs, anchors=anchors) // 1000)


def commitment_cost(feerate_perkw: int, untrimmed_htlcs: int, *, anchors: bool) -> Sat:
    """All that is taken from the opener's output: base fee, and both anchors where there are any."""
    fee = commitment_base_fee(feerate_perkw, untrimmed_htlcs, anchors=anchors)
    return fee + ANCHOR_AMOUNT * 2 if anchors else fee


def htlc_timeout_fee(feerate_perkw: int, *, anchors: bool) -> Sat:
    """Fee of an HTLC-timeout transaction; zero under anchors."""
    return Sat(0) if anchors else Sat(feerate_perkw * HTLC_TIMEOUT_WEIGHT // 1000)


def htlc_success_fee(feerate_perkw: int, *, anchors: bool) -> Sat:
    """Fee of an HTLC-success transaction; zero under anchors."""
    return Sat(0) if anchors else Sat(feerate_perkw * HTLC_SUCCESS_WEIGHT // 1000)
