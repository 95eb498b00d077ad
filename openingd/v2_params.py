"""Which figures of `open_channel2` and `accept_channel2` we take (BOLT 2, "Channel Establishment v2").

Most rules are those of version 1 (`params`); here is what differs: no reserve is said, and both sides pay in.
"""

from __future__ import annotations

from dataclasses import replace

from pylightningd.common.amount import MAX_MSAT, MAX_SAT, Msat, Sat
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.keys import is_pubkey
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig
from pylightningd.common.wire.openingd_wire import OpeningLimits
from pylightningd.common.wire.peer_wire import AcceptChannel2, OpenChannel2
from pylightningd.openingd import params
from pylightningd.openingd.params import BadParameters

_POINTS = (
    "funding_pubkey",
    "revocation_basepoint",
    "payment_basepoint",
    "delayed_payment_basepoint",
    "htlc_basepoint",
    "first_per_commitment_point",
    "second_per_commitment_point",
)


def basepoints_of(msg: OpenChannel2 | AcceptChannel2) -> Basepoints:
    """The peer's keys, each a point on the curve. Raises BadParameters."""
    for name in _POINTS:
        key: bytes = getattr(msg, name)
        if not is_pubkey(key):
            raise BadParameters(f"{name} {key.hex()} is not a valid public key")
    return Basepoints(
        funding_pubkey=msg.funding_pubkey,
        revocation=msg.revocation_basepoint,
        payment=msg.payment_basepoint,
        delayed_payment=msg.delayed_payment_basepoint,
        htlc=msg.htlc_basepoint,
    )


def reserve_of(total: Sat, opener_dust_limit: Sat) -> Sat:
    """What each side keeps."""
    # BOLT 2, "The `open_channel2` Message": the reserve is 1 % of the total, rounded down, or dust_limit_satoshis,
    # whichever is greater. Like CLN we take the opener's dust limit for both sides.
    return max(Sat(total.sat // 100), opener_dust_limit)


def config_of(msg: OpenChannel2 | AcceptChannel2, reserve: Sat) -> ChannelConfig:
    """The peer's limits. Raises BadParameters for an htlc_minimum beyond all bitcoin."""
    if msg.htlc_minimum_msat > MAX_MSAT:
        raise BadParameters(f"htlc_minimum_msat {msg.htlc_minimum_msat}msat too large")
    return ChannelConfig(
        dust_limit=msg.dust_limit_satoshis,
        max_htlc_value_in_flight=Msat(min(msg.max_htlc_value_in_flight_msat, MAX_MSAT)),
        channel_reserve=reserve,
        htlc_minimum=Msat(msg.htlc_minimum_msat),
        to_self_delay=msg.to_self_delay,
        max_accepted_htlcs=msg.max_accepted_htlcs,
    )


def with_reserve(config: ChannelConfig, reserve: Sat) -> ChannelConfig:
    """Our own limits, the reserve too."""
    return replace(config, channel_reserve=reserve)


def total_of(ours: Sat, theirs: Sat) -> Sat:
    """The capacity of the channel. Raises BadParameters."""
    if ours.sat + theirs.sat > MAX_SAT:
        raise BadParameters(f"funding of {ours} and {theirs} is more than there is")
    return ours + theirs


def check_funding_feerate(feerate_perkw: int, limits: OpeningLimits) -> None:
    """The feerate of the transaction: one that the network relays, and not out of all proportion."""
    # BOLT 2, "The `open_channel2` Message", receiver MAY fail where funding_feerate_perkw is unacceptable.
    if feerate_perkw < FEERATE_FLOOR_PERKW:
        raise BadParameters(
            f"funding_feerate_perkw {feerate_perkw} below minimum {FEERATE_FLOOR_PERKW}"
        )
    if feerate_perkw > limits.feerate_max_perkw:
        raise BadParameters(
            f"funding_feerate_perkw {feerate_perkw} above maximum {limits.feerate_max_perkw}"
        )


def check_confirmed(required: bool, ours_are: bool) -> None:
    """Whether we can do what a peer that sets require_confirmed_inputs wants."""
    # BOLT 2, "The `open_channel2` Message", receiver MUST fail where it cannot provide confirmed inputs.
    if required and not ours_are:
        raise BadParameters("require_confirmed_inputs is set, and not all of our inputs are")


def check_channel(
    total: Sat,
    accepter_funding: Sat,
    feerate_perkw: int,
    theirs: ChannelConfig,
    ours: ChannelConfig,
    limits: OpeningLimits,
    channel_type: ChannelType,
) -> None:
    """The rules of version 1 for the whole channel; what the accepter pays in is like a push there."""
    anchors = channel_type.has_anchors
    params.check_dust_and_reserves(theirs, ours, allow_dust_reserve=limits.allow_dust_reserve)
    params.check_bounds(total, feerate_perkw, theirs, ours, limits, anchors=anchors)
    params.check_first_balances(
        total, accepter_funding.to_msat(), feerate_perkw, theirs, ours, anchors=anchors
    )
