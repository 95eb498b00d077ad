"""The hashes bitcoin uses."""

from __future__ import annotations

import hashlib
from hashlib import sha256

try:
    hashlib.new("ripemd160")

    def ripemd160(data: bytes) -> bytes:
        """RIPEMD160, 20 bytes."""
        return hashlib.new("ripemd160", data).digest()

except ValueError:  # an OpenSSL without its old algorithms
    import wallycore

    def ripemd160(data: bytes) -> bytes:
        """RIPEMD160, 20 bytes."""
        return bytes(wallycore.ripemd160(data))


def sha256d(data: bytes) -> bytes:
    """SHA256 twice, 32 bytes."""
    return sha256(sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """RIPEMD160 of SHA256, 20 bytes."""
    return ripemd160(sha256(data).digest())


def tagged_hash(tag: str, data: bytes) -> bytes:
    """BIP 340's tagged hash, 32 bytes."""
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()
