"""Bitcoin addresses to scripts and back: bech32 and bech32m (BIP 173, BIP 350), base58check."""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.network import NETWORKS, Network

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {char: value for value, char in enumerate(_CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32, _BECH32M = 1, 0x2BC830A3
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {char: value for value, char in enumerate(_BASE58)}


class AddressError(ValueError):
    """Text that is no address, or one of another network."""


def _polymod(words: Iterable[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def _expand(hrp: str) -> list[int]:
    codes = hrp.encode()
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _to_words(data: bytes) -> list[int]:
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << count * 5 - len(data) * 8
    return [number >> 5 * (count - 1 - i) & 31 for i in range(count)]


def _from_words(words: list[int]) -> bytes:
    bits = len(words) * 5
    number = 0
    for word in words:
        number = number << 5 | word
    spare = bits % 8
    if spare > 4 or number & (1 << spare) - 1:
        raise AddressError("the address has padding that is not zero or too long")
    return (number >> spare).to_bytes(bits // 8, "big")


def encode_segwit(hrp: str, version: int, program: bytes) -> str:
    """A segwit address, lower case."""
    words = [version, *_to_words(program)]
    constant = _BECH32 if version == 0 else _BECH32M
    rest = _polymod(_expand(hrp) + words + [0] * 6) ^ constant
    words += [rest >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(_CHARSET[w] for w in words)


def decode_segwit(text: str) -> tuple[str, int, bytes]:
    """Human-readable part, version and program of a segwit address. Raises AddressError."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise AddressError("an address must not mix upper and lower case")
    hrp, separator, data = lower.rpartition("1")
    if not separator or not hrp or len(lower) > 90 or len(data) < 7:
        raise AddressError(f"{text!r} is not a segwit address")
    if not all(33 <= ord(c) <= 126 for c in hrp) or any(c not in _VALUES for c in data):
        raise AddressError(f"{text!r} holds characters no segwit address has")
    words = [_VALUES[c] for c in data]
    version = words[0]
    if _polymod(_expand(hrp) + words) != (_BECH32 if version == 0 else _BECH32M):
        raise AddressError(f"the checksum of {text!r} is wrong")
    program = _from_words(words[1:-6])
    if version > 16 or not 2 <= len(program) <= 40:
        raise AddressError(f"{text!r} has no valid witness program")
    if version == 0 and len(program) not in (20, 32):
        raise AddressError(f"a version 0 program is 20 or 32 bytes, not {len(program)}")
    return hrp, version, program


def encode_base58check(payload: bytes) -> str:
    """Base58 of the payload and its checksum."""
    data = payload + sha256d(payload)[:4]
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def decode_base58check(text: str) -> bytes:
    """The payload. Raises AddressError."""
    if len(text) > 128:
        raise AddressError("too long for base58check")
    number = 0
    for char in text:
        if char not in _BASE58_VALUES:
            raise AddressError(f"{char!r} is not a base58 character")
        number = number * 58 + _BASE58_VALUES[char]
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) < 5 or sha256d(data[:-4])[:4] != data[-4:]:
        raise AddressError(f"the checksum of {text!r} is wrong")
    return data[:-4]


def address_to_script(text: str, network: Network) -> bytes:
    """The scriptpubkey an address of this network pays to. Raises AddressError, also for other networks."""
    prefix = text.lower().rpartition("1")[0]
    if prefix in {n.bech32_hrp for n in NETWORKS.values()}:
        hrp, version, program = decode_segwit(text)
        if hrp != network.bech32_hrp:
            raise AddressError(f"{text} is not an address of network {network.name}")
        opcode = version + 0x50 if version else 0
        return bytes((opcode, len(program))) + program
    payload = decode_base58check(text)
    if len(payload) != 21:
        raise AddressError(f"{text!r} is not an address")
    if payload[0] == network.p2pkh_version:
        return sc.p2pkh(payload[1:])
    if payload[0] == network.p2sh_version:
        return sc.p2sh(payload[1:])
    raise AddressError(f"{text} is not an address of network {network.name}")


def script_to_address(script: bytes, network: Network) -> str | None:
    """The address of a scriptpubkey, None where it has none."""
    program = sc.witness_program(script)
    if program is not None:
        version, data = program
        if version == 0 and len(data) not in (20, 32):
            return None
        return encode_segwit(network.bech32_hrp, version, data)
    if sc.is_p2pkh(script):
        return encode_base58check(bytes((network.p2pkh_version,)) + script[3:23])
    if sc.is_p2sh(script):
        return encode_base58check(bytes((network.p2sh_version,)) + script[2:22])
    return None
