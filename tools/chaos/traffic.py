"""Payments without pause, from several threads: direct, over two hops, by the payer plugin, and some that must fail."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from tests.regtest.node import Node
from tests.regtest.reply_check import BadReplyError
from tools.chaos.world import GONE, Edge, World, quick

FINAL_DELAY = 45
HOP_DELAY = 40
FEE_MSAT = 2_000
LARGEST_MSAT = 20_000_000


class Traffic:
    """Threads that pay until `stop`."""

    def __init__(self, world: World, seed: int, *, threads: int, rate: float) -> None:
        """`rate`: payments a second of all threads together, if the nodes can."""
        self._world = world
        self._over = threading.Event()
        self._pause_s = threads / rate
        self._threads = [
            threading.Thread(target=self._work, args=(seed + n,), name=f"payer {n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more payments begin."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, seed: int) -> None:
        rng = random.Random(seed)
        number = 0
        while not self._over.is_set():
            began = time.monotonic()
            number += 1
            kind = rng.choices(("direct", "two hops", "xpay", "to fail"), (5, 4, 2, 2))[0]
            try:
                outcome = self._pay(rng, kind, f"{seed}-{number}")
            except GONE:
                outcome = "refused"
            except BadReplyError as error:
                self._world.counts.violation(f"a reply breaks its schema: {error}")
                outcome = "refused"
            self._world.counts.payment(f"{kind}: {outcome}")
            self._over.wait(max(0.0, self._pause_s - (time.monotonic() - began)))

    def _pay(self, rng: random.Random, kind: str, label: str) -> str:
        path = self._path(rng, 2 if kind == "two hops" else 1)
        if path is None:
            return "no way"
        amount = rng.randrange(1_000, LARGEST_MSAT)
        if rng.random() < 0.2:
            amount = rng.randrange(1, 400_000)  # dust on the chain
        payer, payee = path[0][0], path[-1][1]
        invoice = quick(payee, "invoice", amount_msat=amount, label=label, description="chaos")
        if kind == "xpay":
            quick(payer, "xpay", invstring=invoice["bolt11"], retry_for=15, timeout_s=40)
            return "paid"
        if kind == "to fail":
            invoice["payment_secret"] = rng.randbytes(32).hex()
        quick(
            payer,
            "sendpay",
            route=make_route(path, amount),
            payment_hash=invoice["payment_hash"],
            payment_secret=invoice["payment_secret"],
        )
        return "sent"

    def _path(self, rng: random.Random, hops: int) -> list[tuple[Node, Node, Edge]] | None:
        """Channels in a row, each as (from, to, channel)."""
        edges = self._world.edges
        if not edges:
            return None
        path: list[tuple[Node, Node, Edge]] = []
        seen: set[str] = set()
        while len(path) < hops:
            here = path[-1][1] if path else None
            choice = [
                (a, b, e)
                for e in edges
                for a, b in ((e.left, e.right), (e.right, e.left))
                if (here is None or a is here) and b.name not in seen
            ]
            if not choice:
                return None
            step = rng.choice(choice)
            seen |= {step[0].name, step[1].name}
            path.append(step)
        return path


def make_route(path: list[tuple[Node, Node, Edge]], amount_msat: int) -> list[dict[str, Any]]:
    """sendpay's route."""
    last = len(path) - 1
    return [
        {
            "id": target.id,
            "channel": edge.scid,
            "amount_msat": amount_msat + FEE_MSAT * (last - n),
            "delay": FINAL_DELAY + HOP_DELAY * (last - n),
        }
        for n, (_, target, edge) in enumerate(path)
    ]
