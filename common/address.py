"""Network addresses of nodes: their text, and the descriptors of BOLT 7. No lookups here.

A text is ``host``, ``host:port``, ``[ipv6]:port`` or ``<56 letters>.onion:port``.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from hashlib import sha3_256
from typing import Literal, TypeAlias

from pylightningd.common.errors import WireError

Kind: TypeAlias = Literal["ipv4", "ipv6", "torv3", "dns"]

_IPV4, _IPV6, _TORV2, _TORV3, _DNS = 1, 2, 3, 4, 5
_LENGTHS = {_IPV4: 6, _IPV6: 18, _TORV2: 12, _TORV3: 37}
_HOSTNAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_LOCAL_NAMES = {"localhost": "127.0.0.1", "ip6-localhost": "::1"}


class AddressError(ValueError):
    """A text that is no address, or one of a kind that we do not use."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node listens. `host` is in its usual text form, without brackets."""

    kind: Kind
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.kind == "ipv6" else self.host
        return f"{host}:{self.port}"

    def encode(self) -> bytes:
        """The descriptor, type first."""
        # BOLT 7, "The `node_announcement` Message": the first byte of a descriptor is its type.
        port = self.port.to_bytes(2, "big")
        if self.kind == "ipv4":
            return bytes((_IPV4,)) + ipaddress.IPv4Address(self.host).packed + port
        if self.kind == "ipv6":
            return bytes((_IPV6,)) + ipaddress.IPv6Address(self.host).packed + port
        if self.kind == "torv3":
            return bytes((_TORV3,)) + _onion_bytes(self.host) + port
        name = self.host.encode("ascii")
        return bytes((_DNS, len(name))) + name + port

    @property
    def is_ip(self) -> bool:
        """Whether it can be dialled without a lookup or a proxy."""
        return self.kind in ("ipv4", "ipv6")

    def is_public(self, *, allow_localhost: bool = False) -> bool:
        """Whether others on the internet can reach it, as far as the text tells."""
        if not self.is_ip:
            return True
        ip = ipaddress.ip_address(self.host)
        return ip.is_global or (allow_localhost and ip.is_loopback)


# ---- text ---------------------------------------------------------------------------------------


def split_port(text: str, default_port: int) -> tuple[str, int]:
    """Host and port of ``host``, ``host:port``, ``[v6]``, ``[v6]:port`` or a bare IPv6. Raises AddressError."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError(f"{text!r}: an IPv6 address with a port looks like [::1]:9735")
        return host, _port(text, rest[1:]) if rest else default_port
    if text.count(":") != 1:
        return text, default_port
    host, _, port = text.partition(":")
    return host, _port(text, port)


def parse_address(text: str, default_port: int) -> Address:
    """Read an address; a name that is no IP address and no onion is a DNS name. Raises AddressError."""
    host, port = split_port(text.strip(), default_port)
    host = _LOCAL_NAMES.get(host, host)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return _named(text, host, port)
    return Address("ipv4" if ip.version == 4 else "ipv6", str(ip), port)


def _named(text: str, host: str, port: int) -> Address:
    if host.lower().endswith(".onion"):
        host = host.lower()
        try:
            _onion_bytes(host)
        except ValueError as err:
            raise AddressError(f"{text!r}: {err}") from None
        return Address("torv3", host, port)
    if not _HOSTNAME.fullmatch(host) or len(host) > 255 or host.replace(".", "").isdigit():
        raise AddressError(f"{text!r} is neither an IP address, an onion address nor a host name")
    return Address("dns", host, port)


def _port(text: str, digits: str) -> int:
    if not digits.isascii() or not digits.isdigit() or not 0 <= int(digits) <= 0xFFFF:
        raise AddressError(f"{text!r}: {digits!r} is no port (0 to 65535)")
    return int(digits)


def _onion_bytes(host: str) -> bytes:
    label = host.removesuffix(".onion")
    if len(label) == 16:
        raise ValueError("Tor v2 addresses no longer work")
    try:
        raw = base64.b32decode(label.upper())
    except ValueError:
        raw = b""
    if len(raw) != 35:
        raise ValueError("a Tor v3 address has 56 letters and digits before .onion")
    check = sha3_256(b".onion checksum" + raw[:32] + raw[34:]).digest()[:2]
    if raw[34] != 3 or raw[32:34] != check:
        raise ValueError("a Tor v3 address with a wrong checksum; is a letter mistyped?")
    return raw


# ---- descriptors --------------------------------------------------------------------------------


def read_address(buf: bytes, pos: int = 0) -> tuple[Address | None, int]:
    """The descriptor at `pos` and the position after it; None for one that is known but not used.

    Raises WireError where it is truncated, UnknownDescriptor where its type is not known.
    """
    if pos >= len(buf):
        raise WireError("address descriptor: nothing to read")
    kind = buf[pos]
    pos += 1
    if kind == _DNS:
        size = (buf[pos] if pos < len(buf) else 0) + 3
    elif kind in _LENGTHS:
        size = _LENGTHS[kind]
    else:
        raise UnknownDescriptor(f"address descriptor of unknown type {kind}")
    raw = buf[pos : pos + size]
    if len(raw) != size:
        raise WireError(
            f"address descriptor of type {kind}: {size} bytes announced, {len(raw)} left"
        )
    return _from_bytes(kind, raw), pos + size


def read_addresses(buf: bytes) -> list[Address]:
    """The usable addresses of a node_announcement. Raises WireError where a known one is truncated."""
    found: list[Address] = []
    pos = 0
    while pos < len(buf):
        try:
            address, pos = read_address(buf, pos)
        except UnknownDescriptor:
            # BOLT 7, "The `node_announcement` Message", receiver SHOULD ignore the first descriptor of a
            # type it does not know; its length is unknown too, so what follows cannot be read.
            break
        # BOLT 7, "The `node_announcement` Message", receiver SHOULD ignore an address with port 0.
        if address is not None and address.port:
            found.append(address)
    return found


class UnknownDescriptor(WireError):
    """A descriptor whose type, and so whose length, is not known."""


def _from_bytes(kind: int, raw: bytes) -> Address | None:
    port = int.from_bytes(raw[-2:], "big")
    body = raw[:-2]
    if kind == _IPV4:
        return Address("ipv4", str(ipaddress.IPv4Address(body)), port)
    if kind == _IPV6:
        return Address("ipv6", str(ipaddress.IPv6Address(body)), port)
    if kind == _TORV3:
        return Address("torv3", base64.b32encode(body).decode().lower() + ".onion", port)
    if kind == _DNS:
        try:
            name = body[1:].decode("ascii")
        except UnicodeDecodeError:
            return None
        return Address("dns", name, port) if _HOSTNAME.fullmatch(name) else None
    return None
