"""Alice, the real master in the middle, and Bob: every HTLC that is paid to one side is paid by the other.

Rules are what users, peers, miners and fate do; invariants hold after each of them; at the end blocks come until all is
quiet. The neighbours go silent, decide late, close, cheat, claim on the chain what they had failed; the middle crashes
before and after commits, loses its daemons, its connections and its broadcasts. A failure prints the ladder of all three.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE
from tests.sim.ladder import three_columns, with_ladder
from tests.sim.middle import CLTV_DELTA
from tests.sim.middle_checks import End
from tests.sim.middle_opening import open_world
from tests.sim.middle_world import LONGEST_LOSS, World

sides = st.sampled_from(("alice", "bob"))
anybody = st.sampled_from(("middle", "middle", "alice", "bob"))
amounts = st.one_of(
    st.integers(5_000_000, 90_000_000),
    st.integers(5_000_000, 90_000_000),
    st.integers(1, 5_000_000),
)
expiries = st.integers(3, 30)
choices = st.sampled_from(("fulfill", "fulfill", "fulfill", "fail", "malformed"))


@dataclass(frozen=True)
class Plot:
    """What becomes of a forward whose receiver wants its money, or says no."""

    how: str = "fulfill"
    near: str = "nothing"
    middle: str = "nothing"
    far: str = "nothing"
    blocks: int = 0
    """That pass after what the three have done."""
    late: bool = False
    """The receiver decides after that only."""
    arrives: bool = False
    """All that the receiver said reaches the middle, and the answers it."""
    heard: int = 0
    """So many of the receiver's messages reach the middle, and no answer it."""
    betrays: bool = False
    """After that it claims on the chain what it has failed."""


PLOTS = (
    Plot(near="silent", arrives=True, blocks=60),
    Plot(near="silent", middle="crash", arrives=True, blocks=60),
    Plot(near="close", arrives=True, blocks=6),
    Plot(near="cheat", arrives=True, blocks=6),
    Plot(middle="close near", blocks=12, late=True),
    Plot(middle="crash", arrives=True),
    Plot(middle="crash", blocks=1),
    Plot(far="silent", blocks=12, late=True),
    Plot(far="silent", blocks=60, late=True),
    Plot(far="close", blocks=2, late=True),
    Plot(far="close", near="silent", blocks=12, late=True),
    Plot(middle="close far", blocks=6, late=True),
    Plot(middle="close far", near="silent", blocks=12, late=True),
    Plot(how="fail", far="close", blocks=1, betrays=True),
    Plot(how="fail", middle="close far", blocks=1, betrays=True),
    Plot(how="fail", far="close", heard=2, blocks=1, betrays=True),
    Plot(far="close", heard=1, blocks=1),
    Plot(far="cheat", blocks=6),
)
deeds = st.sampled_from(("nothing", "silent", "close", "cheat"))
plots = st.sampled_from(PLOTS) | st.builds(
    Plot,
    how=choices,
    near=deeds,
    middle=st.sampled_from(("nothing", "crash", "close near", "close far")),
    far=deeds,
    blocks=st.sampled_from((0, 1, 2, 6, 12, 20, 30, 60)),
    late=st.booleans(),
    arrives=st.booleans(),
    betrays=st.booleans(),
)
stories = st.tuples(sides, st.integers(5_000_000, 90_000_000), expiries, st.integers(0, 11), plots)


class ThreeNodes(RuleBasedStateMachine):
    """Alice opened her channel to the middle, and the middle its own to Bob."""

    world: World
    columns = staticmethod(three_columns)

    @initialize(
        anchors=st.tuples(st.booleans(), st.booleans()),
        past=st.lists(st.tuples(sides, amounts, expiries, choices | st.none()), max_size=4),
        story=stories | st.none(),
    )
    @with_ladder
    def open(
        self,
        anchors: tuple[bool, bool],
        past: list[tuple[str, int, int, str | None]],
        story: tuple[str, int, int, int, Plot] | None,
    ) -> None:
        """Channels with a past: payments made, failed and still under way."""
        types = [ANCHORS_TYPE if a else STATIC_REMOTEKEY_TYPE for a in anchors]
        self.world = open_world(*types)
        for side, msat, expiry, then in past:
            self.pay(side, msat, expiry, CLTV_DELTA, twin=False)
            receiver = self.world.other(side).name
            if then is not None and self.world.resolvable(receiver):
                self.world.resolve(receiver, self.world.resolvable(receiver)[-1], then)
                self.world.settle()
        if story is not None:
            self.tell(story, [])

    def pay(self, side: str, msat: int, expiry: int, delta: int, *, twin: bool) -> None:
        self.world.offer(side, msat, expiry, delta=delta, twin=twin)
        self.world.settle()

    def ladder(self) -> list[str]:
        return self.world.ladder if hasattr(self, "world") else []

    def describe(self) -> str:
        return self.world.describe() if hasattr(self, "world") else ""

    # Off the chain

    @rule(
        side=sides,
        msat=amounts,
        expiry=expiries,
        more=st.sampled_from((0, 0, 0, 5, -1)),
        twin=st.booleans(),
        then=st.sampled_from(("wait", "near", "near", "settle", "settle")),
    )
    @with_ladder
    def offer(self, side: str, msat: int, expiry: int, more: int, twin: bool, then: str) -> None:
        self.world.offer(side, msat, expiry, delta=CLTV_DELTA + more, twin=twin)
        if then == "near":
            self.world.settle(side)
        elif then == "settle":
            self.world.settle()

    @rule(side=sides, data=st.data(), how=choices)
    @with_ladder
    def resolve(self, side: str, data: st.DataObject, how: str) -> None:
        """Off the chain, or on it."""
        open_ones = self.world.resolvable(side)
        if open_ones:
            self.world.resolve(side, data.draw(st.sampled_from(sorted(open_ones))), how)

    @rule(feerate=st.integers(253, 5000))
    @with_ladder
    def update_fee(self, feerate: int) -> None:
        self.world.update_fee(feerate)

    @rule(side=sides, count=st.integers(1, 4), to_middle=st.booleans())
    @with_ladder
    def deliver(self, side: str, count: int, to_middle: bool) -> None:
        for _ in range(count):
            if to_middle:
                self.world.deliver_to_middle(side)
            else:
                self.world.deliver_from_middle(side)

    @rule(sides=st.sampled_from(((), ("alice",), ("bob",))))
    @with_ladder
    def deliver_all(self, sides: tuple[str, ...]) -> None:
        self.world.settle(*sides)

    @rule(nth=st.integers(0, 4), after=st.booleans(), down_for=st.integers(0, LONGEST_LOSS))
    @with_ladder
    def crash_at_persist(self, nth: int, after: bool, down_for: int) -> None:
        self.world.crash_at_persist(nth, after=after, down_for=down_for)

    @precondition(lambda self: not self.world.middle.dead)
    @rule(which=st.sampled_from(("channeld", "onchaind")))
    @with_ladder
    def daemon_dies(self, which: str) -> None:
        if which == "channeld":
            self.world.middle.worker_dies()
        else:
            self.world.middle.onchaind_dies()
        self.world.tidy()

    @rule(side=sides)
    @with_ladder
    def cut_or_connect(self, side: str) -> None:
        if self.world.neighbours[side].line is None:
            self.world.connect(side)
        else:
            self.world.cut(side)

    @rule(side=sides)
    @with_ladder
    def go_silent(self, side: str) -> None:
        self.go_silent_now(side)

    # On the chain

    @rule(count=st.integers(1, 8), middle_first=st.booleans())
    @with_ladder
    def mine(self, count: int, middle_first: bool) -> None:
        self.world.mine(count, middle_first=middle_first)

    @rule(depth=st.integers(1, 2), amnesia=st.booleans())
    @with_ladder
    def reorg(self, depth: int, amnesia: bool) -> None:
        self.world.reorg(depth, amnesia=amnesia)

    @precondition(lambda self: len(self.world.ladder) > 80)
    @rule(side=sides, who=st.sampled_from(("neighbour", "neighbour", "middle")))
    @with_ladder
    def close(self, side: str, who: str) -> None:
        if who == "middle":
            self.world.middle_closes(side)
        else:
            self.world.close(side, "the user wants it")

    @rule(side=sides, which=st.integers(0, 20), blackout=st.integers(0, LONGEST_LOSS))
    @with_ladder
    def cheat(self, side: str, which: int, blackout: int) -> None:
        """In a blackout of the victim the cheater gets to its second stage."""
        if blackout:
            self.world.lose("middle", blackout)
        self.world.cheat(side, which)

    @rule(
        side=sides,
        msat=st.integers(5_000_000, 90_000_000),
        expiry=expiries,
        arrive=st.lists(st.tuples(sides, st.booleans()), max_size=12),
        closer=st.sampled_from(("near", "far", "middle")),
    )
    @with_ladder
    def close_in_the_middle(
        self, side: str, msat: int, expiry: int, arrive: list[tuple[str, bool]], closer: str
    ) -> None:
        """Some messages of a forward arrive, and then somebody closes."""
        world = self.world
        world.settle()
        world.offer(side, msat, expiry, delta=CLTV_DELTA, twin=False)
        for name, to_middle in arrive:
            (world.deliver_to_middle if to_middle else world.deliver_from_middle)(name)
        far = world.other(side).name
        if closer == "middle":
            world.middle_closes(far)
        else:
            world.close(side if closer == "near" else far, "in the middle of an update")

    @rule(
        story=stories,
        arrive=st.lists(st.tuples(sides, st.booleans()), max_size=12),
    )
    @with_ladder
    def story(self, story: tuple[str, int, int, int, Plot], arrive: list[tuple[str, bool]]) -> None:
        self.tell(story, arrive)

    def tell(self, story: tuple[str, int, int, int, Plot], arrive: list[tuple[str, bool]]) -> None:
        """A forward; its receiver decides; some messages arrive; then all do what they like, and time passes."""
        world = self.world
        side, msat, expiry, which, plot = story
        self.pay(side, msat, expiry, CLTV_DELTA, twin=False)
        far = world.other(side).name
        if not world.resolvable(far):
            return
        last = max(world.resolvable(far))
        if not plot.late:
            world.resolve(far, last, plot.how)
        for name, to_middle in arrive:
            (world.deliver_to_middle if to_middle else world.deliver_from_middle)(name)
        for _ in range(plot.heard):
            world.deliver_to_middle(far)
        if plot.arrives:
            world.settle(far)
        self.act(side, plot.near, which)
        self.act("middle", plot.middle, which, far=far)
        self.act(far, plot.far, which)
        world.mine(plot.blocks)
        again = "fulfill" if plot.betrays else plot.how
        if (plot.late or plot.betrays) and last in world.resolvable(far):
            world.resolve(far, last, again)

    def act(self, who: str, deed: str, which: int, *, far: str = "") -> None:
        """One of them does something that ends a forward in another way."""
        world = self.world
        match deed:
            case "silent":
                self.go_silent_now(who)
            case "close":
                world.close(who, "the user wants it")
            case "cheat":
                world.lose("middle", which % (LONGEST_LOSS + 1))
                world.cheat(who, which)
            case "crash":
                world.crash_at_persist(which % 3, after=which % 2 == 0, down_for=which % 4)
            case "close near":
                world.middle_closes(world.other(far).name)
            case "close far":
                world.middle_closes(far)
            case _:
                pass

    def go_silent_now(self, side: str) -> None:
        near = self.world.neighbours[side]
        near.silent = near.line is not None
        self.world.ladder.append(f"{side:>6} goes silent")

    @rule(who=anybody, blocks=st.integers(1, LONGEST_LOSS))
    @with_ladder
    def lose_broadcasts(self, who: str, blocks: int) -> None:
        self.world.lose(who, blocks)

    @rule(feerate=st.sampled_from((253, 253, 1200, 3000, 8000)))
    @with_ladder
    def minimum_feerate(self, feerate: int) -> None:
        self.world.raise_feerate(feerate)

    @invariant()
    @with_ladder
    def nobody_breaks_rules(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """Blocks until it is quiet: everything is resolved, and the middle has lost nothing."""
        if hasattr(self, "world"):
            try:
                self.end()
            finally:
                self.world.close_all()

    @with_ladder
    def end(self) -> None:
        self.world.quieten()
        End(self.world).check()


TestThreeNodes = pytest.mark.timeout(600)(ThreeNodes.TestCase)
TestThreeNodes.settings = settings(max_examples=20, stateful_step_count=25)


@pytest.mark.parametrize("number", range(len(PLOTS)))
def test_each_plot(number: int) -> None:
    """What chance tells seldom."""
    machine = ThreeNodes()
    side = "alice" if number % 3 else "bob"
    story = side, 20_000_000, 12, number, PLOTS[number]
    machine.open(anchors=(number % 2 == 0, number % 4 < 2), past=[], story=story)
    machine.nobody_breaks_rules()
    machine.teardown()


@pytest.mark.parametrize("after", [False, True])
def test_the_middle_crashes_at_each_commit_of_a_forward(after: bool) -> None:
    """Whatever is lost with it, the HTLC ends the same way on both sides once all are connected again."""
    for nth in range(40):
        world = open_world(ANCHORS_TYPE, ANCHORS_TYPE)
        try:
            died = _forward_with_a_crash(world, nth, after=after)
        finally:
            world.close_all()
        if not died:
            assert nth > 8, "it hardly wrote anything"
            return
    raise AssertionError("a forward never takes so many commits")


def _forward_with_a_crash(world: World, nth: int, *, after: bool) -> bool:
    """Whether it came to that commit."""
    world.crash_at_persist(nth, after=after, down_for=0)
    world.offer("alice", 20_000_000, 20, delta=CLTV_DELTA, twin=False)
    _calm(world)
    for htlc_id in list(world.resolvable("bob")):
        world.resolve("bob", htlc_id, "fulfill")
    _calm(world)
    world.check()
    world.check_at_rest()
    alice, bob = (world.neighbours[name].master for name in ("alice", "bob"))
    assert not alice.htlcs
    assert not bob.htlcs
    paid = [n for n in (True, False) if n in bob.outcomes.values()]
    if alice.outcomes:
        assert [alice.outcomes[True, 0]] == (paid or [False])
    else:
        assert not paid, "Alice's offer was lost with the connection"
    return "middle CRASHES" in world.ladder


def _calm(world: World) -> None:
    """All are connected, and nothing is on its way."""
    world.settle()
    for name in ("alice", "bob"):
        world.connect(name)
    world.settle()


def test_an_offer_that_no_commitment_covers_fails_back() -> None:
    """The next channel goes to the chain while one HTLC is signed for and another waits."""
    world = open_world(ANCHORS_TYPE, ANCHORS_TYPE)
    try:
        for msat in (20_000_000, 30_000_000):
            world.offer("alice", msat, 20, delta=CLTV_DELTA, twin=False)
            world.settle("alice")
        world.middle_closes("bob")
        world.settle("alice")
        alice = world.neighbours["alice"].master
        assert alice.outcomes == {(True, 1): False}
        world.quieten()
        End(world).check()
    finally:
        world.close_all()
