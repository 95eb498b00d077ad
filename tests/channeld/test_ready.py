"""channel_ready."""

from __future__ import annotations

from dataclasses import replace

from pylightningd.channeld.state import Phase
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import SWEAR_WORDS, add, failures, last_message, reach_normal, traced
from tests.sim.peers import Pair


def depth(blocks: int) -> cw.ChanneldFundingDepth:
    return cw.ChanneldFundingDepth(dbid=1, depth=blocks)


def opened(**kwargs: bool) -> Pair:
    pair = Pair.open(ready=False)
    pair.connect(**kwargs)
    pair.settle()
    return pair


def test_it_is_sent_at_minimum_depth_and_not_again() -> None:
    pair = opened(fresh=True)
    assert traced(pair.alice, lambda: pair.say(pair.alice, depth(0))) == []
    trace = traced(pair.alice, lambda: pair.say(pair.alice, depth(1)))
    assert trace == [cw.ChanneldSendingChannelReady, pw.ChannelReady]
    assert last_message(pair.alice).tlvs.short_channel_id == pair.alice.channel.local_alias
    assert traced(pair.alice, lambda: pair.say(pair.alice, depth(2))) == []


def test_both_make_the_channel_normal() -> None:
    pair = opened(fresh=True)
    for peer in pair.both:
        pair.say(peer, depth(3))
    pair.settle()
    assert all(p.channel.phase is Phase.NORMAL for p in pair.both)
    pair.offer(pair.bob, 1_000_000)
    pair.settle()
    assert pair.alice.master.resolvable == [0]


def test_zero_conf_is_ready_at_once() -> None:
    pair = Pair.open(ready=False)
    pair.alice.master.row = replace(pair.alice.master.row, minimum_depth=0)
    pair.alice.start()
    pair.connect(fresh=True)
    assert isinstance(last_message(pair.alice), pw.ChannelReady)


def test_depth_reached_while_offline() -> None:
    pair = Pair.open(ready=False)
    pair.say(pair.alice, depth(1))
    assert not pair.alice.trace
    pair.connect()
    assert pw.ChannelReady not in pair.alice.trace
    pair.settle()
    assert pw.ChannelReady in pair.alice.trace


def test_it_is_sent_again_while_nothing_is_committed() -> None:
    pair = reach_normal()
    pair.cut()
    pair.connect()
    trace = traced(pair.alice, pair.settle)
    assert pw.ChannelReady in trace
    pair.offer(pair.alice, 1_000_000)
    pair.settle()
    pair.cut()
    pair.connect()
    assert pw.ChannelReady not in traced(pair.alice, pair.settle)


def test_a_redundant_one_is_ignored() -> None:
    pair = reach_normal()
    point = pair.alice.channel.remote_next_point
    msg = pw.ChannelReady(
        channel_id=pair.alice.channel.facts.channel_id,
        second_per_commitment_point=pair.bob.hsmd.node_id,
    )
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == []
    assert pair.alice.channel.remote_next_point == point


def test_htlcs_before_it_are_refused() -> None:
    pair = opened(fresh=True)
    assert traced(pair.bob, lambda: pair.bob.deliver(add().encode())) == SWEAR_WORDS
    assert "before channel_ready" in failures(pair.bob)[0].reason


def test_bad_point() -> None:
    pair = opened(fresh=True)
    msg = pw.ChannelReady(
        channel_id=pair.alice.channel.facts.channel_id,
        second_per_commitment_point=b"\x02" + b"\xff" * 32,
    )
    assert traced(pair.alice, lambda: pair.alice.deliver(msg.encode())) == SWEAR_WORDS
