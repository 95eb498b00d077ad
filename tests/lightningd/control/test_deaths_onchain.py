"""The master dies at every commit of a channel's life on the chain, before or after it; the end is always the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.channel.htlc_states import Side
from tests.lightningd.channels.rig import Rig
from tests.lightningd.control.dying import DyingStore, die_of, doom
from tests.lightningd.control.onchain_rig import World, live
from tests.lightningd.control.test_onchaind import KNOWN, OURS, TRIMMED, fate, forwarded, make
from tests.onchaind.rig import HEIGHT

POINTS = ("onchaind_htlc_gone",)
"""What is committed in these stories, and in no other test of deaths."""
BLOCKS = 26
"""Until every output is taken, and what took it is deep enough to say so upstream."""


def _scene(rig: Rig, whose: str) -> tuple[World, Any]:
    """A close that is about to be mined, with an HTLC each way and one that is dust."""
    world = make(rig, OURS, KNOWN, TRIMMED)
    _, mine = forwarded(world, OURS, TRIMMED)
    world.channel(*mine, live(KNOWN))
    keys = world.keys
    commitment = {
        "ours": keys.ours.tx,
        "theirs": keys.commitment(Side.REMOTE, keys.REVOKED).tx,
        "revoked": keys.commitment(Side.REMOTE, 2).tx,
    }[whose]
    return world, commitment


def _play(path: Path, whose: str, when: str, left: int) -> tuple[int, dict[str, Any]]:
    """From the commitment in a block until nothing is left to take. Returns the commits until then, and the outcome."""
    rig = Rig(path)
    rig.node.db.execute_sql("PRAGMA synchronous = OFF")
    try:
        world, commitment = _scene(rig, whose)
        store = doom(rig, when, left)
        _step(world, store, partial(world.mine, commitment))
        while world.height < HEIGHT + BLOCKS:
            _step(world, store, world.mine_mempool)
        rig.forgive()
        return store.commits, _outcome(world)
    finally:
        rig.close()


def _step(world: World, store: DyingStore, act: Any) -> None:
    """A block. Where the node dies of it, the next start sees it."""
    if store.dead:
        act()
    elif die_of(world.rig, store, act):
        world.restart()
        world.see_again()


def _outcome(world: World) -> dict[str, Any]:
    rig = world.rig
    upstream = rig.node.channels.get(2)
    taken = {o for block in world.blocks for tx in block for o in [i.outpoint for i in tx.inputs]}
    return {
        "upstream": [fate(upstream, h.id) for h in (OURS, TRIMMED)],
        "taken": len(taken),
        "waiting": len(world.mempool),
        "spends": len(rig.node.onchain.store.spends(1)),
        "steps": [(who, what) for who, what, _ in world.causes()],
        "resolved": sorted(str(o.kind) for o in rig.node.onchain.outputs[1] if o.resolved_by),
    }


@pytest.mark.parametrize("whose", ["ours", "theirs", "revoked"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_death_at_every_commit(tmp_path: Path, whose: str, when: str) -> None:
    def play(left: int) -> tuple[int, dict[str, Any]]:
        folder = tmp_path / str(left)
        folder.mkdir()
        return _play(folder, whose, when, left)

    count, expected = play(0)
    assert expected["upstream"] == ["failed", "failed"]
    assert not expected["waiting"]
    # Before the one and after the next is nearly the same: some of each.
    for left in range(1 if when == "before" else 3, count, 4):
        assert play(left)[1] == expected, f"{when} commit {left} of {count}"
