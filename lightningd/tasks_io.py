"""The node's tasks: made by name, ended together, and none of them fails unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from pylightningd.common.bus.link import LinkClosed, Refused
from pylightningd.common.errors import BackendError, UserError

R = TypeVar("R")

CANCEL_SECONDS = 5.0


class NodeTasks:
    """The part of the node that knows of the event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._farewell = asyncio.Event()

    def fail(self, where: str, error: BaseException) -> None:
        """Called with what came out of a task that failed."""
        raise NotImplementedError

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine as a task. One that fails stops the node: it is a bug."""
        # Not a TaskGroup: its first failure would cancel the orderly stop along with everything else.
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def attempt(
        self,
        coro: Coroutine[Any, Any, Any],
        name: str,
        otherwise: Callable[[str], object] = lambda _why: None,
    ) -> asyncio.Task[Any]:
        """Run a coroutine that concerns one peer, channel or payment: its failure is never the node's.

        `otherwise` is called with the reason where it fails. A bug is logged BROKEN besides.
        """
        return self.spawn(self._attempt(coro, name, otherwise), name)

    async def _attempt(
        self, coro: Coroutine[Any, Any, Any], name: str, otherwise: Callable[[str], object]
    ) -> None:
        try:
            await coro
        except (UserError, BackendError, LinkClosed, Refused) as error:
            otherwise(str(error))
        except Exception as error:
            self.bug(f"in {name}", error)
            otherwise("internal error")

    def bug(self, where: str, error: BaseException) -> None:
        """Called with a bug that the node can live with."""
        raise NotImplementedError

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(f"task {task.get_name()}", error)

    async def cancel_tasks(self) -> None:
        """End all tasks but the one that calls."""
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)

    # The event loop, for parts that must not know it

    def new_future(self) -> asyncio.Future[Any]:
        """A result that somebody will wait for."""
        return asyncio.get_running_loop().create_future()

    def call_later(self, seconds: float, fn: Callable[[], object]) -> asyncio.TimerHandle:
        """Call a function after so many seconds; the handle can cancel it."""
        return asyncio.get_running_loop().call_later(seconds, fn)

    async def within(self, seconds: float | None, coro: Awaitable[R], error: BaseException) -> R:
        """What `coro` gives; raises `error` if it takes longer. None: as long as it takes."""
        try:
            async with asyncio.timeout(seconds):
                return await coro
        except TimeoutError:
            raise error from None

    # The end

    def begin_stop(self) -> None:
        """Let those go on who wait for the order to stop."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Has the end begun?"""
        return self._stopping.is_set()

    async def until_stop_requested(self) -> None:
        """Return when the node is to stop."""
        await self._stopping.wait()

    async def until_stopped(self) -> None:
        """Return when all but the callers' sockets is closed: the reply to `stop`."""
        await self._farewell.wait()

    def say_farewell(self) -> None:
        """Let those go on who wait for the end."""
        self._farewell.set()
