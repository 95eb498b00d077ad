"""Kill -9 of lightningd and of each daemon at every point of opening, paying, forwarding and closing.

`dev-crash-at` kills lightningd exactly before or after one commit. After each crash the node starts again, and
at the end every payment has completed or failed once, on both sides alike, and all money is there.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.regtest.crash_points import (
    BEGIN_POINTS,
    CLOSE_POINTS,
    FEE_POINTS,
    OPEN_POINTS,
    PAY_POINTS,
    TAKE_UP_POINTS,
)
from tests.regtest.crashing import (
    AMOUNT_MSAT,
    DEATH,
    GONE,
    OPTIONS,
    WHEN,
    Payments,
    crash_at,
    meet,
    normal,
    rise,
    start_and_die,
)
from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import route_to, start_payment
from tests.regtest.waiting import TIMEOUT_S, wait_for


def pay_through_crashes(payments: Payments, victim: Node, points: list[str]) -> None:
    """A payment for each point, and a crash of the victim in it."""
    for point in points:
        wait_back(*payments.nodes)
        crash_at(victim, point)
        payments.start()
        rise(victim, point)
        payments.wait_over()
    assert payments.check() >= len(points) // 2


def counted(names: tuple[str, ...], when: str, count: int) -> list[str]:
    """Each name's first, second, ... time."""
    return [f"{when}:{name}:{n}" for name in names for n in range(1, count + 1)]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("role", ["payer", "payee"])
def test_lightningd_dies_while_paying(node_factory: NodeFactory, role: str, when: str) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True)
    node_factory.open_channel(l1, l2)
    victim = l1 if role == "payer" else l2
    points = counted(PAY_POINTS, when, 2)
    if role == "payer":
        points.append(f"{when}:channeld_htlc_offered")
    payments = Payments(l1, l2)
    pay_through_crashes(payments, victim, points)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", PAY_POINTS)
def test_lightningd_dies_while_forwarding(node_factory: NodeFactory, name: str, when: str) -> None:
    nodes = node_factory.line_graph(3, options=OPTIONS, may_crash=True, wait_for_announcement=False)
    pay_through_crashes(Payments(*nodes), nodes[1], counted((name,), when, 4))


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("role", ["payer", "payee"])
def test_lightningd_dies_while_a_payment_fails(
    node_factory: NodeFactory, role: str, when: str
) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True)
    node_factory.open_channel(l1, l2)
    victim = l1 if role == "payer" else l2
    route = route_to(l1, l2, amount_msat=AMOUNT_MSAT)
    for n, name in enumerate(PAY_POINTS, 1):
        point = f"{when}:{name}:2"
        wait_back(l1, l2)
        crash_at(victim, point)
        payment_hash = bytes([n] * 32).hex()
        start_payment(l1, route, {"payment_hash": payment_hash, "payment_secret": "22" * 32})
        rise(victim, point)
        with pytest.raises(RpcError) as caught:
            l1.rpc("waitsendpay", payment_hash=payment_hash, timeout=int(TIMEOUT_S))
        assert caught.value.code == 203
        wait_for(lambda: not any(c["htlcs"] for n in (l1, l2) for c in n.channels()))


@pytest.mark.parametrize("role", ["opener", "accepter"])
def test_lightningd_dies_while_opening(node_factory: NodeFactory, role: str) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True)
    victim = l1 if role == "opener" else l2
    # A crash leaves coins reserved for 12 hours: there is one for each opening.
    for _ in range(7):
        node_factory.fund_wallet(l1, 1_000_000, mine=False)
    node_factory.mine(1, wait_for_mempool=7)
    wait_for(lambda: l1.spendable_sat() == 7_000_000)
    names = (*BEGIN_POINTS[role], *OPEN_POINTS)
    for point in (f"{when}:{name}" for name in names for when in WHEN):
        meet(node_factory, l1, l2)
        crash_at(victim, point)
        is_open = "channel_ready" in point
        expected = () if is_open else GONE
        with contextlib.suppress(*expected):
            l1.rpc("fundchannel", id=l2.id, amount=200_000)
        if is_open:
            node_factory.bitcoind.generate(1, wait_for_mempool=1)
            rise(victim, point)
            node_factory.sync()
        else:
            rise(victim, point)
            node_factory.mine(1)
        wait_for(lambda: normal(l1) == normal(l2), "both to know the same channels")
        # The accepter may have a channel that its opener has not: nobody takes that one up.
        wait_back(l1, l2, states=("CHANNELD_NORMAL",))
    # What was durable with the opener became a channel; the rest left nothing.
    assert len(normal(l1)) == (5 if role == "opener" else 4)
    # The accepter keeps the channel that its opener never had, until somebody forgets it.
    left = [c["state"] for c in l2.channels() if c["state"] != "CHANNELD_NORMAL"]
    assert left == ["AWAITING_UNILATERAL"]
    Payments(l1, l2).start(3)
    wait_for(lambda: not l1.rpc("listsendpays", status="pending")["payments"])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("role", ["closer", "other"])
def test_lightningd_dies_while_closing(node_factory: NodeFactory, role: str, when: str) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True)
    victim = l1 if role == "closer" else l2
    node_factory.fund_wallet(l1, 10_000_000)
    node_factory.connect(l1, l2)
    txids = []
    for _ in CLOSE_POINTS:
        made = l1.rpc("fundchannel", id=l2.id, amount=200_000, push_msat=50_000_000, minconf=0)
        txids.append(made["txid"])
    node_factory.mine(1, wait_for_mempool=txids)
    for txid, name in zip(txids, CLOSE_POINTS, strict=True):
        node_factory.wait_normal(l1, l2, txid)
        wait_back(l1, l2)
        channel_id = node_factory.channel(l1, l2, txid)["channel_id"]
        crash_at(victim, f"{when}:{name}")
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(l1.call, "close", {"id": channel_id})
            rise(victim, name)
            with contextlib.suppress(*GONE):
                assert done.result()["type"] == "mutual"
        # Who is done needs the peer no more and does not dial; the other may not know where to.
        with contextlib.suppress(RpcError):
            l1.rpc("connect", id=l2.id, host="127.0.0.1", port=l2.port)
        for node, peer in ((l1, l2), (l2, l1)):
            wait_for(
                lambda n=node, p=peer, t=txid: (
                    node_factory.channel(n, p, t)["state"] == "CLOSINGD_COMPLETE"
                ),
                f"{node.name}'s close after {name}",
            )
    node_factory.mine(1, wait_for_mempool=len(CLOSE_POINTS))
    for node in (l1, l2):
        wait_for(lambda n=node: set(n.channel_states()) == {"ONCHAIN"})


def test_lightningd_dies_while_the_feerate_changes(node_factory: NodeFactory) -> None:
    """The opener dies as it takes the channel up and as it says the new feerate, then the other as it hears one."""
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    wait_back(l1, l2)
    l1.stop()
    l1.options["force-feerates"] = 1_500
    for point in (f"{when}:{name}" for name in (*TAKE_UP_POINTS, *FEE_POINTS) for when in WHEN):
        start_and_die(l1, point)
    l1.start()
    _wait_feerate(1_500, l1, l2)
    l1.stop()
    l1.options["force-feerates"] = 1_700
    crash_at(l2, "after:channeld_got_commitsig")
    l1.start()
    rise(l2, "with the new feerate")
    _wait_feerate(1_700, l1, l2)
    payments = Payments(l2, l1)
    payments.start()
    payments.wait_over()
    assert payments.check() == 1


def _wait_feerate(perkw: int, *nodes: Node) -> None:
    wait_back(*nodes)
    for node in nodes:
        wait_for(lambda n=node: n.channels()[0]["feerate"]["perkw"] >= perkw, "the new feerate")


@pytest.mark.parametrize("daemon", ["connectd", "channeld", "gossipd"])
def test_daemon_dies_while_paying(node_factory: NodeFactory, daemon: str) -> None:
    """Kill -9 of a daemon at the payer, the forwarder and the payee, with payments on their way."""
    nodes = node_factory.line_graph(
        3, options=OPTIONS, wait_for_announcement=False, allow_trouble=DEATH
    )
    payments = Payments(*nodes)
    for victim in nodes:
        wait_back(*nodes)
        payments.start(5)
        kill_and_wait(victim, daemon)
        payments.start(1)
        payments.wait_over()
    wait_back(*nodes)
    payments.start(1)
    payments.wait_over()
    assert payments.check() >= 1
    last = payments.invoices[-1]["label"]
    assert payments.payee.rpc("listinvoices", label=last)["invoices"][0]["status"] == "paid"


def kill_and_wait(node: Node, daemon: str) -> None:
    """Kill a daemon, and wait until others have taken its place: from then on the node knows of the death."""
    old = set(node.daemon_pids(daemon))
    node.kill_daemon(daemon)
    wait_for(lambda: set(node.daemon_pids(daemon)) - old, f"{node.name}'s new {daemon}")


def kill_soon(node: Node, daemon: str, begin: Callable[[], Any]) -> Any:
    """Begin something and kill the daemon that it starts; returns the result or the error."""
    before = set(node.daemon_pids(daemon))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(begin)
        wait_for(
            lambda: set(node.daemon_pids(daemon)) - before or before, f"{node.name}'s {daemon}"
        )
        for pid in node.daemon_pids(daemon):
            os.kill(pid, signal.SIGKILL)
        try:
            return running.result()
        except RpcError as error:
            return error


def test_openingd_and_closingd_die(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, OPTIONS, allow_trouble=f"{DEATH}|openingd|closingd")
    node_factory.fund_wallet(l1, 10_000_000)
    node_factory.connect(l1, l2)

    def fund() -> dict[str, Any]:
        return l1.rpc("fundchannel", id=l2.id, amount=200_000, push_msat=50_000_000)

    for victim in (l1, l2, l1):
        kill_soon(victim, "openingd", fund)
        node_factory.mine(1)

    def fund_at_last() -> dict[str, Any] | None:
        # The connection may have ended with the daemon, and the next openingd has not begun yet.
        try:
            l1.rpc("connect", id=l2.id, host="127.0.0.1", port=l2.port)
            return fund()
        except RpcError:
            return None

    txid = wait_for(fund_at_last, "an opening that succeeds")["txid"]
    node_factory.mine(1, wait_for_mempool=txid)
    node_factory.wait_normal(l1, l2, txid)
    wait_back(l1, l2)
    channel_id = node_factory.channel(l1, l2, txid)["channel_id"]
    for victim in (l1, l2):
        done = kill_soon(victim, "closingd", lambda: l1.call("close", {"id": channel_id}))
        assert isinstance(done, dict) or "closed" in str(done), done
    node_factory.mine(1, wait_for_mempool=1)
    for node, peer in ((l1, l2), (l2, l1)):
        wait_for(
            lambda n=node, p=peer: node_factory.channel(n, p, txid)["state"] == "ONCHAIN",
            f"{node.name}'s close",
        )


def test_hsmd_dies(node_factory: NodeFactory) -> None:
    """Without hsmd the node stops; it is as well as before when it starts again."""
    l1, l2 = node_factory.make_many(2, OPTIONS, may_crash=True, allow_trouble="hsmd")
    node_factory.open_channel(l1, l2)
    payments = Payments(l1, l2)
    payments.start(3)
    l2.kill_daemon("hsmd")
    wait_for(lambda: not l2.is_running)
    assert l2.wait_exit() == 1
    l2.start()
    payments.wait_over()
    payments.start()
    payments.wait_over()
    payments.check()
