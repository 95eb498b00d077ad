"""Decrypt the old 73-byte ``hsm_secret``: Argon2id, then one message of libsodium's secretstream."""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pylightningd.common.secretstream import OVERHEAD, NotSealedWithThisKey, hchacha20, open_sealed

_MESSAGE_SIZE = 32
ENCRYPTED_SIZE = OVERHEAD + _MESSAGE_SIZE

# What Core Lightning calls MODERATE: three passes over 256 MiB.
_SALT = b"c-lightning".ljust(16, b"\0")
_PASSES = 3
_MEMORY_KIB = 256 * 1024


class BadPassphrase(ValueError):
    """The passphrase does not open the file."""


def decrypt_secret(raw: bytes, passphrase: bytes) -> bytes:
    """The 32 bytes inside. Takes half a second and 256 MiB. Raises BadPassphrase."""
    key = Argon2id(
        salt=_SALT, length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB
    ).derive(passphrase)
    return open_message(key, raw)


def open_message(key: bytes, raw: bytes) -> bytes:
    """Open header and first message of a stream. Raises BadPassphrase."""
    try:
        return open_sealed(key, raw)
    except NotSealedWithThisKey as err:
        raise BadPassphrase("the file does not open with this passphrase") from err


__all__ = ["BadPassphrase", "ENCRYPTED_SIZE", "decrypt_secret", "hchacha20", "open_message"]
