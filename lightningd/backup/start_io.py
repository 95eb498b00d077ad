"""Brings up the backups, before peers can come and channels can be opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pylightningd.common.wire.hsmd_wire import HsmdDeriveSecret
from pylightningd.lightningd.backup.keeper import Backups
from pylightningd.lightningd.backup.restore import Recovery
from pylightningd.lightningd.backup.storage import PeerStorage
from pylightningd.lightningd.db.backup_io import BackupStore

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

SCB_LABEL = b"scb secret"


async def start(node: Node) -> None:
    """Set `backup`, `peer_storage`, `recovery`. Raises StartError where the file cannot be written."""
    from pylightningd.lightningd.startup_io import StartError

    reply = await node.hsm.ask(HsmdDeriveSecret(info=SCB_LABEL))
    node.peer_storage = PeerStorage(node, BackupStore(node.db))
    node.recovery = Recovery(node)
    node.recovery.automatic = node.config["recover"] is not None
    node.backup = Backups(node, reply.secret, os.path.abspath(node.config.folders.net_dir))
    try:
        node.backup.load()
    except OSError as error:
        raise StartError(f"Cannot write {node.backup.path}: {error.strerror or error}") from error
    if node.backup.foreign:
        await node.turn.do(lambda: node.backup.reserve_numbers(node.backup.foreign))
    node.recovery.start()
    node.chain.on_block(lambda height, _block: node.backup.on_block(height))
    node.chain.on_block(lambda height, _block: node.peer_storage.on_block(height))
