"""What leaves together: the bytes of a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.bus.link import pack_batch, unpack_batch
from pylightningd.common.errors import WireError

ids = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(ids, ids, st.binary(max_size=50)), min_size=1, max_size=20))
def test_round_trip(batch: list[tuple[int, int, bytes]]) -> None:
    flat = [number for request_id, trace_id, _ in batch for number in (request_id, trace_id)]
    assert unpack_batch(pack_batch(flat, [raw for _, _, raw in batch])) == batch


@given(st.binary(max_size=80))
def test_anything_else_is_refused(raw: bytes) -> None:
    try:
        found = unpack_batch(raw)
    except WireError:
        return
    assert found


@pytest.mark.parametrize("cut", [0, 1, 4, 20, 24, 30])
def test_truncated(cut: int) -> None:
    whole = pack_batch([1, 2], [b"0123456789"])
    with pytest.raises(WireError):
        unpack_batch(whole[:cut])


def test_too_long() -> None:
    with pytest.raises(WireError, match="should have"):
        unpack_batch(pack_batch([1, 2], [b"abc"]) + b"x")
