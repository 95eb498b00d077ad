"""How often a channel's or a node's messages may change before we stop relaying them."""

from __future__ import annotations

from collections.abc import Hashable

BURST = 10
REFILL_SECONDS = 6 * 3600.0
"""Four more a day."""
MAX_TRACKED = 200_000


class RateLimit:
    """A token bucket for each name. Only those that are not full are kept."""

    def __init__(self, *, burst: int = BURST, refill_seconds: float = REFILL_SECONDS) -> None:
        self._burst = float(burst)
        self._refill = refill_seconds
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self.dropped = 0

    def allow(self, name: Hashable, now: float) -> bool:
        """Take a token; False where there is none."""
        tokens, since = self._buckets.get(name, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - since) / self._refill)
        if tokens < 1:
            self.dropped += 1
            return False
        if len(self._buckets) >= MAX_TRACKED:
            self.forget_full(now)
        self._buckets[name] = (tokens - 1, now)
        return True

    def forget_full(self, now: float) -> None:
        """Drop what has refilled; everything, where nothing has."""
        kept = {
            name: (tokens, since)
            for name, (tokens, since) in self._buckets.items()
            if tokens + (now - since) / self._refill < self._burst
        }
        self._buckets = kept if len(kept) < MAX_TRACKED else {}
