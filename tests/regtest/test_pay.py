"""The payer on real nodes: direct, over others, by private hints, in parts, around failures, and what it says when it fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import new_invoice
from tests.regtest.waiting import wait_for


def pay(payer: Node, payee: Node, amount_msat: int, **more: object) -> dict:
    invoice = new_invoice(payee, amount_msat)
    result = payer.rpc("pay", bolt11=invoice["bolt11"], **more)
    paid = payee.rpc("listinvoices", label=invoice["label"])["invoices"][0]
    assert paid["status"] == "paid"
    assert paid["payment_preimage"] == result["payment_preimage"]
    return result


def test_direct(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.line_graph(2, wait_for_announcement=False)
    result = pay(l1, l2, 100_000_000, label="tea")
    assert (result["amount_msat"], result["amount_sent_msat"]) == (100_000_000, 100_000_000)
    assert result["destination"] == l2.id
    listed = l1.rpc("listpays")["pays"]
    assert [(p["status"], p["label"], p["amount_msat"]) for p in listed] == [
        ("complete", "tea", 100_000_000)
    ]
    # Again: nothing is paid twice.
    again = l1.rpc("pay", bolt11=listed[0]["bolt11"])
    assert again["payment_preimage"] == result["payment_preimage"]
    assert len(l1.rpc("listsendpays")["payments"]) == 1
    # What was received can be spent once it is nobody's HTLC any more.
    wait_for(lambda: not any(n.channels()[0]["htlcs"] for n in (l1, l2)), "the HTLC's end")
    back = pay(l2, l1, 5_000)
    assert back["status"] == "complete"
    assert len(l1.rpc("paystatus")["pay"]) == 1
    xpaid = l1.rpc("xpay", invstring=new_invoice(l2, 7_000)["bolt11"])
    assert (xpaid["successful_parts"], xpaid["failed_parts"]) == (1, 0)


def test_keysend_and_any_amount(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.line_graph(2, wait_for_announcement=False)
    result = l1.rpc("keysend", destination=l2.id, amount_msat=4_000)
    found = l2.rpc("listinvoices", payment_hash=result["payment_hash"])["invoices"]
    assert [(i["status"], i["amount_received_msat"]) for i in found] == [("paid", 4_000)]
    invoice = new_invoice(l2, "any")["bolt11"]
    with pytest.raises(RpcError, match="amount_msat parameter required"):
        l1.rpc("pay", bolt11=invoice)
    assert l1.rpc("pay", bolt11=invoice, amount_msat=6_000)["amount_msat"] == 6_000


def test_ourselves(node_factory: NodeFactory) -> None:
    (l1,) = node_factory.make_many(1)
    assert pay(l1, l1, 3_000)["destination"] == l1.id


def test_over_others(node_factory: NodeFactory) -> None:
    l1, _, l3 = node_factory.line_graph(3)
    result = pay(l1, l3, 1_000_000)
    assert result["amount_sent_msat"] == 1_000_000 + 1 + 10
    with pytest.raises(RpcError, match="Route too expensive") as caught:
        l1.rpc("pay", bolt11=new_invoice(l3, 1_000_000)["bolt11"], maxfee=10)
    assert caught.value.code == 206


def test_private_hint_and_old_fees(node_factory: NodeFactory) -> None:
    l1, l2, l3 = node_factory.make_many(3)
    node_factory.open_channel(l1, l2, wait_for_announcement=True)
    node_factory.open_channel(l2, l3, announce=False)
    wait_for(lambda: l3.channels(l2)[0]["updates"].get("remote"), "l2's policy at l3")
    before = new_invoice(l3, 100_000)["bolt11"]
    assert pay(l1, l3, 100_000)["amount_sent_msat"] == 100_002
    # The invoice's hint is older than the fees: the failure tells the new ones.
    l2.rpc("setchannel", id=l3.id, feebase=500, feeppm=0, enforcedelay=0)
    result = l1.rpc("pay", bolt11=before)
    assert (result["amount_sent_msat"], result["parts"]) == (100_500, 2)


def test_in_parts(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    for _ in range(2):
        node_factory.open_channel(l1, l2, 300_000)
    result = pay(l1, l2, 450_000_000)
    assert result["parts"] >= 2
    listed = l1.rpc("listpays")["pays"][0]
    assert (listed["amount_msat"], listed["number_of_parts"]) == (450_000_000, result["parts"])
    with pytest.raises(RpcError, match="our channels can send") as caught:
        l1.rpc("pay", bolt11=new_invoice(l2, 450_000_000)["bolt11"])
    assert caught.value.code == 205


def test_refused(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.line_graph(2, wait_for_announcement=False)
    invoice = new_invoice(l2, 1_000)
    l2.rpc("delinvoice", label=invoice["label"], status="unpaid")
    with pytest.raises(RpcError, match="WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS") as caught:
        l1.rpc("pay", bolt11=invoice["bolt11"])
    assert caught.value.code == 203
    assert l1.rpc("listpays")["pays"][0]["status"] == "failed"
    l2.stop()
    wait_for(lambda: not l1.is_connected(l2))
    with pytest.raises(RpcError, match="none of our channels is usable") as caught:
        l1.rpc("pay", bolt11=invoice["bolt11"])
    assert caught.value.code == 205


def test_behind_in_blocks(node_factory: NodeFactory) -> None:
    """What was mined a moment ago, seen by one side only, fails no payment."""
    l1, l2 = node_factory.line_graph(2, wait_for_announcement=False)
    for _ in range(3):
        node_factory.bitcoind.generate(3)
        pay(l1, l2, 1_000)
        node_factory.sync()


def test_many_at_once(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.line_graph(2, wait_for_announcement=False)
    invoices = [new_invoice(l2, 1_000)["bolt11"] for _ in range(30)]
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda b: l1.rpc("pay", bolt11=b), invoices + invoices[:5]))
    assert all(r["status"] == "complete" for r in results)
    assert len(l1.rpc("listpays", status="complete")["pays"]) == 30
