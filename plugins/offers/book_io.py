"""The book of open invoices of offers, kept with the node's own: read once, and made room in."""

from __future__ import annotations

import asyncio

from pylightningd.common.entropy import Entropy
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.offers import unpaid
from pylightningd.plugins.offers.unpaid import Unpaid

INVOICE_STATUS_UNEXPECTED = 906


class Book:
    """Which invoices of offers are open, and the deletion of those that have to go."""

    def __init__(self, plugin: Plugin, entropy: Entropy) -> None:
        self._plugin = plugin
        self._entropy = entropy
        self._unpaid = Unpaid()
        self._lock = asyncio.Lock()
        self._loaded = False

    def __len__(self) -> int:
        return len(self._unpaid)

    def add(self, label: str, expires_at: int, payment_hash: str) -> None:
        """An invoice was made, or made before and asked for again."""
        self._unpaid.add(label, expires_at, payment_hash)

    def paid(self, label: str) -> None:
        """An invoice was paid."""
        self._unpaid.paid(label)

    async def make_room(self, label: str, now: int) -> bool:
        """Whether an invoice of that label may be made; others are deleted for it if need be. Raises RpcError."""
        async with self._lock:
            await self._load()
            for late in self._unpaid.take_expired(now):
                await self.delete(late, "expired")
            if not self._unpaid.has_room(label):
                # Who filled the book has most in it to lose. Several go at once, for to ask for HTLCs is dear.
                held = await self._held()
                count = max(1, unpaid.MOST // 100)
                for chosen in self._unpaid.take_random(count, self._entropy.below, held):
                    await self.delete(chosen, "unpaid")
            return self._unpaid.has_room(label)

    async def _load(self) -> None:
        """Enter what was open before we were started. Where this fails, it is tried again the next time."""
        if self._loaded:
            return
        for row in (await self._plugin.rpc("listinvoices"))["invoices"]:
            if "local_offer_id" in row and row["status"] != "paid":
                self._unpaid.add(row["label"], row["expires_at"], row["payment_hash"])
        self._loaded = True

    async def _held(self) -> set[str]:
        """Payment hashes of HTLCs that are under way."""
        wanted = {"channels": [{"htlcs": [{"payment_hash": True}]}]}
        found = await self._plugin.rpc_call("listpeerchannels", {}, wanted)
        return {
            htlc["payment_hash"]
            for channel in found.get("channels", [])
            for htlc in channel.get("htlcs", [])
        }

    async def delete(self, label: str, status: str) -> None:
        """Delete an invoice, unless it was paid meanwhile.

        Parts that are held for it, or that come later, fail back: the preimage is given out only in the turn in which
        the invoice is marked as paid, and that needs the invoice.
        """
        try:
            await self._plugin.rpc("delinvoice", label=label, status=status)
        except RpcError as why:
            self._plugin.log(f"delinvoice {label}: {why.message}", "debug")
            data = why.data if isinstance(why.data, dict) else {}
            now = data.get("current_status")
            if why.code == INVOICE_STATUS_UNEXPECTED and (status, now) == ("unpaid", "expired"):
                await self.delete(label, "expired")
