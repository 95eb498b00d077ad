"""Alice, the real master in the middle, and Bob: every HTLC that is paid to one side is paid by the other.

Rules are what users, peers, miners and fate do; invariants hold after each of them; at the end blocks come until all is
quiet. The neighbours go silent, decide late, close, cheat, claim on the chain what they had failed; the middle crashes
before and after commits, loses its daemons, its connections and its broadcasts. A failure prints the ladder of all three.
"""

from __future__ import annotations

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
near_deeds = st.sampled_from(("nothing", "silent", "silent", "silent", "close", "cheat"))
middle_deeds = st.sampled_from(("nothing", "crash", "crash", "close near", "close far"))
far_deeds = st.sampled_from(("nothing", "nothing", "silent", "close", "close", "cheat"))


class ThreeNodes(RuleBasedStateMachine):
    """Alice opened her channel to the middle, and the middle its own to Bob."""

    world: World
    columns = staticmethod(three_columns)

    @initialize(
        anchors=st.tuples(st.booleans(), st.booleans()),
        past=st.lists(st.tuples(sides, amounts, expiries, choices | st.none()), max_size=4),
    )
    @with_ladder
    def open(
        self,
        anchors: tuple[bool, bool],
        past: list[tuple[str, int, int, str | None]],
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
        then=st.sampled_from(("wait", "settle", "settle")),
    )
    @with_ladder
    def offer(self, side: str, msat: int, expiry: int, more: int, twin: bool, then: str) -> None:
        self.world.offer(side, msat, expiry, delta=CLTV_DELTA + more, twin=twin)
        if then == "settle":
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

    @rule()
    @with_ladder
    def deliver_all(self) -> None:
        self.world.settle()

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
        side=sides,
        msat=st.integers(5_000_000, 90_000_000),
        expiry=expiries,
        how=choices,
        arrive=st.lists(st.tuples(sides, st.booleans()), max_size=12),
        deeds=st.tuples(near_deeds, middle_deeds, far_deeds),
        which=st.integers(0, 9),
        blocks=st.sampled_from((0, 1, 2, 6, 12, 20, 30)),
        late=st.booleans(),
    )
    @with_ladder
    def story(
        self,
        side: str,
        msat: int,
        expiry: int,
        how: str,
        arrive: list[tuple[str, bool]],
        deeds: tuple[str, str, str],
        which: int,
        blocks: int,
        late: bool,
    ) -> None:
        """A forward; its receiver decides, now or late; some messages arrive; then all do what they like, and time passes."""
        world = self.world
        self.pay(side, msat, expiry, CLTV_DELTA, twin=False)
        far = world.other(side).name
        if not world.resolvable(far):
            return
        last = max(world.resolvable(far))
        if not late:
            world.resolve(far, last, how)
        for name, to_middle in arrive:
            (world.deliver_to_middle if to_middle else world.deliver_from_middle)(name)
        self.act(side, deeds[0], which)
        self.act("middle", deeds[1], which, far=far)
        self.act(far, deeds[2], which)
        world.mine(blocks)
        if late and last in world.resolvable(far):
            world.resolve(far, last, how)

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


TestThreeNodes = ThreeNodes.TestCase
TestThreeNodes.settings = settings(max_examples=30, stateful_step_count=25)
