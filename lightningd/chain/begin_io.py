"""The last step before the node is up: all rooms have registered their watches, blocks may come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Let the chain watcher follow the chain."""
    node.chain.begin()
