"""What goes wrong, chosen by a seeded generator. Each fault returns how it is counted, or nothing where it does not apply."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable

from tests.regtest.bitcoind import BitcoindError
from tests.regtest.node import Node
from tools.chaos.world import GONE, Edge, World, answers, quick

DAEMONS = ("connectd", "channeld", "gossipd", "openingd", "closingd", "onchaind")
PLUGIN = "plugins.bcli"
LONGEST_DOWN_S = 4.0
LONGEST_FREEZE_S = 6.0
FEWEST_EDGES = 6
"""Channels that are left for payments, however many closes are drawn."""

Fault = Callable[[], str | None]


class Faults:
    """Does one thing at a time, on the main thread."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._number = 0
        self._rng = random.Random(seed)
        """Anew for each fault, so that what one draws does not depend on how much those before it drew."""
        self._helpers: list[threading.Thread] = []
        self.all: dict[str, tuple[int, Fault]] = {
            "kill": (10, self.kill_daemon),
            "node": (4, self.kill_node),
            "restart": (1, self.restart_node),
            "hsmd": (1, self.kill_hsmd),
            "plugin": (1, self.kill_plugin),
            "freeze": (7, self.freeze),
            "bitcoind": (2, self.restart_bitcoind),
            "reorg": (3, self.reorg),
            "disk": (2, self.fill_disk),
            "disconnect": (3, self.disconnect),
            "mutual": (2, self.close_together),
            "alone": (1, self.close_alone),
            "open": (2, self.open_channel),
        }

    def one(self, only: list[str] | None = None) -> str | None:
        """Draw one and do it."""
        name = self.draw(only)
        try:
            done = self.all[name][1]()
        except (*GONE, BitcoindError) as error:
            return f"{name} (did not work: {str(error)[:80]})"
        if done is not None:
            what, _, whose = done.partition(": ")
            self._world.counts.fault(what)
            self._world.last_fault[whose.partition(" ")[0]] = what
        return done

    def draw(self, only: list[str] | None = None) -> str:
        """The name of the next fault: the seed and its number say which."""
        self._number += 1
        self._rng = random.Random(f"{self._seed} {self._number}")
        names = only or list(self.all)
        return self._rng.choices(names, [self.all[n][0] for n in names])[0]

    def join(self) -> None:
        """Wait for commands that were begun."""
        for thread in self._helpers:
            thread.join(90)

    def _victim(self) -> Node | None:
        nodes = self._world.nodes
        first = self._rng.randrange(len(nodes))
        ring = [*nodes[first:], *nodes[:first]]
        return next((n for n in ring if self._world.is_up(n)), None)

    def _ready_victim(self) -> Node | None:
        """One that has done with starting: before, a dead hsmd is simply tried again."""
        node = self._victim()
        return node if node is not None and answers(node, timeout_s=3.0) else None

    def _seconds(self, longest: float) -> float:
        return self._rng.uniform(0.0, longest)

    # ---- processes ----------------------------------------------------------------------------

    def kill_daemon(self) -> str | None:
        """kill -9 of one daemon."""
        node, name = self._victim(), self._rng.choice(DAEMONS)
        pids = node.daemon_pids(f"pylightningd.{name}") if node else []
        if node is None or not pids:
            return None
        pid = self._rng.choice(pids)
        self._world.frozen.pop(pid, None)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return f"kill -9 {name}: {node.name}"

    def kill_plugin(self) -> str | None:
        """kill -9 of a plugin of the node."""
        node, name = self._ready_victim(), PLUGIN
        pids = node.daemon_pids(name) if node else []
        if node is None or not pids:
            return None
        self._world.expect_end(node)  # it is important: the node ends, too
        os.kill(pids[0], signal.SIGKILL)
        return f"kill -9 {name}: {node.name}"

    def kill_node(self) -> str | None:
        """kill -9 of lightningd."""
        node = self._victim()
        if node is None:
            return None
        self._world.kill_node(node, self._seconds(LONGEST_DOWN_S))
        return f"kill -9 lightningd: {node.name}"

    def restart_node(self) -> str | None:
        """A clean stop."""
        node = self._ready_victim()
        if node is None:
            return None
        self._world.thaw(node)
        self._world.expect_end(node)
        quick(node, "stop")
        return f"stop and start: {node.name}"

    def kill_hsmd(self) -> str | None:
        """Without hsmd the node ends."""
        node = self._ready_victim()
        pids = node.daemon_pids("pylightningd.hsmd") if node else []
        if node is None or not pids:
            return None
        self._world.thaw(node)
        self._world.expect_end(node)
        os.kill(pids[0], signal.SIGKILL)
        return f"kill -9 hsmd: {node.name}"

    def freeze(self) -> str | None:
        """SIGSTOP of a daemon or of lightningd, SIGCONT later."""
        node = self._victim()
        if node is None:
            return None
        name = self._rng.choice((*DAEMONS[:3], "lightningd", "hsmd"))
        pids = [node.pid] if name == "lightningd" else node.daemon_pids(f"pylightningd.{name}")
        if not pids:
            return None
        self._world.freeze(node, self._rng.choice(pids), self._seconds(LONGEST_FREEZE_S))
        return f"stop/cont {name}: {node.name}"

    def fill_disk(self) -> str | None:
        """lightningd may write no file beyond a few bytes: its next commit fails."""
        node = self._ready_victim()
        if node is None:
            return None
        self._world.thaw(node)
        self._world.expect_end(node)
        hard = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)[1]
        limit = self._rng.choice((64, 4096, 20_000))
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (limit, hard))
        return f"disk full: {node.name}"

    def disconnect(self) -> str | None:
        """Drop a connection."""
        node, peer = self._victim(), self._rng.choice(self._world.nodes)
        if node is None or peer is node:
            return None
        quick(node, "disconnect", id=peer.id, force=True, timeout_s=20)
        return f"disconnect: {node.name} {peer.name}"

    # ---- chain --------------------------------------------------------------------------------

    def restart_bitcoind(self) -> str | None:
        """bitcoind is away for a while; sometimes it forgets its mempool."""
        if self._world.bitcoind_until is not None:
            return None
        self._world.bitcoind.stop()
        lost = self._rng.random() < 0.3
        if lost:
            (self._world.bitcoind.folder / "regtest" / "mempool.dat").unlink(missing_ok=True)
        self._world.bitcoind_until = time.monotonic() + self._seconds(LONGEST_DOWN_S)
        return "bitcoind restarted, mempool lost" if lost else "bitcoind restarted"

    def reorg(self) -> str | None:
        """The last blocks are replaced."""
        if self._world.bitcoind_until is not None:
            return None
        depth = self._rng.randint(1, 3)
        keep = self._rng.random() < 0.6
        self._world.bitcoind.reorg(depth, keep_mempool=keep)
        return f"reorg of depth {depth}"

    # ---- channels -----------------------------------------------------------------------------

    def _edge(self) -> Edge | None:
        world = self._world
        with world.lock:
            if len(world.edges) < FEWEST_EDGES:
                return None
            edge = self._rng.choice(world.edges)
            if not (world.is_up(edge.left) and world.is_up(edge.right)):
                return None
            world.edges = [e for e in world.edges if e is not edge]
        return edge

    def close_together(self) -> str | None:
        """close, with all the time in the world."""
        edge = self._edge()
        if edge is None:
            return None
        self._world.closing.add(edge.channel_id)
        node = self._rng.choice((edge.left, edge.right))
        self._begin(node, "close", id=edge.channel_id, unilateraltimeout=0)
        return f"mutual close: {edge.scid}"

    def close_alone(self) -> str | None:
        """close after one second, whatever the peer does."""
        edge = self._edge()
        if edge is None:
            return None
        node, peer = (edge.left, edge.right)[:: self._rng.choice((1, -1))]
        self._world.ordered.add(edge.channel_id)
        self._world.closing.add(edge.channel_id)
        if self._rng.random() < 0.8:
            for pid in node.daemon_pids("pylightningd.closingd") + peer.daemon_pids("connectd"):
                self._world.freeze(node, pid, 3.0)
        self._begin(node, "close", id=edge.channel_id, unilateraltimeout=1)
        return f"unilateral close: {edge.scid}"

    def open_channel(self) -> str | None:
        """fundchannel, in the middle of it all."""
        node, peer = self._victim(), self._rng.choice(self._world.nodes)
        if node is None or peer is node:
            return None
        thread = threading.Thread(target=self._open, args=(node, peer), daemon=True)
        thread.start()
        self._helpers.append(thread)
        return f"open: {node.name} {peer.name}"

    def _open(self, node: Node, peer: Node) -> None:
        with contextlib.suppress(*GONE):
            self._world.open_one(node, peer)

    def _begin(self, node: Node, method: str, **params: object) -> None:
        def run() -> None:
            with contextlib.suppress(*GONE):
                quick(node, method, timeout_s=30, **params)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._helpers.append(thread)
