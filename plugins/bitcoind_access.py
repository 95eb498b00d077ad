"""How to reach bitcoind: from the options, from bitcoin.conf, from its cookie. Reads files, connects to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pylightningd.common.network import Network

COOKIE_FOLDERS = {
    "bitcoin": "",
    "testnet": "testnet3",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}
CONF_SECTIONS = {
    "bitcoin": "main",
    "testnet": "test",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}


@dataclass(frozen=True)
class Access:
    """Where bitcoind listens and what it wants to hear."""

    host: str
    port: int
    user: str
    password: str
    source: str
    """Where user and password come from, for messages."""

    def __repr__(self) -> str:
        return f"Access({self.where}, credentials from {self.source})"

    @property
    def where(self) -> str:
        """Host and port as a person writes them."""
        return f"{self.host}:{self.port}"


class NoCredentialsError(Exception):
    """No user and password were given and there is no cookie (yet); the text says where it was looked for."""


def default_datadir(home: Path) -> Path:
    """Where bitcoind keeps its files unless told otherwise."""
    return home / ".bitcoin"


def read_conf(text: str, network: str) -> dict[str, str]:
    """What a bitcoin.conf says for this network: its section wins over the part before all sections."""
    top: dict[str, str] = {}
    own: dict[str, str] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip() if "rpcpassword" not in raw else raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
            continue
        key, found, value = line.partition("=")
        if not found:
            continue
        key = key.strip()
        prefix, dot, rest = key.partition(".")
        if dot and prefix == CONF_SECTIONS[network]:
            own.setdefault(rest, value.strip())
        elif section == CONF_SECTIONS[network]:
            own.setdefault(key, value.strip())
        elif not section and not dot:
            top.setdefault(key, value.strip())
    return top | own


def find_access(options: Mapping[str, object], network: Network, home: Path) -> Access:
    """Work out the access. Raises NoCredentialsError. Reads the files anew: bitcoind makes a new cookie at each start."""
    datadir = Path(str(options.get("bitcoin-datadir") or default_datadir(home))).expanduser()
    conf = _read_conf_file(datadir / "bitcoin.conf", network.name)
    host, port = _host_and_port(
        str(options.get("bitcoin-rpcconnect") or conf.get("rpcconnect") or "127.0.0.1"),
        str(options.get("bitcoin-rpcport") or conf.get("rpcport") or network.rpc_port),
    )
    if options.get("bitcoin-rpcuser") or options.get("bitcoin-rpcpassword"):
        return Access(
            host, port,
            str(options.get("bitcoin-rpcuser") or conf.get("rpcuser") or ""),
            str(options.get("bitcoin-rpcpassword") or conf.get("rpcpassword") or ""),
            "the options",
        )  # fmt: skip
    if conf.get("rpcpassword"):
        return Access(
            host, port, conf.get("rpcuser", ""), conf["rpcpassword"], str(datadir / "bitcoin.conf")
        )
    cookie = _cookie_path(datadir, conf, network.name)
    try:
        user, _, password = cookie.read_text().strip().partition(":")
    except OSError as why:
        raise NoCredentialsError(
            f"no bitcoin-rpcuser and bitcoin-rpcpassword are set, {datadir / 'bitcoin.conf'} has none, "
            f"and the cookie {cookie} cannot be read ({why.strerror})"
        ) from None
    return Access(host, port, user, password, str(cookie))


def _cookie_path(datadir: Path, conf: Mapping[str, str], network: str) -> Path:
    base = Path(conf["datadir"]).expanduser() if conf.get("datadir") else datadir
    return base / COOKIE_FOLDERS[network] / (conf.get("rpccookiefile") or ".cookie")


def _read_conf_file(path: Path, network: str) -> dict[str, str]:
    try:
        return read_conf(path.read_text(errors="replace"), network)
    except OSError:
        return {}


def _host_and_port(host: str, port: str) -> tuple[str, int]:
    """`rpcconnect` may carry a port of its own, as bitcoin-cli accepts it."""
    head, colon, tail = host.rpartition(":")
    if colon and tail.isdigit() and (":" not in head or head.endswith("]")):
        host, port = head, tail
    return host.strip("[]"), int(port)
