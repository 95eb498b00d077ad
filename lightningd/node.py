"""The composition root: one `Node` holds every part of the master, and starts and ends with them.

A part has a module with ``async def start(node)`` that puts its object into one of the attributes below; the
order is in `startup_io.py`. Long work runs in tasks made by `spawn`; what changes state durably goes through `turn`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pylightningd.common.clock_io import SystemClock
from pylightningd.common.entropy_io import SystemEntropy
from pylightningd.common.errors import BackendError
from pylightningd.common.ids import NodeId
from pylightningd.common.network import Network
from pylightningd.lightningd.config import Config
from pylightningd.lightningd.log_io import Log
from pylightningd.lightningd.tasks_io import NodeTasks

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Link
    from pylightningd.lightningd.backup.keeper import Backups
    from pylightningd.lightningd.backup.restore import Recovery
    from pylightningd.lightningd.backup.storage import PeerStorage
    from pylightningd.lightningd.chain.watcher_io import ChainWatcher
    from pylightningd.lightningd.channels.channel_gossip import ChannelGossip
    from pylightningd.lightningd.channels.events import ChannelEvents
    from pylightningd.lightningd.channels.forward import Switch
    from pylightningd.lightningd.channels.registry import Channels
    from pylightningd.lightningd.channels.resolve import Resolver
    from pylightningd.lightningd.channels.settings import Settings
    from pylightningd.lightningd.control.addresses import Addresses
    from pylightningd.lightningd.control.channeld import ChanneldControl
    from pylightningd.lightningd.control.closingd import ClosingControl
    from pylightningd.lightningd.control.connectd import ConnectControl
    from pylightningd.lightningd.control.dualopend import DualControl
    from pylightningd.lightningd.control.fleet_io import Fleet
    from pylightningd.lightningd.control.gossipd import GossipControl
    from pylightningd.lightningd.control.hooks import HtlcHook, PeerHooks
    from pylightningd.lightningd.control.joint_watch import JointWatch
    from pylightningd.lightningd.control.onchaind import OnchainControl
    from pylightningd.lightningd.control.onion_messages import OnionMessages
    from pylightningd.lightningd.control.openingd import OpeningControl
    from pylightningd.lightningd.control.workers import Workers
    from pylightningd.lightningd.db.connect_io import OpenDatabase, WalletDatabase
    from pylightningd.lightningd.moves.moves import Moves
    from pylightningd.lightningd.payments.incoming import Receiver
    from pylightningd.lightningd.payments.invoices import Invoices
    from pylightningd.lightningd.payments.offer_book import OfferBook
    from pylightningd.lightningd.payments.outgoing import Payments
    from pylightningd.lightningd.peers import Peers
    from pylightningd.lightningd.plugin_host.host_io import PluginHost
    from pylightningd.lightningd.rpc.dispatch import Dispatcher
    from pylightningd.lightningd.rpc.registry import Registry
    from pylightningd.lightningd.rpc.server_io import RpcServer
    from pylightningd.lightningd.supervise_io import Supervisor
    from pylightningd.lightningd.turn import Turn
    from pylightningd.lightningd.wallet.wallet import Wallet

Listener = Callable[[str, Any], None]


class Node(NodeTasks):
    """The master and all its parts. Attributes without a value here are set while the node starts."""

    database: OpenDatabase
    db: WalletDatabase
    turn: Turn
    registry: Registry
    dispatcher: Dispatcher
    rpc: RpcServer
    daemons: Supervisor
    hsm: Link
    plugins: PluginHost
    node_id: NodeId
    alias: str
    rgb: bytes
    bip32_base: str
    bip86_base: str
    bolt12_base: bytes

    # Parts of other rooms, in the order they come up; their own modules say what they are.
    chain: ChainWatcher
    wallet: Wallet
    moves: Moves
    settings: Settings
    addresses: Addresses
    fleet: Fleet
    channels: Channels
    peers: Peers
    backup: Backups
    peer_storage: PeerStorage
    recovery: Recovery
    resolver: Resolver
    switch: Switch
    channel_events: ChannelEvents
    channel_gossip: ChannelGossip
    channeld: ChanneldControl
    connectd: ConnectControl
    gossip: GossipControl
    opening: OpeningControl
    dual: DualControl
    joint_watch: JointWatch
    closing: ClosingControl
    onchain: OnchainControl
    workers: Workers
    peer_hooks: PeerHooks
    htlc_hook: HtlcHook
    onion_messages: OnionMessages
    offer_book: OfferBook
    payments: Payments
    invoices: Invoices
    receiver: Receiver

    def __init__(self, config: Config, log: Log) -> None:
        super().__init__()
        self.config = config
        self.log = log
        self.network: Network = config.network
        self.developer: bool = config["developer"]
        self.clock = SystemClock()
        self.entropy = SystemEntropy()
        self.feature_bits: list[int] = []
        self.features: dict[str, bytes] = {}
        """Our bitmaps: ``init``, ``node``, ``channel``, ``invoice``."""
        self.info: list[Callable[[], dict[str, Any]]] = []
        """Parts of `getinfo`'s result; each room adds what it knows, later ones win."""
        self.listeners: list[Listener] = []
        """Called with (topic, payload) of every notification, beside the plugins."""
        self.on_stop: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        """What to end, by name; run in reverse order."""
        self.exit_code = 0
        self.crash: BaseException | None = None
        self.stop_reason = ""
        self.is_up = False
        """All parts have started; a daemon that starts now was restarted."""

    # Bugs and the end

    def bug(self, where: str, error: BaseException) -> None:
        """Log a bug that the node can live with."""
        trace = "".join(traceback.format_exception(error))
        self.log("broken", f"{type(error).__name__} {where}: {error}\n{trace}")

    def outbox_trouble(self, where: str, error: BaseException) -> None:
        """Something that a turn wanted to send did not go out. A daemon that is gone is no bug: its restart mends it."""
        if isinstance(error, ConnectionError) or (
            self.stopping and isinstance(error, BackendError)
        ):
            self.log("debug", f"{where}: {error}")
        else:
            self.bug(where, error)

    def fail(self, where: str, error: BaseException) -> None:
        """Log a bug and stop: who goes on with a wrong state loses money."""
        if self.stopping and isinstance(error, BackendError | ConnectionError):
            self.log("debug", f"{where}: {error}")
            return
        self.bug(f"in {where}", error)
        if self.crash is None:
            self.crash = error
        self.request_stop(f"internal error in {where}: {error}", exit_code=1)

    def fatal(self, text: str) -> None:
        """Stop because something outside makes it impossible to go on (disk, hsmd, an important plugin)."""
        self.log("unusual" if self.stopping else "broken", text)
        self.request_stop(text, exit_code=1)

    def request_stop(self, reason: str, exit_code: int = 0) -> None:
        """Begin to stop. The first reason counts."""
        if not self.stopping:
            self.stop_reason = reason
            self.exit_code = exit_code
            self.begin_stop()

    # Notifications

    def notify(self, topic: str, payload: Any) -> None:
        """Tell plugins and listeners. From inside a turn use `turn.notify`."""
        for listener in self.listeners:
            listener(topic, payload)
