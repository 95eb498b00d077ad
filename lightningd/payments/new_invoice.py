"""Invoices that somebody else has drafted: read without a signature, completed, signed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError, WireError
from pylightningd.common.features import Place, features_for
from pylightningd.common.invoice import bolt11, bolt12
from pylightningd.common.invoice.bolt12_merkle import merkle_root
from pylightningd.common.invoice.bolt12_rules import (
    Bolt12Error,
    check_invoice,
    invoice_expires_at,
)
from pylightningd.common.wire import bolt12_wire as bw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.payments.blinded_paths import make_payment_paths, path_id_for
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInvoice:
    """What `createinvoice` writes down."""

    text: str
    payment_hash: bytes
    payment_secret: bytes
    """For BOLT 12 the path_id of its blinded paths."""
    amount: Msat | None
    expires_at: int
    description: str | None
    min_final_cltv: int
    offer_id: bytes | None


def is_bolt12(text: str) -> bool:
    """Whether a text is to be read as BOLT 12."""
    return text.lower().startswith(f"{bolt12.INVOICE_PREFIX}1")


async def sign_draft(node: Node, text: str) -> SignedInvoice:
    """Complete and sign a draft of either kind. Raises UserError."""
    bare = text.strip().lower().removeprefix("lightning:")
    if is_bolt12(bare):
        return await _sign_bolt12(node, text)
    return await _sign_bolt11(node, text)


async def _sign_bolt11(node: Node, text: str) -> SignedInvoice:
    try:
        draft = bolt11.decode_unsigned(text, currency=node.network.bolt11_hrp)
        if draft.payee not in (None, node.node_id):
            raise bolt11.InvoiceError("n: another node is the payee")
        signed = await node.invoices.sign(draft)
    except bolt11.InvoiceError as why:
        raise _unparsable(text, str(why)) from None
    return SignedInvoice(
        text=signed,
        payment_hash=draft.payment_hash,
        payment_secret=draft.payment_secret,
        amount=draft.amount,
        expires_at=draft.expires_at,
        description=draft.description,
        min_final_cltv=draft.min_final_cltv_expiry,
        offer_id=None,
    )


async def _sign_bolt12(node: Node, text: str) -> SignedInvoice:
    draft = _read_bolt12(text)
    if draft.signature is not None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "invoice already signed")
    payment_hash = draft.invoice_payment_hash
    if payment_hash is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Missing payment_hash in invoice")
    if draft.invoice_amount is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Missing invoice_amount in invoice")
    path_id = await path_id_for(node, payment_hash)
    draft = _complete(node, draft, path_id)
    if draft.invoice_node_id != node.node_id:
        raise _unparsable(text, "invoice_node_id is not this node: it cannot sign")
    root = merkle_root(draft.encode())
    reply = await node.hsm.ask(
        hw.HsmdSignBolt12(
            messagename="invoice", fieldname="signature", merkle_root=root, public_tweak=b""
        )
    )
    signed = replace(draft, signature=reply.signature)
    tlvs = signed.encode()
    try:
        check_invoice(signed, tlvs, node.network.chain_hash)
    except Bolt12Error as why:
        raise _unparsable(text, str(why)) from None
    offered = draft.offer_issuer_id is not None or draft.offer_paths is not None
    return SignedInvoice(
        text=bolt12.encode_string(bolt12.INVOICE_PREFIX, tlvs),
        payment_hash=payment_hash,
        payment_secret=path_id,
        amount=draft.invoice_amount,
        expires_at=invoice_expires_at(draft),
        description=draft.offer_description,
        min_final_cltv=node.settings.cltv_final,
        offer_id=bolt12.offer_id(tlvs) if offered else None,
    )


def _read_bolt12(text: str) -> bw.Invoice:
    try:
        prefix, tlvs = bolt12.decode_string(text)
        if prefix != bolt12.INVOICE_PREFIX:
            raise Bolt12Error(f"the prefix is {prefix!r}")
        return bw.Invoice.decode(tlvs)
    except (Bolt12Error, WireError) as why:
        raise _unparsable(text, str(why)) from None


def _complete(node: Node, draft: bw.Invoice, path_id: bytes) -> bw.Invoice:
    """With what only the node knows: paths to it, when it is made, who signs."""
    if draft.invoice_created_at is None:
        draft = replace(draft, invoice_created_at=int(node.clock.now()))
    if draft.invoice_node_id is None:
        draft = replace(draft, invoice_node_id=node.node_id)
    features = features_for(Place.BOLT12_INVOICE, node.feature_bits)
    if draft.invoice_features is None and features:
        draft = replace(draft, invoice_features=features)
    if draft.invoice_paths is None:
        seconds = max(0, invoice_expires_at(draft) - int(node.clock.now()))
        # BOLT 12, "Invoices", writer MUST include invoice_paths, and invoice_blindedpay for each of them.
        paths = make_payment_paths(
            node, path_id, draft.invoice_amount, node.settings.cltv_final, seconds
        )
        draft = replace(
            draft,
            invoice_paths=tuple(p.path for p in paths),
            invoice_blindedpay=tuple(p.cost for p in paths),
        )
    return draft


def _unparsable(text: str, why: str) -> UserError:
    return UserError(JSONRPC2_INVALID_PARAMS, f"Unparsable invoice '{text}': {why}")
