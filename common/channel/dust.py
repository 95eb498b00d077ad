"""Which outputs are too small to exist, and how much of that a channel may carry."""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.channel.fees import htlc_success_fee, htlc_timeout_fee
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side


def offered_threshold(dust_limit: Sat, feerate_perkw: int, *, anchors: bool) -> Sat:
    """HTLCs that the commitment's owner offered are trimmed below this."""
    # BOLT 3, "Trimmed Outputs": amount minus the HTLC-timeout fee, against the owner's dust limit.
    return dust_limit + htlc_timeout_fee(feerate_perkw, anchors=anchors)


def received_threshold(dust_limit: Sat, feerate_perkw: int, *, anchors: bool) -> Sat:
    """HTLCs that the commitment's owner received are trimmed below this."""
    return dust_limit + htlc_success_fee(feerate_perkw, anchors=anchors)


def is_trimmed(
    htlc: Htlc, owner: Side, dust_limit: Sat, feerate_perkw: int, *, anchors: bool
) -> bool:
    """Whether the HTLC has no output in `owner`'s commitment; `dust_limit` is the owner's."""
    threshold = offered_threshold if htlc.offerer is owner else received_threshold
    return htlc.amount.to_sat_floor() < threshold(dust_limit, feerate_perkw, anchors=anchors)


def untrimmed_count(
    htlcs: Iterable[Htlc], owner: Side, dust_limit: Sat, feerate_perkw: int, *, anchors: bool
) -> int:
    """How many HTLCs have an output in `owner`'s commitment."""
    offered = offered_threshold(dust_limit, feerate_perkw, anchors=anchors).sat * 1000
    received = received_threshold(dust_limit, feerate_perkw, anchors=anchors).sat * 1000
    return sum(h.amount.msat >= (offered if h.offerer is owner else received) for h in htlcs)


def dust_exposure_feerate(feerate_perkw: int) -> int:
    """The feerate to count dust at: a quarter more, and at least 2530 more, than the current one."""
    # BOLT 2, "Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`":
    # leave room for feerate increases.
    return max(feerate_perkw * 5 // 4, feerate_perkw + 2530)


def dust_exposure(
    htlcs: Iterable[Htlc], owner: Side, dust_limit: Sat, feerate_perkw: int, *, anchors: bool
) -> Msat:
    """Total of the HTLCs that would be burnt to fees if `owner`'s commitment were confirmed."""
    offered = offered_threshold(dust_limit, feerate_perkw, anchors=anchors).sat * 1000
    received = received_threshold(dust_limit, feerate_perkw, anchors=anchors).sat * 1000
    total_msat = 0
    for htlc in htlcs:
        if htlc.amount.msat < (offered if htlc.offerer is owner else received):
            total_msat += htlc.amount.msat
    return Msat(total_msat)


def dust_threshold(script: bytes) -> Sat:
    """Below this bitcoind does not relay an output with this script."""
    # BOLT 3, "Dust Limits".
    if sc.is_p2wpkh(script):
        return Sat(294)
    if sc.is_p2wsh(script):
        return Sat(330)
    if sc.is_p2tr(script):
        return Sat(330)
    if script == b"\x51\x02\x4e\x73":  # pay to anchor
        return Sat(240)
    if sc.witness_program(script) is not None:
        return Sat(354)
    if sc.is_p2sh(script):
        return Sat(540)
    if script[:1] == sc.OP_RETURN:
        return Sat(0)
    return Sat(546)
