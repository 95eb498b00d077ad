"""Waiting for a condition with a deadline. The only place in the tests that sleeps: real processes have no event to wait on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds. Waiting long costs nothing when all goes well; very slow machines set TIMEOUT.
TIMEOUT_S = float(os.environ.get("TIMEOUT", "120"))
TEST_TIMEOUT_S = 5 * TIMEOUT_S
"""For one test, so that what it waits for in vain is what it tells about."""
SHORTEST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.1


def wait_for(condition: Callable[[], T], what: str = "", timeout_s: float = TIMEOUT_S) -> T:
    """Ask until the answer is true, and return it. Raises TimeoutError that says what was awaited."""
    deadline = time.monotonic() + timeout_s
    pause_s = SHORTEST_PAUSE_S
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            name = what or getattr(condition, "__name__", "condition")
            raise TimeoutError(
                f"still waiting for {name} after {timeout_s:.0f} s (last answer: {answer!r})"
            )
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
