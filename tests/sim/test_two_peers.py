"""Two channel machines under everything that can happen to them (STYLE: the model).

Rules are what users, peers and fate do; invariants hold after each of them. A failure prints the ladder.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE
from pylightningd.common.wire import channeld_wire as cw
from tests.sim.ladder import with_ladder
from tests.sim.peers import Pair, Peer

sides = st.sampled_from(("alice", "bob"))
amounts = st.one_of(
    st.integers(1, 2_000_000),
    st.integers(1, 150_000_000),
    st.sampled_from((546_000, 353_999, 354_000)),
)


class TwoPeers(RuleBasedStateMachine):
    """Alice opened the channel; both may do all."""

    pair: Pair

    @initialize(anchors=st.booleans())
    def open(self, anchors: bool) -> None:
        self.pair = Pair.open(channel_type=ANCHORS_TYPE if anchors else STATIC_REMOTEKEY_TYPE)
        self.pair.connect(fresh=True)

    def ladder(self) -> list[str]:
        return self.pair.ladder if hasattr(self, "pair") else []

    def describe(self) -> str:
        return ""

    def peer(self, name: str) -> Peer:
        return self.pair.alice if name == "alice" else self.pair.bob

    @rule(side=sides, msat=amounts, times=st.integers(1, 3))
    def offer(self, side: str, msat: int, times: int) -> None:
        if not self.pair.connected and msat % 4:
            self.pair.connect()
            self.pair.settle()
        for _ in range(times):
            self.pair.offer(self.peer(side), msat)

    @rule(
        side=sides, data=st.data(), how=st.sampled_from(("fulfill", "fulfill", "fail", "malformed"))
    )
    def resolve(self, side: str, data: st.DataObject, how: str) -> None:
        peer = self.peer(side)
        if peer.master.resolvable:
            self.pair.resolve(peer, data.draw(st.sampled_from(peer.master.resolvable)), how)

    @rule(feerate=st.integers(253, 5000))
    def update_fee(self, feerate: int) -> None:
        msg = cw.ChanneldFeerates(
            dbid=1, feerate_perkw=feerate, feerate_min_perkw=253, feerate_max_perkw=100_000
        )
        self.pair.guarded(self.pair.alice, lambda: self.pair.alice.master_says(msg))

    @precondition(lambda self: len(self.pair.ladder) > 60)
    @rule(side=sides)
    def shut_down(self, side: str) -> None:
        peer = self.peer(side)
        master = peer.master
        master.row = replace(master.row, local_shutdown_script=master.script)
        self.pair.say(peer, cw.ChanneldShutdown(dbid=1, script=master.script))

    @rule(side=sides, count=st.integers(1, 4))
    def deliver(self, side: str, count: int) -> None:
        for _ in range(count):
            self.pair.deliver_one(self.peer(side))

    @rule()
    def deliver_all(self) -> None:
        self.pair.settle()

    @rule(side=sides)
    def neighbours_slow(self, side: str) -> None:
        self.peer(side).slow = True

    @rule(side=sides)
    def neighbours_answer(self, side: str) -> None:
        peer = self.peer(side)
        peer.slow = False
        self.pair.guarded(peer, peer.answer_all)

    @rule(side=sides, nth=st.integers(0, 3), after=st.booleans())
    def crash_at_persist(self, side: str, nth: int, after: bool) -> None:
        peer = self.peer(side)
        peer.crash_in, peer.crash_after = nth, after

    @rule(side=sides)
    def crash_now(self, side: str) -> None:
        self.pair.crash(self.peer(side))

    @precondition(lambda self: self.pair.connected)
    @rule()
    def cut(self) -> None:
        self.pair.cut()

    @precondition(lambda self: not self.pair.connected)
    @rule()
    def reconnect(self) -> None:
        self.pair.connect()

    @invariant()
    @with_ladder
    def money_and_numbers_agree(self) -> None:
        if hasattr(self, "pair"):
            self.pair.check()

    @with_ladder
    def teardown(self) -> None:
        """Let it become quiet: everything is resolved, and both sides say the same."""
        if not hasattr(self, "pair"):
            return
        pair = self.pair
        for peer in pair.both:
            peer.crash_in = -1
        pair.settle()
        if not pair.connected:
            pair.connect()
        pair.settle()
        pair.check_at_rest()
        for peer in pair.both:
            for htlc_id in list(peer.master.resolvable):
                pair.resolve(peer, htlc_id, "fulfill")
        pair.settle()
        pair.check()
        pair.check_at_rest()
        for peer in pair.both:
            assert not peer.master.htlcs, "no HTLC is stuck"
            assert not peer.master.offers
            done = [m for m in peer.master.told if isinstance(m, cw.ChanneldShutdownComplete)]
            assert bool(done) == bool(peer.master.row.local_shutdown_script)
            for cookie, htlc_id in peer.master.accepted.items():
                mine = peer.master.outcomes[True, htlc_id]
                assert mine == pair.other(peer).master.outcomes[False, htlc_id], cookie


TestTwoPeers = TwoPeers.TestCase
TestTwoPeers.settings = settings(max_examples=120, stateful_step_count=40)
