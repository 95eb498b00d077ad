"""Randomness, as something handed in. The real source is in `entropy_io`."""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol


class Entropy(Protocol):
    """A source of random bytes."""

    def take(self, size: int) -> bytes:
        """So many bytes that nobody can guess."""

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, each as likely."""


class SeededEntropy:
    """The same bytes at every run, for tests and simulations. No secret."""

    def __init__(self, seed: bytes = b"") -> None:
        self._seed = sha256(seed).digest()
        self._count = 0

    def take(self, size: int) -> bytes:
        """The next bytes of a stream that `seed` fixes."""
        out = b""
        while len(out) < size:
            out += sha256(self._seed + self._count.to_bytes(8, "big")).digest()
            self._count += 1
        return out[:size]

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1; the bias of 2^-64 does not matter here."""
        if limit < 1:
            raise ValueError("nothing is below 1")
        return int.from_bytes(self.take(8 + (limit.bit_length() + 7) // 8), "big") % limit
