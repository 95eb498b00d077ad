"""What must hold at the end of a story of three nodes: nothing is stuck, and the one in the middle has lost nothing but fees."""

from __future__ import annotations

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.channel import dust
from pylightningd.common.channel.fees import ANCHOR_AMOUNT
from pylightningd.common.channel.from_wire import commitment_params
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire import channeld_wire as cw
from tests.sim.claimer import COIN_SAT, COINS
from tests.sim.middle_world import PUSH, Neighbour, World
from tests.sim.peers import FUNDING

_COMMITTED = {True: HtlcState.SENT_ADD_ACK_REVOCATION, False: HtlcState.RCVD_ADD_ACK_REVOCATION}
SAFE_MSAT = 5_000_000
"""What is in every commitment an output."""


def payment_point(near: Neighbour) -> bytes:
    """The middle's, in this channel."""
    point: bytes = near.master.row.channel.remote_basepoints.payment
    return point


class End:
    """The world once all is quiet (`World.quieten`)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chain, self.middle, self.neighbours = world.chain, world.middle, world.neighbours

    def check(self) -> None:
        """Nothing is stuck, and the middle has lost nothing."""
        node = self.middle.node
        left = [(c.dbid, c.state.name, c.status) for c in node.channels]
        assert not left, f"not resolved: {left}"
        states = {row["state"] for row in node.switch.forwards.all()}
        assert 0 not in states, "a forward is neither settled nor failed"
        for payment_hash in self.world.forwards:
            self._check_forward(payment_hash)
        self._check_wealth()

    def _check_forward(self, payment_hash: bytes) -> None:
        """What went out with a hash came in with it."""
        out = got = 0
        for near in self.neighbours.values():
            if near.onchain.cheating is not None:
                return  # who cheats loses all: see `_check_wealth`
            htlcs = [
                h
                for h in (*near.master.htlcs.values(), *near.master.dead.values())
                if h.payment_hash == payment_hash
            ]
            if any(h.amount.msat < SAFE_MSAT for h in htlcs):
                return
            on_chain = self._claimed(near, payment_hash) * 1000
            sent = [h for h in htlcs if h.offered_by_us]
            paid = sum(h.amount.msat for h in htlcs if self._in_balance(near, h))
            if sent:
                got += paid + on_chain
            else:
                out += paid + on_chain
        assert got + 2000 >= out, f"paid {out}msat for {payment_hash.hex()[:8]}, got {got}msat"

    def _in_balance(self, near: Neighbour, htlc: cw.Htlc) -> bool:
        """Paid, and not by an output of its own."""
        if _key(htlc) in near.master.outcomes:
            return near.master.outcomes[_key(htlc)]
        # On its way out of the commitments when the channel closed: with one that it was out of already?
        leaving = htlc.state > _COMMITTED[htlc.offered_by_us] and htlc.preimage is not None
        tx, _ = self.chain.spent[near.funding]
        amounts = [output.amount for output in tx.outputs]
        return leaving and htlc.amount.to_sat_floor() not in amounts

    def _claimed(self, near: Neighbour, payment_hash: bytes) -> int:
        """Satoshi of outputs of the commitment in the chain that were claimed with the preimage."""
        tx, _ = self.chain.spent[near.funding]
        preimage, total = self.world.preimages[payment_hash], 0
        for n, output in enumerate(tx.outputs):
            spend = self.chain.spent.get(Outpoint(tx.txid(), n))
            if spend is None:
                continue
            txin = next(i for i in spend[0].inputs if i.outpoint == Outpoint(tx.txid(), n))
            if preimage in txin.witness:
                total += output.amount.sat
        return total

    def _check_wealth(self) -> None:
        chain = self.chain
        payments = [payment_point(n) for n in self.neighbours.values()]
        scripts = [self.middle.wallet.script, *(sc.p2wpkh(p) for p in payments)]
        scripts += [sc.p2wsh(sc.to_remote_anchors_script(p)) for p in payments]
        has = sum(o.amount.sat for o in chain.unspent(scripts).values())
        told = set(chain.unspent(scripts[1:]))
        assert told <= self.middle.wallet.told, "the wallet was not told of a to_remote"
        gained = has - COINS * COIN_SAT
        due = sum(self._began_with(n) for n in self.neighbours.values())
        allowed: dict[str, int] = {"own fees": self._fees(self.middle.backend.sent)}
        for near in self.neighbours.values():
            for why, sat in self._allowed(near).items():
                allowed[f"{near.name}: {why}"] = sat
        allowed = {why: sat for why, sat in allowed.items() if sat}
        self.world.ladder.append(
            f"middle has {gained}sat on chain; due are {due}sat less {allowed}"
        )
        assert gained >= due - sum(allowed.values()), (
            f"it lost {due - gained}sat, of which {allowed} are explained"
        )

    @staticmethod
    def _began_with(near: Neighbour) -> int:
        opener = near.master.row.channel.we_are_opener
        return PUSH.to_sat_floor().sat if opener else FUNDING.sat - PUSH.to_sat_floor().sat

    def _allowed(self, near: Neighbour) -> dict[str, int]:
        """Satoshi that may be lost in one channel, by reason."""
        static = near.master.row.channel
        tx, _ = self.chain.spent[near.funding]
        theirs = near.onchain.cheating is not None
        allowed = {"rounding": 2 + self.world.next_number, "balance below dust": 546}
        anchors = commitment_params(static, Side.LOCAL).anchors
        fee = FUNDING.sat - sum(o.amount.sat for o in tx.outputs)
        if not static.we_are_opener or theirs:
            allowed["commitment"] = fee + (2 * ANCHOR_AMOUNT.sat if anchors else 0)
        if theirs:
            allowed["cheater's fees"] = self._fees(near.onchain.claimer.sent)
        everything = (*near.master.htlcs.values(), *near.master.dead.values())
        allowed["trimmed"] = sum(
            h.amount.msat // 1000 + 1 for h in everything if self._may_be_trimmed(near, h)
        )
        return allowed

    def _may_be_trimmed(self, near: Neighbour, htlc: cw.Htlc) -> bool:
        """In the chain; an HTLC that was settled off it is none."""
        settled = near.onchain.cheating is None and _key(htlc) in near.master.dead
        if settled:
            return False
        params = commitment_params(near.master.row.channel, Side.LOCAL)
        feerate = max(f.feerate_perkw for f in near.master.row.fees)
        limit = Sat(546)
        least = max(
            dust.offered_threshold(limit, feerate, anchors=params.anchors),
            dust.received_threshold(limit, feerate, anchors=params.anchors),
        )
        return htlc.amount.to_sat_floor() < least

    def _fees(self, sent: set[Txid]) -> int:
        """Of these transactions in blocks, but for commitments."""
        chain, total = self.chain, 0
        fundings = {n.funding for n in self.neighbours.values()}
        for block in chain.blocks:
            for tx in block:
                if tx.txid() in sent and tx.inputs[0].outpoint not in fundings:
                    total += sum(chain.made[i.outpoint].output.amount.sat for i in tx.inputs)
                    total -= sum(o.amount.sat for o in tx.outputs)
        return total


def _key(htlc: cw.Htlc) -> tuple[bool, int]:
    return htlc.offered_by_us, htlc.id
