"""HTLCs we asked channeld to add and that no commitment covers yet.

An offer lives in memory only: until channeld is about to sign for it nothing of it is on disk, and after a
crash it never happened. With the commitment it becomes a row, in the same turn, with what it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pylightningd.common.amount import Msat


@dataclass(slots=True, kw_only=True)
class Offer:
    """One HTLC on its way to a commitment. Of the origins exactly one is set."""

    cookie: int
    channel_dbid: int
    worker: str
    amount: Msat
    cltv_expiry: int
    payment_hash: bytes
    origin_htlc: int | None
    """Row of the received HTLC that this forwards."""
    origin_payment: int | None
    """Row of the payment part."""
    on_refused: Callable[[int, str], None]
    """Called in a turn with a BOLT 4 failure code and a text, when it cannot be added."""
    on_sent: Callable[[int], None] | None = None
    """Called in a turn with the HTLC's id once its commitment is being signed."""
    id: int | None = None
    """The HTLC's id in the channel, once channeld has given one."""


class Offers:
    """The open offers of all channels."""

    def __init__(self) -> None:
        self._next_cookie = 1
        self._by_cookie: dict[int, Offer] = {}
        self._by_htlc: dict[tuple[int, int], Offer] = {}

    def new_cookie(self) -> int:
        """A name for an offer."""
        self._next_cookie += 1
        return self._next_cookie

    def add(self, offer: Offer) -> None:
        """It was sent to channeld."""
        self._by_cookie[offer.cookie] = offer

    def accepted(self, cookie: int, htlc_id: int) -> None:
        """channeld has added it under this id."""
        offer = self._by_cookie.get(cookie)
        if offer is not None:
            offer.id = htlc_id
            self._by_htlc[offer.channel_dbid, htlc_id] = offer

    def take_sent(self, channel_dbid: int, htlc_id: int) -> Offer | None:
        """The offer that a commitment now covers; it is an offer no more."""
        offer = self._by_htlc.pop((channel_dbid, htlc_id), None)
        if offer is not None:
            del self._by_cookie[offer.cookie]
        return offer

    def put_back(self, offer: Offer) -> None:
        """It is one again: the change that ended it was undone."""
        self._by_cookie[offer.cookie] = offer
        if offer.id is not None:
            self._by_htlc[offer.channel_dbid, offer.id] = offer

    def take(self, cookie: int) -> Offer | None:
        """Remove an offer that failed."""
        offer = self._by_cookie.pop(cookie, None)
        if offer is not None and offer.id is not None:
            self._by_htlc.pop((offer.channel_dbid, offer.id), None)
        return offer

    def of_worker(self, worker: str) -> list[Offer]:
        """Open offers that a daemon has."""
        return [o for o in self._by_cookie.values() if o.worker == worker]

    def of_channel(self, channel_dbid: int) -> list[Offer]:
        """Open offers of one channel."""
        return [o for o in self._by_cookie.values() if o.channel_dbid == channel_dbid]

    def serves(self, origin_htlc: int) -> bool:
        """Whether an open offer forwards this received HTLC."""
        return any(o.origin_htlc == origin_htlc for o in self._by_cookie.values())
