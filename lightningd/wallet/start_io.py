"""Bring the wallet up: before the chain watcher begins, so that no block is missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Txid
from pylightningd.lightningd.db.moves_io import MoveStore
from pylightningd.lightningd.moves.moves import Moves
from pylightningd.lightningd.wallet.follow import ChainFollower
from pylightningd.lightningd.wallet.wallet import Wallet

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Make `node.wallet` and `node.moves`, follow the chain, and send again what no block holds once we are in step."""
    node.wallet = wallet = Wallet(node)
    node.moves = moves = Moves(node, MoveStore(node.db))
    await node.turn.do(wallet.release_cut_drafts)
    follower = ChainFollower(node, wallet)
    node.chain.on_block(follower.on_block)
    node.chain.on_block(lambda height, _block: moves.snapshot(height))
    node.chain.on_reorg(follower.on_reorg)
    node.chain.on_synced(lambda: node.attempt(rebroadcast(node), "wallet: rebroadcast"))
    node.chain.on_synced(lambda: node.attempt(first_snapshot(node), "first balance snapshot"))


async def rebroadcast(node: Node) -> None:
    """Give the network every transaction of ours that no block holds."""
    waiting = {stored.txid: stored.tx for stored in node.wallet.store.unconfirmed_txs()}
    for tx in waiting.values():
        await node.chain.broadcast(
            tx,
            why="a transaction sent before the restart",
            parents=unconfirmed_parents(tx, waiting),
        )


def unconfirmed_parents(tx: Tx, waiting: Mapping[Txid, Tx]) -> tuple[Tx, ...]:
    """Those of the transactions `waiting` that it spends from."""
    txids = dict.fromkeys(txin.txid for txin in tx.inputs)
    return tuple(waiting[txid] for txid in txids if txid in waiting)


async def first_snapshot(node: Node) -> None:
    """Tell plugins what there is, now that it is known."""
    await node.turn.do(lambda: node.moves.snapshot(node.chain.height))
