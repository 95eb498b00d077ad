"""Rows of channels and HTLCs, to and from what `lightningd/channels/channel.py` holds.

Called inside turns only. The payment path uses plain SQL through peewee's connection; the tables are
defined in `models_channels.py`.
"""

from __future__ import annotations

import json

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.channels.channel import (
    Channel,
    Counters,
    Policy,
    StateChange,
)
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.blobs import pack_blobs, unpack_blobs
from pylightningd.lightningd.db.channel_rows import (
    Row,
    commitment_row,
    config_row,
    mutable_row,
    read_policy,
    read_scid,
)
from pylightningd.lightningd.db.htlcs_io import HtlcStore
from pylightningd.lightningd.db.inflights_io import (
    insert_inflight,
    load_inflight,
    update_inflight,
)
from pylightningd.lightningd.db.wide import from_column


class ChannelStore(HtlcStore):
    """Reads and writes channels. One per node; every call belongs to the turn that is running."""

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

    def reserve_dbid(self, dbid: int) -> None:
        """This number is taken by a channel that was restored from a backup."""
        self._db.execute_sql(
            "INSERT INTO vars (name, intval) VALUES ('next_channel_dbid', ?)"
            " ON CONFLICT (name) DO UPDATE SET intval=max(intval, excluded.intval)",
            (dbid + 1,),
        )

    def has_row(self, dbid: int) -> bool:
        """Whether there is, or was, a channel of this number."""
        return bool(self._rows("SELECT 1 AS one FROM channels WHERE id=?", dbid))

    def knows(self, channel_id: ChannelId) -> bool:
        """Whether there is, or was, a channel of this name."""
        return bool(self._rows("SELECT 1 AS one FROM channels WHERE full_channel_id=?", channel_id))

    def insert(self, channel: Channel, peer_row: int) -> None:
        """A new channel."""
        static = channel.static
        row: Row = {
            "id": channel.dbid,
            "peer_id": peer_row,
            "full_channel_id": static.channel_id,
            "channel_type": static.channel_type,
            "channel_config_local": self._insert(
                "channel_configs", config_row(static.local_config)
            ),
            "channel_config_remote": self._insert(
                "channel_configs", config_row(static.remote_config)
            ),
            "funder": 0 if static.we_are_opener else 1,
            "channel_flags": int(channel.announce),
            "minimum_depth": channel.minimum_depth,
            "funding_tx_id": static.funding.txid,
            "funding_tx_outnum": static.funding.index,
            "funding_satoshi": static.funding_amount.sat,
            "our_funding_satoshi": None if channel.our_funding is None else channel.our_funding.sat,
            "push_msatoshi": channel.push.msat,
            "local_basepoints": static.local_basepoints.write(),
            "remote_basepoints": static.remote_basepoints.write(),
            "local_upfront_shutdown_script": channel.local_upfront_shutdown_script,
            "remote_upfront_shutdown_script": channel.remote_upfront_shutdown_script,
            "close_to": channel.close_to,
            "shutdown_keyidx_local": channel.final_key_index,
            "opened_at": channel.opened_at,
            "first_blocknum": channel.first_block,
            **mutable_row(channel),
            **commitment_row(channel),
        }
        self._insert("channels", row)
        self.save_fees(channel)
        self.save_last_tx(channel)
        self.save_sent_updates(channel)
        if channel.inflight is not None:
            insert_inflight(self._db, channel, channel.inflight)

    def save_inflight(self, channel: Channel) -> None:
        """Signatures of the funding transaction, or of our first commitment, came."""
        if channel.inflight is not None:
            update_inflight(self._db, channel, channel.inflight)

    def clear_inflights(self, channel: Channel) -> None:
        """The channel is locked in, or over: nobody will ask for these signatures again."""
        self._db.execute_sql(
            "DELETE FROM channel_funding_inflights WHERE channel_id=?", (channel.dbid,)
        )

    def save(self, channel: Channel) -> None:
        """Everything about it that can change, but for HTLCs, feerates, the last transaction and sent updates."""
        self._update("channels", channel.dbid, {**mutable_row(channel), **commitment_row(channel)})

    def save_commitment(self, channel: Channel) -> None:
        """Only what commitment rounds change: the payment path's write."""
        self._update("channels", channel.dbid, commitment_row(channel))

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
            our_funding=None
            if row["our_funding_satoshi"] is None
            else Sat(row["our_funding_satoshi"]),
            inflight=load_inflight(self._db, dbid),
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
            short_channel_id=read_scid(row["scid"]),
            local_alias=ShortChannelId(from_column(row["alias_local"])),
            remote_alias=read_scid(row["alias_remote"]),
            local_shutdown_script=row["shutdown_scriptpubkey_local"],
            remote_shutdown_script=row["shutdown_scriptpubkey_remote"],
            wrong_funding=None
            if row["shutdown_wrong_txid"] is None
            else Outpoint(Txid(row["shutdown_wrong_txid"]), row["shutdown_wrong_outnum"]),
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
            remote_policy=read_policy(row["remote_policy"]),
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
