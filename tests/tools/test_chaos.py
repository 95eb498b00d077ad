"""The parts of `make chaos` that need no nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.chaos import __main__ as chaos
from tools.chaos.faults import Faults
from tools.chaos.ledger import Counts
from tools.chaos.traffic import make_route
from tools.chaos.verdict import restless
from tools.chaos.world import HOLD_PLUGIN, World


def make_world() -> World:
    return cast("World", SimpleNamespace(counts=Counts(), nodes=[], ordered=set(), closing=set()))


def test_the_seed_chooses_the_faults() -> None:
    first, again, other = (Faults(make_world(), seed) for seed in (1, 1, 2))
    drawn = [first.draw() for _ in range(500)]
    assert drawn == [again.draw() for _ in range(500)]
    assert drawn != [other.draw() for _ in range(500)]
    assert set(drawn) == set(first.all)
    assert {first.draw(["kill", "reorg"]) for _ in range(50)} == {"kill", "reorg"}


@pytest.mark.parametrize(
    ("state", "more", "why"),
    [
        ("CHANNELD_NORMAL", {}, ""),
        ("CHANNELD_NORMAL", {"reestablished": False}, "channel: not reestablished:"),
        ("CHANNELD_NORMAL", {"htlcs": [1]}, "channel: HTLCs:"),
        ("CHANNELD_AWAITING_LOCKIN", {}, "chain:"),
        ("CLOSINGD_COMPLETE", {}, "chain:"),
        ("ONCHAIN", {"status": ["ONCHAIN:Tracking our own unilateral close"]}, "chain:"),
        ("ONCHAIN", {"status": ["ONCHAIN:All outputs resolved: waiting 9 more blocks"]}, ""),
    ],
)
def test_what_is_not_at_rest(state: str, more: dict[str, Any], why: str) -> None:
    channel = {"state": state, "channel_id": "x", "htlcs": [], "reestablished": True, "status": []}
    assert restless(channel | more, 2) == why


def test_a_channel_that_its_opener_never_had_is_at_rest() -> None:
    channel = {"state": "CHANNELD_AWAITING_LOCKIN", "channel_id": "x", "htlcs": [], "status": []}
    assert restless(channel, 1) == ""


def test_a_storm_lasts_until_enough_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    world.nodes = cast("Any", ["up", "frozen", "down"])
    world.is_up = lambda node: cast("Any", node) != "down"  # type: ignore[method-assign]
    parts = [{"status": "failed"}, {"status": "pending"}]

    def listsendpays(node: Any, method: str, timeout_s: float) -> dict[str, Any]:
        if node != "up":
            raise TimeoutError
        return {"payments": parts}

    monkeypatch.setattr(chaos, "quick", listsendpays)
    args = chaos.parse("--seconds 15 --payments 2 --faults 1 --at-most 300".split())
    assert chaos.wants_more(world, args, 14.0)
    parts += [{"status": "complete"}] * 2
    assert chaos.wants_more(world, args, 16.0)  # no fault yet
    world.counts.fault("reorg")
    assert not chaos.wants_more(world, args, 16.0)
    assert chaos.wants_more(world, args, 14.0)
    parts.pop()
    assert chaos.wants_more(world, args, 299.0)
    assert not chaos.wants_more(world, args, 300.0)
    assert not chaos.wants_more(world, chaos.parse(["--seconds", "700"]), 700.0)


def test_a_route_pays_each_forwarder() -> None:
    nodes = [SimpleNamespace(id=n) for n in "abc"]
    edges = [SimpleNamespace(scid="1x1x1"), SimpleNamespace(scid="2x2x2")]
    path: Any = [(nodes[0], nodes[1], edges[0]), (nodes[1], nodes[2], edges[1])]
    first, last = make_route(path, 1000)
    assert (first["id"], last["id"], last["amount_msat"]) == ("b", "c", 1000)
    assert first["amount_msat"] > 1000 and first["delay"] > last["delay"]


def test_the_plugin_holds_some_htlcs_and_delays_no_other() -> None:
    def htlc(number: int, payment_hash: str) -> str:
        params = {"htlc": {"payment_hash": payment_hash}}
        return json.dumps({"id": number, "method": "htlc_accepted", "params": params})

    init = {"id": 1, "method": "init", "params": {"options": {"hold-ms": 50}}}
    calls = [json.dumps(init), htlc(2, "00" * 32), htlc(3, "ff" * 32)]
    process = subprocess.Popen(
        [sys.executable, str(Path(HOLD_PLUGIN))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n".join(calls) + "\n")
    process.stdin.flush()
    replies = []
    while len(replies) < 3:
        line = process.stdout.readline().strip()
        if line:
            replies.append(json.loads(line)["id"])
    process.stdin.close()
    process.stdout.close()
    process.wait()
    assert replies == [1, 3, 2]
