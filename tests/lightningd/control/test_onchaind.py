"""The master's side of a close on chain, from the first block to the last, with restarts and reorganisations between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import Cause, ChannelState
from tests.lightningd.channels.rig import Rig, peer_connected
from tests.lightningd.control.fake_wallet import coin
from tests.lightningd.control.onchain_rig import World, live
from tests.onchaind.rig import HEIGHT, SWEEP, htlc, index_of, preimage
from tests.onchaind.rig import Rig as Keys

DELAY = 6
A = coin(1)
OURS, KNOWN, TRIMMED = (
    htlc(1, ours=True, cltv=HEIGHT + 10),
    htlc(2, ours=False, cltv=HEIGHT + 30, known=True),
    htlc(4, ours=True, sat=300, cltv=HEIGHT + 10),
)


def make(rig: Rig, *wires: ow.OnchainHtlc, anchors: bool = False) -> World:
    """HTLC transactions without anchors need no coins."""
    return World(rig, Keys(anchors=anchors, htlcs=wires))


def forwarded(world: World, *wires: ow.OnchainHtlc) -> tuple[Channel, list[LiveHtlc]]:
    """A second channel, with the incoming HTLCs that these serve; returns it and our channel's HTLCs."""
    upstream = world.rig.open_channel(2)
    served = []
    for wire in wires:
        incoming = live(
            replace(wire, offered_by_us=False, cltv_expiry=wire.cltv_expiry + 40),
            shared_secret=bytes(32),
        )
        world.add(upstream, incoming)
        served.append(live(wire, origin_htlc=incoming.dbid))
    return upstream, served


def fate(upstream: Channel, htlc_id: int) -> str:
    """What the one upstream is told."""
    incoming = upstream.htlcs[False, htlc_id]
    if incoming.preimage is not None:
        return "paid"
    return "failed" if incoming.is_resolved else "waits"


# The story of a close


def test_each_step_of_a_close_is_written_down_and_the_last_balance_counts_the_chain(
    rig: Rig,
) -> None:
    world = make(rig, KNOWN)
    channel = world.channel(live(KNOWN), state=ChannelState.CHANNELD_NORMAL)
    rig.turn(
        lambda: rig.node.channels.set_state(
            channel, ChannelState.AWAITING_UNILATERAL, Cause.REMOTE, "Error from peer: oops"
        )
    )
    world.mine(world.keys.ours.tx)
    while world.our_channel is not None:
        world.mine_mempool()
        assert world.height < HEIGHT + 200
    assert world.causes() == [
        ("remote", "unilateral_close", HEIGHT - 1),
        ("chain", "funding_spent", HEIGHT),
        ("local", "recognised", HEIGHT),
        ("chain", "resolved", world.height),
    ]
    (closed,) = rig.node.channels.store.load_closed()
    assert closed.to_local == Msat(300_000_000) + KNOWN.amount


def test_what_the_peer_took_with_the_preimage_is_not_ours_at_the_end(rig: Rig) -> None:
    world = make(rig, OURS)
    world.channel(live(OURS))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    index = index_of(theirs, OutputKind.RECEIVED_HTLC)
    world.mine(world.keys.their_htlc_tx(theirs, index, preimage(1)))
    world.pass_blocks(100)
    assert world.our_channel is None
    (closed,) = rig.node.channels.store.load_closed()
    assert closed.to_local == Msat(300_000_000) - OURS.amount
    assert world.causes()[1][:2] == ("remote", "recognised")


def test_a_failed_turn_leaves_no_step(rig: Rig) -> None:
    world = make(rig)
    channel = world.channel(state=ChannelState.CHANNELD_NORMAL)

    def fail() -> None:
        rig.node.channels.set_state(channel, ChannelState.AWAITING_UNILATERAL, Cause.USER, "x")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        rig.turn(fail)
    assert world.causes() == []
    rig.forgive()


# Upstream safety


@pytest.mark.parametrize("whose", ["ours", "theirs", "their next"])
def test_a_trimmed_htlc_fails_upstream_when_the_commitment_is_irrevocable(
    rig: Rig, whose: str
) -> None:
    world = make(rig, TRIMMED)
    upstream, mine = forwarded(world, TRIMMED)
    world.channel(*mine)
    commitments = {
        "ours": world.keys.ours.tx,
        "theirs": world.keys.commitment(Side.REMOTE, world.keys.REVOKED).tx,
        "their next": world.keys.commitment(Side.REMOTE, world.keys.REVOKED + 1).tx,
    }
    world.our_channel.next_remote_commitment += 1  # type: ignore[union-attr]
    world.mine(commitments[whose])
    world.pass_blocks(1)
    assert fate(upstream, TRIMMED.id) == "waits"
    world.pass_blocks(1)
    assert fate(upstream, TRIMMED.id) == "failed"


HALF = (HtlcState.SENT_ADD_COMMIT, HtlcState.RCVD_ADD_REVOCATION, HtlcState.RCVD_ADD_ACK_COMMIT)


@pytest.mark.parametrize("state", HALF, ids=lambda s: s.name)
def test_an_htlc_that_only_the_peer_has_committed(rig: Rig, state: HtlcState) -> None:
    """Half committed, it has an output in the peer's commitment only; ours being mined kills it, once irrevocable."""
    world = make(rig)
    upstream, mine = forwarded(world, OURS)
    world.channel(replace(mine[0], state=state))
    world.mine(world.keys.ours.tx)
    assert fate(upstream, OURS.id) == "waits"
    # Before that a reorganisation may still bring the peer's commitment, with its output.
    world.pass_blocks(1)
    assert fate(upstream, OURS.id) == "waits"
    world.pass_blocks(1)
    assert fate(upstream, OURS.id) == "failed"


@pytest.mark.parametrize("state", HALF, ids=lambda s: s.name)
@pytest.mark.parametrize("peer_knows", [False, True])
def test_an_htlc_that_only_the_peer_has_committed_and_the_peer_closes(
    rig: Rig, state: HtlcState, peer_knows: bool
) -> None:
    world = make(rig, OURS)
    upstream, mine = forwarded(world, OURS)
    world.channel(replace(mine[0], state=state), next_remote_commitment=world.keys.REVOKED + 2)
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED + 1)
    world.mine(theirs.tx)
    world.pass_blocks(3)
    assert fate(upstream, OURS.id) == "waits"
    if peer_knows:
        index = index_of(theirs, OutputKind.RECEIVED_HTLC)
        world.mine(world.keys.their_htlc_tx(theirs, index, preimage(1)))
        assert fate(upstream, OURS.id) == "paid"
        return
    while world.height < OURS.cltv_expiry:
        world.mine()
    (claim,) = world.mine_mempool()
    assert claim.locktime == OURS.cltv_expiry
    world.pass_blocks(1)
    assert fate(upstream, OURS.id) == "waits"
    world.pass_blocks(1)
    assert fate(upstream, OURS.id) == "failed"


def test_the_deadline_of_a_half_committed_htlc_closes_the_channel(rig: Rig) -> None:
    world = make(rig)
    closed: list[str] = []
    rig.node.channel_events.permanent_failure = lambda _c, _cause, why: closed.append(why)
    _, mine = forwarded(world, OURS)
    half = replace(mine[0], state=HtlcState.RCVD_ADD_REVOCATION)
    world.channel(half, state=ChannelState.CHANNELD_NORMAL)
    world.pass_blocks(OURS.cltv_expiry - HEIGHT + 1)
    assert not closed
    world.pass_blocks(1)
    assert closed == [f"Offered HTLC 1 RCVD_ADD_REVOCATION cltv {OURS.cltv_expiry} hit deadline"]


# Fees


def test_small_outputs_are_not_given_up_in_a_fee_spike(rig: Rig) -> None:
    """What is dust at today's feerate may well be worth it tomorrow: onchaind hears of the lowest feerate only."""
    small = htlc(1, ours=True, sat=2000, cltv=HEIGHT + 10)
    world = make(rig, small)
    world.floor = world.rate = 20_000
    rig.node.chain.feerates.floor_perkw = 20_000
    world.channel(live(small))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    (told,) = [m for m in world.engine.told if isinstance(m, ow.OnchaindChannel)]
    assert told.min_feerate_perkw == 253
    assert not any("too small" in text for text in world.engine.said)
    while world.height < small.cltv_expiry:
        world.mine()
    world.mempool.clear()
    rig.node.chain.feerates.floor_perkw = world.rate = 253
    world.mine()
    world.restart()
    world.mine()
    assert any(i.outpoint.txid == theirs.txid for t in world.mempool.values() for i in t.inputs)


# Reorganisations


def _commitment(world: World) -> None:
    world.mine(world.keys.ours.tx)


def _matured(world: World) -> None:
    _commitment(world)
    world.pass_blocks(DELAY - 1)


def _swept(world: World) -> None:
    _matured(world)
    world.mine_mempool()


def _timed_out(world: World) -> None:
    _swept(world)
    while world.height < OURS.cltv_expiry:
        world.mine_mempool()
    world.mine_mempool()


def _failed_upstream(world: World) -> None:
    _timed_out(world)
    world.mine_mempool()
    world.mine_mempool()


def _second_stage_swept(world: World) -> None:
    _failed_upstream(world)
    for _ in range(DELAY):
        world.mine_mempool()


STAGES = (_commitment, _matured, _swept, _timed_out, _failed_upstream, _second_stage_swept)


@pytest.mark.parametrize("restart", ["no", "before", "after"])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("stage", STAGES, ids=lambda f: f.__name__.strip("_"))
def test_a_reorganisation_at_each_stage(
    rig: Rig, stage: Callable[[World], None], depth: int, restart: str
) -> None:
    """Blocks go and come again, perhaps with a restart between: in the end all is resolved, nothing twice."""
    world = make(rig, OURS, KNOWN)
    upstream, mine = forwarded(world, OURS)
    world.channel(*mine, live(KNOWN))
    stage(world)
    if restart == "before":
        world.restart()
    world.reorg(min(depth, len(world.blocks)))
    if restart == "after":
        world.restart()
    if not world.blocks:
        assert world.our_channel is not None
        assert world.our_channel.state is ChannelState.AWAITING_UNILATERAL
        assert world.causes()[-1][1] == "reorganisation"
    while world.height < HEIGHT + 30:
        world.mine_mempool()
    unresolved = [o for o in world.rig.node.onchain.outputs[1] if not o.resolved_by]
    assert not unresolved
    upstream = world.rig.node.channels.get(2)
    assert fate(upstream, OURS.id) == "failed"
    _check_all_swept(world)


def test_after_a_reorganisation_another_commitment_may_come(rig: Rig) -> None:
    world = make(rig, OURS)
    upstream, mine = forwarded(world, OURS)
    world.channel(*mine)
    world.mine(world.keys.ours.tx)
    world.reorg(1)
    world.mempool.clear()
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    index = index_of(theirs, OutputKind.RECEIVED_HTLC)
    world.mine(world.keys.their_htlc_tx(theirs, index, preimage(1)))
    assert fate(upstream, OURS.id) == "paid"
    assert [c[:2] for c in world.causes()] == [
        ("chain", "funding_spent"),
        ("local", "recognised"),
        ("chain", "reorganisation"),
        ("chain", "funding_spent"),
        ("remote", "recognised"),
    ]


def test_a_preimage_stays_known_when_the_block_that_showed_it_goes(rig: Rig) -> None:
    world = make(rig, OURS)
    upstream, mine = forwarded(world, OURS)
    world.channel(*mine)
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    index = index_of(theirs, OutputKind.RECEIVED_HTLC)
    world.mine(world.keys.their_htlc_tx(theirs, index, preimage(1)))
    world.reorg(1)
    world.mempool.clear()
    while world.height < OURS.cltv_expiry + 5:
        world.mine_mempool()
    world.restart()
    assert fate(world.rig.node.channels.get(2), OURS.id) == "paid"
    assert fate(upstream, OURS.id) == "paid"


def test_our_commitment_goes_out_again_when_its_block_goes(rig: Rig) -> None:
    """After a restart nobody else has it: it is sent, and brought into a block again."""
    big = htlc(1, ours=False, sat=400_000, cltv=HEIGHT + 400)
    world = make(rig, big, anchors=True)
    world.wallet.coins[A.outpoint] = A
    world.channel(live(big))
    world.mine(world.keys.ours.tx)
    world.restart()
    world.rate = 20_000
    world.reorg(1)
    # The sweep of our balance is made already; the backend here knows no later block to send it in.
    sent = [tx for tx in world.mempool.values() if not 0 < tx.inputs[0].sequence < 1 << 16]
    ours, child = sent
    assert ours.txid() == world.keys.ours.tx.txid()
    assert ours.inputs[0].witness
    assert A.outpoint in {i.outpoint for i in child.inputs}


def test_but_not_where_the_peer_could_punish_it(rig: Rig) -> None:
    world = make(rig)
    world.channel(future_remote_point=world.keys.remote_point(7))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED).tx
    world.mine(theirs)
    world.reorg(1)
    assert list(world.mempool.values()) == [theirs]


def test_instead_of_our_commitment_the_close_that_both_signed_goes_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make(rig)
    world.channel()
    world.mine(world.keys.commitment(Side.REMOTE, world.keys.REVOKED).tx)
    agreed = replace(world.keys.ours.tx, locktime=7)
    monkeypatch.setattr(rig.node.closing, "agreed_tx", lambda _channel: agreed)
    world.reorg(1)
    assert list(world.mempool.values()) == [agreed]


def _check_all_swept(world: World) -> None:
    """Everything that could be ours went to our wallet's script, and no output twice."""
    made = {
        (tx.txid(), n): o
        for block in world.blocks
        for tx in block
        for n, o in enumerate(tx.outputs)
    }
    spent = [(i.txid, i.index) for block in world.blocks for tx in block for i in tx.inputs]
    assert len(spent) == len(set(spent))
    paid = sum(o.amount.sat for key, o in made.items() if o.script == SWEEP and key not in spent)
    assert paid > 300_000 - 2000 + (OURS.amount.msat + KNOWN.amount.msat) // 1000 - 10_000


# One transaction for many outputs


def test_onchaind_hears_once_of_a_transaction_that_spends_many_outputs(rig: Rig) -> None:
    wires = tuple(htlc(n, ours=True, cltv=HEIGHT + 10) for n in range(1, 6))
    world = make(rig, *wires)
    world.channel(*(live(w) for w in wires))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    while world.height < HEIGHT + 10:
        world.mine()
    (claim,) = world.mine_mempool()
    assert len(claim.inputs) == 5
    assert len([m for m in world.engine.told if isinstance(m, ow.OnchaindSpent)]) == 1
    world.restart()
    assert len([m for m in world.engine.told if isinstance(m, ow.OnchaindSpent)]) == 1
    assert not world.mempool


def test_the_peer_takes_one_of_many(rig: Rig) -> None:
    wires = tuple(htlc(n, ours=True, cltv=HEIGHT + 10) for n in range(1, 6))
    world = make(rig, *wires)
    world.channel(*(live(w) for w in wires))
    theirs = world.keys.commitment(Side.REMOTE, world.keys.REVOKED)
    world.mine(theirs.tx)
    while world.height < HEIGHT + 10:
        world.mine()
    (claim,) = world.mempool.values()
    taken = claim.inputs[2].outpoint
    world.mempool.clear()
    world.mine(Tx(2, (TxIn(taken.txid, taken.index),), (TxOut(Sat(1), b""),)))
    (again,) = world.mempool.values()
    assert {i.outpoint for i in again.inputs} == {i.outpoint for i in claim.inputs} - {taken}


# Data that is lost


def test_the_peers_word_explains_its_commitment_also_when_it_is_on_the_chain(rig: Rig) -> None:
    world = make(rig, OURS)
    keys = world.keys
    channel = world.channel(live(OURS), future_remote_point=keys.remote_point(keys.REVOKED + 1))
    world.mine(keys.commitment(Side.REMOTE, 40).tx)
    assert not world.mempool
    rig.connectd_says(replace(peer_connected(1, 1), peer_id=channel.peer_id))

    def reestablish(number: int) -> None:
        msg = pw.ChannelReestablish(
            channel_id=channel.channel_id,
            next_commitment_number=41,
            next_revocation_number=40,
            your_last_per_commitment_secret=bytes(32),
            my_current_per_commitment_point=keys.remote_point(number),
        )
        said = cw.ConnectdPeerMsg(peer_id=channel.peer_id, connection=1, msg=msg.encode())
        rig.connectd_says(said)

    reestablish(40)
    # What explains the commitment is not given up for what may not.
    reestablish(41)
    assert channel.future_remote_point == keys.remote_point(40)
    while world.height < OURS.cltv_expiry:
        world.mine()
    (claim,) = world.mempool.values()
    assert [i.outpoint.txid for i in claim.inputs] == [keys.commitment(Side.REMOTE, 40).tx.txid()]
