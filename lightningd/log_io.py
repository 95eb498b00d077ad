"""The log: where lines go, what is kept in memory for `getlog`, what a crash leaves behind.

Before the options are read, entries wait in memory; `open_outputs` prints them. Each output gets every line as one
write, so that a reader sees whole lines at once and nothing is lost with the process.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pylightningd.common.log import (
    LEVELS,
    Level,
    LevelFilter,
    LogEntry,
    format_lines,
    parse_level,
    threshold,
)

KEPT_BYTES = 10 * 1024 * 1024
_ENTRY_BYTES = 64
"""What an entry costs beside its text, by estimate."""


class Log:
    """All lines of the node pass here: ``log("info", "text", source=…, peer_id=…)``."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.created_at = now()
        self._outputs: list[_Output] = []
        self._opened = False
        self._kept: deque[LogEntry] = deque()
        self._kept_bytes = 0
        self.skipped = 0
        self.max_bytes = KEPT_BYTES
        self.level = Level.INFO
        self.filters: tuple[LevelFilter, ...] = ()
        self.prefix = ""
        self.timestamps = True
        self._json = False
        self._render_json: Callable[[LogEntry, str], str] | None = None
        self._lowest = Level.DEBUG
        self.lowest_printed = "info"
        """The lowest level that any output wants from anybody."""
        self._second = -1
        self._second_text = ""
        self.listeners: list[Callable[[LogEntry], None]] = []
        """Called with each entry of level info and above: the plugins' notifications."""

    def __call__(
        self,
        level: str | Level,
        text: str,
        *,
        source: str = "lightningd",
        peer_id: bytes | None = None,
        dbid: int = 0,
        **fields: Any,
    ) -> None:
        """Log a line. With `dbid` it is about a channel (``chan#N``), with `peer_id` about a peer."""
        rank = LEVELS[level] if isinstance(level, str) else level
        if rank < self._lowest:
            return
        if dbid and "chan#" not in source:
            source = f"chan#{dbid}" if source == "lightningd" else f"{source}-chan#{dbid}"
        entry = LogEntry(
            self._now(), rank, source, text, peer_id.hex() if peer_id else "", fields or None
        )
        self._keep(entry)
        if self._opened:
            self._print(entry)
        if rank >= Level.INFO:
            for listener in self.listeners:
                listener(entry)

    def wants(self, level: str, source: str, peer_id: bytes | None = None) -> bool:
        """Would a line of this level be printed? Asked before costly texts are made."""
        rank = LEVELS[level]
        if rank < self._lowest:
            return False
        return rank >= threshold(
            self.level, self.filters, source, peer_id.hex() if peer_id and self.filters else ""
        )

    # Settings

    def configure(
        self,
        *,
        levels: Sequence[str] = (),
        files: Sequence[str] = (),
        prefix: str = "",
        timestamps: bool = True,
        json_format: bool = False,
    ) -> None:
        """Obey the log options and open the outputs. Raises ValueError or OSError (its filename says which)."""
        outputs: dict[str, _Output] = {}
        for name in files or ("-",):
            outputs.setdefault(name, _Output(name))
        filters = []
        for setting in levels:
            level_text, _, rest = setting.partition(":")
            part, _, path = rest.partition(":")
            level = parse_level(level_text)
            if path:
                only = outputs.setdefault(path, _Output(path))
                only.filters += (LevelFilter(part, level),)
            elif part:
                filters.append(LevelFilter(part, level))
            else:
                self.level = level
        self.filters = tuple(filters)
        self.prefix = prefix
        self.timestamps = timestamps
        if json_format:
            self._use_json()
        self.open_outputs(list(outputs.values()))

    def open_outputs(self, outputs: list[_Output]) -> None:
        """Open the files and print what was logged until now."""
        for output in outputs:
            output.open()
        self._outputs = outputs
        own = [f.level for o in outputs for f in o.filters]
        lowest = min([self.level, *(f.level for f in self.filters), *own])
        self.lowest_printed = lowest.name.lower()
        self._lowest = min(Level.DEBUG, lowest)
        first_time, self._opened = not self._opened, True
        if first_time:
            for entry in list(self._kept):
                self._print(entry)

    def reopen(self) -> None:
        """Open the files anew, after something has moved them away (SIGHUP)."""
        for output in self._outputs:
            output.reopen()

    def close(self) -> None:
        """Close the files. What comes later is only kept in memory."""
        self._opened = False
        for output in self._outputs:
            output.close()

    def _use_json(self) -> None:
        # structlog takes a tenth of a second to import; nobody pays for it who does not use it.
        from structlog.processors import JSONRenderer

        renderer = JSONRenderer()

        def render(entry: LogEntry, stamp: str) -> str:
            event: dict[str, Any] = {
                **(entry.fields or {}),
                "timestamp": stamp.strip(),
                "level": entry.level.name.lower(),
                "source": entry.source,
                "event": entry.text,
            }
            if entry.node_id:
                event["peer_id"] = entry.node_id
            line = renderer(None, "", event)
            return (line if isinstance(line, str) else line.decode()) + "\n"

        self._render_json = render

    # Printing and keeping

    def _print(self, entry: LogEntry) -> None:
        printed = ""
        limit = threshold(self.level, self.filters, entry.source, entry.node_id)
        for output in self._outputs:
            if entry.level < (output.limit(entry) if output.filters else limit):
                continue
            printed = printed or self._render(entry)
            output.write(printed)

    def _render(self, entry: LogEntry) -> str:
        if self._render_json is not None:
            return self._render_json(entry, self.stamp(entry.time))
        return format_lines(entry, self.prefix, self.stamp(entry.time) if self.timestamps else "")

    def stamp(self, moment: float) -> str:
        """The time as lines show it, with a space after it."""
        second = int(moment)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{int((moment - second) * 1000):03d}Z "

    def _keep(self, entry: LogEntry) -> None:
        self._kept.append(entry)
        self._kept_bytes += len(entry.text) + _ENTRY_BYTES
        while self._kept_bytes > self.max_bytes:
            self._kept_bytes -= len(self._kept.popleft().text) + _ENTRY_BYTES
            self.skipped += 1

    @property
    def kept(self) -> Sequence[LogEntry]:
        """What memory holds, oldest first."""
        return self._kept

    @property
    def kept_bytes(self) -> int:
        """What that takes, by estimate."""
        return self._kept_bytes

    def write_crash_log(self, text: str) -> str | None:
        """Leave `crash.log.<time>` in the working folder: why we died and the last lines. Returns its name."""
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._now()))
        name = os.path.abspath(f"crash.log.{stamp}")
        try:
            with open(name, "a", encoding="utf-8") as file:
                file.write(text.rstrip("\n") + "\n\n")
                for entry in self._kept:
                    file.write(format_lines(entry, "", self.stamp(entry.time)))
        except OSError as error:
            _say(f"Cannot write {name}: {error.strerror}")
            return None
        return name


def _say(text: str) -> None:
    """To stderr, if it can be written: it may be a file on a disk that is full."""
    with suppress(OSError):
        print(text, file=sys.stderr)


class _Output:
    """One file, or stdout (``-``)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filters: tuple[LevelFilter, ...] = ()
        """What goes here, where `--log-level` names this file; otherwise all that is printed."""
        self._fd = -1

    def limit(self, entry: LogEntry) -> Level:
        """From which level on this file gets lines of that source."""
        return threshold(Level.BROKEN, self.filters, entry.source, entry.node_id)

    def open(self) -> None:
        """Open for appending. Raises OSError."""
        if self._fd >= 0:
            return
        if self.name == "-":
            self._fd = sys.stdout.fileno()
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(self.name, flags, 0o644)

    def reopen(self) -> None:
        """Close and open; where that fails, go on with the old one."""
        if self.name == "-":
            return
        old, self._fd = self._fd, -1
        try:
            self.open()
        except OSError as error:
            self._fd = old
            _say(f"Cannot reopen {self.name}: {error.strerror}")
            return
        os.close(old)

    def close(self) -> None:
        """Close the file; stdout stays."""
        if self._fd >= 0 and self.name != "-":
            os.close(self._fd)
        self._fd = -1

    def write(self, text: str) -> None:
        """Write lines. A full disk or a gone reader does not stop the node."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            return
