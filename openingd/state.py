"""Where an opening stands: one frozen value for each phase, with just what that phase knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel.commitment_tx import CommitmentTx
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.effects import Log, Step, Tell
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.interactive_tx.construction import Construction
from pylightningd.common.network import Network
from pylightningd.common.wire.common_wire import (
    Basepoints,
    ChannelConfig,
    ChannelStatic,
    JointOutput,
)
from pylightningd.common.wire.openingd_wire import OpeningdFailed, OpeningdOpen, OpeningdOpen2


@dataclass(frozen=True, slots=True)
class Node:
    """What is the same in all openings: our chain and our `init` features."""

    network: Network
    features: bytes
    any_channel_type: bool = False
    """For tests: accept any channel_type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that both sides have said in `open_channel` and `accept_channel`, or in those of version 2."""

    we_are_opener: bool
    temporary_channel_id: ChannelId
    funding_amount: Sat
    push: Msat
    """From opener to accepter; in version 2 what the accepter paid in itself."""
    feerate_perkw: int
    announce: bool
    channel_type: ChannelType
    minimum_depth: int
    local_config: ChannelConfig
    remote_config: ChannelConfig
    local_basepoints: Basepoints
    remote_basepoints: Basepoints
    local_point: bytes
    """Our per-commitment point 0."""
    remote_point: bytes
    local_upfront_script: bytes
    remote_upfront_script: bytes


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing was said yet."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Opener: open_channel is sent; accept_channel is to come."""

    request: OpeningdOpen
    local_config: ChannelConfig
    channel_type: ChannelType


@dataclass(frozen=True, slots=True)
class Accepted:
    """Opener: accept_channel is good; the master makes the funding transaction."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class Created:
    """Opener: funding_created is sent; funding_signed is to come."""

    terms: Terms
    channel: ChannelStatic
    commitment: CommitmentTx
    """Ours, number 0."""


@dataclass(frozen=True, slots=True)
class Invited:
    """Accepter: accept_channel is sent; funding_created is to come."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class Offered2:
    """Opener, version 2: open_channel2 is sent; accept_channel2 is to come."""

    request: OpeningdOpen2
    channel_type: ChannelType


@dataclass(frozen=True, slots=True)
class Building:
    """Both sides, version 2: inputs and outputs come and go. It is the peer's turn."""

    terms: Terms
    construction: Construction
    funding_output: JointOutput | None
    """The opener's to add."""
    consult: bool


@dataclass(frozen=True, slots=True)
class Consulting(Building):
    """The same, but our own master is to say whether this is what it wants."""


@dataclass(frozen=True, slots=True)
class Committing:
    """The master was asked to write the channel down; there is no way back."""


@dataclass(frozen=True, slots=True)
class Finished:
    """It is over; `opened` tells how."""

    opened: bool


Phase: TypeAlias = (
    Fresh
    | Offered
    | Accepted
    | Created
    | Invited
    | Offered2
    | Building
    | Consulting
    | Committing
    | Finished
)


@dataclass(slots=True, kw_only=True)
class Opening:
    """One opening: fixed facts, the name errors go by, and the phase."""

    node: Node
    dbid: int
    peer_id: NodeId
    their_features: bytes
    channel_id: ChannelId
    """The temporary one until the peer knows the outpoint."""
    phase: Phase = Fresh()

    def give_up(self, reason: str) -> Step[None]:
        """End it and tell the master why."""
        self.phase = Finished(opened=False)
        yield Log("debug", f"aborted opening negotiation: {reason}")
        yield Tell("master", OpeningdFailed(dbid=self.dbid, reason=reason))
