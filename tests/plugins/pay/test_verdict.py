"""Every failure code of BOLT 4 at every place of a route: who is blamed."""

from __future__ import annotations

import pytest

from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.plugins.pay.attempt import PartFailure
from pylightningd.plugins.pay.verdict import Kind, judge
from pylightningd.plugins.routing import Hop
from tests.plugins.pay.maps import NODES, UNREADABLE, failure, scid

HOPS = [
    Hop(scid(i), 0, NODES[name], 1000, 20)
    for i, name in enumerate(("bob", "carol", "dave", "erin"))
]
LAST = len(HOPS)
CHANNEL, NODE, LIMIT = Kind.AVOID_CHANNEL, Kind.AVOID_NODE, Kind.LIMIT_CHANNEL
UPDATE, QUIT, AGAIN = Kind.UPDATE_CHANNEL, Kind.GIVE_UP, Kind.RETRY

# Code: what it means from our own node, from a node on the way, from the destination.
TABLE: dict[F, tuple[Kind, Kind, Kind]] = {
    F.TEMPORARY_NODE_FAILURE: (CHANNEL, NODE, CHANNEL),
    F.PERMANENT_NODE_FAILURE: (CHANNEL, NODE, QUIT),
    F.REQUIRED_NODE_FEATURE_MISSING: (CHANNEL, NODE, QUIT),
    F.INVALID_ONION_VERSION: (CHANNEL, CHANNEL, CHANNEL),
    F.INVALID_ONION_HMAC: (CHANNEL, CHANNEL, CHANNEL),
    F.INVALID_ONION_KEY: (CHANNEL, CHANNEL, CHANNEL),
    F.TEMPORARY_CHANNEL_FAILURE: (LIMIT, LIMIT, CHANNEL),
    F.PERMANENT_CHANNEL_FAILURE: (CHANNEL, CHANNEL, QUIT),
    F.REQUIRED_CHANNEL_FEATURE_MISSING: (CHANNEL, CHANNEL, QUIT),
    F.UNKNOWN_NEXT_PEER: (CHANNEL, CHANNEL, QUIT),
    F.AMOUNT_BELOW_MINIMUM: (CHANNEL, UPDATE, CHANNEL),
    F.FEE_INSUFFICIENT: (CHANNEL, UPDATE, CHANNEL),
    F.INCORRECT_CLTV_EXPIRY: (CHANNEL, UPDATE, CHANNEL),
    F.EXPIRY_TOO_SOON: (CHANNEL, UPDATE, CHANNEL),
    F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS: (CHANNEL, NODE, QUIT),
    F.FINAL_INCORRECT_CLTV_EXPIRY: (CHANNEL, NODE, CHANNEL),
    F.FINAL_INCORRECT_HTLC_AMOUNT: (CHANNEL, NODE, CHANNEL),
    F.CHANNEL_DISABLED: (CHANNEL, UPDATE, CHANNEL),
    F.EXPIRY_TOO_FAR: (CHANNEL, NODE, CHANNEL),
    F.INVALID_ONION_PAYLOAD: (CHANNEL, NODE, QUIT),
    F.MPP_TIMEOUT: (CHANNEL, NODE, AGAIN),
    F.INVALID_ONION_BLINDING: (CHANNEL, CHANNEL, CHANNEL),
}


def test_every_code_is_in_the_table() -> None:
    assert set(TABLE) == set(F)


@pytest.mark.parametrize("code", list(F))
@pytest.mark.parametrize("index", range(LAST + 1))
def test_every_code_at_every_place(code: F, index: int) -> None:
    verdict = judge(failure(code, index), HOPS)
    ours, on_the_way, final = TABLE[code]
    assert verdict.kind is (ours if index == 0 else final if index == LAST else on_the_way)
    if verdict.kind in (CHANNEL, LIMIT, UPDATE):
        # A node sends on over the channel after it; the destination has only the one before.
        assert verdict.hop == min(index, LAST - 1)
    elif verdict.kind is NODE:
        assert verdict.hop == index - 1
    assert code.wire_name in verdict.why


@pytest.mark.parametrize("code", [0x1234, 0x4321, 0x2050, 0x0001])
@pytest.mark.parametrize("index", range(LAST + 1))
def test_unknown_codes_are_read_by_their_flags(code: int, index: int) -> None:
    verdict = judge(failure(code, index), HOPS)
    if index == 0:
        assert (verdict.kind, verdict.hop) == (CHANNEL, 0)
    elif index == LAST:
        assert verdict.kind is (QUIT if code & 0x4000 else CHANNEL)
    elif code & 0x2000:
        assert (verdict.kind, verdict.hop) == (NODE, index - 1)
    else:
        assert (verdict.kind, verdict.hop) == (CHANNEL, index)


def test_what_never_left_us_excludes_the_channel() -> None:
    said = failure(F.TEMPORARY_CHANNEL_FAILURE, 0, immediate=True)
    assert judge(said, HOPS).kind is CHANNEL


def test_unreadable_failures_suspect_one_channel_after_the_other() -> None:
    guessed = {judge(UNREADABLE, HOPS, luck).hop for luck in range(10)}
    assert guessed == {1, 2, 3}


def test_an_unreadable_failure_of_a_direct_payment_blames_its_channel() -> None:
    verdict = judge(UNREADABLE, HOPS[:1], 5)
    assert (verdict.kind, verdict.hop) == (CHANNEL, 0)


def test_a_malformed_message_blames_the_node_that_wrote_it() -> None:
    said = PartFailure(code=202, message="malformed", index=2)
    assert (judge(said, HOPS).kind, judge(said, HOPS).hop) == (NODE, 1)


@pytest.mark.parametrize("index", [-1, LAST + 1, 99])
def test_an_impossible_place_is_as_good_as_unreadable(index: int) -> None:
    assert judge(failure(F.UNKNOWN_NEXT_PEER, index), HOPS).kind is CHANNEL
