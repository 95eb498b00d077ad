"""The daemons of the node in the middle, in its own process: real channel hosts, onchaind's engine and hsmd's core.

What they are told and say goes through the messages' bytes, as over the bus; each batch comes in a later pass of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pylightningd.channeld.events import Event, FromMaster, FromPeer, RouteClosed
from pylightningd.channeld.host_io import ChannelHost
from pylightningd.channeld.machine import ChannelMachine
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from pylightningd.onchaind.machine import Resolver, Say
from tests.sim.test_real_hsmd import WORKER

if TYPE_CHECKING:
    from tests.sim.middle import Middle


class Incoming:
    """A message of a daemon."""

    def __init__(self, link: Any, msg: Any, reply: Callable[[Any], object]) -> None:
        self.link, self.msg, self.request_id, self.trace_id = link, msg, 1, 0
        self.reply = reply

    def refuse(self, reason: str) -> None:
        raise AssertionError(f"{type(self.msg).__name__} is refused: {reason}")


class Link:
    """What the master holds of a daemon."""

    def __init__(self, name: str, middle: Middle) -> None:
        self.name, self.middle = name, middle
        self.closed = False
        self.on_message: Any = None
        self._inbox: list[Any] = []

    def send(self, msg: Any, *, request_id: int = 0) -> None:  # noqa: ARG002 - as a link has it
        """What is sent in one pass of the loop comes in one batch."""
        if self.closed or self.middle.dead:
            return
        if not self._inbox:
            self.middle.loop.call_soon(self._deliver)
        self._inbox.append(msg)

    def _deliver(self) -> None:
        inbox, self._inbox = self._inbox, []
        if not self.closed:
            self.hear([self.decode(m.encode()) for m in inbox])

    def decode(self, raw: bytes) -> Any:
        """Bytes of the master."""
        raise NotImplementedError

    def hear(self, batch: list[Any]) -> None:
        """Messages of the master."""

    def say(self, msg: Any, reply: Callable[[Any], object] = lambda _m: None) -> None:
        """To the master, in a later pass."""
        msg = self.decode(msg.encode())

        def arrive() -> None:
            if not self.closed and self.on_message is not None:
                self.on_message([Incoming(self, msg, reply)])

        self.middle.loop.call_soon(arrive)

    def die(self) -> None:
        """The process is gone."""
        self.closed = True


class ToyConnectd(Link):
    """Connections to the two neighbours."""

    def __init__(self, middle: Middle) -> None:
        super().__init__("connectd", middle)
        self.on_message = middle.node.connectd.on_message
        self.routes: dict[int, tuple[int, bytes]] = {}
        """Route -> connection and channel."""

    def decode(self, raw: bytes) -> Any:
        return nw.decode(raw)

    def hear(self, batch: list[Any]) -> None:
        worker = self.middle.channeld
        for msg in batch:
            match msg:
                case nw.ConnectdRoute(connection=connection, route_id=route_id):
                    if connection in self.middle.lines:
                        self.routes[route_id] = connection, msg.channel_id
                        for raw in msg.pending:
                            worker.from_peer(route_id, raw)
                    else:
                        worker.route_closed(route_id)
                case nw.ConnectdUnroute(route_id=route_id):
                    if self.routes.pop(route_id, None) is not None:
                        worker.route_closed(route_id)
                case nw.ConnectdAcceptPeer(connection=connection):
                    if connection in self.middle.lines:
                        self.middle.lines[connection].accepted = True
                case nw.ConnectdSendMsg(connection=connection, msg=raw):
                    self._out(connection, raw)
                case nw.ConnectdDisconnect(connection=connection):
                    self.middle.hang_up(connection)
                case _:
                    pass

    def _out(self, connection: int, raw: bytes) -> None:
        line = self.middle.lines.get(connection)
        if line is not None:
            line.to_it.append(raw)
            self.middle.drew_arrow(line, raw)

    def peer_out(self, route_id: int, raw: bytes) -> None:
        """The worker speaks to a neighbour."""
        if route_id in self.routes:
            self._out(self.routes[route_id][0], raw)

    def peer_in(self, connection: int, raw: bytes) -> None:
        """A neighbour speaks: its channel's worker hears it, or the master."""
        mine = [r for r, (c, _) in self.routes.items() if c == connection]
        if mine:
            self.middle.channeld.from_peer(mine[-1], raw)
        else:
            peer_id = self.middle.lines[connection].peer_id
            self.say(nw.ConnectdPeerMsg(peer_id=peer_id, connection=connection, msg=raw))

    def ended(self, connection: int) -> None:
        """A connection is gone."""
        line = self.middle.lines.pop(connection)
        for route_id in [r for r, (c, _) in self.routes.items() if c == connection]:
            del self.routes[route_id]
            self.middle.channeld.route_closed(route_id)
        self.say(
            nw.ConnectdPeerDisconnected(peer_id=line.peer_id, connection=connection, reason="gone")
        )


class ToyChanneld(Link):
    """The worker: its shell is this class, its hosts and machines are the real ones."""

    def __init__(self, middle: Middle) -> None:
        super().__init__("channeld-0", middle)
        self._init: cw.ChanneldInit | None = None
        self._hosts: dict[int, ChannelHost] = {}
        self._routes: dict[int, ChannelHost] = {}

    def decode(self, raw: bytes) -> Any:
        return cw.decode(raw)

    def hear(self, batch: list[Any]) -> None:
        touched: dict[ChannelHost, None] = {}
        for msg in batch:
            match msg:
                case cw.ChanneldInit():
                    self._init = msg
                case cw.ChanneldChannel():
                    assert self._init is not None
                    self._forget(msg.channel.dbid)
                    machine = ChannelMachine.from_row(msg, self._init)
                    self._hosts[msg.channel.dbid] = ChannelHost(machine, self)
                case cw.ChanneldForget(dbid=dbid):
                    self._forget(dbid)
                    self.say(cw.ChanneldForgotten(dbid=dbid))
                case cw.ChanneldBlockheight():
                    pass
                case _:
                    host = self._hosts.get(msg.dbid)
                    if host is not None:
                        host.feed(FromMaster(msg))
                        touched[host] = None
        for host in touched:
            host.flush()

    def _forget(self, dbid: int) -> None:
        host = self._hosts.pop(dbid, None)
        if host is not None:
            host.close()

    def from_peer(self, route_id: int, raw: bytes) -> None:
        """A message of the neighbour."""
        host = self._routes.get(route_id)
        if host is None:
            return
        msg = pw.decode(raw)
        assert isinstance(msg, Message)
        if isinstance(msg, pw.Error):
            host.peer_error(msg)
        else:
            self._feed(host, FromPeer(msg))

    def route_closed(self, route_id: int) -> None:
        """The connection is gone."""
        host = self._routes.get(route_id)
        if host is not None:
            self._feed(host, RouteClosed(route_id))

    @staticmethod
    def _feed(host: ChannelHost, event: Event) -> None:
        host.feed(event)
        host.flush()

    def die(self) -> None:
        super().die()
        for dbid in list(self._hosts):
            self._forget(dbid)

    # What channels want (host_io.Neighbours)

    def ask(self, to: str, request: Any) -> asyncio.Future[Any]:
        if self.closed:
            raise LinkClosed(to)
        future: asyncio.Future[Any] = self.middle.loop.create_future()

        def replied(reply: Any) -> None:
            if not future.done() and not self.middle.dead:
                future.set_result(reply)

        if to == "hsmd":
            replied(self.middle.hsm.handle(WORKER, request))
        else:
            self.middle.wrote(request)
            self.say(request, replied)
        return future

    def tell(self, _to: str, msg: Message) -> None:
        self.say(msg)

    def send_peer(self, route_id: int, msg: Message) -> None:
        self.middle.connectd.peer_out(route_id, msg.encode())

    def use_route(self, host: ChannelHost, old: int | None, new: int | None) -> None:
        if old is not None:
            self._routes.pop(old, None)
        if new is not None:
            self._routes[new] = host

    def hang_up(self, route_id: int) -> None:
        route = self.middle.connectd.routes.get(route_id)
        if route is not None:
            self.middle.hang_up(route[0])

    def on_worked_off(self, host: ChannelHost) -> None:
        """Nobody reads ahead here."""

    def log(self, level: str, text: str, *_about: Any, **_fields: Any) -> None:
        self.middle.log(level, f"channeld: {text}")


class ToyOnchaind(Link):
    """Facts in, plans out."""

    def __init__(self, middle: Middle) -> None:
        super().__init__("onchaind", middle)
        self.resolvers: dict[int, Resolver] = {}

    def decode(self, raw: bytes) -> Any:
        return ow.decode(raw)

    def hear(self, batch: list[Any]) -> None:
        for msg in batch:
            for plan in self._plans(msg):
                if isinstance(plan, Say):
                    self.middle.log(plan.level, f"onchaind: {plan.text}")
                else:
                    self.say(plan)

    def _plans(self, msg: Any) -> list[Any]:
        match msg:
            case ow.OnchaindChannel():
                known = self.resolvers[msg.channel.dbid] = Resolver(msg)
                return known.start()
            case ow.OnchaindSpent(dbid=dbid, tx=raw, height=height) if dbid in self.resolvers:
                return self.resolvers[dbid].spent(Tx.parse(raw), height)
            case ow.OnchaindBlock(height=height):
                return [p for known in self.resolvers.values() for p in known.block(height)]
            case ow.OnchaindPreimage(dbid=dbid, preimage=preimage) if dbid in self.resolvers:
                return self.resolvers[dbid].preimage(preimage)
            case ow.OnchaindForget(dbid=dbid):
                self.resolvers.pop(dbid, None)
            case _:
                pass
        return []


class ToyFleet:
    """The links by name."""

    def __init__(self, middle: Middle) -> None:
        self._middle = middle
        self.links: dict[str, Link] = {}

    def get(self, name: str) -> Link | None:
        link = self.links.get(name)
        return None if link is None or link.closed else link

    def tell(self, name: str, msg: Any) -> None:
        link = self.get(name)
        if link is not None:
            self._middle.node.turn.send(link, msg)

    async def need(self, name: str) -> Link:
        link = self.get(name)
        if link is None:
            raise LinkClosed(name)
        return link

    def link_id(self, _a: str, _b: str) -> int:
        return WORKER


class HsmLink:
    """hsmd's core behind the master's link."""

    def __init__(self, middle: Middle) -> None:
        self._middle = middle

    def send(self, msg: Any) -> None:
        self._middle.hsm.handle(0, msg)

    async def ask(self, msg: Any) -> Any:
        await asyncio.sleep(0)
        return self._middle.hsm.handle(0, msg)
