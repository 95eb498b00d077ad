"""fetchinvoice and sendinvoice: a message, and the wait for what comes of it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_rules import INVREQ_TYPES, mirrored_records
from pylightningd.common.network import Network
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest
from pylightningd.common.wire.onion_wire import OnionmsgTlv
from pylightningd.common.wire.tlv import write_records
from pylightningd.plugins.lib import INVALID_PARAMS, Plugin, RpcError
from pylightningd.plugins.offers.request import (
    OFFER_BAD_INVREQ_REPLY,
    OFFER_TIMEOUT,
    Wish,
    check_invoice_answer,
    check_offer_is_usable,
    error_answer,
    make_request,
    read_offer,
)
from pylightningd.plugins.offers.shell import Post, destinations

Json = dict[str, Any]
_INVOICE_TYPES = (range(160, 240),)
INVOICE_EXPIRED_DURING_WAIT = 903


async def fetch_invoice(plugin: Plugin, post: Post, text: str, wish: Wish, seconds: int) -> Json:
    """The result of fetchinvoice. Raises RpcError."""
    offer, tlvs = read_offer(text, post.network)
    check_offer_is_usable(offer, post.now())
    our_id, alias_base = await post.our_id(), await post.alias_base()
    unsigned = make_request(offer, tlvs, wish, post.network, our_id, alias_base)
    draft = bolt12.encode_string(bolt12.INVOICE_REQUEST_PREFIX, unsigned)
    made = await plugin.rpc("createinvoicerequest", bolt12=draft, savetodb=False)
    plugin.log(f'invoice_request: "{made["bolt12"]}"', "debug")
    _, request = bolt12.decode_string(made["bolt12"])
    where, waiting, secret = await post.ask(
        destinations(offer.offer_paths, offer.offer_issuer_id),
        OnionmsgTlv(invoice_request=request),
    )
    try:
        async with asyncio.timeout(seconds):
            letter = await waiting.answer
    except TimeoutError:
        raise RpcError(OFFER_TIMEOUT, "Timeout waiting for response") from None
    finally:
        post.forget(secret)
    if letter.invoice_error is not None:
        raise error_answer(letter.invoice_error)
    if letter.invoice is None:
        raise RpcError(
            OFFER_BAD_INVREQ_REPLY, "Neither invoice nor invoice_request_failed in reply"
        )
    issuer = offer.offer_issuer_id or where.end
    return check_invoice_answer(letter.invoice, request, issuer, post.network, post.now())


def read_invreq(text: str, network: Network) -> tuple[InvoiceRequest, bytes]:
    """An invoice request that answers no offer, and its TLVs. Raises RpcError."""
    try:
        _, tlvs = bolt12.decode_string(text)
        invreq = bolt12.decode_invoice_request(text, network.chain_hash)
    except bolt12.Bolt12Error as error:
        raise RpcError(INVALID_PARAMS, f"invreq: Unparsable invoice_request: {error}") from None
    if invreq.offer_issuer_id is not None or invreq.offer_paths is not None:
        raise RpcError(INVALID_PARAMS, "invreq: This is based on an offer?")
    return invreq, tlvs


async def send_invoice(
    plugin: Plugin, post: Post, text: str, label: str, amount_msat: int | None, seconds: int
) -> Json:
    """The result of sendinvoice: the invoice, once it is paid. Raises RpcError."""
    invreq, tlvs = read_invreq(text, post.network)
    assert invreq.invreq_amount is not None  # checked, for there is no offer
    amount = invreq.invreq_amount if amount_msat is None else Msat(amount_msat)
    preimage = post.entropy.take(32)
    ours = Invoice(
        invoice_created_at=post.now(),
        invoice_relative_expiry=seconds,
        invoice_payment_hash=sha256(preimage).digest(),
        invoice_amount=amount,
        invoice_node_id=await post.our_id(),
    ).encode()
    # BOLT 12, "Invoices", writer of an invoice MUST copy all fields of the request but its signature.
    draft = write_records(
        mirrored_records(tlvs, INVREQ_TYPES) + mirrored_records(ours, _INVOICE_TYPES)
    )
    made = await plugin.rpc(
        "createinvoice",
        invstring=bolt12.encode_string(bolt12.INVOICE_PREFIX, draft),
        label=label,
        preimage=preimage.hex(),
    )
    _, invoice = bolt12.decode_string(made["bolt12"])
    # BOLT 12, "Requirements for Invoice Requests", reader: over invreq_paths, else to invreq_payer_id.
    _, waiting, secret = await post.ask(
        destinations(invreq.invreq_paths, invreq.invreq_payer_id), OnionmsgTlv(invoice=invoice)
    )
    paid = plugin.spawn(_wait_paid(plugin, label), f"invoice {label}")
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait((paid, waiting.answer), return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise _unanswered(made) from None
    finally:
        post.forget(secret)
        if not paid.done():
            paid.cancel()
    if not paid.done():
        raise error_answer(waiting.answer.result().invoice_error or b"\0")
    result: Json | RpcError = paid.result()
    if isinstance(result, RpcError):
        raise _unanswered(made) if result.code == INVOICE_EXPIRED_DURING_WAIT else result
    return result


def _unanswered(made: Json) -> RpcError:
    data = {"invstring": made["bolt12"]}
    return RpcError(OFFER_TIMEOUT, "Failed: timeout waiting for response", data)


async def _wait_paid(plugin: Plugin, label: str) -> Json | RpcError:
    try:
        found: Json = await plugin.rpc("waitinvoice", label=label)
    except RpcError as error:
        return error
    return found
