"""Each channel's HTLCs from the node's database: no command of Core Lightning's tells which were fulfilled."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pylightningd.common.channel.htlc_states import HtlcState, is_dead
from tests.regtest.node import NETWORK, Node

_ALL = """
    SELECT lower(hex(c.full_channel_id)), h.direction, h.msatoshi, lower(hex(h.payment_hash)),
           h.payment_key IS NOT NULL, h.hstate, h.resolved_time IS NOT NULL
    FROM channel_htlcs h JOIN channels c ON c.id = h.channel_id
"""


@dataclass(frozen=True)
class Htlc:
    """One HTLC, dead or alive."""

    channel_id: str
    offered: bool
    """By the node itself."""
    amount_msat: int
    payment_hash: str
    fulfilled: bool
    """The node knows the preimage and has claimed it, or was claimed from."""
    dead: bool
    """Out of both commitments, or forgotten with the channel that went to the chain."""
    signed_away: bool = True
    """Dead by what both peers signed, not by what became of it on the chain."""

    @property
    def moved_msat(self) -> int:
        """What it moved to the node, or moves for certain; negative: away."""
        if not self.fulfilled:
            return 0
        return -self.amount_msat if self.offered else self.amount_msat


def database_of(node: Node) -> Path:
    """The node's wallet: that of its own folder, or what `--wallet` says."""
    given = str(node.options.get("wallet", ""))
    if given:
        return Path(given.removeprefix("sqlite3://").split(":")[0])
    return node.folder / NETWORK / "lightningd.sqlite3"


def read_htlcs(node: Node) -> list[Htlc]:
    """All rows, of one moment."""
    with contextlib.closing(
        sqlite3.connect(f"file:{database_of(node)}?mode=ro", uri=True)
    ) as database:
        rows = database.execute(_ALL).fetchall()
    return [
        Htlc(
            channel,
            direction == 1,
            msat,
            hash_,
            bool(known),
            is_dead(HtlcState(state)),
            bool(resolved),
        )
        for channel, direction, msat, hash_, known, state, resolved in rows
    ]
