"""The channels' traffic between peers and workers: `multiplex` decides, this does it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.wire import connectd_wire as w
from pylightningd.common.wire.peer_wire import Error
from pylightningd.connectd.multiplex import HELD, TO_MASTER, Early, Route, RoutingTable

if TYPE_CHECKING:
    from pylightningd.connectd.connection_io import Connection
    from pylightningd.connectd.hub_io import Hub


class Traffic:
    """Routes and the links they lead to."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.table = RoutingTable()
        self._links: dict[int, Link] = {}
        self._blocked: dict[Link, set[Connection]] = defaultdict(set)

    # ---- links ---------------------------------------------------------------------------------

    def add_link(self, link: Link) -> None:
        """A worker can be reached."""
        self._links[link.link_id] = link
        self.watch(link)
        link.on_message = self.on_worker

    def watch(self, link: Link) -> None:
        """Stop reading those peers whose messages overflow the link, and read them again later."""

        def changed(paused: bool) -> None:
            if not paused:
                for conn in self._blocked.pop(link, set()):
                    conn.read_again(f"link {link.link_id}")

        link.on_paused = changed

    def drop_link(self, link: Link) -> None:
        """A worker is gone. Its channels start over with a new connection."""
        self._links.pop(link.link_id, None)
        for number in self.table.drop_link(link.link_id):
            conn = self._hub.connections.get(number)
            if conn is not None:
                conn.close(f"{link.name} is gone")
        for conn in self._blocked.pop(link, set()):
            conn.read_again(f"link {link.link_id}")

    def heed(self, link: Link, conn: Connection) -> None:
        """After sending something of this peer to a link: read no more while the link is full."""
        if link.paused:
            self._blocked[link].add(conn)
            conn.stop_reading(f"link {link.link_id}")

    # ---- from peers ----------------------------------------------------------------------------

    def on_channel_message(self, conn: Connection, channel_id: ChannelId, raw: bytes) -> None:
        """A message of one channel. Raises WarnPeer."""
        where = self.table.take(conn.number, channel_id, raw)
        if where is TO_MASTER:
            self._hub.to_master(conn, raw)
        elif where is HELD:
            self._check_held(conn)
        elif isinstance(where, Route):
            self._deliver(where, raw, conn)

    def on_channel_error(self, conn: Connection, channel_id: ChannelId, raw: bytes) -> None:
        """An error of one channel: to its worker, and where none is ready to the master at once."""
        route = self.table.find(conn.number, channel_id)
        if route is not None and route.ready:
            self._deliver(route, raw, conn)
            return
        # A peer's error for a channel is obeyed at once, wherever it arrives.
        if route is not None:
            self.table.hold(route, raw)
        self._hub.to_master(conn, raw)

    def on_error_for_all(self, conn: Connection, raw: bytes) -> None:
        """An error for every channel of the connection."""
        for route in self.table.routes_of(conn.number):
            if route.ready:
                self._deliver(route, raw, conn)
            else:
                self.table.hold(route, raw)
        self._hub.to_master(conn, raw)

    def ended(self, conn: Connection) -> None:
        """The connection is over: its workers are told."""
        for route in self.table.drop_connection(conn.number):
            self._tell_closed(route.link_id, route.route_id)
        for blocked in self._blocked.values():
            blocked.discard(conn)

    def _deliver(self, route: Route, raw: bytes, conn: Connection) -> None:
        link = self._links.get(route.link_id)
        if link is not None:
            link.send(w.ConnectdPeerIn(route_id=route.route_id, msg=raw))
            if link.paused:
                self.heed(link, conn)

    def _deliver_all(self, route: Route, messages: list[bytes]) -> None:
        conn = self._hub.connections.get(route.connection)
        if conn is not None:
            for raw in messages:
                self._deliver(route, raw, conn)
            self._check_held(conn)

    def _check_held(self, conn: Connection) -> None:
        if self.table.is_full(conn.number):
            conn.stop_reading("held")
        else:
            conn.read_again("held")

    def _tell_closed(self, link_id: int, route_id: int) -> None:
        link = self._links.get(link_id)
        if link is not None:
            link.send(w.ConnectdRouteClosed(route_id=route_id))

    # ---- from the master -----------------------------------------------------------------------

    def on_route(self, msg: w.ConnectdRoute) -> None:
        """Messages of a channel belong to a worker from now on."""
        made = self.table.add_route(
            msg.connection, ChannelId(msg.channel_id), msg.link_id, msg.route_id, msg.pending
        )
        if made is None:
            self._tell_closed(msg.link_id, msg.route_id)
            return
        route, early = made
        conn = self._hub.connections.get(msg.connection)
        if conn is not None:
            self._check_held(conn)
        if early is not None:
            self._replay(route, early)

    def on_unroute(self, msg: w.ConnectdUnroute) -> None:
        """The route is no more; what comes for its channel goes to the master."""
        route = self.table.remove_route(msg.route_id)
        conn = self._hub.connections.get(route.connection) if route is not None else None
        if conn is not None:
            self._check_held(conn)

    def on_sent_by_master(self, connection: int, raw: bytes) -> None:
        """An error from the master closes the matter of a channel without a route."""
        if int.from_bytes(raw[:2], "big") == Error.TYPE and len(raw) >= 34:
            self.table.forget_unrouted(connection, ChannelId(raw[2:34]))

    def _replay(self, route: Route, early: Early) -> None:
        for channel_id in early.aliases:
            self.table.add_alias(route, channel_id)
        if early.ready:
            self._deliver_all(route, self.table.make_ready(route))
        conn = self._hub.connections.get(route.connection)
        if conn is not None:
            for raw in early.out:
                conn.send(raw)
            if early.disconnect:
                conn.close("disconnected by its channel")

    # ---- from workers --------------------------------------------------------------------------

    def on_worker(self, batch: list[Incoming]) -> None:
        """All that a worker said in one wake-up."""
        for incoming in batch:
            msg, link = incoming.msg, incoming.link
            if isinstance(msg, w.ConnectdPeerOut):
                self._on_out(link, msg)
            elif isinstance(msg, w.ConnectdRouteReady):
                self._on_ready(link, msg.route_id)
            elif isinstance(msg, w.ConnectdRouteAlias):
                self._on_alias(link, msg.route_id, ChannelId(msg.channel_id))
            elif isinstance(msg, w.ConnectdRouteDisconnect):
                self._on_disconnect(link, msg.route_id)
            else:
                raise TypeError(f"{link.name} sent {msg.NAME}")

    def _on_out(self, link: Link, msg: w.ConnectdPeerOut) -> None:
        route = self.table.of_worker(msg.route_id, link.link_id)
        if route is None:
            early = self._early(link, msg.route_id, len(msg.msg))
            if early is not None:
                early.out.append(msg.msg)
            return
        conn = self._hub.connections.get(route.connection)
        if conn is not None:
            conn.send(msg.msg)

    def _on_ready(self, link: Link, route_id: int) -> None:
        route = self.table.of_worker(route_id, link.link_id)
        if route is not None:
            self._deliver_all(route, self.table.make_ready(route))
            return
        early = self._early(link, route_id)
        if early is not None:
            early.ready = True

    def _on_alias(self, link: Link, route_id: int, channel_id: ChannelId) -> None:
        route = self.table.of_worker(route_id, link.link_id)
        if route is not None:
            self._deliver_all(route, self.table.add_alias(route, channel_id))
            return
        early = self._early(link, route_id)
        if early is not None:
            early.aliases.append(channel_id)

    def _on_disconnect(self, link: Link, route_id: int) -> None:
        route = self.table.of_worker(route_id, link.link_id)
        if route is not None:
            conn = self._hub.connections.get(route.connection)
            if conn is not None:
                conn.close("disconnected by its channel")
            return
        early = self._early(link, route_id)
        if early is not None:
            early.disconnect = True

    def _early(self, link: Link, route_id: int, size: int = 0) -> Early | None:
        early = self.table.early(route_id, link.link_id, size)
        if early is None:
            self._tell_closed(link.link_id, route_id)
        return early


def short(peer_id: NodeId) -> str:
    """Enough of a node id for a task's name."""
    return peer_id.hex()[:12]
