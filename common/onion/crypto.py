"""The few primitives all of BOLT 4 is built from: derived keys, the ChaCha20 stream, the chain of keys."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from pylightningd.common.keys import ecdh, pubkey_from_secret, secret_mul
from pylightningd.common.secret import Secret

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


def walk_keys(first_key: bytes, public_keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """For each node in turn (ephemeral public key, shared secret), starting from a private `first_key`.

    Onions and blinded paths use the same chain. Raises InvalidKey.
    """
    private: bytes | Secret = first_key
    steps: list[tuple[bytes, bytes]] = []
    last = len(public_keys) - 1
    for i, public_key in enumerate(public_keys):
        ephemeral = pubkey_from_secret(private)
        # BOLT 4, "Shared Secret": SHA256 of the compressed ECDH point.
        shared_secret = ecdh(private, public_key)
        steps.append((ephemeral, shared_secret))
        if i < last:
            private = secret_mul(private, blinding_factor(ephemeral, shared_secret))
    return steps
