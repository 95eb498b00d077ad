"""Any of very many revoked commitments is punished wholly, from what is in the tables.

Alice and the real master in the middle make states by fee updates and HTLCs both ways. Then, each time from a copy of the
tables alone, Alice broadcasts an old one, gets as far as she can while the middle cannot send, and must end with nothing.
`SIM_STATES=5000` makes so many of them.
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.channel.fees import ANCHOR_AMOUNT
from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE, ChannelType
from pylightningd.common.ids import Outpoint
from tests.sim.chain import ToyChain
from tests.sim.middle import CLTV_DELTA, Middle
from tests.sim.middle_checks import payment_point
from tests.sim.middle_opening import open_world
from tests.sim.middle_world import Neighbour, World
from tests.sim.onchain_side import OnchainSide
from tests.sim.peers import FUNDING, INIT

pytestmark = pytest.mark.timeout(3600)
STATES = int(os.environ.get("SIM_STATES", "120"))
HELD = 5
"""HTLCs that wait at a time."""
EXPIRED = 70
"""Blocks after which every HTLC has expired, so that the cheater's own can be timed out."""


class History:
    """A channel with very many revoked states, and the tables that the middle has of it."""

    def __init__(self, kind: ChannelType, states: int) -> None:
        self.world = open_world(kind, ANCHORS_TYPE)
        self._dice = random.Random(states)  # noqa: S311 - the same story each time
        alice = self.alice.master
        while len(alice.kept) <= states:
            self._one_update(len(alice.kept))
        for name in ("alice", "bob"):
            self._decide(name)
        self.world.settle()
        self.world.check()
        self.world.check_at_rest()
        assert not alice.htlcs, "all HTLCs of old states are dead"

    @property
    def alice(self) -> Neighbour:
        return self.world.neighbours["alice"]

    def _one_update(self, number: int) -> None:
        world, dice = self.world, self._dice
        live = len(self.alice.master.htlcs)
        if number % 10 == 0 and live < HELD:
            source = dice.choice(("alice", "bob"))
            msat = dice.randrange(2_000_000, 40_000_000)
            world.offer(
                source, msat, dice.randrange(10, 30), delta=CLTV_DELTA, twin=dice.random() < 0.2
            )
        elif number % 10 == 5 and live >= HELD:
            for name in ("alice", "bob"):
                self._decide(name)
        else:
            world.update_fee(dice.randrange(300, 1500))
        world.settle()

    def _decide(self, name: str) -> None:
        world = self.world
        for htlc_id in list(world.resolvable(name)):
            world.resolve(name, htlc_id, self._dice.choice(("fulfill", "fail")))
            world.settle()

    def tables(self) -> Path:
        return self.world.middle.saved()

    def theft(self, which: int, *, expired: bool) -> World:
        """Alice broadcasts that old state on a chain of its own; the middle has started from the tables just before."""
        chain = ToyChain(base=INIT.blockheight + (EXPIRED if expired else 0))
        ladder: list[str] = []
        middle = Middle(chain, self.world.middle.hsm, ladder, self.tables())
        neighbours = {}
        for name, near in self.world.neighbours.items():
            static = near.master.row.channel
            keys = static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey
            script = sc.p2wsh(sc.funding_script(*keys))
            chain.mint(near.funding, TxOut(FUNDING, script), near.scid.block)
            peer = copy.copy(near.peer)
            peer.master, peer.ladder = copy.deepcopy(near.master), ladder
            neighbours[name] = Neighbour(
                peer, OnchainSide(peer, chain), near.dbid, near.scid, over=True
            )
        world = World(chain, middle, neighbours, ladder)
        middle.backend.on_send = world.saw_broadcast
        middle.boot()
        world.cheat("alice", which)
        return world


def punish(world: World, blackout: int) -> int:
    """Blocks until all is over. Returns how many second stages the cheater got into a block."""
    alice, middle = world.neighbours["alice"], world.middle
    middle.backend.lost_until = world.chain.height + blackout
    for _ in range(40):
        world.mine(1)
        world.check()
    tx, _ = world.chain.spent[alice.funding]
    point = payment_point(alice)
    mine = sc.p2wpkh(point), sc.p2wsh(sc.to_remote_anchors_script(point))
    stages = 0
    for n, output in enumerate(tx.outputs):
        if output.script in mine or output.amount == ANCHOR_AMOUNT:
            continue
        stages += _taken(world, Outpoint(tx.txid(), n))
    return stages


def _taken(world: World, outpoint: Outpoint) -> int:
    """The middle has this output, or what the cheater's second stage made of it; how many of those."""
    ours = world.middle.backend.sent
    assert outpoint in world.chain.spent, f"{outpoint} is left\n{world.describe()}"
    spender, _ = world.chain.spent[outpoint]
    if spender.txid() in ours:
        return 0
    index = next(n for n, i in enumerate(spender.inputs) if i.outpoint == outpoint)
    after = Outpoint(spender.txid(), index)
    assert after in world.chain.spent, f"a second stage is left\n{world.describe()}"
    assert _by_us(world, world.chain.spent[after][0]), "the cheater got a second stage"
    return 1


def _by_us(world: World, tx: Tx) -> bool:
    return tx.txid() in world.middle.backend.sent


@pytest.fixture(scope="module", params=["anchors", "static_remotekey"])
def history(request: pytest.FixtureRequest) -> Iterator[History]:
    kind = ANCHORS_TYPE if request.param == "anchors" else STATIC_REMOTEKEY_TYPE
    made = History(kind, STATES)
    yield made
    made.world.close_all()


def test_old_states_are_punished_wholly(history: History) -> None:
    """From the beginning, the middle, the end, some with most HTLCs, and some that chance chose."""
    kept = history.alice.master.revoked()
    most = sorted(range(len(kept)), key=lambda n: len(kept[n].htlc_signatures))[-3:]
    seed = int.from_bytes(sha256(b"%d" % len(kept)).digest()[:4])
    some = random.Random(seed).sample(range(len(kept)), 3)  # noqa: S311
    chosen = [0, 1, len(kept) // 2, len(kept) - 1, *most, *some]
    stages = htlcs = 0
    for n, which in enumerate(chosen):
        world = history.theft(which, expired=n % 2 == 0)
        try:
            stages += punish(world, blackout=n % 4)
            htlcs += len(kept[which].htlc_signatures)
        finally:
            world.close_all()
    assert htlcs > 8, "too few of them had HTLCs"
    assert stages > 2, "the cheater hardly got to a second stage"
