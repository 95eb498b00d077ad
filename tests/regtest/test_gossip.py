"""Announced channels become known to nodes far away, survive the death of gossipd, and are forgotten when they close."""

from __future__ import annotations

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.waiting import wait_for


def wait_fee(node: Node, source: Node, base_msat: int) -> None:
    """Wait until a node knows that another asks for this base fee."""
    wait_for(
        lambda: any(
            c["base_fee_millisatoshi"] == base_msat
            for c in node.rpc("listchannels", source=source.id)["channels"]
        )
    )


def wait_named(node: Node, count: int) -> None:
    """Wait until a node knows so many others' names."""
    wait_for(lambda: sum("alias" in n for n in node.rpc("listnodes")["nodes"]) == count)


def test_node_comes_up_with_an_empty_map(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    assert (l1.folder / "regtest" / "gossip_store").exists()
    assert l1.rpc("listchannels") == {"channels": []}
    assert l1.rpc("listnodes") == {"nodes": []}


def test_a_line_of_three_is_known_to_all(node_factory: NodeFactory) -> None:
    l1, l2, l3 = node_factory.line_graph(3)
    for node in (l1, l2, l3):
        assert len(node.rpc("listchannels")["channels"]) == 4
        wait_named(node, 3)
    route = l1.rpc("getroute", id=l3.id, amount_msat=1000, riskfactor=1)["route"]
    assert [hop["id"] for hop in route] == [l2.id, l3.id]
    assert all(c["active"] and c["public"] for c in l1.rpc("listchannels")["channels"])
    remote = wait_for(lambda: l1.channels(l2)[0]["updates"].get("remote"), "l2's policy")
    assert remote["cltv_expiry_delta"] == 6
    l2.rpc("setchannel", id=l3.id, feebase=77)
    wait_fee(l1, l2, 77)
    l1.restart()
    assert len(l1.rpc("listchannels")["channels"]) == 4
    wait_named(l1, 3)


def test_killed_gossipd_comes_back(node_factory: NodeFactory) -> None:
    calm = {"dev-fail-on-subdaemon-fail": False}
    l1, l2 = node_factory.line_graph(2, options=calm, allow_trouble="gossipd was killed")
    for node in (l1, l2):
        node.kill_daemon("gossipd")
        node.wait_for_log("gossipd: gossip_store: 1 channels")
    l1.rpc("setchannel", id=l2.id, feebase=78)
    wait_fee(l1, l1, 78)
    wait_fee(l2, l1, 78)
    assert not l1.rpc("listchannels")["channels"][0]["channel_flags"] & 2


def test_unannounced_channel_is_seen_by_its_ends_only(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    node_factory.fund_wallet(l1, 2_000_000)
    node_factory.connect(l1, l2)
    l1.rpc("fundchannel", id=l2.id, amount=1_000_000, announce=False)
    node_factory.mine(6, wait_for_mempool=1)
    for node in (l1, l2):
        wait_for(lambda n=node: len(n.rpc("listchannels")["channels"]) == 2)
        assert not any(c["public"] for c in node.rpc("listchannels")["channels"])
        assert node.rpc("listnodes") == {"nodes": []}
    peers_name = l2.channels(l1)[0]["alias"]["remote"]
    assert l2.rpc("listincoming")["incoming"][0]["short_channel_id"] == peers_name
    route = l1.rpc("getroute", id=l2.id, amount_msat=1000, riskfactor=1)["route"]
    assert [hop["id"] for hop in route] == [l2.id]


def test_closed_channel_is_disabled_then_forgotten(node_factory: NodeFactory) -> None:
    l1, l2, l3 = node_factory.line_graph(3)
    l2.rpc("close", id=l3.id)
    wait_for(lambda: any(not c["active"] for c in l1.rpc("listchannels", source=l2.id)["channels"]))
    node_factory.mine(1, wait_for_mempool=1)
    node_factory.mine(71)
    assert len(l1.rpc("listchannels")["channels"]) == 4
    node_factory.mine(1)
    for node in (l1, l2, l3):
        wait_for(lambda n=node: len(n.rpc("listchannels")["channels"]) == 2)
    assert not any(n["nodeid"] == l3.id for n in l1.rpc("listnodes")["nodes"])
