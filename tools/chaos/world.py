"""The nodes, their chain, and the channels between them. What is down, and when it comes back."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError, call
from tests.regtest.waiting import wait_for
from tools.chaos.ledger import Counts

HOLD_PLUGIN = Path(__file__).with_name("hold_plugin.py")
CHANNEL_SAT = 500_000
COIN_SAT = 620_000
OPEN_BATCH = 10
"""Channels that one node opens before a block is mined; a wallet's unconfirmed chains stay short."""
PATIENCE_S = 240.0
END_S = 45.0
GONE = (OSError, RpcError)
# Deadlines are far away: whatever closes alone in a run of some minutes was told to, or is a bug.
OPTIONS: dict[str, Any] = {
    "dev-no-reconnect": False,
    "dev-fast-reconnect": True,
    "dev-fail-on-subdaemon-fail": False,
    "dev-crash-after": False,
    "cltv-delta": 40,
    "cltv-final": 40,
    "log-level": "debug",
    "important-plugin": HOLD_PLUGIN,
}


@dataclass(frozen=True)
class Edge:
    """A channel that was opened for traffic."""

    left: Node
    right: Node
    channel_id: str
    scid: str
    alias: str


@dataclass
class World:
    """See the module. Only the main thread starts, stops and signals processes."""

    folder: Path
    bitcoind: Bitcoind
    counts: Counts
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    down_until: dict[str, float] = field(default_factory=dict)
    """Nodes that are not to run before this time (time.monotonic)."""
    frozen: dict[int, tuple[float, Node]] = field(default_factory=dict)
    """Process ids that are stopped, until when, and whose."""
    dying: dict[str, float] = field(default_factory=dict)
    """Nodes that were given a reason to end, and until when they should."""
    bitcoind_until: float | None = None
    last_fault: dict[str, str] = field(default_factory=dict)
    """What was done to each node last."""
    ordered: set[str] = field(default_factory=set)
    """Ids of channels that were told to close alone."""
    closing: set[str] = field(default_factory=set)
    """Ids of channels that were told to close together."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.factory = NodeFactory(self.folder, self.bitcoind)

    # ---- making it ----------------------------------------------------------------------------

    def build(self, count: int, per_pair: int, options: dict[str, Any]) -> None:
        """Start `count` nodes and open `per_pair` channels between any two."""
        self.nodes = self.factory.make_many(count, OPTIONS | options)
        pairs = list(itertools.combinations(self.nodes, 2))
        # Each node opens as many as it accepts, or nearly.
        plan = [
            pair if n % 2 == i % 2 else pair[::-1]
            for i, pair in enumerate(pairs)
            for n in range(per_pair)
        ]
        self._fund({node: sum(1 for o, _ in plan if o is node) for node in self.nodes})
        for left, right in pairs:
            self.factory.connect(left, right)
        while plan:
            plan = self._open_some(plan)
        self.factory.mine(6)
        self.learn_edges()

    def _fund(self, coins: dict[Node, int]) -> None:
        for node, number in coins.items():
            outputs = {
                node.rpc("newaddr", addresstype="bech32")["bech32"]: f"{COIN_SAT / 1e8:.8f}"
                for _ in range(number + 4)
            }
            self.bitcoind.rpc("sendmany", "", outputs)
        self.factory.mine(1)
        for node in self.nodes:
            wait_for(node.spendable_sat, f"{node.name}'s coins")

    def _open_some(self, plan: list[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
        """Open up to `OPEN_BATCH` channels of each node side by side and mine them; returns those left."""
        mine: dict[str, list[tuple[Node, Node]]] = {}
        left = []
        for pair in plan:
            batch = mine.setdefault(pair[0].name, [])
            (batch if len(batch) < OPEN_BATCH else left).append(pair)
        with ThreadPoolExecutor(len(mine)) as pool:
            for txids in pool.map(self._open_for_one, mine.values()):
                self.bitcoind.wait_for_mempool(txids)
        self.factory.mine(1)
        wait_for(self._all_normal, "new channels", PATIENCE_S)
        return left

    def _open_for_one(self, pairs: list[tuple[Node, Node]]) -> list[str]:
        return [self.open_one(*pair)["txid"] for pair in pairs]

    def open_one(self, opener: Node, accepter: Node) -> dict[str, Any]:
        """Open one channel with half of it on the other side."""
        return quick(
            opener,
            "fundchannel",
            id=accepter.id,
            amount=CHANNEL_SAT,
            push_msat=CHANNEL_SAT * 500,
            feerate="2000perkw",
        )

    def _all_normal(self) -> bool:
        return all(c["state"] == "CHANNELD_NORMAL" for n in self.nodes for c in channels_of(n))

    def learn_edges(self) -> None:
        """Note the channels that can be used."""
        by_id = {n.id: n for n in self.nodes}
        found = [
            Edge(
                node,
                by_id[c["peer_id"]],
                c["channel_id"],
                c["short_channel_id"],
                c["alias"]["local"],
            )
            for node in self.nodes
            for c in channels_of(node)
            if c["state"] == "CHANNELD_NORMAL"
            and c["opener"] == "local"
            and "short_channel_id" in c
        ]
        self.edges = [e for e in found if e.channel_id not in self.ordered | self.closing]

    # ---- down and up --------------------------------------------------------------------------

    def is_up(self, node: Node) -> bool:
        """Whether it runs and is not meant to be down."""
        return node.is_running and node.name not in self.down_until and node.name not in self.dying

    def kill_node(self, node: Node, seconds: float) -> None:
        """kill -9 of lightningd."""
        self.expect_end(node)
        node.signal(signal.SIGKILL)
        self._bury(node, seconds)

    def expect_end(self, node: Node) -> None:
        """Note that a node has a reason to end now."""
        self.dying[node.name] = time.monotonic() + END_S

    def _bury(self, node: Node, seconds: float) -> None:
        """lightningd has ended: its daemons must follow; it starts again in so many seconds."""
        self.thaw(node)
        try:
            node.wait_exit()
        except TimeoutError as error:
            self.counts.violation(f"{node.name}: something outlived lightningd: {error}")
        self.dying.pop(node.name, None)
        self.down_until[node.name] = time.monotonic() + seconds

    def freeze(self, node: Node, pid: int, seconds: float) -> None:
        """SIGSTOP for a while."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self.frozen[pid] = (time.monotonic() + seconds, node)

    def thaw(self, node: Node | None = None, *, now: bool = True) -> None:
        """SIGCONT for what is stopped: of one node, or of all; `now`: though its time is not over."""
        for pid, (until, owner) in list(self.frozen.items()):
            if (node is None or owner is node) and (now or until <= time.monotonic()):
                del self.frozen[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def tick(self) -> None:
        """What is due: processes go on, nodes and bitcoind start again. Notices who ended without a reason."""
        self.thaw(now=False)
        now = time.monotonic()
        if self.bitcoind_until is not None and now >= self.bitcoind_until:
            self.bitcoind.start()
            self.bitcoind_until = None
        for node in self.nodes:
            due = self.down_until.get(node.name)
            if due is not None:
                if now >= due and self.bitcoind_until is None:
                    del self.down_until[node.name]
                    node.start(wait=False)
                    self.counts.restarts += 1
            elif not node.is_running:
                if node.name not in self.dying:
                    tail = "\n    ".join(node.log.tail(5).splitlines())
                    self.counts.violation(f"{node.name} ended by itself:\n    {tail}")
                self._bury(node, 0.0)
            elif now > self.dying.get(node.name, now):
                self.counts.violation(
                    f"{node.name} did not end, though it had to: {self.last_fault.get(node.name)}"
                )
                del self.dying[node.name]

    def raise_all(self) -> None:
        """Everything runs again, and every node answers and is in step with the chain."""
        self.thaw()
        if self.bitcoind_until is not None:
            self.bitcoind_until = 0.0
        for name in self.down_until:
            self.down_until[name] = 0.0

        def ready() -> bool:
            self.tick()
            for name in self.down_until:
                self.down_until[name] = 0.0
            return not self.dying and all(self.is_up(n) and answers(n) for n in self.nodes)

        wait_for(ready, "all nodes to answer", PATIENCE_S)
        self.factory.sync()

    def close(self) -> list[str]:
        """End all; what was wrong with that."""
        self.thaw()
        if self.bitcoind_until is not None:
            self.bitcoind.start()
        problems = []
        for node in self.nodes:
            with contextlib.suppress(Exception):
                if node.is_running:
                    node.stop()
                    continue
            node.may_crash = True
            problems += [p for p in node.close() if " logged: " not in p]
        self.bitcoind.close()
        return problems


def quick(node: Node, method: str, /, timeout_s: float = 60.0, **params: Any) -> dict[str, Any]:
    """A command without the check of its reply's form, which costs more than the command."""
    return call(node.rpc_path, method, {k.rstrip("_"): v for k, v in params.items()}, timeout_s)


def channels_of(node: Node) -> list[dict[str, Any]]:
    """listpeerchannels."""
    found: list[dict[str, Any]] = quick(node, "listpeerchannels")["channels"]
    return found


def answers(node: Node, timeout_s: float = 20.0) -> bool:
    """Whether its RPC is there."""
    try:
        return "id" in quick(node, "getinfo", timeout_s)
    except GONE:
        return False
