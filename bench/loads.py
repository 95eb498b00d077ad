"""What is measured: each function puts one load on running nodes."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bench.rpc_connection import CallFailedError as CallFailedError
from bench.rpc_connection import RpcConnection
from tests.regtest.node import Node

PAYMENT_MSAT = 2_000_000
"""Above the dust limit, so that each HTLC has an output and signatures."""
FINAL_DELTA = 20
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Invoice:
    """What `sendpay` must know of an invoice."""

    bolt11: str
    payment_hash: str
    payment_secret: str


async def make_invoices(node: Node, count: int, label: str) -> tuple[list[Invoice], list[float]]:
    """Make invoices one after the other; with the time each took, in ms."""
    connection = await RpcConnection.open(node.rpc_path)
    made, took_ms = [], []
    for n in range(count):
        begin = time.perf_counter()
        reply = await connection.call(
            "invoice", amount_msat=PAYMENT_MSAT, label=f"{label}-{n}", description="bench"
        )
        took_ms.append((time.perf_counter() - begin) * 1000)
        made.append(Invoice(reply["bolt11"], reply["payment_hash"], reply["payment_secret"]))
    connection.close()
    return made, took_ms


async def flood(
    payer: Node, payee: Node, scid: str, invoices: list[Invoice], at_a_time: int
) -> float:
    """Pay all over one channel with `sendpay` and `waitsendpay`; payments a second."""
    waiting = list(reversed(invoices))
    route = [{"id": payee.id, "channel": scid, "amount_msat": PAYMENT_MSAT, "delay": FINAL_DELTA}]

    async def pay_on(connection: RpcConnection) -> None:
        while waiting:
            invoice = waiting.pop()
            await connection.call(
                "sendpay",
                route=route,
                payment_hash=invoice.payment_hash,
                payment_secret=invoice.payment_secret,
            )
            await connection.call("waitsendpay", payment_hash=invoice.payment_hash)

    connections = [await RpcConnection.open(payer.rpc_path) for _ in range(at_a_time)]
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(pay_on(connection))
    seconds = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    return len(invoices) / seconds


async def pay_each(payer: Node, invoices: list[Invoice]) -> list[float]:
    """Pay one after the other with `pay`; the time each took, in ms."""
    connection = await RpcConnection.open(payer.rpc_path)
    took_ms = []
    for invoice in invoices:
        begin = time.perf_counter()
        await connection.call("pay", bolt11=invoice.bolt11)
        took_ms.append((time.perf_counter() - begin) * 1000)
    connection.close()
    return took_ms[WARM_UP:]


def start_seconds(node: Node) -> float:
    """From starting the process to the first answer."""
    begin = time.perf_counter()
    node.start(wait=False)
    while True:
        try:
            node.rpc("getinfo")
            break
        except OSError:
            if not node.is_running:
                raise RuntimeError(f"{node.name} ended at start, see {node.errlog}") from None
        time.sleep(0.005)
    took = time.perf_counter() - begin
    node.wait_ready()
    return took


def cli_ms(command: list[str], node: Node, count: int) -> list[float]:
    """Run `getinfo` by lightning-cli one after the other; the time each took, from start to exit, in ms."""
    words = [*command, f"--lightning-dir={node.folder}", "--network=regtest", "getinfo"]
    env = node.environment()
    took_ms = []
    for _ in range(count + WARM_UP):
        begin = time.perf_counter()
        subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
        took_ms.append((time.perf_counter() - begin) * 1000)
    return took_ms[WARM_UP:]


def median(values: list[float]) -> float | None:
    """None where nothing was measured."""
    return statistics.median(values) if values else None


def once(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run one load in a loop of its own."""

    async def main() -> Any:
        return await work()

    return asyncio.run(main())
