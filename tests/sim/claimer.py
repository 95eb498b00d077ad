"""One side's wallet and broadcasts in the toy chain: claims made, signed by hsmd's own core, sent, sent again, bumped.

It does what `lightningd/control/claims.py` and `anchors.py` do, with the same pure parts; nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import ANCHOR_INPUT_WEIGHT, feerate_of
from pylightningd.common.channel.fees import ANCHOR_AMOUNT
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.keys import sig_to_der
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.control import claim_groups, claim_tx
from pylightningd.lightningd.control.claim_tx import CannotAfford, Made
from pylightningd.lightningd.wallet.coin import Coin
from tests.sim.chain import Rejected, ToyChain

COINS, COIN_SAT = 60, 60_000
_DUMMY = (b"\x30" * 71, b"\x02" * 33)
_URGENT_BLOCKS = 12


@dataclass(eq=False)
class Batch:
    """Claims that share a transaction, not resolved yet."""

    claims: list[Claim]
    tx: Tx | None = None
    fee: Sat | None = None
    feerate: int = 0
    coins: tuple[Coin, ...] = ()


@dataclass
class Closing:
    """Our commitment, until a block holds some spend of the funding output."""

    tx: Tx
    fee: Sat
    child: Tx | None = None
    child_fee: Sat = Sat(0)
    feerate: int = 0
    coins: tuple[Coin, ...] = ()


@dataclass
class Claimer:
    """Everything of one side that ends in a transaction."""

    name: str
    static: ChannelStatic
    ask: Callable[[Any], Any]
    """hsmd, as the master's link."""
    chain: ToyChain
    waiting: dict[Outpoint, Claim] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    closing: Closing | None = None
    lost_until: int = 0
    """Until this height nothing that is sent arrives."""
    sent: set[Txid] = field(default_factory=set)
    refusals: dict[Txid, str] = field(default_factory=dict)
    uneconomic: dict[Outpoint, int] = field(default_factory=dict)
    """Outputs that some day were not worth their fee."""
    largest: int = 0
    """Most claims that shared a transaction."""

    def __post_init__(self) -> None:
        key = sha256(b"wallet " + self.name.encode()).digest()
        self.script = sc.p2wpkh(b"\x02" + key)
        for n in range(COINS):
            self.chain.mint(Outpoint(Txid(key), n), TxOut(Sat(COIN_SAT), self.script), 1)

    # Sending

    def send(self, *txs: Tx) -> None:
        """As bitcoind is told; what it refuses is tried again at the next block."""
        for tx in txs:
            self.sent.add(tx.txid())
        if self.chain.height < self.lost_until:
            return
        try:
            self.chain.submit(*txs)
        except Rejected as why:
            self.refusals[txs[0].txid()] = str(why)
            if len(txs) > 1:
                self.send(txs[0])

    def on_block(self) -> None:
        """Make what is due, bump what is late, send again what waits."""
        if self.closing is not None:
            if self.chain.spend_of(self.static.funding) is None:
                self.push_commitment(self.closing)
        self.work()

    # Commitments

    def push_commitment(self, closing: Closing) -> None:
        """Send it, with a child of our anchor where it pays too little (as control/anchors.py)."""
        script = sc.p2wsh(sc.anchor_script(self.static.local_basepoints.funding_pubkey))
        index = next((n for n, o in enumerate(closing.tx.outputs) if o.script == script), None)
        enough = max(feerate_of(closing.fee, closing.tx.weight()), closing.feerate)
        if index is not None and self.chain.min_feerate > enough:
            self._make_child(closing, index)
        if closing.child is None:
            self.send(closing.tx)
        else:
            self.send(closing.tx, closing.child)

    def _make_child(self, closing: Closing, index: int) -> None:
        target = self.chain.min_feerate * 11 // 10
        made = claim_tx.anchor_child(
            claim_tx.anchor_input(TxIn(closing.tx.txid(), index)),
            ANCHOR_AMOUNT,
            ANCHOR_INPUT_WEIGHT,
            closing.tx.weight(),
            closing.fee,
            [*closing.coins, *self.coins()],
            self.script,
            target,
            closing.child_fee if closing.child is not None else None,
        )
        script = sc.anchor_script(self.static.local_basepoints.funding_pubkey)
        reply = self.ask(
            hw.HsmdSignAnchor(
                dbid=1,
                tx=made.tx.serialize(),
                input_index=0,
                amount=ANCHOR_AMOUNT,
                witness_script=script,
            )
        )
        signed = made.tx.with_witness(0, (sig_to_der(reply.signature, SIGHASH_ALL), script))
        closing.child, closing.child_fee = self._sign_coins(signed, made), made.fee
        closing.feerate, closing.coins = target, made.coins

    # Claims

    def take(self, claims: Iterable[Claim]) -> None:
        """onchaind wants these."""
        known = {c.outpoint: c for b in self.batches for c in b.claims} | self.waiting
        for claim in claims:
            if known.get(claim.outpoint) != claim:
                self.drop(claim.outpoint)
                self.waiting[claim.outpoint] = claim
        self.work()

    def drop(self, outpoint: Outpoint) -> None:
        """A block holds a spend of it: what shared a transaction with it needs another."""
        self.waiting.pop(outpoint, None)
        for batch in self.batches:
            left = [c for c in batch.claims if c.outpoint != outpoint]
            if len(left) < len(batch.claims):
                batch.claims, batch.tx, batch.fee = left, None, None
        self.batches = [b for b in self.batches if b.claims]

    def forget(self) -> None:
        """All is planned anew."""
        self.waiting.clear()
        self.batches.clear()

    def work(self) -> None:
        """Transactions for what is due; those that wait are sent again, or bumped, or cut apart."""
        height = self.chain.height
        due = [c for c in self.waiting.values() if c.first_block <= height + 1]
        for members in claim_groups.group(due, height, self._rate):
            for claim in members:
                del self.waiting[claim.outpoint]
            self.batches.append(Batch(members))
        for batch in list(self.batches):
            if batch.tx is not None and self._wants_bump(batch):
                batch.claims, *others = claim_groups.split(batch.claims, height, self._rate)
                self.batches += [Batch(members) for members in others]
        for batch in self.batches:
            if batch.tx is None or self._wants_bump(batch):
                try:
                    self._make(batch)
                except CannotAfford:
                    self._not_worth_it(batch)
            if batch.tx is not None:
                self.send(batch.tx)

    def _not_worth_it(self, batch: Batch) -> None:
        for claim in batch.claims:
            self.uneconomic[claim.outpoint] = claim.amount.sat

    def _rate(self, _deadline: int) -> int:
        return self.chain.min_feerate

    def _wants_bump(self, batch: Batch) -> bool:
        if claim_groups.is_fixed(batch.claims[0]):
            return False
        if self.chain.min_feerate > batch.feerate:
            return True
        deadline = claim_groups.deadline_of(batch.claims)
        return bool(deadline) and 0 <= deadline - self.chain.height <= _URGENT_BLOCKS

    def _make(self, batch: Batch) -> None:
        claims = batch.claims
        rate = self.chain.min_feerate
        if batch.fee is not None:
            rate = max(rate, batch.feerate * 125 // 100)
        most = claim_groups.budget(claims)
        if claims[0].add_fee:
            coins = [*batch.coins, *self.coins()]
            made = claim_tx.with_fee_inputs(claims, coins, self.script, rate, batch.fee, most)
        elif claims[0].tx:
            made = Made(Tx.parse(claims[0].tx), Sat(0), 0)
        else:
            made = claim_tx.sweep(claims, self.script, rate, batch.fee, most)
        if made.capped:
            self._not_worth_it(batch)
        reply = self.ask(claim_tx.sign_request(1, made.tx, claims))
        signatures = [sig_to_der(s, SIGHASH_ALL) for s in reply.signatures]
        tx = claim_tx.signed(made.tx, claims, signatures)
        batch.tx, batch.fee, batch.feerate = self._sign_coins(tx, made), made.fee, rate
        batch.coins = made.coins
        self.largest = max(self.largest, len(claims))

    def coins(self) -> list[Coin]:
        """What no transaction of ours on its way spends."""
        taken = {c.outpoint for batch in self.batches for c in batch.coins}
        if self.closing is not None:
            taken |= {c.outpoint for c in self.closing.coins}
        return [
            Coin(outpoint=o, amount=out.amount, script=out.script, key_index=0, height=1)
            for o, out in self.chain.unspent([self.script]).items()
            if o not in taken
        ]

    @staticmethod
    def _sign_coins(tx: Tx, made: Made) -> Tx:
        for n in range(len(tx.inputs) - len(made.coins), len(tx.inputs)):
            tx = tx.with_witness(n, _DUMMY)
        return tx
