"""Bitcoin's variable-length integers, little-endian (not BOLT's BigSize)."""

from __future__ import annotations

import struct

from pylightningd.common.errors import WireError

_SMALL = tuple(bytes((n,)) for n in range(253))


def write_compact_size(n: int) -> bytes:
    """The shortest form of `n`."""
    if n < 253:
        return _SMALL[n]
    if n <= 0xFFFF:
        return struct.pack("<BH", 253, n)
    if n <= 0xFFFFFFFF:
        return struct.pack("<BI", 254, n)
    return struct.pack("<BQ", 255, n)


def read_compact_size(buf: bytes, pos: int) -> tuple[int, int]:
    """The number at `pos`, and where it ends. Raises WireError on a truncated or overlong form."""
    try:
        first = buf[pos]
        if first < 253:
            return first, pos + 1
        if first == 253:
            n, end, least = struct.unpack_from("<H", buf, pos + 1)[0], pos + 3, 253
        elif first == 254:
            n, end, least = struct.unpack_from("<I", buf, pos + 1)[0], pos + 5, 0x10000
        else:
            n, end, least = struct.unpack_from("<Q", buf, pos + 1)[0], pos + 9, 0x100000000
    except (IndexError, struct.error):
        raise WireError(f"a compact size is cut short at byte {pos}") from None
    if n < least:
        raise WireError(f"compact size {n} at byte {pos} is not in its shortest form")
    return n, end


def with_length(data: bytes) -> bytes:
    """The data after its own length."""
    n = len(data)
    return (_SMALL[n] if n < 253 else write_compact_size(n)) + data
