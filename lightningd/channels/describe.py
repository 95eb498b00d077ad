"""Channels as JSON: what listpeerchannels, listclosedchannels and listhtlcs say."""

from __future__ import annotations

from typing import Any

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.dust import is_trimmed
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.ids import NodeId, ShortChannelId, Txid, txid_hex
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.inflight import Inflight
from pylightningd.lightningd.channels.registry import iso_time
from pylightningd.lightningd.channels.states import CLOSING
from pylightningd.lightningd.peers import Peer

Json = dict[str, Any]


def channel_direction(ours: NodeId, theirs: NodeId) -> int:
    """0 where our node id sorts first: the direction of what we send (BOLT 7)."""
    return 0 if ours < theirs else 1


def channel_type_json(channel: Channel) -> Json:
    """Feature bits of the channel type and their names."""
    kind = channel.channel_type
    return {"bits": sorted(kind.bits), "names": kind.names()}


def channel_json(channel: Channel, peer: Peer | None, our_id: NodeId) -> Json:
    """One entry of listpeerchannels."""
    result: Json = {
        "peer_id": channel.peer_id.hex(),
        "peer_connected": peer is not None and peer.connected,
        "channel_type": channel_type_json(channel),
        "updates": _updates(channel),
        "ignore_fee_limits": channel.ignore_fee_limits,
        "lost_state": channel.future_remote_point is not None,
        "state": channel.state.name,
        "channel_id": channel.channel_id.hex(),
        "funding_txid": txid_hex(channel.static.funding.txid),
        "funding_outnum": channel.static.funding.index,
        "private": not channel.announce,
        "opener": "local" if channel.static.we_are_opener else "remote",
        "alias": _alias(channel),
        "features": _features(channel),
        "funding": _funding(channel),
        **_amounts(channel),
        **_limits(channel),
        **_counters(channel),
        "feerate": {"perkw": channel.remote_feerate(), "perkb": channel.remote_feerate() * 4},
        "status": list(channel.status),
        "state_changes": _history(channel),
        "htlcs": [htlc_json(channel, htlc) for htlc in channel.htlcs.values()],
    }
    if result["peer_connected"]:
        result["reestablished"] = channel.reestablished
    if channel.worker is not None and peer is not None and peer.connected:
        result["owner"] = channel.worker.split("-", maxsplit=1)[0]
    if channel.last_tx:
        result["scratch_txid"] = txid_hex(last_txid(channel))
        result["last_tx_fee_msat"] = last_tx_fee_msat(channel)
    if channel.inflight is not None:
        result |= _inflights(channel, channel.inflight)
    if channel.short_channel_id is not None:
        result["short_channel_id"] = str(channel.short_channel_id)
    result["direction"] = channel_direction(our_id, channel.peer_id)
    if channel.close_to is not None:
        result["close_to"] = channel.close_to.hex()
    if channel.closer is not None:
        result["closer"] = channel.closer
    if channel.last_stable_connection:
        result["last_stable_connection"] = channel.last_stable_connection
    return result


def _updates(channel: Channel) -> Json:
    policy = channel.policy
    updates: Json = {
        "local": {
            "htlc_minimum_msat": policy.htlc_minimum.msat,
            "htlc_maximum_msat": policy.htlc_maximum.msat,
            "cltv_expiry_delta": policy.cltv_expiry_delta,
            "fee_base_msat": policy.fee_base_msat,
            "fee_proportional_millionths": policy.fee_proportional_millionths,
        }
    }
    theirs = channel.remote_policy
    if theirs is not None:
        updates["remote"] = {
            "htlc_minimum_msat": theirs.htlc_minimum.msat,
            "htlc_maximum_msat": theirs.htlc_maximum.msat,
            "cltv_expiry_delta": theirs.cltv_expiry_delta,
            "fee_base_msat": theirs.fee_base_msat,
            "fee_proportional_millionths": theirs.fee_proportional_millionths,
        }
    return updates


def _alias(channel: Channel) -> Json:
    alias: Json = {"local": str(channel.local_alias)}
    if channel.remote_alias is not None:
        alias["remote"] = str(channel.remote_alias)
    return alias


def _features(channel: Channel) -> list[str]:
    names = ["option_static_remotekey"]
    if channel.channel_type.has_anchors:
        names.append("option_anchors")
    if channel.channel_type.has_zeroconf:
        names.append("option_zeroconf")
    if channel.channel_type.has_scid_alias:
        names.append("option_scid_alias")
    return names


def _funding(channel: Channel) -> Json:
    capacity, push = channel.capacity.to_msat(), channel.push
    ours = channel.our_funds.to_msat().msat
    funding: Json = {
        "local_funds_msat": ours,
        "remote_funds_msat": capacity.msat - ours,
        "withheld": False,
    }
    if push:
        funding["pushed_msat"] = push.msat
    return funding


def _inflights(channel: Channel, inflight: Inflight) -> Json:
    """The funding transaction that both sides made, and what one in its place would have to pay."""
    perkw = inflight.funding.feerate_perkw
    return {
        "initial_feerate": f"{perkw}perkw",
        "last_feerate": f"{perkw}perkw",
        # BOLT 2, "The `tx_init_rbf` Message": at least 25/24 of the last one.
        "next_feerate": f"{perkw * 25 // 24}perkw",
        "inflight": [_inflight(channel, inflight)],
    }


def _inflight(channel: Channel, inflight: Inflight) -> Json:
    shown: Json = {
        "funding_txid": txid_hex(channel.static.funding.txid),
        "funding_outnum": channel.static.funding.index,
        "feerate": f"{inflight.funding.feerate_perkw}perkw",
        "total_funding_msat": channel.capacity.to_msat().msat,
        "our_funding_msat": channel.our_funds.to_msat().msat,
        "splice_amount": 0,
    }
    if inflight.got_commitment:
        shown["scratch_txid"] = txid_hex(last_txid(channel))
    return shown


def _amounts(channel: Channel) -> Json:
    return {
        "to_us_msat": channel.to_local.msat,
        "min_to_us_msat": channel.min_to_local.msat,
        "max_to_us_msat": channel.max_to_local.msat,
        "total_msat": channel.capacity.to_msat().msat,
        "spendable_msat": channel.estimate_spendable().msat,
        "receivable_msat": channel.estimate_receivable().msat,
    }


def _limits(channel: Channel) -> Json:
    ours, theirs = channel.static.local_config, channel.static.remote_config
    return {
        "fee_base_msat": channel.policy.fee_base_msat,
        "fee_proportional_millionths": channel.policy.fee_proportional_millionths,
        "dust_limit_msat": ours.dust_limit.to_msat().msat,
        "our_max_htlc_value_in_flight_msat": ours.max_htlc_value_in_flight.msat,
        "their_max_htlc_value_in_flight_msat": theirs.max_htlc_value_in_flight.msat,
        # CLN's sense: what the other side demands that we keep, and what we demand of them.
        "our_reserve_msat": theirs.channel_reserve.to_msat().msat,
        "their_reserve_msat": ours.channel_reserve.to_msat().msat,
        "minimum_htlc_in_msat": ours.htlc_minimum.msat,
        "minimum_htlc_out_msat": channel.policy.htlc_minimum.msat,
        "maximum_htlc_out_msat": channel.policy.htlc_maximum.msat,
        "our_to_self_delay": theirs.to_self_delay,
        "their_to_self_delay": ours.to_self_delay,
        "max_accepted_htlcs": ours.max_accepted_htlcs,
    }


def _counters(channel: Channel) -> Json:
    counters = channel.counters
    return {name: getattr(counters, name) for name in counters.__slots__}


def _history(channel: Channel) -> list[Json]:
    return [
        {
            "timestamp": iso_time(change.timestamp),
            "old_state": change.old_state.name,
            "new_state": change.new_state.name,
            "cause": change.cause,
            "message": change.message,
        }
        for change in channel.state_changes
        if change.old_state is not None
    ]


def htlc_json(channel: Channel, htlc: LiveHtlc) -> Json:
    """One HTLC of listpeerchannels."""
    result: Json = {
        "direction": "out" if htlc.offered_by_us else "in",
        "id": htlc.id,
        "amount_msat": htlc.amount.msat,
        "expiry": htlc.cltv_expiry,
        "payment_hash": htlc.payment_hash.hex(),
        "state": htlc.state.name,
    }
    if is_locally_trimmed(channel, htlc):
        result["local_trimmed"] = True
    return result


def is_locally_trimmed(channel: Channel, htlc: LiveHtlc) -> bool:
    """Whether the HTLC is too small for an output of our commitment."""
    value = Htlc(
        id=htlc.id,
        offerer=Side.LOCAL if htlc.offered_by_us else Side.REMOTE,
        amount=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        state=htlc.state,
    )
    return is_trimmed(
        value,
        Side.LOCAL,
        channel.static.local_config.dust_limit,
        channel.local_feerate(),
        anchors=channel.channel_type.has_anchors,
    )


def last_txid(channel: Channel) -> Txid:
    """The txid of our newest commitment."""
    return Tx.parse(channel.last_tx).txid()


def last_tx_fee_msat(channel: Channel) -> int:
    """What our newest commitment pays in fees, anchors and dust."""
    outputs = sum(output.amount.sat for output in Tx.parse(channel.last_tx).outputs)
    return (channel.capacity.sat - outputs) * 1000


def closed_json(channel: Channel, htlcs_sent: int) -> Json:
    """One entry of listclosedchannels."""
    causes = [c.cause for c in channel.state_changes if c.new_state in CLOSING]
    result: Json = {
        "peer_id": channel.peer_id.hex(),
        "channel_id": channel.channel_id.hex(),
        "alias": _alias(channel),
        "opener": "local" if channel.static.we_are_opener else "remote",
        "private": not channel.announce,
        "channel_type": channel_type_json(channel),
        "total_local_commitments": channel.next_local_commitment,
        "total_remote_commitments": channel.next_remote_commitment,
        "total_htlcs_sent": htlcs_sent,
        "funding_txid": txid_hex(channel.static.funding.txid),
        "funding_outnum": channel.static.funding.index,
        "funding_withheld": False,
        "leased": False,
        "total_msat": channel.capacity.to_msat().msat,
        "final_to_us_msat": channel.to_local.msat,
        "min_to_us_msat": channel.min_to_local.msat,
        "max_to_us_msat": channel.max_to_local.msat,
        "close_cause": causes[0] if causes else "unknown",
    }
    if channel.last_tx:
        result["last_commitment_txid"] = txid_hex(last_txid(channel))
        result["last_commitment_fee_msat"] = last_tx_fee_msat(channel)
    if channel.push:
        result["funding_pushed_msat"] = channel.push.msat
    if channel.short_channel_id is not None:
        result["short_channel_id"] = str(channel.short_channel_id)
    if channel.closer is not None:
        result["closer"] = channel.closer
    if channel.last_stable_connection:
        result["last_stable_connection"] = channel.last_stable_connection
    return result


def htlc_row_json(row: Json) -> Json:
    """One entry of listhtlcs, from its row."""
    scid = row["scid"] if row["scid"] is not None else row["alias_local"]
    updated = {"updated_index": row["updated_index"]} if row["updated_index"] else {}
    return {
        "created_index": row["id"],
        **updated,
        "short_channel_id": str(ShortChannelId(scid)),
        "id": row["channel_htlc_id"],
        "expiry": row["cltv_expiry"],
        "direction": "out" if row["direction"] else "in",
        "amount_msat": row["msatoshi"],
        "payment_hash": row["payment_hash"].hex(),
        "state": HtlcState(row["hstate"]).name,
    }
