"""Links of closingd: master, hsmd and connectd."""

from __future__ import annotations

from typing import ClassVar

from pylightningd.closingd.machine import ClosingMachine
from pylightningd.common.bus.link import Incoming
from pylightningd.common.route_events import FromMaster
from pylightningd.common.routed_shell_io import RoutedShell
from pylightningd.common.wire import closingd_wire, connectd_wire, hsmd_wire
from pylightningd.common.wire.closingd_wire import (
    ClosingdInit,
    ClosingdPeerMsg,
    ClosingdStart,
    ClosingdStop,
)
from pylightningd.common.wire.runtime import Message


class ClosingdShell(RoutedShell):
    """Runs all mutual closes of the node."""

    NAME = "closingd"
    DESCRIPTION = "Agrees with peers on the fee of mutual closes."
    WIRES: ClassVar = (closingd_wire, hsmd_wire, connectd_wire)

    def on_master(self, batch: list[Incoming]) -> None:
        """Work from the master."""
        for incoming in batch:
            self._from_master(incoming.msg)

    def _from_master(self, msg: Message) -> None:
        if isinstance(msg, ClosingdStart):
            host = self.adopt(ClosingMachine(msg), msg.route_id, msg)
            self.feed(host, FromMaster(msg))
        elif isinstance(msg, ClosingdStop):
            self.drop(msg.dbid)
        elif isinstance(msg, ClosingdPeerMsg):
            host_or_none = self.hosts.get(msg.dbid)
            if host_or_none is not None:
                self.peer_bytes(host_or_none, msg.msg)
        elif not isinstance(msg, ClosingdInit):
            raise TypeError(f"the master sent {msg.NAME}")
