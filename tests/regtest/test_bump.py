"""`bump` on a real chain: whatever is stuck is made to confirm, by replacement or by a child."""

from __future__ import annotations

from typing import Any

import pytest

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.onchain import DELAY, OPTIONS, close_alone, output_of, wait_state
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for


def bump_soon(node: Node, txid: str, feerate: str) -> dict[str, Any]:
    """bump's answer; bitcoind shows a transaction a moment before the node has noted that it went out."""

    def tried() -> dict[str, Any]:
        try:
            return dict(node.rpc("bump", txid=txid, feerate=feerate))
        except RpcError as error:
            assert "Unknown transaction" in error.message or "just now" in error.message
            return {}

    return wait_for(tried, f"{node.name} to know what it sent")


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
    child = bump_soon(l1, commitment, "9000perkw")
    assert (child["method"], child["kind"]) == ("cpfp", "commitment")
    assert set(bitcoind.mempool()) == {commitment, child["txid"]}
    l1.restart(clean=False)
    # The restart has not raised it.
    assert set(bitcoind.mempool()) == {commitment, child["txid"]}
    again = bump_soon(l1, commitment, "12000perkw")
    assert again["replaces"] == child["txid"]
    assert set(bitcoind.mempool()) == {commitment, again["txid"]}
    node_factory.mine(1)
    # A claim.
    wait_state(l1, "ONCHAIN")
    wait_for(lambda: "onchain_outputs" in l1.channels()[0], "the outputs")
    row = output_of(l1, "DELAYED_OUTPUT_TO_US")
    assert row["claim"] == "OUR_DELAYED_RETURN_TO_WALLET"
    assert row["claim_block"] == bitcoind.height() + DELAY
    assert row["final_depth"] == 100
    assert "deadline" not in row
    node_factory.mine(DELAY - 1)
    wait_for(bitcoind.mempool, "the sweep")
    (claim,) = bitcoind.mempool()
    done = bump_soon(l1, claim, "3000perkw")
    assert (done["method"], done["kind"]) == ("rbf", "claim")
    node_factory.mine(1, wait_for_mempool=done["txid"])
    wait_for(lambda: "resolved_by" in output_of(l1, "DELAYED_OUTPUT_TO_US"), "the sweep's block")
    row = output_of(l1, "DELAYED_OUTPUT_TO_US")
    assert row["final_blockheight"] == bitcoind.height() + 99


def test_bump_a_mutual_close(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    txid = l1.rpc("close", id=l2.id)["txids"][0]
    bitcoind.wait_for_mempool(txid)
    first = l1.rpc("bump", txid=txid, feerate="5000perkw")
    assert (first["method"], first["kind"]) == ("cpfp", "mutual close")
    done = l1.rpc("bump", txid=txid, feerate="8000perkw")
    assert (done["kind"], done["replaces"]) == ("mutual close", first["txid"])
    assert set(bitcoind.mempool()) == {txid, done["txid"]}
    node_factory.mine(1, wait_for_mempool=done["txid"])
    assert not bitcoind.mempool()


def package_perkw(bitcoind: Bitcoind, txid: str) -> int:
    """What bitcoind says that a transaction pays with its ancestors."""
    entry = bitcoind.rpc("getmempoolentry", txid)
    return int(entry["fees"]["ancestor"] * 100_000_000 * 250 // entry["ancestorsize"])


def test_bump_what_has_no_change_and_what_somebody_pays_us(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    bitcoind = node_factory.bitcoind
    first = node_factory.fund_wallet(l1, 100_000)
    node_factory.fund_wallet(l1, 300_000)
    away = bitcoind.rpc("getnewaddress", "", "bech32")
    coin = next(o for o in l1.rpc("listfunds")["outputs"] if o["txid"] == first)
    sent = l1.rpc(
        "withdraw",
        destination=away,
        satoshi=99_850,
        feerate="253perkw",
        utxos=[f"{first}:{coin['output']}"],
    )["txid"]
    done = l1.rpc("bump", txid=sent, feerate="5000perkw")
    assert (done["method"], done["paid_from"]) == ("rbf", "coins")
    assert bitcoind.mempool() == [done["txid"]]
    node_factory.mine(1, wait_for_mempool=done["txid"])
    # All of it to somebody else: he gets what is left.
    wait_for(l1.spendable_sat, "l1's change")
    sent = l1.rpc("withdraw", destination=away, satoshi="all", feerate="253perkw")["txid"]
    told = l1.rpc("bump", txid=sent, feerate="5000perkw", dry_run=True)
    assert told["paid_from"] == "destination"
    done = l1.rpc("bump", txid=sent, feerate="5000perkw")
    assert done["destination_msat"] == told["destination_msat"]
    node_factory.mine(1, wait_for_mempool=done["txid"])
    # Somebody pays us too little fee: our child makes up for it, and is raised by either name.
    deposit = bitcoind.pay(l1.rpc("newaddr", addresstype="bech32")["bech32"], 2_000_000)
    child = l1.rpc("bump", txid=deposit, feerate="8000perkw")
    assert (child["method"], child["kind"]) == ("cpfp", "deposit")
    assert package_perkw(bitcoind, child["txid"]) in range(7950, 8200)
    l1.restart(clean=False)
    for name, kind in ((deposit, "deposit"), (child["txid"], "child")):
        rate = 10_000 if kind == "deposit" else 12_000
        done = l1.rpc("bump", txid=name, feerate=f"{rate}perkw")
        assert (done["kind"], done["replaces"]) == (kind, child["txid"])
        assert set(bitcoind.mempool()) == {deposit, done["txid"]}
        assert package_perkw(bitcoind, done["txid"]) in range(rate - 50, rate + 200)
        child = done
    with pytest.raises(RpcError, match="perkw already"):
        l1.rpc("bump", txid=deposit, feerate="11900perkw")
    node_factory.mine(1, wait_for_mempool=child["txid"])
    assert not bitcoind.mempool()


def test_bump_a_funding(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.fund_wallet(l1, 2_000_000)
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
    again = l1.rpc("bump", txid=funding, feerate="7000perkw")
    assert (again["method"], again["replaces"]) == ("cpfp", done["txid"])
    assert set(bitcoind.mempool()) == {funding, again["txid"]}
    with pytest.raises(RpcError, match="only the peer can bump it"):
        l2.rpc("bump", txid=funding, feerate="9000perkw")
    node_factory.mine(1)
    assert not bitcoind.mempool()
    wait_state(l1, "CHANNELD_NORMAL")
    # The peer's commitment, by our anchor in it.
    l1.stop()
    commitment = close_alone(l2)
    bitcoind.wait_for_mempool(commitment)
    l1.start()
    child = bump_soon(l1, commitment, "9000perkw")
    assert (child["kind"], child["method"]) == ("commitment", "cpfp")
    assert package_perkw(bitcoind, child["txid"]) in range(8900, 9300)
    node_factory.mine(1, wait_for_mempool=child["txid"])
    wait_state(l1, "ONCHAIN")
    node_factory.connect(l1, l2)
    # A channel that is given up before its funding is in a block: the anchor's child pays for all three.
    node_factory.fund_wallet(l1, 200_000)
    opened = l1.rpc("fundchannel", id=l2.id, amount=300_000, feerate="253perkw")
    bitcoind.wait_for_mempool(opened["txid"])
    l2.stop()
    (commitment,) = l1.rpc("close", id=opened["channel_id"], unilateraltimeout=1)["txids"]
    bitcoind.wait_for_mempool(commitment)
    child = bump_soon(l1, commitment, "9000perkw")
    assert set(bitcoind.mempool()) == {opened["txid"], commitment, child["txid"]}
    assert package_perkw(bitcoind, child["txid"]) in range(8900, 9300)
