"""Build an onion and take one layer off it (BOLT 4, payments and messages alike).

A *payload* here is the hop's bytes as they stand in the onion, with their BigSize length in front:
`payload.encode_hop_payload` makes them, `payload.decode_hop_payload` reads them.

Peeling needs the secret this node shares with the onion's ephemeral key. hsmd computes that:
ask it for ECDH with `ephemeral_key(packet)`, or with `blinding.tweak_key(...)` of it inside a
blinded path, and give the result to `peel` with the packet as it came.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from pylightningd.common.keys import is_pubkey, point_mul
from pylightningd.common.onion.crypto import (
    HMAC_SIZE,
    blinding_factor,
    derive_key,
    mac,
    walk_keys,
    xor_stream,
)
from pylightningd.common.onion.failure_codes import FailureCode

ROUTING_SIZE = 1300
"""Bytes of `hop_payloads` in a payment onion."""
LARGE_MESSAGE_SIZE = 32768
"""Bytes of `onionmsg_payloads` in the larger of the two usual onion messages."""
HEADER_SIZE = 34
PACKET_SIZE = HEADER_SIZE + ROUTING_SIZE + HMAC_SIZE
_VERSION = b"\x00"
_NO_HMAC = bytes(HMAC_SIZE)


class BadOnion(ValueError):
    """An onion that cannot be opened. Becomes `update_fail_malformed_htlc` with this code and hash."""

    def __init__(self, code: FailureCode, packet: bytes, why: str) -> None:
        super().__init__(f"{code.name.lower()}: {why}")
        self.code = code
        self.sha256_of_onion = sha256(packet).digest()


class OnionTooLarge(ValueError):
    """The payloads do not fit into the onion."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """What one hop learns: its `payload` (with length prefix) and the onion to pass on, None at the end."""

    payload: bytes
    next_packet: bytes | None

    @property
    def is_final(self) -> bool:
        """Whether the onion ends here."""
        return self.next_packet is None


def make_onion(
    session_key: bytes,
    hops: Sequence[tuple[bytes, bytes]],
    assoc_data: bytes,
    size: int = ROUTING_SIZE,
) -> tuple[bytes, list[bytes]]:
    """The packet for the first of `hops` (public key, payload), and the secret shared with each hop.

    `session_key` is 32 fresh random bytes, `size` the length of the payloads' part. Raises
    OnionTooLarge, or ValueError where a key is not valid.
    """
    if not hops:
        raise ValueError("an onion needs at least one hop")
    payloads = [payload for _, payload in hops]
    needed = sum(len(payload) + HMAC_SIZE for payload in payloads)
    if needed > size:
        raise OnionTooLarge(f"payloads need {needed} bytes, the onion holds {size}")
    steps = walk_keys(session_key, [public_key for public_key, _ in hops])
    secrets = [secret for _, secret in steps]
    rho_keys = [derive_key(b"rho", secret) for secret in secrets]
    filler = _filler(rho_keys, payloads, size)
    # BOLT 4, "Packet Construction": start from a stream of the pad key so that unused space looks random.
    routing = xor_stream(derive_key(b"pad", session_key), bytes(size))
    next_hmac = _NO_HMAC
    last = len(hops) - 1
    for i in range(last, -1, -1):
        routing = xor_stream(rho_keys[i], (payloads[i] + next_hmac + routing)[:size])
        if i == last and filler:
            routing = routing[: -len(filler)] + filler
        next_hmac = mac(derive_key(b"mu", secrets[i]), routing + assoc_data)
    return _VERSION + steps[0][0] + routing + next_hmac, secrets


def ephemeral_key(packet: bytes) -> bytes:
    """The public key to do ECDH with. Raises BadOnion where version or key is bad."""
    # BOLT 4, "Onion Decryption": abort where the version is not 0, then where the key is not a point.
    if packet[:1] != _VERSION:
        raise BadOnion(FailureCode.INVALID_ONION_VERSION, packet, "version is not 0")
    key = packet[1:HEADER_SIZE]
    if len(packet) < HEADER_SIZE + HMAC_SIZE or not is_pubkey(key):
        raise BadOnion(FailureCode.INVALID_ONION_KEY, packet, f"{key.hex()} is not a public key")
    return key


def peel(packet: bytes, shared_secret: bytes, assoc_data: bytes) -> Peeled:
    """Take our layer off. `assoc_data` is the payment hash, or empty for onion messages.

    Raises BadOnion. `packet` must have passed `ephemeral_key`.
    """
    routing = packet[HEADER_SIZE:-HMAC_SIZE]
    expected = mac(derive_key(b"mu", shared_secret), routing + assoc_data)
    if not hmac.compare_digest(expected, packet[-HMAC_SIZE:]):
        raise BadOnion(FailureCode.INVALID_ONION_HMAC, packet, "the hmac does not match")
    size = len(routing)
    plain = xor_stream(derive_key(b"rho", shared_secret), routing + bytes(size))
    payload_end = _payload_end(plain, packet)
    end = payload_end + HMAC_SIZE
    if end > size:
        raise BadOnion(FailureCode.INVALID_ONION_HMAC, packet, "the payload does not fit")
    payload, next_hmac = plain[:payload_end], plain[payload_end:end]
    if next_hmac == _NO_HMAC:
        return Peeled(payload, None)
    key = packet[1:HEADER_SIZE]
    next_key = point_mul(key, blinding_factor(key, shared_secret))
    return Peeled(payload, _VERSION + next_key + plain[end : end + size] + next_hmac)


def _payload_end(plain: bytes, packet: bytes) -> int:
    """Where the payload that starts at 0 ends, its BigSize length included."""
    # BOLT 4, "Packet Structure": lengths 0 and 1 are reserved. No onion is longer than 65535, so the
    # wider forms of BigSize are only met in bad ones.
    first = plain[0] if plain else 0
    if 2 <= first < 0xFD:
        return 1 + first
    if first == 0xFD:
        length = int.from_bytes(plain[1:3], "big")
        if length >= 0xFD:
            return 3 + length
    raise BadOnion(FailureCode.INVALID_ONION_HMAC, packet, "bad length of payload")


def _filler(rho_keys: Sequence[bytes], payloads: Sequence[bytes], size: int) -> bytes:
    """What the tail of the last hop's view will be, after each hop before it has shifted and padded."""
    filler = b""
    for rho, payload in zip(rho_keys[:-1], payloads[:-1], strict=True):
        shift = len(payload) + HMAC_SIZE
        before = size - len(filler)
        filler = xor_stream(rho, bytes(before) + filler + bytes(shift))[before:]
    return filler
