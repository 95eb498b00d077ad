"""Fakes of time and randomness behave as their users rely on."""

from __future__ import annotations

import pytest

from pylightningd.common.clock import FakeClock
from pylightningd.common.clock_io import SystemClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.entropy_io import SystemEntropy


def test_fake_clock_stands_until_moved() -> None:
    clock = FakeClock(10)
    clock.advance(2.5)
    assert clock.now() == clock.monotonic() == 12.5
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


def test_system_clock_goes_forward() -> None:
    clock = SystemClock()
    assert clock.now() > 1_700_000_000
    assert clock.monotonic() <= clock.monotonic()


def test_seeded_entropy_repeats_and_differs_by_seed() -> None:
    assert SeededEntropy(b"a").take(40) == SeededEntropy(b"a").take(40)
    assert SeededEntropy(b"a").take(40) != SeededEntropy(b"b").take(40)
    source = SeededEntropy()
    assert source.take(32) != source.take(32)
    assert all(0 <= source.below(7) < 7 for _ in range(50))


def test_system_entropy() -> None:
    source = SystemEntropy()
    assert len(source.take(32)) == 32
    assert source.below(1) == 0
