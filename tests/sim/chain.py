"""A toy chain: blocks, a mempool with a minimum feerate, packages, replacement, reorganisations.

Witnesses of p2wsh outputs are judged by the script itself; a p2wpkh output is anybody's who brings two items (the wallets
of the simulation), so that only the channel's scripts cost time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import SEQUENCE_FINAL, Tx, TxOut
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW, fee_for_weight
from pylightningd.common.ids import Outpoint, Txid
from tests.onchaind.script_check import ScriptFailed, check_spend

RELAY_STEP_PERKW = 250
_TIME_LOCKTIME = 500_000_000


class Rejected(Exception):
    """The mempool does not take it."""


@dataclass(frozen=True)
class Made:
    """An output in a block."""

    output: TxOut
    height: int


@dataclass
class ToyChain:
    """The best chain and what waits to get into it."""

    base: int
    """Height of the block before the first of `blocks`."""
    blocks: list[tuple[Tx, ...]] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)
    """Of each of `blocks`, what tells it from all others that were ever made."""
    mined: int = 0
    made: dict[Outpoint, Made] = field(default_factory=dict)
    """All outputs there ever were in the best chain, spent ones too."""
    spent: dict[Outpoint, tuple[Tx, int]] = field(default_factory=dict)
    mempool: dict[Txid, Tx] = field(default_factory=dict)
    """In an order in which a block may hold them."""
    min_feerate: int = FEERATE_FLOOR_PERKW
    burnt: int = 0
    """Satoshi that went into fees so far."""
    _good: set[bytes] = field(default_factory=set)
    """Transactions whose witnesses were judged."""

    @property
    def height(self) -> int:
        """Of the tip."""
        return self.base + len(self.blocks)

    def mint(self, outpoint: Outpoint, output: TxOut, height: int) -> None:
        """An output that was there before the story begins."""
        self.made[outpoint] = Made(output, height)

    def spend_of(self, outpoint: Outpoint) -> tuple[Tx, int] | None:
        """The transaction in a block that spends it, with its height."""
        return self.spent.get(outpoint)

    def unspent(self, scripts: Iterable[bytes]) -> dict[Outpoint, TxOut]:
        """Confirmed outputs with these scripts that no block spends."""
        wanted = set(scripts)
        return {
            outpoint: made.output
            for outpoint, made in self.made.items()
            if made.output.script in wanted and outpoint not in self.spent
        }

    @property
    def worth(self) -> int:
        """Satoshi in unspent outputs, and those burnt."""
        return self.burnt + sum(
            made.output.amount.sat for o, made in self.made.items() if o not in self.spent
        )

    # Mempool

    def submit(self, *package: Tx) -> None:
        """Offer transactions that are taken together or not at all. Raises Rejected."""
        fresh = [tx for tx in package if tx.txid() not in self.mempool]
        before = dict(self.mempool)
        try:
            fee = weight = 0
            for tx in fresh:
                paid = self._enter(tx)
                fee, weight = fee + paid, weight + tx.weight()
            if fresh and fee < fee_for_weight(self.min_feerate, weight).sat:
                # What waits already counts where this comes on top of it.
                raise Rejected(f"min relay fee not met: {fee * 1000 // weight}")
        except Rejected:
            self.mempool = before
            raise

    def _enter(self, tx: Tx) -> int:
        """Into the mempool, conflicts out of it; its fee."""
        fee = self._check(tx, self.mempool)
        spends = {i.outpoint for i in tx.inputs}
        rivals = [
            t for t, other in self.mempool.items() if spends & {i.outpoint for i in other.inputs}
        ]
        if rivals:
            gone = self._with_children(rivals)
            old = sum(self._fee(self.mempool[t], self.mempool) for t in gone)
            weight = tx.weight()
            if fee < old + weight * RELAY_STEP_PERKW // 1000:
                raise Rejected("insufficient fee to replace")
            for t in rivals:
                rival = self.mempool[t]
                if fee * rival.weight() <= self._fee(rival, self.mempool) * weight:
                    raise Rejected("insufficient feerate to replace")
            if any(i.txid in gone for i in tx.inputs):
                raise Rejected("spends what it replaces")
            for t in gone:
                del self.mempool[t]
        self.mempool[tx.txid()] = tx
        return fee

    def _with_children(self, txids: Iterable[Txid]) -> set[Txid]:
        gone = set(txids)
        for txid, tx in self.mempool.items():  # parents come first
            if any(i.txid in gone for i in tx.inputs):
                gone.add(txid)
        return gone

    def _output(self, outpoint: Outpoint, pool: dict[Txid, Tx]) -> tuple[TxOut, int]:
        """An output to spend, and the height it counts as made at."""
        made = self.made.get(outpoint)
        if made is not None:
            if outpoint in self.spent:
                raise Rejected("missing or spent inputs")
            return made.output, made.height
        parent = pool.get(outpoint.txid)
        if parent is None or outpoint.index >= len(parent.outputs):
            raise Rejected("missing or spent inputs")
        return parent.outputs[outpoint.index], self.height + 1

    def _check(self, tx: Tx, pool: dict[Txid, Tx]) -> int:
        """Raise Rejected unless the next block may hold it; its fee."""
        if any(i.sequence != SEQUENCE_FINAL for i in tx.inputs) and (
            self.height < tx.locktime < _TIME_LOCKTIME
        ):
            raise Rejected(f"non-final: {tx.locktime}")
        fee = -sum(o.amount.sat for o in tx.outputs)
        spends = []
        for txin in tx.inputs:
            output, height = self._output(txin.outpoint, pool)
            if not txin.sequence & 1 << 31 and height + (txin.sequence & 0xFFFF) > self.height + 1:
                raise Rejected(f"non-BIP68-final: {txin.sequence & 0xFFFF}")
            fee += output.amount.sat
            spends.append(output)
        assert fee >= 0, "a transaction makes money out of nothing"
        key = tx.serialize()
        if key not in self._good:
            self._judge(tx, spends)
            self._good.add(key)
        return fee

    @staticmethod
    def _judge(tx: Tx, spends: list[TxOut]) -> None:
        for index, output in enumerate(spends):
            if sc.is_p2wpkh(output.script):
                if len(tx.inputs[index].witness) != 2:
                    raise Rejected("witness program mismatch")
                continue
            try:
                check_spend(tx, index, output.script, output.amount)
            except (ScriptFailed, IndexError) as err:
                raise AssertionError(f"the script says no to input {index}: {err}") from err

    def _fee(self, tx: Tx, pool: dict[Txid, Tx]) -> int:
        paid = sum(self._output(i.outpoint, pool)[0].amount.sat for i in tx.inputs)
        return paid - sum(o.amount.sat for o in tx.outputs)

    def set_min_feerate(self, perkw: int) -> None:
        """The mempool is full, or empty again: what pays too little is thrown out, with what hangs on it."""
        self.min_feerate = perkw
        for txid in list(self.mempool):
            if txid not in self.mempool:
                continue
            family = self._with_children([txid])
            fee = sum(self._fee(self.mempool[t], self.mempool) for t in family)
            weight = sum(self.mempool[t].weight() for t in family)
            if fee < fee_for_weight(perkw, weight).sat:
                for gone in family:
                    del self.mempool[gone]

    # Blocks

    def mine(self) -> tuple[Tx, ...]:
        """A block with all that waits."""
        block = tuple(self.mempool.values())
        self.mempool = {}
        height = self.height + 1
        for tx in block:
            txid = tx.txid()
            self.burnt += self._fee(tx, {})
            for txin in tx.inputs:
                self.spent[txin.outpoint] = tx, height
            for n, output in enumerate(tx.outputs):
                self.made[Outpoint(txid, n)] = Made(output, height)
        self.blocks.append(block)
        self.mined += 1
        self.serials.append(self.mined)
        return block

    def undo(self) -> None:
        """The last block is not in the best chain any more; its transactions wait again, if they still may."""
        block = self.blocks.pop()
        self.serials.pop()
        for tx in reversed(block):
            txid = tx.txid()
            for n in range(len(tx.outputs)):
                del self.made[Outpoint(txid, n)]
            for txin in tx.inputs:
                del self.spent[txin.outpoint]
        waiting = [*block, *self.mempool.values()]
        self.burnt -= sum(self._fee(tx, {t.txid(): t for t in block}) for tx in block)
        self.mempool = {}
        for tx in waiting:
            try:
                self._enter(tx)
            except Rejected:
                continue
