"""How a stuck transaction can be made to pay more: in its place (RBF) or with a child (CPFP), and what that costs. Pure.

What is compared with the feerate that is wanted is never one transaction's own alone: a block takes it with its
unconfirmed ancestors only, so they count with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import (
    FEERATE_FLOOR_PERKW,
    core_weight,
    feerate_of,
    output_weight,
)
from pylightningd.common.ids import Txid
from pylightningd.lightningd.control.claim_tx import RELAY_STEP_PERKW
from pylightningd.lightningd.wallet.coin import Coin, dust_limit

PLACEHOLDER = b"\x51\x20" + bytes(32)
"""Stands for the script of a new key, which is taken only when the transaction is made."""
MAX_RELATIVES = 25
MAX_RELATIVES_WEIGHT = 404_000
"""Mempools take no transaction with more unconfirmed ancestors, or descendants, or heavier ones, than so."""
_MOST_COINS = 50


class NoWay(Exception):
    """It cannot be done so; the text says why. `reserve`: because of the emergency reserve; `money`: of too little."""

    def __init__(self, why: str, *, money: bool = False, reserve: bool = False) -> None:
        super().__init__(why)
        self.money = money
        self.reserve = reserve


@dataclass(frozen=True, slots=True)
class Load:
    """Some transactions together."""

    weight: int = 0
    fee: int = 0
    """In sat."""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What the wallet can add."""

    coins: Sequence[Coin] = ()
    """Confirmed, and free."""
    reserve: int = 0
    """What must stay in the wallet, in sat."""

    def allows(self, spent: Sequence[Coin], before: int, after: int) -> bool:
        """Whether the reserve stays, or is no less than it was.

        The coins count, and what unconfirmed transactions of ours pay back: `before` and `after` in sat.
        """
        there = sum(c.amount.sat for c in self.coins)
        then = there - sum(c.amount.sat for c in spent) + after
        return then >= min(self.reserve, there + before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """An unconfirmed transaction, and what is around it."""

    tx: Tx
    what: str
    fee: int
    above: Load = Load()
    """Its unconfirmed ancestors."""
    below: Load = Load()
    """Its descendants: they leave mempools with it when it is replaced."""
    inputs: Sequence[Coin] | None = None
    """What it spends, if all of it is ours and it may be replaced."""
    change: int | None = None
    """The output of ours that gives what a replacement costs more."""
    takes_all: int | None = None
    """The output that was asked to take all there is: what it takes is what is left after the fee."""
    ours: Sequence[Coin] = ()
    """Its outputs that we can spend now."""
    returned: int = 0
    """What of it counts as money of our wallet already, in sat."""
    depends: str = ""
    """Why it must not be replaced."""
    parents: tuple[Tx, ...] = field(default=(), repr=False)
    """Unconfirmed ones that it spends from, as far as we have them."""

    @property
    def txid(self) -> Txid:
        """Its id."""
        return self.tx.txid()

    @property
    def weight(self) -> int:
        """Of it alone."""
        return self.tx.weight()

    @property
    def feerate_perkw(self) -> int:
        """What miners see: with its ancestors, but no more than its own."""
        own = feerate_of(Sat(max(self.fee, 0)), self.weight)
        together = (self.fee + self.above.fee) * 1000 // (self.weight + self.above.weight)
        return min(own, together)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A transaction that does it, unsigned."""

    method: str
    paid_from: str
    """change: our change gets less; destination: whom all was sent to gets less; coins: with new coins of the wallet;
    outputs: with what it pays us."""
    stuck: Stuck
    tx: Tx
    coins: tuple[Coin, ...]
    """Of its inputs, in their order."""
    added: tuple[Coin, ...] = ()
    """Those of them that are new coins of the wallet."""
    fee: int
    extra: int
    """What it costs beyond what was paid."""
    weight: int
    takes_all: int | None = None


# Replacing


def replacement(stuck: Stuck, feerate_perkw: int, purse: Purse) -> Plan:
    """The cheapest replacement. Raises NoWay."""
    if stuck.depends:
        raise NoWay(stuck.depends)
    if stuck.inputs is None:
        raise NoWay("it does not spend only coins of ours, or does not allow to be replaced")
    if stuck.below.count >= 4 * MAX_RELATIVES:
        # BIP 125, rule 5: at most 100 transactions leave mempools for it.
        raise NoWay("too many other transactions hang on it to replace it")
    return _Replacing(stuck, stuck.inputs, feerate_perkw, purse).best()


@dataclass(slots=True)
class _Replacing:
    stuck: Stuck
    inputs: Sequence[Coin]
    feerate_perkw: int
    purse: Purse
    hurts_reserve: bool = False

    def best(self) -> Plan:
        for plan in self._plans():
            if plan is not None:
                return plan
        if self.hurts_reserve:
            raise NoWay(
                f"the wallet would keep less than its emergency reserve of {self.purse.reserve}sat",
                money=True,
                reserve=True,
            )
        raise NoWay("neither its change nor the wallet's other coins are enough", money=True)

    def _plans(self) -> Iterator[Plan | None]:
        yield self._from_output(self.stuck.change, "change")
        yield self._from_output(self.stuck.takes_all, "destination")
        yield self._without_change()
        free = sorted(self.purse.coins, key=lambda c: c.amount.sat)
        for coin in free:
            yield self._with([coin])
        for count in range(2, min(len(free), _MOST_COINS) + 1):
            yield self._with(free[-count:])

    def _weight(self, coins: Sequence[Coin], outputs: Sequence[TxOut]) -> int:
        """Of it signed anew: its signatures may be longer this time."""
        return (
            core_weight(len(coins), len(outputs))
            + sum(c.weight() for c in coins)
            + sum(output_weight(o.script) for o in outputs)
        )

    def _need(self, weight: int) -> int:
        """The fee that a replacement of this weight pays."""
        stuck = self.stuck
        rate = max(self.feerate_perkw, FEERATE_FLOOR_PERKW)
        return max(
            _fee(rate, weight),
            _fee(rate, weight + stuck.above.weight) - stuck.above.fee,
            # BIP 125, rules 3 and 4: more than all that it drives out, and for its own size.
            stuck.fee + stuck.below.fee + _fee(RELAY_STEP_PERKW, weight),
            # And a better feerate than what it replaces.
            stuck.fee * weight // stuck.weight + 1,
        )

    def _from_output(self, index: int | None, paid_from: str) -> Plan | None:
        outputs = list(self.stuck.tx.outputs)
        if index is None:
            return None
        weight = self._weight(self.inputs, outputs)
        fee = self._need(weight)
        old = outputs[index]
        left = old.amount.sat - (fee - self.stuck.fee)
        if left < dust_limit(old.script).sat:
            return None
        outputs[index] = replace(old, amount=Sat(left))
        return self._plan(paid_from, [], outputs, fee, weight)

    def _without_change(self) -> Plan | None:
        """Where the change is little, all of it."""
        index, outputs = self.stuck.change, list(self.stuck.tx.outputs)
        if index is None or len(outputs) == 1:
            return None
        old = outputs.pop(index)
        weight = self._weight(self.inputs, outputs)
        fee = self.stuck.fee + old.amount.sat
        if fee < self._need(weight):
            return None
        return self._plan("change", [], outputs, fee, weight)

    def _with(self, added: Sequence[Coin]) -> Plan | None:
        """New coins of the wallet, what is over to the change."""
        outputs, index = list(self.stuck.tx.outputs), self.stuck.change
        if index is None:
            index = len(outputs)
            outputs.append(TxOut(Sat(0), PLACEHOLDER))
        weight = self._weight([*self.inputs, *added], outputs)
        fee = self._need(weight)
        left = outputs[index].amount.sat + sum(c.amount.sat for c in added)
        left -= fee - self.stuck.fee
        if left < dust_limit(outputs[index].script).sat:
            return None
        outputs[index] = replace(outputs[index], amount=Sat(left))
        return self._plan("coins", added, outputs, fee, weight)

    def _plan(
        self,
        paid_from: str,
        added: Sequence[Coin],
        outputs: Sequence[TxOut],
        fee: int,
        weight: int,
    ) -> Plan | None:
        stuck = self.stuck
        brought = sum(c.amount.sat for c in (*self.inputs, *added))
        theirs = sum(o.amount.sat for o in self._theirs(outputs))
        if not self.purse.allows(added, stuck.returned, brought - fee - theirs):
            self.hurts_reserve = True
            return None
        inputs = tuple(replace(i, script_sig=b"", witness=()) for i in stuck.tx.inputs)
        inputs += tuple(_spend(c) for c in added)
        dropped = len(outputs) < len(stuck.tx.outputs)
        all_index = stuck.takes_all
        if all_index is not None and dropped and (stuck.change or 0) < all_index:
            all_index -= 1
        return Plan(
            method="rbf",
            paid_from=paid_from,
            stuck=stuck,
            tx=Tx(stuck.tx.version, inputs, tuple(outputs), stuck.tx.locktime),
            coins=(*self.inputs, *added),
            added=tuple(added),
            fee=fee,
            extra=fee - stuck.fee,
            weight=weight,
            takes_all=all_index,
        )

    def _theirs(self, outputs: Sequence[TxOut]) -> list[TxOut]:
        """What does not come back to us: scripts of our coins and of new keys do."""
        own = {c.script for c in self.stuck.ours} | {PLACEHOLDER}
        return [o for o in outputs if o.script not in own]


# A child


def child(stuck: Stuck, feerate_perkw: int, purse: Purse) -> Plan:
    """Spend its outputs of ours to a new key, for a fee that does for both. Raises NoWay."""
    if not stuck.ours:
        raise NoWay("no output of it is ours to spend: no child can pay for it")
    _check_relatives(stuck)
    free = sorted(purse.coins, key=lambda c: c.amount.sat)
    tries: list[Sequence[Coin]] = [[], *([c] for c in free)]
    tries += [free[-count:] for count in range(2, min(len(free), _MOST_COINS) + 1)]
    hurts_reserve = False
    for added in tries:
        plan = _child(stuck, feerate_perkw, added)
        if plan is None:
            continue
        before = sum(c.amount.sat for c in stuck.ours) if stuck.returned else 0
        if purse.allows(added, before, plan.tx.outputs[0].amount.sat):
            return plan
        hurts_reserve = True
    if hurts_reserve:
        raise NoWay(
            f"the wallet would keep less than its emergency reserve of {purse.reserve}sat",
            money=True,
            reserve=True,
        )
    raise NoWay("our outputs of it cannot pay the fee of a child", money=True)


def _child(stuck: Stuck, feerate_perkw: int, added: Sequence[Coin]) -> Plan | None:
    coins = (*stuck.ours, *added)
    weight = core_weight(len(coins), 1) + output_weight(PLACEHOLDER)
    weight += sum(c.weight() for c in coins)
    above = stuck.above
    fee = max(
        _fee(feerate_perkw, weight + stuck.weight) - stuck.fee,
        _fee(feerate_perkw, weight + stuck.weight + above.weight) - stuck.fee - above.fee,
        _fee(FEERATE_FLOOR_PERKW, weight),
    )
    left = sum(c.amount.sat for c in coins) - fee
    if left < dust_limit(PLACEHOLDER).sat:
        return None
    return Plan(
        method="cpfp",
        paid_from="coins" if added else "outputs",
        stuck=stuck,
        tx=Tx(2, tuple(_spend(c) for c in coins), (TxOut(Sat(left), PLACEHOLDER),), 0),
        coins=coins,
        added=tuple(added),
        fee=fee,
        extra=fee,
        weight=weight,
    )


def _check_relatives(stuck: Stuck) -> None:
    """Whether mempools take one more descendant."""
    for load, whose in ((stuck.above, "ancestors"), (stuck.below, "descendants")):
        # It and the child count too.
        if load.count + 2 > MAX_RELATIVES or load.weight + stuck.weight > MAX_RELATIVES_WEIGHT:
            raise NoWay(f"it has too many unconfirmed {whose} for one more child")


def _spend(coin: Coin) -> TxIn:
    sequence = coin.sequence
    return TxIn(coin.outpoint.txid, coin.outpoint.index, b"", min(sequence, SEQUENCE_RBF))


def _fee(feerate_perkw: int, weight: int) -> int:
    """Rounded up: the feerate is reached."""
    return -(-feerate_perkw * weight // 1000)
