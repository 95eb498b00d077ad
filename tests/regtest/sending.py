"""Payments along routes that a test chooses: invoices, routes, sendpay."""

from __future__ import annotations

import itertools
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt12
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.network import REGTEST
from pylightningd.common.wire.bolt12_wire import Invoice
from tests.regtest.node import Node
from tests.regtest.waiting import TIMEOUT_S

FINAL_DELAY = 9
HOP_DELAY = 6
_labels = itertools.count(1)
_preimages: list[bytes] = []


def new_invoice(payee: Node, amount_msat: int | str = "any", **more: Any) -> dict[str, Any]:
    """An invoice with a label of its own; bolt11, payment_hash, payment_secret, label."""
    label = more.pop("label", f"invoice-{next(_labels)}")
    made = payee.rpc("invoice", amount_msat=amount_msat, label=label, description="test", **more)
    return made | {"label": label}


def route_to(
    payer: Node, *hops: Node, amount_msat: int, fees_msat: int | list[int] = 0
) -> list[dict[str, Any]]:
    """A route through these nodes' first usable channels; fees_msat: what each forwarder keeps."""
    nodes = [payer, *hops]
    count = len(hops)
    each = [fees_msat] * (count - 1) if isinstance(fees_msat, int) else fees_msat
    route = []
    for n, (source, target) in enumerate(itertools.pairwise(nodes)):
        channel = next(c for c in source.channels(target) if c["state"] == "CHANNELD_NORMAL")
        route.append(
            {
                "id": target.id,
                "channel": channel.get("short_channel_id") or channel["alias"]["local"],
                "amount_msat": amount_msat + sum(each[n:]),
                "delay": FINAL_DELAY + HOP_DELAY * (count - 1 - n),
            }
        )
    return route


def start_payment(
    payer: Node, route: list[dict[str, Any]], invoice: dict[str, Any], **more: Any
) -> str:
    """sendpay; returns the payment_hash."""
    payer.rpc(
        "sendpay",
        route=route,
        payment_hash=invoice["payment_hash"],
        payment_secret=invoice["payment_secret"],
        **more,
    )
    return str(invoice["payment_hash"])


def send(payer: Node, *hops: Node, amount_msat: int, fees_msat: int | list[int] = 0) -> str:
    """Pay an invoice of the last node; returns the payment_hash once it is complete."""
    invoice = new_invoice(hops[-1], amount_msat)
    route = route_to(payer, *hops, amount_msat=amount_msat, fees_msat=fees_msat)
    payment_hash = start_payment(payer, route, invoice)
    done = payer.rpc("waitsendpay", payment_hash=payment_hash, timeout=int(TIMEOUT_S))
    assert done["status"] == "complete"
    return payment_hash


def invoice_of(payee: Node, label: str) -> dict[str, Any]:
    """listinvoices' entry."""
    return dict(payee.rpc("listinvoices", label=label)["invoices"][0])


def payment_of(payer: Node, payment_hash: str) -> dict[str, Any]:
    """listsendpays' last entry for a hash."""
    return dict(payer.rpc("listsendpays", payment_hash=payment_hash)["payments"][-1])


def next_preimage(payee: Node) -> bytes:
    """Of the invoice that `bolt12_invoice` makes next; they do not repeat, whoever is paid."""
    return sha256(f"{payee.id} {len(_preimages)}".encode()).digest()


def bolt12_invoice(payee: Node, amount_msat: int, **more: Any) -> dict[str, Any]:
    """A BOLT 12 invoice that answers nobody's request: bolt12, payment_hash, label, preimage, decoded."""
    number = next(_labels)
    preimage = next_preimage(payee)
    _preimages.append(preimage)
    key = (number + 1).to_bytes(32, "big")
    values: dict[str, Any] = {
        "invreq_metadata": key,
        "invreq_chain": REGTEST.chain_hash,
        "invreq_payer_id": pubkey_from_secret(key),
        "invreq_amount": Msat(amount_msat),
        "offer_description": "test",
        "invoice_payment_hash": sha256(preimage).digest(),
        "invoice_amount": Msat(amount_msat),
    } | more
    label = f"invoice-{number}"
    draft = bolt12.encode_string("lni", Invoice(**values).encode())
    made = payee.rpc("createinvoice", invstring=draft, label=label, preimage=preimage.hex())
    return made | {"preimage": preimage.hex(), "invoice": bolt12.decode_invoice(made["bolt12"])}
