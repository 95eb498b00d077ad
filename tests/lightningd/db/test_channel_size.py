"""A channel's rows do not grow with its commitments."""

from __future__ import annotations

from bench import channel_size


def test_an_old_channel_is_no_larger_than_a_young_one() -> None:
    young, old = channel_size.measure(64), channel_size.measure(5000)
    # 13 secrets of the peer for 2**12 commitments and one each time they double: 20 for a million.
    assert old.channel - young.channel <= 8 * 42
    assert old.channel + 10 * 42 < 10_000
    assert old.dead_htlc < 400
