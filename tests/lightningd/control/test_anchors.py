"""The child that brings our commitment into a block: its coins, and what it pays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.control import anchor_goal
from pylightningd.lightningd.control.bump_wish import Wish
from tests.lightningd.channels.rig import Rig
from tests.lightningd.control.fake_wallet import coin, elsewhere
from tests.lightningd.control.onchain_rig import World, live
from tests.onchaind.rig import HEIGHT, htlc, preimage
from tests.onchaind.rig import Rig as Keys
from tests.onchaind.script_check import check_spend

A, B = coin(1, 300_000), coin(2, 200_000)
BIG = htlc(1, ours=False, sat=400_000, cltv=HEIGHT + 400)
"""With it the outputs of the commitment are worth what the channel is."""


def closing(rig: Rig, rate: int) -> tuple[World, LiveHtlc]:
    """Our commitment waits for a block."""
    world = World(rig, Keys(anchors=True, htlcs=(BIG,)))
    world.wallet.coins.update({A.outpoint: A, B.outpoint: B})
    world.rate = rate
    incoming = live(BIG)
    world.channel(incoming)
    broadcast(world)
    return world, incoming


def broadcast(world: World) -> None:
    node, channel = world.rig.node, world.our_channel
    world.rig.wait(node.onchain.broadcast_commitment(channel, world.keys.ours.tx))


def child(world: World) -> Tx:
    (found,) = (t for t in world.mempool.values() if t.txid() != world.keys.ours.tx.txid())
    return found


def paid_by(world: World) -> set[Outpoint]:
    return {i.outpoint for i in child(world).inputs[1:]}


def fee(world: World) -> Sat:
    coins = sum(c.amount.sat for c in (A, B) if c.outpoint in paid_by(world))
    return Sat(330 + coins - child(world).outputs[0].amount.sat)


def test_more_at_stake_goes_on_from_what_was_really_paid(rig: Rig) -> None:
    """The fees stay as high as they were, but a preimage makes it worth it to pay them."""
    world, incoming = closing(rig, 50_000)
    before = fee(world)
    assert before == Sat(15_000)
    world.mine()
    assert fee(world) == before
    incoming.preimage = preimage(1)
    world.mine()
    assert fee(world) > Sat(50_000)
    assert not [text for level, text in rig.logs if level == "unusual"]


def test_a_child_whose_coin_is_gone_takes_another(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    assert paid_by(world) == {A.outpoint}
    taken = elsewhere(A)
    world.mempool.popitem()
    world.mine(taken)
    assert paid_by(world) == {B.outpoint}


def test_the_same_over_a_restart(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    world.mempool.popitem()
    world.wallet.mined(elsewhere(A))
    world.restart()
    world.rate = 3000
    broadcast(world)
    assert paid_by(world) == {B.outpoint}


def test_a_restart_goes_on_with_the_same_coins(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    before = fee(world)
    world.restart()
    broadcast(world)
    assert paid_by(world) == {A.outpoint}
    assert fee(world) == before


def test_restarts_do_not_put_off_the_day_by_which_it_shall_confirm(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    asked: list[int] = []
    for _ in range(100):
        world.mine()
    world.restart()
    feerates = rig.node.chain.feerates

    def rate(deadline: int, _height: int) -> int:
        asked.append(deadline)
        return 5000

    feerates.for_deadline = rate
    broadcast(world)
    assert set(asked) == {HEIGHT - 1 + anchor_goal.NO_HTLC_BLOCKS}


def test_a_funding_that_waits_is_paid_for_too(rig: Rig) -> None:
    world = World(rig, Keys(anchors=True, htlcs=(BIG,)))
    world.wallet.coins.update({A.outpoint: A, B.outpoint: B})
    world.channel(live(BIG))
    funding = Tx(2, (TxIn(A.outpoint.txid, 0),), (TxOut(A.amount - Sat(100), bytes(34)),))
    stored = SimpleNamespace(tx=funding, height=None)
    world.wallet.store.get_tx = lambda _txid: stored
    world.wallet.reserve([A])
    broadcast(world)
    commitment = world.keys.ours.tx
    rig.wait(rig.node.onchain.anchors.bump(commitment.txid(), Wish(feerate_perkw=5000))).result()
    ours = child(world)
    outputs = sum(o.amount.sat for o in commitment.outputs)
    paid = 100 + world.keys.channel.funding_amount.sat - outputs
    paid += 330 + B.amount.sat - ours.outputs[0].amount.sat
    weight = funding.weight() + commitment.weight() + ours.weight()
    assert 4900 <= paid * 1000 // weight <= 5200
    # Once it is in a block, it needs no help.
    stored.height = HEIGHT
    world.mine()
    rig.wait(rig.node.onchain.anchors.bump(commitment.txid(), Wish(feerate_perkw=9000))).result()
    paid = world.keys.channel.funding_amount.sat - outputs
    paid += 330 + B.amount.sat - child(world).outputs[0].amount.sat
    weight = commitment.weight() + child(world).weight()
    assert 8800 <= paid * 1000 // weight <= 9300


def test_the_peers_commitment_can_be_bumped_by_our_anchor_in_it(rig: Rig) -> None:
    world = World(rig, Keys(anchors=True, htlcs=(BIG,)))
    world.wallet.coins.update({A.outpoint: A})
    channel: Channel | None = world.channel(live(BIG))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED).tx
    first = None
    for rate in (5000, 8000):
        assert channel is not None
        anchors = rig.node.onchain.anchors
        done = rig.wait(anchors.bump_theirs(channel, theirs, Wish(feerate_perkw=rate))).result()
        assert done.replaces == first
        first = done.tx.txid()
        assert {i.outpoint.txid for i in done.tx.inputs} == {theirs.txid(), A.outpoint.txid}
        check_spend(done.tx, 0, theirs.outputs[done.tx.inputs[0].index].script, Sat(330))
        world.restart()
        channel = world.our_channel
    anchors = rig.node.onchain.anchors
    assert channel is not None
    refused = rig.wait(anchors.bump_theirs(channel, theirs, Wish(feerate_perkw=8000)))
    with pytest.raises(UserError, match="already"):
        refused.result()
    assert rig.wait(anchors.bump(first, Wish(feerate_perkw=9000))).result().what == "commitment"
    world.mempool.clear()
    world.mine(theirs)
    assert rig.wait(anchors.bump(first, Wish(feerate_perkw=9000))).result() is None


def test_to_ask_what_a_bump_of_the_peers_commitment_costs_ties_nothing(rig: Rig) -> None:
    world = World(rig, Keys(anchors=True, htlcs=(BIG,)))
    world.wallet.coins.update({A.outpoint: A})
    channel = world.channel(live(BIG))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED).tx
    anchors = rig.node.onchain.anchors
    wish = Wish(feerate_perkw=5000, dry_run=True)
    done = rig.wait(anchors.bump_theirs(channel, theirs, wish)).result()
    assert (done.tx, done.fee > Sat(0)) == (None, True)
    assert not world.wallet.coins[A.outpoint].reserved_til
    real = Wish(feerate_perkw=6000)
    assert rig.wait(anchors.bump(theirs.txid(), real)).result() is None


def test_bump_compares_what_both_pay(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    anchors = rig.node.onchain.anchors
    first = child(world).txid()
    for name in (first, world.keys.ours.tx.txid()):
        refused = rig.wait(anchors.bump(name, Wish(feerate_perkw=5000)))
        with pytest.raises(UserError, match="pays 5000perkw already"):
            refused.result()
    over = rig.wait(anchors.bump(first, Wish(feerate_perkw=9000, budget=Sat(10))))
    with pytest.raises(UserError, match="budget"):
        over.result()
    assert not world.wallet.coins[B.outpoint].reserved_til
    done = rig.wait(anchors.bump(first, Wish(feerate_perkw=9000))).result()
    assert (done.replaces, done.before_perkw) == (first, 5000)
    assert child(world).txid() == done.tx.txid()


def test_coins_stay_reserved_for_as_long_as_the_child_waits(rig: Rig) -> None:
    world, _ = closing(rig, 5000)
    for _ in range(100):
        world.mine()
        assert world.wallet.coins[A.outpoint].is_reserved(world.height)
