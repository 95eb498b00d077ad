"""What each side puts in, takes out and pays (BOLT 2, "Fee Responsibility"; BOLT 3, Appendices A and G)."""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.script import is_p2tr

COMMON_WEIGHT = (4 + 1 + 1 + 4) * 4 + 2
"""Version, counts, locktime; marker and flag. The initiator pays for them."""
_BARE_INPUT_WEIGHT = (32 + 4 + 1 + 4) * 4
MIN_WITNESS_WEIGHT = 107
"""BOLT 3, "Expected Fee Calculation:": a witness counts for at least this much."""
TAPROOT_WITNESS_WEIGHT = 66
"""Spent by its key: less than that minimum, and all that some nodes pay for, so we ask no more of a peer."""


def share_weight(
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
    *,
    initiator: bool,
    taproot_witness: int = MIN_WITNESS_WEIGHT,
) -> int:
    """What a side pays for: its inputs (scripts they spend), its outputs (scripts), the initiator also the common part.

    For what we pay ourselves leave `taproot_witness`; where a witness of ours is larger than 107, add what it exceeds it by.
    """
    weight = COMMON_WEIGHT if initiator else 0
    for script in inputs:
        weight += _BARE_INPUT_WEIGHT
        weight += taproot_witness if is_p2tr(script) else MIN_WITNESS_WEIGHT
    return weight + sum(output_weight(script) for script in outputs)


def output_weight(script: bytes) -> int:
    """Of one output."""
    return (8 + (1 if len(script) < 0xFD else 3) + len(script)) * 4


def least_fee(feerate_perkw: int, weight: int) -> Sat:
    """The least a peer must pay for its share, rounded in its favour."""
    return Sat(feerate_perkw * weight // 1000)


def share_fee(feerate_perkw: int, weight: int) -> Sat:
    """What we pay for ours, rounded up as in the examples of BOLT 3, Appendix G."""
    return Sat(-(-feerate_perkw * weight // 1000))
