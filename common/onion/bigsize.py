"""BigSize integers (BOLT 1) as plain functions over bytes."""

from __future__ import annotations


def write_bigsize(value: int) -> bytes:
    """The shortest encoding. Raises OverflowError where the value is negative or above 64 bits."""
    if value < 0xFD:
        return value.to_bytes(1, "big")
    if value < 1 << 16:
        return b"\xfd" + value.to_bytes(2, "big")
    if value < 1 << 32:
        return b"\xfe" + value.to_bytes(4, "big")
    return b"\xff" + value.to_bytes(8, "big")


def read_bigsize(data: bytes, at: int) -> tuple[int, int]:
    """The value that starts at `at`, and where it ends. Raises ValueError where cut short or not minimal."""
    if at >= len(data):
        raise ValueError("bigsize is cut short")
    first = data[at]
    if first < 0xFD:
        return first, at + 1
    size = 2 << (first - 0xFD)
    end = at + 1 + size
    if end > len(data):
        raise ValueError("bigsize is cut short")
    value = int.from_bytes(data[at + 1 : end], "big")
    # BOLT 1, "Fundamental Types": an encoding that is not the shortest is invalid.
    if value < (0xFD, 1 << 16, 1 << 32)[first - 0xFD]:
        raise ValueError("bigsize is not minimally encoded")
    return value, end
