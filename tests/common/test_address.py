"""Addresses as text and as BOLT 7's descriptors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.address import (
    Address,
    AddressError,
    parse_address,
    read_address,
    read_addresses,
)
from pylightningd.common.errors import WireError

ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion"
TEXTS = ["1.2.3.4:9735", "[2001:db8::1]:9735", f"{ONION}:80", "node.example.org:1"]


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(text: str) -> None:
    address = parse_address(text, 1)
    assert str(address) == text
    raw = address.encode()
    assert read_address(raw) == (address, len(raw))
    for size in range(1, len(raw)):
        with pytest.raises(WireError):
            read_address(raw[:size])


def test_a_list_ends_at_the_first_unknown_type() -> None:
    raw = b"".join(parse_address(t, 1).encode() for t in TEXTS)
    tor_v2 = b"\x03" + bytes(12)
    assert [str(a) for a in read_addresses(tor_v2 + raw + b"\x77garbage")] == TEXTS
    assert read_addresses(Address("ipv4", "1.2.3.4", 0).encode()) == []
    with pytest.raises(WireError, match="left"):
        read_addresses(b"\x01\x02")


@pytest.mark.parametrize(
    ("text", "kind"), [("::1", "ipv6"), ("localhost", "ipv4"), ("[::1]", "ipv6"), ("a.b", "dns")]
)
def test_default_port(text: str, kind: str) -> None:
    address = parse_address(text, 77)
    assert (address.kind, address.port) == (kind, 77)


@pytest.mark.parametrize(
    "text",
    ["x" * 56 + ".onion", "a" * 16 + ".onion", ONION.replace("v", "w", 1), "a..b", "-a", "é.org"],
)
def test_bad(text: str) -> None:
    with pytest.raises(AddressError, match="."):
        parse_address(text, 1)


def test_public() -> None:
    assert parse_address("8.8.8.8", 1).is_public()
    assert not parse_address("127.0.0.1", 1).is_public()
    assert parse_address("127.0.0.1", 1).is_public(allow_localhost=True)
    assert not parse_address("10.1.2.3", 1).is_public(allow_localhost=True)


@given(st.binary(max_size=80))
def test_any_bytes(raw: bytes) -> None:
    try:
        for address in read_addresses(raw):
            assert read_addresses(address.encode()) == [address]
    except WireError:
        pass
