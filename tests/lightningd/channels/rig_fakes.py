"""What stands around the master in `rig`: daemons, hsmd, plugins, the chain, timers; and the node itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.clock import FakeClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.invoice.bolt12_merkle import signature_hash
from pylightningd.common.keys import ecdh, pubkey_from_secret, schnorr_sign
from pylightningd.common.network import REGTEST
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.chain.feerates import Feerates
from pylightningd.lightningd.channels.channel import Channel

if TYPE_CHECKING:
    from tests.lightningd.channels.rig import Rig

OUR_KEY = (1).to_bytes(32, "big")
HEIGHT = 1000


def key(n: int) -> bytes:
    return pubkey_from_secret(n.to_bytes(32, "big"))


def peer_id(n: int) -> NodeId:
    return NodeId(key(100 + n))


def scid_of(n: int) -> ShortChannelId:
    return ShortChannelId.make(100 + n, 1, 0)


class FakeLink:
    """A daemon as the master sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.sent: list[Any] = []
        self.on_message: Any = None

    def send(self, msg: Any, *, request_id: int = 0) -> None:  # noqa: ARG002 - as a link has it
        if not self.closed:
            self.sent.append(msg)


@dataclass
class FakeIncoming:
    """A message of a daemon; `replies` is what it was answered."""

    link: FakeLink
    msg: Any
    request_id: int = 0
    replies: list[Any] = field(default_factory=list)

    def reply(self, msg: Any) -> None:
        self.replies.append(msg)

    def refuse(self, reason: str) -> None:
        self.replies.append(reason)


class FakeHsm:
    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.gate: asyncio.Future[None] | None = None
        """Set to a future to let requests wait."""

    def send(self, msg: Any) -> None:
        self.sent.append(msg)

    async def ask(self, msg: Any) -> Any:
        self.sent.append(msg)
        if self.gate is not None:
            await self.gate
        if isinstance(msg, hw.HsmdEcdh):
            return hw.HsmdEcdhReply(secrets=tuple(Secret(ecdh(OUR_KEY, p)) for p in msg.points))
        if isinstance(msg, hw.HsmdSignGossip):
            return hw.HsmdSignGossipReply(message=msg.message)
        if isinstance(msg, hw.HsmdDeriveSecret):
            return hw.HsmdDeriveSecretReply(secret=Secret(sha256(msg.info).digest()))
        if isinstance(msg, hw.HsmdSignBolt12):
            digest = signature_hash(msg.messagename, msg.merkle_root, msg.fieldname)
            return hw.HsmdSignBolt12Reply(signature=schnorr_sign(OUR_KEY, digest))
        return SimpleNamespace(signature=bytes(64))


class FakeFleet:
    def __init__(self, node: Any) -> None:
        self._node = node
        self.links = {n: FakeLink(n) for n in ("connectd", "channeld-0", "closingd")}

    def get(self, name: str) -> FakeLink | None:
        link = self.links.get(name)
        return None if link is None or link.closed else link

    def tell(self, name: str, msg: Any) -> None:
        link = self.get(name)
        if link is not None:
            self._node.turn.send(link, msg)

    async def need(self, name: str) -> FakeLink:
        link = self.get(name)
        if link is None:
            raise LinkClosed(name)
        return link

    def link_id(self, a: str, b: str) -> int:
        if self.get(a) is None or (b != "hsmd" and self.get(b) is None):
            raise LinkClosed(a)
        return 7


class FakePlugins:
    def __init__(self) -> None:
        self.hooks: dict[str, list[Any]] = {}

    def has_hook(self, name: str) -> bool:
        return name in self.hooks

    def anyone_listens(self, _topic: str) -> bool:
        return True

    async def call_hook(self, name: str, _payload: Any) -> list[Any]:
        answers = self.hooks[name]
        return [await a if asyncio.isfuture(a) else a for a in answers]


class FakeOnchain:
    def __init__(self) -> None:
        self.commitments: list[Any] = []
        self.mutual: list[Any] = []
        self.preimages: list[Any] = []

    async def broadcast_commitment(self, channel: Channel, tx: Any) -> None:
        self.commitments.append((channel.dbid, tx))

    async def broadcast_mutual(self, channel: Channel, tx: Any) -> None:
        self.mutual.append((channel.dbid, tx))

    def preimage_known(self, channel: Channel, htlc: Any) -> None:
        self.preimages.append((channel.dbid, htlc.id))

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


class _Nothing:
    """Takes every call and does nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


class FakeNode:
    """What the parts under test see of a `Node`."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.stopping = False
        self.is_up = True
        self.network = REGTEST
        self.node_id = NodeId(pubkey_from_secret(OUR_KEY))
        self.features = {"init": b"", "node": b""}
        self.feature_bits: list[int] = [17]
        self.config: dict[str, Any] = {"offline": False, "allow-deprecated-apis": True}
        self.developer = True
        self.clock = FakeClock()
        self.entropy = SeededEntropy()
        self.settings = SimpleNamespace(
            no_htlc_timeout=False,
            onion_reply_length=256,
            fast_gossip_prune=False,
            strict_forwarding=False,
            reconnect_private=True,
            shutdown_destination_may_change=False,
            any_channel_type=False,
            max_funding_unconfirmed=2016,
            fee_base=1,
            fee_per_satoshi=10,
            cltv_delta=6,
            cltv_final=10,
            htlc_minimum=Msat(0),
            htlc_maximum=Msat(10**12),
            max_dust_exposure=Msat(50_000_000),
            feerate_offset_perkw=5,
            commit_time_ms=10,
            disable_commit_after=0xFFFFFFFF,
            reconnect=True,
            fast_reconnect=False,
            watchtime_blocks=5,
            workers=1,
        )
        self.chain = SimpleNamespace(
            height=HEIGHT,
            feerates=Feerates(),
            watch_tx=lambda *_a, **_k: SimpleNamespace(height=None, tx_index=None),
            watch_spend=lambda *_a, **_k: None,
            on_block=lambda _f: None,
        )
        self.gossip = SimpleNamespace(addresses_of=self._no_addresses)
        self.wallet = SimpleNamespace(script_of=lambda _i: bytes.fromhex("0014") + bytes(20))
        self.channel_gossip = _Nothing()
        self.opening = _Nothing()
        self.backup = _Nothing()
        self.peer_storage = _Nothing()
        self.recovery = _Nothing()
        self.onchain = FakeOnchain()
        self.hsm = FakeHsm()
        self.plugins = FakePlugins()

    async def _no_addresses(self, _peer: NodeId) -> list[str]:
        return []

    def log(self, level: str, text: str, **_fields: Any) -> None:
        self._rig.logs.append((level, text))

    def bug(self, where: str, error: BaseException) -> None:
        self._rig.bugs.append(f"{where}: {type(error).__name__}: {error}")

    def new_future(self) -> asyncio.Future[Any]:
        return self._rig.loop.create_future()

    def call_later(self, seconds: float, fn: Callable[[], object]) -> Timer:
        timer = Timer(self.clock.now() + seconds, fn)
        self._rig.timers.append(timer)
        return timer

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return self.attempt(coro, name)

    def attempt(
        self,
        coro: Coroutine[Any, Any, Any],
        name: str,
        otherwise: Callable[[str], object] = lambda _why: None,
    ) -> asyncio.Task[Any]:
        async def guarded() -> None:
            try:
                await coro
            except Exception as error:  # noqa: BLE001 - as the node does
                self._rig.failed_tasks.append(f"{name}: {type(error).__name__}: {error}")
                otherwise(str(error))

        return self._rig.loop.create_task(guarded(), name=name)


@dataclass(eq=False)
class Timer:
    """What `call_later` gives."""

    due: float
    fn: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True
