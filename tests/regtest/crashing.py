"""What tests of crashes have in common: where a node dies, how it rises, and payments that go on meanwhile."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import new_invoice, route_to, start_payment
from tests.regtest.waiting import wait_for

OPTIONS = {
    "dev-no-reconnect": False,
    "dev-fast-reconnect": True,
    "dev-crash-at": "nothing",
    "dev-fail-on-subdaemon-fail": False,
    # A node starts often here, and these tests choose their routes: what they do not need costs half a second each.
    "disable-plugin": ["pay", "topology", "offers"],
}
AMOUNT_MSAT = 10_000_000
FEE_MSAT = 10_000
WHEN = ("before", "after")
# What a killed daemon may make its master log.
DEATH = "was killed"
GONE = (OSError, RpcError)


def crash_at(node: Node, point: str) -> None:
    """Let a running node die there."""
    node.rpc("setconfig", config="dev-crash-at", val=point, transient=True)


def rise(node: Node, point: str) -> None:
    """Wait for a node's death, and start it again."""
    wait_for(lambda: not node.is_running, f"{node.name} to die {point}")
    assert node.wait_exit() == -signal.SIGKILL
    node.start()


def start_and_die(node: Node, point: str) -> None:
    """Start a node that dies in that, or soon after."""
    node.options["dev-crash-at"] = point
    node.start(wait=False)
    wait_dead(node, point)
    node.options["dev-crash-at"] = "nothing"


def wait_dead(node: Node, point: str) -> None:
    """Wait until a node has killed itself."""
    wait_for(lambda: not node.is_running, f"{node.name} to die {point}")
    assert node.wait_exit() == -signal.SIGKILL


class Payments:
    """Payments that one node makes to another, which may crash while it does."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes
        self.payer, self.payee = nodes[0], nodes[-1]
        self.invoices: list[dict[str, Any]] = []

    def start(self, count: int = 1) -> None:
        """Begin payments; the payer may die in that."""
        route = route_to(*self.nodes, amount_msat=AMOUNT_MSAT, fees_msat=FEE_MSAT)
        for _ in range(count):
            invoice = new_invoice(self.payee, AMOUNT_MSAT)
            self.invoices.append(invoice)
            with contextlib.suppress(*GONE):
                start_payment(self.payer, route, invoice)

    def wait_over(self) -> None:
        """Wait until every payment has ended."""
        wait_for(
            lambda: not self.payer.rpc("listsendpays", status="pending")["payments"],
            "the payments' end",
        )
        for node in self.nodes:
            wait_for(lambda n=node: not any(c["htlcs"] for c in n.channels()), "the HTLCs' end")

    def check(self) -> int:
        """Payer and payee agree about each payment; returns how many were paid."""
        sent: dict[str, list[str]] = {}
        for part in self.payer.rpc("listsendpays")["payments"]:
            sent.setdefault(part["payment_hash"], []).append(part["status"])
        invoices = self.payee.rpc("listinvoices")["invoices"]
        received = {i["payment_hash"]: i["status"] for i in invoices}
        paid = 0
        for invoice in self.invoices:
            key = invoice["payment_hash"]
            statuses = sent.get(key, [])
            assert len(statuses) <= 1
            assert statuses in ([], ["complete"], ["failed"]), statuses
            assert (statuses == ["complete"]) == (received[key] == "paid"), (statuses, key)
            paid += received[key] == "paid"
        return paid


def meet(factory: NodeFactory, l1: Node, l2: Node) -> None:
    """Wait until two nodes have a connection that stays."""

    def settled() -> bool:
        if "CHANNELD_AWAITING_LOCKIN" in l1.channel_states() + l2.channel_states():
            return False
        try:
            if not l1.is_connected(l2):
                factory.connect(l1, l2)
            return bool(l1.rpc("ping", id=l2.id) and l2.rpc("ping", id=l1.id))
        except RpcError:
            return False

    if not l1.is_connected(l2):
        factory.connect(l1, l2)
    wait_for(settled, "both to settle")


def normal(node: Node) -> set[str]:
    """Ids of the usable channels."""
    return {c["channel_id"] for c in node.channels() if c["state"] == "CHANNELD_NORMAL"}
