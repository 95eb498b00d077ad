"""What an onion tells the switch, and when an HTLC may be passed on: values and rules without state."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import LiveHtlc, Policy


class CannotForward(Exception):
    """An HTLC is failed back with a BOLT 4 failure message."""

    def __init__(self, failure: Message) -> None:
        super().__init__(type(failure).__name__)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What a hop is told by its onion payload, or inside a blinded path by its encrypted data."""

    scid: ShortChannelId | None
    """The next channel; None at the final node, and where a blinded path names the next node."""
    next_node: NodeId | None = None
    is_final: bool
    amount: Msat
    cltv_expiry: int
    payload: ow.Payload
    raw_payload: bytes
    next_onion: bytes
    is_blinded: bool = False
    next_path_key: bytes | None = None
    """For the next node of a blinded path."""
    path_id: bytes | None = None
    """At the end of a blinded path: what whoever made the path put there."""

    @property
    def total(self) -> Msat:
        """At the final node: what all parts together bring."""
        data = self.payload.payment_data
        if self.is_blinded:
            return self.payload.total_amount_msat or self.amount
        return self.amount if data is None else data.total_msat


def check_forward(
    policy: Policy,
    incoming: LiveHtlc,
    amount: Msat,
    cltv_expiry: int,
    height: int,
    update: bytes,
    *,
    rounding_msat: int = 0,
) -> None:
    """Raise CannotForward unless the incoming HTLC pays for the outgoing one and leaves time to settle it.

    `policy` is ours for the outgoing channel, `update` its channel_update; `height` is the chain's. Up to
    `rounding_msat` of the fee may be missing.
    """
    if amount < policy.htlc_minimum:
        # BOLT 4, "Failure Messages": amount_below_minimum where the HTLC is below the channel's minimum.
        raise CannotForward(ow.AmountBelowMinimum(htlc_msat=amount, channel_update=update))
    if amount > policy.htlc_maximum:
        raise CannotForward(ow.TemporaryChannelFailure(channel_update=update))
    fee_msat = policy.fee_base_msat + amount.msat * policy.fee_proportional_millionths // 1_000_000
    if incoming.amount.msat + rounding_msat < amount.msat + fee_msat:
        # BOLT 7, "HTLC Fees": fee_base_msat + amount * fee_proportional_millionths / 1000000, at least.
        raise CannotForward(ow.FeeInsufficient(htlc_msat=incoming.amount, channel_update=update))
    if incoming.cltv_expiry < cltv_expiry + policy.cltv_expiry_delta:
        # BOLT 4, "Failure Messages": incorrect_cltv_expiry where our cltv_expiry_delta is not left to us.
        raise CannotForward(
            ow.IncorrectCltvExpiry(cltv_expiry=incoming.cltv_expiry, channel_update=update)
        )
    if cltv_expiry <= height + 1:
        raise CannotForward(ow.ExpiryTooSoon(channel_update=update))
    if cltv_expiry > height + MAX_CLTV_BLOCKS:
        raise CannotForward(ow.ExpiryTooFar())


MAX_CLTV_BLOCKS = 2016
"""How far ahead an HTLC may expire: two weeks, as CLN's max-locktime-blocks."""


def failure_of(code: int, update: bytes) -> Message:
    """The failure message for a code that channeld gave as its reason not to add an HTLC."""
    if code == FailureCode.EXPIRY_TOO_SOON:
        return ow.ExpiryTooSoon(channel_update=update)
    if code == FailureCode.PERMANENT_CHANNEL_FAILURE:
        return ow.PermanentChannelFailure()
    return ow.TemporaryChannelFailure(channel_update=update)
