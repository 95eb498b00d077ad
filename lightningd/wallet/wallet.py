"""The on-chain wallet: keys, coins, reservations, drafts, and what is sent.

Everything durable is in the tables (`db/wallet_io.py`). Memory holds only what blocks are scanned for: scripts and
outpoints of ours, never fewer than there are, so that a change that is undone needs no repair here. Blocks are
followed by `follow.py`.

A coin counts as spent once a block spends it. Until then, one that a transaction of ours spends (`record_sent`) is
reserved for as long as that transaction may still be mined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.db.drafts_io import DraftStore
from pylightningd.lightningd.db.wallet_io import WalletStore
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.wallet import funding, signing
from pylightningd.lightningd.wallet.coin import CloseInfo, Coin
from pylightningd.lightningd.wallet.draft import Draft
from pylightningd.lightningd.wallet.funding import Funded, Purse, Wanted
from pylightningd.lightningd.wallet.keys import HARDENED, KEYSCAN_GAP, AddrType, Kind, WalletKeys
from pylightningd.lightningd.wallet.selection import Want

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

RESERVE_BLOCKS = 72
"""About 12 hours."""


class Wallet:
    """See the module. Methods that write say so: they are called inside a turn, but for the `async` ones."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.keys = WalletKeys(node.bip32_base, node.bip86_base, node.network)
        self.store = WalletStore(node.db)
        self.drafts = DraftStore(node.db)
        self.prepared: dict[Txid, Draft] = {}
        """Drafts that txprepare made and nobody has sent or discarded; forgotten at a restart."""
        self.being_raised: set[Txid] = set()
        """Transactions that `bump` is at work on."""
        self._index_var = "bip86_max_index" if self.keys.bip86 else "bip32_max_index"
        self._scripts: dict[bytes, int] = {}
        self._derived = 0
        """Keys below this index are in `_scripts`."""
        self.watched: set[Outpoint] = set()
        """Every coin that a block may spend; may hold some that are gone."""
        self.pending: set[Txid] = set()
        """Transactions of ours that a block may hold."""
        self.pending_inputs: set[Outpoint] = set()
        """What those of them spend that no block holds, ours or not: another one that does ends them."""
        self._load()

    def _load(self) -> None:
        self._derive_up_to(self.max_index + KEYSCAN_GAP)
        # Spent coins too: a reorganisation may make them unspent.
        self.watched.update(coin.outpoint for coin in self.store.all())
        for stored in self.store.unconfirmed_txs():
            self.expect(stored.txid, stored.tx)

    def expect(self, txid: Txid, tx: Tx) -> None:
        """A block may hold it, or another one that spends the same."""
        self.pending.add(txid)
        self.pending_inputs.update(txin.outpoint for txin in tx.inputs)

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return int(self._node.chain.height)

    # Keys and addresses

    @property
    def max_index(self) -> int:
        """The last key given out, or seen used."""
        return self.store.max_index(self._index_var)

    async def new_key_index(self, addrtype: AddrType = AddrType.ALL) -> int:
        """A key that was never given out. Raises UserError when there are no more."""
        index: int = await self._node.turn.do(lambda: self.next_index(addrtype))
        return index

    def next_index(self, addrtype: AddrType = AddrType.ALL) -> int:
        """The same inside a turn."""
        index = self.max_index + 1
        if index >= HARDENED:
            raise UserError(LIGHTNINGD, "Keys exhausted ")
        self.store.set_max_index(self._index_var, index)
        self.store.add_address(index, int(addrtype))
        self._derive_up_to(index + KEYSCAN_GAP)
        return index

    def script_of(self, index: int, kind: Kind = "p2tr") -> bytes:
        """The scriptpubkey of a key's address."""
        return self.keys.script(index, kind)

    def address_of(self, index: int, kind: Kind = "p2tr") -> str:
        """A key's address."""
        return self.keys.address(index, kind)

    def is_ours(self, script: bytes) -> int | None:
        """The index of the key that opens this script; None if it is not ours."""
        return self._scripts.get(script)

    def note_used(self, index: int) -> None:
        """A key beyond the last one given out was paid to (an old wallet restored). Writes."""
        if index > self.max_index:
            self.store.set_max_index(self._index_var, index)
            self._derive_up_to(index + KEYSCAN_GAP)

    def _derive_up_to(self, last: int) -> None:
        for index in range(self._derived, min(last, HARDENED - 1) + 1):
            for script in self.keys.scripts(index):
                self._scripts[script] = index
            self._derived = index + 1

    # Coins

    def coins(self) -> list[Coin]:
        """Coins that no block spends."""
        return self.store.unspent()

    def add_output(
        self,
        outpoint: Outpoint,
        amount: Sat,
        script: bytes,
        key_index: int,
        height: int | None = None,
        *,
        tx_index: int = 1,
        close: CloseInfo | None = None,
    ) -> bool:
        """Take in a coin, e.g. our to_remote of a peer's commitment (`close`). Returns whether it is new. Writes."""
        self.watched.add(outpoint)
        return self.store.put(
            Coin(
                outpoint=outpoint,
                amount=amount,
                script=script,
                key_index=key_index,
                height=height,
                tx_index=tx_index if height is not None else 0,
                close=close,
            )
        )

    def reserve(self, coins: Iterable[Coin], blocks: int = RESERVE_BLOCKS) -> list[Coin]:
        """Set coins aside for so many blocks, or for so many more. Writes; returns them as they are now."""
        reserved: list[Coin] = []
        for coin in coins:
            til = max(coin.reserved_til, self.height) + blocks
            self.store.set_reserved(coin.outpoint, til)
            reserved.append(replace(coin, reserved_til=til))
        return reserved

    def unreserve(self, coins: Iterable[Coin], blocks: int = RESERVE_BLOCKS) -> list[Coin]:
        """Take so many blocks back from their reservation. Writes; returns them as they are now."""
        released: list[Coin] = []
        for coin in coins:
            til = coin.reserved_til - blocks
            til = til if til > self.height else 0
            self.store.set_reserved(coin.outpoint, til)
            released.append(replace(coin, reserved_til=til))
        return released

    # Drafts

    async def draft(
        self,
        outputs: Sequence[Wanted],
        feerate_perkw: int,
        *,
        minconf: int = 1,
        utxos: Sequence[Outpoint] | None = None,
        change_ok: bool = True,
        opening_anchor_channel: bool = False,
        wrapped_ok: bool = False,
        reserved_ok: bool = False,
        for_now: bool = False,
        min_witness_wu: int = 0,
    ) -> Draft:
        """Choose and reserve coins that pay for these outputs; one amount may be "all".

        `utxos` are spent exactly. `reserved_ok` even if they are reserved. `wrapped_ok` allows P2SH coins,
        whose spending txid is not known before it is signed. `for_now`: sent or given up at once; if the node stops
        before, its coins are free at the next start. `min_witness_wu`: each witness counts as at least so heavy. Raises UserError 301, 302, 304, 313.
        """
        draft: Draft = await self._node.turn.do(
            lambda: self._draft(
                outputs,
                feerate_perkw,
                self.purse(
                    minconf=minconf,
                    utxos=utxos,
                    wrapped_ok=wrapped_ok,
                    reserved_ok=reserved_ok,
                    keep_emergency=opening_anchor_channel,
                ),
                change_ok,
                for_now=for_now,
                min_witness_wu=min_witness_wu,
            )
        )
        return draft

    def _draft(
        self,
        outputs: Sequence[Wanted],
        feerate_perkw: int,
        purse: Purse,
        change_ok: bool,
        *,
        for_now: bool,
        min_witness_wu: int,
    ) -> Draft:
        funded, paid = funding.fund_outputs(
            purse, outputs, feerate_perkw, change_ok=change_ok, min_witness_wu=min_witness_wu
        )
        change_index = None
        if funded.settled.change_sat:
            change_index = len(paid)
            paid = (*paid, self.change_output(funded.settled.change_sat))
        self.reserve(funded.coins)
        outpoints = [coin.outpoint for coin in funded.coins]
        return Draft(
            number=self.drafts.add(outpoints, RESERVE_BLOCKS) if for_now else 0,
            coins=funded.coins,
            outputs=paid,
            change_index=change_index,
            locktime=self.height,
            feerate_perkw=feerate_perkw,
            weight=funded.settled.weight,
            reserved_blocks=RESERVE_BLOCKS,
            all_index=next(
                (n for n, (_, amount) in enumerate(outputs) if not isinstance(amount, Sat)), None
            ),
        )

    def fund(self, purse: Purse, want: Want, *, everything: bool, as_change: bool) -> Funded:
        """Choose coins for outputs that are added later (fundpsbt). Raises UserError."""
        return funding.fund(purse, want, everything=everything, as_change=as_change)

    def change_output(self, amount_sat: int) -> TxOut:
        """An output to a new key of ours. Writes."""
        return TxOut(Sat(amount_sat), self.script_of(self.next_index(AddrType.P2TR)))

    def purse(
        self,
        *,
        minconf: int = 1,
        utxos: Sequence[Outpoint] | None = None,
        reserved_ok: bool = False,
        wrapped_ok: bool = True,
        keep_emergency: bool = False,
    ) -> Purse:
        """What may be spent. Raises UserError where one of `utxos` cannot be."""
        height = self.height
        spendable = [coin for coin in self.coins() if coin.is_spendable(height)]
        if utxos is None:
            usable: list[Coin] = [
                coin
                for coin in spendable
                if coin.has_depth(minconf, height) and (wrapped_ok or not coin.is_wrapped)
            ]
        else:
            usable = [self._given(outpoint, reserved_ok) for outpoint in dict.fromkeys(utxos)]
        chosen = {coin.outpoint for coin in usable}
        others = [c for c in spendable if c.outpoint not in chosen and c.height is not None]
        return Purse(
            coins=usable,
            given=utxos is not None,
            others_sat=sum(coin.amount.sat for coin in others),
            emergency_sat=self.emergency_sat(keep_emergency),
            synced=bool(self._node.chain.synced),
        )

    def emergency_sat(self, keep: bool = False) -> int:
        """What must stay in the wallet now: nothing while there is no channel with anchors."""
        channels = self._node.channels or ()
        if keep or any(channel.channel_type.has_anchors for channel in channels):
            return int(self._node.config["min-emergency-msat"]) // 1000
        return 0

    def _given(self, outpoint: Outpoint, reserved_ok: bool) -> Coin:
        coin = self.store.get(outpoint)
        if coin is None:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Unknown UTXO {outpoint}")
        if coin.is_spent:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Already spent UTXO {outpoint}")
        if not reserved_ok and coin.is_reserved(self.height):
            raise UserError(JSONRPC2_INVALID_PARAMS, f"UTXO {outpoint} already reserved")
        if coin.is_locked(self.height) and coin.close is not None:
            raise UserError(
                JSONRPC2_INVALID_PARAMS, f"UTXO {outpoint} is csv locked ({coin.close.csv})"
            )
        if coin.is_immature(self.height):
            raise UserError(JSONRPC2_INVALID_PARAMS, f"UTXO {outpoint} is an immature coinbase")
        return coin

    async def release(self, draft: Draft) -> None:
        """Give up a draft: its coins are free again, unless a transaction was recorded that spends them."""
        await self._node.turn.do(lambda: self.release_in_turn(draft))

    async def release_unless_tied(self, draft: Draft) -> None:
        """The same, but not if a transaction that is made with a peer has taken the draft over (`tie`)."""

        def release() -> None:
            if any(number == draft.number for number, _, _ in self.drafts.left()):
                self.release_in_turn(draft)

        await self._node.turn.do(release)

    def release_in_turn(self, draft: Draft) -> None:
        """The same inside a turn. Writes."""
        self.drafts.remove(draft.number)
        self._free([coin.outpoint for coin in draft.coins], draft.reserved_blocks)

    def _free(self, outpoints: Iterable[Outpoint], blocks: int) -> None:
        coins = [self.store.get(outpoint) for outpoint in outpoints]
        self.unreserve([c for c in coins if c is not None], blocks)

    def release_cut_drafts(self) -> None:
        """At start: free the coins of transactions that a crash or stop cut before they were recorded. Writes.

        Those that were recorded have no such row: they are sent.
        """
        for number, blocks, outpoints in self.drafts.left():
            self.drafts.remove(number)
            self._free(outpoints, blocks)
            names = ", ".join(map(str, outpoints))
            self._node.log(
                "info", f"Free again, as nothing came of their use: {names}", source="wallet"
            )

    # Signing and sending

    async def sign(self, draft: Draft) -> Tx:
        """The signed transaction. Raises what hsmd refuses with."""
        return signing.extract(await self.sign_psbt(self.psbt_of(draft), draft.coins))

    def psbt_of(self, draft: Draft) -> Psbt:
        """A draft as a PSBT, with the whole previous transactions where we have them."""
        psbt = draft.psbt()
        for n, coin in enumerate(draft.coins):
            self.add_previous(psbt, n, coin.outpoint.txid)
        return psbt

    def add_previous(self, psbt: Psbt, index: int, txid: Txid) -> bool:
        """Put the whole transaction that an input spends into the PSBT, if we have it."""
        stored = self.store.get_tx(txid)
        if stored is not None:
            psbt.set_previous_tx(index, stored.tx)
        return stored is not None

    async def sign_psbt(self, psbt: Psbt, coins: Iterable[Coin]) -> Psbt:
        """The PSBT with the signatures for these coins. Raises what hsmd refuses with."""
        node = self._node
        request = signing.signing_request(psbt, coins, bip86=self.keys.bip86, node_id=node.node_id)
        reply = await node.hsm.ask(request)
        signed = Psbt.from_base64(reply.psbt)
        if signed.unsigned_tx() != psbt.unsigned_tx():
            raise ValueError("hsmd signed another transaction than it was given")
        return signed

    def record_sent(
        self, tx: Tx, draft: Draft | None = None, *, blocks: int = RESERVE_BLOCKS
    ) -> None:
        """A transaction is about to be sent: its inputs are taken, its outputs to us are coming. Writes.

        Call before it is broadcast; it is sent again after every start until a block holds it. `draft` is where it
        comes from, if it comes from one.
        """
        txid = tx.txid()
        self.store.put_tx(txid, tx)
        self.expect(txid, tx)
        inputs = [txin.outpoint for txin in tx.inputs]
        if draft is not None and {c.outpoint for c in draft.coins} - set(inputs):
            raise ValueError("the transaction does not spend what its draft reserved")
        if draft is not None:
            self.drafts.remove(draft.number)
            if draft.all_index is not None:
                self.store.set_sent_all(txid, draft.all_index)
        spent = [coin for outpoint in inputs if (coin := self.store.get(outpoint)) is not None]
        for coin in self.reserve([c for c in spent if not c.is_spent], blocks):
            self.store.set_spending(coin.outpoint, txid)
        self._add_outputs(txid, tx)

    def _add_outputs(self, txid: Txid, tx: Tx) -> None:
        for n, output in enumerate(tx.outputs):
            index = self.is_ours(output.script)
            if index is not None:
                self.add_output(Outpoint(txid, n), output.amount, output.script, index)

    def record_seen(self, tx: Tx) -> bool:
        """A transaction of somebody else, or of a channel, is on its way, and we are about to spend what it pays us.

        It is sent again after every start, as its child needs it. Returns whether it is new. Writes.
        """
        txid = tx.txid()
        is_new = self.store.get_tx(txid) is None
        if is_new:
            self.store.put_tx(txid, tx)
            self.expect(txid, tx)
            self._add_outputs(txid, tx)
        return is_new

    def unrecord_seen(self, txid: Txid) -> None:
        """We do not spend it after all. Nothing where a block holds it by now. Writes."""
        if self._is_confirmed(txid):
            return
        for coin in self.store.of_tx(txid):
            if coin.height is None:
                self.store.delete(coin.outpoint)
        self.store.delete_tx(txid)

    def tie(self, txid: Txid, outpoints: Iterable[Outpoint], draft_number: int = 0) -> None:
        """Our coins among these are spent by a transaction that is being made with a peer. Writes.

        They are reserved until `untie`, `record_sent` or a block; the draft that they come from is over.
        """
        self.drafts.remove(draft_number)
        for outpoint in outpoints:
            coin = self.store.get(outpoint)
            if coin is not None and not coin.is_spent:
                self.store.set_spending(outpoint, txid)

    def untie(self, txid: Txid, *, unreserve: bool) -> None:
        """Nothing comes of that transaction. `unreserve`: the wallet chose its coins, so nobody else frees them. Writes."""
        self.forget_sent(txid, blocks=RESERVE_BLOCKS if unreserve else 0)

    def forget_sent(self, txid: Txid, *, blocks: int = RESERVE_BLOCKS) -> None:
        """A transaction will never be mined: what it spends is free, what it makes is nothing. Writes.

        Nothing where a block holds it after all: it came while somebody waited for an answer.
        """
        if self._is_confirmed(txid):
            return
        for coin in self.store.spent_by(txid):
            if not coin.is_spent:
                # Another transaction of ours may want the same coin: one that this was to replace.
                others = [t for t in self.store.unconfirmed_spenders(coin.outpoint) if t != txid]
                self.store.set_spending(coin.outpoint, others[0] if others else None)
                self.unreserve([coin], blocks)
        for coin in self.store.of_tx(txid):
            if coin.height is None:
                if coin.spending_txid is not None:
                    self.forget_sent(coin.spending_txid)
                self.store.delete(coin.outpoint)
        self.store.delete_tx(txid)
        self._node.chain.broadcasts.drop(txid)

    def _is_confirmed(self, txid: Txid) -> bool:
        stored = self.store.get_tx(txid)
        return stored is not None and stored.height is not None

    async def send(
        self,
        tx: Tx,
        draft: Draft | None = None,
        *,
        blocks: int = RESERVE_BLOCKS,
        parents: tuple[Tx, ...] = (),
    ) -> None:
        """Record and broadcast. Where the backend refuses it, all is as before. Raises UserError.

        `parents`: unconfirmed ones that it pays for, and that mempools may take only with it.
        """
        turn: Any = self._node.turn
        await turn.do(lambda: self.record_sent(tx, draft, blocks=blocks))
        ok, message = await self._node.chain.broadcast(tx, keep=False, parents=parents)
        if not ok:
            await turn.do(lambda: self.forget_sent(tx.txid(), blocks=blocks))
            raise UserError(
                LIGHTNINGD,
                f"Error broadcasting transaction: {message}. Unsent tx discarded {tx.serialize().hex()}",
            )
