"""The switch: HTLCs in, HTLCs out, and what becomes of both when something is in the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.db.forwards_io import ForwardState
from tests.lightningd.channels.rig import (
    HEIGHT,
    Rig,
    add_invoice,
    for_us,
    got_commitsig,
    htlc_row,
    incoming,
    make_channel,
    reestablished,
    to_forward,
)

PREIMAGE = b"p" * 32


def forwards(rig: Rig) -> list[ForwardState]:
    return [ForwardState(row["state"]) for row in rig.node.switch.forwards.all()]


def fulfilled(channel: Channel, preimage: bytes) -> cw.ChanneldGotCommitsig:
    """The peer fulfils our HTLC 0: its removal is in our newest commitment."""
    htlc = channel.htlcs[True, 0]
    wire = cw.ChanneldOfferHtlc(
        dbid=channel.dbid,
        cookie=0,
        amount=htlc.amount,
        cltv_expiry=htlc.cltv_expiry,
        payment_hash=htlc.payment_hash,
        onion=htlc.onion,
        path_key=None,
    )
    return got_commitsig(channel, removed=(htlc_row(0, wire, 7, preimage=preimage),))


def offer_through(rig: Rig) -> tuple[Channel, Channel]:
    """An HTLC comes in on the first channel and is offered on the second."""
    first, second = rig.ready(1), rig.ready(2, 2)
    rig.receive(first, 0, to_forward(PREIMAGE, 1_000_000, second))
    assert [m.dbid for m in rig.to_worker(cw.ChanneldOfferHtlc)] == [2]
    return first, second


def test_a_forward_is_paid_backwards(rig: Rig) -> None:
    first, second = offer_through(rig)
    assert rig.commit_offers(second) == [0]
    rig.worker_says(fulfilled(second, PREIMAGE))
    claims = rig.to_worker(cw.ChanneldFulfillHtlc)
    assert claims == [cw.ChanneldFulfillHtlc(dbid=1, id=0, preimage=PREIMAGE)]
    assert first.htlcs[False, 0].preimage == PREIMAGE
    assert forwards(rig) == [ForwardState.SETTLED]


def test_through_one_channel_and_back_by_it(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.receive(channel, 0, to_forward(PREIMAGE, 1_000_000, channel))
    assert rig.commit_offers(channel) == [0]
    rig.worker_says(fulfilled(channel, PREIMAGE))
    assert rig.to_worker(cw.ChanneldFulfillHtlc)[0].id == 0
    assert set(channel.htlcs) == {(False, 0), (True, 0)}


def test_a_restart_claims_what_was_fulfilled_downstream(rig: Rig) -> None:
    _, second = offer_through(rig)
    rig.commit_offers(second)
    # The turn that learns the preimage writes it to both channels.
    rig.worker_says(fulfilled(second, PREIMAGE))
    rig.restart()
    htlc = rig.node.channels.get(1).htlcs[False, 0]
    assert htlc.preimage == PREIMAGE


def test_an_htlc_that_was_not_yet_offered_on_is_decided_anew_after_a_restart(rig: Rig) -> None:
    offer_through(rig)
    rig.restart()
    rig.recover()
    # Nobody is connected yet, so it fails; it must neither vanish nor wait.
    assert rig.node.channels.get(1).htlcs[False, 0].failure_onion is not None
    assert forwards(rig) == [ForwardState.LOCAL_FAILED]


def test_an_htlc_on_its_way_is_left_alone_by_a_restart(rig: Rig) -> None:
    _, second = offer_through(rig)
    rig.commit_offers(second)
    rig.restart()
    rig.recover()
    assert not rig.node.channels.get(1).htlcs[False, 0].is_resolved
    assert not rig.to_worker(cw.ChanneldOfferHtlc)


def test_one_htlc_that_cannot_be_recovered_does_not_stop_the_others(
    rig: Rig, monkeypatch: Any
) -> None:
    first, second = rig.ready(1), rig.ready(2, 2)
    for htlc_id, preimage in enumerate((b"a" * 32, b"b" * 32)):
        rig.receive(first, htlc_id, to_forward(preimage, 1_000_000, second))
    rig.restart()
    switch = rig.node.switch
    committed = switch.committed

    def picky(channel: Channel, htlc: Any) -> None:
        if htlc.id == 0:
            raise ValueError("a bug")
        committed(channel, htlc)

    monkeypatch.setattr(switch, "committed", picky)
    rig.turn(switch.recover)
    assert rig.bugs == ["in a turn: ValueError: a bug"]
    rig.bugs.clear()
    htlcs = rig.node.channels.get(1).htlcs
    assert [h.is_resolved for h in htlcs.values()] == [False, True]


def test_refused_after_the_incoming_channel_went_to_the_chain(rig: Rig) -> None:
    first, second = offer_through(rig)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(first, Cause.USER, "x"))
    rig.forgive()  # no commitment to sign here
    offer = rig.node.switch.offers.of_channel(2)[0]
    refusal = cw.ChanneldHtlcOffered(
        dbid=2, cookie=offer.cookie, id=0, failure_code=0x1007, error="no"
    )
    rig.worker_says(refusal, refusal)
    assert forwards(rig) == [ForwardState.LOCAL_FAILED]
    assert not rig.to_worker(cw.ChanneldFailHtlc)
    assert second.is_ready()


def test_a_preimage_for_a_channel_on_the_chain_goes_to_who_claims_there(rig: Rig) -> None:
    first, second = offer_through(rig)
    rig.commit_offers(second)

    def spent() -> None:
        rig.node.workers.release(first)
        rig.node.channels.set_state(first, ChannelState.FUNDING_SPEND_SEEN, Cause.ONCHAIN, "spent")
        first.worker = "onchaind"

    rig.turn(spent)
    rig.worker_says(fulfilled(second, PREIMAGE))
    assert rig.node.onchain.preimages == [(1, 0)]
    assert not rig.to_worker(cw.ChanneldFulfillHtlc)
    assert rig.node.channels.store.load(1).htlcs[False, 0].preimage == PREIMAGE


def test_a_late_preimage_does_not_turn_a_failure_into_income(rig: Rig) -> None:
    first, second = offer_through(rig)
    rig.commit_offers(second)
    htlc = first.htlcs[False, 0]
    rig.turn(lambda: rig.node.resolver.fail(htlc, ow.TemporaryNodeFailure()))
    rig.worker_says(fulfilled(second, PREIMAGE))
    assert [text for level, text in rig.logs if level == "broken"]
    rig.logs.clear()
    assert htlc.preimage is None
    assert not rig.to_worker(cw.ChanneldFulfillHtlc)
    for state in (16, 17, 18, 19):
        change = cw.HtlcChange(id=0, offered_by_us=False, state=state)
        rig.worker_says(got_commitsig(first, changed=(change,)))
    assert not first.htlcs
    assert first.to_local == Msat(500_000_000)


def test_a_preimage_wins_over_a_failure_that_nobody_has_heard_of(rig: Rig) -> None:
    first, second = offer_through(rig)
    rig.commit_offers(second)
    htlc = first.htlcs[False, 0]
    rig.turn(lambda: rig.node.resolver.fail(htlc, ow.TemporaryNodeFailure()))
    rig.drop_worker()
    rig.turn(lambda: rig.node.resolver.fulfill(htlc, PREIMAGE))
    stored = rig.node.channels.store.load(1).htlcs[False, 0]
    assert (stored.preimage, stored.failure_onion) == (PREIMAGE, None)


@pytest.mark.parametrize("scid", [2**64 - 1, 2**63, 5])
def test_any_next_channel_may_be_named(rig: Rig, scid: int) -> None:
    channel = rig.ready(1)
    here = ow.Payload(
        amt_to_forward=Msat(1000),
        outgoing_cltv_value=HEIGHT + 50,
        short_channel_id=ShortChannelId(scid),
    )
    there = ow.Payload(amt_to_forward=Msat(1000), outgoing_cltv_value=HEIGHT + 50)
    last = rig.receive(channel, 0, incoming(sha256(b"h").digest(), 2000, [here, there]))
    assert last.replies == [cw.ChanneldGotRevokeReply()]
    assert [m.id for m in rig.to_worker(cw.ChanneldFailHtlc)] == [0]
    assert rig.node.switch.forwards.all()[0]["out_channel_scid"] == scid


def test_dust_beyond_our_limit_is_failed_whatever_it_is_for(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    htlc = for_us(PREIMAGE, 1000)
    htlc.too_dusty = True
    rig.receive(channel, 0, htlc)
    assert not rig.to_worker(cw.ChanneldFulfillHtlc)
    assert [m.id for m in rig.to_worker(cw.ChanneldFailHtlc)] == [0]


# Plugins in between


def test_a_hook_may_answer_after_the_channel_was_restarted(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    answer: asyncio.Future[Any] = rig.loop.create_future()
    rig.node.plugins.hooks["htlc_accepted"] = [answer]
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    rig.turn(lambda: rig.node.peers.restart_channel(1))
    answer.set_result({"result": "continue"})
    rig.spin()
    assert channel.htlcs[False, 0].preimage == PREIMAGE
    assert rig.node.channels.store.load(1).htlcs[False, 0].preimage == PREIMAGE


def test_a_hook_that_is_asked_when_we_crash_is_asked_again(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.node.plugins.hooks["htlc_accepted"] = [rig.loop.create_future()]
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    rig.restart()
    rig.node.plugins.hooks["htlc_accepted"] = [{"result": "continue"}]
    rig.recover()
    assert rig.node.channels.get(1).htlcs[False, 0].preimage == PREIMAGE
    assert rig.node.invoices.store.by_label("l").state.name == "PAID"


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "resolve", "payment_key": "00" * 32},
        {"result": "resolve"},
        {"result": "resolve", "payment_key": "zz"},
        {"result": "fail", "failure_message": "zz"},
        {"result": "what"},
        {},
    ],
)
def test_an_answer_that_cannot_be_obeyed_fails_the_htlc(rig: Rig, answer: dict[str, str]) -> None:
    channel = rig.ready(1)
    rig.node.plugins.hooks["htlc_accepted"] = [answer]
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    assert len(rig.failed_tasks) == 1
    rig.forgive()
    assert channel.htlcs[False, 0].failure_onion is not None
    assert channel.htlcs[False, 0].state is HtlcState.RCVD_ADD_ACK_REVOCATION


def two_ways(rig: Rig, second: dict[str, Any]) -> tuple[Channel, Channel, Channel]:
    """Where HTLCs come in, and two channels with one peer; the second of those can send more."""
    first, small = rig.ready(1), rig.open_channel(2)
    static = replace(make_channel(3).static, peer_id=small.peer_id)
    large = rig.open_channel(3, static=static, to_local=small.to_local + Msat(1_000_000))
    for name, value in second.items():
        setattr(large.policy, name, value)
    rig.ready(2, 2)
    rig.worker_says(reestablished(large))
    assert large.is_ready()
    return first, small, large


@pytest.mark.parametrize(
    ("strict", "second", "taken"),
    [
        (False, {}, 3),
        (True, {}, 2),
        (False, {"fee_base_msat": 7}, 2),
        (False, {"cltv_expiry_delta": 7}, 2),
        (False, {"cltv_expiry_delta": 5}, 3),
        (False, {"htlc_minimum": Msat(990_001)}, 2),
        (False, {"htlc_maximum": Msat(989_999)}, 2),
    ],
)
def test_the_better_channel_of_the_next_peer_is_taken(
    rig: Rig, strict: bool, second: dict[str, Any], taken: int
) -> None:
    first, small, large = two_ways(rig, second)
    rig.node.settings.strict_forwarding = strict
    rig.receive(first, 0, to_forward(PREIMAGE, 1_000_000, small))
    assert [m.dbid for m in rig.to_worker(cw.ChanneldOfferHtlc)] == [taken]
    row = next(iter(rig.node.switch.forwards.all()))
    assert row["out_channel_scid"] == (large if taken == 3 else small).usable_scid


def test_a_policy_of_before_holds_on_the_channel_that_was_named_whichever_is_taken(
    rig: Rig,
) -> None:
    """Only the named channel's grace counts, and what fits it is not refused by the other one's policy."""
    first, small, large = two_ways(rig, {})
    rig.node.switch.keep_old_policy(small, 600)
    for channel in (small, large):
        channel.policy.fee_base_msat += 10_000_000
    rig.receive(first, 0, to_forward(PREIMAGE, 1_000_000, small))
    assert [m.dbid for m in rig.to_worker(cw.ChanneldOfferHtlc)] == [3]


def test_what_the_named_channel_does_not_allow_is_refused_though_another_one_would(
    rig: Rig,
) -> None:
    first, small, large = two_ways(rig, {"htlc_minimum": Msat(1)})
    small.policy.htlc_minimum = Msat(990_001)
    rig.receive(first, 0, to_forward(PREIMAGE, 1_000_000, small))
    assert not rig.to_worker(cw.ChanneldOfferHtlc)
    assert large.is_ready()
    assert forwards(rig) == [ForwardState.LOCAL_FAILED]
