"""What hsmd never does again: per channel, two numbers that only grow.

A record is keyed by a hash of peer and dbid, so that a node whose database was lost and begins anew does
not confuse its new channel 1 with an old one of another peer; with the same peer the keys would be the
same too, and refusing is right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256

from pylightningd.common.ids import NodeId
from pylightningd.hsmd.permissions import Refusal

KEY_SIZE = 16
NONE = -1


def channel_key(peer_id: NodeId, dbid: int) -> bytes:
    """The name of a channel's record."""
    return sha256(peer_id + struct.pack("<Q", dbid)).digest()[:KEY_SIZE]


class Enforcement:
    """The records of all channels, in memory. Changes are collected in `changed` for the disk."""

    def __init__(self) -> None:
        self._revoked: dict[bytes, int] = {}
        self._remote_signed: dict[bytes, int] = {}
        self.changed: dict[bytes, None] = {}
        """Keys whose record is newer than the disk's, in order of change."""
        self.must_sync = False
        """Whether a reply has to wait for the disk."""

    def record(self, key: bytes) -> tuple[int, int]:
        """(highest revoked local commitment, highest remote commitment signed); NONE where none."""
        return self._revoked.get(key, NONE), self._remote_signed.get(key, NONE)

    def restore(self, key: bytes, revoked: int, remote_signed: int) -> None:
        """Take over what the disk says. Never lowers a number."""
        self._revoked[key] = max(revoked, self._revoked.get(key, NONE))
        self._remote_signed[key] = max(remote_signed, self._remote_signed.get(key, NONE))

    def all_records(self) -> Iterator[tuple[bytes, int, int]]:
        """Every record."""
        for key in self._revoked.keys() | self._remote_signed.keys():
            yield (key, *self.record(key))

    def revoke(self, key: bytes, number: int) -> None:
        """Give up a local commitment. Raises Refusal where one in between was never given up."""
        revoked = self._revoked.get(key)
        if revoked is not None and number > revoked + 1:
            raise Refusal(f"commitment {number} cannot be revoked before {revoked + 1}")
        if revoked is None or number > revoked:
            self._revoked[key] = number
            self.changed[key] = None
            self.must_sync = True

    def check_sign_local(self, key: bytes, number: int) -> None:
        """Raise Refusal for a local commitment that was revoked."""
        revoked = self._revoked.get(key, NONE)
        if number <= revoked:
            raise Refusal(f"local commitment {number} is revoked (up to {revoked})")

    def sign_remote(self, key: bytes, number: int) -> None:
        """Note a signature for the peer's commitment. Raises Refusal below the highest so far."""
        highest = self._remote_signed.get(key, NONE)
        if number < highest:
            raise Refusal(f"remote commitment {number} is older than {highest}, which is signed")
        if number > highest:
            self._remote_signed[key] = number
            self.changed[key] = None
