"""Whom the seeker asks, and when."""

from __future__ import annotations

from pylightningd.common.wire import peer_wire as pw
from tests.gossipd import world as w


def questions(world: w.World, connection: int) -> int:
    """How many query_channel_range a peer was sent."""
    kind = pw.QueryChannelRange.TYPE.to_bytes(2, "big")
    return sum(c == connection and raw[:2] == kind for c, raw in world.port.sent)


def list_of(*channels: int) -> bytes:
    """A whole answer."""
    scids = b"".join(w.scid(n).to_bytes(8, "big") for n in channels)
    return pw.ReplyChannelRange(
        chain_hash=w.CHAIN,
        first_blocknum=0,
        number_of_blocks=0xFFFFFFFF,
        sync_complete=1,
        encoded_short_ids=b"\0" + scids,
        tlvs=pw.ReplyChannelRangeTlvs(),
    ).encode()


def test_a_late_answer_is_an_answer() -> None:
    """A node that was busy, or stopped for a while, is not to blame; and it is not asked twice meanwhile."""
    world = w.World()
    world.connect(1, 1)
    world.gossip.room(1)
    assert questions(world, 1) == 1
    late = int(world.gossip.seeker.pace.answer) + 1
    for later in (late, late + 7200):
        world.gossip.tick(w.NOW + later)
        world.gossip.room(1)
    assert questions(world, 1) == 1
    world.connect(2, 2)
    world.gossip.room(2)
    assert questions(world, 2) == 1, "others are asked meanwhile"
    world.receive(1, list_of(5))
    assert not world.port.warned
    world.gossip.tick(w.NOW + later + 1)
    for connection in (1, 2):
        world.gossip.room(connection)
    kind = pw.QueryShortChannelIds.TYPE.to_bytes(2, "big")
    assert any(raw[:2] == kind for _, raw in world.port.sent), "what it told of is asked for"
    world.receive(1, list_of(5))
    assert world.port.warned, "a second answer to one question"
