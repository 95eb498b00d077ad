"""What our init says, and whose init we take."""

from __future__ import annotations

import pytest

from pylightningd.common.address import Address, parse_address
from pylightningd.common.errors import WarnPeer
from pylightningd.common.features import decode_features, encode_features
from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.common.wire.peer_wire import Init, InitTlvs
from pylightningd.connectd.init import make_init, read_init

OURS = encode_features([8, 12, 14, 23, 25, 39])
CHAIN = REGTEST.chain_hash


def theirs(bits: list[int], **tlvs: object) -> bytes:
    return Init(globalfeatures=b"", features=encode_features(bits), tlvs=InitTlvs(**tlvs)).encode()


def test_ours_is_taken_by_ourselves() -> None:
    init = make_init(OURS, CHAIN, Address("ipv4", "127.0.0.1", 1234))
    assert max(decode_features(init.globalfeatures)) <= 13
    got = read_init(init.encode(), OURS, CHAIN)
    assert got.features == OURS
    assert got.remote_address == "127.0.0.1:1234"


@pytest.mark.parametrize("text", ["192.168.1.5:9735", "10.0.0.1:9735", "[fe80::1]:9735"])
def test_private_addresses_are_not_told(text: str) -> None:
    assert make_init(OURS, CHAIN, parse_address(text, 0)).tlvs.remote_addr is None


def test_bitmaps_are_combined() -> None:
    raw = Init(globalfeatures=encode_features([12]), features=encode_features([39])).encode()
    assert decode_features(read_init(raw, OURS, CHAIN).features) == {12, 39}


def test_unknown_even_bit_is_refused_odd_is_not() -> None:
    assert read_init(theirs([12, 1001]), OURS, CHAIN)
    with pytest.raises(WarnPeer, match="Unsupported feature 1000"):
        read_init(theirs([12, 1000]), OURS, CHAIN)


def test_missing_dependency() -> None:
    with pytest.raises(WarnPeer, match="requires feature 14"):
        read_init(theirs([17]), encode_features([15, 17]), CHAIN)


def test_networks() -> None:
    assert read_init(theirs([], networks=(BITCOIN.chain_hash, CHAIN)), OURS, CHAIN)
    with pytest.raises(WarnPeer, match="No common network: you are on bitcoin"):
        read_init(theirs([], networks=(BITCOIN.chain_hash,)), OURS, CHAIN)


@pytest.mark.parametrize("raw", ["", "01", "09ff", "017f0000", "047f", "0201"])
def test_a_bad_remote_address_is_ignored(raw: str) -> None:
    got = read_init(theirs([], remote_addr=bytes.fromhex(raw)), OURS, CHAIN)
    assert got.remote_address == ""


@pytest.mark.parametrize("raw", ["0010", "001000", "001000050000", "00100000000302", "0011"])
def test_malformed(raw: str) -> None:
    with pytest.raises(WarnPeer, match="Malformed init"):
        read_init(bytes.fromhex(raw), OURS, CHAIN)
