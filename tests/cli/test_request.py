"""How lightning-cli reads a parameter."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.cli.config import UsageError
from pylightningd.cli.json_text import Number
from pylightningd.cli.request import guess_value, make_params


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", ""),
        ("0", 0),
        ("12", 12),
        ("1.5", Number("1.5")),
        ("007", "007"),
        ("1.2.3.4", "1.2.3.4"),
        (".", "."),
        ("1.", "1."),
        ("-1", "-1"),
        ("1000msat", "1000msat"),
        ("true", True),
        ("null", None),
        ("True", "True"),
        ('"12"', "12"),
        ('{"a": [1]}', {"a": [1]}),
        ("[1,2]", [1, 2]),
        ('say "hi"', 'say "hi"'),
        ("{open", "{open"),
    ],
)
def test_guess_value(word: str, value: Any) -> None:
    assert guess_value(word) == value
    assert type(guess_value(word)) is type(value)


@pytest.mark.parametrize("word", ["{x}", "[1,]", '"a"b"', '"'])
def test_broken_json_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="Some parameters are malformed"):
        guess_value(word)


def test_first_word_decides() -> None:
    assert make_params("", ["a=1", "b=x=y"]) == {"a": 1, "b": "x=y"}
    assert make_params("", ["x", "b=1"]) == ["x", "b=1"]
    assert make_params("order", ["a=1"]) == ["a=1"]
    with pytest.raises(UsageError, match="Expected key=value in 'x'"):
        make_params("", ["a=1", "x"])
