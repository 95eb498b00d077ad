"""Bring the chain watcher up: it waits for the backend and learns where to go on; `begin_io.py` lets it follow blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.lightningd.chain.backend_io import Backend
from pylightningd.lightningd.chain.backend_sync_io import ChainError, ChainSettings
from pylightningd.lightningd.chain.feerates import FeeSettings
from pylightningd.lightningd.chain.watcher_io import ChainWatcher
from pylightningd.lightningd.db.chain_io import ChainStore

if TYPE_CHECKING:
    from pylightningd.lightningd.config import Config
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Make `node.chain`. Raises StartError."""
    from pylightningd.lightningd.startup_io import StartError

    missing = node.plugins.missing_backend_methods()
    if missing:
        raise StartError(
            f"No plugin offers {', '.join(missing)}: a bitcoin backend is needed (by default the bundled plugin bcli; "
            "is it disabled?)"
        )
    watcher = ChainWatcher(
        chain_settings(node.config),
        Backend(node.plugins.call),
        ChainStore(node.db),
        node.turn,
        log=node.log,
        spawn=node.spawn,
    )
    node.chain = watcher
    node.info.append(lambda: _info(watcher))
    node.on_stop.append(("chain", watcher.stop))
    try:
        await watcher.start()
    except ChainError as why:
        raise StartError(str(why)) from why


def chain_settings(config: Config) -> ChainSettings:
    """The options that matter."""
    poll_seconds = config["dev-bitcoind-poll"]
    forced = config["force-feerates"]
    return ChainSettings(
        network=config.network,
        poll_seconds=poll_seconds,
        rescan=config["rescan"],
        fees=FeeSettings(
            forced=None if forced is None else tuple(forced),
            ignore_limits=config["ignore-fee-limits"],
            max_multiplier=config["dev-max-fee-multiplier"],
            commit_fee_percent=config["commit-fee"],
            offset_perkw=config["commit-feerate-offset"],
            poll_seconds=poll_seconds,
        ),
    )


def _info(watcher: ChainWatcher) -> dict[str, Any]:
    """What getinfo tells of the chain."""
    return {"blockheight": watcher.height, **watcher.sync_warning()}
