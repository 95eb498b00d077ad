"""Version 2 in the shell: the peer's first commitment_signed must not get lost, on either side."""

from __future__ import annotations

import pytest

from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.connectd_wire import ConnectdPeerIn
from pylightningd.common.wire.openingd_wire import (
    OpeningdConstructed,
    OpeningdConstructedReply,
    OpeningdFailed,
    OpeningdInit,
    OpeningdPeerMsg,
)
from pylightningd.common.wire.peer_wire import CommitmentSigned, OpenChannel2, TxAbort
from tests.bus.loop import on_loop
from tests.openingd import sides2
from tests.openingd.player import Player
from tests.openingd.test_shell import World


def world2() -> World:
    world = World()
    world.master(
        OpeningdInit(network="regtest", features=sides2.FEATURES, dev_any_channel_type=False)
    )
    world.keys = None
    return world


async def talk(world: World, player: Player, route_id: int) -> None:
    """Until both have nothing to say; the player begins where the shell is the accepter."""
    heard = len(world.sent(route_id)) if player.machine.we_are_opener is False else 0
    while True:
        await world.settle()
        sent = world.sent(route_id)
        for msg in sent[heard:]:
            player.peer(msg)
        progress = len(sent) > heard or bool(player.outbox)
        heard = len(sent)
        for raw in player.outbox:
            world.connectd(ConnectdPeerIn(route_id=route_id, msg=raw))
        player.outbox.clear()
        if not progress:
            return


@on_loop
@pytest.mark.parametrize("we_open", [True, False])
async def test_commitment_signed_while_the_channel_is_being_stored(we_open: bool) -> None:
    world = world2()
    if we_open:
        world.master(sides2.open_request())
        await world.settle()
        (offer,) = world.sent(70)
        assert isinstance(offer, OpenChannel2)
        player, route_id = sides2.accepter(offer.encode()), 70
    else:
        player, route_id = sides2.opener(), 80
        world.master(sides2.got_open(player.outbox.pop(0)))
    await talk(world, player, route_id)
    (constructed,) = world.told(OpeningdConstructed)
    assert player.machine.opened
    early = CommitmentSigned(
        channel_id=constructed.channel.channel_id, signature=bytes(64), htlc_signature=()
    )
    world.peer(early, route_id)
    await world.settle()
    (question,) = world.questions
    question.reply(OpeningdConstructedReply())
    await world.settle()
    world.peer(early, route_id)
    await world.settle()
    handed = [peer_wire.decode(m.msg) for m in world.told(OpeningdPeerMsg)]
    assert handed == [early, early]
    assert world.shell.hosts == {}
    assert world.told(OpeningdFailed) == []


@on_loop
async def test_refused_and_garbage() -> None:
    world = world2()
    player = sides2.opener()
    world.master(sides2.got_open(player.outbox.pop(0)))
    await talk(world, player, 80)
    (question,) = world.questions
    question.refuse("their input is not confirmed")
    await world.settle()
    last = world.sent(80)[-1]
    assert isinstance(last, TxAbort)
    assert last.data == b"Cannot open: their input is not confirmed"
    assert len(world.told(OpeningdFailed)) == 1
    # Their echo finds nobody.
    world.peer(TxAbort(channel_id=last.channel_id, data=b""), 80)
    world.master(sides2.open_request())
    await world.settle()
    world.connectd(ConnectdPeerIn(route_id=70, msg=b"\x00\x41cut"))
    await world.settle()
    assert isinstance(world.sent(70)[-1], TxAbort)
    assert world.shell.hosts == {}
