"""Reading a node's log while it grows."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.regtest.waiting import TIMEOUT_S, wait_for

# What no healthy run may log (the list that CLN's test tools look for).
TROUBLE = (
    r"\*\*BROKEN\*\*",
    r"That's weird: ",
    r"Bad gossip order:",
    r"gossipd.*Bad ",
    r"Bad reestablish",
    r"bad hsm request",
    r"Accessing a null column",
    r"MEMLEAK:",
    r"Traceback \(most recent call last\)",
)


class LogFile:
    """A log that is searched forward: each wait starts behind the line that the one before it found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._searched = 0
        self._lines: list[str] = []
        self._read_bytes = 0

    def lines(self) -> list[str]:
        """All complete lines so far. What was read once is not read again, unless the file is another one now."""
        try:
            with open(self.path, "rb") as file:
                if file.seek(0, os.SEEK_END) < self._read_bytes:
                    self._lines, self._read_bytes = [], 0
                file.seek(self._read_bytes)
                new = file.read()
        except FileNotFoundError:
            return []
        new = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(new)
        self._lines += new.decode(errors="replace").splitlines()
        return self._lines

    def mark(self) -> None:
        """Further waits look only at lines written after now."""
        self._searched = len(self.lines())

    def contains(self, pattern: str) -> str | None:
        """The first line, of all, that matches the regular expression."""
        regex = re.compile(pattern)
        return next((line for line in self.lines() if regex.search(line)), None)

    def count(self, pattern: str) -> int:
        """How many lines match."""
        regex = re.compile(pattern)
        return sum(1 for line in self.lines() if regex.search(line))

    def found(self, *patterns: str) -> bool:
        """Whether the lines that `wait_for` would wait for are there; then the search goes on behind them."""
        try:
            self.wait_for(*patterns, timeout_s=0)
        except TimeoutError:
            return False
        return True

    def wait_for(self, *patterns: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a line for each pattern was written, in any order. Raises TimeoutError."""
        missing = [re.compile(pattern) for pattern in patterns]
        position = self._searched

        def all_found() -> bool:
            nonlocal position
            for line in self.lines()[position:]:
                position += 1
                for regex in [r for r in missing if r.search(line)]:
                    missing.remove(regex)
                if not missing:
                    return True
            return not missing

        wait_for(all_found, f"log lines {patterns} in {self.path}", timeout_s)
        self._searched = position

    def trouble(self, allowed: str | None = None) -> list[str]:
        """Lines that mean a bug, but for those that match `allowed`."""
        regex = re.compile("|".join(TROUBLE))
        pardon = re.compile(allowed) if allowed else None
        return [
            line
            for line in self.lines()
            if regex.search(line) and not (pardon and pardon.search(line))
        ]

    def tail(self, count: int = 60) -> str:
        """The last lines, for a report."""
        return "\n".join(self.lines()[-count:])
