"""Offers and published invoice requests: their status, and what ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.invoice import bolt12
from pylightningd.lightningd.db.offers_io import Kind, OfferRow, OfferStatus, OfferStore
from pylightningd.lightningd.rpc.errors import (
    INVOICE_OFFER_INACTIVE,
    LIGHTNINGD,
    OFFER_ALREADY_DISABLED,
    OFFER_ALREADY_ENABLED,
    OFFER_USED_SINGLE_USE,
    PAY_INVOICE_REQUEST_INVALID,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_NAMES: dict[Kind, str] = {"offers": "offer", "invoicerequests": "invoice_request"}


def new_status(*, single_use: bool) -> OfferStatus:
    """Of one that nobody used yet."""
    return OfferStatus.ACTIVE | (OfferStatus.SINGLE_USE if single_use else OfferStatus(0))


class OfferBook:
    """All offers and published invoice requests. Changes belong inside turns."""

    def __init__(self, node: Node, store: OfferStore) -> None:
        self._node = node
        self.store = store

    def find(self, kind: Kind, id: bytes) -> OfferRow:
        """Raises UserError where there is none."""
        row = self.store.get(kind, id)
        if row is None:
            raise UserError(LIGHTNINGD, f"Unknown {_NAMES[kind]}")
        return row

    def disable(self, kind: Kind, id: bytes) -> OfferRow:
        """From now on nobody can take it up. Raises UserError."""
        row = self.find(kind, id)
        if not row.active:
            raise UserError(OFFER_ALREADY_DISABLED, f"{_NAMES[kind]} is not active")
        self._set(kind, row, row.status & ~OfferStatus.ACTIVE)
        return row

    def enable(self, offer_id: bytes) -> OfferRow:
        """It may be taken up again. Raises UserError."""
        row = self.find("offers", offer_id)
        if row.active:
            raise UserError(OFFER_ALREADY_ENABLED, "offer already active")
        if row.single_use and row.used:
            raise UserError(OFFER_USED_SINGLE_USE, "cannot activate an used single use offer")
        self._set("offers", row, row.status | OfferStatus.ACTIVE)
        return row

    def check_new_invoice(self, offer_id: bytes) -> bool:
        """Whether this is an offer of ours. Raises UserError where it takes no invoices any more."""
        row = self.store.get("offers", offer_id)
        if row is not None and not row.active:
            raise UserError(INVOICE_OFFER_INACTIVE, "offer not active")
        return row is not None

    def check_payable(self, invreq_id: bytes) -> OfferRow:
        """The invoice request of ours. Raises UserError unless it may (still) be paid."""
        row = self.store.get("invoicerequests", invreq_id)
        if row is None:
            raise UserError(
                PAY_INVOICE_REQUEST_INVALID, f"Unknown invoice_request {invreq_id.hex()}"
            )
        if not row.active:
            raise UserError(
                PAY_INVOICE_REQUEST_INVALID, f"Inactive invoice_request {invreq_id.hex()}"
            )
        return row

    def paid(self, offer_id: bytes) -> None:
        """An invoice of this offer was paid."""
        self._use("offers", offer_id)

    def paid_request(self, invreq_id: bytes) -> None:
        """We paid the invoice that answered this request."""
        self._use("invoicerequests", invreq_id)

    def _use(self, kind: Kind, id: bytes) -> None:
        row = self.store.get(kind, id)
        if row is None or row.used:
            return
        status = row.status | OfferStatus.USED
        self._set(kind, row, status & ~OfferStatus.ACTIVE if row.single_use else status)

    def _set(self, kind: Kind, row: OfferRow, status: OfferStatus) -> None:
        ends = row.active and not status & OfferStatus.ACTIVE
        row.status = status
        self.store.set_status(kind, row)
        if ends and kind == "offers":
            # Nobody shall pay what is still unpaid of an offer that ended.
            self._node.invoices.expire_offer(row.id)


def offer_json(row: OfferRow, *, described: bool = False) -> dict[str, Any]:
    """An offer as listoffers and its kin show it; with its description where they do."""
    shown: dict[str, Any] = {
        "offer_id": row.id.hex(),
        "active": row.active,
        "single_use": row.single_use,
        "bolt12": row.bolt12,
        "force_paths": row.force_paths,
        "used": row.used,
    }
    if row.label is not None:
        shown["label"] = row.label
    if described:
        description = bolt12.decode_offer(row.bolt12).offer_description
        if description is not None:
            shown["description"] = description
    return shown


def request_json(row: OfferRow) -> dict[str, Any]:
    """An invoice request as listinvoicerequests shows it."""
    shown: dict[str, Any] = {
        "invreq_id": row.id.hex(),
        "active": row.active,
        "single_use": row.single_use,
        "bolt12": row.bolt12,
        "used": row.used,
    }
    if row.label is not None:
        shown["label"] = row.label
    return shown
