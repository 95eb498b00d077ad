"""Payments and invoices as JSON, and failed parts as the errors of sendpay and waitsendpay."""

from __future__ import annotations

from typing import Any

from pylightningd.common.errors import UserError, WireError
from pylightningd.common.invoice import bolt12
from pylightningd.common.onion.failure_codes import code_name
from pylightningd.common.wire.bolt12_wire import Invoice as Bolt12Invoice
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState
from pylightningd.lightningd.db.payments_io import Failure, Part, PaymentStatus
from pylightningd.lightningd.rpc.errors import (
    PAY_DESTINATION_PERM_FAIL,
    PAY_TRY_OTHER_ROUTE,
    PAY_UNPARSEABLE_ONION,
)

Json = dict[str, Any]


def part_json(part: Part, *, listed: bool = False) -> Json:
    """A part as sendpay, waitsendpay and (`listed`) listsendpays show it."""
    result: Json = {
        "created_index": part.id,
        "id": part.id,
        "payment_hash": part.payment_hash.hex(),
        "groupid": part.groupid,
        "status": part.status.name.lower(),
        "created_at": part.created_at,
        "amount_sent_msat": part.amount_sent.msat,
    }
    if part.updated_index:
        result["updated_index"] = part.updated_index
    if part.partid:
        result["partid"] = part.partid
    if part.destination is not None:
        result["destination"] = part.destination.hex()
    if part.amount is not None:
        result["amount_msat"] = part.amount.msat
    if part.completed_at is not None and part.status is not PaymentStatus.PENDING:
        result["completed_at"] = part.completed_at
    if part.label is not None:
        result["label"] = part.label
    if part.bolt11 is not None:
        result["bolt12" if part.bolt11.startswith("lni") else "bolt11"] = part.bolt11
    if listed and part.description is not None:
        result["description"] = part.description
    if part.preimage is not None:
        result["payment_preimage"] = part.preimage.hex()
    if listed and part.failure is not None and part.failure.onion:
        result["erroronion"] = part.failure.onion.hex()
    return result


def failure_error(part: Part) -> UserError:
    """The error that waitsendpay answers for a failed part."""
    failure = part.failure or Failure()
    data = part_json(part)
    if failure.onion is not None and not failure.message:
        data["onionreply"] = failure.onion.hex()
        return UserError(PAY_UNPARSEABLE_ONION, f"malformed error reply: {failure.detail}", data)
    data["failcode"] = failure.code
    data["failcodename"] = code_name(failure.code)
    if failure.index is not None:
        data["erring_index"] = failure.index
    if failure.node is not None:
        data["erring_node"] = failure.node.hex()
    if failure.channel is not None:
        data["erring_channel"] = str(failure.channel)
        data["erring_direction"] = failure.direction
    data["raw_message"] = failure.message.hex()
    if failure.destination_permanent:
        return UserError(PAY_DESTINATION_PERM_FAIL, f"failed: {code_name(failure.code)}", data)
    said = failure.detail or ("reply from remote" if failure.index else "local failure")
    return UserError(PAY_TRY_OTHER_ROUTE, f"failed: {code_name(failure.code)} ({said})", data)


def payer_note(text: str) -> str | None:
    """What the payer wrote into the request that a BOLT 12 invoice answers."""
    try:
        return Bolt12Invoice.decode(bolt12.decode_string(text)[1]).invreq_payer_note
    except (bolt12.Bolt12Error, WireError):
        return None


def invoice_json(invoice: InvoiceRow) -> Json:
    """An invoice as listinvoices shows it."""
    result: Json = {
        "label": invoice.label,
        "payment_hash": invoice.payment_hash.hex(),
        "status": invoice.state.name.lower(),
        "expires_at": invoice.expires_at,
        "created_index": invoice.id,
    }
    if invoice.description is not None:
        result["description"] = invoice.description
    if invoice.bolt11 is not None:
        result["bolt12" if invoice.bolt11.startswith("lni") else "bolt11"] = invoice.bolt11
    if invoice.amount is not None:
        result["amount_msat"] = invoice.amount.msat
    if invoice.local_offer_id is not None:
        result["local_offer_id"] = invoice.local_offer_id.hex()
        note = payer_note(invoice.bolt11 or "")
        if note is not None:
            result["invreq_payer_note"] = note
    if invoice.updated_index:
        result["updated_index"] = invoice.updated_index
    if invoice.state is InvoiceState.PAID and invoice.received is not None:
        result["pay_index"] = invoice.pay_index
        result["amount_received_msat"] = invoice.received.msat
        result["paid_at"] = invoice.paid_at
        result["payment_preimage"] = invoice.preimage.hex()
    return result
