"""HKDF of RFC 5869 with SHA256."""

from __future__ import annotations

import hmac


def hkdf(size: int, salt: bytes, key: bytes, info: bytes) -> bytes:
    """So many bytes, at most 8160, from a key."""
    prk = hmac.digest(salt or bytes(32), key, "sha256")
    out, block = b"", b""
    for n in range(1, (size + 31) // 32 + 1):
        block = hmac.digest(prk, block + info + bytes((n,)), "sha256")
        out += block
    return out[:size]
