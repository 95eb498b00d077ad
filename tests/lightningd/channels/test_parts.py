"""Payments out, from the row to the end of their HTLC, through restarts."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.db.payments_io import PaymentStatus
from pylightningd.lightningd.payments.outgoing import FinalData, RouteHop
from pylightningd.lightningd.rpc.payments import parse_hop, sendonion
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.channels.rig import (
    HEIGHT,
    Rig,
    got_commitsig,
    htlc_row,
    peer_id,
    send_part,
)

PREIMAGE = b"p" * 32
HASH = sha256(PREIMAGE).digest()


def statuses(rig: Rig) -> list[PaymentStatus]:
    return [p.status for p in rig.node.payments.store.of_hash(HASH)]


def resolve(rig: Rig, channel: Channel, htlc_id: int, **how: Any) -> None:
    """The peer removes one of our HTLCs, up to its death."""
    htlc = channel.htlcs[True, htlc_id]
    wire = cw.ChanneldOfferHtlc(
        dbid=1,
        cookie=0,
        amount=htlc.amount,
        cltv_expiry=htlc.cltv_expiry,
        payment_hash=htlc.payment_hash,
        onion=htlc.onion,
        path_key=None,
    )
    rig.worker_says(got_commitsig(channel, removed=(htlc_row(htlc_id, wire, 7, **how),)))


def die(rig: Rig, channel: Channel, htlc_id: int) -> None:
    change = cw.HtlcChange(id=htlc_id, offered_by_us=True, state=9)
    htlc = channel.htlcs[True, htlc_id]
    moved = htlc.amount if htlc.preimage else Msat(0)
    left, right = channel.to_local - moved, channel.to_remote + moved
    rig.worker_says(got_commitsig(channel, changed=(change,), to_local=left, to_remote=right))


def test_a_preimage_ends_the_wait_at_once(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    waiting = rig.wait(rig.node.payments.wait(HASH, 0, None))
    resolve(rig, channel, 0, preimage=PREIMAGE)
    assert waiting.result().preimage == PREIMAGE
    die(rig, channel, 0)
    assert statuses(rig) == [PaymentStatus.COMPLETE]
    assert channel.to_local == Msat(500_000_000 - 5000)
    assert [t for t, _ in rig.notes if t.startswith("sendpay")] == ["sendpay_success"]
    done = rig.wait(rig.node.payments.wait(HASH, 0, None))
    assert done.result().preimage == PREIMAGE


def test_a_failure_counts_only_when_the_htlc_is_gone_for_good(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    resolve(rig, channel, 0, failure_onion=bytes(292))
    assert statuses(rig) == [PaymentStatus.PENDING]
    die(rig, channel, 0)
    assert statuses(rig) == [PaymentStatus.FAILED]
    assert channel.to_local == Msat(500_000_000)


def test_crash_before_the_commitment(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.restart()
    rig.recover()
    assert statuses(rig) == [PaymentStatus.FAILED]


def test_crash_after_the_commitment(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    rig.restart()
    rig.recover()
    assert statuses(rig) == [PaymentStatus.PENDING]
    channel = rig.ready(1, 2)
    resolve(rig, channel, 0, preimage=PREIMAGE)
    assert statuses(rig) == [PaymentStatus.COMPLETE]


def test_numbers_are_never_used_again_and_inherit_no_preimage(rig: Rig) -> None:
    channel = rig.ready(1)
    part = send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    resolve(rig, channel, 0, preimage=PREIMAGE)
    die(rig, channel, 0)
    rig.turn(lambda: rig.node.payments.store.delete([part]))
    other = sha256(b"other").digest()
    assert send_part(rig, channel, other).id == part.id + 1
    rig.restart()
    rig.recover()
    (left,) = rig.node.payments.store.all()
    assert (left.status, left.preimage) == (PaymentStatus.FAILED, None)


def test_any_number_names_a_part(rig: Rig) -> None:
    channel = rig.ready(1)
    most = 2**64 - 1
    send_part(rig, channel, HASH, partid=most, groupid=most)
    (part,) = rig.node.payments.store.of_hash(HASH)
    assert (part.partid, part.groupid) == (most, most)


@pytest.mark.parametrize(("delay", "is_sent"), [(-5, False), (0, False), (1, True)])
@pytest.mark.parametrize("is_onion", [True, False])
def test_an_htlc_that_is_about_to_expire_is_not_offered(
    rig: Rig, delay: int, is_sent: bool, is_onion: bool
) -> None:
    channel = rig.ready(1)
    part = send_part(rig, channel, HASH)
    part.payment_hash = sha256(b"other").digest()
    hop = RouteHop(node=channel.peer_id, channel=None, amount=Msat(5), delay=delay)
    final = FinalData(payment_secret=None, total=Msat(5))

    def send() -> None:
        if is_onion:
            rig.node.payments.send_onion(hop, part, bytes(1366))
        else:
            rig.node.payments.send_route([hop], part, final)

    if is_sent:
        rig.turn(send)
    else:
        with pytest.raises(UserError, match=f"Expiry cltv .* too close to current {HEIGHT}"):
            rig.turn(send)
    assert len(rig.to_worker(cw.ChanneldOfferHtlc)) == 1 + is_sent
    assert len(rig.node.payments.store.of_hash(part.payment_hash)) == is_sent


@pytest.mark.parametrize("delay", [-1, 500_000_000, 10**30, "1" * 5000, float("inf"), None])
def test_delays_that_no_hop_can_have(delay: Any) -> None:
    hop = {"id": peer_id(1).hex(), "amount_msat": 5, "delay": delay}
    with pytest.raises(UserError, match="a hop looks like") as caught:
        parse_hop(0, hop)
    assert caught.value.code == -32602


def test_sendonion_wants_a_delay(rig: Rig) -> None:
    channel = rig.ready(1)
    given = {
        "onion": "00" * 1366,
        "first_hop": {"id": channel.peer_id.hex(), "amount_msat": 5, "delay": 0},
        "payment_hash": HASH.hex(),
    }
    values = convert_params(load_families()["sendonion"], given)
    error = rig.wait(sendonion(rig.node, **values)).exception()
    assert isinstance(error, UserError)
    assert (error.code, "positive, non-zero" in error.message) == (-32602, True)


def test_a_channel_with_another_node_is_not_used(rig: Rig) -> None:
    rig.ready(1)
    second = rig.ready(2, 2)
    part = send_part(rig, second, HASH)
    hop = RouteHop(
        node=rig.node.channels.get(1).peer_id,
        channel=second.usable_scid,
        amount=Msat(5),
        delay=9,
    )
    part.payment_hash = sha256(b"other").digest()
    final = FinalData(payment_secret=None, total=Msat(5))
    with pytest.raises(UserError, match="No connection to first peer found"):
        rig.turn(lambda: rig.node.payments.send_route([hop], part, final))
    assert len(rig.to_worker(cw.ChanneldOfferHtlc)) == 1
