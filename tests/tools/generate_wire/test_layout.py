"""Lines that are too long are broken without a change of meaning."""

from __future__ import annotations

import ast

import pytest

from tools.generate_wire.layout import WIDTH, fold

_NAMES = ", ".join(f"a_name_that_is_long_{i}_" for i in range(8))


@pytest.mark.parametrize(
    "line",
    [
        f"{_NAMES} = STRUCT.unpack_from(buf)",
        f"x = STRUCT.pack({_NAMES})",
        f'x = b"".join((STRUCT.pack({_NAMES}), rest))',
        f"x = tuple([Thing(a=a_, b=Msat(b_)) for {_NAMES} in STRUCT.iter_unpack(buf[pos:end])])",
    ],
)
def test_long_lines_keep_their_meaning(line: str) -> None:
    folded = fold(line)
    assert len(folded) > 1
    assert all(len(part) <= WIDTH for part in folded)
    assert ast.dump(ast.parse("\n".join(folded))) == ast.dump(ast.parse(line))


def test_conditions_are_broken_at_or() -> None:
    terms = " or ".join(f"len(self.a_field_{i}) != 32" for i in range(6))
    folded = fold(f"    if {terms}:")
    assert folded[0] == "    if ("
    assert folded[2] == "        or len(self.a_field_1) != 32"


def test_short_lines_and_lines_that_cannot_be_broken_stay() -> None:
    assert fold("x = f(1, 2)") == ["x = f(1, 2)"]
    long = "x = " + "a" * 200
    assert fold(long) == [long]


def test_comments_are_wrapped() -> None:
    assert all(part.startswith("    # ") for part in fold("    # " + "word " * 60))
