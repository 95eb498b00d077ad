"""A peer made by hand opens together with a real node, and breaks the rules: the opening ends, nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.wire import peer_wire as pw
from tests.common.interactive_tx import vectors as v
from tests.connectd.handshake import ALICE
from tests.openingd import sides, sides2
from tests.openingd.player import Player
from tests.regtest.network import NodeFactory
from tests.regtest.raw_peer import Impostor, run
from tests.regtest.waiting import wait_for

AMOUNT = Sat(10_000_000)


def opener(seed: int) -> Player:
    """Our side: keys of this seed, one coin that no chain knows, and its change."""
    change = replace(v.OPENER_CHANGE, amount=Sat(250_000_000 - AMOUNT.sat - 200))
    ours = sides2.alice_brings(funding_amount=AMOUNT, outputs=(change,))
    return sides2.opener(ours=ours, locktime=100, basepoints=sides.Keys(seed).basepoints)


async def answer_with(peer: Impostor, player: Player, kind: type[Any]) -> Any:
    """Say what the player says; the node's next message of this kind goes to it, and is returned."""
    peer.say(*player.outbox)
    player.outbox.clear()
    msg = await peer.expect(kind)
    player.peer(msg)
    return msg


async def construct(peer: Impostor, seed: int) -> pw.CommitmentSigned:
    """The whole transaction, until the node has signed our commitment."""
    player = opener(seed)
    await answer_with(peer, player, pw.AcceptChannel2)
    while not player.machine.finished:
        await answer_with(peer, player, pw.TxComplete)
    assert player.machine.opened
    peer.say(*player.outbox)
    return await peer.expect(pw.CommitmentSigned)


def test_a_peer_that_breaks_the_rules(node_factory: NodeFactory) -> None:
    """Bad terms, a bad input, a bad signature, a lost memory: tx_abort or nothing, and no channel is left."""
    (l1,) = node_factory.make_many(1, {"experimental-dual-fund": None})

    async def aborted(peer: Impostor, why: bytes) -> None:
        abort = await peer.expect(pw.TxAbort)
        assert why in abort.data
        peer.say(pw.TxAbort(channel_id=abort.channel_id, data=b""))
        assert await peer.is_alive()

    async def talk() -> None:
        peer = await Impostor.dial(l1, ALICE, sides2.FEATURES)
        offer = pw.decode(opener(11).outbox[0])
        assert isinstance(offer, pw.OpenChannel2)
        peer.say(replace(offer, dust_limit_satoshis=Sat(1)))
        await aborted(peer, b"dust_limit_satoshis 1sat is smaller than")
        # An input that is not segwit.
        player = opener(12)
        await answer_with(peer, player, pw.AcceptChannel2)
        (raw,) = player.outbox
        add = pw.decode(raw)
        assert isinstance(add, pw.TxAddInput)
        peer.say(replace(add, prevtx_vout=1))
        await aborted(peer, b"Not SegWit")
        # A signature of nothing.
        signed = await construct(peer, 13)
        assert l1.channel_states() == ["DUALOPEND_OPEN_COMMIT_READY"]
        peer.say(replace(signed, signature=b"\x01" * 64))
        await aborted(peer, b"Bad signature")
        await asyncio.to_thread(wait_for, lambda: not l1.channels(), "that it is forgotten")
        # No word on the new connection.
        signed = await construct(peer, 14)
        peer.hang_up()
        peer = await Impostor.dial(l1, ALICE, sides2.FEATURES)
        again = await peer.expect(pw.ChannelReestablish)
        assert again.channel_id == signed.channel_id
        assert again.tlvs.next_funding is not None
        assert again.tlvs.next_funding.retransmit_flags == 1
        peer.say(pw.Error(channel_id=again.channel_id, data=b"I forgot"))
        await asyncio.to_thread(wait_for, lambda: not l1.channels(), "that it is forgotten")
        peer.hang_up()
        # Without the feature it is a message out of place.
        peer = await Impostor.dial(l1, ALICE, sides.FEATURES)
        peer.say(offer)
        assert await peer.complaint() is not None
        assert not [m for m in peer.heard if isinstance(m, pw.TxAbort | pw.AcceptChannel2)]

    run(talk)
    assert l1.rpc("getinfo")["num_pending_channels"] == 0
