"""Per-commitment secrets: made from a seed, and stored in 49 slots by the side that receives them.

BOLT 3, "Per-commitment Secret Requirements" and "Efficient Per-commitment Secret Storage".
Indexes here are the spec's: the first secret is `MAX_INDEX`, then downwards.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

MAX_INDEX = (1 << 48) - 1
SLOTS = 49
_ENTRY = struct.Struct(">BQ32s")


class ShachainError(ValueError):
    """A secret that does not belong to the chain, or an index out of order or unknown."""


def _derive(base: bytes, bits: int, index: int) -> bytes:
    """The secret at `index` from one whose index has the same bits from `bits` upwards."""
    value = bytearray(base)
    for bit in range(bits - 1, -1, -1):
        if index >> bit & 1:
            value[bit >> 3] ^= 1 << (bit & 7)
            value = bytearray(sha256(value).digest())
    return bytes(value)


def generate_from_seed(seed: bytes, index: int) -> bytes:
    """The secret at `index` of the chain that `seed` starts. Raises ShachainError."""
    if len(seed) != 32:
        raise ShachainError(f"a seed is 32 bytes, not {len(seed)}")
    if not 0 <= index <= MAX_INDEX:
        raise ShachainError(f"index {index} is not within 0 and 2^48 - 1")
    return _derive(seed, 48, index)


def _slot(index: int) -> int:
    """How many zeros the index ends in; 48 for the seed itself."""
    return 48 if index == 0 else (index & -index).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Shachain:
    """Every secret received so far, as at most 49 of them. A value: `insert` returns a new one."""

    known: tuple[tuple[int, bytes], ...] = ()
    """(index, secret) by slot: slot b holds the newest secret whose index ends in exactly b zeros."""

    @property
    def next_index(self) -> int:
        """The index the next secret must have."""
        return min((index for index, _ in self.known), default=MAX_INDEX + 1) - 1

    def insert(self, index: int, secret: bytes) -> Self:
        """The chain with one more secret. Raises ShachainError where it is out of order or wrong."""
        if len(secret) != 32:
            raise ShachainError(f"a per-commitment secret is 32 bytes, not {len(secret)}")
        if index != self.next_index or index < 0:
            raise ShachainError(f"secret {index} came where {self.next_index} was due")
        slot = _slot(index)
        # BOLT 3, "Efficient Per-commitment Secret Storage": every secret kept in a lower slot must
        # follow from the new one, or the chain has more than one seed.
        for held_index, held in self.known[:slot]:
            if _derive(secret, slot, held_index) != held:
                raise ShachainError(f"secret {index} does not lead to secret {held_index}")
        return type(self)((*self.known[:slot], (index, secret), *self.known[slot + 1 :]))

    def lookup(self, index: int) -> bytes:
        """The secret at `index`. Raises ShachainError where it has not been received."""
        for slot, (held_index, held) in enumerate(self.known):
            if index >> slot << slot == held_index:
                return _derive(held, slot, index)
        raise ShachainError(f"secret {index} has not been received")

    def encode(self) -> bytes:
        """Compact bytes for the database: slot, index and secret of each entry."""
        return b"".join(
            _ENTRY.pack(slot, index, secret) for slot, (index, secret) in enumerate(self.known)
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read what `encode` wrote. Raises ShachainError."""
        if len(raw) % _ENTRY.size or len(raw) > SLOTS * _ENTRY.size:
            raise ShachainError(f"{len(raw)} bytes are not a chain of secrets")
        known: list[tuple[int, bytes]] = []
        for place, (slot, index, secret) in enumerate(_ENTRY.iter_unpack(raw)):
            if slot != place or _slot(index) != slot or index > MAX_INDEX:
                raise ShachainError(f"entry {place} of the stored chain is damaged")
            known.append((index, secret))
        return cls(tuple(known))
