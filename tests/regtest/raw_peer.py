"""A peer made by hand for a real node: it says what a test wants, and listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.secret import Secret
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd.derive import NodeSecrets
from tests.connectd.nodes import FEATURES, RawPeer
from tests.regtest.node import NETWORK, Node
from tests.regtest.waiting import TIMEOUT_S

PATIENCE_S = TIMEOUT_S
T = TypeVar("T")
M = TypeVar("M", bound=Message)
POINT = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
Talk = Callable[[], Coroutine[Any, Any, T]]


def run(talk: Talk[T]) -> T:
    """Run a conversation; one that hangs fails the test."""

    async def guarded() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await talk()

    return asyncio.run(guarded())


def key_of(node: Node) -> Secret:
    """The node's own key, so that a test can play it while it is stopped."""
    secret = (node.folder / NETWORK / "hsm_secret").read_bytes()
    return NodeSecrets(secret, is_test_network=True).node_key


class Impostor:
    """A connection to a node under some key, after init."""

    def __init__(self, raw: RawPeer) -> None:
        self.raw = raw
        self.heard: list[Message] = []

    @classmethod
    async def dial(cls, node: Node, key: Secret, features: bytes = FEATURES) -> Impostor:
        """Connect and introduce ourselves."""
        raw = await (await RawPeer.dial(node.port)).handshake(NodeId(bytes.fromhex(node.id)), key)
        raw.send_init(features)
        peer = cls(raw)
        await peer.expect(pw.Init)
        return peer

    def say(self, *messages: Message | bytes) -> None:
        """Send, all at once."""
        self.raw.send(*(m if isinstance(m, bytes) else m.encode() for m in messages))

    async def expect(self, cls: type[M], where: Callable[[M], bool] = lambda _m: True) -> M:
        """The next message of a class. Raises EOFError at the end of the connection."""
        while (raw := await self.raw.receive()) is not None:
            msg = pw.decode(raw)
            self.heard.append(msg)
            if isinstance(msg, cls) and where(msg):
                return msg
        raise EOFError(f"no {cls.__name__} but {self.heard}")

    async def complaint(self, channel_id: ChannelId | None = None) -> pw.Error | pw.Warning | None:
        """The next error or warning (about this channel, or all); None if the node hangs up without a word."""
        while (raw := await self.raw.receive()) is not None:
            msg = pw.decode(raw)
            self.heard.append(msg)
            if isinstance(msg, pw.Error | pw.Warning) and (
                channel_id is None or msg.channel_id in (channel_id, bytes(32))
            ):
                return msg
        return None

    async def is_alive(self) -> bool:
        """Whether the node still answers on this connection."""
        try:
            self.say(pw.Ping(num_pong_bytes=1, ignored=b""))
            await self.expect(pw.Pong)
        except (EOFError, ConnectionError):
            return False
        return True

    def hang_up(self) -> None:
        """End the connection."""
        self.raw.writer.transport.abort()

    async def reestablish(self, channel_id: ChannelId, **wrong: Any) -> None:
        """Take up a channel on which nothing was paid yet, or say something wrong instead."""
        fields: dict[str, Any] = {
            "channel_id": channel_id,
            "next_commitment_number": 1,
            "next_revocation_number": 0,
            "your_last_per_commitment_secret": bytes(32),
            "my_current_per_commitment_point": POINT,
        }
        await self.expect(pw.ChannelReestablish, lambda m: m.channel_id == channel_id)
        self.say(pw.ChannelReestablish(**{**fields, **wrong}))
