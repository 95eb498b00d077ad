"""The turn: one database transaction for everything that is ready, and the outbox that follows it.

All that changes the node's durable state runs here, as plain functions that do not wait. Every function that
is queued when a turn begins (or that is queued while it runs) shares one commit; each has a savepoint of its
own, so that one failure undoes only itself. What a function wants to send goes into the outbox and leaves
after the commit: a crash before it has sent nothing, a crash after it is repaired from the database at start.

Nothing here knows of event loops or SQL: `Store` is implemented in `db/connect_io.py`, the scheduler is the
loop's ``call_soon``. Ordering: functions run in the order they were queued, the outbox in the order it was
filled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from pylightningd.common.errors import BackendError

R = TypeVar("R")
Effect = Callable[[], object]

MAX_PER_TURN = 2000
"""Functions in one commit. What is left waits for the next turn, so that the loop breathes in between."""


class Store(Protocol):
    """The transaction calls of a database."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def savepoint(self) -> None: ...
    def release(self) -> None: ...
    def rollback_to_savepoint(self) -> None: ...
    def disk_trouble(self, error: BaseException) -> str | None:
        """What to tell the user if `error` means that the database can no longer be written, else None."""
        ...


class TurnFuture(Protocol):
    """The part of asyncio.Future that is used."""

    def set_result(self, result: Any) -> None: ...
    def set_exception(self, exception: BaseException) -> None: ...
    def done(self) -> bool: ...


class Sender(Protocol):
    """A link to a daemon, as far as the outbox is concerned."""

    def send(self, msg: Any, *, request_id: int = 0) -> None: ...


class Replier(Protocol):
    """A request of a daemon that waits for its answer."""

    def reply(self, msg: Any) -> None: ...


@dataclass(slots=True)
class _Entry(Generic[R]):
    fn: Callable[[], R]
    future: TurnFuture | None = None
    result: R | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Outbox:
    """What one function has asked for, apart from its rows."""

    effects: list[Effect] = field(default_factory=list)
    undo: list[Effect] = field(default_factory=list)


class Turn:
    """The queue of state changes and the one place that commits."""

    def __init__(
        self,
        store: Store,
        *,
        schedule: Callable[[Callable[[], None]], object],
        make_future: Callable[[], TurnFuture],
        on_bug: Callable[[str, BaseException], None],
        on_disk_failure: Callable[[str], None],
        notify: Callable[[str, Any], None] | None = None,
    ) -> None:
        """`on_bug` writes a BROKEN line; `on_disk_failure` must stop the node, its text is for the user."""
        self._store = store
        self._schedule = schedule
        self._make_future = make_future
        self._on_bug = on_bug
        self._on_disk_failure = on_disk_failure
        self.notify_sink = notify
        self._queue: deque[_Entry[Any]] = deque()
        self._scheduled = False
        self._current: _Outbox | None = None
        self._running = False
        self.failed: str | None = None
        """Set once the database cannot be written: from then on every call is refused."""
        self.turns = 0

    # Queueing work

    def submit(self, fn: Callable[[], object]) -> None:
        """Run `fn` in the next turn. An exception out of it undoes it and is logged BROKEN."""
        self._enqueue(_Entry(fn))

    def do(self, fn: Callable[[], R]) -> Awaitable[R]:
        """Run `fn` in the next turn; await its result, which comes after the commit.

        Raises what `fn` raises (its rows are then undone), or BackendError where the disk failed.
        """
        future = self._make_future()
        self._enqueue(_Entry(fn, future))
        return cast("Awaitable[R]", future)

    def now(self, fn: Callable[[], R]) -> R:
        """Run `fn` and whatever is queued at once, commit, and return the result: for start-up code."""
        if self._running:
            raise RuntimeError("turn.now() inside a turn: call the function itself")
        entry = _Entry(fn)
        self._queue.append(entry)
        while self._queue:
            self._run()
        if entry.error is not None:
            raise entry.error
        return cast("R", entry.result)

    def close(self, reason: str) -> None:
        """Take no more work: what is queued is dropped, as in a crash, and its callers get BackendError."""
        if self.failed is None:
            self.failed = reason
        self._run()

    # Inside a turn

    @property
    def active(self) -> bool:
        """Is a function of a turn running right now?"""
        return self._current is not None

    def after_commit(self, effect: Effect) -> None:
        """Call `effect` once the rows of this function are durable."""
        self._box().effects.append(effect)

    def send(self, link: Sender, msg: Any) -> None:
        """Send a one-way message after the commit."""
        self._box().effects.append(lambda: link.send(msg))

    def reply(self, incoming: Replier, msg: Any) -> None:
        """Answer a daemon's request after the commit."""
        self._box().effects.append(lambda: incoming.reply(msg))

    def notify(self, topic: str, payload: Any) -> None:
        """Tell plugins and waiters about something after the commit."""
        self._box().effects.append(lambda: self._notify(topic, payload))

    def on_rollback(self, undo: Effect) -> None:
        """Call `undo` if this function's savepoint is rolled back: puts memory back as it was."""
        self._box().undo.append(undo)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """A part that may fail without the rest: what it wanted to send is dropped then, and memory put back.

        Its rows are the caller's to undo, before this ends. The exception goes on.
        """
        box = self._box()
        effects, undo = len(box.effects), len(box.undo)
        try:
            yield
        except BaseException:
            failed = box.undo[undo:]
            del box.undo[undo:], box.effects[effects:]
            self._undo(failed)
            raise

    def _notify(self, topic: str, payload: Any) -> None:
        if self.notify_sink is not None:
            self.notify_sink(topic, payload)

    def _box(self) -> _Outbox:
        if self._current is None:
            raise RuntimeError("only a function that runs in a turn has an outbox")
        return self._current

    # Running

    def _enqueue(self, entry: _Entry[Any]) -> None:
        self._queue.append(entry)
        if not self._scheduled and not self._running:
            self._scheduled = True
            self._schedule(self._run)

    def _run(self) -> None:
        """One turn. Called by the loop."""
        self._scheduled = False
        if not self._queue:
            return
        entries: list[_Entry[Any]] = []
        effects: list[Effect] = []
        undo: list[Effect] = []
        self._running = True
        try:
            trouble = self._run_entries(entries, effects, undo)
        finally:
            self._running = False
        if trouble is not None:
            self._stop(trouble, entries, undo)
            return
        self.turns += 1
        for effect in effects:
            self._guarded(effect, "after the commit")
        for entry in entries:
            self._settle(entry)
        if self._queue and not self._scheduled:
            self._scheduled = True
            self._schedule(self._run)

    def _run_entries(
        self, entries: list[_Entry[Any]], effects: list[Effect], undo: list[Effect]
    ) -> str | None:
        """Run what is queued in one transaction. Returns why the disk failed, if it did."""
        if self.failed is not None:
            entries += self._queue
            self._queue.clear()
            return self.failed
        try:
            self._store.begin()
            while self._queue and len(entries) < MAX_PER_TURN:
                entry = self._queue.popleft()
                entries.append(entry)
                box = self._run_one(entry)
                effects += box.effects
                undo += box.undo
            self._store.commit()
        except Exception as error:
            # Nobody can go on without the database, whatever exactly is wrong with it.
            return self._store.disk_trouble(error) or f"Database: {type(error).__name__}: {error}"
        return None

    def _run_one(self, entry: _Entry[Any]) -> _Outbox:
        """Run one function in its savepoint. Raises only where the database itself failed."""
        box = self._current = _Outbox()
        self._store.savepoint()
        try:
            entry.result = entry.fn()
        except Exception as error:
            if self._store.disk_trouble(error) is not None:
                raise
            self._current = None
            self._store.rollback_to_savepoint()
            self._undo(box.undo)
            entry.error = error
            return _Outbox()
        finally:
            self._current = None
        self._store.release()
        return box

    def _undo(self, undo: list[Effect]) -> None:
        for effect in reversed(undo):
            self._guarded(effect, "while undoing a failed change")

    def _settle(self, entry: _Entry[Any]) -> None:
        """Hand the outcome to whoever asked."""
        if entry.future is None:
            if entry.error is not None:
                self._on_bug("in a turn", entry.error)
        elif not entry.future.done():
            if entry.error is not None:
                entry.future.set_exception(entry.error)
            else:
                entry.future.set_result(entry.result)

    def _stop(self, trouble: str, entries: list[_Entry[Any]], undo: list[Effect]) -> None:
        """The database failed: undo all, tell the callers, stop the node. Nothing of this turn leaves."""
        first = self.failed is None
        self.failed = trouble
        try:
            self._store.rollback()
        except Exception as error:
            self._on_bug("while rolling back", error)
        self._undo(undo)
        if first:
            self._on_disk_failure(trouble)
        for entry in entries:
            entry.error = BackendError(trouble)
            if entry.future is not None:
                self._settle(entry)

    def _guarded(self, effect: Effect, when: str) -> None:
        try:
            effect()
        except Exception as error:
            self._on_bug(when, error)
