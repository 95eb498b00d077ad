"""What hsmd never does again: per channel, three numbers that only grow.

A record is keyed by a hash of peer and dbid, so that a node whose database was lost and begins anew does
not confuse its new channel 1 with an old one of another peer; with the same peer the keys would be the
same too, and refusing is right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from pylightningd.common.ids import NodeId
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.permissions import Refusal

KEY_SIZE = 16
NONE = -1


class Record(NamedTuple):
    """The highest number of each kind; NONE where there is none."""

    revoked: int = NONE
    """Local commitment that was given up."""
    remote_signed: int = NONE
    """Commitment of the peer's that was signed."""
    broadcast: int = NONE
    """Local commitment that was signed for the chain."""


def channel_key(peer_id: NodeId, dbid: int) -> bytes:
    """The name of a channel's record."""
    return sha256(peer_id + struct.pack("<Q", dbid)).digest()[:KEY_SIZE]


class Enforcement:
    """The records of all channels, in memory. Changes are collected in `changed` for the disk."""

    def __init__(self) -> None:
        self._records: dict[bytes, Record] = {}
        self.changed: dict[bytes, None] = {}
        """Keys whose record is newer than the disk's, in order of change."""
        self.must_sync = False
        """Whether a reply has to wait for the disk."""

    def __len__(self) -> int:
        return len(self._records)

    def record(self, key: bytes) -> Record:
        """What is known of a channel."""
        return self._records.get(key, Record())

    def restore(self, key: bytes, record: Record) -> bool:
        """Take over what the disk or the database says; whether it was news. Never lowers a number."""
        known = self.record(key)
        higher = Record(*map(max, known, record))
        self._records[key] = higher
        return higher != known

    def all_records(self) -> Iterator[tuple[bytes, Record]]:
        """Every record."""
        yield from self._records.items()

    def revoke(self, key: bytes, number: int) -> None:
        """Give up a local commitment.

        Raises Refusal where one in between was never given up, and for one that may be on the chain: the
        peer could take all of it.
        """
        known = self.record(key)
        if known.broadcast != NONE and number >= known.broadcast:
            raise Refusal(
                f"commitment {number} cannot be revoked: {known.broadcast} was signed for the chain"
            )
        if known.revoked != NONE and number > known.revoked + 1:
            raise Refusal(f"commitment {number} cannot be revoked before {known.revoked + 1}")
        if number > known.revoked:
            self._set(key, known._replace(revoked=number))
            self.must_sync = True

    def check_sign_local(self, key: bytes, number: int) -> None:
        """Raise Refusal for a local commitment that was revoked."""
        revoked = self.record(key).revoked
        if number <= revoked:
            raise Refusal(f"local commitment {number} is revoked (up to {revoked})")

    def sign_local(self, key: bytes, number: int) -> None:
        """Note that a local commitment may be on the chain from now on."""
        known = self.record(key)
        if number > known.broadcast:
            self._set(key, known._replace(broadcast=number))
            self.must_sync = True

    def sign_remote(self, key: bytes, number: int) -> None:
        """Note a signature for the peer's commitment. Raises Refusal below the highest so far."""
        known = self.record(key)
        if number < known.remote_signed:
            raise Refusal(
                f"remote commitment {number} is older than {known.remote_signed}, which is signed"
            )
        if number > known.remote_signed:
            self._set(key, known._replace(remote_signed=number))

    def _set(self, key: bytes, record: Record) -> None:
        self._records[key] = record
        self.changed[key] = None


def compare_records(records: Enforcement, msg: w.HsmdCompareRecords) -> w.HsmdCompareRecordsReply:
    """What we knew of each channel before we took over what the database knows better."""
    known = []
    for told in msg.records:
        key = channel_key(told.peer_id, told.dbid)
        ours = records.record(key)
        known.append(
            w.CommitmentRecord(
                peer_id=told.peer_id,
                dbid=told.dbid,
                revoked=ours.revoked + 1,
                remote_signed=ours.remote_signed + 1,
                broadcast=ours.broadcast + 1,
            )
        )
        if records.restore(key, Record(told.revoked - 1, told.remote_signed - 1, NONE)):
            records.changed[key] = None
    return w.HsmdCompareRecordsReply(records=tuple(known))
