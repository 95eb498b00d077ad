"""Commands for tests, only with --developer, about the node as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.wire.connectd_wire import (
    ConnectdDevReportFds,
    ConnectdDevSuppressGossip,
)
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "dev-suppress-gossip",
    family="dev",
    summary="Send no more gossip to peers",
    examples=["dev-suppress-gossip"],
    about="Until the node is started again. What peers send is heard as before.",
)
async def dev_suppress_gossip(node: Node) -> dict[str, Any]:
    def suppress() -> None:
        node.connectd.suppresses_gossip = True
        node.fleet.tell("connectd", ConnectdDevSuppressGossip())

    await node.turn.do(suppress)
    return {}


@command(
    "dev-report-fds",
    family="dev",
    summary="Write connectd's open file descriptors to the log",
    examples=["dev-report-fds"],
)
async def dev_report_fds(node: Node) -> dict[str, Any]:
    await node.turn.do(lambda: node.fleet.tell("connectd", ConnectdDevReportFds()))
    return {}
