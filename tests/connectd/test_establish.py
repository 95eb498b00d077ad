"""A peer that leaves in the middle of the setup."""

from __future__ import annotations

import asyncio

import pytest

from pylightningd.common.keys import ecdh
from pylightningd.common.secret import Secret
from pylightningd.connectd.address import UnixSocket
from pylightningd.connectd.disconnect_script import Break
from pylightningd.connectd.establish_io import Local, Setup, SetupFailed
from pylightningd.connectd.noise import Send, initiate
from pylightningd.connectd.tcp_io import PeerSocket
from tests.connectd.handshake import ALICE, BOB, node_id
from tests.connectd.nodes import run


def act_one() -> bytes:
    """What Alice sends Bob first."""
    handshake = initiate(node_id(ALICE), node_id(BOB), Secret(bytes([0x12] * 32)))
    wish = next(handshake)
    while not isinstance(wish, Send):
        wish = handshake.send(ecdh(ALICE, wish.point))  # type: ignore[union-attr]
    return wish.data


def test_the_peer_hangs_up_while_hsmd_is_asked() -> None:
    """uvloop's transport refuses to be written to then: that ended connectd, and with it all connections."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        made: asyncio.Future[PeerSocket] = loop.create_future()
        lost = asyncio.Event()
        server = await loop.create_server(lambda: PeerSocket(made.set_result), "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        sock = await made
        sock.on_lost = lambda _: lost.set()

        async def slow_hsmd(point: bytes) -> bytes:
            writer.close()
            await lost.wait()
            await asyncio.sleep(0)
            return ecdh(BOB, point)

        local = Local(
            node_id=node_id(BOB),
            features=b"",
            chain_hash=bytes(32),
            ecdh=slow_hsmd,
            ephemeral=lambda: Secret(bytes([0x22] * 32)),
            on_send=lambda _peer, _type: Break.NORMAL,
            on_receive=lambda _peer, _type: Break.NORMAL,
        )
        writer.write(act_one())
        try:
            with pytest.raises(SetupFailed, match="peer closed connection"):
                await Setup(local, sock, UnixSocket("/nowhere")).run(None)
        finally:
            server.close()

    run(scenario)
