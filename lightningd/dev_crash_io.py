"""`--dev-crash-at`: the node kills itself around one certain commit, so that tests can see what survives.

The value is ``before:NAME``, ``after:NAME`` or ``NAME`` (the same as before), with ``:N`` behind it for the Nth such
commit. NAME is the internal message whose handling is committed (``channeld_got_revoke``) or, for work that no
message began, the function given to the turn (``Wallet.reserve``). `before`: nothing of the turn is on disk.
`after`: all of it is, and nothing has been sent. A node that was started with the option, for example with the name
``nothing``, can be given another crash point by setconfig.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pylightningd.common.bus.link import Incoming
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.turn import Store, Turn

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

    @classmethod
    def parse(cls, text: str) -> CrashPoint:
        """The option's text, which the table of options has checked."""
        words = text.split(":")
        after = words[0] == "after"
        if words[0] in ("before", "after"):
            words = words[1:]
        return cls(words[0], after, int(words[1]) if len(words) == 2 else 1)

    def passes(self, name: str) -> None:
        """Something with this name will be in the next commit."""
        if name == self.name:
            self.left -= 1
            self.armed = self.armed or self.left == 0


class CrashingStore:
    """A store that dies at the commit it was armed for."""

    def __init__(self, store: Store, point: CrashPoint) -> None:
        self._store = store
        self.point = point

    def commit(self) -> None:
        """Commit, or die."""
        if self.point.armed and not self.point.after:
            die()
        self._store.commit()
        if self.point.armed:
            die()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class CrashingTurn(Turn):
    """A turn that knows by name what it runs."""

    def __init__(self, store: Store, *, crash_at: str, **parts: Any) -> None:
        self._crashing = CrashingStore(store, CrashPoint.parse(crash_at))
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
    return getattr(fn, "__qualname__", type(fn).__name__)
