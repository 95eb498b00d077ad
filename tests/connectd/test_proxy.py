"""Through a SOCKS5 proxy, as to Tor: names go to the proxy unresolved."""

from __future__ import annotations

import asyncio

from pylightningd.common.wire import connectd_wire as w
from tests.connectd.nodes import ALICE, BOB, Node, run

ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion"


class Socks:
    """Takes any destination and leads to one port."""

    def __init__(self, port: int, reply: int = 0) -> None:
        self._port = port
        self._reply = reply
        self.asked: list[str] = []
        self._pumps: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        head = await reader.readexactly(4)
        assert head == b"\x05\x01\x00\x03", "a name, not an address"
        (size,) = await reader.readexactly(1)
        name = (await reader.readexactly(size)).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"{name}:{port}")
        writer.write(bytes((5, self._reply, 0, 1)) + bytes(6))
        if self._reply == 0:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            async with asyncio.TaskGroup() as both:
                both.create_task(pump(reader, back))
                both.create_task(pump(there, writer))
        writer.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the end."""
    while data := await source.read(1 << 16):
        sink.write(data)
    sink.close()


def test_an_onion_and_a_name_by_proxy() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            socks = Socks(bob.port)
            server = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
            proxy = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for address, always in ((f"{ONION}:80", False), ("node.example:81", True)):
                async with Node(ALICE, proxy=proxy, always_proxy=always) as alice:
                    connect = w.ConnectdConnect(peer_id=bob.id, addresses=(address,))
                    alice.master.send(connect)
                    assert (await alice.master.one(w.ConnectdPeerConnected)).address == address
                there = await bob.master.one(w.ConnectdPeerConnected)
                bob.master.send(w.ConnectdAcceptPeer(connection=there.connection))
                await bob.master.one(w.ConnectdPeerDisconnected)
            assert socks.asked == [f"{ONION}:80", "node.example:81"]
            server.close()
            await server.wait_closed()

    run(scenario)


def test_the_proxys_refusal_is_told() -> None:
    async def scenario() -> None:
        socks = Socks(0, reply=4)
        server = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
        proxy = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Node(ALICE, proxy=proxy) as alice:
            alice.master.send(w.ConnectdConnect(peer_id=Node(BOB).id, addresses=(f"{ONION}:80",)))
            failed = await alice.master.one(w.ConnectdConnectFailed)
            assert (
                f"{ONION}:80: Connection establishment: proxy {proxy}: Host unreachable"
                in failed.reason
            )
        server.close()
        await server.wait_closed()

    run(scenario)
