"""The two machines with the real signing core of hsmd, as a worker's link has it: it must refuse nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

import pytest

from pylightningd.channeld.state import Facts
from pylightningd.common.channel.commitment_tx import CommitmentTx
from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE, ChannelType
from pylightningd.common.network import network_by_name
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.enforcement import Enforcement
from pylightningd.hsmd.machine import Hsm
from tests.sim.peers import Pair
from tests.sim.toy_hsmd import ToyHsmd

WORKER, ECDH, COMMITMENT = 7, 1, 2


@dataclass
class RealHsmd(ToyHsmd):
    """hsmd's core behind the toy's face."""

    hsm: Hsm = field(init=False)
    signed: dict[int, CommitmentTx] = field(default_factory=dict)

    def __post_init__(self) -> None:
        secret = sha256(self.name.encode()).digest()
        node = NodeSecrets(secret, is_test_network=True)
        self.hsm = Hsm(node, network_by_name("regtest"), Enforcement())
        self.hsm.add_link(WORKER, ECDH | COMMITMENT)

    @property
    def node_id(self) -> bytes:
        return self.hsm.node.node_id

    def answer(self, request: Message, facts: Facts) -> Message:
        reply = self.hsm.handle(WORKER, request)
        assert reply is not None
        if isinstance(request, hw.HsmdSignRemoteCommitment):
            self._sign(request, facts)  # the toy's own, for the transaction alone
        elif isinstance(request, hw.HsmdRevokeCommitment):
            self.revoked = max(self.revoked, request.number + 1)
        return reply

    def master(self, request: Message) -> Message | None:
        """As lightningd's link."""
        return self.hsm.handle(0, request)


def point(hsmd: RealHsmd, number: int) -> bytes:
    reply = hsmd.master(hw.HsmdGetPerCommitmentPoint(dbid=1, number=number))
    assert isinstance(reply, hw.HsmdGetPerCommitmentPointReply)
    return reply.point


def open_pair(channel_type: ChannelType) -> Pair:
    pair = Pair.open(channel_type=channel_type)
    hsmds = {peer.name: RealHsmd(peer.name) for peer in pair.both}
    points = {}
    for peer in pair.both:
        mine, theirs = hsmds[peer.name], hsmds[pair.other(peer).name]
        mine.master(hw.HsmdAssignChannel(link_id=WORKER, peer_id=theirs.hsm.node.node_id, dbid=1))
        reply = mine.master(hw.HsmdGetBasepoints(peer_id=theirs.hsm.node.node_id, dbid=1))
        assert isinstance(reply, hw.HsmdGetBasepointsReply)
        points[peer.name] = reply.basepoints
    for peer in pair.both:
        other = pair.other(peer).name
        row = peer.master.row
        static = replace(
            row.channel,
            peer_id=hsmds[other].hsm.node.node_id,
            local_basepoints=points[peer.name],
            remote_basepoints=points[other],
        )
        hsmds[peer.name].master(hw.HsmdSetupChannel(channel=static))
        peer.master.row = replace(
            row,
            channel=static,
            remote_current_point=point(hsmds[other], 0),
            remote_next_point=point(hsmds[other], 1),
        )
        peer.hsmd = hsmds[peer.name]
        peer.start()
    return pair


@pytest.mark.parametrize("channel_type", [ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE])
def test_payments_feerate_crash_and_reconnect(channel_type: ChannelType) -> None:
    pair = open_pair(channel_type)
    pair.connect(fresh=True)
    for msat in (10_000_000, 1, 353_000, 20_000_000):
        pair.offer(pair.alice, msat)
        pair.offer(pair.bob, msat)
    pair.settle()
    fee = cw.ChanneldFeerates(
        dbid=1, feerate_perkw=2000, feerate_min_perkw=253, feerate_max_perkw=9999
    )
    pair.say(pair.alice, fee)
    pair.deliver_one(pair.alice)
    pair.crash(pair.bob)
    pair.connect()
    pair.settle()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.resolve(pair.alice, 0, "malformed")
    pair.resolve(pair.alice, 1, "fail")
    pair.deliver_one(pair.bob)
    pair.deliver_one(pair.bob)
    pair.cut()
    pair.connect()
    pair.settle()
    pair.check()
    pair.check_at_rest()
    assert pair.alice.master.outcomes[True, 0]
    assert not pair.bob.master.outcomes[True, 1]
    assert [f.feerate_perkw for f in pair.bob.master.row.fees] == [2000]
