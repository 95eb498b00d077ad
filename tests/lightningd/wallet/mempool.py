"""A mempool with the rules for replacing, for the wallet's rig: what bitcoind would take, and what it tells of it."""

from __future__ import annotations

from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import BackendError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.chain.backend_io import MempoolTx
from tests.lightningd.wallet.rig import Rig

STEP_PERKW = 250


class Mempool:
    """Takes the place of the rig's backend."""

    def __init__(self, rig: Rig) -> None:
        self.begin(rig)

    def begin(self, rig: Rig) -> None:
        """Empty, for a rig that has just started."""
        self._rig = rig
        self.txs: dict[Txid, Tx] = {}
        self.foreign: dict[Outpoint, int] = {}
        """Coins of others that transactions spend, in sat."""
        self.knows = True
        """Whether the backend has `getmempooltx`."""
        self.packages: list[tuple[Tx, ...]] = []
        self.floor_perkw = 0
        rig.chain.broadcast = self.broadcast  # type: ignore[method-assign]
        rig.chain.backend = self  # type: ignore[attr-defined]

    # What the node asks

    async def broadcast(
        self, tx: Tx, *, keep: bool = True, why: str = "", parents: tuple[Tx, ...] = ()
    ) -> tuple[bool, str]:
        assert isinstance(keep, bool)
        assert isinstance(why, str)
        self.packages.append((*parents, tx))
        refusal = self._refusal(tx)
        if refusal is None:
            for loser in self._driven_out(tx):
                self.txs.pop(loser, None)
            self.txs[tx.txid()] = tx
        return refusal is None, refusal or ""

    async def mempool_tx(self, txid: Txid) -> MempoolTx | None:
        if not self.knows:
            raise BackendError("Unknown command 'getmempooltx'")
        tx = self.txs.get(txid)
        if tx is None:
            return None
        above, below = self._relatives(txid, up=True), self._relatives(txid, up=False)
        return MempoolTx(
            tx=tx,
            fee=Sat(self.fee(tx)),
            vsize=vsize(tx),
            ancestors=len(above),
            ancestor_vsize=sum(vsize(self.txs[t]) for t in above),
            ancestor_fee=Sat(sum(self.fee(self.txs[t]) for t in above)),
            descendants=len(below),
            descendant_vsize=sum(vsize(self.txs[t]) for t in below),
            descendant_fee=Sat(sum(self.fee(self.txs[t]) for t in below)),
        )

    # What tests ask

    def fee(self, tx: Tx) -> int:
        """In sat."""
        return sum(self._value(i.outpoint) for i in tx.inputs) - sum(
            o.amount.sat for o in tx.outputs
        )

    def package_perkw(self, tx: Tx) -> int:
        """The feerate of a transaction with its ancestors."""
        txs = [self.txs[t] for t in self._relatives(tx.txid(), up=True)]
        return sum(map(self.fee, txs)) * 1000 // sum(t.weight() for t in txs)

    def add(self, tx: Tx, *values: int) -> Tx:
        """Somebody's transaction, whose inputs are worth this."""
        for txin, value in zip(tx.inputs, values, strict=False):
            self.foreign[txin.outpoint] = value
        self.txs[tx.txid()] = tx
        return tx

    # Rules

    def _value(self, outpoint: Outpoint) -> int:
        parent = self.txs.get(outpoint.txid)
        if parent is not None:
            return parent.outputs[outpoint.index].amount.sat
        if outpoint in self.foreign:
            return self.foreign[outpoint]
        coin = self._rig.wallet.store.get(outpoint)
        assert coin is not None, f"unknown {outpoint}"
        return coin.amount.sat

    def _refusal(self, tx: Tx) -> str | None:
        out = self._driven_out(tx)
        fee = self.fee(tx)
        if fee * 1000 < self.floor_perkw * tx.weight():
            return "mempool min fee not met"
        if out:
            # BIP 125, rules 3 and 4.
            if fee < sum(self.fee(self.txs[t]) for t in out) + STEP_PERKW * tx.weight() // 1000:
                return "insufficient fee"
            direct = [self.txs[t] for t in out if _spends(self.txs[t]) & _spends(tx)]
            if any(fee * d.weight() <= self.fee(d) * tx.weight() for d in direct):
                return "insufficient fee, rejecting replacement; new feerate <= old feerate"
        return None

    def _driven_out(self, tx: Tx) -> set[Txid]:
        rivals = [t for t, o in self.txs.items() if o is not tx and _spends(o) & _spends(tx)]
        found: set[Txid] = set()
        for rival in rivals:
            if rival != tx.txid():
                found |= self._relatives(rival, up=False)
        return found

    def _relatives(self, txid: Txid, *, up: bool) -> set[Txid]:
        """It and its ancestors, or descendants."""
        found, ahead = set(), [txid]
        while ahead:
            now = ahead.pop()
            if now in found:
                continue
            found.add(now)
            if up:
                ahead += [i.txid for i in self.txs[now].inputs if i.txid in self.txs]
            else:
                ahead += [t for t, o in self.txs.items() if any(i.txid == now for i in o.inputs)]
        return found


def vsize(tx: Tx) -> int:
    """In virtual bytes, rounded up."""
    return -(-tx.weight() // 4)


def _spends(tx: Tx) -> set[Outpoint]:
    return {i.outpoint for i in tx.inputs}


def parse(shown: dict[str, Any]) -> Tx:
    """The transaction of a command's answer."""
    return Tx.parse(bytes.fromhex(shown["tx"]))
