"""gossipd's shell between a scripted lightningd and a scripted connectd."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bus.link import Incoming, memory_link_pair
from pylightningd.common.wire import bus_wire
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire import gossipd_wire as gw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from pylightningd.gossipd.shell import GossipdShell
from tests.gossipd import world as w

WIRES = (gw, cw)


class Script:
    """One neighbour: keeps what comes, waits for what shall come."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self.inbox: asyncio.Queue[Incoming] = asyncio.Queue()
        link.on_message = self._take

    def _take(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            if not isinstance(incoming.msg, bus_wire.BusLog):
                self.inbox.put_nowait(incoming)

    async def expect(self, kind: type[Message]) -> Incoming:
        """The next message, which must be of this kind."""
        async with asyncio.timeout(60):
            incoming = await self.inbox.get()
        assert isinstance(incoming.msg, kind), incoming
        return incoming


Scene = Callable[[Script, Script, GossipdShell], Coroutine[Any, Any, None]]


def play(path: Path, scene: Scene) -> None:
    async def main() -> None:
        ours, theirs = memory_link_pair("gossipd", "lightningd", WIRES)
        mine, connectd = memory_link_pair("gossipd", "connectd", WIRES)
        shell = GossipdShell(argparse.Namespace())
        async with asyncio.TaskGroup() as tasks:
            shell._daemon = SimpleNamespace(master=ours, tasks=tasks)  # type: ignore[assignment]
            ours.on_message = shell.on_master
            shell.on_link(mine)
            master = Script(theirs)
            reply = await master.link.ask(
                gw.GossipdInit(
                    network="regtest",
                    node_id=w.node(50),
                    features=b"",
                    store_path=str(path),
                    blockheight=1000,
                    dev_fast_gossip=True,
                    dev_fast_gossip_prune=False,
                )
            )
            shell.counts = (reply.num_channels, reply.num_nodes)  # type: ignore[attr-defined]
            await scene(master, Script(connectd), shell)
            await shell.stop()
            raise _Done

    try:
        asyncio.run(main())
    except* _Done:
        pass


class _Done(Exception):
    pass


async def learn(master: Script, connectd: Script) -> None:
    """A peer tells of channel 1; lightningd confirms it; a second peer hears of it."""
    send = connectd.link.send
    for connection in (1, 2):
        send(
            cw.ConnectdGossipPeer(
                connection=connection, peer_id=w.node(connection), features=w.QUERIES
            )
        )
        out: Any = (await connectd.expect(cw.ConnectdGossipOut)).msg
        assert pw.GossipTimestampFilter.decode(out.msgs[0])
    everything = pw.GossipTimestampFilter(
        chain_hash=w.CHAIN, first_timestamp=0, timestamp_range=0xFFFFFFFF
    )
    send(cw.ConnectdGossipIn(connection=2, msg=everything.encode()))
    send(cw.ConnectdGossipRoom(connection=2))
    send(cw.ConnectdGossipIn(connection=1, msg=w.announcement(1, 2, 1)))
    asked = await master.expect(gw.GossipdGetTxout)
    asked.reply(gw.GossipdGetTxoutReply(amount=Sat(5000), scriptpubkey=w.txout_script(1, 2)))


def test_a_channel_is_learnt_passed_on_and_kept(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "gossip_store"
    monkeypatch.setattr("pylightningd.common.clock_io.SystemClock.now", lambda _self: float(w.NOW))

    async def first(master: Script, connectd: Script, _shell: GossipdShell) -> None:
        await learn(master, connectd)
        connectd.link.send(cw.ConnectdGossipIn(connection=1, msg=w.update(1, 2, 1)))
        connectd.link.send(cw.ConnectdGossipIn(connection=1, msg=w.node_announcement(2)))
        master.link.send(
            gw.GossipdAdd(cookie=3, msg=w.update(2, 1, 1, timestamp=w.NOW + 1), known_amount=None)
        )
        done: Any = (await master.expect(gw.GossipdAddDone)).msg
        assert (done.cookie, done.error) == (3, "")
        out: Any = (await connectd.expect(cw.ConnectdGossipOut)).msg
        assert out.connection == 2
        master.link.send(gw.GossipdGetAddresses(cookie=4, node_id=w.node(2)))
        found: Any = (await master.expect(gw.GossipdAddresses)).msg
        assert (found.cookie, found.addresses) == (4, ())

    async def second(_master: Script, _connectd: Script, shell: Any) -> None:
        assert shell.counts == (1, 2)

    play(path, first)
    play(path, second)


def test_rule_breakers_are_warned(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("pylightningd.common.clock_io.SystemClock.now", lambda _self: float(w.NOW))

    async def scene(master: Script, connectd: Script, _shell: GossipdShell) -> None:
        await learn(master, connectd)
        bad = w.announcement(3, 4, 2, bad=1)
        connectd.link.send(cw.ConnectdGossipIn(connection=1, msg=bad))
        async with asyncio.timeout(60):
            while True:
                msg = (await connectd.inbox.get()).msg
                if isinstance(msg, cw.ConnectdGossipWarn):
                    break
        assert msg.connection == 1
        assert b"node_signature_2" in pw.Warning.decode(msg.msg).data

    play(tmp_path / "gossip_store", scene)


def test_refused_lookup_forgets_the_announcement(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("pylightningd.common.clock_io.SystemClock.now", lambda _self: float(w.NOW))

    async def scene(master: Script, connectd: Script, _shell: GossipdShell) -> None:
        connectd.link.send(cw.ConnectdGossipPeer(connection=1, peer_id=w.node(1), features=b""))
        for answer in ("later", None):
            connectd.link.send(cw.ConnectdGossipIn(connection=1, msg=w.announcement(1, 2, 1)))
            asked = await master.expect(gw.GossipdGetTxout)
            if answer is not None:
                asked.refuse(answer)
                await asyncio.sleep(0)

    play(tmp_path / "gossip_store", scene)
