"""Connections that come and go are written down."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.channels.rig import Rig, peer_disconnected, peer_id
from tests.regtest.reply_check import check_reply


def call(rig: Rig, method: str, **params: Any) -> Any:
    command = load_families()[method]
    task = rig.wait(command.handler(rig.node, **convert_params(command, params)))
    check_reply(method, task.result())
    return task.result()


def events(rig: Rig, **which: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(rig, "listnetworkevents", **which)["networkevents"]
    return found


def test_what_happens_to_connections(rig: Rig) -> None:
    rig.connect(1)
    rig.node.clock.advance(7)
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connectd_says(
        nw.ConnectdConnectFailed(peer_id=peer_id(2), code=401, reason="all addresses failed")
    )
    first, second, third = events(rig)
    assert (first["type"], first["peer_id"]) == ("connect", peer_id(1).hex())
    assert (second["type"], second["duration_nsec"]) == ("disconnect", 7_000_000_000)
    assert (third["type"], third["connect_attempted"]) == ("connect_fail", True)
    assert third["reason"] == "all addresses failed"
    assert events(rig, id=peer_id(2).hex()) == [third]
    assert events(rig, index="created", start=2, limit=1) == [second]
    with pytest.raises(UserError, match="Can only specify {limit} with {index}"):
        events(rig, limit=1)


def test_pings_and_deleting(rig: Rig) -> None:
    rig.connect(1)
    pong = rig.wait(rig.node.connectd.ping(rig.node.peers.get(peer_id(1)), 10, 20))
    (sent,) = rig.to_connectd(nw.ConnectdPing)
    rig.node.clock.advance(1)
    rig.connectd_says(nw.ConnectdPingDone(cookie=sent.cookie, total_length=24, error=""))
    assert pong.result() == 24
    ping = events(rig)[-1]
    assert (ping["type"], ping["duration_nsec"]) == ("ping", 1_000_000_000)
    deleted = rig.wait(_waited(rig))
    call(rig, "delnetworkevent", created_index=ping["created_index"])
    assert deleted.result()["networkevents"] == {"created_index": ping["created_index"]}
    assert ping not in events(rig)
    with pytest.raises(UserError, match="Could not find that networkevent"):
        call(rig, "delnetworkevent", created_index=ping["created_index"])


async def _waited(rig: Rig) -> Any:
    command = load_families()["wait"]
    asked = {"subsystem": "networkevents", "indexname": "deleted", "nextvalue": 1}
    result = await command.handler(rig.node, **convert_params(command, asked))
    check_reply("wait", result)
    return result
