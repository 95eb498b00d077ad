"""Rows of forwards: what became of each HTLC that was to go on through another channel."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.lightningd.channels.channel import LiveHtlc
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
        self._db.execute_sql(
            "INSERT INTO forwards (in_htlc, in_channel_scid, in_htlc_id, out_channel_scid,"
            " in_msatoshi, out_msatoshi, state, received_time, failcode, forward_style, updated_index)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 1, 0) ON CONFLICT (in_htlc) DO UPDATE SET"
            " state=excluded.state, out_channel_scid=excluded.out_channel_scid,"
            " out_htlc_id=NULL, resolved_time=NULL, failcode=0",
            (
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
        self._db.execute_sql(
            "UPDATE forwards SET state=?, failcode=?, resolved_time=?, updated_index=id"
            " WHERE in_htlc=?",
            (int(state), code, now, incoming.dbid),
        )
        self._changed(incoming)

    def _changed(self, incoming: LiveHtlc) -> None:
        if self.on_change is not None:
            self.on_change(incoming)

    def all(self) -> list[dict[str, Any]]:
        """Every row, oldest first."""
        return self._rows("")

    def of(self, incoming: LiveHtlc) -> dict[str, Any]:
        """The row of a received HTLC."""
        return self._rows("WHERE in_htlc=?", incoming.dbid)[0]

    def _rows(self, where: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._db.execute_sql(f"SELECT * FROM forwards {where} ORDER BY id", values)
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
        return bool(cursor.rowcount)
