"""Only what works is offered: each feature bit of ours names the tests that show it (BOLT 9)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pylightningd.common import features as f
from pylightningd.lightningd.our_features import our_bits

ROOT = Path(__file__).parents[2]

SHOWN_BY = {
    f.DATA_LOSS_PROTECT: "tests/regtest/test_onchain.py::test_lost_data",
    f.UPFRONT_SHUTDOWN_SCRIPT: "tests/regtest/test_channels.py::test_open_shapes",
    f.GOSSIP_QUERIES: "tests/regtest/test_gossip.py::test_a_line_of_three_is_known_to_all",
    f.VAR_ONION: "tests/regtest/test_channels.py::test_forward_with_fees",
    f.GOSSIP_QUERIES_EX: "tests/gossipd/test_queries.py::test_vector",
    f.STATIC_REMOTEKEY: "tests/regtest/test_onchain.py::test_static_remotekey_channel",
    f.PAYMENT_SECRET: "tests/regtest/test_pay.py::test_direct",
    f.BASIC_MPP: "tests/regtest/test_pay.py::test_in_parts",
    f.LARGE_CHANNELS: "tests/regtest/test_real_world.py::test_a_large_channel_by_given_keys_and_another_channeld",
    f.ANCHORS_ZERO_FEE_HTLC: "tests/regtest/test_onchain.py::test_our_unilateral_close",
    f.ROUTE_BLINDING: "tests/regtest/test_blinded.py::test_a_path_of_several_hops_and_its_failure",
    f.SHUTDOWN_ANYSEGWIT: "tests/regtest/test_channels.py::test_mutual_close_with_fee_range",
    f.DUAL_FUND: "tests/regtest/test_dual_fund.py::test_both_pay",
    f.ONION_MESSAGES: "tests/regtest/test_offers.py::test_offers_over_a_node_between",
    f.PROVIDE_STORAGE: "tests/regtest/test_recovery.py::test_from_a_peer",
    f.CHANNEL_TYPE: "tests/regtest/test_channels.py::test_open_shapes",
    f.SCID_ALIAS: "tests/regtest/test_channels.py::test_open_shapes",
    f.PAYMENT_METADATA: "tests/plugins/pay/test_shell.py::test_metadata_of_the_invoice_goes_to_the_payee",
    f.SHUTDOWN_WRONG_FUNDING: "tests/regtest/test_onchain.py::test_close_another_output_than_the_negotiated_one",
}  # fmt: skip


def test_every_bit_is_in_the_table() -> None:
    offered = our_bits(wrong_funding=True, dual_fund=True)
    assert sorted(bit & ~1 for bit in offered) == sorted(bit & ~1 for bit in SHOWN_BY)


@pytest.mark.parametrize("name", sorted(set(SHOWN_BY.values())))
def test_its_test_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert re.search(rf"def {test}\(", (ROOT / file).read_text())


def test_experiments_are_not_offered_unasked() -> None:
    assert {bit & ~1 for bit in our_bits()}.isdisjoint({f.DUAL_FUND, f.SHUTDOWN_WRONG_FUNDING})
