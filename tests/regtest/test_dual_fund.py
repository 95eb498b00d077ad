"""Channels that both sides open together (BOLT 2, "Channel Establishment v2"), between real nodes."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.regtest.books import check_books
from tests.regtest.crashing import GONE, OPTIONS, WHEN, crash_at, meet, rise
from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

DUAL = {"experimental-dual-fund": None}
AMOUNT_SAT = 500_000
BEFORE_LOCKIN = (
    "DUALOPEND_OPEN_COMMIT_READY",
    "DUALOPEND_OPEN_COMMITTED",
    "DUALOPEND_AWAITING_LOCKIN",
)
POINTS = ("openingd_constructed", "channeld_got_first_commitsig", "channeld_got_tx_signatures")
"""Where a joint opening becomes more durable."""


def connected(factory: NodeFactory, *more: dict[str, Any], **kind: Any) -> tuple[Node, Node]:
    """Two connected nodes with coins."""
    l1, l2 = factory.make_many(2, [{**DUAL, **m} for m in more or ({}, {})], **kind)
    for node in (l1, l2):
        factory.fund_wallet(node, 2_000_000, mine=False)
    factory.mine(1, wait_for_mempool=2)
    wait_for(lambda: l1.spendable_sat() and l2.spendable_sat(), "the coins")
    factory.connect(l1, l2)
    return l1, l2


def test_one_side_pays(node_factory: NodeFactory) -> None:
    """fundchannel between two that can: all states and log lines, a payment, a close, and the money is there."""
    l1, l2 = connected(node_factory)
    made = l1.rpc("fundchannel", id=l2.id, amount=AMOUNT_SAT)
    (channel,) = l1.channels()
    assert channel["state"] == "DUALOPEND_AWAITING_LOCKIN"
    assert channel["channel_id"] == made["channel_id"]
    (inflight,) = channel["inflight"]
    assert inflight["funding_txid"] == made["txid"]
    assert inflight["our_funding_msat"] == inflight["total_funding_msat"] == AMOUNT_SAT * 1000
    node_factory.mine(1, wait_for_mempool=made["txid"])
    node_factory.wait_normal(l1, l2, made["txid"])
    (channel,) = l1.channels()
    assert "inflight" not in channel
    assert [c["new_state"] for c in channel["state_changes"]] == [
        "DUALOPEND_OPEN_COMMITTED",
        "DUALOPEND_AWAITING_LOCKIN",
        "CHANNELD_NORMAL",
    ]
    send(l1, l2, amount_msat=100_000_000)
    send(l2, l1, amount_msat=50_000_000)
    assert l1.rpc("close", id=l2.id)["type"] == "mutual"
    node_factory.mine(1, wait_for_mempool=1)
    check_books(node_factory)


PLUGIN = """#!{python}
# Puts {amount_sat} sat into every channel that a peer opens.
import json, socket, sys

AMOUNT = {amount_sat}
rpc_path = None


def call(method, **params):
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(rpc_path)
        link.sendall(json.dumps({{"jsonrpc": "2.0", "id": "p", "method": method, "params": params}}).encode())
        raw = b""
        while True:
            more = link.recv(1 << 20)
            if not more:
                sys.exit(0)
            raw += more
            try:
                return json.loads(raw)["result"]
            except ValueError:
                continue


def openchannel2(params):
    told = params["openchannel2"]
    made = call("fundpsbt", satoshi=f"{{AMOUNT}}sat", feerate=f"{{told['funding_feerate_per_kw']}}perkw",
                startweight=0, min_witness_weight=110, excess_as_change=True)
    return {{"result": "continue", "psbt": made["psbt"], "our_funding_msat": AMOUNT * 1000}}


def openchannel2_changed(params):
    return {{"result": "continue", "psbt": params["openchannel2_changed"]["psbt"]}}


def openchannel2_sign(params):
    signed = call("signpsbt", psbt=params["openchannel2_sign"]["psbt"])["signed_psbt"]
    return {{"result": "continue", "psbt": signed}}


HOOKS = {{"openchannel2": openchannel2, "openchannel2_changed": openchannel2_changed, "openchannel2_sign": openchannel2_sign}}
buffer = ""
for line in sys.stdin:
    buffer += line
    if line.strip():
        continue
    request, buffer = json.loads(buffer), ""
    method = request["method"]
    if method == "getmanifest":
        result = {{"options": [], "rpcmethods": [], "hooks": [{{"name": h}} for h in HOOKS], "dynamic": True}}
    elif method == "init":
        config = request["params"]["configuration"]
        rpc_path = config["lightning-dir"] + "/" + config["rpc-file"]
        result = {{}}
    elif method in HOOKS:
        result = HOOKS[method](request["params"])
    else:
        continue
    print(json.dumps({{"jsonrpc": "2.0", "id": request["id"], "result": result}}), flush=True)
    print(flush=True)
"""


def paying_plugin(folder: Path, amount_sat: int) -> str:
    """A plugin that contributes to every opening of a peer."""
    path = folder / "paying.py"
    path.write_text(PLUGIN.format(python=sys.executable, amount_sat=amount_sat))
    path.chmod(0o755)
    return str(path)


def balanced(l1: Node, l2: Node, ours_sat: int) -> None:
    """Both have paid, and both have what they paid."""
    for node, mine in ((l1, AMOUNT_SAT), (l2, ours_sat)):
        channel = node.channels()[-1]
        assert channel["total_msat"] == (AMOUNT_SAT + ours_sat) * 1000
        assert channel["to_us_msat"] == channel["funding"]["local_funds_msat"] == mine * 1000


@pytest.mark.parametrize("ours_sat", [300_000, 1_500_000])
def test_both_pay(node_factory: NodeFactory, tmp_path: Path, ours_sat: int) -> None:
    """A plugin of the accepter contributes: less than the opener (and signs first), or more."""
    l1, l2 = connected(node_factory, {}, {"plugin": paying_plugin(tmp_path, ours_sat)})
    made = l1.rpc("fundchannel", id=l2.id, amount=AMOUNT_SAT)
    balanced(l1, l2, ours_sat)
    wait_for(lambda: l2.channel_states() == ["DUALOPEND_AWAITING_LOCKIN"])
    node_factory.mine(1, wait_for_mempool=made["txid"])
    node_factory.wait_normal(l1, l2, made["txid"])
    send(l2, l1, amount_msat=200_000_000)
    assert l2.rpc("close", id=l1.id)["type"] == "mutual"
    node_factory.mine(1, wait_for_mempool=1)
    check_books(node_factory)


def psbt_of(node: Node) -> str:
    """Coins of the wallet for a channel, with change."""
    made = node.rpc(
        "fundpsbt",
        satoshi=AMOUNT_SAT,
        feerate="1000perkw",
        startweight=250,
        min_witness_weight=110,
        excess_as_change=True,
    )
    return str(made["psbt"])


def test_step_by_step(node_factory: NodeFactory) -> None:
    """openchannel_init, _update, _signed; wrong orders are refused, and _abort leaves nothing."""
    l1, l2 = connected(node_factory)
    psbt = psbt_of(l1)
    begun = l1.rpc(
        "openchannel_init",
        id=l2.id,
        amount=AMOUNT_SAT,
        initialpsbt=psbt,
        funding_feerate="1000perkw",
    )
    name = begun["channel_id"]
    assert not begun["commitments_secured"]
    with pytest.raises(RpcError, match="not yet secured") as caught:
        l1.rpc("openchannel_signed", channel_id=name, signed_psbt=begun["psbt"])
    assert caught.value.code == 312
    aborted = l1.rpc("openchannel_abort", channel_id=name)
    assert (aborted["channel_canceled"], aborted["reason"]) == (True, "Abort requested")
    with pytest.raises(RpcError) as caught:
        l1.rpc("openchannel_update", channel_id=name, psbt=begun["psbt"])
    assert caught.value.code == 311
    assert l1.channels() == []

    # The same coins again, this time to the end of the second step.
    again = l1.rpc(
        "openchannel_init",
        id=l2.id,
        amount=AMOUNT_SAT,
        initialpsbt=psbt,
        funding_feerate="1000perkw",
    )
    secured = l1.rpc("openchannel_update", channel_id=again["channel_id"], psbt=again["psbt"])
    assert secured["commitments_secured"]
    assert l1.channel_states() == ["DUALOPEND_OPEN_COMMITTED"]
    l1.log.wait_for("peer_in WIRE_TX_SIGNATURES")
    l1.rpc("openchannel_abort", channel_id=again["channel_id"])
    assert l1.channels() == []
    # The accepter has sent its (empty) tx_signatures: it remembers until an input is spent elsewhere.
    l2.log.wait_for("too late, we have signed")

    third = l1.rpc(
        "openchannel_init",
        id=l2.id,
        amount=AMOUNT_SAT,
        initialpsbt=psbt,
        funding_feerate="1000perkw",
    )
    secured = l1.rpc("openchannel_update", channel_id=third["channel_id"], psbt=third["psbt"])
    signed = l1.rpc("signpsbt", psbt=secured["psbt"])["signed_psbt"]
    made = l1.rpc("openchannel_signed", channel_id=third["channel_id"], signed_psbt=signed)
    with pytest.raises(RpcError) as caught:
        l1.rpc("openchannel_abort", channel_id=third["channel_id"])
    assert caught.value.code == 312
    node_factory.mine(1, wait_for_mempool=made["txid"])
    node_factory.wait_normal(l1, l2, made["txid"])
    send(l1, l2, amount_msat=10_000_000)
    assert len(l2.channels()) == 2
    node_factory.mine(5)
    wait_for(lambda: len(l2.channels()) == 1, "l2 to forget the opening whose coins are spent")
    check_books(node_factory)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("role", ["opener", "accepter"])
def test_lightningd_dies_while_opening(
    node_factory: NodeFactory, tmp_path: Path, role: str, when: str
) -> None:
    """Kill -9 at each persist point: what was durable with both becomes a channel, the rest leaves no coin behind."""
    plugin = {"plugin": paying_plugin(tmp_path, 100_000)}
    l1, l2 = connected(node_factory, OPTIONS, {**OPTIONS, **plugin}, may_crash=True)
    for node in (l1, l2):
        for _ in POINTS:
            node_factory.fund_wallet(node, 1_000_000, mine=False)
    node_factory.mine(1, wait_for_mempool=2 * len(POINTS))
    victim = l1 if role == "opener" else l2
    for point in (f"{when}:{name}" for name in POINTS):
        meet(node_factory, l1, l2)
        crash_at(victim, point)

        def died() -> bool:
            """The connection may be made anew just now, where both have dialled: then once more."""
            with contextlib.suppress(*GONE):
                l1.rpc("fundchannel", id=l2.id, amount=200_000, minconf=0)
            return not victim.is_running

        wait_for(died, f"{victim.name} to die {point}")
        rise(victim, point)
        with contextlib.suppress(*GONE):
            node_factory.connect(l1, l2)

        def settled() -> bool:
            """No opening is half done, and both have the same channels."""
            if node_factory.bitcoind.mempool():
                node_factory.mine(1)
            names = [{c["channel_id"]: c["state"] for c in n.channels()} for n in (l1, l2)]
            return names[0] == names[1] and set(names[0].values()) <= {"CHANNELD_NORMAL"}

        wait_for(settled, f"both to agree after {point}")
    wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    assert len(l1.channels()) >= 2
    node_factory.mine(1)
    check_books(node_factory)
