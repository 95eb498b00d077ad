"""One side's wallet and broadcasts in the toy chain: claims made, signed by hsmd's own core, sent, sent again, bumped.

It does what `lightningd/control/claims.py` and `anchors.py` do, with the same pure parts; nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from types import SimpleNamespace
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
from pylightningd.lightningd.control import claim_tx
from pylightningd.lightningd.control.claim_tx import CannotAfford, Made
from pylightningd.lightningd.control.claims import Claims
from pylightningd.lightningd.wallet.coin import Coin
from tests.sim.chain import Rejected, ToyChain

COINS, COIN_SAT = 60, 60_000
_DUMMY = (b"\x30" * 71, b"\x02" * 33)
_URGENT_BLOCKS = 12


@dataclass
class Live:
    """A claim that no block has resolved."""

    claim: Claim
    tx: Tx | None = None
    fee: Sat = Sat(0)
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
    live: dict[Outpoint, Live] = field(default_factory=dict)
    closing: Closing | None = None
    lost_until: int = 0
    """Until this height nothing that is sent arrives."""
    sent: set[Txid] = field(default_factory=set)
    refusals: dict[Txid, str] = field(default_factory=dict)
    uneconomic: dict[Outpoint, int] = field(default_factory=dict)
    """Outputs that some day were not worth their fee."""

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
        for live in list(self.live.values()):
            self.work(live)

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

    def take(self, claim: Claim) -> None:
        """onchaind wants it."""
        known = self.live.get(claim.outpoint)
        if known is None or known.claim != claim:
            self.live[claim.outpoint] = live = Live(claim)
            self.work(live)

    def work(self, live: Live) -> None:
        """The next transaction of a claim, or the last one again."""
        claim, height = live.claim, self.chain.height
        if claim.first_block > height + 1:
            return
        if live.tx is None or self._wants_bump(live):
            try:
                self._make(live)
            except CannotAfford:
                self.uneconomic[claim.outpoint] = claim.amount.sat
        if live.tx is not None:
            self.send(live.tx)

    def _wants_bump(self, live: Live) -> bool:
        claim = live.claim
        if claim.tx and not claim.add_fee:
            return False
        if self.chain.min_feerate > live.feerate:
            return True
        return bool(claim.deadline) and 0 <= claim.deadline - self.chain.height <= _URGENT_BLOCKS

    def _make(self, live: Live) -> None:
        claim = live.claim
        rate = self.chain.min_feerate
        replaces = live.fee if live.tx is not None else None
        if replaces is not None:
            rate = max(rate, live.feerate * 125 // 100)
        if claim.add_fee:
            coins = [*live.coins, *self.coins()]
            made = claim_tx.with_fee_inputs(claim, coins, self.script, rate, replaces)
        elif claim.tx:
            made = Made(Tx.parse(claim.tx), Sat(0), 0)
        else:
            made = claim_tx.sweep(claim, self.script, rate, replaces)
        about = SimpleNamespace(channel=SimpleNamespace(dbid=1), claim=claim)
        request = Claims._request(None, about, made.tx)  # type: ignore[arg-type]  # noqa: SLF001
        reply = self.ask(request)
        tx = claim_tx.signed(made.tx, claim, sig_to_der(reply.signature, SIGHASH_ALL))
        live.tx, live.fee, live.feerate = self._sign_coins(tx, made), made.fee, rate
        live.coins = made.coins

    def coins(self) -> list[Coin]:
        """What no transaction of ours on its way spends."""
        taken = {c.outpoint for live in self.live.values() for c in live.coins}
        if self.closing is not None:
            taken |= {c.outpoint for c in self.closing.coins}
        return [
            Coin(outpoint=o, amount=out.amount, script=out.script, key_index=0, height=1)
            for o, out in self.chain.unspent([self.script]).items()
            if o not in taken
        ]

    @staticmethod
    def _sign_coins(tx: Tx, made: Made) -> Tx:
        for n in range(1, 1 + len(made.coins)):
            tx = tx.with_witness(n, _DUMMY)
        return tx
