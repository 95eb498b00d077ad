"""Keys of one commitment, from base points and the per-commitment point (BOLT 3, "Keys").

The public halves here serve every daemon; the private halves only hsmd (and onchaind's tests).
"""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.keys import (
    SecretLike,
    point_add,
    point_mul,
    point_tweak_add,
    pubkey_from_secret,
    secret_mul,
    secret_tweak_add,
)
from pylightningd.common.secret import Secret
from pylightningd.common.shachain import MAX_INDEX, generate_from_seed


def per_commitment_secret(seed: bytes | Secret, commitment_number: int) -> Secret:
    """The secret of one commitment, counted from 0 upwards as channels count them."""
    # BOLT 3, "Per-commitment Secret Requirements": indexes run down from 2^48 - 1.
    raw = seed.reveal() if isinstance(seed, Secret) else seed
    return Secret(generate_from_seed(raw, MAX_INDEX - commitment_number))


def per_commitment_point(seed: bytes | Secret, commitment_number: int) -> bytes:
    """The point of one commitment, counted from 0 upwards."""
    return pubkey_from_secret(per_commitment_secret(seed, commitment_number))


def derive_pubkey(basepoint: bytes, commitment_point: bytes) -> bytes:
    """localpubkey, htlcpubkey or delayedpubkey of one commitment, from the matching base point."""
    # BOLT 3, "Key Derivation": basepoint + SHA256(per_commitment_point || basepoint) * G.
    return point_tweak_add(basepoint, sha256(commitment_point + basepoint).digest())


def derive_privkey(base_secret: SecretLike, commitment_point: bytes) -> Secret:
    """The private key that belongs to `derive_pubkey`."""
    basepoint = pubkey_from_secret(base_secret)
    return secret_tweak_add(base_secret, sha256(commitment_point + basepoint).digest())


def derive_revocation_pubkey(revocation_basepoint: bytes, commitment_point: bytes) -> bytes:
    """revocationpubkey: the base point of the side that may punish, the point of the commitment's owner."""
    # BOLT 3, "Key Derivation": each side's point multiplied by a hash that binds it to the other.
    return point_add(
        point_mul(revocation_basepoint, sha256(revocation_basepoint + commitment_point).digest()),
        point_mul(commitment_point, sha256(commitment_point + revocation_basepoint).digest()),
    )


def derive_revocation_privkey(
    revocation_base_secret: SecretLike, commitment_secret: SecretLike
) -> Secret:
    """The private key that belongs to `derive_revocation_pubkey`, once the commitment is revoked."""
    basepoint = pubkey_from_secret(revocation_base_secret)
    point = pubkey_from_secret(commitment_secret)
    ours = secret_mul(revocation_base_secret, sha256(basepoint + point).digest())
    theirs = secret_mul(commitment_secret, sha256(point + basepoint).digest())
    return secret_tweak_add(ours, theirs.reveal())
