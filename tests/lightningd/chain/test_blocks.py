"""Following the best chain, whatever it does."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.lightningd.chain.block import Header
from pylightningd.lightningd.chain.blocks import HeaderChain


def header(height: int, salt: int, prev: bytes) -> Header:
    return Header(height, hashlib.sha256(f"{height}/{salt}".encode() + prev).digest(), prev)


def grow(chain: list[Header], count: int, salt: int) -> None:
    for _ in range(count):
        prev = chain[-1].hash if chain else bytes(32)
        chain.append(header(len(chain), salt, prev))


def follow(ours: HeaderChain, best: list[Header]) -> tuple[list[int], list[int]]:
    """What the watcher does at each poll."""
    connected, disconnected = [], []
    while ours.next_height < len(best):
        candidate = best[ours.next_height]
        if ours.fits(candidate):
            ours.connect(candidate)
            connected.append(candidate.height)
        else:
            disconnected.append(ours.disconnect().height)
    return connected, disconnected


reorgs = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5)), max_size=12)


@given(start=st.integers(7, 20), reorgs=reorgs)
def test_we_end_on_the_best_chain(start: int, reorgs: list[tuple[int, int]]) -> None:
    best: list[Header] = []
    grow(best, start + 1, 0)
    ours = HeaderChain([best[0]])
    follow(ours, best)
    for salt, (depth, more) in enumerate(reorgs, 1):
        before = list(best)
        depth = min(depth, len(best) - 1)
        del best[len(best) - depth :]
        grow(best, depth + more, salt)
        connected, disconnected = follow(ours, best)
        assert ours.tip == best[-1]
        assert disconnected == list(range(len(before) - 1, len(before) - 1 - depth, -1))
        assert connected == list(range(len(before) - depth, len(best)))


def test_without_a_tip_any_block_of_that_height_will_do() -> None:
    chain = HeaderChain(next_height=5)
    assert (chain.height, chain.tip) == (4, None)
    assert not chain.fits(header(4, 0, bytes(32)))
    chain.connect(header(5, 0, bytes(32)))
    with pytest.raises(ValueError, match="does not build on 5:"):
        chain.connect(header(6, 0, bytes(32)))
    chain.disconnect()
    assert chain.next_height == 5
