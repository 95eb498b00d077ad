"""The way back: failure messages, their wrapping by the erring node, and reading them at the origin.

A *failure message* is the plain text (code and fields). A *failure onion* is what
`update_fail_htlc.reason` carries.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from pylightningd.common.onion.bigsize import read_bigsize, write_bigsize
from pylightningd.common.onion.crypto import HMAC_SIZE, derive_key, mac, xor_stream
from pylightningd.common.onion.failure_codes import (
    BADONION,
    FIELDS,
    NODE,
    PERM,
    UPDATE,
    FailureCode,
    code_name,
)

MIN_BODY = 256
"""Least length of failure message and padding together."""
MAX_HOPS = 27
"""Rounds the origin decrypts, whatever the length of its route."""
_DUMMY_SECRET = bytes([7]) * 32
_INT_SIZES = {"u16": 2, "u32": 4, "u64": 8}


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """A failure code and the fields that came with it; `tlvs` is what followed the known fields."""

    code: int
    fields: dict[str, int | bytes]
    tlvs: bytes = b""

    @property
    def name(self) -> str:
        """CLN's name, such as ``WIRE_UNKNOWN_NEXT_PEER``."""
        return code_name(self.code)

    def has_flag(self, flag: int) -> bool:
        """Whether BADONION, PERM, NODE or UPDATE is set."""
        return bool(self.code & flag)

    @property
    def is_permanent(self) -> bool:
        """Whether PERM is set."""
        return self.has_flag(PERM)

    @property
    def is_node_failure(self) -> bool:
        """Whether NODE is set: the whole node is to be avoided, not one channel."""
        return self.has_flag(NODE)

    @property
    def is_update(self) -> bool:
        """Whether UPDATE is set."""
        return self.has_flag(UPDATE)

    @property
    def is_bad_onion(self) -> bool:
        """Whether BADONION is set."""
        return self.has_flag(BADONION)


@dataclass(frozen=True, slots=True)
class FailureFrom:
    """A failure message that hop `hop` (0 is the first after the origin) wrote and signed."""

    hop: int
    message: bytes


@dataclass(frozen=True, slots=True)
class UnreadableFailure:
    """No hop's HMAC fits, or its content is malformed; then `hop` says whose it was."""

    hop: int | None = None


def encode_failure(code: FailureCode, *, tlvs: bytes = b"", **values: int | bytes) -> bytes:
    """A failure message. `values` are the fields named in `failure_codes.FIELDS`; an absent
    `channel_update` is empty and absent `disabled_flags` are 0. Raises TypeError on a wrong set of names."""
    out = [code.to_bytes(2, "big")]
    defaults: dict[str, int | bytes] = {"channel_update": b"", "disabled_flags": 0}
    for name, kind in FIELDS.get(code, ()):
        value = values.pop(name, defaults.get(name))
        if value is None:
            raise TypeError(f"{code.name.lower()} needs {name}")
        out.append(_encode_field(kind, value))
    if values:
        raise TypeError(f"{code.name.lower()} has no field {', '.join(sorted(values))}")
    return b"".join(out) + tlvs


def decode_failure(message: bytes) -> FailureMessage | None:
    """Read a failure message; None where it is cut short. Unknown codes have all their bytes in `tlvs`."""
    if len(message) < 2:
        return None
    code = int.from_bytes(message[:2], "big")
    rest = message[2:]
    fields: dict[str, int | bytes] = {}
    try:
        known = FIELDS.get(FailureCode(code), ())
    except ValueError:
        return FailureMessage(code, fields, rest)
    try:
        for name, kind in known:
            fields[name], rest = _decode_field(kind, rest)
    except ValueError:
        return None
    # BOLT 4, "Receiving Failure Codes": extra bytes are ignored, so they are kept but not looked at.
    return FailureMessage(code, fields, rest)


def make_failure(shared_secret: bytes, failure_message: bytes) -> bytes:
    """The failure onion of the node that fails an HTLC, obfuscated once with its own key."""
    # BOLT 4, "Returning Errors", erring node: pad so that message and padding are at least 256 bytes.
    pad = bytes(max(0, MIN_BODY - len(failure_message)))
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


def _encode_field(kind: str, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return write_bigsize(value) if kind == "bigsize" else value.to_bytes(_INT_SIZES[kind], "big")
    if kind == "u16bytes":
        return len(value).to_bytes(2, "big") + value
    return value


def _decode_field(kind: str, data: bytes) -> tuple[int | bytes, bytes]:
    if kind == "bigsize":
        value, end = read_bigsize(data, 0)
        return value, data[end:]
    if kind == "sha256":
        return _take(data, 32)
    if kind == "u16bytes":
        length, rest = _take(data, 2)
        return _take(rest, int.from_bytes(length, "big"))
    raw, rest = _take(data, _INT_SIZES[kind])
    return int.from_bytes(raw, "big"), rest


def _take(data: bytes, count: int) -> tuple[bytes, bytes]:
    if len(data) < count:
        raise ValueError(f"need {count} bytes, have {len(data)}")
    return data[:count], data[count:]
