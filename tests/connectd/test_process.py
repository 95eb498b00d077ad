"""connectd as a process on the real bus."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire import hsmd_wire
from pylightningd.lightningd.supervise_io import DaemonSpec, Supervisor
from tests.connectd.handshake import node_id
from tests.connectd.nodes import ALICE, BOB, FEATURES, Mailbox, run

pytestmark = pytest.mark.slow

WIRES = (w, hsmd_wire)


class Daemons:
    """One node's hsmd and connectd."""

    def __init__(self, key: Secret, tasks: asyncio.TaskGroup) -> None:
        self.key = key
        self.id = node_id(key)
        self.lines: list[tuple[str, str, object]] = []
        self.restarted = asyncio.Event()
        self.supervisor = Supervisor(
            log=self._log,
            spawn=lambda coro, name: tasks.create_task(coro, name=name),
            on_vital_death=lambda name, how: None,
        )

    def _log(self, level: str, text: str, *, source: str, **fields: Any) -> None:
        self.lines.append((level, text, fields.get("peer_id")))

    async def start(self) -> None:
        hsmd = DaemonSpec(
            "hsmd", "tests.connectd.ecdh_daemon", WIRES, args=("--key", self.key.reveal().hex())
        )
        connectd = DaemonSpec(
            "connectd", "pylightningd.connectd", WIRES, on_restarted=self._on_restarted
        )
        await self.supervisor.start(hsmd)
        link = await self.supervisor.start(connectd)
        await self.supervisor.link("connectd", "hsmd", capabilities=1)
        self.master = Mailbox(link)
        self.address = await self._init("127.0.0.1:0")

    async def _on_restarted(self, name: str, link: Any) -> None:
        self.master = Mailbox(link)
        self.restarted.set()

    async def _init(self, listen: str) -> str:
        reply = await self.master.link.ask(
            w.ConnectdInit(
                network="regtest",
                node_id=self.id,
                features=FEATURES,
                listen=(listen,),
                proxy="",
                always_proxy=False,
                use_dns=False,
                timeout_seconds=60,
                dev_disconnect="",
                dev_no_ping_timer=False,
                dev_handshake_no_reply=False,
            )
        )
        assert reply.error == ""
        self.master.send(w.ConnectdActivate())
        return reply.bindings[0]

    async def reinit(self) -> None:
        """After a restart: the same port again."""
        await self.restarted.wait()
        assert await self._init(self.address) == self.address


async def meet(one: Daemons, other: Daemons) -> None:
    """Connect, and say something."""
    one.master.send(w.ConnectdConnect(peer_id=other.id, addresses=(other.address,)))
    here = await one.master.one(w.ConnectdPeerConnected)
    there = await other.master.one(w.ConnectdPeerConnected)
    other.master.send(w.ConnectdAcceptPeer(connection=there.connection))
    one.master.send(w.ConnectdAcceptPeer(connection=here.connection))
    one.master.send(w.ConnectdSendMsg(connection=here.connection, msg=b"\x9c\x41hi"))
    assert (await other.master.one(w.ConnectdPeerMsg)).msg == b"\x9c\x41hi"


def test_two_processes_meet_and_meet_again_after_a_kill() -> None:
    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            alice, bob = Daemons(ALICE, tasks), Daemons(BOB, tasks)
            try:
                await alice.start()
                await bob.start()
                await meet(alice, bob)
                assert ("debug", "peer_out WIRE_INIT", bob.id) in alice.lines
                os.kill(bob.supervisor.pid_of("connectd"), signal.SIGKILL)
                await alice.master.one(w.ConnectdPeerDisconnected)
                await bob.reinit()
                await meet(alice, bob)
            finally:
                await alice.supervisor.shutdown()
                await bob.supervisor.shutdown()
            assert not [
                line
                for d in (alice, bob)
                for line in d.lines
                if line[0] == "broken" and "killed" not in line[1]
            ]

    run(scenario, patience=40.0)
