"""hsmd knows more than the database: nothing of such a channel is signed or broadcast."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.channeld_wire import ChanneldChannel
from pylightningd.common.wire.connectd_wire import ConnectdPeerMsg
from pylightningd.common.wire.hsmd_wire import CommitmentRecord, HsmdCompareRecords
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.old_copy import check_records, contradiction, record_of
from pylightningd.lightningd.channels.states import Cause, ChannelState
from tests.lightningd.channels.rig import Rig, key


def known(channel: Channel, **more: int) -> CommitmentRecord:
    """hsmd's record: the database's, plus some."""
    ours = record_of(channel)
    counts = {n: getattr(ours, n) + more.get(n, 0) for n in ("revoked", "remote_signed")}
    return CommitmentRecord(
        peer_id=ours.peer_id, dbid=ours.dbid, broadcast=more.get("broadcast", 0), **counts
    )


def compare(rig: Rig, **more: int) -> None:
    async def ask(msg: Any) -> Any:
        assert isinstance(msg, HsmdCompareRecords)
        channels = [rig.node.channels.get(r.dbid) for r in msg.records]
        return SimpleNamespace(records=tuple(known(c, **more) for c in channels))

    rig.node.hsm.ask = ask
    done = rig.wait(check_records(rig.node))
    assert done.done() and done.exception() is None


def sent(rig: Rig) -> Any:
    return rig.node.onchain.commitments


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"revoked": 1}, "of our commitments are revoked"),
        ({"remote_signed": 2}, "of the peer's commitments are signed"),
        ({"broadcast": 1}, "our commitment 0 was sent to the chain"),
    ],
)
def test_an_old_copy_is_left_to_the_peer(rig: Rig, more: dict[str, int], why: str) -> None:
    channel = rig.open_channel(1)
    compare(rig, **more)
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    assert why in channel.close_cause
    assert channel.status[-1].startswith("AWAITING_UNILATERAL:The database is an old copy: ")
    assert any(level == "unusual" and why in text for level, text in rig.logs)
    rig.turn(lambda: rig.node.channel_events.permanent_failure(channel, Cause.USER, "close"))
    rig.restart()
    # hsmd_state is lost now: what was found out stays so.
    compare(rig)
    rig.node.channel_events.start()
    rig.spin()
    (channel,) = list(rig.node.channels)
    assert channel.only_peer_closes
    assert why in channel.status[-1]
    assert sent(rig) == []
    rig.connect(1)
    assert not rig.to_worker(ChanneldChannel)


def test_what_a_crash_leaves_is_no_old_copy(rig: Rig) -> None:
    channel = rig.open_channel(1)
    compare(rig)
    compare(rig, remote_signed=1)
    channel.next_local_commitment = 3
    compare(rig, revoked=-1)
    assert not [text for level, text in rig.logs if level == "unusual"]
    compare(rig, revoked=-2)
    assert any("hsmd_state is older" in text for _, text in rig.logs)
    assert channel.state is not ChannelState.AWAITING_UNILATERAL


def test_a_commitment_that_was_sent_is_no_news_in_a_channel_that_closes(rig: Rig) -> None:
    channel = rig.open_channel(1)
    channel.state = ChannelState.AWAITING_UNILATERAL
    assert contradiction(channel, known(channel, broadcast=1)) is None


def test_a_mark_that_is_undone_is_gone(rig: Rig) -> None:
    channel = rig.open_channel(1)
    before = channel.close_cause

    def fails() -> None:
        rig.node.channel_events.lost_state(channel, "old")
        raise ValueError

    with pytest.raises(ValueError):
        rig.turn(fails)
    assert not channel.only_peer_closes and channel.close_cause == before
    assert channel.state is not ChannelState.AWAITING_UNILATERAL


def reestablish(rig: Rig, channel: Channel, point: bytes) -> None:
    """The peer wants to go on, at its commitment 40."""
    msg = pw.ChannelReestablish(
        channel_id=channel.channel_id,
        next_commitment_number=41,
        next_revocation_number=40,
        your_last_per_commitment_secret=bytes(32),
        my_current_per_commitment_point=point,
    )
    rig.connectd_says(ConnectdPeerMsg(peer_id=channel.peer_id, connection=1, msg=msg.encode()))


def test_the_point_of_the_peers_commitment_is_kept(rig: Rig) -> None:
    channel = rig.open_channel(1)
    compare(rig, revoked=1)
    rig.connect(1)
    reestablish(rig, channel, key(40))
    assert channel.future_remote_point == key(40)
    # None that anybody could use: a peer that has forgotten the channel sends its id.
    for useless in (b"\x05" * 33, channel.peer_id):
        reestablish(rig, channel, useless)
    rig.restart()
    (channel,) = list(rig.node.channels)
    assert channel.future_remote_point == key(40)
    assert not channel.is_stub


def test_a_channel_whose_data_is_whole_learns_no_point(rig: Rig) -> None:
    channel = rig.open_channel(1, state=ChannelState.AWAITING_UNILATERAL)
    rig.connect(1)
    reestablish(rig, channel, key(40))
    assert not channel.only_peer_closes
