"""The records of the gossip_store file: CLN's format, version 16. The file itself is in `store_io.py`.

The file is one version byte, then records: a header (flags, length, CRC32C, timestamp; big-endian), then a
message. Readers (CLN's tools and plugins among them) follow the file as it grows; nothing is ever moved, only
flags change in place. The first record holds a random id of the file, and when it is replaced by a compacted one, the last
record of the old file tells the new id and where to go on reading.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Protocol

import google_crc32c

VERSION = 16
HEADER = struct.Struct(">HHII")
HEADER_SIZE = HEADER.size
DELETED, COMPLETED, DYING = 0x8000, 0x2000, 0x0800
CHANNEL_AMOUNT, DELETE_CHAN, ENDED, CHAN_DYING, UUID = 4101, 4103, 4105, 4106, 4107


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `offset` is that of its header."""

    offset: int
    flags: int
    timestamp: int
    msg: bytes

    @property
    def type(self) -> int:
        """The message's type."""
        return int.from_bytes(self.msg[:2], "big")

    @property
    def end(self) -> int:
        """Where the next record starts."""
        return self.offset + HEADER_SIZE + len(self.msg)


class Store(Protocol):
    """The file as the graph sees it."""

    def append(self, msg: bytes, timestamp: int = 0) -> int:
        """Add a message; returns its offset."""

    def read(self, offset: int) -> bytes:
        """The message of the record at `offset`."""

    def record(self, offset: int) -> Record | None:
        """The record at `offset`; None at the end."""

    def flag(self, offset: int, flags: int) -> None:
        """Set flags of a record."""

    @property
    def end(self) -> int:
        """Where the next record will be."""


class StoreTrouble(Exception):
    """What is wrong with a store, and where: all before `offset` is good."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset


def crc(msg: bytes, timestamp: int) -> int:
    """The checksum of a record: CRC32C of the message, starting from its timestamp."""
    return int(google_crc32c.extend(timestamp, msg))


def pack_record(msg: bytes, timestamp: int = 0, flags: int = COMPLETED) -> bytes:
    """A whole record."""
    return HEADER.pack(flags, len(msg), crc(msg, timestamp), timestamp) + msg


def make_empty(uuid: bytes) -> bytes:
    """The content of a new file."""
    return bytes((VERSION,)) + pack_record(_typed(UUID) + uuid)


def amount_message(sat: int) -> bytes:
    """Follows each channel_announcement: the funding amount."""
    return _typed(CHANNEL_AMOUNT) + sat.to_bytes(8, "big")


def delete_message(scid: int) -> bytes:
    """Tells readers that a channel is gone."""
    return _typed(DELETE_CHAN) + scid.to_bytes(8, "big")


def dying_message(scid: int, height: int) -> bytes:
    """Tells readers that a channel's funding is spent and it goes at `height`."""
    return _typed(CHAN_DYING) + scid.to_bytes(8, "big") + height.to_bytes(4, "big")


def ended_message(equivalent_offset: int, uuid: bytes) -> bytes:
    """The last record of a file that was replaced: the place in the new file, and its id."""
    return _typed(ENDED) + equivalent_offset.to_bytes(8, "big") + uuid


def scan(buf: bytes | mmap, start: int = 1, *, check: bool = True) -> Iterator[Record]:
    """All records, deleted ones too. Raises StoreTrouble where the rest cannot be read."""
    size = len(buf)
    offset = start
    while offset < size:
        if offset + HEADER_SIZE > size:
            raise StoreTrouble(offset, f"ends in the middle of a header at {offset}")
        flags, length, checksum, timestamp = HEADER.unpack_from(buf, offset)
        end = offset + HEADER_SIZE + length
        if end > size:
            raise StoreTrouble(offset, f"ends in the middle of a record at {offset}")
        msg = buf[offset + HEADER_SIZE : end]
        if not flags & COMPLETED or length < 2:
            raise StoreTrouble(offset, f"has an unfinished record at {offset}")
        if check and not flags & DELETED and crc(msg, timestamp) != checksum:
            raise StoreTrouble(offset, f"has a record with a wrong checksum at {offset}")
        yield Record(offset, flags, timestamp, msg)
        offset = end


def compact(buf: bytes, uuid: bytes) -> bytes:
    """The same store without what is deleted or only tells of deletions. Raises StoreTrouble."""
    out = bytearray(make_empty(uuid))
    for record in scan(buf, check=False):
        if not record.flags & DELETED and record.type not in (DELETE_CHAN, UUID, ENDED):
            out += buf[record.offset : record.end]
    return bytes(out)


class MemoryStore:
    """A store without a file, for tests and simulations."""

    def __init__(self, content: bytes = b"") -> None:
        self.buf = bytearray(content or make_empty(bytes(32)))

    @property
    def end(self) -> int:
        """Where the next record will be."""
        return len(self.buf)

    def append(self, msg: bytes, timestamp: int = 0) -> int:
        """Add a message; returns its offset."""
        offset = len(self.buf)
        self.buf += pack_record(msg, timestamp)
        return offset

    def read(self, offset: int) -> bytes:
        """The message of the record at `offset`."""
        length = HEADER.unpack_from(self.buf, offset)[1]
        start = offset + HEADER_SIZE
        return bytes(self.buf[start : start + length])

    def record(self, offset: int) -> Record | None:
        """The record at `offset`; None at the end."""
        if offset >= len(self.buf):
            return None
        flags, _, _, timestamp = HEADER.unpack_from(self.buf, offset)
        return Record(offset, flags, timestamp, self.read(offset))

    def flag(self, offset: int, flags: int) -> None:
        """Set flags of a record."""
        old = int.from_bytes(self.buf[offset : offset + 2], "big")
        self.buf[offset : offset + 2] = (old | flags).to_bytes(2, "big")


def _typed(kind: int) -> bytes:
    return kind.to_bytes(2, "big")
