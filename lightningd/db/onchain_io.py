"""Rows of channels that are on the chain. Writes belong to the turn that is running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import HtlcState, is_dead
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire.onchaind_wire import OnchainHtlc

_CLAIM_COLUMNS = "kind, tx, fee_satoshi, feerate_perkw, sent_height"


@dataclass(frozen=True, slots=True)
class Spend:
    """A transaction in the block at `height` that spends `outpoint`."""

    outpoint: Outpoint
    tx: Tx
    height: int


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """The transaction we made last to take an output, or several."""

    kind: str
    tx: Tx
    fee: Sat
    feerate_perkw: int
    """What it was made for."""
    sent_height: int
    """The newest block when it was first sent; of an anchor's child: when its commitment was."""


class OnchainStore:
    """Reads and writes them."""

    def __init__(self, db: Any) -> None:
        self._db = db

    # Spends

    def spends(self, dbid: int) -> list[Spend]:
        """What is known of a channel, in the order it came."""
        cursor = self._db.execute_sql(
            "SELECT txid, outnum, spender, blockheight FROM onchain_spends WHERE channel_id=?"
            " ORDER BY blockheight, id",
            (dbid,),
        )
        txs: dict[bytes, Tx] = {}
        found = []
        for txid, outnum, spender, height in cursor.fetchall():
            key = bytes(spender)
            if key not in txs:
                txs[key] = self._tx(dbid, key)
            found.append(Spend(Outpoint(Txid(bytes(txid)), outnum), txs[key], height))
        return found

    def _tx(self, dbid: int, txid: bytes) -> Tx:
        row = self._db.execute_sql(
            "SELECT tx FROM onchain_txs WHERE channel_id=? AND txid=?", (dbid, txid)
        ).fetchone()
        return Tx.parse(bytes(row[0]))

    def spend_of(self, dbid: int, outpoint: Outpoint) -> Spend | None:
        """What spends an output."""
        row = self._db.execute_sql(
            "SELECT spender, blockheight FROM onchain_spends"
            " WHERE channel_id=? AND txid=? AND outnum=?",
            (dbid, outpoint.txid, outpoint.index),
        ).fetchone()
        return None if row is None else Spend(outpoint, self._tx(dbid, bytes(row[0])), row[1])

    def spender_of(self, dbid: int, outpoint: Outpoint) -> tuple[Txid, int] | None:
        """The same without the transaction: its txid and the height of its block."""
        row = self._db.execute_sql(
            "SELECT spender, blockheight FROM onchain_spends"
            " WHERE channel_id=? AND txid=? AND outnum=?",
            (dbid, outpoint.txid, outpoint.index),
        ).fetchone()
        return None if row is None else (Txid(bytes(row[0])), row[1])

    def spent_outpoints(self, dbid: int) -> set[Outpoint]:
        """Outputs that a block has spent."""
        cursor = self._db.execute_sql(
            "SELECT txid, outnum FROM onchain_spends WHERE channel_id=?", (dbid,)
        )
        return {Outpoint(Txid(bytes(r[0])), r[1]) for r in cursor.fetchall()}

    def put_spend(self, dbid: int, spend: Spend, txid: Txid | None = None) -> None:
        """A block holds it; another one that spent the same output does not count any more.

        `txid`: of the transaction, where it is known already.
        """
        spender = txid or spend.tx.txid()
        self._db.execute_sql(
            "INSERT INTO onchain_spends (channel_id, txid, outnum, spender, blockheight)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel_id, txid, outnum) DO UPDATE SET"
            " spender=excluded.spender, blockheight=excluded.blockheight",
            (dbid, spend.outpoint.txid, spend.outpoint.index, spender, spend.height),
        )
        known = self._db.execute_sql(
            "SELECT 1 FROM onchain_txs WHERE channel_id=? AND txid=?", (dbid, spender)
        ).fetchone()
        if known is None:
            self._db.execute_sql(
                "INSERT INTO onchain_txs (channel_id, txid, tx) VALUES (?, ?, ?)",
                (dbid, spender, spend.tx.serialize()),
            )

    def undo_block(self, height: int) -> list[int]:
        """Forget what blocks from `height` on held. Returns the channels that this concerns."""
        cursor = self._db.execute_sql(
            "SELECT DISTINCT channel_id FROM onchain_spends WHERE blockheight>=?", (height,)
        )
        dbids = [int(row[0]) for row in cursor.fetchall()]
        if dbids:
            self._db.execute_sql("DELETE FROM onchain_spends WHERE blockheight>=?", (height,))
        return dbids

    def forget(self, dbid: int) -> None:
        """All is resolved."""
        for table in ("onchain_spends", "onchain_txs", "onchain_claims", "onchain_sweeps"):
            self._db.execute_sql(f"DELETE FROM {table} WHERE channel_id=?", (dbid,))  # noqa: S608

    # Claims

    def claim(self, dbid: int, outpoint: Outpoint) -> StoredClaim | None:
        """Our last transaction for an output."""
        row = self._db.execute_sql(
            f"SELECT {_CLAIM_COLUMNS} FROM onchain_claims"
            " WHERE channel_id=? AND txid=? AND outnum=?",
            (dbid, outpoint.txid, outpoint.index),
        ).fetchone()
        return None if row is None else _claim(row)

    def claims(self, dbid: int) -> list[tuple[Outpoint, StoredClaim]]:
        """All of them, by the output under which each is kept: that of its first input."""
        cursor = self._db.execute_sql(
            f"SELECT {_CLAIM_COLUMNS}, txid, outnum FROM onchain_claims WHERE channel_id=?",
            (dbid,),
        )
        return [(Outpoint(Txid(bytes(r[5])), r[6]), _claim(r)) for r in cursor.fetchall()]

    def drop_claim(self, dbid: int, outpoint: Outpoint) -> None:
        """It is kept under another output from now on."""
        self._db.execute_sql(
            "DELETE FROM onchain_claims WHERE channel_id=? AND txid=? AND outnum=?",
            (dbid, outpoint.txid, outpoint.index),
        )

    def put_claim(self, dbid: int, outpoint: Outpoint, claim: StoredClaim) -> None:
        """Remember it before it is broadcast."""
        self._db.execute_sql(
            f"INSERT INTO onchain_claims (channel_id, txid, outnum, {_CLAIM_COLUMNS})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel_id, txid, outnum) DO UPDATE SET"
            " kind=excluded.kind, tx=excluded.tx, fee_satoshi=excluded.fee_satoshi,"
            " feerate_perkw=excluded.feerate_perkw, sent_height=excluded.sent_height",
            (
                dbid,
                outpoint.txid,
                outpoint.index,
                claim.kind,
                claim.tx.serialize(),
                claim.fee.sat,
                claim.feerate_perkw,
                claim.sent_height,
            ),
        )

    def sweep_key(self, dbid: int) -> int | None:
        """The wallet key that a channel's claims pay to; None until one is chosen."""
        row = self._db.execute_sql(
            "SELECT keyidx FROM onchain_sweeps WHERE channel_id=?", (dbid,)
        ).fetchone()
        return None if row is None else int(row[0])

    def set_sweep_key(self, dbid: int, index: int) -> None:
        """Choose it, once."""
        self._db.execute_sql(
            "INSERT INTO onchain_sweeps (channel_id, keyidx) VALUES (?, ?)", (dbid, index)
        )

    # HTLCs

    def old_htlcs(self, dbid: int) -> list[OnchainHtlc]:
        """Dead HTLCs of a channel: outputs of a revoked commitment may be theirs. Each kind of output once."""
        cursor = self._db.execute_sql(
            "SELECT MAX(channel_htlc_id), direction, msatoshi, payment_hash, cltv_expiry FROM channel_htlcs"
            " WHERE channel_id=? AND hstate IN (?, ?)"
            " GROUP BY direction, msatoshi, payment_hash, cltv_expiry",
            (
                dbid,
                int(HtlcState.RCVD_REMOVE_ACK_REVOCATION),
                int(HtlcState.SENT_REMOVE_ACK_REVOCATION),
            ),
        )
        return [
            OnchainHtlc(
                id=row[0],
                offered_by_us=bool(row[1]),
                amount=Msat(row[2]),
                payment_hash=bytes(row[3]),
                cltv_expiry=row[4],
                preimage=None,
                live=False,
                deadline=0,
            )
            for row in cursor.fetchall()
        ]

    def bury_htlcs(self, dbid: int) -> None:
        """The channel is over, and so is every HTLC of it."""
        for direction, state in (
            (1, HtlcState.RCVD_REMOVE_ACK_REVOCATION),
            (0, HtlcState.SENT_REMOVE_ACK_REVOCATION),
        ):
            assert is_dead(state)
            cursor = self._db.execute_sql(
                "SELECT id FROM channel_htlcs WHERE channel_id=? AND direction=? AND hstate<>?"
                " ORDER BY id",
                (dbid, direction, int(state)),
            )
            for (row_id,) in cursor.fetchall():
                told = {"state": state.name, "direction": "out" if direction else "in"}
                updated = self._db.indexes.bump("htlcs", "updated", told.copy)
                self._db.execute_sql(
                    "UPDATE channel_htlcs SET hstate=?, routing_onion=x'', updated_index=?"
                    " WHERE id=?",
                    (int(state), updated, row_id),
                )


def _claim(row: tuple[Any, ...]) -> StoredClaim:
    kind, tx, fee, feerate_perkw, sent_height = row[:5]
    return StoredClaim(kind, Tx.parse(bytes(tx)), Sat(fee), feerate_perkw, sent_height)
