"""zbase32: the human-friendly base 32 of signed messages."""

from __future__ import annotations

_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}


def to_zbase32(raw: bytes) -> str:
    """Write bytes; the last character is padded with zero bits."""
    count = (len(raw) * 8 + 4) // 5
    number = int.from_bytes(raw, "big") << (count * 5 - len(raw) * 8)
    return "".join(_ALPHABET[number >> 5 * i & 31] for i in reversed(range(count)))


def from_zbase32(text: str) -> bytes:
    """Read what `to_zbase32` writes. Raises ValueError."""
    number = 0
    for char in text:
        if char not in _VALUES:
            raise ValueError(f"{char!r} is no zbase32 character")
        number = number << 5 | _VALUES[char]
    length, spare = divmod(len(text) * 5, 8)
    if spare >= 5 or number & ((1 << spare) - 1):
        raise ValueError("zbase32 with bits left over")
    return (number >> spare).to_bytes(length, "big")
