"""A list of byte strings in one column: each with its length as four bytes before it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LENGTH = struct.Struct(">I")


def pack_blobs(blobs: Iterable[bytes]) -> bytes:
    """All of them in one."""
    return b"".join(_LENGTH.pack(len(blob)) + blob for blob in blobs)


def unpack_blobs(packed: bytes) -> tuple[bytes, ...]:
    """What `pack_blobs` put in. Raises ValueError where the bytes end early."""
    blobs: list[bytes] = []
    pos = 0
    while pos < len(packed):
        if pos + _LENGTH.size > len(packed):
            raise ValueError("a packed list ends inside a length")
        (length,) = _LENGTH.unpack_from(packed, pos)
        pos += _LENGTH.size
        if pos + length > len(packed):
            raise ValueError("a packed list ends inside an item")
        blobs.append(packed[pos : pos + length])
        pos += length
    return tuple(blobs)
