"""Bech32 beyond 90 characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.invoice import bech32

words = st.lists(st.integers(0, 31), max_size=300)


@given(hrp=st.sampled_from(["lnbc1", "a", "lnbcrt20m"]), data=words)
def test_round_trip_in_both_cases(hrp: str, data: list[int]) -> None:
    text = bech32.encode(hrp, data)
    assert bech32.decode(text) == (hrp, data)
    assert bech32.decode(text.upper()) == (hrp, data)


@given(st.binary(max_size=100))
def test_bytes_to_words_and_back(data: bytes) -> None:
    assert bech32.from_words(bech32.to_words(data)) == data


@given(st.integers(0, 1 << 64))
def test_numbers(value: int) -> None:
    made = bech32.int_to_words(value)
    assert bech32.to_int(made) == value
    assert len(made) == 1 or made[0] != 0


def test_pack_fills_the_last_byte() -> None:
    assert bech32.pack_words([31]) == b"\xf8"
    assert bech32.pack_words([]) == b""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A12uEL5L", "case"),
        ("pzry9x0s0muk", "separator"),
        ("1pzry9x0s0muk", "not empty"),
        ("li1dgmt3", "too short"),
        ("x1b4n0q5v", "'b' is not"),
        ("A1G7SGD8", "checksum"),
        ("\x7f1axkwrx", "printable"),
        ("", "separator"),
    ],
)
def test_invalid(text: str, reason: str) -> None:
    with pytest.raises(bech32.Bech32Error, match=reason):
        bech32.decode(text)


def test_valid_from_bip_173() -> None:
    assert bech32.decode("A12UEL5L") == ("a", [])
    assert bech32.decode("?1ezyfcl") == ("?", [])


@pytest.mark.parametrize("data", [[0], [0, 1], [0, 0, 0], [31, 31]])
def test_left_over_bits(data: list[int]) -> None:
    with pytest.raises(bech32.Bech32Error, match="left over"):
        bech32.from_words(data)
