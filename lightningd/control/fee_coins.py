"""Wallet coins that pay the fee of a claim, or bring a commitment into a block: ours for as long as it waits.

They are only reserved: what spends them is no transaction of the wallet's (`Wallet.record_sent`) before a block holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.ids import Outpoint
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.lightningd.wallet.wallet import Wallet

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_RENEW_BLOCKS = 6
"""So many blocks before its end a reservation is renewed."""


def kept(wallet: Wallet, coins: Iterable[Coin], takes: Collection[Outpoint]) -> tuple[Coin, ...]:
    """Those of them that the next transaction, which takes the outputs `takes`, may spend as well; as they are now."""
    found = [wallet.store.get(c.outpoint) for c in coins]
    return tuple(
        c for c in found if c is not None and not c.is_spent and not _is_taken(wallet, c, takes)
    )


def is_lost(wallet: Wallet, outpoints: Iterable[Outpoint], takes: Collection[Outpoint]) -> bool:
    """Whether a transaction that spends these coins can never be in a block, since another one that is has a coin.

    Not so where it took one of the outputs `takes`: that is ours, or the claims will hear of it.
    """
    found = [wallet.store.get(o) for o in outpoints]
    return any(c is not None and c.is_spent and _is_taken(wallet, c, takes) for c in found)


def _is_taken(wallet: Wallet, coin: Coin, takes: Collection[Outpoint]) -> bool:
    if coin.spending_txid is None:
        return False
    spender = wallet.store.get_tx(coin.spending_txid)
    return spender is None or not any(i.outpoint in takes for i in spender.tx.inputs)


def renew(node: Node, coins: Iterable[Coin]) -> None:
    """Reserve them for longer, where that ends soon. Outside turns."""
    soon = node.chain.height + _RENEW_BLOCKS
    ending = [c.outpoint for c in _ending(node.wallet, (c.outpoint for c in coins), soon)]
    if ending:
        node.turn.submit(partial(_renew, node.wallet, ending, soon))


def _renew(wallet: Wallet, outpoints: Iterable[Outpoint], soon: int) -> None:
    wallet.reserve(_ending(wallet, outpoints, soon))


def _ending(wallet: Wallet, outpoints: Iterable[Outpoint], soon: int) -> list[Coin]:
    found = [wallet.store.get(o) for o in outpoints]
    return [c for c in found if c is not None and not c.is_spent and c.reserved_til <= soon]
