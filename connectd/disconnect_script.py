"""`--dev-disconnect`: a file that says where connections break, for tests.

Each line is a code, a message's name and maybe ``*count``; lines are used in order, by all connections
of the node together. The file is read again whenever a line is needed, so it may change while we run.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Break(Enum):
    """What becomes of the connection; the value is the code in the file."""

    NORMAL = "="
    CLOSE_BEFORE = "-"
    CLOSE_AFTER = "+"
    DROP = "$"
    MUTE_AFTER = "x"
    """Send it, then nothing more, and read nothing; the connection stays."""
    BLACK_HOLE = "0"
    """The same, and this one is swallowed too."""
    CLOSE_AFTER_RECEIVE = "<"


class BadScript(ValueError):
    """A line that means nothing."""


class DisconnectScript:
    """`read` gives the file's text as it is now."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._done: list[str] = []
        """The lines that were used up, as they stood in the file."""
        self._line = ""
        self._left = 0
        """How many more messages the first line lets pass, itself counted."""

    def on_send(self, name: str) -> tuple[Break, str]:
        """The fate of an outgoing message, and the line for the log where one was used ('' otherwise)."""
        return self._match(name, incoming=False)

    def on_receive(self, name: str) -> tuple[Break, str]:
        """The fate of an incoming message, and the line for the log."""
        return self._match(name, incoming=True)

    def _match(self, name: str, *, incoming: bool) -> tuple[Break, str]:
        line = self._current()
        if not line:
            return Break.NORMAL, ""
        rule, _, count = line.partition("*")
        code = _code(rule)
        if (code is Break.CLOSE_AFTER_RECEIVE) != incoming or rule[1:] != name:
            return Break.NORMAL, ""
        if self._left == 0:
            self._left = _count(line, count)
        self._left -= 1
        if self._left:
            return Break.NORMAL, ""
        self._done.append(line)
        return code, f"dev_disconnect: {rule} ({name})"

    def _current(self) -> str:
        lines = [line.strip() for line in self._read().splitlines()]
        used = len(self._done)
        if lines[:used] != self._done:
            # The file is another one now: it starts afresh.
            self._done, used = [], 0
        line = lines[used] if used < len(lines) else ""
        if line != self._line:
            self._line, self._left = line, 0
        return line


def _code(rule: str) -> Break:
    try:
        return Break(rule[:1])
    except ValueError:
        raise BadScript(f"dev_disconnect: {rule!r} starts with none of - + = $ x 0 <") from None


def _count(line: str, text: str) -> int:
    if not text:
        return 1
    if not text.isdigit() or int(text) < 1:
        raise BadScript(f"dev_disconnect invalid count: {line}")
    return int(text)
