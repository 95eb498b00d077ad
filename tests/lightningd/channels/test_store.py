"""Everything that a channel holds comes back from its rows."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.ids import Outpoint, ShortChannelId, Txid
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.lightningd.channels.channel import (
    Channel,
    Counters,
    LiveHtlc,
    Policy,
    RemotePolicy,
    StateChange,
)
from pylightningd.lightningd.channels.states import ChannelState
from tests.lightningd.channels.rig import Rig, key, make_channel

RUNTIME = {"worker", "route_id", "reestablished", "depth", "status", "their_features"}
FOR_LIFE = {
    "static", "announce", "minimum_depth", "push", "local_upfront_shutdown_script",
    "remote_upfront_shutdown_script", "close_to", "final_key_index", "opened_at", "first_block",
    "our_funding", "inflight",
}  # fmt: skip

CHANGED: dict[str, Any] = {
    "state": ChannelState.CHANNELD_SHUTTING_DOWN,
    "to_local": Msat(1),
    "to_remote": Msat(999_999_999),
    "min_to_local": Msat(0),
    "max_to_local": Msat(600_000_000),
    "fees": (FeeState(state=3, feerate_perkw=7), FeeState(state=4, feerate_perkw=9)),
    "next_local_commitment": 2**40,
    "next_remote_commitment": 12,
    "revocations_received": 11,
    "remote_current_point": key(31),
    "remote_next_point": None,
    "shachain": b"shachain",
    "next_htlc_id": 3,
    "next_remote_htlc_id": 4,
    "last_sent_updates": (b"one", b"", b"three"),
    "last_was_revoke": True,
    "last_tx": b"a transaction",
    "last_sig": bytes(range(64)),
    "last_htlc_sigs": (bytes(64), b"\1" * 64),
    "future_remote_point": key(32),
    "sent_channel_ready": False,
    "got_channel_ready": False,
    "short_channel_id": ShortChannelId.make(2**24 - 1, 2**24 - 1, 65535),
    "local_alias": ShortChannelId(2**63 - 1),
    "remote_alias": ShortChannelId(7),
    "local_shutdown_script": b"\x00\x14" + bytes(20),
    "remote_shutdown_script": b"\x51\x20" + bytes(32),
    "wrong_funding": Outpoint(Txid(b"w" * 32), 3),
    "closer": "remote",
    "close_cause": "they said so",
    "policy": Policy(
        fee_base_msat=2,
        fee_proportional_millionths=3,
        cltv_expiry_delta=4,
        htlc_minimum=Msat(5),
        htlc_maximum=Msat(6),
    ),
    "ignore_fee_limits": True,
    "remote_policy": RemotePolicy(
        fee_base_msat=2,
        fee_proportional_millionths=3,
        cltv_expiry_delta=4,
        htlc_minimum=Msat(5),
        htlc_maximum=Msat(6),
    ),
    "remote_announcement_sigs": (bytes(64), b"\2" * 64),
    "our_update": b"update",
    "counters": Counters(**{name: i for i, name in enumerate(Counters.__slots__, 1)}),
    "last_stable_connection": 77,
}
HTLC = LiveHtlc(
    dbid=0,
    channel_dbid=1,
    id=5,
    offered_by_us=False,
    state=HtlcState.RCVD_ADD_ACK_REVOCATION,
    amount=Msat(123),
    payment_hash=b"\3" * 32,
    cltv_expiry=99,
    onion=b"\4" * 1366,
    path_key=key(40),
    received_time=12.5,
)


def comparable(channel: Channel) -> dict[str, Any]:
    """All that is to be durable."""
    return {f.name: getattr(channel, f.name) for f in fields(channel) if f.name not in RUNTIME}


def test_every_field_is_listed() -> None:
    listed = RUNTIME | FOR_LIFE | CHANGED.keys() | {"htlcs", "state_changes"}
    assert {f.name for f in fields(Channel)} == listed


def test_a_new_channel_is_read_back(rig: Rig) -> None:
    channel = rig.open_channel(
        1, close_to=b"\x00\x14" + b"\1" * 20, final_key_index=9, first_block=3
    )
    (loaded,) = rig.node.channels.store.load_all()
    assert comparable(loaded) == comparable(channel)


def test_a_new_channel_in_any_condition_is_read_back(rig: Rig) -> None:
    channel = rig.open_channel(1, **CHANGED)
    assert comparable(rig.node.channels.store.load(1)) == comparable(channel)


def test_what_changes_is_read_back(rig: Rig) -> None:
    channel = rig.open_channel(1)
    store = rig.node.channels.store

    def change() -> None:
        for name, value in CHANGED.items():
            assert getattr(channel, name) != value, name
            setattr(channel, name, value)
        history = StateChange(
            timestamp=1.5, old_state=None, new_state=channel.state, cause="user", message="m"
        )
        channel.state_changes.append(history)
        store.add_state_change(channel, history)
        store.save(channel)
        store.save_fees(channel)
        store.save_last_tx(channel)
        store.save_sent_updates(channel)

    rig.turn(change)
    assert comparable(store.load(1)) == comparable(channel)


def test_htlcs_are_read_back(rig: Rig) -> None:
    channel = rig.open_channel(1)
    store = rig.node.channels.store
    received = replace(HTLC)
    ours = replace(
        HTLC, offered_by_us=True, onion=b"", path_key=None, origin_htlc=3, origin_payment=4
    )
    malformed = replace(HTLC, id=6)
    dead = replace(HTLC, id=7)

    def write() -> None:
        for htlc in (received, ours, malformed, dead):
            store.insert_htlc(htlc)
            channel.htlcs[htlc.key] = htlc
        received.shared_secret = b"\5" * 32
        store.save_htlc_states([received])
        received.preimage = b"\6" * 32
        ours.failure_onion = b"failed"
        malformed.malformed_code, malformed.malformed_sha256 = 0xC005, b"\7" * 32
        dead.state = HtlcState.SENT_REMOVE_ACK_REVOCATION
        for htlc in (received, ours, malformed):
            store.save_htlc_resolution(htlc)
        ours.state = HtlcState.SENT_REMOVE_REVOCATION
        store.save_htlc_states([ours, dead])
        del channel.htlcs[dead.key]

    rig.turn(write)
    assert store.load(1).htlcs == channel.htlcs == make_htlcs(received, ours, malformed)
    assert store.htlc_by_row(dead.dbid).state is dead.state


def make_htlcs(*htlcs: LiveHtlc) -> dict[tuple[bool, int], LiveHtlc]:
    return {h.key: h for h in htlcs}


def test_make_channel_takes_changes() -> None:
    assert make_channel(1, closer="local").closer == "local"
