"""Making a stuck transaction of ours confirm: by paying more in its place (RBF), or with a child that pays for it (CPFP).

Which of them, and with what money, depends on what the transaction is: see `Bumper.bump`. What can be done with a wallet's
transaction, a mutual close or a deposit is planned in `bump_plan.py`; what is around it is found in `bump_family.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.control import bump_plan
from pylightningd.lightningd.control.bump_family import Family
from pylightningd.lightningd.control.bump_plan import NoWay, Plan, Purse, Stuck
from pylightningd.lightningd.control.bump_wish import Bumped, Wish, check_budget, check_pays_less
from pylightningd.lightningd.control.claim_tx import CannotAfford
from pylightningd.lightningd.rpc.errors import (
    FUND_CANNOT_AFFORD,
    FUND_CANNOT_AFFORD_WITH_EMERGENCY,
    LIGHTNINGD,
)
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.lightningd.wallet.keys import AddrType

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_GENERATIONS = 5
"""So many children of children are looked at."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What is asked for, and our transactions that spend from it: to raise one of those does as well."""

    stuck: Stuck
    below: tuple[Stuck, ...]
    output: int | None = None
    """Of `stuck`, a child spends this one."""

    @property
    def all(self) -> tuple[Stuck, ...]:
        return (self.stuck, *self.below)

    @property
    def feerate_perkw(self) -> int:
        """What miners see: the best of the packages it is in."""
        return max(s.feerate_perkw for s in self.all)


class Bumper:
    """Bumps by txid."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._family = Family(node)

    async def bump(self, txid: Txid, wish: Wish, output: int | None = None) -> Bumped:
        """Raises UserError where there is nothing to bump, or no money for it.

        A claim of a closed channel's output: RBF, from the output or the coins that pay for it. A commitment, ours or
        the peer's: CPFP by our anchor. What our wallet sent: the cheapest of RBF (unless a channel or another transaction of ours hangs on
        its txid), a child that spends what it pays us, and RBF of a child that we made before. A mutual close, or what
        others pay us: such a child. `output`: the child spends this one of its outputs.
        """
        onchain = self._node.onchain
        try:
            found = await onchain.claims.bump(txid, wish) or await onchain.anchors.bump(txid, wish)
            if found is None and (theirs := await self._family.peers_commitment(txid)) is not None:
                found = await onchain.anchors.bump_theirs(*theirs, wish)
        except CannotAfford as why:
            raise UserError(FUND_CANNOT_AFFORD, str(why)) from None
        if found is not None:
            return found
        target = await self._target(self._family.newest(txid), output)
        check_pays_less(wish, txid_hex(txid), target.feerate_perkw)
        if not wish.dry_run:
            return await self._do(target, wish)
        return self._told(target, self._cheapest(target, wish))

    # Planning

    async def _target(self, txid: Txid, output: int | None) -> _Target:
        family = self._family
        tx, what = await family.find(txid)
        stuck = await family.stuck(tx, what, output)
        below: list[Stuck] = []
        generation = [tx]
        for _ in range(_GENERATIONS):
            generation = [kid for parent in generation for kid in family.children(parent)]
            known = {s.txid for s in below}
            below += [
                await family.stuck(kid, (await family.find(kid.txid()))[1])
                for kid in generation
                if kid.txid() not in known
            ]
        return _Target(stuck, tuple(below), output)

    def _unchanged(self, target: _Target) -> _Target:
        """What was found before we waited, as it is now. Inside a turn. Raises UserError."""
        stuck = self._family.unchanged(target.stuck, target.output)
        below = tuple(self._family.unchanged(s, None) for s in target.below)
        return replace(target, stuck=stuck, below=below)

    def _purse(self) -> Purse:
        purse = self._node.wallet.purse(wrapped_ok=False)
        return Purse(coins=purse.coins, reserve=purse.emergency_sat)

    def _cheapest(self, target: _Target, wish: Wish) -> Plan:
        """Of all ways. Raises UserError."""
        plans: list[Plan] = []
        refusals: list[NoWay] = []
        purse, rate = self._purse(), wish.feerate_perkw
        ways: tuple[Callable[[Stuck, int, Purse], Plan], ...] = (
            bump_plan.replacement,
            bump_plan.child,
        )
        for stuck in target.all:
            for way in ways:
                try:
                    plans.append(way(stuck, rate, purse))
                except NoWay as why:
                    refusals.append(why)
        if not plans:
            raise self._refusal(target, refusals)
        best = min(plans, key=lambda p: p.extra)
        check_budget(wish, Sat(best.extra))
        return best

    def _refusal(self, target: _Target, refusals: list[NoWay]) -> UserError:
        code = LIGHTNINGD
        if any(r.reserve for r in refusals):
            code = FUND_CANNOT_AFFORD_WITH_EMERGENCY
        elif any(r.money for r in refusals):
            code = FUND_CANNOT_AFFORD
        why = "; ".join(dict.fromkeys(map(str, refusals)))
        text = f"Cannot bump {txid_hex(target.stuck.txid)}: {why}"
        if target.stuck.what == "funding" and not target.stuck.ours and not target.below:
            text += ". It waits in mempools until fees fall"
            if self._family.has_anchor(target.stuck.txid):
                text += (
                    "; who cannot wait gives the channel up: after `close` with unilateraltimeout=1 the child of our"
                    " commitment's anchor pays for both, with a confirmed coin of the wallet"
                )
        return UserError(code, text)

    def _told(self, target: _Target, plan: Plan, tx: Tx | None = None) -> Bumped:
        takes_all = plan.takes_all if plan.paid_from == "destination" else None
        return Bumped(
            method=plan.method if plan.stuck is target.stuck else "cpfp",
            what=target.stuck.what,
            fee=Sat(plan.fee),
            extra=Sat(plan.extra),
            weight=plan.weight,
            before_perkw=target.feerate_perkw,
            paid_from=plan.paid_from,
            replaces=plan.stuck.txid if plan.method == "rbf" else None,
            destination=None if takes_all is None else plan.tx.outputs[takes_all].amount,
            tx=tx,
        )

    # Doing

    async def _do(self, target: _Target, wish: Wish) -> Bumped:
        busy, txids = self._node.wallet.being_raised, {s.txid for s in target.all}
        if busy & txids:
            name = txid_hex(target.stuck.txid)
            raise UserError(LIGHTNINGD, f"{name} is being raised just now")
        busy |= txids
        try:
            return await self._raise(target, wish)
        finally:
            busy -= txids

    async def _raise(self, found: _Target, wish: Wish) -> Bumped:
        wallet, turn = self._node.wallet, self._node.turn

        def choose() -> tuple[_Target, Plan, Tx]:
            target = self._unchanged(found)
            plan = self._cheapest(target, wish)
            wallet.reserve(_taken(plan))
            return target, plan, self._with_new_key(plan.tx)

        target, plan, unsigned = await turn.do(choose)
        try:
            signed = await self._sign(unsigned, plan)
            if plan.method == "rbf":
                await self._send_replacement(plan, signed)
            else:
                await self._send_child(plan, signed)
        except BaseException:
            await turn.do(lambda: self._give_up(plan))
            raise
        return self._told(target, plan, signed)

    def _give_up(self, plan: Plan) -> None:
        """The coins that were taken for it are free again. Inside a turn."""
        wallet = self._node.wallet
        now = [wallet.store.get(c.outpoint) for c in _taken(plan)]
        wallet.unreserve([c for c in now if c is not None])

    def _with_new_key(self, tx: Tx) -> Tx:
        """Inside a turn."""
        wallet = self._node.wallet
        outputs = [
            replace(o, script=wallet.script_of(wallet.next_index(AddrType.P2TR)))
            if o.script == bump_plan.PLACEHOLDER
            else o
            for o in tx.outputs
        ]
        return replace(tx, outputs=tuple(outputs))

    async def _sign(self, unsigned: Tx, plan: Plan) -> Tx:
        wallet = self._node.wallet
        psbt = Psbt.from_tx(unsigned)
        for n, coin in enumerate(plan.coins):
            psbt.set_witness_utxo(n, coin.output)
            wallet.add_previous(psbt, n, coin.outpoint.txid)
        return signing.extract(await wallet.sign_psbt(psbt, plan.coins))

    async def _send_replacement(self, plan: Plan, signed: Tx) -> None:
        node, old = self._node, plan.stuck
        # All that it spends is reserved: by what it replaces, and for this plan.
        await node.wallet.send(signed, blocks=0, parents=old.parents)

        def note() -> None:
            store, txid = node.wallet.store, signed.txid()
            stored = store.get_tx(old.txid)
            if stored is not None and stored.height is not None:
                return  # A block was faster: nothing has replaced it.
            node.wallet.forget_sent(old.txid)
            store.set_replaced(old.txid, txid)
            if plan.takes_all is not None:
                store.set_sent_all(txid, plan.takes_all)
            for n, output in enumerate(signed.outputs):
                if old.what == "withdrawal" and node.wallet.is_ours(output.script) is None:
                    node.moves.sent_outside(Outpoint(txid, n), output.amount)

        await node.turn.do(note)

    async def _send_child(self, plan: Plan, signed: Tx) -> None:
        node, parent = self._node, plan.stuck.tx

        def see() -> bool:
            is_new = node.wallet.record_seen(parent)
            if is_new:
                coins = [node.wallet.store.get(c.outpoint) for c in plan.stuck.ours]
                node.wallet.reserve([c for c in coins if c is not None])
            return is_new

        is_new = await node.turn.do(see)
        try:
            await node.wallet.send(signed, blocks=0, parents=(parent,))
        except BaseException:
            if is_new:
                await node.turn.do(lambda: node.wallet.unrecord_seen(parent.txid()))
            raise


def _taken(plan: Plan) -> tuple[Coin, ...]:
    """The coins that are reserved for a plan: what it replaces has its own already."""
    return plan.added if plan.method == "rbf" else plan.coins
