"""What a connected peer may say, to whom it goes, and what becomes of nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from pylightningd.common.ids import ChannelId
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire import peer_wire as p
from pylightningd.common.wire.runtime import Message
from pylightningd.connectd.connection_io import DRAIN_SECONDS
from tests.connectd.nodes import ALICE, BOB, Mailbox, Node, RawPeer, raw_connection, run

CID = ChannelId(bytes([9] * 32))
OTHER = ChannelId(bytes([8] * 32))
ZERO = ChannelId(bytes(32))


def revoke(mark: int, cid: ChannelId = CID) -> bytes:
    """Some channel message; connectd does not look inside."""
    return b"\0\x85" + cid + bytes([mark]) * 65


def error(cid: ChannelId, text: bytes = b"boo") -> bytes:
    return p.Error(channel_id=cid, data=text).encode()


def route(
    conn: int, worker: Mailbox, route_id: int = 1, cid: ChannelId = CID, *pending: bytes
) -> Message:
    return w.ConnectdRoute(
        connection=conn,
        channel_id=cid,
        link_id=worker.link.link_id,
        route_id=route_id,
        pending=pending,
    )


def marks(messages: list[w.ConnectdPeerIn]) -> list[int]:
    return [m.msg[34] for m in messages]


async def settled(node: Node, peer: RawPeer, conn: int) -> None:
    """All that was told to the node before is done."""
    node.master.send(w.ConnectdSendMsg(connection=conn, msg=b"\x9c\x41settled"))
    assert await peer.receive() == b"\x9c\x41settled"


# ---- channels -----------------------------------------------------------------------------------


def test_a_route_from_first_message_to_end() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("channeld-0")
            peer, conn = await raw_connection(bob)
            peer.send(revoke(1), revoke(2))
            first = await bob.master.one(w.ConnectdPeerMsg)
            assert first.msg == revoke(1)
            bob.master.send(route(conn, worker, 1, CID, first.msg))
            peer.send(revoke(3))
            worker.send(w.ConnectdRouteReady(route_id=1))
            assert marks(await worker.expect(w.ConnectdPeerIn, 3)) == [1, 2, 3]
            worker.send(w.ConnectdPeerOut(route_id=1, msg=revoke(7)))
            assert await peer.receive() == revoke(7)
            worker.send(w.ConnectdRouteAlias(route_id=1, channel_id=OTHER))
            worker.send(w.ConnectdPeerOut(route_id=1, msg=revoke(8)))
            assert await peer.receive() == revoke(8)
            peer.send(revoke(4, OTHER))
            assert marks([await worker.one(w.ConnectdPeerIn)]) == [4]
            worker.send(w.ConnectdPeerOut(route_id=1, msg=error(CID)))
            worker.send(w.ConnectdRouteDisconnect(route_id=1))
            assert await peer.rest() == [error(CID)]
            peer.writer.close()
            assert (await worker.one(w.ConnectdRouteClosed)).route_id == 1
            assert (await bob.master.one(w.ConnectdPeerDisconnected)).connection == conn
            assert not [m for m in bob.master.got if isinstance(m, w.ConnectdPeerMsg)]

    run(scenario)


def test_a_worker_quicker_than_the_master() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("openingd")
            peer, conn = await raw_connection(bob)
            worker.send(w.ConnectdRouteReady(route_id=1))
            worker.send(w.ConnectdPeerOut(route_id=1, msg=revoke(1)))
            worker.send(w.ConnectdPeerOut(route_id=2, msg=revoke(9)))
            await asyncio.sleep(0)
            bob.master.send(route(conn, worker))
            assert await peer.receive() == revoke(1)
            peer.send(revoke(2))
            assert marks([await worker.one(w.ConnectdPeerIn)]) == [2]
            bob.master.send(route(conn + 1, worker, 2))
            assert (await worker.one(w.ConnectdRouteClosed)).route_id == 2

    run(scenario)


def test_unroute_gives_the_channel_back_to_the_master() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("openingd")
            peer, conn = await raw_connection(bob)
            bob.master.send(route(conn, worker))
            worker.send(w.ConnectdRouteReady(route_id=1))
            await settled(bob, peer, conn)
            peer.send(revoke(1))
            await worker.one(w.ConnectdPeerIn)
            bob.master.send(w.ConnectdUnroute(route_id=1))
            bob.master.send(w.ConnectdSendMsg(connection=conn, msg=b"\x9c\x41"))
            assert await peer.receive() == b"\x9c\x41"
            peer.send(revoke(2))
            assert (await bob.master.one(w.ConnectdPeerMsg)).msg == revoke(2)
            worker.send(w.ConnectdPeerOut(route_id=1, msg=revoke(3)))
            assert (await worker.one(w.ConnectdRouteClosed)).route_id == 1

    run(scenario)


def test_a_dead_worker_costs_its_peers_their_connection_and_nobody_else() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("channeld-0")
            peer, conn = await raw_connection(bob)
            other, other_conn = await raw_connection(bob, BOB)
            bob.master.send(route(conn, worker))
            worker.send(w.ConnectdRouteReady(route_id=1))
            await settled(bob, peer, conn)
            peer.send(revoke(1))
            await worker.one(w.ConnectdPeerIn)
            worker.link.close()
            assert await peer.rest() == []
            peer.writer.close()
            gone = await bob.master.one(w.ConnectdPeerDisconnected)
            assert gone.connection == conn and "channeld-0 is gone" in gone.reason
            other.send(b"\x9c\x41")
            assert (await bob.master.one(w.ConnectdPeerMsg)).connection == other_conn

    run(scenario)


def test_a_talkative_peer_is_rid_of_before_it_was_accepted() -> None:
    """More than fits in the buffer of a peer that nobody reads yet: its end is seen all the same, and at once."""

    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            alice.master.send(w.ConnectdConnect(peer_id=bob.id, addresses=(bob.address,)))
            here = await alice.master.one(w.ConnectdPeerConnected)
            there = await bob.master.one(w.ConnectdPeerConnected)
            bob.master.send(w.ConnectdAcceptPeer(connection=there.connection))
            for _ in range(40):
                msg = b"\x9c\x41" + bytes(20_000)
                bob.master.send(w.ConnectdSendMsg(connection=there.connection, msg=msg))
            alice.master.send(w.ConnectdDisconnect(connection=here.connection))
            async with asyncio.timeout(DRAIN_SECONDS / 2):
                await alice.master.one(w.ConnectdPeerDisconnected)

    run(scenario)


def test_an_error_is_obeyed_wherever_it_arrives() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            ready, slow = bob.link("channeld-0"), bob.link("channeld-1")
            peer, conn = await raw_connection(bob)
            bob.master.send(route(conn, ready, 1, CID))
            bob.master.send(route(conn, slow, 2, OTHER))
            ready.send(w.ConnectdRouteReady(route_id=1))
            await settled(bob, peer, conn)
            unknown = ChannelId(bytes([1] * 32))
            peer.send(error(CID), error(OTHER), error(unknown), error(unknown))
            assert (await ready.one(w.ConnectdPeerIn)).msg == error(CID)
            got = await bob.master.expect(w.ConnectdPeerMsg, 3)
            assert [m.msg for m in got] == [error(OTHER), error(unknown), error(unknown)]
            slow.send(w.ConnectdRouteReady(route_id=2))
            assert (await slow.one(w.ConnectdPeerIn)).msg == error(OTHER)
            peer.send(error(ZERO))
            assert (await ready.one(w.ConnectdPeerIn)).msg == error(ZERO)
            assert (await slow.one(w.ConnectdPeerIn)).msg == error(ZERO)
            assert (await bob.master.one(w.ConnectdPeerMsg)).msg == error(ZERO)
            assert await peer.rest() == []
            assert "Received WIRE_ERROR: boo" in bob.logs

    run(scenario)


def test_a_slow_worker_stops_its_peers_and_no_others() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("channeld-0")
            peer, conn = await raw_connection(bob)
            bob.master.send(route(conn, worker))
            await settled(bob, peer, conn)
            big = revoke(1) + bytes(60000)
            for _ in range(100):
                peer.send(big)
            other, other_conn = await raw_connection(bob, BOB)
            held = bob.hub.connections[conn]
            while "held" not in held._not_reading:
                await asyncio.sleep(0)
            other.send(b"\x9c\x41")
            assert (await bob.master.one(w.ConnectdPeerMsg)).connection == other_conn
            worker.send(w.ConnectdRouteReady(route_id=1))
            assert len(await worker.expect(w.ConnectdPeerIn, 100)) == 100

    run(scenario)


# ---- the connection itself ------------------------------------------------------------------------


def test_messages_for_the_master() -> None:
    onion = b"\x02\x01" + bytes(40)

    async def scenario() -> None:
        async with Node(BOB) as bob:
            peer, conn = await raw_connection(bob)
            bob.master.send(w.ConnectdSetCustommsgs(types=(40000,)))
            bob.master.send(w.ConnectdSendMsg(connection=conn, msg=onion))
            assert await peer.receive() == onion  # and the types are set
            warning = p.Warning(channel_id=ZERO, data=b"careful").encode()
            sent = [onion, b"\x9c\x40even", b"\x9c\x41odd", b"\0\x07\0\x01x", warning]
            peer.send(*sent)
            got = await bob.master.expect(w.ConnectdPeerMsg, 5)
            assert [m.msg for m in got] == sent
            assert "Received WIRE_WARNING: careful" in bob.logs

    run(scenario)


def test_pings_are_answered() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            peer, _ = await raw_connection(bob)
            peer.send(
                p.Ping(num_pong_bytes=65532, ignored=b"").encode(),
                p.Pong(ignored=b"??").encode(),
                p.Ping(num_pong_bytes=3, ignored=b"").encode(),
            )
            assert await peer.receive() == p.Pong(ignored=bytes(3)).encode()
            assert "Unexpected pong?" in bob.logs

    run(scenario)


@pytest.mark.parametrize(
    ("nonsense", "says"),
    [
        (b"", b"has no type"),
        (b"\0", b"has no type"),
        (b"\x9c\x40", b"unknown even"),
        (p.Init(globalfeatures=b"", features=b"").encode(), b"Unexpected message WIRE_INIT"),
        (b"\0\x80short", b"no channel_id"),
        (b"\0\x11short", b"no channel_id"),
        (b"\0\x12", b"Invalid ping"),
    ],
)
def test_nonsense_gets_a_warning_and_the_end(nonsense: bytes, says: bytes) -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob, Node(ALICE) as alice:
            here, _ = await alice.connect(bob)
            mallory, conn = await raw_connection(bob, BOB)
            mallory.send(nonsense, b"\x9c\x41not heard any more")
            (last,) = await mallory.rest()
            warning = p.Warning.decode(last)
            assert warning.channel_id == ZERO and says in warning.data
            mallory.writer.close()
            assert (await bob.master.one(w.ConnectdPeerDisconnected)).connection == conn
            # Nobody else notices.
            alice.master.send(w.ConnectdSendMsg(connection=here, msg=b"\x9c\x41still here"))
            assert (await bob.master.one(w.ConnectdPeerMsg)).msg == b"\x9c\x41still here"

    run(scenario)


def test_garbage_before_and_after_the_handshake() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            for junk in (b"GET / HTTP/1.1\r\n" * 10, bytes(50), b"\x01" + bytes(49)):
                stranger = await RawPeer.dial(bob.port)
                stranger.writer.write(junk)
                assert await stranger.ended() == b""
            early = await (await RawPeer.dial(bob.port)).handshake(bob.id)
            early.send(revoke(1))
            messages = await early.rest()
            assert b"Expected init" in p.Warning.decode(messages[-1]).data
            odd = await (await RawPeer.dial(bob.port)).handshake(bob.id)
            odd.send(b"\x9c\x41ignored before init")
            odd.send_init()
            made = await bob.master.one(w.ConnectdPeerConnected)
            bob.master.send(w.ConnectdAcceptPeer(connection=made.connection))
            odd.writer.write(bytes(1000))
            gone = await bob.master.one(w.ConnectdPeerDisconnected)
            assert "MAC" in gone.reason

    run(scenario)


def test_a_stranger_that_stalls_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylightningd.connectd.hub_io.MAX_STRANGERS", 2)

    async def scenario() -> None:
        async with Node(BOB) as bob:
            stalled = [await RawPeer.dial(bob.port) for _ in range(2)]
            await raw_connection(bob)
            assert await stalled[0].ended() == b""

    run(scenario)


# ---- gossip ---------------------------------------------------------------------------------------


def test_gossip_in_and_out() -> None:
    announcement = b"\x01\x00" + bytes(60)

    async def scenario() -> None:
        async with Node(BOB) as bob:
            peer, conn = await raw_connection(bob)
            gossipd = bob.link("gossipd")  # it may be restarted: it hears of peers that are there
            hello = await gossipd.one(w.ConnectdGossipPeer)
            assert (hello.connection, hello.peer_id) == (conn, bob.hub.connections[conn].peer_id)
            peer.send(announcement)
            assert (await gossipd.one(w.ConnectdGossipIn)).msg == announcement
            batch = tuple(b"\x01\x02" + bytes([n]) * 1000 for n in range(200))
            gossipd.send(w.ConnectdGossipOut(connection=conn, msgs=batch))
            assert [await peer.receive() for _ in batch] == list(batch)
            assert (await gossipd.one(w.ConnectdGossipRoom)).connection == conn
            warning = p.Warning(channel_id=ZERO, data=b"bad sig").encode()
            gossipd.send(w.ConnectdGossipWarn(connection=conn, msg=warning))
            assert await peer.rest() == [warning]
            peer.writer.close()
            assert (await gossipd.one(w.ConnectdGossipPeerGone)).connection == conn

    run(scenario)


def test_suppressed_gossip_is_dropped_and_the_open_files_are_told() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            peer, conn = await raw_connection(bob)
            gossipd = bob.link("gossipd")
            await gossipd.one(w.ConnectdGossipPeer)
            bob.master.send(w.ConnectdDevSuppressGossip())
            bob.master.send(w.ConnectdDevReportFds())
            await asyncio.sleep(0)
            news = tuple(kind.to_bytes(2, "big") + bytes(100) for kind in (256, 257, 258))
            reply = (262).to_bytes(2, "big") + bytes(60)
            gossipd.send(w.ConnectdGossipOut(connection=conn, msgs=(*news, reply)))
            assert await peer.receive() == reply
            await gossipd.one(w.ConnectdGossipRoom)
            assert any("dev_report_fds: 0 -> " in line for line in bob.logs)

    run(scenario)


def test_channel_messages_overtake_gossip_and_a_slow_peer_gets_no_more() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            gossipd = bob.link("gossipd")
            peer, conn = await raw_connection(bob)
            await gossipd.one(w.ConnectdGossipPeer)
            big = tuple(b"\x01\x02" + bytes(60000) for _ in range(250))
            gossipd.send(w.ConnectdGossipOut(connection=conn, msgs=big))
            while not bob.hub.connections[conn]._socket.write_paused:
                await asyncio.sleep(0)
            assert not [m for m in gossipd.got if isinstance(m, w.ConnectdGossipRoom)]
            bob.master.send(w.ConnectdSendMsg(connection=conn, msg=b"\x9c\x41urgent"))
            order = [await peer.receive() for _ in range(len(big) + 1)]
            assert order.index(b"\x9c\x41urgent") < len(big) - 50
            await gossipd.one(w.ConnectdGossipRoom)

    run(scenario)


# ---- --dev-disconnect -----------------------------------------------------------------------------


async def _closed(peer: RawPeer, bob: Node) -> list[bytes]:
    got = await peer.rest()
    peer.writer.close()
    await bob.master.one(w.ConnectdPeerDisconnected)
    return got


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-WIRE_REVOKE_AND_ACK", []),
        ("+WIRE_REVOKE_AND_ACK", [revoke(1)]),
        ("-WIRE_REVOKE_AND_ACK*2", [revoke(1)]),
        ("=WIRE_REVOKE_AND_ACK\n+WIRE_REVOKE_AND_ACK", [revoke(1), revoke(2)]),
        ("$WIRE_REVOKE_AND_ACK\n+WIRE_REVOKE_AND_ACK", [revoke(2)]),
    ],
)
def test_dev_disconnect_closes(tmp_path: Path, line: str, expected: list[bytes]) -> None:
    script = tmp_path / "script"
    script.write_text(line + "\n")

    async def scenario() -> None:
        async with Node(BOB, dev_disconnect=str(script)) as bob:
            peer, conn = await raw_connection(bob)
            for mark in (1, 2, 3):
                bob.master.send(w.ConnectdSendMsg(connection=conn, msg=revoke(mark)))
            assert await _closed(peer, bob) == expected
            first = line.splitlines()[0].partition("*")[0]
            assert f"dev_disconnect: {first} (WIRE_REVOKE_AND_ACK)" in bob.logs

    run(scenario)


def test_dev_disconnect_after_receive(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("<WIRE_REVOKE_AND_ACK\n")

    async def scenario() -> None:
        async with Node(BOB, dev_disconnect=str(script)) as bob:
            peer, _ = await raw_connection(bob)
            peer.send(revoke(1), revoke(2))
            assert (await bob.master.one(w.ConnectdPeerMsg)).msg == revoke(1)
            assert await _closed(peer, bob) == []

    run(scenario)


@pytest.mark.parametrize(("code", "last"), [("x", revoke(1)), ("0", b"\x9c\x41before")])
def test_dev_disconnect_mutes(tmp_path: Path, code: str, last: bytes) -> None:
    script = tmp_path / "script"
    script.write_text(f"{code}WIRE_REVOKE_AND_ACK\n")

    async def scenario() -> None:
        async with Node(BOB, dev_disconnect=str(script)) as bob:
            peer, conn = await raw_connection(bob)
            for raw in (b"\x9c\x41before", revoke(1), revoke(2)):
                bob.master.send(w.ConnectdSendMsg(connection=conn, msg=raw))
            got = b""
            while got != last:
                got = await peer.receive() or b"ended"
            peer.send(b"\x9c\x41unheard")
            peer.writer.write_eof()
            await bob.master.one(w.ConnectdPeerDisconnected)
            assert not [m for m in bob.master.got if isinstance(m, w.ConnectdPeerMsg)]
            assert await peer.rest() == []

    run(scenario)


def test_dev_disconnect_at_init(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("-WIRE_INIT\n+WIRE_INIT\n")

    async def scenario() -> None:
        async with Node(BOB, dev_disconnect=str(script)) as bob, Node(ALICE) as alice:
            for says in ("Exchanging init messages: peer closed", "peer closed"):
                alice.master.send(w.ConnectdConnect(peer_id=bob.id, addresses=(bob.address,)))
                assert says in (await _outcome(alice)).reason
            await alice.connect(bob)

    run(scenario)


async def _outcome(node: Node) -> w.ConnectdConnectFailed | w.ConnectdPeerDisconnected:
    """The failure of a connect, or the end of what it had made."""
    found: Callable[[], list[Message]] = lambda: [  # noqa: E731
        m
        for m in node.master.got
        if isinstance(m, w.ConnectdConnectFailed | w.ConnectdPeerDisconnected)
    ]
    while not found():
        for made in [m for m in node.master.got if isinstance(m, w.ConnectdPeerConnected)]:
            node.master.got.remove(made)
            node.master.send(w.ConnectdAcceptPeer(connection=made.connection))
        await asyncio.sleep(0)
    msg = found()[0]
    node.master.got.remove(msg)
    assert isinstance(msg, w.ConnectdConnectFailed | w.ConnectdPeerDisconnected)
    return msg
