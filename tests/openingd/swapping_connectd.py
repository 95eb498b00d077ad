"""Stands in for connectd: what comes on route n goes out on route n ^ 1. An open_channel goes to the master."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.daemon_io import DaemonShell, run
from pylightningd.common.ids import NodeId
from pylightningd.common.wire import connectd_wire
from pylightningd.common.wire.connectd_wire import (
    ConnectdPeerIn,
    ConnectdPeerMsg,
    ConnectdPeerOut,
    ConnectdRouteAlias,
    ConnectdRouteReady,
)
from pylightningd.common.wire.peer_wire import OpenChannel


class SwappingConnectd(DaemonShell):
    """See the module."""

    NAME = "connectd"
    WIRES: ClassVar = (connectd_wire,)

    links_by_route: ClassVar[dict[int, Link]] = {}
    held: ClassVar[defaultdict[int, list[bytes]]] = defaultdict(list)

    def on_master(self, batch: list[Incoming]) -> None:
        raise TypeError(f"nothing was expected, not {batch}")

    def on_link(self, link: Link) -> None:
        link.on_message = self._on_worker

    def _on_worker(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            msg = incoming.msg
            if isinstance(msg, ConnectdRouteReady):
                self.links_by_route[msg.route_id] = incoming.link
                for raw in self.held.pop(msg.route_id, []):
                    self._deliver(msg.route_id, raw)
            elif isinstance(msg, ConnectdPeerOut):
                self._deliver(msg.route_id ^ 1, msg.msg)
            elif isinstance(msg, ConnectdRouteAlias):
                self.log("info", f"route {msg.route_id} is also {msg.channel_id.hex()}")
            else:
                raise TypeError(f"unexpected {msg!r}")

    def _deliver(self, route_id: int, raw: bytes) -> None:
        if int.from_bytes(raw[:2], "big") == OpenChannel.TYPE:
            nobody = NodeId(b"\x02" + bytes(32))
            self.master.send(ConnectdPeerMsg(peer_id=nobody, connection=1, msg=raw))
        elif route_id in self.links_by_route:
            self.links_by_route[route_id].send(ConnectdPeerIn(route_id=route_id, msg=raw))
        else:
            self.held[route_id].append(raw)


if __name__ == "__main__":
    run(SwappingConnectd)
