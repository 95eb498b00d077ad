"""The format of static channel backups, held against bytes from Core Lightning's own tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.address import Address
from pylightningd.common.amount import Sat
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, Txid
from pylightningd.common.shachain import MAX_INDEX, Shachain, generate_from_seed
from pylightningd.lightningd.backup.keeper import open_backup
from pylightningd.lightningd.backup.scb import (
    Backup,
    BadBackup,
    RemotePoints,
    ScbChannel,
    address_of,
    decode_backup,
    decode_channel,
)
from pylightningd.lightningd.backup.secret import read_secret

# tests/autogenerate-rpc-examples.py of CLN: what its `staticbackup` showed.
CLN_ENTRY = bytes.fromhex(
    "0000000000000006f4e1de801de57374d5737da622611e3a1ad9f16d5df9c30fceecc11ce732eeeb022d223620a359a47ff7f7ac447c85"
    "c46c923da53389221a0054c11c1e3ca31d59017f000001a95cbe3270e5e0998af5eb0a67f7bf6e8d5b3d3d43059b3e4cfbd1e4fca6152c"
    "51320000000100000000000f42400003401000000000eb015c0000fffffffffffe000000020000ffffffffffff3283fc1863a9702a8e18"
    "8ed55475324e55485a8758d2068cfea35851418c55740000fffffffffffed00ec892b1739b55ddc0cca2988d8731eb33f2295c1fcc13fd"
    "bdfff9d3f85d6d038402a6939f0f9d5c7a41464169eb692b4d2d73266b3c46345cd036ca577a15bdeeaa027662682a646ce7671c3a091b"
    "f639176e87d3379022126b209ebadadae19ffc0e02c59668c64362eaeabf44ee4f10b98fc92412cbea74b6f3a917423dfdf3ca28260277"
    "3e6c29472ab708e5b127e8ae1ce2d8b7f56b457299f93bb72bb73fdbcf91770501010702a5f8"
)
# tests/test_misc.py of CLN: an emergency.recover of its node whose hsm_secret is "lightning-1" and zeros.
CLN_FILE = bytes.fromhex(
    "4e90ed80be3ddf666967ecdebc296cb0ec9f9f2e1adf3b1ef359d74ae40dd152167572828e682105992d4cabe8b11edafe5069143950262"
    "ad42efa2cb629d7e9b990c9c3de2fc3cc30ef13cfa94cd4f5a9f9a70ea7837f3d0bbd5442c5086d34f0bc4d4343c9309109afa9350dc869"
    "f3eed66a4f52a46674bbe5bc4aedffd3585d8522c96739b9db57a00f8cc17a0221f72f1fd8c1b661f34eed33cde97c84e043dc2abc7d862"
    "f49949d7a904a56b2fefef3bf0fd56a32635c8d23"
)
CLN_SECRET = (b"lightning-1" + bytes(21)).hex()
POINT = b"\x02" + bytes(32)


def channel(**changes: object) -> ScbChannel:
    values: dict[str, object] = {
        "dbid": 7,
        "channel_id": ChannelId(bytes(range(32))),
        "peer_id": NodeId(b"\x03" + bytes(32)),
        "address": Address("ipv4", "203.0.113.5", 9735),
        "funding": Outpoint(Txid(bytes(range(32))), 1),
        "funding_amount": Sat(1_000_000),
        "channel_type": b"\x10\x00",
    }
    return ScbChannel(**values | changes)  # type: ignore[arg-type]


def chain_of(count: int) -> Shachain:
    chain = Shachain()
    for n in range(count):
        chain = chain.insert(MAX_INDEX - n, generate_from_seed(bytes(32), MAX_INDEX - n))
    return chain


def test_an_entry_of_cln_is_read_and_written() -> None:
    entry = decode_channel(CLN_ENTRY)
    assert entry.dbid == 6
    assert entry.channel_id.hex().startswith("f4e1de80")
    assert str(entry.address) == "127.0.0.1:43356"
    assert entry.funding.index == 1
    assert entry.funding_amount == Sat(1_000_000)
    assert entry.channel_type.hex() == "401000"
    assert entry.we_are_opener is False
    assert entry.to_self_delay == 0xA5F8
    assert entry.shachain is not None
    assert entry.shachain.next_index == MAX_INDEX - 2
    assert entry.can_punish
    assert entry.encode() == CLN_ENTRY


def test_a_file_of_cln_is_opened_with_its_secret_alone() -> None:
    backup = open_backup(read_secret(CLN_SECRET).backup_key(), CLN_FILE)
    assert backup.is_legacy
    assert backup.timestamp == 0x67B4C103
    (entry,) = backup.channels
    assert entry.dbid == 1
    cid = "3497625a774a5e1839f1a4a6b23a6a06493817ae90ff4ed0a536f4202845de2f"
    assert entry.channel_id.hex() == cid
    assert entry.funding_amount == Sat(1_000_000)
    assert str(entry.address) == "127.0.0.1:52482"
    assert not entry.can_punish
    # An old entry is taken by recoverchannel as well.
    assert decode_channel(entry.encode_legacy()) == entry
    with pytest.raises(BadBackup, match="of another node"):
        open_backup(read_secret("00" * 32).backup_key(), CLN_FILE)


@pytest.mark.parametrize(
    "address",
    [
        Address("ipv4", "203.0.113.5", 9735),
        Address("ipv6", "2001:db8::1", 9735),
        Address("dns", "node.example.com", 9736),
        None,
    ],
)
def test_addresses(address: Address | None) -> None:
    entry = channel(address=address)
    assert decode_channel(entry.encode()) == entry


def test_everything_there_and_back() -> None:
    points = RemotePoints(revocation=POINT, payment=POINT, htlc=POINT, delayed_payment=POINT)
    full = channel(
        shachain=chain_of(300), remote_points=points, we_are_opener=True, to_self_delay=144
    )
    backup = Backup(1_700_000_000, (channel(), full))
    assert decode_backup(backup.encode()) == backup
    assert decode_channel(channel(shachain=Shachain()).encode()).shachain == Shachain()


def test_what_is_no_backup() -> None:
    good = Backup(1, (channel(),)).encode()
    for bad, why in (
        (good[:-1], "cut short"),
        (good + b"\0\1", "too many"),
        (b"\x00\x01" + good[2:], "no channel backup"),
        (good[:2] + b"\0" * 7 + b"\x04" + good[10:], "Incompatible version"),
    ):
        with pytest.raises(BadBackup, match=why):
            decode_backup(bad)
    assert decode_backup(good + bytes(700)) == decode_backup(good)  # padding
    # Bits that CLN lets change at will do not make it another version.
    assert decode_backup(good[:2] + b"\0" * 7 + b"\x03" + good[10:]).timestamp == 1
    with pytest.raises(BadBackup, match="no public key"):
        decode_channel(channel(peer_id=NodeId(bytes(33))).encode())
    with pytest.raises(BadBackup, match="cut short"):
        decode_channel(b"")
    head = channel().encode()[:-4]
    with pytest.raises(BadBackup, match="part of type 2"):
        decode_channel(head + b"\0\0\0\2\2\0")
    assert decode_channel(head + b"\0\0\0\2\x63\0") == channel()


@given(place=st.integers(0, len(CLN_ENTRY) - 1), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_damage_is_noticed_or_harmless(place: int, value: int, cut: int) -> None:
    for raw in (CLN_ENTRY[:place] + bytes((value,)) + CLN_ENTRY[place + 1 :], CLN_ENTRY[:cut]):
        try:
            entry = decode_channel(raw)
        except BadBackup:
            continue
        assert decode_channel(entry.encode()) == entry


def test_numbers_that_cannot_be() -> None:
    for changed in ({"dbid": 0}, {"dbid": 1 << 48}, {"dbid": 1 << 63}):
        with pytest.raises(BadBackup, match="no channel number"):
            decode_channel(channel(**changed).encode())
    raw = CLN_ENTRY.replace(bytes.fromhex("00000000000f4240"), b"\xff" * 8)
    with pytest.raises(BadBackup, match="sat"):
        decode_channel(raw)


def test_a_chain_of_secrets_that_is_none() -> None:
    raw = channel(shachain=chain_of(2)).encode()
    broken = raw.replace(bytes.fromhex("fffffffffffe"), bytes.fromhex("fffffffffffc"))
    with pytest.raises(BadBackup):
        decode_channel(broken)


def test_addresses_that_a_backup_cannot_hold() -> None:
    assert address_of("/run/lightning/socket") is None
    assert address_of("") is None
