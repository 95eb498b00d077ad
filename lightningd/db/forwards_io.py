"""Rows of forwards: what became of each HTLC that was to go on through another channel."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.db.indexes_io import EVERYTHING, Window
from pylightningd.lightningd.db.wide import from_column, to_column

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


class ForwardState(IntEnum):
    """CLN's names (in lower case in listforwards) and numbers."""

    OFFERED = 0
    SETTLED = 1
    FAILED = 2
    LOCAL_FAILED = 3


class ForwardStore:
    """Reads and writes forwards; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db
        self.on_change: Callable[[LiveHtlc], None] | None = None
        """Called in the turn whenever a forward begins or ends, with its received HTLC."""

    def offered(
        self, incoming: LiveHtlc, in_scid: int, out_scid: int, amount: Msat, now: float
    ) -> None:
        """It is about to be offered on. Again after a restart: the row is taken up anew."""
        self._put(incoming, in_scid, out_scid, amount, ForwardState.OFFERED, now)
        self._changed(incoming)

    def local_fail(
        self,
        incoming: LiveHtlc,
        in_scid: int,
        out_scid: int | None,
        amount: Msat,
        code: int,
        now: float,
    ) -> None:
        """We refused it ourselves, with this failure code."""
        self._put(incoming, in_scid, out_scid, amount, ForwardState.LOCAL_FAILED, now)
        self._db.execute_sql(
            "UPDATE forwards SET failcode=?, resolved_time=? WHERE in_htlc=?",
            (code, now, incoming.dbid),
        )
        self._changed(incoming)

    def _put(
        self,
        incoming: LiveHtlc,
        in_scid: int,
        out_scid: int | None,
        amount: Msat,
        state: ForwardState,
        now: float,
    ) -> None:
        def waited() -> dict[str, Any]:
            told = _waited(state, in_scid, incoming.id)
            told["in_msat"] = incoming.amount.msat
            if out_scid is not None:
                told["out_channel"] = str(ShortChannelId(out_scid))
            return told

        indexes = self._db.indexes
        known = self._db.execute_sql(
            "SELECT 1 FROM forwards WHERE in_htlc=?", (incoming.dbid,)
        ).fetchone()
        if known is not None:
            # Offered before, and now anew after a restart, or refused.
            self._db.execute_sql(
                "UPDATE forwards SET state=?, out_channel_scid=?, out_htlc_id=NULL, resolved_time=NULL,"
                " failcode=0, updated_index=? WHERE in_htlc=?",
                (
                    int(state),
                    None if out_scid is None else to_column(int(out_scid)),
                    indexes.bump("forwards", "updated", waited),
                    incoming.dbid,
                ),
            )
            return
        self._db.execute_sql(
            "INSERT INTO forwards (id, in_htlc, in_channel_scid, in_htlc_id, out_channel_scid,"
            " in_msatoshi, out_msatoshi, state, received_time, failcode, forward_style, updated_index)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1, 0)",
            (
                indexes.bump("forwards", "created", waited),
                incoming.dbid,
                to_column(int(in_scid)),
                incoming.id,
                None if out_scid is None else to_column(int(out_scid)),
                incoming.amount.msat,
                amount.msat,
                int(state),
                now,
            ),
        )

    def sent(self, incoming: LiveHtlc, out_htlc_id: int) -> None:
        """The outgoing HTLC is in a commitment under this id."""
        self._db.execute_sql(
            "UPDATE forwards SET out_htlc_id=? WHERE in_htlc=?", (out_htlc_id, incoming.dbid)
        )

    def settled(self, incoming: LiveHtlc, now: float) -> None:
        """Paid: the fee is ours."""
        self._resolve(incoming, ForwardState.SETTLED, 0, now)

    def failed(self, incoming: LiveHtlc, code: int, now: float) -> None:
        """A node behind us failed it. `code` is 0 where only the origin can read why."""
        self._resolve(incoming, ForwardState.FAILED, code, now)

    def _resolve(self, incoming: LiveHtlc, state: ForwardState, code: int, now: float) -> None:
        updated = self._db.indexes.bump(
            "forwards", "updated", lambda: self._waited_of(incoming, state)
        )
        self._db.execute_sql(
            "UPDATE forwards SET state=?, failcode=?, resolved_time=?, updated_index=?"
            " WHERE in_htlc=?",
            (int(state), code, now, updated, incoming.dbid),
        )
        self._changed(incoming)

    def _waited_of(self, incoming: LiveHtlc, state: ForwardState) -> dict[str, Any]:
        row = self.of(incoming)
        told = _waited(state, row["in_channel_scid"], row["in_htlc_id"])
        told["in_msat"] = row["in_msatoshi"]
        if row["out_channel_scid"] is not None:
            told["out_channel"] = str(ShortChannelId(row["out_channel_scid"]))
        return told

    def _changed(self, incoming: LiveHtlc) -> None:
        if self.on_change is not None:
            self.on_change(incoming)

    def all(self) -> list[dict[str, Any]]:
        """Every row, oldest first."""
        return self.listed(EVERYTHING)

    def listed(
        self,
        window: Window,
        state: ForwardState | None = None,
        in_scid: ShortChannelId | None = None,
        out_scid: ShortChannelId | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of this part of the list, and of this state and these channels where they are given."""
        ending, values = window.sql()
        wanted = {
            "state": None if state is None else int(state),
            "in_channel_scid": None if in_scid is None else to_column(int(in_scid)),
            "out_channel_scid": None if out_scid is None else to_column(int(out_scid)),
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f"{name}=? AND " for name in given)
        return self._rows(f"WHERE {where}{ending}", *given.values(), *values)

    def of(self, incoming: LiveHtlc) -> dict[str, Any]:
        """The row of a received HTLC."""
        return self._rows("WHERE in_htlc=? ORDER BY id", incoming.dbid)[0]

    def _rows(self, where: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._db.execute_sql(f"SELECT * FROM forwards {where}", values)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            for name in ("in_channel_scid", "out_channel_scid"):
                row[name] = None if row[name] is None else from_column(row[name])
        return rows

    def fees_collected(self) -> Msat:
        """What settled forwards have earned."""
        cursor = self._db.execute_sql(
            "SELECT COALESCE(SUM(in_msatoshi - out_msatoshi), 0) FROM forwards WHERE state=?",
            (int(ForwardState.SETTLED),),
        )
        return Msat(int(cursor.fetchone()[0]))

    def delete(self, in_scid: ShortChannelId, in_htlc_id: int, state: ForwardState) -> bool:
        """Forget one. Tells whether it was there."""
        cursor = self._db.execute_sql(
            "DELETE FROM forwards WHERE in_channel_scid=? AND in_htlc_id=? AND state=?",
            (to_column(int(in_scid)), in_htlc_id, int(state)),
        )
        for _ in range(cursor.rowcount):
            self._db.indexes.bump(
                "forwards", "deleted", lambda: _waited(state, int(in_scid), in_htlc_id)
            )
        return bool(cursor.rowcount)


def _waited(state: ForwardState, in_scid: int, in_htlc_id: int) -> dict[str, Any]:
    """What command `wait` tells of a forward."""
    return {
        "status": state.name.lower(),
        "in_channel": str(ShortChannelId(in_scid)),
        "in_htlc_id": in_htlc_id,
    }
