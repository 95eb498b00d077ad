"""One lightningd under measurement: its own chain and nodes, from first start to clean-up."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import channel_size, loads, many_channels
from bench.process_cost import cpu_ms, pss_kib, short_name, spent_since
from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node

CHANNEL_SAT = 15_000_000
SETTLE_SECONDS = 3.0
INSTALLED_CLI = "import sys; from pylightningd.cli.main import main; sys.exit(main())"
"""What pip writes into the program lightning-cli."""

# As a user would run it: no debugging aids, log level info.
OPTIONS: dict[str, Any] = {
    "dev-crash-after": False,
    "dev-fail-on-subdaemon-fail": False,
    "dev-no-reconnect": False,
    "dev-save-plugin-io": False,
    "log-level": "info",
    "max-dust-htlc-exposure-msat": "1000000sat",
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    payments: int = 1000
    at_a_time: int = 100
    single_payments: int = 30
    starts: int = 5
    cli_runs: int = 25


@dataclass(slots=True)
class Findings:
    """What came out; None: not measured."""

    payments_per_second: float | None = None
    direct_ms: float | None = None
    two_hops_ms: float | None = None
    invoice_ms: float | None = None
    start_s: float | None = None
    cli_ms: float | None = None
    idle_mib: float | None = None
    ready_s: float | None = None
    block_ms: float | None = None
    channel_kb: float | None = None
    idle_mib_by_process: Counter[str] = field(default_factory=Counter)
    cpu_ms_per_payment: Counter[str] = field(default_factory=Counter)
    cpu_ms_per_invoice: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)


class Contestant:
    """Runs all loads for one program: `command` is its path, None for this tree's."""

    def __init__(self, name: str, command: str | None, bitcoind: Path, sizes: Sizes) -> None:
        self.name = name
        self.sizes = sizes
        self.findings = Findings()
        self._command = command
        self._folder = Path(tempfile.mkdtemp(prefix="ln-bench-"))
        self._bitcoind = Bitcoind(self._folder / "bitcoind", bitcoind)
        self._nodes = NodeFactory(self._folder, self._bitcoind)

    def say(self, text: str) -> None:
        """Progress, apart from the table."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def run(self, wanted: set[str]) -> Findings:
        """Measure what is wanted; clean up whatever happens."""
        before = os.environ.pop("LIGHTNINGD", None)
        if self._command is not None:
            os.environ["LIGHTNINGD"] = shlex.quote(self._command)
        try:
            self._bitcoind.start()
            self._measure(wanted)
        finally:
            os.environ.pop("LIGHTNINGD", None)
            if before is not None:
                os.environ["LIGHTNINGD"] = before
            self.findings.troubles += self._nodes.close()
            self._bitcoind.close()
            if not self.findings.troubles:
                shutil.rmtree(self._folder, ignore_errors=True)
        return self.findings

    def _measure(self, wanted: set[str]) -> None:
        first = self._nodes.make(OPTIONS, start=False)
        if "start" in wanted:
            self._measure_starts(first)
        first.start()
        if "memory" in wanted:
            self._measure_memory(first)
        if "cli" in wanted:
            self._measure_cli(first)
        if "channels" in wanted:
            self._measure_many_channels()
        if not wanted & {"invoice", "flood", "direct", "hops"}:
            return
        nodes = [first, *self._nodes.make_many(2 if "hops" in wanted else 1, OPTIONS)]
        scids = self._open_channels(nodes)
        for name, measure in (
            ("invoice", self._measure_invoice),
            ("flood", self._measure_flood),
            ("direct", self._measure_direct),
            ("hops", self._measure_hops),
        ):
            if name in wanted:
                self.say(name)
                try:
                    measure(nodes, scids)
                except* (loads.CallFailedError, OSError) as group:
                    self.findings.troubles.append(f"{name}: {group.exceptions[0]}")

    def _measure_starts(self, node: Node) -> None:
        self.say("starts")
        node.start()
        node.stop()
        took = []
        for _ in range(self.sizes.starts):
            took.append(loads.start_seconds(node))
            node.stop()
        self.findings.start_s = loads.median(took)

    def _measure_memory(self, node: Node) -> None:
        self.say("idle memory")
        time.sleep(SETTLE_SECONDS)
        names = processes(node)
        for pid, kib in pss_kib(names).items():
            self.findings.idle_mib_by_process[names[pid]] += kib / 1024
        self.findings.idle_mib = sum(self.findings.idle_mib_by_process.values())

    def _measure_cli(self, node: Node) -> None:
        self.say("lightning-cli")
        command = cli_command(self._command)
        if command is not None:
            self.findings.cli_ms = loads.median(loads.cli_ms(command, node, self.sizes.cli_runs))

    def _measure_many_channels(self) -> None:
        """Writes rows of its own into a database: only for our node."""
        if self._command is not None:
            return
        self.say(f"{many_channels.COUNT} channels")
        node = self._nodes.make(OPTIONS | many_channels.OPTIONS, start=False)
        result = many_channels.measure(node, self._bitcoind)
        self.findings.ready_s, self.findings.block_ms = result.ready_s, result.block_ms
        self.say("a channel's million commitments")
        self.findings.channel_kb = channel_size.measure().channel / 1000

    def _open_channels(self, nodes: list[Node]) -> list[str]:
        self.say("channels")
        pairs = list(zip(nodes, nodes[1:], strict=False))
        for opener, _ in pairs:
            self._nodes.fund_wallet(opener, CHANNEL_SAT + 1_000_000)
        scids = []
        for opener, accepter in pairs:
            self._nodes.connect(opener, accepter)
            txid = opener.rpc("fundchannel", id=accepter.id, amount=CHANNEL_SAT)["txid"]
            self._nodes.mine(6, wait_for_mempool=txid)
            self._nodes.wait_normal(opener, accepter, txid)
            scids.append(str(self._nodes.channel(opener, accepter, txid)["short_channel_id"]))
        return scids

    def _measure_invoice(self, nodes: list[Node], _: list[str]) -> None:
        count = self.sizes.payments // 3
        names = processes(nodes[1])
        before = cpu_ms(names)
        took = loads.once(lambda: loads.make_invoices(nodes[1], count, "alone"))[1]
        self.findings.invoice_ms = loads.median(took)
        for name, spent_ms in spent_since(before, names).items():
            self.findings.cpu_ms_per_invoice[name] = spent_ms / count

    def _measure_flood(self, nodes: list[Node], scids: list[str]) -> None:
        payer, payee = nodes[0], nodes[1]
        sizes = self.sizes
        warm_up, _ = loads.once(lambda: loads.make_invoices(payee, 20, "warm"))
        loads.once(lambda: loads.flood(payer, payee, scids[0], warm_up, 10))
        invoices, _ = loads.once(lambda: loads.make_invoices(payee, sizes.payments, "flood"))
        sides = ((" (payer)", processes(payer)), (" (payee)", processes(payee)))
        before = [cpu_ms(names) for _, names in sides]
        self.findings.payments_per_second = loads.once(
            lambda: loads.flood(payer, payee, scids[0], invoices, sizes.at_a_time)
        )
        for (side, names), start in zip(sides, before, strict=True):
            for name, spent_ms in spent_since(start, names).items():
                self.findings.cpu_ms_per_payment[name + side] = spent_ms / sizes.payments

    def _measure_direct(self, nodes: list[Node], _: list[str]) -> None:
        self.findings.direct_ms = self._pay_from_to(nodes[0], nodes[1], "direct")

    def _measure_hops(self, nodes: list[Node], scids: list[str]) -> None:
        self._nodes.wait_announced(scids, nodes)
        self.findings.two_hops_ms = self._pay_from_to(nodes[0], nodes[2], "hops")

    def _pay_from_to(self, payer: Node, payee: Node, label: str) -> float | None:
        count = self.sizes.single_payments + loads.WARM_UP
        invoices, _ = loads.once(lambda: loads.make_invoices(payee, count, label))
        return loads.median(loads.once(lambda: loads.pay_each(payer, invoices)))


def cli_command(lightningd: str | None) -> list[str] | None:
    """The lightning-cli that belongs to a lightningd: ours, or the one in the other's folder, if there is one."""
    if lightningd is None:
        return [sys.executable, "-c", INSTALLED_CLI]
    beside = Path(lightningd).with_name("lightning-cli")
    return [str(beside)] if beside.exists() else None


def processes(node: Node) -> dict[int, str]:
    """All processes of a node: id -> short name."""
    return {pid: short_name(command) for pid, command in node.processes().items()}
