"""Alice opens to Bob: keys, a toy hsmd that signs with them, and a master that always agrees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pylightningd.common import features as ft
from pylightningd.common.amount import MAX_MSAT, Msat, Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.closing_tx import closing_sighash
from pylightningd.common.channel.from_wire import commitment_from_wire
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel_type import ANCHORS_TYPE, ChannelType
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, Txid
from pylightningd.common.keys import pubkey_from_secret, sign_compact
from pylightningd.common.network import REGTEST
from pylightningd.common.wire.closingd_wire import ClosingdGotSignature, ClosingdGotSignatureReply
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.common.wire.hsmd_wire import (
    HsmdSetupChannel,
    HsmdSetupChannelReply,
    HsmdSignMutualClose,
    HsmdSignMutualCloseReply,
    HsmdSignRemoteCommitment,
    HsmdSignRemoteCommitmentReply,
)
from pylightningd.common.wire.openingd_wire import (
    OpeningdDone,
    OpeningdDoneReply,
    OpeningdGotOpen,
    OpeningdOpen,
    OpeningLimits,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.machine import OpeningMachine
from pylightningd.openingd.state import Node
from tests.openingd.player import Player

FEATURES = ft.encode_features(
    [
        ft.DATA_LOSS_PROTECT,
        ft.UPFRONT_SHUTDOWN_SCRIPT + 1,
        ft.STATIC_REMOTEKEY,
        ft.ANCHORS_ZERO_FEE_HTLC + 1,
        ft.SHUTDOWN_ANYSEGWIT + 1,
        ft.CHANNEL_TYPE + 1,
        ft.SCID_ALIAS + 1,
    ]
)
TEMPORARY_ID = ChannelId(b"t" * 32)
FUNDING = Outpoint(Txid(b"\x77" * 32), 1)
FUNDING_AMOUNT = Sat(1_000_000)
PUSH = Msat(100_000_000)
UPFRONT = b"\x00\x14" + b"u" * 20


@dataclass
class Keys:
    """Secrets of one side."""

    seed: int
    channel: ChannelStatic | None = None
    asked: list[Message] = field(default_factory=list)

    def secret(self, n: int) -> bytes:
        return bytes((self.seed,)) * 31 + bytes((n + 1,))

    def point(self, n: int) -> bytes:
        return pubkey_from_secret(self.secret(n))

    @property
    def basepoints(self) -> Basepoints:
        return Basepoints(
            funding_pubkey=self.point(0),
            revocation=self.point(1),
            payment=self.point(2),
            delayed_payment=self.point(3),
            htlc=self.point(4),
        )

    @property
    def first_point(self) -> bytes:
        return self.point(5)

    def answer(self, request: Message) -> Message:
        """As hsmd, or as a master to whom everything is right."""
        self.asked.append(request)
        if isinstance(request, HsmdSetupChannel):
            self.channel = request.channel
            return HsmdSetupChannelReply()
        if isinstance(request, HsmdSignRemoteCommitment):
            return HsmdSignRemoteCommitmentReply(
                signature=self.sign_remote(request), htlc_signatures=()
            )
        if isinstance(request, HsmdSignMutualClose):
            return HsmdSignMutualCloseReply(signature=self.sign_close(Tx.parse(request.tx)))
        if isinstance(request, ClosingdGotSignature):
            return ClosingdGotSignatureReply()
        assert isinstance(request, OpeningdDone)
        return OpeningdDoneReply()

    def sign_remote(self, request: HsmdSignRemoteCommitment) -> bytes:
        assert self.channel is not None
        assert self.channel.dbid == request.dbid
        point = request.remote_per_commitment_point
        commitment = commitment_from_wire(self.channel, Side.REMOTE, point, request.content)
        return sign_compact(self.secret(0), commitment.sighash())

    def sign_close(self, tx: Tx) -> bytes:
        assert self.channel is not None
        digest = closing_sighash(
            tx,
            self.channel.local_basepoints.funding_pubkey,
            self.channel.remote_basepoints.funding_pubkey,
            self.channel.funding_amount,
        )
        return sign_compact(self.secret(0), digest)


ALICE, BOB = 1, 2
NODE_IDS = {n: NodeId(pubkey_from_secret(bytes((0x20 + n,)) * 32)) for n in (ALICE, BOB)}


def config(**changes: Any) -> ChannelConfig:
    values: dict[str, Any] = {
        "dust_limit": Sat(546),
        "max_htlc_value_in_flight": Msat(MAX_MSAT),
        "channel_reserve": Sat(0),
        "htlc_minimum": Msat(0),
        "to_self_delay": 5,
        "max_accepted_htlcs": 483,
    }
    return ChannelConfig(**(values | changes))


def limits(local: ChannelConfig | None = None, **changes: Any) -> OpeningLimits:
    values: dict[str, Any] = {
        "local_config": local or config(),
        "max_to_self_delay": 2016,
        "min_effective_htlc_capacity": Msat(10_000_000),
        "feerate_min_perkw": 253,
        "feerate_max_perkw": 75_000,
        "minimum_depth": 3,
        "allow_dust_reserve": False,
    }
    return OpeningLimits(**(values | changes))


def open_request(**changes: Any) -> OpeningdOpen:
    """What Alice's master asks for."""
    keys = Keys(ALICE)
    values: dict[str, Any] = {
        "dbid": 7,
        "route_id": 70,
        "peer_id": NODE_IDS[BOB],
        "temporary_channel_id": TEMPORARY_ID,
        "their_features": FEATURES,
        "limits": limits(),
        "basepoints": keys.basepoints,
        "first_per_commitment_point": keys.first_point,
        "funding_amount": FUNDING_AMOUNT,
        "push": PUSH,
        "feerate_perkw": 2500,
        "announce": True,
        "channel_type": ANCHORS_TYPE.encode(),
        "upfront_shutdown_script": UPFRONT,
    }
    return OpeningdOpen(**(values | changes))


def got_open(msg: bytes, **changes: Any) -> OpeningdGotOpen:
    """What Bob's master passes on."""
    keys = Keys(BOB)
    values: dict[str, Any] = {
        "dbid": 8,
        "route_id": 80,
        "peer_id": NODE_IDS[ALICE],
        "their_features": FEATURES,
        "limits": limits(),
        "basepoints": keys.basepoints,
        "first_per_commitment_point": keys.first_point,
        "upfront_shutdown_script": b"",
        "msg": msg,
    }
    return OpeningdGotOpen(**(values | changes))


def opener(features: bytes = FEATURES, **changes: Any) -> Player:
    """Alice, who has sent open_channel if she could."""
    request = open_request(**changes)
    player = Player(OpeningMachine(Node(REGTEST, features), request), Keys(ALICE).answer)
    player.master(request)
    return player


def accepter(
    msg: bytes, features: bytes = FEATURES, *, any_channel_type: bool = False, **changes: Any
) -> Player:
    """Bob, who has answered open_channel."""
    request = got_open(msg, **changes)
    node = Node(REGTEST, features, any_channel_type)
    player = Player(OpeningMachine(node, request), Keys(BOB).answer)
    player.master(request)
    return player


def channel(owner: int, we_are_opener: bool = True, **changes: Any) -> ChannelStatic:
    """A channel of Alice and Bob that is open, as one of them sees it."""
    other = BOB if owner == ALICE else ALICE
    values: dict[str, Any] = {
        "dbid": 10 + owner,
        "peer_id": NODE_IDS[other],
        "channel_id": FUNDING.channel_id(),
        "funding": FUNDING,
        "funding_amount": FUNDING_AMOUNT,
        "we_are_opener": we_are_opener,
        "channel_type": ChannelType(ANCHORS_TYPE.bits).encode(),
        "local_config": config(channel_reserve=Sat(10_000)),
        "remote_config": config(channel_reserve=Sat(10_000)),
        "local_basepoints": Keys(owner).basepoints,
        "remote_basepoints": Keys(other).basepoints,
    }
    return ChannelStatic(**(values | changes))
