"""Brings up payments and invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.lightningd.db.invoices_io import InvoiceStore
from pylightningd.lightningd.db.offers_io import OfferStore
from pylightningd.lightningd.db.payments_io import PaymentStore
from pylightningd.lightningd.payments.incoming import Receiver
from pylightningd.lightningd.payments.invoices import Invoices
from pylightningd.lightningd.payments.offer_book import OfferBook
from pylightningd.lightningd.payments.outgoing import Payments

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Set `payments`, `invoices` and `receiver`."""
    node.payments = Payments(node, PaymentStore(node.db))
    node.invoices = Invoices(node, InvoiceStore(node.db))
    node.receiver = Receiver(node, node.invoices)
    node.offer_book = OfferBook(node, OfferStore(node.db))
    node.invoices.start()
