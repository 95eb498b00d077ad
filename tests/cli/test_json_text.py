"""The small JSON of lightning-cli against the module json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.cli.json_text import Number, decode, decode_at, encode, scalar

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_as_the_module_json(value: Any) -> None:
    text = json.dumps(value)
    assert encode(value) == text
    assert decode(f" {text}\n") == value
    assert decode_at(f"{text},", 0) == (value, len(text))
    assert decode(json.dumps(value, ensure_ascii=False, indent=3)) == value


@pytest.mark.parametrize("text", ["1.50", "1e3", "-0.0", "1E+400", "0.1234567890123456789012345"])
def test_fractions_stay_text(text: str) -> None:
    value = decode(f"[{text}]")
    assert isinstance(value[0], Number)
    assert encode({"a": value}) == f'{{"a": [{text}]}}'


def test_shown_in_unicode() -> None:
    assert scalar("Zoë\n") == '"Zoë\\n"'
    assert encode("Zoë\udcff") == '"Zo\\u00eb\\udcff"'
    assert [scalar(v) for v in ({}, [], None, True, 1)] == ["{}", "[]", "null", "true", "1"]


@pytest.mark.parametrize("text", ["", "{", "[1,]", '"a"b"', "1 2", "nul", '"\t"', "{'a': 1}"])
def test_errors_say_where(text: str) -> None:
    with pytest.raises(ValueError) as expected:
        json.loads(text)
    with pytest.raises(ValueError) as caught:
        decode(text)
    assert str(caught.value) == str(expected.value)
