"""The funding transaction leaves the chain and comes back elsewhere: the channel lives on under its new name."""

from __future__ import annotations

import pytest

from tests.regtest.books import check_books
from tests.regtest.network import NodeFactory, knows, wait_back
from tests.regtest.node import Node
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

OPTIONS = {"dev-no-reconnect": False, "dev-fast-reconnect": True}


def scid_of(node: Node) -> str:
    """The name of the only channel."""
    return str(node.channels()[0].get("short_channel_id"))


@pytest.mark.parametrize("restart", ["", "between", "asleep"])
@pytest.mark.parametrize("depth", [1, 6])
def test_funding_is_mined_again(node_factory: NodeFactory, depth: int, restart: str) -> None:
    """`between`: a node restarts while the funding is out of the chain. `asleep`: it misses all of it."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, wait_for_announcement=depth == 6)
    old = scid_of(l1)
    send(l1, l2, amount_msat=100_000_000)
    if restart == "asleep":
        l2.stop()
    bitcoind = node_factory.bitcoind
    height = bitcoind.height()
    bitcoind.reorg(depth, depth + 1, keep_mempool=False)
    assert bitcoind.height() == height + 1
    node_factory.sync()
    assert l1.channel_states() == ["CHANNELD_NORMAL"]
    if restart == "between":
        l2.restart()
        wait_back(l1, l2)
    node_factory.mine(1, wait_for_mempool=1)
    if restart == "asleep":
        l2.start()
    for node in (l1, l2):
        wait_for(lambda n=node: scid_of(n) not in (old, "None"), f"{node.name}'s new name")
    new = scid_of(l1)
    assert scid_of(l2) == new
    assert int(new.split("x")[0]) == height + 2
    wait_back(l1, l2)
    send(l1, l2, amount_msat=10_000_000)
    send(l2, l1, amount_msat=10_000_000)
    node_factory.mine(6)
    node_factory.wait_announced([new], [l1, l2])
    l1.restart()
    wait_back(l1, l2)
    assert scid_of(l1) == new
    send(l1, l2, amount_msat=10_000_000)
    check_books(node_factory)
    if depth == 6:
        # BOLT 7: a channel is forgotten 72 blocks after its funding output is gone.
        node_factory.mine(72)
        for node in (l1, l2):
            wait_for(lambda n=node: not knows(n, old), f"{node.name} to forget the old name")
            wait_for(lambda n=node: knows(n, new), f"{node.name} to know the new one")


def test_close_is_mined_again(node_factory: NodeFactory) -> None:
    """The mutual close leaves the chain too; it comes back, and its coins with it."""
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=300_000_000)
    node_factory.mine(3)
    done = l1.rpc("close", id=l2.id)
    node_factory.mine(1, wait_for_mempool=done["txids"][0])
    for node in (l1, l2):
        wait_for(lambda n=node: n.channel_states() == ["ONCHAIN"])
    node_factory.bitcoind.reorg(1, 2, keep_mempool=False)
    node_factory.sync()
    l2.restart()
    node_factory.mine(1, wait_for_mempool=done["txids"][0])
    for node in (l1, l2):
        wait_for(lambda n=node: n.channel_states() == ["ONCHAIN"])
