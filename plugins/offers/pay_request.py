"""An invoice that somebody sends us because we published an invoice request: whether it is to be paid. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hmac import compare_digest

from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import path_secret
from pylightningd.common.invoice.bolt12_rules import INVREQ_TYPES, mirrored_records
from pylightningd.common.network import Network
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest
from pylightningd.common.wire.tlv import write_records
from pylightningd.plugins.offers.answer import NotOurs, Refused


@dataclass(frozen=True, slots=True)
class Bill:
    """A valid invoice, and the request that it says it answers."""

    invoice: Invoice
    tlvs: bytes
    invreq_id: bytes

    def text(self) -> str:
        """For xpay."""
        return bolt12.encode_string(bolt12.INVOICE_PREFIX, self.tlvs)


def read_bill(raw: bytes, secret: bytes | None, base: bytes, network: Network, now: int) -> Bill:
    """Check all that can be checked without knowing our requests. Raises NotOurs."""
    try:
        invoice = bolt12.decode_invoice(raw, network.chain_hash, now)
    except bolt12.Bolt12Error as error:
        raise NotOurs(str(error)) from None
    bill = Bill(invoice, raw, bolt12.invreq_id(raw))
    # BOLT 12, "Invoices", reader of an invoice: over one of invreq_paths, where there are some.
    if (secret is None) != (invoice.invreq_paths is None):
        raise _unknown(bill)
    if secret is not None:
        request = InvoiceRequest.decode(write_records(mirrored_records(raw, INVREQ_TYPES)))
        pathless = bolt12.invreq_id(replace(request, invreq_paths=None).encode())
        if not compare_digest(secret, path_secret(base, pathless)):
            raise _unknown(bill)
    return bill


def check_bill(bill: Bill, known_active: bool | None, now: int) -> None:
    """Raises Refused unless the request is ours and open, and no more is asked than it offers.

    The id covers every field of the request, so all of them are as we published them.
    """
    if known_active is None or bill.invoice.offer_issuer_id or bill.invoice.offer_paths:
        raise _unknown(bill)
    # BOLT 12, "Requirements for Invoice Requests", writer: one without an offer ends when an offer would.
    expiry = bill.invoice.offer_absolute_expiry
    if not known_active or (expiry is not None and now >= expiry):
        raise Refused("invoice_request no longer available")
    offered, wanted = bill.invoice.invreq_amount, bill.invoice.invoice_amount
    if offered is None or wanted is None or wanted > offered:
        raise Refused("invoice amount is too large")


def _unknown(bill: Bill) -> NotOurs:
    return NotOurs(f"Unknown invoice_request {bill.invreq_id.hex()}")
