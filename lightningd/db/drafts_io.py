"""Which coins are reserved for a transaction that exists in memory only: a start after a crash frees them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.db import vars_io

_NEXT = "next_draft"
_PREFIX = "draft:"
_COIN = struct.Struct(">32sI")
_HEAD = struct.Struct(">I")


class DraftStore:
    """Rows in `vars`, one for each draft that was neither given up nor recorded as sent. Called inside turns."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def add(self, outpoints: Iterable[Outpoint], blocks: int) -> int:
        """Coins were reserved for so many blocks; returns the draft's number."""
        number = vars_io.get_int(self._db, _NEXT) + 1
        vars_io.set_int(self._db, _NEXT, number)
        coins = b"".join(_COIN.pack(o.txid, o.index) for o in outpoints)
        vars_io.set_blob(self._db, f"{_PREFIX}{number}", _HEAD.pack(blocks) + coins)
        return number

    def remove(self, number: int) -> None:
        """The draft is over, one way or the other."""
        self._db.execute_sql("DELETE FROM vars WHERE name=?", (f"{_PREFIX}{number}",))

    def left(self) -> list[tuple[int, int, list[Outpoint]]]:
        """Number, blocks and coins of each that is there."""
        rows = self._db.execute_sql(
            "SELECT name, blobval FROM vars WHERE name LIKE ? ORDER BY name", (f"{_PREFIX}%",)
        ).fetchall()
        return [
            (
                int(name.removeprefix(_PREFIX)),
                _HEAD.unpack_from(raw)[0],
                [Outpoint(Txid(t), i) for t, i in _COIN.iter_unpack(bytes(raw)[_HEAD.size :])],
            )
            for name, raw in rows
        ]
