"""The real source of randomness: the operating system's."""

from __future__ import annotations

import secrets


class SystemEntropy:
    """See `common.entropy.Entropy`."""

    def take(self, size: int) -> bytes:
        """So many bytes that nobody can guess."""
        return secrets.token_bytes(size)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return secrets.randbelow(limit)
