"""What each side of a channel demands of the other when it is opened."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Msat, Sat

MAX_ACCEPTED_HTLCS = 483
"""BOLT 2: so many that a commitment still fits a standard transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """One side's `open_channel` or `accept_channel` figures.

    `dust_limit` is for this side's own commitment. All the others bind the *other* side: reserve it
    must keep, what it may have in flight, the least HTLC it may offer, the delay on its own outputs,
    and how many HTLCs it may offer.
    """

    dust_limit: Sat
    max_htlc_value_in_flight: Msat
    channel_reserve: Sat
    htlc_minimum: Msat
    to_self_delay: int
    """Blocks."""
    max_accepted_htlcs: int
    max_dust_htlc_exposure: Msat = Msat(50_000_000)
    """Not sent; how much dust we let a commitment burn to fees."""
