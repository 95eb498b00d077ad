"""Peers: who is connected, how to reach whom, and handing each channel to its worker on every connection.

Every connection goes through `_connected`: at start, after a cut, after a daemon died. There is no other path.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire.channeld_wire import ChanneldConnected
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import RESUMED, WITH_PEER, ChannelState
from pylightningd.lightningd.control.addresses import address_json
from pylightningd.lightningd.db.network_events_io import Kind, NetworkEvent, NetworkEventStore

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

CONNECT_NO_KNOWN_ADDRESS = 400
CONNECT_ALL_ADDRESSES_FAILED = 401
CONNECT_DISCONNECTED_DURING = 402
MAX_RECONNECT_SECONDS = 300
RECONNECT_SECONDS = (1.0, MAX_RECONNECT_SECONDS)
"""The first delay and the longest."""
FAST_RECONNECT_SECONDS = (0.1, 3.0)
"""The same with --dev-fast-reconnect."""
GRACE_SECONDS = 2
FORGIVEN_AFTER_SECONDS = 600
"""A channel that failed because of a bug so long ago counts as well."""
MAX_STASHED = 20
"""Messages kept for a channel whose route is just being made."""


class _Future(Protocol):
    def set_result(self, result: Any) -> None: ...
    def set_exception(self, exception: BaseException) -> None: ...
    def done(self) -> bool: ...
    def __await__(self) -> Any: ...


@dataclass(slots=True)
class Peer:
    """A node that is connected, or that we have a channel with, or that somebody waits for."""

    id: NodeId
    address: str = ""
    """Where it was reached, or came from, last."""
    reachable_address: str = ""
    """An address that we may connect to."""
    features: bytes = b""
    connection: int | None = None
    incoming: bool = False
    accepted: bool = False
    """Its channels have been handed over and connectd reads from it."""
    remote_address: str = ""
    waiters: list[_Future] = field(default_factory=list)
    goodbyes: list[_Future] = field(default_factory=list)
    """Those who wait for the connection to end."""
    connecting: bool = False
    since: float = 0.0
    """When we began to dial, or when the connection was made."""
    backoff_seconds: float = 0
    """How long to wait before the next attempt; 0: as the first time."""
    reconnect_timer: Any = None
    stash: dict[ChannelId, list[bytes]] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        """Whether there is a connection right now."""
        return self.connection is not None


class Peers:
    """All peers."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.events = NetworkEventStore(node.db)
        self._by_id: dict[NodeId, Peer] = {}
        self._next_route = 1
        self._resting: set[int] = set()
        """Channels that failed because of a bug and are not taken up just now."""
        self._rests: dict[int, tuple[float, float]] = {}
        """By channel: seconds that it is to rest after its next failure, and when it failed last."""

    # Looking up

    def get(self, peer_id: NodeId) -> Peer | None:
        """By node id."""
        return self._by_id.get(peer_id)

    def of(self, peer_id: NodeId) -> Peer:
        """By node id; made where there is none."""
        peer = self._by_id.get(peer_id)
        if peer is None:
            peer = self._by_id[peer_id] = Peer(peer_id)
        return peer

    def all(self) -> list[Peer]:
        """Connected ones and those with channels."""
        return [p for p in self._by_id.values() if p.connected or self._has_channels(p)]

    def by_connection(self, connection: int) -> Peer | None:
        """Whose connection that is."""
        return next((p for p in self._by_id.values() if p.connection == connection), None)

    def _has_channels(self, peer: Peer) -> bool:
        return bool(self._node.channels.of_peer(peer.id))

    def wants_connection(self, peer: Peer) -> bool:
        """Whether a channel with it needs the peer: also one that only the peer can close."""
        return any(
            (c.state in RESUMED and (c.announce or self._node.settings.reconnect_private))
            or (c.state is ChannelState.AWAITING_UNILATERAL and c.future_remote_point is not None)
            for c in self._node.channels.of_peer(peer.id)
        )

    def new_route_id(self) -> int:
        """A name for a channel on one connection; never used again."""
        self._next_route += 1
        return self._next_route

    def load(self) -> None:
        """Peers we have channels with, at start."""
        for peer_id, address, features in self._node.channels.store.peers():
            peer = self.of(peer_id)
            peer.reachable_address = address
            peer.features = features

    # Reaching out

    async def connect(self, peer_id: NodeId, addresses: list[str]) -> Peer:
        """Connect unless connected. Raises UserError with connectd's reasons."""
        peer = self.of(peer_id)
        if peer.connected and peer.accepted:
            return peer
        await self._wait_connected(peer, addresses)
        return peer

    async def _wait_connected(self, peer: Peer, addresses: list[str]) -> None:
        future = self._node.new_future()
        peer.waiters.append(future)
        if not peer.connected:
            await self._reach(peer, addresses)
        awaitable: Awaitable[None] = future
        await awaitable

    async def _reach(self, peer: Peer, addresses: list[str]) -> None:
        known = [a for a in (*addresses, peer.reachable_address) if a]
        if not known or not addresses:
            known += await self._node.gossip.addresses_of(peer.id)
        known = list(dict.fromkeys(known))
        if peer.connecting and not addresses:
            return
        if not peer.connecting:
            peer.since = self._node.clock.now()
        peer.connecting = True
        connectd = self._node.fleet.get("connectd")
        if connectd is None:
            self._connect_failed(peer, CONNECT_ALL_ADDRESSES_FAILED, "connectd is being restarted")
            return
        connectd.send(cw.ConnectdConnect(peer_id=peer.id, addresses=tuple(known)))

    def _connect_failed(self, peer: Peer, code: int, reason: str) -> None:
        peer.connecting = False
        for future in peer.waiters:
            if not future.done():
                future.set_exception(UserError(code, reason))
        peer.waiters.clear()
        self.schedule_reconnect(peer)

    def schedule_reconnect(self, peer: Peer) -> None:
        """Try again later if a channel needs the peer, ever more slowly."""
        node = self._node
        if peer.connected or peer.reconnect_timer is not None or node.stopping:
            return
        if not node.settings.reconnect or not self.wants_connection(peer):
            return
        fast = node.settings.fast_reconnect
        first, limit = FAST_RECONNECT_SECONDS if fast else RECONNECT_SECONDS
        delay = peer.backoff_seconds or first
        peer.backoff_seconds = min(delay * 2, limit)
        if node.node_id > peer.id:
            # After a cut both sides would dial at the same moment: one of them gives the other time.
            delay += max(delay / 2, 0.2)
        node.log(
            "debug", f"Will try reconnect in {delay:g} seconds", source="connectd", peer_id=peer.id
        )
        peer.reconnect_timer = node.call_later(delay, lambda: self._retry(peer))

    def _retry(self, peer: Peer) -> None:
        peer.reconnect_timer = None
        if not peer.connected and self.wants_connection(peer):
            self._node.attempt(self._reach(peer, []), f"reconnect {peer.id.hex()}")

    def reach_now(self, peer: Peer) -> None:
        """Dial at once, whatever the settings say about reconnecting."""
        if not peer.connected:
            self._node.attempt(self._reach(peer, []), f"connect {peer.id.hex()}")

    def reconnect_now(self, peer_id: NodeId, reason: str) -> None:
        """Start over with a peer: cut the connection if there is one, and reach out at once."""
        peer = self.of(peer_id)
        peer.backoff_seconds = 0
        if peer.connected:
            self.disconnect(peer, reason)
        else:
            self.schedule_reconnect(peer)

    def disconnect(self, peer: Peer, reason: str) -> None:
        """Hang up, after what is queued."""
        connectd = self._node.fleet.get("connectd")
        if peer.connection is not None and connectd is not None:
            self._node.log("debug", f"Disconnecting: {reason}", peer_id=peer.id)
            connectd.send(cw.ConnectdDisconnect(connection=peer.connection))

    def disconnect_later(self, peer: Peer, reason: str) -> None:
        """Hang up if nobody else has done so within a moment."""
        connection = peer.connection

        def disconnect() -> None:
            if peer.connection == connection:
                self.disconnect(peer, reason)

        self._node.call_later(GRACE_SECONDS, disconnect)

    # What connectd says; called inside turns

    def send(self, peer: Peer, msg: Message) -> None:
        """Send a message of the master's own on a peer's connection. Outside turns."""
        connectd = self._node.fleet.get("connectd")
        if connectd is not None and peer.connection is not None:
            connectd.send(cw.ConnectdSendMsg(connection=peer.connection, msg=msg.encode()))

    def connected(self, msg: cw.ConnectdPeerConnected) -> None:
        """A peer is there, and connectd waits for our word before it reads on."""
        peer = self.of(msg.peer_id)
        if peer.connection is not None:
            # Who waits for a connection is served by this one.
            waiters, peer.waiters = peer.waiters, []
            self.disconnected(peer.id, peer.connection, "Peer has connected again")
            peer.waiters = waiters
        self._note(peer, "connect", lasted=peer.connecting and not msg.incoming)
        peer.since = self._node.clock.now()
        peer.connection = msg.connection
        peer.accepted = False
        peer.connecting = False
        peer.incoming = msg.incoming
        peer.address = msg.address
        peer.features = msg.features
        peer.remote_address = msg.remote_address
        peer.stash.clear()
        if not msg.incoming:
            peer.reachable_address = msg.address
        if peer.reconnect_timer is not None:
            peer.reconnect_timer.cancel()
            peer.reconnect_timer = None
        if self._has_channels(peer):
            self._node.channels.store.peer_row(peer.id, peer.reachable_address, peer.features)
        self._node.turn.after_commit(
            lambda: self._node.attempt(
                self._take_up(peer, msg.connection),
                f"peer {peer.id.hex()}",
                lambda why: self._hang_up(peer, msg.connection, why),
            )
        )

    def _hang_up(self, peer: Peer, connection: int, reason: str) -> None:
        """Disconnect, unless there is another connection by now."""
        if peer.connection == connection:
            self.disconnect(peer, reason)

    async def _take_up(self, peer: Peer, connection: int) -> None:
        """Ask plugins, give each channel to its worker, then let connectd read."""
        node = self._node
        refusal = await node.peer_hooks.refuses(peer)
        if refusal is not None:
            if peer.connection == connection:
                self._refuse(peer, refusal)
            return
        mine = [
            c
            for c in node.channels.of_peer(peer.id)
            if c.state in RESUMED and c.dbid not in self._resting
        ]
        for channel in mine:
            await node.workers.prepare(channel)

        def accept() -> None:
            if peer.connection != connection:
                return
            node.peer_storage.connected(peer)
            for channel in mine:
                if channel.state in RESUMED:
                    self.route_to_channeld(peer, channel, fresh=False)
            node.fleet.tell("connectd", cw.ConnectdAcceptPeer(connection=connection))
            peer.accepted = True
            node.recovery.ask_to_close(peer)
            peer.backoff_seconds = 0
            node.turn.after_commit(lambda: self._tell_waiters(peer))
            node.turn.notify(
                "connect",
                {
                    "id": peer.id.hex(),
                    "direction": "in" if peer.incoming else "out",
                    "address": address_json(peer.address),
                },
            )

        await node.turn.do(accept)

    def _refuse(self, peer: Peer, refusal: bytes) -> None:
        connectd = self._node.fleet.get("connectd")
        if connectd is not None and peer.connection is not None:
            if refusal:
                connectd.send(cw.ConnectdSendMsg(connection=peer.connection, msg=refusal))
            connectd.send(cw.ConnectdDisconnect(connection=peer.connection))

    def _tell_waiters(self, peer: Peer) -> None:
        for future in peer.waiters:
            if not future.done():
                future.set_result(None)
        peer.waiters.clear()

    def resume(self, peer: Peer, channel: Channel) -> None:
        """The peer reestablishes a channel whose close is complete for us: it may have lost our signature.

        What it sent is stashed; negotiation begins anew. Inside a turn; peer connected.
        """
        connection = peer.connection
        self._node.turn.after_commit(
            lambda: self._node.attempt(
                self._resume(peer, channel, connection),
                f"close of channel {channel.dbid} again",
                lambda why: self.disconnect(peer, why),
            )
        )

    async def _resume(self, peer: Peer, channel: Channel, connection: int | None) -> None:
        await self._node.workers.prepare(channel)

        def hand_over() -> None:
            if peer.connection == connection and channel.state is ChannelState.CLOSINGD_COMPLETE:
                self.route_to_channeld(peer, channel, fresh=False)

        await self._node.turn.do(hand_over)

    def route_to_channeld(self, peer: Peer, channel: Channel, *, fresh: bool) -> None:
        """From now on messages of this channel go to its worker. Inside a turn; peer connected."""
        node = self._node
        if peer.connection is None or channel.worker is None:
            return
        channel.route_id = self.route(peer, channel.channel_id, channel.worker)
        channel.reestablished = False
        channel.their_features = peer.features
        node.workers.send(
            channel,
            ChanneldConnected(
                dbid=channel.dbid,
                route_id=channel.route_id,
                fresh=fresh,
                their_features=peer.features,
            ),
        )

    def route(self, peer: Peer, channel_id: ChannelId, daemon: str) -> int:
        """Let connectd hand a channel_id's messages to a daemon; returns the route's name."""
        node = self._node
        if peer.connection is None:
            raise ValueError("a route needs a connection")
        route_id = self.new_route_id()
        node.fleet.tell(
            "connectd",
            cw.ConnectdRoute(
                connection=peer.connection,
                channel_id=channel_id,
                link_id=node.fleet.link_id("connectd", daemon),
                route_id=route_id,
                pending=tuple(peer.stash.pop(channel_id, ())),
            ),
        )
        return route_id

    def disconnected(self, peer_id: NodeId, connection: int, reason: str) -> None:
        """A connection is gone."""
        node = self._node
        peer = self.of(peer_id)
        if peer.connection != connection:
            return
        self._note(peer, "disconnect", lasted=True)
        peer.connection = None
        peer.accepted = False
        peer.stash.clear()
        for channel in node.channels.of_peer(peer_id):
            channel.route_id = None
            channel.reestablished = False
            node.channel_gossip.channel_changed(channel)
        node.opening.peer_gone(peer_id)
        node.closing.peer_gone(peer_id)
        node.turn.notify("disconnect", {"id": peer_id.hex()})
        for future in peer.waiters:
            if not future.done():
                error = UserError(CONNECT_DISCONNECTED_DURING, "disconnected during connection")
                future.set_exception(error)
        peer.waiters.clear()
        node.log("debug", f"Peer disconnected: {reason}", source="connectd", peer_id=peer_id)
        node.turn.after_commit(lambda: self._after_disconnect(peer))

    def _after_disconnect(self, peer: Peer) -> None:
        for future in peer.goodbyes:
            if not future.done():
                future.set_result(None)
        peer.goodbyes.clear()
        self.schedule_reconnect(peer)
        if not self._has_channels(peer) and not peer.connected and not peer.waiters:
            self._by_id.pop(peer.id, None)

    def when_disconnected(self, peer: Peer) -> Awaitable[None]:
        """Done when the present connection has ended."""
        future = self._node.new_future()
        peer.goodbyes.append(future)
        awaitable: Awaitable[None] = future
        return awaitable

    def connect_failed(self, msg: cw.ConnectdConnectFailed) -> None:
        """No address worked."""
        peer = self.of(msg.peer_id)
        attempted = msg.code != CONNECT_NO_KNOWN_ADDRESS
        self._note(peer, "connect_fail", lasted=True, reason=msg.reason, attempted=attempted)
        self._node.turn.after_commit(lambda: self._connect_failed(peer, msg.code, msg.reason))

    def _note(
        self,
        peer: Peer,
        kind: Kind,
        *,
        lasted: bool,
        reason: str | None = None,
        attempted: bool = False,
    ) -> None:
        """Write down what happened; `lasted`: since `peer.since`. Inside a turn."""
        now = self._node.clock.now()
        self.events.add(
            NetworkEvent(
                peer_id=peer.id,
                kind=kind,
                timestamp=int(now),
                reason=reason,
                nsec=max(1, int((now - peer.since) * 1_000_000_000)) if lasted else 0,
                attempted=attempted,
            )
        )

    def ponged(self, peer: Peer, seconds: float) -> None:
        """A ping of ours was answered after so long. Inside a turn."""
        self.events.add(
            NetworkEvent(
                peer_id=peer.id,
                kind="ping",
                timestamp=int(self._node.clock.now()),
                nsec=max(1, int(seconds * 1_000_000_000)),
            )
        )

    def stash(self, peer: Peer, channel_id: ChannelId, msg: bytes) -> bool:
        """Keep a message for a route that is just being made. False where there is no such route."""
        channel = self._node.channels.by_channel_id(channel_id)
        if channel is None or channel.state not in WITH_PEER or channel.route_id is not None:
            return False
        kept = peer.stash.setdefault(channel_id, [])
        if len(kept) >= MAX_STASHED:
            return False
        kept.append(msg)
        return True

    # Starting over

    def restart_channel(self, dbid: int) -> None:
        """Read a channel from its rows again and reestablish it. Inside a turn."""
        node = self._node
        channel = node.channels.get(dbid)
        if channel is None:
            return
        if channel.route_id is not None:
            # Nobody listens there any more; an error of the peer must reach us all the same.
            node.fleet.tell("connectd", cw.ConnectdUnroute(route_id=channel.route_id))
        node.workers.release(channel)
        node.channels.reload(dbid)
        node.channel_gossip.channel_changed(channel)
        if channel.state in WITH_PEER:
            node.turn.after_commit(partial(self._let_rest, channel))

    def _let_rest(self, channel: Channel) -> None:
        """Take a channel up again: at once the first time, ever later where it keeps failing."""
        dbid, now = channel.dbid, self._node.clock.now()
        seconds, last = self._rests.get(dbid, (0.0, 0.0))
        if now - last > FORGIVEN_AFTER_SECONDS:
            seconds = 0.0
        self._rests[dbid] = (min(max(1.0, seconds * 2), MAX_RECONNECT_SECONDS), now)
        self._resting.add(dbid)
        if seconds:
            self._node.call_later(seconds, lambda: self._wake(channel))
        else:
            self._wake(channel)

    def _wake(self, channel: Channel) -> None:
        if channel.dbid in self._resting:
            self._resting.discard(channel.dbid)
            if channel.state in WITH_PEER:
                self.reconnect_now(channel.peer_id, "channel restarted")

    async def connectd_died(self) -> None:
        """Every connection is gone with it, and every attempt to make one."""
        node, stopped = self._node, "connectd stopped"

        def forget() -> None:
            for peer in list(self._by_id.values()):
                if peer.connection is not None:
                    self.disconnected(peer.id, peer.connection, stopped)
                elif peer.waiters:
                    node.turn.after_commit(
                        partial(self._connect_failed, peer, CONNECT_ALL_ADDRESSES_FAILED, stopped)
                    )
                peer.connecting = False
            node.connectd.forget_pings()

        await node.turn.do(forget)

    def connect_all(self) -> None:
        """Reach out to every peer that a channel needs, at start."""
        for peer in list(self._by_id.values()):
            if not peer.connected and self.wants_connection(peer):
                self._node.attempt(self._reach(peer, []), f"connect {peer.id.hex()}")
