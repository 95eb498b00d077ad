"""Who hears what: topics of the node, topics of plugins, subscribers. Pure."""

from __future__ import annotations

from typing import Any

NATIVE_TOPICS = frozenset(
    {
        "balance_snapshot",
        "block_added",
        "channel_open_failed",
        "channel_opened",
        "channel_state_changed",
        "coin_movement",
        "connect",
        "custommsg",
        "deprecated_oneshot",
        "disconnect",
        "forward_event",
        "invoice_creation",
        "invoice_payment",
        "log",
        "onionmessage_forward_fail",
        "openchannel_peer_sigs",
        "plugin_started",
        "plugin_stopped",
        "sendpay_failure",
        "sendpay_success",
        "shutdown",
        "warning",
    }
)
"""What only the node itself may publish."""
EVERYTHING = "*"
# A subscriber of everything does not want the log: its own lines would come back to it.
NOT_IN_EVERYTHING = frozenset({"log"})


class Subscriptions:
    """Which plugins (by name) subscribed to which topics, in the order they came."""

    def __init__(self) -> None:
        self._topics: dict[str, list[str]] = {}
        self._published: dict[str, set[str]] = {}

    def add(self, plugin: str, topics: tuple[str, ...], publishes: tuple[str, ...]) -> None:
        """Enter a plugin's subscriptions and its own topics. Raises ValueError for a native topic."""
        for topic in publishes:
            if topic in NATIVE_TOPICS:
                raise ValueError(
                    f"plugin attempted to register a native notification topic {topic!r}: only the node sends it"
                )
        for topic in topics:
            listeners = self._topics.setdefault(topic, [])
            if plugin not in listeners:
                listeners.append(plugin)
        self._published[plugin] = set(publishes)

    def remove(self, plugin: str) -> None:
        """Forget a plugin."""
        for listeners in self._topics.values():
            if plugin in listeners:
                listeners.remove(plugin)
        self._published.pop(plugin, None)

    def listeners(self, topic: str) -> list[str]:
        """Who wants this topic."""
        found = list(self._topics.get(topic, ()))
        if topic not in NOT_IN_EVERYTHING:
            found += [p for p in self._topics.get(EVERYTHING, ()) if p not in found]
        return found

    def may_publish(self, plugin: str, topic: str) -> bool:
        """Whether the plugin declared this topic in its manifest."""
        return topic in self._published.get(plugin, ())

    def unknown(self, topics: tuple[str, ...]) -> list[str]:
        """Subscribed topics that nobody publishes: worth a line in the log, since it is usually a typing error."""
        known = NATIVE_TOPICS.union(*self._published.values()) | {EVERYTHING}
        return [t for t in topics if t not in known]


def native_params(topic: str, payload: Any) -> dict[str, Any]:
    """`params` of a notification of the node: the payload under the topic's name; `shutdown` has none."""
    return {} if topic == "shutdown" else {topic: payload}
