"""Time, as something handed in. The real clock is in `clock_io`; machines take times as arguments."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What a shell reads the time from."""

    def now(self) -> float:
        """Seconds since 1970, UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds since some moment. Never goes back."""


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """The time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """The same figure as `now`."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds
