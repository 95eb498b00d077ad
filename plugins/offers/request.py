"""Asking for an invoice for somebody's offer, and whether the answer is what was asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pylightningd.common.amount import MAX_MSAT, Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import payer_key
from pylightningd.common.invoice.bolt12_rules import (
    INVREQ_TYPES,
    OFFER_TYPES,
    NotTheIssuer,
    mirrored_records,
)
from pylightningd.common.network import Network
from pylightningd.common.wire.bolt12_wire import (
    InvoiceError,
    InvoiceRequest,
    InvoiceRequestInvreqBip353Name,
    Offer,
)
from pylightningd.common.wire.tlv import write_records
from pylightningd.plugins.lib import INVALID_PARAMS, RpcError

OFFER_EXPIRED, OFFER_ROUTE_NOT_FOUND, OFFER_BAD_INVREQ_REPLY, OFFER_TIMEOUT = 1002, 1003, 1004, 1005


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller of fetchinvoice wants."""

    amount_msat: int | None = None
    quantity: int | None = None
    payer_note: str | None = None
    metadata: bytes
    bip353: tuple[str, str] | None = None
    """Name and domain."""


def read_offer(text: str, network: Network) -> tuple[Offer, bytes]:
    """An offer and its TLVs. Raises RpcError."""
    try:
        _, tlvs = bolt12.decode_string(text)
        offer = bolt12.decode_offer(text, network.chain_hash)
    except bolt12.Bolt12Error as error:
        raise RpcError(INVALID_PARAMS, f"offer: Unparsable offer: {error}") from None
    return offer, tlvs


def check_offer_is_usable(offer: Offer, now: int) -> None:
    """Raises RpcError where we cannot take it up."""
    # BOLT 12, "Requirements For Offers", reader: no answer to an offer that has expired.
    if offer.offer_absolute_expiry is not None and now > offer.offer_absolute_expiry:
        raise RpcError(OFFER_EXPIRED, "Offer expired")


def make_request(
    offer: Offer, tlvs: bytes, wish: Wish, network: Network, our_id: NodeId, alias_base: bytes
) -> bytes:
    """The TLVs of an unsigned invoice request. Raises RpcError."""
    _check_quantity(offer, wish.quantity)
    _check_amount(offer, wish)
    name = None
    if wish.bip353 is not None:
        user, domain = (part.encode() for part in wish.bip353)
        name = InvoiceRequestInvreqBip353Name(name=user, domain=domain)
    ours = InvoiceRequest(
        invreq_metadata=wish.metadata,
        # BOLT 12, "Requirements for Invoice Requests", writer: the chain is named unless it is bitcoin.
        invreq_chain=None if network.name == "bitcoin" else network.chain_hash,
        invreq_amount=None if wish.amount_msat is None else Msat(wish.amount_msat),
        invreq_quantity=wish.quantity,
        invreq_payer_id=payer_key(our_id, alias_base, wish.metadata),
        invreq_payer_note=wish.payer_note,
        invreq_bip_353_name=name,
    ).encode()
    # BOLT 12, "Requirements for Invoice Requests", writer MUST copy all fields of the offer, unknown ones too.
    return write_records(mirrored_records(tlvs, OFFER_TYPES) + mirrored_records(ours, INVREQ_TYPES))


def _check_quantity(offer: Offer, quantity: int | None) -> None:
    # BOLT 12, "Requirements for Invoice Requests", writer: a quantity exactly where the offer speaks of one.
    most = offer.offer_quantity_max
    if most is None:
        if quantity is not None:
            raise RpcError(INVALID_PARAMS, "quantity parameter unnecessary")
        return
    if quantity is None:
        raise RpcError(INVALID_PARAMS, "quantity parameter required")
    if quantity == 0:
        raise RpcError(INVALID_PARAMS, "quantity parameter must be non-zero")
    if most and quantity > most:
        raise RpcError(INVALID_PARAMS, f"quantity must be <= {most}")


def _check_amount(offer: Offer, wish: Wish) -> None:
    if offer.offer_amount is None:
        if wish.amount_msat is None:
            raise RpcError(INVALID_PARAMS, "amount_msat parameter required")
        return
    if offer.offer_currency is not None:
        return
    # BOLT 12, "Requirements for Invoice Requests", writer: not less than the offer wants.
    expected = offer.offer_amount * (wish.quantity or 1)
    if expected > MAX_MSAT:
        raise RpcError(INVALID_PARAMS, "quantity: the amount is more than there is")
    if wish.amount_msat is not None and wish.amount_msat < expected:
        raise RpcError(INVALID_PARAMS, f"amount_msat: the offer wants at least {expected}msat")


def check_invoice_answer(
    raw: bytes, request: bytes, issuer: bytes, network: Network, now: int
) -> dict[str, Any]:
    """The result of fetchinvoice for an invoice that came. `issuer` is who must have signed it. Raises RpcError."""
    try:
        invoice = bolt12.decode_invoice(raw, network.chain_hash, now)
    except NotTheIssuer:
        raise _incorrect("invoice_node_id", raw) from None
    except bolt12.Bolt12Error as error:
        raise _incorrect("invoice", raw, str(error)) from None
    # BOLT 12, "Invoices", reader: all fields of the request are repeated as they were.
    if mirrored_records(raw, INVREQ_TYPES) != mirrored_records(request, INVREQ_TYPES):
        raise _incorrect("invoice_request match", raw)
    # BOLT 12, "Invoices", reader: signed by the issuer, or by the end of the path where the request went.
    if invoice.invoice_node_id != issuer:
        raise _incorrect("invoice_node_id", raw)
    expected = invoice.invreq_amount
    if expected is None and invoice.offer_amount is not None and invoice.offer_currency is None:
        expected = Msat(invoice.offer_amount * (invoice.invreq_quantity or 1))
    changes: dict[str, Any] = {}
    if invoice.invoice_amount is not None and invoice.invoice_amount != expected:
        changes["amount_msat"] = invoice.invoice_amount.msat
    return {"invoice": bolt12.encode_string(bolt12.INVOICE_PREFIX, raw), "changes": changes}


def _incorrect(field: str, raw: bytes, why: str = "") -> RpcError:
    text = f"Incorrect {field} field in {raw.hex()}"
    return RpcError(OFFER_BAD_INVREQ_REPLY, f"{text}: {why}" if why else text)


def error_answer(raw: bytes) -> RpcError:
    """The error of fetchinvoice or sendinvoice for an `invoice_error` that came."""
    try:
        said = InvoiceError.decode(raw)
    except WireError:
        data: dict[str, Any] = {"invoice_error_hex": raw.hex()}
    else:
        data = {"error": said.error or ""}
        if said.erroneous_field is not None:
            data["erroneous_field"] = said.erroneous_field
        if said.suggested_value is not None:
            data["suggested_value"] = said.suggested_value.hex()
    return RpcError(OFFER_BAD_INVREQ_REPLY, "Remote node sent failure message", data)
