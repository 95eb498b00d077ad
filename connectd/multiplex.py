"""Which message belongs to whom: a table of types, and the routes of the channels. No I/O.

A channel's messages go to the worker that owns it, along a *route* that the master made. Until a route
exists, a channel's first message goes to the master and what follows is held, so that nothing overtakes
it; until the worker says that it is ready, messages wait in the route.

A worker may be quicker than the master's message to us: what it says of a route that we do not know
yet is kept for a while (`Early`).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pylightningd.common.errors import WarnPeer
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.peer_wire import MESSAGES

ALL_CHANNELS: Final = ChannelId(bytes(32))

MAX_HELD_MESSAGES: Final = 1000
"""Per connection: with more waiting for a worker, the peer is not read."""
MAX_HELD_BYTES: Final = 2 << 20
MAX_UNROUTED: Final = 1000
"""Channel ids of one connection whose messages wait for the master's word."""
MAX_UNROUTED_MESSAGES: Final = 100
_MAX_EARLY_ROUTES: Final = 1000
_MAX_EARLY_BYTES: Final = 8 << 20
_FINISHED_KEPT: Final = 50_000


class Kind(Enum):
    """What is done with a message of some type."""

    CHANNEL = 0
    GOSSIP = 1
    PING = 2
    PONG = 3
    ERROR = 4
    WARNING = 5
    MASTER = 6
    """Passed on to the master: peer storage, custom messages."""
    UNEXPECTED = 7
    """Known, but not at this time."""
    ONION_MESSAGE = 8
    """Passed on to the master, so many a second."""


_GOSSIP_TYPES = (256, 257, 258, 261, 262, 263, 264, 265)
_SPECIAL: dict[int, Kind] = {
    peer_wire.Ping.TYPE: Kind.PING,
    peer_wire.Pong.TYPE: Kind.PONG,
    peer_wire.Error.TYPE: Kind.ERROR,
    peer_wire.Warning.TYPE: Kind.WARNING,
    peer_wire.Init.TYPE: Kind.UNEXPECTED,
    peer_wire.OnionMessage.TYPE: Kind.ONION_MESSAGE,
    peer_wire.PeerStorage.TYPE: Kind.MASTER,
    peer_wire.PeerStorageRetrieval.TYPE: Kind.MASTER,
    **dict.fromkeys(_GOSSIP_TYPES, Kind.GOSSIP),
}


def _channel_id_offset(cls: type[peer_wire.PeerMessage]) -> int:
    pos = 2
    for name, csv_type, _ in cls.WIRE:
        if name in ("channel_id", "temporary_channel_id"):
            return pos
        if csv_type != "chain_hash":
            break
        pos += 32
    raise AssertionError(f"where is the channel_id of {cls.NAME}?")


_KINDS: Final[dict[int, tuple[Kind, int]]] = {
    wire_type: (_SPECIAL[wire_type], 2)
    if wire_type in _SPECIAL
    else (Kind.CHANNEL, _channel_id_offset(cls))
    for wire_type, cls in MESSAGES.items()
}
_NAMES: Final[dict[int, str]] = {wire_type: cls.NAME for wire_type, cls in MESSAGES.items()}


def message_name(wire_type: int) -> str:
    """As logs call it."""
    return _NAMES.get(wire_type) or f"WIRE_UNKNOWN_{wire_type}"


def classify(raw: bytes, wire_type: int, custom: frozenset[int]) -> Kind:
    """What to do with a message; `custom` are even types that a plugin takes. Raises WarnPeer."""
    known = _KINDS.get(wire_type)
    if known is not None:
        return known[0]
    # BOLT 1, "Lightning Message Format", receiver MUST ignore an unknown odd type, and closes the connection
    # on an unknown even one. Plugins may want the odd ones.
    if wire_type & 1 or wire_type in custom:
        return Kind.MASTER
    raise WarnPeer(f"Invalid unknown even msg {raw[:64].hex()}")


def channel_id_of(raw: bytes, wire_type: int) -> ChannelId:
    """The channel a message of kind CHANNEL, ERROR or WARNING is about. Raises WarnPeer."""
    offset = _KINDS[wire_type][1]
    channel = raw[offset : offset + 32]
    if len(channel) != 32:
        raise WarnPeer(f"{message_name(wire_type)} of {len(raw)} bytes has no channel_id")
    return ChannelId(channel)


@dataclass(slots=True, eq=False)
class Route:
    """The way of one channel's messages on one connection to one worker."""

    route_id: int
    connection: int
    link_id: int
    ready: bool = False
    held: list[bytes] = field(default_factory=list)
    channel_ids: set[ChannelId] = field(default_factory=set)


@dataclass(slots=True)
class _Connection:
    routes: dict[ChannelId, Route] = field(default_factory=dict)
    unrouted: dict[ChannelId, list[bytes]] = field(default_factory=dict)
    held: int = 0
    held_bytes: int = 0

    def count(self, messages: list[bytes], sign: int) -> None:
        self.held += sign * len(messages)
        self.held_bytes += sign * sum(map(len, messages))


@dataclass(slots=True)
class Early:
    """What a worker said of a route before the master told us of it."""

    link_id: int
    ready: bool = False
    out: list[bytes] = field(default_factory=list)
    aliases: list[ChannelId] = field(default_factory=list)
    disconnect: bool = False


class ToMaster:
    """The answer of `take`: the master is to decide."""


class Held:
    """The answer of `take`: kept until someone is ready."""


TO_MASTER: Final = ToMaster()
HELD: Final = Held()


class RoutingTable:
    """All routes of all connections."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._routes: dict[int, Route] = {}
        self._early: OrderedDict[int, Early] = OrderedDict()
        self._early_bytes = 0
        self._finished: OrderedDict[int, None] = OrderedDict()

    # ---- connections -------------------------------------------------------------------------

    def add_connection(self, connection: int) -> None:
        """From now on it may have routes."""
        self._connections[connection] = _Connection()

    def drop_connection(self, connection: int) -> list[Route]:
        """Forget it; return its routes, whose workers must hear of it."""
        gone = self._connections.pop(connection, None)
        routes = list(dict.fromkeys(gone.routes.values())) if gone is not None else []
        # A route whose last channel_id went to another route is still its worker's.
        routes += [
            r for r in self._routes.values() if r.connection == connection and r not in routes
        ]
        for route in routes:
            self._finish(route)
        return routes

    def is_full(self, connection: int) -> bool:
        """Whether so much is held that the peer must not be read."""
        conn = self._connections.get(connection)
        return conn is not None and (
            conn.held >= MAX_HELD_MESSAGES or conn.held_bytes >= MAX_HELD_BYTES
        )

    # ---- incoming messages ---------------------------------------------------------------------

    def take(self, connection: int, channel_id: ChannelId, raw: bytes) -> Route | ToMaster | Held:
        """Where a channel's message goes. Raises WarnPeer where the peer says too much unasked."""
        conn = self._connections[connection]
        route = conn.routes.get(channel_id)
        if route is not None:
            if route.ready:
                return route
            route.held.append(raw)
            conn.count([raw], 1)
            return HELD
        waiting = conn.unrouted.get(channel_id)
        if waiting is None:
            if len(conn.unrouted) >= MAX_UNROUTED:
                raise WarnPeer(f"messages for more than {MAX_UNROUTED} unknown channels")
            conn.unrouted[channel_id] = []
            return TO_MASTER
        if len(waiting) >= MAX_UNROUTED_MESSAGES:
            raise WarnPeer(f"too many messages for unknown channel {channel_id.hex()}")
        waiting.append(raw)
        conn.count([raw], 1)
        return HELD

    def find(self, connection: int, channel_id: ChannelId) -> Route | None:
        """The route of a channel, ready or not."""
        conn = self._connections.get(connection)
        return conn.routes.get(channel_id) if conn is not None else None

    def routes_of(self, connection: int) -> list[Route]:
        """All routes of a connection."""
        conn = self._connections.get(connection)
        return list(dict.fromkeys(conn.routes.values())) if conn is not None else []

    def hold(self, route: Route, raw: bytes) -> None:
        """Keep a message for a route that is not ready (an error for all channels)."""
        route.held.append(raw)
        self._connections[route.connection].count([raw], 1)

    def forget_unrouted(self, connection: int, channel_id: ChannelId) -> None:
        """The master answered for this channel with an error: what the peer said meanwhile is moot."""
        conn = self._connections.get(connection)
        if conn is not None:
            conn.count(conn.unrouted.pop(channel_id, []), -1)

    # ---- the master's words --------------------------------------------------------------------

    def add_route(
        self,
        connection: int,
        channel_id: ChannelId,
        link_id: int,
        route_id: int,
        pending: tuple[bytes, ...],
    ) -> tuple[Route, Early | None] | None:
        """Make a route; also what its worker said too early. None where the connection is gone."""
        early = self._early.pop(route_id, None)
        if early is not None:
            self._early_bytes -= sum(map(len, early.out))
        conn = self._connections.get(connection)
        if conn is None:
            self._finished[route_id] = None
            return None
        route = Route(route_id, connection, link_id)
        self._routes[route_id] = route
        route.held.extend(pending)
        conn.count(route.held, 1)
        self._assign(conn, route, channel_id)
        return route, early if early is not None and early.link_id == link_id else None

    def remove_route(self, route_id: int) -> Route | None:
        """The master takes a route away. What it still held is lost with it."""
        route = self._routes.get(route_id)
        self._early.pop(route_id, None)
        if route is None:
            return None
        conn = self._connections.get(route.connection)
        if conn is not None:
            conn.count(route.held, -1)
            for channel_id in route.channel_ids:
                if conn.routes.get(channel_id) is route:
                    del conn.routes[channel_id]
        self._finish(route)
        return route

    # ---- the workers' words --------------------------------------------------------------------

    def of_worker(self, route_id: int, link_id: int) -> Route | None:
        """The route, if it is one of this link's."""
        route = self._routes.get(route_id)
        return route if route is not None and route.link_id == link_id else None

    def early(self, route_id: int, link_id: int, size: int = 0) -> Early | None:
        """The place to note a worker's word of a route that may yet come; None where it will not."""
        if route_id in self._finished or route_id in self._routes:
            return None
        early = self._early.get(route_id)
        if early is None:
            early = self._early[route_id] = Early(link_id)
        elif early.link_id != link_id:
            return None
        self._early_bytes += size
        while len(self._early) > _MAX_EARLY_ROUTES or self._early_bytes > _MAX_EARLY_BYTES:
            _, oldest = self._early.popitem(last=False)
            self._early_bytes -= sum(map(len, oldest.out))
        return early

    def make_ready(self, route: Route) -> list[bytes]:
        """The worker takes messages now; return those that waited."""
        route.ready = True
        held, route.held = route.held, []
        conn = self._connections.get(route.connection)
        if conn is not None:
            conn.count(held, -1)
        return held

    def add_alias(self, route: Route, channel_id: ChannelId) -> list[bytes]:
        """The route has one more channel_id; return what now goes to its worker."""
        conn = self._connections.get(route.connection)
        if conn is None:
            return []
        self._assign(conn, route, channel_id)
        return self.make_ready(route) if route.ready else []

    def drop_link(self, link_id: int) -> set[int]:
        """A worker is gone: the connections that had routes to it."""
        for route_id in [i for i, e in self._early.items() if e.link_id == link_id]:
            del self._early[route_id]
        return {r.connection for r in self._routes.values() if r.link_id == link_id}

    # ---- inside --------------------------------------------------------------------------------

    def _assign(self, conn: _Connection, route: Route, channel_id: ChannelId) -> None:
        conn.routes[channel_id] = route
        route.channel_ids.add(channel_id)
        # Counted already, as messages of no route.
        route.held.extend(conn.unrouted.pop(channel_id, []))

    def _finish(self, route: Route) -> None:
        self._routes.pop(route.route_id, None)
        self._finished[route.route_id] = None
        while len(self._finished) > _FINISHED_KEPT:
            self._finished.popitem(last=False)
