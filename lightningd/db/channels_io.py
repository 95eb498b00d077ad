"""Rows of channels and HTLCs, to and from what `lightningd/channels/channel.py` holds.

Called inside turns only. The payment path uses plain SQL through peewee's connection; the tables are
defined in `models_channels.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.channels.channel import (
    Channel,
    Counters,
    LiveHtlc,
    Policy,
    RemotePolicy,
    StateChange,
)
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.blobs import pack_blobs, unpack_blobs
from pylightningd.lightningd.db.wide import from_column, to_column

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase

Row = dict[str, Any]

_CONFIG_COLUMNS = (
    "dust_limit_satoshis", "max_htlc_value_in_flight_msat", "channel_reserve_satoshis",
    "htlc_minimum_msat", "to_self_delay", "max_accepted_htlcs",
)  # fmt: skip


class ChannelStore:
    """Reads and writes channels. One per node; every call belongs to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def _rows(self, sql: str, *params: object) -> list[Row]:
        cursor = self._db.execute_sql(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _insert(self, table: str, row: Row) -> int:
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())
        )
        return int(cursor.lastrowid or 0)

    def _update(self, table: str, dbid: int, row: Row) -> None:
        sets = ", ".join(f"{name}=?" for name in row)
        self._db.execute_sql(f"UPDATE {table} SET {sets} WHERE id=?", (*row.values(), dbid))

    # Peers

    def peer_row(self, peer_id: NodeId, address: str, features: bytes) -> int:
        """The row id of a peer; made where there is none, its address kept current."""
        self._db.execute_sql(
            "INSERT INTO peers (node_id, address, feature_bits) VALUES (?, ?, ?)"
            " ON CONFLICT (node_id) DO UPDATE SET feature_bits=excluded.feature_bits,"
            " address=CASE WHEN excluded.address='' THEN address ELSE excluded.address END",
            (peer_id, address, features),
        )
        return int(self._rows("SELECT id FROM peers WHERE node_id=?", peer_id)[0]["id"])

    def peers(self) -> list[tuple[NodeId, str, bytes]]:
        """(node id, last known address, features) of each peer with a channel."""
        return [
            (NodeId(r["node_id"]), r["address"], r["feature_bits"])
            for r in self._rows("SELECT node_id, address, feature_bits FROM peers ORDER BY id")
        ]

    # Channels

    def next_dbid(self) -> int:
        """A channel number never used before, also not by an opening that failed (keys hang on it)."""
        self._db.execute_sql(
            "INSERT INTO vars (name, intval) VALUES ('next_channel_dbid', 2)"
            " ON CONFLICT (name) DO UPDATE SET intval=intval+1"
        )
        row = self._rows("SELECT intval FROM vars WHERE name='next_channel_dbid'")[0]
        return int(row["intval"]) - 1

    def insert(self, channel: Channel, peer_row: int) -> None:
        """A new channel."""
        static = channel.static
        row: Row = {
            "id": channel.dbid,
            "peer_id": peer_row,
            "full_channel_id": static.channel_id,
            "channel_type": static.channel_type,
            "channel_config_local": self._insert(
                "channel_configs", _config_row(static.local_config)
            ),
            "channel_config_remote": self._insert(
                "channel_configs", _config_row(static.remote_config)
            ),
            "funder": 0 if static.we_are_opener else 1,
            "channel_flags": int(channel.announce),
            "minimum_depth": channel.minimum_depth,
            "funding_tx_id": static.funding.txid,
            "funding_tx_outnum": static.funding.index,
            "funding_satoshi": static.funding_amount.sat,
            "push_msatoshi": channel.push.msat,
            "local_basepoints": static.local_basepoints.write(),
            "remote_basepoints": static.remote_basepoints.write(),
            "local_upfront_shutdown_script": channel.local_upfront_shutdown_script,
            "remote_upfront_shutdown_script": channel.remote_upfront_shutdown_script,
            "close_to": channel.close_to,
            "shutdown_keyidx_local": channel.final_key_index,
            "opened_at": channel.opened_at,
            "first_blocknum": channel.first_block,
            **_mutable_row(channel),
            **_commitment_row(channel),
        }
        self._insert("channels", row)
        self.save_fees(channel)
        self.save_last_tx(channel)
        self.save_sent_updates(channel)

    def save(self, channel: Channel) -> None:
        """Everything about it that can change, but for HTLCs, feerates, the last transaction and sent updates."""
        self._update(
            "channels", channel.dbid, {**_mutable_row(channel), **_commitment_row(channel)}
        )

    def save_commitment(self, channel: Channel) -> None:
        """Only what commitment rounds change: the payment path's write."""
        self._update("channels", channel.dbid, _commitment_row(channel))

    def save_last_tx(self, channel: Channel) -> None:
        """Our newest commitment with the peer's signatures."""
        self._update(
            "channels",
            channel.dbid,
            {
                "last_tx": channel.last_tx,
                "last_sig": channel.last_sig,
                "last_htlc_sigs": b"".join(channel.last_htlc_sigs),
            },
        )

    def save_sent_updates(self, channel: Channel) -> None:
        """What must be sent again if the peer has not seen our last commitment_signed."""
        self._db.execute_sql(
            "INSERT INTO channel_sent_updates (channel_id, updates) VALUES (?, ?)"
            " ON CONFLICT (channel_id) DO UPDATE SET updates=excluded.updates",
            (channel.dbid, pack_blobs(channel.last_sent_updates)),
        )

    def _sent_updates(self, dbid: int) -> tuple[bytes, ...]:
        rows = self._rows("SELECT updates FROM channel_sent_updates WHERE channel_id=?", dbid)
        return unpack_blobs(rows[0]["updates"]) if rows else ()

    def save_mutual_close(self, channel: Channel, tx: bytes) -> None:
        """The mutual close that both sides signed, to broadcast again after a restart."""
        self._update("channels", channel.dbid, {"mutual_close_tx": tx})
        self.save(channel)

    def mutual_close(self, dbid: int) -> bytes:
        """The mutual close that both sides signed last; empty if there is none."""
        return bytes(
            self._rows("SELECT mutual_close_tx FROM channels WHERE id=?", dbid)[0][
                "mutual_close_tx"
            ]
        )

    def save_fees(self, channel: Channel) -> None:
        """The feerates on their way."""
        self._db.execute_sql("DELETE FROM channel_feerates WHERE channel_id=?", (channel.dbid,))
        for fee in channel.fees:
            self._db.execute_sql(
                "INSERT INTO channel_feerates (channel_id, hstate, feerate_per_kw) VALUES (?, ?, ?)",
                (channel.dbid, fee.state, fee.feerate_perkw),
            )

    def add_state_change(self, channel: Channel, change: StateChange) -> None:
        """One more line of history."""
        self._db.execute_sql(
            "INSERT INTO channel_state_changes"
            " (channel_id, timestamp, old_state, new_state, cause, message) VALUES (?, ?, ?, ?, ?, ?)",
            (
                channel.dbid,
                change.timestamp,
                None if change.old_state is None else int(change.old_state),
                int(change.new_state),
                change.cause,
                change.message,
            ),
        )

    def load(self, dbid: int) -> Channel:
        """One channel as the database has it. Raises KeyError."""
        for channel in self._load("c.id=?", dbid):
            return channel
        raise KeyError(dbid)

    def load_all(self) -> list[Channel]:
        """Every channel that is not closed and forgotten."""
        return self._load("c.state<>?", int(ChannelState.CLOSED))

    def load_closed(self) -> list[Channel]:
        """Channels that are over, for listclosedchannels."""
        return self._load("c.state=?", int(ChannelState.CLOSED))

    def _load(self, where: str, value: int) -> list[Channel]:
        rows = self._rows(
            "SELECT c.*, p.node_id AS node_id, p.feature_bits AS peer_features FROM channels c"
            f" JOIN peers p ON p.id=c.peer_id WHERE {where} ORDER BY c.id",
            value,
        )
        return [self._channel(row) for row in rows]

    def _config(self, dbid: int) -> ChannelConfig:
        row = self._rows("SELECT * FROM channel_configs WHERE id=?", dbid)[0]
        return ChannelConfig(
            dust_limit=Sat(row["dust_limit_satoshis"]),
            max_htlc_value_in_flight=Msat(row["max_htlc_value_in_flight_msat"]),
            channel_reserve=Sat(row["channel_reserve_satoshis"]),
            htlc_minimum=Msat(row["htlc_minimum_msat"]),
            to_self_delay=row["to_self_delay"],
            max_accepted_htlcs=row["max_accepted_htlcs"],
        )

    def _channel(self, row: Row) -> Channel:
        dbid = row["id"]
        funding = Outpoint(Txid(row["funding_tx_id"]), row["funding_tx_outnum"])
        static = ChannelStatic(
            dbid=dbid,
            peer_id=NodeId(row["node_id"]),
            channel_id=row["full_channel_id"],
            funding=funding,
            funding_amount=Sat(row["funding_satoshi"]),
            we_are_opener=row["funder"] == 0,
            channel_type=row["channel_type"],
            local_config=self._config(row["channel_config_local"]),
            remote_config=self._config(row["channel_config_remote"]),
            local_basepoints=Basepoints.read(row["local_basepoints"])[0],
            remote_basepoints=Basepoints.read(row["remote_basepoints"])[0],
        )
        remote_sigs = row["remote_ann_sigs"]
        channel = Channel(
            static=static,
            announce=bool(row["channel_flags"] & 1),
            minimum_depth=row["minimum_depth"],
            push=Msat(row["push_msatoshi"]),
            local_upfront_shutdown_script=row["local_upfront_shutdown_script"],
            remote_upfront_shutdown_script=row["remote_upfront_shutdown_script"],
            close_to=row["close_to"],
            final_key_index=row["shutdown_keyidx_local"],
            state=ChannelState(row["state"]),
            to_local=Msat(row["msatoshi_local"]),
            to_remote=Msat(row["msatoshi_remote"]),
            min_to_local=Msat(row["msatoshi_to_us_min"]),
            max_to_local=Msat(row["msatoshi_to_us_max"]),
            fees=tuple(
                FeeState(state=r["hstate"], feerate_perkw=r["feerate_per_kw"])
                for r in self._rows(
                    "SELECT hstate, feerate_per_kw FROM channel_feerates WHERE channel_id=?"
                    " ORDER BY hstate",
                    dbid,
                )
            ),
            next_local_commitment=row["next_index_local"],
            next_remote_commitment=row["next_index_remote"],
            revocations_received=row["revocations_received"],
            remote_current_point=row["per_commit_remote"],
            remote_next_point=row["next_per_commit_remote"],
            shachain=row["shachain_remote"],
            next_htlc_id=row["next_htlc_id"],
            next_remote_htlc_id=row["next_remote_htlc_id"],
            last_sent_updates=self._sent_updates(dbid),
            last_was_revoke=bool(row["last_was_revoke"]),
            last_tx=row["last_tx"],
            last_sig=row["last_sig"],
            last_htlc_sigs=tuple(
                row["last_htlc_sigs"][i : i + 64] for i in range(0, len(row["last_htlc_sigs"]), 64)
            ),
            future_remote_point=row["future_per_commitment_point"],
            sent_channel_ready=bool(row["sent_channel_ready"]),
            got_channel_ready=bool(row["funding_locked_remote"]),
            short_channel_id=_scid(row["scid"]),
            local_alias=ShortChannelId(from_column(row["alias_local"])),
            remote_alias=_scid(row["alias_remote"]),
            local_shutdown_script=row["shutdown_scriptpubkey_local"],
            remote_shutdown_script=row["shutdown_scriptpubkey_remote"],
            closer=row["closer"],
            close_cause=row["close_cause"],
            policy=Policy(
                fee_base_msat=row["feerate_base"],
                fee_proportional_millionths=row["feerate_ppm"],
                cltv_expiry_delta=row["cltv_expiry_delta"],
                htlc_minimum=Msat(row["htlc_minimum_msat"]),
                htlc_maximum=Msat(row["htlc_maximum_msat"]),
            ),
            ignore_fee_limits=bool(row["ignore_fee_limits"]),
            remote_policy=_remote_policy(row["remote_policy"]),
            remote_announcement_sigs=(remote_sigs[:64], remote_sigs[64:]) if remote_sigs else None,
            our_update=row["our_update"],
            opened_at=row["opened_at"],
            first_block=row["first_blocknum"],
            last_stable_connection=row["last_stable_connection"],
            counters=Counters(**json.loads(row["counters"])),
            their_features=row["peer_features"],
        )
        channel.state_changes = self._state_changes(dbid)
        channel.htlcs = {h.key: h for h in self.live_htlcs(dbid)}
        return channel

    def _state_changes(self, dbid: int) -> list[StateChange]:
        return [
            StateChange(
                timestamp=r["timestamp"],
                old_state=None if r["old_state"] is None else ChannelState(r["old_state"]),
                new_state=ChannelState(r["new_state"]),
                cause=r["cause"],
                message=r["message"],
            )
            for r in self._rows(
                "SELECT * FROM channel_state_changes WHERE channel_id=? ORDER BY id", dbid
            )
        ]

    # HTLCs

    def live_htlcs(self, channel_dbid: int) -> list[LiveHtlc]:
        """HTLCs of a channel that are not dead, in the order they were added."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE channel_id=? AND hstate NOT IN (?, ?) ORDER BY id",
            channel_dbid,
            int(HtlcState.RCVD_REMOVE_ACK_REVOCATION),
            int(HtlcState.SENT_REMOVE_ACK_REVOCATION),
        )
        return [_htlc(row) for row in rows]

    def htlc_by_row(self, dbid: int) -> LiveHtlc | None:
        """An HTLC, dead or alive, by its row id."""
        rows = self._rows("SELECT * FROM channel_htlcs WHERE id=?", dbid)
        return _htlc(rows[0]) if rows else None

    def offered_for(self, origin_dbid: int) -> LiveHtlc | None:
        """The newest HTLC that we offered to forward a received one."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE origin_htlc=? ORDER BY id DESC LIMIT 1", origin_dbid
        )
        return _htlc(rows[0]) if rows else None

    def htlc_of_payment(self, payment_id: int) -> LiveHtlc | None:
        """The HTLC, dead or alive, of a part of a payment."""
        rows = self._rows(
            "SELECT * FROM channel_htlcs WHERE origin_payment=? ORDER BY id", payment_id
        )
        return _htlc(rows[-1]) if rows else None

    def htlcs_sent(self, channel_dbid: int) -> int:
        """How many HTLCs we ever offered in a channel."""
        sql = "SELECT COUNT(*) AS n FROM channel_htlcs WHERE channel_id=? AND direction=1"
        return int(self._rows(sql, channel_dbid)[0]["n"])

    def htlcs(self, channel_dbid: int | None = None) -> list[Row]:
        """Rows for listhtlcs, oldest first, with the channel's names."""
        where = "" if channel_dbid is None else "WHERE h.channel_id=?"
        params = () if channel_dbid is None else (channel_dbid,)
        rows = self._rows(
            "SELECT h.*, c.scid AS scid, c.alias_local AS alias_local FROM channel_htlcs h"
            f" JOIN channels c ON c.id=h.channel_id {where} ORDER BY h.id",
            *params,
        )
        for row in rows:
            row["scid"] = _scid(row["scid"])
            row["alias_local"] = _scid(row["alias_local"])
        return rows

    def insert_htlc(self, htlc: LiveHtlc) -> None:
        """A new HTLC; sets its dbid."""
        cursor = self._db.execute_sql(
            "INSERT INTO channel_htlcs (channel_id, channel_htlc_id, direction, origin_htlc,"
            " origin_payment, msatoshi, cltv_expiry, payment_hash, routing_onion, path_key, hstate,"
            " received_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                htlc.channel_dbid,
                htlc.id,
                int(htlc.offered_by_us),
                htlc.origin_htlc,
                htlc.origin_payment,
                htlc.amount.msat,
                htlc.cltv_expiry,
                htlc.payment_hash,
                # The onion of one that we offer is in the updates we sent; nobody reads it again.
                b"" if htlc.offered_by_us else htlc.onion,
                htlc.path_key,
                int(htlc.state),
                htlc.received_time,
            ),
        )
        htlc.dbid = int(cursor.lastrowid or 0)

    def save_htlc_states(self, htlcs: Iterable[LiveHtlc]) -> None:
        """New states. A dead one's onion is dropped: it is 1366 bytes that nobody reads again."""
        for htlc in htlcs:
            if hs.is_dead(htlc.state):
                self._db.execute_sql(
                    "UPDATE channel_htlcs SET hstate=?, routing_onion=x'', resolved_time=? WHERE id=?",
                    (int(htlc.state), time.time(), htlc.dbid),
                )
            else:
                self._db.execute_sql(
                    "UPDATE channel_htlcs SET hstate=? WHERE id=?", (int(htlc.state), htlc.dbid)
                )

    def save_htlc_secret(self, htlc: LiveHtlc) -> None:
        """The onion's shared secret of a received HTLC."""
        self._db.execute_sql(
            "UPDATE channel_htlcs SET shared_secret=? WHERE id=?", (htlc.shared_secret, htlc.dbid)
        )

    def save_htlc_resolution(self, htlc: LiveHtlc) -> None:
        """How it ends: a preimage, a failure, or that its onion was malformed."""
        self._db.execute_sql(
            "UPDATE channel_htlcs SET payment_key=?, failuremsg=?, malformed_onion=?,"
            " malformed_sha256=?, hstate=? WHERE id=?",
            (
                htlc.preimage,
                htlc.failure_onion,
                htlc.malformed_code,
                htlc.malformed_sha256,
                int(htlc.state),
                htlc.dbid,
            ),
        )


def _scid(value: int | None) -> ShortChannelId | None:
    return None if value is None else ShortChannelId(from_column(value))


def _scid_column(scid: ShortChannelId | None) -> int | None:
    return None if scid is None else to_column(int(scid))


def _config_row(config: ChannelConfig) -> Row:
    values: Sequence[int] = (
        config.dust_limit.sat,
        config.max_htlc_value_in_flight.msat,
        config.channel_reserve.sat,
        config.htlc_minimum.msat,
        config.to_self_delay,
        config.max_accepted_htlcs,
    )
    return dict(zip(_CONFIG_COLUMNS, values, strict=True))


def _commitment_row(channel: Channel) -> Row:
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


def _mutable_row(channel: Channel) -> Row:
    policy = channel.policy
    sigs = channel.remote_announcement_sigs
    return {
        "state": int(channel.state),
        "sent_channel_ready": int(channel.sent_channel_ready),
        "funding_locked_remote": int(channel.got_channel_ready),
        "scid": _scid_column(channel.short_channel_id),
        "alias_local": to_column(int(channel.local_alias)),
        "alias_remote": _scid_column(channel.remote_alias),
        "shutdown_scriptpubkey_local": channel.local_shutdown_script,
        "shutdown_scriptpubkey_remote": channel.remote_shutdown_script,
        "closer": channel.closer,
        "close_cause": channel.close_cause,
        "future_per_commitment_point": channel.future_remote_point,
        "feerate_base": policy.fee_base_msat,
        "feerate_ppm": policy.fee_proportional_millionths,
        "cltv_expiry_delta": policy.cltv_expiry_delta,
        "htlc_minimum_msat": policy.htlc_minimum.msat,
        "htlc_maximum_msat": policy.htlc_maximum.msat,
        "ignore_fee_limits": int(channel.ignore_fee_limits),
        "remote_policy": _remote_policy_text(channel.remote_policy),
        "remote_ann_sigs": b"".join(sigs) if sigs else b"",
        "our_update": channel.our_update,
        "last_stable_connection": channel.last_stable_connection,
    }


def _remote_policy_text(policy: RemotePolicy | None) -> str:
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


def _remote_policy(text: str) -> RemotePolicy | None:
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


def _htlc(row: Row) -> LiveHtlc:
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
