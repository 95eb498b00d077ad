"""Feature bitmaps, names and checks; channel types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common import features as ft
from pylightningd.common.channel_type import (
    ANCHORS_TYPE,
    STATIC_REMOTEKEY_TYPE,
    ChannelType,
    default_channel_type,
    is_acceptable,
)
from pylightningd.common.errors import WarnPeer


@given(st.frozensets(st.integers(0, 300)))
def test_bitmap_round_trip(bits: frozenset[int]) -> None:
    bitmap = ft.encode_features(bits)
    assert ft.decode_features(bitmap) == bits
    assert ft.decode_features(b"\0\0" + bitmap) == bits
    assert bitmap[:1] != b"\0"
    assert all(ft.has_bit(bitmap, b) for b in bits)
    assert ft.same_features(b"\0" + bitmap, bitmap)


def test_bit_order() -> None:
    assert ft.encode_features({0}) == b"\x01"
    assert ft.encode_features({12}) == b"\x10\x00"
    assert not ft.has_bit(b"\x10\x00", 13)
    assert not ft.has_bit(b"", 0)


def test_names_are_clns() -> None:
    assert ft.feature_names(ft.encode_features({1, 12, 23, 104, 2000})) == [
        "option_data_loss_protect/odd",
        "option_static_remotekey/even",
        "option_anchors/odd",
        "option_unknown_104/even",
        "option_unknown_2000/even",
    ]


OURS = ft.encode_features({1, 8, 12, 14, 17, 23, 45, 47, 51})


def test_unknown_odd_is_fine_and_unknown_even_is_not() -> None:
    ft.check_peer_features(OURS, ft.encode_features({8, 999}))
    ft.check_peer_features(OURS, ft.encode_features({0, 22}))
    with pytest.raises(WarnPeer, match="Unsupported feature 100 "):
        ft.check_peer_features(OURS, ft.encode_features({8, 100, 200}))


def test_missing_dependencies_are_refused() -> None:
    with pytest.raises(WarnPeer, match="option_basic_mpp/even.*option_payment_secret/even"):
        ft.check_peer_features(OURS, ft.encode_features({17}))
    ft.check_peer_features(OURS, ft.encode_features({15, 17}))
    assert ft.missing_dependency(ft.encode_features({51})) == (50, 46)
    assert ft.missing_dependency(ft.encode_features({61})) == (60, 26)


def test_places() -> None:
    bits = {8, 13, 17, 49, 999}
    assert ft.decode_features(ft.features_for(ft.Place.INIT, bits)) == {8, 13, 17}
    assert ft.decode_features(ft.features_for(ft.Place.INVOICE, bits)) == {8, 17, 49}
    assert ft.features_for(ft.Place.CHANNEL, bits) == b""


def test_combining() -> None:
    assert ft.combine_features(b"\x01", b"\x01\x00") == b"\x01\x01"
    assert ft.without_features(b"\x01\x03", 0) == b"\x01\x00"
    assert ft.negotiated(OURS, ft.encode_features({22}), ft.ANCHORS_ZERO_FEE_HTLC)
    assert ft.requires(OURS, 12)
    assert not ft.requires(OURS, 22)


def test_channel_type_names_and_bytes() -> None:
    assert ANCHORS_TYPE.encode().hex() == "401000"
    assert STATIC_REMOTEKEY_TYPE.encode().hex() == "1000"
    assert ANCHORS_TYPE.names() == ["static_remotekey/even", "anchors/even"]
    full = ANCHORS_TYPE.with_variant(scid_alias=True, zeroconf=True)
    assert ChannelType.decode(full.encode()) == full
    assert full.is_known
    assert full.has_anchors
    assert full.has_scid_alias
    assert full.has_zeroconf


def test_default_channel_type() -> None:
    assert default_channel_type(OURS, ft.encode_features({23})) is ANCHORS_TYPE
    assert default_channel_type(OURS, ft.encode_features({13})) is STATIC_REMOTEKEY_TYPE


def test_acceptable_channel_types() -> None:
    assert is_acceptable(ANCHORS_TYPE, OURS)
    assert is_acceptable(STATIC_REMOTEKEY_TYPE.with_variant(zeroconf=True), OURS)
    assert not is_acceptable(ChannelType(frozenset({22})), OURS)
    assert not is_acceptable(ChannelType(frozenset({12, 13})), OURS)
    assert not is_acceptable(ChannelType(frozenset({12, 20})), OURS)
    assert not is_acceptable(ANCHORS_TYPE, ft.encode_features({13}))
    assert not is_acceptable(STATIC_REMOTEKEY_TYPE, ft.encode_features({12, 22}))
