"""Alice and Bob with a chain below them: what users, peers, miners and fate do there, and what must hold at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import TxOut
from pylightningd.common.channel import dust
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import make_commitment
from pylightningd.common.channel.fees import ANCHOR_AMOUNT
from pylightningd.common.channel.from_wire import commitment_keyset, commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.key_derivation import per_commitment_point
from pylightningd.common.keys import sign_compact
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.lightningd.channels.deadlines import in_deadline, out_deadline
from tests.sim.chain import ToyChain
from tests.sim.chain_master import ChainMaster, first_commitment
from tests.sim.claimer import COIN_SAT, COINS
from tests.sim.onchain_side import OnchainSide
from tests.sim.peers import FEERATE, FUNDING, INIT, Pair, Peer
from tests.sim.test_real_hsmd import open_pair

CLTV_DELTA = 34
IN_TIME = 14
"""Blocks before its expiry at which the preimage of a received HTLC must be known to be of use."""
LONGEST_LOSS, PEACE = 3, 10
"""Blocks in which a side's broadcasts are lost, and from then on are not."""


@dataclass
class ChainPair:
    """The channel of `pair`, and its end."""

    pair: Pair
    chain: ToyChain
    sides: dict[str, OnchainSide]
    over: bool = False
    """Nobody talks any more: somebody has closed."""
    in_time: dict[tuple[str, int], bool] = field(default_factory=dict)
    """Of received HTLCs that were decided to be fulfilled: whether that was early enough to count on it."""
    reorgs: int = 0
    peace_until: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, channel_type: ChannelType) -> ChainPair:
        """A channel just opened, its funding output in a block."""
        pair = open_pair(channel_type)
        chain = ToyChain(base=INIT.blockheight)
        static = pair.alice.master.row.channel
        script = sc.p2wsh(
            sc.funding_script(
                static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey
            )
        )
        chain.mint(static.funding, TxOut(FUNDING, script), INIT.blockheight - 6)
        for peer in pair.both:
            old = peer.master
            peer.master = ChainMaster(old.row, script=old.script)
            _sign_first(peer, pair.other(peer))
            peer.start()
        sides = {peer.name: OnchainSide(peer, chain) for peer in pair.both}
        return cls(pair, chain, sides)

    def side(self, peer: Peer) -> OnchainSide:
        """Its part on the chain."""
        return self.sides[peer.name]

    @property
    def honest(self) -> list[OnchainSide]:
        """Those who must not lose."""
        return [s for s in self.sides.values() if s.cheating is None]

    @property
    def ladder(self) -> list[str]:
        """The transcript."""
        return self.pair.ladder

    # What users do

    def offer(self, peer: Peer, msat: int, expiry: int, twin: bool) -> None:
        """An HTLC; `twin`: of the same hash and amount as the newest one on the way, as the parts of one payment are."""
        if self.over:
            return
        pair = self.pair
        before = [h for h in peer.master.htlcs.values() if h.offered_by_us]
        if not (twin and before):
            pair.offer(peer, msat, cltv_expiry=self.chain.height + expiry)
            return
        cookie, pair.next_cookie = pair.next_cookie, pair.next_cookie + 1
        peer.master.offers[cookie] = None
        msg = cw.ChanneldOfferHtlc(
            dbid=1,
            cookie=cookie,
            amount=before[-1].amount,
            cltv_expiry=self.chain.height + expiry,
            payment_hash=before[-1].payment_hash,
            onion=before[-1].onion,
            path_key=before[-1].path_key,
        )
        pair.guarded(peer, lambda: peer.master_says(msg))

    def resolve(self, peer: Peer, htlc_id: int, how: str) -> None:
        """The receiver of an HTLC decides, on the chain as well."""
        htlc = peer.master.htlcs[False, htlc_id]
        if how == "fulfill":
            early = self.chain.height + IN_TIME <= htlc.cltv_expiry
            self.in_time[peer.name, htlc_id] = early
        if not self.over:
            self.pair.resolve(peer, htlc_id, how)
            return
        if how != "fulfill":
            return
        preimage = self.pair.preimages[htlc.payment_hash]
        peer.master.decide(htlc_id, preimage)
        self.ladder.append(f"{peer.name:>6} learns the preimage of HTLC {htlc_id}")
        self.side(peer).preimage_known(preimage)

    def close(self, peer: Peer, why: str) -> None:
        """Unilaterally and honestly."""
        if self.side(peer).cheating is None:
            self._stop_talking()
            self.side(peer).close(why)

    def cheat(self, peer: Peer, which: int) -> None:
        """With a commitment that is not the newest; the other side stays honest."""
        revoked = peer.master.revoked() if isinstance(peer.master, ChainMaster) else []
        if len(self.honest) < 2 or not revoked or self.side(peer).claimer.closing is not None:
            return
        self._stop_talking()
        self.side(peer).cheat(revoked[which % len(revoked)])

    def _stop_talking(self) -> None:
        if self.over:
            return
        for peer in self.pair.both:
            peer.crash_in = -1
        for peer in self.pair.both:
            # A question that is under way is still answered: it is in the neighbours' hands.
            peer.slow = False
            peer.answer_all()
        self.pair.cut()
        self.over = True

    # What miners and fate do

    def mine(self, count: int) -> None:
        """Blocks, one by one, each looked at by both."""
        for _ in range(count):
            for side in self.sides.values():
                side.settle_upstream()
            block = self.chain.mine()
            what = ", ".join(tx.txid()[::-1].hex()[:8] for tx in block)
            if block:
                self.ladder.append(f"  ===== block {self.chain.height}: {what}")
            for side in self.sides.values():
                side.on_block(block)
            if not self.over:
                self._deadlines()

    def _deadlines(self) -> None:
        height = self.chain.height
        for side in self.sides.values():
            for htlc in side.master.htlcs.values():
                if htlc.offered_by_us:
                    hit = height >= out_deadline(htlc)  # type: ignore[arg-type]
                else:
                    due = in_deadline(htlc, CLTV_DELTA)  # type: ignore[arg-type]
                    hit = htlc.preimage is not None and height >= due
                if hit:
                    self.close(side.peer, f"HTLC {htlc.id} of {htlc.cltv_expiry} hit its deadline")
                    break

    def reorg(self, depth: int, *, amnesia: bool) -> None:
        """Other blocks take the place of the last ones, and one more comes. `amnesia`: mempools are empty after it."""
        if self.reorgs >= 3 or len(self.chain.blocks) <= depth:
            return
        self.reorgs += 1
        self.ladder.append(f"  ===== reorganisation of {depth} blocks")
        for _ in range(depth):
            height = self.chain.height
            self.chain.undo()
            for side in self.sides.values():
                side.on_undo(height)
        if amnesia:
            self.chain.mempool = {}
        self.mine(depth + 1)

    def lose(self, peer: Peer, blocks: int) -> None:
        """Nothing that this side sends arrives for some blocks."""
        height = self.chain.height
        if height < self.peace_until.get(peer.name, 0):
            return
        self.peace_until[peer.name] = height + blocks + PEACE
        self.side(peer).claimer.lost_until = height + blocks
        self.ladder.append(f"{peer.name:>6} cannot send to bitcoind until {height + blocks}")

    def raise_feerate(self, perkw: int) -> None:
        """What mempools demand. Commitments without anchors cannot follow it, so it stays below theirs there."""
        static = self.pair.alice.master.row.channel
        if not commitment_params(static, Side.LOCAL).anchors:
            perkw = 253
        self.ladder.append(f"  ===== minimum feerate is {perkw}")
        self.chain.set_min_feerate(perkw)

    # Invariants

    def check(self) -> None:
        """At any moment."""
        assert self.chain.worth == self.total, "money comes from nowhere or is gone"
        if not self.over:
            self.pair.check()
        for side in self.honest:
            self._check_nothing_revoked(side)

    @property
    def total(self) -> int:
        """All there ever was."""
        return FUNDING.sat + 2 * COINS * COIN_SAT

    def _check_nothing_revoked(self, side: OnchainSide) -> None:
        closing = side.claimer.closing
        if closing is None:
            return
        newest = side.master.newest
        assert closing.tx.with_witness(0, ()).serialize() == newest.tx, "it sent an old commitment"
        hsmd: Any = side.peer.hsmd
        assert newest.number >= hsmd.revoked, "it sent a revoked commitment"

    def quieten(self) -> None:
        """Everybody is told all, then blocks come until nothing more can happen."""
        self.raise_feerate(253)
        if not self.over:
            self.close(self.pair.alice, "the end of the story")
        for _ in range(500):
            self.mine(1)
            if all(s.resolved for s in self.sides.values()):
                break
        self.check()

    def check_end(self) -> None:
        """Nothing is stuck, and nobody honest has lost."""
        for side in self.honest:
            assert side.resolved, f"not resolved:\n{side.describe()}"
            side.check_to_us()
            for htlc in side.master.htlcs.values():
                assert not htlc.offered_by_us or htlc.id in side.upstream, f"HTLC {htlc.id} waits"
            self._check_wealth(side)

    def _check_wealth(self, side: OnchainSide) -> None:
        has = sum(o.amount.sat for o in self.chain.unspent(side.scripts).values())
        gained = has - COINS * COIN_SAT
        paid = sum(
            h.amount.msat
            for h in side.master.htlcs.values()
            if h.offered_by_us and side.upstream.get(h.id) == "paid"
        )
        due = side.master.row.to_local.msat
        for htlc in side.master.htlcs.values():
            if not htlc.offered_by_us and self.in_time.get((side.name, htlc.id)):
                due += htlc.amount.msat
        allowed = self._allowed(side)
        self.ladder.append(
            f"{side.name:>6} has {gained}sat on chain and {paid}msat upstream; due are {due}msat less {allowed}"
        )
        assert gained * 1000 + paid >= due - sum(allowed.values()) * 1000, (
            f"{side.name} lost {(due - paid) // 1000 - gained}sat, of which {allowed} are explained"
        )

    def _allowed(self, side: OnchainSide) -> dict[str, int]:
        """Satoshi that it may lose, by reason."""
        chain, master = self.chain, side.master
        static = master.row.channel
        tx, _ = chain.spent[side.funding]
        theirs = any("illegal" in text for text in side.recognised[-1:])
        allowed = {"rounding": 2 + len(master.htlcs), "own fees": self._fees(side)}
        commitment_fee = FUNDING.sat - sum(o.amount.sat for o in tx.outputs)
        anchors = 2 * ANCHOR_AMOUNT.sat if commitment_params(static, Side.LOCAL).anchors else 0
        if static.we_are_opener or theirs:
            allowed["commitment"] = commitment_fee + anchors
        if theirs:
            allowed["cheater's fees"] = self._fees(self.sides[self.pair.other(side.peer).name])
        allowed["balance below dust"] = 546
        ours = any("own unilateral" in text for text in side.recognised[-1:])
        allowed["trimmed"] = sum(
            h.amount.msat // 1000 + 1
            for h in master.htlcs.values()
            if self._may_be_trimmed(side, h, Side.LOCAL if ours else Side.REMOTE)
        )
        allowed["not worth it"] = sum(side.claimer.uneconomic.values()) + sum(
            o.amount.sat for o in side.progress if o.resolved_by.startswith("IGNORING_TINY")
        )
        return allowed

    def _may_be_trimmed(self, side: OnchainSide, htlc: cw.Htlc, owner: Side) -> bool:
        master = side.master
        params = commitment_params(master.row.channel, owner)
        feerate = max(f.feerate_perkw for f in master.row.fees)
        if htlc.offered_by_us is (owner is Side.LOCAL):
            least = dust.offered_threshold(params.dust_limit, feerate, anchors=params.anchors)
        else:
            least = dust.received_threshold(params.dust_limit, feerate, anchors=params.anchors)
        return htlc.amount.to_sat_floor() < least

    def _fees(self, side: OnchainSide) -> int:
        """Of its transactions in blocks, but for the commitment."""
        chain = self.chain
        total = 0
        for block in chain.blocks:
            for tx in block:
                if tx.txid() in side.claimer.sent and tx.inputs[0].outpoint != side.funding:
                    total += sum(chain.made[i.outpoint].output.amount.sat for i in tx.inputs)
                    total -= sum(o.amount.sat for o in tx.outputs)
        return total


def _sign_first(peer: Peer, other: Peer) -> None:
    """The commitment of the opening, with the other's signature."""
    row = peer.master.row
    hsmd: Any = peer.hsmd
    theirs: Any = other.hsmd
    seed = hsmd.hsm.node.channel(row.channel.peer_id, 1).shaseed
    keys = commitment_keyset(row.channel, Side.LOCAL, per_commitment_point(seed, 0))
    spec = CommitmentSpec(Side.LOCAL, FEERATE, row.to_local, row.to_remote, ())
    made = make_commitment(commitment_params(row.channel, Side.LOCAL), keys, 0, spec)
    channel = theirs.hsm.node.channel(other.master.row.channel.peer_id, 1)
    signature = sign_compact(channel.funding, made.sighash())
    assert isinstance(peer.master, ChainMaster)
    peer.master.kept.append(first_commitment(made.tx, signature, FEERATE))
