"""Each rule for open_channel and accept_channel, with the words the peer gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common import features as ft
from pylightningd.common.amount import MAX_MSAT, Msat, Sat
from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE, ChannelType
from pylightningd.common.network import BITCOIN
from pylightningd.common.wire.openingd_wire import OpeningdFailed
from pylightningd.common.wire.peer_wire import (
    AcceptChannel,
    AcceptChannelTlvs,
    Error,
    OpenChannel,
    OpenChannelTlvs,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.state import Accepted, Finished, Invited
from tests.openingd import sides
from tests.openingd.player import Player

LARGE = ft.combine_features(sides.FEATURES, ft.encode_features([ft.LARGE_CHANNELS + 1]))
NOT_A_POINT = b"\x02" + b"\xff" * 32


def good_open() -> OpenChannel:
    (msg,) = sides.opener().sent()
    assert isinstance(msg, OpenChannel)
    return msg


def good_accept(alice: Player) -> AcceptChannel:
    (msg,) = sides.accepter(alice.outbox.pop(0)).sent()
    assert isinstance(msg, AcceptChannel)
    return msg


def rejected(player: Player, text: str) -> None:
    """Peer, log and master have the same words."""
    error = player.sent()[-1]
    assert isinstance(error, Error)
    assert error.channel_id == sides.TEMPORARY_ID
    said = error.data.decode()
    assert text in said
    assert player.only_told(OpeningdFailed).reason == said
    assert said in player.logged()
    assert player.machine.phase == Finished(opened=False)
    assert not player.asked()


def open_tlvs(**changes: Any) -> OpenChannelTlvs:
    return replace(good_open().tlvs, **changes)


def test_good_open_is_answered() -> None:
    bob = sides.accepter(good_open().encode())
    (msg,) = bob.sent()
    assert isinstance(msg, AcceptChannel)
    assert msg.temporary_channel_id == sides.TEMPORARY_ID
    assert msg.channel_reserve_satoshis == Sat(10_000)
    assert msg.minimum_depth == 3
    assert msg.tlvs.channel_type == ANCHORS_TYPE.encode()
    assert isinstance(bob.machine.phase, Invited)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"chain_hash": BITCOIN.chain_hash}, f"Unknown chain-hash {BITCOIN.genesis_hex}"),
        ({"funding_satoshis": Sat(1 << 24)}, "funding_satoshis 16777216sat too large"),
        ({"push_msat": Msat(1_000_000_001)}, "push_msat 1000000001msat would be too large"),
        ({"dust_limit_satoshis": Sat(353)}, "dust_limit_satoshis 353sat is smaller than 354sat"),
        (
            {"dust_limit_satoshis": Sat(600), "channel_reserve_satoshis": Sat(599)},
            "dust_limit_satoshis 600sat is greater than channel_reserve_satoshis 599sat",
        ),
        (
            {"dust_limit_satoshis": Sat(354), "channel_reserve_satoshis": Sat(400)},
            "channel_reserve_satoshis 400sat is below our dust limit 546sat",
        ),
        ({"to_self_delay": 2017}, "to_self_delay 2017 larger than 2016"),
        ({"max_accepted_htlcs": 484}, "max_accepted_htlcs 484 too large"),
        ({"max_accepted_htlcs": 0}, "max_accepted_htlcs 0 invalid"),
        ({"feerate_per_kw": 252}, "feerate_per_kw 252 below minimum 253"),
        ({"feerate_per_kw": 75_001}, "feerate_per_kw 75001 above maximum 75000"),
        ({"channel_reserve_satoshis": Sat(999_000)}, "too large for funding 1000000sat"),
        ({"channel_reserve_satoshis": Sat(987_000)}, "plus fee 2810sat too large for funding"),
        ({"htlc_minimum_msat": 990_000_000}, "htlc_minimum_msat 990000000msat too large"),
        (
            {"htlc_minimum_msat": MAX_MSAT + 1},
            "htlc_minimum_msat 2100000000000000001msat too large",
        ),
        (
            {"max_htlc_value_in_flight_msat": 9_999_999},
            "channel capacity is 9999sat, which is below",
        ),
        ({"funding_satoshis": Sat(20_000), "push_msat": Msat(0)}, "which is below 10000sat"),
        (
            {"push_msat": Msat(997_000_000)},
            "Funder cannot afford fee 3470sat on initial commitment",
        ),
        ({"funding_pubkey": NOT_A_POINT}, "funding_pubkey 02ff"),
        ({"revocation_basepoint": NOT_A_POINT}, "revocation_basepoint 02ff"),
        ({"payment_basepoint": NOT_A_POINT}, "payment_basepoint 02ff"),
        ({"delayed_payment_basepoint": NOT_A_POINT}, "delayed_payment_basepoint 02ff"),
        ({"htlc_basepoint": NOT_A_POINT}, "htlc_basepoint 02ff"),
        ({"first_per_commitment_point": NOT_A_POINT}, "first_per_commitment_point 02ff"),
    ],
)
def test_figures_of_open_channel(changes: dict[str, Any], text: str) -> None:
    bob = sides.accepter(replace(good_open(), **changes).encode())
    rejected(bob, "You gave bad parameters: ")
    rejected(bob, text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"channel_type": None}, "Did not set channel_type in open_channel message"),
        ({"channel_type": ChannelType(frozenset({22})).encode()}, "Did not support channel_type"),
        (
            {"channel_type": ANCHORS_TYPE.with_variant(zeroconf=True).encode()},
            "Did not support channel_type [static_remotekey/even,anchors/even,zeroconf/even]",
        ),
        (
            {"channel_type": ANCHORS_TYPE.with_variant(scid_alias=True).encode()},
            "scid_alias for a channel to be announced",
        ),
        ({"upfront_shutdown_script": b"\x51"}, "Unacceptable upfront_shutdown_script 51"),
        # p2pkh is not for anchors.
        (
            {"upfront_shutdown_script": b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"},
            "Unacceptable upfront_shutdown_script 76a914",
        ),
    ],
)
def test_tlvs_of_open_channel(changes: dict[str, Any], text: str) -> None:
    rejected(sides.accepter(replace(good_open(), tlvs=open_tlvs(**changes)).encode()), text)


def test_zeroconf_needs_trust() -> None:
    features = ft.combine_features(sides.FEATURES, ft.encode_features([ft.ZEROCONF + 1]))
    kind = ANCHORS_TYPE.with_variant(zeroconf=True).encode()
    raw = replace(good_open(), tlvs=open_tlvs(channel_type=kind)).encode()
    rejected(sides.accepter(raw, features), "you're not on our allowlist")
    trusted = sides.accepter(raw, features, limits=sides.limits(minimum_depth=0))
    (msg,) = trusted.sent()
    assert isinstance(msg, AcceptChannel)
    assert msg.minimum_depth == 0


def test_dual_fund_forbids_v1() -> None:
    features = ft.combine_features(sides.FEATURES, ft.encode_features([ft.DUAL_FUND + 1]))
    bob = sides.accepter(good_open().encode(), features, their_features=features)
    rejected(bob, "option_dual_fund was negotiated")


def test_both_at_or_below_reserve() -> None:
    # Large fees leave the opener as little as the accepter was pushed, and both reserves are high.
    msg = replace(
        good_open(),
        funding_satoshis=Sat(100_000),
        push_msat=Msat(12_000_000),
        feerate_per_kw=70_000,
        channel_reserve_satoshis=Sat(12_000),
    )
    low = sides.limits(min_effective_htlc_capacity=Msat(0))
    rejected(sides.accepter(msg.encode(), limits=low), "Neither self amount 8660000msat nor other")
    fair = replace(msg, push_msat=Msat(12_001_000))
    (answer,) = sides.accepter(fair.encode(), limits=low).sent()
    assert isinstance(answer, AcceptChannel)


def test_large_channels_where_both_want_them() -> None:
    raw = replace(good_open(), funding_satoshis=Sat(1 << 24)).encode()
    rejected(sides.accepter(raw, LARGE), "too large")
    (msg,) = sides.accepter(raw, LARGE, their_features=LARGE).sent()
    assert isinstance(msg, AcceptChannel)


def test_flags_and_no_limit() -> None:
    msg = replace(good_open(), channel_flags=0xFE, max_htlc_value_in_flight_msat=(1 << 64) - 1)
    bob = sides.accepter(msg.encode())
    terms = bob.machine.phase.terms
    assert not terms.announce
    assert terms.remote_config.max_htlc_value_in_flight == Msat(MAX_MSAT)


def test_reserve_follows_their_dust_limit() -> None:
    msg = replace(
        good_open(), dust_limit_satoshis=Sat(11_000), channel_reserve_satoshis=Sat(11_000)
    )
    assert sides.accepter(msg.encode()).machine.phase.terms.local_config.channel_reserve == Sat(
        11_000
    )
    wanted = sides.limits(sides.config(channel_reserve=Sat(20_000)))
    bob = sides.accepter(msg.encode(), limits=wanted)
    assert bob.machine.phase.terms.local_config.channel_reserve == Sat(20_000)


def test_dust_reserve_where_allowed() -> None:
    few = sides.config(max_accepted_htlcs=30)
    alice = sides.opener(limits=sides.limits(few, allow_dust_reserve=True), wanted_reserve=Sat(0))
    (msg,) = alice.sent()
    assert isinstance(msg, OpenChannel)
    assert msg.channel_reserve_satoshis == Sat(0)
    rejected(sides.accepter(msg.encode()), "is greater than channel_reserve_satoshis 0sat")
    bob = sides.accepter(msg.encode(), limits=sides.limits(few, allow_dust_reserve=True))
    assert isinstance(bob.sent()[0], AcceptChannel)
    tiny = replace(msg, funding_satoshis=Sat(33_000), push_msat=Msat(0))
    bob = sides.accepter(tiny.encode(), limits=sides.limits(few, allow_dust_reserve=True))
    rejected(bob, "commitment_transaction without outputs")


def test_broken_open_channel() -> None:
    bob = sides.accepter(good_open().encode()[:-140])
    rejected(bob, "Parsing open_channel: ")


# ---- accept_channel -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"dust_limit_satoshis": Sat(300)}, "is smaller than 354sat"),
        (
            {"dust_limit_satoshis": Sat(11_000), "channel_reserve_satoshis": Sat(11_000)},
            "dust limit 11000sat would be above our reserve 10000sat",
        ),
        ({"channel_reserve_satoshis": Sat(545)}, "channel_reserve_satoshis 545sat"),
        ({"to_self_delay": 2017}, "to_self_delay 2017 larger than 2016"),
        ({"max_accepted_htlcs": 484}, "max_accepted_htlcs 484 too large"),
        ({"channel_reserve_satoshis": Sat(990_000)}, "too large for funding 1000000sat"),
        ({"htlc_minimum_msat": 1 << 63}, "htlc_minimum_msat 9223372036854775808msat too large"),
        ({"funding_pubkey": NOT_A_POINT}, "funding_pubkey 02ff"),
        ({"tlvs": AcceptChannelTlvs()}, "accept_channel without a channel_type"),
        (
            {"tlvs": AcceptChannelTlvs(channel_type=STATIC_REMOTEKEY_TYPE.encode())},
            "Return unoffered channel_type: static_remotekey/even",
        ),
        (
            {
                "tlvs": AcceptChannelTlvs(
                    channel_type=ANCHORS_TYPE.encode(), upfront_shutdown_script=b"\x00"
                )
            },
            "Unacceptable upfront_shutdown_script 00",
        ),
        ({"temporary_channel_id": b"x" * 32}, "accept_channel ids don't match"),
    ],
)
def test_figures_of_accept_channel(changes: dict[str, Any], text: str) -> None:
    alice = sides.opener()
    alice.peer(replace(good_accept(alice), **changes))
    rejected(alice, text)


def test_minimum_depth_is_theirs_unless_zeroconf() -> None:
    alice = sides.opener()
    alice.peer(replace(good_accept(alice), minimum_depth=6))
    assert isinstance(alice.machine.phase, Accepted)
    assert alice.machine.phase.terms.minimum_depth == 6
    features = ft.combine_features(sides.FEATURES, ft.encode_features([ft.ZEROCONF + 1]))
    alice = sides.opener(features, their_features=features)
    alice.peer(replace(good_accept(alice), minimum_depth=0))
    terms = alice.machine.phase.terms
    assert (terms.minimum_depth, terms.channel_type.has_zeroconf) == (3, True)


# ---- what we do not even ask for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"funding_amount": Sat(1 << 24)}, "funding_satoshis 16777216sat too large"),
        ({"push": Msat(1_000_000_001)}, "push_msat"),
        ({"push": Msat(999_000_000)}, "Funder cannot afford fee"),
        ({"limits": sides.limits(max_to_self_delay=4)}, "to_self_delay 5 larger than 4"),
        ({"funding_amount": Sat(14_000), "push": Msat(0)}, "which is below 10000sat"),
    ],
)
def test_not_opening(changes: dict[str, Any], text: str) -> None:
    alice = sides.opener(**changes)
    assert alice.sent() == []
    reason = alice.only_told(OpeningdFailed).reason
    assert reason.startswith("Not opening because if they used the same setting as us ")
    assert text in reason


def test_scid_alias_only_for_unannounced() -> None:
    def kind(**changes: Any) -> bytes | None:
        (msg,) = sides.opener(**changes).sent()
        assert isinstance(msg, OpenChannel)
        return msg.tlvs.channel_type

    alias = ANCHORS_TYPE.with_variant(scid_alias=True).encode()
    assert kind(announce=False) == alias
    assert kind(announce=True, channel_type=alias) == ANCHORS_TYPE.encode()
    assert kind(announce=False, their_features=b"") == ANCHORS_TYPE.encode()
    # Left to us.
    assert kind(channel_type=b"") == ANCHORS_TYPE.encode()
    assert kind(channel_type=b"", their_features=b"") == STATIC_REMOTEKEY_TYPE.encode()


def test_every_message_survives_the_wire() -> None:
    messages: list[Message] = [good_open(), good_accept(sides.opener())]
    for msg in messages:
        assert type(msg).decode(msg.encode()) == msg


def test_any_channel_type_is_taken_where_a_test_wants_it() -> None:
    odd = ChannelType(frozenset({12, 20}))
    asked = replace(good_open(), tlvs=replace(good_open().tlvs, channel_type=odd.encode()))
    rejected(sides.accepter(asked.encode()), "Did not support channel_type")
    bob = sides.accepter(asked.encode(), any_channel_type=True)
    (answer,) = bob.sent()
    assert isinstance(answer, AcceptChannel)
    assert answer.tlvs.channel_type == odd.encode()
    assert (
        "dev-any-channel-type: accepting static_remotekey/even,anchor_outputs/even" in bob.logged()
    )
