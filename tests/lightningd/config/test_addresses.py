"""Addresses in options."""

from __future__ import annotations

import pytest

from pylightningd.lightningd.config_addresses import announce_address, listen_address, proxy_address

ONION = "a" * 56 + ".onion"


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.5",
        "203.0.113.5:9735",
        "[2001:db8::5]:9735",
        "[2001:db8::5]",
        "2001:db8::5",
        "node.example.com",
        "node.example.com:1",
        "localhost:0",
        f"{ONION}:9735",
    ],
)
def test_good_anywhere(text: str) -> None:
    assert listen_address(text) == announce_address(text) == proxy_address(text) == text


@pytest.mark.parametrize("text", ["/run/lightningd/peers", ":9735", ""])
def test_good_to_listen_on_only(text: str) -> None:
    assert listen_address(text) == text
    for only_dialled in (announce_address, proxy_address):
        with pytest.raises(ValueError, match="expected for example"):
            only_dialled(text)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:99999",
        "127.0.0.1:x",
        "256.0.0.1:9735",
        "1.2.3",
        "[::1",
        "[::1]9735",
        "[1.2.3.4]:9735",
        "2001:db8::zz",
        "@",
        "bad host",
        "-x.com",
        "a..b",
        "x" * 64 + ".com",
        "short.onion:9735",
    ],
)
def test_bad_anywhere(text: str) -> None:
    for parse in (listen_address, announce_address, proxy_address):
        with pytest.raises(ValueError, match="Unable to parse address.*expected for example"):
            parse(text)


def test_tor_services_are_explained() -> None:
    with pytest.raises(ValueError, match="announce-addr=<name>.onion"):
        listen_address("statictor:127.0.0.1:9051")


def test_a_socket_path_has_a_greatest_length() -> None:
    with pytest.raises(ValueError, match="107 bytes"):
        listen_address("/" + "x" * 107)
