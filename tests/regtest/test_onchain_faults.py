"""Channels on the chain while processes die, and where a block holds a commitment together with what spends it."""

from __future__ import annotations

from typing import Any

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.onchain import (
    DELAY,
    OPTIONS,
    close_alone,
    held_htlc,
    hold_plugin,
    wait_state,
)
from tests.regtest.sending import payment_of
from tests.regtest.waiting import wait_for

RESTARTED = ("connectd", "gossipd", "channeld", "onchaind")
VITAL = ("hsmd", "bcli")
"""What the node cannot do without: it ends, and goes on when it is started again."""


def _kill_and_wait_for_another(node: Node, daemon: str) -> None:
    old = node.daemon_pids(daemon)
    node.kill_daemon(daemon)
    wait_for(
        lambda: (
            len(node.daemon_pids(daemon)) == len(old)
            and not set(old) & set(node.daemon_pids(daemon))
        ),
        f"another {daemon}",
    )


def test_each_process_is_killed_while_an_output_waits(node_factory: NodeFactory) -> None:
    options = OPTIONS | {"dev-fail-on-subdaemon-fail": False}
    l1, l2 = node_factory.make_many(
        2, options, may_crash=True, allow_trouble="was killed|marked as important"
    )
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    before = l1.spendable_sat()
    for daemon in RESTARTED:
        _kill_and_wait_for_another(l1, daemon)
        node_factory.mine(1)
    for process in VITAL:
        l1.kill_daemon(process)
        assert l1.wait_exit() != 0
        l1.start()
    assert DELAY == len(RESTARTED) + 1
    wait_for(node_factory.bitcoind.mempool, "the sweep")
    l1.restart(clean=False)
    node_factory.mine(1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")
    l1.wait_for_log("Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal")


def _timeout_tx(factory: NodeFactory, first: int, commitment: str) -> dict[str, Any]:
    """The transaction in the blocks from `first` on that spends the commitment and has a locktime."""
    bitcoind = factory.bitcoind
    for height in range(first, bitcoind.height() + 1):
        for tx in bitcoind.rpc("getblock", bitcoind.rpc("getblockhash", height), 2)["tx"]:
            if tx["locktime"] and any(i.get("txid") == commitment for i in tx["vin"]):
                return dict(tx)
    raise AssertionError("there is no HTLC-timeout transaction")


def test_commitment_and_second_stage_in_one_block(node_factory: NodeFactory) -> None:
    """Without anchors nothing keeps them apart. A reorganisation brings them together, where there were six blocks between."""
    bitcoind = node_factory.bitcoind
    plugin, _ = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.connect(l1, l2)
    node_factory.fund_wallet(l1, 2_000_000)
    funding = l1.rpc(
        "fundchannel", id=l2.id, amount=1_000_000, push_msat=100_000_000, channel_type=[12]
    )["txid"]
    node_factory.mine(1, wait_for_mempool=funding)
    node_factory.wait_normal(l1, l2, funding)
    payment_hash = held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l2.kill9()
    commitment = close_alone(l1)
    bitcoind.wait_for_mempool(commitment)
    raw = bitcoind.rpc("getrawtransaction", commitment)
    node_factory.mine(1)
    first = bitcoind.height()
    l1.wait_for_log("Telling lightningd about OUR_HTLC_TIMEOUT_TX")
    node_factory.mine(expiry - first)
    node_factory.mine_until(
        l1, "Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX"
    )
    timeout = _timeout_tx(node_factory, first, commitment)
    old_height = bitcoind.height()
    bitcoind.rpc("invalidateblock", bitcoind.rpc("getblockhash", first))
    for _ in range(old_height - first + 1):
        bitcoind.rpc("generateblock", bitcoind.new_address(), [])
    block = bitcoind.rpc("generateblock", bitcoind.new_address(), [raw, timeout["hex"]])["hash"]
    assert set(bitcoind.rpc("getblock", block)["tx"][1:]) == {commitment, timeout["txid"]}
    l1.log.mark()
    node_factory.sync()
    l1.wait_for_log("Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX")
    l2.start()
    l2.wait_for_log("Resolved THEIR_UNILATERAL/THEIR_HTLC by THEIR_HTLC_TIMEOUT_TO_THEM")
    before = l1.spendable_sat()
    node_factory.mine(DELAY - 1)
    # To_local and what the HTLC-timeout transaction pays, both after the same delay.
    node_factory.mine_until(
        l1,
        "Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal",
        "Resolved OUR_HTLC_TIMEOUT_TX/DELAYED_OUTPUT_TO_US by our proposal",
    )
    assert payment_of(l1, payment_hash)["status"] == "failed"
    wait_for(lambda: l1.spendable_sat() > before + 880_000, "l1's coins")
    wait_for(lambda: l2.spendable_sat() >= 99_000, "l2's coins")
