"""Invoices: making them, marking them paid or expired, and telling those who wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.invoice import bolt11
from pylightningd.common.invoice.bech32 import pack_words
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState, InvoiceStore
from pylightningd.lightningd.payments.describe import invoice_json
from pylightningd.lightningd.rpc.errors import (
    INVOICE_LABEL_ALREADY_EXISTS,
    INVOICE_NOT_FOUND,
    INVOICE_PREIMAGE_ALREADY_EXISTS,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

Waiter = tuple[Callable[[InvoiceRow], bool], Any, str | None]
"""What it wants, its future, and the label of the one invoice that it is about, if it is about one."""


class Invoices:
    """All invoices of the node."""

    def __init__(self, node: Node, store: InvoiceStore) -> None:
        self._node = node
        self.store = store
        self._waiters: list[Waiter] = []
        self._expiry_timer: Any = None
        self._expiry_due: int | None = None
        """When an invoice expires that the timer is set for. It may have been paid since, but none is due earlier."""

    # Making

    def check_new(self, label: str, payment_hash: bytes) -> None:
        """Raises UserError where the label or the preimage is taken."""
        old = self.store.like(label, payment_hash)
        if old is None:
            return
        if old.label == label:
            raise UserError(
                INVOICE_LABEL_ALREADY_EXISTS, f"Duplicate label '{label}'", invoice_json(old)
            )
        raise UserError(
            INVOICE_PREIMAGE_ALREADY_EXISTS,
            "preimage already used: an invoice of the same payment_hash exists",
            invoice_json(old),
        )

    async def sign(self, invoice: bolt11.Invoice) -> str:
        """The BOLT 11 text, signed with the node's key."""
        hrp, words = bolt11.signing_parts(invoice)
        reply = await self._node.hsm.ask(hw.HsmdSignInvoice(hrp=hrp, data=pack_words(words)))
        return bolt11.finish_parts(hrp, words, reply.signature)

    def add(self, invoice: InvoiceRow) -> None:
        """A new one. Inside a turn. Raises UserError."""
        self.check_new(invoice.label, invoice.payment_hash)
        offer_id = invoice.local_offer_id
        if offer_id is not None and not self._node.offer_book.check_new_invoice(offer_id):
            invoice.local_offer_id = None  # an offer that we never made
        self.store.insert(invoice)
        self._node.turn.after_commit(lambda: self._expires_at(invoice.expires_at))
        payload: dict[str, Any] = {"label": invoice.label, "preimage": invoice.preimage.hex()}
        if invoice.amount is not None:
            payload["msat"] = invoice.amount.msat
        self._node.turn.notify("invoice_creation", payload)

    def payable(
        self, payment_hash: bytes, amount: Msat | None, secret: bytes | None, text: str | None
    ) -> InvoiceRow:
        """The invoice of ours that such a payment would settle. Raises ValueError with what is wrong.

        Who has the whole `text` of a BOLT 12 invoice needs no secret.
        """
        invoice = self.store.by_hash(payment_hash)
        if invoice is None:
            raise ValueError(f"no invoice of ours has payment_hash {payment_hash.hex()}")
        if invoice.state is not InvoiceState.UNPAID:
            raise ValueError(f"invoice '{invoice.label}' is {invoice.state.name.lower()}")
        if invoice.expires_at <= self._node.clock.now():
            raise ValueError(f"invoice '{invoice.label}' is expired")
        by_text = invoice.is_bolt12 and text == invoice.bolt11
        if not by_text and secret != invoice.payment_secret:
            raise ValueError("no payment_secret" if secret is None else "wrong payment_secret")
        wanted = invoice.amount
        if amount is None or (
            wanted is not None and not wanted.msat <= amount.msat <= 2 * wanted.msat
        ):
            raise ValueError(f"{amount} is not the invoice's {wanted}")
        return invoice

    def make_keysend(self, preimage: bytes, amount: Msat) -> InvoiceRow:
        """The record of a payment that nobody was asked for; it becomes a row when it is paid. Inside a turn."""
        now = self._node.clock.now()
        return InvoiceRow(
            label=self._keysend_label(int(now * 1_000_000_000)),
            payment_hash=sha256(preimage).digest(),
            preimage=preimage,
            payment_secret=bytes(32),
            amount=amount,
            expires_at=int(now) + 604800,
            bolt11=None,
            description="keysend",
            min_final_cltv=self._node.settings.cltv_final,
        )

    def _keysend_label(self, nanoseconds: int) -> str:
        """As CLN's: the time; a later one where two come at once."""
        while True:
            label = f"keysend-{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"
            if self.store.by_label(label) is None:
                return label
            nanoseconds += 1

    # Ending

    def paid(self, invoice: InvoiceRow, received: Msat) -> None:
        """All of it is here. Inside the turn that claims it."""
        invoice.state = InvoiceState.PAID
        invoice.received = received
        invoice.paid_at = int(self._node.clock.now())
        invoice.pay_index = self.store.next_pay_index()
        self.store.save(invoice)
        self._node.log(
            "info",
            f"Resolved invoice '{invoice.label}' with amount {received}",
        )
        if invoice.local_offer_id is not None:
            self._node.offer_book.paid(invoice.local_offer_id)
        self._node.turn.after_commit(lambda: self._tell(invoice))
        self._node.turn.notify(
            "invoice_payment",
            {"label": invoice.label, "preimage": invoice.preimage.hex(), "msat": received.msat},
        )

    def _tell(self, invoice: InvoiceRow) -> None:
        for waiter in list(self._waiters):
            wants, future, _ = waiter
            if wants(invoice):
                self._waiters.remove(waiter)
                if not future.done():
                    future.set_result(invoice)

    def expire_due(self) -> None:
        """Mark what is past its time. Inside a turn."""
        for invoice in self.store.expire(int(self._node.clock.now())):
            self._node.turn.after_commit(partial(self._tell, invoice))

    def expire_offer(self, offer_id: bytes) -> None:
        """The offer ended, and with it its unpaid invoices. Inside a turn."""
        for invoice in self.store.expire_offer(offer_id):
            self._node.turn.after_commit(partial(self._tell, invoice))

    def _expires_at(self, due: int) -> None:
        """There is a new invoice."""
        if self._expiry_due is None or due < self._expiry_due:
            self._schedule_expiry()

    def _schedule_expiry(self) -> None:
        """Wake up when the next invoice expires."""
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        due = self._expiry_due = self.store.next_expiry()
        if due is None:
            self._expiry_timer = None
            return
        seconds = min(max(0.0, due - self._node.clock.now()), 86400.0)
        self._expiry_timer = self._node.call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._node.turn.submit(self.expire_due)
        self._node.turn.submit(lambda: self._node.turn.after_commit(self._schedule_expiry))

    def start(self) -> None:
        """Mark what expired while the node was down, and what will."""
        self._expire()

    # Waiting

    async def wait(
        self, wants: Callable[[InvoiceRow], bool], label: str | None = None
    ) -> InvoiceRow:
        """The next invoice to be paid or to expire that `wants` says yes to.

        Raises UserError where the invoice of `label` is deleted meanwhile.
        """
        future = self._node.new_future()
        waiter = (wants, future, label)
        self._waiters.append(waiter)
        try:
            invoice: InvoiceRow = await future
            return invoice
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def deleted(self, invoice: InvoiceRow) -> None:
        """Those who wait for it are told so. After the commit."""
        for waiter in list(self._waiters):
            _, future, label = waiter
            if label == invoice.label and not future.done():
                self._waiters.remove(waiter)
                future.set_exception(
                    UserError(INVOICE_NOT_FOUND, "Invoice deleted while waiting for it")
                )
