"""Commands about invoices: invoice, listinvoices, delinvoice, waitinvoice, waitanyinvoice, decode."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.address import address_to_script
from pylightningd.common.bitcoin.script import is_p2pkh, is_p2sh, witness_program
from pylightningd.common.errors import UserError
from pylightningd.common.invoice import bolt11
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.indexes_io import Window
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState
from pylightningd.lightningd.payments.describe import invoice_json
from pylightningd.lightningd.payments.hints import choose_hints, incoming_capacity
from pylightningd.lightningd.rpc.errors import (
    INVOICE_EXPIRED_DURING_WAIT,
    INVOICE_NO_DESCRIPTION,
    INVOICE_NOT_FOUND,
    INVOICE_STATUS_UNEXPECTED,
    INVOICE_WAIT_TIMED_OUT,
    JSONRPC2_INVALID_PARAMS,
)
from pylightningd.lightningd.rpc.params import (
    Param,
    anything,
    array,
    boolean,
    hash32,
    msat_or_any,
    one_of,
    secret32,
    string,
    u32,
    u64,
)
from pylightningd.lightningd.rpc.params import (
    label as label_type,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import WINDOW_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_WEEK = 7 * 24 * 3600
_MAX_DESCRIPTION = 639
_P2PKH, _P2SH = 17, 18


def _fallback(node: Node, text: Any) -> bolt11.Fallback:
    if not isinstance(text, str):
        raise UserError(JSONRPC2_INVALID_PARAMS, "fallbacks: should be an array of addresses")
    try:
        script = address_to_script(text, node.network)
    except ValueError as error:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, f"fallbacks: Fallback address not valid: {error}"
        ) from None
    if is_p2pkh(script):
        return bolt11.Fallback(_P2PKH, script[3:23])
    if is_p2sh(script):
        return bolt11.Fallback(_P2SH, script[2:22])
    program = witness_program(script)
    if program is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"fallbacks: {text} cannot stand in an invoice")
    return bolt11.Fallback(*program)


def _check_description(text: str, hash_only: bool) -> None:
    if len(text.encode()) > _MAX_DESCRIPTION and not hash_only:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"Descriptions greater than {_MAX_DESCRIPTION} bytes not yet supported (description length "
            f"{len(text.encode())}); with deschashonly=true only its hash goes into the invoice",
        )


@command(
    "invoice",
    family="invoices",
    summary="Create an invoice for {amount_msat} with {label} and {description}, expiring in {expiry} seconds",
    params={
        "amount_msat": Param(msat_or_any, "the amount, or 'any'"),
        "label": Param(label_type, "your own name for it, which must be new"),
        "description": Param(string, "what the payer sees"),
        "expiry": Param(u64, "seconds until it expires", default=_WEEK),
        "fallbacks": Param(
            array, "on-chain addresses for those who cannot pay by lightning", default=None
        ),
        "preimage": Param(secret32, "the preimage; random if left out", default=None),
        "exposeprivatechannels": Param(
            anything, "true, false, a short_channel_id or an array of them", default=None
        ),
        "cltv": Param(u32, "blocks the last HTLC must leave us", default=None),
        "deschashonly": Param(boolean, "put only the description's hash into it", default=False),
    },
    examples=["invoice 10000 pizza 'Pizza for lunch'", "invoice any donation 'Thank you'"],
    errors={900: "the label is taken", 901: "the preimage is taken"},
)
async def invoice(
    node: Node,
    amount_msat: Msat | str,
    label: str,
    description: str,
    expiry: int,
    fallbacks: list[Any] | None,
    preimage: bytes | None,
    exposeprivatechannels: Any,
    cltv: int | None,
    deschashonly: bool,
) -> dict[str, Any]:
    _check_description(description, deschashonly)
    if not 0 < expiry <= 0xFFFFFFFF:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, f"expiry: should be 1 to {0xFFFFFFFF} seconds, not {expiry}"
        )
    key = preimage if preimage is not None else node.entropy.take(32)
    secret = node.entropy.take(32)
    payment_hash = sha256(key).digest()
    amount = amount_msat if isinstance(amount_msat, Msat) else None
    hints, warnings = choose_hints(node, amount, exposeprivatechannels)
    final_cltv = cltv if cltv is not None else node.settings.cltv_final
    now = int(node.clock.now())
    draft = bolt11.Invoice(
        currency=node.network.bolt11_hrp,
        timestamp=now,
        payment_hash=payment_hash,
        payment_secret=secret,
        amount=amount,
        description=None if deschashonly else description,
        description_hash=sha256(description.encode()).digest() if deschashonly else None,
        expiry=expiry,
        min_final_cltv_expiry=final_cltv,
        fallbacks=tuple(_fallback(node, text) for text in fallbacks or ()),
        routes=hints,
        features=node.features["invoice"],
    )
    text = await node.invoices.sign(draft)
    row = InvoiceRow(
        label=label,
        payment_hash=payment_hash,
        preimage=key,
        payment_secret=secret,
        amount=amount,
        expires_at=now + expiry,
        bolt11=text,
        description=description,
        min_final_cltv=final_cltv,
    )
    await node.turn.do(lambda: node.invoices.add(row))
    return {
        "payment_hash": payment_hash.hex(),
        "expires_at": row.expires_at,
        "bolt11": text,
        "payment_secret": secret.hex(),
        "created_index": row.id,
        **warnings,
        **_capacity_warnings(node, amount),
    }


def _capacity_warnings(node: Node, amount: Msat | None) -> dict[str, str]:
    total, largest = incoming_capacity(node.channels)
    if amount is None or total >= amount.msat:
        if amount is not None and largest < amount.msat:
            return {"warning_mpp": "The invoice is only payable by MPP-capable payers."}
        return {}
    offline = any(
        c.state is ChannelState.CHANNELD_NORMAL and not c.reestablished for c in node.channels
    )
    if offline:
        return {"warning_offline": "Insufficient incoming capacity with connected peers"}
    return {
        "warning_capacity": f"Insufficient incoming channel capacity to pay invoice: {total}msat"
    }


def _selected(
    node: Node,
    label: str | None,
    invstring: str | None,
    payment_hash: bytes | None,
    offer_id: bytes | None,
    window: Window,
) -> list[InvoiceRow]:
    store = node.invoices.store
    if label is not None:
        found = store.by_label(label)
    elif invstring is not None:
        found = store.by_string(invstring.lower().removeprefix("lightning:"))
    elif payment_hash is not None:
        found = store.by_hash(payment_hash)
    else:
        several: list[InvoiceRow] = store.listed(window, offer_id)
        return several
    return [] if found is None else [found]


@command(
    "listinvoices",
    family="invoices",
    summary="Show invoice matching {label}, {invstring}, {payment_hash} or {offer_id} (or all, if no query)",
    params={
        "label": Param(label_type, "only the invoice of this label", default=None),
        "invstring": Param(string, "only the invoice of this text", default=None),
        "payment_hash": Param(hash32, "only the invoice of this hash", default=None),
        "offer_id": Param(hash32, "only invoices of this offer", default=None),
        **WINDOW_PARAMS,
    },
    examples=["listinvoices", "listinvoices pizza"],
)
async def listinvoices(
    node: Node,
    label: str | None,
    invstring: str | None,
    payment_hash: bytes | None,
    offer_id: bytes | None,
    index: str | None,
    start: int | None,
    limit: int | None,
) -> dict[str, Any]:
    queries = [q for q in (label, invstring, payment_hash, offer_id) if q is not None]
    if len(queries) > 1:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            "Can only specify one of {label}, {invstring}, {payment_hash} or {offer_id}",
        )
    window = read_window(index, start, limit)
    await node.turn.do(node.invoices.expire_due)
    rows = _selected(node, label, invstring, payment_hash, offer_id, window)
    return {"invoices": [invoice_json(row) for row in rows]}


@command(
    "delinvoice",
    family="invoices",
    summary="Delete unpaid invoice {label} with {status}",
    params={
        "label": Param(label_type, "which one"),
        "status": Param(
            one_of("paid", "expired", "unpaid"), "its status, so that no other is deleted"
        ),
        "desconly": Param(boolean, "only remove the description", default=False),
    },
    examples=["delinvoice pizza unpaid"],
    errors={
        905: "there is no such invoice",
        906: "it has another status",
        908: "it has no description",
    },
)
async def delinvoice(node: Node, label: str, status: str, desconly: bool) -> dict[str, Any]:
    def delete() -> InvoiceRow:
        node.invoices.expire_due()
        row: InvoiceRow | None = node.invoices.store.by_label(label)
        if row is None:
            raise UserError(INVOICE_NOT_FOUND, f"Unknown invoice: none has label '{label}'")
        actual = row.state.name.lower()
        if actual != status:
            raise UserError(
                INVOICE_STATUS_UNEXPECTED,
                f"Invoice status is {actual} not {status}",
                {"current_status": actual, "expected_status": status},
            )
        if not desconly:
            node.invoices.store.delete(row)
            gone = row
            node.turn.after_commit(lambda: node.invoices.deleted(gone))
        elif row.description is None:
            raise UserError(INVOICE_NO_DESCRIPTION, "Invoice description already removed")
        else:
            node.invoices.store.forget_description(row)
        return row

    return invoice_json(await node.turn.do(delete))


@command(
    "waitinvoice",
    family="invoices",
    summary="Wait for an incoming payment matching the invoice with {label}, or if the invoice expires",
    params={"label": Param(label_type, "which one")},
    examples=["waitinvoice pizza"],
    errors={903: "it expired (also while waiting)", 905: "there is no such invoice"},
)
async def waitinvoice(node: Node, label: str) -> dict[str, Any]:
    await node.turn.do(node.invoices.expire_due)
    row: InvoiceRow | None = node.invoices.store.by_label(label)
    if row is None:
        raise UserError(INVOICE_NOT_FOUND, f"Label not found: no invoice has label '{label}'")
    if row.state is InvoiceState.UNPAID:
        row = await node.invoices.wait(lambda other: other.label == label, label)
    if row.state is InvoiceState.EXPIRED:
        raise UserError(
            INVOICE_EXPIRED_DURING_WAIT, "invoice expired during wait", invoice_json(row)
        )
    return invoice_json(row)


@command(
    "waitanyinvoice",
    family="invoices",
    summary="Wait for the next invoice to be paid, after {lastpay_index} (if supplied)",
    params={
        "lastpay_index": Param(u64, "pay_index of the last payment you know of", default=0),
        "timeout": Param(u64, "seconds to wait; for ever if left out", default=None),
    },
    examples=["waitanyinvoice 5 60"],
    errors={904: "nothing was paid in time"},
)
async def waitanyinvoice(
    node: Node,
    lastpay_index: int,
    timeout: int | None,  # noqa: ASYNC109 - the command's own name
) -> dict[str, Any]:
    row: InvoiceRow | None = node.invoices.store.paid_after(lastpay_index)
    if row is None:
        error = UserError(INVOICE_WAIT_TIMED_OUT, "Timed out while waiting for invoice to be paid")
        if timeout == 0:
            raise error
        paid = node.invoices.wait(lambda other: other.state is InvoiceState.PAID)
        row = await node.within(timeout, paid, error)
    return invoice_json(row)
