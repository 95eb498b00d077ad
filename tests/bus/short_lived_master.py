"""Starts an echo daemon, prints its pid, and waits to be killed."""

from __future__ import annotations

import asyncio

from pylightningd.common.wire import hsmd_wire
from pylightningd.lightningd.supervise_io import DaemonSpec, Supervisor


async def main() -> None:
    async with asyncio.TaskGroup() as tasks:
        daemons = Supervisor(
            log=lambda *_, **__: None,
            spawn=lambda coro, name: tasks.create_task(coro, name=name),
            on_vital_death=lambda name, how: None,
        )
        await daemons.start(DaemonSpec("echo", "tests.bus.echo_daemon", (hsmd_wire,)))
        print(daemons.pid_of("echo"), flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
