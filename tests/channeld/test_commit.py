"""Commitment rounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.channeld.events import FromMaster
from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from tests.channeld.scenes import (
    CID,
    SWEAR_WORDS,
    failures,
    last_message,
    reach_htlc,
    reach_normal,
    traced,
)
from tests.sim.peers import INIT, Pair

ROUND = [hw.HsmdSignRemoteCommitment, cw.ChanneldSendingCommitsig, pw.CommitmentSigned]


def test_commitment_signed_is_durable_before_we_revoke() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    pair.deliver_one(pair.alice)
    trace = traced(pair.bob, lambda: pair.deliver_one(pair.alice))
    assert trace == [
        cw.ChanneldGotCommitsig,
        hw.HsmdRevokeCommitment,
        pw.RevokeAndAck,
        *ROUND,  # its own side of the same HTLC
    ]


def test_a_batch_of_offers_is_one_round() -> None:
    pair = reach_normal()
    offers = []
    for n in range(3):
        pair.alice.master.offers[n] = None
        offers.append(
            cw.ChanneldOfferHtlc(
                dbid=1,
                cookie=n,
                amount=Msat(1_000_000),
                cltv_expiry=500,
                payment_hash=bytes(32),
                onion=bytes(1366),
            )
        )
    trace = traced(pair.alice, lambda: pair.alice.feed(*map(FromMaster, offers)))
    assert trace.count(pw.UpdateAddHtlc) == 3
    assert trace.count(pw.CommitmentSigned) == 1
    assert len(last_message(pair.alice).htlc_signature) == 3


def test_changes_pile_up_while_a_revocation_is_owed() -> None:
    pair = reach_normal()
    pair.offer(pair.alice, 1_000_000)
    for _ in range(2):
        assert pw.CommitmentSigned not in traced(
            pair.alice, lambda: pair.offer(pair.alice, 1_000_000)
        )
    pair.settle()
    assert pair.alice.master.row.next_remote_commitment <= 4
    assert len(pair.bob.master.resolvable) == 3


def test_nothing_to_sign_is_not_signed() -> None:
    pair = reach_normal()
    assert traced(pair.alice, pair.alice.feed) == []
    pair = reach_htlc()
    assert traced(pair.alice, pair.alice.feed) == []


def test_what_lightningd_is_told_of_an_htlc_that_comes_and_goes() -> None:
    pair = reach_normal()
    told: dict[str, list[Any]] = {"alice": [], "bob": []}
    for peer in pair.both:
        answer = peer.master.answer

        def spy(msg: Any, peer: Any = peer, answer: Any = answer) -> Any:
            told[peer.name].append(msg)
            return answer(msg)

        peer.master.answer = spy  # type: ignore[method-assign]
    pair.offer(pair.alice, 1_000_000)
    pair.settle()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.settle()
    states = {
        name: [
            HtlcState(h.state).name
            for m in msgs
            for h in (*getattr(m, "added", ()), *getattr(m, "removed", ()), *m.changed)
        ]
        for name, msgs in told.items()
    }
    assert states["alice"] == [
        "SENT_ADD_COMMIT", "RCVD_ADD_REVOCATION", "SENT_ADD_ACK_REVOCATION",
        "SENT_REMOVE_REVOCATION", "SENT_REMOVE_ACK_COMMIT", "RCVD_REMOVE_ACK_REVOCATION",
    ]  # fmt: skip
    assert states["bob"] == [
        "SENT_ADD_REVOCATION", "SENT_ADD_ACK_COMMIT", "RCVD_ADD_ACK_REVOCATION",
        "SENT_REMOVE_COMMIT", "RCVD_REMOVE_REVOCATION", "SENT_REMOVE_ACK_REVOCATION",
    ]  # fmt: skip
    assert pair.alice.master.row.to_local == Msat(599_000_000)
    pair.check_at_rest()


def signed_by_alice(pair: Pair) -> pw.CommitmentSigned:
    """Alice's next commitment_signed, its updates delivered before."""
    pair.offer(pair.alice, 1_000_000)
    pair.offer(pair.alice, 2_000_000)
    *updates, raw = [r for r in pair.alice.outbox if pw.decode(r).TYPE != 128][:1] or [b""]
    assert not updates
    for update in [r for r in pair.alice.outbox if pw.decode(r).TYPE == 128][:1]:
        pair.bob.deliver(update)
    msg = pw.decode(raw)
    assert isinstance(msg, pw.CommitmentSigned)
    return msg


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signature": b"\x01" * 64}, "Bad commit_sig signature"),
        ({"signature": bytes(64)}, "Bad commit_sig signature"),
        ({"htlc_signature": (b"\x01" * 64,)}, "Bad commit_sig signature"),
        ({"htlc_signature": ()}, "Expected 1 htlc sigs, not 0"),
    ],
)
def test_bad_signatures(changes: dict[str, Any], text: str) -> None:
    pair = reach_normal()
    msg = replace(signed_by_alice(pair), **changes)
    assert traced(pair.bob, lambda: pair.bob.deliver(msg.encode())) == SWEAR_WORDS
    assert text in failures(pair.bob)[0].reason


def test_one_empty_commitment_is_borne_two_are_not() -> None:
    pair = reach_normal()
    for bad in (False, True):
        # Alice's machine never does this: sign her unchanged view of Bob by hand.
        from pylightningd.channeld import commit

        channel = pair.alice.channel
        change = commit.change_on(channel)
        spec = commit.spec_after(channel, channel.facts.opener.other, change)
        point = channel.remote_next_point
        request = commit.sign_request(channel, spec, channel.next_remote, point)
        reply = pair.alice.hsmd.answer(request, channel.facts)
        assert isinstance(reply, hw.HsmdSignRemoteCommitmentReply)
        msg = pw.CommitmentSigned(channel_id=CID, signature=reply.signature, htlc_signature=())
        trace = traced(pair.bob, lambda m=msg: pair.bob.deliver(m.encode()))
        if bad:
            assert trace == SWEAR_WORDS
            return
        assert trace[-1] is pw.RevokeAndAck
        revoke = last_message(pair.bob)
        channel.next_remote += 1
        channel.revocations += 1
        channel.remote_next_point = revoke.next_per_commitment_point


def test_commits_can_be_disabled_and_enabled_again() -> None:
    pair = Pair.open()
    pair.alice.init = replace(INIT, dev_disable_commit_after=1)
    pair.alice.start()
    pair.connect(fresh=True)
    assert pw.CommitmentSigned in traced(pair.alice, lambda: pair.offer(pair.alice, 1_000_000))
    pair.settle()
    assert pw.CommitmentSigned not in traced(pair.alice, lambda: pair.offer(pair.alice, 1_000_000))
    pair.say(pair.alice, cw.ChanneldDevReenableCommit(dbid=1))
    pair.settle()
    assert pair.bob.master.resolvable == [0, 1]


@pytest.mark.parametrize("waits_for_ever", [False, True])
def test_a_peer_that_does_not_revoke_is_given_up_unless_told_otherwise(
    waits_for_ever: bool,
) -> None:
    pair = Pair.open()
    pair.alice.init = replace(INIT, dev_no_htlc_timeout=waits_for_ever)
    pair.alice.start()
    pair.connect(fresh=True)
    pair.settle()
    assert pw.CommitmentSigned in traced(pair.alice, lambda: pair.offer(pair.alice, 1_000_000))
    assert pair.timers_running(pair.alice) is not waits_for_ever
