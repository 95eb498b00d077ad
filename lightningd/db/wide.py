"""Unsigned 64-bit numbers in columns that hold signed ones: the same bits, as CLN stores them.

Peers and senders choose short channel ids and aliases, so the highest bit may well be set.
"""

from __future__ import annotations

_HALF = 1 << 63
_ALL = 1 << 64


def to_column(value: int) -> int:
    """What is stored for a u64."""
    return value - _ALL if value >= _HALF else value


def from_column(value: int) -> int:
    """The u64 of a stored value."""
    return value + _ALL if value < 0 else value
