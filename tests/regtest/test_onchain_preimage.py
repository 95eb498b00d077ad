"""HTLCs that the peer's commitment offers us, and that we take with their preimages: one we had, one we get later.

l1 pays l2, and l3 through l2; l1 goes to the chain alone while l2 has the first preimage and l3 keeps the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.crash_points import PREIMAGE_POINTS
from tests.regtest.crashing import crash_at, rise, start_and_die, wait_dead
from tests.regtest.full_mempool import LOW_PERKW, fill_mempool, floor_perkw
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.onchain import DELAY, HTLC_MSAT, OPTIONS, close_alone, hold_plugin, wait_for_htlc
from tests.regtest.sending import invoice_of, new_invoice, payment_of, route_to, start_payment
from tests.regtest.waiting import wait_for

OURS = "Resolved THEIR_UNILATERAL/THEIR_HTLC by our proposal THEIR_HTLC_FULFILL_TO_US"


@dataclass
class Scene:
    """Three nodes, the two payments of l1, and how l3 is let go on."""

    nodes: list[Node]
    hashes: list[str]
    release: Any


def _begin(factory: NodeFactory, options: dict[str, Any], **more: Any) -> Scene:
    """Until l2 has the preimage of what is for itself, and l1, who is away, does not know."""
    plugins = []
    for name in ("held-by-2", "held-by-3"):
        (factory.folder / name).mkdir()
        plugins.append(hold_plugin(factory.folder / name))
    each = [options, options | {"plugin": plugins[0][0]}, options | {"plugin": plugins[1][0]}]
    l1, l2, l3 = nodes = factory.line_graph(3, options=each, wait_for_announcement=False, **more)
    hold = plugins[0][1]
    hold.touch()
    passing = new_invoice(l3, HTLC_MSAT)
    route = route_to(l1, l2, l3, amount_msat=HTLC_MSAT, fees_msat=1000)
    hashes = [start_payment(l1, route, passing)]
    wait_for_htlc(l2, l3)
    hold.unlink()
    ending = new_invoice(l2, HTLC_MSAT)
    hashes.append(start_payment(l1, route_to(l1, l2, amount_msat=HTLC_MSAT), ending))
    for node, peer, state in (
        (l1, l2, "SENT_ADD_ACK_REVOCATION"),
        (l2, l1, "RCVD_ADD_ACK_REVOCATION"),
    ):
        wait_for(
            lambda n=node, p=peer, s=state: (  # type: ignore[misc]
                [h["state"] for c in n.channels(p) for h in c["htlcs"]] == [s] * 2
            ),
            f"{node.name}'s HTLCs",
        )
    l2.rpc("disconnect", id=l1.id, force=True)
    hold.touch()
    wait_for(lambda: invoice_of(l2, ending["label"])["status"] == "paid", "l2 to have the preimage")
    return Scene(nodes, hashes, plugins[1][1])


def _end(factory: NodeFactory, scene: Scene) -> None:
    """Both payments are complete, everybody has what is theirs, and the channel is forgotten."""
    l1, l2, l3 = scene.nodes
    for payment_hash in scene.hashes:
        wait_for(lambda h=payment_hash: payment_of(l1, h)["status"] == "complete", "the payment")  # type: ignore[misc]
    (forward,) = l2.rpc("listforwards")["forwards"]
    assert forward["status"] == "settled"
    factory.mine(DELAY - 1)
    factory.mine_until(l1, "Resolved OUR_UNILATERAL/DELAYED_OUTPUT_TO_US by our proposal")
    factory.mine(100)
    for node, peer in ((l1, l2), (l2, l1)):
        wait_for(lambda n=node, p=peer: not n.channels(p), "the channel to be forgotten")  # type: ignore[misc]
    assert l2.channel_states(l3) == ["CHANNELD_NORMAL"]


def test_success_on_their_commitment_with_deaths_in_it(node_factory: NodeFactory) -> None:
    options = OPTIONS | {"dev-crash-at": "nothing", "disable-plugin": ["pay", "topology", "offers"]}
    scene = _begin(node_factory, options, may_crash=True)
    l1, l2, l3 = scene.nodes
    txid = close_alone(l1)
    crash_at(l2, "after:Claims._write")
    node_factory.bitcoind.generate(1, wait_for_mempool=txid)
    # It had the preimage, and died with the claim in its hand.
    rise(l2, "with its claim")
    node_factory.bitcoind.wait_for_mempool(1)
    node_factory.connect(l2, l3)
    # The other preimage is written down, and onchaind has not heard of it.
    crash_at(l2, "after:channeld_got_commitsig")
    scene.release.touch()
    rise(l2, "with the second preimage")
    (point,) = PREIMAGE_POINTS
    crash_at(l1, f"before:{point}")
    l2.wait_for_log("THEIR_UNILATERAL/THEIR_HTLC")
    _mine_until_dead(node_factory, l1)
    start_and_die(l1, f"after:{point}")
    l1.start()
    node_factory.connect(l2, l3)
    node_factory.mine_until(l2, OURS)
    _end(node_factory, scene)


def _mine_until_dead(factory: NodeFactory, node: Node) -> None:
    def dead() -> bool:
        if node.is_running and factory.bitcoind.mempool():
            factory.bitcoind.generate(1)
        return not node.is_running

    wait_for(dead, f"{node.name} to die")
    wait_dead(node, "of a preimage")


def test_claims_go_into_a_full_mempool(node_factory: NodeFactory) -> None:
    """Beside the commitment also what takes its outputs: HTLCs with preimages, and our own delayed output."""
    bitcoind = node_factory.bitcoind
    scene = _begin(node_factory, OPTIONS | {"force-feerates": LOW_PERKW})
    l1, l2, _ = scene.nodes
    try:
        floor = fill_mempool(bitcoind)
        node_factory.sync()
        for node in scene.nodes:
            wait_for(
                lambda n=node: n.rpc("feerates", style="perkw")["perkw"]["floor"] >= floor,  # type: ignore[misc]
                "the new floor",
            )
        txid = close_alone(l1)
        bitcoind.wait_for_mempool(txid)
        while txid in bitcoind.mempool():
            node_factory.mine(1)
        assert floor_perkw(bitcoind) > 3 * LOW_PERKW
        _wait_spender(bitcoind, txid)
        scene.release.touch()
        node_factory.mine_until(l2, OURS)
        node_factory.mine_until(l2, OURS)
        node_factory.mine(DELAY - 1)
        assert floor_perkw(bitcoind) > 3 * LOW_PERKW
        _end(node_factory, scene)
    finally:
        bitcoind.stop()
        bitcoind.start()


def _wait_spender(bitcoind: Bitcoind, txid: str) -> None:
    """Wait for a transaction in the mempool that spends outputs of this one; it pays enough."""

    def found() -> list[int]:
        rates = []
        for waiting in bitcoind.mempool():
            tx = bitcoind.rpc("getrawtransaction", waiting, True)
            if any(vin["txid"] == txid for vin in tx["vin"]):
                entry = bitcoind.rpc("getmempoolentry", waiting)
                rates.append(int(entry["fees"]["base"] * 100_000_000) * 1000 // entry["weight"])
        return rates

    # bitcoind's floor falls slowly from what it was.
    assert min(wait_for(found, "a claim")) > 3 * LOW_PERKW
