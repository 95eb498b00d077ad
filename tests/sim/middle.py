"""The node in the middle: the real master (turn, tables, switch, deadlines, on-chain side, chain watcher) on the toy chain.

A crash loses what was not committed: memory, tasks and whatever was on its way. `boot` starts from the tables, as the node does.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd.machine import Hsm
from pylightningd.lightningd.chain.backend_sync_io import ChainSettings
from pylightningd.lightningd.chain.watcher_io import ChainWatcher
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.deadlines import Deadlines
from pylightningd.lightningd.channels.events import ChannelEvents
from pylightningd.lightningd.channels.forward import Switch
from pylightningd.lightningd.channels.registry import Channels
from pylightningd.lightningd.channels.resolve import Resolver
from pylightningd.lightningd.channels.states import Cause
from pylightningd.lightningd.control.channeld import ChanneldControl
from pylightningd.lightningd.control.closingd import ClosingControl
from pylightningd.lightningd.control.connectd import ConnectControl
from pylightningd.lightningd.control.hooks import HtlcHook, PeerHooks
from pylightningd.lightningd.control.onchaind import OnchainControl
from pylightningd.lightningd.control.workers import Workers
from pylightningd.lightningd.db.chain_io import ChainStore
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.connect_io import OpenDatabase, TurnStore, open_database
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
from tests.lightningd.channels.rig_fakes import FakeNode, Timer
from tests.sim.chain import ToyChain
from tests.sim.middle_chain import ToyBackend, ToyWallet
from tests.sim.middle_daemons import (
    HsmLink,
    ToyChanneld,
    ToyConnectd,
    ToyFleet,
    ToyOnchaind,
)

R = TypeVar("R")
CLTV_DELTA = 24
_PASSES = 5000
_NEVER_S = 1e7


@dataclass(eq=False)
class Line:
    """A connection to a neighbour."""

    number: int
    peer_id: NodeId
    name: str
    to_it: deque[bytes] = field(default_factory=deque)
    accepted: bool = False
    """Whether its messages are read."""


class Crash(Exception):
    """The plan said so."""


class CrashingStore(TurnStore):
    """Counts commits that write, and dies at one of them."""

    def __init__(self, database: Any, middle: Middle) -> None:
        super().__init__(database)
        self._db, self._middle = database, middle
        self._changes = 0

    def begin(self) -> None:
        super().begin()
        self._changes = self._db.connection().total_changes

    def commit(self) -> None:
        middle = self._middle
        if middle.dead:
            raise Crash
        writes = self._db.connection().total_changes != self._changes
        if not writes or middle.crash_in != 0:
            middle.crash_in -= writes
            super().commit()
            return
        if middle.crash_after:
            super().commit()
        raise Crash


class _Node(FakeNode):
    """What the master's parts see."""

    def __init__(self, middle: Middle) -> None:
        super().__init__(middle)  # type: ignore[arg-type]
        self._middle = middle
        self.settings.cltv_delta = CLTV_DELTA
        self.settings.max_dust_exposure = Msat(50_000_000)

    def log(self, level: str, text: str, **_fields: Any) -> None:
        self._middle.log(level, text)

    def fatal(self, text: str) -> None:
        raise AssertionError(text)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """With an empty wallet to copy from; in memory where the machine has such a place."""
    memory = Path("/dev/shm")  # noqa: S108
    folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
    open_database(f"sqlite3://{folder.name}/empty.sqlite3", REGTEST).close()
    return folder


def _new_database(copy_of: Path | None) -> tuple[OpenDatabase, Path]:
    folder = Path(_folder().name)
    place = Path(tempfile.mkdtemp(dir=folder))
    shutil.copy(copy_of or folder / "empty.sqlite3", place / "w.sqlite3")
    return open_database(f"sqlite3://{place}/w.sqlite3", REGTEST), place


class Middle:
    """One node with two channels."""

    def __init__(
        self, chain: ToyChain, hsm: Hsm, ladder: list[str], tables: Path | None = None
    ) -> None:
        """`tables`: a wallet to go on from, which stays as it is."""
        self.hsm, self.ladder = hsm, ladder
        self.wallet = ToyWallet("middle", chain)
        self.backend = ToyBackend(chain)
        self.database, self._place = _new_database(tables)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._on_trouble)
        self.bugs: list[str] = []
        self.failed_tasks: list[str] = []
        self.timers: list[Timer] = []
        self.lines: dict[int, Line] = {}
        self.hung_up: list[int] = []
        """Connections that it has ended."""
        self.crash_in = -1
        """How many commits until it crashes; negative: it does not."""
        self.crash_after = False
        """Whether that commit is still made."""
        self.dead = True
        self.boots = 0
        self._excused = 0
        """How many tasks had failed when it died: those that fail then do so because of it."""

    def _on_trouble(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self.dead:
            self.bugs.append(f"{context.get('message')}: {context.get('exception')!r}")

    # Life

    def boot(self, first: Callable[[Any], None] | None = None) -> None:
        """From the tables on, in the order of the node's start. `first`: what to write into new tables."""
        self.dead, self.boots = False, self.boots + 1
        self.timers.clear()
        self.lines.clear()
        node: Any = _Node(self)
        self.node = node
        node.db = self.database.connection
        node.turn = Turn(
            CrashingStore(node.db, self),
            schedule=self.loop.call_soon,
            make_future=self.loop.create_future,
            on_bug=node.bug,
            on_disk_failure=self._died,
        )
        if first is not None:
            self._parts(node)
            node.turn.now(partial(first, node))
        self._parts(node)
        self.loop.run_until_complete(node.chain.start())
        if self.dead:
            return
        self._start(node)

    def _parts(self, node: Any) -> None:
        node.fleet = ToyFleet(self)
        node.hsm = HsmLink(self)
        node.wallet = self.wallet
        node.chain = ChainWatcher(
            ChainSettings(REGTEST, poll_seconds=_NEVER_S),
            self.backend,  # type: ignore[arg-type]
            ChainStore(node.db),
            node.turn,
            log=node.log,
            spawn=node.spawn,
        )
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
        node.onchain = OnchainControl(node)
        node.workers = Workers(node, 1)
        node.peer_hooks = PeerHooks(node)
        node.htlc_hook = HtlcHook(node)
        node.channels.load()
        node.peers.load()

    def _start(self, node: Any) -> None:
        deadlines = Deadlines(node)

        def on_block(height: int, _txs: object) -> None:
            deadlines.on_block(height)
            node.turn.after_commit(partial(node.workers.new_block, height))

        self.connectd = node.fleet.links["connectd"] = ToyConnectd(self)
        node.chain.on_block(on_block)
        node.onchain.start()
        node.channel_events.start()
        node.closing.start()
        self.new_worker()
        self.new_onchaind()
        node.chain.begin()
        node.turn.submit(node.switch.recover)
        node.turn.submit(node.payments.recover)
        self.spin()

    def _died(self, _text: str) -> None:
        self.dead, self._excused = True, len(self.failed_tasks)
        self.loop.call_soon(self.loop.stop)

    def kill(self) -> None:
        """Memory and tasks are gone; the tables hold what was committed."""
        if not self.dead:
            self._died("killed")
        self.crash_in = -1
        for link in self.node.fleet.links.values():
            link.die()
        self.node.turn.close("killed")
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self._run()
        del self.failed_tasks[self._excused :]
        self.lines.clear()
        self.hung_up.clear()

    def saved(self) -> Path:
        """The file with its tables, for others to copy."""
        self.node.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return self._place / "w.sqlite3"

    def close(self) -> None:
        """The story is over."""
        self.kill()
        self.loop.close()
        self.database.close()
        shutil.rmtree(self._place)

    # Running

    def spin(self) -> None:
        """Let everything happen that can. It may be dead after it."""
        if not self.dead:
            self._run()

    def _run(self) -> None:
        ready: Any = self.loop._ready  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public tells that nobody waits
        for _ in range(_PASSES):
            if not ready:
                return
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
        raise AssertionError("it never comes to rest")

    def turn(self, fn: Callable[[], object]) -> None:
        """Change something in a turn."""
        self.node.turn.submit(fn)
        self.spin()

    def look(self) -> None:
        """Blocks may have come, or gone; some minutes have passed."""
        if self.dead:
            return
        chain = self.node.chain
        self.loop.create_task(chain._update_feerates())  # noqa: SLF001 - that is its timer's work
        chain.poll_now()
        self.spin()
        self.later(600)

    def later(self, seconds: float) -> None:
        """Move the clock; fire the timers that are due."""
        if self.dead:
            return
        self.node.clock.advance(seconds)
        due = [t for t in self.timers if not t.cancelled and t.due <= self.node.clock.now()]
        for timer in due:
            self.timers.remove(timer)
            timer.fn()
        self.spin()

    # Daemons

    def new_worker(self) -> None:
        """channeld runs."""
        self.channeld = self.node.fleet.links["channeld-0"] = ToyChanneld(self)
        self.loop.create_task(self.node.workers.greet("channeld-0", self.channeld))

    def new_onchaind(self) -> None:
        """onchaind runs."""
        self.onchaind = self.node.fleet.links["onchaind"] = ToyOnchaind(self)
        self.loop.create_task(self.node.onchain.greet(self.onchaind))

    def worker_dies(self) -> None:
        """And another one comes."""
        self.ladder.append("middle channeld DIES")
        self.channeld.die()

        async def next_one() -> None:
            await self.node.workers.died("channeld-0")
            self.new_worker()

        self.loop.create_task(next_one())
        self.spin()

    def onchaind_dies(self) -> None:
        """And another one comes."""
        self.ladder.append("middle onchaind DIES")
        self.onchaind.die()
        self.new_onchaind()
        self.spin()

    # Connections

    def connected(self, line: Line) -> None:
        """A neighbour is there."""
        self.lines[line.number] = line
        self.connectd.say(
            nw.ConnectdPeerConnected(
                peer_id=line.peer_id,
                connection=line.number,
                incoming=True,
                address="127.0.0.1:9735",
                features=bytes.fromhex("08000000"),
                remote_address="",
            )
        )
        self.spin()

    def hang_up(self, connection: int) -> None:
        """It wants to end a connection, once what it said is there."""
        if connection in self.lines and connection not in self.hung_up:
            self.hung_up.append(connection)

    def close_channel(self, channel: Channel, why: str) -> None:
        """Unilaterally, as its user wants."""
        events = self.node.channel_events
        self.turn(partial(events.permanent_failure, channel, Cause.USER, why))

    # What is seen

    def log(self, level: str, text: str) -> None:
        """Of the master and its daemons."""
        if self.dead:
            return
        if level == "broken":
            self.bugs.append(text)
        if level in ("info", "unusual", "broken"):
            self.ladder.append(f"middle {level}: {text[:160]}")

    @property
    def logs(self) -> list[Any]:
        return []

    def wrote(self, request: Message) -> None:
        """A worker waits for this to be written down."""
        self.ladder.append(f"middle writes {type(request).NAME} of channel {request.dbid}")  # type: ignore[attr-defined]

    def drew_arrow(self, line: Line, raw: bytes) -> None:
        """It sends something to a neighbour."""
        msg = pw.decode(raw)
        arrow = "A<---" if line.name == "alice" else "--->B"
        name = type(msg).NAME if isinstance(msg, Message) else "?"
        self.ladder.append(f"  {arrow} {name} {getattr(msg, 'id', '')}")
