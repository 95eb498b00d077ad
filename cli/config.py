"""Where lightningd's socket is: the few options that lightning-cli shares with lightningd, and its config files.

Files are read in CLN's order: `--conf` alone if given, else `<lightning-dir>/config` and then
`<lightning-dir>/<network>/config`; the command line has the last word.
"""

from __future__ import annotations

import os

NETWORK_FLAGS = {
    "mainnet": "bitcoin",
    "testnet": "testnet",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}
NETWORKS = ("bitcoin", "testnet", "testnet4", "signet", "regtest")
SHARED_OPTIONS = ("conf", "lightning-dir", "network", "rpc-file")
MAX_INCLUDE_DEPTH = 100


class UsageError(Exception):
    """The command line or a config file is wrong; the text says how."""


class Place:
    """The folders and the socket of one node."""

    __slots__ = ("base_dir", "net_dir", "network", "rpc_file")

    def __init__(self, base_dir: str, network: str, rpc_file: str) -> None:
        self.base_dir = os.path.abspath(base_dir)
        self.network = network
        self.net_dir = os.path.join(self.base_dir, network)
        if os.path.isabs(rpc_file):
            self.net_dir, rpc_file = os.path.split(rpc_file)
        self.rpc_file = rpc_file


def find_place(given: list[tuple[str, str]]) -> Place:
    """Combine command line options (name, value) with the config files. Raises UsageError."""
    settings = dict(given)
    conf = settings.get("conf")
    if conf is not None:
        from_files = dict(read_config(conf, must_exist=True))
        base_dir = (
            settings.get("lightning-dir") or from_files.get("lightning-dir") or default_base_dir()
        )
    else:
        base_dir = settings.get("lightning-dir") or default_base_dir()
        from_files = dict(read_config(os.path.join(base_dir, "config")))
        network = settings.get("network") or from_files.get("network") or "bitcoin"
        own = [
            row
            for row in read_config(os.path.join(base_dir, network, "config"))
            if row[0] == "rpc-file"
        ]
        from_files.update(own)
    network = settings.get("network") or from_files.get("network") or "bitcoin"
    if network not in NETWORKS:
        raise UsageError(f"Unknown network name '{network}': expected one of {', '.join(NETWORKS)}")
    rpc_file = settings.get("rpc-file") or from_files.get("rpc-file") or "lightning-rpc"
    return Place(base_dir, network, rpc_file)


def default_base_dir() -> str:
    """`~/.lightning`, or the current folder where there is no HOME."""
    home = os.environ.get("HOME")
    return os.path.join(home, ".lightning") if home else os.getcwd()


def read_config(path: str, *, must_exist: bool = False, depth: int = 0) -> list[tuple[str, str]]:
    """The shared options that a config file sets, in order, with the files it includes."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except FileNotFoundError as error:
        if must_exist:
            raise UsageError(f"Opening and reading {path}: {error.strerror}") from error
        return []
    except OSError as error:
        raise UsageError(f"Opening and reading {path}: {error.strerror}") from error
    if depth > MAX_INCLUDE_DEPTH:
        raise UsageError(f"Include loop with {path}")
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("include "):
            included = os.path.join(os.path.dirname(path), line[len("include ") :])
            found += read_config(included, must_exist=True, depth=depth + 1)
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            if name in NETWORK_FLAGS:
                found.append(("network", NETWORK_FLAGS[name]))
            elif name in SHARED_OPTIONS:
                found.append((name, value))
    return found
