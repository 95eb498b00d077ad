"""Kill -9 of each daemon while a channel is opened, becomes usable, and is closed.

lightningd itself kills the daemon, exactly before or after one of its commits (`dev-crash-at`), so that the same moment
is met in each run. At the end every channel that the opener was told of is there, what failed left nothing, and all money
is accounted for.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from tests.regtest.crashing import DEATH, GONE, OPTIONS, Payments, crash_at, normal
from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for

OPENER, OTHER = 0, 1
FAILS, DONE, EITHER = "fails", "done", "either"
OPENINGS = (
    # Who kills, where, which daemon, and how the opening ends.
    (OPENER, "after:OpeningControl.open", "openingd", FAILS),
    (OPENER, "after:OpeningControl.open", "gossipd", DONE),
    # The connection ends, sooner or later: another channel of the same peer has its route there.
    (OPENER, "before:openingd_accepted", "channeld", EITHER),
    (OPENER, "after:openingd_accepted", "connectd", EITHER),
    # The channel is durable: the peer's signature is there, and whoever dies now keeps nothing from going on.
    (OPENER, "before:openingd_done", "openingd", DONE),
    (OPENER, "after:openingd_done", "connectd", DONE),
    (OPENER, "after:openingd_done", "channeld", DONE),
    (OTHER, "after:OpeningControl._accept", "openingd", FAILS),
    (OTHER, "before:openingd_done", "gossipd", DONE),
    # Durable with the accepter, whose signature has not left: the opener gives up, and asks for nothing.
    (OTHER, "before:openingd_done", "openingd", FAILS),
    (OTHER, "after:openingd_done", "connectd", EITHER),
)
LOCK_INS = (
    (OPENER, "before:channeld_sending_channel_ready", "channeld"),
    (OTHER, "after:channeld_got_channel_ready", "connectd"),
    (OTHER, "before:channeld_got_channel_ready", "openingd"),
)
CLOSES = (
    (OPENER, "before:channeld_got_shutdown", "channeld"),
    (OTHER, "after:channeld_got_shutdown", "connectd"),
    (OPENER, "before:channeld_shutdown_complete", "gossipd"),
    (OTHER, "after:channeld_shutdown_complete", "channeld"),
    (OPENER, "before:closingd_got_signature", "closingd"),
    (OTHER, "after:closingd_got_signature", "connectd"),
    (OTHER, "before:closingd_done", "openingd"),
    (OPENER, "after:closingd_done", "closingd"),
)
CHANNEL_SAT = 200_000


def _open(opener: Node, accepter: Node) -> str | None:
    """fundchannel; None where it says that it failed."""
    with contextlib.suppress(RpcError):
        made = opener.rpc(
            "fundchannel",
            id=accepter.id,
            amount=CHANNEL_SAT,
            push_msat=CHANNEL_SAT * 500,
            minconf=0,
            announce=False,
        )
        return str(made["txid"])
    return None


def _reserved(node: Node) -> set[tuple[str, int]]:
    """Coins that are set aside; those that a transaction in the mempool spends are too."""
    coins = node.rpc("listfunds")["outputs"]
    return {(o["txid"], o["output"]) for o in coins if o["reserved"]}


def _wait_dead(node: Node, daemon: str, before: list[int]) -> None:
    """Wait until those are gone, and others are there if there were any."""
    wait_for(
        lambda: not set(before) & set(node.daemon_pids(daemon)), f"{node.name}'s {daemon} to die"
    )
    if before:
        wait_for(lambda: len(node.daemon_pids(daemon)) >= len(before), f"{node.name}'s {daemon}")


def test_daemons_die_while_opening_and_closing(node_factory: NodeFactory) -> None:
    l1, l2 = both = node_factory.make_many(2, OPTIONS, allow_trouble=DEATH)
    node_factory.open_channel(l1, l2)
    node_factory.fund_wallet(l1, 5_000_000)
    made = []
    for who, point, daemon, end in OPENINGS:
        wait_back(l1, l2)
        victim, before = both[who], both[who].daemon_pids(daemon)
        reserved = _reserved(l1)
        crash_at(victim, f"{point}@{daemon}")
        txid = _open(l1, l2)
        _wait_dead(victim, daemon, before)
        assert end == EITHER or (end == DONE) == (txid is not None), (point, daemon)
        if txid is None:
            assert _reserved(l1) == reserved, (point, daemon)
            assert len(l1.channels()) == 1 + len(made)
        else:
            made.append(txid)
    node_factory.mine(1, wait_for_mempool=made)
    assert not _reserved(l1)
    for txid in made:
        node_factory.wait_normal(l1, l2, txid)
    wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    assert normal(l1) == normal(l2)
    for who, point, daemon in LOCK_INS:
        wait_back(l1, l2)
        before = both[who].daemon_pids(daemon)
        txid = _open(l1, l2)
        assert txid is not None
        made.append(txid)
        crash_at(both[who], f"{point}@{daemon}")
        node_factory.mine(1, wait_for_mempool=txid)
        _wait_dead(both[who], daemon, before)
        node_factory.wait_normal(l1, l2, txid)
        wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    for txid, (who, point, daemon) in zip(made, CLOSES, strict=True):
        _close(node_factory, both, txid, both[who], f"{point}@{daemon}")
    node_factory.mine(1, wait_for_mempool=len(CLOSES))
    payments = Payments(l1, l2)
    payments.start(3)
    payments.wait_over()
    assert payments.check() == 3


def _close(factory: NodeFactory, both: list[Node], txid: str, victim: Node, point: str) -> None:
    """Close a channel from l1, with a death in it. Both come to the same end."""
    l1, l2 = both
    daemon = point.partition("@")[2]
    wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    before = victim.daemon_pids(daemon)
    channel_id = factory.channel(l1, l2, txid)["channel_id"]
    crash_at(victim, point)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(l1.call, "close", {"id": channel_id})
        _wait_dead(victim, daemon, before)
        with contextlib.suppress(*GONE):
            assert done.result()["type"] == "mutual"
    for node, peer in ((l1, l2), (l2, l1)):
        wait_for(
            lambda n=node, p=peer: factory.channel(n, p, txid)["state"] == "CLOSINGD_COMPLETE",
            f"{node.name}'s close after {point}",
        )


HSMD_POINTS = (
    # Before anything of it is signed: nothing comes of it. Then: durable, but not sent by this node.
    (OPENER, "after:OpeningControl.open"),
    (OTHER, "after:OpeningControl._accept"),
    (OPENER, "after:openingd_done"),
)
HSMD_CLOSES = (
    (OTHER, "after:channeld_shutdown_complete"),
    (OPENER, "before:closingd_got_signature"),
)


def test_hsmd_dies_while_opening_and_closing(node_factory: NodeFactory) -> None:
    """Without hsmd a node stops. What had been promised is kept by the next start, and nothing else is left."""
    l1, l2 = both = node_factory.make_many(2, OPTIONS, may_crash=True, allow_trouble="hsmd")
    node_factory.open_channel(l1, l2, push_msat=500_000_000)
    node_factory.fund_wallet(l1, 2_000_000)
    for who, point in HSMD_POINTS:
        wait_back(l1, l2)
        crash_at(both[who], f"{point}@hsmd")
        _open(l1, l2)
        _rise_without_hsmd(both[who], point)
    # Whether the node had the time to send the transaction itself, or its next start did: it is out.
    node_factory.mine(1, wait_for_mempool=1)
    wait_for(lambda: len(normal(l1)) == 2 and normal(l1) == normal(l2), "the one channel")
    wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    assert not _reserved(l1)
    assert l1.channel_states() == ["CHANNELD_NORMAL"] * 2
    for channel, (who, point) in zip(l1.channels(), HSMD_CLOSES, strict=True):
        crash_at(both[who], f"{point}@hsmd")
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(l1.call, "close", {"id": channel["channel_id"]})
            _rise_without_hsmd(both[who], point)
            with contextlib.suppress(*GONE):
                assert done.result()["type"] == "mutual"
        for node, peer in ((l1, l2), (l2, l1)):
            wait_for(
                lambda n=node, p=peer, t=channel["funding_txid"]: (
                    node_factory.channel(n, p, t)["state"] == "CLOSINGD_COMPLETE"
                ),
                f"{node.name}'s close after {point}",
            )
    node_factory.mine(1, wait_for_mempool=2)


def _rise_without_hsmd(node: Node, point: str) -> None:
    wait_for(lambda: not node.is_running, f"{node.name} to stop at {point}")
    assert node.wait_exit() == 1
    node.start()
