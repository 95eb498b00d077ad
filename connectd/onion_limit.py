"""How many onion messages a peer may send us: a bucket that fills with time. No clock here."""

from __future__ import annotations

from typing import Final

PER_SECOND: Final = 4.0
"""CLN's rate."""
BURST: Final = 20.0
"""More than CLN's 4: a few calls of fetchinvoice in a row, and their answers."""


class OnionLimit:
    """One connection's allowance."""

    def __init__(self, now: float) -> None:
        self._tokens = BURST
        self._last = now

    def take(self, now: float) -> bool:
        """Whether one more message is within the rate. `now` is monotonic seconds."""
        # BOLT 4, "Onion Messages": they may be rate-limited by dropping, silently.
        self._tokens = min(BURST, self._tokens + (now - self._last) * PER_SECOND)
        self._last = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
