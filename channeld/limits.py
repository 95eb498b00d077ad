"""Whether a change may be made: what each side lets the other offer, and what the opener can pay.

Checks of what the peer sends raise `WarnPeer`; checks of what we want to send return a `Refused`. Both
look at the running totals of `view`. Amounts here are plain ints in msat.
"""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.channeld.state import Channel
from pylightningd.channeld.view import IN_NEXT, View
from pylightningd.common.amount import Msat
from pylightningd.common.channel.config import MAX_ACCEPTED_HTLCS
from pylightningd.common.channel.dust import dust_exposure, dust_exposure_feerate, untrimmed_count
from pylightningd.common.channel.fees import ANCHOR_AMOUNT, commitment_cost, commitment_weight
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side, is_adding
from pylightningd.common.errors import WarnPeer
from pylightningd.common.onion.failure_codes import FailureCode

MAX_CLTV_EXPIRY = 500_000_000
"""From here on a locktime would mean seconds."""
FEE_SPIKE = 2
"""The feerate may rise so many times before we, as opener, cannot add another HTLC."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why we do not offer an HTLC: BOLT 4's code for the sender, and words for our own log."""

    code: FailureCode
    text: str


# ---- what we offer --------------------------------------------------------------------------------


def check_offer(channel: Channel, amount: Msat, cltv_expiry: int) -> Refused | None:
    """Why an HTLC of ours must not be sent, or None."""
    facts = channel.facts
    theirs = facts.static.remote_config
    view = channel.views[Side.REMOTE]
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", sender MUST set cltv_expiry below 500000000.
    if cltv_expiry >= MAX_CLTV_EXPIRY:
        return Refused(FailureCode.INCORRECT_CLTV_EXPIRY, f"Invalid cltv_expiry {cltv_expiry}")
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", sender MUST offer more than 0 and no less than the
    # receiver's htlc_minimum_msat.
    if not amount or amount < theirs.htlc_minimum:
        return Refused(
            FailureCode.AMOUNT_BELOW_MINIMUM, f"HTLC too small ({theirs.htlc_minimum} minimum)"
        )
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", sender MUST NOT go beyond the remote's max_accepted_htlcs.
    # Nor beyond our own figure: that would let a peer make us, as opener, pay for a heavy commitment.
    most = min(
        theirs.max_accepted_htlcs, facts.static.local_config.max_accepted_htlcs, MAX_ACCEPTED_HTLCS
    )
    if view.count[Side.LOCAL] >= most:
        return Refused(FailureCode.TEMPORARY_CHANNEL_FAILURE, "Too many HTLCs")
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", sender MUST NOT go beyond the remote's
    # max_htlc_value_in_flight_msat.
    if view.in_flight_msat[Side.LOCAL] + amount.msat > theirs.max_htlc_value_in_flight.msat:
        return Refused(FailureCode.TEMPORARY_CHANNEL_FAILURE, "Maximum value in flight exceeded")
    return _check_our_means(channel, amount.msat) or _check_our_dust(channel, amount.msat)


def _check_our_means(channel: Channel, amount_msat: int) -> Refused | None:
    feerate = channel.fees.highest
    view = channel.views[Side.REMOTE]
    more = int(view.is_untrimmed(Side.LOCAL, amount_msat))
    reserve = channel.facts.static.remote_config.channel_reserve.sat * 1000
    room = view.owed_msat[Side.LOCAL] - amount_msat - reserve
    cost = max(v.cost_msat(feerate, more) for v in channel.views)
    refused = Refused(
        FailureCode.TEMPORARY_CHANNEL_FAILURE,
        f"Capacity exceeded - HTLC fee: {-(-cost // 1000)}sat",
    )
    if room < 0:
        return refused
    if channel.facts.opener is Side.LOCAL:
        # BOLT 2, "Adding an HTLC: `update_add_htlc`", a sender who pays the fee MUST keep it, anchors and
        # reserve; and it SHOULD still be able to do so with another HTLC at twice the feerate (fee spike
        # buffer).
        spike = view.cost_msat(feerate * FEE_SPIKE, more + 1)
        return refused if room < max(cost, spike) else None
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", a sender who does not pay the fee SHOULD NOT offer what the
    # remote could not pay the fee for while keeping its reserve.
    their_reserve = channel.facts.static.local_config.channel_reserve.sat * 1000
    their_room = min(v.owed_msat[Side.REMOTE] for v in channel.views) - their_reserve
    return refused if their_room < cost else None


def _check_our_dust(channel: Channel, amount_msat: int) -> Refused | None:
    # BOLT 2, "Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`", sender: SHOULD
    # NOT send an HTLC that takes either commitment's dust over our limit.
    if exceeds_dust(channel, Side.LOCAL, amount_msat):
        return Refused(
            FailureCode.TEMPORARY_CHANNEL_FAILURE, "HTLC too dusty, allowed dust limit reached"
        )
    return None


def exceeds_dust(channel: Channel, offerer: Side, amount_msat: int) -> bool:
    """Whether such an HTLC more takes either commitment's dust over our limit."""
    most = channel.facts.max_dust_exposure.msat
    return any(
        v.is_dust(offerer, amount_msat) and v.dust_msat + amount_msat > most for v in channel.views
    )


def too_dusty(channel: Channel, committed: list[Htlc]) -> frozenset[int]:
    """Ids of those of the received HTLCs, irrevocable from now on, that take dust over our limit."""
    most = channel.facts.max_dust_exposure.msat
    over: set[int] = set()
    for view in channel.views:
        if view.dust_msat <= most:
            continue
        new = sorted(h.id for h in committed if view.is_dust(Side.REMOTE, h.amount.msat))
        # What was there before: neither these nor those that the peer added after them.
        dust_msat = sum(
            h.amount.msat
            for h in channel.htlcs.values()
            if IN_NEXT[view.owner][h.state]
            and view.is_dust(h.offerer, h.amount.msat)
            and not (h.offerer is Side.REMOTE and is_adding(h.state))
        )
        # BOLT 2, "Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`", receiver: SHOULD
        # fail an HTLC that takes either commitment's dust over our limit once it is committed.
        for htlc_id in new:
            dust_msat += channel.htlcs[Side.REMOTE, htlc_id].amount.msat
            if dust_msat > most:
                over.add(htlc_id)
    return frozenset(over)


# ---- what the peer offers -------------------------------------------------------------------------


def check_received_add(channel: Channel, amount: Msat, cltv_expiry: int) -> None:
    """Check an update_add_htlc of the peer. Raises WarnPeer."""
    ours = channel.facts.static.local_config
    view = channel.views[Side.LOCAL]
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", receiver SHOULD warn or fail on 0 or less than its own
    # htlc_minimum_msat.
    if not amount or amount < ours.htlc_minimum:
        raise WarnPeer(f"update_add_htlc of {amount}: below our minimum of {ours.htlc_minimum}")
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", receiver SHOULD warn or fail on cltv_expiry of 500000000 or
    # more.
    if cltv_expiry >= MAX_CLTV_EXPIRY:
        raise WarnPeer(f"update_add_htlc: invalid cltv_expiry {cltv_expiry}")
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", receiver SHOULD warn or fail on more than its
    # max_accepted_htlcs, or on more in flight than its max_htlc_value_in_flight_msat.
    if view.count[Side.REMOTE] >= ours.max_accepted_htlcs:
        raise WarnPeer(f"update_add_htlc: more than {ours.max_accepted_htlcs} HTLCs")
    in_flight = view.in_flight_msat[Side.REMOTE] + amount.msat
    if in_flight > ours.max_htlc_value_in_flight.msat:
        raise WarnPeer(
            f"update_add_htlc: {in_flight}msat in flight, at most {ours.max_htlc_value_in_flight}"
        )
    _check_their_means(channel, view, amount.msat)


def _check_their_means(channel: Channel, view: View, amount_msat: int) -> None:
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", receiver SHOULD warn or fail where the sender cannot pay
    # the amount and keep its reserve (and, where it is the opener, fee and anchors).
    needed = channel.facts.static.local_config.channel_reserve.sat * 1000
    if channel.facts.opener is Side.REMOTE:
        more = int(view.is_untrimmed(Side.REMOTE, amount_msat))
        needed += view.cost_msat(view.feerate_perkw, more)
    has = view.owed_msat[Side.REMOTE]
    if has - amount_msat < needed:
        raise WarnPeer(
            f"update_add_htlc of {amount_msat}msat: you have {has}msat and must keep {needed}msat"
        )


# ---- feerates -------------------------------------------------------------------------------------


def opener_can_afford(channel: Channel, feerate_perkw: int) -> bool:
    """Whether the opener can pay this feerate on the other side's next commitment, above its reserve."""
    opener = channel.facts.opener
    other = opener.other
    config = channel.facts.config_of(other)
    inside = [h for h in channel.htlcs.values() if IN_NEXT[other][h.state]]
    anchors = channel.facts.anchors
    untrimmed = untrimmed_count(inside, other, config.dust_limit, feerate_perkw, anchors=anchors)
    cost = commitment_cost(feerate_perkw, untrimmed, anchors=anchors) + config.channel_reserve
    return channel.views[other].owed_msat[opener] >= cost.sat * 1000


def highest_affordable(channel: Channel) -> int:
    """The feerate at which we, as opener, have nothing left above our reserve; 0 where there is none."""
    view = channel.views[Side.REMOTE]
    anchors = channel.facts.anchors
    room = view.owed_msat[Side.LOCAL] // 1000
    room -= channel.facts.static.remote_config.channel_reserve.sat
    if anchors:
        room -= 2 * ANCHOR_AMOUNT.sat
    return max(0, room * 1000 // commitment_weight(view.untrimmed, anchors=anchors))


def feerate_is_too_dusty(channel: Channel, feerate_perkw: int) -> bool:
    """Whether at this feerate either commitment would hold more dust than we allow."""
    facts = channel.facts
    for owner in Side:
        inside = [h for h in channel.htlcs.values() if IN_NEXT[owner][h.state]]
        dust = dust_exposure(
            inside,
            owner,
            facts.config_of(owner).dust_limit,
            dust_exposure_feerate(feerate_perkw),
            anchors=facts.anchors,
        )
        if dust > facts.max_dust_exposure:
            return True
    return False
