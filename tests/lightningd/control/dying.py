"""A master of the rig that dies at a commit, as by kill -9, and what its tables hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.lightningd.channels.rig import Rig


class Dead(BaseException):
    """Instead of the process."""


class DyingStore:
    """Dies at its nth commit, before or after it; whatever runs behind that changes nothing."""

    def __init__(self, store: Any, when: str, left: int = 1) -> None:
        self.store = store
        self.when = when
        self.left = left
        self.commits = 0
        self.dead = False

    def begin(self) -> None:
        self._live()
        self.store.begin()

    def commit(self) -> None:
        self._live()
        self.commits += 1
        if self.commits == self.left:
            if self.when == "after":
                self.store.commit()
            self.dead = True
            raise Dead
        self.store.commit()

    def _live(self) -> None:
        if self.dead:
            raise Dead

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def doom(rig: Rig, when: str, left: int = 1) -> DyingStore:
    """From here on the master's commits are counted."""
    store = DyingStore(rig.database.store, when, left)
    rig.node.turn._store = store
    rig.loop.set_exception_handler(lambda *_: None)
    return store


def die_of(rig: Rig, store: DyingStore, act: Callable[[], object]) -> bool:
    """Do something that may be the end of the master; whether it was. Then nothing but its tables is left."""
    try:
        act()
    except (Dead, asyncio.InvalidStateError):
        assert store.dead
    if not store.dead:
        return False
    if store.when == "before":
        store.store.rollback()
    return True


def tables(rig: Rig, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, but for tables of what merely happened."""
    cursor = rig.node.db.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {row[0] for row in cursor.fetchall()}
    skipped = {"vars", "network_events", *without}
    return {
        name: rig.node.db.execute_sql(f"SELECT * FROM {name}").fetchall()  # noqa: S608
        for name in sorted(names - skipped)
    }
