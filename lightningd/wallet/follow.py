"""What blocks do to the wallet. Everything here runs inside the chain watcher's turns.

A block may come twice (the newest ones are walked through again after a restart): nothing changes then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.wallet.wallet import Wallet

if TYPE_CHECKING:
    from pylightningd.lightningd.chain.block import Block
    from pylightningd.lightningd.node import Node


class ChainFollower:
    """Keeps the wallet's rows in step with the chain."""

    def __init__(self, node: Node, wallet: Wallet) -> None:
        self._node = node
        self._wallet = wallet

    def on_block(self, height: int, block: Block) -> None:
        """A block came."""
        watched, pending = self._wallet.watched, self._wallet.pending
        pending_inputs = self._wallet.pending_inputs
        for tx_index, (tx, txid) in enumerate(zip(block.txs, block.txids, strict=True)):
            spends = [i.outpoint for i in tx.inputs if i.outpoint in watched]
            for outpoint in spends:
                self._on_spent(outpoint, txid, height)
            for txin in tx.inputs:
                if txin.outpoint in watched or txin.outpoint in pending_inputs:
                    self._end_others(txin.outpoint, txid)
            ours = [
                (n, output, index)
                for n, output in enumerate(tx.outputs)
                if (index := self._wallet.is_ours(output.script)) is not None
            ]
            for n, output, index in ours:
                self._on_output(Outpoint(txid, n), output, index, height, tx_index)
            if spends or ours or txid in pending:
                self._confirm(txid, tx, height, tx_index)

    def on_reorg(self, height: int) -> None:
        """A block went."""
        self._wallet.store.undo_block(height)

    def _on_spent(self, outpoint: Outpoint, txid: Txid, height: int) -> None:
        store = self._wallet.store
        coin = store.get(outpoint)
        if coin is None:
            return
        store.set_spent(outpoint, txid, height)
        self._node.moves.withdrawal(outpoint, coin.amount, txid, height)

    def _end_others(self, outpoint: Outpoint, txid: Txid) -> None:
        """Transactions that wait and spend the same will never be in a block."""
        for loser in self._wallet.store.unconfirmed_spenders(outpoint):
            if loser == txid:
                continue
            self._node.log(
                "unusual",
                f"{txid_hex(txid)} spends {outpoint} in place of our transaction {txid_hex(loser)}",
                source="wallet",
            )
            self._wallet.forget_sent(loser)

    def _on_output(
        self, outpoint: Outpoint, output: TxOut, index: int, height: int, tx_index: int
    ) -> None:
        wallet = self._wallet
        wallet.note_used(index)
        wallet.add_output(outpoint, output.amount, output.script, index, height, tx_index=tx_index)
        self._node.moves.deposit(outpoint, output.amount, height)
        self._node.log(
            "debug",
            f"Owning output {outpoint.index} {output.amount} ({_kind(output.script)}) "
            f"txid {txid_hex(outpoint.txid)} CONFIRMED",
            source="wallet",
        )

    def _confirm(self, txid: Txid, tx: Tx, height: int, tx_index: int) -> None:
        store = self._wallet.store
        store.put_tx(txid, tx, height, tx_index)
        # Coins that are not found by their script (to_remote of a peer's commitment).
        for coin in store.of_tx(txid):
            if coin.height is None:
                self._wallet.add_output(
                    coin.outpoint,
                    coin.amount,
                    coin.script,
                    coin.key_index,
                    height,
                    tx_index=tx_index,
                )
        # A reorganisation may bring it back among those that wait.
        self._wallet.expect(txid, tx)


def _kind(script: bytes) -> str:
    if sc.is_p2tr(script):
        return "P2TR"
    return "P2SH" if sc.is_p2sh(script) else "SEGWIT"
