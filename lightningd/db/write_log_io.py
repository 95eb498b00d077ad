"""The statements of one transaction as text with their parameters in it, for plugins with the hook `db_write`.

SQLite itself writes the text (`set_trace_callback`). Statements whose savepoint was rolled back are not in it, nor
those that only read.
"""

from __future__ import annotations

from typing import Protocol

_NO_WRITES = ("SELECT", "PRAGMA", "EXPLAIN", "BEGIN", "COMMIT")


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
        self._text: str | None = None

    def begin_statement(self) -> None:
        """The next text is that of a new statement."""
        self._text = None

    def traced(self, text: str) -> None:
        """SQLite runs `text`. The first counts: rows deleted by a foreign key repeat it."""
        if self._text is None:
            self._text = text

    def done(self, sql: str) -> None:
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
            self.statements.append(self._text or sql)

    def _find(self, name: str) -> int:
        return next(i for i in range(len(self._marks) - 1, -1, -1) if self._marks[i][0] == name)


def _name(words: list[str]) -> str:
    """The savepoint: last word of ``SAVEPOINT x``, ``RELEASE [SAVEPOINT] x``, ``ROLLBACK TO [SAVEPOINT] x``."""
    return words[-1].strip(';"` ')
