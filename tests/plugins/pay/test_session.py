"""The payer's decisions: routes, parts, what follows from failures, and how it ends."""

from __future__ import annotations

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.keys import sign_compact
from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.peer_wire import ChannelUpdate
from pylightningd.plugins.pay.attempt import Attempt
from pylightningd.plugins.pay.knowledge import Knowledge
from pylightningd.plugins.pay.session import Done, PaySession, Send, Wait, WaitHeight
from tests.plugins.pay.maps import (
    NODES,
    SECRETS,
    UNREADABLE,
    direction,
    failure,
    hint,
    own,
    public_map,
    scid,
    session,
)

PREIMAGE = "aa" * 32
LINE = ((1, "us", "bob"), (2, "bob", "carol"))
DIAMOND = (*LINE, (3, "us", "dave"), (4, "dave", "carol"))


def sent(payment: PaySession, now: float = 0.0) -> list[Attempt]:
    step = payment.next_step(now)
    assert isinstance(step, Send), step
    return step.attempts


def sent_one(payment: PaySession) -> Attempt:
    (attempt,) = sent(payment)
    return attempt


def ended(payment: PaySession, now: float = 0.0) -> Done:
    step = payment.next_step(now)
    assert isinstance(step, Done), step
    return step


def channels(attempt: Attempt) -> list[int]:
    return [(hop.scid >> 40) - 100 for hop in attempt.hops]


def test_a_direct_payment() -> None:
    payment = session(public_map(), [own(1, "bob")], "bob", 5000)
    attempt = sent_one(payment)
    assert channels(attempt) == [1]
    assert (attempt.sent_msat, attempt.hops[0].delay, attempt.partid) == (5000, 18, 1)
    assert payment.next_step(0) == Wait()
    payment.succeeded(1, PREIMAGE, 0)
    assert ended(payment).preimage == PREIMAGE
    assert payment.sent_msat == 5000


def test_fees_and_delays_of_two_hops() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1_000_000)
    attempt = sent_one(payment)
    assert [hop.amount_msat for hop in attempt.hops] == [1_001_010, 1_000_000]
    assert [hop.delay for hop in attempt.hops] == [24, 18]
    assert attempt.fee_msat == 1010


def test_the_map_is_left_as_it_was() -> None:
    graph = public_map(*LINE)
    payment = session(
        graph, [own(1, "bob"), own(9, "erin")], "carol", 1000, hints=[hint(7, "bob", "erin")]
    )
    sent(payment)
    assert NODES["erin"] not in graph.node_index
    assert scid(9) not in graph.channel_index and scid(7) not in graph.channel_index


def test_a_hint_leads_to_a_private_destination() -> None:
    payment = session(
        public_map(*LINE), [own(1, "bob")], "erin", 1000, hints=[hint(7, "carol", "erin")]
    )
    attempt = sent_one(payment)
    assert channels(attempt) == [1, 2, 7]
    assert [hop.amount_msat for hop in attempt.hops] == [2007, 1007, 1000]
    assert [hop.delay for hop in attempt.hops] == [29, 23, 18]


def test_a_temporary_failure_takes_the_other_way() -> None:
    payment = session(
        public_map(*DIAMOND), [own(1, "bob"), own(3, "dave")], "carol", 1000, may_split=False
    )
    first = sent_one(payment)
    said = payment.failed(1, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    assert "WIRE_TEMPORARY_CHANNEL_FAILURE" in said and "cannot carry 1000msat" in said
    second = sent_one(payment)
    assert channels(second) != channels(first)
    assert second.partid == 2


def test_node_failures_exclude_the_node() -> None:
    graph = public_map(*DIAMOND)
    payment = session(graph, [own(1, "bob"), own(3, "dave")], "carol", 1000)
    first = sent_one(payment)
    payment.failed(1, failure(F.TEMPORARY_NODE_FAILURE, 1), 0)
    assert payment.knowledge.avoid_nodes == {first.hops[0].node_id}
    second = sent_one(payment)
    payment.failed(2, failure(F.PERMANENT_NODE_FAILURE, 1), 0)
    assert second.hops[0].node_id in payment.knowledge.avoid_nodes
    done = ended(payment)
    assert done.code == 210
    assert done.message.startswith("Ran out of routes to try after 2 attempts: see `paystatus`")


def test_the_destination_refuses_for_good() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000)
    sent(payment)
    payment.failed(1, failure(F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS, 2), 0)
    done = ended(payment)
    assert done.code == 203
    assert "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS" in done.message
    assert done.last is not None and done.last.failcode == 0x400F


def test_a_refusal_from_a_higher_block_is_waited_out() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000)
    payment.height = 100
    sent(payment)
    refusal = ow.IncorrectOrUnknownPaymentDetails(htlc_msat=Msat(1000), height=102)
    code = F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS
    payment.failed(1, failure(code, 2, refusal.encode()), 0)
    assert payment.next_step(1) == WaitHeight(102)
    payment.height = 102
    assert sent_one(payment).height == 102
    payment.failed(2, failure(code, 2, refusal.encode()), 0)
    assert ended(payment).code == 203


def signed_update(number: int, source: str, target: str, **more: int) -> bytes:
    values = {
        "timestamp": 9,
        "message_flags": 1,
        "channel_flags": direction(source, target),
        "cltv_expiry_delta": 40,
        "htlc_minimum_msat": 0,
        "fee_base_msat": 5000,
        "fee_proportional_millionths": 0,
        "htlc_maximum_msat": 10**9,
    } | more
    bare = ChannelUpdate(
        signature=bytes(64), chain_hash=bytes(32), short_channel_id=ShortChannelId(scid(number)), **values
    ).encode()  # fmt: skip
    return bare[:2] + sign_compact(SECRETS[source], sha256d(bare[66:])) + bare[66:]


@pytest.mark.parametrize(("with_type", "named"), [(True, 2), (False, 2), (True, 77)])
def test_new_fees_are_taken_from_the_failure(with_type: bool, named: int) -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000)
    assert sent_one(payment).fee_msat == 1000
    # A node may call the channel by another of its aliases.
    update = signed_update(named, "bob", "carol")
    raw = ow.FeeInsufficient(
        htlc_msat=Msat(2000), channel_update=update if with_type else update[2:]
    ).encode()
    assert "new rules" in payment.failed(1, failure(F.FEE_INSUFFICIENT, 1, raw), 0)
    second = sent_one(payment)
    assert (second.fee_msat, second.hops[0].delay) == (5000, 58)
    # The same once more: the node does not keep its own rules.
    assert "avoiding" in payment.failed(2, failure(F.FEE_INSUFFICIENT, 1, raw), 0)
    assert ended(payment).code == 210


@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"\x01\x02garbage",
        signed_update(2, "carol", "bob"),
        signed_update(2, "bob", "carol")[:-1] + b"\xff",
        signed_update(2, "bob", "carol", channel_flags=direction("bob", "carol") | 2),
    ],
)
def test_updates_that_do_not_help_exclude_the_channel(update: bytes) -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000)
    sent(payment)
    raw = ow.IncorrectCltvExpiry(cltv_expiry=1, channel_update=update).encode()
    assert "avoiding" in payment.failed(1, failure(F.INCORRECT_CLTV_EXPIRY, 1, raw), 0)
    assert payment.knowledge.policies == {}


def test_unreadable_failures_end() -> None:
    payment = session(public_map(*DIAMOND), [own(1, "bob"), own(3, "dave")], "carol", 1000)
    for partid in (1, 2):
        sent(payment)
        payment.failed(partid, UNREADABLE, 0)
    assert ended(payment).code == 210


# Parts


def test_two_channels_carry_what_one_cannot() -> None:
    owned = [own(1, "bob", 700_000), own(3, "dave", 500_000)]
    payment = session(public_map(*DIAMOND), owned, "carol", 1_100_000)
    attempts = sent(payment)
    assert sum(a.amount_msat for a in attempts) == 1_100_000
    assert {channels(a)[0] for a in attempts} == {1, 3}
    for number, most in ((1, 700_000), (3, 500_000)):
        assert sum(a.sent_msat for a in attempts if channels(a)[0] == number) <= most
    assert len(attempts) <= 3
    assert payment.next_step(0) == Wait()
    payment.succeeded(1, PREIMAGE, 0)
    assert ended(payment).preimage == PREIMAGE
    assert payment.sent_msat == sum(a.sent_msat for a in attempts)


def test_without_basic_mpp_it_is_not_split() -> None:
    owned = [own(1, "bob", 700_000), own(3, "dave", 500_000)]
    payment = session(public_map(*DIAMOND), owned, "carol", 1_100_000, may_split=False)
    done = ended(payment)
    assert done.code == 205
    assert "Could not find a route" in done.message


def test_a_failed_part_alone_is_sent_again() -> None:
    owned = [own(1, "bob", 600_000), own(3, "dave", 600_000), own(5, "bob", 600_000)]
    graph = public_map(*DIAMOND, (5, "us", "bob"))
    payment = session(graph, owned, "carol", 1_000_000)
    attempts = sent(payment)
    lost = attempts[0]
    payment.failed(lost.partid, failure(F.UNKNOWN_NEXT_PEER, 0), 0)
    again = sent(payment)
    assert sum(a.amount_msat for a in again) == lost.amount_msat
    assert all(channels(a)[0] != channels(lost)[0] for a in again)


def test_splits_after_a_refusal_of_the_whole() -> None:
    payment = session(public_map(*DIAMOND), [own(1, "bob"), own(3, "dave")], "carol", 1_000_000)
    sent(payment)
    payment.failed(1, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    sent(payment)
    payment.failed(2, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    attempts = sent(payment)
    assert len(attempts) > 1
    assert sum(a.amount_msat for a in attempts) == 1_000_000


def test_refusal_of_a_part_counts_what_else_is_in_the_channel() -> None:
    graph = public_map((1, "us", "bob"), (2, "bob", "carol"), (5, "us", "bob"))
    owned = [own(1, "bob", 600_000), own(5, "bob", 600_000)]
    payment = session(graph, owned, "carol", 1_000_000)
    first, second = sent(payment)
    payment.failed(second.partid, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    key = (scid(2), direction("bob", "carol"))
    assert payment.knowledge.limits[key] == 999_999
    assert payment.next_step(0) == Wait()
    payment.failed(first.partid, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    assert payment.knowledge.limits[key] == first.amount_msat - 1


def test_no_part_is_a_crumb() -> None:
    owned = [own(1, "bob", 995_000), own(3, "dave", 500_000)]
    payment = session(public_map(*DIAMOND, ppm=0, base=0), owned, "carol", 1_000_000)
    assert min(a.amount_msat for a in sent(payment)) >= 10_000


def test_htlc_slots_of_our_channel_are_kept() -> None:
    full = own(1, "bob")
    crowded = type(full)(local=full.local, usable=True, spendable_msat=10**9, slots=0)
    payment = session(public_map(*LINE), [crowded], "carol", 1000)
    assert ended(payment).code == 205


def test_bisection_ends() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1_000_000)
    for _ in range(300):
        step = payment.next_step(0)
        if isinstance(step, Done):
            break
        for attempt in payment.pending:
            payment.failed(attempt.partid, failure(F.TEMPORARY_CHANNEL_FAILURE, 1), 0)
    assert isinstance(step, Done) and step.code == 210
    assert len(payment.attempts) < 40


# Limits


def test_fees_above_the_limit() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1_000_000, max_fee_msat=1009)
    done = ended(payment)
    assert done.code == 206
    assert "1010msat" in done.message and "1009msat" in done.message
    cheap = session(public_map(*LINE), [own(1, "bob")], "carol", 1_000_000, max_fee_msat=1010)
    sent(cheap)


def test_delay_above_the_limit() -> None:
    payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000, max_delay=23)
    done = ended(payment)
    assert done.code == 205 and "23 blocks" in done.message


def test_what_the_user_excludes() -> None:
    key = (scid(2), direction("bob", "carol"))
    for knowledge in (Knowledge(avoid_channels={key}), Knowledge(avoid_nodes={NODES["bob"]})):
        payment = session(public_map(*LINE), [own(1, "bob")], "carol", 1000, knowledge=knowledge)
        assert ended(payment).code == 205


@pytest.mark.parametrize(
    ("owned", "target", "amount", "text"),
    [
        ([], "carol", 1000, "we have no channel"),
        ([own(1, "bob", usable=False)], "carol", 1000, "none of our channels is usable"),
        ([own(1, "bob", 500)], "carol", 1000, "our channels can send 500msat at most"),
        ([own(1, "bob")], "erin", 1000, "has no public channel"),
        ([own(1, "bob")], "dave", 1000, "no path of channels"),
    ],
)
def test_why_there_is_no_route(owned: list, target: str, amount: int, text: str) -> None:
    graph = (
        public_map(*LINE, (6, "dave", "carol"), capacity_sat=0)
        if target == "dave"
        else public_map(*LINE)
    )
    done = ended(session(graph, owned, target, amount))
    assert done.code == 205
    assert text in done.message


def test_a_public_channel_of_ours_that_is_gone_is_not_used() -> None:
    payment = session(public_map(*DIAMOND), [own(3, "dave")], "carol", 1000)
    assert channels(sent_one(payment)) == [3, 4]


def test_time_is_over() -> None:
    payment = session(public_map(*DIAMOND), [own(1, "bob"), own(3, "dave")], "carol", 1000)
    sent(payment)
    assert payment.next_step(61) == Wait()
    payment.failed(1, failure(F.TEMPORARY_NODE_FAILURE, 1), 61)
    done = ended(payment, 61)
    assert done.code == 210
    assert done.message.startswith("Timed out after 1 attempt: see `paystatus`. part 1 (1000msat)")


def test_waits_for_all_parts_before_it_says_no() -> None:
    owned = [own(1, "bob", 700_000), own(3, "dave", 700_000)]
    payment = session(public_map(*DIAMOND), owned, "carol", 1_000_000)
    first, second = sent(payment)
    payment.failed(first.partid, failure(F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS, 2), 0)
    assert payment.next_step(0) == Wait()
    payment.failed(second.partid, failure(F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS, 2), 0)
    assert ended(payment).code == 203


def test_stop_waits_as_well() -> None:
    payment = session(public_map(), [own(1, "bob")], "bob", 5000)
    sent(payment)
    payment.stop(-1, "the node is going")
    assert payment.next_step(0) == Wait()
    payment.succeeded(1, PREIMAGE, 0)
    assert ended(payment).preimage == PREIMAGE
