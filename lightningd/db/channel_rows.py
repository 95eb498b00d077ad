"""What the columns of channels and HTLCs hold: values to rows and back. Pure; reading and writing: `channels_io.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire.common_wire import ChannelConfig
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc, RemotePolicy
from pylightningd.lightningd.db.wide import from_column, to_column

Row = dict[str, Any]

_CONFIG_COLUMNS = (
    "dust_limit_satoshis", "max_htlc_value_in_flight_msat", "channel_reserve_satoshis",
    "htlc_minimum_msat", "to_self_delay", "max_accepted_htlcs",
)  # fmt: skip


def read_scid(value: int | None) -> ShortChannelId | None:
    return None if value is None else ShortChannelId(from_column(value))


def scid_column(scid: ShortChannelId | None) -> int | None:
    return None if scid is None else to_column(int(scid))


def config_row(config: ChannelConfig) -> Row:
    values: Sequence[int] = (
        config.dust_limit.sat,
        config.max_htlc_value_in_flight.msat,
        config.channel_reserve.sat,
        config.htlc_minimum.msat,
        config.to_self_delay,
        config.max_accepted_htlcs,
    )
    return dict(zip(_CONFIG_COLUMNS, values, strict=True))


def commitment_row(channel: Channel) -> Row:
    return {
        "next_index_local": channel.next_local_commitment,
        "next_index_remote": channel.next_remote_commitment,
        "revocations_received": channel.revocations_received,
        "per_commit_remote": channel.remote_current_point,
        "next_per_commit_remote": channel.remote_next_point,
        "shachain_remote": channel.shachain,
        "next_htlc_id": channel.next_htlc_id,
        "next_remote_htlc_id": channel.next_remote_htlc_id,
        "last_was_revoke": int(channel.last_was_revoke),
        "msatoshi_local": channel.to_local.msat,
        "msatoshi_remote": channel.to_remote.msat,
        "msatoshi_to_us_min": channel.min_to_local.msat,
        "msatoshi_to_us_max": channel.max_to_local.msat,
        "counters": json.dumps(
            {name: getattr(channel.counters, name) for name in channel.counters.__slots__}
        ),
    }


def mutable_row(channel: Channel) -> Row:
    policy = channel.policy
    sigs = channel.remote_announcement_sigs
    wrong = channel.wrong_funding
    return {
        "state": int(channel.state),
        "sent_channel_ready": int(channel.sent_channel_ready),
        "funding_locked_remote": int(channel.got_channel_ready),
        "scid": scid_column(channel.short_channel_id),
        "alias_local": to_column(int(channel.local_alias)),
        "alias_remote": scid_column(channel.remote_alias),
        "shutdown_scriptpubkey_local": channel.local_shutdown_script,
        "shutdown_scriptpubkey_remote": channel.remote_shutdown_script,
        "shutdown_wrong_txid": None if wrong is None else wrong.txid,
        "shutdown_wrong_outnum": None if wrong is None else wrong.index,
        "closer": channel.closer,
        "close_cause": channel.close_cause,
        "future_per_commitment_point": channel.future_remote_point,
        "feerate_base": policy.fee_base_msat,
        "feerate_ppm": policy.fee_proportional_millionths,
        "cltv_expiry_delta": policy.cltv_expiry_delta,
        "htlc_minimum_msat": policy.htlc_minimum.msat,
        "htlc_maximum_msat": policy.htlc_maximum.msat,
        "ignore_fee_limits": int(channel.ignore_fee_limits),
        "remote_policy": remote_policy_text(channel.remote_policy),
        "remote_ann_sigs": b"".join(sigs) if sigs else b"",
        "our_update": channel.our_update,
        "last_stable_connection": channel.last_stable_connection,
    }


def remote_policy_text(policy: RemotePolicy | None) -> str:
    if policy is None:
        return ""
    return json.dumps(
        [
            policy.fee_base_msat,
            policy.fee_proportional_millionths,
            policy.cltv_expiry_delta,
            policy.htlc_minimum.msat,
            policy.htlc_maximum.msat,
        ]
    )


def read_policy(text: str) -> RemotePolicy | None:
    if not text:
        return None
    base, ppm, delta, minimum, maximum = json.loads(text)
    return RemotePolicy(
        fee_base_msat=base,
        fee_proportional_millionths=ppm,
        cltv_expiry_delta=delta,
        htlc_minimum=Msat(minimum),
        htlc_maximum=Msat(maximum),
    )


def read_htlc(row: Row) -> LiveHtlc:
    return LiveHtlc(
        dbid=row["id"],
        channel_dbid=row["channel_id"],
        id=row["channel_htlc_id"],
        offered_by_us=bool(row["direction"]),
        state=HtlcState(row["hstate"]),
        amount=Msat(row["msatoshi"]),
        payment_hash=row["payment_hash"],
        cltv_expiry=row["cltv_expiry"],
        onion=row["routing_onion"],
        path_key=row["path_key"],
        shared_secret=row["shared_secret"],
        preimage=row["payment_key"],
        failure_onion=row["failuremsg"],
        malformed_code=row["malformed_onion"],
        malformed_sha256=row["malformed_sha256"],
        origin_htlc=row["origin_htlc"],
        origin_payment=row["origin_payment"],
        received_time=row["received_time"],
    )
