"""The transcript of a failing run in two columns, one for each side, messages and blocks between them; or in three."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from textwrap import wrap
from typing import Any

_COLUMN, _GAP = 46, 34
_LAST = 160


def two_columns(lines: Iterable[str]) -> str:
    """Alice left, Bob right."""
    return "\n".join(row for line in lines for row in _rows(line))


def _rows(line: str) -> list[str]:
    text = line.strip()
    if text.startswith("alice "):
        return wrap(text[6:], _COLUMN, subsequent_indent="  ")
    if text.startswith("bob "):
        indent = " " * (_COLUMN + _GAP + 2)
        return [indent + part for part in wrap(text[4:], _COLUMN, subsequent_indent="  ")]
    if text.startswith("---->"):
        middle = f" {text[5:].strip()} ".center(_GAP, "-")[:-1] + ">"
    elif text.startswith("<----"):
        middle = "<" + f" {text[5:].strip()} ".center(_GAP, "-")[1:]
    else:
        words = text.removeprefix("=====").strip()
        return [f" {words} ".center(2 * _COLUMN + _GAP, "=")]
    return [" " * (_COLUMN + 1) + middle]


_OF_THREE = 38
_MIDDLE_AT, _BOB_AT = 56, 124
_ARROWS = {"---->": (38, ">"), "A<---": (38, "<"), "--->B": (104, ">"), "<----": (104, "<")}
"""How each message begins in the transcript, where it stands and where it goes."""


def three_columns(lines: Iterable[str]) -> str:
    """Alice left, the node in the middle, Bob right."""
    return "\n".join(row for line in lines for row in _rows_of_three(line.strip()))


def _rows_of_three(text: str) -> list[str]:
    name, _, said = text.partition(" ")
    column = {"alice": (0, _OF_THREE), "middle": (_MIDDLE_AT, 60), "bob": (_BOB_AT, _OF_THREE)}
    if name in column:
        at, width = column[name]
        return [" " * at + part for part in wrap(said, width, subsequent_indent="  ")]
    if name in _ARROWS:
        at, way = _ARROWS[name]
        middle = f" {said.strip()} ".removeprefix(" WIRE_").center(34, "-")
        return [" " * at + (middle + ">" if way == ">" else "<" + middle)]
    return [f" {text.removeprefix('=====').strip()} ".center(_BOB_AT + _OF_THREE, "=")]


def with_ladder(check: Callable[..., None]) -> Callable[..., None]:
    """Hang the transcript on the exception where a rule or a check fails: only that of the shrunk example is seen.

    The machine has `ladder()`, its lines, and `describe()`; `columns` where it has more than two sides.
    """

    @wraps(check)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            check(self, *args, **kwargs)
        except Exception as err:
            columns = getattr(self, "columns", two_columns)
            err.add_note(columns(self.ladder()[-_LAST:]))
            err.add_note(self.describe())
            raise

    return checked
