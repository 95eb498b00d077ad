"""A master without processes: real turn, tables, channels, peers, switch, payments and invoices between fakes.

`Rig.worker_says` plays a channeld worker, `Rig.connectd_says` plays connectd; `Rig.to_worker` and `Rig.to_connectd`
hold what they were sent. Nothing waits for a clock: `spin` runs the loop until it has nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.clock import FakeClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.invoice.bolt12_merkle import signature_hash
from pylightningd.common.keys import ecdh, pubkey_from_secret, schnorr_sign
from pylightningd.common.network import REGTEST
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.secret import Secret
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.chain.feerates import Feerates
from pylightningd.lightningd.channels.channel import Channel, Policy
from pylightningd.lightningd.channels.events import ChannelEvents
from pylightningd.lightningd.channels.forward import Switch
from pylightningd.lightningd.channels.registry import Channels
from pylightningd.lightningd.channels.resolve import Resolver
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.control.channeld import ChanneldControl
from pylightningd.lightningd.control.closingd import ClosingControl
from pylightningd.lightningd.control.connectd import ConnectControl
from pylightningd.lightningd.control.hooks import HtlcHook, PeerHooks
from pylightningd.lightningd.control.workers import Workers
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.db.forwards_io import ForwardStore
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceStore
from pylightningd.lightningd.db.moves_io import MoveStore
from pylightningd.lightningd.db.offers_io import OfferStore
from pylightningd.lightningd.db.payments_io import Part, PaymentStore
from pylightningd.lightningd.moves.moves import Moves
from pylightningd.lightningd.payments.incoming import Receiver
from pylightningd.lightningd.payments.invoices import Invoices
from pylightningd.lightningd.payments.offer_book import OfferBook
from pylightningd.lightningd.payments.outgoing import FinalData, Payments, RouteHop
from pylightningd.lightningd.peers import Peers
from pylightningd.lightningd.turn import Turn

R = TypeVar("R")
M = TypeVar("M")

OUR_KEY = (1).to_bytes(32, "big")
HEIGHT = 1000
_ROUNDS = 30


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


class Rig:
    """One master, started from the tables at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start()

    def _start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.logs: list[tuple[str, str]] = []
        self.bugs: list[str] = []
        self.failed_tasks: list[str] = []
        self.notes: list[tuple[str, Any]] = []
        self.timers: list[Timer] = []
        self.fatal: list[str] = []
        self.database = open_database(f"sqlite3://{self.path}/w.sqlite3", REGTEST)
        node: Any = FakeNode(self)
        self.node = node
        node.db = self.database.connection
        node.turn = Turn(
            self.database.store,
            schedule=self.loop.call_soon,
            make_future=self.loop.create_future,
            on_bug=node.bug,
            on_disk_failure=self.fatal.append,
            notify=lambda topic, payload: self.notes.append((topic, payload)),
        )
        self._parts(node)
        self._requests = 1

    def _parts(self, node: Any) -> None:
        node.fleet = FakeFleet(node)
        node.moves = Moves(node, MoveStore(node.db))
        node.channels = Channels(node, ChannelStore(node.db))
        node.peers = Peers(node)
        node.resolver = Resolver(node)
        node.switch = Switch(node, ForwardStore(node.db))
        node.channel_events = ChannelEvents(node)
        node.payments = Payments(node, PaymentStore(node.db))
        node.invoices = Invoices(node, InvoiceStore(node.db))
        node.offer_book = OfferBook(node, OfferStore(node.db))
        node.receiver = Receiver(node, node.invoices)
        node.channeld = ChanneldControl(node)
        node.connectd = ConnectControl(node)
        node.closing = ClosingControl(node)
        node.workers = Workers(node, 1)
        node.peer_hooks = PeerHooks(node)
        node.htlc_hook = HtlcHook(node)
        node.channels.load()
        node.peers.load()

    def close(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.spin()
        self.loop.close()
        self.database.close()

    def restart(self) -> None:
        """As after a crash: only the tables are left. What was committed is decided about anew."""
        self.close()
        self._start()

    def recover(self) -> None:
        """What the last step of starting does."""
        self.turn(self.node.switch.recover)
        self.turn(self.node.payments.recover)

    # Running

    def spin(self) -> None:
        """Let everything happen that can."""
        for _ in range(_ROUNDS):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def turn(self, fn: Callable[[], R]) -> R:
        """Do something in a turn. Raises what it raises."""
        future: Any = self.node.turn.do(fn)
        self.spin()
        result: R = future.result()
        return result

    def wait(self, coro: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Start something that may take long."""
        task = self.loop.create_task(coro)
        self.spin()
        return task

    def later(self, seconds: float) -> None:
        """Move the clock; fire the timers that are due."""
        self.node.clock.advance(seconds)
        due = [t for t in self.timers if not t.cancelled and t.due <= self.node.clock.now()]
        for timer in due:
            self.timers.remove(timer)
            timer.fn()
        self.spin()

    def forgive(self) -> None:
        """What went wrong so far is what the test wanted."""
        self.failed_tasks.clear()
        self.bugs.clear()
        self.logs[:] = [line for line in self.logs if line[0] != "broken"]

    # Neighbours

    @property
    def worker(self) -> FakeLink:
        link: FakeLink = self.node.fleet.links["channeld-0"]
        return link

    def worker_says(self, *msgs: Any) -> list[FakeIncoming]:
        """Messages of the worker, all in one wake-up."""
        batch = []
        for msg in msgs:
            self._requests += 1
            batch.append(FakeIncoming(self.worker, msg, self._requests))
        self.node.channeld.on_message(batch)
        self.spin()
        return batch

    def connectd_says(self, *msgs: Any) -> None:
        link = self.node.fleet.links["connectd"]
        self.node.connectd.on_message([FakeIncoming(link, m) for m in msgs])
        self.spin()

    def to_worker(self, kind: type[M]) -> list[M]:
        return [m for m in self.worker.sent if isinstance(m, kind)]

    def to_connectd(self, kind: type[M]) -> list[M]:
        return [m for m in self.node.fleet.links["connectd"].sent if isinstance(m, kind)]

    # Scenes

    def open_channel(self, number: int, **changes: Any) -> Channel:
        """A channel in CHANNELD_NORMAL with peer `number`; not connected."""
        channel = make_channel(number, **changes)

        def insert() -> None:
            row = self.node.channels.store.peer_row(channel.peer_id, "", b"")
            self.node.channels.store.insert(channel, row)
            self.node.channels.add(channel)

        self.turn(insert)
        return channel

    def connect(self, number: int, connection: int = 1) -> None:
        """The peer is there, and its channels are with the worker."""
        self.connectd_says(peer_connected(number, connection))

    def ready(self, number: int, connection: int = 1) -> Channel:
        """A channel that is connected and reestablished."""
        channel = self.node.channels.get(number) or self.open_channel(number)
        self.connect(number, connection)
        self.worker_says(reestablished(channel))
        assert channel.is_ready()
        return channel

    def drop_worker(self) -> None:
        """The worker dies; a new one is greeted."""
        self.worker.closed = True
        self.loop.create_task(self.node.workers.died("channeld-0"))
        self.spin()

    def new_worker(self) -> None:
        link = self.node.fleet.links["channeld-0"] = FakeLink("channeld-0")
        self.loop.create_task(self.node.workers.greet("channeld-0", link))
        self.spin()

    # HTLCs

    def receive(self, channel: Channel, htlc_id: int, payment: Incoming) -> FakeIncoming:
        """The peer's HTLC becomes irrevocable; returns the last message, answered or not."""
        added = cw.Htlc(
            id=htlc_id,
            offered_by_us=False,
            state=12,
            amount=payment.amount,
            payment_hash=payment.payment_hash,
            cltv_expiry=payment.cltv_expiry,
            onion=payment.onion,
            path_key=payment.path_key,
            preimage=None,
            failure_onion=None,
            malformed_code=0,
            malformed_sha256=bytes(32),
        )
        got = got_commitsig(channel, added=(added,))
        sending = cw.ChanneldSendingCommitsig(
            dbid=channel.dbid,
            number=channel.next_remote_commitment,
            added=(),
            changed=(cw.HtlcChange(id=htlc_id, offered_by_us=False, state=13),),
            fees=(),
            updates=(),
        )
        revoke = got_revoke(
            channel,
            changed=(cw.HtlcChange(id=htlc_id, offered_by_us=False, state=14),),
            secrets=(payment.onion_secret(htlc_id),),
        )
        return self.worker_says(got, sending, revoke)[-1]

    def commit_offers(self, channel: Channel) -> list[int]:
        """The worker takes all offers of a channel and signs for them; their ids."""
        open_ = list(self.node.switch.offers.of_channel(channel.dbid))
        wires = {m.cookie: m for m in self.to_worker(cw.ChanneldOfferHtlc)}
        msgs: list[Any] = []
        added = []
        for number, offer in enumerate(open_, channel.next_htlc_id):
            sent = wires[offer.cookie]
            msgs.append(offered(channel, offer.cookie, number))
            added.append(htlc_row(number, sent, 1))
        msgs.append(sending_commitsig(channel, tuple(added)))
        self.worker_says(*msgs)
        return [a.id for a in added]


@dataclass
class Incoming:
    """An HTLC that a peer offers us."""

    amount: Msat
    payment_hash: bytes
    cltv_expiry: int
    onion: bytes
    secret: bytes
    too_dusty: bool = False
    path_key: bytes | None = None

    def onion_secret(self, htlc_id: int) -> cw.OnionSecret:
        return cw.OnionSecret(id=htlc_id, secret=Secret(self.secret), too_dusty=self.too_dusty)


def incoming(
    payment_hash: bytes,
    amount: int,
    payloads: list[ow.Payload],
    *,
    cltv_expiry: int = HEIGHT + 100,
    seed: int = 9,
) -> Incoming:
    """An HTLC with an onion for us (and for nodes behind us)."""
    keys = [pubkey_from_secret(OUR_KEY), *(key(200 + i) for i in range(len(payloads) - 1))]
    hops = [(NodeId(k), encode_hop_payload(p)) for k, p in zip(keys, payloads, strict=True)]
    onion, secrets = make_onion(seed.to_bytes(32, "big"), hops, payment_hash)
    return Incoming(Msat(amount), payment_hash, cltv_expiry, onion, secrets[0])


def for_us(
    preimage: bytes,
    amount: int,
    *,
    secret: bytes | None = bytes(32),
    total: int | None = None,
    keysend: bool = False,
    **more: Any,
) -> Incoming:
    """An HTLC that ends at us."""
    data = None
    if secret is not None:
        data = ow.PayloadPaymentData(payment_secret=secret, total_msat=Msat(total or amount))
    payload = ow.Payload(
        amt_to_forward=Msat(amount),
        outgoing_cltv_value=more.get("cltv_expiry", HEIGHT + 100),
        payment_data=data,
        unknown=((5482373484, preimage),) if keysend else (),
    )
    return incoming(sha256(preimage).digest(), amount, [payload], **more)


def to_forward(preimage: bytes, amount: int, out: Channel, *, fee: int = 10_000) -> Incoming:
    """An HTLC that goes on through `out`."""
    here = ow.Payload(
        amt_to_forward=Msat(amount - fee),
        outgoing_cltv_value=HEIGHT + 50,
        short_channel_id=out.usable_scid,
    )
    there = ow.Payload(amt_to_forward=Msat(amount - fee), outgoing_cltv_value=HEIGHT + 50)
    return incoming(sha256(preimage).digest(), amount, [here, there])


def add_invoice(rig: Rig, preimage: bytes, amount: int | None, label: str = "l") -> InvoiceRow:
    invoice = InvoiceRow(
        label=label,
        payment_hash=sha256(preimage).digest(),
        preimage=preimage,
        payment_secret=bytes(32),
        amount=None if amount is None else Msat(amount),
        expires_at=int(rig.node.clock.now()) + 3600,
        bolt11="lnbcrt1",
        description="d",
        min_final_cltv=10,
    )
    rig.turn(lambda: rig.node.invoices.add(invoice))
    return invoice


def send_part(rig: Rig, channel: Channel, payment_hash: bytes, **names: int) -> Part:
    """sendpay of one hop."""
    part = Part(
        created_at=1,
        payment_hash=payment_hash,
        partid=names.get("partid", 0),
        groupid=names.get("groupid", 0),
        destination=channel.peer_id,
        amount=Msat(names.get("amount", 5000)),
        amount_sent=Msat(names.get("amount", 5000)),
        total=Msat(5000),
    )
    hop = RouteHop(
        node=channel.peer_id, channel=channel.usable_scid, amount=part.amount_sent, delay=9
    )
    final = FinalData(payment_secret=bytes(32), total=Msat(5000))
    return rig.turn(lambda: rig.node.payments.send_route([hop], part, final))


# Messages


def peer_connected(number: int, connection: int) -> nw.ConnectdPeerConnected:
    return nw.ConnectdPeerConnected(
        peer_id=peer_id(number),
        connection=connection,
        incoming=False,
        address="127.0.0.1:9735",
        features=b"",
        remote_address="",
    )


def peer_disconnected(number: int, connection: int) -> nw.ConnectdPeerDisconnected:
    return nw.ConnectdPeerDisconnected(
        peer_id=peer_id(number), connection=connection, reason="gone"
    )


def reestablished(channel: Channel) -> cw.ChanneldReestablished:
    return cw.ChanneldReestablished(dbid=channel.dbid, route_id=channel.route_id or 0)


def offered(channel: Channel, cookie: int, htlc_id: int) -> cw.ChanneldHtlcOffered:
    return cw.ChanneldHtlcOffered(
        dbid=channel.dbid, cookie=cookie, id=htlc_id, failure_code=0, error=""
    )


def htlc_row(htlc_id: int, sent: cw.ChanneldOfferHtlc, state: int, **more: Any) -> cw.Htlc:
    values: dict[str, Any] = {
        "preimage": None, "failure_onion": None, "malformed_code": 0, "malformed_sha256": bytes(32),
    } | more  # fmt: skip
    return cw.Htlc(
        id=htlc_id,
        offered_by_us=True,
        state=state,
        amount=sent.amount,
        payment_hash=sent.payment_hash,
        cltv_expiry=sent.cltv_expiry,
        onion=sent.onion,
        path_key=sent.path_key,
        **values,
    )


def sending_commitsig(
    channel: Channel,
    added: tuple[cw.Htlc, ...] = (),
    changed: tuple[cw.HtlcChange, ...] = (),
    **more: Any,
) -> cw.ChanneldSendingCommitsig:
    return cw.ChanneldSendingCommitsig(
        dbid=channel.dbid,
        number=more.get("number", channel.next_remote_commitment),
        added=added,
        changed=changed,
        fees=(),
        updates=(),
    )


def got_commitsig(
    channel: Channel,
    added: tuple[cw.Htlc, ...] = (),
    removed: tuple[cw.Htlc, ...] = (),
    changed: tuple[cw.HtlcChange, ...] = (),
    **more: Any,
) -> cw.ChanneldGotCommitsig:
    return cw.ChanneldGotCommitsig(
        dbid=channel.dbid,
        number=channel.next_local_commitment,
        tx=b"tx",
        signature=bytes(64),
        htlc_signatures=(),
        to_local=more.get("to_local", channel.to_local),
        to_remote=more.get("to_remote", channel.to_remote),
        added=added,
        removed=removed,
        changed=changed,
        fees=(),
    )


def got_revoke(
    channel: Channel,
    changed: tuple[cw.HtlcChange, ...] = (),
    secrets: tuple[cw.OnionSecret, ...] = (),
) -> cw.ChanneldGotRevoke:
    return cw.ChanneldGotRevoke(
        dbid=channel.dbid,
        number=channel.revocations_received,
        secret=Secret(bytes(31) + b"\1"),
        next_point=key(50),
        shachain=b"s",
        changed=changed,
        onion_secrets=secrets,
        fees=(),
    )


def make_channel(number: int, **changes: Any) -> Channel:
    """A channel of one million satoshis, half ours, opened by us."""
    config = ChannelConfig(
        dust_limit=Sat(546),
        max_htlc_value_in_flight=Msat(10**9),
        channel_reserve=Sat(10_000),
        htlc_minimum=Msat(0),
        to_self_delay=6,
        max_accepted_htlcs=30,
    )
    points = Basepoints(
        funding_pubkey=key(11), revocation=key(12), payment=key(13), delayed_payment=key(14), htlc=key(15)
    )  # fmt: skip
    funding = Outpoint(Txid(bytes([number]) * 32), 0)
    values: dict[str, Any] = {
        "static": ChannelStatic(
            dbid=number,
            peer_id=peer_id(number),
            channel_id=funding.channel_id(),
            funding=funding,
            funding_amount=Sat(1_000_000),
            we_are_opener=True,
            channel_type=b"",
            local_config=config,
            remote_config=config,
            local_basepoints=points,
            remote_basepoints=points,
        ),
        "announce": True,
        "minimum_depth": 1,
        "push": Msat(0),
        "local_upfront_shutdown_script": b"",
        "remote_upfront_shutdown_script": b"",
        "state": ChannelState.CHANNELD_NORMAL,
        "to_local": Msat(500_000_000),
        "to_remote": Msat(500_000_000),
        "min_to_local": Msat(500_000_000),
        "max_to_local": Msat(500_000_000),
        "fees": (cw.FeeState(state=4, feerate_perkw=1000),),
        "remote_current_point": key(20),
        "remote_next_point": key(21),
        "last_tx": b"",
        "last_sig": bytes(64),
        "sent_channel_ready": True,
        "got_channel_ready": True,
        "short_channel_id": scid_of(number),
        "local_alias": ShortChannelId(1000 + number),
        "policy": Policy(
            fee_base_msat=1,
            fee_proportional_millionths=10,
            cltv_expiry_delta=6,
            htlc_minimum=Msat(0),
            htlc_maximum=Msat(10**9),
        ),
    }
    return Channel(**values | changes)
