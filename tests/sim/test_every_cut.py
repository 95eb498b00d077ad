"""The connection breaks at every position of every conversation of a channel, also while it is taken up again.

Each scenario is played once without a cut to learn how many messages it has, then once for each position of
a cut and each order of delivery, and once for each pair of positions, so that reestablishing is cut as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE, ChannelType
from pylightningd.common.wire import channeld_wire as cw
from tests.sim.peers import Pair, Peer

AMOUNT_MSAT = 20_000_000
Stage = Callable[[Pair], None]


def offer(*names: str) -> Stage:
    """Payments, one by each of these sides, at once."""

    def stage(pair: Pair) -> None:
        for name in names:
            pair.offer(getattr(pair, name), AMOUNT_MSAT)

    return stage


def resolve(how: str) -> Stage:
    """Whoever holds an HTLC ends it so. Where the offer was lost there is none."""

    def stage(pair: Pair) -> None:
        for peer in pair.both:
            for htlc_id in list(peer.master.resolvable):
                pair.resolve(peer, htlc_id, how)

    return stage


def new_fee(pair: Pair) -> None:
    """The opener wants another feerate."""
    msg = cw.ChanneldFeerates(
        dbid=1, feerate_perkw=2500, feerate_min_perkw=253, feerate_max_perkw=100_000
    )
    pair.say(pair.alice, msg)


def ready(pair: Pair) -> None:
    """The funding transaction is deep enough for both."""
    for peer in pair.both:
        peer.master.row = replace(peer.master.row, depth=1)
        msg = cw.ChanneldFundingDepth(dbid=1, depth=1, short_channel_id=None, local_alias=None)
        pair.say(peer, msg)


def shut_down(name: str) -> Stage:
    """One side wants to close."""

    def stage(pair: Pair) -> None:
        peer: Peer = getattr(pair, name)
        script = peer.master.script
        peer.master.row = replace(peer.master.row, local_shutdown_script=script)
        pair.say(peer, cw.ChanneldShutdown(dbid=1, script=script))

    return stage


def together(*stages: Stage) -> Stage:
    """All at the same moment."""

    def stage(pair: Pair) -> None:
        for each in stages:
            each(pair)

    return stage


@dataclass(frozen=True)
class Scenario:
    """What happens, stage by stage; each begins when nothing more is on its way."""

    name: str
    stages: tuple[Stage, ...]
    is_ready: bool = True
    closes: bool = False


SCENARIOS = (
    Scenario("ready", (ready, offer("alice"), resolve("fulfill")), is_ready=False),
    Scenario("fulfill", (offer("alice"), resolve("fulfill"))),
    Scenario("fail", (offer("bob"), resolve("fail"))),
    Scenario("malformed", (offer("alice"), resolve("malformed"))),
    Scenario("both ways", (offer("alice", "bob"), resolve("fulfill"))),
    Scenario("fee", (new_fee,)),
    Scenario(
        "fee and payments",
        (together(new_fee, offer("bob", "alice")), together(new_fee, resolve("fail"))),
    ),
    Scenario("shutdown of the opener", (shut_down("alice"),), closes=True),
    Scenario("shutdown of the other", (shut_down("bob"),), closes=True),
    Scenario(
        "shutdown with an HTLC",
        (offer("alice"), shut_down("bob"), resolve("fulfill")),
        closes=True,
    ),
    Scenario(
        "both shut down and pay",
        (
            offer("alice", "bob"),
            together(shut_down("alice"), shut_down("bob")),
            resolve("fulfill"),
        ),
        closes=True,
    ),
)
# Two channel_reestablish, and the first of what is sent again.
REESTABLISHING = 4
ORDERS = ("alice first", "bob first", "in turn")


class Play:
    """One run of a scenario, with cuts before certain deliveries."""

    def __init__(
        self, scenario: Scenario, order: str, channel_type: ChannelType, cuts: tuple[int, ...] = ()
    ) -> None:
        self.scenario = scenario
        self.order = order
        self.cuts = cuts
        self.delivered = 0
        self.pair = Pair.open(channel_type=channel_type, ready=scenario.is_ready)
        self.pair.connect(fresh=True)

    def run(self) -> int:
        """Play it to its end and check all; returns how many messages were delivered."""
        try:
            for stage in self.scenario.stages:
                stage(self.pair)
                self._quiet()
            # A cut may have come between an HTLC and who ends it.
            resolve("fulfill")(self.pair)
            self._quiet()
            self._check()
        except Exception as error:
            ladder = "\n".join(self.pair.ladder)
            raise AssertionError(f"{self.scenario.name}, cuts {self.cuts}:\n{ladder}") from error
        return self.delivered

    def _quiet(self) -> None:
        while True:
            self._maybe_cut()
            if not self._deliver():
                return
            self.delivered += 1
            self.pair.check()

    def _maybe_cut(self) -> None:
        while self.delivered in self.cuts:
            # Each cut once: the positions count what was delivered, before and behind a cut.
            self.cuts = tuple(c for c in self.cuts if c != self.delivered)
            self.pair.cut()
            self.pair.check()
            self.pair.connect()

    def _deliver(self) -> bool:
        first, second = self.pair.both
        swap = self.order == "bob first" or (self.order == "in turn" and self.delivered % 2 == 1)
        if swap:
            first, second = second, first
        return self.pair.deliver_one(first) or self.pair.deliver_one(second)

    def _check(self) -> None:
        pair = self.pair
        pair.check_at_rest()
        for peer in pair.both:
            master = peer.master
            assert not master.htlcs, "no HTLC is stuck"
            assert not master.offers, "every offer was taken or refused"
            done = [m for m in master.told if isinstance(m, cw.ChanneldShutdownComplete)]
            assert bool(done) == self.scenario.closes
            assert master.row.sent_channel_ready
            assert master.row.got_channel_ready
            for htlc_id in master.accepted.values():
                assert (
                    master.outcomes[True, htlc_id]
                    == pair.other(peer).master.outcomes[False, htlc_id]
                )


def one_cut(length: int) -> Iterator[tuple[int, ...]]:
    """Before each message, and behind the last."""
    for first in range(length + 1):
        yield (first,)


def two_cuts(length: int) -> Iterator[tuple[int, ...]]:
    """Before each message, and then again while the channel is taken up."""
    for first in range(length + 1):
        for second in range(first + 1, first + 1 + REESTABLISHING):
            yield (first, second)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name.replace(" ", "-"))
@pytest.mark.parametrize("order", ORDERS)
def test_one_cut(scenario: Scenario, order: str) -> None:
    channel_type = STATIC_REMOTEKEY_TYPE if order == "bob first" else ANCHORS_TYPE
    length = Play(scenario, order, channel_type).run()
    for cuts in one_cut(length):
        Play(scenario, order, channel_type, cuts).run()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name.replace(" ", "-"))
def test_two_cuts(scenario: Scenario) -> None:
    length = Play(scenario, "in turn", ANCHORS_TYPE).run()
    for cuts in two_cuts(length):
        Play(scenario, "in turn", ANCHORS_TYPE, cuts).run()
