"""BOLT 12 invoices paid over blinded paths, between real nodes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.blinding import make_blinded_path
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.bolt12_wire import BlindedPayinfo
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import bolt12_invoice, invoice_of, next_preimage
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


def long_path(payee: Node, *nodes: Node, secret: bytes) -> dict[str, Any]:
    """invoice_paths and invoice_blindedpay of a path through `nodes` to `payee`, each hop for 500 msat and 10 ppm."""
    relay = ow.EncryptedDataPaymentRelay(
        cltv_expiry_delta=6, fee_proportional_millionths=10, fee_base_msat=500
    )
    hops = []
    for node, following in zip(nodes, (*nodes[1:], payee), strict=True):
        scid = ShortChannelId.from_str(node.channels(following)[0]["short_channel_id"])
        data = ow.EncryptedDataTlv(short_channel_id=scid, payment_relay=relay)
        hops.append((bytes.fromhex(node.id), data.encode()))
    hops.append((bytes.fromhex(payee.id), ow.EncryptedDataTlv(path_id=secret).encode()))
    path, _ = make_blinded_path(secret, hops)
    cost = BlindedPayinfo(
        fee_base_msat=500 * len(nodes) + 1,
        fee_proportional_millionths=10 * len(nodes) + 1,
        cltv_expiry_delta=6 * len(nodes) + 20,
        htlc_minimum_msat=1,
        htlc_maximum_msat=10**9,
        features=b"",
    )
    return {"invoice_paths": (path,), "invoice_blindedpay": (cost,)}


def test_a_path_of_several_hops_and_its_failure(node_factory: NodeFactory) -> None:
    """l3 is inside the path: what fails there comes back to l1 as l2's word, and says nothing."""
    l1, l2, l3, l4 = node_factory.line_graph(4)
    base = bytes.fromhex(l4.rpc("makesecret", string="bolt12-invoice-base")["secret"])

    def asked(amount_msat: int) -> dict[str, Any]:
        secret = sha256(base + sha256(next_preimage(l4)).digest()).digest()
        return bolt12_invoice(l4, amount_msat, **long_path(l4, l2, l3, secret=secret))

    made = asked(1_000_000)
    result = l1.rpc("xpay", invstring=made["bolt12"])
    paid(l4, made, result)
    assert result["amount_sent_msat"] == 1_000_000 + 1001 + 21
    wait_for(lambda: l3.rpc("listforwards")["forwards"][0]["status"] == "settled")

    made = asked(2_000_000)
    l4.stop()
    wait_for(lambda: not l3.is_connected(l4))
    with pytest.raises(RpcError, match="WIRE_INVALID_ONION_BLINDING") as caught:
        l1.rpc("pay", bolt11=made["bolt12"])
    assert caught.value.code == 210
    [part] = l1.rpc("paystatus")["pay"][-1]["attempts"]
    assert part["failure"]["erring_index"] == 1
    forwards = [f["status"] for f in l3.rpc("listforwards")["forwards"]]
    assert forwards == ["settled", "local_failed"]
