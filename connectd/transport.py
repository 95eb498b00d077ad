"""Encrypted messages after the handshake (BOLT 8, "Lightning Message Specification").

Bytes in, messages out, and back; no socket. Objects of the cipher library are kept for as long as
their key lives: making one costs more than encrypting a message.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pylightningd.common.secret import Secret
from pylightningd.connectd.noise import Secured, hkdf

MAX_MESSAGE: Final = 65535
_TAG = 16
_HEADER = 2 + _TAG
# BOLT 8, "Lightning Message Key Rotation": a key serves 1000 times, which is 500 messages.
_ROTATE_AT = 1000
_NONCES: Final = tuple(bytes(4) + n.to_bytes(8, "little") for n in range(_ROTATE_AT))


class _Key:
    """One direction's cipher, its chaining key, and how often it was used."""

    __slots__ = ("_chaining_key", "_key", "cipher", "used")

    def __init__(self, key: Secret, chaining_key: Secret) -> None:
        self._key = key.reveal()
        self._chaining_key = chaining_key.reveal()
        self.cipher = ChaCha20Poly1305(self._key)
        self.used = 0

    def rotate(self) -> None:
        self._chaining_key, self._key = hkdf(self._chaining_key, self._key)
        self.cipher = ChaCha20Poly1305(self._key)
        self.used = 0


class Transport:
    """Both directions of one connection."""

    __slots__ = ("_body", "_in", "_out", "_rest", "failed")

    def __init__(self, secured: Secured) -> None:
        self._out = _Key(secured.send_key, secured.chaining_key)
        self._in = _Key(secured.receive_key, secured.chaining_key)
        self._rest = b""
        self._body = -1
        """Size of the message whose header was read, -1 before a header."""
        self.failed = False
        """Something did not decrypt: hang up. Nothing more comes out of `receive`."""

    def encrypt(self, message: bytes) -> bytes:
        """The packet for one message. Raises ValueError for one that is too long."""
        size = len(message)
        # BOLT 8, "Encrypting and Sending Messages": the length is 2 bytes.
        if size > MAX_MESSAGE:
            raise ValueError(f"a message of {size} bytes; {MAX_MESSAGE} fit a packet")
        key = self._out
        if key.used >= _ROTATE_AT:
            key.rotate()
        used = key.used
        key.used = used + 2
        seal = key.cipher.encrypt
        return seal(_NONCES[used], size.to_bytes(2, "big"), None) + seal(
            _NONCES[used + 1], message, None
        )

    def receive(self, data: bytes) -> list[bytes]:
        """The messages that are complete with these bytes. Look at `failed` afterwards."""
        if self.failed:
            return []
        buf = self._rest + data if self._rest else data
        messages: list[bytes] = []
        try:
            pos = self._open(buf, messages)
        except InvalidTag:
            # BOLT 8, "Receiving and Decrypting Messages": a bad MAC ends the connection.
            self.failed = True
            pos = len(buf)
        self._rest = buf[pos:]
        return messages

    def _open(self, buf: bytes, messages: list[bytes]) -> int:
        key, body, pos, end = self._in, self._body, 0, len(buf)
        while True:
            if body < 0:
                if end - pos < _HEADER:
                    break
                if key.used >= _ROTATE_AT:
                    key.rotate()
                head = key.cipher.decrypt(_NONCES[key.used], buf[pos : pos + _HEADER], None)
                key.used += 1
                pos += _HEADER
                body = head[0] << 8 | head[1]
            if end - pos < body + _TAG:
                break
            sealed = buf[pos : pos + body + _TAG]
            messages.append(key.cipher.decrypt(_NONCES[key.used], sealed, None))
            key.used += 1
            pos += body + _TAG
            body = -1
        self._body = body
        return pos
