"""BOLT 12 between real nodes: onion messages over a node between, invoices for offers, and what they become when paid."""

from __future__ import annotations

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for


def test_offers_over_a_node_between(node_factory: NodeFactory) -> None:
    """l1 has no connection to l3: request and invoice go over l2, and so does the money."""
    l1, l2, l3 = node_factory.line_graph(3, wait_for_announcement=True)
    _wait_for_announcements(l1, [l2, l3])
    fixed = l3.rpc("offer", amount="2000sat", description="tea", single_use=True)
    free = l3.rpc("offer", amount="any", description="donation")

    fetched = l1.rpc("fetchinvoice", offer=fixed["bolt12"], payer_note="hot, please")
    assert fetched["changes"] == {}
    # The same request of another payer key is another invoice; both may be open.
    second = l1.rpc("fetchinvoice", offer=fixed["bolt12"])
    assert second["invoice"] != fetched["invoice"]
    assert l1.rpc("decode", string=fetched["invoice"])["invreq_payer_note"] == "hot, please"
    assert [p["id"] for p in l1.rpc("listpeers")["peers"]] == [l2.id]

    result = l1.rpc("xpay", invstring=fetched["invoice"])
    assert result["amount_msat"] == 2_000_000
    invoices = l3.rpc("listinvoices", offer_id=fixed["offer_id"])["invoices"]
    assert [(i["status"], i["local_offer_id"]) for i in invoices] == [
        ("paid", fixed["offer_id"]),
        ("expired", fixed["offer_id"]),  # the offer was for a single use
    ]
    assert invoices[0]["payment_preimage"] == result["payment_preimage"]
    assert invoices[0]["invreq_payer_note"] == "hot, please"
    listed = l3.rpc("listoffers", offer_id=fixed["offer_id"])["offers"][0]
    assert (listed["active"], listed["used"]) == (False, True)
    with pytest.raises(RpcError, match="failure message") as refused:
        l1.rpc("fetchinvoice", offer=fixed["bolt12"])
    assert refused.value.code == 1004
    assert "no longer available" in str(refused.value.data)

    fetched = l1.rpc("fetchinvoice", offer=free["bolt12"], amount_msat=123_456)
    assert l1.rpc("pay", bolt11=fetched["invoice"])["amount_msat"] == 123_456
    paid = l3.rpc("listinvoices", offer_id=free["offer_id"])["invoices"]
    assert [(i["status"], i["amount_received_msat"]) for i in paid] == [("paid", 123_456)]
    _refund(l1, l3)


def _refund(l1: Node, l3: Node) -> None:
    """l1 offers to pay once; l3 asks for it, and nobody gets it again."""
    request = l1.rpc("invoicerequest", amount=50_000, description="refund")
    result = l3.rpc("sendinvoice", invreq=request["bolt12"], label="refund")
    assert (result["status"], result["amount_received_msat"]) == ("paid", 50_000)
    listed = wait_for(
        lambda: [r for r in l1.rpc("listinvoicerequests")["invoicerequests"] if r["used"]],
        "request used",
    )
    assert not listed[0]["active"]
    with pytest.raises(RpcError) as refused:
        l3.rpc("sendinvoice", invreq=request["bolt12"], label="again")
    assert refused.value.code == 1004


def _wait_for_announcements(node: Node, others: list[Node]) -> None:
    """Until the node has read that the others pass onion messages on."""

    def known() -> bool:
        nodes = {n["nodeid"]: n for n in node.rpc("listnodes")["nodes"]}
        return all("features" in nodes.get(o.id, {}) for o in others)

    wait_for(known, "node announcements")


def test_a_payee_that_the_network_does_not_know(node_factory: NodeFactory) -> None:
    """l3 has one unannounced channel: its offer, its invoice and the money go through its peer."""
    l1, l2, l3 = node_factory.make_many(3)
    node_factory.open_channel(l1, l2, wait_for_announcement=True)
    node_factory.open_channel(l2, l3, announce=False)
    for node in (l1, l3):
        _wait_for_announcements(node, [l2])
    offer = l3.rpc("offer", amount=30_000, description="tea")
    paths = l1.rpc("decode", string=offer["bolt12"])["offer_paths"]
    assert [p["first_node_id"] for p in paths] == [l2.id]
    fetched = l1.rpc("fetchinvoice", offer=offer["bolt12"])
    paths = l1.rpc("decode", string=fetched["invoice"])["invoice_paths"]
    assert [p["first_node_id"] for p in paths] == [l2.id]
    assert l1.rpc("xpay", invstring=fetched["invoice"])["amount_msat"] == 30_000
    (paid,) = l3.rpc("listinvoices", offer_id=offer["offer_id"])["invoices"]
    assert (paid["status"], paid["amount_received_msat"]) == ("paid", 30_000)
    # A node that is away answers nothing; one whose offer ended says so.
    l3.rpc("disableoffer", offer_id=offer["offer_id"])
    with pytest.raises(RpcError, match="failure message"):
        l1.rpc("fetchinvoice", offer=offer["bolt12"])
    l3.stop()
    with pytest.raises(RpcError) as silent:
        l1.rpc("fetchinvoice", offer=offer["bolt12"], timeout=1)
    assert silent.value.code == 1005
