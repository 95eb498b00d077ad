"""Kill -9 of lightningd, onchaind and bcli in the middle of a penalty, at every point where something is written down."""

from __future__ import annotations

import shutil

from tests.regtest.crash_points import BLOCK, CLAIM, ONCHAIN_POINTS, RESOLVED_POINTS
from tests.regtest.crashing import crash_at, rise, start_and_die, wait_dead
from tests.regtest.network import NodeFactory
from tests.regtest.node import NETWORK, Node
from tests.regtest.onchain import OPTIONS as ONCHAIN_OPTIONS
from tests.regtest.onchain import close_alone, reconnect
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

OPTIONS = ONCHAIN_OPTIONS | {
    "dev-crash-at": "nothing",
    "dev-fail-on-subdaemon-fail": False,
    "disable-plugin": ["pay", "topology", "offers"],
}


def _die_in_block(
    factory: NodeFactory, node: Node, point: str, *, wait_for_mempool: bool = True
) -> None:
    """Mine what waits; the node dies of it, and is not started again."""
    crash_at(node, point)
    if wait_for_mempool:
        factory.bitcoind.wait_for_mempool(1)
    factory.bitcoind.generate(1)
    wait_dead(node, point)


def test_deaths_in_the_middle_of_a_penalty(node_factory: NodeFactory) -> None:
    bitcoind = node_factory.bitcoind
    l1, l2 = node_factory.make_many(
        2, OPTIONS, may_crash=True, allow_trouble="was killed|marked as important"
    )
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
    bitcoind.wait_for_mempool(close_alone(l1))
    l1.stop()
    # The cheat is in a block: seen or not, it is there at the next start.
    _die_in_block(node_factory, l2, f"before:{BLOCK}")
    start_and_die(l2, f"after:{BLOCK}")
    for n, name in enumerate(ONCHAIN_POINTS):
        start_and_die(l2, f"{'after' if n % 2 else 'before'}:{name}")
    start_and_die(l2, f"before:{CLAIM}")
    # The penalty is written down and has not left.
    start_and_die(l2, f"after:{CLAIM}")
    assert not bitcoind.mempool()
    l2.start()
    wait_for(bitcoind.mempool, "the penalty")
    old_pids = l2.daemon_pids("onchaind")
    l2.kill_daemon("onchaind")
    wait_for(lambda: set(l2.daemon_pids("onchaind")) - set(old_pids), "another onchaind")
    l2.kill_daemon("bcli")
    assert l2.wait_exit() != 0
    l2.start()
    # The penalty is in a block; the node dies before it knows, and once more before anybody hears of it.
    crash_at(l2, f"before:{BLOCK}")
    bitcoind.generate(1, wait_for_mempool=1)
    rise(l2, "as the penalty is mined")
    l2.wait_for_log(
        "Resolved THEIR_REVOKED_UNILATERAL/DELAYED_CHEAT_OUTPUT_TO_THEM by our proposal"
    )
    wait_for(lambda: l2.spendable_sat() > 980_000, "l2's coins")
    node_factory.mine(98)
    (resolved,) = RESOLVED_POINTS
    _die_in_block(node_factory, l2, f"before:{resolved}", wait_for_mempool=False)
    start_and_die(l2, f"after:{resolved}")
    l2.start()
    assert not l2.channels()
