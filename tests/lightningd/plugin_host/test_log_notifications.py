"""Log lines as notifications."""

from __future__ import annotations

from typing import Any

from pylightningd.common.log import Level, LogEntry
from pylightningd.lightningd.plugin_host.log_notifications import listener


class Host:
    def __init__(self, *topics: str) -> None:
        self.topics = topics
        self.told: list[tuple[str, Any]] = []

    def anyone_listens(self, topic: str) -> bool:
        return topic in self.topics

    def publish(self, topic: str, payload: Any) -> None:
        self.told.append((topic, payload))


def test_log_and_warning() -> None:
    host = Host("log", "warning")
    listener(host)(LogEntry(1700000000.25, Level.UNUSUAL, "lightningd", "careful"))
    common = {
        "time": "1700000000.250",
        "timestamp": "2023-11-14T22:13:20.250Z",
        "source": "lightningd",
        "log": "careful",
    }
    assert host.told == [
        ("log", {"level": "unusual", **common}),
        ("warning", {"level": "warn", **common}),
    ]


def test_only_what_is_wanted() -> None:
    host = Host("warning")
    listener(host)(LogEntry(0.0, Level.INFO, "lightningd", "nothing"))
    listener(host)(LogEntry(0.0, Level.BROKEN, "hsmd", "bad"))
    assert [(topic, payload["level"]) for topic, payload in host.told] == [("warning", "error")]
