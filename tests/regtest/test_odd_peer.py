"""Peers that stall in the handshake, or say a thing twice: nobody else notices."""

from __future__ import annotations

import asyncio

from pylightningd.common.ids import NodeId
from pylightningd.common.secret import Secret
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.openingd_wire import OpeningdFunding
from pylightningd.connectd.noise import Send, initiate
from tests.connectd.handshake import ALICE, node_id
from tests.connectd.nodes import RawPeer
from tests.openingd import sides
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.raw_peer import POINT, Impostor, run
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

STALL_S = 5
ACT_ONE_BYTES = ACT_TWO_BYTES = 50


async def begin_handshake(node: Node, *, sent: int) -> RawPeer:
    """Dial and send so many bytes of act 1; after all of them wait for act 2."""
    raw = await RawPeer.dial(node.port)
    remote = NodeId(bytes.fromhex(node.id))
    handshake = initiate(node_id(ALICE), remote, Secret(bytes([7] * 32)))
    act_one = next(handshake)
    assert isinstance(act_one, Send)
    raw.writer.write(act_one.data[:sent])
    if sent == ACT_ONE_BYTES:
        await raw.reader.readexactly(ACT_TWO_BYTES)
    return raw


def test_strangers_that_stall(node_factory: NodeFactory) -> None:
    """Nothing sent, half of act 1, all of it, or no init behind act 3: closed after a time, and others connect meanwhile."""
    l1, l2 = node_factory.make_many(2, {"dev-timeout-secs": STALL_S})

    async def talk() -> None:
        stalled = [
            await begin_handshake(l1, sent=sent)
            for sent in (0, 20, ACT_ONE_BYTES)
            for _ in range(4)
        ]
        silent = [await RawPeer.dial(l1.port) for _ in range(4)]
        for raw in silent:
            await raw.handshake(NodeId(bytes.fromhex(l1.id)), ALICE)
        await asyncio.to_thread(node_factory.open_channel, l2, l1)
        await asyncio.to_thread(send, l2, l1, amount_msat=1_000_000)
        for raw in stalled:
            assert await raw.ended() == b""
        for raw in silent:
            assert [int.from_bytes(m[:2], "big") for m in await raw.rest()] in ([], [pw.Init.TYPE])

    run(talk)
    assert [p["id"] for p in l1.rpc("listpeers")["peers"]] == [l2.id]
    send(l2, l1, amount_msat=1_000_000)


def test_dialling_one_that_stalls(node_factory: NodeFactory) -> None:
    """connect says after which time and at which stage it gave up; meanwhile other connections are made."""
    l1, l2 = node_factory.make_many(2, {"dev-timeout-secs": STALL_S})

    async def talk() -> RpcError | None:
        heard = asyncio.Event()
        done = asyncio.Event()

        async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(ACT_ONE_BYTES)
            heard.set()
            await done.wait()
            writer.close()

        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        target = {
            "id": POINT.hex(),
            "host": "127.0.0.1",
            "port": server.sockets[0].getsockname()[1],
        }

        async def dial() -> RpcError | None:
            try:
                await asyncio.to_thread(l1.call, "connect", target)
            except RpcError as error:
                return error
            return None

        async with asyncio.TaskGroup() as group:
            dialling = group.create_task(dial())
            await heard.wait()
            await asyncio.to_thread(node_factory.connect, l1, l2)
            assert not dialling.done()
        done.set()
        server.close()
        return dialling.result()

    error = run(talk)
    assert error is not None
    assert error.code == 401
    assert "timed out" in error.message.lower()
    assert "act two" in error.message.lower() or "act 2" in error.message.lower()
    assert l1.is_connected(l2)


def test_funding_created_twice(node_factory: NodeFactory) -> None:
    """The first makes the channel; what comes once more for the temporary id does it no harm."""
    l1, l2 = node_factory.make_many(2)
    node_factory.open_channel(l2, l1)
    features = sides.FEATURES
    opener = sides.opener(features)

    async def talk() -> None:
        peer = await Impostor.dial(l1, ALICE, features)
        peer.say(*opener.outbox)
        opener.peer(await peer.expect(pw.AcceptChannel))
        opener.outbox.clear()
        opener.master(OpeningdFunding(dbid=7, funding=sides.FUNDING))
        (created,) = opener.outbox
        assert isinstance(pw.decode(created), pw.FundingCreated)
        peer.say(created, created)
        signed = await peer.expect(pw.FundingSigned)
        await asyncio.to_thread(wait_for, lambda: l1.channel_states() == STATES, "the channel")
        # Also behind funding_signed, and behind whatever was said about the second.
        if await peer.is_alive():
            peer.say(created)
            await peer.is_alive()
        about = [m for m in peer.heard if isinstance(m, pw.Error)]
        assert not [m for m in about if m.channel_id in (signed.channel_id, bytes(32))], about
        peer.hang_up()

    run(talk)
    assert sorted(l1.channel_states()) == sorted(STATES)
    send(l2, l1, amount_msat=1_000_000)


STATES = ["CHANNELD_NORMAL", "CHANNELD_AWAITING_LOCKIN"]
