"""A peer that breaks the rules gets what BOLT 1 and 2 say, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire import peer_wire as pw
from tests.connectd.handshake import ALICE
from tests.connectd.nodes import RawPeer
from tests.regtest.bitcoind import Bitcoind
from tests.regtest.books import check_books
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.raw_peer import POINT, Impostor, key_of, run
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

ONION = bytes(1366)
SIGNATURE = bytes([1] * 64)
Say = Callable[[Impostor, ChannelId], Coroutine[Any, Any, None]]


def add(channel_id: ChannelId, number: int = 0, amount_msat: int = 5_000_000) -> pw.UpdateAddHtlc:
    """An HTLC of the impostor's."""
    return pw.UpdateAddHtlc(
        channel_id=channel_id,
        id=number,
        amount_msat=Msat(amount_msat),
        payment_hash=bytes([9] * 32),
        cltv_expiry=500,
        onion_routing_packet=ONION,
    )


def commit(channel_id: ChannelId, htlcs: int = 0) -> pw.CommitmentSigned:
    """A commitment with signatures that are wrong."""
    return pw.CommitmentSigned(
        channel_id=channel_id, signature=SIGNATURE, htlc_signature=(SIGNATURE,) * htlcs
    )


@dataclass(frozen=True)
class Case:
    """What the impostor says after (or as) its reestablish, and what comes of it."""

    name: str
    say: tuple[Callable[[ChannelId], Any], ...] = ()
    reestablish: tuple[tuple[str, Any], ...] = ()
    fails_channel: bool = False
    """Else a warning and a new connection."""
    silent: bool = False
    """The channel fails without an answer."""
    text: str = ""


CASES = (
    Case(
        "reestablish ahead without proof",
        reestablish=(("next_commitment_number", 50),),
        fails_channel=True,
    ),
    # BOLT 2, "Message Retransmission": zero asks us to close.
    Case(
        "reestablish zero",
        reestablish=(("next_commitment_number", 0),),
        fails_channel=True,
        silent=True,
    ),
    Case(
        "reestablish with a wrong secret",
        reestablish=(
            ("next_revocation_number", 5),
            ("your_last_per_commitment_secret", bytes([3] * 32)),
        ),
        fails_channel=True,
    ),
    Case("commitment without changes", (commit,)),
    Case("commitment with a bad signature", (add, lambda c: commit(c, 1))),
    Case("HTLC with a wrong id", (lambda c: add(c, 7),)),
    Case("HTLC above all there is", (lambda c: add(c, 0, 900_000_000_000),)),
    Case("HTLC of nothing", (lambda c: add(c, 0, 0),)),
    Case(
        "fulfill of an unknown HTLC",
        (lambda c: pw.UpdateFulfillHtlc(channel_id=c, id=3, payment_preimage=bytes(32)),),
    ),
    Case(
        "revocation that nobody expects",
        (
            lambda c: pw.RevokeAndAck(
                channel_id=c, per_commitment_secret=bytes([1] * 32), next_per_commitment_point=POINT
            ),
        ),
    ),
    Case("truncated HTLC", (lambda c: add(c).encode()[:60],)),
    Case(
        "update_fee of one who did not open",
        (lambda c: pw.UpdateFee(channel_id=c, feerate_per_kw=9000),),
    ),
    Case(
        "closing_signed without shutdown",
        (lambda c: pw.ClosingSigned(channel_id=c, fee_satoshis=Sat(200), signature=SIGNATURE),),
    ),
    Case(
        "shutdown to a script that nobody can spend",
        (lambda c: pw.Shutdown(channel_id=c, scriptpubkey=b"\x51"),),
    ),
    Case(
        "an error",
        (lambda c: pw.Error(channel_id=c, data=b"enough"),),
        fails_channel=True,
        silent=True,
        text="They sent ERROR",
    ),
)


@pytest.fixture(scope="module")
def scene(bitcoind: Bitcoind) -> Iterator[tuple[Node, Node, Node, list[str]]]:
    """l1 with l3, and with l2, which the tests play; l2's channels, one for each case."""
    factory = NodeFactory(Path(mkdtemp(prefix="ln-bad-")), bitcoind, letter="b")
    l1, l2, l3 = factory.make_many(3)
    factory.fund_wallet(l1, 20_000_000)
    factory.connect(l1, l2)
    factory.connect(l1, l3)
    txids = [
        l1.rpc("fundchannel", id=l2.id, amount=500_000, minconf=0, push_msat=100_000_000)["txid"]
        for _ in CASES
    ]
    txids.append(l1.rpc("fundchannel", id=l3.id, amount=500_000, minconf=0)["txid"])
    factory.mine(1, wait_for_mempool=txids)
    for peer, made in ((l2, txids[:-1]), (l3, txids[-1:])):
        for txid in made:
            factory.wait_normal(l1, peer, txid)
    ids = [factory.channel(l1, l2, txid)["channel_id"] for txid in txids[:-1]]
    l2.stop()
    yield l1, l2, l3, ids
    try:
        check_books(factory)
    finally:
        problems = factory.close()
    assert not problems, (problems, factory.transcript())


def state_of(node: Node, channel_id: str) -> str:
    """A channel's state."""
    return str(next(c for c in node.channels() if c["channel_id"] == channel_id)["state"])


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name.replace(" ", "-"))
def test_broken_channel_rules(scene: tuple[Node, Node, Node, list[str]], case: Case) -> None:
    l1, l2, l3, ids = scene
    channel_hex = ids[CASES.index(case)]
    channel_id = ChannelId(bytes.fromhex(channel_hex))
    before = {c["channel_id"]: c["state"] for c in l1.channels()}

    async def talk() -> tuple[pw.Error | pw.Warning | None, bool]:
        peer = await Impostor.dial(l1, key_of(l2))
        await peer.reestablish(channel_id, **dict(case.reestablish))
        if not case.reestablish:
            await peer.expect(pw.ChannelReady, lambda m: m.channel_id == channel_id)
        peer.say(*(make(channel_id) for make in case.say))
        if case.silent:
            await wait_until(lambda: state_of(l1, channel_hex) == "AWAITING_UNILATERAL")
            alive = await peer.is_alive()
            peer.hang_up()
            return None, alive
        said = await peer.complaint(channel_id)
        if isinstance(said, pw.Warning):
            assert await peer.complaint(channel_id) is None, "the connection goes on"
            return said, False
        alive = await peer.is_alive()
        peer.hang_up()
        return said, alive

    said, alive = run(talk)
    wait_for(lambda: not l1.is_connected(l2))
    if case.fails_channel:
        assert alive, "the connection must go on for the other channels"
        assert case.silent or isinstance(said, pw.Error)
        wait_for(lambda: state_of(l1, channel_hex) == "AWAITING_UNILATERAL")
        status = next(c for c in l1.channels() if c["channel_id"] == channel_hex)["status"]
        assert any(case.text in line for line in status)
    else:
        assert isinstance(said, pw.Warning)
        assert state_of(l1, channel_hex) == "CHANNELD_NORMAL"
    after = {c["channel_id"]: c["state"] for c in l1.channels()}
    assert {k: v for k, v in after.items() if k != channel_hex} == {
        k: v for k, v in before.items() if k != channel_hex
    }
    send(l1, l3, amount_msat=1_000)


def test_revocation_with_a_wrong_secret(node_factory: NodeFactory) -> None:
    l1, l2, l3 = node_factory.make_many(3)
    node_factory.open_channel(l1, l2)
    node_factory.open_channel(l1, l3)
    channel = l1.channels(l2)[0]
    channel_id = ChannelId(bytes.fromhex(channel["channel_id"]))
    l2.stop()
    wait_for(lambda: not l1.is_connected(l2))

    async def talk() -> tuple[pw.Error | pw.Warning | None, bool]:
        peer = await Impostor.dial(l1, key_of(l2))
        await peer.reestablish(channel_id)
        await peer.expect(pw.ChannelReady)
        route = [
            {"id": l2.id, "channel": channel["short_channel_id"], "amount_msat": 5000, "delay": 9}
        ]
        send_it = {"route": route, "payment_hash": "77" * 32, "payment_secret": "22" * 32}
        peer.say(pw.ChannelReady(channel_id=channel_id, second_per_commitment_point=POINT))
        await wait_until(lambda: l1.channels(l2)[0].get("reestablished"))
        await asyncio.to_thread(l1.call, "sendpay", send_it)
        await peer.expect(pw.CommitmentSigned)
        peer.say(
            pw.RevokeAndAck(
                channel_id=channel_id,
                per_commitment_secret=bytes([5] * 32),
                next_per_commitment_point=POINT,
            )
        )
        said = await peer.complaint(channel_id)
        alive = await peer.is_alive()
        peer.hang_up()
        return said, alive

    said, _alive = run(talk)
    assert isinstance(said, pw.Error | pw.Warning)
    wait_for(lambda: not l1.is_connected(l2))
    send(l1, l3, amount_msat=1_000)
    assert l1.rpc("listsendpays", payment_hash="77" * 32)["payments"][0]["status"] == "pending"


async def wait_until(condition: Callable[[], Any]) -> None:
    """wait_for, without blocking the conversation."""
    await asyncio.to_thread(wait_for, condition)


OPEN = {
    "chain_hash": bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"),
    "temporary_channel_id": ChannelId(bytes([8] * 32)),
    "funding_satoshis": Sat(500_000),
    "push_msat": Msat(0),
    "dust_limit_satoshis": Sat(546),
    "max_htlc_value_in_flight_msat": 500_000_000,
    "channel_reserve_satoshis": Sat(5000),
    "htlc_minimum_msat": 0,
    "feerate_per_kw": 1000,
    "to_self_delay": 6,
    "max_accepted_htlcs": 483,
    "funding_pubkey": POINT,
    "revocation_basepoint": POINT,
    "payment_basepoint": POINT,
    "delayed_payment_basepoint": POINT,
    "htlc_basepoint": POINT,
    "first_per_commitment_point": POINT,
    "channel_flags": 1,
}
TLVS = pw.OpenChannelTlvs(upfront_shutdown_script=b"", channel_type=bytes.fromhex("401000"))


def test_bad_openings(node_factory: NodeFactory) -> None:
    """Each refused opening gets an error for its temporary id, and the next is not the worse for it."""
    l1 = node_factory.make()
    bad: list[dict[str, Any]] = [
        {"chain_hash": bytes(32)},
        {"funding_satoshis": Sat(100)},
        {"push_msat": Msat(600_000_000)},
        {"feerate_per_kw": 1},
        {"to_self_delay": 65535},
        {"max_accepted_htlcs": 484},
        {"dust_limit_satoshis": Sat(100)},
        {"channel_reserve_satoshis": Sat(1)},
        {"tlvs": pw.OpenChannelTlvs(channel_type=bytes.fromhex("80000000000000"))},
    ]

    async def talk() -> None:
        peer = await Impostor.dial(l1, ALICE)
        for n, wrong in enumerate(bad):
            temporary = ChannelId(bytes([50 + n] * 32))
            fields = {**OPEN, "tlvs": TLVS, "temporary_channel_id": temporary, **wrong}
            peer.say(pw.OpenChannel(**fields))
            said = await peer.complaint()
            assert isinstance(said, pw.Error), (wrong, said)
            assert said.channel_id == temporary, wrong
            assert await peer.is_alive(), wrong
        # A good one, then funding with a signature that is wrong, then funding once more.
        peer.say(pw.OpenChannel(**OPEN, tlvs=TLVS))
        await peer.expect(pw.AcceptChannel)
        funding = pw.FundingCreated(
            temporary_channel_id=OPEN["temporary_channel_id"],
            funding_txid=bytes([4] * 32),
            funding_output_index=0,
            signature=SIGNATURE,
        )
        peer.say(funding, funding)
        said = await peer.complaint()
        assert isinstance(said, pw.Error)
        assert await peer.is_alive()
        # Out of order: funding for an opening that failed is not for anybody.
        peer.say(funding)
        assert await peer.is_alive()
        # The same opening twice.
        twice = {**OPEN, "tlvs": TLVS, "temporary_channel_id": ChannelId(bytes([7] * 32))}
        peer.say(pw.OpenChannel(**twice), pw.OpenChannel(**twice))
        assert await peer.complaint() is not None
        peer.hang_up()
        malformed = await Impostor.dial(l1, ALICE)
        malformed.say(pw.OpenChannel(**{**OPEN, "funding_pubkey": bytes(33)}, tlvs=TLVS))
        assert isinstance(await malformed.complaint(), pw.Warning)
        await malformed.raw.rest()
        again = await Impostor.dial(l1, ALICE)
        again.say(pw.OpenChannel(**OPEN, tlvs=TLVS))
        await again.expect(pw.AcceptChannel)
        again.hang_up()

    run(talk)
    assert l1.channels() == []
    wait_for(lambda: l1.rpc("listpeers") == {"peers": []})


def test_bad_bytes(node_factory: NodeFactory) -> None:
    """Garbage at every stage of a connection; another peer's connection is not touched."""
    l1, l2 = node_factory.make_many(2, allow_trouble="gossipd: Bad gossip")
    node_factory.connect(l2, l1)
    unknown = ChannelId(bytes([6] * 32))

    async def no_handshake() -> None:
        for junk in (b"", bytes(50), bytes(49), b"GET / HTTP/1.0\r\n\r\n" + bytes(100)):
            raw = await RawPeer.dial(l1.port)
            raw.writer.write(junk)
            raw.writer.write_eof()
            await raw.ended()

    async def not_init_first() -> None:
        raw = await (await RawPeer.dial(l1.port)).handshake(bytes.fromhex(l1.id), ALICE)  # type: ignore[arg-type]
        raw.send(pw.Ping(num_pong_bytes=1, ignored=b"").encode())
        assert all(int.from_bytes(m[:2], "big") in (1, 16, 17) for m in await raw.rest())

    async def unknown_features() -> None:
        raw = await (await RawPeer.dial(l1.port)).handshake(bytes.fromhex(l1.id), ALICE)  # type: ignore[arg-type]
        raw.send_init(bytes.fromhex("01" + "00" * 100))
        assert all(int.from_bytes(m[:2], "big") in (1, 16, 17) for m in await raw.rest())

    async def bad_frames() -> None:
        peer = await Impostor.dial(l1, ALICE)
        peer.raw.writer.write(bytes(18 + 100))
        await peer.complaint()
        assert not await peer.is_alive()

    async def after_init(*messages: bytes, lives: bool) -> None:
        peer = await Impostor.dial(l1, ALICE)
        peer.say(*messages)
        if lives:
            assert await peer.is_alive(), messages
            peer.hang_up()
        else:
            await peer.raw.rest()

    async def talk() -> None:
        await no_handshake()
        await not_init_first()
        await unknown_features()
        await bad_frames()
        # BOLT 1: unknown odd types are ignored, unknown even ones end the connection.
        await after_init(b"\xaa\xff" + bytes(65533), lives=True)
        await after_init(b"\xaa\xfe\x00", lives=False)
        await after_init(b"", lives=False)
        await after_init(b"\x00", lives=False)
        await after_init(pw.Ping(num_pong_bytes=1, ignored=b"").encode()[:3], lives=False)
        await after_init(pw.Pong(ignored=b"").encode(), lives=True)
        await after_init(add(unknown).encode(), commit(unknown).encode(), lives=True)
        await after_init(add(unknown).encode()[:40], lives=True)
        await after_init(add(unknown).encode()[:20], lives=False)
        await after_init(pw.Warning(channel_id=unknown, data=b"\xff\x00").encode(), lives=True)
        await after_init(pw.OpenChannel(**OPEN, tlvs=TLVS).encode()[:100], lives=False)
        await after_init(pw.ChannelAnnouncement.TYPE.to_bytes(2, "big") + bytes(20), lives=False)

    run(talk)
    assert l1.is_connected(l2)
    assert l2.rpc("ping", id=l1.id)["totlen"]


def test_connect_to_a_peer_that_hangs_up(node_factory: NodeFactory) -> None:
    """connect says at which stage it failed."""
    l1 = node_factory.make()
    errors: dict[str, RpcError] = {}

    async def talk() -> None:
        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async def after_act_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(50)
            writer.close()

        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(50)
            writer.write(bytes(50))
            await writer.drain()
            writer.close()

        for answer in (hang_up, after_act_one, garbage):
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            target = {"id": POINT.hex(), "host": "127.0.0.1", "port": port}
            try:
                await asyncio.to_thread(l1.call, "connect", target)
            except RpcError as error:
                errors[answer.__name__] = error
            server.close()

    run(talk)
    for name, error in errors.items():
        assert error.code == 401, name
        assert "127.0.0.1" in error.message
        assert "handshake" in error.message.lower(), (name, error.message)
    assert len(errors) == 3
