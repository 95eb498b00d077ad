"""Write BOLT 11 invoices. Signing is someone else's.

`signing_hash` first, then `finish`; for a signer that hashes itself `signing_parts`, then `finish_parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bech32
from pylightningd.common.invoice.bolt11_model import (
    DEFAULT_EXPIRY,
    Invoice,
    InvoiceError,
    RouteHint,
)

TIMESTAMP_WORDS = 7
SIGNATURE_SIZE = 65
MAX_FIELD_WORDS = 1023
# Tenths of a millisatoshi in one unit of each multiplier, largest first.
MULTIPLIERS = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}


def encode(invoice: Invoice, sign: Callable[[bytes], bytes]) -> str:
    """The signed text. `sign` makes a recoverable signature (r, s, recovery id: 65 bytes) of a 32-byte hash.

    Raises InvoiceError where the invoice cannot be written.
    """
    return finish(invoice, sign(signing_hash(invoice)))


def signing_hash(invoice: Invoice) -> bytes:
    """What the payee signs. Raises InvoiceError."""
    hrp, words = signing_parts(invoice)
    return hash_parts(hrp, words)


def signing_parts(invoice: Invoice) -> tuple[str, bytes]:
    """The human-readable part and the data, one byte for each 5-bit word, for a signer that hashes itself."""
    _check(invoice)
    return human_readable_part(invoice), bytes(_data_words(invoice))


def hash_parts(hrp: str, words: Sequence[int]) -> bytes:
    """SHA256 of human-readable part and data without signature."""
    # BOLT 11, "Data Part", writer: zero bits are appended to reach a byte boundary.
    return sha256(hrp.encode() + bech32.pack_words(words)).digest()


def finish(invoice: Invoice, signature: bytes) -> str:
    """The text of `invoice` with a signature (65 bytes) over its `signing_hash`. Raises InvoiceError."""
    return finish_parts(*signing_parts(invoice), signature)


def finish_parts(hrp: str, words: bytes, signature: bytes) -> str:
    """The text of what `signing_parts` gave, with a signature (65 bytes) over its hash. Raises InvoiceError."""
    if len(signature) != SIGNATURE_SIZE:
        raise InvoiceError(f"a signature has {SIGNATURE_SIZE} bytes, not {len(signature)}")
    return bech32.encode(hrp, words + bytes(bech32.to_words(signature)))


def human_readable_part(invoice: Invoice) -> str:
    """``ln``, the currency, and the amount in its shortest form."""
    return f"ln{invoice.currency}{_amount_text(invoice.amount)}"


def _amount_text(amount: Msat | None) -> str:
    if amount is None:
        return ""
    tenths = amount.msat * 10
    # BOLT 11, "Human-Readable Part", writer: the largest multiplier that leaves a whole number.
    letter = next(letter for letter, unit in MULTIPLIERS.items() if tenths % unit == 0)
    return f"{tenths // MULTIPLIERS[letter]}{letter}"


def _check(invoice: Invoice) -> None:
    # BOLT 11, "Tagged Fields", writer: exactly one p, one s, and either d or h.
    for name, value in (
        ("payment_hash", invoice.payment_hash),
        ("payment_secret", invoice.payment_secret),
    ):
        if len(value) != 32:
            raise InvoiceError(f"{name} has 32 bytes, not {len(value)}")
    if (invoice.description is None) == (invoice.description_hash is None):
        raise InvoiceError("an invoice has either a description or the hash of one")
    if invoice.description_hash is not None and len(invoice.description_hash) != 32:
        raise InvoiceError("description_hash has 32 bytes")
    if not 0 <= invoice.timestamp < 1 << 35:
        raise InvoiceError(f"timestamp {invoice.timestamp} does not fit 35 bits")
    if invoice.amount is not None and not invoice.amount:
        raise InvoiceError("an amount of 0 cannot be asked for; leave it out for any amount")
    if invoice.has_payee_field and invoice.payee is None:
        raise InvoiceError("the payee field is wanted but payee is not set")
    if invoice.expiry < 0 or invoice.min_final_cltv_expiry < 0:
        raise InvoiceError("expiry and min_final_cltv_expiry are not negative")


def _data_words(invoice: Invoice) -> list[int]:
    words = [invoice.timestamp >> 5 * i & 31 for i in range(TIMESTAMP_WORDS - 1, -1, -1)]
    for tag, data in _fields(invoice):
        if len(data) > MAX_FIELD_WORDS:
            raise InvoiceError(
                f"field {tag!r} is too long: {len(data) * 5 // 8} bytes, at most 639"
            )
        words += [bech32.CHARSET.index(tag), len(data) >> 5, len(data) & 31, *data]
    return words


def _fields(invoice: Invoice) -> Iterator[tuple[str, list[int]]]:
    """Tag and words of each field, in CLN's order."""
    yield "s", bech32.to_words(invoice.payment_secret)
    yield "p", bech32.to_words(invoice.payment_hash)
    if invoice.description_hash is not None:
        yield "h", bech32.to_words(invoice.description_hash)
    if invoice.description is not None:
        yield "d", bech32.to_words(invoice.description.encode())
    if invoice.metadata is not None:
        yield "m", bech32.to_words(invoice.metadata)
    if invoice.has_payee_field and invoice.payee is not None:
        yield "n", bech32.to_words(invoice.payee)
    if invoice.expiry != DEFAULT_EXPIRY:
        yield "x", bech32.int_to_words(invoice.expiry)
    # BOLT 11, "Tagged Fields", writer SHOULD include c; so do we, also for the default.
    yield "c", bech32.int_to_words(invoice.min_final_cltv_expiry)
    for fallback in invoice.fallbacks:
        yield "f", [fallback.version, *bech32.to_words(fallback.program)]
    for route in invoice.routes:
        yield "r", bech32.to_words(b"".join(map(_hint_bytes, route)))
    # BOLT 11, "Tagged Fields", writer: 9 has no leading zero words and is left out where no bit is set.
    features = int.from_bytes(invoice.features, "big")
    if features:
        yield "9", bech32.int_to_words(features)
    for field in invoice.unknown:
        yield field.tag, list(field.words)


def _hint_bytes(hint: RouteHint) -> bytes:
    return (
        hint.node_id
        + hint.short_channel_id.to_bytes(8, "big")
        + hint.fee_base_msat.to_bytes(4, "big")
        + hint.fee_proportional_millionths.to_bytes(4, "big")
        + hint.cltv_expiry_delta.to_bytes(2, "big")
    )
