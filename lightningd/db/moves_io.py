"""Rows of what moved the node's money, on the chain and in channels. They are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.ids import NodeId, Outpoint, Txid
from pylightningd.lightningd.db.indexes_io import Window
from pylightningd.lightningd.db.wide import from_column, to_column

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMove:
    """Money that a transaction in a block moved. `account`: "wallet", "external", or a channel_id in hex."""

    id: int = 0
    account: str
    tags: tuple[str, ...]
    """The first one says what it is."""
    credit: Msat = Msat(0)
    debit: Msat = Msat(0)
    timestamp: int
    outpoint: Outpoint
    spending_txid: Txid | None = None
    peer_id: NodeId | None = None
    payment_hash: bytes | None = None
    height: int
    """Of the block; 0 while there is none."""
    output: Sat
    """The whole output."""
    originating_account: str | None = None
    output_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMove:
    """Money that moved inside a channel."""

    id: int = 0
    account: str
    tag: str
    credit: Msat = Msat(0)
    debit: Msat = Msat(0)
    timestamp: int
    payment_hash: bytes | None = None
    part: tuple[int, int] | None = None
    """partid and groupid of a payment of ours."""
    fees: Msat = Msat(0)


class MoveStore:
    """Reads and writes moves; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def add_chain(self, move: ChainMove) -> int | None:
        """A new row's id; None where the same was written before (blocks are read again after a restart)."""
        spender = move.spending_txid or b""
        known = self._db.execute_sql(
            "SELECT tags FROM chain_moves WHERE txid=? AND outnum=? AND account=? AND spending_txid=?",
            (move.outpoint.txid, move.outpoint.index, move.account, spender),
        ).fetchall()
        if any(row[0].split()[0] == move.tags[0] for row in known):
            return None
        row_id: int = self._db.indexes.bump("chainmoves", "created", lambda: _waited(move))
        self._db.execute_sql(
            "INSERT INTO chain_moves (id, account, tags, credit, debit, timestamp, txid, outnum,"
            " spending_txid, peer_id, payment_hash, block_height, output_sat, originating_account,"
            " output_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row_id,
                move.account,
                " ".join(move.tags),
                move.credit.msat,
                move.debit.msat,
                move.timestamp,
                move.outpoint.txid,
                move.outpoint.index,
                spender,
                move.peer_id,
                move.payment_hash,
                move.height,
                move.output.sat,
                move.originating_account,
                move.output_count,
            ),
        )
        return row_id

    def add_channel(self, move: ChannelMove) -> int:
        """A new row's id."""
        row_id: int = self._db.indexes.bump("channelmoves", "created", lambda: _waited(move))
        part = (None, None) if move.part is None else tuple(map(to_column, move.part))
        self._db.execute_sql(
            "INSERT INTO channel_moves (id, account, tag, credit, debit, timestamp, payment_hash,"
            " payment_part_id, payment_group_id, fees) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row_id,
                move.account,
                move.tag,
                move.credit.msat,
                move.debit.msat,
                move.timestamp,
                move.payment_hash,
                *part,
                move.fees.msat,
            ),
        )
        return row_id

    def chain(self, window: Window) -> list[ChainMove]:
        """On-chain moves, oldest first."""
        return [_chain(row) for row in self._rows("chain_moves", window)]

    def channel(self, window: Window) -> list[ChannelMove]:
        """Moves inside channels, oldest first."""
        return [_channel(row) for row in self._rows("channel_moves", window)]

    def _rows(self, table: str, window: Window) -> list[dict[str, Any]]:
        ending, values = window.sql()
        cursor = self._db.execute_sql(f"SELECT * FROM {table} WHERE {ending}", values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    # What a move inside a channel is about

    def origin_amount(self, htlc_dbid: int) -> Msat | None:
        """What a received HTLC brought, dead or alive."""
        row = self._db.execute_sql(
            "SELECT msatoshi FROM channel_htlcs WHERE id=?", (htlc_dbid,)
        ).fetchone()
        return None if row is None else Msat(row[0])

    def forwarded_amount(self, htlc_dbid: int) -> Msat | None:
        """What the paid HTLC carried that we offered to forward a received one; None if it was for us."""
        row = self._db.execute_sql(
            "SELECT msatoshi FROM channel_htlcs WHERE origin_htlc=? AND payment_key IS NOT NULL"
            " ORDER BY id DESC LIMIT 1",
            (htlc_dbid,),
        ).fetchone()
        return None if row is None else Msat(row[0])

    def part(self, part_id: int) -> tuple[int, int, Msat | None] | None:
        """partid, groupid and what the destination gets, of a payment of ours."""
        row = self._db.execute_sql(
            "SELECT partid, groupid, msatoshi FROM payments WHERE id=?", (part_id,)
        ).fetchone()
        if row is None:
            return None
        amount = None if row[2] is None else Msat(row[2])
        return from_column(row[0]), from_column(row[1]), amount


def _waited(move: ChainMove | ChannelMove) -> dict[str, Any]:
    """What command `wait` tells of a move."""
    return {
        "account": move.account,
        "credit_msat": move.credit.msat,
        "debit_msat": move.debit.msat,
    }


def _chain(row: dict[str, Any]) -> ChainMove:
    return ChainMove(
        id=row["id"],
        account=row["account"],
        tags=tuple(row["tags"].split()),
        credit=Msat(row["credit"]),
        debit=Msat(row["debit"]),
        timestamp=row["timestamp"],
        outpoint=Outpoint(Txid(row["txid"]), row["outnum"]),
        spending_txid=Txid(row["spending_txid"]) if row["spending_txid"] else None,
        peer_id=None if row["peer_id"] is None else NodeId(row["peer_id"]),
        payment_hash=row["payment_hash"],
        height=row["block_height"],
        output=Sat(row["output_sat"]),
        originating_account=row["originating_account"],
        output_count=row["output_count"],
    )


def _channel(row: dict[str, Any]) -> ChannelMove:
    part = None
    if row["payment_part_id"] is not None:
        part = from_column(row["payment_part_id"]), from_column(row["payment_group_id"])
    return ChannelMove(
        id=row["id"],
        account=row["account"],
        tag=row["tag"],
        credit=Msat(row["credit"]),
        debit=Msat(row["debit"]),
        timestamp=row["timestamp"],
        payment_hash=row["payment_hash"],
        part=part,
        fees=Msat(row["fees"]),
    )
