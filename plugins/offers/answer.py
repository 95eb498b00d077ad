"""Being asked for an invoice: which requests get one, and what is in it. Pure.

Nothing is signed here: `createinvoice` signs what `draft_invoice` made, and that only repeats an offer of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from pylightningd.common.amount import MAX_MSAT, Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_rules import (
    DEFAULT_INVOICE_EXPIRY,
    INVREQ_TYPES,
    OFFER_TYPES,
    mirrored_records,
)
from pylightningd.common.network import Network
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceError, InvoiceRequest, Offer
from pylightningd.common.wire.tlv import write_records
from pylightningd.plugins.offers.drafts import offer_secret

MUCH = 5
"""An amount that exceeds the offer's more often than that is taken for a mistake."""
UNKNOWN = "Unknown offer"
_INVOICE_TYPES = (range(160, 240),)


class Refused(Exception):
    """No invoice; the text goes to who asked."""


class NotOurs(Refused):
    """Not well-formed, or about nothing of ours: anybody can write that, so no connection is made to answer it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request for an invoice, which somebody signed."""

    invreq: InvoiceRequest
    tlvs: bytes
    offer_id: bytes

    def label(self) -> str:
        """Of the invoice: one for each offer and payer key, as CLN's."""
        return f"{self.offer_id.hex()}-{(self.invreq.invreq_payer_id or b'').hex()}-0"


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of an offer."""

    active: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice to be signed and stored."""

    text: str
    label: str
    preimage: bytes
    expires_at: int


def read_request(raw: bytes, network: Network) -> Asked:
    """Check all that can be checked without knowing our offers. Raises NotOurs."""
    try:
        invreq = bolt12.decode_invoice_request(raw, network.chain_hash)
    except bolt12.Bolt12Error as error:
        raise NotOurs(str(error)) from None
    if invreq.offer_issuer_id is None and invreq.offer_paths is None:
        raise NotOurs("Not based on an offer")
    return Asked(invreq, raw, bolt12.offer_id(raw))


def check_way(asked: Asked, secret: bytes | None, base: bytes) -> None:
    """Raises NotOurs unless the request came over a path of its offer, or over none where the offer has none."""
    # BOLT 12, "Requirements for Invoice Requests", reader: who comes another way learns nothing, so it is
    # answered like one who asks for what we never offered.
    invreq = asked.invreq
    if (secret is None) != (invreq.offer_paths is None):
        raise NotOurs(UNKNOWN)
    if secret is not None:
        offer = Offer.decode(write_records(mirrored_records(asked.tlvs, OFFER_TYPES)))
        if not compare_digest(secret, offer_secret(base, offer)):
            raise NotOurs(UNKNOWN)


def check_offer(asked: Asked, known: Known | None, now: int) -> None:
    """Raises Refused unless it is an offer of ours that can be taken up. The id covers every field of it."""
    # BOLT 12, "Requirements for Invoice Requests", reader: only a valid, unexpired offer of ours.
    if known is None:
        raise NotOurs(UNKNOWN)
    if not known.active:
        raise Refused("Offer no longer available")
    expiry = asked.invreq.offer_absolute_expiry
    if expiry is not None and now >= expiry:
        raise Refused("Offer expired")
    if asked.invreq.offer_currency is not None:
        raise Refused("Currency conversion is not supported")


def invoice_amount(invreq: InvoiceRequest) -> Msat:
    """What the invoice is to ask for. Raises Refused."""
    asked = invreq.invreq_amount
    if invreq.offer_amount is None:
        if asked is None:
            raise Refused("missing invreq_amount")
        amount = asked.msat
    else:
        # BOLT 12, "Requirements for Invoice Requests", reader: the offer's amount for each item.
        expected = invreq.offer_amount * (invreq.invreq_quantity or 1)
        amount = expected if asked is None else asked.msat
        if amount < expected:
            raise Refused(f"Amount must be at least {expected}msat")
        if amount // MUCH > expected:
            raise Refused(f"Amount vastly exceeds {expected}msat")
    if not 0 < amount <= MAX_MSAT:
        raise Refused(f"an invoice over {amount}msat makes no sense")
    return Msat(amount)


def draft_invoice(asked: Asked, our_id: NodeId, preimage: bytes, now: int) -> Draft:
    """The unsigned invoice, without paths: `createinvoice` adds them. Raises Refused."""
    invreq = asked.invreq
    seconds = DEFAULT_INVOICE_EXPIRY
    if invreq.offer_absolute_expiry is not None:
        seconds = min(seconds, invreq.offer_absolute_expiry - now)
    ours = Invoice(
        invoice_created_at=now,
        # BOLT 12, "Invoices", writer of an invoice: its expiry where it is not the usual one.
        invoice_relative_expiry=None if seconds == DEFAULT_INVOICE_EXPIRY else seconds,
        invoice_payment_hash=sha256(preimage).digest(),
        invoice_amount=invoice_amount(invreq),
        invoice_node_id=our_id,
    ).encode()
    # BOLT 12, "Invoices", writer of an invoice MUST copy all fields of the request but its signature.
    tlvs = write_records(
        mirrored_records(asked.tlvs, INVREQ_TYPES) + mirrored_records(ours, _INVOICE_TYPES)
    )
    return Draft(
        bolt12.encode_string(bolt12.INVOICE_PREFIX, tlvs), asked.label(), preimage, now + seconds
    )


def error_tlvs(text: str) -> bytes:
    """An `invoice_error`."""
    return InvoiceError(error=text).encode()


def invoice_tlvs(text: str) -> bytes:
    """The TLVs of a signed invoice of our own. Raises Refused, which would be a bug of the node's."""
    try:
        return bolt12.decode_string(text)[1]
    except (bolt12.Bolt12Error, WireError):
        raise Refused("Internal error") from None
