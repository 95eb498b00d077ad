"""A shell for daemons that run many short-lived machines, each with one route to a peer: openingd, closingd.

It feeds machines, performs their effects, and forgets them when they are finished. A bug in one of
them is logged BROKEN with its trace and ends that one alone: they share nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from pylightningd.common.bus.link import Incoming, Link, LinkClosed, Refused
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.effects import AliasRoute, Ask, Disconnect, Effect, Log, SendPeer, Tell
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId
from pylightningd.common.machine import MachineDriver
from pylightningd.common.route_events import (
    BadPeerBytes,
    FromPeer,
    RouteClosed,
    RoutedMachine,
    RouteEvent,
)
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.connectd_wire import (
    ConnectdPeerIn,
    ConnectdPeerOut,
    ConnectdRouteAlias,
    ConnectdRouteClosed,
    ConnectdRouteDisconnect,
    ConnectdRouteReady,
)
from pylightningd.common.wire.runtime import Message, Request, UnknownOdd

MAX_WAITING_EVENTS = 100
"""Messages a peer may send while one step waits; these protocols take turns, so none needs more."""


@dataclass(slots=True, eq=False)
class Host:
    """One machine, and where it stands."""

    machine: RoutedMachine
    driver: MachineDriver[RouteEvent]
    route_id: int
    connectd: Link
    question: object | None = None
    """Changes with each question, so that the reply to an abandoned one is known as such."""
    flooded: bool = False


class RoutedShell(DaemonShell):
    """Subclasses give `on_master`, start machines with `adopt` and feed them with `feed`."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hosts: dict[int, Host] = {}
        """By dbid."""
        self._by_route: dict[int, Host] = {}

    # ---- machines ------------------------------------------------------------------------------

    def adopt(self, machine: RoutedMachine, route_id: int, *made_from: Message) -> Host:
        """Take a new machine, made from these messages; one of the same dbid is dropped.

        Its peer's messages come from now on.
        """
        self.drop(machine.dbid)
        connectd = self.link_to("connectd")
        if connectd is None:
            raise RuntimeError("the master gave us work before a link to connectd")
        driver: MachineDriver[RouteEvent]
        if self.recorder is None:
            driver = MachineDriver(machine)
        else:
            driver = self.recorder.driver(machine, machine.dbid, *made_from)
        host = Host(machine, driver, route_id, connectd)
        self.hosts[machine.dbid] = self._by_route[route_id] = host
        connectd.send(ConnectdRouteReady(route_id=route_id))
        return host

    def drop(self, dbid: int) -> None:
        """Forget a machine in whatever state; a reply to its question is thrown away."""
        host = self.hosts.get(dbid)
        if host is not None:
            host.driver.clear()
            self._forget(host)

    def feed(self, host: Host, event: RouteEvent, *, urgent: bool = False) -> None:
        """Give a machine an event. An `urgent` one does not wait behind a question, where it may be dropped."""
        if urgent and host.driver.waiting is not None and host.machine.interruptible:
            host.driver.clear()
            host.question = None
        self._run(host, lambda: host.driver.feed(event))

    def on_forgotten(self, host: Host) -> None:
        """A machine has finished."""

    def on_stray(self, route_id: int, msg: Message) -> None:
        """A peer's message on a route whose machine is gone."""

    def divert(self, host: Host, msg: Message) -> bool:
        """Whether a peer's message was dealt with at once, past the machine."""
        return False

    def peer_bytes(self, host: Host, raw: bytes) -> None:
        """Feed a message of the peer, however it came here."""
        self._on_peer_in(host.route_id, raw)

    # ---- links ---------------------------------------------------------------------------------

    def on_link(self, link: Link) -> None:
        """Only connectd says something unasked."""
        if link.name == "connectd":
            link.on_message = self._on_connectd

    def on_link_closed(self, link: Link) -> None:
        """With connectd all connections are gone."""
        for host in [h for h in self.hosts.values() if h.connectd is link]:
            self.feed(host, RouteClosed(), urgent=True)

    def _on_connectd(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            msg = incoming.msg
            if isinstance(msg, ConnectdPeerIn):
                self._on_peer_in(msg.route_id, msg.msg)
            elif isinstance(msg, ConnectdRouteClosed):
                host = self._by_route.get(msg.route_id)
                if host is not None:
                    self.feed(host, RouteClosed(), urgent=True)
            else:
                raise TypeError(f"connectd sent {msg.NAME}")

    def _on_peer_in(self, route_id: int, raw: bytes) -> None:
        try:
            msg = peer_wire.decode(raw)
        except WireError as err:
            event: RouteEvent = BadPeerBytes(str(err))
        else:
            if isinstance(msg, UnknownOdd):
                return
            event = FromPeer(msg)
        host = self._by_route.get(route_id)
        if host is None:
            if isinstance(event, FromPeer):
                self.on_stray(route_id, event.msg)
        elif host.driver.queued >= MAX_WAITING_EVENTS:
            self._flooded(host)
        elif not (isinstance(event, FromPeer) and self.divert(host, event.msg)):
            self.feed(host, event)

    def _flooded(self, host: Host) -> None:
        if not host.flooded:
            host.flooded = True
            machine = host.machine
            self.log("unusual", "Peer does not wait for our replies", machine.peer_id, machine.dbid)
            host.connectd.send(ConnectdRouteDisconnect(route_id=host.route_id))

    # ---- effects -------------------------------------------------------------------------------

    def _run(self, host: Host, action: Callable[[], list[Effect]]) -> None:
        try:
            effects = action()
        except Exception as err:
            trace = "".join(traceback.format_exception(err))
            machine = host.machine
            self.log("broken", f"step failed: {trace}", machine.peer_id, machine.dbid)
            self._perform_all(host, machine.on_bug(repr(err)) or ())
            self._forget(host)
            return
        self._perform_all(host, effects)
        if host.machine.finished and host.driver.waiting is None:
            self._forget(host)

    def _forget(self, host: Host) -> None:
        host.question = None
        if self.hosts.get(host.machine.dbid) is host:
            del self.hosts[host.machine.dbid]
        if self._by_route.pop(host.route_id, None) is not None:
            self.on_forgotten(host)

    def _perform_all(self, host: Host, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._perform(host, effect)

    def _perform(self, host: Host, effect: Effect) -> None:
        machine = host.machine
        if isinstance(effect, SendPeer):
            host.connectd.send(ConnectdPeerOut(route_id=host.route_id, msg=effect.msg.encode()))
        elif isinstance(effect, Ask):
            self._ask(host, effect)
        elif isinstance(effect, Tell):
            self._neighbour(effect.to).send(effect.msg)
        elif isinstance(effect, Log):
            self.log(effect.level, effect.text, machine.peer_id, machine.dbid, **effect.fields)
        elif isinstance(effect, Disconnect):
            host.connectd.send(ConnectdRouteDisconnect(route_id=host.route_id))
        elif isinstance(effect, AliasRoute):
            self._alias(host, effect.channel_id)
        else:
            raise TypeError(f"no machine here yields {effect!r}")

    def _alias(self, host: Host, channel_id: ChannelId) -> None:
        host.connectd.send(ConnectdRouteAlias(route_id=host.route_id, channel_id=channel_id))

    def _ask(self, host: Host, effect: Ask) -> None:
        question = host.question = object()
        request: Request[Message] = effect.request
        try:
            future = asyncio.ensure_future(self._neighbour(effect.to).ask(request))
        except LinkClosed:
            return  # hsmd is gone, and with it soon the whole node
        future.add_done_callback(partial(self._answered, host, question))

    def _answered(self, host: Host, question: object, future: asyncio.Future[Message]) -> None:
        if host.question is not question or future.cancelled():
            return
        host.question = None
        error = future.exception()
        if error is None:
            self._run(host, lambda: host.driver.resume(future.result()))
        elif isinstance(error, Refused):
            refusal: Refused = error
            self._run(host, lambda: host.driver.fail(refusal))
        elif not isinstance(error, LinkClosed):
            raise error

    def _neighbour(self, name: str) -> Link:
        link = self.master if name == "master" else self.link_to(name)
        if link is None:
            raise RuntimeError(f"the master gave us work before a link to {name}")
        return link
