"""A connectd in this process with a scripted master, hsmd and workers, and a raw peer that breaks rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from pylightningd.common.bus.link import Incoming, Link, memory_link_pair
from pylightningd.common.clock import FakeClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.features import encode_features
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import ecdh
from pylightningd.common.network import REGTEST
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.hsmd_wire import HsmdEcdh, HsmdEcdhReply
from pylightningd.common.wire.peer_wire import Init, InitTlvs
from pylightningd.common.wire.runtime import Message
from pylightningd.connectd.hub_io import Hub
from pylightningd.connectd.noise import Send, StaticEcdh, initiate
from pylightningd.connectd.transport import Transport
from tests.connectd.handshake import ALICE, BOB, node_id

FEATURES = encode_features([0, 5, 7, 8, 12, 14, 17, 23, 25, 39])
PATIENCE = 60.0
M = TypeVar("M", bound=Message)
WIRES = (w, hsmd_wire)
_OPEN: list[RawPeer] = []
"""Closed at the end of each test."""


def run(test: Callable[[], Coroutine[Any, Any, None]], patience: float = PATIENCE) -> None:
    """Run a test's coroutine on uvloop; a lost message fails it instead of hanging."""

    async def guarded() -> None:
        try:
            async with asyncio.timeout(patience):
                await test()
        finally:
            for peer in _OPEN:
                peer.writer.transport.abort()
            _OPEN.clear()
            await asyncio.sleep(0)  # let the transports notice

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(guarded())


class Mailbox:
    """What came over a link, to be awaited by type."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.got: list[Message] = []
        self._news = asyncio.Event()
        link.on_message = self._take

    def _take(self, batch: list[Incoming]) -> None:
        self.got += [i.msg for i in batch]
        self._news.set()

    async def expect(self, cls: type[M], count: int = 1) -> list[M]:
        """The next messages of a class, taken out."""
        while True:
            found = [m for m in self.got if isinstance(m, cls)][:count]
            if len(found) == count:
                for msg in found:
                    self.got.remove(msg)
                return found
            self._news.clear()
            await self._news.wait()

    async def one(self, cls: type[M]) -> M:
        """The next message of a class."""
        return (await self.expect(cls))[0]

    def send(self, msg: Message) -> None:
        """Say something."""
        self.link.send(msg)


class Node:
    """A hub and all its neighbours. Use as ``async with Node(BOB) as bob``."""

    def __init__(self, key: Secret, **init: Any) -> None:
        self.key = key
        self.id = node_id(key)
        self.logs: list[str] = []
        self.clock = FakeClock()
        self._init = init
        self._tasks: asyncio.TaskGroup
        self._links = 0
        self._spawned: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Node:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        ours, theirs = memory_link_pair("connectd", "lightningd", WIRES)
        self.hub = Hub(
            master=ours,
            log=self._log,
            spawn=self._spawn,
            clock=self.clock,
            entropy=SeededEntropy(self.key.reveal()),
        )
        ours.on_message = self.hub.on_master
        self.master = Mailbox(theirs)
        self.link("hsmd").link.on_message = self._on_ecdh
        self.init_reply = await theirs.ask(self._init_message())
        if not self.init_reply.error:
            theirs.send(w.ConnectdActivate())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.sleep(0)  # a task that never ran could not be cancelled quietly
        await asyncio.sleep(0)
        self.hub.close()
        for task in self._spawned:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def _init_message(self) -> w.ConnectdInit:
        fields: dict[str, Any] = {
            "network": "regtest",
            "node_id": self.id,
            "features": FEATURES,
            "listen": ("127.0.0.1:0",),
            "proxy": "",
            "always_proxy": False,
            "use_dns": False,
            "timeout_seconds": 60,
            "dev_disconnect": "",
            "dev_no_ping_timer": True,
            "dev_handshake_no_reply": False,
        }
        return w.ConnectdInit(**{**fields, **self._init})

    def _spawn(self, coro: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._tasks.create_task(coro, name=name)
        self._spawned.append(task)
        return task

    def _log(self, level: str, text: str, peer_id: NodeId | None = None) -> None:
        self.logs.append(text)

    def _on_ecdh(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            assert isinstance(incoming.msg, HsmdEcdh)
            secrets = tuple(Secret(ecdh(self.key, p)) for p in incoming.msg.points)
            incoming.reply(HsmdEcdhReply(secrets=secrets))

    def link(self, name: str) -> Mailbox:
        """Add a sibling; return its end."""
        ours, theirs = memory_link_pair("connectd", name, WIRES)
        self._links += 1
        ours.link_id = theirs.link_id = self._links
        ours.on_closed = lambda _: self.hub.drop_link(ours)
        self.hub.add_link(ours)
        return Mailbox(theirs)

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.init_reply.bindings[0]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rpartition(":")[2])

    async def connect(self, other: Node) -> tuple[int, int]:
        """Connect and accept on both sides; the numbers of the connection here and there."""
        self.master.send(w.ConnectdConnect(peer_id=other.id, addresses=(other.address,)))
        here = await self.master.one(w.ConnectdPeerConnected)
        there = await other.master.one(w.ConnectdPeerConnected)
        assert not here.incoming and there.incoming
        self.master.send(w.ConnectdAcceptPeer(connection=here.connection))
        other.master.send(w.ConnectdAcceptPeer(connection=there.connection))
        return here.connection, there.connection


class RawPeer:
    """A peer made by hand: it can send anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.cipher: Transport
        self._inbox: list[bytes] = []
        _OPEN.append(self)

    @classmethod
    async def dial(cls, port: int) -> RawPeer:
        """Only TCP."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def handshake(self, remote: NodeId, key: Secret = ALICE) -> RawPeer:
        """BOLT 8."""
        handshake = initiate(node_id(key), remote, Secret(bytes([7] * 32)))
        wish = next(handshake)
        try:
            while True:
                answer = b""
                if isinstance(wish, Send):
                    self.writer.write(wish.data)
                elif isinstance(wish, StaticEcdh):
                    answer = ecdh(key, wish.point)
                else:
                    answer = await self.reader.readexactly(wish.size)
                wish = handshake.send(answer)
        except StopIteration as stop:
            self.cipher = Transport(stop.value)
        return self

    def send(self, *messages: bytes) -> None:
        """All in one packet of TCP, if it fits."""
        self.writer.write(b"".join(map(self.cipher.encrypt, messages)))

    def send_init(self, features: bytes = FEATURES, *more: bytes) -> None:
        """Introduce ourselves; `more` travels right behind."""
        tlvs = InitTlvs(networks=(REGTEST.chain_hash,))
        self.send(Init(globalfeatures=b"", features=features, tlvs=tlvs).encode(), *more)

    async def receive(self) -> bytes | None:
        """The next message, None at the end."""
        while not self._inbox:
            data = await self.reader.read(1 << 16)
            if not data:
                return None
            self._inbox = self.cipher.receive(data)
        return self._inbox.pop(0)

    async def rest(self) -> list[bytes]:
        """All messages to the end of the connection."""
        found: list[bytes] = []
        try:
            while (raw := await self.receive()) is not None:
                found.append(raw)
        except ConnectionResetError:
            pass
        return found

    async def ended(self) -> bytes:
        """Raw bytes to the end of the connection."""
        try:
            return await self.reader.read(-1)
        except ConnectionResetError:
            return b""


async def raw_connection(node: Node, key: Secret = ALICE) -> tuple[RawPeer, int]:
    """A raw peer after init, accepted by the node's master, and the connection's number."""
    peer = await (await RawPeer.dial(node.port)).handshake(node.id, key)
    peer.send_init()
    made = await node.master.one(w.ConnectdPeerConnected)
    node.master.send(w.ConnectdAcceptPeer(connection=made.connection))
    assert await peer.receive()
    return peer, made.connection


__all__ = ["ALICE", "BOB", "Mailbox", "Node", "RawPeer", "raw_connection", "run"]
