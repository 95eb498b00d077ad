"""All connections of the node: how they come, who is told of them, and where their messages go.

Not here: bytes of one connection (`connection_io`), how it is made (`dialer_io`, `establish_io`),
the channels' routes (`routing_io`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from pylightningd.common.address import Address, AddressError, parse_address
from pylightningd.common.bus.link import Incoming, Link, LinkClosed, Refused
from pylightningd.common.clock import Clock
from pylightningd.common.entropy import Entropy
from pylightningd.common.errors import WarnPeer
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import is_secret_key
from pylightningd.common.network import NETWORKS
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.hsmd_wire import HsmdEcdh
from pylightningd.common.wire.runtime import Message, message_type
from pylightningd.connectd import ping
from pylightningd.connectd.connection_io import Connection
from pylightningd.connectd.dialer_io import Dialer, run_setup
from pylightningd.connectd.disconnect_script import Break, DisconnectScript
from pylightningd.connectd.establish_io import Established, Local, Setup, SetupFailed, complaint
from pylightningd.connectd.multiplex import (
    ALL_CHANNELS,
    Kind,
    channel_id_of,
    classify,
    message_name,
)
from pylightningd.connectd.routing_io import Traffic, short
from pylightningd.connectd.tcp_io import (
    ListenError,
    Listeners,
    PeerSocket,
    error_text,
    peer_address,
)

MAX_STRANGERS: Final = 200
"""Incoming connections that have not introduced themselves yet."""
_NUMBER_BITS: Final = 20


class Log(Protocol):
    """As `DaemonShell.log`."""

    def __call__(self, level: str, text: str, peer_id: NodeId | None = None) -> None: ...


Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


class Hub:
    """Connectd without the daemon around it."""

    def __init__(
        self,
        *,
        master: Link,
        log: Log,
        spawn: Spawn,
        clock: Clock,
        entropy: Entropy,
        names_messages: bool = True,
    ) -> None:
        """`names_messages`: a debug line for each message in or out; they cost as much as the messages."""
        self.master = master
        self.log = log
        self.clock = clock
        self.entropy = entropy
        self.connections: dict[int, Connection] = {}
        self.traffic = Traffic(self)
        self.no_ping_timer = False
        self.listeners = Listeners()
        # What `dialer_io.Rules` wants.
        self.local: Local
        self.default_port = 0
        self.proxy: Address | None = None
        self.always_proxy = False
        self.use_dns = True
        self.timeout_seconds = 60.0
        self._spawn = spawn
        self._by_peer: dict[NodeId, Connection] = {}
        self._dialers: dict[NodeId, tuple[Dialer, asyncio.Task[None]]] = {}
        self._strangers: dict[PeerSocket, None] = {}
        self._custom: frozenset[int] = frozenset()
        self._script: DisconnectScript | None = None
        self._names_messages = names_messages
        self._hsmd: Link | None = None
        self._hsmd_there = asyncio.Event()
        self._gossipd: Link | None = None
        self._suppresses_gossip = False
        # Numbers of an earlier connectd must not come again: what is said of them may still be under way.
        self._next_number = entropy.below(1 << 40) << _NUMBER_BITS
        self.traffic.watch(master)

    # ---- links ---------------------------------------------------------------------------------

    def add_link(self, link: Link) -> None:
        """A sibling can be reached."""
        if link.name == "hsmd":
            self._hsmd = link
            self._hsmd_there.set()
        elif link.name == "gossipd":
            self._gossipd = link
            self.traffic.watch(link)
            link.on_message = self._on_gossipd
            for conn in self.connections.values():
                if conn.accepted and not conn.closing:
                    self._introduce(link, conn)
        else:
            self.traffic.add_link(link)

    def drop_link(self, link: Link) -> None:
        """A sibling is gone."""
        if link is self._hsmd:
            self._hsmd = None
            self._hsmd_there.clear()
        elif link is self._gossipd:
            self._gossipd = None
        self.traffic.drop_link(link)

    async def _ecdh(self, point: bytes) -> bytes:
        while True:
            await self._hsmd_there.wait()
            hsmd = self._hsmd
            if hsmd is not None:
                try:
                    reply = await hsmd.ask(HsmdEcdh(points=(point,)))
                except (LinkClosed, Refused) as err:
                    raise SetupFailed("Cryptographic handshake", f"hsmd: {err}") from err
                return reply.secrets[0].reveal()

    def _ephemeral(self) -> Secret:
        while True:
            raw = self.entropy.take(32)
            if is_secret_key(raw):
                return Secret(raw)

    # ---- what the master says ------------------------------------------------------------------

    def on_master(self, batch: list[Incoming]) -> None:
        """All messages of one wake-up."""
        for incoming in batch:
            handler = _MASTER.get(type(incoming.msg))
            if handler is None:
                raise TypeError(f"the master sent {incoming.msg.NAME}")
            handler(self, incoming.msg, incoming)

    def _on_init(self, msg: w.ConnectdInit, incoming: Incoming) -> None:
        network = NETWORKS[msg.network]
        self.default_port = network.ln_port
        self.local = Local(
            node_id=msg.node_id,
            features=msg.features,
            chain_hash=network.chain_hash,
            ecdh=self._ecdh,
            ephemeral=self._ephemeral,
            on_send=self.on_send,
            on_receive=self._on_receive,
        )
        self.always_proxy = msg.always_proxy
        self.use_dns = msg.use_dns
        self.timeout_seconds = float(msg.timeout_seconds or 60)
        self.local.mute_after_handshake = msg.dev_handshake_no_reply
        self.no_ping_timer = msg.dev_no_ping_timer
        if msg.dev_disconnect:
            self._script = DisconnectScript(lambda: _read_text(msg.dev_disconnect))
            self._names_messages = True
        error = ""
        try:
            if msg.proxy:
                self.proxy = parse_address(msg.proxy, 9050)
            self.listeners.bind(msg.listen, self.default_port)
        except (AddressError, ListenError) as err:
            error = str(err)
        for binding in self.listeners.bindings:
            self.log("debug", f"Created listener on {binding}")
        incoming.reply(w.ConnectdInitReply(error=error, bindings=tuple(self.listeners.bindings)))

    def _on_activate(self, _: w.ConnectdActivate, __: Incoming) -> None:
        self._spawn(self.listeners.serve(self._on_stranger), "listen")

    def _on_connect(self, msg: w.ConnectdConnect, _: Incoming) -> None:
        known = self._by_peer.get(msg.peer_id)
        if known is not None and not known.closing:
            # The master has peer_connected already, or will read it in a moment.
            self.log("debug", "Already connected", peer_id=msg.peer_id)
            return
        running = self._dialers.get(msg.peer_id)
        if running is not None:
            running[0].add(msg.addresses)
            return
        dialer = Dialer(self, msg.peer_id, msg.addresses)
        task = self._spawn(self._dial(dialer, msg.peer_id), f"dial {short(msg.peer_id)}")
        self._dialers[msg.peer_id] = (dialer, task)

    def _on_accept(self, msg: w.ConnectdAcceptPeer, _: Incoming) -> None:
        conn = self.connections.get(msg.connection)
        if conn is None or conn.closing or conn.accepted:
            return
        self.log("debug", "Handed peer, entering loop", peer_id=conn.peer_id)
        if self._gossipd is not None:
            self._introduce(self._gossipd, conn)
        conn.accept()

    def _on_disconnect(self, msg: w.ConnectdDisconnect, _: Incoming) -> None:
        conn = self.connections.get(msg.connection)
        if conn is not None:
            conn.close("disconnect command")

    def _on_send_msg(self, msg: w.ConnectdSendMsg, _: Incoming) -> None:
        conn = self.connections.get(msg.connection)
        if conn is not None:
            self.traffic.on_sent_by_master(msg.connection, msg.msg)
            if msg.msg[:2] == b"\x02\x01":
                # Onion messages may be lost; a peer that does not read shall not make us keep them.
                conn.send_if_room(msg.msg)
            else:
                conn.send(msg.msg)

    def _on_ping(self, msg: w.ConnectdPing, _: Incoming) -> None:
        conn = self.connections.get(msg.connection)
        if conn is None or conn.closing:
            self._ping_done(msg.cookie, 0, "Peer not connected")
            return
        try:
            raw = conn.pinger.ask(msg.cookie, msg.num_pong_bytes, msg.len).encode()
        except ping.PingError as err:
            self._ping_done(msg.cookie, 0, str(err))
            return
        conn.send(raw)
        if msg.num_pong_bytes >= ping.NO_PONG_FROM:
            self._ping_done(msg.cookie, 0, "")

    def _on_set_custommsgs(self, msg: w.ConnectdSetCustommsgs, _: Incoming) -> None:
        self._custom = frozenset(msg.types)

    def _on_route(self, msg: w.ConnectdRoute, _: Incoming) -> None:
        self.traffic.on_route(msg)

    def _on_unroute(self, msg: w.ConnectdUnroute, _: Incoming) -> None:
        self.traffic.on_unroute(msg)

    def _ping_done(self, cookie: int, total_length: int, error: str) -> None:
        self.master.send(w.ConnectdPingDone(cookie=cookie, total_length=total_length, error=error))

    def to_master(self, conn: Connection, raw: bytes) -> None:
        """Give the master a peer's message."""
        self.master.send(w.ConnectdPeerMsg(peer_id=conn.peer_id, connection=conn.number, msg=raw))
        self.traffic.heed(self.master, conn)

    # ---- connections come ----------------------------------------------------------------------

    async def _dial(self, dialer: Dialer, peer_id: NodeId) -> None:
        self.log("debug", "Connect OUT", peer_id=peer_id)
        try:
            made = await dialer.run()
        finally:
            self._dialers.pop(peer_id, None)
        if made is not None:
            self._on_established(made)
            return
        code, reason = dialer.failure
        self.log("debug", f"Failed connected out: {reason}", peer_id=peer_id)
        self.master.send(w.ConnectdConnectFailed(peer_id=peer_id, code=code, reason=reason))

    def _on_stranger(self, peer: PeerSocket) -> None:
        # An honest peer is here for a moment only: the oldest one is the one that stalls.
        if len(self._strangers) >= MAX_STRANGERS:
            next(iter(self._strangers)).abort()
        self._strangers[peer] = None
        self._spawn(self._welcome(peer), "incoming")

    async def _welcome(self, peer: PeerSocket) -> None:
        address = peer_address(peer)
        try:
            made = await run_setup(
                Setup(self.local, peer, address), peer, None, self.timeout_seconds
            )
        except SetupFailed as err:
            self.log("debug", f"Failed connected in from {address}: {err}")
            return
        except OSError as err:
            self.log("debug", f"Failed connected in from {address}: {error_text(err)}")
            return
        finally:
            self._strangers.pop(peer, None)
        self.log("debug", "Connect IN", peer_id=made.peer_id)
        running = self._dialers.pop(made.peer_id, None)
        if running is not None:
            running[1].cancel()
        self._on_established(made)

    def _on_established(self, made: Established) -> None:
        """The peer is there. An earlier connection of it is taken for dead."""
        if made.socket.closed_by is not None:
            self.log("debug", "Gone before we could greet it", peer_id=made.peer_id)
            if not made.incoming:
                self._lost_in_greeting(made)
            return
        old = self._by_peer.get(made.peer_id)
        if old is not None:
            old.abort("replaced by a new connection")
        number = self._next_number
        self._next_number += 1
        conn = Connection(self, number, made)
        self.connections[number] = self._by_peer[made.peer_id] = conn
        self.traffic.table.add_connection(number)
        self.master.send(
            w.ConnectdPeerConnected(
                peer_id=made.peer_id,
                connection=number,
                address=str(made.address),
                incoming=made.incoming,
                features=made.init.features,
                remote_address=made.init.remote_address,
            )
        )

    def _lost_in_greeting(self, made: Established) -> None:
        reason = f"All addresses failed: {made.address}: Exchanging init messages: {made.socket.closed_by}. "
        self.master.send(w.ConnectdConnectFailed(peer_id=made.peer_id, code=401, reason=reason))

    def on_ended(self, conn: Connection) -> None:
        """A connection is over: its workers, gossipd and the master hear of it, in this order."""
        self.connections.pop(conn.number, None)
        if self._by_peer.get(conn.peer_id) is conn:
            del self._by_peer[conn.peer_id]
        self.traffic.ended(conn)
        cookie = conn.pinger.abandon()
        if cookie is not None:
            self._ping_done(cookie, 0, "Peer disconnected")
        if conn.accepted and self._gossipd is not None:
            self._gossipd.send(w.ConnectdGossipPeerGone(connection=conn.number))
        self.master.send(
            w.ConnectdPeerDisconnected(
                peer_id=conn.peer_id, connection=conn.number, reason=conn.reason
            )
        )

    def close(self) -> None:
        """The daemon ends: free the ports, hang up."""
        self.listeners.close()
        for conn in list(self.connections.values()):
            conn.abort("shutdown")

    # ---- what peers say ------------------------------------------------------------------------

    def on_peer_messages(self, conn: Connection, messages: list[bytes]) -> None:
        """All messages of one wake-up of a peer's socket."""
        if self.master.paused:
            # Log lines fill that link as well.
            self.traffic.heed(self.master, conn)
        for raw in messages:
            if conn.closing:
                return
            try:
                if len(raw) < 2:
                    raise WarnPeer(f"a message of {len(raw)} bytes has no type")
                wire_type = raw[0] << 8 | raw[1]
                fate = self._on_receive(conn.peer_id, wire_type)
                self._dispatch(conn, wire_type, raw)
            except WarnPeer as err:
                # BOLT 1, "The `error` and `warning` Messages": what was wrong is said before we hang up.
                conn.warn(str(err))
                return
            if fate is Break.CLOSE_AFTER_RECEIVE:
                conn.close("dev_disconnect")

    def _dispatch(self, conn: Connection, wire_type: int, raw: bytes) -> None:
        kind = classify(raw, wire_type, self._custom)
        if kind is Kind.CHANNEL:
            self.traffic.on_channel_message(conn, channel_id_of(raw, wire_type), raw)
        elif kind is Kind.GOSSIP:
            self._gossip_in(conn, raw)
        elif kind is Kind.PING:
            pong = ping.answer(raw)
            if pong is not None:
                conn.send_if_room(pong.encode())
        elif kind is Kind.PONG:
            self._pong_in(conn, raw)
        elif kind is Kind.ONION_MESSAGE:
            if conn.onion_limit.take(self.clock.monotonic()):
                self.to_master(conn, raw)
        elif kind is Kind.MASTER:
            self.to_master(conn, raw)
        elif kind is Kind.UNEXPECTED:
            raise WarnPeer(f"Unexpected message {message_name(wire_type)}")
        else:
            self._complaint_in(conn, kind, wire_type, raw)

    def _complaint_in(self, conn: Connection, kind: Kind, wire_type: int, raw: bytes) -> None:
        channel_id = channel_id_of(raw, wire_type)
        if channel_id != ALL_CHANNELS:
            if kind is Kind.ERROR:
                self.traffic.on_channel_error(conn, channel_id, raw)
            elif self.traffic.table.find(conn.number, channel_id) is not None:
                self.traffic.on_channel_message(conn, channel_id, raw)
            else:
                self.to_master(conn, raw)
            return
        text = complaint(raw)
        self.log("info", f"Received {message_name(wire_type)}: {text}", peer_id=conn.peer_id)
        if kind is Kind.ERROR:
            # BOLT 1, "The `error` and `warning` Messages", receiver MUST fail all channels with the sender.
            self.traffic.on_error_for_all(conn, raw)
            conn.close(f"peer sent an error: {text}")
        else:
            self.to_master(conn, raw)

    def _pong_in(self, conn: Connection, raw: bytes) -> None:
        result = conn.pinger.on_pong(raw)
        if isinstance(result, ping.PingDone):
            self._ping_done(result.cookie, result.total_length, "")
        elif result is not None:
            self.log("debug", result, peer_id=conn.peer_id)

    def _on_receive(self, peer_id: NodeId, wire_type: int) -> Break:
        if not self._names_messages:
            return Break.NORMAL
        name = message_name(wire_type)
        self.log("debug", f"peer_in {name}", peer_id=peer_id)
        if self._script is None:
            return Break.NORMAL
        fate, line = self._script.on_receive(name)
        if line:
            self.log("debug", line, peer_id=peer_id)
        return fate

    def on_send(self, peer_id: NodeId, wire_type: int) -> Break:
        """Log an outgoing message; what the test script has in mind for it."""
        if not self._names_messages:
            return Break.NORMAL
        name = message_name(wire_type)
        self.log("debug", f"peer_out {name}", peer_id=peer_id)
        if self._script is None:
            return Break.NORMAL
        fate, line = self._script.on_send(name)
        if line:
            self.log("debug", line, peer_id=peer_id)
        return fate

    # ---- gossip --------------------------------------------------------------------------------

    def _introduce(self, gossipd: Link, conn: Connection) -> None:
        gossipd.send(
            w.ConnectdGossipPeer(
                connection=conn.number, peer_id=conn.peer_id, features=conn.features
            )
        )

    def _gossip_in(self, conn: Connection, raw: bytes) -> None:
        # With gossipd away its peers' gossip is lost; it asks for what it missed.
        if self._gossipd is not None:
            self._gossipd.send(w.ConnectdGossipIn(connection=conn.number, msg=raw))
            self.traffic.heed(self._gossipd, conn)

    def tell_gossip_room(self, number: int) -> None:
        """A batch of gossip is on its way to the peer."""
        if self._gossipd is not None:
            self._gossipd.send(w.ConnectdGossipRoom(connection=number))

    def _on_gossipd(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            msg: Message = incoming.msg
            if isinstance(msg, w.ConnectdGossipOut):
                conn = self.connections.get(msg.connection)
                if conn is not None:
                    conn.send_gossip(self._wanted_gossip(msg.msgs))
            elif isinstance(msg, w.ConnectdGossipWarn):
                conn = self.connections.get(msg.connection)
                if conn is not None:
                    conn.send(msg.msg)
                    conn.close(f"gossip: {complaint(msg.msg)}")
            else:
                raise TypeError(f"gossipd sent {msg.NAME}")

    # ---- for tests -----------------------------------------------------------------------------

    def _wanted_gossip(self, messages: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if not self._suppresses_gossip:
            return messages
        return tuple(raw for raw in messages if message_type(raw) not in _NEWS)

    def _on_suppress_gossip(self, _msg: w.ConnectdDevSuppressGossip, _incoming: Incoming) -> None:
        self._suppresses_gossip = True

    def _on_report_fds(self, _msg: w.ConnectdDevReportFds, _incoming: Incoming) -> None:
        for fd, what in _open_files():
            self.log("info", f"dev_report_fds: {fd} -> {what}")


_NEWS = (pw.ChannelAnnouncement.TYPE, pw.NodeAnnouncement.TYPE, pw.ChannelUpdate.TYPE)
_MASTER: dict[type[Message], Callable[[Hub, Any, Incoming], None]] = {
    w.ConnectdInit: Hub._on_init,
    w.ConnectdActivate: Hub._on_activate,
    w.ConnectdConnect: Hub._on_connect,
    w.ConnectdAcceptPeer: Hub._on_accept,
    w.ConnectdDisconnect: Hub._on_disconnect,
    w.ConnectdRoute: Hub._on_route,
    w.ConnectdUnroute: Hub._on_unroute,
    w.ConnectdSendMsg: Hub._on_send_msg,
    w.ConnectdPing: Hub._on_ping,
    w.ConnectdSetCustommsgs: Hub._on_set_custommsgs,
    w.ConnectdDevSuppressGossip: Hub._on_suppress_gossip,
    w.ConnectdDevReportFds: Hub._on_report_fds,
}


def _open_files() -> list[tuple[int, str]]:
    """Our file descriptors and what they are."""
    found = []
    folder = "/proc/self/fd"
    for name in sorted(os.listdir(folder), key=int):
        try:
            found.append((int(name), os.readlink(f"{folder}/{name}")))
        except OSError:
            continue  # it was the one that listed them
    return found


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
