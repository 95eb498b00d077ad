"""Runes: tokens that anybody can narrow and nobody can widen, as CLN's commando and clnrest use them.

A rune is a list of restrictions and the state of SHA-256 after a secret and all of them. Who has a rune can hash one
more restriction onto it; only who knows the secret can tell whether the state is right. Each restriction is a list of
alternatives of which one must hold: a field, a condition (one character) and a value. Text form: URL-safe base64 of
the 32 bytes of state and of the restrictions, ``&`` between them, ``|`` between alternatives.

The first restriction may have an empty field: the unique id, with ``-version`` behind it if there is a version.
"""

from __future__ import annotations

import binascii
import string
import struct
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass

CONDITIONS = "!=/^$~<>{}#"
_BLOCK = 64
_INT_RANGE = range(-(2**63), 2**63)


class BadRune(ValueError):
    """Not a rune; the text says why."""


# SHA-256, whose state no library hands out in the middle

_INITIAL = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root_fraction(prime: int) -> int:
    """The first 32 bits behind the point of the cube root."""
    scaled = prime << 96
    low, high = 0, 1 << 36
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= scaled else (low, middle - 1)
    return low & 0xFFFFFFFF


_ROUNDS = tuple(map(_cube_root_fraction, _primes(64)))


def _rotate(word: int, bits: int) -> int:
    return (word >> bits | word << (32 - bits)) & 0xFFFFFFFF


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """One block of FIPS 180-4, 6.2.2."""
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        x, y = words[i - 15], words[i - 2]
        small0 = _rotate(x, 7) ^ _rotate(x, 18) ^ x >> 3
        small1 = _rotate(y, 17) ^ _rotate(y, 19) ^ y >> 10
        words.append((words[i - 16] + small0 + words[i - 7] + small1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(_ROUNDS, words, strict=True):
        big1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
        first = h + big1 + (e & f ^ ~e & g) + constant + word
        big0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
        second = big0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g  # fmt: skip
    return tuple(
        (old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Hash:
    """SHA-256 after `length` bytes, which are whole blocks."""

    state: tuple[int, ...] = _INITIAL
    length: int = 0

    def add(self, data: bytes) -> _Hash:
        """With `data` and what SHA-256 puts behind a message, so that whole blocks remain."""
        size = self.length + len(data)
        zeros = _padded(size) - size - 9
        data += b"\x80" + bytes(zeros) + struct.pack(">Q", size * 8)
        state = self.state
        for i in range(0, len(data), _BLOCK):
            state = _compress(state, data[i : i + _BLOCK])
        return _Hash(state, self.length + len(data))

    def digest(self) -> bytes:
        """The state as bytes."""
        return struct.pack(">8I", *self.state)


def _padded(size: int) -> int:
    """`size` bytes and the padding behind them: one byte at least, and eight for the length."""
    return (size + 9 + _BLOCK - 1) // _BLOCK * _BLOCK


# Restrictions


@dataclass(frozen=True, slots=True)
class Alternative:
    """One condition on one field."""

    field: str
    condition: str
    value: str

    @classmethod
    def from_str(cls, text: str) -> Alternative:
        """Read it without escapes. Raises BadRune."""
        length = _field_length(text)
        if length == len(text) or text[length] not in CONDITIONS:
            raise BadRune(f"'{text}' has no condition: one of {' '.join(CONDITIONS)} after a field")
        return cls(text[:length], text[length], text[length + 1 :])

    def encode(self) -> str:
        """The text that is hashed."""
        value = self.value.replace("\\", "\\\\").replace("|", "\\|").replace("&", "\\&")
        return f"{self.field}{self.condition}{value}"

    @property
    def english(self) -> str:
        """For people."""
        if self.condition == "!":
            return f"{self.field} is missing"
        if self.condition == "#":
            return f"comment: {self.field} {self.value}"
        return f"{self.field} {_WORDS[self.condition]} {self.value}"

    def check(self, value: str | int | None) -> str | None:
        """Why a field's value (None: there is none) does not fit; None if it does."""
        if self.condition == "#":
            return None
        if self.condition == "!":
            return None if value is None else f"{self.field} is present"
        if value is None:
            return f"{self.field} not present"
        if self.condition in "<>":
            return self._check_number(value)
        complaint, holds = _TESTS[self.condition]
        return None if holds(str(value), self.value) else f"{self.field} {complaint} {self.value}"

    def _check_number(self, value: str | int) -> str | None:
        if not isinstance(value, int):
            return f"{self.field} is not an integer field"
        try:
            limit = int(self.value)
        except ValueError:
            limit = _INT_RANGE.stop
        if limit not in _INT_RANGE:
            return f"{self.value} is not a valid integer"
        if self.condition == "<":
            return None if value < limit else f"{self.field} is greater or equal to {self.value}"
        return None if value > limit else f"{self.field} is less or equal to {self.value}"


_WORDS = {
    "=": "equal to",
    "/": "unequal to",
    "^": "starts with",
    "$": "ends with",
    "~": "contains",
    "<": "<",
    ">": ">",
    "{": "sorts before",
    "}": "sorts after",
}
_TESTS: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "=": ("is not equal to", lambda have, want: have == want),
    "/": ("is equal to", lambda have, want: have != want),
    "^": ("does not start with", str.startswith),
    "$": ("does not end with", str.endswith),
    "~": ("does not contain", lambda have, want: want in have),
    "{": ("is equal to or ordered after", lambda have, want: have.encode() < want.encode()),
    "}": ("is equal to or ordered before", lambda have, want: have.encode() > want.encode()),
}


def _field_length(text: str) -> int:
    for i, char in enumerate(text):
        if char in string.punctuation and char != "_":
            return i
    return len(text)


Restriction = tuple[Alternative, ...]


def encode_restriction(restriction: Restriction) -> str:
    """The text that is hashed."""
    return "|".join(alternative.encode() for alternative in restriction)


def read_restrictions(text: str) -> tuple[Restriction, ...]:
    """Restrictions from their text. Raises BadRune."""
    found: list[Restriction] = []
    rest = text
    while rest:
        alternatives: list[Alternative] = []
        more = True
        while more:
            alternative, rest, more = _read_alternative(rest)
            alternatives.append(alternative)
        found.append(tuple(alternatives))
    return tuple(found)


def _read_alternative(text: str) -> tuple[Alternative, str, bool]:
    """One alternative, what follows it, and whether that is another of the same restriction."""
    length = _field_length(text)
    if length == len(text) or text[length] not in CONDITIONS:
        raise BadRune("a field without a condition")
    value: list[str] = []
    i = length + 1
    while i < len(text) and text[i] not in "|&":
        if text[i] == "\\":
            i += 1
            if i == len(text):
                raise BadRune("it ends in a backslash")
        value.append(text[i])
        i += 1
    alternative = Alternative(text[:length], text[length], "".join(value))
    return alternative, text[i + 1 :], text[i : i + 1] == "|"


# Runes


@dataclass(frozen=True, slots=True)
class Rune:
    """Restrictions and the state after them."""

    restrictions: tuple[Restriction, ...]
    hash: _Hash

    @classmethod
    def master(cls, secret: bytes) -> Rune:
        """Who knows the secret can make every rune. At most 55 bytes."""
        if len(secret) + 1 + 8 > _BLOCK:
            raise ValueError("the secret does not fit into one block")
        return cls((), _Hash().add(secret))

    @classmethod
    def from_base64(cls, text: str) -> Rune:
        """Read one. Raises BadRune."""
        try:
            raw = b64decode(text.strip().encode("ascii"), altchars=b"-_", validate=True)
            restrictions = read_restrictions(raw[32:].decode())
        except (binascii.Error, UnicodeError) as error:
            raise BadRune(f"not URL-safe base64: {error}") from None
        if len(raw) < 32:
            raise BadRune("shorter than a hash")
        # The secret filled the first block. The state is what the rune says.
        length = _BLOCK
        for n, restriction in enumerate(restrictions):
            _check_id(restriction, is_first=n == 0)
            length = _padded(length + len(encode_restriction(restriction).encode()))
        return cls(restrictions, _Hash(struct.unpack(">8I", raw[:32]), length))

    def to_base64(self) -> str:
        """Its text form."""
        text = "&".join(map(encode_restriction, self.restrictions))
        return urlsafe_b64encode(self.hash.digest() + text.encode()).decode()

    def restrict(self, restriction: Restriction) -> Rune:
        """A narrower rune. Raises BadRune where it names a unique id in the wrong place."""
        _check_id(restriction, is_first=not self.restrictions)
        return Rune(
            (*self.restrictions, restriction),
            self.hash.add(encode_restriction(restriction).encode()),
        )

    def with_id(self, unique_id: int) -> Rune:
        """The first rune of that number, of a master."""
        return self.restrict((Alternative("", "=", str(unique_id)),))

    @property
    def unique_id(self) -> str | None:
        """What stands in the empty field, without the version."""
        if not self.restrictions or self.restrictions[0][0].field:
            return None
        return self.restrictions[0][0].value.partition("-")[0]

    @property
    def version(self) -> str | None:
        """What stands behind the unique id."""
        if not self.restrictions or self.restrictions[0][0].field:
            return None
        _, dash, version = self.restrictions[0][0].value.partition("-")
        return version if dash else None

    @property
    def conditions(self) -> tuple[Restriction, ...]:
        """The restrictions but for the unique id."""
        return self.restrictions[1:] if self.unique_id is not None else self.restrictions

    def why_not_of(self, master: Rune) -> str | None:
        """Why a master did not make it; None if it did."""
        if self.version is not None:
            return "Version mismatch"
        state = master.hash
        for restriction in self.restrictions:
            state = state.add(encode_restriction(restriction).encode())
        return None if state.state == self.hash.state else "Not derived from master"

    def why_not(self, check: Callable[[Alternative], str | None]) -> str | None:
        """Why it does not allow something: `check` tells what is wrong with an alternative, or None."""
        for restriction in self.conditions:
            why = _why_none(check(alternative) for alternative in restriction)
            if why is not None:
                return why
        return None


def _check_id(restriction: Restriction, *, is_first: bool) -> None:
    if all(alternative.field for alternative in restriction):
        return
    if not is_first or len(restriction) != 1 or restriction[0].condition != "=":
        raise BadRune("a unique id anywhere but at the beginning, or beside something else")


def _why_none(answers: Iterable[str | None]) -> str | None:
    """None if one alternative holds, else what is wrong with each."""
    complaints: list[str] = []
    for answer in answers:
        if answer is None:
            return None
        complaints.append(answer)
    return " AND ".join(complaints)
