"""Our side of an opening with `open_channel2` that we asked for (BOLT 2, "Channel Establishment v2")."""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.amount import Sat
from pylightningd.common.channel.v2_id import v2_temporary_channel_id
from pylightningd.common.channel_type import ChannelType, default_channel_type
from pylightningd.common.effects import Log, SendPeer, Step
from pylightningd.common.errors import FailChannel
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire.openingd_wire import OpeningdOpen2
from pylightningd.common.wire.peer_wire import AcceptChannel2, OpenChannel2, OpeningTlvs
from pylightningd.openingd import params, v2_building, v2_params
from pylightningd.openingd.acceptance import check_type, type_and_depth
from pylightningd.openingd.state import Fresh, Offered2, Opening, Terms
from pylightningd.openingd.v1_opener import ANNOUNCE_CHANNEL


def temporary_id_of(request: OpeningdOpen2) -> ChannelId:
    """The channel_id until accept_channel2 is here."""
    return v2_temporary_channel_id(request.basepoints.revocation)


def begin(opening: Opening, _phase: Fresh, request: OpeningdOpen2) -> Step[None]:
    """Send open_channel2, unless we would not accept it ourselves."""
    channel_type = _channel_type(opening, request)
    try:
        _check_own(opening, request, channel_type)
    except params.BadParameters as err:
        text = f"Not opening because if they used the same setting as us {err.reason}"
        yield from opening.give_up(text)
        return
    opening.phase = Offered2(request, channel_type)
    yield SendPeer(_open_channel(opening, request, channel_type))


def _channel_type(opening: Opening, request: OpeningdOpen2) -> ChannelType:
    """What the master wants (empty: our choice); unannounced with scid_alias where both sides can."""
    ours, theirs = opening.node.features, opening.their_features
    channel_type = (
        ChannelType.decode(request.channel_type)
        if request.channel_type
        else default_channel_type(ours, theirs)
    )
    if request.announce:
        return ChannelType(channel_type.bits - {ft.SCID_ALIAS})
    if ft.negotiated(ours, theirs, ft.SCID_ALIAS):
        return channel_type.with_variant(scid_alias=True)
    return channel_type


def _check_own(opening: Opening, request: OpeningdOpen2, channel_type: ChannelType) -> None:
    """As if the peer added nothing and had our limits."""
    ours, theirs = opening.node.features, opening.their_features
    amount, limits = request.ours.funding_amount, request.limits
    params.check_funding_amount(amount, ours, theirs)
    v2_params.check_funding_feerate(request.funding_feerate_perkw, limits)
    reserve = v2_params.reserve_of(amount, limits.local_config.dust_limit)
    config = v2_params.with_reserve(limits.local_config, reserve)
    v2_params.check_channel(
        amount, Sat(0), request.commitment_feerate_perkw, config, config, limits, channel_type
    )


def _open_channel(
    opening: Opening, request: OpeningdOpen2, channel_type: ChannelType
) -> OpenChannel2:
    points, config = request.basepoints, request.limits.local_config
    return OpenChannel2(
        chain_hash=opening.node.network.chain_hash,
        temporary_channel_id=temporary_id_of(request),
        funding_feerate_perkw=request.funding_feerate_perkw,
        commitment_feerate_perkw=request.commitment_feerate_perkw,
        funding_satoshis=request.ours.funding_amount,
        dust_limit_satoshis=config.dust_limit,
        max_htlc_value_in_flight_msat=config.max_htlc_value_in_flight.msat,
        htlc_minimum_msat=config.htlc_minimum.msat,
        to_self_delay=config.to_self_delay,
        max_accepted_htlcs=config.max_accepted_htlcs,
        locktime=request.locktime,
        funding_pubkey=points.funding_pubkey,
        revocation_basepoint=points.revocation,
        payment_basepoint=points.payment,
        delayed_payment_basepoint=points.delayed_payment,
        htlc_basepoint=points.htlc,
        first_per_commitment_point=request.first_per_commitment_point,
        second_per_commitment_point=request.second_per_commitment_point,
        channel_flags=ANNOUNCE_CHANNEL if request.announce else 0,
        # BOLT 2, "The `open_channel2` Message", sender MUST set channel_type.
        tlvs=OpeningTlvs(
            upfront_shutdown_script=request.upfront_shutdown_script,
            channel_type=channel_type.encode(),
            require_confirmed_inputs=True if request.require_confirmed_inputs else None,
        ),
    )


def on_accept_channel2(opening: Opening, phase: Offered2, msg: AcceptChannel2) -> Step[None]:
    """The peer's terms. Where they are good the construction begins, with our word."""
    request = phase.request
    terms = _accepted_terms(opening, phase, msg)
    confirmed = bool(msg.tlvs.require_confirmed_inputs)
    v2_params.check_confirmed(confirmed, request.ours.inputs_confirmed)
    building = v2_building.start(
        terms,
        request.ours,
        feerate_perkw=request.funding_feerate_perkw,
        locktime=request.locktime,
        sign_first_on_tie=request.sign_first_on_tie,
    )
    opening.phase = building
    yield Log("debug", f"accept_channel2: funding={msg.funding_satoshis}")
    yield from v2_building.announce_terms(opening, building, confirmed=confirmed)
    yield from v2_building.our_turn(opening, building)


def _accepted_terms(opening: Opening, phase: Offered2, msg: AcceptChannel2) -> Terms:
    request, limits = phase.request, phase.request.limits
    # BOLT 2, "The `accept_channel2` Message", sender MUST use the temporary_channel_id of open_channel2.
    temporary_id = temporary_id_of(request)
    if msg.temporary_channel_id != temporary_id:
        raise FailChannel(
            f"accept_channel2 ids don't match: sent {temporary_id.hex()} "
            f"got {msg.temporary_channel_id.hex()}"
        )
    upfront = msg.tlvs.upfront_shutdown_script or b""
    params.check_upfront_script(upfront, opening.node.features, opening.their_features)
    check_type(phase.channel_type, msg)
    total = v2_params.total_of(request.ours.funding_amount, msg.funding_satoshis)
    params.check_funding_amount(total, opening.node.features, opening.their_features)
    reserve = v2_params.reserve_of(total, limits.local_config.dust_limit)
    points, remote = v2_params.basepoints_of(msg), v2_params.config_of(msg, reserve)
    local = v2_params.with_reserve(limits.local_config, reserve)
    v2_params.check_channel(
        total,
        msg.funding_satoshis,
        request.commitment_feerate_perkw,
        remote,
        local,
        limits,
        phase.channel_type,
    )
    channel_type, minimum_depth = type_and_depth(opening, phase, msg)
    return Terms(
        we_are_opener=True,
        temporary_channel_id=temporary_id,
        funding_amount=total,
        push=msg.funding_satoshis.to_msat(),
        feerate_perkw=request.commitment_feerate_perkw,
        announce=request.announce,
        channel_type=channel_type,
        minimum_depth=minimum_depth,
        local_config=local,
        remote_config=remote,
        local_basepoints=request.basepoints,
        remote_basepoints=points,
        local_point=request.first_per_commitment_point,
        remote_point=msg.first_per_commitment_point,
        local_upfront_script=request.upfront_shutdown_script,
        remote_upfront_script=upfront,
    )
