"""onchain_outputs of listpeerchannels: what each output is, who takes it, until when, and when that is final."""

from __future__ import annotations

from typing import Any

from pylightningd.common.channel.htlc_states import Side
from pylightningd.lightningd.channels.describe_onchain import onchain_json
from tests.lightningd.channels.rig import Rig
from tests.lightningd.control.fake_wallet import coin
from tests.lightningd.control.onchain_rig import World, live
from tests.onchaind.rig import HEIGHT, htlc
from tests.onchaind.rig import Rig as Keys

OURS = htlc(1, ours=True, sat=20_000, cltv=HEIGHT + 10)
KNOWN = htlc(2, ours=False, sat=30_000, cltv=HEIGHT + 30, known=True)
UNKNOWN = htlc(3, ours=False, sat=40_000, cltv=HEIGHT + 40)


def rows(world: World) -> dict[str, dict[str, Any]]:
    """By amount (sat) and kind."""
    shown = onchain_json(world.rig.node.onchain.outputs[1])["onchain_outputs"]
    return {f"{r['kind']} {r['amount_msat'] // 1000}": r for r in shown}


def test_each_row_says_until_when_and_when_it_is_final(rig: Rig) -> None:
    world = World(rig, Keys(anchors=True, htlcs=(OURS, KNOWN, UNKNOWN)))
    world.wallet.coins.update({c.outpoint: c for c in (coin(1), coin(2))})
    world.channel(live(OURS), live(KNOWN), live(UNKNOWN))
    world.mine(world.keys.ours.tx)
    world.mempool.pop(world.keys.ours.tx.txid(), None)
    found = rows(world)
    assert all(r["final_depth"] == 100 for r in found.values())
    known = found["THEIR_HTLC 30000"]
    assert known["payment_hash"] == KNOWN.payment_hash.hex()
    assert (known["claim_block"], known["deadline"]) == (HEIGHT + 1, HEIGHT + 30)
    # The peer may take it back after its expiry, and may take what we offered whenever it has the preimage.
    assert known["rival_block"] == HEIGHT + 31
    assert "final_blockheight" not in known
    ours = found["OUR_HTLC 20000"]
    assert (ours["claim_block"], ours["rival_block"]) == (HEIGHT + 11, HEIGHT + 1)
    assert "deadline" not in ours
    assert found["THEIR_HTLC 40000"]["ignore_block"] == HEIGHT + 40
    assert "claim" not in found["THEIR_HTLC 40000"]
    world.mine_mempool()
    taken = rows(world)["THEIR_HTLC 30000"]
    assert taken["resolved_blockheight"] == world.height
    assert taken["final_blockheight"] == world.height + 99
    assert "deadline" not in taken
    # The channel is forgotten when the last row is final.
    last = 0
    while world.our_channel is not None:
        last = max(r.get("final_blockheight", 0) for r in rows(world).values())
        world.mine_mempool()
        assert world.height < HEIGHT + 300
    assert world.height == last


def test_what_is_taken_from_a_cheater_has_a_deadline(rig: Rig) -> None:
    world = World(rig, Keys(anchors=True))
    world.channel()
    world.mine(world.keys.commitment(Side.REMOTE, 2).tx)
    (row,) = (r for r in rows(world).values() if r.get("claim") == "OUR_PENALTY_TX")
    assert row["deadline"] == row["rival_block"]
    assert row["deadline"] > HEIGHT
