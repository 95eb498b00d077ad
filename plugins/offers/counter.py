"""The counter: where strangers' requests for invoices, and invoices for our requests, are dealt with."""

from __future__ import annotations

from typing import Any

from pylightningd.common.invoice import bolt12
from pylightningd.common.wire.onion_wire import BlindedPath, OnionmsgTlv
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.offers import answer, pay_request
from pylightningd.plugins.offers.answer import Asked, Draft, Known, NotOurs, Refused
from pylightningd.plugins.offers.book_io import Book
from pylightningd.plugins.offers.mail import Letter
from pylightningd.plugins.offers.shell import Post

MAX_AT_WORK = 50
"""Letters that are being answered; more are dropped."""
MAX_PAYING = 10
"""Invoices for requests of ours that are being paid, which may take a minute each; more are refused."""
INVOICE_LABEL_ALREADY_EXISTS, INVOICE_OFFER_INACTIVE = 900, 907
Json = dict[str, Any]


class Counter:
    """Answers letters that are no replies to ours."""

    def __init__(self, plugin: Plugin, post: Post) -> None:
        self._plugin = plugin
        self._post = post
        self._at_work = 0
        self._book = Book(plugin, post.entropy)
        self._paying: set[bytes] = set()

    async def serve(self, letter: Letter) -> None:
        """Deal with one letter."""
        if self._at_work >= MAX_AT_WORK:
            return
        self._at_work += 1
        try:
            if letter.invoice_request is not None:
                await self._answer(letter.invoice_request, letter)
            elif letter.invoice is not None:
                await self._pay(letter.invoice, letter)
        finally:
            self._at_work -= 1

    async def _fail(self, path: BlindedPath | None, what: str, why: Refused) -> None:
        self._plugin.log(f"Failed {what}: {why}", "debug")
        if path is not None:
            content = OnionmsgTlv(invoice_error=answer.error_tlvs(str(why)))
            await self._post.reply(path, content, may_connect=not isinstance(why, NotOurs))

    # Requests for invoices

    async def _answer(self, raw: bytes, letter: Letter) -> None:
        try:
            invoice = await self._invoice_for(raw, letter)
        except Refused as why:
            await self._fail(letter.reply_path, "invreq", why)
            return
        except RpcError as error:
            self._plugin.log(f"invoice request: {error.code} {error.message}", "unusual")
            await self._fail(letter.reply_path, "invreq", Refused("Internal error"))
            return
        if letter.reply_path is not None:
            await self._post.reply(letter.reply_path, OnionmsgTlv(invoice=invoice))

    async def _invoice_for(self, raw: bytes, letter: Letter) -> bytes:
        now = self._post.now()
        asked = answer.read_request(raw, self._post.network)
        listed = (await self._plugin.rpc("listoffers", offer_id=asked.offer_id.hex()))["offers"]
        known = None
        if listed:
            known = Known(listed[0]["active"])
        answer.check_way(asked, letter.path_secret, await self._post.path_base())
        answer.check_offer(asked, known, now)
        if letter.reply_path is None:
            raise Refused("there is no reply_path")
        if not await self._book.make_room(asked.label(), now):
            raise Refused("Too many unpaid invoices; try again later")
        preimage = self._post.entropy.take(32)
        draft = answer.draft_invoice(asked, await self._post.our_id(), preimage, now)
        return answer.invoice_tlvs(await self._create(asked, draft))

    async def _create(self, asked: Asked, draft: Draft) -> str:
        """Have it signed and stored; who asks again gets the same. Raises Refused and RpcError."""
        params = {"invstring": draft.text, "label": draft.label, "preimage": draft.preimage.hex()}
        for _ in range(2):
            try:
                made: Json = await self._plugin.rpc("createinvoice", params)
            except RpcError as error:
                if error.code == INVOICE_OFFER_INACTIVE:
                    raise Refused("Offer no longer available") from None
                if error.code != INVOICE_LABEL_ALREADY_EXISTS or not error.data:
                    raise
                # BOLT 12, "Requirements for Invoice Requests", reader: a request that came before MAY get
                # the previous invoice.
                made = error.data
                if made["status"] == "paid":
                    raise Refused("Already paid") from None
                if made["status"] == "expired":
                    await self._book.delete(draft.label, "expired")
                    continue
                if not _repeats(made["bolt12"], asked):
                    raise Refused("Another request of this invreq_payer_id is open") from None
            self._book.add(draft.label, int(made["expires_at"]), made["payment_hash"])
            text: str = made["bolt12"]
            return text
        raise Refused("Try again later")

    def paid(self, label: str) -> None:
        """An invoice was paid."""
        self._book.paid(label)

    # Invoices that answer a request of ours

    async def _pay(self, raw: bytes, letter: Letter) -> None:
        try:
            await self._pay_bill(raw, letter)
        except Refused as why:
            await self._fail(letter.reply_path, "invoice", why)

    async def _pay_bill(self, raw: bytes, letter: Letter) -> None:
        post = self._post
        base = await post.path_base()
        bill = pay_request.read_bill(raw, letter.path_secret, base, post.network, post.now())
        name = bill.invreq_id.hex()
        listed = (await self._plugin.rpc("listinvoicerequests", invreq_id=name))["invoicerequests"]
        pay_request.check_bill(bill, listed[0]["active"] if listed else None, post.now())
        if bill.invreq_id in self._paying:
            raise Refused("invoice_request no longer available")
        if len(self._paying) >= MAX_PAYING:
            raise Refused("Too many payments at once; try again later")
        self._paying.add(bill.invreq_id)
        try:
            self._plugin.log(
                f"Attempting payment of {bill.invoice.invoice_amount} for invoice_request {name}"
            )
            await self._plugin.rpc("xpay", invstring=bill.text(), localinvreqid=name)
            self._plugin.log(f"Paid {bill.invoice.invoice_amount} for invreq {name}")
        except RpcError as error:
            # The text tells of our channels and ways; who sent the invoice may be anybody.
            self._plugin.log(f"pay attempt failed for {name}: {error.message}", "unusual")
            raise Refused("pay attempt failed") from None
        finally:
            self._paying.discard(bill.invreq_id)


def _repeats(text: str, asked: Asked) -> bool:
    """Whether the invoice answers this very request."""
    return bolt12.invreq_id(answer.invoice_tlvs(text)) == bolt12.invreq_id(asked.tlvs)
