"""What each channel's HTLCs moved, from the node's database: no command of Core Lightning's shows it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from tests.regtest.node import NETWORK, Node

OPEN = ("CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL", "CHANNELD_SHUTTING_DOWN")
_MOVED = """
    SELECT lower(hex(c.full_channel_id)), sum(CASE h.direction WHEN 0 THEN h.msatoshi ELSE -h.msatoshi END)
    FROM channel_htlcs h JOIN channels c ON c.id = h.channel_id
    WHERE h.payment_key IS NOT NULL GROUP BY c.id
"""


def resolved_on_chain(node: Node, channels: list[dict[str, Any]]) -> dict[str, int]:
    """What HTLCs moved to us by the chain (msat; negative: away), for each closed channel where they did.

    to_us_msat is that of the last commitment and does not know of it. In an open channel it must have all that was
    fulfilled: raises AssertionError. `channels`: as `books.all_channels` gives them.
    """
    path = node.folder / NETWORK / "lightningd.sqlite3"
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        by_htlcs: dict[str, int] = dict(database.execute(_MOVED).fetchall())
    moved: dict[str, int] = {}
    for channel in channels:
        name = channel["channel_id"]
        missing = by_htlcs.get(name, 0) - (channel["now_msat"] - channel["begin_msat"])
        if missing and channel["state"] in OPEN:
            raise AssertionError(f"{node.name}: {missing} msat of HTLCs are missing in {channel}")
        if missing and name in by_htlcs:
            moved[name] = missing
    return moved
