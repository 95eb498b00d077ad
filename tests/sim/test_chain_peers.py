"""Two peers and a chain: off-chain life cut short by any close, honest or not, under any luck with blocks and broadcasts.

Rules are what users, peers, miners and fate do; invariants hold after each of them; at the end blocks come until all is
quiet, and nobody honest has lost. A failure prints the ladder.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE
from pylightningd.common.wire import channeld_wire as cw
from tests.sim.chain_pair import LONGEST_LOSS, ChainPair
from tests.sim.ladder import with_ladder
from tests.sim.peers import Peer
from tests.sim.test_two_peers import amounts, sides

PAYMENTS = st.tuples(
    sides,
    st.one_of(st.integers(1_000_000, 90_000_000), amounts),
    st.integers(20, 60),
    st.booleans(),
    st.sampled_from(("wait", "wait", "fulfill", "fail")),
)


class ChainPeers(RuleBasedStateMachine):
    """Alice opened the channel; both may do all."""

    world: ChainPair

    @initialize(anchors=st.booleans(), past=st.lists(PAYMENTS, max_size=8))
    @with_ladder
    def open(self, anchors: bool, past: list[tuple[str, int, int, bool, str]]) -> None:
        """A channel with a past: payments made, failed and still under way."""
        self.world = world = ChainPair.open(ANCHORS_TYPE if anchors else STATIC_REMOTEKEY_TYPE)
        world.pair.connect(fresh=True)
        world.pair.settle()
        for side, msat, expiry, twin, then in past:
            world.offer(self.peer(side), msat, expiry, twin)
            world.pair.settle()
            receiver = world.pair.other(self.peer(side))
            if then != "wait" and receiver.master.resolvable:
                world.resolve(receiver, receiver.master.resolvable[-1], then)
                world.pair.settle()

    def ladder(self) -> list[str]:
        return self.world.ladder if hasattr(self, "world") else []

    def describe(self) -> str:
        if not hasattr(self, "world"):
            return ""
        return "\n".join(side.describe() for side in self.world.sides.values())

    def peer(self, name: str) -> Peer:
        return self.world.pair.alice if name == "alice" else self.world.pair.bob

    # Off-chain

    @precondition(lambda self: not self.world.over)
    @rule(
        side=sides,
        msat=amounts,
        expiry=st.integers(20, 60),
        times=st.integers(1, 3),
        twin=st.booleans(),
        then=st.sampled_from(("wait", "settle", "settle")),
    )
    @with_ladder
    def offer(self, side: str, msat: int, expiry: int, times: int, twin: bool, then: str) -> None:
        for n in range(times):
            self.world.offer(self.peer(side), msat, expiry - n, twin or n > 0)
        if then == "settle":
            self.world.pair.settle()

    @rule(side=sides, data=st.data(), how=st.sampled_from(("fulfill",) * 4 + ("fail",)))
    @with_ladder
    def resolve(self, side: str, data: st.DataObject, how: str) -> None:
        peer = self.peer(side)
        if peer.master.resolvable:
            self.world.resolve(peer, data.draw(st.sampled_from(peer.master.resolvable)), how)

    @precondition(lambda self: not self.world.over)
    @rule(feerate=st.integers(253, 5000))
    @with_ladder
    def update_fee(self, feerate: int) -> None:
        msg = cw.ChanneldFeerates(
            dbid=1, feerate_perkw=feerate, feerate_min_perkw=253, feerate_max_perkw=100_000
        )
        self.world.pair.say(self.world.pair.alice, msg)

    @precondition(lambda self: not self.world.over)
    @rule(side=sides, count=st.integers(1, 5))
    @with_ladder
    def deliver(self, side: str, count: int) -> None:
        for _ in range(count):
            self.world.pair.deliver_one(self.peer(side))

    @precondition(lambda self: not self.world.over)
    @rule()
    @with_ladder
    def deliver_all(self) -> None:
        self.world.pair.settle()

    @precondition(lambda self: not self.world.over)
    @rule(side=sides, nth=st.integers(0, 3), after=st.booleans())
    @with_ladder
    def crash_at_persist(self, side: str, nth: int, after: bool) -> None:
        peer = self.peer(side)
        peer.crash_in, peer.crash_after = nth, after

    @precondition(lambda self: not self.world.over)
    @rule()
    @with_ladder
    def cut_or_connect(self) -> None:
        pair = self.world.pair
        if pair.connected:
            pair.cut()
        else:
            pair.connect()

    # On the chain

    @rule(count=st.integers(1, 6))
    @with_ladder
    def mine(self, count: int) -> None:
        self.world.mine(count)

    @rule(depth=st.integers(1, 2), amnesia=st.booleans())
    @with_ladder
    def reorg(self, depth: int, amnesia: bool) -> None:
        self.world.reorg(depth, amnesia=amnesia)

    @precondition(lambda self: len(self.world.ladder) > 40)
    @rule(side=sides)
    @with_ladder
    def close(self, side: str) -> None:
        self.world.close(self.peer(side), "the user wants it")

    @precondition(lambda self: not self.world.over)
    @rule(
        side=sides,
        msat=st.integers(1_000_000, 90_000_000),
        expiry=st.integers(20, 60),
        twin=st.booleans(),
        decide=st.booleans(),
        arrive=st.lists(sides, max_size=7),
        closer=sides,
    )
    @with_ladder
    def close_in_the_middle(
        self,
        side: str,
        msat: int,
        expiry: int,
        twin: bool,
        decide: bool,
        arrive: list[str],
        closer: str,
    ) -> None:
        """Some messages of an update arrive, and then somebody closes."""
        world = self.world
        receiver = world.pair.other(self.peer(side))
        if not world.pair.connected:
            world.pair.connect()
        world.pair.settle()
        if decide and receiver.master.resolvable:
            world.resolve(receiver, receiver.master.resolvable[-1], "fulfill")
        world.offer(self.peer(side), msat, expiry, twin)
        for sender in arrive:
            world.pair.deliver_one(self.peer(sender))
        world.close(self.peer(closer), "in the middle of an update")

    @precondition(lambda self: len(self.world.ladder) > 40 and len(self.world.honest) == 2)
    @rule(side=sides, which=st.integers(0, 30), blackout=st.integers(0, LONGEST_LOSS))
    @with_ladder
    def cheat(self, side: str, which: int, blackout: int) -> None:
        """In a blackout of the victim the cheater gets to its second stage."""
        if blackout:
            self.world.lose(self.world.pair.other(self.peer(side)), blackout)
        self.world.cheat(self.peer(side), which)

    @rule(side=sides, blocks=st.integers(1, LONGEST_LOSS))
    @with_ladder
    def lose_broadcasts(self, side: str, blocks: int) -> None:
        self.world.lose(self.peer(side), blocks)

    @rule(feerate=st.sampled_from((253, 253, 1200, 3000, 8000)))
    @with_ladder
    def minimum_feerate(self, feerate: int) -> None:
        self.world.raise_feerate(feerate)

    @rule(side=sides)
    @with_ladder
    def onchaind_dies(self, side: str) -> None:
        self.world.side(self.peer(side)).restart()

    @invariant()
    @with_ladder
    def money_and_numbers_agree(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    @with_ladder
    def teardown(self) -> None:
        """Blocks until it is quiet: everything is resolved, and nobody honest has lost."""
        if hasattr(self, "world"):
            self.world.quieten()
            self.world.check_end()


TestChainPeers = ChainPeers.TestCase
TestChainPeers.settings = settings(max_examples=100, stateful_step_count=30)


def test_a_late_twin_does_not_hide_a_known_preimage() -> None:
    """Bob decides to fulfill; Alice adds an HTLC alike that expires earlier, and closes without it."""
    world = ChainPair.open(ANCHORS_TYPE)
    pair = world.pair
    pair.connect(fresh=True)
    world.offer(pair.alice, 50_000_000, 60, twin=False)
    pair.settle()
    world.resolve(pair.bob, 0, "fulfill")
    world.offer(pair.alice, 50_000_000, 40, twin=True)
    pair.deliver_one(pair.alice)
    pair.deliver_one(pair.alice)
    assert (False, 1) in pair.bob.master.htlcs
    world.close(pair.alice, "before Bob answers")
    world.quieten()
    world.check_end()
    assert world.sides["alice"].upstream[0] == "paid"


@given(
    anchors=st.booleans(),
    cheater=sides,
    msat=st.lists(st.integers(3_000_000, 60_000_000), min_size=1, max_size=4),
    which=st.integers(1, 12),
    blackout=st.integers(1, LONGEST_LOSS),
    apart=st.booleans(),
)
@settings(max_examples=25, derandomize=True, deadline=None)
def _cheat_with_known_preimages(
    anchors: bool, cheater: str, msat: list[int], which: int, blackout: int, apart: bool
) -> None:
    """The cheater has claimed HTLCs, goes back to before, and the victim's penalties are lost for some blocks."""
    world = ChainPair.open(ANCHORS_TYPE if anchors else STATIC_REMOTEKEY_TYPE)
    pair = world.pair
    thief = pair.alice if cheater == "alice" else pair.bob
    victim = pair.other(thief)
    pair.connect(fresh=True)
    pair.settle()
    for n, amount in enumerate(msat):
        world.offer(victim, amount, 40 + (n if apart else 0), twin=False)
        pair.settle()
    for htlc_id in list(thief.master.resolvable):
        world.resolve(thief, htlc_id, "fulfill")
        pair.settle()
    world.lose(victim, blackout)
    world.cheat(thief, which)
    world.mine(blackout + 1)
    side = world.side(victim)
    for _ in range(60):
        world.mine(1)
    stages = [o for o in side.progress if o.made_by in SECOND_STAGE]
    REACHED.append(len(stages))
    assert all(o.resolved_by.startswith("OUR_PENALTY_TX") for o in stages), side.describe()
    world.quieten()
    world.check_end()


SECOND_STAGE = ("OUR_HTLC_FULFILL_TO_THEM", "THEIR_HTLC_TIMEOUT_TO_THEM")
REACHED: list[int] = []
"""Of each story: second stages of the cheater that a block held."""


def test_cheaters_reach_their_second_stage_and_lose_that_too() -> None:
    REACHED.clear()
    _cheat_with_known_preimages()
    reached = [n for n in REACHED if n]
    assert len(reached) * 4 > len(REACHED), f"only {len(reached)} of {len(REACHED)} stories"
    assert max(REACHED) > 1, "never several at once"


def test_cheaters_htlcs_share_transactions() -> None:
    """What the victim takes goes by few transactions, also in the simulation."""
    world = ChainPair.open(ANCHORS_TYPE)
    pair = world.pair
    pair.connect(fresh=True)
    for n in range(6):
        world.offer(pair.alice, 20_000_000 + n, 60, twin=False)
        pair.settle()
    for htlc_id in list(pair.bob.master.resolvable):
        world.resolve(pair.bob, htlc_id, "fail")
        pair.settle()
    world.cheat(pair.bob, 5)
    world.mine(3)
    assert world.side(pair.alice).claimer.largest > 2
    world.quieten()
    world.check_end()
