"""Which channels nobody has refreshed for two weeks."""

from __future__ import annotations

from pylightningd.gossipd.announcements import STALE_SECONDS
from pylightningd.gossipd.graph import ChannelEntry, Graph


def stale_channels(
    graph: Graph, now: float, stale_seconds: int = STALE_SECONDS
) -> list[ChannelEntry]:
    """Channels with a direction whose newest channel_update is older than two weeks, or so many seconds."""
    # BOLT 7, "Recommendation on Pruning Stale Entries": two weeks without a channel_update from either end.
    limit = now - stale_seconds
    return [
        channel
        for channel in graph.channels.values()
        if any(u is not None and u.timestamp < limit for u in channel.updates)
    ]


def describe_pruning(channel: ChannelEntry, now: float, scid_text: str) -> str:
    """The log line."""
    ages = [int(now - u.timestamp) if u is not None else -1 for u in channel.updates]
    return f"Pruning channel {scid_text} from network view (ages {ages[0]} and {ages[1]})"
