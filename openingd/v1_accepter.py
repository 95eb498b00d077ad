"""Our side of an opening that the peer asked for (BOLT 2, "Channel Establishment v1").

open_channel, accept_channel, funding_created; the master writes the channel down; funding_signed.
"""

from __future__ import annotations

from dataclasses import replace

from pylightningd.common import features as ft
from pylightningd.common.channel_type import ChannelType, is_acceptable
from pylightningd.common.effects import Log, SendPeer, Step
from pylightningd.common.errors import FailChannel, WireError
from pylightningd.common.ids import ChannelId, Outpoint
from pylightningd.common.wire.common_wire import ChannelConfig
from pylightningd.common.wire.openingd_wire import OpeningdGotOpen
from pylightningd.common.wire.peer_wire import (
    AcceptChannel,
    AcceptChannelTlvs,
    FundingCreated,
    FundingSigned,
    OpenChannel,
)
from pylightningd.openingd import funding as fd
from pylightningd.openingd import params
from pylightningd.openingd.state import Finished, Fresh, Invited, Opening, Terms
from pylightningd.openingd.v1_opener import ANNOUNCE_CHANNEL

_TEMPORARY_ID_AT = slice(34, 66)


def temporary_id_of(raw: bytes) -> ChannelId:
    """temporary_channel_id of an encoded open_channel, even where the rest is broken."""
    return ChannelId(raw[_TEMPORARY_ID_AT].ljust(32, b"\0"))


def begin(opening: Opening, _phase: Fresh, request: OpeningdGotOpen) -> Step[None]:
    """Look at open_channel and answer it."""
    try:
        msg = OpenChannel.decode(request.msg)
    except WireError as err:
        raise FailChannel(f"Parsing open_channel: {err}") from err
    terms = _terms(opening, request, msg)
    if not is_acceptable(terms.channel_type, opening.node.features):
        names = ",".join(terms.channel_type.names())
        yield Log("unusual", f"dev-any-channel-type: accepting {names}")
    opening.phase = Invited(terms)
    yield Log("debug", f"Setting their reserve to {terms.local_config.channel_reserve}")
    yield SendPeer(_accept_channel(terms))


def _terms(opening: Opening, request: OpeningdGotOpen, msg: OpenChannel) -> Terms:
    ours, theirs, limits = opening.node.features, opening.their_features, request.limits
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where option_dual_fund was negotiated.
    if ft.negotiated(ours, theirs, ft.DUAL_FUND):
        raise FailChannel("open_channel cannot be used: option_dual_fund was negotiated")
    upfront = msg.tlvs.upfront_shutdown_script or b""
    params.check_upfront_script(upfront, ours, theirs)
    announce = bool(msg.channel_flags & ANNOUNCE_CHANNEL)
    channel_type = _suitable_type(opening, msg, announce=announce)
    _check_chain(opening, msg)
    params.check_funding_amount(msg.funding_satoshis, ours, theirs)
    params.check_push(msg.push_msat, msg.funding_satoshis)
    params.check_feerate(msg.feerate_per_kw, limits)
    points, remote = params.basepoints_of(msg), params.config_of(msg)
    local = _our_config(request, msg)
    funding, feerate = msg.funding_satoshis, msg.feerate_per_kw
    anchors = channel_type.has_anchors
    params.check_dust_and_reserves(remote, local, allow_dust_reserve=limits.allow_dust_reserve)
    params.check_bounds(funding, feerate, remote, local, limits, anchors=anchors)
    params.check_first_balances(funding, msg.push_msat, feerate, remote, local, anchors=anchors)
    params.check_zeroconf(channel_type, limits.minimum_depth)
    return Terms(
        we_are_opener=False,
        temporary_channel_id=msg.temporary_channel_id,
        funding_amount=funding,
        push=msg.push_msat,
        feerate_perkw=feerate,
        announce=announce,
        channel_type=channel_type,
        minimum_depth=limits.minimum_depth,
        local_config=local,
        remote_config=remote,
        local_basepoints=request.basepoints,
        remote_basepoints=points,
        local_point=request.first_per_commitment_point,
        remote_point=msg.first_per_commitment_point,
        local_upfront_script=request.upfront_shutdown_script,
        remote_upfront_script=upfront,
    )


def _suitable_type(opening: Opening, msg: OpenChannel, *, announce: bool) -> ChannelType:
    # BOLT 2, "The `open_channel` Message", receiver MUST fail without channel_type, and where it is
    # not suitable.
    if msg.tlvs.channel_type is None:
        raise params.BadParameters("Did not set channel_type in open_channel message")
    channel_type = ChannelType.decode(msg.tlvs.channel_type)
    if not is_acceptable(channel_type, opening.node.features) and not opening.node.any_channel_type:
        names = ",".join(channel_type.names())
        raise params.BadParameters(f"Did not support channel_type [{names}]")
    # BOLT 2, "The `open_channel` Message": option_scid_alias is not for announced channels.
    if announce and channel_type.has_scid_alias:
        raise params.BadParameters("channel_type with scid_alias for a channel to be announced")
    return channel_type


def _check_chain(opening: Opening, msg: OpenChannel) -> None:
    # BOLT 2, "The `open_channel` Message", receiver MUST fail where it does not know the chain.
    if msg.chain_hash != opening.node.network.chain_hash:
        raise params.BadParameters(f"Unknown chain-hash {msg.chain_hash[::-1].hex()}")


def _our_config(request: OpeningdGotOpen, msg: OpenChannel) -> ChannelConfig:
    config = request.limits.local_config
    # BOLT 2, "The `accept_channel` Message", sender MUST set channel_reserve_satoshis to at least the
    # dust_limit_satoshis of open_channel.
    reserve = params.our_reserve(
        config.channel_reserve or None,
        msg.funding_satoshis,
        (config.dust_limit, msg.dust_limit_satoshis),
        allow_dust=request.limits.allow_dust_reserve,
    )
    return replace(config, channel_reserve=reserve)


def _accept_channel(terms: Terms) -> AcceptChannel:
    config, points = terms.local_config, terms.local_basepoints
    return AcceptChannel(
        temporary_channel_id=terms.temporary_channel_id,
        dust_limit_satoshis=config.dust_limit,
        max_htlc_value_in_flight_msat=config.max_htlc_value_in_flight.msat,
        channel_reserve_satoshis=config.channel_reserve,
        htlc_minimum_msat=config.htlc_minimum.msat,
        minimum_depth=terms.minimum_depth,
        to_self_delay=config.to_self_delay,
        max_accepted_htlcs=config.max_accepted_htlcs,
        funding_pubkey=points.funding_pubkey,
        revocation_basepoint=points.revocation,
        payment_basepoint=points.payment,
        delayed_payment_basepoint=points.delayed_payment,
        htlc_basepoint=points.htlc,
        first_per_commitment_point=terms.local_point,
        # BOLT 2, "The `accept_channel` Message", sender MUST set channel_type to that of open_channel.
        tlvs=AcceptChannelTlvs(
            upfront_shutdown_script=terms.local_upfront_script,
            channel_type=terms.channel_type.encode(),
        ),
    )


def on_funding_created(opening: Opening, phase: Invited, msg: FundingCreated) -> Step[None]:
    """The opener's outpoint and signature: write the channel down, then sign."""
    terms = phase.terms
    # BOLT 2, "The `funding_created` Message": temporary_channel_id is that of open_channel.
    if msg.temporary_channel_id != terms.temporary_channel_id:
        raise FailChannel(
            f"funding_created ids don't match: sent {terms.temporary_channel_id.hex()} "
            f"got {msg.temporary_channel_id.hex()}"
        )
    funding = Outpoint(msg.funding_txid, msg.funding_output_index)
    channel = fd.channel_static(opening, terms, funding)
    commitment = fd.first_commitment(terms, channel)
    fd.verify_first_signature(commitment, terms, msg.signature)
    signature = yield from fd.sign_remote(terms, channel)
    # The channel must be on disk before the opener may broadcast, which funding_signed allows it to.
    yield from fd.commit(opening, terms, channel, commitment, msg.signature)
    opening.phase = Finished(opened=True)
    yield SendPeer(FundingSigned(channel_id=channel.channel_id, signature=signature))
