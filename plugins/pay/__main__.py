"""Commands of the payer plugin: pay, xpay, keysend, listpays, paystatus."""

from __future__ import annotations

import secrets
import time
from hashlib import sha256
from typing import Any

from pylightningd.plugins.lib import INVALID_PARAMS, Plugin, RpcError
from pylightningd.plugins.parameters import may, need
from pylightningd.plugins.pay import params
from pylightningd.plugins.pay.order import is_offer, keysend_order, pay_order, read_invoice
from pylightningd.plugins.pay.report import listpays_json
from pylightningd.plugins.pay.shell import Payer

AMOUNT = may("msat", "how much, for an invoice that leaves it open")
LABEL = may("label", "your own name for the payment")
RETRY_FOR = may("u32", "seconds during which new ways are tried; 60 if left out")
MAXDELAY = may("u32", "the most blocks for which money may be held up")
MAXFEE = may("msat", "the most to pay in fees, in msat")
PARTIAL = may("msat", "pay only this part; somebody else pays the rest")
MAXFEEPERCENT = may("number", "the most to pay in fees, in percent of the amount; 0.5 if left out")
EXEMPTFEE = may("msat", "fees up to this, in msat, are no matter; 5000 if left out")
LOCALINVREQID = may("hash", "the invoice request of ours that the invoice answers")
RISKFACTOR = may("number", "what a delay of a year costs, in percent; 10 if left out")
NO_SHADOW = may("boolean", "taken: no shadow route is ever added", dev=True)

plugin = Plugin(notifications=["pay_success", "pay_failure"])
plugin.add_option("disable-mpp", "flag", None, "Disable multi-part payments.")
payer = Payer(plugin)


@plugin.init
async def init() -> None:
    """Read the map while the node goes on."""
    payer.start()


@plugin.subscribe("block_added")
async def block_added(_topic: str, block: dict[str, Any]) -> None:
    """Keep the height, so that no payment has to ask for it."""
    payer.height = block.get("block_added", block).get("height", payer.height)


async def _pay_invoice(method: str, given: dict[str, Any]) -> dict[str, Any]:
    description = params.text("description", given.get("description"))
    invoice = read_invoice(given["invstring"], description, plugin.configuration["network"])
    given["invstring"] = given["invstring"].lower().removeprefix("lightning:")
    split = not plugin.options["disable-mpp"]
    return await payer.pay(pay_order(method, invoice, given, now=time.time(), split=split))


async def _fetch_invoice(offer: str, amount_msat: Any, payer_note: Any, retry_for: Any) -> str:
    """Ask the issuer of an offer for an invoice. Raises RpcError where it asks for another amount than agreed."""
    wanted = {
        "offer": offer,
        "amount_msat": params.msat("amount_msat", amount_msat),
        "payer_note": params.text("payer_note", payer_note),
        "timeout": params.unsigned("retry_for", retry_for),
    }
    request = {name: value for name, value in wanted.items() if value is not None}
    try:
        fetched = await plugin.rpc("fetchinvoice", request)
    except RpcError as error:
        raise RpcError(error.code, _in_our_words(error.message), error.data) from None
    invoice: str = fetched["invoice"]
    if "amount_msat" in fetched["changes"]:
        # BOLT 12, "Invoices", reader: SHOULD confirm an amount outside of what was authorized.
        agreed = "the offer says" if wanted["amount_msat"] is None else "you said"
        raise RpcError(
            INVALID_PARAMS,
            f"the issuer asks for {fetched['changes']['amount_msat']}msat, which is not what {agreed}: "
            "use fetchinvoice, look at the invoice, then xpay that",
            {"invoice": invoice, "changes": fetched["changes"]},
        )
    return invoice


def _in_our_words(refusal: str) -> str:
    """fetchinvoice's complaint about a parameter, as one of xpay's: our own usage will follow."""
    said = refusal.partition(" (usage: fetchinvoice ")[0]
    return f"invstring: {said.removeprefix('offer: ')}" if said.startswith("offer: ") else said


@plugin.method(
    "pay",
    params={
        "bolt11": need("string", "the invoice (lnbc... or lni...)"),
        "amount_msat": AMOUNT,
        "label": LABEL,
        "riskfactor": RISKFACTOR,
        "maxfeepercent": MAXFEEPERCENT,
        "retry_for": RETRY_FOR,
        "maxdelay": MAXDELAY,
        "exemptfee": EXEMPTFEE,
        "localinvreqid": LOCALINVREQID,
        "exclude": may("array", "channels (103x1x0/1) and nodes that must not be used"),
        "maxfee": MAXFEE,
        "description": may("string", "the text whose hash is in the invoice, if only the hash is"),
        "partial_msat": PARTIAL,
        "dev_use_shadow": NO_SHADOW,
    },
    description="Send payment specified by {bolt11}",
    example="pay lnbc20u1p3y0x3hpp5743k2g0fsqqxj7n8qzuhns5gmkk4djeejk3wkp64ppevgekvc0js",
)
async def pay(
    bolt11: Any = None,
    amount_msat: Any = None,
    label: Any = None,
    riskfactor: Any = None,
    maxfeepercent: Any = None,
    retry_for: Any = None,
    maxdelay: Any = None,
    exemptfee: Any = None,
    localinvreqid: Any = None,
    exclude: Any = None,
    maxfee: Any = None,
    description: Any = None,
    partial_msat: Any = None,
    dev_use_shadow: Any = None,  # noqa: ARG001 - accepted, as CLN's tests pass it
    *,
    invstring: Any = None,
) -> dict[str, Any]:
    """Pay an invoice."""
    given = {
        "invstring": params.required("bolt11", invstring if bolt11 is None else bolt11),
        "amount_msat": amount_msat,
        "label": label,
        "riskfactor": riskfactor,
        "maxfeepercent": maxfeepercent,
        "retry_for": retry_for,
        "maxdelay": maxdelay,
        "exemptfee": exemptfee,
        "localinvreqid": localinvreqid,
        "exclude": exclude,
        "maxfee": maxfee,
        "description": description,
        "partial_msat": partial_msat,
    }
    return await _pay_invoice("pay", given)


@plugin.method(
    "xpay",
    params={
        "invstring": need("string", "the invoice (lnbc... or lni...), or an offer (lno...)"),
        "amount_msat": AMOUNT,
        "maxfee": MAXFEE,
        "layers": may("array", "not supported: there are no layers"),
        "retry_for": RETRY_FOR,
        "partial_msat": PARTIAL,
        "maxdelay": MAXDELAY,
        "payer_note": may("string", "what an offer's issuer is to read"),
        "label": LABEL,
        "localinvreqid": LOCALINVREQID,
        "dev_use_shadow": NO_SHADOW,
    },
    description="Send payment specified by {invstring}",
    example="xpay lnbc20u1p3y0x3hpp5743k2g0fsqqxj7n8qzuhns5gmkk4djeejk3wkp64ppevgekvc0js",
)
async def xpay(
    invstring: Any = None,
    amount_msat: Any = None,
    maxfee: Any = None,
    layers: Any = None,
    retry_for: Any = None,
    partial_msat: Any = None,
    maxdelay: Any = None,
    payer_note: Any = None,
    label: Any = None,
    localinvreqid: Any = None,
    dev_use_shadow: Any = None,  # noqa: ARG001 - accepted, as CLN's tests pass it
) -> dict[str, Any]:
    """Pay an invoice."""
    if layers:
        raise RpcError(INVALID_PARAMS, "layers: not supported: this node has no askrene layers")
    wanted = params.text("invstring", params.required("invstring", invstring)) or ""
    if is_offer(wanted):
        wanted = await _fetch_invoice(wanted, amount_msat, payer_note, retry_for)
        amount_msat = None
    elif payer_note is not None:
        raise RpcError(INVALID_PARAMS, "payer_note: only an offer's issuer gets to read it")
    given = {
        "invstring": wanted,
        "amount_msat": amount_msat,
        "maxfee": maxfee,
        "retry_for": retry_for,
        "partial_msat": partial_msat,
        "maxdelay": maxdelay,
        "label": label,
        "localinvreqid": localinvreqid,
    }
    return await _pay_invoice("xpay", given)


@plugin.method(
    "keysend",
    params={
        "destination": need("node_id", "the node's id"),
        "amount_msat": need("msat", "how much"),
        "label": LABEL,
        "maxfeepercent": MAXFEEPERCENT,
        "retry_for": RETRY_FOR,
        "maxdelay": MAXDELAY,
        "exemptfee": EXEMPTFEE,
        "routehints": may("array", "unannounced channels that lead to the node"),
        "extratlvs": may("object", "more fields for the payee, type to hex"),
        "maxfee": MAXFEE,
        "dev_use_shadow": NO_SHADOW,
    },
    description="Send a payment without an invoice to a node",
    example="keysend 0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518 10000",
)
async def keysend(
    destination: Any = None,
    amount_msat: Any = None,
    label: Any = None,
    maxfeepercent: Any = None,
    retry_for: Any = None,
    maxdelay: Any = None,
    exemptfee: Any = None,
    routehints: Any = None,
    extratlvs: Any = None,
    maxfee: Any = None,
    dev_use_shadow: Any = None,  # noqa: ARG001 - accepted, as CLN's tests pass it
) -> dict[str, Any]:
    """Pay a node that did not ask for it."""
    given = {
        "destination": destination,
        "amount_msat": amount_msat,
        "label": label,
        "maxfeepercent": maxfeepercent,
        "retry_for": retry_for,
        "maxdelay": maxdelay,
        "exemptfee": exemptfee,
        "routehints": routehints,
        "extratlvs": extratlvs,
        "maxfee": maxfee,
    }
    preimage = secrets.token_bytes(32)
    return await payer.pay(keysend_order(given, preimage, sha256(preimage).hexdigest()))


@plugin.method(
    "listpays",
    params={
        "bolt11": may("string", "the payment of this invoice"),
        "payment_hash": may("hash", "the payment with this hash"),
        "status": may("string", "pending, complete or failed"),
        "index": may("string", "in order of created or of updated"),
        "start": may("u64", "from this index on"),
        "limit": may("u32", "so many at most"),
    },
    description="List result of payment {bolt11} or {payment_hash}, or all",
    example="listpays status=complete",
)
async def listpays(
    bolt11: Any = None,
    payment_hash: Any = None,
    status: Any = None,
    index: Any = None,
    start: Any = None,
    limit: Any = None,
    *,
    invstring: Any = None,
) -> dict[str, Any]:
    """Payments, each with all its parts."""
    wanted = params.one_of("status", status, "pending", "complete", "failed")
    order = params.one_of("index", index, "created", "updated")
    first = params.unsigned("start", start, 64)
    most = params.unsigned("limit", limit)
    asked = {
        "bolt11": params.text("bolt11", invstring if bolt11 is None else bolt11),
        "payment_hash": params.text("payment_hash", payment_hash),
    }
    found = await plugin.rpc("listsendpays", {k: v for k, v in asked.items() if v is not None})
    pays = listpays_json(found["payments"], wanted)
    key = "updated_index" if order == "updated" else "created_index"
    if order is not None:
        pays = sorted(
            (p for p in pays if key in p and p[key] >= (first or 0)), key=lambda p: p[key]
        )
    return {"pays": pays if most is None else pays[:most]}


@plugin.method(
    "paystatus",
    params={"bolt11": may("string", "the payment of this invoice")},
    description="Detail status of attempts to pay {bolt11}, or all",
)
async def paystatus(bolt11: Any = None) -> dict[str, Any]:
    """What was tried since the plugin started."""
    return {"pay": payer.status(params.text("bolt11", bolt11))}


def main() -> None:
    """Run as a plugin of lightningd."""
    from pylightningd.plugins.lib_io import run

    run(plugin)


if __name__ == "__main__":
    main()
