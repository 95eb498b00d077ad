"""What channeld's messages do, whatever goes wrong around them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.db.payments_io import PaymentStatus
from tests.lightningd.channels.rig import (
    Rig,
    got_commitsig,
    got_revoke,
    htlc_row,
    offered,
    peer_connected,
    peer_disconnected,
    reestablished,
    send_part,
    sending_commitsig,
)

HASH = sha256(b"x" * 32).digest()


def status(rig: Rig, payment_hash: bytes = HASH) -> list[PaymentStatus]:
    return [p.status for p in rig.node.payments.store.of_hash(payment_hash)]


def failures(rig: Rig) -> int:
    return sum(topic == "sendpay_failure" for topic, _ in rig.notes)


def held(channel: Any) -> cw.ChanneldFailed:
    return cw.ChanneldFailed(dbid=channel.dbid, kind=5, reason="a bug", remote_point=None)


# A channel that a bug holds


def test_a_held_channel_is_taken_up_anew(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.worker_says(held(channel))
    rig.forgive()
    assert rig.to_worker(cw.ChanneldForget) == [cw.ChanneldForget(dbid=1)]
    assert rig.to_connectd(nw.ConnectdDisconnect) == [nw.ConnectdDisconnect(connection=1)]
    assert status(rig) == [PaymentStatus.FAILED]
    assert failures(rig) == 1
    assert not channel.is_ready()
    rig.connectd_says(peer_disconnected(1, 1), peer_connected(1, 2))
    rig.worker_says(cw.ChanneldForgotten(dbid=1), reestablished(channel))
    assert len(rig.to_worker(cw.ChanneldChannel)) == 2
    assert channel.is_ready()
    assert failures(rig) == 1


def test_a_channel_that_is_always_held_rests_ever_longer(rig: Rig) -> None:
    channel = rig.ready(1)
    for connection, seconds in ((1, 0), (2, 1), (3, 2), (4, 4)):
        rig.worker_says(cw.ChanneldForgotten(dbid=1), held(channel))
        hung_up = nw.ConnectdDisconnect(connection=connection)
        if seconds:
            assert hung_up not in rig.to_connectd(nw.ConnectdDisconnect)
            rig.later(seconds)
        assert hung_up in rig.to_connectd(nw.ConnectdDisconnect)
        rig.connectd_says(peer_disconnected(1, connection))
        rig.connect(1, connection + 1)
    rig.forgive()
    assert channel.state is ChannelState.CHANNELD_NORMAL


def test_a_resting_channel_is_not_taken_up_by_a_new_connection(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.worker_says(held(channel))
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connect(1, 2)
    rig.worker_says(cw.ChanneldForgotten(dbid=1), held(channel))
    rig.connectd_says(peer_disconnected(1, 2))
    rig.connect(1, 3)
    rig.forgive()
    assert channel.route_id is None
    # Nor does what the peer says lead to an error, which would end the channel.
    raw = bytes.fromhex("0088") + channel.channel_id + bytes(100)
    for _ in range(30):
        rig.connectd_says(nw.ConnectdPeerMsg(peer_id=channel.peer_id, connection=3, msg=raw))
    assert not rig.to_connectd(nw.ConnectdSendMsg)


def test_the_error_of_a_peer_is_obeyed_also_while_its_channel_rests(rig: Rig) -> None:
    channel = rig.ready(1)
    route = channel.route_id
    rig.worker_says(held(channel))
    rig.forgive()
    assert rig.to_connectd(nw.ConnectdUnroute) == [nw.ConnectdUnroute(route_id=route)]
    raw = pw.Error(channel_id=channel.channel_id, data=b"go away").encode()
    rig.connectd_says(nw.ConnectdPeerMsg(peer_id=channel.peer_id, connection=1, msg=raw))
    rig.forgive()  # there is no commitment to sign here
    assert channel.state is ChannelState.AWAITING_UNILATERAL


# A change that fails half-way


def test_a_failed_change_leaves_memory_as_the_database(rig: Rig, monkeypatch: Any) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    before = (channel.next_remote_commitment, dict(channel.htlcs), replace(channel.counters))
    offer = rig.node.switch.offers.of_channel(1)[0]
    wire = rig.to_worker(cw.ChanneldOfferHtlc)[0]

    def fails(_: Any) -> None:
        raise ValueError("half-way")

    with monkeypatch.context() as patch:
        patch.setattr(rig.node.channels.store, "save_commitment", fails)
        first, second = rig.worker_says(
            offered(channel, offer.cookie, 0),
            sending_commitsig(channel, (htlc_row(0, wire, 1),)),
            # Of the same worker, in the same wake-up: it must not meet a half-made change.
            got_commitsig(channel),
        )[1:]
    assert rig.bugs == ["in a turn: ValueError: half-way"]
    rig.bugs.clear()
    assert not first.replies
    assert not second.replies
    assert (channel.next_remote_commitment, dict(channel.htlcs), channel.counters) == before
    assert channel.next_local_commitment == 1
    assert rig.node.channels.get(1) is channel
    # The HTLC never came to be: its payment fails, once.
    assert status(rig) == [PaymentStatus.FAILED]
    assert failures(rig) == 1
    assert rig.to_worker(cw.ChanneldForget) == [cw.ChanneldForget(dbid=1)]
    assert rig.to_connectd(nw.ConnectdDisconnect) == [nw.ConnectdDisconnect(connection=1)]


def test_htlcs_keep_their_identity_when_a_change_is_undone(rig: Rig, monkeypatch: Any) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    (htlc_id,) = rig.commit_offers(channel)
    htlc = channel.htlcs[True, htlc_id]
    state = htlc.state
    revoke = got_revoke(channel, changed=(cw.HtlcChange(id=htlc_id, offered_by_us=True, state=2),))
    with monkeypatch.context() as patch:
        patch.setattr(rig.node.channels.store, "save_commitment", lambda _: 1 // 0)
        rig.worker_says(revoke)
    rig.bugs.clear()
    assert channel.htlcs[True, htlc_id] is htlc
    assert htlc.state is state


def test_set_state_is_undone_with_all_that_went_with_it(rig: Rig) -> None:
    channel = rig.ready(1)

    def begin_and_fail() -> None:
        rig.node.closing.begin(channel, None)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rig.turn(begin_and_fail)
    assert channel.state is ChannelState.CHANNELD_NORMAL
    assert channel.local_shutdown_script == b""
    assert channel.closer is None
    assert channel.state_changes == []
    assert channel.is_ready()


def test_a_close_that_is_undone_leaves_the_channel_at_work(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)

    def close_and_fail() -> None:
        rig.node.channel_events.permanent_failure(channel, Cause.USER, "x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rig.turn(close_and_fail)
    assert channel.is_ready()
    assert status(rig) == [PaymentStatus.PENDING]
    assert rig.commit_offers(channel) == [0]
    assert set(channel.htlcs) == {(True, 0)}
    assert not rig.to_worker(cw.ChanneldForget)


def test_balances_that_differ_from_channelds_are_not_written(rig: Rig) -> None:
    channel = rig.ready(1)
    (incoming,) = rig.worker_says(got_commitsig(channel, to_local=channel.to_remote * 2))
    assert not incoming.replies
    assert len(rig.bugs) == 1
    rig.bugs.clear()
    assert channel.next_local_commitment == 1


# Words of the past


def test_messages_of_a_released_channel_count_no_more(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.worker_says(held(channel))
    rig.forgive()
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connect(1, 2)
    assert len(rig.to_worker(cw.ChanneldChannel)) == 2
    stale = rig.worker_says(sending_commitsig(channel), reestablished(channel))
    assert not stale[0].replies
    assert channel.next_remote_commitment == 1
    assert not channel.reestablished
    rig.worker_says(cw.ChanneldForgotten(dbid=1))
    (fresh,) = rig.worker_says(sending_commitsig(channel))
    assert fresh.replies == [cw.ChanneldSendingCommitsigReply()]


def test_nothing_is_answered_for_a_channel_that_failed(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.USER, "x"))
    rig.forgive()  # there is no commitment to sign here
    (late,) = rig.worker_says(got_commitsig(channel))
    assert not late.replies
    assert channel.next_local_commitment == 1


def test_reestablished_of_an_earlier_connection_is_ignored(rig: Rig) -> None:
    channel = rig.open_channel(1)
    rig.connect(1, 1)
    old = reestablished(channel)
    rig.connectd_says(peer_disconnected(1, 1))
    rig.worker_says(old)
    assert not channel.reestablished
    rig.connect(1, 2)
    rig.worker_says(old)
    assert not channel.reestablished
    rig.worker_says(reestablished(channel))
    assert channel.reestablished


def test_shutdown_complete_of_an_earlier_connection_is_ignored(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.turn(lambda: rig.node.closing.begin(channel, None))
    assert channel.route_id is not None
    old = cw.ChanneldShutdownComplete(dbid=1, route_id=channel.route_id)
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connect(1, 2)
    rig.worker_says(old)
    assert channel.state is ChannelState.CHANNELD_SHUTTING_DOWN


# Offers end exactly once


def test_offers_fail_when_we_close_the_channel(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.USER, "x"))
    rig.forgive()
    assert status(rig) == [PaymentStatus.FAILED]
    assert failures(rig) == 1


def test_offers_fail_when_the_worker_dies(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.drop_worker()
    assert status(rig) == [PaymentStatus.FAILED]
    assert failures(rig) == 1
    rig.new_worker()
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connect(1, 2)
    rig.worker_says(reestablished(channel))
    assert channel.is_ready()
    assert failures(rig) == 1


def test_a_committed_htlc_outlives_its_worker(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    rig.drop_worker()
    assert status(rig) == [PaymentStatus.PENDING]


# Feerates


def test_a_worker_hears_the_feerates_once_it_is_in_step(rig: Rig) -> None:
    rig.ready(1)
    (feerates,) = rig.to_worker(cw.ChanneldFeerates)
    assert feerates.feerate_min_perkw == rig.node.chain.feerates.min_acceptable
    assert feerates.feerate_perkw == 1000  # nothing is known, so it stays
