"""Payments in: HTLCs for us, gathered into sets, matched to invoices, and claimed.

A set is all HTLCs with one payment_hash. It is claimed when it holds what its sender said it would (total_msat),
failed when its time is over. Sets live in memory; after a restart the switch hands the same HTLCs over again.
The invoice is marked paid in the turn that writes the preimage to the HTLCs, so neither is true without the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.onion.payload import keysend_preimage
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.deadlines import in_deadline
from pylightningd.lightningd.channels.forward_rules import Instructions
from pylightningd.lightningd.channels.states import WITH_PEER
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState
from pylightningd.lightningd.payments.invoices import Invoices

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

SET_SECONDS = 70
"""How long we wait for the rest of a set: BOLT 4 asks for at least 60 seconds."""


class Rejected(Exception):
    """An HTLC for us is failed back with a BOLT 4 failure message."""

    def __init__(self, failure: Message, why: str) -> None:
        super().__init__(why)
        self.failure = failure


@dataclass(slots=True)
class _Set:
    """HTLCs with one payment_hash."""

    payment_hash: bytes
    total: Msat
    htlcs: list[LiveHtlc] = field(default_factory=list)
    timer: Any = None
    deciding: bool = False
    """Plugins are being asked."""

    @property
    def received(self) -> Msat:
        """What is here."""
        return Msat(sum(h.amount.msat for h in self.htlcs))


class Receiver:
    """Takes HTLCs whose onion ends at us."""

    def __init__(self, node: Node, invoices: Invoices) -> None:
        self._node = node
        self._invoices = invoices
        self._sets: dict[bytes, _Set] = {}

    def accept(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        """An HTLC for us is irrevocable. Inside a turn."""
        if htlc.is_resolved:
            # Decided before a restart: a part that was failed does not count again.
            return
        try:
            self._check_onion(htlc, told)
            invoice = self._invoice_for(htlc, told)
            self._check_invoice(invoice, htlc, told)
            self._add(invoice, htlc, told)
        except Rejected as no:
            self._node.log(
                "info",
                f"Failing HTLC {htlc.id} of {htlc.amount} for {htlc.payment_hash.hex()}: {no}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
            self._node.resolver.fail(htlc, no.failure)

    def _check_onion(self, htlc: LiveHtlc, told: Instructions) -> None:
        # BOLT 4, "Payload for the Last Node": amount and expiry at least as the onion says.
        if htlc.cltv_expiry < told.cltv_expiry:
            raise Rejected(
                ow.FinalIncorrectCltvExpiry(cltv_expiry=htlc.cltv_expiry),
                f"expires at {htlc.cltv_expiry}, the onion says {told.cltv_expiry}",
            )
        if htlc.amount < told.amount:
            raise Rejected(
                ow.FinalIncorrectHtlcAmount(incoming_htlc_amt=htlc.amount),
                f"the onion says {told.amount}",
            )

    def _unknown(self, htlc: LiveHtlc, why: str) -> Rejected:
        # BOLT 4, "Failure Messages": one answer for an unknown hash, a wrong secret and a wrong amount, so that
        # nobody can find out which invoices exist.
        failure = ow.IncorrectOrUnknownPaymentDetails(
            htlc_msat=htlc.amount, height=self._node.chain.height
        )
        return Rejected(failure, why)

    def _invoice_for(self, htlc: LiveHtlc, told: Instructions) -> InvoiceRow:
        invoice = self._invoices.store.by_hash(htlc.payment_hash)
        if invoice is None:
            preimage = keysend_preimage(told.payload)
            if preimage is None or sha256(preimage).digest() != htlc.payment_hash:
                raise self._unknown(htlc, "no invoice has this payment_hash")
            if htlc.cltv_expiry < self._node.chain.height + self._node.settings.cltv_final:
                raise self._unknown(htlc, f"Expiry cltv too soon {htlc.cltv_expiry} for keysend")
            data = told.payload.payment_data
            invoice = self._invoices.make_keysend(
                preimage, htlc.amount if data is None else data.total_msat
            )
        return invoice

    def _check_invoice(self, invoice: InvoiceRow, htlc: LiveHtlc, told: Instructions) -> None:
        height = self._node.chain.height
        data = told.payload.payment_data
        if invoice.state is not InvoiceState.UNPAID or invoice.expires_at <= self._node.clock.now():
            raise self._unknown(htlc, f"invoice {invoice.label} is {invoice.state.name.lower()}")
        if invoice.is_bolt12:
            # BOLT 4, "Route Blinding", final recipient: only by a path that was made for this very invoice.
            if told.path_id is None or not compare_digest(told.path_id, invoice.payment_secret):
                raise self._unknown(htlc, "not by a blinded path of this invoice")
        elif told.is_blinded:
            raise self._unknown(htlc, "by a blinded path, which this invoice does not have")
        elif invoice.bolt11 is not None:
            if data is None:
                raise self._unknown(htlc, "no payment_secret")
            if not compare_digest(data.payment_secret, invoice.payment_secret):
                raise self._unknown(htlc, "wrong payment_secret")
        if htlc.cltv_expiry < height + invoice.min_final_cltv:
            raise self._unknown(
                htlc,
                f"Expiry cltv too soon {htlc.cltv_expiry} < {height} + {invoice.min_final_cltv}",
            )
        if invoice.amount is not None:
            total = told.total
            # BOLT 4, "Failure Messages": no less than asked, no more than twice as much.
            if total < invoice.amount or total.msat > invoice.amount.msat * 2:
                raise self._unknown(htlc, f"{total} is not the invoice's {invoice.amount}")

    def _add(self, invoice: InvoiceRow, htlc: LiveHtlc, told: Instructions) -> None:
        total = told.total
        gathered = self._sets.get(htlc.payment_hash)
        if gathered is None:
            gathered = self._sets[htlc.payment_hash] = _Set(htlc.payment_hash, total)
            self._node.turn.on_rollback(lambda: self._sets.pop(htlc.payment_hash, None))
            if htlc.amount < total:
                gathered.timer = self._node.call_later(
                    SET_SECONDS, lambda: self._node.turn.submit(lambda: self._time_over(gathered))
                )
        elif gathered.total != total:
            # BOLT 4, "Basic Multi-Part Payments": every part of a set says the same total_msat, or all SHOULD fail.
            if not gathered.deciding:
                self._reject(gathered)
            raise self._unknown(htlc, f"total_msat {total} differs from the set's {gathered.total}")
        gathered.htlcs = [h for h in gathered.htlcs if not h.is_resolved]
        if any(h.dbid == htlc.dbid for h in gathered.htlcs):
            return
        gathered.htlcs.append(htlc)
        self._node.turn.on_rollback(lambda: self._drop(gathered, htlc))
        if gathered.received >= gathered.total and not gathered.deciding:
            self._complete(invoice, gathered)

    def _drop(self, gathered: _Set, htlc: LiveHtlc) -> None:
        if htlc in gathered.htlcs:
            gathered.htlcs.remove(htlc)

    def _complete(self, invoice: InvoiceRow, gathered: _Set) -> None:
        if self._node.plugins.has_hook("invoice_payment"):
            gathered.deciding = True
            self._node.turn.after_commit(
                lambda: self._node.attempt(
                    self._ask(invoice, gathered),
                    f"invoice {invoice.label}",
                    lambda _why: self._node.turn.submit(lambda: self._reject(gathered)),
                )
            )
        else:
            self._claim(invoice, gathered)

    async def _ask(self, invoice: InvoiceRow, gathered: _Set) -> None:
        payload = {
            "payment": {
                "label": invoice.label,
                "preimage": invoice.preimage.hex(),
                "msat": gathered.received.msat,
            }
        }
        answers = await self._node.plugins.call_hook("invoice_payment", payload)
        await self._node.turn.do(lambda: self._decide(invoice, gathered, answers))

    def _decide(self, asked: InvoiceRow, gathered: _Set, answers: list[Any]) -> None:
        for answer in answers:
            if answer.get("result") == "reject" or "failure_message" in answer:
                message = bytes.fromhex(answer.get("failure_message", ""))
                self._reject(gathered, message)
                return
        invoice = self._invoices.store.by_hash(asked.payment_hash) if asked.id else asked
        if invoice is None or invoice.state is not InvoiceState.UNPAID:
            self._reject(gathered)
            return
        self._claim(invoice, gathered)

    def _reject(self, gathered: _Set, message: bytes = b"") -> None:
        """Fail the whole set, with this failure message if there is one."""
        for htlc in gathered.htlcs:
            failure = message or self._unknown(htlc, "the set is rejected").failure
            self._node.resolver.fail(htlc, failure)
        self._forget(gathered)

    def _claim(self, invoice: InvoiceRow, gathered: _Set) -> None:
        if not all(self._is_claimable(invoice, htlc) for htlc in gathered.htlcs):
            # A plugin thought for long, or a part waited for the others: with one part lost we would get less.
            self._reject(gathered)
            return
        if not invoice.id:
            self._invoices.store.insert(invoice)
        self._invoices.paid(invoice, gathered.received)
        for htlc in gathered.htlcs:
            self._node.resolver.fulfill(htlc, invoice.preimage)
        self._forget(gathered)

    def _is_claimable(self, invoice: InvoiceRow, htlc: LiveHtlc) -> bool:
        """Whether the preimage still buys this HTLC: it is there, and time is left to take it on the chain."""
        channel = self._node.channels.get(htlc.channel_dbid)
        # Half of the blocks that it came with at the least, where that is less than half of our cltv_delta.
        shortest = min(self._node.settings.cltv_delta, invoice.min_final_cltv)
        return (
            channel is not None
            and channel.state in WITH_PEER
            and channel.htlcs.get(htlc.key) is htlc
            and not htlc.is_resolved
            and self._node.chain.height <= in_deadline(htlc, shortest)
        )

    def _forget(self, gathered: _Set) -> None:
        if gathered.timer is not None:
            self._node.turn.after_commit(gathered.timer.cancel)
        self._sets.pop(gathered.payment_hash, None)
        # If this turn fails the HTLCs are decided about again from their rows.
        self._node.turn.on_rollback(lambda: self._sets.setdefault(gathered.payment_hash, gathered))

    def _time_over(self, gathered: _Set) -> None:
        """The rest of a set did not come."""
        if self._sets.get(gathered.payment_hash) is not gathered or gathered.deciding:
            return
        # BOLT 4, "Basic Multi-Part Payments": all parts are failed with mpp_timeout.
        for htlc in gathered.htlcs:
            self._node.resolver.fail(htlc, ow.MppTimeout())
        self._forget(gathered)
