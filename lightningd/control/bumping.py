"""Making a stuck transaction of ours confirm: by paying more in its place (RBF), or with a child that pays for it (CPFP).

Which of them, and with what money, depends on what the transaction is: see `Bumper.bump`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import core_weight, feerate_of, output_weight
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.control.bump_wish import Bumped, Wish, check_budget
from pylightningd.lightningd.control.claim_tx import CannotAfford, least_fee
from pylightningd.lightningd.rpc.errors import FUND_CANNOT_AFFORD, LIGHTNINGD
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin, dust_limit

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node

_P2TR_SCRIPT = b"\x51\x20" + bytes(32)


class Bumper:
    """Bumps by txid."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def bump(self, txid: Txid, wish: Wish) -> Bumped:
        """Raises UserError where there is nothing to bump, or no money for it.

        A claim of a closed channel's output: RBF, from the output or the coins that pay for it. Our commitment: CPFP by
        its anchor. What our wallet sent: RBF from the change if there is enough and no channel hangs on its txid, else
        CPFP. A mutual close, or what others pay us: CPFP by our output.
        """
        onchain = self._node.onchain
        try:
            found = await onchain.claims.bump(txid, wish) or await onchain.anchors.bump(txid, wish)
            if found is not None:
                return found
            channel = self._closing(txid)
            if channel is not None:
                return await self._bump_mutual(channel, wish)
            return await self._bump_wallet(txid, wish)
        except CannotAfford as why:
            raise UserError(FUND_CANNOT_AFFORD, str(why)) from None

    # What it is

    def _closing(self, txid: Txid) -> Channel | None:
        """The channel whose mutual close it is."""
        node = self._node
        for channel in node.channels:
            raw = node.channels.store.mutual_close(channel.dbid)
            if raw and Tx.parse(raw).txid() == txid:
                found: Channel = channel
                return found
        return None

    def _funds_channel(self, txid: Txid) -> bool:
        return any(c.static.funding.txid == txid for c in self._node.channels)

    # Mutual closes

    async def _bump_mutual(self, channel: Channel, wish: Wish) -> Bumped:
        wallet = self._node.wallet
        tx = Tx.parse(self._node.channels.store.mutual_close(channel.dbid))
        if self._node.onchain.spent_since(channel) is not None:
            raise UserError(LIGHTNINGD, f"{txid_hex(tx.txid())} is in a block already")
        coins = [
            Coin(outpoint=Outpoint(tx.txid(), n), amount=o.amount, script=o.script, key_index=index)
            for n, o in enumerate(tx.outputs)
            if (index := wallet.is_ours(o.script)) is not None
        ]
        fee = channel.capacity - Sat(sum(o.amount.sat for o in tx.outputs))
        return await self._child("mutual close", tx, fee, coins, wish)

    # Wallet transactions

    async def _bump_wallet(self, txid: Txid, wish: Wish) -> Bumped:
        store = self._node.wallet.store
        stored = store.get_tx(txid)
        if stored is None:
            raise UserError(LIGHTNINGD, f"Unknown transaction {txid_hex(txid)}: nothing of ours")
        if stored.height is not None:
            raise UserError(LIGHTNINGD, f"{txid_hex(txid)} is in block {stored.height} already")
        funds = self._funds_channel(txid)
        what = "funding" if funds else "withdrawal"
        spent = [store.get(txin.outpoint) for txin in stored.tx.inputs]
        coins = [coin for coin in spent if coin is not None]
        made = store.of_tx(txid)
        fee = Sat(0)
        if len(coins) == len(spent):
            fee = Sat(
                sum(c.amount.sat for c in coins) - sum(o.amount.sat for o in stored.tx.outputs)
            )
            if not funds and not any(c.spending_txid for c in made):
                replaced = await self._replace(what, stored.tx, fee, coins, wish)
                if replaced is not None:
                    return replaced
        return await self._child(what, stored.tx, fee, made, wish)

    async def _replace(
        self, what: str, tx: Tx, fee: Sat, coins: list[Coin], wish: Wish
    ) -> Bumped | None:
        """Pay more from the change. None where that cannot be."""
        wallet = self._node.wallet
        if not any(txin.sequence <= SEQUENCE_RBF for txin in tx.inputs):
            return None
        # BIP 125, "Implementation Details": the new one pays for itself on top of what it replaces.
        weight = tx.weight()
        new_fee = least_fee(weight, wish.feerate_perkw, fee)
        extra = new_fee - fee.sat
        changes = [
            n
            for n, o in enumerate(tx.outputs)
            if wallet.is_ours(o.script) is not None
            and o.amount.sat - extra >= dust_limit(o.script).sat
        ]
        if not changes or len(tx.outputs) == 1:
            return None
        check_budget(wish, Sat(extra))
        outputs = list(tx.outputs)
        outputs[changes[0]] = replace(
            outputs[changes[0]], amount=outputs[changes[0]].amount - Sat(extra)
        )
        done = Bumped(method="rbf", what=what, fee=Sat(new_fee), extra=Sat(extra), weight=weight)
        if wish.dry_run:
            return done
        unsigned = Tx(
            tx.version,
            tuple(replace(i, script_sig=b"", witness=()) for i in tx.inputs),
            tuple(outputs),
            tx.locktime,
        )
        signed = await self._sign(unsigned, coins)
        await wallet.send(signed)
        await self._node.turn.do(lambda: wallet.forget_sent(tx.txid()))
        return replace(done, tx=signed)

    async def _child(
        self, what: str, parent: Tx, parent_fee: Sat, coins: list[Coin], wish: Wish
    ) -> Bumped:
        """Spend our outputs of it to ourselves, for a fee that does for both."""
        wallet, turn = self._node.wallet, self._node.turn
        usable = [c for c in coins if c.spending_txid is None]
        if not usable:
            raise UserError(
                LIGHTNINGD,
                f"No output of {txid_hex(parent.txid())} is ours to spend: nothing to bump it with",
            )
        weight = (
            core_weight(len(usable), 1)
            + output_weight(_P2TR_SCRIPT)
            + sum(c.weight() for c in usable)
        )
        total = weight + parent.weight()
        if feerate_of(parent_fee, parent.weight()) >= wish.feerate_perkw:
            raise UserError(
                LIGHTNINGD,
                f"{txid_hex(parent.txid())} pays {feerate_of(parent_fee, parent.weight())}perkw already",
            )
        fee = max(
            least_fee(total, wish.feerate_perkw, None) - parent_fee.sat,
            least_fee(weight, 0, None),
        )
        left = sum(c.amount.sat for c in usable) - fee
        if left < dust_limit(_P2TR_SCRIPT).sat:
            raise UserError(FUND_CANNOT_AFFORD, f"Our outputs of it cannot pay a fee of {fee}sat")
        check_budget(wish, Sat(fee))
        done = Bumped(method="cpfp", what=what, fee=Sat(fee), extra=Sat(fee), weight=weight)
        if wish.dry_run:
            return done
        output: TxOut = await turn.do(lambda: wallet.change_output(left))
        inputs = tuple(TxIn(c.outpoint.txid, c.outpoint.index, b"", SEQUENCE_RBF) for c in usable)
        signed = await self._sign(Tx(2, inputs, (output,), 0), usable)
        await wallet.send(signed)
        return replace(done, tx=signed)

    async def _sign(self, unsigned: Tx, coins: list[Coin]) -> Tx:
        wallet = self._node.wallet
        psbt = Psbt.from_tx(unsigned)
        by_outpoint = {coin.outpoint: coin for coin in coins}
        for n, txin in enumerate(unsigned.inputs):
            psbt.set_witness_utxo(n, by_outpoint[txin.outpoint].output)
            wallet.add_previous(psbt, n, txin.txid)
        return signing.extract(await wallet.sign_psbt(psbt, coins))
