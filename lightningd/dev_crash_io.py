"""`--dev-crash-at`: the node kills itself, or a daemon, around one certain commit: tests can see what survives.

The value is ``before:NAME``, ``after:NAME`` or ``NAME`` (the same as before), with ``:N`` behind it for the Nth such
commit. NAME is the internal message whose handling is committed (``channeld_got_revoke``) or, for work that no
message began, the function given to the turn (``Wallet.draft``), or the one that it was written in. `before`: nothing of the
turn is on disk. `after`: all of it is, and nothing has been sent. With ``@DAEMON`` at the end that daemon is killed there, and
lightningd goes on. A node that was started with the option, for example with the name ``nothing``, can be given another crash
point by setconfig.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pylightningd.common.bus.link import Incoming
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.turn import Store, Turn

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

R = TypeVar("R")


def die() -> None:
    """End as by kill -9: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class CrashPoint:
    """Where to crash."""

    name: str
    after: bool = False
    left: int = 1
    """How many such commits are still to come, with the one that kills."""
    armed: bool = False
    victim: str = ""
    """The kind of daemon to kill; empty: the node itself."""

    @classmethod
    def parse(cls, text: str) -> CrashPoint:
        """The option's text, which the table of options has checked."""
        text, _, victim = text.partition("@")
        words = text.split(":")
        after = words[0] == "after"
        if words[0] in ("before", "after"):
            words = words[1:]
        return cls(words[0], after, int(words[1]) if len(words) == 2 else 1, victim=victim)

    def passes(self, name: str) -> None:
        """Something with this name will be in the next commit."""
        if name == self.name:
            self.left -= 1
            self.armed = self.armed or self.left == 0


def kill_daemon(node: Node, kind: str) -> None:
    """Kill -9 all daemons of a kind."""
    for name in node.daemons.names():
        if name.split("-")[0] == kind:
            os.kill(node.daemons.pid_of(name), signal.SIGKILL)


class CrashingStore:
    """A store that dies, or kills, at the commit it was armed for."""

    def __init__(
        self, store: Store, point: CrashPoint, kill_daemon: Callable[[str], object]
    ) -> None:
        self._store = store
        self._kill_daemon = kill_daemon
        self.point = point

    def commit(self) -> None:
        """Commit, or die."""
        if self.point.armed and not self.point.after:
            self._strike()
        self._store.commit()
        if self.point.armed:
            self._strike()

    def _strike(self) -> None:
        victim, self.point.armed = self.point.victim, False
        if victim:
            self._kill_daemon(victim)
        else:
            die()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class CrashingTurn(Turn):
    """A turn that knows by name what it runs."""

    def __init__(
        self, store: Store, *, crash_at: str, kill_daemon: Callable[[str], object], **parts: Any
    ) -> None:
        self._crashing = CrashingStore(store, CrashPoint.parse(crash_at), kill_daemon)
        super().__init__(self._crashing, **parts)

    def crash_at(self, text: str) -> None:
        """From now on crash there."""
        self._crashing.point = CrashPoint.parse(text)

    def submit(self, fn: Callable[[], object]) -> None:
        """Queue `fn`."""
        super().submit(self._watched(fn))

    def do(self, fn: Callable[[], R]) -> Awaitable[R]:
        """Queue `fn`."""
        return super().do(self._watched(fn))

    def _watched(self, fn: Callable[[], R]) -> Callable[[], R]:
        name = name_of(fn)

        def run() -> R:
            self._crashing.point.passes(name)
            return fn()

        return run


def name_of(fn: Callable[[], object]) -> str:
    """The message that a function of the turn handles, or else the function."""
    if isinstance(fn, partial):
        for arg in fn.args:
            msg = arg.msg if isinstance(arg, Incoming) else arg
            if isinstance(msg, Message):
                return msg.NAME.removeprefix("WIRE_").lower()
        return name_of(fn.func)
    name: str = getattr(fn, "__qualname__", type(fn).__name__)
    return name.split(".<locals>")[0]
