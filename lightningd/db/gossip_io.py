"""Rows of the funding outputs of public channels."""

from __future__ import annotations

from typing import Any

from pylightningd.common.ids import Outpoint, ShortChannelId, Txid


def load_txos(database: Any) -> dict[tuple[bytes, int], int]:
    """Every (txid, output) with its short_channel_id."""
    rows = database.execute_sql("SELECT txid, outnum, scid FROM gossip_txos").fetchall()
    return {(bytes(txid), outnum): scid for txid, outnum, scid in rows}


def add_txo(database: Any, outpoint: Outpoint, scid: ShortChannelId) -> None:
    """One more. Call inside a turn."""
    database.execute_sql(
        "INSERT OR IGNORE INTO gossip_txos (txid, outnum, scid) VALUES (?, ?, ?)",
        (bytes(outpoint.txid), outpoint.index, int(scid)),
    )


def remove_txo(database: Any, txid: Txid, index: int) -> None:
    """It is spent. Call inside a turn."""
    database.execute_sql(
        "DELETE FROM gossip_txos WHERE txid = ? AND outnum = ?", (bytes(txid), index)
    )
