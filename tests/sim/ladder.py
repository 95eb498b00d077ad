"""The transcript of a failing run in two columns, one for each side, messages and blocks between them."""

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


def with_ladder(check: Callable[..., None]) -> Callable[..., None]:
    """Hang the transcript on the exception where a rule or a check fails: only that of the shrunk example is seen.

    The machine has `ladder()`, its lines, and may have `describe()`.
    """

    @wraps(check)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            check(self, *args, **kwargs)
        except Exception as err:
            err.add_note(two_columns(self.ladder()[-_LAST:]))
            err.add_note(self.describe())
            raise

    return checked
