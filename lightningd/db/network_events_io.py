"""Rows of connections that were made, failed and ended, and of pings. They stay until somebody deletes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pylightningd.common.ids import NodeId
from pylightningd.lightningd.db.indexes_io import Window

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase

Kind = Literal["connect", "connect_fail", "ping", "disconnect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEvent:
    """One of them. `nsec`: how long it took, or the connection lasted; 0 where nobody knows."""

    id: int = 0
    peer_id: NodeId
    kind: Kind
    timestamp: int
    reason: str | None = None
    nsec: int = 0
    attempted: bool = False
    """An address was tried, of a connection that failed."""


class NetworkEventStore:
    """Reads and writes events; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def add(self, event: NetworkEvent) -> None:
        """One more."""
        row_id = self._db.indexes.bump(
            "networkevents",
            "created",
            lambda: {"type": event.kind, "peer_id": event.peer_id.hex()},
        )
        self._db.execute_sql(
            "INSERT INTO network_events (id, peer_id, type, timestamp, reason, duration_nsec,"
            " connect_attempted) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row_id,
                event.peer_id,
                event.kind,
                event.timestamp,
                event.reason,
                event.nsec,
                int(event.attempted),
            ),
        )

    def delete(self, row_id: int) -> bool:
        """Forget one. Tells whether it was there."""
        cursor = self._db.execute_sql(
            "DELETE FROM network_events WHERE id=?", (min(row_id, 2**63 - 1),)
        )
        if cursor.rowcount:
            told = {"created_index": row_id}
            self._db.indexes.bump("networkevents", "deleted", told.copy)
        return bool(cursor.rowcount)

    def listed(self, window: Window, peer_id: NodeId | None = None) -> list[NetworkEvent]:
        """Oldest first; of one peer, if it is given."""
        ending, values = window.sql()
        where, wanted = ("", ()) if peer_id is None else ("peer_id=? AND ", (peer_id,))
        cursor = self._db.execute_sql(
            "SELECT id, peer_id, type, timestamp, reason, duration_nsec, connect_attempted"
            f" FROM network_events WHERE {where}{ending}",
            (*wanted, *values),
        )
        return [
            NetworkEvent(
                id=row[0],
                peer_id=NodeId(bytes(row[1])),
                kind=row[2],
                timestamp=row[3],
                reason=row[4],
                nsec=row[5] or 0,
                attempted=bool(row[6]),
            )
            for row in cursor.fetchall()
        ]
