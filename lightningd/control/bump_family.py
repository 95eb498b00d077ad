"""What is around an unconfirmed transaction: what it spends that is unconfirmed too, and what spends from it.

The wallet knows its own; the rest is asked of the backend, whose mempool has all. A backend without `getmempooltx` leaves
what others did unknown: then their part counts as if it paid nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxOut
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.chain.backend_io import MempoolTx
from pylightningd.lightningd.control.bump_plan import Load, Stuck
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.wallet.coin import Coin

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node

_VSIZE = 4
"""Weight of a virtual byte."""


class Family:
    """Finds a transaction and its relatives."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._store = node.wallet.store
        self._closes: dict[Txid, Channel] | None = None

    # Which one

    def newest(self, txid: Txid) -> Txid:
        """What we sent in its place by now."""
        seen = {txid}
        while self._store.get_tx(txid) is None:
            newer = self._store.replaced_by(txid)
            if newer is None or newer in seen:
                break
            txid = newer
            seen.add(txid)
        return self._rival(txid)

    def _rival(self, txid: Txid) -> Txid:
        """A stop may have left both of them, what we replaced and what replaced it: the newer one comes last."""
        stored = self._store.get_tx(txid)
        if stored is None or stored.height is not None or not stored.tx.inputs:
            return txid
        rivals = self._store.unconfirmed_spenders(stored.tx.inputs[0].outpoint)
        return rivals[-1] if rivals else txid

    async def find(self, txid: Txid) -> tuple[Tx, str]:
        """The transaction, and what it is. Raises UserError where it is not ours, or confirmed."""
        name = txid_hex(txid)
        close = self._mutual_closes().get(txid)
        if close is not None:
            if self._node.onchain.spent_since(close) is not None:
                raise UserError(LIGHTNINGD, f"{name} is in a block already")
            return Tx.parse(self._node.channels.store.mutual_close(close.dbid)), "mutual close"
        stored = self._store.get_tx(txid)
        if stored is not None:
            if stored.height is not None:
                raise UserError(LIGHTNINGD, f"{name} is in block {stored.height} already")
            return stored.tx, self._what(stored.tx, txid)
        funded, found = self._funds(txid), await self._ask(txid)
        wallet = self._node.wallet
        if found is not None and any(
            wallet.is_ours(o.script) is not None for o in found.tx.outputs
        ):
            return found.tx, "funding" if funded else "deposit"
        if funded and not any(c.static.we_are_opener for c in funded):
            why = "funds a channel that the peer opened: nothing of it is ours, only the peer can bump it"
        elif found is not None:
            why = "is in the mempool, but nothing of it is ours"
        else:
            raise UserError(LIGHTNINGD, f"Unknown transaction {name}: nothing of ours")
        raise UserError(LIGHTNINGD, f"{name} {why}")

    def _what(self, tx: Tx, txid: Txid) -> str:
        if self._funds(txid):
            return "funding"
        known = [self._store.get(i.outpoint) for i in tx.inputs]
        if not any(known):
            return "deposit"
        waits = any(c is not None and c.height is None for c in known)
        wallet = self._node.wallet
        if waits and all(wallet.is_ours(o.script) is not None for o in tx.outputs):
            return "child"
        return "withdrawal"

    def _funds(self, txid: Txid) -> list[Channel]:
        return [c for c in self._node.channels or () if c.static.funding.txid == txid]

    async def peers_commitment(self, txid: Txid) -> tuple[Channel, Tx] | None:
        """The channel whose funding output it spends, where we have not made it."""
        if self._store.get_tx(txid) is not None or txid in self._mutual_closes():
            return None
        found = await self._ask(txid)
        if found is None:
            return None
        spends = {i.outpoint for i in found.tx.inputs}
        for channel in self._node.channels or ():
            if channel.static.funding in spends:
                return channel, found.tx
        return None

    def has_anchor(self, txid: Txid) -> bool:
        """Whether a channel that it funds has anchors."""
        return any(c.channel_type.has_anchors for c in self._funds(txid))

    def _mutual_closes(self) -> dict[Txid, Channel]:
        if self._closes is None:
            self._closes = {}
            for channel in self._node.channels or ():
                raw = self._node.channels.store.mutual_close(channel.dbid)
                if raw:
                    self._closes[Tx.parse(raw).txid()] = channel
        return self._closes

    async def _ask(self, txid: Txid) -> MempoolTx | None:
        try:
            found: MempoolTx | None = await self._node.chain.backend.mempool_tx(txid)
        except BackendError as why:
            self._node.log("debug", f"The backend does not tell of {txid_hex(txid)}: {why}")
            return None
        return found

    # What is around it

    def children(self, tx: Tx) -> list[Tx]:
        """Transactions of ours that wait and spend from it."""
        txid, found = tx.txid(), {}
        for stored in self._store.unconfirmed_txs():
            if any(i.txid == txid for i in stored.tx.inputs):
                found[stored.txid] = stored.tx
        # What was replaced and still has its row comes before what replaced it, and spends the same.
        by_input = {child.inputs[0].outpoint: child for child in found.values()}
        return list(by_input.values())

    async def stuck(self, tx: Tx, what: str, only: int | None = None) -> Stuck:
        """It and its relatives. `only`: of its outputs, spend this one."""
        txid = tx.txid()
        seen = await self._ask(txid)
        fee = await self._fee(tx, txid) if seen is None else seen.fee.sat
        return self._here(
            Stuck(
                tx=tx,
                what=what,
                fee=fee,
                above=await self._above(tx) if seen is None else _above(seen),
                below=Load() if seen is None else _below(seen),
            ),
            only,
        )

    def unchanged(self, stuck: Stuck, only: int | None) -> Stuck:
        """It as it is now, inside a turn. Raises UserError where what was planned may not hold any more."""
        name, stored = txid_hex(stuck.txid), self._store.get_tx(stuck.txid)
        close = self._mutual_closes().get(stuck.txid)
        if (stored is not None and stored.height is not None) or (
            close is not None and self._node.onchain.spent_since(close) is not None
        ):
            raise UserError(LIGHTNINGD, f"{name} is in a block already")
        now = self._here(stuck, only)
        gone = stored is None and stuck.what in ("withdrawal", "child")
        if gone or _uses(now) != _uses(stuck):
            raise UserError(
                LIGHTNINGD, f"{name} has changed, or what hangs on it, in the meantime: try again"
            )
        return now

    def _here(self, stuck: Stuck, only: int | None) -> Stuck:
        """With what the wallet knows of it just now."""
        tx, what, txid = stuck.tx, stuck.what, stuck.txid
        made = self._made(tx, txid)
        taken = {i.outpoint for kid in self.children(tx) for i in kid.inputs}
        taken |= {c.outpoint for c in made if c.is_reserved(self._node.wallet.height)}
        free = [c for c in made if c.outpoint not in taken]
        own = self._own(what)
        inputs = self._inputs(tx) if own else None
        indices = [c.outpoint.index for c in made]
        if only is not None and only not in [c.outpoint.index for c in free]:
            why = "is spent by a transaction of ours" if only in indices else "is not ours"
            raise UserError(LIGHTNINGD, f"Output {only} of {txid_hex(txid)} {why}")
        return replace(
            stuck,
            inputs=inputs,
            change=indices[-1] if inputs is not None and indices else None,
            takes_all=self._store.sent_all(txid),
            ours=[c for c in free if only in (None, c.outpoint.index)],
            returned=sum(c.amount.sat for c in made) if own else 0,
            depends=self._depends(txid, taken),
            parents=self._parents(tx),
        )

    def _own(self, what: str) -> bool:
        return what not in ("mutual close", "deposit")

    def _depends(self, txid: Txid, taken: set[Outpoint]) -> str:
        if self._funds(txid):
            return "a channel depends on its txid, so it must not be replaced"
        if any(o.txid == txid for o in taken):
            return "other transactions of ours spend from it, so it must not be replaced"
        return ""

    def _made(self, tx: Tx, txid: Txid) -> list[Coin]:
        """Its outputs that pay our wallet."""
        found = []
        for n, output in enumerate(tx.outputs):
            outpoint = Outpoint(txid, n)
            coin = self._store.get(outpoint)
            index = self._node.wallet.is_ours(output.script)
            if coin is None and index is not None:
                coin = Coin(
                    outpoint=outpoint, amount=output.amount, script=output.script, key_index=index
                )
            if coin is not None:
                found.append(coin)
        return found

    def _inputs(self, tx: Tx) -> Sequence[Coin] | None:
        """Coins of ours, if it spends nothing else and says that it may be replaced."""
        if not any(txin.sequence <= SEQUENCE_RBF for txin in tx.inputs):
            return None
        found = [coin for i in tx.inputs if (coin := self._store.get(i.outpoint)) is not None]
        return found if len(found) == len(tx.inputs) else None

    # Fees of what the backend does not tell about

    async def _fee(self, tx: Tx, txid: Txid) -> int:
        close = self._mutual_closes().get(txid)
        paid = sum(o.amount.sat for o in tx.outputs)
        if close is not None:
            return close.capacity.sat - paid
        brought = 0
        for txin in tx.inputs:
            output = self._output(txin.outpoint)
            if output is None:
                return 0
            brought += output.amount.sat
        return max(0, brought - paid)

    def _output(self, outpoint: Outpoint) -> TxOut | None:
        coin = self._store.get(outpoint)
        if coin is not None:
            return coin.output
        stored = self._store.get_tx(outpoint.txid)
        return None if stored is None else stored.tx.outputs[outpoint.index]

    def _parents(self, tx: Tx) -> tuple[Tx, ...]:
        found: dict[Txid, Tx] = {}
        for txin in tx.inputs:
            stored = self._store.get_tx(txin.txid)
            if stored is not None and stored.height is None:
                found[txin.txid] = stored.tx
        return tuple(found.values())

    async def _above(self, tx: Tx) -> Load:
        """Its unconfirmed ancestors as the wallet knows them."""
        found: dict[Txid, Tx] = {}
        ahead = [*self._parents(tx)]
        while ahead:
            parent = ahead.pop()
            txid = parent.txid()
            if txid not in found:
                found[txid] = parent
                ahead += self._parents(parent)
        weight = sum(t.weight() for t in found.values())
        fee = 0
        for txid, parent in found.items():
            seen = await self._ask(txid)
            fee += await self._fee(parent, txid) if seen is None else seen.fee.sat
        return Load(weight, fee, len(found))


def _uses(stuck: Stuck) -> tuple[object, ...]:
    """What a plan rests on."""
    inputs = None if stuck.inputs is None else [c.outpoint for c in stuck.inputs]
    return inputs, [c.outpoint for c in stuck.ours], stuck.depends, stuck.change


def _above(seen: MempoolTx) -> Load:
    return Load(
        (seen.ancestor_vsize - seen.vsize) * _VSIZE,
        (seen.ancestor_fee - seen.fee).sat,
        seen.ancestors - 1,
    )


def _below(seen: MempoolTx) -> Load:
    return Load(
        (seen.descendant_vsize - seen.vsize) * _VSIZE,
        (seen.descendant_fee - seen.fee).sat,
        seen.descendants - 1,
    )
