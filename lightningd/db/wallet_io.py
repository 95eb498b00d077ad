"""Rows of the wallet: coins, addresses, transactions, and what happened on chain to channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import NodeId, Outpoint, Txid
from pylightningd.lightningd.db import vars_io
from pylightningd.lightningd.wallet.coin import CloseInfo, Coin

_COIN_COLUMNS = (
    "txid, outnum, satoshis, scriptpubkey, keyindex, blockheight, txindex, spendheight, spending_txid,"
    " reserved_til, channel_dbid, peer_id, csv"
)


@dataclass(frozen=True, slots=True)
class StoredTx:
    """A transaction that concerns us."""

    txid: Txid
    tx: Tx
    height: int | None
    tx_index: int | None


@dataclass(frozen=True, slots=True)
class ChannelTx:
    """Something that happened on chain to a channel: a transaction seen, or an output of it spent."""

    type: int
    txid: Txid
    input_index: int
    height: int


class WalletStore:
    """Reads and writes the wallet's tables; writes belong to the turn that is running."""

    def __init__(self, db: Any) -> None:
        self._db = db

    # Addresses

    def max_index(self, name: str) -> int:
        """Last key index given out or seen used; `name` is the variable."""
        return vars_io.get_int(self._db, name)

    def set_max_index(self, name: str, index: int) -> None:
        """Remember it."""
        vars_io.set_int(self._db, name, index)

    def add_address(self, index: int, addrtype: int) -> None:
        """A key was given out."""
        self._db.execute_sql(
            "INSERT INTO addresses (keyidx, addrtype) VALUES (?, ?)", (index, addrtype)
        )

    def addresses(self, start: int, limit: int | None) -> list[tuple[int, int]]:
        """Keys given out from index `start` on, with their types."""
        cursor = self._db.execute_sql(
            "SELECT keyidx, addrtype FROM addresses WHERE keyidx >= ? ORDER BY keyidx LIMIT ?",
            (start, -1 if limit is None else limit),
        )
        return [(int(row[0]), int(row[1])) for row in cursor.fetchall()]

    # Coins

    def put(self, coin: Coin) -> bool:
        """Add a coin, or tell where one is confirmed that we know. Returns whether it is new."""
        known = self.get(coin.outpoint)
        if known is not None and coin.height is None:
            return False
        if known is not None:
            self._db.execute_sql(
                "UPDATE our_outputs SET blockheight=?, txindex=? WHERE txid=? AND outnum=?",
                (coin.height or 0, coin.tx_index, *_key(coin.outpoint)),
            )
            return False
        close = coin.close
        self._db.execute_sql(
            f"INSERT INTO our_outputs ({_COIN_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                *_key(coin.outpoint),
                coin.amount.sat,
                coin.script,
                coin.key_index,
                coin.height or 0,
                coin.tx_index,
                coin.spend_height,
                coin.spending_txid,
                coin.reserved_til,
                None if close is None else close.dbid,
                None if close is None else close.peer_id,
                None if close is None else close.csv,
            ),
        )
        return True

    def get(self, outpoint: Outpoint) -> Coin | None:
        """A coin, spent or not."""
        found = self._coins("WHERE txid=? AND outnum=?", _key(outpoint))
        return found[0] if found else None

    def unspent(self) -> list[Coin]:
        """Coins that no block spends, by age."""
        return self._coins("WHERE spendheight IS NULL")

    def all(self) -> list[Coin]:
        """Spent ones too."""
        return self._coins("")

    def of_tx(self, txid: Txid) -> list[Coin]:
        """Coins that a transaction made."""
        return self._coins("WHERE txid=?", (txid,))

    def spent_by(self, txid: Txid) -> list[Coin]:
        """Coins that a transaction spends."""
        return self._coins("WHERE spending_txid=?", (txid,))

    def _coins(self, where: str, params: Iterable[Any] = ()) -> list[Coin]:
        # Unconfirmed ones last; within a block by their place, so that the order never depends on chance.
        cursor = self._db.execute_sql(
            f"SELECT {_COIN_COLUMNS} FROM our_outputs {where}"
            " ORDER BY blockheight = 0, blockheight, txindex, txid, outnum",
            tuple(params),
        )
        return [_coin(row) for row in cursor.fetchall()]

    def set_reserved(self, outpoint: Outpoint, til: int) -> None:
        """Set aside up to this height."""
        self._db.execute_sql(
            "UPDATE our_outputs SET reserved_til=? WHERE txid=? AND outnum=?",
            (til, *_key(outpoint)),
        )

    def set_spending(self, outpoint: Outpoint, txid: Txid | None) -> None:
        """A transaction that spends it is on its way, or was given up."""
        self._db.execute_sql(
            "UPDATE our_outputs SET spending_txid=? WHERE txid=? AND outnum=?",
            (txid, *_key(outpoint)),
        )

    def set_spent(self, outpoint: Outpoint, txid: Txid, height: int) -> None:
        """A block spends it."""
        self._db.execute_sql(
            "UPDATE our_outputs SET spending_txid=?, spendheight=? WHERE txid=? AND outnum=?",
            (txid, height, *_key(outpoint)),
        )

    def delete(self, outpoint: Outpoint) -> None:
        """It will never exist."""
        self._db.execute_sql("DELETE FROM our_outputs WHERE txid=? AND outnum=?", _key(outpoint))

    def undo_block(self, height: int) -> None:
        """A block went: what it spent is unspent (its spender on its way again), what it made unconfirmed."""
        sql = self._db.execute_sql
        sql("UPDATE our_outputs SET spendheight=NULL WHERE spendheight=?", (height,))
        # A coinbase output is gone for good with its block.
        sql("DELETE FROM our_outputs WHERE blockheight=? AND txindex=0", (height,))
        sql("DELETE FROM transactions WHERE blockheight=? AND txindex=0", (height,))
        sql("UPDATE our_outputs SET blockheight=0, txindex=0 WHERE blockheight=?", (height,))
        sql("UPDATE transactions SET blockheight=NULL, txindex=NULL WHERE blockheight=?", (height,))

    # Transactions

    def put_tx(
        self, txid: Txid, tx: Tx, height: int | None = None, tx_index: int | None = None
    ) -> None:
        """Keep a transaction, or tell where it is confirmed."""
        self._db.execute_sql(
            "INSERT INTO transactions (id, blockheight, txindex, rawtx) VALUES (?,?,?,?)"
            " ON CONFLICT (id) DO UPDATE SET blockheight=COALESCE(excluded.blockheight, blockheight),"
            " txindex=COALESCE(excluded.txindex, txindex), rawtx=excluded.rawtx",
            (txid, height, tx_index, tx.serialize()),
        )

    def get_tx(self, txid: Txid) -> StoredTx | None:
        """One of them."""
        found = self._txs("WHERE id=?", (txid,))
        return found[0] if found else None

    def txs(self) -> list[StoredTx]:
        """All, in the order of the chain; unconfirmed ones last."""
        return self._txs("")

    def unconfirmed_txs(self) -> list[StoredTx]:
        """Those that no block holds."""
        return self._txs("WHERE blockheight IS NULL")

    def unconfirmed_spenders(self, outpoint: Outpoint) -> list[Txid]:
        """Transactions that no block holds and that spend this."""
        return [
            stored.txid
            for stored in self.unconfirmed_txs()
            if any(txin.outpoint == outpoint for txin in stored.tx.inputs)
        ]

    def delete_tx(self, txid: Txid) -> None:
        """It will never be in a block. One that is in one stays."""
        self._db.execute_sql("DELETE FROM transactions WHERE id=? AND blockheight IS NULL", (txid,))
        self._db.execute_sql("DELETE FROM sent_all WHERE txid=?", (txid,))

    def set_sent_all(self, txid: Txid, index: int) -> None:
        """This output of it takes what is left."""
        self._db.execute_sql(
            "INSERT INTO sent_all (txid, outnum) VALUES (?,?)"
            " ON CONFLICT (txid) DO UPDATE SET outnum=excluded.outnum",
            (txid, index),
        )

    def sent_all(self, txid: Txid) -> int | None:
        """The output that takes what is left, if there is one."""
        row = self._db.execute_sql("SELECT outnum FROM sent_all WHERE txid=?", (txid,)).fetchone()
        return None if row is None else int(row[0])

    def set_replaced(self, txid: Txid, by: Txid) -> None:
        """We have sent another one in its place."""
        self._db.execute_sql(
            "INSERT INTO tx_replacements (txid, replaced_by) VALUES (?,?)"
            " ON CONFLICT (txid) DO UPDATE SET replaced_by=excluded.replaced_by",
            (txid, by),
        )

    def replaced_by(self, txid: Txid) -> Txid | None:
        """What we sent in its place."""
        row = self._db.execute_sql(
            "SELECT replaced_by FROM tx_replacements WHERE txid=?", (txid,)
        ).fetchone()
        return None if row is None else Txid(bytes(row[0]))

    def _txs(self, where: str, params: tuple[Any, ...] = ()) -> list[StoredTx]:
        cursor = self._db.execute_sql(
            f"SELECT id, rawtx, blockheight, txindex FROM transactions {where}"
            " ORDER BY blockheight IS NULL, blockheight, txindex, rowid",
            params,
        )
        return [
            StoredTx(Txid(bytes(row[0])), Tx.parse(bytes(row[1])), row[2], row[3])
            for row in cursor.fetchall()
        ]

    # What happened to channels

    def add_channel_tx(self, dbid: int, event: ChannelTx) -> None:
        """Remember it for onchaind."""
        self._db.execute_sql(
            "INSERT INTO channeltxs (channel_id, type, transaction_id, input_num, blockheight)"
            " VALUES (?,?,?,?,?)",
            (dbid, event.type, event.txid, event.input_index, event.height),
        )

    def channel_txs(self, dbid: int) -> list[ChannelTx]:
        """What happened to a channel, in order."""
        cursor = self._db.execute_sql(
            "SELECT type, transaction_id, input_num, blockheight FROM channeltxs WHERE channel_id=?"
            " ORDER BY id",
            (dbid,),
        )
        return [ChannelTx(int(r[0]), Txid(bytes(r[1])), int(r[2]), int(r[3])) for r in cursor]

    def delete_channel_txs(self, dbid: int, from_height: int = 0) -> None:
        """Forget what blocks from that height on did to a channel."""
        self._db.execute_sql(
            "DELETE FROM channeltxs WHERE channel_id=? AND blockheight>=?", (dbid, from_height)
        )


def _key(outpoint: Outpoint) -> tuple[bytes, int]:
    return outpoint.txid, outpoint.index


def _coin(row: tuple[Any, ...]) -> Coin:
    close = None
    if row[10] is not None:
        close = CloseInfo(int(row[10]), NodeId(bytes(row[11])), int(row[12] or 0))
    return Coin(
        outpoint=Outpoint(Txid(bytes(row[0])), int(row[1])),
        amount=Sat(int(row[2])),
        script=bytes(row[3]),
        key_index=int(row[4]),
        height=int(row[5]) or None,
        tx_index=int(row[6]),
        spend_height=row[7],
        spending_txid=None if row[8] is None else Txid(bytes(row[8])),
        reserved_til=int(row[9]),
        close=close,
    )
