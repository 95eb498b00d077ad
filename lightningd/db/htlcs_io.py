"""Rows of HTLCs, dead ones too. Called inside turns only; plain SQL, as this is the payment path."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.db.channel_rows import Row, read_htlc, read_scid
from pylightningd.lightningd.db.indexes_io import EVERYTHING, Window

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


class HtlcStore:
    """The part of `ChannelStore` that is about HTLCs."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def _rows(self, sql: str, *params: object) -> list[Row]:
        cursor = self._db.execute_sql(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def live_htlcs(self, channel_dbid: int) -> list[LiveHtlc]:
        """HTLCs of a channel that are not dead, in the order they were added."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE channel_id=? AND hstate NOT IN (?, ?) ORDER BY id",
            channel_dbid,
            int(HtlcState.RCVD_REMOVE_ACK_REVOCATION),
            int(HtlcState.SENT_REMOVE_ACK_REVOCATION),
        )
        return [read_htlc(row) for row in rows]

    def htlc_by_row(self, dbid: int) -> LiveHtlc | None:
        """An HTLC, dead or alive, by its row id."""
        rows = self._rows("SELECT * FROM channel_htlcs WHERE id=?", dbid)
        return read_htlc(rows[0]) if rows else None

    def offered_for(self, origin_dbid: int) -> LiveHtlc | None:
        """The newest HTLC that we offered to forward a received one."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE origin_htlc=? ORDER BY id DESC LIMIT 1", origin_dbid
        )
        return read_htlc(rows[0]) if rows else None

    def htlc_of_payment(self, payment_id: int) -> LiveHtlc | None:
        """The HTLC, dead or alive, of a part of a payment."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE origin_payment=? ORDER BY id", payment_id
        )
        return read_htlc(rows[-1]) if rows else None

    def htlcs_sent(self, channel_dbid: int) -> int:
        """How many HTLCs we ever offered in a channel."""
        sql = "SELECT COUNT(*) AS n FROM channel_htlcs WHERE channel_id=? AND direction=1"
        return int(self._rows(sql, channel_dbid)[0]["n"])

    def htlcs(self, channel_dbid: int | None = None, window: Window = EVERYTHING) -> list[Row]:
        """Rows for listhtlcs, with the channel's names."""
        ending, values = window.sql("h.")
        where = "" if channel_dbid is None else "h.channel_id=? AND "
        params = values if channel_dbid is None else (channel_dbid, *values)
        rows = self._rows(
            "SELECT h.*, c.scid AS scid, c.alias_local AS alias_local FROM channel_htlcs h"
            f" JOIN channels c ON c.id=h.channel_id WHERE {where}{ending}",
            *params,
        )
        for row in rows:
            row["scid"] = read_scid(row["scid"])
            row["alias_local"] = read_scid(row["alias_local"])
        return rows

    def insert_htlc(self, htlc: LiveHtlc) -> None:
        """A new HTLC; sets its dbid."""
        htlc.dbid = self._db.indexes.bump("htlcs", "created", partial(self._waited, htlc))
        self._db.execute_sql(
            "INSERT INTO channel_htlcs (id, channel_id, channel_htlc_id, direction, origin_htlc,"
            " origin_payment, msatoshi, cltv_expiry, payment_hash, routing_onion, path_key, hstate,"
            " received_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                htlc.dbid,
                htlc.channel_dbid,
                htlc.id,
                int(htlc.offered_by_us),
                htlc.origin_htlc,
                htlc.origin_payment,
                htlc.amount.msat,
                htlc.cltv_expiry,
                htlc.payment_hash,
                # The onion of one that we offer is in the updates we sent; nobody reads it again.
                b"" if htlc.offered_by_us else htlc.onion,
                htlc.path_key,
                int(htlc.state),
                htlc.received_time,
            ),
        )

    def _updated(self, htlc: LiveHtlc) -> int:
        return self._db.indexes.bump("htlcs", "updated", partial(self._waited, htlc))

    def _waited(self, htlc: LiveHtlc) -> Row:
        """What command `wait` tells of an HTLC."""
        channel = self._rows(
            "SELECT scid, alias_local FROM channels WHERE id=?", htlc.channel_dbid
        )[0]
        return {
            "state": htlc.state.name,
            "short_channel_id": str(
                read_scid(channel["scid"]) or read_scid(channel["alias_local"])
            ),
            "direction": "out" if htlc.offered_by_us else "in",
            "htlc_id": htlc.id,
            "cltv_expiry": htlc.cltv_expiry,
            "payment_hash": htlc.payment_hash.hex(),
            "amount_msat": htlc.amount.msat,
        }

    def save_htlc_states(self, htlcs: Iterable[LiveHtlc]) -> None:
        """New states, and of received ones the onion's shared secret, which comes with a state.

        A dead one's onion is dropped: it is 1366 bytes that nobody reads again.
        """
        dead: list[tuple[object, ...]] = []
        alive: list[tuple[object, ...]] = []
        now = time.time()
        for htlc in htlcs:
            state, index = int(htlc.state), self._updated(htlc)
            if hs.is_dead(htlc.state):
                dead.append((state, now, index, htlc.dbid))
            else:
                alive.append((state, htlc.shared_secret, index, htlc.dbid))
        if dead:
            self._db.execute_each(
                "UPDATE channel_htlcs SET hstate=?, routing_onion=x'', resolved_time=?,"
                " updated_index=? WHERE id=?",
                dead,
            )
        if alive:
            self._db.execute_each(
                "UPDATE channel_htlcs SET hstate=?, shared_secret=?, updated_index=? WHERE id=?",
                alive,
            )

    def save_htlc_resolution(self, htlc: LiveHtlc) -> None:
        """How it ends: a preimage, a failure, or that its onion was malformed."""
        self._db.execute_sql(
            "UPDATE channel_htlcs SET payment_key=?, failuremsg=?, malformed_onion=?,"
            " malformed_sha256=?, hstate=?, updated_index=? WHERE id=?",
            (
                htlc.preimage,
                htlc.failure_onion,
                htlc.malformed_code,
                htlc.malformed_sha256,
                int(htlc.state),
                self._updated(htlc),
                htlc.dbid,
            ),
        )
