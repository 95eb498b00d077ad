"""BOLT 12 strings: `lno` offers, `lnr` invoice requests, `lni` invoices; bech32 characters without checksum.

The values are the generated TLV classes of `common.wire.bolt12_wire`. What they must hold is in
`bolt12_rules`, how they are signed in `bolt12_merkle`.
"""

from __future__ import annotations

import re

from pylightningd.common.errors import WireError
from pylightningd.common.invoice import bech32
from pylightningd.common.invoice.bolt12_merkle import merkle_root
from pylightningd.common.invoice.bolt12_rules import (
    INVREQ_TYPES,
    OFFER_TYPES,
    Bolt12Error,
    check_invoice,
    check_invoice_request,
    check_offer,
    mirrored_records,
)
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest, Offer
from pylightningd.common.wire.tlv import write_records

__all__ = [
    "INVOICE_PREFIX",
    "INVOICE_REQUEST_PREFIX",
    "OFFER_PREFIX",
    "Bolt12Error",
    "decode",
    "decode_invoice",
    "decode_invoice_request",
    "decode_offer",
    "decode_string",
    "encode_string",
    "invreq_id",
    "offer_id",
]

OFFER_PREFIX = "lno"
INVOICE_REQUEST_PREFIX = "lnr"
INVOICE_PREFIX = "lni"
_JOIN = re.compile(r"(?<=[0-9A-Za-z])\+\s*(?=[0-9A-Za-z])")


def encode_string(prefix: str, tlvs: bytes) -> str:
    """The text of an encoded TLV stream."""
    return f"{prefix}1" + "".join(bech32.CHARSET[word] for word in bech32.to_words(tlvs))


def decode_string(text: str) -> tuple[str, bytes]:
    """Prefix and TLV stream of a text. Raises Bolt12Error."""
    # BOLT 12, "Encoding", reader: a plus and white space between two characters are removed.
    joined = _JOIN.sub("", text)
    lower = joined.lower()
    if joined not in (lower, joined.upper()):
        raise Bolt12Error("upper and lower case are mixed")
    prefix, separator, data = lower.partition("1")
    if not separator or not prefix.isalnum():
        raise Bolt12Error("a BOLT 12 string looks like lno1..., lnr1... or lni1...")
    try:
        return prefix, bech32.from_words(bech32.words_of(data))
    except bech32.Bech32Error as error:
        raise Bolt12Error(str(error)) from None


def decode(text: str) -> Offer | InvoiceRequest | Invoice:
    """Read and check any of the three, without regard to chain and time. Raises Bolt12Error."""
    prefix, tlvs = decode_string(text)
    if prefix == OFFER_PREFIX:
        return decode_offer(tlvs)
    if prefix == INVOICE_REQUEST_PREFIX:
        return decode_invoice_request(tlvs)
    if prefix == INVOICE_PREFIX:
        return decode_invoice(tlvs)
    raise Bolt12Error(f"unknown prefix {prefix!r}: expected lno, lnr or lni")


def decode_offer(source: str | bytes, chain: bytes | None = None) -> Offer:
    """Read an offer from its text or TLVs and check it. Raises Bolt12Error."""
    tlvs = _tlvs(source, OFFER_PREFIX)
    try:
        offer = Offer.decode(tlvs)
    except WireError as error:
        raise Bolt12Error(str(error)) from None
    check_offer(offer, tlvs, chain)
    return offer


def decode_invoice_request(source: str | bytes, chain: bytes | None = None) -> InvoiceRequest:
    """Read an invoice request and check it and its signature. Raises Bolt12Error."""
    tlvs = _tlvs(source, INVOICE_REQUEST_PREFIX)
    try:
        invreq = InvoiceRequest.decode(tlvs)
    except WireError as error:
        raise Bolt12Error(str(error)) from None
    check_invoice_request(invreq, tlvs, chain)
    return invreq


def decode_invoice(
    source: str | bytes, chain: bytes | None = None, now: int | None = None
) -> Invoice:
    """Read an invoice and check it and its signature. Raises Bolt12Error."""
    tlvs = _tlvs(source, INVOICE_PREFIX)
    try:
        invoice = Invoice.decode(tlvs)
    except WireError as error:
        raise Bolt12Error(str(error)) from None
    check_invoice(invoice, tlvs, chain, now)
    return invoice


def offer_id(tlvs: bytes) -> bytes:
    """The id CLN knows an offer by: the Merkle root of its fields, from the offer, a request or an invoice."""
    return merkle_root(write_records(mirrored_records(tlvs, OFFER_TYPES)))


def invreq_id(tlvs: bytes) -> bytes:
    """The id CLN knows an invoice request by: the Merkle root of its fields, from it or from an invoice."""
    return merkle_root(write_records(mirrored_records(tlvs, INVREQ_TYPES)))


def _tlvs(source: str | bytes, wanted: str) -> bytes:
    if isinstance(source, bytes):
        return source
    prefix, tlvs = decode_string(source)
    if prefix != wanted:
        raise Bolt12Error(f"unexpected prefix {prefix}, expected {wanted!r}")
    return tlvs
