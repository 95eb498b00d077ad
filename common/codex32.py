"""codex32 (BIP 93): a secret as text with a strong checksum, whole or as one of several Shamir shares.

Core Lightning writes its 32-byte ``hsm_secret`` with the prefix ``cl``; the BIP's own is ``ms``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
SECRET_INDEX = "s"
_SHORT_LENGTHS = range(45, 94)
"""Characters behind the separator, checksum included."""
_LONG_LENGTHS = range(96, 125)
_HEADER = 6
"""Threshold, identifier and share index."""


@dataclass(frozen=True, slots=True)
class _Code:
    """One of the BIP's two checksums. Residues are numbers of `length` groups of five bits."""

    length: int
    target: int
    generator: tuple[int, ...]

    def residue(self, values: Sequence[int], start: int = 1) -> int:
        """The remainder of the values."""
        shift = 5 * (self.length - 1)
        mask = (1 << shift) - 1
        residue = start
        for value in values:
            top = residue >> shift
            residue = (residue & mask) << 5 ^ value
            for bit, term in enumerate(self.generator):
                if top >> bit & 1:
                    residue ^= term
        return residue

    def checksum(self, prefix: str, values: Sequence[int]) -> list[int]:
        """The groups to put behind the values."""
        rest = self.residue([*_expand(prefix), *values, *[0] * self.length]) ^ self.target
        return [rest >> 5 * n & 31 for n in reversed(range(self.length))]


_SHORT = _Code(
    13,
    0x10CE0795C2FD1E62A,
    (
        0x19DC500CE73FDE210,
        0x1BFAE00DEF77FE529,
        0x1FBD920FFFE7BEE52,
        0x1739640BDEEE3FDAD,
        0x07729A039CFC75F5A,
    ),
)
_LONG = _Code(
    15,
    0x43381E570BF4798AB26,
    (
        0x3D59D273535EA62D897,
        0x7A9BECB6361C6C51507,
        0x543F9B7E6C38D8A2A0E,
        0x0C577EAECCF1990D13C,
        0x1887F74F8DC71B10651,
    ),
)


class Codex32Error(ValueError):
    """Not a codex32 string that can be used; the text says why, and where if that can be told."""


@dataclass(frozen=True, slots=True)
class Codex32:
    """A string whose checksum is right."""

    prefix: str
    threshold: int
    """Shares that are needed for the secret; 0 for a secret that was never shared."""
    identifier: str
    index: str
    """Which share; `SECRET_INDEX` is the secret itself."""
    payload_groups: tuple[int, ...]
    """Five bits each."""

    @classmethod
    def decode(cls, text: str, prefix: str = "ms") -> Self:
        """Read a string. Raises Codex32Error."""
        lower = _one_case(text.strip())
        found, separator, data = lower.rpartition("1")
        if not separator or found != prefix:
            raise Codex32Error(f"should begin with '{prefix}1'")
        values = _values(data, len(found) + 1)
        _check_shape(data)
        code = _code_for(len(data))
        wrong = code.residue([*_expand(prefix), *values]) ^ code.target
        if wrong:
            raise Codex32Error("wrong checksum" + _hint(code, wrong, values, len(found) + 1))
        return cls(
            prefix=found,
            threshold=int(data[0]),
            identifier=data[1:5],
            index=data[5],
            payload_groups=tuple(values[_HEADER : -code.length]),
        )._with_checked_padding()

    def _with_checked_padding(self) -> Self:
        # BIP 93, "Unshared Secret": an incomplete group at the end is at most 4 bits, of any value.
        if len(self.payload_groups) * 5 % 8 > 4:
            raise Codex32Error("wrong length: the payload is no whole number of bytes")
        return self

    @property
    def is_secret(self) -> bool:
        """Whether this is the secret, not one share of it."""
        return self.index == SECRET_INDEX

    @property
    def payload(self) -> bytes:
        """The bytes inside: of a secret, the secret."""
        number = 0
        for group in self.payload_groups:
            number = number << 5 | group
        bits = 5 * len(self.payload_groups)
        return (number >> bits % 8).to_bytes(bits // 8, "big")

    def encode(self) -> str:
        """The string, in lower case."""
        head = f"{self.threshold}{self.identifier}{self.index}"
        values = [ALPHABET.index(c) for c in head] + list(self.payload_groups)
        code = _SHORT if len(values) + _SHORT.length in _SHORT_LENGTHS else _LONG
        return f"{self.prefix}1" + "".join(
            ALPHABET[v] for v in [*values, *code.checksum(self.prefix, values)]
        )


def encode_secret(secret: bytes, identifier: str, prefix: str = "ms") -> str:
    """A secret as one string, not shared. Raises Codex32Error where the identifier is not four letters."""
    if len(identifier) != 4 or any(c not in ALPHABET for c in identifier):
        raise Codex32Error(f"an identifier is four of the characters {ALPHABET}")
    bits = 8 * len(secret)
    groups = -(-bits // 5)
    number = int.from_bytes(secret, "big") << (5 * groups - bits)
    payload = tuple(number >> 5 * n & 31 for n in reversed(range(groups)))
    return Codex32(prefix, 0, identifier, SECRET_INDEX, payload).encode()


def combine(shares: Sequence[Codex32], index: str = SECRET_INDEX) -> Codex32:
    """The secret (or another share) from as many shares as the threshold says. Raises Codex32Error."""
    # BIP 93, "Recovering Secret": same threshold, identifier and length; distinct indexes; exactly enough.
    first = shares[0] if shares else None
    if first is None or any(_family(s) != _family(first) for s in shares):
        raise Codex32Error("these shares do not belong together")
    if len({s.index for s in shares}) != len(shares):
        raise Codex32Error("the same share was given twice")
    if len(shares) != first.threshold:
        raise Codex32Error(f"{first.threshold} shares are needed, {len(shares)} were given")
    weights = _lagrange([ALPHABET.index(s.index) for s in shares], ALPHABET.index(index))
    payload = []
    for column in zip(*(s.payload_groups for s in shares), strict=True):
        group = 0
        for weight, value in zip(weights, column, strict=True):
            group ^= _multiply(weight, value)
        payload.append(group)
    return Codex32(first.prefix, first.threshold, first.identifier, index, tuple(payload))


def _family(share: Codex32) -> tuple[str, int, str, int]:
    return share.prefix, share.threshold, share.identifier, len(share.payload_groups)


def _expand(prefix: str) -> list[int]:
    # As in BIP 173; for "ms" this leaves the constant that BIP 93 starts with.
    codes = prefix.encode()
    return [c >> 5 for c in codes] + [0] + [c & 31 for c in codes]


# ---- reading ------------------------------------------------------------------------------------


def _one_case(text: str) -> str:
    if text not in (text.lower(), text.upper()):
        raise Codex32Error("upper and lower case letters are mixed")
    return text.lower()


def _values(data: str, offset: int) -> list[int]:
    for place, character in enumerate(data, offset + 1):
        if character not in ALPHABET:
            raise Codex32Error(
                f"character {place} ('{character}') cannot be: not one of {ALPHABET}"
            )
    return [ALPHABET.index(c) for c in data]


def _code_for(length: int) -> _Code:
    if length in _SHORT_LENGTHS:
        return _SHORT
    if length in _LONG_LENGTHS:
        return _LONG
    raise Codex32Error(f"wrong length: {length} characters after the separator")


def _check_shape(data: str) -> None:
    _code_for(len(data))
    # BIP 93, "codex32": the threshold is a digit from 2 to 9, or 0, and then there is only the secret.
    if data[0] not in "023456789":
        raise Codex32Error(f"the threshold '{data[0]}' should be 0 or a digit from 2 to 9")
    if data[0] == "0" and data[5] != SECRET_INDEX:
        raise Codex32Error(f"share '{data[5]}' of a secret that is not shared")


def _hint(code: _Code, wrong: int, values: Sequence[int], offset: int) -> str:
    """Where one or two mistyped characters could be, if that explains it."""
    # BIP 93, "Error Correction": suggest, never use what was corrected.
    for count in (1, 2):
        found = next(_explanations(code, wrong, len(values), count), None)
        if found is not None:
            places = " and ".join(
                f"{offset + place + 1} should be '{ALPHABET[values[place] ^ delta]}'"
                for place, delta in found
            )
            return f": perhaps character {places}"
    return ""


def _explanations(
    code: _Code, wrong: int, length: int, count: int
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Sets of (place, difference) that make the checksum right. The code is linear: syndromes add up."""
    single: dict[int, tuple[int, int]] = {}
    for place in range(length):
        for delta in range(1, 32):
            effect = code.residue([delta, *[0] * (length - place - 1)], start=0)
            single[effect] = (place, delta)
    if count == 1:
        if wrong in single:
            yield (single[wrong],)
        return
    for effect, first in single.items():
        second = single.get(wrong ^ effect)
        if second is not None and second[0] > first[0]:
            yield first, second


# ---- GF(32) -------------------------------------------------------------------------------------


def _multiply(a: int, b: int) -> int:
    result = 0
    for bit in range(5):
        if b >> bit & 1:
            result ^= a
        a <<= 1
        if a & 32:
            a ^= 41
    return result


def _inverse(a: int) -> int:
    # The group has 31 elements: a^30 is the inverse.
    result = 1
    for _ in range(30):
        result = _multiply(result, a)
    return result


def _lagrange(indexes: Sequence[int], at: int) -> list[int]:
    """What each share counts for at an index. Shares that include `at` itself count alone."""
    if at in indexes:
        return [int(i == at) for i in indexes]
    weights = []
    for i in indexes:
        above, below = 1, 1
        for j in indexes:
            if i != j:
                above = _multiply(above, j ^ at)
                below = _multiply(below, j ^ i)
        weights.append(_multiply(above, _inverse(below)))
    return weights
