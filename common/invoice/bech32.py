"""Bech32 (BIP 173) without its limit of 90 characters, as BOLT 11 uses it. Words are 5-bit values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {char: value for value, char in enumerate(CHARSET)}
_WORDS = bytes(range(32))
_TO_CHARSET = bytes.maketrans(_WORDS, CHARSET.encode())
_TO_DIGITS = bytes.maketrans(_WORDS, b"0123456789abcdefghijklmnopqrstuv")
"""Words as Python writes numbers in base 32."""
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_WORDS = 6


class Bech32Error(ValueError):
    """Text that is not bech32."""


def _xor_table() -> tuple[int, ...]:
    """What each value of the top five bits adds to the checksum."""
    table = []
    for top in range(32):
        value = 0
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                value ^= generator
        table.append(value)
    return tuple(table)


_TABLE = _xor_table()


def _polymod(words: Iterable[int], checksum: int = 1) -> int:
    for word in words:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word ^ _TABLE[checksum >> 25]
    return checksum


def _expand(hrp: str) -> list[int]:
    codes = hrp.encode()
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def encode(hrp: str, words: Sequence[int]) -> str:
    """Lower-case bech32 of a lower-case human-readable part and 5-bit words."""
    rest = _polymod([0] * CHECKSUM_WORDS, _polymod(words, _polymod(_expand(hrp)))) ^ 1
    checksum = [rest >> 5 * (5 - i) & 31 for i in range(CHECKSUM_WORDS)]
    return hrp + "1" + bytes((*words, *checksum)).translate(_TO_CHARSET).decode()


def decode(text: str) -> tuple[str, list[int]]:
    """The human-readable part in lower case and the words without checksum. Raises Bech32Error."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise Bech32Error("upper and lower case are mixed")
    hrp, separator, data = lower.rpartition("1")
    if not separator:
        raise Bech32Error("there is no separator '1'")
    if not hrp or any(not 33 <= ord(char) <= 126 for char in hrp):
        raise Bech32Error("the part before the last '1' must be printable ASCII and not empty")
    if len(data) < CHECKSUM_WORDS:
        raise Bech32Error("it is too short to hold a checksum")
    words = words_of(data)
    if _polymod(words, _polymod(_expand(hrp))) != 1:
        raise Bech32Error("the checksum is wrong")
    return hrp, words[:-CHECKSUM_WORDS]


def words_of(data: str) -> list[int]:
    """The value of each character (lower case). Raises Bech32Error."""
    try:
        return [_VALUES[char] for char in data]
    except KeyError as bad:
        raise Bech32Error(f"{bad.args[0]!r} is not a bech32 character") from None


def to_words(data: bytes) -> list[int]:
    """`data` in 5-bit words, the last one filled up with zero bits."""
    bits = len(data) * 8
    count = -(-bits // 5)
    number = int.from_bytes(data, "big") << count * 5 - bits
    return [number >> 5 * i & 31 for i in range(count - 1, -1, -1)]


def pack_words(words: Sequence[int]) -> bytes:
    """All the bits of `words`, the last byte filled up with zero bits."""
    bits = len(words) * 5
    size = -(-bits // 8)
    return (to_int(words) << size * 8 - bits).to_bytes(size, "big")


def from_words(words: Sequence[int]) -> bytes:
    """The whole bytes in `words`. Raises Bech32Error where what is left over is not zero bits."""
    spare = len(words) * 5 % 8
    number = to_int(words)
    if spare >= 5 or number & (1 << spare) - 1:
        raise Bech32Error("there are bits left over that are not zero padding")
    return (number >> spare).to_bytes(len(words) * 5 // 8, "big")


def to_int(words: Sequence[int]) -> int:
    """`words` as one big-endian number."""
    return int(bytes(words).translate(_TO_DIGITS) or b"0", 32)


def int_to_words(value: int) -> list[int]:
    """The shortest big-endian words of `value`; one zero word for 0."""
    words = [value & 31]
    while value := value >> 5:
        words.append(value & 31)
    return words[::-1]
