"""BigSize, truncated integers and TLV records (BOLT 1), as the generated codecs use them.

What is not here: which records a stream knows. That is in the generated modules.
"""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.errors import WireError


class TlvError(WireError):
    """A TLV stream that is not well formed, and where.

    `tlv_type` and `offset` are what `invalid_onion_payload` wants to know: the type of the record at fault
    (None where even that cannot be read) and the place of its value in the stream.
    """

    def __init__(self, text: str, tlv_type: int | None, offset: int) -> None:
        super().__init__(text)
        self.tlv_type = tlv_type
        self.offset = offset


def read_bigsize(buf: bytes, pos: int = 0) -> tuple[int, int]:
    """The BigSize at `pos` and the position after it. Raises WireError."""
    if pos >= len(buf):
        raise WireError("BigSize: nothing to read")
    first = buf[pos]
    if first < 0xFD:
        return first, pos + 1
    size = 2 << (first - 0xFD)
    end = pos + 1 + size
    if end > len(buf):
        raise WireError("BigSize: truncated")
    value = int.from_bytes(buf[pos + 1 : end], "big")
    # BOLT 1, "Appendix A: BigSize Test Vectors": every decoded value is checked to be minimal.
    if value < (0xFD if size == 2 else 1 << 4 * size):
        raise WireError("BigSize: not minimal")
    return value, end


def write_bigsize(value: int) -> bytes:
    """The shortest form. Raises ValueError for a number that is not within 64 bits."""
    if value < 0 or value >> 64:
        raise ValueError(f"{value} does not fit a BigSize")
    if value < 0xFD:
        return bytes((value,))
    if value < 0x10000:
        return b"\xfd" + value.to_bytes(2, "big")
    if value < 0x100000000:
        return b"\xfe" + value.to_bytes(4, "big")
    return b"\xff" + value.to_bytes(8, "big")


def read_tu(raw: bytes, most: int) -> int:
    """A truncated integer that fills `raw`, of at most `most` bytes. Raises WireError."""
    if len(raw) > most:
        raise WireError(f"truncated integer: {len(raw)} bytes, at most {most}")
    # BOLT 1, "Fundamental Types": leading zeros of tu16, tu32 and tu64 are left away.
    if raw and raw[0] == 0:
        raise WireError("truncated integer: not minimal")
    return int.from_bytes(raw, "big")


def write_tu(value: int, most: int) -> bytes:
    """`value` without its leading zero bytes. Raises ValueError where it does not fit `most` bytes."""
    size = (value.bit_length() + 7) // 8
    if value < 0 or size > most:
        raise ValueError(f"{value} does not fit a truncated integer of {most} bytes")
    return value.to_bytes(size, "big")


def read_records(buf: bytes) -> list[tuple[int, int, bytes]]:
    """Split a stream into (type, offset of the value, value), in order. Raises TlvError."""
    records: list[tuple[int, int, bytes]] = []
    pos, last, end = 0, -1, len(buf)
    while pos < end:
        start = pos
        kind: int | None = None
        try:
            kind, pos = read_bigsize(buf, pos)
            length, pos = read_bigsize(buf, pos)
        except WireError as err:
            raise TlvError(f"TLV record at {start}: {err}", kind, start) from err
        # BOLT 1, "Type-Length-Value Format", receiver MUST fail to parse types that do not strictly increase.
        if kind <= last:
            raise TlvError(f"TLV type {kind} after {last}", kind, pos)
        # BOLT 1, "Type-Length-Value Format", receiver MUST fail to parse a length beyond the end.
        if length > end - pos:
            raise TlvError(
                f"TLV type {kind}: {length} bytes announced, {end - pos} left", kind, pos
            )
        records.append((kind, pos, buf[pos : pos + length]))
        pos += length
        last = kind
    return records


def write_records(records: Iterable[tuple[int, bytes]]) -> bytes:
    """Put records together, sorted by type. Raises ValueError where a type occurs twice."""
    parts: list[bytes] = []
    last = -1
    # BOLT 1, "Type-Length-Value Format", sender MUST order records by strictly increasing type.
    for kind, value in sorted(records):
        if kind == last:
            raise ValueError(f"TLV type {kind} occurs twice")
        parts += (write_bigsize(kind), write_bigsize(len(value)), value)
        last = kind
    return b"".join(parts)
