"""The daemons beside hsmd: which there are, who is linked to whom, and what each is told when it starts.

The supervisor keeps them alive; this file gives a new one its work back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pylightningd.common.bus.link import Link, LinkClosed
from pylightningd.common.errors import BackendError
from pylightningd.common.wire import (
    channeld_wire,
    closingd_wire,
    connectd_wire,
    gossipd_wire,
    onchaind_wire,
    openingd_wire,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.supervise_io import DaemonFailed, DaemonSpec

if TYPE_CHECKING:
    from types import ModuleType

    from pylightningd.lightningd.node import Node

# What a daemon's link may ask of hsmd; see CAPABILITIES in hsmd/permissions.py.
ECDH, COMMITMENT, SIGN_CLOSE, ONCHAIN, GOSSIP = 1, 2, 4, 8, 32

WIRES: dict[str, ModuleType] = {
    "connectd": connectd_wire,
    "gossipd": gossipd_wire,
    "channeld": channeld_wire,
    "openingd": openingd_wire,
    "closingd": closingd_wire,
    "onchaind": onchaind_wire,
}
"""The private messages of each daemon with the master, by kind."""

_HSM_RIGHTS = {
    "connectd": ECDH,
    "channeld": ECDH | COMMITMENT,
    "openingd": COMMITMENT,
    "closingd": SIGN_CLOSE,
}
_RECORDED = ("channeld", "openingd", "closingd", "onchaind")
"""Those whose core is a machine for each channel: --dev-record keeps what they are fed."""
_LINKED_TO_CONNECTD = ("gossipd", "channeld", "openingd", "closingd")

Greet = Callable[[Link], Coroutine[Any, Any, None]]
Mourn = Callable[[], Coroutine[Any, Any, None]]


def _kind(name: str) -> str:
    """``channeld`` of ``channeld-0``."""
    return name.split("-", maxsplit=1)[0]


class Fleet:
    """Starts daemons with their links; finds the link to each."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._greetings: dict[str, Greet] = {}
        self._deaths: dict[str, Mourn] = {}
        self._starting: dict[str, asyncio.Lock] = {}

    def get(self, name: str) -> Link | None:
        """The link to a daemon, None while it is not running."""
        daemons = self._node.daemons
        return daemons.link_of(name) if daemons.is_running(name) else None

    def tell(self, name: str, msg: Message) -> None:
        """Send a daemon something after the commit. Inside a turn.

        To one that is not running it is dropped: when it comes back all that concerned it starts anew.
        """
        link = self.get(name)
        if link is not None:
            self._node.turn.send(link, msg)

    def link_id(self, a: str, b: str) -> int:
        """What two daemons call the link between them. Raises LinkClosed while one of them is not running."""
        try:
            return self._node.daemons.link_id(a, b)
        except KeyError as error:
            raise LinkClosed(str(error)) from None

    def declare(self, name: str, greet: Greet, mourn: Mourn) -> None:
        """Say how a daemon is greeted whenever a new one runs, and what is to be done when it died."""
        self._greetings[name] = greet
        self._deaths[name] = mourn

    async def need(self, name: str) -> Link:
        """The link to a daemon that is started at first use. Raises BackendError."""
        async with self._starting.setdefault(name, asyncio.Lock()):
            if await self._node.daemons.restarted(name):
                return self._node.daemons.link_of(name)  # greeted by `_restarted`
            link = self.get(name)
            try:
                return link if link is not None else await self.start(name)
            except* (DaemonFailed, ConnectionError) as group:
                why = group.exceptions[0]
        raise BackendError(f"{name} is not there: {why}; try again")

    async def start(self, name: str) -> Link:
        """Start a daemon, tie it to hsmd and connectd, and greet it."""
        await self.start_all([name])
        await self._node.daemons.restarted(name)
        link = self.get(name)
        if link is None:
            raise LinkClosed(f"{name} ended as soon as it had begun")
        return link

    def start_early(self, names: list[str]) -> None:
        """Let these processes come up while the node does other things; `start_all` will want them."""
        for name in names:
            self._node.daemons.start_early(self._spec(name))

    async def start_all(self, names: list[str]) -> None:
        """Start daemons side by side, then tie and greet each in this order."""
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self._spawn(name), name=f"start {name}")
        for name in names:
            await self._tie(name)
        async with asyncio.TaskGroup() as group:
            for name in names:
                link = self.get(name)
                if (
                    link is not None
                ):  # else it has died already, and `_restarted` greets the next one
                    group.create_task(self._greetings[name](link), name=f"greet {name}")

    async def _spawn(self, name: str) -> None:
        self._mind(name, await self._node.daemons.start(self._spec(name)))

    def _spec(self, name: str) -> DaemonSpec:
        kind = _kind(name)
        return DaemonSpec(
            name=name,
            module=f"pylightningd.{kind}",
            wires=(WIRES[kind],),
            args=self._options(kind),
            on_restarted=self._restarted,
            program=self._node.config.program_of(kind),
        )

    def _options(self, kind: str) -> tuple[str, ...]:
        folder = self._node.config["dev-record"]
        if folder is None or kind not in _RECORDED:
            return ()
        return (f"--dev-record={Path(self._node.config.folders.net_dir, folder or 'record')}",)

    async def _tie(self, name: str) -> None:
        kind, daemons = _kind(name), self._node.daemons
        if kind in _HSM_RIGHTS:
            await daemons.link(name, "hsmd", capabilities=_HSM_RIGHTS[kind])
        if kind in _LINKED_TO_CONNECTD:
            await daemons.link(name, "connectd")

    def _mind(self, name: str, link: Link) -> None:
        def closed(_reason: str) -> None:
            if not self._node.stopping:
                self._node.spawn(self._deaths[name](), f"after the death of {name}")

        link.on_closed = closed

    async def _restarted(self, name: str, link: Link) -> None:
        if name not in self._greetings:
            return  # it died before `start_all`, which will find the new one
        self._mind(name, link)
        await self._greetings[name](link)
