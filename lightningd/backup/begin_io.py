"""The node was started with --recover and is up: bring back what the backup at hand knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.lightningd.backup.scb import BadBackup

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Tell plugins, then recover, if there is something to recover from."""
    secret = node.config["recover"]
    if secret is None:
        return
    if node.plugins.has_hook("recover"):
        await node.plugins.call_hook("recover", {"codex32": secret})
    try:
        found = node.backup.best()
    except (BadBackup, OSError):
        found = None  # the start said so already
    if found is not None and node.backup.unknown(found.backup):
        node.recovery.recover_soon()
    else:
        node.log(
            "unusual",
            "Recovering: there is no emergency.recover here that knows channels. Connect to the peers that you had "
            "channels with: those that keep a backup for you send it, and it is then used at once",
            source="backup",
        )
