"""Our side of an opening that we asked for (BOLT 2, "Channel Establishment v1").

open_channel, accept_channel, then the master makes the funding transaction, funding_created,
funding_signed, and the master writes the channel down and broadcasts.
"""

from __future__ import annotations

from dataclasses import replace

from pylightningd.common import features as ft
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.channel_type import ChannelType, default_channel_type
from pylightningd.common.effects import AliasRoute, Log, SendPeer, Step, Tell
from pylightningd.common.errors import FailChannel
from pylightningd.common.wire.common_wire import ChannelConfig
from pylightningd.common.wire.openingd_wire import OpeningdAccepted, OpeningdFunding, OpeningdOpen
from pylightningd.common.wire.peer_wire import (
    AcceptChannel,
    FundingCreated,
    FundingSigned,
    OpenChannel,
    OpenChannelTlvs,
)
from pylightningd.openingd import funding as fd
from pylightningd.openingd import params
from pylightningd.openingd.acceptance import check_type, type_and_depth
from pylightningd.openingd.state import Accepted, Created, Finished, Fresh, Offered, Opening, Terms

ANNOUNCE_CHANNEL = 1


def begin(opening: Opening, _phase: Fresh, request: OpeningdOpen) -> Step[None]:
    """Send open_channel, unless we would not accept it ourselves."""
    config = _our_config(request)
    channel_type = _channel_type(opening, request)
    try:
        _check_own(opening, request, config, channel_type)
    except params.BadParameters as err:
        text = f"Not opening because if they used the same setting as us {err.reason}"
        yield from opening.give_up(text)
        return
    opening.phase = Offered(request, config, channel_type)
    yield Log("debug", f"Setting their reserve to {config.channel_reserve}")
    yield SendPeer(_open_channel(opening, request, config, channel_type))


def _our_config(request: OpeningdOpen) -> ChannelConfig:
    config = request.limits.local_config
    # BOLT 2, "The `open_channel` Message", sender MUST set channel_reserve_satoshis to at least
    # dust_limit_satoshis.
    reserve = params.our_reserve(
        request.wanted_reserve,
        request.funding_amount,
        (config.dust_limit,),
        allow_dust=request.limits.allow_dust_reserve,
    )
    return replace(config, channel_reserve=reserve)


def _channel_type(opening: Opening, request: OpeningdOpen) -> ChannelType:
    """What the master wants (empty: our choice); unannounced with scid_alias where both sides can."""
    ours, theirs = opening.node.features, opening.their_features
    channel_type = (
        ChannelType.decode(request.channel_type)
        if request.channel_type
        else default_channel_type(ours, theirs)
    )
    # BOLT 2, "The `open_channel` Message", sender MUST NOT ask for option_scid_alias where it announces.
    if request.announce:
        return ChannelType(channel_type.bits - {ft.SCID_ALIAS})
    if ft.negotiated(ours, theirs, ft.SCID_ALIAS):
        return channel_type.with_variant(scid_alias=True)
    return channel_type


def _check_own(
    opening: Opening, request: OpeningdOpen, config: ChannelConfig, channel_type: ChannelType
) -> None:
    """The rules that bind us as sender, and those the peer will hold against us."""
    anchors = channel_type.has_anchors
    ours, theirs = opening.node.features, opening.their_features
    params.check_funding_amount(request.funding_amount, ours, theirs)
    params.check_push(request.push, request.funding_amount)
    params.check_bounds(
        request.funding_amount,
        request.feerate_perkw,
        config,
        config,
        request.limits,
        anchors=anchors,
    )
    params.check_first_balances(
        request.funding_amount,
        request.push,
        request.feerate_perkw,
        config,
        config,
        anchors=anchors,
    )


def _open_channel(
    opening: Opening, request: OpeningdOpen, config: ChannelConfig, channel_type: ChannelType
) -> OpenChannel:
    points = request.basepoints
    return OpenChannel(
        chain_hash=opening.node.network.chain_hash,
        temporary_channel_id=request.temporary_channel_id,
        funding_satoshis=request.funding_amount,
        push_msat=request.push,
        dust_limit_satoshis=config.dust_limit,
        max_htlc_value_in_flight_msat=config.max_htlc_value_in_flight.msat,
        channel_reserve_satoshis=config.channel_reserve,
        htlc_minimum_msat=config.htlc_minimum.msat,
        feerate_per_kw=request.feerate_perkw,
        to_self_delay=config.to_self_delay,
        max_accepted_htlcs=config.max_accepted_htlcs,
        funding_pubkey=points.funding_pubkey,
        revocation_basepoint=points.revocation,
        payment_basepoint=points.payment,
        delayed_payment_basepoint=points.delayed_payment,
        htlc_basepoint=points.htlc,
        first_per_commitment_point=request.first_per_commitment_point,
        channel_flags=ANNOUNCE_CHANNEL if request.announce else 0,
        # BOLT 2, "The `open_channel` Message", sender MUST set channel_type, and with any TLV also
        # upfront_shutdown_script, which may be empty.
        tlvs=OpenChannelTlvs(
            upfront_shutdown_script=request.upfront_shutdown_script,
            channel_type=channel_type.encode(),
        ),
    )


def on_accept_channel(opening: Opening, phase: Offered, msg: AcceptChannel) -> Step[None]:
    """The peer's terms. Where they are good the master is to make the funding transaction."""
    terms = _accepted_terms(opening, phase, msg)
    yield Log(
        "debug",
        f"accept_channel: max_htlc_value_in_flight={msg.max_htlc_value_in_flight_msat}msat, "
        f"channel_reserve={msg.channel_reserve_satoshis}, "
        f"htlc_minimum={msg.htlc_minimum_msat}msat, minimum_depth={msg.minimum_depth}",
    )
    opening.phase = Accepted(terms)
    script = sc.p2wsh(
        sc.funding_script(
            terms.local_basepoints.funding_pubkey, terms.remote_basepoints.funding_pubkey
        )
    )
    yield Tell(
        "master",
        OpeningdAccepted(
            dbid=opening.dbid,
            funding_scriptpubkey=script,
            channel_type=terms.channel_type.encode(),
            minimum_depth=terms.minimum_depth,
        ),
    )


def _accepted_terms(opening: Opening, phase: Offered, msg: AcceptChannel) -> Terms:
    request = phase.request
    # BOLT 2, "The `accept_channel` Message": temporary_channel_id is that of open_channel.
    if msg.temporary_channel_id != request.temporary_channel_id:
        raise FailChannel(
            f"accept_channel ids don't match: sent {request.temporary_channel_id.hex()} "
            f"got {msg.temporary_channel_id.hex()}"
        )
    upfront = msg.tlvs.upfront_shutdown_script or b""
    params.check_upfront_script(upfront, opening.node.features, opening.their_features)
    check_type(phase.channel_type, msg)
    remote_points, remote = params.basepoints_of(msg), params.config_of(msg)
    local, limits = phase.local_config, request.limits
    anchors = phase.channel_type.has_anchors
    params.check_dust_and_reserves(remote, local, allow_dust_reserve=limits.allow_dust_reserve)
    params.check_bounds(
        request.funding_amount, request.feerate_perkw, remote, local, limits, anchors=anchors
    )
    params.check_first_balances(
        request.funding_amount, request.push, request.feerate_perkw, remote, local, anchors=anchors
    )
    channel_type, minimum_depth = type_and_depth(opening, phase, msg)
    return Terms(
        we_are_opener=True,
        temporary_channel_id=request.temporary_channel_id,
        funding_amount=request.funding_amount,
        push=request.push,
        feerate_perkw=request.feerate_perkw,
        announce=request.announce,
        channel_type=channel_type,
        minimum_depth=minimum_depth,
        local_config=local,
        remote_config=remote,
        local_basepoints=request.basepoints,
        remote_basepoints=remote_points,
        local_point=request.first_per_commitment_point,
        remote_point=msg.first_per_commitment_point,
        local_upfront_script=request.upfront_shutdown_script,
        remote_upfront_script=upfront,
    )


def on_funding(opening: Opening, phase: Accepted, msg: OpeningdFunding) -> Step[None]:
    """The outpoint is known: sign the peer's first commitment."""
    terms = phase.terms
    channel = fd.channel_static(opening, terms, msg.funding)
    commitment = fd.first_commitment(terms, channel)
    signature = yield from fd.sign_remote(terms, channel)
    opening.phase = Created(terms, channel, commitment)
    # From here on the peer may use either name; an error of ours goes by the one that lasts.
    opening.channel_id = channel.channel_id
    yield AliasRoute(channel.channel_id)
    yield SendPeer(
        FundingCreated(
            temporary_channel_id=terms.temporary_channel_id,
            funding_txid=msg.funding.txid,
            funding_output_index=msg.funding.index,
            signature=signature,
        )
    )


def on_funding_signed(opening: Opening, phase: Created, msg: FundingSigned) -> Step[None]:
    """The peer's signature of our first commitment: with it the money is safe to send."""
    # BOLT 2, "The `funding_signed` Message": its channel_id is made of the funding outpoint.
    if msg.channel_id != phase.channel.channel_id:
        raise FailChannel(
            f"funding_signed ids don't match: expected {phase.channel.channel_id.hex()} "
            f"got {msg.channel_id.hex()}"
        )
    # BOLT 2, "The `funding_signed` Message", recipient MUST NOT broadcast before it has this message
    # and it is valid: the master does so once `commit` has returned there.
    fd.verify_first_signature(phase.commitment, phase.terms, msg.signature)
    yield from fd.commit(opening, phase.terms, phase.channel, phase.commitment, msg.signature)
    opening.phase = Finished(opened=True)
