"""The on-chain wallet on a real chain: addresses, withdrawals, reorganisations, crashes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError


def outputs(node: Node) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.rpc("listfunds")["outputs"]
    return found


def new_node(node_factory: NodeFactory, bitcoind: Bitcoind) -> Node:
    """A node with no coins. All tests' nodes have the same keys: blocks between keep them from seeing old coins."""
    bitcoind.generate(3)
    node = node_factory.make()
    assert outputs(node) == []
    return node


@pytest.mark.parametrize("kind", ["p2tr", "bech32"])
def test_receive_and_withdraw(node_factory: NodeFactory, bitcoind: Bitcoind, kind: str) -> None:
    l1 = new_node(node_factory, bitcoind)
    address = l1.rpc("newaddr", addresstype=kind)[kind]
    txid = bitcoind.pay(address, 1_000_000)
    node_factory.mine(1, wait_for_mempool=txid)
    (coin,) = outputs(l1)
    assert (coin["address"], coin["amount_msat"]) == (address, 1_000_000_000)
    assert (coin["status"], coin["reserved"]) == ("confirmed", False)

    payee = bitcoind.new_address()
    sent = l1.rpc("withdraw", destination=payee, satoshi=400_000, feerate="1000perkw")
    entry = bitcoind.rpc("getmempoolentry", sent["txid"])
    # 1 sat for each weight unit; a signature may come out a byte shorter than reckoned with.
    assert 0 <= round(entry["fees"]["base"] * 10**8) - entry["weight"] <= 2
    node_factory.mine(1, wait_for_mempool=sent["txid"])
    assert bitcoind.rpc("getreceivedbyaddress", payee) == Decimal("0.004")

    payee = bitcoind.new_address()
    last = l1.rpc("withdraw", destination=payee, satoshi="all")
    node_factory.mine(1, wait_for_mempool=last["txid"])
    assert outputs(l1) == []
    assert len(l1.rpc("listtransactions")["transactions"]) == 3


def test_psbt(node_factory: NodeFactory, bitcoind: Bitcoind) -> None:
    l1 = new_node(node_factory, bitcoind)
    node_factory.fund_wallet(l1, 500_000)
    node_factory.fund_wallet(l1, 600_000)
    ready = l1.rpc("txprepare", outputs=[{bitcoind.new_address(): 700_000}])
    assert all(o["reserved"] for o in outputs(l1))
    l1.restart()
    assert all(o["reserved"] for o in outputs(l1))
    signed = l1.rpc("signpsbt", psbt=ready["psbt"])["signed_psbt"]
    sent = l1.rpc("sendpsbt", psbt=signed)
    assert sent["txid"] == ready["txid"]
    node_factory.mine(1, wait_for_mempool=sent["txid"])
    assert [o["status"] for o in outputs(l1)] == ["confirmed"]


def test_refused_by_bitcoind(node_factory: NodeFactory, bitcoind: Bitcoind) -> None:
    l1 = new_node(node_factory, bitcoind)
    node_factory.fund_wallet(l1, 500_000)
    (coin,) = outputs(l1)
    ready = l1.rpc("txprepare", outputs=[{bitcoind.new_address(): 100_000}])
    signed = l1.rpc("signpsbt", psbt=ready["psbt"])["signed_psbt"]
    l1.rpc("sendpsbt", psbt=signed)
    node_factory.mine(1, wait_for_mempool=1)
    with pytest.raises(RpcError, match="Already spent UTXO|already spent"):
        l1.rpc(
            "withdraw",
            destination=bitcoind.new_address(),
            satoshi=1000,
            utxos=[f"{coin['txid']}:{coin['output']}"],
        )


def test_a_deposit_is_reorganised_away(node_factory: NodeFactory, bitcoind: Bitcoind) -> None:
    l1 = new_node(node_factory, bitcoind)
    node_factory.mine(3)
    txid = node_factory.fund_wallet(l1, 500_000)
    height = bitcoind.height()
    bitcoind.reorg(1, keep_mempool=False)
    l1.sync()
    assert [o["status"] for o in outputs(l1)] == ["unconfirmed"]
    node_factory.mine(1, wait_for_mempool=txid)
    (coin,) = outputs(l1)
    assert (coin["txid"], coin["status"]) == (txid, "confirmed")
    assert coin["blockheight"] > height


def test_a_withdrawal_survives_a_crash(node_factory: NodeFactory, bitcoind: Bitcoind) -> None:
    l1 = new_node(node_factory, bitcoind)
    node_factory.fund_wallet(l1, 500_000)
    sent = l1.rpc("withdraw", destination=bitcoind.new_address(), satoshi=100_000)
    l1.kill9()
    # bitcoind forgets it: the node gives it again.
    bitcoind.stop()
    (bitcoind.folder / "regtest" / "mempool.dat").unlink(missing_ok=True)
    bitcoind.start("-persistmempool=0")
    l1.start()
    bitcoind.wait_for_mempool(sent["txid"])
    node_factory.mine(1, wait_for_mempool=sent["txid"])
    assert [o["status"] for o in outputs(l1)] == ["confirmed"]
    assert outputs(l1)[0]["txid"] == sent["txid"]
