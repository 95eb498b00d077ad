"""Offers and invoice requests in the database: create, list, disable, enable.

`createoffer` and `createinvoicerequest` are for the plugin `offers`, which makes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError, WireError
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import NODE_ALIAS_BASE, payer_key
from pylightningd.common.invoice.bolt12_merkle import merkle_root
from pylightningd.common.invoice.bolt12_rules import check_invoice_request
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.bolt12_wire import InvoiceRequest
from pylightningd.lightningd.db.offers_io import OfferRow
from pylightningd.lightningd.payments.offer_book import new_status, offer_json, request_json
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.rpc.params import Param, boolean, hash32, label, string
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ID = "0101010101010101010101010101010101010101010101010101010101010101"


@command(
    "createoffer",
    family="offers",
    summary="Create and store an unsigned offer {bolt12} with optional {label}",
    about="For plugins: see offer.",
    params={
        "bolt12": Param(string, "the offer"),
        "label": Param(label, "your own name for it", default=None),
        "single_use": Param(boolean, "whether it ends when it was paid once", default=False),
        "force_paths": Param(boolean, "whether its paths were chosen by hand", default=False),
    },
    examples=["createoffer lno1..."],
)
async def createoffer(
    node: Node, bolt12: str, label: str | None, single_use: bool, force_paths: bool
) -> dict[str, Any]:
    """See the summary. One that exists already is shown as it is."""
    text, offer_id = _read_offer(node, bolt12)
    row = OfferRow(
        id=offer_id,
        bolt12=text,
        label=label,
        status=new_status(single_use=single_use),
        force_paths=force_paths,
    )

    def create() -> tuple[OfferRow, bool]:
        known = node.offer_book.store.get("offers", offer_id)
        if known is not None:
            return known, False
        node.offer_book.store.insert("offers", row)
        return row, True

    stored, created = await node.turn.do(create)
    return {**offer_json(stored), "created": created}


def _read_offer(node: Node, text: str) -> tuple[str, bytes]:
    try:
        _, tlvs = bolt12.decode_string(text)
        bolt12.decode_offer(text, node.network.chain_hash)
    except bolt12.Bolt12Error as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"bolt12: {error}") from None
    return bolt12.encode_string(bolt12.OFFER_PREFIX, tlvs), bolt12.offer_id(tlvs)


@command(
    "listoffers",
    family="offers",
    summary="If {offer_id} is set, show that. If {active_only} is true, only show active offers",
    params={
        "offer_id": Param(hash32, "only this one", default=None),
        "active_only": Param(boolean, "only those that may be taken up", default=False),
    },
    examples=["listoffers", "listoffers -k active_only=true"],
)
async def listoffers(node: Node, offer_id: bytes | None, active_only: bool) -> dict[str, Any]:
    """See the summary."""
    store = node.offer_book.store
    one = store.get("offers", offer_id) if offer_id is not None else None
    rows = store.all("offers") if offer_id is None else [one] if one is not None else []
    return {"offers": [offer_json(r, described=True) for r in rows if r.active >= active_only]}


@command(
    "disableoffer",
    family="offers",
    summary="Disable offer {offer_id}",
    params={"offer_id": Param(hash32, "which one")},
    examples=[f"disableoffer {_ID}"],
    errors={-1: "there is no such offer", 1001: "it is disabled already"},
)
async def disableoffer(node: Node, offer_id: bytes) -> dict[str, Any]:
    """See the summary. Unpaid invoices of it expire."""
    row = await node.turn.do(lambda: node.offer_book.disable("offers", offer_id))
    return offer_json(row, described=True)


@command(
    "enableoffer",
    family="offers",
    summary="Enable offer {offer_id} (after disabling it)",
    params={"offer_id": Param(hash32, "which one")},
    examples=[f"enableoffer {_ID}"],
    errors={
        -1: "there is no such offer",
        1006: "it is enabled already",
        1007: "it was for a single use, and used",
    },
)
async def enableoffer(node: Node, offer_id: bytes) -> dict[str, Any]:
    """See the summary."""
    row = await node.turn.do(lambda: node.offer_book.enable(offer_id))
    return offer_json(row, described=True)


@command(
    "createinvoicerequest",
    family="offers",
    summary="Create and sign an invoice_request {bolt12}, with {savetodb} store it with {label}",
    about="For plugins: see invoicerequest and fetchinvoice.",
    params={
        "bolt12": Param(string, "the invoice request, unsigned"),
        "savetodb": Param(boolean, "whether to keep it"),
        "label": Param(label, "your own name for it", default=None),
        "single_use": Param(boolean, "whether it ends when it was paid once", default=True),
    },
    examples=["createinvoicerequest lnr1... false"],
)
async def createinvoicerequest(
    node: Node, bolt12: str, savetodb: bool, label: str | None, single_use: bool
) -> dict[str, Any]:
    """See the summary."""
    tlvs = await _sign(node, _read_request(bolt12))
    text, invreq_id = _name_request(tlvs)
    row = OfferRow(id=invreq_id, bolt12=text, label=label, status=new_status(single_use=single_use))

    def store() -> None:
        if node.offer_book.store.get("invoicerequests", row.id) is not None:
            raise UserError(LIGHTNINGD, "Could not create invoice_request!")
        node.offer_book.store.insert("invoicerequests", row)

    if savetodb:
        await node.turn.do(store)
    return request_json(row)


def _name_request(tlvs: bytes) -> tuple[str, bytes]:
    return bolt12.encode_string(bolt12.INVOICE_REQUEST_PREFIX, tlvs), bolt12.invreq_id(tlvs)


def _read_request(text: str) -> InvoiceRequest:
    try:
        prefix, tlvs = bolt12.decode_string(text)
        if prefix != bolt12.INVOICE_REQUEST_PREFIX:
            raise bolt12.Bolt12Error(f"the prefix is {prefix!r}, expected 'lnr'")
        invreq = InvoiceRequest.decode(tlvs)
    except (bolt12.Bolt12Error, WireError) as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"bolt12: {error}") from None
    if invreq.invreq_metadata is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "bolt12: must have invreq_metadata")
    if invreq.invreq_payer_id is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "bolt12: must have invreq_payer_id")
    return invreq


async def _sign(node: Node, invreq: InvoiceRequest) -> bytes:
    """Sign with the node's key, or with the alias of its metadata. Raises UserError."""
    tweak = b""
    if invreq.invreq_payer_id != node.node_id:
        tweak = invreq.invreq_metadata or b""
        base = (await node.hsm.ask(hw.HsmdDeriveSecret(info=NODE_ALIAS_BASE))).secret.reveal()
        expected = payer_key(node.node_id, base, tweak)
        if not tweak or invreq.invreq_payer_id != expected:
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                f"payer_id did not match invreq_metadata derivation {expected.hex()}",
            )
    # BOLT 12, "Requirements for Invoice Requests", writer: signed by invreq_payer_id.
    reply = await node.hsm.ask(
        hw.HsmdSignBolt12(
            messagename="invoice_request",
            fieldname="signature",
            merkle_root=merkle_root(replace(invreq, signature=None).encode()),
            public_tweak=tweak,
        )
    )
    signed = replace(invreq, signature=reply.signature)
    tlvs = signed.encode()
    try:
        check_invoice_request(signed, tlvs, node.network.chain_hash)
    except bolt12.Bolt12Error as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"bolt12: {error}") from None
    return tlvs


@command(
    "listinvoicerequests",
    family="offers",
    summary="If {invreq_id} is set, show that. If {active_only} is true, only show active invoice requests",
    params={
        "invreq_id": Param(hash32, "only this one", default=None),
        "active_only": Param(boolean, "only those that may be taken up", default=False),
    },
    examples=["listinvoicerequests"],
)
async def listinvoicerequests(
    node: Node, invreq_id: bytes | None, active_only: bool
) -> dict[str, Any]:
    """See the summary."""
    store = node.offer_book.store
    one = store.get("invoicerequests", invreq_id) if invreq_id is not None else None
    rows = store.all("invoicerequests") if invreq_id is None else [one] if one is not None else []
    return {"invoicerequests": [request_json(r) for r in rows if r.active >= active_only]}


@command(
    "disableinvoicerequest",
    family="offers",
    summary="Disable invoice_request {invreq_id}",
    params={"invreq_id": Param(hash32, "which one")},
    examples=[f"disableinvoicerequest {_ID}"],
    errors={-1: "there is no such invoice request", 1001: "it is disabled already"},
)
async def disableinvoicerequest(node: Node, invreq_id: bytes) -> dict[str, Any]:
    """See the summary."""
    row = await node.turn.do(lambda: node.offer_book.disable("invoicerequests", invreq_id))
    return request_json(row)
