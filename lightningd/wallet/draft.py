"""A transaction that is being made: coins that are reserved for it, and outputs. Not signed, not sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import Txid
from pylightningd.lightningd.wallet.coin import Coin


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Outputs stand in the order they were asked for, the change (if any) last."""

    coins: tuple[Coin, ...]
    outputs: tuple[TxOut, ...]
    change_index: int | None
    locktime: int
    feerate_perkw: int
    weight: int
    """Of the signed transaction."""
    reserved_blocks: int
    """How long its coins were reserved: what `release` takes back."""
    all_index: int | None = None
    """The output that was asked to take "all"."""
    number: int = 0
    """Its row, if after a crash its coins are to be freed unless it was sent; 0 for none."""

    @property
    def amounts(self) -> tuple[Sat, ...]:
        """What each asked output gets: says how much "all" is."""
        asked = self.outputs if self.change_index is None else self.outputs[: self.change_index]
        return tuple(output.amount for output in asked)

    @property
    def change(self) -> Sat:
        """The change, or nothing."""
        return Sat(0) if self.change_index is None else self.outputs[self.change_index].amount

    @property
    def fee(self) -> Sat:
        """What the miner gets."""
        return Sat(sum(c.amount.sat for c in self.coins) - sum(o.amount.sat for o in self.outputs))

    def with_script(self, index: int, script: bytes) -> Self:
        """The same with another script of the same length in one output, e.g. for a placeholder."""
        old = self.outputs[index]
        if len(old.script) != len(script):
            raise ValueError(
                f"a script of {len(script)} bytes cannot take the place of one of {len(old.script)}: the fee changes"
            )
        outputs = list(self.outputs)
        outputs[index] = replace(old, script=script)
        return replace(self, outputs=tuple(outputs))

    def output_index(self, script: bytes) -> int:
        """The output that pays to this script. Raises ValueError if there is none."""
        return [output.script for output in self.outputs].index(script)

    def tx(self) -> Tx:
        """The transaction without signatures."""
        inputs = tuple(
            TxIn(c.outpoint.txid, c.outpoint.index, sequence=c.sequence) for c in self.coins
        )
        return Tx(2, inputs, self.outputs, self.locktime)

    def txid(self) -> Txid:
        """Its id, final unless it spends P2SH coins."""
        return self.tx().txid()

    def psbt(self) -> Psbt:
        """As a PSBT, with the outputs that it spends."""
        psbt = Psbt.from_tx(self.tx())
        for n, coin in enumerate(self.coins):
            psbt.set_witness_utxo(n, coin.output)
        return psbt
