"""One message of libsodium's secretstream (XChaCha20-Poly1305): a header of 24 bytes, then one sealed block.

HChaCha20 makes a subkey of key and header, block 0 of the key stream authenticates, block 1 hides the tag, the
message follows from block 2. Core Lightning keeps an old encrypted ``hsm_secret`` and ``emergency.recover`` so.
"""

from __future__ import annotations

import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.poly1305 import Poly1305

HEADER_SIZE = 24
MAC_SIZE = 16
OVERHEAD = HEADER_SIZE + 1 + MAC_SIZE
"""Bytes that a sealed message has more than the message."""
_BLOCK = 64
_SIGMA = struct.unpack("<4I", b"expand 32-byte k")
_MASK = 0xFFFFFFFF
_TAG_MESSAGE = 0


class NotSealedWithThisKey(ValueError):
    """Another key, or bytes that were changed."""


def seal(key: bytes, header: bytes, message: bytes) -> bytes:
    """The message sealed, header first. `header` is 24 random bytes, never used twice with a key."""
    if len(key) != 32 or len(header) != HEADER_SIZE:
        raise ValueError("a key has 32 bytes and a header 24")
    stream = _key_stream(key, header, len(message))
    tag_block = bytes((_TAG_MESSAGE ^ stream[_BLOCK],)) + stream[_BLOCK + 1 : 2 * _BLOCK]
    cipher = _xor(message, stream[2 * _BLOCK :])
    return header + tag_block[:1] + cipher + _mac(stream[:32], tag_block, cipher)


def open_sealed(key: bytes, raw: bytes) -> bytes:
    """The message inside. Raises NotSealedWithThisKey."""
    if len(raw) < OVERHEAD:
        raise NotSealedWithThisKey(f"{len(raw)} bytes are too few")
    header, rest = raw[:HEADER_SIZE], raw[HEADER_SIZE:]
    hidden_tag, cipher, mac = rest[:1], rest[1:-MAC_SIZE], rest[-MAC_SIZE:]
    stream = _key_stream(key, header, len(cipher))
    # The encrypted block that carries the tag: its clear text is the tag and zeros.
    tag_block = hidden_tag + stream[_BLOCK + 1 : 2 * _BLOCK]
    if not hmac.compare_digest(_mac(stream[:32], tag_block, cipher), mac):
        raise NotSealedWithThisKey("the key does not open this, or it was changed")
    return _xor(cipher, stream[2 * _BLOCK :])


def _mac(key: bytes, tag_block: bytes, cipher: bytes) -> bytes:
    # libsodium pads by (16 - 64 + length) mod 16, as it always has.
    padding = bytes((16 - _BLOCK + len(cipher)) & 15)
    lengths = struct.pack("<QQ", 0, _BLOCK + len(cipher))
    return Poly1305.generate_tag(key, tag_block + cipher + padding + lengths)


def _xor(message: bytes, stream: bytes) -> bytes:
    size = len(message)
    mixed = int.from_bytes(message, "big") ^ int.from_bytes(stream[:size], "big")
    return mixed.to_bytes(size, "big")


def _key_stream(key: bytes, header: bytes, size: int) -> bytes:
    # libsodium's nonce is the message counter, which starts at 1, and 8 bytes of the header.
    nonce = struct.pack("<I", 0) + struct.pack("<I", 1) + header[16:]
    encryptor = Cipher(ChaCha20(hchacha20(key, header[:16]), nonce), mode=None).encryptor()
    return encryptor.update(bytes(2 * _BLOCK + size))


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
