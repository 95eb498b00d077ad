"""BOLT 3, appendix D, and properties of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.shachain import (
    MAX_INDEX,
    SLOTS,
    Shachain,
    ShachainError,
    generate_from_seed,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "bolt03_shachain.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["generate"], ids=lambda v: v["name"])
def test_generation(vector: dict[str, Any]) -> None:
    secret = generate_from_seed(bytes.fromhex(vector["seed"]), vector["I"])
    assert secret.hex() == vector["output"]


@pytest.mark.parametrize("vector", VECTORS["store"], ids=lambda v: v["name"])
def test_storage(vector: dict[str, Any]) -> None:
    chain = Shachain()
    for index, secret, good in vector["steps"]:
        if good:
            chain = chain.insert(index, bytes.fromhex(secret))
        else:
            with pytest.raises(ShachainError, match="does not lead to"):
                chain.insert(index, bytes.fromhex(secret))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 70))
def test_every_secret_inserted_can_be_looked_up(seed: bytes, count: int) -> None:
    chain = Shachain()
    for n in range(count):
        assert chain.next_index == MAX_INDEX - n
        chain = chain.insert(MAX_INDEX - n, generate_from_seed(seed, MAX_INDEX - n))
    assert len(chain.known) <= SLOTS
    for n in range(count):
        assert chain.lookup(MAX_INDEX - n) == generate_from_seed(seed, MAX_INDEX - n)
    with pytest.raises(ShachainError, match="has not been received"):
        chain.lookup(MAX_INDEX - count)
    assert Shachain.decode(chain.encode()) == chain


def test_out_of_order_is_refused_and_the_value_unchanged() -> None:
    seed = b"\x07" * 32
    chain = Shachain().insert(MAX_INDEX, generate_from_seed(seed, MAX_INDEX))
    for index in (MAX_INDEX, MAX_INDEX - 2, -1):
        with pytest.raises(ShachainError, match="was due"):
            chain.insert(index, bytes(32))
    assert chain.next_index == MAX_INDEX - 1


@given(st.binary(max_size=130))
def test_decode_raises_only_its_own_error(raw: bytes) -> None:
    try:
        chain = Shachain.decode(raw)
    except ShachainError:
        return
    assert chain.encode() == raw
