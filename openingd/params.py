"""Which figures of `open_channel` and `accept_channel` we take (BOLT 2, "The `open_channel` Message").

Each check raises BadParameters with a text for the peer and the log. Where CLN says something, its
words are used, since people search for them.
"""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.amount import MAX_MSAT, Msat, Sat
from pylightningd.common.bitcoin.script import is_valid_shutdown_script
from pylightningd.common.channel.config import MAX_ACCEPTED_HTLCS
from pylightningd.common.channel.fees import commitment_base_fee, commitment_cost
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.errors import FailChannel
from pylightningd.common.keys import is_pubkey
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig
from pylightningd.common.wire.openingd_wire import OpeningLimits
from pylightningd.common.wire.peer_wire import AcceptChannel, OpenChannel

MAX_SMALL_FUNDING = Sat((1 << 24) - 1)
"""The most without option_support_large_channel."""
MIN_DUST_LIMIT = Sat(354)


class BadParameters(FailChannel):
    """The peer's figures do not suit us; the opening is off."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"You gave bad parameters: {reason}")
        self.reason = reason


# ---- what a message says ------------------------------------------------------------------------


def basepoints_of(msg: OpenChannel | AcceptChannel) -> Basepoints:
    """The peer's keys, each a point on the curve. Raises BadParameters."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where one is not a valid compressed key.
    for name in (
        "funding_pubkey",
        "revocation_basepoint",
        "payment_basepoint",
        "delayed_payment_basepoint",
        "htlc_basepoint",
        "first_per_commitment_point",
    ):
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


def config_of(msg: OpenChannel | AcceptChannel) -> ChannelConfig:
    """The peer's limits. Raises BadParameters for an htlc_minimum beyond all bitcoin."""
    if msg.htlc_minimum_msat > MAX_MSAT:
        raise BadParameters(f"htlc_minimum_msat {msg.htlc_minimum_msat}msat too large")
    return ChannelConfig(
        dust_limit=msg.dust_limit_satoshis,
        # "No limit" is often sent as the largest u64.
        max_htlc_value_in_flight=Msat(min(msg.max_htlc_value_in_flight_msat, MAX_MSAT)),
        channel_reserve=msg.channel_reserve_satoshis,
        htlc_minimum=Msat(msg.htlc_minimum_msat),
        to_self_delay=msg.to_self_delay,
        max_accepted_htlcs=msg.max_accepted_htlcs,
    )


def check_upfront_script(script: bytes, ours: bytes, theirs: bytes) -> None:
    """The peer's upfront_shutdown_script; empty is always good."""
    # BOLT 2, "The `open_channel` Message": it is as a `shutdown` may have it, or empty.
    if script and not is_valid_shutdown_script(
        script,
        anysegwit=ft.negotiated(ours, theirs, ft.SHUTDOWN_ANYSEGWIT),
        simple_close=ft.negotiated(ours, theirs, ft.SIMPLE_CLOSE),
        allow_old=not ft.negotiated(ours, theirs, ft.ANCHORS_ZERO_FEE_HTLC),
    ):
        raise BadParameters(f"Unacceptable upfront_shutdown_script {script.hex()}")


# ---- single figures -----------------------------------------------------------------------------


def check_funding_amount(funding: Sat, ours: bytes, theirs: bytes) -> None:
    """Not larger than both sides have agreed to."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail from 2^24 sat on without
    # option_support_large_channel. As CLN we want both sides to have it.
    large = ft.negotiated(ours, theirs, ft.LARGE_CHANNELS)
    if not large and funding > MAX_SMALL_FUNDING:
        raise BadParameters(f"funding_satoshis {funding} too large")


def check_push(push: Msat, funding: Sat) -> None:
    """Not more than there is."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where push_msat exceeds the funding.
    if push > funding.to_msat():
        raise BadParameters(
            f"Their push_msat {push} would be too large for funding_satoshis {funding}"
        )


def check_feerate(feerate_perkw: int, limits: OpeningLimits) -> None:
    """The opener's feerate."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where feerate_per_kw is too small for
    # timely processing or unreasonably large.
    if feerate_perkw < limits.feerate_min_perkw:
        raise BadParameters(
            f"feerate_per_kw {feerate_perkw} below minimum {limits.feerate_min_perkw}"
        )
    if feerate_perkw > limits.feerate_max_perkw:
        raise BadParameters(
            f"feerate_per_kw {feerate_perkw} above maximum {limits.feerate_max_perkw}"
        )


def our_reserve(
    wanted: Sat | None, funding: Sat, dust_limits: tuple[Sat, ...], *, allow_dust: bool
) -> Sat:
    """The reserve we demand: what is wanted or 1%, and no dust unless that is allowed."""
    reserve = Sat(funding.sat // 100) if wanted is None else wanted
    return reserve if allow_dust else max(reserve, *dust_limits)


def check_dust_and_reserves(
    theirs: ChannelConfig, ours: ChannelConfig, *, allow_dust_reserve: bool
) -> None:
    """Neither reserve may be dust for either side."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail below 354 sat.
    if theirs.dust_limit < MIN_DUST_LIMIT:
        raise BadParameters(
            f"dust_limit_satoshis {theirs.dust_limit} is smaller than {MIN_DUST_LIMIT}"
        )
    if allow_dust_reserve:
        return
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where dust_limit_satoshis is greater
    # than channel_reserve_satoshis.
    if theirs.dust_limit > theirs.channel_reserve:
        raise BadParameters(
            f"dust_limit_satoshis {theirs.dust_limit} is greater than "
            f"channel_reserve_satoshis {theirs.channel_reserve}"
        )
    # BOLT 2, "The `accept_channel` Message": the same across both messages, each side's reserve
    # against the other side's dust limit.
    if theirs.dust_limit > ours.channel_reserve:
        raise BadParameters(
            f"dust limit {theirs.dust_limit} would be above our reserve {ours.channel_reserve}"
        )
    if theirs.channel_reserve < ours.dust_limit:
        raise BadParameters(
            f"channel_reserve_satoshis {theirs.channel_reserve} is below our "
            f"dust limit {ours.dust_limit}"
        )


# ---- the whole ----------------------------------------------------------------------------------


def check_bounds(
    funding: Sat,
    feerate_perkw: int,
    theirs: ChannelConfig,
    ours: ChannelConfig,
    limits: OpeningLimits,
    *,
    anchors: bool,
) -> None:
    """Whether a channel with these limits can carry payments worth having, and is safe for us."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where to_self_delay is unreasonable.
    if theirs.to_self_delay > limits.max_to_self_delay:
        raise BadParameters(
            f"to_self_delay {theirs.to_self_delay} larger than {limits.max_to_self_delay}"
        )
    check_capacity(funding, feerate_perkw, theirs, ours, limits, anchors=anchors)
    if theirs.max_accepted_htlcs == 0:
        raise BadParameters("max_accepted_htlcs 0 invalid")
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where max_accepted_htlcs is over 483.
    if theirs.max_accepted_htlcs > MAX_ACCEPTED_HTLCS:
        raise BadParameters(f"max_accepted_htlcs {theirs.max_accepted_htlcs} too large")
    if limits.allow_dust_reserve:
        _check_never_all_dust(funding, theirs, ours)


def check_capacity(
    funding: Sat,
    feerate_perkw: int,
    theirs: ChannelConfig,
    ours: ChannelConfig,
    limits: OpeningLimits,
    *,
    anchors: bool,
) -> None:
    """What is left for HTLCs after reserves, anchors and fee must be at least our minimum."""
    # BOLT 2, "The `open_channel` Message", receiver MAY fail where funding is too small, reserve or
    # htlc_minimum too large, or max_htlc_value_in_flight too small: all of it is in this one figure.
    fee = commitment_base_fee(feerate_perkw, 0, anchors=anchors).sat
    reserved = ours.channel_reserve.sat + theirs.channel_reserve.sat + (660 if anchors else 0)
    reserves = f"channel_reserve_satoshis {theirs.channel_reserve} and {ours.channel_reserve}"
    if reserved > funding.sat:
        raise BadParameters(f"{reserves} too large for funding {funding}")
    if reserved + fee > funding.sat:
        raise BadParameters(f"{reserves} plus fee {fee}sat too large for funding {funding}")
    in_flight = theirs.max_htlc_value_in_flight
    capacity = min(Sat(funding.sat - reserved - fee), in_flight.to_sat_floor())
    if theirs.htlc_minimum > capacity.to_msat():
        raise BadParameters(
            f"htlc_minimum_msat {theirs.htlc_minimum} too large for funding {funding} "
            f"capacity_msat {capacity}"
        )
    if limits.min_effective_htlc_capacity > capacity.to_msat():
        raise BadParameters(
            f"channel capacity with funding {funding}, reserves {theirs.channel_reserve}/"
            f"{ours.channel_reserve}, max_htlc_value_in_flight_msat is {in_flight}, channel "
            f"capacity is {capacity}, which is below "
            f"{limits.min_effective_htlc_capacity.to_sat_floor()}"
        )


def _check_never_all_dust(funding: Sat, theirs: ChannelConfig, ours: ChannelConfig) -> None:
    """Without real reserves all the money may be in dust HTLCs: a commitment with no output."""
    dust = min(theirs.dust_limit, ours.dust_limit)
    htlcs = theirs.max_accepted_htlcs + ours.max_accepted_htlcs
    if dust.sat * (htlcs + 2) >= funding.sat:
        raise BadParameters(
            f"channel funding {funding} too small for chosen parameters: a total of {htlcs} HTLCs "
            f"with dust value {dust} would result in a commitment_transaction without outputs. "
            "Please increase the funding amount or reduce the max_accepted_htlcs to ensure at "
            "least one non-dust output."
        )


def check_first_balances(
    funding: Sat,
    push: Msat,
    feerate_perkw: int,
    theirs: ChannelConfig,
    ours: ChannelConfig,
    *,
    anchors: bool,
) -> None:
    """The opener can pay for the first commitments, and somebody has more than the reserve in them."""
    opener_msat = funding.sat * 1000 - push.msat
    cost = commitment_cost(feerate_perkw, 0, anchors=anchors)
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where the funder cannot pay the whole fee
    # of the initial commitment.
    if opener_msat < cost.sat * 1000:
        raise BadParameters(
            f"Funder cannot afford fee {cost} on initial commitment transaction: "
            f"it has {opener_msat}msat"
        )
    opener_msat -= cost.sat * 1000
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where both to_local and to_remote of the
    # initial commitment are at most channel_reserve_satoshis.
    reserve = max(theirs.channel_reserve, ours.channel_reserve)
    most = max(opener_msat, push.msat)
    if most <= reserve.sat * 1000:
        raise BadParameters(
            f"Neither self amount {opener_msat}msat nor other amount {push} exceed reserve "
            f"{reserve} on initial commitment transaction"
        )
    dust = max(theirs.dust_limit, ours.dust_limit)
    if most < dust.sat * 1000:
        raise BadParameters(f"the initial commitment transaction has no output above {dust}")


def check_zeroconf(channel_type: ChannelType, minimum_depth: int) -> None:
    """Only who is trusted may open channels of no depth."""
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where channel_type has option_zeroconf
    # and it does not trust the sender.
    if channel_type.has_zeroconf and minimum_depth > 0:
        raise BadParameters("You required zeroconf, but you're not on our allowlist")
