"""Connections that come and go in any order, and daemons that die meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from pylightningd.common.errors import UserError
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from tests.lightningd.channels.rig import (
    FakeLink,
    Rig,
    peer_connected,
    peer_disconnected,
    peer_id,
    reestablished,
)


def routes(rig: Rig) -> list[tuple[int, int]]:
    """(connection, route) in the order they were made."""
    return [(m.connection, m.route_id) for m in rig.to_connectd(nw.ConnectdRoute)]


def test_a_second_connection_takes_over_before_the_first_is_seen_to_end(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.connectd_says(peer_connected(1, 2), peer_disconnected(1, 1))
    assert [c for c, _ in routes(rig)] == [1, 2]
    assert channel.route_id == routes(rig)[1][1]
    assert not channel.reestablished
    rig.worker_says(reestablished(channel))
    assert channel.is_ready()


def test_two_connections_at_once_give_the_channel_out_once(rig: Rig) -> None:
    rig.open_channel(1)
    rig.node.hsm.gate = rig.loop.create_future()
    rig.connectd_says(peer_connected(1, 1))
    rig.connectd_says(peer_connected(1, 2))
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert len(rig.to_worker(cw.ChanneldChannel)) == 1
    assert [c for c, _ in routes(rig)] == [2]


def test_a_channel_that_fails_while_it_is_prepared_is_not_given_out(rig: Rig) -> None:
    from pylightningd.lightningd.channels.states import Cause

    channel = rig.open_channel(1)
    rig.node.hsm.gate = rig.loop.create_future()
    rig.connectd_says(peer_connected(1, 1))
    rig.turn(lambda: rig.node.channel_events.lost_state(channel, str(Cause.USER)))
    channel.worker = "onchaind"
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert not rig.to_worker(cw.ChanneldChannel)
    assert channel.worker == "onchaind"


def test_a_worker_that_dies_while_a_channel_is_prepared(rig: Rig) -> None:
    channel = rig.open_channel(1)
    rig.node.hsm.gate = rig.loop.create_future()
    rig.connectd_says(peer_connected(1, 1))
    rig.drop_worker()
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    rig.failed_tasks.clear()
    assert channel.worker is None
    assert rig.to_connectd(nw.ConnectdDisconnect) == [nw.ConnectdDisconnect(connection=1)]


def test_connectd_dies_with_connections_and_attempts(rig: Rig) -> None:
    channel = rig.ready(1)
    connecting = rig.wait(rig.node.peers.connect(peer_id(3), ["127.0.0.1:1"]))
    pinging = rig.wait(rig.node.connectd.ping(rig.node.peers.of(peer_id(1)), 1, 1))
    # What it said last is still handled, and in order.
    link = rig.node.fleet.links["connectd"]
    rig.connectd_says(peer_connected(4, 9))
    link.closed = True
    rig.wait(rig.node.peers.connectd_died())
    for task in (connecting, pinging):
        with pytest.raises(UserError):
            task.result()
    assert not channel.is_ready()
    assert rig.node.peers.all() == [rig.node.peers.of(peer_id(1))]
    assert not rig.node.peers.of(peer_id(1)).connected
    rig.node.fleet.links["connectd"] = FakeLink("connectd")
    rig.connect(1, 1)
    rig.worker_says(reestablished(channel))
    assert channel.is_ready()


def test_who_waits_for_a_connection_gets_the_one_that_takes_over(rig: Rig) -> None:
    rig.open_channel(1)
    rig.node.hsm.gate = rig.loop.create_future()
    waiting: asyncio.Task[object] = rig.wait(rig.node.peers.connect(peer_id(1), ["127.0.0.1:1"]))
    rig.connectd_says(peer_connected(1, 1))
    rig.connectd_says(peer_connected(1, 2), peer_disconnected(1, 1))
    rig.node.hsm.gate.set_result(None)
    rig.spin()
    assert waiting.result() is rig.node.peers.of(peer_id(1))
