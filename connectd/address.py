"""Where to listen and whom to dial, as CLN's options and `connect` write it.

What both sides of the node share (host, port, BOLT 7 descriptors) is in `common.address`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pylightningd.common.address import Address, AddressError, parse_address, split_port

MAX_SOCKET_PATH = 107
"""What fits the kernel's `sun_path` with its final zero."""


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return self.path


Target: TypeAlias = Address | UnixSocket

_TOR_SERVICES = ("autotor:", "statictor:")


def parse_target(text: str, default_port: int) -> Target:
    """An address to dial. Raises AddressError."""
    text = text.strip().removeprefix("addr:")
    if text.startswith("/"):
        return _unix(text)
    _refuse(text, "connect to")
    if not text or text.startswith(":"):
        raise AddressError(f"{text!r}: a host is missing")
    address = parse_address(text.removeprefix("dns:"), default_port)
    if address.port == 0:
        raise AddressError(f"{text!r}: port 0 cannot be connected to")
    return address


def parse_listen(text: str, default_port: int) -> tuple[Target, ...]:
    """What to bind for one `--addr` or `--bind-addr`; a wildcard gives IPv6 and IPv4. Raises AddressError."""
    text = text.strip().removeprefix("addr:").removeprefix("bind:")
    if text.startswith("/"):
        return (_unix(text),)
    _refuse(text, "listen on")
    host, port = split_port(text, default_port)
    if host == "":
        return Address("ipv6", "::", port), Address("ipv4", "0.0.0.0", port)
    address = parse_address(text, default_port)
    if not address.is_ip:
        raise AddressError(f"{text!r}: only an IP address or a socket path can be listened on")
    return (address,)


def is_wildcard(target: Target) -> bool:
    """Whether it stands for all addresses of this machine."""
    return isinstance(target, Address) and target.host in ("::", "0.0.0.0")


def _unix(path: str) -> UnixSocket:
    if len(path.encode()) > MAX_SOCKET_PATH:
        raise AddressError(f"{path!r}: a socket path has at most {MAX_SOCKET_PATH} bytes")
    return UnixSocket(path)


def _refuse(text: str, what: str) -> None:
    for prefix in _TOR_SERVICES:
        if text.startswith(prefix):
            raise AddressError(
                f"{text!r}: {prefix} is not supported: make the onion service in torrc and announce it "
                "with --announce-addr=<name>.onion"
            )
    if text.startswith(("ws:", "wss:")):
        raise AddressError(f"{text!r}: cannot {what} websockets: not supported")
