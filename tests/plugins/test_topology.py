"""listchannels, listnodes, getroute and listincoming, on a small store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pylightningd.plugins import topology
from tests.plugins.graphs import StoreFile, node, scid
from tests.regtest.reply_check import check_reply

PRIVATE = scid(500)


def peer_channel(
    name: str, peer: int, *, private: bool = False, spendable: int = 10**8
) -> dict[str, Any]:
    terms = {
        "htlc_minimum_msat": 0,
        "htlc_maximum_msat": 990_000_000,
        "cltv_expiry_delta": 6,
        "fee_base_msat": 3,
        "fee_proportional_millionths": 4,
    }
    return {
        "peer_id": node(peer).hex(),
        "peer_connected": True,
        "state": "CHANNELD_NORMAL",
        "short_channel_id": name,
        "alias": {"local": "1x2x3", "remote": "7x8x9"},
        "private": private,
        "total_msat": 10**9,
        "spendable_msat": spendable,
        "receivable_msat": 10**8,
        "updates": {"local": terms, "remote": terms},
    }


@pytest.fixture
def store(tmp_path: Path) -> StoreFile:
    """We are node 1: channels 1-2-3, and an unannounced one with 9."""
    made = StoreFile(tmp_path / "gossip_store")
    made.both(1, 1, 2, base=1, ppm=10)
    made.both(2, 2, 3, base=1000, ppm=10, delay=6)
    made.name(3, b"three", bytes((1, 127, 0, 0, 1, 0x26, 0x07)))
    return made


@pytest.fixture(autouse=True)
def lightningd(store: StoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = [peer_channel(str(scid(1)), 2), peer_channel(str(PRIVATE), 9, private=True)]

    async def rpc(method: str, _params: Any) -> Any:
        return {"getinfo": {"id": node(1).hex()}, "listpeerchannels": {"channels": channels}}[
            method
        ]

    monkeypatch.setattr(topology.plugin, "rpc_call", rpc)
    monkeypatch.setattr(topology.plugin, "configuration", {"lightning-dir": str(store.path.parent)})
    monkeypatch.setattr(topology, "state", topology.State())


def ask(method: str, *args: Any, **params: Any) -> Any:
    sent: list[Any] = []
    topology.plugin.send = sent.append
    call = {"jsonrpc": "2.0", "id": "1", "method": method, "params": list(args) or params}
    asyncio.run(topology.plugin.handle(call))
    return sent[-1].get("result", sent[-1].get("error"))


def test_listchannels() -> None:
    channels = ask("listchannels")["channels"]
    assert [(c["short_channel_id"], c["direction"], c["public"]) for c in channels] == [
        (str(scid(1)), 0, True),
        (str(scid(1)), 1, True),
        (str(scid(2)), 0, True),
        (str(scid(2)), 1, True),
        (str(PRIVATE), 0, False),
        (str(PRIVATE), 1, False),
    ]
    assert channels[2] == {
        "source": node(2).hex(),
        "destination": node(3).hex(),
        "short_channel_id": "2x1x0",
        "direction": 0,
        "public": True,
        "amount_msat": 1_000_000_000,
        "message_flags": 1,
        "channel_flags": 0,
        "active": True,
        "last_update": 1002,
        "base_fee_millisatoshi": 1000,
        "fee_per_millionth": 10,
        "delay": 6,
        "htlc_minimum_msat": 0,
        "htlc_maximum_msat": 990_000_000,
        "features": "",
    }


def test_listchannels_chosen() -> None:
    def names(**params: Any) -> list[tuple[str, int]]:
        found = ask("listchannels", **params)["channels"]
        return [(c["short_channel_id"], c["direction"]) for c in found]

    assert names(short_channel_id="2x1x0") == [("2x1x0", 0), ("2x1x0", 1)]
    assert names(source=node(2).hex()) == [("1x1x0", 1), ("2x1x0", 0)]
    assert names(destination=node(2).hex()) == [("1x1x0", 0), ("2x1x0", 1)]
    assert names(source=node(77).hex()) == []
    assert names(short_channel_id="9x9x9") == []
    both = ask("listchannels", source=node(1).hex(), destination=node(2).hex())
    assert both["code"] == -32602


def test_listnodes() -> None:
    nodes = ask("listnodes")["nodes"]
    assert [n["nodeid"] for n in nodes] == [node(n).hex() for n in (1, 2, 3)]
    assert nodes[2] == {
        "nodeid": node(3).hex(),
        "alias": "three",
        "color": "010203",
        "last_timestamp": 77,
        "features": "80",
        "addresses": [{"type": "ipv4", "address": "127.0.0.1", "port": 9735}],
    }
    assert ask("listnodes", node(77).hex()) == {"nodes": []}


def test_getroute() -> None:
    route = ask("getroute", node(3).hex(), "1000sat", 1)["route"]
    assert route == [
        {
            "id": node(2).hex(),
            "channel": "1x1x0",
            "direction": 0,
            "amount_msat": 1_001_010,
            "delay": 15,
            "style": "tlv",
        },
        {
            "id": node(3).hex(),
            "channel": "2x1x0",
            "direction": 0,
            "amount_msat": 1_000_000,
            "delay": 9,
            "style": "tlv",
        },
    ]


def test_getroute_over_an_unannounced_channel() -> None:
    route = ask("getroute", id=node(9).hex(), amount_msat=5, riskfactor=1, cltv=20)["route"]
    assert [(h["channel"], h["delay"]) for h in route] == [(str(PRIVATE), 20)]


def test_getroute_knows_what_can_be_sent() -> None:
    assert ask("getroute", node(3).hex(), 10**8 + 1, 1)["code"] == 205
    back = ask("getroute", node(2).hex(), 1000, 1, 9, node(3).hex())["route"]
    assert back[0]["channel"] == "2x1x0"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"exclude": ["2x1x0/0"]}, 205),
        ({"exclude": [node(2).hex()]}, 205),
        ({"maxhops": 1}, 205),
        ({"exclude": ["2x1x0"]}, -32602),
        ({"id": "02"}, -32602),
        ({"amount_msat": "1.5msat"}, -32602),
        ({"riskfactor": "much"}, -32602),
        ({"id": node(50).hex()}, 205),
    ],
)
def test_getroute_errors(params: dict[str, Any], code: int) -> None:
    full = {"id": node(3).hex(), "amount_msat": 1000, "riskfactor": 1} | params
    assert ask("getroute", **full)["code"] == code


def test_listincoming() -> None:
    incoming = ask("listincoming")["incoming"]
    assert [(i["id"], i["short_channel_id"], i["public"]) for i in incoming] == [
        (node(2).hex(), "1x1x0", True),
        (node(9).hex(), "7x8x9", False),
    ]
    assert incoming[0]["incoming_capacity_msat"] == 990_000_000
    assert incoming[1]["cltv_expiry_delta"] == 6


def ask_routes(layers: list[str], maxfee_msat: int = 5000, **more: Any) -> Any:
    wanted = {"source": node(1).hex(), "destination": node(3).hex(), "amount_msat": 10**6}
    return ask("getroutes", **wanted, layers=layers, maxfee_msat=maxfee_msat, final_cltv=9, **more)


def test_getroutes() -> None:
    answer = ask_routes(["auto.localchans", "auto.sourcefree"])
    check_reply("getroutes", answer)
    (route,) = answer["routes"]
    first, last = route["path"]
    assert (last["amount_in_msat"], last["amount_out_msat"]) == (1_001_010, 10**6)
    assert (last["cltv_in"], last["cltv_out"]) == (15, 9)
    assert (first["amount_in_msat"], first["amount_out_msat"]) == (1_001_010, 1_001_010)
    assert first["node_id_out"] == last["node_id_in"] == node(2).hex()


def test_getroutes_counts_the_fee_of_the_source_unless_it_is_free() -> None:
    first = ask_routes([])["routes"][0]["path"][0]
    assert first["amount_in_msat"] == 1_001_010 + 1 + 10
    assert first["cltv_in"] > first["cltv_out"]


def test_getroutes_errors() -> None:
    assert ask_routes(["auto.sourcefree"], maxfee_msat=1009)["code"] == 206
    assert ask_routes(["auto.sourcefree"], maxdelay=3)["code"] == 205
    assert ask_routes(["mine"])["code"] == -32602
