"""A peer proves that we lost data and fails the whole connection in one breath: our old commitment stays with us."""

from __future__ import annotations

import asyncio

import pytest

from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.shachain import MAX_INDEX, generate_from_seed
from pylightningd.common.wire import peer_wire as pw
from pylightningd.hsmd.derive import NodeSecrets
from tests.regtest.network import NodeFactory
from tests.regtest.node import NETWORK
from tests.regtest.raw_peer import Impostor, key_of, run
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for

AHEAD = 7
"""A commitment of ours that we do not remember to have revoked."""


def test_an_error_behind_the_proof(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    node_factory.open_channel(l1, l2)
    channel_id = ChannelId(bytes.fromhex(l1.channels()[0]["channel_id"]))
    l2.stop()
    secrets = NodeSecrets((l1.folder / NETWORK / "hsm_secret").read_bytes(), is_test_network=True)
    seed = secrets.channel(NodeId(bytes.fromhex(l2.id)), 1).shaseed.reveal()
    proof = generate_from_seed(seed, MAX_INDEX - AHEAD)

    async def talk() -> None:
        peer = await Impostor.dial(l1, key_of(l2))
        await peer.reestablish(
            channel_id,
            next_commitment_number=AHEAD + 2,
            next_revocation_number=AHEAD + 1,
            your_last_per_commitment_secret=proof,
        )
        peer.say(pw.Error(channel_id=ChannelId(bytes(32)), data=b"all is over"))
        await asyncio.to_thread(l1.wait_for_log, "Received ERROR connection: all is over")
        peer.hang_up()

    l1.allow_trouble = ".*"
    run(talk)
    wait_for(lambda: l1.channel_states() == ["AWAITING_UNILATERAL"], "the verdict")
    with pytest.raises(RpcError, match="only the peer can close it"):
        l1.rpc("close", id=l2.id, unilateraltimeout=1)
    assert not l1.log.contains("sendrawtx.*Broadcasting txid")
    assert node_factory.bitcoind.mempool() == []
