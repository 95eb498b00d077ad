"""Our side of an opening with `open_channel2` that the peer asked for (BOLT 2, "Channel Establishment v2")."""

from __future__ import annotations

from pylightningd.common.channel_type import ChannelType, is_acceptable
from pylightningd.common.effects import SendPeer, Step
from pylightningd.common.errors import FailChannel, WireError
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire.openingd_wire import OpeningdGotOpen2
from pylightningd.common.wire.peer_wire import AcceptChannel2, AcceptTlvs, OpenChannel2
from pylightningd.openingd import params, v1_accepter, v2_building, v2_params
from pylightningd.openingd.state import Fresh, Opening, Terms
from pylightningd.openingd.v1_opener import ANNOUNCE_CHANNEL


def temporary_id_of(raw: bytes) -> ChannelId:
    """temporary_channel_id of an encoded open_channel2 (as in open_channel), even where the rest is broken."""
    return v1_accepter.temporary_id_of(raw)


def begin(opening: Opening, _phase: Fresh, request: OpeningdGotOpen2) -> Step[None]:
    """Look at open_channel2 and answer it; the first word of the construction is the peer's."""
    try:
        msg = OpenChannel2.decode(request.msg)
    except WireError as err:
        raise FailChannel(f"Parsing open_channel2: {err}") from err
    terms = _terms(opening, request, msg)
    confirmed = bool(msg.tlvs.require_confirmed_inputs)
    v2_params.check_confirmed(confirmed, request.ours.inputs_confirmed)
    building = v2_building.start(
        terms,
        request.ours,
        feerate_perkw=msg.funding_feerate_perkw,
        locktime=msg.locktime,
        sign_first_on_tie=request.sign_first_on_tie,
    )
    opening.phase = building
    # The lasting name first: the peer uses it as soon as it has accept_channel2.
    yield from v2_building.announce_terms(opening, building, confirmed=confirmed)
    yield SendPeer(_accept_channel(terms, request))


def _terms(opening: Opening, request: OpeningdGotOpen2, msg: OpenChannel2) -> Terms:
    ours, theirs, limits = opening.node.features, opening.their_features, request.limits
    upfront = msg.tlvs.upfront_shutdown_script or b""
    params.check_upfront_script(upfront, ours, theirs)
    announce = bool(msg.channel_flags & ANNOUNCE_CHANNEL)
    channel_type = _suitable_type(opening, msg, announce=announce)
    if msg.chain_hash != opening.node.network.chain_hash:
        raise params.BadParameters(f"Unknown chain-hash {msg.chain_hash[::-1].hex()}")
    total = v2_params.total_of(request.ours.funding_amount, msg.funding_satoshis)
    params.check_funding_amount(total, ours, theirs)
    params.check_feerate(msg.commitment_feerate_perkw, limits)
    v2_params.check_funding_feerate(msg.funding_feerate_perkw, limits)
    reserve = v2_params.reserve_of(total, msg.dust_limit_satoshis)
    points, remote = v2_params.basepoints_of(msg), v2_params.config_of(msg, reserve)
    local = v2_params.with_reserve(limits.local_config, reserve)
    our_funding, feerate = request.ours.funding_amount, msg.commitment_feerate_perkw
    v2_params.check_channel(total, our_funding, feerate, remote, local, limits, channel_type)
    params.check_zeroconf(channel_type, limits.minimum_depth)
    return Terms(
        we_are_opener=False,
        temporary_channel_id=msg.temporary_channel_id,
        funding_amount=total,
        push=our_funding.to_msat(),
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


def _suitable_type(opening: Opening, msg: OpenChannel2, *, announce: bool) -> ChannelType:
    # BOLT 2, "The `open_channel2` Message", receiver MUST fail without channel_type; otherwise as open_channel.
    if msg.tlvs.channel_type is None:
        raise params.BadParameters("Did not set channel_type in open_channel2 message")
    channel_type = ChannelType.decode(msg.tlvs.channel_type)
    if not is_acceptable(channel_type, opening.node.features):
        names = ",".join(channel_type.names())
        raise params.BadParameters(f"Did not support channel_type [{names}]")
    if announce and channel_type.has_scid_alias:
        raise params.BadParameters("channel_type with scid_alias for a channel to be announced")
    return channel_type


def _accept_channel(terms: Terms, request: OpeningdGotOpen2) -> AcceptChannel2:
    config, points = terms.local_config, terms.local_basepoints
    return AcceptChannel2(
        temporary_channel_id=terms.temporary_channel_id,
        funding_satoshis=request.ours.funding_amount,
        dust_limit_satoshis=config.dust_limit,
        max_htlc_value_in_flight_msat=config.max_htlc_value_in_flight.msat,
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
        second_per_commitment_point=request.second_per_commitment_point,
        # BOLT 2, "The `accept_channel2` Message", sender MUST set channel_type to that of open_channel2.
        tlvs=AcceptTlvs(
            upfront_shutdown_script=terms.local_upfront_script,
            channel_type=terms.channel_type.encode(),
            require_confirmed_inputs=True if request.require_confirmed_inputs else None,
        ),
    )
