"""`bump` on a real chain: whatever is stuck is made to confirm, by replacement or by a child."""

from __future__ import annotations

from typing import Any

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.onchain import DELAY, OPTIONS, close_alone, output_of, wait_state
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for


def _bumped(node: Node, txid: str, feerate: str) -> dict[str, Any] | None:
    """bump's answer; bitcoind shows a transaction a moment before the node has noted that it went out."""
    try:
        return node.rpc("bump", txid=txid, feerate=feerate)
    except RpcError as error:
        assert "Unknown transaction" in error.message
        return None


def test_bump_each_kind_of_transaction(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    address = l2.rpc("newaddr", addresstype="bech32")["bech32"]
    sent = l1.rpc("withdraw", destination=address, satoshi=50_000, feerate="253perkw")["txid"]
    told = l1.rpc("bump", txid=sent, feerate="2000perkw", dry_run=True)
    assert told["method"] == "rbf"
    assert "txid" not in told
    done = l1.rpc("bump", txid=sent, feerate="2000perkw", budget=told["extra_fee_msat"] // 1000)
    assert done["extra_fee_msat"] == told["extra_fee_msat"]
    assert bitcoind.mempool() == [done["txid"]]
    with pytest.raises(RpcError, match="budget"):
        l1.rpc("bump", txid=done["txid"], feerate="9000perkw", budget=10)
    child = l1.rpc("bump", txid=done["txid"], feerate="5000perkw")
    assert child["method"] == "rbf"
    node_factory.mine(1, wait_for_mempool=child["txid"])
    with pytest.raises(RpcError, match="in block"):
        l1.rpc("bump", txid=child["txid"], feerate="5000perkw")
    # Our commitment, by its anchor.
    l2.stop()
    commitment = close_alone(l1)
    bitcoind.wait_for_mempool(commitment)
    child = l1.rpc("bump", txid=commitment, feerate="9000perkw")
    assert (child["method"], child["kind"]) == ("cpfp", "commitment")
    assert set(bitcoind.mempool()) == {commitment, child["txid"]}
    l1.restart(clean=False)
    again = l1.rpc("bump", txid=child["txid"], feerate="12000perkw")
    assert set(bitcoind.mempool()) == {commitment, again["txid"]}
    node_factory.mine(1)
    # A claim.
    wait_state(l1, "ONCHAIN")
    wait_for(lambda: "onchain_outputs" in l1.channels()[0], "the outputs")
    row = output_of(l1, "DELAYED_OUTPUT_TO_US")
    assert row["claim"] == "OUR_DELAYED_RETURN_TO_WALLET"
    assert row["claim_block"] == bitcoind.height() + DELAY
    node_factory.mine(DELAY - 1)
    wait_for(bitcoind.mempool, "the sweep")
    (claim,) = bitcoind.mempool()
    done = wait_for(lambda: _bumped(l1, claim, "3000perkw"), "the node to know its own sweep")
    assert (done["method"], done["kind"]) == ("rbf", "claim")
    node_factory.mine(1, wait_for_mempool=done["txid"])
    wait_for(lambda: "resolved_by" in output_of(l1, "DELAYED_OUTPUT_TO_US"), "the sweep's block")


def test_bump_a_mutual_close(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    txid = l1.rpc("close", id=l2.id)["txids"][0]
    bitcoind.wait_for_mempool(txid)
    done = l1.rpc("bump", txid=txid, feerate="5000perkw")
    assert (done["method"], done["kind"]) == ("cpfp", "mutual close")
    node_factory.mine(1, wait_for_mempool=done["txid"])
    assert not bitcoind.mempool()


def test_bump_a_funding_and_what_cannot_be_bumped(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.fund_wallet(l1, 100_000)
    # All of it to somebody else: there is no change to take the fee from, and nothing to spend in a child.
    away = bitcoind.rpc("getnewaddress", "", "bech32")
    sent = l1.rpc("withdraw", destination=away, satoshi="all", feerate="253perkw")["txid"]
    with pytest.raises(RpcError, match="nothing to bump it with"):
        l1.rpc("bump", txid=sent, feerate="5000perkw")
    node_factory.mine(1, wait_for_mempool=sent)
    deposit = bitcoind.pay(l1.rpc("newaddr", addresstype="bech32")["bech32"], 2_000_000)
    with pytest.raises(RpcError, match="Unknown transaction"):
        l1.rpc("bump", txid=deposit, feerate="5000perkw")
    node_factory.mine(1, wait_for_mempool=deposit)
    wait_for(lambda: l1.spendable_sat() == 2_000_000, "l1's coins")
    node_factory.connect(l1, l2)
    funding = l1.rpc("fundchannel", id=l2.id, amount=500_000)["txid"]
    bitcoind.wait_for_mempool(funding)
    # A channel hangs on its txid: never by replacement.
    deadline = bitcoind.height() + 2
    told = l1.rpc("bump", txid=funding, deadline=deadline, budget=100_000, dry_run=True)
    assert (told["method"], told["kind"]) == ("cpfp", "funding")
    with pytest.raises(RpcError, match="budget"):
        l1.rpc("bump", txid=funding, deadline=deadline, budget=1)
    with pytest.raises(RpcError, match="should be above the present height"):
        l1.rpc("bump", txid=funding, deadline=deadline - 2)
    done = l1.rpc("bump", txid=funding, feerate="5000perkw")
    assert (done["method"], done["kind"]) == ("cpfp", "funding")
    assert set(bitcoind.mempool()) == {funding, done["txid"]}
    node_factory.mine(1)
    assert not bitcoind.mempool()
    wait_state(l1, "CHANNELD_NORMAL")
