"""Where the node listens, and what it tells others of that: --addr, --bind-addr, --announce-addr, --autolisten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pylightningd.lightningd.config import Config

Json = dict[str, Any]


class Addresses:
    """The node's own addresses, as text ``host:port`` or a socket's path."""

    def __init__(self, config: Config, default_port: int) -> None:
        self._port = default_port
        addr = list(config["addr"] or ())
        self.announced = [self._with_port(a) for a in (*addr, *(config["announce-addr"] or ()))]
        self.listen = [self._with_port(a) for a in (*addr, *(config["bind-addr"] or ()))]
        self.bindings: list[str] = []
        if config["offline"]:
            self.listen = []
        elif not self.listen and not config["announce-addr"] and config["autolisten"]:
            self.listen = [self._with_port("")]
        self._allow_localhost = bool(config["dev-allow-localhost"])

    def _with_port(self, address: str) -> str:
        """Add the network's port where none is given."""
        has_port = address.rpartition(":")[2].isdigit()
        if address.startswith("/") or (has_port and (address.count(":") == 1 or "]:" in address)):
            return address
        if address.startswith("["):
            return f"{address}:{self._port}"
        if address.count(":") > 1:
            return f"[{address}]:{self._port}"
        return f"{address.rstrip(':')}:{self._port}"

    def bound(self, bindings: list[str]) -> None:
        """What connectd really listens on."""
        self.bindings = bindings

    def to_announce(self) -> list[str]:
        """What node_announcement may carry: public addresses, and localhost only for tests."""
        return [a for a in self.announced if self._allow_localhost or not is_local(a)]

    def info(self) -> Json:
        """getinfo's `address` and `binding`."""
        return {
            "address": [address_json(a) for a in self.to_announce()],
            "binding": [address_json(a) for a in self.bindings],
        }


def is_local(address: str) -> bool:
    """Whether others could not reach it."""
    host = split_address(address)[0]
    return host in ("", "localhost", "::1", "0.0.0.0", "::") or host.startswith(("127.", "/"))  # noqa: S104


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` in two; a path has port 0."""
    if address.startswith("/"):
        return address, 0
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port or 0)


def address_json(address: str) -> Json:
    """An address as commands show it: type, address and port."""
    if address.startswith("/"):
        return {"type": "local socket", "socket": address}
    host, port = split_address(address)
    return {"type": address_type(host), "address": host, "port": port}


def address_type(host: str) -> str:
    """CLN's name of an address's kind."""
    if host.endswith(".onion"):
        return "torv3"
    if ":" in host:
        return "ipv6"
    parts = host.split(".")
    if len(parts) == 4 and all(p.isdigit() for p in parts):  # noqa: PLR2004 - the four bytes of IPv4
        return "ipv4"
    return "dns"
