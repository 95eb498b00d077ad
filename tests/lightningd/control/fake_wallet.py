"""A wallet of a few coins, with the rules of the real one for reservations and spends; its signatures are no real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.wallet.coin import Coin
from tests.onchaind.rig import COIN, SWEEP

RESERVE_BLOCKS = 72


class FakeWallet:
    """What claims and anchors use of a wallet."""

    def __init__(self, height: Callable[[], int], *coins: Coin) -> None:
        self._height = height
        self.coins = {c.outpoint: c for c in coins}
        self._txs: dict[Txid, Tx] = {}
        self.store = SimpleNamespace(get=self.coins.get, get_tx=self._get_tx)

    def _get_tx(self, txid: Txid) -> Any:
        tx = self._txs.get(txid)
        return None if tx is None else SimpleNamespace(tx=tx)

    def next_index(self) -> int:
        return 5

    def script_of(self, _index: int) -> bytes:
        return SWEEP

    def add_output(self, *_args: Any, **_more: Any) -> None:
        pass

    def add_previous(self, *_args: Any) -> None:
        pass

    def purse(self, *, wrapped_ok: bool) -> Any:
        assert not wrapped_ok
        coins = [c for c in self.coins.values() if c.is_spendable(self._height())]
        return SimpleNamespace(coins=coins)

    def reserve(self, coins: Iterable[Coin]) -> None:
        for coin in coins:
            til = max(coin.reserved_til, self._height()) + RESERVE_BLOCKS
            self.coins[coin.outpoint] = replace(self.coins[coin.outpoint], reserved_til=til)

    def mined(self, *txs: Tx) -> None:
        """A block holds them."""
        for tx in txs:
            self._txs[tx.txid()] = tx
            for coin in [self.coins[i.outpoint] for i in tx.inputs if i.outpoint in self.coins]:
                self.coins[coin.outpoint] = replace(
                    coin, spending_txid=tx.txid(), spend_height=self._height()
                )

    async def sign_psbt(self, psbt: Psbt, coins: Iterable[Coin]) -> Psbt:
        ours = {c.outpoint for c in coins}
        for n in range(psbt.input_count):
            if psbt.outpoint(n) in ours:
                psbt.set_final_witness(n, (bytes(72), b"\x02" * 33))
        return psbt


def coin(number: int, sat: int = 100_000) -> Coin:
    """A confirmed one."""
    outpoint = Outpoint(Txid(bytes((number,)) * 32), 0)
    return replace(COIN, outpoint=outpoint, amount=Sat(sat), tx_index=1)


def elsewhere(*coins: Coin) -> Tx:
    """A transaction that spends them for something else."""
    inputs = tuple(TxIn(c.outpoint.txid, c.outpoint.index) for c in coins)
    return Tx(2, inputs, (TxOut(Sat(1000), SWEEP),), 0)
