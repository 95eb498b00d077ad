"""The daemon around `Hub`: links in, links out."""

from __future__ import annotations

from typing import ClassVar

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.clock_io import SystemClock
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.entropy_io import SystemEntropy
from pylightningd.common.wire import connectd_wire, hsmd_wire
from pylightningd.connectd.hub_io import Hub


class ConnectdShell(DaemonShell):
    """See README.md."""

    NAME: ClassVar[str] = "connectd"
    DESCRIPTION: ClassVar[str] = "Owns the connections to all peers."
    WIRES = (connectd_wire, hsmd_wire)

    async def start(self) -> None:
        """The master's hello was good."""
        self._hub = Hub(
            master=self.master,
            log=self.log,
            spawn=self.spawn,
            clock=SystemClock(),
            entropy=SystemEntropy(),
            names_messages=self.prints_debug,
        )
        for link in self.links.values():
            self._hub.add_link(link)

    def on_master(self, batch: list[Incoming]) -> None:
        """Handled at once, in order."""
        self._hub.on_master(batch)

    def on_link(self, link: Link) -> None:
        """hsmd, gossipd, or a worker that owns channels."""
        if hasattr(self, "_hub"):
            self._hub.add_link(link)

    def on_link_closed(self, link: Link) -> None:
        """Its process is gone."""
        if hasattr(self, "_hub"):
            self._hub.drop_link(link)

    async def stop(self) -> None:
        """Free the ports at once."""
        self._hub.close()
