"""Two connectds over real TCP: how connections come and go, and what failures say."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from pylightningd.common.features import combine_features, encode_features
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire import peer_wire as p
from tests.connectd.nodes import ALICE, BOB, FEATURES, Node, RawPeer, raw_connection, run

CAROL = Secret(bytes([0x31] * 32))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_connect_talk_disconnect() -> None:
    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            here, there = await alice.connect(bob)
            assert here != there
            odd = b"\x9c\x41hello"
            alice.master.send(w.ConnectdSendMsg(connection=here, msg=odd))
            got = await bob.master.one(w.ConnectdPeerMsg)
            assert (got.peer_id, got.connection, got.msg) == (alice.id, there, odd)
            alice.master.send(w.ConnectdDisconnect(connection=here))
            ours = await alice.master.one(w.ConnectdPeerDisconnected)
            theirs = await bob.master.one(w.ConnectdPeerDisconnected)
            assert (ours.connection, theirs.connection) == (here, there)
            assert "peer_out WIRE_INIT" in alice.logs and "peer_in WIRE_INIT" in bob.logs

    run(scenario)


def test_peer_connected_tells_all() -> None:
    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            alice.master.send(w.ConnectdConnect(peer_id=bob.id, addresses=(bob.address,)))
            there = await bob.master.one(w.ConnectdPeerConnected)
            here = await alice.master.one(w.ConnectdPeerConnected)
            assert here.features == there.features == FEATURES
            assert here.address == bob.address
            assert here.remote_address == there.address and there.remote_address == ""

    run(scenario)


def test_what_is_sent_before_acceptance_waits() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            peer = await (await RawPeer.dial(bob.port)).handshake(bob.id)
            peer.send_init(FEATURES, b"\x9c\x41one", b"\x9c\x41two")
            made = await bob.master.one(w.ConnectdPeerConnected)
            peer.send(b"\x9c\x41three")
            assert bob.hub.connections[made.connection].accepted is False
            assert not [m for m in bob.master.got if isinstance(m, w.ConnectdPeerMsg)]
            bob.master.send(w.ConnectdAcceptPeer(connection=made.connection))
            got = await bob.master.expect(w.ConnectdPeerMsg, 3)
            assert [m.msg[2:] for m in got] == [b"one", b"two", b"three"]

    run(scenario)


def test_a_second_connection_replaces_the_first() -> None:
    async def scenario() -> None:
        async with Node(BOB) as bob:
            worker = bob.link("channeld-0")
            gossipd = bob.link("gossipd")
            first, number = await raw_connection(bob)
            bob.master.send(
                w.ConnectdRoute(
                    connection=number, channel_id=p.ChannelId(bytes(31) + b"\1"),
                    link_id=worker.link.link_id, route_id=1, pending=(),
                )
            )  # fmt: skip
            peer = await (await RawPeer.dial(bob.port)).handshake(bob.id)
            peer.send_init()
            await bob.master.one(w.ConnectdPeerConnected)
            gone = next(m for m in bob.master.got if isinstance(m, w.ConnectdPeerDisconnected))
            assert gone.connection == number and "replaced" in gone.reason
            assert (await worker.one(w.ConnectdRouteClosed)).route_id == 1
            assert (await gossipd.one(w.ConnectdGossipPeerGone)).connection == number
            await first.ended()
            assert len(bob.hub.connections) == 1

    run(scenario)


# ---- failures of connect ------------------------------------------------------------------------


async def failure(node: Node, peer_id: bytes, *addresses: str) -> tuple[int, str]:
    node.master.send(w.ConnectdConnect(peer_id=p.NodeId(peer_id), addresses=addresses))
    failed = await node.master.one(w.ConnectdConnectFailed)
    return failed.code, failed.reason


def test_failures_name_address_stage_and_reason() -> None:
    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            closed = free_port()
            assert await failure(alice, bob.id) == (
                400,
                "Unable to connect, no address known for peer",
            )
            assert await failure(alice, bob.id, f"127.0.0.1:{closed}", "name.example:5") == (
                401,
                f"All addresses failed: 127.0.0.1:{closed}: Connection establishment: Connection refused. "
                "name.example:5: dns disabled. ",
            )
            carol = Node(CAROL)
            assert await failure(alice, carol.id, bob.address) == (
                401,
                f"All addresses failed: {bob.address}: Cryptographic handshake: "
                "peer closed connection (wrong key?). ",
            )
            code, text = await failure(
                alice, bob.id, "autotor:127.0.0.1", "x" * 56 + ".onion", "/no/such/socket"
            )
            assert code == 401
            assert "autotor: is not supported" in text and "Tor v3" in text
            assert "/no/such/socket: Connection establishment: No such file" in text

    run(scenario)


def test_onion_needs_a_proxy() -> None:
    onion = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion"

    async def scenario() -> None:
        async with Node(ALICE) as alice:
            _, text = await failure(alice, ALICE_FRIEND, onion)
            assert f"{onion}:19846: need a proxy. " in text
        async with Node(ALICE, proxy=f"127.0.0.1:{free_port()}") as alice:
            _, text = await failure(alice, ALICE_FRIEND, onion)
            assert "cannot reach the proxy" in text

    run(scenario)


ALICE_FRIEND = Node(BOB).id


def test_the_next_address_is_tried_and_doubles_are_not() -> None:
    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            dead = f"127.0.0.1:{free_port()}"
            alice.master.send(
                w.ConnectdConnect(peer_id=bob.id, addresses=(dead, dead, bob.address))
            )
            assert (await alice.master.one(w.ConnectdPeerConnected)).address == bob.address

    run(scenario)


@pytest.mark.slow
def test_a_stalled_handshake_times_out() -> None:
    async def scenario() -> None:
        async with Node(ALICE, timeout_seconds=1) as alice:
            with socket.create_server(("127.0.0.1", 0)) as mute:
                port = mute.getsockname()[1]
                code, text = await failure(alice, ALICE_FRIEND, f"127.0.0.1:{port}")
                assert code == 401
                assert "Cryptographic handshake: timed out waiting for act two" in text
            peer = await RawPeer.dial(alice.port)
            assert await peer.ended() == b""

    run(scenario)


@pytest.mark.slow
def test_one_that_is_told_to_stays_mute_after_the_handshake() -> None:
    async def scenario() -> None:
        async with Node(ALICE, timeout_seconds=1) as alice:
            async with Node(BOB, dev_handshake_no_reply=True) as bob:
                code, text = await failure(alice, bob.id, bob.address)
                assert code == 401
                assert "Exchanging init messages: timed out waiting for the peer's init" in text
                assert "peer_out WIRE_INIT" not in bob.logs

    run(scenario)


def test_another_network() -> None:
    async def scenario() -> None:
        async with Node(ALICE, network="bitcoin") as alice, Node(BOB) as bob:
            code, text = await failure(alice, bob.id, bob.address)
            assert code == 401
            assert "Exchanging init messages: No common network: you are on regtest" in text
            assert bob.hub.connections == {}

    run(scenario)


def test_a_feature_that_the_peer_lacks() -> None:
    features = combine_features(FEATURES, encode_features([100]))

    async def scenario() -> None:
        async with Node(ALICE, features=features) as alice, Node(BOB) as bob:
            alice.master.send(w.ConnectdConnect(peer_id=bob.id, addresses=(bob.address,)))
            # Bob's init was fine; it is he who does not like ours.
            made = await alice.master.one(w.ConnectdPeerConnected)
            alice.master.send(w.ConnectdAcceptPeer(connection=made.connection))
            said = await alice.master.one(w.ConnectdPeerMsg)
            assert b"Unsupported feature 100" in p.Warning.decode(said.msg).data
            await alice.master.one(w.ConnectdPeerDisconnected)
            assert bob.hub.connections == {}

    run(scenario)


# ---- listening ------------------------------------------------------------------------------------


def test_listening(tmp_path: Path) -> None:
    path = str(tmp_path / "sock")

    async def scenario() -> None:
        async with Node(BOB, listen=("127.0.0.1:0", path)) as bob, Node(ALICE) as alice:
            tcp, unix = bob.init_reply.bindings
            assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", tcp) and unix == path
            async with Node(CAROL, listen=(tcp,)) as carol:
                error = carol.init_reply.error
                assert tcp in error and "Address already in use" in error
            alice.master.send(w.ConnectdConnect(peer_id=bob.id, addresses=(path,)))
            assert (await alice.master.one(w.ConnectdPeerConnected)).address == path
        assert not Path(path).exists()
        # The port is free again at once.
        async with Node(BOB, listen=(tcp,)) as again:
            assert again.init_reply.error == ""

    run(scenario)


@pytest.mark.parametrize("text", ["autotor:127.0.0.1:9051", "not an address", "1.1.1.1:x"])
def test_bad_listen_addresses_are_named(text: str) -> None:
    async def scenario() -> None:
        async with Node(BOB, listen=(text,)) as bob:
            assert text in bob.init_reply.error and bob.init_reply.bindings == ()

    run(scenario)


def test_ping_command() -> None:
    async def scenario() -> None:
        async with Node(ALICE) as alice, Node(BOB) as bob:
            here, _ = await alice.connect(bob)
            for cookie, wanted, length in (
                (1, 128, 132),
                (2, 0, 4),
                (3, 65531, 65535),
                (4, 65532, 0),
            ):
                ask = w.ConnectdPing(
                    connection=here, cookie=cookie, num_pong_bytes=wanted, len=1000
                )
                alice.master.send(ask)
                done = await alice.master.one(w.ConnectdPingDone)
                assert (done.cookie, done.total_length, done.error) == (cookie, length, "")
            alice.master.send(w.ConnectdPing(connection=9, cookie=5, num_pong_bytes=1, len=0))
            assert (await alice.master.one(w.ConnectdPingDone)).error == "Peer not connected"

    run(scenario)
