"""The statements of one transaction as text with their parameters in it, for plugins with the hook `db_write`.

Statements whose savepoint was rolled back are not in it, nor those that only read. SQLite could expand them itself, but
rounds numbers with a fraction: a replay would not be the same database.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

_NO_WRITES = ("SELECT", "PRAGMA", "EXPLAIN", "BEGIN", "COMMIT")
_MARKS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|\?)""")
"""What is quoted, where a question mark is none of ours, and the question marks."""


class OnWrite(Protocol):
    """Who wants to see each transaction before it is committed."""

    def wanted(self) -> bool:
        """Whether there is anybody just now: a cheap question, asked at the begin of each transaction."""
        ...

    def ask(self, version: int, writes: list[str]) -> None:
        """Show it and wait for consent. Raises CommitFailed."""
        ...


class WriteLog:
    """What one transaction has written so far."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._marks: list[tuple[str, int]] = []

    def done(self, sql: str, params: Sequence[Any] | None) -> None:
        """The statement has succeeded."""
        words = sql.split(None, 3)
        verb = words[0].upper()
        if verb == "SAVEPOINT":
            self._marks.append((_name(words), len(self.statements)))
        elif verb == "RELEASE":
            del self._marks[self._find(_name(words)) :]
        elif verb == "ROLLBACK":
            place = self._find(_name(words))
            del self.statements[self._marks[place][1] :]
            del self._marks[place + 1 :]
        elif verb not in _NO_WRITES:
            self.statements.append(expand(sql, params or ()))

    def _find(self, name: str) -> int:
        return next(i for i in range(len(self._marks) - 1, -1, -1) if self._marks[i][0] == name)


def _name(words: list[str]) -> str:
    """The savepoint: last word of ``SAVEPOINT x``, ``RELEASE [SAVEPOINT] x``, ``ROLLBACK TO [SAVEPOINT] x``."""
    return words[-1].strip(';"` ')


def expand(sql: str, params: Sequence[Any]) -> str:
    """The statement with its values in place of its question marks."""
    if not params:
        return sql
    values: Iterator[Any] = iter(params)
    return "".join(literal(next(values)) if p == "?" else p for p in _MARKS.split(sql))


def literal(value: Any) -> str:
    """A value as SQL that gives back the very same."""
    match value:
        case None:
            return "NULL"
        case int():
            return str(int(value))
        case float():
            if math.isfinite(value):
                return repr(value)
            return "NULL" if math.isnan(value) else f"{'-' if value < 0 else ''}9e999"
        case str() if "\0" in value:
            return f"CAST({literal(value.encode())} AS TEXT)"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bytes() | bytearray() | memoryview():
            return f"X'{bytes(value).hex().upper()}'"
        case _:
            raise TypeError(f"{type(value).__name__} is no SQL value")
