"""The bucket for a peer's onion messages."""

from __future__ import annotations

from pylightningd.connectd.onion_limit import BURST, PER_SECOND, OnionLimit


def test_a_burst_and_then_the_rate() -> None:
    limit = OnionLimit(100.0)
    taken = [limit.take(100.0) for _ in range(int(BURST) + 5)]
    assert taken == [True] * int(BURST) + [False] * 5
    assert not limit.take(100.0 + 0.5 / PER_SECOND)
    assert limit.take(100.0 + 1.0 / PER_SECOND)
    assert not limit.take(100.0 + 1.0 / PER_SECOND)


def test_silence_saves_no_more_than_a_burst() -> None:
    limit = OnionLimit(0.0)
    assert sum(limit.take(1e6) for _ in range(1000)) == BURST
