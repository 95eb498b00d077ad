"""channeld's links: lightningd, hsmd and connectd. One worker hosts many channels.

All messages of one wake-up are fed before any commitment round starts, so that they share one.
"""

from __future__ import annotations

import argparse
import asyncio
import traceback
from typing import Any, cast

from pylightningd.channeld.events import BadPeerBytes, Event, FromMaster, FromPeer, RouteClosed
from pylightningd.channeld.host_io import QUEUE_LIMIT, ChannelHost, held_for_bug
from pylightningd.channeld.machine import ChannelMachine
from pylightningd.common.bus.link import Incoming, Link, LinkClosed
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.effects import Neighbour
from pylightningd.common.errors import WireError
from pylightningd.common.machine import MachineDriver
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message, Request, UnknownOdd


class ChanneldShell(DaemonShell):
    """See the module."""

    NAME = "channeld"
    DESCRIPTION = "Runs open channels: HTLCs, commitments, reestablishing, shutdown."
    WIRES = (cw, hsmd_wire, nw)

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self._init: cw.ChanneldInit | None = None
        self._hosts: dict[int, ChannelHost] = {}
        self._routes: dict[int, ChannelHost] = {}
        self._stash: list[Incoming] = []
        """What lightningd said before both siblings were linked."""
        self._touched: dict[ChannelHost, None] = {}
        self._congested: set[ChannelHost] = set()

    # ---- lightningd ---------------------------------------------------------------------------

    def on_master(self, batch: list[Incoming]) -> None:
        """Messages of lightningd; they wait until hsmd and connectd are there."""
        self._stash += batch
        self._work_off()

    def on_link(self, link: Link) -> None:
        """hsmd or connectd is there."""
        if link.name == "connectd":
            link.on_message = self._on_connectd
        self._work_off()

    def on_link_closed(self, link: Link) -> None:
        """connectd is gone, and with it all connections. (Without hsmd the node stops.)"""
        if link.name == "connectd" and self.link_to("connectd") is None:
            for route_id, host in list(self._routes.items()):
                self._feed(host, RouteClosed(route_id))
            self._flush()

    def _work_off(self) -> None:
        if self.link_to("hsmd") is None or self.link_to("connectd") is None:
            return
        batch, self._stash = self._stash, []
        for incoming in batch:
            self._from_master(incoming.msg)
        self._flush()

    def _from_master(self, msg: Message) -> None:
        match msg:
            case cw.ChanneldInit():
                self._init = msg
            case cw.ChanneldChannel():
                self._add_channel(msg)
            case cw.ChanneldForget(dbid=dbid):
                self._forget(dbid)
                self.master.send(cw.ChanneldForgotten(dbid=dbid))
            case cw.ChanneldBlockheight():
                pass  # HTLC deadlines are lightningd's
            case _:
                self._for_channel(msg)

    def _add_channel(self, msg: cw.ChanneldChannel) -> None:
        if self._init is None:
            raise RuntimeError("a channel before channeld_init")
        self._forget(msg.channel.dbid)
        dbid = msg.channel.dbid
        try:
            machine = ChannelMachine.from_row(msg, self._init)
            self._hosts[dbid] = ChannelHost(machine, self, self._driver(machine, msg))
        except Exception as err:  # noqa: BLE001 - a row that we cannot read must not end the others
            self.log(
                "broken",
                f"channel {dbid} cannot be taken up\n{traceback.format_exc()}",
                msg.channel.peer_id,
                dbid,
            )
            self.master.send(held_for_bug(dbid, f"{type(err).__name__}: {err}"))

    def _driver(
        self, machine: ChannelMachine, row: cw.ChanneldChannel
    ) -> MachineDriver[Event] | None:
        """One that writes down what it is given, where that is wanted."""
        if self.recorder is None or self._init is None:
            return None
        dbid = row.channel.dbid
        return self.recorder.driver(machine, dbid, self._init, row, queue_limit=QUEUE_LIMIT)

    def _forget(self, dbid: int) -> None:
        host = self._hosts.pop(dbid, None)
        if host is not None:
            self._touched.pop(host, None)
            host.close()
            self.on_worked_off(host)

    def _for_channel(self, msg: Message) -> None:
        dbid: int = getattr(msg, "dbid", 0)
        host = self._hosts.get(dbid)
        if host is None:
            # It was forgotten while this was on its way.
            self.log("debug", f"{msg.NAME} for channel {dbid}, which is not here", dbid=dbid)
            return
        self._feed(host, FromMaster(msg))

    # ---- connectd -----------------------------------------------------------------------------

    def _on_connectd(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            match incoming.msg:
                case nw.ConnectdPeerIn(route_id=route_id, msg=raw):
                    self._from_peer(route_id, raw)
                case nw.ConnectdRouteClosed(route_id=route_id):
                    self._route_closed(route_id)
                case other:
                    raise TypeError(f"connectd sent {other.NAME}")
        self._flush()

    def _from_peer(self, route_id: int, raw: bytes) -> None:
        host = self._routes.get(route_id)
        if host is None:
            return  # of a route that is closed
        try:
            msg = pw.decode(raw)
        except WireError as err:
            self._feed(host, BadPeerBytes(str(err)))
            return
        if isinstance(msg, UnknownOdd):
            return
        if isinstance(msg, pw.Error):
            host.peer_error(msg)
            return
        self._feed(host, FromPeer(msg))

    def _route_closed(self, route_id: int) -> None:
        host = self._routes.get(route_id)
        if host is not None:
            self._feed(host, RouteClosed(route_id))

    # ---- batches ------------------------------------------------------------------------------

    def _feed(self, host: ChannelHost, event: Any) -> None:
        self._touched[host] = None
        host.feed(event)

    def _flush(self) -> None:
        touched, self._touched = self._touched, {}
        for host in touched:
            host.flush()
            if host.is_congested:
                self._pause(host)

    def _pause(self, host: ChannelHost) -> None:
        """Read no peers while a channel has too much waiting. (No reply comes from connectd.)"""
        if not self._congested:
            link = self.link_to("connectd")
            if link is not None:
                link.pause_reading()
        self._congested.add(host)

    def on_worked_off(self, host: ChannelHost) -> None:
        """A channel's queue is short again."""
        if host not in self._congested:
            return
        self._congested.remove(host)
        link = self.link_to("connectd")
        if not self._congested and link is not None:
            link.resume_reading()

    # ---- what channels want (host_io.Neighbours) ------------------------------------------------

    def ask(self, to: Neighbour, request: Request[Any]) -> asyncio.Future[Any]:
        """Send a request."""
        link = self.master if to == "master" else self.link_to("hsmd")
        if link is None:
            raise LinkClosed("hsmd is gone")
        return cast("asyncio.Future[Any]", link.ask(request))

    def tell(self, to: Neighbour, msg: Message) -> None:
        """Send a message that has no reply."""
        link = self.master if to == "master" else self.link_to("hsmd")
        if link is not None:
            link.send(msg)

    def send_peer(self, route_id: int, msg: Message) -> None:
        """Send to the peer."""
        self._to_connectd(nw.ConnectdPeerOut(route_id=route_id, msg=msg.encode()))

    def hang_up(self, route_id: int) -> None:
        """Close the connection after what was sent."""
        self._to_connectd(nw.ConnectdRouteDisconnect(route_id=route_id))

    def use_route(self, host: ChannelHost, old: int | None, new: int | None) -> None:
        """From now on messages of route `new` are for `host`."""
        if old is not None:
            self._routes.pop(old, None)
        if new is not None:
            self._routes[new] = host
            self._to_connectd(nw.ConnectdRouteReady(route_id=new))

    def _to_connectd(self, msg: Message) -> None:
        link = self.link_to("connectd")
        if link is not None:
            link.send(msg)
