"""Unilateral closes: whatever the cause and however often, one broadcast, and none of data that may be old."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.errors import UserError
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.deadlines import Deadlines
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.control.held_errors import PATIENCE_SECONDS
from pylightningd.lightningd.control.workers import WITH_PEER
from tests.lightningd.channels.rig import HEIGHT, Rig, key, reestablished, send_part

ALL = bytes(32)


@pytest.fixture(autouse=True)
def _no_signatures(monkeypatch: Any) -> None:
    """There are no real commitments here; that one is signed and sent is all that counts."""
    from pylightningd.lightningd.channels.events import ChannelEvents

    async def sign(_self: ChannelEvents, channel: Channel) -> str:
        return f"commitment of {channel.dbid}"

    monkeypatch.setattr(ChannelEvents, "signed_commitment", sign)


def sent(rig: Rig) -> list[int]:
    """Channels whose commitment went out."""
    return [dbid for dbid, _ in rig.node.onchain.commitments]


def error(rig: Rig, channel: Channel, channel_id: bytes, connection: int = 1) -> None:
    raw = pw.Error(channel_id=channel_id, data=b"go away").encode()  # type: ignore[arg-type]
    rig.connectd_says(nw.ConnectdPeerMsg(peer_id=channel.peer_id, connection=connection, msg=raw))


def failed(kind: int, point: bytes | None = None) -> cw.ChanneldFailed:
    return cw.ChanneldFailed(dbid=1, kind=kind, reason="why", remote_point=point)


def test_an_error_is_obeyed_once_wherever_it_arrives(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.worker_says(failed(2), failed(2))
    error(rig, channel, channel.channel_id)
    error(rig, channel, ALL)
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    assert sent(rig) == [1]
    assert rig.to_worker(cw.ChanneldForget) == [cw.ChanneldForget(dbid=1)]


def test_an_error_for_the_connection_fails_all_channels_with_that_peer_only(rig: Rig) -> None:
    channel, other = rig.ready(1), rig.ready(2, 2)
    error(rig, channel, ALL)
    assert sent(rig) == [1]
    assert other.is_ready()


@pytest.mark.parametrize("channel_id", [b"\7" * 32, b"\2" * 32])
def test_an_error_for_a_channel_of_somebody_else_fails_nothing(rig: Rig, channel_id: bytes) -> None:
    channel, other = rig.ready(1), rig.ready(2, 2)
    if channel_id[0] == 2:
        channel_id = other.channel_id
    error(rig, channel, channel_id)
    assert sent(rig) == []


def test_an_error_of_an_earlier_connection_is_ignored(rig: Rig) -> None:
    channel = rig.ready(1)
    error(rig, channel, ALL, connection=7)
    assert channel.is_ready()


def lose_state(rig: Rig) -> Channel:
    channel = rig.ready(1)
    rig.worker_says(failed(3, key(60)))
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    return channel


def test_lost_data_is_never_broadcast(rig: Rig) -> None:
    channel = lose_state(rig)
    error(rig, channel, ALL)
    error(rig, channel, channel.channel_id)
    events = rig.node.channel_events
    rig.turn(lambda: events.permanent_failure(channel, Cause.USER, "close timeout"))
    with pytest.raises(UserError, match="only the peer can close it"):
        rig.turn(lambda: events.close_again(channel))
    rig.restart()
    rig.node.channel_events.start()
    rig.spin()
    (channel,) = list(rig.node.channels)
    assert rig.node.channel_events.must_not_broadcast(channel)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.PROTOCOL, "deadline"))
    assert sent(rig) == []


def test_the_id_of_a_peer_is_no_point_of_its_commitment(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.worker_says(failed(3, bytes(channel.peer_id)))
    assert not channel.is_stub
    assert channel.only_peer_closes


def reestablishing(rig: Rig) -> Channel:
    """The peer is there; its channel_reestablish is with the worker."""
    channel = rig.open_channel(1)
    rig.connect(1)
    return channel


def test_an_error_that_overtakes_the_proof_of_lost_data_waits_for_it(rig: Rig) -> None:
    channel = reestablishing(rig)
    error(rig, channel, ALL)
    assert channel.state is ChannelState.CHANNELD_NORMAL
    rig.worker_says(failed(3, key(60)))
    rig.later(PATIENCE_SECONDS)
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    assert sent(rig) == []


def test_the_proof_may_come_when_the_connection_has_ended(rig: Rig) -> None:
    channel = reestablishing(rig)
    error(rig, channel, ALL)
    gone = nw.ConnectdPeerDisconnected(peer_id=channel.peer_id, connection=1, reason="hung up")
    rig.connectd_says(gone)
    rig.worker_says(failed(3, key(60)))
    rig.later(PATIENCE_SECONDS)
    assert sent(rig) == []


def test_patience_with_an_error_ends_with_its_connection(rig: Rig) -> None:
    """The next channel_reestablish may prove that we lost data: its time is not cut short by an older error."""
    channel = reestablishing(rig)
    error(rig, channel, ALL)
    rig.later(PATIENCE_SECONDS - 1)
    gone = nw.ConnectdPeerDisconnected(peer_id=channel.peer_id, connection=1, reason="hung up")
    rig.connectd_says(gone)
    rig.connect(1, connection=2)
    rig.later(1)
    assert channel.state is ChannelState.CHANNELD_NORMAL
    rig.worker_says(failed(3, key(60)))
    rig.later(PATIENCE_SECONDS)
    assert sent(rig) == []


def test_an_error_is_obeyed_once_the_channel_is_known_to_be_in_step(rig: Rig) -> None:
    channel = reestablishing(rig)
    error(rig, channel, ALL)
    error(rig, channel, ALL)
    rig.worker_says(reestablished(channel))
    assert sent(rig) == [1]
    rig.later(PATIENCE_SECONDS)
    assert sent(rig) == [1]


def test_an_error_is_obeyed_if_the_peer_never_says_where_it_stands(rig: Rig) -> None:
    channel = reestablishing(rig)
    error(rig, channel, ALL)
    rig.later(PATIENCE_SECONDS - 1)
    assert sent(rig) == []
    rig.later(1)
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    assert sent(rig) == [1]


def test_htlc_deadlines_do_not_broadcast_lost_data(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, b"\1" * 32)
    rig.commit_offers(channel)
    rig.worker_says(failed(3, key(60)))
    rig.turn(lambda: Deadlines(rig.node).on_block(HEIGHT + 1000))
    assert sent(rig) == []


def test_an_htlc_deadline_closes_the_channel_once(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, b"\1" * 32)
    rig.commit_offers(channel)
    deadlines = Deadlines(rig.node)
    expiry = channel.htlcs[True, 0].cltv_expiry
    rig.turn(lambda: deadlines.on_block(expiry))
    assert channel.state is ChannelState.CHANNELD_NORMAL
    for height in (expiry + 1, expiry + 2):
        rig.turn(lambda h=height: deadlines.on_block(h))  # type: ignore[misc]
    assert channel.htlcs[True, 0].state is HtlcState.SENT_ADD_COMMIT
    assert sent(rig) == [1]


def test_a_close_that_a_crash_cut_short_goes_out_at_the_next_start(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.USER, "x"))
    rig.restart()
    rig.node.channel_events.start()
    rig.spin()
    assert sent(rig) == [1]


def test_the_peer_is_told_that_the_channel_is_closed(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.USER, "x"))
    rig.connectd_says(nw.ConnectdPeerDisconnected(peer_id=channel.peer_id, connection=1, reason=""))
    rig.connect(1, 2)
    raw = bytes.fromhex("0088") + channel.channel_id + bytes(100)
    rig.connectd_says(nw.ConnectdPeerMsg(peer_id=channel.peer_id, connection=2, msg=raw))
    (answer,) = rig.to_connectd(nw.ConnectdSendMsg)
    assert pw.Error.decode(answer.msg).data == b"channel closed: x"
    assert channel.state not in WITH_PEER
