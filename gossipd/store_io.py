"""The gossip_store file: opened, repaired, appended to, compacted."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
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
        self._records = self._load()
        self._fd = os.open(path, os.O_RDWR)
        self._end = os.fstat(self._fd).st_size

    # Opening

    def take_records(self) -> list[Record]:
        """The live records at start, once."""
        records, self._records = self._records, []
        return records

    def _load(self) -> list[Record]:
        try:
            buf = self._path.read_bytes()
        except FileNotFoundError:
            return self._create()
        if not buf:
            return self._create()
        if buf[0] != VERSION:
            return self._set_aside(f"version {buf[0]}, which we cannot read")
        records: list[Record] = []
        dead = 0
        try:
            for record in scan(buf):
                if record.flags & DELETED:
                    dead += record.end - record.offset
                else:
                    records.append(record)
        except StoreTrouble as trouble:
            self._repair(buf, trouble)
            buf = buf[: trouble.offset]
        if not records:
            return self._create()
        if dead > COMPACT_WASTE and dead * 2 > len(buf):
            records = self._compact(buf)
        return records

    def _create(self) -> list[Record]:
        self._replace(make_empty(secrets.token_bytes(32)))
        return []

    def _repair(self, buf: bytes, trouble: StoreTrouble) -> None:
        lost = len(buf) - trouble.offset
        self._log(
            "unusual",
            f"gossip_store {trouble}: the last {lost} of {len(buf)} bytes are dropped and will be"
            " asked of peers again",
        )
        os.truncate(self._path, trouble.offset)

    def _set_aside(self, why: str) -> list[Record]:
        aside = self._path.with_name(self._path.name + ".corrupt")
        self._path.rename(aside)
        self._log("unusual", f"gossip_store has {why}: moved to {aside.name}, starting anew")
        return self._create()

    def _compact(self, buf: bytes) -> list[Record]:
        uuid = secrets.token_bytes(32)
        fresh = compact(buf, uuid)
        old = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            self._replace(fresh)
            os.write(old, pack_record(ended_message(len(fresh), uuid)))
        finally:
            os.close(old)
        self._log("debug", f"compaction done: {len(buf)} -> {len(fresh)} bytes")
        return list(scan(fresh, check=False))

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
