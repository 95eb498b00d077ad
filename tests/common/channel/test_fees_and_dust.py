"""Fees and trimming: BOLT 3's worked example and the thresholds around it."""

from __future__ import annotations

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel import dust, fees
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side


def _htlc(offerer: Side, amount_msat: int) -> Htlc:
    return Htlc.offered(offerer, 0, Msat(amount_msat), bytes(32), 500)


def test_example_of_bolt_3() -> None:
    # BOLT 3, "Fee Calculation": feerate 5000, dust limit 546.
    htlcs = [
        _htlc(Side.LOCAL, 5_000_000),
        _htlc(Side.LOCAL, 1_000_000),
        _htlc(Side.REMOTE, 7_000_000),
        _htlc(Side.REMOTE, 800_000),
    ]
    assert fees.htlc_timeout_fee(5000, anchors=False) == Sat(3315)
    assert fees.htlc_success_fee(5000, anchors=False) == Sat(3515)
    args = (Side.LOCAL, Sat(546), 5000)
    kept = dust.untrimmed_count(htlcs, *args, anchors=False)
    assert kept == 2
    assert fees.commitment_base_fee(5000, kept, anchors=False) == Sat(5340)
    assert dust.dust_exposure(htlcs, *args, anchors=False) == Msat(1_800_000)
    assert [dust.is_trimmed(h, *args, anchors=False) for h in htlcs] == [False, True, False, True]


def test_anchors_have_free_htlc_transactions() -> None:
    assert fees.htlc_timeout_fee(5000, anchors=True) == Sat(0)
    assert fees.htlc_success_fee(5000, anchors=True) == Sat(0)
    assert fees.commitment_weight(2, anchors=True) == 1124 + 344
    assert fees.commitment_cost(1000, 0, anchors=True) == Sat(1124 + 660)
    assert fees.commitment_cost(1000, 0, anchors=False) == Sat(724)
    for offerer in Side:
        assert not dust.is_trimmed(_htlc(offerer, 546_000), Side.LOCAL, Sat(546), 9, anchors=True)
        assert dust.is_trimmed(_htlc(offerer, 545_999), Side.LOCAL, Sat(546), 9, anchors=True)


@pytest.mark.parametrize(("rate", "buffered"), [(253, 2783), (10_120, 12_650), (20_000, 25_000)])
def test_buffered_feerate(rate: int, buffered: int) -> None:
    assert dust.dust_exposure_feerate(rate) == buffered


@pytest.mark.parametrize(
    ("script", "least"),
    [
        (b"\x00\x14" + bytes(20), 294),
        (b"\x00\x20" + bytes(32), 330),
        (b"\x51\x20" + bytes(32), 330),
        (b"\x51\x02\x4e\x73", 240),
        (b"\x52\x20" + bytes(32), 354),
        (b"\xa9\x14" + bytes(20) + b"\x87", 540),
        (b"\x76\xa9\x14" + bytes(20) + b"\x88\xac", 546),
        (b"\x6a\x06" + bytes(6), 0),
    ],
)
def test_relay_thresholds(script: bytes, least: int) -> None:
    assert dust.dust_threshold(script) == Sat(least)
