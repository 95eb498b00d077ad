"""From channeld to closingd, with a peer that is quicker than we are."""

from __future__ import annotations

from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import closingd_wire as clw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import ChannelState
from tests.lightningd.channels.rig import Rig


def closing_signed(channel: Channel, fee: int = 200) -> cw.ChanneldPeerMsg:
    msg = pw.ClosingSigned(
        channel_id=channel.channel_id, fee_satoshis=Sat(fee), signature=bytes(64)
    )
    return cw.ChanneldPeerMsg(dbid=channel.dbid, msg=msg.encode())


def to_closingd(rig: Rig) -> list[Any]:
    sent: list[Any] = rig.node.fleet.links["closingd"].sent
    return sent


def complete(rig: Rig) -> Channel:
    """Both shutdowns are exchanged; hsmd is slow."""
    channel = rig.ready(1)
    rig.turn(lambda: rig.node.closing.begin(channel, None))
    rig.node.hsm.gate = rig.loop.create_future()
    rig.worker_says(cw.ChanneldShutdownComplete(dbid=1, route_id=channel.route_id or 0))
    assert channel.state is ChannelState.CLOSINGD_SIGEXCHANGE
    return channel


def test_an_offer_that_comes_before_closingd_has_the_channel_is_kept_for_it(rig: Rig) -> None:
    channel = complete(rig)
    rig.worker_says(closing_signed(channel))
    assert to_closingd(rig) == []
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert [type(m) for m in to_closingd(rig)] == [clw.ClosingdStart, clw.ClosingdPeerMsg]
    rig.worker_says(closing_signed(channel))
    assert len(to_closingd(rig)) == 3
    assert rig.to_connectd(nw.ConnectdRoute)[-1].route_id == channel.route_id


def test_only_a_few_are_kept(rig: Rig) -> None:
    channel = complete(rig)
    rig.worker_says(*[closing_signed(channel, fee) for fee in range(50)])
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert len(to_closingd(rig)) == 11


def test_what_a_connection_left_behind_is_not_for_the_next(rig: Rig) -> None:
    channel = complete(rig)
    rig.worker_says(closing_signed(channel))
    rig.connectd_says(nw.ConnectdPeerDisconnected(peer_id=channel.peer_id, connection=1, reason=""))
    rig.worker_says(closing_signed(channel))
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert to_closingd(rig) == []
    rig.connect(1, 2)
    rig.worker_says(cw.ChanneldShutdownComplete(dbid=1, route_id=channel.route_id or 0))
    assert [type(m) for m in to_closingd(rig)] == [clw.ClosingdStart]
