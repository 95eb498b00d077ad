"""A node that lost its database gets its funds back: from emergency.recover, and from what a peer kept."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from pylightningd.common.codex32 import encode_secret
from tests.regtest.books import check_books, check_wallet
from tests.regtest.network import CHANNEL_SAT, NodeFactory
from tests.regtest.node import NETWORK, Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

PUSH_MSAT = 200_000_000
PAID_MSAT = 50_000_000
TROUBLE = r"recovering our funds|Restored from a static|the database does not know|Recovering:"
BACKUP = "emergency.recover"


def _lose_all_but(node: Node, *names: str) -> dict[str, bytes]:
    """The disk dies: of the network folder only these files are left; what they were and the secret."""
    folder = node.folder / NETWORK
    kept = {name: (folder / name).read_bytes() for name in (*names, "hsm_secret")}
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in kept.items():
        if name in names:
            (folder / name).write_bytes(content)
    return kept


def _open(factory: NodeFactory, l1: Node, l2: Node) -> dict[str, Any]:
    factory.open_channel(l1, l2, push_msat=PUSH_MSAT)
    send(l1, l2, amount_msat=PAID_MSAT)
    return l1.channels()[0]


def _wait_closed(factory: NodeFactory, l1: Node, l2: Node, coins_before: int) -> None:
    """The peer closes alone; its commitment pays us what was ours, and the wallet can spend it."""
    wait_for(
        lambda: l2.channel_states() in (["AWAITING_UNILATERAL"], ["FUNDING_SPEND_SEEN"]),
        "the peer to close",
    )
    factory.mine(1, wait_for_mempool=1)
    wait_for(lambda: l1.channel_states() == ["ONCHAIN"], "l1's channel to be on the chain")
    ours = CHANNEL_SAT - (PUSH_MSAT + PAID_MSAT) // 1000
    factory.mine(1)  # to_remote with anchors is locked for a block
    wait_for(lambda: l1.spendable_sat() > coins_before, "the balance to come home")
    gained = l1.spendable_sat() - coins_before
    # We opened the channel: the commitment's fee and both anchors were ours to pay.
    assert ours - 10_000 < gained < ours, (gained, ours)
    check_wallet(factory, l1)
    check_books(factory, [l2])
    txid = l1.rpc(
        "withdraw", destination=l1.rpc("newaddr", addresstype="bech32")["bech32"], satoshi="all"
    )["txid"]
    factory.mine(1, wait_for_mempool=txid)


@pytest.mark.books("what l1 was paid and paid is lost with its database", nodes="l2")
def test_from_emergency_recover(node_factory: NodeFactory) -> None:
    """The database is gone; the secret and emergency.recover are there."""
    l1, l2 = node_factory.make_many(2, allow_trouble=TROUBLE)
    channel = _open(node_factory, l1, l2)
    coins = l1.spendable_sat()
    assert l1.rpc("getemergencyrecoverdata")["backed_up_channel_ids"] == [channel["channel_id"]]
    l1.stop()
    kept = _lose_all_but(l1, BACKUP)
    (l1.folder / NETWORK / "hsm_secret").write_bytes(kept["hsm_secret"])
    l1.options["rescan"] = -node_factory.first_height
    l1.start()
    wait_for(lambda: l1.spendable_sat() == coins, "the wallet's coins to be found again")
    assert l1.channels() == []

    told = l1.rpc("emergencyrecover", dry_run=True)
    assert told["stubs"] == [channel["channel_id"]]
    (entry,) = told["dry_run"]["channels"]
    assert entry["peer_id"] == l2.id
    assert entry["funding_txid"] == channel["funding_txid"]
    assert entry["total_msat"] == CHANNEL_SAT * 1000
    assert (entry["funding_unspent"], entry["peer_reachable"]) == (True, "yes")
    assert l1.channels() == []
    assert l2.channel_states() == ["CHANNELD_NORMAL"]

    assert l1.rpc("emergencyrecover")["stubs"] == [channel["channel_id"]]
    assert l1.rpc("emergencyrecover")["stubs"] == []
    _wait_closed(node_factory, l1, l2, coins)
    l1.restart()
    wait_for(lambda: l1.channel_states() == ["ONCHAIN"], "the channel after a restart")


@pytest.mark.books("what l1 was paid and paid is lost with its database", nodes="l2")
def test_from_a_peer(node_factory: NodeFactory) -> None:
    """Nothing is left but the secret, written down: recover, connect, and the peer's storage does the rest."""
    l1, l2 = node_factory.make_many(2, allow_trouble=TROUBLE)
    channel = _open(node_factory, l1, l2)
    coins, node_id = l1.spendable_sat(), l1.id
    l1.stop()
    secret = encode_secret(_lose_all_but(l1)["hsm_secret"], "test", "cl")
    l1.options["rescan"] = -node_factory.first_height
    l1.start()
    assert l1.id != node_id
    told = l1.rpc("recover", hsmsecret=secret, dry_run=True)
    assert told == {"result": "Dry run: nothing was changed"}
    assert l1.rpc("recover", hsmsecret=secret)["result"] == "Recovery restart in progress"
    l1.log.wait_for("Recovering: there is no emergency.recover here")
    l1.wait_ready()
    assert l1.id == node_id
    l1.rpc("connect", id=l2.id, host="127.0.0.1", port=l2.port)
    wait_for(l1.channels, "the channel to be restored")
    assert l1.channels()[0]["channel_id"] == channel["channel_id"]
    _wait_closed(node_factory, l1, l2, coins)
    l1.restart()
    wait_for(lambda: l1.channel_states() == ["ONCHAIN"], "the channel after a restart")


@pytest.mark.books("what l1 was paid and paid is lost with its database", nodes="l2")
def test_after_our_own_close(node_factory: NodeFactory) -> None:
    """The disk dies while our own commitment waits for its delay: what it owes us comes home as well."""
    l1, l2 = node_factory.make_many(2, allow_trouble=TROUBLE)
    channel = _open(node_factory, l1, l2)
    coins = l1.spendable_sat()
    l2.stop()
    txid = l1.rpc("close", id=channel["channel_id"], unilateraltimeout=1)["txids"][0]
    node_factory.mine(1, wait_for_mempool=txid)
    l1.stop()
    kept = _lose_all_but(l1, BACKUP)
    (l1.folder / NETWORK / "hsm_secret").write_bytes(kept["hsm_secret"])
    l1.options["rescan"] = -node_factory.first_height
    l1.start()
    assert l1.rpc("emergencyrecover")["stubs"] == [channel["channel_id"]]
    wait_for(lambda: l1.channel_states() == ["ONCHAIN"], "l1's channel to be on the chain")
    node_factory.mine(5)
    node_factory.mine(1, wait_for_mempool=1)
    wait_for(lambda: l1.spendable_sat() > coins, "the balance to come home")
    check_wallet(node_factory, l1)


def test_a_crash_between_the_database_and_the_file(node_factory: NodeFactory) -> None:
    """The channel is durable, emergency.recover is not yet: then its funding has not gone out, and waits for it."""
    options = [{"dev-crash-at": "after:openingd_done"}, {}]
    l1, l2 = node_factory.make_many(2, options, may_crash=True)
    node_factory.fund_wallet(l1, 2_000_000)
    node_factory.connect(l1, l2)
    with pytest.raises((OSError, RpcError)):
        l1.rpc("fundchannel", id=l2.id, amount=CHANNEL_SAT)
    l1.wait_exit()
    assert node_factory.bitcoind.mempool() == []
    del l1.options["dev-crash-at"]
    l1.start()
    (txid,) = node_factory.bitcoind.wait_for_mempool(1) or node_factory.bitcoind.mempool()
    (channel,) = l1.channels()
    assert channel["funding_txid"] == txid
    assert l1.rpc("getemergencyrecoverdata")["backed_up_channel_ids"] == [channel["channel_id"]]
    lines = [line for line in l1.log.lines() if "Updating the SCB" in line or txid in line]
    written = max(n for n, line in enumerate(lines) if "Updating the SCB" in line)
    sent = next(n for n, line in enumerate(lines) if "Broadcasting txid" in line)
    assert written < sent
