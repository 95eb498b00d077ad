"""What BOLT 12 demands of offers, invoice requests and invoices beyond being well-formed TLVs.

Rules that need the clock take `now`; those that need the message that was answered are in the
callers, for only they have it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from pylightningd.common.invoice.bolt12_merkle import SIGNATURE_TYPES, is_signature_valid
from pylightningd.common.keys import is_pubkey
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest, Offer
from pylightningd.common.wire.onion_wire import BlindedPath
from pylightningd.common.wire.tlv import read_records

DEFAULT_INVOICE_EXPIRY = 7200
BITCOIN_CHAIN = bytes.fromhex("6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000")
"""Chain hash of mainnet, which is meant where no chain is named."""
MPP_COMPULSORY = 16
OFFER_TYPES = (range(1, 80), range(1_000_000_000, 2_000_000_000))
INVREQ_TYPES = (range(160), range(1_000_000_000, 3_000_000_000))
_NAME_PATTERN = re.compile(rb"[0-9a-zA-Z._-]*")


class Bolt12Error(ValueError):
    """A BOLT 12 string or message that is malformed or must be refused. The text says why."""


class NotTheIssuer(Bolt12Error):
    """An invoice for an offer, signed by somebody who did not make the offer."""


def check_offer(offer: Offer, tlvs: bytes, chain: bytes | None = None) -> None:
    """Raise Bolt12Error where we must not respond to an offer. `tlvs` are the bytes it was read from,
    `chain` the chain hash we are on (None skips that check)."""
    _check_types(tlvs, OFFER_TYPES, "offer")
    _check_offer_fields(offer, chain)
    # BOLT 12, "Requirements For Offers", reader: someone must be there to ask.
    if offer.offer_issuer_id is None and not offer.offer_paths:
        raise Bolt12Error("an offer needs offer_issuer_id or offer_paths")


def _check_offer_fields(offer: Offer, chain: bytes | None) -> None:
    # BOLT 12, "Requirements For Offers", reader: the conditions under which it must not respond.
    _check_features("offer_features", offer.offer_features)
    if offer.offer_chains is not None and not offer.offer_chains:
        raise Bolt12Error("offer_chains is empty")
    if chain is not None and chain not in (offer.offer_chains or (BITCOIN_CHAIN,)):
        raise Bolt12Error("the offer is not for this chain")
    if offer.offer_amount is not None:
        if offer.offer_description is None:
            raise Bolt12Error("offer_amount without offer_description")
        if offer.offer_amount == 0:
            raise Bolt12Error("offer_amount must be more than 0")
    elif offer.offer_currency is not None:
        raise Bolt12Error("offer_currency without offer_amount")
    _check_point("offer_issuer_id", offer.offer_issuer_id)
    _check_paths("offer_paths", offer.offer_paths)


def check_invoice_request(invreq: InvoiceRequest, tlvs: bytes, chain: bytes | None = None) -> None:
    """Raise Bolt12Error where an invoice request must be rejected, its signature included.

    Not here: whether the offer in it is one of ours.
    """
    _check_types(tlvs, INVREQ_TYPES, "invoice_request")
    # BOLT 12, "Requirements for Invoice Requests", reader: what must be there, then the signature.
    if invreq.invreq_payer_id is None or invreq.invreq_metadata is None:
        raise Bolt12Error("an invoice_request needs invreq_payer_id and invreq_metadata")
    _check_point("invreq_payer_id", invreq.invreq_payer_id)
    _check_features("invreq_features", invreq.invreq_features)
    _check_paths("invreq_paths", invreq.invreq_paths)
    _check_chain(invreq.invreq_chain, chain)
    name = invreq.invreq_bip_353_name
    if name is not None and not all(map(_NAME_PATTERN.fullmatch, (name.name, name.domain))):
        raise Bolt12Error("invreq_bip_353_name has characters that no name may have")
    if invreq.offer_issuer_id is not None or invreq.offer_paths is not None:
        _check_response_to_offer(invreq)
    else:
        _check_spontaneous(invreq)
    if invreq.signature is None or not is_signature_valid(
        "invoice_request", tlvs, invreq.signature, invreq.invreq_payer_id
    ):
        raise Bolt12Error("the signature of the invoice_request is not by invreq_payer_id")


def _check_response_to_offer(invreq: InvoiceRequest) -> None:
    # BOLT 12, "Requirements for Invoice Requests", reader, response to an offer: quantity and amount.
    quantity, most = invreq.invreq_quantity, invreq.offer_quantity_max
    if most is None:
        if quantity is not None:
            raise Bolt12Error("invreq_quantity for an offer of one item")
    elif quantity is None:
        raise Bolt12Error("no invreq_quantity for an offer with offer_quantity_max")
    elif quantity == 0 or (most and quantity > most):
        raise Bolt12Error(f"invreq_quantity {quantity} is not within 1 and {most or 'any'}")
    if invreq.offer_amount is None:
        if invreq.invreq_amount is None:
            raise Bolt12Error("no invreq_amount for an offer without amount")
    elif invreq.offer_currency is None and invreq.invreq_amount is not None:
        expected = invreq.offer_amount * (quantity or 1)
        if invreq.invreq_amount.msat < expected:
            raise Bolt12Error(f"invreq_amount {invreq.invreq_amount} is below {expected}msat")


def _check_spontaneous(invreq: InvoiceRequest) -> None:
    # BOLT 12, "Requirements for Invoice Requests", reader, no offer: fields of offers must be absent.
    for name in ("offer_chains", "offer_features", "offer_quantity_max"):
        if getattr(invreq, name) is not None:
            raise Bolt12Error(f"{name} in an invoice_request that answers no offer")
    if invreq.invreq_amount is None:
        raise Bolt12Error("no invreq_amount")


def check_invoice(
    invoice: Invoice, tlvs: bytes, chain: bytes | None = None, now: int | None = None
) -> None:
    """Raise Bolt12Error where an invoice must be rejected, its signature included.

    `now` (seconds since 1970) None skips the expiry. Not here: whether it answers what we asked.
    """
    # BOLT 12, "Invoices", reader: what must be there.
    for name in (
        "invoice_amount",
        "invoice_created_at",
        "invoice_payment_hash",
        "invoice_node_id",
        "invoice_paths",
        "invoice_blindedpay",
    ):
        if getattr(invoice, name) in (None, ()):
            raise Bolt12Error(f"an invoice needs {name}")
    _check_point("invoice_node_id", invoice.invoice_node_id)
    _check_paths("invoice_paths", invoice.invoice_paths)
    _check_chain(invoice.invreq_chain, chain)
    _check_features("invoice_features", invoice.invoice_features, {MPP_COMPULSORY})
    if len(invoice.invoice_blindedpay or ()) != len(invoice.invoice_paths or ()):
        raise Bolt12Error("invoice_blindedpay and invoice_paths differ in length")
    if invoice.invreq_amount is not None and invoice.invreq_amount != invoice.invoice_amount:
        raise Bolt12Error("invoice_amount is not what was asked for in invreq_amount")
    if now is not None and now > invoice_expires_at(invoice):
        raise Bolt12Error("the invoice has expired")
    node_id = invoice.invoice_node_id or b""
    if invoice.signature is None or not is_signature_valid(
        "invoice", tlvs, invoice.signature, node_id
    ):
        raise Bolt12Error("the signature of the invoice is not by invoice_node_id")
    _check_issuer(invoice)


def _check_issuer(invoice: Invoice) -> None:
    # BOLT 12, "Invoices", reader: it is by the offer's issuer, or by an end of the offer's paths. Which end was
    # asked only the asker knows.
    if invoice.offer_issuer_id is not None:
        issuers = {invoice.offer_issuer_id}
    elif invoice.offer_paths is not None:
        issuers = {path.path[-1].blinded_node_id for path in invoice.offer_paths if path.path}
    else:
        return
    if invoice.invoice_node_id not in issuers:
        raise NotTheIssuer("invoice_node_id is not who made the offer")


def invoice_expires_at(invoice: Invoice) -> int:
    """Seconds since 1970 after which it must not be paid."""
    after = invoice.invoice_relative_expiry
    return (invoice.invoice_created_at or 0) + (DEFAULT_INVOICE_EXPIRY if after is None else after)


def mirrored_records(tlvs: bytes, types: Iterable[range]) -> list[tuple[int, bytes]]:
    """The records a response must repeat as they are: `OFFER_TYPES` of an offer, `INVREQ_TYPES` of a request."""
    allowed = tuple(types)
    return [
        (kind, value)
        for kind, _, value in read_records(tlvs)
        if any(kind in part for part in allowed)
    ]


def _check_types(tlvs: bytes, allowed: tuple[range, ...], what: str) -> None:
    for kind, _, _ in read_records(tlvs):
        if what != "offer" and kind in SIGNATURE_TYPES:
            continue
        if not any(kind in part for part in allowed):
            raise Bolt12Error(f"TLV type {kind} does not belong into an {what}")


def _check_chain(found: bytes | None, ours: bytes | None) -> None:
    if ours is not None and (found or BITCOIN_CHAIN) != ours:
        raise Bolt12Error("invreq_chain is not the chain we are on")


def _check_features(name: str, features: bytes | None, known: Collection[int] = ()) -> None:
    # BOLT 12, "Requirements For Offers", reader: unknown even bits must not be answered; odd ones are ignored.
    value = int.from_bytes(features or b"", "big")
    for bit in range(0, value.bit_length(), 2):
        if value >> bit & 1 and bit not in known:
            raise Bolt12Error(f"{name}: unknown feature bit {bit}")


def _check_point(name: str, key: bytes | None) -> None:
    if key is not None and not is_pubkey(key):
        raise Bolt12Error(f"{name} {key.hex()} is not a public key")


def _check_paths(name: str, paths: tuple[BlindedPath, ...] | None) -> None:
    if paths is not None and not paths:
        raise Bolt12Error(f"{name} is empty")
    for path in paths or ():
        # BOLT 12, "Requirements For Offers", reader: a path without hops must not be answered.
        if not path.path:
            raise Bolt12Error(f"{name}: a path without hops")
        if len(path.first_node_id) == 33:
            _check_point(f"{name}: first_node_id", path.first_node_id)
        _check_point(f"{name}: first_path_key", path.first_path_key)
        for hop in path.path:
            _check_point(f"{name}: blinded_node_id", hop.blinded_node_id)
