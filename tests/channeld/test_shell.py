"""The worker itself, over links in memory: lightningd and hsmd are the toys, connectd is scripted."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pylightningd.channeld.shell import ChanneldShell
from pylightningd.common.amount import Msat
from pylightningd.common.bus.link import Incoming, Link, memory_link_pair
from pylightningd.common.ids import ChannelId
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.wire import bus_wire, hsmd_wire
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message, Request
from tests.channeld.scenes import CID, ONION
from tests.sim.peers import INIT, make_row
from tests.sim.toy_hsmd import ToyHsmd
from tests.sim.toy_master import ToyMaster

WIRES = (cw, hsmd_wire, nw)


class FakeDaemon:
    """What DaemonShell stands on."""

    def __init__(self, master: Link) -> None:
        self.master = master


class World:
    """A worker and its neighbours."""

    def __init__(self) -> None:
        self.shell = ChanneldShell(argparse.Namespace())
        self.to_worker, master = memory_link_pair("channeld", "lightningd", WIRES)
        self.shell._daemon = FakeDaemon(master)  # type: ignore[assignment]
        master.on_message = self.shell.on_master
        self.to_worker.on_message = self._master_hears
        self.master = ToyMaster(make_row("alice", "bob", opener=True))
        self.hsmd = ToyHsmd("alice")
        self.facts: Any = None
        self.logs: list[bus_wire.BusLog] = []
        self.peer_out: list[Message] = []
        self.from_worker: list[Message] = []
        self.links: list[Link] = [self.to_worker, master]
        self.connectd = self._link("connectd", self._connectd_hears)
        self._link("hsmd", self._hsmd_hears)

    def _link(self, name: str, hears: Any) -> Link:
        far, near = memory_link_pair("channeld-0", name, WIRES)
        # Each end is named for the other process.
        ours, theirs = (near, far) if near.name == name else (far, near)
        theirs.on_message = hears
        self.links += [ours, theirs]
        ours.link_id = len(self.links)
        self.shell.links[ours.link_id] = ours
        self.shell.on_link(ours)
        return theirs

    def _master_hears(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            if isinstance(incoming.msg, bus_wire.BusLog):
                self.logs.append(incoming.msg)
            elif isinstance(incoming.msg, Request):
                incoming.reply(self.master.answer(incoming.msg))
            else:
                self.master.tell(incoming.msg)

    def _hsmd_hears(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            host = self.shell._hosts[getattr(incoming.msg, "dbid", 1)]
            incoming.reply(self.hsmd.answer(incoming.msg, host.machine.channel.facts))

    def _connectd_hears(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            self.from_worker.append(incoming.msg)
            if isinstance(incoming.msg, nw.ConnectdPeerOut):
                msg = pw.decode(incoming.msg.msg)
                assert isinstance(msg, Message)
                self.peer_out.append(msg)

    async def settle(self) -> None:
        """Let the loop run until nothing moves."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def up(self) -> None:
        """A channel, connected."""
        self.to_worker.send(INIT)
        self.to_worker.send(self.master.snapshot())
        self.to_worker.send(
            cw.ChanneldConnected(dbid=1, route_id=5, fresh=True, their_features=INIT.features)
        )
        await self.settle()

    def offer(self, cookie: int) -> None:
        """lightningd offers an HTLC."""
        self.master.offers[cookie] = None
        self.to_worker.send(
            cw.ChanneldOfferHtlc(
                dbid=1,
                cookie=cookie,
                amount=Msat(1_000_000),
                cltv_expiry=500,
                payment_hash=bytes(32),
                onion=ONION,
            )
        )

    def peer_says(self, *msgs: Message) -> None:
        """Messages of the peer arrive, all at once."""
        for msg in msgs:
            self.connectd.send(nw.ConnectdPeerIn(route_id=5, msg=msg.encode()))

    def close(self) -> None:
        """Hang up everywhere."""
        for host in self.shell._hosts.values():
            host.close()
        for link in self.links:
            link.close()


def run(play: Any) -> None:
    async def main() -> None:
        world = World()
        try:
            await play(world)
        finally:
            world.close()
            await world.settle()

    asyncio.run(main())


def test_it_says_that_the_route_is_ready_and_signs_a_batch_once() -> None:
    async def play(world: World) -> None:
        await world.up()
        assert world.from_worker == [nw.ConnectdRouteReady(route_id=5)]
        for cookie in (1, 2, 3):
            world.offer(cookie)
        await world.settle()
        assert [type(m) for m in world.peer_out] == [pw.UpdateAddHtlc] * 3 + [pw.CommitmentSigned]
        assert sorted(world.master.accepted) == [1, 2, 3]

    run(play)


@pytest.mark.parametrize(("route_id", "heard"), [(5, ["late"]), (4, [])])
def test_what_went_to_openingd_waits_for_the_route(route_id: int, heard: list[str]) -> None:
    """It comes while the worker still asks hsmd for what a connection needs; of another connection it means nothing."""

    async def play(world: World) -> None:
        late = pw.Warning(channel_id=CID, data=b"late").encode()
        world.to_worker.send(INIT)
        world.to_worker.send(world.master.snapshot())
        world.to_worker.send(
            cw.ChanneldConnected(dbid=1, route_id=5, fresh=True, their_features=INIT.features)
        )
        world.to_worker.send(cw.ChanneldLateMsg(dbid=1, route_id=route_id, msg=late))
        await world.settle()
        told = [m.text for m in world.master.told if isinstance(m, cw.ChanneldWarning)]
        assert told == heard

    run(play)


def test_a_bug_in_one_channel_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(world: World) -> None:
        await world.up()

        def bug(*_: Any) -> None:
            raise ZeroDivisionError("oops")

        with monkeypatch.context() as patch:
            patch.setattr("pylightningd.channeld.limits.check_offer", bug)
            world.offer(1)
            await world.settle()
        (failed,) = [m for m in world.master.told if isinstance(m, cw.ChanneldFailed)]
        assert (failed.kind, failed.reason) == (5, "ZeroDivisionError: oops")
        assert any("is held" in log.text for log in world.logs)
        world.offer(2)
        await world.settle()
        assert 2 in world.master.refused
        assert not world.peer_out
        # Given anew, it lives again.
        world.to_worker.send(world.master.snapshot())
        world.to_worker.send(
            cw.ChanneldConnected(dbid=1, route_id=6, fresh=False, their_features=b"")
        )
        await world.settle()
        assert isinstance(world.peer_out[-1], pw.ChannelReestablish)

    run(play)


def test_peer_error_and_broken_bytes() -> None:
    async def play(world: World) -> None:
        await world.up()
        world.connectd.send(nw.ConnectdPeerIn(route_id=5, msg=b"\x00\x80short"))
        world.connectd.send(nw.ConnectdPeerIn(route_id=77, msg=b"\x00\x80nobody's"))
        await world.settle()
        assert isinstance(world.peer_out[-1], pw.Warning)
        assert world.from_worker[-1] == nw.ConnectdRouteDisconnect(route_id=5)
        world.peer_says(pw.Error(channel_id=CID, data=b"bye"))
        await world.settle()
        kinds = [m.kind for m in world.master.told if isinstance(m, cw.ChanneldFailed)]
        assert kinds == [0, 2]

    run(play)


@pytest.mark.parametrize("channel_id", [CID, ChannelId(bytes(32))])
def test_an_error_waits_for_the_reestablish_before_it(channel_id: ChannelId) -> None:
    """Which proves that we lost data: obeyed first, the error would have us broadcast an old commitment."""

    async def play(world: World) -> None:
        answer = world.hsmd.answer
        right = hsmd_wire.HsmdCheckSecretReply(correct=True)
        world.hsmd.answer = lambda msg, facts: (  # type: ignore[method-assign]
            right if isinstance(msg, hsmd_wire.HsmdCheckSecret) else answer(msg, facts)
        )
        world.to_worker.send(INIT)
        world.to_worker.send(world.master.snapshot())
        world.to_worker.send(
            cw.ChanneldConnected(dbid=1, route_id=5, fresh=False, their_features=INIT.features)
        )
        await world.settle()
        point = pubkey_from_secret(bytes([7] * 32))
        world.peer_says(
            pw.ChannelReestablish(
                channel_id=CID,
                next_commitment_number=9,
                next_revocation_number=8,
                your_last_per_commitment_secret=bytes([3] * 32),
                my_current_per_commitment_point=point,
            ),
            pw.Error(channel_id=channel_id, data=b"bye"),
        )
        await world.settle()
        failed = [m for m in world.master.told if isinstance(m, cw.ChanneldFailed)]
        assert [(m.kind, m.remote_point) for m in failed] == [(3, point)]

    run(play)


def test_unknown_odd_messages_are_ignored() -> None:
    async def play(world: World) -> None:
        await world.up()
        world.connectd.send(nw.ConnectdPeerIn(route_id=5, msg=b"\x80\x01odd"))
        await world.settle()
        assert not world.peer_out

    run(play)


def test_route_closed_and_connectd_lost() -> None:
    async def play(world: World) -> None:
        await world.up()
        world.offer(1)
        world.offer(2)
        await world.settle()
        world.offer(3)
        await world.settle()
        world.connectd.send(nw.ConnectdRouteClosed(route_id=5))
        await world.settle()
        assert sorted(world.master.refused) == [3]
        link = world.shell.link_to("connectd")
        assert link is not None
        del world.shell.links[link.link_id]
        world.shell.on_link_closed(link)
        assert not world.shell._routes

    run(play)


def test_a_forgotten_channel_is_not_missed() -> None:
    async def play(world: World) -> None:
        await world.up()
        world.to_worker.send(cw.ChanneldForget(dbid=1))
        world.to_worker.send(cw.ChanneldBlockheight(height=7))
        world.to_worker.send(cw.ChanneldForget(dbid=1))
        world.peer_says(pw.Warning(channel_id=CID, data=b""))
        await world.settle()
        world.offer(1)
        await world.settle()
        assert any("is not here" in log.text for log in world.logs)
        # lightningd is told each time: only then may it listen to what is said of the channel.
        told = [m for m in world.master.told if isinstance(m, cw.ChanneldForgotten)]
        assert told == [cw.ChanneldForgotten(dbid=1)] * 2

    run(play)


def test_a_row_that_cannot_be_read_does_not_end_the_worker() -> None:
    async def play(world: World) -> None:
        await world.up()
        row = world.master.snapshot()
        bad = replace(row, channel=replace(row.channel, dbid=2), shachain=b"no shachain")
        world.to_worker.send(bad)
        await world.settle()
        (failed,) = [m for m in world.master.told if isinstance(m, cw.ChanneldFailed)]
        assert (failed.dbid, failed.kind) == (2, 5)
        world.offer(1)
        await world.settle()
        assert world.master.accepted

    run(play)
