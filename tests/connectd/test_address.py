"""Where to listen, whom to dial."""

from __future__ import annotations

import pytest

from pylightningd.common.address import Address, AddressError
from pylightningd.connectd.address import UnixSocket, parse_listen, parse_target


def test_listen() -> None:
    assert parse_listen("127.0.0.1:1", 9) == (Address("ipv4", "127.0.0.1", 1),)
    assert parse_listen("addr:localhost", 9) == (Address("ipv4", "127.0.0.1", 9),)
    assert parse_listen(":5", 9) == (Address("ipv6", "::", 5), Address("ipv4", "0.0.0.0", 5))
    assert parse_listen("", 9)[1] == Address("ipv4", "0.0.0.0", 9)
    assert parse_listen("/tmp/x", 9) == (UnixSocket("/tmp/x"),)


@pytest.mark.parametrize(
    "text", ["autotor:127.0.0.1:9051", "statictor:127.0.0.1", "ws:127.0.0.1:80"]
)
def test_unsupported(text: str) -> None:
    with pytest.raises(AddressError, match="not supported"):
        parse_listen(text, 9)
    with pytest.raises(AddressError, match="not supported"):
        parse_target(text, 9)


@pytest.mark.parametrize("text", ["example.com:9735", "/" + "x" * 200, "127.0.0.1:99999"])
def test_cannot_listen(text: str) -> None:
    with pytest.raises(AddressError, match="."):
        parse_listen(text, 9)


def test_target() -> None:
    assert parse_target("example.com", 9735) == Address("dns", "example.com", 9735)
    assert parse_target("dns:example.com:1", 9735) == Address("dns", "example.com", 1)
    assert str(parse_target("[::1]:7", 9)) == "[::1]:7"
    assert str(parse_target("/tmp/s", 9)) == "/tmp/s"


@pytest.mark.parametrize("text", ["", ":9735", "127.0.0.1:0", "a b", "1.2.3.4.5", "[::1", "x:y"])
def test_bad_target(text: str) -> None:
    with pytest.raises(AddressError, match="."):
        parse_target(text, 9735)
