"""zbase32 there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.zbase32 import from_zbase32, to_zbase32


@given(st.binary(max_size=70))
def test_there_and_back(raw: bytes) -> None:
    assert from_zbase32(to_zbase32(raw)) == raw


def test_known() -> None:
    assert to_zbase32(bytes.fromhex("d4")) == "4o"


@pytest.mark.parametrize("text", ["l", "y", "44"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="zbase32"):
        from_zbase32(text)
