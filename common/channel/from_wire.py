"""From the private messages' types to what `make_commitment` takes, and back.

hsmd, channeld and onchaind all are told of a channel as `ChannelStatic` and of a commitment as
`CommitmentContent`; which side's figure goes where is decided here, once.

`owner` is whose commitment is meant, from our view: LOCAL is ours, REMOTE our peer's.
"""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import (
    CommitmentParams,
    CommitmentTx,
    make_commitment,
)
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side, last_add_state
from pylightningd.common.channel.keyset import (
    Basepoints,
    Keyset,
    derive_keyset,
    obscuring_factor,
)
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.wire import common_wire as wire


def basepoints(points: wire.Basepoints) -> Basepoints:
    """Without the funding key."""
    return Basepoints(
        revocation=points.revocation,
        payment=points.payment,
        htlc=points.htlc,
        delayed_payment=points.delayed_payment,
    )


def commitment_params(channel: wire.ChannelStatic, owner: Side) -> CommitmentParams:
    """What stays the same in all commitments of `owner`."""
    owner_is_local = owner is Side.LOCAL
    owner_config, other_config = channel.local_config, channel.remote_config
    owner_points, other_points = channel.local_basepoints, channel.remote_basepoints
    opener, accepter = owner_points, other_points
    if not owner_is_local:
        owner_config, other_config = other_config, owner_config
        owner_points, other_points = other_points, owner_points
    if not channel.we_are_opener:
        opener, accepter = accepter, opener
    channel_type = ChannelType.decode(channel.channel_type)
    return CommitmentParams(
        funding=channel.funding,
        funding_amount=channel.funding_amount,
        owner_funding_key=owner_points.funding_pubkey,
        other_funding_key=other_points.funding_pubkey,
        owner_is_opener=channel.we_are_opener is owner_is_local,
        # BOLT 2, "The `open_channel` Message": to_self_delay is what its sender demands of the other.
        to_self_delay=other_config.to_self_delay,
        dust_limit=owner_config.dust_limit,
        anchors=ft.ANCHORS_ZERO_FEE_HTLC in channel_type.bits,
        obscuring_factor=obscuring_factor(opener.payment, accepter.payment),
    )


def commitment_keyset(channel: wire.ChannelStatic, owner: Side, commitment_point: bytes) -> Keyset:
    """Keys of the commitment of `owner` that has this per-commitment point."""
    local, remote = basepoints(channel.local_basepoints), basepoints(channel.remote_basepoints)
    if owner is Side.LOCAL:
        return derive_keyset(commitment_point, local, remote)
    return derive_keyset(commitment_point, remote, local)


def spec_from_content(content: wire.CommitmentContent, owner: Side) -> CommitmentSpec:
    """The spec of a commitment of `owner`; its HTLCs count as settled in both commitments."""
    htlcs = []
    for htlc in content.htlcs:
        offerer = owner if htlc.offered else owner.other
        htlcs.append(
            Htlc(
                id=htlc.id,
                offerer=offerer,
                amount=htlc.amount,
                payment_hash=htlc.payment_hash,
                cltv_expiry=htlc.cltv_expiry,
                state=last_add_state(offerer),
            )
        )
    return CommitmentSpec(
        owner, content.feerate_perkw, content.to_local, content.to_remote, tuple(htlcs)
    )


def content_from_spec(spec: CommitmentSpec, number: int) -> wire.CommitmentContent:
    """What to tell hsmd of a commitment."""
    return wire.CommitmentContent(
        number=number,
        feerate_perkw=spec.feerate_perkw,
        to_local=spec.to_owner,
        to_remote=spec.to_other,
        htlcs=tuple(
            wire.CommitmentHtlc(
                id=h.id,
                offered=h.offerer is spec.owner,
                amount=h.amount,
                payment_hash=h.payment_hash,
                cltv_expiry=h.cltv_expiry,
            )
            for h in spec.htlcs
        ),
    )


def commitment_from_wire(
    channel: wire.ChannelStatic,
    owner: Side,
    commitment_point: bytes,
    content: wire.CommitmentContent,
) -> CommitmentTx:
    """The whole commitment in one call."""
    return make_commitment(
        commitment_params(channel, owner),
        commitment_keyset(channel, owner, commitment_point),
        content.number,
        spec_from_content(content, owner),
    )
