"""Two nodes with one channel between them, as values, for tests of signatures."""

from __future__ import annotations

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.common.wire.common_wire import (
    ChannelConfig,
    ChannelStatic,
    CommitmentContent,
    CommitmentHtlc,
)
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.enforcement import Enforcement
from pylightningd.hsmd.machine import Hsm

FUNDING = Outpoint(Txid(b"f" * 32), 1)
AMOUNT = Sat(1_000_000)
CONFIG = ChannelConfig(
    dust_limit=Sat(546),
    max_htlc_value_in_flight=Msat(10**9),
    channel_reserve=Sat(10_000),
    htlc_minimum=Msat(0),
    to_self_delay=6,
    max_accepted_htlcs=483,
)


def node(seed: int) -> NodeSecrets:
    return NodeSecrets(bytes(31) + bytes((seed,)), is_test_network=True)


ALICE, BOB = node(1), node(2)


def static(us: NodeSecrets, them: NodeSecrets, dbid: int, *, anchors: bool = True) -> ChannelStatic:
    kind = ANCHORS_TYPE if anchors else STATIC_REMOTEKEY_TYPE
    return ChannelStatic(
        dbid=dbid,
        peer_id=them.node_id,
        channel_id=FUNDING.channel_id(),
        funding=FUNDING,
        funding_amount=AMOUNT,
        we_are_opener=us is ALICE,
        channel_type=kind.encode(),
        local_config=CONFIG,
        remote_config=CONFIG,
        local_basepoints=us.channel(them.node_id, dbid).points,
        remote_basepoints=them.channel(us.node_id, dbid).points,
    )


def content(number: int = 0, htlcs: int = 2) -> CommitmentContent:
    """From the view of the side whose commitment it is."""
    return CommitmentContent(
        number=number,
        feerate_perkw=1000,
        to_local=Msat(400_000_000),
        to_remote=Msat(500_000_000),
        htlcs=tuple(
            CommitmentHtlc(
                id=n,
                offered=bool(n & 1),
                amount=Msat(10_000_000 + n),
                payment_hash=bytes((n,)) * 32,
                cltv_expiry=500 + n,
            )
            for n in range(htlcs)
        ),
    )


def hsm(us: NodeSecrets, them: NodeSecrets, *, dbid: int = 1, anchors: bool = True) -> Hsm:
    """An initialised machine with the channel set up; link 7 belongs to a worker that may do commitments."""
    machine = Hsm(us, REGTEST, Enforcement())
    machine.handle(0, w.HsmdSetupChannel(channel=static(us, them, dbid, anchors=anchors)))
    machine.add_link(7, 2)
    machine.handle(0, w.HsmdAssignChannel(link_id=7, peer_id=them.node_id, dbid=dbid))
    return machine
