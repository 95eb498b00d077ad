"""What is taken, kept waiting, refused."""

from __future__ import annotations

import pytest

from pylightningd.common.wire import gossipd_wire as gw
from pylightningd.common.wire.peer_wire import ChannelAnnouncement
from pylightningd.gossipd.pending import Pending, PendingChannels
from pylightningd.gossipd.store import DELETED, DYING, scan
from tests.gossipd import world as w


@pytest.fixture
def world() -> w.World:
    made = w.World()
    made.connect(1, 1)
    made.gossip.room(1)
    made.gossip.room(1)
    made.port.sent.clear()
    return made


def types(world: w.World) -> list[int]:
    return [r.type for r in scan(bytes(world.store.buf)) if not r.flags & DELETED]


def test_channel_needs_chain_and_update(world: w.World) -> None:
    world.receive(1, w.announcement(1, 2, 1))
    assert world.port.asked == [w.scid(1)]
    assert world.gossip.graph.get(w.scid(1)) is None
    world.confirm(1, 2, 1)
    assert world.gossip.graph.get(w.scid(1)) is None
    world.receive(1, w.update(1, 2, 1))
    assert types(world) == [4107, 256, 4101, 258]
    direction = int(w.node(1) > w.node(2))
    line = f"Received channel_update for channel {w.scid(1)}/{direction} now ACTIVE"
    assert line in world.port.texts()


def test_early_messages_wait_with_the_channel(world: w.World) -> None:
    world.receive(
        1, w.announcement(1, 2, 1), w.update(2, 1, 1), w.update(1, 2, 1), w.node_announcement(2)
    )
    world.confirm(1, 2, 1)
    assert types(world) == [4107, 256, 4101, 258, 258, 257]
    assert f"Received node_announcement for node {w.node(2).hex()}" in world.port.texts()


@pytest.mark.parametrize("bad", range(4))
def test_each_signature_counts(world: w.World, bad: int) -> None:
    world.receive(1, w.announcement(1, 2, 1, bad=bad))
    assert world.port.warned
    assert world.port.asked == []


def test_update_by_somebody_else(world: w.World) -> None:
    world.publish(1, 2, 1)
    fake = bytearray(w.update(1, 2, 1, timestamp=w.NOW + 5))
    fake[120] ^= 1
    world.receive(1, bytes(fake))
    assert "Bad signature" in world.port.warned[0][1]


def test_old_and_future_updates_are_ignored(world: w.World) -> None:
    world.publish(1, 2, 1)
    end = world.store.end
    for timestamp in (w.NOW, w.NOW - 1, w.NOW - 15 * 86400, w.NOW + 2 * 86400):
        world.receive(1, w.update(1, 2, 1, timestamp=timestamp, base=7))
    assert world.store.end == end
    assert not world.port.warned


def test_newer_update_replaces(world: w.World) -> None:
    world.publish(1, 2, 1)
    world.receive(1, w.update(1, 2, 1, timestamp=w.NOW + 1, disabled=True))
    assert types(world).count(258) == 2
    assert any(t.endswith("now DISABLED") for t in world.port.texts())


def test_wrong_output(world: w.World) -> None:
    world.receive(1, w.announcement(1, 2, 1))
    world.gossip.txout(w.scid(1), 1000, b"\x00\x14" + bytes(20))
    assert "expected" in world.port.warned[0][1]
    world.receive(1, w.announcement(1, 2, 1))
    assert world.port.asked == [w.scid(1)], "asked for once"


def test_spent_output_is_no_fault(world: w.World) -> None:
    world.receive(1, w.announcement(1, 2, 1))
    world.gossip.txout(w.scid(1), 0, b"")
    assert not world.port.warned


def test_too_young_channel_waits_for_blocks(world: w.World) -> None:
    world.gossip.intake.height = 100
    world.receive(1, w.announcement(1, 2, 1))
    assert world.port.asked == []
    world.gossip.intake.new_height(105)
    assert world.port.asked == []
    world.gossip.intake.new_height(106)
    assert world.port.asked == [w.scid(1)]


def test_spent_channel_dies_slowly(world: w.World) -> None:
    world.publish(1, 2, 1)
    world.receive(1, w.node_announcement(1))
    world.gossip.intake.spent(1001, (w.scid(1),))
    dying = [r.type for r in scan(bytes(world.store.buf)) if r.flags & DYING]
    assert dying == [256, 258, 258]
    world.gossip.intake.new_height(1001 + 71)
    assert world.gossip.graph.get(w.scid(1)) is not None
    world.gossip.intake.new_height(1001 + 72)
    assert types(world) == [4107, 4103]
    assert world.gossip.counts() == (0, 0)


def test_pruning_after_two_weeks(world: w.World) -> None:
    world.publish(1, 2, 1)
    world.gossip.intake.prune(w.NOW + 13 * 86400)
    assert world.gossip.counts() == (1, 2)
    world.gossip.intake.prune(w.NOW + 15 * 86400)
    assert world.gossip.counts() == (0, 0)


def test_pruning_after_two_minutes_for_tests() -> None:
    world = w.World(fast_prune=True)
    world.connect(1, 1)
    world.publish(1, 2, 1)
    for seconds, left in ((1, 1), (100, 1), (131, 0)):
        world.gossip.tick(w.NOW + seconds)
        assert len(world.gossip.graph.channels) == left


def test_own_gossip_with_known_amount(world: w.World) -> None:
    me = world.me
    assert world.gossip.add(w.announcement(me, 2, 1), 5000, w.NOW) == ""
    assert world.gossip.add(w.update(me, 2, 1), None, w.NOW) == ""
    assert world.port.asked == []
    channel = world.gossip.graph.get(w.scid(1))
    assert channel is not None and channel.amount_sat == 5000
    world.gossip.room(1)
    assert [raw[:2] for _, raw in world.port.sent] == [b"\1\0", b"\1\2"], "told at once"
    assert world.gossip.add(w.update(me, 3, 2), None, w.NOW) == f"Unknown channel {w.scid(2)}"


def test_private_update_of_our_peer_goes_to_the_master(world: w.World) -> None:
    world.gossip.our_channel(w.scid(7), w.node(1))
    raw = w.update(1, world.me, 7)
    world.receive(1, raw, raw)
    assert world.port.told == [gw.GossipdRemoteUpdate(peer_id=w.node(1), msg=raw)]
    assert types(world) == [4107]


def test_addresses(world: w.World) -> None:
    world.publish(1, 2, 1)
    world.receive(1, w.node_announcement(1, addresses=bytes((1, 127, 0, 0, 1, 0x26, 0x07))))
    assert world.gossip.addresses(w.node(1)) == ("127.0.0.1:9735",)
    assert world.gossip.addresses(w.node(9)) == ()


def test_nodes_announcement_moves_behind_its_oldest_channel(world: w.World) -> None:
    world.publish(1, 2, 1)
    world.receive(1, w.node_announcement(1))
    world.publish(1, 3, 2)
    world.gossip.intake.spent(1001, (w.scid(1),))
    world.gossip.intake.new_height(1100)
    assert types(world) == [4107, 256, 4101, 258, 258, 4103, 257]


def test_rate_limit() -> None:
    world = w.World(fast=False)
    world.connect(1, 1)
    world.publish(1, 2, 1)
    for n in range(1, 20):
        world.receive(1, w.update(1, 2, 1, timestamp=w.NOW + n))
    channel = world.gossip.graph.get(w.scid(1))
    assert channel is not None
    newest = max(u.timestamp for u in channel.updates if u is not None)
    assert newest == w.NOW + 10


def test_pending_is_bounded_and_found_by_node() -> None:
    pending = PendingChannels(limit=2)
    for n in (1, 2, 3):
        raw = w.announcement(n, n + 1, n)
        pending.add(Pending(ChannelAnnouncement.decode(raw), raw, 1))
    assert [p.msg.short_channel_id for p in pending] == [w.scid(2), w.scid(3)]
    assert pending.dropped == 1
    assert pending.with_node(w.node(1)) == []
    assert len(pending.with_node(w.node(3))) == 2
    pending.remove(w.scid(2))
    assert len(pending.with_node(w.node(3))) == 1


def test_refusals_are_forgotten_once_a_day(world: w.World) -> None:
    world.receive(1, w.announcement(1, 2, 1))
    world.gossip.txout(w.scid(1), 0, b"")
    world.receive(1, w.announcement(1, 2, 1))
    assert len(world.port.asked) == 1
    world.gossip.intake.new_height(144 * 8)
    world.receive(1, w.announcement(1, 2, 1))
    assert len(world.port.asked) == 2


def test_what_our_peer_said_before_the_announcement_counts(world: w.World) -> None:
    me = world.me
    world.gossip.our_channel(w.scid(1), w.node(2))
    world.receive(1, w.update(2, me, 1), w.node_announcement(2))
    assert types(world) == [4107]
    assert world.gossip.add(w.announcement(me, 2, 1), 5000, w.NOW) == ""
    assert types(world) == [4107, 256, 4101, 258, 257]
    assert world.gossip.add(w.update(me, 2, 1), None, w.NOW) == ""
    assert types(world) == [4107, 256, 4101, 258, 257, 258]
