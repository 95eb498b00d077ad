"""Two masters announce a channel to one another, with a signer and a gossipd played by the test."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common import features as ft
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.clock import FakeClock
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.keys import pubkey_from_secret, sign_compact
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.channeld_wire import ChanneldSend
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.channels import own_gossip as og
from pylightningd.lightningd.channels.channel import Channel, Policy
from pylightningd.lightningd.channels.channel_gossip import DISABLE_AFTER_SECONDS, ChannelGossip
from pylightningd.lightningd.channels.states import ChannelState

SCID = ShortChannelId.make(103, 1, 0)


def key(n: int) -> bytes:
    return (n + 7).to_bytes(32, "big")


class Turn:
    def do(self, fn: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        future.set_result(fn())
        return future

    def after_commit(self, fn: Any) -> None:
        fn()


@dataclass
class Hsm:
    node: int
    asked: list[str] = field(default_factory=list)

    async def ask(self, request: Any) -> Any:
        self.asked.append(request.NAME)
        if isinstance(request, hw.HsmdSetupChannel):
            return None
        if isinstance(request, hw.HsmdSignGossip):
            raw = request.message
            signature = sign_compact(key(self.node), sha256d(raw[66:]))
            return hw.HsmdSignGossipReply(message=raw[:2] + signature + raw[66:])
        digest = sha256d(request.announcement)
        return hw.HsmdSignChannelAnnouncementReply(
            node_signature=sign_compact(key(self.node), digest),
            bitcoin_signature=sign_compact(key(self.node + 10), digest),
        )


class Channels(list[Channel]):
    def __init__(self) -> None:
        super().__init__()
        self.store = SimpleNamespace(save=lambda channel: None)

    def get(self, dbid: int) -> Channel | None:
        return next((c for c in self if c.dbid == dbid), None)

    def by_scid(self, scid: int) -> Channel | None:
        return next((c for c in self if scid in (c.short_channel_id, c.local_alias)), None)


class Side:
    """One master."""

    def __init__(self, number: int, other: int, *, announce: bool = True) -> None:
        self.to_peer: list[bytes] = []
        self.added: list[bytes] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.hung_up: list[str] = []
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE vars (name TEXT PRIMARY KEY, intval INTEGER, blobval BLOB)")
        self.db = SimpleNamespace(execute_sql=database.execute)
        self.clock = FakeClock()
        self.chain = SimpleNamespace(height=103)
        self.channels = Channels()
        self.channel = make_channel(number, other, announce=announce)
        self.channels.append(self.channel)
        self.node: Any = SimpleNamespace(
            node_id=node_id(number),
            network=REGTEST,
            clock=self.clock,
            chain=self.chain,
            turn=Turn(),
            hsm=Hsm(number),
            channels=self.channels,
            stopping=False,
            alias="us",
            rgb=b"\1\2\3",
            features={"node": b"\2"},
            addresses=SimpleNamespace(to_announce=lambda: ["127.0.0.1:9735"]),
            db=self.db,
            workers=SimpleNamespace(send=self._send),
            settings=SimpleNamespace(fast_gossip_prune=False),
            gossip=SimpleNamespace(
                add=self._add, our_channel=lambda *_: None, watch=lambda *_: None
            ),
            peers=SimpleNamespace(
                of=lambda i: i, disconnect=lambda _, why: self.hung_up.append(why)
            ),
            spawn=self._spawn,
            attempt=self._spawn,
            call_later=lambda *_: None,
            log=lambda *_, **__: None,
        )
        self.gossip = ChannelGossip(self.node)

    def _send(self, _channel: Channel, msg: ChanneldSend) -> None:
        self.to_peer.append(msg.msg)

    async def _add(self, raw: bytes, _known: Sat | None = None) -> str:
        self.added.append(raw)
        return ""

    def _spawn(self, coro: Any, name: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(coro, name=name))

    async def settle(self) -> None:
        while self.tasks:
            await self.tasks.pop()

    def connect(self, route: int = 1) -> None:
        self.channel.route_id = route
        self.channel.reestablished = True
        self.gossip.channel_changed(self.channel)

    def disconnect(self) -> None:
        self.channel.route_id = None
        self.channel.reestablished = False
        self.gossip.channel_changed(self.channel)

    def block(self, height: int) -> None:
        self.chain.height = height
        self.channel.depth = height - 102
        self.gossip.depth_changed(self.channel)

    def take(self) -> list[int]:
        """Types of what went to the peer since."""
        sent, self.to_peer = self.to_peer, []
        return [int.from_bytes(raw[:2], "big") for raw in sent]


def node_id(n: int) -> NodeId:
    return NodeId(pubkey_from_secret(key(n)))


def make_channel(number: int, other: int, *, announce: bool) -> Channel:
    def points(n: int) -> Basepoints:
        p = pubkey_from_secret(key(n + 10))
        return Basepoints(funding_pubkey=p, revocation=p, payment=p, delayed_payment=p, htlc=p)

    config = ChannelConfig(
        dust_limit=Sat(354),
        max_htlc_value_in_flight=Msat(10**9),
        channel_reserve=Sat(10000),
        htlc_minimum=Msat(0),
        to_self_delay=5,
        max_accepted_htlcs=30,
    )
    outpoint = Outpoint(Txid(bytes(32)), 0)
    static = ChannelStatic(
        dbid=1,
        peer_id=node_id(other),
        channel_id=outpoint.channel_id(),
        funding=outpoint,
        funding_amount=Sat(1_000_000),
        we_are_opener=True,
        channel_type=ft.encode_features([12, 22]),
        local_config=config,
        remote_config=config,
        local_basepoints=points(number),
        remote_basepoints=points(other),
    )
    return Channel(
        static=static,
        announce=announce,
        minimum_depth=1,
        push=Msat(0),
        local_upfront_shutdown_script=b"",
        remote_upfront_shutdown_script=b"",
        state=ChannelState.CHANNELD_NORMAL,
        to_local=Msat(10**9),
        to_remote=Msat(0),
        min_to_local=Msat(0),
        max_to_local=Msat(0),
        fees=(),
        remote_current_point=b"",
        last_tx=b"",
        last_sig=b"",
        sent_channel_ready=True,
        got_channel_ready=True,
        short_channel_id=SCID,
        local_alias=ShortChannelId(1000 + number),
        remote_alias=ShortChannelId(1000 + other),
        policy=Policy(
            fee_base_msat=1,
            fee_proportional_millionths=10,
            cltv_expiry_delta=6,
            htlc_minimum=Msat(0),
            htlc_maximum=Msat(990_000_000),
        ),
    )


async def settle(*sides: Side) -> None:
    """Carry what was sent until nothing moves."""
    for _ in range(20):
        for side in sides:
            await side.settle()
        moved = False
        for one, other in zip(sides, reversed(sides), strict=True):
            sent, one.to_peer = one.to_peer, []
            for raw in sent:
                moved = True
                other.gossip.peer_message(other.channel, raw)
        if not moved and not any(s.tasks for s in sides):
            return
    raise AssertionError("they never fall silent")


def test_a_channel_is_announced_at_depth_six() -> None:
    async def scene() -> None:
        left, right = Side(1, 2), Side(2, 1)
        for side in (left, right):
            side.connect()
        await settle(left, right)
        for side in (left, right):
            assert side.added == []
            assert side.channel.remote_policy is not None
            assert side.channel.remote_policy.fee_proportional_millionths == 10
            side.block(107)
        await settle(left, right)
        assert left.added == []
        for side in (left, right):
            side.block(108)
        await settle(left, right)
        kinds = [int.from_bytes(raw[:2], "big") for raw in left.added]
        assert kinds == [256, 258, 257]
        assert left.added[0] == right.added[0]
        update = pw.ChannelUpdate.decode(left.added[1])
        assert (update.message_flags, update.short_channel_id) == (1, SCID)
        name = pw.NodeAnnouncement.decode(left.added[2])
        assert name.addresses == bytes((1, 127, 0, 0, 1, 0x26, 0x07))
        # A new gossipd hears the same again; hsmd is not asked again.
        asked = len(left.node.hsm.asked)
        left.gossip.gossipd_started()
        await settle(left, right)
        assert left.added[3:] == left.added[:3]
        assert len(left.node.hsm.asked) == asked

    asyncio.run(scene())


def test_signatures_are_sent_again_until_the_peers_are_here() -> None:
    async def scene() -> None:
        left = Side(1, 2)
        left.block(110)
        left.connect(1)
        await left.settle()
        assert left.take() == [259, 258]
        left.disconnect()
        left.connect(2)
        await left.settle()
        assert left.take() == [259, 258]
        right = Side(2, 1)
        right.block(110)
        right.connect(1)
        await right.settle()
        left.gossip.peer_message(left.channel, right.to_peer[0])
        left.disconnect()
        left.connect(3)
        await left.settle()
        assert left.take() == [258]
        left.gossip.peer_message(left.channel, right.to_peer[0])
        await left.settle()
        assert left.take() == [259], "in answer to the peer's"

    asyncio.run(scene())


def test_wrong_signatures_end_the_connection() -> None:
    async def scene() -> None:
        left = Side(1, 2)
        left.connect()
        msg = pw.AnnouncementSignatures(
            channel_id=left.channel.channel_id,
            short_channel_id=SCID,
            node_signature=bytes(63) + b"\1",
            bitcoin_signature=bytes(64),
        )
        left.gossip.peer_message(left.channel, msg.encode())
        await left.settle()
        assert left.hung_up
        assert left.channel.remote_announcement_sigs is None

    asyncio.run(scene())


def test_private_channel_uses_the_alias_and_is_not_published() -> None:
    async def scene() -> None:
        left, right = Side(1, 2, announce=False), Side(2, 1, announce=False)
        for side in (left, right):
            side.block(120)
            side.connect()
        await settle(left, right)
        assert left.added == []
        update = pw.ChannelUpdate.decode(left.channel.our_update)
        assert update.short_channel_id == left.channel.remote_alias
        assert update.message_flags == og.MUST_BE_ONE | og.DONT_FORWARD
        assert right.channel.remote_policy is not None

    asyncio.run(scene())


@pytest.mark.parametrize("how", ["policy", "closing", "away", "tried"])
def test_updates_follow_what_happens(how: str) -> None:
    async def scene() -> None:
        left, right = Side(1, 2), Side(2, 1)
        for side in (left, right):
            side.block(108)
            side.connect()
        await settle(left, right)
        before = pw.ChannelUpdate.decode(left.channel.our_update)
        left.added.clear()
        if how == "policy":
            left.channel.policy.fee_base_msat = 5
            left.gossip.policy_changed(left.channel)
        elif how == "closing":
            left.channel.state = ChannelState.CHANNELD_SHUTTING_DOWN
            left.gossip.channel_changed(left.channel)
        else:
            left.disconnect()
            await left.settle()
            assert left.added == [], "not at once"
            if how == "away":
                left.clock.advance(DISABLE_AFTER_SECONDS + 1)
                left.gossip.channel_changed(left.channel)
            else:
                left.gossip.tried_while_gone(left.channel)
        await left.settle()
        after = pw.ChannelUpdate.decode(left.channel.our_update)
        assert after.timestamp > before.timestamp
        assert left.added == [left.channel.our_update]
        assert bool(after.channel_flags & og.DISABLED) == (how != "policy")
        assert after.fee_base_msat == (5 if how == "policy" else 1)
        if how in ("away", "tried"):
            left.connect(9)
            await left.settle()
            assert not pw.ChannelUpdate.decode(left.channel.our_update).channel_flags & og.DISABLED

    asyncio.run(scene())


def test_refreshed_after_thirteen_days() -> None:
    async def scene() -> None:
        left = Side(1, 2)
        left.connect()
        await left.settle()
        first = left.channel.our_update
        left.clock.advance(12 * 86400)
        left.gossip.policy_changed(left.channel)
        await left.settle()
        assert left.channel.our_update == first
        left.clock.advance(2 * 86400)
        left.gossip.policy_changed(left.channel)
        await left.settle()
        assert left.channel.our_update != first

    asyncio.run(scene())


def test_a_peer_that_was_late_gets_the_signatures_again() -> None:
    async def scene() -> None:
        left, right = Side(1, 2), Side(2, 1)
        left.block(108)
        for side in (left, right):
            side.connect()
            await side.settle()
        assert left.take() == [259, 258], "and the peer drops them"
        right.block(108)
        await right.settle()
        left.gossip.peer_message(left.channel, right.to_peer[-1])
        await left.settle()
        assert left.take() == [259]
        left.gossip.peer_message(left.channel, right.to_peer[-1])
        await left.settle()
        assert left.take() == []

    asyncio.run(scene())
