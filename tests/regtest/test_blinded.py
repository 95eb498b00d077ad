"""BOLT 12 invoices paid over blinded paths, between real nodes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import bolt12_invoice, invoice_of
from tests.regtest.waiting import wait_for


def paid(payee: Node, made: dict[str, Any], result: dict[str, Any]) -> None:
    assert result["payment_preimage"] == made["preimage"]
    assert invoice_of(payee, made["label"])["status"] == "paid"


def test_through_a_peer_and_from_it_and_to_ourselves(node_factory: NodeFactory) -> None:
    """l3 has a private channel only: l2 is the introduction point, for l1 and for itself."""
    l1, l2, l3 = node_factory.make_many(3)
    node_factory.open_channel(l1, l2, wait_for_announcement=True)
    node_factory.open_channel(l2, l3, announce=False)
    wait_for(lambda: l3.channels(l2)[0]["updates"].get("remote"), "l2's policy at l3")

    made = bolt12_invoice(l3, 200_000_000)
    [path] = made["invoice"].invoice_paths
    assert (path.first_node_id.hex(), len(path.path)) == (l2.id, 2)
    result = l1.rpc("xpay", invstring=made["bolt12"])
    paid(l3, made, result)
    assert result["amount_sent_msat"] == 200_000_000 + 1 + 2000
    [listed] = l1.rpc("listpays", bolt11=made["bolt12"])["pays"]
    assert (listed["bolt12"], listed["status"]) == (made["bolt12"], "complete")
    assert listed["preimage"] == made["preimage"]
    [forward] = l2.rpc("listforwards")["forwards"]
    assert (forward["status"], forward["fee_msat"]) == ("settled", 2001)

    # Who is the introduction point steps over itself, and pays nobody for it.
    made = bolt12_invoice(l3, 2_000_000)
    result = l2.rpc("pay", bolt11=made["bolt12"])
    paid(l3, made, result)
    assert (result["amount_sent_msat"], result["destination"]) == (2_000_000, l3.id)

    made = bolt12_invoice(l3, 3_000_000)
    paid(l3, made, l3.rpc("xpay", invstring=made["bolt12"]))

    # l1 is announced, and so its own introduction point.
    made = bolt12_invoice(l1, 100_000)
    [path] = made["invoice"].invoice_paths
    assert (path.first_node_id.hex(), len(path.path)) == (l1.id, 1)
    paid(l1, made, l3.rpc("xpay", invstring=made["bolt12"]))

    # Behind the introduction point nobody learns what is wrong, and each path is tried once.
    made = bolt12_invoice(l3, 4_000_000)
    l3.rpc("delinvoice", label=made["label"], status="unpaid")
    with pytest.raises(RpcError, match="WIRE_INVALID_ONION_BLINDING") as caught:
        l1.rpc("xpay", invstring=made["bolt12"])
    assert caught.value.code == 210
    parts = l1.rpc("listsendpays", payment_hash=made["payment_hash"])["payments"]
    assert [part["status"] for part in parts] == ["failed"]
    made = bolt12_invoice(l1, 50_000)
    l1.rpc("delinvoice", label=made["label"], status="unpaid")
    with pytest.raises(RpcError, match="WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS") as caught:
        l3.rpc("pay", bolt11=made["bolt12"])
    assert caught.value.code == 203
