"""Two cores that tell each other what they know."""

from __future__ import annotations

import pytest

from pylightningd.common.wire import peer_wire as pw
from tests.gossipd import world as w


def full(me: int, channels: range) -> w.World:
    world = w.World(me)
    world.connect(9, 9, b"")
    for n in channels:
        world.publish(n, n + 1, n, connection=9)
    world.receive(9, *[w.node_announcement(n) for n in channels])
    world.gossip.peer_gone(9, w.NOW)
    world.port.sent.clear()
    return world


def meet(left: w.World, right: w.World, features: bytes = w.QUERIES) -> None:
    left.connect(1, right.me, features)
    right.connect(1, left.me, features)
    w.exchange(left, right)
    for later in range(1, 40):
        left.gossip.tick(w.NOW + later)
        right.gossip.tick(w.NOW + later)
        w.exchange(left, right)


def same(left: w.World, right: w.World) -> None:
    assert left.gossip.counts() == right.gossip.counts()
    assert left.gossip.graph.channels.keys() == right.gossip.graph.channels.keys()
    for node_id, node in left.gossip.graph.nodes.items():
        assert right.gossip.graph.nodes[node_id].timestamp == node.timestamp
    assert not left.port.warned and not right.port.warned


def test_empty_node_learns_all() -> None:
    left, right = full(50, range(1, 8)), w.World(51)
    meet(left, right)
    assert right.gossip.counts() == (7, 8)
    same(left, right)


@pytest.mark.parametrize("features", [w.QUERIES, bytes((0xC0,))])
def test_both_know_something(features: bytes) -> None:
    left, right = full(50, range(1, 6)), full(51, range(4, 12))
    meet(left, right, features)
    assert left.gossip.counts() == (11, 12)
    same(left, right)


def test_missed_update_is_found_by_timestamps() -> None:
    left, right = full(50, range(1, 4)), full(51, range(1, 4))
    left.connect(9, 9, b"")
    left.receive(9, w.update(1, 2, 1, timestamp=w.NOW + 3))
    left.gossip.peer_gone(9, w.NOW)
    left.port.sent.clear()
    # Without a stream, the list alone must tell.
    for world in (left, right):
        world.gossip.seeker.streams = set(range(100, 110))
    left.connect(1, 51)
    right.connect(1, 50)
    w.exchange(left, right)
    for later in range(12):
        right.gossip.tick(w.NOW + later)
        w.exchange(left, right)
    mine = right.gossip.graph.channels[w.scid(1)].updates
    assert max(u.timestamp for u in mine if u is not None) == w.NOW + 3


def test_never_back_to_the_sender() -> None:
    world = w.World()
    world.connect(1, 1)
    world.connect(2, 2)
    for connection in (1, 2):
        msg = pw.GossipTimestampFilter(
            chain_hash=w.CHAIN, first_timestamp=0, timestamp_range=0xFFFFFFFF
        )
        world.receive(connection, msg.encode())
        world.gossip.room(connection)
    world.port.sent.clear()
    world.publish(1, 2, 1)
    world.gossip.tick(w.NOW + 5)
    gossip = [(c, raw[:2]) for c, raw in world.port.sent if raw[0] == 1 and raw[1] < 3]
    assert [c for c, _ in gossip] == [2, 2, 2]


def test_a_slow_peer_gets_one_batch() -> None:
    world = full(50, range(1, 4))
    world.connect(1, 1)
    world.port.sent.clear()
    everything = pw.GossipTimestampFilter(
        chain_hash=w.CHAIN, first_timestamp=0, timestamp_range=0xFFFFFFFF
    )
    world.receive(1, everything.encode())
    assert world.port.sent == [], "the seeker's questions are not yet on their way"
    world.gossip.room(1)
    assert len(world.port.sent) == 13, "a question and all the gossip"
    world.gossip.tick(w.NOW + 100)
    assert len(world.port.sent) == 13


def test_filter_by_timestamp() -> None:
    world = full(50, range(1, 4))
    world.connect(1, 1, b"")
    world.gossip.room(1)
    world.port.sent.clear()
    future = pw.GossipTimestampFilter(
        chain_hash=w.CHAIN, first_timestamp=w.NOW + 1, timestamp_range=1000
    )
    world.receive(1, future.encode())
    assert world.port.sent == []


def test_unasked_replies_are_warned_about() -> None:
    world = w.World()
    world.connect(1, 1, b"")
    end = pw.ReplyShortChannelIdsEnd(chain_hash=w.CHAIN, full_information=1)
    world.receive(1, end.encode())
    assert world.port.warned
