"""A master without processes: real turn, tables, channels, peers, switch, payments and invoices between fakes.

`Rig.worker_says` plays a channeld worker, `Rig.connectd_says` plays connectd; `Rig.to_worker` and `Rig.to_connectd`
hold what they were sent. Nothing waits for a clock: `spin` runs the loop until it has nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from pylightningd.common.network import REGTEST
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.events import ChannelEvents
from pylightningd.lightningd.channels.forward import Switch
from pylightningd.lightningd.channels.registry import Channels
from pylightningd.lightningd.channels.resolve import Resolver
from pylightningd.lightningd.control.channeld import ChanneldControl
from pylightningd.lightningd.control.closingd import ClosingControl
from pylightningd.lightningd.control.connectd import ConnectControl
from pylightningd.lightningd.control.hooks import HtlcHook, PeerHooks
from pylightningd.lightningd.control.workers import Workers
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.db.forwards_io import ForwardStore
from pylightningd.lightningd.db.invoices_io import InvoiceStore
from pylightningd.lightningd.db.moves_io import MoveStore
from pylightningd.lightningd.db.offers_io import OfferStore
from pylightningd.lightningd.db.payments_io import PaymentStore
from pylightningd.lightningd.moves.moves import Moves
from pylightningd.lightningd.payments.incoming import Receiver
from pylightningd.lightningd.payments.invoices import Invoices
from pylightningd.lightningd.payments.offer_book import OfferBook
from pylightningd.lightningd.payments.outgoing import Payments
from pylightningd.lightningd.peers import Peers
from pylightningd.lightningd.turn import Turn
from tests.lightningd.channels.rig_fakes import (
    HEIGHT,
    OUR_KEY,
    FakeFleet,
    FakeHsm,
    FakeIncoming,
    FakeLink,
    FakeNode,
    FakeOnchain,
    FakePlugins,
    Timer,
    key,
    peer_id,
    scid_of,
)
from tests.lightningd.channels.rig_messages import (
    Incoming,
    add_invoice,
    for_us,
    got_commitsig,
    got_revoke,
    htlc_row,
    incoming,
    make_channel,
    offered,
    peer_connected,
    peer_disconnected,
    reestablished,
    send_part,
    sending_commitsig,
    to_forward,
)

R = TypeVar("R")
M = TypeVar("M")
_ROUNDS = 30


__all__ = [
    "FakeFleet",
    "FakeHsm",
    "FakeIncoming",
    "FakeLink",
    "FakeNode",
    "FakeOnchain",
    "FakePlugins",
    "HEIGHT",
    "Incoming",
    "OUR_KEY",
    "Rig",
    "Timer",
    "add_invoice",
    "for_us",
    "got_commitsig",
    "got_revoke",
    "htlc_row",
    "incoming",
    "key",
    "make_channel",
    "offered",
    "peer_connected",
    "peer_disconnected",
    "peer_id",
    "reestablished",
    "scid_of",
    "send_part",
    "sending_commitsig",
    "to_forward",
]


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
