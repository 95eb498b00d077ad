"""The real clock."""

from __future__ import annotations

import time


class SystemClock:
    """The computer's clock; see `common.clock.Clock`."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()
