"""Payments and invoices on a real database and turn; the switch, the channels and the chain are played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.clock import FakeClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.channels.forward_rules import Instructions
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceStore
from pylightningd.lightningd.db.payments_io import Part, PaymentStore
from pylightningd.lightningd.payments.incoming import Receiver
from pylightningd.lightningd.payments.invoices import Invoices
from pylightningd.lightningd.payments.outgoing import FinalData, Payments, RouteHop
from pylightningd.lightningd.turn import Turn

HEIGHT = 100
FINAL_DELTA = 10
US, PEER, MIDDLE, END = (NodeId(pubkey_from_secret(bytes([n]) * 32)) for n in (1, 2, 3, 4))
SCIDS = [ShortChannelId.make(100 + n, 1, 0) for n in range(3)]
PREIMAGE = bytes(range(32))
HASH = sha256(PREIMAGE).digest()
SECRET = bytes([7]) * 32


class Timer:
    """One entry of `call_later`."""

    def __init__(self, seconds: float, action: Callable[[], object]) -> None:
        self.seconds = seconds
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Rig:
    """Looks like a `Node` as far as payments go. Use inside `run`."""

    node_id = US
    network = REGTEST

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.entropy = SeededEntropy()
        self.chain = SimpleNamespace(height=HEIGHT)
        self.settings = SimpleNamespace(cltv_final=FINAL_DELTA, cltv_delta=FINAL_DELTA)
        self.logs: list[str] = []
        self.bugs: list[str] = []
        self.topics: list[tuple[str, Any]] = []
        self.timers: list[Timer] = []
        self.offered: list[dict[str, Any]] = []
        self.ended: list[tuple[int, Message | bytes]] = []
        """HTLCs by row id, with the preimage or the failure."""
        self.htlc_rows: dict[int, LiveHtlc] = {}
        self.hook: Callable[[Any], list[Any]] | None = None
        self.plugins = SimpleNamespace(
            has_hook=lambda name: self.hook is not None and name == "invoice_payment",
            call_hook=self._call_hook,
        )
        self.live: dict[tuple[bool, int], LiveHtlc] = {}
        """The HTLCs of the one channel that payments come in by."""
        self.first = SimpleNamespace(
            peer_id=PEER,
            usable_scid=SCIDS[0],
            is_ready=lambda: True,
            route_id=1,
            dbid=1,
            state=ChannelState.CHANNELD_NORMAL,
            htlcs=self.live,
        )
        self.channels = SimpleNamespace(
            get={1: self.first}.get,
            by_scid=lambda scid: self.first if scid == SCIDS[0] else None,
            best_with=lambda peer: self.first if peer == PEER else None,
            store=SimpleNamespace(htlc_of_payment=self.htlc_rows.get),
        )
        self.switch = SimpleNamespace(offer=self._offer)
        self.resolver = SimpleNamespace(fulfill=self._fulfill, fail=self._fail)

    # What the rooms ask for

    def log(self, level: str, text: str, **_fields: Any) -> None:
        self.logs.append(f"{level}: {text}")

    def attempt(self, coro: Coroutine[Any, Any, Any], name: str, _otherwise: Any = None) -> Any:
        return asyncio.get_running_loop().create_task(coro, name=name)

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        timer = Timer(seconds, action)
        self.timers.append(timer)
        return timer

    def new_future(self) -> Any:
        return asyncio.get_running_loop().create_future()

    async def within(self, seconds: float | None, work: Any, error: UserError) -> Any:
        try:
            async with asyncio.timeout(0 if seconds else None):
                return await work
        except TimeoutError:
            raise error from None

    async def _call_hook(self, _name: str, payload: Any) -> list[Any]:
        assert self.hook is not None
        return self.hook(payload)

    def _offer(self, channel: Any, **offer: Any) -> None:
        self.offered.append({"channel": channel, **offer})

    def _fulfill(self, htlc: LiveHtlc, preimage: bytes) -> None:
        if htlc.preimage is None:
            htlc.preimage = preimage
            self.ended.append((htlc.dbid, preimage))

    def _fail(self, htlc: LiveHtlc, failure: Message | bytes) -> None:
        if not htlc.is_resolved:
            htlc.failure_onion = b"failed"
            self.ended.append((htlc.dbid, failure))

    # The test's hands

    async def start(self) -> None:
        """Open the database; again: as after a crash, when only the database is left."""
        loop = asyncio.get_running_loop()
        self.database = open_database(f"sqlite3://{self.path}/w.sqlite3", REGTEST)
        self.db = self.database.connection
        self.turn = Turn(
            self.database.store,
            schedule=loop.call_soon,
            make_future=loop.create_future,
            on_bug=lambda when, error: self.bugs.append(f"{when}: {error!r}"),
            on_disk_failure=self.bugs.append,
            notify=lambda topic, payload: self.topics.append((topic, payload)),
        )
        node: Any = self
        self.payments = Payments(node, PaymentStore(self.db))
        self.invoices = Invoices(node, InvoiceStore(self.db))
        self.receiver = Receiver(node, self.invoices)
        await self.turn.do(self.payments.recover)

    async def restart(self) -> None:
        self.database.close()
        self.timers.clear()
        await self.start()

    async def fire(self, seconds: float) -> None:
        """Run the timers of that length."""
        due = [t for t in self.timers if t.seconds == seconds and not t.cancelled]
        for timer in due:
            self.timers.remove(timer)
            timer.action()
        await self.turn.do(lambda: None)

    async def make_invoice(self, amount: int | None = 1000, **more: Any) -> InvoiceRow:
        values: dict[str, Any] = {
            "label": "tea",
            "payment_hash": HASH,
            "preimage": PREIMAGE,
            "payment_secret": SECRET,
            "amount": None if amount is None else Msat(amount),
            "expires_at": int(self.clock.now()) + 3600,
            "bolt11": "lnbcrt1...",
            "description": "tea",
            "min_final_cltv": FINAL_DELTA,
        }
        row = InvoiceRow(**(values | more))
        await self.turn.do(lambda: self.invoices.add(row))
        return row

    async def receive(self, htlc: LiveHtlc, told: Instructions) -> None:
        channel: Any = self.first
        self.live[htlc.key] = htlc
        await self.turn.do(lambda: self.receiver.accept(channel, htlc, told))
        await asyncio.sleep(0)
        await self.turn.do(lambda: None)
        assert not self.bugs

    def state(self, label: str = "tea") -> str:
        row = self.invoices.store.by_label(label)
        assert row is not None
        return row.state.name.lower()

    async def send(self, **more: Any) -> Part:
        part = make_part(**more)
        hops = route(part.amount.msat if part.amount is not None else 0)
        final = FinalData(payment_secret=SECRET, total=part.total or Msat(0))
        return await self.turn.do(lambda: self.payments.send_route(hops, part, final))

    def out_htlc(self, part: Part, **more: Any) -> LiveHtlc:
        """The HTLC of a part, as the switch hands it back."""
        return make_htlc(dbid=900 + part.id, offered_by_us=True, origin_payment=part.id, **more)


def route(amount: int) -> list[RouteHop]:
    return [
        RouteHop(node=PEER, channel=SCIDS[0], amount=Msat(amount + 2), delay=30),
        RouteHop(node=MIDDLE, channel=SCIDS[1], amount=Msat(amount + 1), delay=20),
        RouteHop(node=END, channel=SCIDS[2], amount=Msat(amount), delay=10),
    ]


def make_part(amount: int = 1000, **more: Any) -> Part:
    values: dict[str, Any] = {
        "created_at": 5,
        "payment_hash": HASH,
        "partid": 0,
        "groupid": 1,
        "destination": END,
        "amount": Msat(amount),
        "amount_sent": Msat(amount + 2),
        "total": Msat(amount),
    }
    return Part(**(values | more))


def make_htlc(amount: int = 1000, dbid: int = 1, **more: Any) -> LiveHtlc:
    values: dict[str, Any] = {
        "dbid": dbid,
        "channel_dbid": 1,
        "id": dbid,
        "offered_by_us": False,
        "state": HtlcState.RCVD_ADD_ACK_REVOCATION,
        "amount": Msat(amount),
        "payment_hash": HASH,
        "cltv_expiry": HEIGHT + FINAL_DELTA,
        "onion": bytes(1366),
        "shared_secret": bytes(32),
    }
    return LiveHtlc(**(values | more))


def told(
    amount: int = 1000,
    total: int | None = None,
    secret: bytes | None = SECRET,
    cltv_expiry: int = HEIGHT + FINAL_DELTA,
    unknown: tuple[tuple[int, bytes], ...] = (),
) -> Instructions:
    data = None
    if secret is not None:
        data = ow.PayloadPaymentData(payment_secret=secret, total_msat=Msat(total or amount))
    payload = ow.Payload(
        amt_to_forward=Msat(amount),
        outgoing_cltv_value=cltv_expiry,
        payment_data=data,
        unknown=unknown,
    )
    return Instructions(
        scid=None,
        is_final=True,
        amount=Msat(amount),
        cltv_expiry=cltv_expiry,
        payload=payload,
        raw_payload=b"",
        next_onion=b"",
    )


def start(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin something that waits."""
    return asyncio.get_running_loop().create_task(work)


def run(path: Path, test: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
    """Run a test with a started rig; bugs that the turn logged fail it."""

    async def inner() -> None:
        rig = Rig(path)
        await rig.start()
        await test(rig)
        assert not rig.bugs
        rig.database.close()

    asyncio.run(inner())
