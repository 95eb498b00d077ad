"""Commands of the offers plugin: offer, invoicerequest, fetchinvoice, sendinvoice; and the hooks for onion messages."""

from __future__ import annotations

import json
from typing import Any

from pylightningd.common.entropy_io import SystemEntropy
from pylightningd.common.invoice import bolt12
from pylightningd.plugins.lib import INVALID_PARAMS, Plugin, RpcError
from pylightningd.plugins.offers import drafts
from pylightningd.plugins.offers.counter import Counter
from pylightningd.plugins.offers.fetch import fetch_invoice, send_invoice
from pylightningd.plugins.offers.mail import read_letter
from pylightningd.plugins.offers.request import Wish
from pylightningd.plugins.offers.shell import Post
from pylightningd.plugins.parameters import may, need
from pylightningd.plugins.pay import params

OFFER_ALREADY_EXISTS = 1000
_METADATA_SIZE = 16
Json = dict[str, Any]

NOT_SUPPORTED = "not supported"

plugin = Plugin()
plugin.add_option(
    "fetchinvoice-noconnect",
    "flag",
    None,
    "Don't try to connect directly to fetch/pay an invoice.",
)
post = Post(plugin, SystemEntropy())
counter = Counter(plugin, post)


# ---- letters ------------------------------------------------------------------------------------


@plugin.hook("onion_message_recv")
async def onion_message_recv(onion_message: Json) -> Json:
    """A message over no path of ours."""
    await counter.serve(read_letter(onion_message))
    return {"result": "continue"}


@plugin.hook("onion_message_recv_secret")
async def onion_message_recv_secret(onion_message: Json) -> Json:
    """A message over a path that we made: an answer, or somebody takes up what we published."""
    letter = read_letter(onion_message)
    if not post.take(letter):
        await counter.serve(letter)
    return {"result": "continue"}


@plugin.subscribe("invoice_payment")
async def invoice_payment(_topic: str, payload: Json) -> None:
    """An invoice was paid: it counts no longer as open."""
    counter.paid(str(payload.get("invoice_payment", payload).get("label")))


# ---- what we publish ----------------------------------------------------------------------------


def _amount(value: Any) -> int | None:
    """``any`` (None) or msat. Raises RpcError."""
    value = params.required("amount", value)
    if value == "any":
        return None
    try:
        amount = params.msat("amount", value)
    except RpcError:
        raise RpcError(
            INVALID_PARAMS,
            f"amount: should be 'any' or an amount in msat, sat or btc (no other currencies): "
            f"invalid token '{json.dumps(value)}'",
        ) from None
    if amount == 0:
        params.bad("amount", value, "should be more than 0, or 'any'")
    return amount


def _flag(name: str, value: Any, default: bool) -> bool:
    if value is None:
        return default
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    params.bad(name, value, "should be 'true' or 'false'")


def _refuse(**given: Any) -> None:
    for name, value in given.items():
        if value not in (None, [], False, "false"):
            raise RpcError(INVALID_PARAMS, f"{name}: not supported")


@plugin.method(
    "offer",
    params={
        "amount": need("msat_or_any", "in msat, or 'any'"),
        "description": may("string", "what it is for; needed with an amount"),
        "issuer": may("string", "who you are"),
        "label": may("label", "your own name for it"),
        "quantity_max": may(
            "u64", "several items may be bought at once, at most so many (0: any number)"
        ),
        "absolute_expiry": may("u64", "seconds since 1970 until which it can be taken up"),
        "recurrence": may("string", NOT_SUPPORTED),
        "recurrence_base": may("string", NOT_SUPPORTED),
        "recurrence_paywindow": may("string", NOT_SUPPORTED),
        "recurrence_limit": may("u32", NOT_SUPPORTED),
        "single_use": may("boolean", "whether it ends when it was paid once"),
        "proportional_amount": may("boolean", NOT_SUPPORTED),
        "optional_recurrence": may("boolean", NOT_SUPPORTED),
        "fronting_nodes": may("array", NOT_SUPPORTED),
    },
    description="Create an offer to accept money",
    example="offer 10000 'Fish sale!'",
)
async def offer(
    amount: Any = None,
    description: Any = None,
    issuer: Any = None,
    label: Any = None,
    quantity_max: Any = None,
    absolute_expiry: Any = None,
    recurrence: Any = None,
    recurrence_base: Any = None,
    recurrence_paywindow: Any = None,
    recurrence_limit: Any = None,
    single_use: Any = None,
    proportional_amount: Any = None,
    optional_recurrence: Any = None,
    fronting_nodes: Any = None,
) -> Json:
    """Publish an offer."""
    _refuse(
        recurrence=recurrence,
        recurrence_base=recurrence_base,
        recurrence_paywindow=recurrence_paywindow,
        recurrence_limit=recurrence_limit,
        proportional_amount=proportional_amount,
        optional_recurrence=optional_recurrence,
        fronting_nodes=fronting_nodes,
    )
    our_id = await post.our_id()
    made = drafts.draft_offer(
        post.network,
        our_id,
        amount_msat=_amount(amount),
        description=params.text("description", description),
        issuer=params.text("issuer", issuer),
        quantity_max=params.unsigned("quantity_max", quantity_max, 64),
        absolute_expiry=params.unsigned("absolute_expiry", absolute_expiry, 64),
    )
    peer = await post.entrance()
    if peer is not None:
        made = drafts.with_path(made, await post.path_base(), post.entropy, peer, our_id)
    return await _publish(
        "createoffer",
        bolt12=bolt12.encode_string(bolt12.OFFER_PREFIX, made.encode()),
        label=params.text("label", label),
        single_use=_flag("single_use", single_use, default=False),
    )


@plugin.method(
    "invoicerequest",
    params={
        "amount": need("msat", "the most we pay, in msat"),
        "description": need("string", "what it is for"),
        "issuer": may("string", "who you are"),
        "label": may("label", "your own name for it"),
        "absolute_expiry": may("u64", "seconds since 1970 until which it can be taken up"),
        "single_use": may("boolean", "whether we pay once only, which is so if left out"),
    },
    description="Create a request for an invoice (i.e. an offer to pay somebody)",
    example="invoicerequest 10000 'Your refund'",
)
async def invoicerequest(
    amount: Any = None,
    description: Any = None,
    issuer: Any = None,
    label: Any = None,
    absolute_expiry: Any = None,
    single_use: Any = None,
) -> Json:
    """Publish an invoice request."""
    our_id = await post.our_id()
    wanted = params.msat("amount", params.required("amount", amount))
    if not wanted:
        params.bad("amount", amount, "should be more than 0")
    made = drafts.draft_request(
        post.network,
        our_id,
        post.entropy.take(_METADATA_SIZE),
        amount_msat=wanted,
        description=params.text("description", params.required("description", description)),
        issuer=params.text("issuer", issuer),
        absolute_expiry=params.unsigned("absolute_expiry", absolute_expiry, 64),
    )
    peer = await post.entrance()
    if peer is not None:
        base = await post.path_base()
        made = drafts.request_with_path(made, base, post.entropy, peer, our_id)
    return await _publish(
        "createinvoicerequest",
        bolt12=bolt12.encode_string(bolt12.INVOICE_REQUEST_PREFIX, made.encode()),
        savetodb=True,
        label=params.text("label", label),
        single_use=_flag("single_use", single_use, default=True),
    )


async def _publish(method: str, **given: Any) -> Json:
    made: Json = await plugin.rpc(method, {k: v for k, v in given.items() if v is not None})
    if not made["active"]:
        raise RpcError(OFFER_ALREADY_EXISTS, "Already exists, but isn't active")
    return made


# ---- what others published ----------------------------------------------------------------------


@plugin.method(
    "fetchinvoice",
    params={
        "offer": need("string", "the offer (lno1...)"),
        "amount_msat": may("msat", "how much; needed where the offer leaves it open"),
        "quantity": may("u64", "how many items, for an offer of several"),
        "recurrence_counter": may("u64", NOT_SUPPORTED),
        "recurrence_start": may("u64", NOT_SUPPORTED),
        "recurrence_label": may("string", NOT_SUPPORTED),
        "timeout": may("u32", "seconds to wait; 60 if left out"),
        "payer_note": may("string", "a word to the payee"),
        "payer_metadata": may(
            "hex", "hex that the key of the request follows from; random if left out"
        ),
        "bip353": may("string", "user@domain where the offer was found"),
    },
    description="Request remote node for an invoice for this {offer}",
    example="fetchinvoice lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrcgqg9sxu9zd9hx2",
)
async def fetchinvoice(
    offer: Any = None,
    amount_msat: Any = None,
    quantity: Any = None,
    recurrence_counter: Any = None,
    recurrence_start: Any = None,
    recurrence_label: Any = None,
    timeout: Any = None,  # noqa: ASYNC109 - the command's own name
    payer_note: Any = None,
    payer_metadata: Any = None,
    bip353: Any = None,
) -> Json:
    """Ask for an invoice."""
    _refuse(
        recurrence_counter=recurrence_counter,
        recurrence_start=recurrence_start,
        recurrence_label=recurrence_label,
    )
    text = params.text("offer", params.required("offer", offer)) or ""
    metadata = params.hex_bytes("payer_metadata", payer_metadata)
    wish = Wish(
        amount_msat=params.msat("amount_msat", amount_msat),
        quantity=params.unsigned("quantity", quantity, 64),
        payer_note=params.text("payer_note", payer_note),
        metadata=metadata or post.entropy.take(_METADATA_SIZE),
        bip353=_name("bip353", bip353),
    )
    seconds = params.unsigned("timeout", timeout)
    return await fetch_invoice(plugin, post, text, wish, 60 if seconds is None else seconds)


def _name(param: str, value: Any) -> tuple[str, str] | None:
    if value is None:
        return None
    user, at, domain = str(value).removeprefix("\u20bf").partition("@")
    if not at:
        params.bad(param, value, "missing @")
    return user, domain


@plugin.method(
    "sendinvoice",
    params={
        "invreq": need("string", "the invoice request (lnr1...)"),
        "label": need("label", "your own name for the invoice"),
        "amount_msat": may("msat", "how much, if not all"),
        "timeout": may("u32", "seconds to wait for the money; 90 if left out"),
        "quantity": may("u64", NOT_SUPPORTED),
    },
    description="Request remote node for to pay this {invreq}, with {label}, optional {amount_msat} (default "
    "is the request's), {timeout} (90)",
    example="sendinvoice lnr1qqgz2d7u2smys9dc5q2447e8thjlgqsqqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej refund",
)
async def sendinvoice(
    invreq: Any = None,
    label: Any = None,
    amount_msat: Any = None,
    timeout: Any = None,  # noqa: ASYNC109 - the command's own name
    quantity: Any = None,
) -> Json:
    """Send an invoice to who offers to pay one."""
    _refuse(quantity=quantity)
    text = params.text("invreq", params.required("invreq", invreq)) or ""
    name = params.text("label", params.required("label", label)) or ""
    amount = params.msat("amount_msat", amount_msat)
    seconds = params.unsigned("timeout", timeout)
    return await send_invoice(plugin, post, text, name, amount, 90 if seconds is None else seconds)


def main() -> None:
    """Run as a plugin of lightningd."""
    from pylightningd.plugins.lib_io import run

    run(plugin)


if __name__ == "__main__":
    main()
