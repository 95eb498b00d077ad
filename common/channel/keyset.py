"""The keys in one commitment transaction.

`owner` is whose commitment it is (BOLT 3 calls them "local"), `other` the other party. For our
peer's commitment the owner is our peer.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pylightningd.common.key_derivation import derive_pubkey, derive_revocation_pubkey


@dataclass(frozen=True, slots=True, kw_only=True)
class Basepoints:
    """One side's base points, 33 bytes each, as `open_channel` carries them."""

    revocation: bytes
    payment: bytes
    htlc: bytes
    delayed_payment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """Points of one commitment, 33 bytes each."""

    revocation: bytes
    owner_htlc: bytes
    other_htlc: bytes
    owner_delayed: bytes
    other_payment: bytes
    """Where to_remote pays to: the other party's payment base point, never tweaked."""


def derive_keyset(commitment_point: bytes, owner: Basepoints, other: Basepoints) -> Keyset:
    """The keys of the commitment with this per-commitment point of its owner."""
    # BOLT 3, "Key Derivation"; the other party's payment base point is used as it is.
    return Keyset(
        revocation=derive_revocation_pubkey(other.revocation, commitment_point),
        owner_htlc=derive_pubkey(owner.htlc, commitment_point),
        other_htlc=derive_pubkey(other.htlc, commitment_point),
        owner_delayed=derive_pubkey(owner.delayed_payment, commitment_point),
        other_payment=other.payment,
    )


def obscuring_factor(opener_payment: bytes, accepter_payment: bytes) -> int:
    """48 bits that commitment numbers are XORed with, from both payment base points."""
    # BOLT 3, "Commitment Transaction": the lower 48 bits of the hash, the opener's point first.
    return int.from_bytes(sha256(opener_payment + accepter_payment).digest()[26:], "big")
