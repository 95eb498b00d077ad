"""Route blinding: make a path of nodes that only they can recognise, and follow one as a hop on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pylightningd.common.keys import point_mul
from pylightningd.common.onion.crypto import (
    blinding_factor,
    derive_key,
    walk_keys,
)
from pylightningd.common.wire.onion_wire import BlindedPath, BlindedPathHop

_NONCE = bytes(12)


class BlindingError(ValueError):
    """Data in a blinded path that does not decrypt. Becomes `invalid_onion_blinding`, or silence."""


@dataclass(frozen=True, slots=True)
class Unblinded:
    """What a hop reads: its `encrypted_data_tlv` in clear, and the path key it derives for the next.

    A `next_path_key_override` inside the data takes precedence over `next_path_key`.
    """

    data: bytes
    next_path_key: bytes


def make_blinded_path(
    session_key: bytes, hops: Sequence[tuple[bytes, bytes]]
) -> tuple[BlindedPath, list[bytes]]:
    """A path through `hops` (node id, plain `encrypted_data_tlv`) and the secret shared with each.

    `session_key` is 32 fresh random bytes. To continue into another path, put that one's first path key
    into the last hop's `next_path_key_override` and join the hops with `join_paths`.
    Raises ValueError where a key is invalid.
    """
    steps = walk_keys(session_key, [node_id for node_id, _ in hops])
    blinded = tuple(
        BlindedPathHop(
            blinded_node_id=blind_node_id(node_id, secret),
            encrypted_recipient_data=encrypt_data(secret, data),
        )
        for (node_id, data), (_, secret) in zip(hops, steps, strict=True)
    )
    path = BlindedPath(first_node_id=hops[0][0], first_path_key=steps[0][0], path=blinded)
    return path, [secret for _, secret in steps]


def join_paths(first: BlindedPath, second: BlindedPath) -> BlindedPath:
    """`first` with the hops of `second` behind it."""
    return replace(first, path=first.path + second.path)


def node_id_tweak(shared_secret: bytes) -> bytes:
    """The factor between a node's id and its blinded id; `shared_secret` is ECDH with the path key."""
    return derive_key(b"blinded_node_id", shared_secret)


def blind_node_id(node_id: bytes, shared_secret: bytes) -> bytes:
    """The blinded node id."""
    return point_mul(node_id, node_id_tweak(shared_secret))


def tweak_key(onion_ephemeral_key: bytes, shared_secret: bytes) -> bytes:
    """The point to do ECDH with, using the plain node key, for an onion made for our blinded id.

    `shared_secret` is ECDH of our node key with the path key.
    """
    # BOLT 4, "Onion Decryption": with a path key, tweak either the onion's key or our own; this is the
    # first way, which leaves hsmd's key as it is.
    return point_mul(onion_ephemeral_key, node_id_tweak(shared_secret))


def next_path_key(path_key: bytes, shared_secret: bytes) -> bytes:
    """The path key of the hop after us."""
    return point_mul(path_key, blinding_factor(path_key, shared_secret))


def encrypt_data(shared_secret: bytes, data: bytes) -> bytes:
    """`encrypted_recipient_data` from a plain `encrypted_data_tlv`."""
    # BOLT 4, "Route Blinding": ChaCha20-Poly1305 under the rho key and an all-zero nonce.
    return ChaCha20Poly1305(derive_key(b"rho", shared_secret)).encrypt(_NONCE, data, b"")


def decrypt_data(shared_secret: bytes, encrypted: bytes) -> bytes:
    """The inverse of `encrypt_data`. Raises BlindingError."""
    try:
        return ChaCha20Poly1305(derive_key(b"rho", shared_secret)).decrypt(_NONCE, encrypted, b"")
    except InvalidTag:
        raise BlindingError(
            "encrypted_recipient_data does not decrypt with this path key"
        ) from None


def unblind(path_key: bytes, shared_secret: bytes, encrypted: bytes) -> Unblinded:
    """Read our part of a blinded path. `shared_secret` is ECDH of our node key with `path_key`.

    Raises BlindingError.
    """
    data = decrypt_data(shared_secret, encrypted)
    try:
        return Unblinded(data, next_path_key(path_key, shared_secret))
    except ValueError:
        raise BlindingError(f"path key {path_key.hex()} is not a public key") from None
