"""closingd's shell over links in memory: a new start after a reconnect, and stop."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from types import SimpleNamespace

from pylightningd.closingd.shell import ClosingdShell
from pylightningd.common.bus.link import Incoming, Link, memory_link_pair
from pylightningd.common.wire import closingd_wire, connectd_wire, hsmd_wire, peer_wire
from pylightningd.common.wire.closingd_wire import (
    ClosingdDone,
    ClosingdFailed,
    ClosingdInit,
    ClosingdPeerMsg,
    ClosingdStop,
)
from pylightningd.common.wire.connectd_wire import (
    ConnectdPeerIn,
    ConnectdPeerOut,
    ConnectdRouteClosed,
)
from pylightningd.common.wire.peer_wire import ClosingSigned
from pylightningd.common.wire.runtime import Message
from tests.bus.loop import on_loop
from tests.closingd import ends
from tests.openingd import sides
from tests.openingd.sides import ALICE, BOB, Keys

WIRES = (closingd_wire, hsmd_wire, connectd_wire)


class World:
    """The three processes around a shell that closes Alice's end."""

    def __init__(self) -> None:
        self.shell = ClosingdShell(Namespace())
        self.keys = Keys(ALICE, channel=sides.channel(ALICE))
        self.came: dict[str, list[Message]] = {"master": [], "connectd": [], "hsmd": []}
        self.ends: dict[str, Link] = {}
        for n, name in enumerate(self.came):
            ours, far = memory_link_pair("closingd", name, WIRES)
            self.ends[name] = far
            far.on_message = lambda batch, name=name: self._take(name, batch)
            if name == "master":
                self.shell._daemon = SimpleNamespace(master=ours)  # type: ignore[assignment]
                ours.on_message = self.shell.on_master
            else:
                self.shell.links[n] = ours
                self.shell.on_link(ours)

    def _take(self, name: str, batch: list[Incoming]) -> None:
        for incoming in batch:
            self.came[name].append(incoming.msg)
            if incoming.request_id:
                incoming.reply(self.keys.answer(incoming.msg))

    async def do(self, end: str, msg: Message) -> None:
        self.ends[end].send(msg)
        for _ in range(40):
            await asyncio.sleep(0)

    def offers(self, route_id: int) -> list[ClosingSigned]:
        return [
            ClosingSigned.decode(m.msg)
            for m in self.came["connectd"]
            if isinstance(m, ConnectdPeerOut) and m.route_id == route_id
        ]

    def told(self, kind: type[Message]) -> list[Message]:
        return [m for m in self.came["master"] if isinstance(m, kind)]


@on_loop
async def test_a_reconnect_begins_anew() -> None:
    world = World()
    await world.do("master", ClosingdInit(network="regtest"))
    await world.do("master", ends.start(ALICE, route_id=5))
    # The master may know of the new connection before we hear of the end of the old one.
    await world.do("master", ends.start(ALICE, route_id=6))
    await world.do("connectd", ConnectdRouteClosed(route_id=5))
    assert world.told(ClosingdFailed) == []
    (first,), (second,) = world.offers(5), world.offers(6)
    assert first.fee_satoshis == second.fee_satoshis
    bob = ends.player(BOB)
    bob.peer(second)
    await world.do("connectd", ConnectdPeerIn(route_id=6, msg=bob.outbox[0]))
    (done,) = world.told(ClosingdDone)
    assert done == ClosingdDone(dbid=world.keys.channel.dbid, tx=bob.only_told(ClosingdDone).tx)  # type: ignore[union-attr]
    assert world.shell.hosts == {}
    await world.do("connectd", ConnectdRouteClosed(route_id=6))
    assert world.told(ClosingdFailed) == []


@on_loop
async def test_stop_forgets() -> None:
    world = World()
    await world.do("master", ends.start(ALICE, route_id=5))
    dbid = ends.start(ALICE).channel.dbid
    await world.do("master", ClosingdStop(dbid=dbid))
    await world.do("master", ClosingdStop(dbid=dbid))
    answer = ends.player(BOB)
    answer.peer(world.offers(5)[0])
    await world.do("connectd", ConnectdPeerIn(route_id=5, msg=answer.outbox[0]))
    assert world.told(ClosingdDone) == []
    assert world.shell.hosts == {}


@on_loop
async def test_an_offer_that_came_by_the_master() -> None:
    world = World()
    await world.do("master", ends.start(ALICE, route_id=5))
    bob = ends.player(BOB)
    bob.peer(world.offers(5)[0])
    dbid = ends.start(ALICE).channel.dbid
    await world.do("master", ClosingdPeerMsg(dbid=99, msg=bob.outbox[0]))
    await world.do("master", ClosingdPeerMsg(dbid=dbid, msg=bob.outbox[0]))
    assert len(world.told(ClosingdDone)) == 1
    await world.do("master", ClosingdPeerMsg(dbid=dbid, msg=bob.outbox[0]))
    assert len(world.told(ClosingdDone)) == 1


def test_all_that_is_sent_can_be_read() -> None:
    (offer,) = ends.player(ALICE).sent()
    assert peer_wire.decode(offer.encode()) == offer
