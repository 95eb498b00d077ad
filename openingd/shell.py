"""Links of openingd: master, hsmd and connectd."""

from __future__ import annotations

import argparse
from collections import OrderedDict
from typing import ClassVar

from pylightningd.common.bus.link import Incoming
from pylightningd.common.network import network_by_name
from pylightningd.common.route_events import FromMaster
from pylightningd.common.routed_shell_io import Host, RoutedShell
from pylightningd.common.wire import connectd_wire, hsmd_wire, openingd_wire
from pylightningd.common.wire.openingd_wire import (
    OpeningdCancel,
    OpeningdContribution,
    OpeningdFunding,
    OpeningdGotOpen,
    OpeningdGotOpen2,
    OpeningdInit,
    OpeningdOpen,
    OpeningdOpen2,
    OpeningdPeerMsg,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.machine import OpeningMachine
from pylightningd.openingd.state import Committing, Node
from pylightningd.openingd.v2_machine import make_machine

REMEMBERED_ROUTES = 256
"""Finished openings of ours whose routes may still bring messages for the new channel."""


class OpeningdShell(RoutedShell):
    """Runs all openings of the node."""

    NAME = "openingd"
    DESCRIPTION = "Agrees with peers on new channels, up to the first commitments."
    WIRES: ClassVar = (openingd_wire, hsmd_wire, connectd_wire)

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self._init: OpeningdInit | None = None
        self._node: Node | None = None
        self._opened: OrderedDict[int, int] = OrderedDict()
        """dbid by route."""

    def on_master(self, batch: list[Incoming]) -> None:
        """Work from the master."""
        for incoming in batch:
            self._from_master(incoming.msg)

    def _from_master(self, msg: Message) -> None:
        if isinstance(msg, OpeningdInit):
            self._init = msg
            self._node = Node(network_by_name(msg.network), msg.features, msg.dev_any_channel_type)
        elif isinstance(msg, OpeningdOpen | OpeningdGotOpen | OpeningdOpen2 | OpeningdGotOpen2):
            if self._init is None or self._node is None:
                raise RuntimeError("the master gave us work before openingd_init")
            host = self.adopt(make_machine(self._node, msg), msg.route_id, self._init, msg)
            self.feed(host, FromMaster(msg))
        elif isinstance(msg, OpeningdFunding | OpeningdContribution | OpeningdCancel):
            host_or_none = self.hosts.get(msg.dbid)
            if host_or_none is None:
                self.log("debug", f"{msg.NAME}: that opening is over", dbid=msg.dbid)
            else:
                self.feed(host_or_none, FromMaster(msg), urgent=isinstance(msg, OpeningdCancel))
        else:
            raise TypeError(f"the master sent {msg.NAME}")

    def divert(self, host: Host, msg: Message) -> bool:
        """The peer is done with us: while the master writes the channel down, hand on what comes.

        It must reach the master before the new channel's route is made, so it does not wait for the reply.
        """
        machine = host.machine
        assert isinstance(machine, OpeningMachine)
        if not (machine.hands_on and isinstance(machine.phase, Committing)):
            return False
        self.master.send(OpeningdPeerMsg(dbid=machine.dbid, msg=msg.encode()))
        return True

    def on_forgotten(self, host: Host) -> None:
        """Remember the routes on which channel_ready may come before channeld has them."""
        machine = host.machine
        assert isinstance(machine, OpeningMachine)
        if machine.opened and machine.hands_on:
            self._opened[host.route_id] = machine.dbid
            if len(self._opened) > REMEMBERED_ROUTES:
                self._opened.popitem(last=False)

    def on_stray(self, route_id: int, msg: Message) -> None:
        """Such a message: the master hands it on."""
        dbid = self._opened.get(route_id)
        if dbid is not None:
            self.master.send(OpeningdPeerMsg(dbid=dbid, msg=msg.encode()))
