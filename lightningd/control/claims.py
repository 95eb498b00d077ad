"""Takes outputs of closed channels: builds, signs, broadcasts and bumps what onchaind planned.

Claims that may share a transaction do (`claim_groups.py`). One that has its own fee pays to a wallet key chosen once for
the channel; HTLC transactions under anchors have their fee paid by wallet coins. What was sent last is a row, so that a
restart goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.script import p2wsh
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW, feerate_of
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.common.keys import sig_to_der
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.control import claim_groups, claim_tx, fee_coins
from pylightningd.lightningd.control.bump_wish import Bumped, Wish, check_budget, check_pays_less
from pylightningd.lightningd.control.claim_tx import CannotAfford, Made
from pylightningd.lightningd.db.onchain_io import OnchainStore, StoredClaim
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pylightningd.lightningd.node import Node

_NO_HURRY_BLOCKS = 300
_URGENT_BLOCKS = 12
_BUMP_STEP_PERCENT = 25
_TRIES = 3
"""So often in one go where the backend demands more than we knew; then again with the next block."""
_FEE_TROUBLE = ("min fee not met", "min relay fee not met", "insufficient fee")
"""What bitcoind says of a transaction that pays too little."""

_TAKEN = "an output of it is taken"


@dataclass(eq=False, slots=True)
class _Batch:
    """Claims that share a transaction, not resolved yet."""

    channel: Channel
    claims: list[Claim]
    tx: Tx | None = None
    txid: Txid | None = None
    fee: Sat | None = None
    """What the next transaction must outbid; None where none of ours is on its way."""
    feerate_perkw: int = 0
    sent_height: int = 0
    """The newest block when the transaction was first sent: each gets a block's time before it is bumped."""
    coins: tuple[Coin, ...] = ()
    row: Outpoint | None = None
    """Where it stands in the table."""
    busy: bool = False
    cancelled: bool = False
    is_stale: bool = False
    """Somebody has taken a part, or a coin, so that the transaction cannot be mined any more."""
    complained: bool = False
    capped: bool = False
    too_cheap: bool = False
    """The backend refused it for its fee: nobody has it."""
    is_early: bool = False
    """Made before it may be sent: the network has not seen it."""
    is_outdated: bool = False
    """It was early, and feerates are others by now: another one is sent instead."""

    @property
    def first_block(self) -> int:
        """The first that may hold it."""
        return max(c.first_block for c in self.claims)

    @property
    def kind(self) -> str:
        """For logs and the table."""
        return self.claims[0].kind

    @property
    def is_fixed(self) -> bool:
        """Whether the peer has signed its fee."""
        return claim_groups.is_fixed(self.claims[0])

    @property
    def name(self) -> str:
        """For logs."""
        more = len(self.claims) - 1
        return f"{self.claims[0].outpoint}" + (f" and {more} more" if more else "")

    @property
    def outpoints(self) -> set[Outpoint]:
        """What it takes."""
        return {c.outpoint for c in self.claims}


@dataclass(eq=False, slots=True)
class _Work:
    """What is wanted of one channel."""

    channel: Channel
    waiting: dict[Outpoint, Claim] = field(default_factory=dict)
    """Claims that no transaction was made for yet."""
    batches: list[_Batch] = field(default_factory=list)
    is_due: bool = False
    """`_settle` is on its way."""


class Claims:
    """All claims of all channels."""

    def __init__(self, node: Node, store: OnchainStore) -> None:
        self._node = node
        self._store = store
        self._work: dict[int, _Work] = {}

    # In turns

    def take(self, channel: Channel, claims: tuple[Claim, ...]) -> None:
        """onchaind wants these outputs. Inside a turn."""
        work = self._work.setdefault(channel.dbid, _Work(channel))
        known = {c.outpoint: c for b in work.batches for c in b.claims} | work.waiting
        for claim in claims:
            old = known.get(claim.outpoint)
            if old == claim:
                continue
            if old is not None:
                self._remove(work, claim.outpoint)
            work.waiting[claim.outpoint] = claim
        self._settle_soon(work)

    def drop(self, dbid: int, outpoint: Outpoint) -> None:
        """Somebody has taken it. Inside a turn."""
        work = self._work.get(dbid)
        if work is not None:
            self._remove(work, outpoint)
            self._settle_soon(work)

    def drop_all(self, dbid: int) -> None:
        """Claims of this channel are planned anew, or no more. Inside a turn."""
        work = self._work.pop(dbid, None)
        for batch in work.batches if work is not None else ():
            self._cancel(batch)

    def _remove(self, work: _Work, outpoint: Outpoint) -> None:
        """What shared a transaction with it needs another one, unless it was this very transaction that took it."""
        work.waiting.pop(outpoint, None)
        for batch in work.batches:
            left = [c for c in batch.claims if c.outpoint != outpoint]
            if not left:
                self._cancel(batch)
            elif len(left) < len(batch.claims):
                batch.claims, batch.is_stale = left, True
            elif batch.tx is not None and any(i.outpoint == outpoint for i in batch.tx.inputs):
                # It was cut apart, and what it must outbid is the whole, which is dead now.
                batch.is_stale = True
        work.batches = [b for b in work.batches if not b.cancelled]

    def _cancel(self, batch: _Batch) -> None:
        batch.cancelled = True
        if batch.txid is not None:
            self._node.turn.after_commit(partial(self._node.chain.broadcasts.drop, batch.txid))

    # After turns

    def _settle_soon(self, work: _Work) -> None:
        if not work.is_due:
            work.is_due = True
            self._node.turn.after_commit(partial(self._settle, work, "news"))

    def on_block(self, height: int) -> None:
        """Make what is due, bump what is late. After the turn of a block."""
        for work in list(self._work.values()):
            self._settle(work, f"block {height}")

    def _settle(self, work: _Work, why: str) -> None:
        """Put due claims into transactions; see which transactions need work."""
        work.is_due = False
        dbid, height = work.channel.dbid, self._node.chain.height
        if self._work.get(dbid) is not work:
            return
        if work.waiting:
            self._recall(work)
        due = [c for c in work.waiting.values() if _is_made_now(c, height)]
        for members in claim_groups.group(due, height, self._rate):
            self._add(work, members)
        for batch in list(work.batches):
            self._mind_coins(batch)
            if batch.is_early and not batch.busy and batch.first_block <= height + 1:
                self._wake(batch)
            if not batch.busy and not batch.is_stale and self._wants_bump(batch, height):
                self._split(work, batch, height)
        wanting = [b for b in work.batches if not b.busy and self._wants_work(b, height)]
        for batch in wanting:
            batch.busy = True
        if wanting:
            self._node.spawn(self._do(wanting), f"claims of channel {dbid}: {why}")

    def _wake(self, batch: _Batch) -> None:
        """It may be sent now: as it is only where feerates are what they were when it was made."""
        batch.is_early = False
        if batch.txid is not None and self._wanted_rate(batch) != batch.feerate_perkw:
            batch.is_outdated = True
            self._node.chain.broadcasts.drop(batch.txid)

    def _mind_coins(self, batch: _Batch) -> None:
        """The coins that pay for what waits stay ours; where one is gone all the same, others must do."""
        if batch.tx is None or not batch.coins or batch.busy:
            return
        coins = [c.outpoint for c in batch.coins]
        if fee_coins.is_lost(self._node.wallet, coins, batch.outpoints):
            self._log(batch, "unusual", f"A coin that paid for {batch.name} is spent elsewhere")
            batch.is_stale = True
        else:
            fee_coins.renew(self._node, batch.coins)

    def _add(self, work: _Work, members: list[Claim]) -> _Batch:
        for claim in members:
            work.waiting.pop(claim.outpoint, None)
        batch = _Batch(work.channel, members)
        work.batches.append(batch)
        return batch

    def _recall(self, work: _Work) -> None:
        """Transactions that were sent before a restart, or before the facts were told anew."""
        in_use = {b.row for b in work.batches}
        stored = [s for s in self._store.claims(work.channel.dbid) if s[0] not in in_use]
        spent = self._store.spent_outpoints(work.channel.dbid) if stored else set()
        # A row that was cut apart since stands beside its parts: they are newer.
        for head, old in sorted(stored, key=lambda s: len(s[1].tx.inputs)):
            spends = [txin.outpoint for txin in old.tx.inputs]
            members = [work.waiting[o] for o in spends if o in work.waiting]
            if not members or any(c.kind != old.kind for c in members):
                continue
            batch = self._add(work, members)
            batch.row, batch.fee = head, old.fee
            batch.feerate_perkw, batch.sent_height = old.feerate_perkw, old.sent_height
            others, wallet = [o for o in spends if o not in batch.outpoints], self._node.wallet
            coins = [wallet.store.get(o) for o in others]
            takes = batch.outpoints | {o for o, c in zip(others, coins, strict=True) if c is None}
            batch.coins = fee_coins.kept(wallet, (c for c in coins if c is not None), takes)
            dead = not spent.isdisjoint(takes) or fee_coins.is_lost(wallet, others, takes)
            if dead or None in coins:
                batch.is_stale = True
                # What no block can hold need not be outbid; else it may wait in mempools yet.
                batch.fee = None if dead else old.fee
            else:
                batch.tx, batch.txid = old.tx, old.tx.txid()
                # What may not be sent even now was not sent before.
                batch.is_early = batch.first_block > self._node.chain.height + 1
                self._node.spawn(self._send(batch, None), f"claim {batch.name} again")

    def _split(self, work: _Work, batch: _Batch, height: int) -> None:
        """Cut a transaction apart before the peer can hold all of it up. The first part outbids the whole."""
        first, *others = claim_groups.split(batch.claims, height, self._rate)
        if others:
            self._log(batch, "info", f"Splitting the claim of {batch.name} into {1 + len(others)}")
            batch.claims = first
            for members in others:
                self._add(work, members)

    def _wants_work(self, batch: _Batch, height: int) -> bool:
        if batch.tx is None or batch.is_stale or batch.is_outdated:
            return True
        return self._wants_bump(batch, height)

    async def bump(self, txid: Txid, wish: Wish) -> Bumped | None:
        """Replace a claim by one that pays more; None where `txid` is none. Raises CannotAfford, UserError."""
        batches = [b for work in self._work.values() for b in work.batches]
        batch = next((b for b in batches if b.txid == txid), None)
        if batch is None:
            return None
        if batch.busy:
            raise UserError(LIGHTNINGD, f"{txid_hex(txid)} is being raised just now")
        if batch.is_fixed:
            raise CannotAfford(
                "the peer has signed this transaction with its fee, which cannot change"
            )
        check_pays_less(wish, txid_hex(txid), batch.feerate_perkw)
        batch.busy = True
        try:
            before = batch.fee or Sat(0)
            made = await self._plan(
                batch,
                wish.feerate_perkw,
                None,
                reserve=not wish.dry_run,
                check=lambda made: check_budget(wish, made.fee - before),
            )
            done = Bumped(
                method="rbf",
                what="claim",
                fee=made.fee,
                extra=made.fee - before,
                weight=made.weight,
                before_perkw=batch.feerate_perkw,
                paid_from="coins" if made.coins else "outputs",
                replaces=txid,
            )
            if not wish.dry_run:
                refusal = await self._finish(batch, made, wish.feerate_perkw)
                batch.is_early = False  # It goes with the fee that was asked for.
                if refusal == _TAKEN:
                    raise UserError(LIGHTNINGD, f"Cannot bump {txid_hex(txid)} now: {refusal}")
                if refusal:
                    raise UserError(LIGHTNINGD, refused_text(refusal, done.what))
                done = replace(done, tx=batch.tx)
            return done
        finally:
            batch.busy = False

    # Making

    async def _do(self, batches: list[_Batch]) -> None:
        try:
            for batch in batches:
                try:
                    if not batch.cancelled:
                        await self._make(batch)
                except CannotAfford as why:
                    self._complain(batch, str(why))
                batch.busy = False
        finally:
            for batch in batches:
                batch.busy = False
        work = self._work.get(batches[0].channel.dbid)
        if work is not None and any(b.is_stale and not b.cancelled for b in batches):
            self._settle(work, "a part is taken")

    def _complain(self, batch: _Batch, why: str) -> None:
        """Say it once: the next blocks try again. What is sent already and pays all that it may is no trouble."""
        if not batch.complained and not (batch.capped and batch.tx is not None):
            batch.complained = True
            self._log(batch, "unusual", f"Cannot take {batch.name} now: {why}")

    async def _make(self, batch: _Batch) -> None:
        """The next transaction, signed and sent."""
        if batch.is_stale and batch.tx is not None:
            # A block holds a spend of a part of it: no mempool has it any more.
            self._node.chain.broadcasts.drop(batch.tx.txid())
            batch.tx, batch.txid, batch.fee = None, None, None
        batch.is_stale = False
        if batch.is_outdated:
            batch.fee = None  # Nobody has it, so there is nothing to outbid.
        most = claim_groups.budget(batch.claims)
        for _ in range(_TRIES):
            rate = self._feerate(batch)
            await self._finish(batch, await self._plan(batch, rate, most, reserve=True), rate)
            if not batch.too_cheap or batch.is_fixed or batch.capped or batch.cancelled:
                break

    async def _plan(
        self,
        batch: _Batch,
        feerate_perkw: int,
        most: Sat | None,
        *,
        reserve: bool,
        check: Callable[[Made], None] = lambda _made: None,
    ) -> Made:
        """The next transaction, unsigned. Raises CannotAfford, and what `check` raises.

        `reserve`: set the coins aside that it takes, once it is checked.
        """
        claims, channel = batch.claims, batch.channel
        if batch.is_fixed:
            return Made(Tx.parse(claims[0].tx), Sat(0), 0)
        if claims[0].add_fee:
            return await self._with_coins(batch, feerate_perkw, most, reserve, check)
        script = await self._node.turn.do(lambda: self._sweep_script(channel.dbid))
        made = claim_tx.sweep(claims, script, feerate_perkw, batch.fee, most)
        check(made)
        return made

    async def _finish(self, batch: _Batch, made: Made, rate: int) -> str:
        """Sign it, write it down, send it. Returns why the backend refused it, if it did."""
        claims, node = batch.claims, self._node
        if not _still_fits(batch, made):
            return _TAKEN
        tx = await self._signed(batch.channel, claims, made)
        if not _still_fits(batch, made):
            return _TAKEN
        if made.capped:
            rate = feerate_of(made.fee, made.weight)  # What it really pays.
        old = None if batch.tx == tx else batch.tx
        batch.tx, batch.txid, batch.fee, batch.feerate_perkw = tx, tx.txid(), made.fee, rate
        batch.coins, batch.capped, batch.is_stale = made.coins, made.capped, False
        batch.sent_height = node.chain.height
        batch.is_early, batch.is_outdated = batch.first_block > batch.sent_height + 1, False
        stored = StoredClaim(batch.kind, tx, made.fee, rate, batch.sent_height)
        await node.turn.do(partial(self._write, batch, stored))
        return await self._send(batch, old)

    def _write(self, batch: _Batch, stored: StoredClaim) -> None:
        """Inside a turn."""
        dbid, head = batch.channel.dbid, stored.tx.inputs[0].outpoint
        if batch.row is not None and batch.row != head:
            self._store.drop_claim(dbid, batch.row)
        self._store.put_claim(dbid, head, stored)
        batch.row = head

    async def _send(self, batch: _Batch, old: Tx | None) -> str:
        tx, chain = batch.tx, self._node.chain
        assert tx is not None
        if old is None:
            self._log(batch, "debug", f"Broadcast for onchaind tx {tx.serialize().hex()}")
        else:
            self._log(
                batch,
                "info",
                f"RBF onchain txid {txid_hex(old.txid())} with txid {txid_hex(tx.txid())}"
                f" (fee {batch.fee})",
            )

        def refresh() -> Tx | None:
            return None if batch.cancelled or batch.tx is not tx else tx

        def on_result(ok: bool, message: str) -> None:
            # For one that is held back this comes long after the answer below.
            if batch.tx is tx:
                batch.is_early = False
                batch.too_cheap = not ok and any(words in message for words in _FEE_TROUBLE)

        batch.too_cheap = False
        ok, message = await chain.broadcast(
            tx,
            min_block=batch.first_block,
            allow_high_fees=True,
            owner=("onchain", batch.channel.dbid),
            on_result=on_result,
            refresh=refresh,
            why=f"onchaind {batch.kind}",
        )
        if not ok:
            self._log(batch, "debug", f"{batch.kind} was not taken: {message}")
        elif old is not None:
            chain.broadcasts.drop(old.txid())
        return "" if ok else message or "refused"

    def _sweep_script(self, dbid: int) -> bytes:
        """Inside a turn."""
        index = self._store.sweep_key(dbid)
        if index is None:
            index = self._node.wallet.next_index()
            self._store.set_sweep_key(dbid, index)
        script: bytes = self._node.wallet.script_of(index)
        return script

    # Fees

    def _rate(self, deadline: int) -> int:
        """What it takes to be in a block by then; 0: no hurry."""
        chain = self._node.chain
        by = deadline or chain.height + _NO_HURRY_BLOCKS
        rate = chain.feerates.for_deadline(by, chain.height)
        return max(rate or 0, chain.feerates.floor_perkw, FEERATE_FLOOR_PERKW)

    def _wanted_rate(self, batch: _Batch) -> int:
        return self._rate(claim_groups.deadline_of(batch.claims))

    def _feerate(self, batch: _Batch) -> int:
        """For the next transaction; a bump pays at least a quarter more."""
        rate = self._wanted_rate(batch)
        if batch.fee is not None:
            rate = max(rate, batch.feerate_perkw * (100 + _BUMP_STEP_PERCENT) // 100)
        return rate

    def _wants_bump(self, batch: _Batch, height: int) -> bool:
        """Whether what we sent is too cheap by now, or the time is running out."""
        if batch.tx is None or batch.is_fixed or height < batch.first_block:
            return False  # Not sent, its fee is fixed, or no block has had the chance to hold it.
        if batch.too_cheap and not batch.capped:
            return True
        if height <= batch.sent_height:
            return False  # Nor since it was sent: a restart alone makes nothing late.
        deadline = claim_groups.deadline_of(batch.claims)
        if self._rate(deadline) > batch.feerate_perkw * (100 + _BUMP_STEP_PERCENT) // 100:
            return True
        return bool(deadline) and deadline - height <= _URGENT_BLOCKS

    async def _with_coins(
        self,
        batch: _Batch,
        feerate_perkw: int,
        most: Sat | None,
        reserve: bool,
        check: Callable[[Made], None],
    ) -> Made:
        """HTLC transactions with fee inputs. The same coins first when it is bumped, if they are still there."""
        wallet, turn, claims = self._node.wallet, self._node.turn, list(batch.claims)

        def choose() -> Made:
            kept = fee_coins.kept(wallet, batch.coins, batch.outpoints)
            own = {c.outpoint for c in kept}
            others = sorted(
                (c for c in wallet.purse(wrapped_ok=False).coins if c.outpoint not in own),
                key=lambda c: c.amount.sat,
            )
            script = self._sweep_script(batch.channel.dbid)
            # The smallest that does it alone, else the largest ones.
            orders = [[*kept, c] for c in others] + [[*kept, *reversed(others)]]
            if kept:
                orders.insert(0, list(kept))
            for coins in orders:
                try:
                    made = claim_tx.with_fee_inputs(
                        claims, coins, script, feerate_perkw, batch.fee, most
                    )
                except CannotAfford:
                    if coins is orders[-1]:
                        raise
                    continue
                check(made)
                if reserve:
                    wallet.reserve([c for c in made.coins if c.outpoint not in own])
                return made
            raise CannotAfford("the wallet is empty")

        return await turn.do(choose)

    # Signing

    async def _signed(self, channel: Channel, claims: list[Claim], made: Made) -> Tx:
        reply = await self._node.hsm.ask(claim_tx.sign_request(channel.dbid, made.tx, claims))
        signatures = [sig_to_der(s, SIGHASH_ALL) for s in reply.signatures]
        if not made.coins:
            return claim_tx.signed(made.tx, claims, signatures)
        spends = [TxOut(c.amount, p2wsh(c.witness_script)) for c in claims]
        return await sign_coins(self._node, made, claim_tx.witnesses(claims, signatures), spends)

    def _log(self, batch: _Batch, level: str, text: str) -> None:
        self._node.log(level, text, peer_id=batch.channel.peer_id, dbid=batch.channel.dbid)


def _is_made_now(claim: Claim, height: int) -> bool:
    """Sweeps of what only has to age are made as soon as they are known, as in CLN, and sent when they may be."""
    return claim.first_block <= height + 1 or claim.kind == "OUR_DELAYED_RETURN_TO_WALLET"


def _still_fits(batch: _Batch, made: Made) -> bool:
    """Whether nobody has taken a part since the transaction was planned."""
    spends = [txin.outpoint for txin in made.tx.inputs[: len(batch.claims)]]
    return not batch.cancelled and spends == [c.outpoint for c in batch.claims]


def refused_text(refusal: str, what: str) -> str:
    """To the user, of a bump that is not lost: it is kept, and given to the network again."""
    return f"Error broadcasting transaction: {refusal}. The {what}'s new transaction is kept and tried again"


async def sign_coins(
    node: Node, made: Made, witnesses: Sequence[tuple[bytes, ...]], spends: Sequence[TxOut]
) -> Tx:
    """Sign the wallet's inputs of a transaction whose first inputs have their witnesses already."""
    psbt = Psbt.from_tx(made.tx)
    for n, output in enumerate(spends):
        psbt.set_witness_utxo(n, output)
    for n, coin in enumerate(made.coins, len(spends)):
        psbt.set_witness_utxo(n, coin.output)
        node.wallet.add_previous(psbt, n, coin.outpoint.txid)
    psbt = await node.wallet.sign_psbt(psbt, made.coins)
    for n, witness in enumerate(witnesses):
        psbt.set_final_witness(n, witness)
    return signing.extract(psbt)
