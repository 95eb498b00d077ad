"""Log levels, CLN's line format, filters by level and subsystem. Pure: files are `lightningd/log_io.py`.

A line: ``PREFIX 2026-01-31T12:00:00.000Z DEBUG   SOURCE: text``. For something about a peer the source is
``<node id>-SOURCE``, e.g. ``02…-channeld-chan#1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How much a line matters. The numbers travel in `bus_log`."""

    IO = 0
    TRACE = 1
    DEBUG = 2
    INFO = 3
    UNUSUAL = 4
    BROKEN = 5


LEVELS: dict[str, Level] = {level.name.lower(): level for level in Level}
_SHOWN = {
    Level.IO: "IO     ",
    Level.TRACE: "TRACE  ",
    Level.DEBUG: "DEBUG  ",
    Level.INFO: "INFO   ",
    Level.UNUSUAL: "UNUSUAL",
    Level.BROKEN: "**BROKEN**",
}


def parse_level(text: str) -> Level:
    """Read a level's name. Raises ValueError."""
    try:
        return LEVELS[text.lower()]
    except KeyError:
        raise ValueError(
            f"unknown log level '{text}': expected {', '.join(LEVELS)}, for example --log-level=debug"
        ) from None


@dataclass(frozen=True, slots=True)
class LevelFilter:
    """Print subsystems whose source or peer id contains `part` from `level` on."""

    part: str
    level: Level


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry. `time` is seconds since 1970."""

    time: float
    level: Level
    source: str
    text: str
    node_id: str = ""
    """66 hex digits of the peer it is about, or empty."""
    fields: dict[str, object] | None = None

    @property
    def full_source(self) -> str:
        """The source as lines show it."""
        return f"{self.node_id}-{self.source}" if self.node_id else self.source


def format_lines(entry: LogEntry, prefix: str, timestamp: str) -> str:
    """The entry as lines, each with its own prefix and newline. `timestamp` ends with a space or is empty."""
    head = f"{prefix}{timestamp}{_SHOWN[entry.level]} {entry.full_source}: "
    if "\n" not in entry.text:
        return f"{head}{entry.text}\n"
    return "".join(f"{head}{line}\n" for line in entry.text.rstrip("\n").split("\n"))


def threshold(
    default: Level, filters: tuple[LevelFilter, ...], source: str, node_id: str = ""
) -> Level:
    """From which level on lines of this source are printed: the first filter that fits decides."""
    for item in filters:
        if item.part in source or (node_id and item.part in node_id):
            return item.level
    return default


def daemon_source(daemon: str, dbid: int) -> str:
    """The source of a line of a daemon, about a channel if `dbid` is not 0."""
    return f"{daemon}-chan#{dbid}" if dbid else daemon
