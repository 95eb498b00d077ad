"""Rows of what peers keep for us, and we for them. Writing calls belong to the turn that is running."""

from __future__ import annotations

from typing import Any

from pylightningd.common.ids import NodeId


class BackupStore:
    """Reads and writes the tables of `models_backup.py`."""

    def __init__(self, db: Any) -> None:
        self._db = db

    # Theirs

    def kept_for(self, peer_id: NodeId) -> bytes | None:
        """The blob of a peer."""
        row = self._db.execute_sql(
            "SELECT blob FROM peer_storage WHERE node_id=?", (peer_id,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def keep(self, peer_id: NodeId, blob: bytes, now: int) -> None:
        """Replace a peer's blob."""
        self._db.execute_sql(
            "INSERT INTO peer_storage (node_id, blob, updated_at) VALUES (?, ?, ?)"
            " ON CONFLICT (node_id) DO UPDATE SET blob=excluded.blob,"
            " updated_at=excluded.updated_at, no_channel_since=NULL",
            (peer_id, blob, now),
        )

    def keepers(self) -> list[tuple[NodeId, int | None]]:
        """Whose blobs we have, and since which height without a channel."""
        rows = self._db.execute_sql("SELECT node_id, no_channel_since FROM peer_storage").fetchall()
        return [(NodeId(row[0]), row[1]) for row in rows]

    def note_channels(self, peer_id: NodeId, no_channel_since: int | None) -> None:
        """From which height on a peer has no channel; None while it has one."""
        self._db.execute_sql(
            "UPDATE peer_storage SET no_channel_since=? WHERE node_id=?",
            (no_channel_since, peer_id),
        )

    def drop(self, peer_id: NodeId) -> None:
        """Keep nothing for it any more."""
        self._db.execute_sql("DELETE FROM peer_storage WHERE node_id=?", (peer_id,))

    # Ours

    def returned(self) -> list[tuple[NodeId, bytes]]:
        """Backups of ours that came back, newest first."""
        rows = self._db.execute_sql(
            "SELECT node_id, blob FROM returned_backups ORDER BY timestamp DESC"
        ).fetchall()
        return [(NodeId(row[0]), bytes(row[1])) for row in rows]

    def put_returned(self, peer_id: NodeId, blob: bytes, timestamp: int) -> None:
        """Remember what a peer gave back, unless it gave us something newer before."""
        self._db.execute_sql(
            "INSERT INTO returned_backups (node_id, blob, timestamp) VALUES (?, ?, ?)"
            " ON CONFLICT (node_id) DO UPDATE SET blob=excluded.blob, timestamp=excluded.timestamp"
            " WHERE excluded.timestamp >= returned_backups.timestamp",
            (peer_id, blob, timestamp),
        )
