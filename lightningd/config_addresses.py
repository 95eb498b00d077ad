"""Addresses in options: what `addr`, `bind-addr`, `announce-addr` and `proxy` accept."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?")
_ONION = re.compile(r"[a-z2-7]{56}\.onion")
_LONGEST_PATH = 107
_EXAMPLE = "expected for example 203.0.113.5:9735, [2001:db8::5]:9735 or node.example.com:9735"


def listen_address(text: str) -> str:
    """Somewhere to listen: an IP address or host name with or without port, ``:port``, or a socket's absolute path.
    Raises ValueError."""
    if text.startswith("/"):
        if len(text.encode()) > _LONGEST_PATH:
            raise ValueError(
                f"'{text}' is longer than the {_LONGEST_PATH} bytes of a socket's path"
            )
        return text
    return _host_and_port(text)


def announce_address(text: str) -> str:
    """Something others can dial. Raises ValueError."""
    if text.startswith(("/", ":")) or not text:
        raise ValueError(f"'{text}' is nothing that others can dial: {_EXAMPLE}")
    return _host_and_port(text)


def proxy_address(text: str) -> str:
    """A SOCKS5 proxy. Raises ValueError."""
    if text.startswith(("/", ":")) or not text:
        raise ValueError(f"'{text}' is no proxy: expected for example 127.0.0.1:9050")
    return _host_and_port(text)


def _host_and_port(text: str) -> str:
    if text.startswith(("autotor:", "statictor:")):
        raise ValueError(
            f"'{text}': this node makes no Tor service of its own. Let Tor make one (HiddenServiceDir, "
            "HiddenServicePort in its torrc) and give its name: announce-addr=<name>.onion"
        )
    host, port = _split(text)
    if port and not (port.isascii() and port.isdigit() and int(port) <= 65535):  # noqa: PLR2004 - the greatest port
        raise ValueError(f"Unable to parse address '{text}': '{port}' is no port; {_EXAMPLE}")
    if host and not _is_host(host):
        raise ValueError(f"Unable to parse address '{text}': '{host}' is no host; {_EXAMPLE}")
    return text


def _split(text: str) -> tuple[str, str]:
    """Host and port of ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")) or ":" not in host:
            raise ValueError(f"Unable to parse address '{text}': {_EXAMPLE}")
        return host, rest[1:]
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _is_host(host: str) -> bool:
    if host.endswith(".onion"):
        return _ONION.fullmatch(host) is not None
    if ":" in host:
        return _is(IPv6Address, host)
    if re.fullmatch(r"[0-9.]+", host):
        return _is(IPv4Address, host)
    return len(host) <= 255 and _HOST_NAME.fullmatch(host) is not None  # noqa: PLR2004 - a DNS name's greatest length


def _is(kind: type[IPv4Address] | type[IPv6Address], host: str) -> bool:
    try:
        kind(host)
    except AddressValueError:
        return False
    return True
