"""A coin: an output that our keys can spend, and when it may be used."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, TxOut
from pylightningd.common.bitcoin.weight import (
    SIGNATURE_SIZE,
    TO_REMOTE_ANCHORS_INPUT_WEIGHT,
    input_weight,
    wallet_input_weight,
)
from pylightningd.common.ids import NodeId, Outpoint, Txid

COINBASE_MATURITY = 100
_P2WPKH_WITNESS = 1 + SIGNATURE_SIZE + 1 + 33
_P2TR_WITNESS = 1 + 64
_TO_REMOTE_WITNESS = 1 + SIGNATURE_SIZE + 1 + 37


@dataclass(frozen=True, slots=True)
class CloseInfo:
    """The coin is our to_remote output of a peer's commitment: its key belongs to the channel."""

    dbid: int
    peer_id: NodeId
    csv: int = 0
    """Blocks it is locked; 0 where the output is plain P2WPKH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """One output of ours, as the database has it."""

    outpoint: Outpoint
    amount: Sat
    script: bytes
    key_index: int
    height: int | None = None
    """Block that holds it; None while unconfirmed."""
    tx_index: int = 0
    """Place of its transaction in the block; 0 there is the coinbase."""
    spend_height: int | None = None
    spending_txid: Txid | None = None
    """Transaction that spends it, in a block or on its way."""
    reserved_til: int = 0
    close: CloseInfo | None = None

    @property
    def output(self) -> TxOut:
        """As an output."""
        return TxOut(self.amount, self.script)

    @property
    def is_spent(self) -> bool:
        """Whether a block holds the transaction that spends it."""
        return self.spend_height is not None

    @property
    def is_wrapped(self) -> bool:
        """P2SH-P2WPKH, which old versions of CLN gave out: the spending txid depends on the signature's script."""
        return sc.is_p2sh(self.script)

    @property
    def sequence(self) -> int:
        """nSequence of an input that spends it."""
        # BOLT 3, "`to_remote` Output": with anchors it is spent with an nSequence of 1.
        return self.close.csv if self.close is not None and self.close.csv else SEQUENCE_RBF

    def weight(self, min_witness_wu: int = 0) -> int:
        """Weight of an input that spends it, its witness counted with at least `min_witness_wu`."""
        if sc.is_p2wsh(self.script):
            witness, whole = _TO_REMOTE_WITNESS, TO_REMOTE_ANCHORS_INPUT_WEIGHT
        else:
            witness = _P2TR_WITNESS if sc.is_p2tr(self.script) else _P2WPKH_WITNESS
            whole = wallet_input_weight(self.script)
        if witness >= min_witness_wu:
            return whole
        return input_weight(1 + min_witness_wu, 23 if self.is_wrapped else 0)

    def is_reserved(self, height: int) -> bool:
        """Whether somebody has set it aside, or a transaction of ours that spends it is on its way."""
        return self.reserved_til > height or (
            self.spending_txid is not None and self.spend_height is None
        )

    def is_immature(self, height: int) -> bool:
        """A coinbase output that consensus does not yet let anybody spend."""
        return (
            self.height is not None
            and self.tx_index == 0
            and height < self.height + COINBASE_MATURITY
        )

    def is_locked(self, height: int) -> bool:
        """Whether its relative lock still runs in the block after `height`."""
        if self.close is None or not self.close.csv:
            return False
        return self.height is None or self.height + self.close.csv - 1 > height

    def is_spendable(self, height: int) -> bool:
        """Whether the next block may hold a transaction of ours that spends it, and nobody has reserved it."""
        return not (
            self.is_spent
            or self.is_reserved(height)
            or self.is_immature(height)
            or self.is_locked(height)
        )

    def has_depth(self, minconf: int, height: int) -> bool:
        """Whether it has so many confirmations. 0 takes unconfirmed ones too."""
        if minconf == 0:
            return True
        return self.height is not None and height - self.height + 1 >= minconf


def dust_limit(script: bytes) -> Sat:
    """Least amount that nodes relay for an output with this script."""
    if script[:1] == sc.OP_RETURN:
        return Sat(0)
    if sc.is_p2wpkh(script):
        return Sat(294)
    if sc.witness_program(script) is not None:
        return Sat(330)
    if sc.is_p2sh(script):
        return Sat(540)
    return Sat(546)
