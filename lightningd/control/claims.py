"""Takes outputs of closed channels: builds, signs, broadcasts and bumps what onchaind planned.

A claim that has its own fee pays to a wallet key chosen once for the channel; an HTLC transaction under anchors has its fee
paid by wallet coins. What was sent last is a row, so that a restart goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.script import p2wsh
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW, feerate_of
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.common.keys import sig_to_der
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.control import claim_tx
from pylightningd.lightningd.control.bump_wish import Bumped, Wish, check_budget
from pylightningd.lightningd.control.claim_tx import CannotAfford, Made
from pylightningd.lightningd.db.onchain_io import OnchainStore, StoredClaim
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_NO_HURRY_BLOCKS = 300
_URGENT_BLOCKS = 12
_BUMP_STEP_PERCENT = 25
_AT_ONCE = 8


@dataclass(eq=False, slots=True)
class _Live:
    """A claim that is not resolved yet."""

    channel: Channel
    claim: Claim
    tx: Tx | None = None
    txid: Txid | None = None
    fee: Sat = Sat(0)
    feerate_perkw: int = 0
    coins: tuple[Coin, ...] = ()
    busy: bool = False
    cancelled: bool = False
    complained: bool = False


class Claims:
    """All claims of all channels."""

    def __init__(self, node: Node, store: OnchainStore) -> None:
        self._node = node
        self._store = store
        self._live: dict[tuple[int, Outpoint], _Live] = {}

    # In turns

    def take(self, channel: Channel, claims: tuple[Claim, ...]) -> None:
        """onchaind wants these outputs. Inside a turn."""
        fresh: list[_Live] = []
        for claim in claims:
            key = channel.dbid, claim.outpoint
            known = self._live.get(key)
            if known is not None and known.claim == claim:
                continue
            if known is not None:
                self._cancel(known)
            live = self._live[key] = _Live(channel, claim)
            fresh.append(live)
        if fresh:
            self._node.turn.after_commit(lambda: self._start(fresh, f"channel {channel.dbid}"))

    def _start(self, lives: list[_Live], what: str) -> None:
        """Several at a time: a revoked commitment may need a thousand."""
        for n in range(min(_AT_ONCE, len(lives))):
            self._node.spawn(self._work(lives[n::_AT_ONCE]), f"claims of {what}, part {n}")

    def drop(self, dbid: int, outpoint: Outpoint) -> None:
        """Somebody has taken it. Inside a turn."""
        live = self._live.pop((dbid, outpoint), None)
        if live is not None:
            self._cancel(live)

    def drop_all(self, dbid: int) -> None:
        """Claims of this channel are planned anew, or no more. Inside a turn."""
        for key in [k for k in self._live if k[0] == dbid]:
            self._cancel(self._live.pop(key))

    def _cancel(self, live: _Live) -> None:
        live.cancelled = True
        txid = live.txid
        if txid is not None:
            self._node.turn.after_commit(lambda: self._node.chain.broadcasts.drop(txid))

    def on_block(self, height: int) -> None:
        """Make what is due, bump what is late. After the turn of a block."""
        due = [
            live
            for live in self._live.values()
            if not live.busy
            and live.claim.first_block <= height + 1
            and (live.tx is None or self._wants_bump(live, height))
        ]
        if due:
            self._start(due, f"block {height}")

    def pending(self) -> list[tuple[Channel, Claim, Tx | None]]:
        """Claims that no block holds yet, with their newest transaction."""
        return [(live.channel, live.claim, live.tx) for live in self._live.values()]

    async def bump(self, txid: Txid, wish: Wish) -> Bumped | None:
        """Replace a claim by one that pays more; None where `txid` is none. Raises CannotAfford, UserError."""
        live = next((k for k in self._live.values() if k.txid == txid), None)
        if live is None or live.busy:
            return None
        if live.claim.tx and not live.claim.add_fee:
            raise CannotAfford(
                "the peer has signed this transaction with its fee, which cannot change"
            )
        live.busy = True
        try:
            before = live.fee
            made = await self._plan(live, wish.feerate_perkw, reserve=not wish.dry_run)
            done = Bumped(
                method="rbf",
                what="claim",
                fee=made.fee,
                extra=made.fee - before,
                weight=made.weight,
            )
            check_budget(wish, done.extra)
            if not wish.dry_run:
                refusal = await self._finish(live, made, wish.feerate_perkw)
                if refusal:
                    raise UserError(LIGHTNINGD, f"Error broadcasting transaction: {refusal}")
                done = replace(done, tx=live.tx)
            return done
        finally:
            live.busy = False

    # Making

    async def _work(self, lives: list[_Live]) -> None:
        for live in lives:
            if live.busy or live.cancelled:
                continue
            live.busy = True
            try:
                await self._make(live)
            except CannotAfford as why:
                self._complain(live, str(why))
            finally:
                live.busy = False

    def _complain(self, live: _Live, why: str) -> None:
        """Say it once: the next blocks try again."""
        if not live.complained:
            live.complained = True
            self._log(live, "unusual", f"Cannot take {live.claim.outpoint} now: {why}")

    async def _make(self, live: _Live) -> None:
        """The next transaction of a claim, signed and sent."""
        claim, channel, node = live.claim, live.channel, self._node
        stored = None
        if live.tx is None:
            stored = await node.turn.do(lambda: self._store.claim(channel.dbid, claim.outpoint))
        if stored is not None and stored.kind == claim.kind:
            live.tx, live.txid, live.fee = stored.tx, stored.tx.txid(), stored.fee
            live.feerate_perkw = feerate_of(stored.fee, stored.tx.weight())
            coins = [node.wallet.store.get(i.outpoint) for i in stored.tx.inputs[1:]]
            live.coins = tuple(c for c in coins if c is not None and not c.is_spent)
            await self._send(live, None)
            return
        if claim.add_fee and claim.first_block > node.chain.height + 1:
            return  # Coins are set aside only when they are needed.
        if claim.tx and not claim.add_fee and live.tx is not None:
            return
        rate = self._feerate(live)
        await self._finish(live, await self._plan(live, rate, reserve=True), rate)

    async def _plan(self, live: _Live, feerate_perkw: int, *, reserve: bool) -> Made:
        """The next transaction, unsigned. `reserve`: set the coins aside that it takes. Raises CannotAfford."""
        claim, channel = live.claim, live.channel
        if claim.tx and not claim.add_fee:
            return Made(Tx.parse(claim.tx), Sat(0), 0)
        if claim.add_fee:
            return await self._with_coins(live, feerate_perkw, reserve)
        script = await self._node.turn.do(lambda: self._sweep_script(channel.dbid))
        replaces = live.fee if live.tx is not None else None
        return claim_tx.sweep(claim, script, feerate_perkw, replaces)

    async def _finish(self, live: _Live, made: Made, rate: int) -> str:
        """Sign it, write it down, send it. Returns why the backend refused it, if it did."""
        claim, channel, node = live.claim, live.channel, self._node
        tx = await self._signed(live, made)
        if live.cancelled:
            return "the output is taken"
        old = live.tx
        live.tx, live.txid, live.fee, live.feerate_perkw = tx, tx.txid(), made.fee, rate
        live.coins = made.coins
        await node.turn.do(
            lambda: self._store.put_claim(
                channel.dbid, claim.outpoint, StoredClaim(claim.kind, tx, made.fee)
            )
        )
        return await self._send(live, old)

    async def _send(self, live: _Live, old: Tx | None) -> str:
        tx, chain = live.tx, self._node.chain
        assert tx is not None
        if old is None:
            self._log(live, "debug", f"Broadcast for onchaind tx {tx.serialize().hex()}")
        else:
            self._log(
                live,
                "info",
                f"RBF onchain txid {txid_hex(old.txid())} with txid {txid_hex(tx.txid())}"
                f" (fee {live.fee})",
            )

        def refresh() -> Tx | None:
            return None if live.cancelled or live.tx is not tx else tx

        ok, message = await chain.broadcast(
            tx,
            min_block=live.claim.first_block,
            allow_high_fees=True,
            owner=("onchain", live.channel.dbid),
            refresh=refresh,
            why=f"onchaind {live.claim.kind}",
        )
        if not ok:
            self._log(live, "debug", f"{live.claim.kind} was not taken: {message}")
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

    def _deadline(self, live: _Live) -> int:
        return live.claim.deadline or self._node.chain.height + _NO_HURRY_BLOCKS

    def _feerate(self, live: _Live) -> int:
        """What it takes to be in a block by the deadline; a bump pays at least a quarter more."""
        chain = self._node.chain
        rate = chain.feerates.for_deadline(self._deadline(live), chain.height)
        rate = max(rate or 0, chain.feerates.floor_perkw, FEERATE_FLOOR_PERKW)
        if live.tx is not None:
            rate = max(rate, live.feerate_perkw * (100 + _BUMP_STEP_PERCENT) // 100)
        return rate

    def _wants_bump(self, live: _Live, height: int) -> bool:
        """Whether what we sent is too cheap by now, or the time is running out."""
        claim = live.claim
        if (claim.tx and not claim.add_fee) or height < claim.first_block:
            return False  # Its fee is fixed, or no block has had the chance to hold it.
        rate = self._node.chain.feerates.for_deadline(self._deadline(live), height)
        if rate is not None and rate > live.feerate_perkw * (100 + _BUMP_STEP_PERCENT) // 100:
            return True
        return bool(claim.deadline) and claim.deadline - height <= _URGENT_BLOCKS

    async def _with_coins(self, live: _Live, feerate_perkw: int, reserve: bool) -> Made:
        """An HTLC transaction with fee inputs. The same coins first when it is bumped."""
        wallet, turn = self._node.wallet, self._node.turn
        claim, replaces = live.claim, live.fee if live.tx is not None else None

        def choose() -> Made:
            others = sorted(
                (c for c in wallet.purse(wrapped_ok=False).coins if c not in live.coins),
                key=lambda c: c.amount.sat,
            )
            script = self._sweep_script(live.channel.dbid)
            # The smallest that does it alone, else the largest ones.
            orders = [[*live.coins, c] for c in others] + [[*live.coins, *reversed(others)]]
            if live.coins:
                orders.insert(0, list(live.coins))
            for coins in orders:
                try:
                    made = claim_tx.with_fee_inputs(claim, coins, script, feerate_perkw, replaces)
                except CannotAfford:
                    if coins is orders[-1]:
                        raise
                    continue
                if reserve:
                    wallet.reserve([c for c in made.coins if c not in live.coins])
                return made
            raise CannotAfford("the wallet is empty")

        return await turn.do(choose)

    # Signing

    async def _signed(self, live: _Live, made: Made) -> Tx:
        claim = live.claim
        reply = await self._node.hsm.ask(self._request(live, made.tx))
        tx = claim_tx.signed(made.tx, claim, sig_to_der(reply.signature, SIGHASH_ALL))
        if not made.coins:
            return tx
        return await sign_coins(
            self._node, made, tx.inputs[0].witness, TxOut(claim.amount, p2wsh(claim.witness_script))
        )

    def _request(self, live: _Live, tx: Tx) -> Any:
        """What to ask of hsmd; the numbers are those of `claim.signer` in onchaind_wire.csv."""
        claim = live.claim
        common: dict[str, Any] = {
            "dbid": live.channel.dbid,
            "tx": tx.serialize(),
            "input_index": 0,
            "amount": claim.amount,
            "witness_script": claim.witness_script,
        }
        match claim.signer:
            case 1:
                return hw.HsmdSignDelayedPayment(
                    commitment_number=claim.commitment_number, **common
                )
            case 2:
                return hw.HsmdSignLocalHtlc(commitment_number=claim.commitment_number, **common)
            case 3 if claim.point is not None:
                return hw.HsmdSignRemoteHtlc(remote_per_commitment_point=claim.point, **common)
            case 4 if claim.revocation_secret is not None:
                return hw.HsmdSignPenalty(revocation_secret=claim.revocation_secret, **common)
            case _:
                raise ValueError(f"onchaind asks for signer {claim.signer}")

    def _log(self, live: _Live, level: str, text: str) -> None:
        self._node.log(level, text, peer_id=live.channel.peer_id, dbid=live.channel.dbid)


async def sign_coins(
    node: Node, made: Made, first_witness: tuple[bytes, ...], first_spends: TxOut
) -> Tx:
    """Sign the wallet's inputs of a transaction whose first input has its witness already."""
    psbt = Psbt.from_tx(made.tx)
    psbt.set_witness_utxo(0, first_spends)
    for n, coin in enumerate(made.coins, 1):
        psbt.set_witness_utxo(n, coin.output)
        node.wallet.add_previous(psbt, n, coin.outpoint.txid)
    psbt = await node.wallet.sign_psbt(psbt, made.coins)
    psbt.set_final_witness(0, first_witness)
    return signing.extract(psbt)
