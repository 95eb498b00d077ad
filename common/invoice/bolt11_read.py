"""Read BOLT 11 invoices. All rules for readers are here; what breaks one raises InvoiceError."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import AmountError, Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.invoice import bech32
from pylightningd.common.invoice.bolt11_model import (
    KNOWN_FEATURES,
    P2PKH_VERSION,
    P2SH_VERSION,
    Fallback,
    Invoice,
    InvoiceError,
    RouteHint,
    UnknownField,
)
from pylightningd.common.invoice.bolt11_write import MULTIPLIERS, TIMESTAMP_WORDS, hash_parts
from pylightningd.common.keys import BadSignature, is_pubkey, recover, verify_compact
from pylightningd.common.network import NETWORKS, network_by_bolt11_hrp

SIGNATURE_WORDS = 104
HINT_SIZE = 51
_URI = "lightning:"
_AMOUNT = re.compile(r"([0-9]+)([munp]?)")
_MAX_TEXT = 200_000


class _IgnoreError(Exception):
    """The field is of a kind or length a reader skips."""


def decode(
    text: str,
    *,
    currency: str | None = None,
    known_features: Collection[int] | None = KNOWN_FEATURES,
    description: str | None = None,
) -> Invoice:
    """Read and verify an invoice, with or without ``lightning:`` in front. Raises InvoiceError.

    `currency`: the only prefix accepted (``bcrt`` on regtest); None takes all we know.
    `known_features`: even bits that may be required; None skips the check (to show any invoice).
    `description`: the text whose hash the `h` field must be, where the caller has it.
    """
    hrp, words, signature = _split(text)
    draft = _read(hrp, words, currency, known_features, description)
    payee = _check_signature(hash_parts(hrp, words), signature, draft.payee)
    return replace(draft, payee=payee, signature=signature)


def decode_unsigned(text: str, *, currency: str | None = None) -> Invoice:
    """Read an invoice whose signature is missing, or is of no account. Raises InvoiceError."""
    hrp, words, _ = _split(text)
    return _read(hrp, words, currency, KNOWN_FEATURES, None)


def _read(
    hrp: str,
    words: list[int],
    currency: str | None,
    known_features: Collection[int] | None,
    description: str | None,
) -> Invoice:
    currency_found, amount = _read_hrp(hrp, currency)
    fields, unknown = _read_fields(words[TIMESTAMP_WORDS:])
    _check_fields(fields, known_features, description)
    explicit = fields.pop("payee", None)
    return Invoice(
        currency=currency_found,
        amount=amount,
        timestamp=bech32.to_int(words[:TIMESTAMP_WORDS]),
        payee=explicit,
        has_payee_field=explicit is not None,
        fallbacks=tuple(fields.pop("fallbacks", ())),
        routes=tuple(fields.pop("routes", ())),
        unknown=tuple(unknown),
        **fields,
    )


def signed_hash(text: str) -> bytes:
    """The hash an invoice's signature is over. Raises InvoiceError."""
    hrp, words, _ = _split(text)
    return hash_parts(hrp, words)


def _split(text: str) -> tuple[str, list[int], bytes]:
    """Human-readable part, words before the signature, signature."""
    if len(text) > _MAX_TEXT:
        raise InvoiceError(f"an invoice of {len(text)} characters is longer than any real one")
    if text[: len(_URI)].lower() == _URI:
        text = text[len(_URI) :]
    try:
        hrp, words = bech32.decode(text)
    except bech32.Bech32Error as error:
        raise InvoiceError(f"Bad bech32 string: {error}") from None
    if len(words) < TIMESTAMP_WORDS + SIGNATURE_WORDS:
        raise InvoiceError("it is too short to hold a timestamp and a signature")
    return hrp, words[:-SIGNATURE_WORDS], bech32.from_words(words[-SIGNATURE_WORDS:])


def _read_hrp(hrp: str, wanted: str | None) -> tuple[str, Msat | None]:
    prefix = re.split("[0-9]", hrp, maxsplit=1)[0]
    amount = hrp[len(prefix) :]
    # BOLT 11, "Human-Readable Part", reader: fail where the prefix is not understood.
    if not prefix.startswith("ln"):
        raise InvoiceError(f"Prefix '{prefix}' does not start with ln")
    currency = prefix[2:]
    if wanted is not None and currency != wanted:
        raise InvoiceError(f"Prefix {currency} is not for ln{wanted}, the network we are on")
    if network_by_bolt11_hrp(currency) is None:
        known = ", ".join(dict.fromkeys(network.bolt11_hrp for network in NETWORKS.values()))
        raise InvoiceError(f"Unknown chain {currency}; known are {known}")
    return currency, _read_amount(amount) if amount else None


def _read_amount(text: str) -> Msat:
    match = _AMOUNT.fullmatch(text)
    if match is None or len(text) > 30:
        raise InvoiceError(f"Invalid amount '{text}': digits and then at most one of m, u, n, p")
    tenths = int(match[1]) * MULTIPLIERS[match[2]]
    # BOLT 11, "Human-Readable Part", reader: with p the last decimal must be 0.
    if tenths % 10:
        raise InvoiceError(f"Invalid sub-millisatoshi amount '{text}'")
    if tenths == 0:
        raise InvoiceError(f"Invalid amount '{text}': it must be more than 0")
    try:
        return Msat(tenths // 10)
    except AmountError as error:
        raise InvoiceError(f"Invalid amount '{text}': {error}") from None


def _read_fields(words: list[int]) -> tuple[dict[str, Any], list[UnknownField]]:
    """Values by the name of the Invoice field they fill, and the fields nobody reads."""
    values: dict[str, Any] = {}
    unknown: list[UnknownField] = []
    at = 0
    while at < len(words):
        if at + 3 > len(words):
            raise InvoiceError("the last field is cut short: it has no length")
        tag = bech32.CHARSET[words[at]]
        end = at + 3 + (words[at + 1] << 5 | words[at + 2])
        if end > len(words):
            raise InvoiceError(f"{tag}: truncated")
        data = words[at + 3 : end]
        at = end
        try:
            _read_field(tag, data, values)
        except _IgnoreError:
            unknown.append(UnknownField(tag, tuple(data)))
        except bech32.Bech32Error as error:
            raise InvoiceError(f"{tag}: {error}") from None
    return values, unknown


def _read_field(tag: str, data: list[int], values: dict[str, Any]) -> None:
    if tag not in _READERS:
        raise _IgnoreError
    name, many, read = _READERS[tag]
    if many:
        values.setdefault(name, []).append(read(data))
        return
    # BOLT 11, "Payer / Payee Requirements", payer: the first p counts; likewise for each single field.
    if name in values:
        raise _IgnoreError
    values[name] = read(data)


def _fixed(count: int) -> Callable[[list[int]], bytes]:
    def read(data: list[int]) -> bytes:
        # BOLT 11, "Tagged Fields", reader: p, h, s, n have one length. The examples want a field of another
        # length skipped; where it was needed, its absence then fails the invoice.
        if len(data) != count:
            raise _IgnoreError
        return bech32.from_words(data)

    return read


def _read_payee(data: list[int]) -> NodeId:
    return _point(_fixed(53)(data), "n")


def _point(raw: bytes, tag: str) -> NodeId:
    if not is_pubkey(raw):
        raise InvoiceError(f"{tag}: invalid public key {raw.hex()}")
    return NodeId(raw)


def _read_description(data: list[int]) -> str:
    try:
        return bech32.from_words(data).decode()
    except UnicodeDecodeError:
        raise InvoiceError("d: invalid utf8") from None


def _number(tag: str, bits: int) -> Callable[[list[int]], int]:
    def read(data: list[int]) -> int:
        # BOLT 11, "Tagged Fields", reader: c and x that begin with zero words make the invoice invalid.
        if len(data) > 1 and data[0] == 0:
            raise InvoiceError(f"{tag}: not a minimal value")
        value = bech32.to_int(data)
        if value >= 1 << bits:
            raise InvoiceError(f"{tag}: {value} is too large")
        return value

    return read


def _read_features(data: list[int]) -> bytes:
    if data and data[0] == 0:
        raise InvoiceError("9: non-minimal length (begins with 0)")
    value = bech32.to_int(data)
    return value.to_bytes(-(-value.bit_length() // 8), "big")


def _read_fallback(data: list[int]) -> Fallback:
    if not data:
        raise InvoiceError("f: truncated")
    version = data[0]
    # BOLT 11, "Tagged Fields", reader: skip f fields of an unknown version.
    if version > P2SH_VERSION:
        raise _IgnoreError
    program = bech32.from_words(data[1:])
    sizes: Collection[int] = range(2, 41)
    if version in (P2PKH_VERSION, P2SH_VERSION):
        sizes = (20,)
    elif version == 0:
        sizes = (20, 32)
    elif version == 1:
        sizes = (32,)
    if len(program) not in sizes:
        raise InvoiceError(f"f: version {version} with {len(program)} bytes is not an address")
    return Fallback(version, program)


def _read_route(data: list[int]) -> tuple[RouteHint, ...]:
    raw = bech32.from_words(data)
    if not raw or len(raw) % HINT_SIZE:
        raise InvoiceError(f"r: hop {len(raw) // HINT_SIZE} truncated")
    return tuple(_read_hint(raw[at : at + HINT_SIZE]) for at in range(0, len(raw), HINT_SIZE))


def _read_hint(raw: bytes) -> RouteHint:
    return RouteHint(
        node_id=_point(raw[:33], "r"),
        short_channel_id=ShortChannelId(int.from_bytes(raw[33:41], "big")),
        fee_base_msat=int.from_bytes(raw[41:45], "big"),
        fee_proportional_millionths=int.from_bytes(raw[45:49], "big"),
        cltv_expiry_delta=int.from_bytes(raw[49:51], "big"),
    )


# Tag: name in Invoice, may it repeat, how it is read.
_READERS: dict[str, tuple[str, bool, Callable[[list[int]], Any]]] = {
    "p": ("payment_hash", False, _fixed(52)),
    "s": ("payment_secret", False, _fixed(52)),
    "d": ("description", False, _read_description),
    "h": ("description_hash", False, _fixed(52)),
    "m": ("metadata", False, bech32.from_words),
    "n": ("payee", False, _read_payee),
    "x": ("expiry", False, _number("x", 64)),
    "c": ("min_final_cltv_expiry", False, _number("c", 32)),
    "f": ("fallbacks", True, _read_fallback),
    "r": ("routes", True, _read_route),
    "9": ("features", False, _read_features),
}


def _check_fields(
    fields: dict[str, Any], known_features: Collection[int] | None, description: str | None
) -> None:
    # BOLT 11, "Tagged Fields", reader: p and s are needed, and exactly one of d and h.
    if "payment_hash" not in fields:
        raise InvoiceError("No valid 'p' field found")
    if "payment_secret" not in fields:
        raise InvoiceError("Missing required payment secret (s field)")
    has_text, has_hash = "description" in fields, "description_hash" in fields
    if not has_text and not has_hash:
        raise InvoiceError("must have either 'd' or 'h' field")
    if has_text and has_hash:
        raise InvoiceError("must have either 'd' or 'h' field, not both")
    if has_hash and description is not None:
        # BOLT 11, "Tagged Fields", reader: the hash must be that of the description given.
        if sha256(description.encode()).digest() != fields["description_hash"]:
            raise InvoiceError("h: does not match description")
    if known_features is not None:
        _check_features(fields.get("features", b""), known_features)


def _check_features(features: bytes, known: Collection[int]) -> None:
    # BOLT 11, "Tagged Fields", reader: unknown even bits fail the payment, unknown odd ones do not matter.
    value = int.from_bytes(features, "big")
    for bit in range(0, value.bit_length(), 2):
        if value >> bit & 1 and bit not in known:
            raise InvoiceError(f"9: unknown feature bit {bit}")


def _check_signature(digest: bytes, signature: bytes, payee: NodeId | None) -> NodeId:
    recovery_id = signature[64]
    if recovery_id > 3:
        raise InvoiceError(f"invalid recovery ID: {recovery_id}")
    # BOLT 11, "Tagged Fields", reader: verify against n where given, and then a high S fails; else
    # recover the key, from high and low S alike.
    if payee is None:
        try:
            return NodeId(recover(digest, signature[:64], recovery_id))
        except BadSignature as error:
            raise InvoiceError(f"signature recovery failed: {error}") from None
    try:
        verify_compact(payee, digest, signature[:64])
    except BadSignature:
        raise InvoiceError("invalid signature") from None
    return payee
