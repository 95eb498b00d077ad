"""Rows of invoices, to and from `InvoiceRow`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.lightningd.db.indexes_io import EVERYTHING, Window

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


_COLUMNS = (
    "id, state, label, payment_hash, payment_key, payment_secret, msatoshi, expiry_time, bolt11,"
    " description, min_final_cltv, pay_index, msatoshi_received, paid_timestamp, local_offer_id,"
    " updated_index"
)


class InvoiceState(IntEnum):
    """CLN's numbers; in lower case the words of listinvoices."""

    UNPAID = 0
    PAID = 1
    EXPIRED = 2


@dataclass(slots=True, kw_only=True)
class InvoiceRow:
    """One invoice."""

    id: int = 0
    state: InvoiceState = InvoiceState.UNPAID
    label: str
    payment_hash: bytes
    preimage: bytes
    payment_secret: bytes
    amount: Msat | None
    """None: any amount."""
    expires_at: int
    bolt11: str | None
    description: str | None
    min_final_cltv: int
    """Blocks."""
    pay_index: int | None = None
    received: Msat | None = None
    paid_at: int | None = None
    local_offer_id: bytes | None = None
    updated_index: int = 0

    @property
    def is_bolt12(self) -> bool:
        """Whether its text is a BOLT 12 one; `payment_secret` is then the path_id of its blinded paths."""
        return self.bolt11 is not None and self.bolt11.startswith("lni")


class InvoiceStore:
    """Reads and writes invoices; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def insert(self, invoice: InvoiceRow) -> None:
        """A new one; sets its id."""
        invoice.id = self._db.indexes.bump(
            "invoices", "created", lambda: _waited(invoice, invstring=True)
        )
        self._db.execute_sql(
            "INSERT INTO invoices (id, state, msatoshi, payment_hash, payment_key, payment_secret,"
            " label, expiry_time, bolt11, description, min_final_cltv, local_offer_id, updated_index)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                invoice.id,
                int(invoice.state),
                None if invoice.amount is None else invoice.amount.msat,
                invoice.payment_hash,
                invoice.preimage,
                invoice.payment_secret,
                invoice.label,
                invoice.expires_at,
                invoice.bolt11,
                invoice.description,
                invoice.min_final_cltv,
                invoice.local_offer_id,
            ),
        )

    def save(self, invoice: InvoiceRow) -> None:
        """What can change."""
        invoice.updated_index = self._db.indexes.bump(
            "invoices", "updated", lambda: _waited(invoice)
        )
        self._db.execute_sql(
            "UPDATE invoices SET state=?, pay_index=?, msatoshi_received=?, paid_timestamp=?,"
            " description=?, updated_index=? WHERE id=?",
            (
                int(invoice.state),
                invoice.pay_index,
                None if invoice.received is None else invoice.received.msat,
                invoice.paid_at,
                invoice.description,
                invoice.updated_index,
                invoice.id,
            ),
        )

    def delete(self, invoice: InvoiceRow) -> None:
        """Forget one."""
        self._db.indexes.bump("invoices", "deleted", lambda: _waited(invoice, invstring=True))
        self._db.execute_sql("DELETE FROM invoices WHERE id=?", (invoice.id,))

    def next_pay_index(self) -> int:
        """One more than any invoice has, deleted ones included."""
        self._db.execute_sql(
            "INSERT INTO vars (name, intval) VALUES ('next_pay_index', 2)"
            " ON CONFLICT (name) DO UPDATE SET intval=intval+1"
        )
        cursor = self._db.execute_sql("SELECT intval FROM vars WHERE name='next_pay_index'")
        return int(cursor.fetchone()[0]) - 1

    def expire(self, now: int) -> list[InvoiceRow]:
        """Mark what is past its time; returns those."""
        late = self._select("state=0 AND expiry_time<=?", now)
        for invoice in late:
            invoice.state = InvoiceState.EXPIRED
            self.save(invoice)
        return late

    def expire_offer(self, offer_id: bytes) -> list[InvoiceRow]:
        """Mark what is unpaid of an offer; returns those."""
        ended = self._select("state=0 AND local_offer_id=?", offer_id)
        for invoice in ended:
            invoice.state = InvoiceState.EXPIRED
            self.save(invoice)
        return ended

    def next_expiry(self) -> int | None:
        """When the next unpaid invoice expires."""
        cursor = self._db.execute_sql("SELECT MIN(expiry_time) FROM invoices WHERE state=0")
        value = cursor.fetchone()[0]
        return None if value is None else int(value)

    def by_label(self, label: str) -> InvoiceRow | None:
        """The invoice of that label."""
        return self._one("label=?", label)

    def by_hash(self, payment_hash: bytes) -> InvoiceRow | None:
        """The invoice of that payment_hash."""
        return self._one("payment_hash=?", payment_hash)

    def like(self, label: str, payment_hash: bytes) -> InvoiceRow | None:
        """The invoice of that label; if there is none, the one of that payment_hash."""
        found = self._select(
            "label=? OR payment_hash=? ORDER BY label<>?", label, payment_hash, label
        )
        return found[0] if found else None

    def by_string(self, text: str) -> InvoiceRow | None:
        """The invoice of that BOLT 11 string."""
        return self._one("bolt11=?", text)

    def paid_after(self, pay_index: int) -> InvoiceRow | None:
        """The first that was paid after the one of that pay_index."""
        found = self._select("pay_index>? ORDER BY pay_index LIMIT 1", pay_index)
        return found[0] if found else None

    def all(self) -> list[InvoiceRow]:
        """Every invoice, oldest first."""
        return self.listed(EVERYTHING)

    def listed(self, window: Window, offer_id: bytes | None = None) -> list[InvoiceRow]:
        """Those of this part of the list, and of this offer if one is given."""
        ending, values = window.sql()
        if offer_id is None:
            return self._select(ending, *values)
        return self._select(f"local_offer_id=? AND {ending}", offer_id, *values)

    def forget_description(self, invoice: InvoiceRow) -> None:
        """It takes too much room."""
        description, invoice.description = invoice.description, None
        invoice.updated_index = self._db.indexes.bump(
            "invoices", "updated", lambda: {"label": invoice.label, "description": description}
        )
        self._db.execute_sql(
            "UPDATE invoices SET description=NULL, updated_index=? WHERE id=?",
            (invoice.updated_index, invoice.id),
        )

    def _one(self, where: str, value: object) -> InvoiceRow | None:
        found = self._select(where, value)
        return found[0] if found else None

    def _select(self, where: str, *values: object) -> list[InvoiceRow]:
        cursor = self._db.execute_sql(f"SELECT {_COLUMNS} FROM invoices WHERE {where}", values)
        return [_invoice(row) for row in cursor.fetchall()]


def _waited(invoice: InvoiceRow, *, invstring: bool = False) -> dict[str, Any]:
    """What command `wait` tells of an invoice."""
    told = {"status": invoice.state.name.lower(), "label": invoice.label}
    if invstring and invoice.bolt11 is not None:
        told["bolt12" if invoice.bolt11.startswith("lni") else "bolt11"] = invoice.bolt11
    return told


def _invoice(row: tuple[Any, ...]) -> InvoiceRow:
    """From the columns of `_COLUMNS`: quicker than by name, and each payment reads one."""
    (
        row_id, state, label, payment_hash, preimage, payment_secret, amount, expires_at, bolt11,
        description, min_final_cltv, pay_index, received, paid_at, local_offer_id, updated_index,
    ) = row  # fmt: skip
    return InvoiceRow(
        id=row_id,
        state=InvoiceState(state),
        label=label,
        payment_hash=payment_hash,
        preimage=preimage,
        payment_secret=payment_secret,
        amount=None if amount is None else Msat(amount),
        expires_at=expires_at,
        bolt11=bolt11,
        description=description,
        min_final_cltv=min_final_cltv,
        pay_index=pay_index,
        received=None if received is None else Msat(received),
        paid_at=paid_at,
        local_offer_id=local_offer_id,
        updated_index=updated_index,
    )
