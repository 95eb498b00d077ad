"""BOLT 11 invoices: the names others use. The value is `Invoice`, the text is read and written here.

hash32 = signing_hash(invoice)          # hsmd signs it
text = finish(invoice, signature65)
invoice = decode(text, currency="bcrt")
"""

from __future__ import annotations

from pylightningd.common.invoice.bolt11_model import (
    DEFAULT_EXPIRY,
    DEFAULT_MIN_FINAL_CLTV_EXPIRY,
    KNOWN_FEATURES,
    Fallback,
    Invoice,
    InvoiceError,
    RouteHint,
    UnknownField,
)
from pylightningd.common.invoice.bolt11_read import decode, decode_unsigned, signed_hash
from pylightningd.common.invoice.bolt11_write import (
    encode,
    finish,
    finish_parts,
    hash_parts,
    signing_hash,
    signing_parts,
)

__all__ = [
    "DEFAULT_EXPIRY",
    "DEFAULT_MIN_FINAL_CLTV_EXPIRY",
    "KNOWN_FEATURES",
    "Fallback",
    "Invoice",
    "InvoiceError",
    "RouteHint",
    "UnknownField",
    "decode",
    "decode_unsigned",
    "encode",
    "finish",
    "finish_parts",
    "hash_parts",
    "signed_hash",
    "signing_hash",
    "signing_parts",
]
