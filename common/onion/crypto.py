"""The few primitives all of BOLT 4 is built from: derived keys, the ChaCha20 stream, ECDH, point products."""

from __future__ import annotations

import hmac
from hashlib import sha256

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

HMAC_SIZE = 32
_NONCE = bytes(16)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, message, "sha256")


def derive_key(kind: bytes, secret: bytes) -> bytes:
    """One of the keys that hang on a shared secret; `kind` is ``b"rho"``, ``b"mu"`` and so on."""
    # BOLT 4, "Key Generation": HMAC-SHA256 with the key type as key and the shared secret as message.
    return hmac.digest(kind, secret, "sha256")


def xor_stream(key: bytes, data: bytes) -> bytes:
    """`data` XOR the stream of `key`."""
    # BOLT 4, "Pseudo Random Byte Stream": ChaCha20 under an all-zero nonce; keys are never reused.
    return Cipher(ChaCha20(key, _NONCE), mode=None).encryptor().update(data)


def blinding_factor(public_key: bytes, shared_secret: bytes) -> bytes:
    """What an ephemeral or path key is multiplied by to become the next hop's."""
    # BOLT 4, "Blinding Ephemeral Onion Keys": SHA256 of compressed key and shared secret.
    return sha256(public_key + shared_secret).digest()


def multiply_point(point: bytes, scalar: bytes) -> bytes:
    """`point` (33 bytes) times `scalar` (32 bytes). Raises ValueError where either is invalid."""
    return PublicKey(point).multiply(scalar).format()


def is_point(raw: bytes) -> bool:
    """Whether these are 33 bytes that name a point on the curve."""
    if len(raw) != 33 or raw[0] not in (2, 3):
        return False
    try:
        PublicKey(raw)
    except ValueError:
        return False
    return True


def walk_keys(first_key: bytes, public_keys: list[bytes]) -> list[tuple[bytes, bytes]]:
    """For each node in turn (ephemeral public key, shared secret), starting from a private `first_key`.

    Onions and blinded paths use the same chain. Raises ValueError where a key is invalid.
    """
    private = PrivateKey(first_key)
    steps: list[tuple[bytes, bytes]] = []
    last = len(public_keys) - 1
    for i, public_key in enumerate(public_keys):
        ephemeral = private.public_key.format()
        # BOLT 4, "Shared Secret": SHA256 of the compressed ECDH point, which is coincurve's default.
        shared_secret = private.ecdh(public_key)
        steps.append((ephemeral, shared_secret))
        if i < last:
            private = private.multiply(blinding_factor(ephemeral, shared_secret))
    return steps
