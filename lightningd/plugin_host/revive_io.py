"""Bundled plugins that end by themselves are started again: routing and paying must not wait for a restart.

A plugin of the user's is not: who wrote it may mean it to end. An important one (bcli) stops the node, as in CLN.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pylightningd.lightningd.plugin_host.plugin import PluginEntry

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
GOOD_RUN_S = 600.0
"""A plugin that ran this long starts again after the first delay, however often it ended before."""


class Reviver:
    """Starts them again, later each time."""

    def __init__(
        self,
        log: Callable[[PluginEntry, str, str], None],
        spawn: Callable[..., object],
        start: Callable[[PluginEntry], Awaitable[None]],
    ) -> None:
        self._log = log
        self._spawn = spawn
        self._start = start
        self._last: dict[str, tuple[float, float]] = {}
        """By path: when it ended last, and the delay it then got."""

    def ended(self, entry: PluginEntry) -> None:
        """A bundled plugin ended while the node lives."""
        now = asyncio.get_running_loop().time()
        before, delay = self._last.get(entry.cmd, (now, 0.0))
        if now - before > GOOD_RUN_S:
            delay = 0.0
        delay = min(max(FIRST_DELAY_S, delay * 2), LONGEST_DELAY_S)
        self._last[entry.cmd] = now, delay
        self._log(entry, "unusual", f"Starting it again in {delay:.0f} seconds")
        again = PluginEntry(cmd=entry.cmd, argv=entry.argv, bundled=True, index=entry.index)
        self._spawn(self._later(again, delay), f"{entry.shortname} again")

    async def _later(self, entry: PluginEntry, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._start(entry)
