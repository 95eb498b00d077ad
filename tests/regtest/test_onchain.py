"""Channels that end on the chain, with real processes and a real bitcoind."""

from __future__ import annotations

from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.waiting import wait_for

DELAY = 5
OPTIONS = {"watchtime-blocks": DELAY}


def _closed(node: Node) -> dict[str, Any] | None:
    channels = node.rpc("listclosedchannels")["closedchannels"]
    return channels[0] if channels else None


def _state(node: Node, state: str) -> None:
    wait_for(lambda: node.channel_states() == [state], f"{node.name} to be {state}")


def _statuses(node: Node) -> str:
    return "\n".join(node.channels()[0]["status"])



def test_our_unilateral_close(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    l2.stop()
    txid = l1.rpc("close", id=l1.channels()[0]["channel_id"], unilateraltimeout=1)["txids"][0]
    before = l1.spendable_sat()
    node_factory.mine(1, wait_for_mempool=txid)
    l1.wait_for_log(
        "Telling lightningd about OUR_DELAYED_RETURN_TO_WALLET to resolve "
        rf"OUR_UNILATERAL/DELAYED_OUTPUT_TO_US after block [0-9]+ \({DELAY - 1} more blocks\)"
    )
    l1.wait_for_log("Broadcast for onchaind tx")
    _state(l1, "ONCHAIN")
    assert "ONCHAIN:Tracking our own unilateral close" in _statuses(l1)
    l2.start()
    l2.wait_for_log("Tracking their unilateral close|THEIR_UNILATERAL #")
    wait_for(lambda: l2.spendable_sat() >= 199_000, "l2's coins")
    node_factory.mine(DELAY - 1)
    node_factory.mine(1, wait_for_mempool=1)
    wait_for(lambda: l1.spendable_sat() > before + 780_000, "l1's coins")
    l1.wait_for_log("Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal")
    node_factory.mine(99)
    l1.wait_for_log("onchaind complete, forgetting peer")
    assert _closed(l1) is not None
    l2.wait_for_log("onchaind complete, forgetting peer")
