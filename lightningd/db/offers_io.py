"""Rows of offers and of published invoice requests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


class OfferStatus(IntFlag):
    """CLN's bits."""

    ACTIVE = 1
    SINGLE_USE = 2
    USED = 4


@dataclass(slots=True, kw_only=True)
class OfferRow:
    """An offer, or an invoice request."""

    id: bytes
    bolt12: str
    label: str | None
    status: OfferStatus
    force_paths: bool = False
    """Its paths were named by the user; invoices are to use the same nodes. Of offers only."""

    @property
    def active(self) -> bool:
        """Whether it may be taken up."""
        return bool(self.status & OfferStatus.ACTIVE)

    @property
    def single_use(self) -> bool:
        """Whether it ends when it was paid once."""
        return bool(self.status & OfferStatus.SINGLE_USE)

    @property
    def used(self) -> bool:
        """Whether it was paid."""
        return bool(self.status & OfferStatus.USED)


Kind = Literal["offers", "invoicerequests"]
_ID: dict[Kind, str] = {"offers": "offer_id", "invoicerequests": "invreq_id"}


class OfferStore:
    """Reads and writes both tables; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def insert(self, kind: Kind, row: OfferRow) -> None:
        """A new one."""
        names, values = [_ID[kind], "bolt12", "label", "status"], [row.id, row.bolt12, row.label]
        values.append(int(row.status))  # type: ignore[arg-type]  # one row of several types
        if kind == "offers":
            names.append("force_paths")
            values.append(int(row.force_paths))  # type: ignore[arg-type]  # as above
        marks = ", ".join("?" * len(names))
        self._db.execute_sql(
            f"INSERT INTO {kind} ({', '.join(names)}) VALUES ({marks})", tuple(values)
        )

    def set_status(self, kind: Kind, row: OfferRow) -> None:
        """Write down a changed status."""
        self._db.execute_sql(
            f"UPDATE {kind} SET status=? WHERE {_ID[kind]}=?", (int(row.status), row.id)
        )

    def get(self, kind: Kind, id: bytes) -> OfferRow | None:
        """By id."""
        found = self._select(kind, f"WHERE {_ID[kind]}=?", (id,))
        return found[0] if found else None

    def all(self, kind: Kind) -> list[OfferRow]:
        """All of them, oldest first."""
        return self._select(kind, "ORDER BY rowid", ())

    def _select(self, kind: Kind, rest: str, values: tuple[object, ...]) -> list[OfferRow]:
        paths = ", force_paths" if kind == "offers" else ", 0"
        cursor = self._db.execute_sql(
            f"SELECT {_ID[kind]}, bolt12, label, status{paths} FROM {kind} {rest}", values
        )
        return [
            OfferRow(
                id=bytes(row[0]),
                bolt12=row[1],
                label=row[2],
                status=OfferStatus(row[3]),
                force_paths=bool(row[4]),
            )
            for row in cursor.fetchall()
        ]
