"""What the chain watcher needs of the turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class TurnLike(Protocol):
    """The part of `Turn` that is used."""

    def do(self, fn: Callable[[], R]) -> Awaitable[R]: ...
    def submit(self, fn: Callable[[], object]) -> None: ...
    def after_commit(self, effect: Callable[[], object]) -> None: ...
    def notify(self, topic: str, payload: Any) -> None: ...
    def on_rollback(self, undo: Callable[[], object]) -> None: ...
    def nested(self) -> AbstractContextManager[None]: ...
