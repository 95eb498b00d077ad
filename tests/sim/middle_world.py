"""Alice, a node in the middle, and Bob: two channels on one toy chain, and what users, peers, miners and fate do there.

The middle is the real master (`middle.py`). Alice and Bob are the toy masters of the other simulations, and may be anything
but honest. What must hold: the middle never pays a forwarded HTLC that it is not paid for, and loses nothing but fees.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from pylightningd.channeld.events import RouteClosed
from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import commitment_number_of
from pylightningd.common.channel.from_wire import commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.deadlines import in_deadline, out_deadline
from pylightningd.lightningd.channels.states import WITH_PEER
from tests.sim.chain import ToyChain
from tests.sim.chain_master import ChainMaster
from tests.sim.claimer import COIN_SAT, COINS
from tests.sim.middle import CLTV_DELTA, Line, Middle
from tests.sim.onchain_side import OnchainSide
from tests.sim.peers import FUNDING, INIT, Peer

LONGEST_LOSS, PEACE = 3, 10
"""Blocks in which broadcasts are lost, or the node is down, and from then on are not."""
LONGEST_WAIT = 60
"""Blocks after which the HTLCs of both channels have expired."""
FEE_MSAT = 1000
PUSH = Msat(400_000_000)
NAMES = ("alice", "bob")


@dataclass
class Neighbour:
    """Alice or Bob, and the wire to the middle."""

    peer: Peer
    onchain: OnchainSide
    dbid: int
    """Of the channel, at the middle."""
    scid: ShortChannelId
    line: Line | None = None
    silent: bool = False
    """Nothing goes over the wire any more, though it stays up."""
    over: bool = False
    """It does not talk any more: it has closed, or was told of the end."""

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def master(self) -> ChainMaster:
        return self.onchain.master

    @property
    def funding(self) -> Outpoint:
        return self.master.row.channel.funding


@dataclass
class World:
    """All of it."""

    chain: ToyChain
    middle: Middle
    neighbours: dict[str, Neighbour]
    ladder: list[str]
    preimages: dict[bytes, bytes] = field(default_factory=dict)
    forwards: set[bytes] = field(default_factory=set)
    """Payment hashes."""
    next_number: int = 1
    reorgs: int = 0
    peace_until: dict[str, int] = field(default_factory=dict)
    down_for: int = 0
    """Blocks until the middle comes back after a crash."""

    # What users do

    def offer(self, source: str, msat: int, expiry: int, *, delta: int, twin: bool) -> None:
        """A payment through the middle; `expiry`: blocks that the second hop has. `twin`: of an earlier one's hash."""
        near, far = self.neighbours[source], self.other(source)
        if near.over:
            return
        cookie = self._number()
        payment_hash = self._payment_hash(near, cookie, twin=twin)
        last = self.chain.height + expiry
        here = ow.Payload(
            amt_to_forward=Msat(msat), outgoing_cltv_value=last, short_channel_id=far.scid
        )
        there = ow.Payload(amt_to_forward=Msat(msat), outgoing_cltv_value=last)
        hops = [(self.middle_id, here), (self._id(far), there)]
        onion, _ = make_onion(
            sha256(b"session %d" % cookie).digest(),
            [(node, encode_hop_payload(payload)) for node, payload in hops],
            payment_hash,
        )
        near.master.offers[cookie] = None
        near.peer.master_says(
            cw.ChanneldOfferHtlc(
                dbid=1,
                cookie=cookie,
                amount=Msat(msat + FEE_MSAT),
                cltv_expiry=last + delta,
                payment_hash=payment_hash,
                onion=onion,
                path_key=None,
            )
        )
        self.forwards.add(payment_hash)

    def _payment_hash(self, near: Neighbour, number: int, *, twin: bool) -> bytes:
        known = [h.payment_hash for h in near.master.htlcs.values() if h.offered_by_us]
        if twin and known:
            return known[-1]
        preimage = sha256(b"preimage %d" % number).digest()
        payment_hash = sha256(preimage).digest()
        self.preimages[payment_hash] = preimage
        return payment_hash

    def _number(self) -> int:
        number, self.next_number = self.next_number, self.next_number + 1
        return number

    def resolve(self, name: str, htlc_id: int, how: str) -> None:
        """The receiver of an HTLC decides; off the chain, or with a preimage on it."""
        near = self.neighbours[name]
        htlc = near.master.htlcs[False, htlc_id]
        preimage = self.preimages[htlc.payment_hash]
        if not near.over:
            msg = near.master.decide(
                htlc_id, preimage if how == "fulfill" else None, malformed=how == "malformed"
            )
            near.peer.master_says(msg)
        elif how == "fulfill":
            # Also what it said it would fail, or what was not yet in both commitments: it is no honest node.
            if htlc_id in near.master.resolvable:
                near.master.resolvable.remove(htlc_id)
            near.master.htlcs[False, htlc_id] = replace(
                htlc, preimage=preimage, failure_onion=None, malformed_code=0
            )
            self.ladder.append(f"{name:>6} learns the preimage of HTLC {htlc_id}")
            near.onchain.preimage_known(preimage)

    def resolvable(self, name: str) -> list[int]:
        """Received HTLCs that may be decided about."""
        near = self.neighbours[name]
        if not near.over:
            return near.master.resolvable
        return [i for (ours, i), h in near.master.htlcs.items() if not ours and h.preimage is None]

    def update_fee(self, feerate: int) -> None:
        """Alice, who opened her channel."""
        near = self.neighbours["alice"]
        if not near.over:
            near.peer.master_says(
                cw.ChanneldFeerates(
                    dbid=1,
                    feerate_perkw=max(feerate, self.chain.min_feerate),
                    feerate_min_perkw=253,
                    feerate_max_perkw=100_000,
                )
            )

    def close(self, name: str, why: str) -> None:
        """A neighbour closes with its newest commitment."""
        near = self.neighbours[name]
        if near.onchain.cheating is None:
            self._stop_talking(near)
            near.onchain.close(why)

    def cheat(self, name: str, which: int) -> None:
        """A neighbour closes with one that it has revoked."""
        near = self.neighbours[name]
        revoked = near.master.revoked()
        if revoked and near.onchain.claimer.closing is None:
            self._stop_talking(near)
            near.onchain.cheat(revoked[which % len(revoked)])

    def middle_closes(self, name: str) -> None:
        """The user of the middle wants it."""
        channel = self.channel(name)
        if not self.middle.dead and channel is not None and channel.state in WITH_PEER:
            self.ladder.append(f"middle closes its channel with {name}")
            self.middle.close_channel(channel, "the user wants it")
            self.tidy()

    # The wires

    def connect(self, name: str) -> None:
        """A new connection."""
        near = self.neighbours[name]
        if near.line is not None or near.over or self.middle.dead:
            return
        line = near.line = Line(self._number(), self._id(near), name)
        self.ladder.append(f"  ===== {name} is connected")
        near.silent = False
        near.peer.open_route = line.number
        near.peer.master_says(
            cw.ChanneldConnected(
                dbid=1, route_id=line.number, fresh=False, their_features=INIT.features
            )
        )
        self.middle.connected(line)
        self.tidy()

    def cut(self, name: str) -> None:
        """The connection is gone, and all that is on it."""
        near = self.neighbours[name]
        line = near.line
        if line is None:
            return
        self.ladder.append(f"  ===== {name} is cut off")
        self._end(near)
        if not self.middle.dead and line.number in self.middle.lines:
            self.middle.connectd.ended(line.number)
            self.middle.spin()
        self.tidy()

    @staticmethod
    def _end(near: Neighbour) -> None:
        """The neighbour's end of it."""
        near.line, near.silent = None, False
        near.peer.outbox.clear()
        route, near.peer.open_route = near.peer.open_route, None
        if route is not None:
            near.peer.feed(RouteClosed(route))
        near.peer.outbox.clear()

    def _stop_talking(self, near: Neighbour) -> None:
        near.over = True
        self.cut(near.name)

    def deliver_to_middle(self, name: str) -> bool:
        """One message of a neighbour arrives; False where there is none."""
        near = self.neighbours[name]
        line = near.line
        if line is None or near.silent or not line.accepted or not near.peer.outbox:
            return False
        self.middle.connectd.peer_in(line.number, near.peer.outbox.popleft())
        self.middle.spin()
        self.tidy()
        return True

    def deliver_from_middle(self, name: str) -> bool:
        """One message of the middle arrives."""
        near = self.neighbours[name]
        line = near.line
        if line is None or near.silent or not line.to_it:
            return False
        raw = line.to_it.popleft()
        msg = pw.decode(raw)
        if isinstance(msg, pw.Error):
            self.ladder.append(f"{name:>6} hears an error: {msg.data.decode()[:80]}")
            self._stop_talking(near)
        elif near.peer.route is not None:
            near.peer.deliver(raw)
        self.tidy()
        return True

    def settle(self, *names: str) -> None:
        """Deliver everything until nothing is on its way; `names`: only to and from these neighbours."""
        for _ in range(2000):
            moved = [
                self.deliver_to_middle(n) | self.deliver_from_middle(n) for n in names or NAMES
            ]
            if not any(moved):
                return
        raise AssertionError("the peers never stop talking")

    def tidy(self) -> None:
        """After the middle has done something: it may have died, or hung up."""
        if self.middle.dead:
            self._middle_is_dead()
            return
        while self.middle.hung_up:
            connection = self.middle.hung_up.pop(0)
            for near in self.neighbours.values():
                if near.line is not None and near.line.number == connection:
                    # What it said before it hung up arrives.
                    while self.deliver_from_middle(near.name):
                        pass
                    self.cut(near.name)

    def _middle_is_dead(self) -> None:
        if self.middle.boots == 0:
            return
        self.middle.boots = 0
        self.ladder.append("middle CRASHES")
        for near in self.neighbours.values():
            if near.line is not None:
                self._end(near)
        self.middle.kill()
        if self.down_for == 0:
            self.revive()

    def revive(self) -> None:
        """The middle comes back."""
        if self.middle.boots == 0:
            self.ladder.append("middle starts")
            self.middle.boot()
            self.tidy()

    # What miners and fate do

    def crash_at_persist(self, nth: int, *, after: bool, down_for: int) -> None:
        """The middle is to die at that commit, and to be away for some blocks."""
        if self.middle.dead:
            return
        if down_for and not self._may_be_away("middle", down_for):
            down_for = 0
        self.middle.crash_in, self.middle.crash_after = nth, after
        self.down_for = down_for

    def _may_be_away(self, name: str, blocks: int) -> bool:
        height = self.chain.height
        if height < self.peace_until.get(name, 0):
            return False
        self.peace_until[name] = height + blocks + PEACE
        return True

    def lose(self, name: str, blocks: int) -> None:
        """Nothing that this one broadcasts arrives for some blocks."""
        if not self._may_be_away(name, blocks):
            return
        until = self.chain.height + blocks
        self.ladder.append(f"{name:>6} cannot send to bitcoind until {until}")
        if name == "middle":
            self.middle.backend.lost_until = until
        else:
            self.neighbours[name].onchain.claimer.lost_until = until

    def mine(self, count: int, *, middle_first: bool = False) -> None:
        """Blocks, one by one, each looked at by all."""
        for _ in range(count):
            for near in self.neighbours.values():
                near.onchain.settle_upstream()
            block = self.chain.mine()
            if block:
                what = ", ".join(tx.txid()[::-1].hex()[:8] for tx in block)
                self.ladder.append(f"  ===== block {self.chain.height}: {what}")
            if middle_first:
                self._middle_looks()
            self._neighbours_look(block)
            if not middle_first:
                self._middle_looks()

    def _neighbours_look(self, block: tuple[Tx, ...]) -> None:
        for near in self.neighbours.values():
            near.onchain.on_block(block)
        for near in self.neighbours.values():
            if not near.over:
                self._deadlines(near)

    def _middle_looks(self) -> None:
        if self.middle.dead:
            self.down_for -= 1
            if self.down_for <= 0:
                self.down_for = 0
                self.revive()
            return
        self.middle.look()
        self.tidy()

    def _deadlines(self, near: Neighbour) -> None:
        height = self.chain.height
        for htlc in near.master.htlcs.values():
            if htlc.offered_by_us:
                hit = height >= out_deadline(htlc)  # type: ignore[arg-type]
            else:
                due = in_deadline(htlc, CLTV_DELTA)  # type: ignore[arg-type]
                hit = htlc.preimage is not None and height >= due
            if hit:
                self.close(near.name, f"HTLC {htlc.id} of {htlc.cltv_expiry} hit its deadline")
                return

    def reorg(self, depth: int, *, amnesia: bool) -> None:
        """Other blocks take the place of the last ones, and one more comes. `amnesia`: mempools are empty after it."""
        if self.reorgs >= 3 or len(self.chain.blocks) <= depth:
            return
        self.reorgs += 1
        self.ladder.append(f"  ===== reorganisation of {depth} blocks")
        for _ in range(depth):
            height = self.chain.height
            self.chain.undo()
            for near in self.neighbours.values():
                near.onchain.on_undo(height)
        if amnesia:
            self.chain.mempool = {}
        self.mine(depth + 1)

    def raise_feerate(self, perkw: int) -> None:
        """What mempools demand. Commitments without anchors cannot follow it, so it stays below theirs there."""
        params = [
            commitment_params(n.master.row.channel, Side.LOCAL) for n in self.neighbours.values()
        ]
        if not all(p.anchors for p in params):
            perkw = 253
        self.ladder.append(f"  ===== minimum feerate is {perkw}")
        self.chain.set_min_feerate(perkw)

    # Looking

    def other(self, name: str) -> Neighbour:
        """The other neighbour."""
        return self.neighbours["bob" if name == "alice" else "alice"]

    def channel(self, name: str) -> Channel | None:
        """The middle's channel with a neighbour."""
        found: Channel | None = self.middle.node.channels.get(self.neighbours[name].dbid)
        return found

    @property
    def middle_id(self) -> NodeId:
        return NodeId(self.middle.hsm.node.node_id)

    @staticmethod
    def _id(near: Neighbour) -> NodeId:
        hsmd: Any = near.peer.hsmd
        return NodeId(hsmd.node_id)

    # Invariants

    @property
    def total(self) -> int:
        """All the satoshis there are."""
        return 2 * FUNDING.sat + 3 * COINS * COIN_SAT

    def check(self) -> None:
        """At any moment."""
        middle = self.middle
        assert self.chain.worth == self.total, "money comes from nowhere or is gone"
        assert not middle.bugs, middle.bugs
        failed = [f for f in middle.failed_tasks if "LinkClosed" not in f]
        assert not failed, failed
        for near in self.neighbours.values():
            self._check_neighbour(near)

    def _check_neighbour(self, near: Neighbour) -> None:
        row = near.master.row
        assert row.to_local + row.to_remote == FUNDING.to_msat()
        told = [m for m in near.master.told if isinstance(m, cw.ChanneldFailed) and m.kind]
        assert not told, f"the middle breaks rules, says {near.name}: {told}"
        channel = None if self.middle.dead else self.channel(near.name)
        if channel is None or channel.state not in WITH_PEER:
            return
        assert channel.to_local + channel.to_remote == FUNDING.to_msat()
        ahead = channel.next_remote_commitment - row.next_local_commitment
        assert 0 <= ahead <= 1, "a commitment is at most one message ahead"

    def saw_broadcast(self, tx: Tx) -> None:
        """The middle sends something: never a commitment whose secret the peer has."""
        for near in self.neighbours.values():
            if tx.inputs[0].outpoint != near.funding:
                continue
            params = commitment_params(near.master.row.channel, Side.REMOTE)
            number = commitment_number_of(tx, params.obscuring_factor)
            assert number is not None
            assert number >= near.master.row.revocations_received, "it sends what it has revoked"

    def check_at_rest(self) -> None:
        """Nothing is on its way: both sides of what is still up say the same."""
        for near in self.neighbours.values():
            channel = self.channel(near.name)
            if channel is None or near.over or near.line is None:
                continue
            if near.silent or channel.state not in WITH_PEER:
                continue
            row = near.master.row
            assert channel.reestablished, f"{near.name} is not reestablished"
            assert (channel.to_local, channel.to_remote) == (row.to_remote, row.to_local)
            assert channel.next_local_commitment == row.next_remote_commitment
            assert row.next_local_commitment == channel.next_remote_commitment
            self._check_none_forgotten(channel)
            states = {k: int(h.state) for k, h in channel.htlcs.items()}
            assert all(s in (4, 14) for s in states.values()), f"stuck: {states}"
            mine = {(not ours, i) for ours, i in states}
            assert mine == set(near.master.htlcs), "they know other HTLCs"

    def _check_none_forgotten(self, channel: Channel) -> None:
        """What was received waits for one that was offered, or is resolved."""
        node = self.middle.node
        for htlc in channel.htlcs.values():
            if htlc.offered_by_us or htlc.is_resolved or node.switch.offers.serves(htlc.dbid):
                continue
            served = node.channels.store.offered_for(htlc.dbid)
            assert served is not None, f"HTLC {htlc.id} of channel {channel.dbid} is forgotten"

    def quieten(self) -> None:
        """All is said and done off the chain; then everything is closed, and blocks come until nothing more can happen."""
        self.raise_feerate(253)
        self.middle.crash_in, self.down_for = -1, 0
        self.revive()
        for name in NAMES:
            if not self.neighbours[name].silent:
                self.connect(name)
        self.settle()
        self.check()
        self.check_at_rest()
        # Whoever waits for somebody has waited long enough then.
        self.mine(LONGEST_WAIT)
        for name in NAMES:
            self.middle_closes(name)
        for _ in range(500):
            self.mine(1)
            if not len(self.middle.node.channels) and all(
                n.onchain.resolved for n in self.neighbours.values()
            ):
                break
        self.check()

    def describe(self) -> str:
        """For failures."""
        parts = [n.onchain.describe() for n in self.neighbours.values()]
        if not self.middle.dead:
            for channel in self.middle.node.channels:
                parts.append(f"middle {channel.dbid} {channel.state.name} {channel.status}")
                for o in self.middle.node.onchain.outputs.get(channel.dbid, ()):
                    parts.append(f"  {o.kind} {o.amount} {o.claim_kind} -> {o.resolved_by}")
        for txid, why in self.middle.backend.refusals.items():
            parts.append(f"  middle: {txid[::-1].hex()[:8]} refused: {why}")
        return "\n".join(parts)

    def close_all(self) -> None:
        """Give back files and loops."""
        self.middle.close()
