"""Channels that end on the chain, with real processes and a real bitcoind."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import NETWORK, Node
from tests.regtest.onchain import (
    DELAY,
    HTLC_MSAT,
    OPTIONS,
    close_alone,
    closed,
    held_htlc,
    hold_plugin,
    output_of,
    reconnect,
    statuses,
    wait_for_htlc,
    wait_state,
)
from tests.regtest.sending import new_invoice, payment_of, route_to, send, start_payment
from tests.regtest.waiting import wait_for


def test_our_unilateral_close(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    before = l1.spendable_sat()
    node_factory.mine(1, wait_for_mempool=txid)
    l1.wait_for_log(
        "Telling lightningd about OUR_DELAYED_RETURN_TO_WALLET to resolve "
        rf"OUR_UNILATERAL/DELAYED_OUTPUT_TO_US after block [0-9]+ \({DELAY - 1} more blocks\)"
    )
    wait_state(l1, "ONCHAIN")
    assert "ONCHAIN:Tracking our own unilateral close" in statuses(l1)
    l2.start()
    l2.wait_for_log("THEIR_UNILATERAL #")
    wait_for(lambda: l2.spendable_sat() >= 199_000, "l2's coins")
    node_factory.mine(DELAY - 1)
    l1.wait_for_log("Broadcast for onchaind tx")
    node_factory.mine(1, wait_for_mempool=1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")
    l1.wait_for_log("Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal")
    node_factory.mine(99)
    l1.wait_for_log("onchaind complete, forgetting peer")
    forgotten = closed(l1)
    assert forgotten is not None
    steps = [(s["who"], s["event"]) for s in forgotten["close_causes"]]
    assert steps == [
        ("user", "shutdown"),
        ("user", "unilateral_close"),
        ("chain", "funding_spent"),
        ("local", "recognised"),
        ("chain", "resolved"),
    ]
    assert forgotten["close_causes"][2]["txid"] == txid
    l2.wait_for_log("onchaind complete, forgetting peer")


def test_to_remote_can_be_spent(node_factory: NodeFactory) -> None:
    """What the wallet shows of a peer's close is money: it pays with it."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    l2.start()
    wait_for(lambda: l2.spendable_sat() >= 199_000, "l2's coins")
    address = l1.rpc("newaddr", addresstype="bech32")["bech32"]
    sent = l2.rpc("withdraw", destination=address, satoshi="all")
    node_factory.mine(1, wait_for_mempool=sent["txid"])


def test_htlc_times_out_on_our_commitment(node_factory: NodeFactory) -> None:
    plugin, _ = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=100_000_000)
    payment_hash = held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l2.kill9()
    # BOLT 2: one block of grace after its expiry, then the channel fails.
    node_factory.mine(expiry - node_factory.bitcoind.height())
    wait_state(l1, "CHANNELD_NORMAL")
    node_factory.mine(1)
    l1.wait_for_log(f"Offered HTLC 0 SENT_ADD_ACK_REVOCATION cltv {expiry} hit deadline")
    node_factory.mine(1, wait_for_mempool=1)
    l1.wait_for_log(
        "Telling lightningd about OUR_HTLC_TIMEOUT_TX to resolve OUR_UNILATERAL/OUR_HTLC after block"
    )
    node_factory.mine_until(
        l1, "Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX"
    )
    assert payment_of(l1, payment_hash)["status"] == "pending"
    node_factory.mine(2)
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "failed", "the payment to fail")
    before = l1.spendable_sat()
    node_factory.mine(DELAY)
    node_factory.mine_until(l1, "Resolved OUR_HTLC_TIMEOUT_TX/DELAYED_OUTPUT_TO_US by our proposal")
    wait_for(lambda: l1.spendable_sat() > before, "l1's coins")


def test_htlc_times_out_on_their_commitment_across_restarts(node_factory: NodeFactory) -> None:
    plugin, _ = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=100_000_000)
    payment_hash = held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l1.stop()
    txid = close_alone(l2)
    node_factory.mine(1, wait_for_mempool=txid)
    l1.start()
    l1.wait_for_log(
        "Telling lightningd about OUR_HTLC_TIMEOUT_TO_US to resolve THEIR_UNILATERAL/OUR_HTLC after block"
    )
    l1.restart(clean=False)
    l1.wait_for_log("Restarting onchaind")
    node_factory.mine(expiry - node_factory.bitcoind.height())
    # The peer's own sweep may be first.
    node_factory.mine_until(
        l1, "Resolved THEIR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TO_US"
    )
    l1.restart()
    node_factory.mine(2)
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "failed", "the payment to fail")


def test_htlc_is_claimed_on_chain(node_factory: NodeFactory) -> None:
    """The payee has the preimage and the payer is away: it goes to the chain, and the payer learns of it there."""
    plugin, release = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=100_000_000)
    node_factory.fund_wallet(l2, 200_000)
    payment_hash = held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l1.stop()
    release.touch()
    node_factory.mine(expiry - 3 - node_factory.bitcoind.height())
    l2.wait_for_log(r"Fulfilled HTLC 0 [A-Z_]+ cltv [0-9]+ hit deadline")
    node_factory.mine(1, wait_for_mempool=1)
    l2.wait_for_log(
        "Telling lightningd about OUR_HTLC_SUCCESS_TX to resolve OUR_UNILATERAL/THEIR_HTLC after block"
    )
    wait_for(lambda: "onchain_outputs" in l2.channels()[0], "the outputs")
    row = output_of(l2, "THEIR_HTLC")
    assert (row["claim"], row["deadline"], row["rival_block"]) == (
        "OUR_HTLC_SUCCESS_TX",
        expiry,
        expiry + 1,
    )
    assert row["final_depth"] == 100
    node_factory.mine_until(
        l2, "Resolved OUR_UNILATERAL/THEIR_HTLC by our proposal OUR_HTLC_SUCCESS_TX"
    )
    wait_for(lambda: "resolved_by" in output_of(l2, "THEIR_HTLC"), "the row")
    row = output_of(l2, "THEIR_HTLC")
    assert row["final_blockheight"] == row["resolved_blockheight"] + 99
    l1.start()
    l1.wait_for_log("Resolved THEIR_UNILATERAL/OUR_HTLC by OUR_HTLC_FULFILL_TO_THEM")
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "complete", "the payment")


def test_cheater_loses_all(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=False)
    node_factory.open_channel(l1, l2)
    send(l1, l2, amount_msat=100_000_000)
    l1.stop()
    old = node_factory.folder / "old"
    shutil.copytree(l1.folder / NETWORK, old)
    l1.start()
    reconnect(node_factory, l1, l2)
    send(l1, l2, amount_msat=500_000_000)
    l1.stop()
    shutil.rmtree(l1.folder / NETWORK)
    shutil.copytree(old, l1.folder / NETWORK)
    l1.allow_trouble = ".*"
    l1.start()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    l2.wait_for_log("THEIR_REVOKED_UNILATERAL #")
    l2.wait_for_log(
        "Telling lightningd about OUR_PENALTY_TX to resolve "
        "THEIR_REVOKED_UNILATERAL/DELAYED_CHEAT_OUTPUT_TO_THEM after block"
    )
    assert "taking all funds" in statuses(l2)
    node_factory.mine_until(
        l2, "Resolved THEIR_REVOKED_UNILATERAL/DELAYED_CHEAT_OUTPUT_TO_THEM by our proposal"
    )
    wait_for(lambda: l2.spendable_sat() > 980_000, "l2's coins")


def test_reorganisation_after_a_close(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    height = node_factory.bitcoind.height()
    bitcoind = node_factory.bitcoind
    bitcoind.rpc("invalidateblock", bitcoind.rpc("getblockhash", height))
    wait_for(lambda: txid in bitcoind.mempool(), "the commitment to be in the mempool again")
    bitcoind.generate(3)
    node_factory.sync()
    l1.wait_for_log("Chain reorganization!")
    l1.wait_for_log("State changed from ONCHAIN to AWAITING_UNILATERAL")
    wait_state(l1, "ONCHAIN")
    before = l1.spendable_sat()
    node_factory.mine(DELAY - 1)
    wait_for(lambda: bitcoind.mempool(), "the sweep")
    node_factory.mine(1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")


def test_onchaind_killed(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS | {"dev-fail-on-subdaemon-fail": False})
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    before = l1.spendable_sat()
    l1.allow_trouble = "onchaind"
    l1.kill_daemon("onchaind")
    l1.wait_for_log("OUR_UNILATERAL #")
    node_factory.mine(DELAY - 1)
    wait_for(lambda: node_factory.bitcoind.mempool(), "the sweep")
    node_factory.mine(1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")


def _forwarded_htlc(l1: Node, l2: Node, l3: Node) -> str:
    """An HTLC that l3 holds, forwarded by l2; its payment_hash."""
    invoice = new_invoice(l3, HTLC_MSAT)
    route = route_to(l1, l2, l3, amount_msat=HTLC_MSAT, fees_msat=1000)
    payment_hash = start_payment(l1, route, invoice)
    wait_for_htlc(l2, l3)
    return payment_hash


def test_preimage_on_chain_pays_upstream_at_once(node_factory: NodeFactory) -> None:
    plugin, release = hold_plugin(node_factory.folder)
    each: list[dict[str, Any]] = [OPTIONS, OPTIONS, OPTIONS | {"plugin": plugin}]
    l1, l2, l3 = node_factory.line_graph(3, options=each, wait_for_announcement=False)
    node_factory.fund_wallet(l3, 200_000)
    payment_hash = _forwarded_htlc(l1, l2, l3)
    l3.rpc("disconnect", id=l2.id, force=True)
    release.touch()
    txid = close_alone(l3)
    node_factory.mine(1, wait_for_mempool=txid)
    node_factory.mine_until(l2, "THEIR_UNILATERAL/OUR_HTLC gave us preimage")
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "complete", "the payment")
    (forward,) = l2.rpc("listforwards")["forwards"]
    assert forward["status"] == "settled"
    assert l1.channel_states() == ["CHANNELD_NORMAL"]


def test_timeout_on_chain_fails_upstream(node_factory: NodeFactory) -> None:
    plugin, _ = hold_plugin(node_factory.folder)
    more = OPTIONS | {"cltv-delta": 20}
    l1, l2, l3 = node_factory.line_graph(
        3, options=[more, more, OPTIONS | {"plugin": plugin}], wait_for_announcement=False
    )
    invoice = new_invoice(l3, HTLC_MSAT)
    route = route_to(l1, l2, l3, amount_msat=HTLC_MSAT, fees_msat=1000)
    route[0]["delay"] = route[1]["delay"] + 20
    payment_hash = start_payment(l1, route, invoice)
    wait_for_htlc(l2, l3)
    expiry = l3.channels()[0]["htlcs"][0]["expiry"]
    l3.kill9()
    node_factory.mine(expiry + 1 - node_factory.bitcoind.height())
    l2.wait_for_log("Offered HTLC 0 .* hit deadline")
    node_factory.mine_until(
        l2, "Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX"
    )
    node_factory.mine(2)
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "failed", "the payment to fail")
    (forward,) = l2.rpc("listforwards")["forwards"]
    assert forward["status"] == "failed"
    assert l1.channel_states() == ["CHANNELD_NORMAL"]


def test_static_remotekey_channel(node_factory: NodeFactory) -> None:
    """Without anchors HTLC transactions pay their own fee, and to_remote is a plain output."""
    plugin, _ = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.connect(l1, l2)
    node_factory.fund_wallet(l1, 2_000_000)
    txid = l1.rpc(
        "fundchannel", id=l2.id, amount=1_000_000, push_msat=100_000_000, channel_type=[12]
    )["txid"]
    node_factory.mine(1, wait_for_mempool=txid)
    node_factory.wait_normal(l1, l2, txid)
    held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l2.kill9()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    l1.wait_for_log("Telling lightningd about OUR_HTLC_TIMEOUT_TX")
    l2.start()
    wait_for(lambda: l2.spendable_sat() >= 99_000, "l2's coins")
    node_factory.mine(expiry - node_factory.bitcoind.height())
    node_factory.mine_until(
        l1, "Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX"
    )
    l2.wait_for_log("Resolved THEIR_UNILATERAL/THEIR_HTLC by THEIR_HTLC_TIMEOUT_TO_THEM")


def test_cheater_with_an_htlc(node_factory: NodeFactory) -> None:
    """The revoked commitment holds an HTLC: that is taken too, also after the cheater's timeout transaction."""
    plugin, release = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    payment_hash = held_htlc(l1, l2)
    expiry = l1.channels()[0]["htlcs"][0]["expiry"]
    l1.stop()
    old = node_factory.folder / "old"
    shutil.copytree(l1.folder / NETWORK, old)
    l1.start()
    reconnect(node_factory, l1, l2)
    release.touch()
    wait_for(lambda: payment_of(l1, payment_hash)["status"] == "complete", "the payment")
    send(l1, l2, amount_msat=300_000_000)
    wait_for(lambda: not l2.channels()[0]["htlcs"], "the last HTLC")
    l1.stop()
    l2.stop()
    shutil.rmtree(l1.folder / NETWORK)
    shutil.copytree(old, l1.folder / NETWORK)
    l1.allow_trouble = ".*"
    l1.start()
    txid = close_alone(l1)
    # l2 sleeps until the cheater has timed the HTLC out.
    node_factory.mine(1, wait_for_mempool=txid)
    l1.wait_for_log("Telling lightningd about OUR_HTLC_TIMEOUT_TX")
    node_factory.mine(expiry - node_factory.bitcoind.height())
    node_factory.mine_until(
        l1, "Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX"
    )
    l1.kill9()
    l2.start()
    l2.wait_for_log("Resolved THEIR_REVOKED_UNILATERAL/THEIR_HTLC by THEIR_HTLC_TIMEOUT_TO_THEM")
    l2.wait_for_log(
        "Telling lightningd about OUR_PENALTY_TX to resolve "
        "THEIR_HTLC_TIMEOUT_TO_THEM/DELAYED_CHEAT_OUTPUT_TO_THEM"
    )
    node_factory.mine_until(
        l2,
        "Resolved THEIR_HTLC_TIMEOUT_TO_THEM/DELAYED_CHEAT_OUTPUT_TO_THEM by our proposal OUR_PENALTY_TX",
    )


def test_reorganisation_of_a_claim(node_factory: NodeFactory) -> None:
    """The block with our sweep goes away while the node is down, and the sweep with it."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    bitcoind = node_factory.bitcoind
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    before = l1.spendable_sat()
    l1.wait_for_log("Telling lightningd about OUR_DELAYED_RETURN_TO_WALLET")
    node_factory.mine(DELAY - 1)
    wait_for(bitcoind.mempool, "the sweep")
    node_factory.mine(1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")
    height = bitcoind.height()
    l1.stop()
    bitcoind.rpc("invalidateblock", bitcoind.rpc("getblockhash", height))
    bitcoind.rpc("generateblock", bitcoind.new_address(), [])
    bitcoind.rpc("generateblock", bitcoind.new_address(), [])
    l1.start()
    l1.wait_for_log("Chain reorganization!")
    wait_for(lambda: l1.spendable_sat() <= before, "the coins to be gone")
    wait_for(bitcoind.mempool, "the sweep")
    node_factory.mine(1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")
    l1.wait_for_log("Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal")


def test_both_close_at_once(node_factory: NodeFactory) -> None:
    """Two commitments in the mempools: one wins, and both nodes get their money."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = close_alone(l1)
    l1.stop()
    l2.start()
    close_alone(l2)
    l1.start()
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    wait_state(l2, "ONCHAIN")
    wait_for(lambda: l2.spendable_sat() >= 199_000, "l2's coins")


@pytest.mark.books("l2 has forgotten what it was paid since its copy was made", nodes="l1")
def test_lost_data(node_factory: NodeFactory) -> None:
    """l2's database is an old copy: it never broadcasts, asks l1 to close, and takes its balance from that."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2)
    send(l1, l2, amount_msat=100_000_000)
    l2.stop()
    old = node_factory.folder / "old"
    shutil.copytree(l2.folder / NETWORK, old)
    l2.start()
    reconnect(node_factory, l1, l2)
    send(l1, l2, amount_msat=200_000_000)
    send(l1, l2, amount_msat=100_000_000)
    l2.stop()
    shutil.rmtree(l2.folder / NETWORK)
    shutil.copytree(old, l2.folder / NETWORK)
    l2.allow_trouble = ".*"
    l2.start()
    l1.rpc("connect", id=l2.id, host="127.0.0.1", port=l2.port)
    wait_state(l2, "AWAITING_UNILATERAL")
    wait_state(l1, "AWAITING_UNILATERAL")
    txid = l1.channels()[0]["scratch_txid"]
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l2, "ONCHAIN")
    wait_for(lambda: l2.spendable_sat() >= 399_000, "l2's balance")
    assert "ERROR" in statuses(l2)


def test_close_another_output_than_the_negotiated_one(node_factory: NodeFactory) -> None:
    """Somebody paid to the funding address once more: close with wrong_funding gets that back."""
    l1, l2 = node_factory.make_many(2, {"experimental-shutdown-wrong-funding": True})
    node_factory.open_channel(l1, l2)
    bitcoind = node_factory.bitcoind
    channel = l1.channels()[0]
    funding = bitcoind.rpc("gettxout", channel["funding_txid"], channel["funding_outnum"])
    other = bitcoind.pay(funding["scriptPubKey"]["address"], 1_000_000)
    node_factory.mine(1, wait_for_mempool=other)
    outnum = next(
        out["n"]
        for out in bitcoind.rpc("gettransaction", other, True, True)["decoded"]["vout"]
        if out["scriptPubKey"] == funding["scriptPubKey"]
    )
    done = l1.rpc("close", id=l2.id, wrong_funding=f"{other}:{outnum}")
    assert done["type"] == "mutual"
    (spent,) = bitcoind.rpc("decoderawtransaction", done["txs"][0])["vin"]
    assert (spent["txid"], spent["vout"]) == (other, outnum)
    l1.wait_for_log("Setting wrong_funding_txid to")
    before = l1.spendable_sat()
    node_factory.mine(1, wait_for_mempool=done["txids"][0])
    for node in (l1, l2):
        wait_state(node, "ONCHAIN")
        wait_for(lambda n=node: "Tracking mutual close" in statuses(n), "the close")  # type: ignore[misc]
    wait_for(lambda: l1.spendable_sat() > before, "l1's coins")


def test_htlcs_of_one_expiry_time_out_in_one_transaction(node_factory: NodeFactory) -> None:
    """The peer's signatures are SINGLE|ANYONECANPAY, so bitcoind takes both HTLC transactions as one."""
    plugin, _ = hold_plugin(node_factory.folder)
    l1, l2 = node_factory.make_many(2, [OPTIONS, OPTIONS | {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=100_000_000)
    for _ in range(2):
        invoice = new_invoice(l2, HTLC_MSAT)
        start_payment(l1, route_to(l1, l2, amount_msat=HTLC_MSAT), invoice)
    for node, state in ((l1, "SENT_ADD_ACK_REVOCATION"), (l2, "RCVD_ADD_ACK_REVOCATION")):
        wait_for(
            lambda n=node, s=state: [h["state"] for h in n.channels()[0]["htlcs"]] == [s] * 2,  # type: ignore[misc]
            f"{node.name}'s HTLCs",
        )
    (expiry,) = {h["expiry"] for h in l1.channels()[0]["htlcs"]}
    l2.kill9()
    txid = close_alone(l1)
    node_factory.mine(1, wait_for_mempool=txid)
    wait_state(l1, "ONCHAIN")
    bitcoind = node_factory.bitcoind
    node_factory.mine(expiry - bitcoind.height())
    # Beside it the sweep of our balance may still wait.
    (shared,) = wait_for(
        lambda: [tx for tx in _spenders_of(bitcoind, txid) if len(tx["vout"]) == 3],
        "the HTLC transactions as one",
    )
    assert sum(vin["txid"] == txid for vin in shared["vin"]) == 2
    node_factory.mine(1)
    l1.wait_for_log("Resolved OUR_UNILATERAL/OUR_HTLC by our proposal OUR_HTLC_TIMEOUT_TX")
    node_factory.mine(DELAY - 1)
    (sweep,) = wait_for(lambda: _spenders_of(bitcoind, shared["txid"]), "the sweep of both")
    assert [vin["vout"] for vin in sweep["vin"]] == [0, 1]


def _spenders_of(bitcoind: Bitcoind, txid: str) -> list[dict[str, Any]]:
    """Transactions in the mempool that spend outputs of this one."""
    txs = [bitcoind.rpc("getrawtransaction", waiting, True) for waiting in bitcoind.mempool()]
    return [tx for tx in txs if any(vin["txid"] == txid for vin in tx["vin"])]
