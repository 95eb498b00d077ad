"""The file ``hsmd_state`` beside hsm_secret: an append-only log of `Enforcement` records.

A record is 16 bytes of key, three numbers plus one (u64), and a checksum. A torn record at the end, from a
crash while writing, is cut off: nobody was answered on account of it. The file is rewritten when it has
grown far beyond its content.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from pylightningd.hsmd.enforcement import Enforcement, Record
from pylightningd.hsmd.secret_file_io import sync_folder

_MAGIC = b"pylnhsm2"
_RECORD = struct.Struct(">16sQQQ")
_SIZE = _RECORD.size + 4
_SLACK_RECORDS = 20_000


class DamagedState(Exception):
    """The file is not what we wrote. Going on could lose funds, so hsmd does not."""


class EnforcementFile:
    """Keeps an `Enforcement` on disk."""

    def __init__(self, path: Path) -> None:
        """Read the file, or begin one. Raises DamagedState or OSError."""
        self._path = path
        self.records = Enforcement()
        self._count = 0
        if path.exists():
            good = self._load(path.read_bytes())
            self._fd = os.open(path, os.O_WRONLY)
            os.ftruncate(self._fd, good)
            os.lseek(self._fd, good, os.SEEK_SET)
        else:
            self._rewrite()

    def _load(self, raw: bytes) -> int:
        """Take over the records; the size of what is whole."""
        if not raw.startswith(_MAGIC):
            raise DamagedState(
                f"{self._path} is damaged. Restore it from a backup of this moment. Removing it makes hsmd "
                "forget which commitments are revoked: do that only if the database is surely up to date"
            )
        pos = len(_MAGIC)
        while pos + _SIZE <= len(raw):
            body = raw[pos : pos + _RECORD.size]
            if zlib.crc32(body) != int.from_bytes(raw[pos + _RECORD.size : pos + _SIZE], "big"):
                if pos + _SIZE < len(raw):
                    raise DamagedState(f"{self._path}: the record at byte {pos} is damaged")
                break
            key, *counts = _RECORD.unpack(body)
            self.records.restore(key, Record(*(count - 1 for count in counts)))
            self._count += 1
            pos += _SIZE
        return pos

    def write(self) -> None:
        """Append what changed; durable on return if a reply waits for it. Raises OSError."""
        records = self.records
        if records.changed:
            self._write_all(b"".join(_pack(key, records.record(key)) for key in records.changed))
            self._count += len(records.changed)
            records.changed.clear()
        if records.must_sync:
            os.fdatasync(self._fd)
            records.must_sync = False
        if self._count > _SLACK_RECORDS + 4 * len(records):
            self._rewrite()

    def _write_all(self, raw: bytes) -> None:
        while raw:
            raw = raw[os.write(self._fd, raw) :]

    def _rewrite(self) -> None:
        everything = list(self.records.all_records())
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        old, self._fd = getattr(self, "_fd", None), descriptor
        self._write_all(_MAGIC + b"".join(_pack(*item) for item in everything))
        os.fsync(descriptor)
        os.rename(temporary, self._path)
        sync_folder(self._path.parent)
        self._count = len(everything)
        if old is not None:
            os.close(old)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def _pack(key: bytes, record: Record) -> bytes:
    body = _RECORD.pack(key, *(number + 1 for number in record))
    return body + zlib.crc32(body).to_bytes(4, "big")
