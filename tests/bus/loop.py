"""Run an async test on the loop the daemons use, with a deadline."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

import uvloop

P = ParamSpec("P")
DEADLINE_SECONDS = 90


def on_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Decorator of a test."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            failures: list[BaseException] = []

            def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
                failures.append(context.get("exception") or RuntimeError(context["message"]))

            asyncio.get_running_loop().set_exception_handler(note)
            async with asyncio.timeout(DEADLINE_SECONDS):
                await test(*args, **kwargs)
            if failures:
                raise failures[0]

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    return run
