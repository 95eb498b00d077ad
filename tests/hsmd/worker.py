"""A sibling for tests: it passes the master's requests on to hsmd, and its answers back."""

from __future__ import annotations

from pylightningd.common.bus.link import Incoming, Refused
from pylightningd.common.daemon_io import DaemonShell, run
from pylightningd.common.wire import hsmd_wire


class WorkerShell(DaemonShell):
    NAME = "worker"
    WIRES = (hsmd_wire,)

    async def on_master(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            link = self.link_to("hsmd")
            assert link is not None
            try:
                incoming.reply(await link.ask(incoming.msg))  # type: ignore[arg-type]  # requests only
            except Refused as err:
                incoming.refuse(str(err))


if __name__ == "__main__":
    run(WorkerShell)
