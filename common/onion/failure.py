"""The way back: wrapping a failure at the erring node, passing it on, reading it at the origin.

A *failure message* is the plain text, code and fields: `common.wire.onion_wire` has a class for each and
`decode` to read any. A *failure onion* is what `update_fail_htlc.reason` carries.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from pylightningd.common.onion.crypto import HMAC_SIZE, derive_key, mac, xor_stream

MIN_BODY = 256
"""Least length of failure message and padding together."""
MAX_HOPS = 27
"""Rounds the origin decrypts, whatever the length of its route."""
_DUMMY_SECRET = bytes([7]) * 32


@dataclass(frozen=True, slots=True)
class FailureFrom:
    """A failure message that hop `hop` (0 is the first after the origin) wrote and signed."""

    hop: int
    message: bytes


@dataclass(frozen=True, slots=True)
class UnreadableFailure:
    """No hop's HMAC fits, or its content is malformed; then `hop` says whose it was."""

    hop: int | None = None


def make_failure(shared_secret: bytes, failure_message: bytes, pad_to: int = MIN_BODY) -> bytes:
    """The failure onion of the node that fails an HTLC, obfuscated once with its own key.

    `pad_to` must not be below 256; nodes that use another value stand out.
    """
    # BOLT 4, "Returning Errors", erring node: pad so that message and padding are at least 256 bytes.
    pad = bytes(max(0, pad_to - len(failure_message)))
    body = (
        len(failure_message).to_bytes(2, "big")
        + failure_message
        + len(pad).to_bytes(2, "big")
        + pad
    )
    return obfuscate(shared_secret, mac(derive_key(b"um", shared_secret), body) + body)


def obfuscate(shared_secret: bytes, failure_onion: bytes) -> bytes:
    """What each node does to a failure onion before it passes it back; its own inverse."""
    # BOLT 4, "Returning Errors", intermediate nodes: XOR with the stream of the ammag key.
    return xor_stream(derive_key(b"ammag", shared_secret), failure_onion)


def unwrap(shared_secrets: Sequence[bytes], blob: bytes) -> FailureFrom | UnreadableFailure:
    """Read a failure onion at the origin. Takes any bytes, raises nothing."""
    found: FailureFrom | UnreadableFailure = UnreadableFailure()
    seen = False
    # BOLT 4, "Returning Errors", origin node: always 27 rounds, with constant keys after the route's
    # end, so that the time taken says nothing about where in the route the failure arose.
    for hop in range(max(MAX_HOPS, len(shared_secrets))):
        known = hop < len(shared_secrets)
        secret = shared_secrets[hop] if known else _DUMMY_SECRET
        blob = obfuscate(secret, blob)
        body = blob[HMAC_SIZE:]
        matches = hmac.compare_digest(mac(derive_key(b"um", secret), body), blob[:HMAC_SIZE])
        if matches and known and not seen:
            seen = True
            found = _read_body(hop, body)
    return found


def _read_body(hop: int, body: bytes) -> FailureFrom | UnreadableFailure:
    length = int.from_bytes(body[:2], "big")
    if len(body) < 2 + length or length < 2:
        return UnreadableFailure(hop)
    return FailureFrom(hop, body[2 : 2 + length])
