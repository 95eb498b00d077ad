"""The gossip_store file: opened, repaired, appended to, compacted."""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from pylightningd.gossipd.store import (
    COMPLETED,
    DELETED,
    HEADER,
    HEADER_SIZE,
    VERSION,
    Record,
    StoreTrouble,
    compact,
    ended_message,
    make_empty,
    pack_record,
    scan,
)

LogLine = Callable[[str, str], None]
COMPACT_WASTE = 1_000_000
"""Bytes of deleted records from which a store is compacted at start, if they are also half of it."""


class FileStore:
    """An open gossip_store. Not synced to disk: what a crash loses is asked of peers again."""

    def __init__(self, path: Path, log: LogLine) -> None:
        """Open it, or make it; a broken end is cut off, a file we cannot read is set aside."""
        self._path = path
        self._log = log
        self._prepare()
        self._fd = os.open(path, os.O_RDWR)
        self._end = os.fstat(self._fd).st_size

    # Opening

    def records(self) -> Iterator[Record]:
        """The live records at start, read as they are asked for: the file is much larger than what is kept of it."""
        with mmap.mmap(self._fd, self._end, access=mmap.ACCESS_READ) as buf:
            for record in scan(buf, check=False):
                if not record.flags & DELETED:
                    yield record

    def _prepare(self) -> None:
        """See to it that the file is there and good."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size == 0:
                    self._create()
                    return
                with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as buf:
                    self._check(buf, size)
        except FileNotFoundError:
            self._create()

    def _check(self, buf: mmap.mmap, size: int) -> None:
        if buf[0] != VERSION:
            self._set_aside(f"version {buf[0]}, which we cannot read")
            return
        live = dead = 0
        trouble: StoreTrouble | None = None
        try:
            for record in scan(buf):
                if record.flags & DELETED:
                    dead += record.end - record.offset
                else:
                    live += 1
        except StoreTrouble as found:
            trouble = found
            size = found.offset
        if not live:
            self._create()
        elif dead > COMPACT_WASTE and dead * 2 > size:
            self._compact(buf[:size])
        elif trouble is not None:
            self._repair(len(buf), trouble)

    def _create(self) -> None:
        self._replace(make_empty(secrets.token_bytes(32)))

    def _repair(self, size: int, trouble: StoreTrouble) -> None:
        lost = size - trouble.offset
        self._log(
            "unusual",
            f"gossip_store {trouble}: the last {lost} of {size} bytes are dropped and will be"
            " asked of peers again",
        )
        os.truncate(self._path, trouble.offset)

    def _set_aside(self, why: str) -> None:
        aside = self._path.with_name(self._path.name + ".corrupt")
        self._path.rename(aside)
        self._log("unusual", f"gossip_store has {why}: moved to {aside.name}, starting anew")
        self._create()

    def _compact(self, buf: bytes) -> None:
        uuid = secrets.token_bytes(32)
        fresh = compact(buf, uuid)
        old = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            self._replace(fresh)
            os.write(old, pack_record(ended_message(len(fresh), uuid)))
        finally:
            os.close(old)
        self._log("debug", f"compaction done: {len(buf)} -> {len(fresh)} bytes")

    def _replace(self, content: bytes) -> None:
        temporary = self._path.with_name(self._path.name + ".tmp")
        temporary.write_bytes(content)
        temporary.chmod(0o600)
        temporary.rename(self._path)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    # Store

    @property
    def end(self) -> int:
        """Where the next record will be."""
        return self._end

    def append(self, msg: bytes, timestamp: int = 0) -> int:
        """Add a message; returns its offset. Raises OSError (disk full)."""
        raw = pack_record(msg, timestamp)
        offset = self._end
        written = os.pwrite(self._fd, raw, offset)
        if written != len(raw):
            os.ftruncate(self._fd, offset)
            raise OSError(f"gossip_store: wrote {written} of {len(raw)} bytes")
        self._end += written
        return offset

    def read(self, offset: int) -> bytes:
        """The message of the record at `offset`."""
        record = self.record(offset)
        if record is None:
            raise ValueError(f"gossip_store has no record at {offset}")
        return record.msg

    def record(self, offset: int) -> Record | None:
        """The record at `offset`; None at the end."""
        if offset >= self._end:
            return None
        raw = os.pread(self._fd, 600, offset)
        flags, length, _, timestamp = HEADER.unpack_from(raw)
        msg = raw[HEADER_SIZE : HEADER_SIZE + length]
        if len(msg) < length:
            msg = os.pread(self._fd, length, offset + HEADER_SIZE)
        return Record(offset, flags, timestamp, msg)

    def flag(self, offset: int, flags: int) -> None:
        """Set flags of a record."""
        old = int.from_bytes(os.pread(self._fd, 2, offset), "big")
        os.pwrite(self._fd, (old | flags | COMPLETED).to_bytes(2, "big"), offset)
