"""Decrypt the old 73-byte ``hsm_secret``: Argon2id, then one message of libsodium's secretstream.

The stream is XChaCha20-Poly1305: HChaCha20 makes a subkey of key and header, block 0 of the key stream
authenticates, block 1 hides the tag, the message follows from block 2.
"""

from __future__ import annotations

import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.poly1305 import Poly1305

_HEADER_SIZE = 24
_MESSAGE_SIZE = 32
_BLOCK = 64
_MAC_SIZE = 16
ENCRYPTED_SIZE = _HEADER_SIZE + 1 + _MESSAGE_SIZE + _MAC_SIZE

# What Core Lightning calls MODERATE: three passes over 256 MiB.
_SALT = b"c-lightning".ljust(16, b"\0")
_PASSES = 3
_MEMORY_KIB = 256 * 1024
_SIGMA = struct.unpack("<4I", b"expand 32-byte k")
_MASK = 0xFFFFFFFF


class BadPassphrase(ValueError):
    """The passphrase does not open the file."""


def decrypt_secret(raw: bytes, passphrase: bytes) -> bytes:
    """The 32 bytes inside. Takes half a second and 256 MiB. Raises BadPassphrase."""
    key = Argon2id(
        salt=_SALT, length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB
    ).derive(passphrase)
    return open_message(key, raw)


def open_message(key: bytes, raw: bytes) -> bytes:
    """Open header and first message of a stream that holds 32 bytes. Raises BadPassphrase."""
    header, rest = raw[:_HEADER_SIZE], raw[_HEADER_SIZE:]
    hidden_tag, cipher, mac = rest[:1], rest[1:-_MAC_SIZE], rest[-_MAC_SIZE:]
    stream = _key_stream(hchacha20(key, header[:16]), header[16:], 2 * _BLOCK + len(cipher))
    poly_key, tag_stream, message_stream = (
        stream[:32],
        stream[_BLOCK : 2 * _BLOCK],
        stream[2 * _BLOCK :],
    )
    # The encrypted block that carries the tag: its clear text is the tag and zeros.
    tag_block = hidden_tag + tag_stream[1:]
    # libsodium pads by (16 - 64 + length) mod 16, as it always has.
    padding = bytes((16 - _BLOCK + len(cipher)) & 15)
    lengths = struct.pack("<QQ", 0, _BLOCK + len(cipher))
    expected = Poly1305.generate_tag(poly_key, tag_block + cipher + padding + lengths)
    if not hmac.compare_digest(expected, mac):
        raise BadPassphrase("the file does not open with this passphrase")
    return bytes(a ^ b for a, b in zip(cipher, message_stream, strict=True))


def _key_stream(key: bytes, nonce: bytes, size: int) -> bytes:
    # libsodium's nonce is the message counter, which starts at 1, and 8 bytes of the header.
    full = struct.pack("<I", 0) + struct.pack("<I", 1) + nonce
    encryptor = Cipher(ChaCha20(key, full), mode=None).encryptor()
    return encryptor.update(bytes(size))


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """32 bytes from a key and 16 bytes."""
    state = [*_SIGMA, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
        ):  # fmt: skip
            _quarter_round(state, a, b, c, d)
    return struct.pack("<8I", *state[:4], *state[12:])


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for x, y, z, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[x] = (state[x] + state[y]) & _MASK
        mixed = state[z] ^ state[x]
        state[z] = (mixed << shift | mixed >> (32 - shift)) & _MASK
