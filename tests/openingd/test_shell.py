"""The shell over links in memory: routes, abandoned questions, floods, and a bug that ends one opening only."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.bus.link import Incoming, Link, memory_link_pair
from pylightningd.common.effects import Step
from pylightningd.common.routed_shell_io import MAX_WAITING_EVENTS
from pylightningd.common.wire import connectd_wire, hsmd_wire, openingd_wire, peer_wire
from pylightningd.common.wire.bus_wire import BusLog
from pylightningd.common.wire.connectd_wire import (
    ConnectdPeerIn,
    ConnectdPeerOut,
    ConnectdRouteClosed,
    ConnectdRouteDisconnect,
    ConnectdRouteReady,
)
from pylightningd.common.wire.hsmd_wire import HsmdSetupChannel, HsmdSetupChannelReply
from pylightningd.common.wire.openingd_wire import (
    OpeningdCancel,
    OpeningdDone,
    OpeningdDoneReply,
    OpeningdFailed,
    OpeningdFunding,
    OpeningdInit,
    OpeningdPeerMsg,
)
from pylightningd.common.wire.peer_wire import (
    ChannelReady,
    Error,
    FundingCreated,
    FundingSigned,
    OpenChannel,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.machine import FROM_MASTER
from pylightningd.openingd.shell import OpeningdShell
from pylightningd.openingd.state import Fresh
from tests.bus.loop import on_loop
from tests.openingd import sides
from tests.openingd.player import Player
from tests.openingd.sides import ALICE, Keys

WIRES = (openingd_wire, hsmd_wire, connectd_wire)
FUNDED = OpeningdFunding(dbid=7, funding=sides.FUNDING)


class World:
    """The three processes around a shell."""

    def __init__(self) -> None:
        self.shell = OpeningdShell(Namespace())
        self.came: dict[str, list[Message]] = {"master": [], "connectd": [], "hsmd": []}
        self.questions: list[Incoming] = []
        self.keys: Keys | None = Keys(ALICE)
        """None: hsmd and master are slow."""
        self.ends: dict[str, Link] = {}
        for n, name in enumerate(self.came):
            ours, far = memory_link_pair("openingd", name, WIRES)
            self.ends[name] = far
            far.on_message = lambda batch, name=name: self._take(name, batch)
            if name == "master":
                self.shell._daemon = SimpleNamespace(master=ours)  # type: ignore[assignment]
                ours.on_message = self.shell.on_master
            else:
                self.shell.links[n] = ours
                self.shell.on_link(ours)
        self.master(
            OpeningdInit(network="regtest", features=sides.FEATURES, dev_any_channel_type=False)
        )

    def _take(self, name: str, batch: list[Incoming]) -> None:
        for incoming in batch:
            self.came[name].append(incoming.msg)
            if incoming.request_id and self.keys is None:
                self.questions.append(incoming)
            elif incoming.request_id:
                assert self.keys is not None
                incoming.reply(self.keys.answer(incoming.msg))

    def master(self, msg: Message) -> None:
        self.ends["master"].send(msg)

    def connectd(self, msg: Message) -> None:
        self.ends["connectd"].send(msg)

    def peer(self, msg: Message, route_id: int = 70) -> None:
        self.connectd(ConnectdPeerIn(route_id=route_id, msg=msg.encode()))

    async def settle(self) -> None:
        for _ in range(40):
            await asyncio.sleep(0)

    def sent(self, route_id: int = 70) -> list[Any]:
        return [
            peer_wire.decode(m.msg)
            for m in self.came["connectd"]
            if isinstance(m, ConnectdPeerOut) and m.route_id == route_id
        ]

    def told(self, kind: type[Message]) -> list[Any]:
        return [m for m in self.came["master"] if isinstance(m, kind)]

    def logged(self, level: int) -> list[str]:
        return [m.text for m in self.came["master"] if isinstance(m, BusLog) and m.level == level]


async def created(world: World) -> Player:
    """Alice in the shell has sent funding_created; Bob is a player."""
    world.master(sides.open_request())
    await world.settle()
    (offer,) = world.sent()
    bob = sides.accepter(offer.encode())
    world.peer(bob.sent()[0])
    await world.settle()
    world.master(FUNDED)
    await world.settle()
    return bob


@on_loop
async def test_an_opening_and_what_follows_on_its_route() -> None:
    world = World()
    bob = await created(world)
    assert isinstance(world.came["connectd"][0], ConnectdRouteReady)
    bob.peer(world.sent()[-1])
    ready = ChannelReady(
        channel_id=sides.FUNDING.channel_id(), second_per_commitment_point=Keys(2).point(9)
    )
    world.peer(bob.sent()[-1])
    world.peer(ready)
    await world.settle()
    assert len(world.told(OpeningdDone)) == 1
    assert world.shell.hosts == {}
    world.peer(ready)
    world.peer(ready, route_id=71)
    await world.settle()
    handed = [peer_wire.decode(m.msg) for m in world.told(OpeningdPeerMsg)]
    assert handed == [ready, ready]
    assert world.told(OpeningdFailed) == []


@on_loop
async def test_channel_ready_while_the_channel_is_being_stored() -> None:
    world = World()
    bob = await created(world)
    bob.peer(world.sent()[-1])
    world.keys = None
    ready = ChannelReady(
        channel_id=sides.FUNDING.channel_id(), second_per_commitment_point=Keys(2).point(9)
    )
    world.peer(bob.sent()[-1])
    world.peer(ready)
    await world.settle()
    order = [m for m in world.came["master"] if isinstance(m, OpeningdDone | OpeningdPeerMsg)]
    assert [type(m) for m in order] == [OpeningdDone, OpeningdPeerMsg]
    (question,) = world.questions
    question.reply(OpeningdDoneReply())
    await world.settle()
    assert len(world.told(OpeningdPeerMsg)) == 1
    assert world.told(OpeningdFailed) == []


@on_loop
async def test_unknown_odd_messages_and_garbage() -> None:
    world = World()
    world.master(sides.open_request())
    world.connectd(ConnectdPeerIn(route_id=70, msg=b"\x7f\xff??"))
    await world.settle()
    assert list(world.shell.hosts) == [7]
    world.connectd(ConnectdPeerIn(route_id=70, msg=b"\x00\x21cut"))
    await world.settle()
    (failed,) = world.told(OpeningdFailed)
    assert failed.reason.startswith("Bad message: AcceptChannel")
    assert isinstance(world.sent()[-1], Error)
    assert world.shell.hosts == {}


@on_loop
async def test_the_end_of_a_connection_abandons_a_question() -> None:
    world = World()
    world.master(sides.open_request())
    await world.settle()
    world.peer(sides.accepter(world.sent()[0].encode()).sent()[0])
    await world.settle()
    world.keys = None
    world.master(FUNDED)
    await world.settle()
    assert isinstance(world.questions[0].msg, HsmdSetupChannel)
    world.connectd(ConnectdRouteClosed(route_id=70))
    await world.settle()
    assert [m.reason for m in world.told(OpeningdFailed)] == ["peer connection lost during opening"]
    world.questions[0].reply(HsmdSetupChannelReply())
    world.master(OpeningdCancel(dbid=7, reason="late"))
    await world.settle()
    assert len(world.questions) == 1
    assert len(world.told(OpeningdFailed)) == 1
    assert not world.logged(6)


@on_loop
async def test_a_new_opening_of_the_same_dbid_takes_its_place() -> None:
    world = World()
    world.master(sides.open_request())
    world.master(sides.open_request(route_id=72))
    await world.settle()
    assert len(world.sent(70)) == len(world.sent(72)) == 1
    world.connectd(ConnectdRouteClosed(route_id=70))
    await world.settle()
    assert world.told(OpeningdFailed) == []
    world.connectd(ConnectdRouteClosed(route_id=72))
    await world.settle()
    assert len(world.told(OpeningdFailed)) == 1


@on_loop
async def test_lost_connectd_ends_all_openings() -> None:
    world = World()
    world.master(sides.open_request())
    world.master(sides.open_request(dbid=17, route_id=77))
    await world.settle()
    link = world.shell.links.pop(1)
    link.close()
    world.shell.on_link_closed(link)
    await world.settle()
    assert {m.dbid for m in world.told(OpeningdFailed)} == {7, 17}
    assert world.shell.hosts == {}


@on_loop
async def test_a_peer_that_talks_without_end_is_cut_off() -> None:
    world = World()
    world.master(sides.open_request())
    await world.settle()
    world.peer(sides.accepter(world.sent()[0].encode()).sent()[0])
    await world.settle()
    world.keys = None
    world.master(FUNDED)
    await world.settle()
    for _ in range(MAX_WAITING_EVENTS + 5):
        world.peer(FundingSigned(channel_id=sides.FUNDING.channel_id(), signature=bytes(64)))
    await world.settle()
    cuts = [m for m in world.came["connectd"] if isinstance(m, ConnectdRouteDisconnect)]
    assert cuts == [ConnectdRouteDisconnect(route_id=70)]


@on_loop
async def test_cancel_waits_where_the_channel_is_being_stored() -> None:
    world = World()
    bob = await created(world)
    bob.peer(world.sent()[-1])
    world.keys = None
    world.peer(bob.sent()[-1])
    await world.settle()
    (question,) = world.questions
    world.master(OpeningdCancel(dbid=7, reason="too late"))
    await world.settle()
    question.reply(OpeningdDoneReply())
    await world.settle()
    assert not any(isinstance(m, Error) for m in world.sent())
    assert isinstance(world.sent()[-1], FundingCreated)
    assert world.shell.hosts == {}


@on_loop
async def test_a_bug_ends_one_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> Step[None]:
        raise ZeroDivisionError("oh")

    world = World()
    world.master(sides.open_request())
    await world.settle()
    with monkeypatch.context() as patch:
        patch.setitem(FROM_MASTER, (Fresh, type(sides.open_request())), bug)
        world.master(sides.open_request(dbid=17, route_id=77))
        await world.settle()
    (failed,) = world.told(OpeningdFailed)
    assert (failed.dbid, failed.reason) == (17, "internal error: ZeroDivisionError('oh')")
    assert list(world.shell.hosts) == [7]
    assert any("ZeroDivisionError: oh" in m.text for m in world.told(BusLog))
    assert [m for m in world.sent(70) if isinstance(m, OpenChannel)]
    assert world.sent(77) == []
