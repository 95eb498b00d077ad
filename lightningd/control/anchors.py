"""Bumping our commitments: the child of our anchor pays for both (CPFP). See `mind`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import ANCHOR_INPUT_WEIGHT, feerate_of
from pylightningd.common.channel.fees import ANCHOR_AMOUNT
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.common.keys import sig_to_der
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.control import anchor_goal, claim_tx, fee_coins
from pylightningd.lightningd.control.anchor_goal import Goal, Stake
from pylightningd.lightningd.control.bump_plan import Load
from pylightningd.lightningd.control.bump_wish import Bumped, Wish, check_budget, check_pays_less
from pylightningd.lightningd.control.claim_tx import CannotAfford, Made
from pylightningd.lightningd.control.claims import refused_text, sign_coins
from pylightningd.lightningd.db.onchain_io import OnchainStore, StoredClaim
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.wallet.coin import Coin

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_KIND = "ANCHOR_CHILD"


@dataclass(eq=False, slots=True)
class _Bump:
    """One commitment of ours that no block holds yet."""

    channel: Channel
    parent: Tx
    since: int
    anchor: int
    above: Load = Load()
    """The funding transaction, where no block holds it either: the child pays for it too."""
    child: Tx | None = None
    fee: Sat = Sat(0)
    feerate_perkw: int = 0
    coins: tuple[Coin, ...] = ()
    script: bytes = b""
    busy: bool = False
    complained: bool = False

    @property
    def parent_fee(self) -> Sat:
        """What the commitment itself pays."""
        return self.channel.capacity - Sat(sum(o.amount.sat for o in self.parent.outputs))

    @property
    def pays_perkw(self) -> int:
        """The feerate that it has by now, alone or with its child."""
        weight, fee = self.parent.weight(), self.parent_fee
        together = (fee.sat + self.above.fee) * 1000 // (weight + self.above.weight)
        return max(min(feerate_of(fee, weight), together), self.feerate_perkw)

    def package(self, feerate_perkw: int) -> tuple[int, Sat]:
        """Weight and fee of what the child brings to this feerate."""
        weight, fee, above = self.parent.weight(), self.parent_fee, self.above
        if above.fee * 1000 >= feerate_perkw * above.weight:
            return weight, fee  # It needs no help, and does not help.
        return weight + above.weight, fee + Sat(above.fee)

    @property
    def outpoint(self) -> Outpoint:
        """Our anchor."""
        return Outpoint(self.parent.txid(), self.anchor)

    @property
    def txids(self) -> set[Txid]:
        """Of the commitment and of its child."""
        return {tx.txid() for tx in (self.parent, self.child) if tx is not None}


class Anchors:
    """All commitments that wait."""

    def __init__(self, node: Node, store: OnchainStore) -> None:
        self._node = node
        self._store = store
        self._bumps: dict[int, _Bump] = {}
        self._theirs: dict[Txid, _Bump] = {}
        """Peers' commitments that a user has bumped: by our anchor in them. Nothing raises those by itself."""

    def mind(self, channel: Channel, tx: Tx) -> None:
        """Our commitment was broadcast: see to it that it confirms in time. Outside turns."""
        old = self._bumps.get(channel.dbid)
        if old is None or old.parent.txid() != tx.txid():
            bump = self._find(channel, tx)
            if bump is None:
                return
            self._bumps[channel.dbid] = bump
        self.on_block(self._node.chain.height)

    def _find(self, channel: Channel, tx: Tx) -> _Bump | None:
        """Our anchor in a commitment of either side, if there is one."""
        if not channel.channel_type.has_anchors:
            return None
        # BOLT 3, "`to_local_anchor` and `to_remote_anchor` Output (option_anchors)": each side's by its funding key.
        ours = sc.p2wsh(sc.anchor_script(channel.static.local_basepoints.funding_pubkey))
        index = next((n for n, o in enumerate(tx.outputs) if o.script == ours), None)
        if index is None:
            return None
        bump = _Bump(channel, tx, self._node.chain.height, index)
        bump.above = self._above(channel)
        self._recall(bump)
        return bump

    async def bump_theirs(self, channel: Channel, tx: Tx, wish: Wish) -> Bumped | None:
        """Bump a commitment of the peer's that waits; None where no output of it is our anchor."""
        bump = self._theirs.get(tx.txid()) or self._find(channel, tx)
        if bump is None:
            return None
        if not wish.dry_run:
            self._theirs[tx.txid()] = bump
        await self._node.hsm.ask(hw.HsmdSetupChannel(channel=channel.static))
        return await self._raise(bump, wish)

    def _above(self, channel: Channel) -> Load:
        """The funding transaction, if it waits, and we know what it pays."""
        store = self._node.wallet.store
        stored = store.get_tx(channel.static.funding.txid)
        if stored is None or stored.height is not None:
            return Load()
        coins = [store.get(i.outpoint) for i in stored.tx.inputs]
        known = [c.amount.sat for c in coins if c is not None]
        if len(known) < len(coins):
            return Load()
        fee = sum(known) - sum(o.amount.sat for o in stored.tx.outputs)
        return Load(stored.tx.weight(), fee, 1)

    def _recall(self, bump: _Bump) -> None:
        """The child that was sent before a restart: the next one must pay more, and takes the same coins."""
        stored = self._store.claim(bump.channel.dbid, bump.outpoint)
        if stored is None:
            return
        wallet, takes = self._node.wallet, {bump.outpoint}
        spends = [i.outpoint for i in stored.tx.inputs[1:]]
        coins = [wallet.store.get(o) for o in spends]
        bump.coins = fee_coins.kept(wallet, (c for c in coins if c is not None), takes)
        bump.script = stored.tx.outputs[0].script
        if fee_coins.is_lost(wallet, spends, takes):
            return
        bump.child, bump.fee, bump.feerate_perkw = stored.tx, stored.fee, stored.feerate_perkw
        bump.since = min(bump.since, stored.sent_height)
        self._node.spawn(self._broadcast(bump, stored.tx), f"child of {bump.outpoint}")

    def on_block(self, _height: int) -> None:
        """Bump what waits too long. After the turn of a block."""
        for txid, theirs in list(self._theirs.items()):
            if self._node.onchain.spent_since(theirs.channel) is not None:
                del self._theirs[txid]
            elif not theirs.busy:
                theirs.above = self._above(theirs.channel)
                self._mind_coins(theirs)
        for dbid, bump in list(self._bumps.items()):
            if bump.channel.state is not ChannelState.AWAITING_UNILATERAL:
                del self._bumps[dbid]
            elif not bump.busy:
                bump.above = self._above(bump.channel)
                self._mind_coins(bump)
                bump.busy = True
                self._node.spawn(self._bump(bump), f"bump the commitment of channel {dbid}")

    def _mind_coins(self, bump: _Bump) -> None:
        """The coins of a child that waits stay ours; where one is gone all the same, others must do."""
        if bump.child is None:
            return
        coins = [c.outpoint for c in bump.coins]
        if fee_coins.is_lost(self._node.wallet, coins, {bump.outpoint}):
            self._log(bump, "unusual", "A coin that paid for the commitment is spent elsewhere")
            self._node.chain.broadcasts.drop(bump.child.txid())
            bump.child, bump.fee, bump.feerate_perkw = None, Sat(0), 0
        else:
            fee_coins.renew(self._node, bump.coins)

    def _goal(self, bump: _Bump) -> Goal:
        """The feerate that the commitment needs, and what that may cost."""
        chain, channel = self._node.chain, bump.channel
        ours = Sat(channel.to_local.msat // 1000 * anchor_goal.BALANCE_PERCENT // 100)
        calm = Stake(bump.since + anchor_goal.NO_HTLC_BLOCKS, ours)
        stakes = [s for h in channel.htlcs.values() if (s := self._stake(h)) is not None]

        def rate(deadline: int) -> int:
            found = chain.feerates.for_deadline(max(deadline, chain.height + 1), chain.height)
            # What mempools demand just now and a little more: they count in whole vbytes.
            return max(found or 0, chain.feerates.floor_perkw * 51 // 50)

        weight, fee = bump.package(rate(calm.deadline))
        return anchor_goal.choose(stakes, calm, weight, fee, rate)

    def _stake(self, htlc: LiveHtlc) -> Stake | None:
        """What an HTLC of the commitment is worth to us, and until when."""
        value = htlc.amount.to_sat_floor()
        if not htlc.offered_by_us:
            if htlc.preimage is None:
                return None
            return Stake(htlc.cltv_expiry - anchor_goal.CLAIM_BLOCKS, value)
        if htlc.origin_htlc is None:
            value = Sat(value.sat * anchor_goal.OWN_PAYMENT_PERCENT // 100)
        return Stake(htlc.cltv_expiry, value)

    async def _bump(self, bump: _Bump) -> None:
        try:
            await self._make(bump)
        except CannotAfford as why:
            if not bump.complained:
                bump.complained = True
                self._log(bump, "unusual", f"Cannot bump the commitment: {why}")
        finally:
            bump.busy = False

    async def bump(self, txid: Txid, wish: Wish) -> Bumped | None:
        """Bump a commitment, named by itself or by its child; None where it is none. Raises CannotAfford, UserError."""
        known = (*self._bumps.values(), *self._theirs.values())
        bump = next((b for b in known if txid in b.txids), None)
        return None if bump is None else await self._raise(bump, wish)

    async def _raise(self, bump: _Bump, wish: Wish) -> Bumped:
        name = txid_hex(bump.parent.txid())
        if bump.busy:
            raise UserError(LIGHTNINGD, f"{name} is being raised just now")
        check_pays_less(wish, name, bump.pays_perkw)
        bump.busy = True
        try:
            before, replaces = bump.fee, bump.child

            def choose() -> Made:
                # Nothing is reserved where it costs too much: the turn is undone.
                made = self._choose(bump, wish.feerate_perkw, None, reserve=not wish.dry_run)
                check_budget(wish, Sat(max(0, made.fee.sat - before.sat)))
                return made

            made = await self._node.turn.do(choose)
            done = Bumped(
                method="cpfp",
                what="commitment",
                fee=made.fee,
                extra=Sat(max(0, made.fee.sat - before.sat)),
                weight=made.weight,
                before_perkw=bump.pays_perkw,
                paid_from="coins",
                replaces=None if replaces is None else replaces.txid(),
            )
            if not wish.dry_run:
                refusal = await self._finish(bump, made, wish.feerate_perkw)
                if refusal:
                    raise UserError(LIGHTNINGD, refused_text(refusal, done.what))
                done = replace(done, tx=bump.child)
            return done
        finally:
            bump.busy = False

    async def _make(self, bump: _Bump) -> None:
        goal = self._goal(bump)
        if goal.feerate_perkw <= bump.pays_perkw or (
            bump.child is not None and goal.most <= bump.fee
        ):
            return
        made = await self._node.turn.do(
            lambda: self._choose(bump, goal.feerate_perkw, goal.most, reserve=True)
        )
        await self._finish(bump, made, goal.feerate_perkw)

    async def _finish(self, bump: _Bump, made: Made, target: int) -> str:
        """Sign the child and send it. Returns why the backend refused it, if it did."""
        node = self._node
        child = await self._signed(bump, made)
        old = bump.child
        if made.capped:
            # What was wanted is not reached: as soon as more is at stake the next one goes on from here.
            weight, fee = bump.package(target)
            target = feerate_of(fee + made.fee, weight + made.weight)
        bump.child, bump.fee, bump.feerate_perkw, bump.coins = child, made.fee, target, made.coins
        self._log(
            bump,
            "info",
            f"Creating anchor spend {txid_hex(child.txid())} with fee {made.fee} to bring"
            f" {txid_hex(bump.parent.txid())} to {target}perkw",
        )
        claim = StoredClaim(_KIND, child, made.fee, target, bump.since)
        await node.turn.do(lambda: self._store.put_claim(bump.channel.dbid, bump.outpoint, claim))
        if old is not None:
            node.chain.broadcasts.drop(old.txid())
        return await self._broadcast(bump, child)

    async def _broadcast(self, bump: _Bump, child: Tx) -> str:
        ok, message = await self._node.chain.broadcast(
            child,
            allow_high_fees=True,
            owner=("close", bump.channel.dbid),
            why="the anchor of our commitment",
            parents=(bump.parent,),
        )
        return "" if ok else message or "refused"

    def _choose(self, bump: _Bump, target: int, most: Sat | None, *, reserve: bool) -> Made:
        """Inside a turn."""
        wallet = self._node.wallet
        if not bump.script:
            bump.script = wallet.script_of(wallet.next_index())
            self._node.turn.on_rollback(lambda: setattr(bump, "script", b""))
        kept = fee_coins.kept(wallet, bump.coins, {bump.outpoint})
        own = {c.outpoint for c in kept}
        others = sorted(
            (c for c in wallet.purse(wrapped_ok=False).coins if c.outpoint not in own),
            key=lambda c: -c.amount.sat,
        )
        weight, fee = bump.package(target)
        made = claim_tx.anchor_child(
            claim_tx.anchor_input(TxIn(bump.parent.txid(), bump.anchor)),
            ANCHOR_AMOUNT,
            ANCHOR_INPUT_WEIGHT,
            weight,
            fee,
            [*kept, *others],
            bump.script,
            target,
            bump.fee if bump.child is not None else None,
            most,
        )
        if reserve:
            wallet.reserve([c for c in made.coins if c.outpoint not in own])
        return made

    async def _signed(self, bump: _Bump, made: Made) -> Tx:
        witness_script = sc.anchor_script(bump.channel.static.local_basepoints.funding_pubkey)
        reply = await self._node.hsm.ask(
            hw.HsmdSignAnchor(
                dbid=bump.channel.dbid,
                tx=made.tx.serialize(),
                input_index=0,
                amount=ANCHOR_AMOUNT,
                witness_script=witness_script,
            )
        )
        witness = (sig_to_der(reply.signature, SIGHASH_ALL), witness_script)
        spends = TxOut(ANCHOR_AMOUNT, sc.p2wsh(witness_script))
        return await sign_coins(self._node, made, [witness], [spends])

    def _log(self, bump: _Bump, level: str, text: str) -> None:
        self._node.log(level, text, peer_id=bump.channel.peer_id, dbid=bump.channel.dbid)
