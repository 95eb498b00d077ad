"""The log as plugins hear it: topic `log` for every line, `warning` for the two upper levels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from pylightningd.common.log import Level, LogEntry

WARNING_LEVELS = {Level.UNUSUAL: "warn", Level.BROKEN: "error"}


class Publisher(Protocol):
    """The part of the plugin host that is used."""

    def anyone_listens(self, topic: str) -> bool: ...
    def publish(self, topic: str, payload: Any) -> None: ...


def listener(host: Publisher) -> Callable[[LogEntry], None]:
    """What the log calls with each entry."""

    def tell(entry: LogEntry) -> None:
        if host.anyone_listens("log"):
            host.publish("log", _payload(entry, entry.level.name.lower()))
        level = WARNING_LEVELS.get(entry.level)
        if level is not None and host.anyone_listens("warning"):
            host.publish("warning", _payload(entry, level))

    return tell


def _payload(entry: LogEntry, level: str) -> dict[str, str]:
    when = datetime.fromtimestamp(entry.time, UTC)
    return {
        "level": level,
        "time": f"{entry.time:.3f}",
        "timestamp": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z",
        "source": entry.full_source,
        "log": entry.text,
    }
