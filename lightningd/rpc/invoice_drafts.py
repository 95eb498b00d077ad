"""Commands that sign invoices which somebody else has drafted: createinvoice, signinvoice."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.db.invoices_io import InvoiceRow
from pylightningd.lightningd.payments.describe import invoice_json
from pylightningd.lightningd.payments.new_invoice import is_bolt12, sign_draft
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, secret32, string
from pylightningd.lightningd.rpc.params import label as label_type
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "createinvoice",
    family="invoices",
    summary="Sign the invoice in {invstring} and keep it with its {label} and {preimage}",
    params={
        "invstring": Param(string, "a draft, BOLT 11 (its signature is ignored) or BOLT 12"),
        "label": Param(label_type, "your own name for it, which must be new"),
        "preimage": Param(secret32, "what its payment_hash is the hash of"),
    },
    examples=["createinvoice lnbc1... coffee " + "01" * 32],
    errors={900: "the label is taken", 901: "the preimage is taken"},
    about="A BOLT 12 draft without invoice_paths gets paths to this node, and likewise the time, the node id and the "
    "features where it has none.",
)
async def createinvoice(node: Node, invstring: str, label: str, preimage: bytes) -> dict[str, Any]:
    signed = await sign_draft(node, invstring)
    if sha256(preimage).digest() != signed.payment_hash:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Incorrect preimage")
    if signed.description is None and not is_bolt12(signed.text):
        raise UserError(JSONRPC2_INVALID_PARAMS, "Missing description in invoice")
    row = InvoiceRow(
        label=label,
        payment_hash=signed.payment_hash,
        preimage=preimage,
        payment_secret=signed.payment_secret,
        amount=signed.amount,
        expires_at=signed.expires_at,
        bolt11=signed.text,
        description=signed.description or "",
        min_final_cltv=signed.min_final_cltv,
        local_offer_id=signed.offer_id,
    )
    await node.turn.do(lambda: node.invoices.add(row))
    return invoice_json(row)


@command(
    "signinvoice",
    family="invoices",
    summary="Sign the invoice in {invstring}, without keeping it",
    params={"invstring": Param(string, "a draft; a signature in it is ignored")},
    examples=["signinvoice lnbc1..."],
)
async def signinvoice(node: Node, invstring: str) -> dict[str, Any]:
    signed = await sign_draft(node, invstring)
    return {"bolt12" if is_bolt12(signed.text) else "bolt11": signed.text}
