"""The surroundings of a real node: other networks, files it may not touch, a full disk, systemd, other programs for its daemons."""

from __future__ import annotations

import configparser
import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.secret import Secret
from tests.regtest.bitcoind import PASSWORD, USER
from tests.regtest.books import check_books
from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import NETWORK, REPOSITORY, Node, lightningd_command
from tests.regtest.ports import release_port, reserve_port
from tests.regtest.processes import ProcessGroup
from tests.regtest.rpc_client import RpcError, call
from tests.regtest.waiting import TIMEOUT_S, wait_for
from tests.rights import obey_permissions
from tools.get_bitcoind import get

ENV = os.environ | {"PYTHONPATH": str(REPOSITORY)}

# ---- other networks -----------------------------------------------------------------------------

CHAINS = {"bitcoin": "main", "testnet": "test", "testnet4": "testnet4", "signet": "signet"}
"""bitcoind's name of each network."""


@contextlib.contextmanager
def lonely_bitcoind(folder: Path, chain: str) -> Iterator[list[str]]:
    """A bitcoind that knows nobody and so only the genesis block; yields the node's options to reach it."""
    port = reserve_port()
    folder.mkdir()
    options = {
        "datadir": folder,
        "chain": chain,
        "rpcport": port,
        "rpcuser": USER,
        "rpcpassword": PASSWORD,
        "connect": 0,
        "listen": 0,
        "dnsseed": 0,
        "fixedseeds": 0,
        "natpmp": 0,
        "dbcache": 4,
        "maxmempool": 5,
        "disablewallet": 1,
    }
    words = [f"-{name}={value}" for name, value in options.items()]
    process = ProcessGroup([str(get()), *words], folder / "stdout")
    try:
        yield [
            "--bitcoin-rpcconnect=127.0.0.1",
            f"--bitcoin-rpcport={port}",
            f"--bitcoin-rpcuser={USER}",
            f"--bitcoin-rpcpassword={PASSWORD}",
        ]
    finally:
        process.kill_all()
        release_port(port)


@contextlib.contextmanager
def node_on(folder: Path, network: str, options: list[str]) -> Iterator[Path]:
    """A node of another network; yields its socket."""
    folder.mkdir()
    words = [f"--lightning-dir={folder}", f"--network={network}", "--offline", *options]
    process = ProcessGroup([*lightningd_command(), *words], folder / "out", ENV)
    rpc_path = folder / network / "lightning-rpc"

    def answers() -> bool:
        assert process.exit_code is None, (folder / "out").read_text()
        try:
            call(rpc_path, "getinfo", {}, TIMEOUT_S)
        except (OSError, RpcError):
            return False
        return True

    try:
        wait_for(answers, f"the node on {network}")
        yield rpc_path
        call(rpc_path, "stop", {}, TIMEOUT_S)
        assert process.wait() == 0
        assert "BROKEN" not in (folder / "out").read_text()
    finally:
        process.kill_all()


@pytest.mark.parametrize(
    ("network", "address", "invoice"),
    [
        ("bitcoin", "bc1p", "lnbc10n1"),
        ("testnet", "tb1p", "lntb10n1"),
        ("testnet4", "tb1p", "lntb10n1"),
        ("signet", "tb1p", "lntbs10n1"),
    ],
)
def test_a_node_begins_on_the_other_networks(
    short_path: Path, network: str, address: str, invoice: str
) -> None:
    with lonely_bitcoind(short_path / "b", CHAINS[network]) as options:
        with node_on(short_path / "l", network, options) as rpc:
            info = call(rpc, "getinfo", {}, TIMEOUT_S)
            assert (info["network"], info["blockheight"]) == (network, 0)
            assert "warning_bitcoind_sync" in info
            made = call(rpc, "newaddr", {"addresstype": "p2tr"}, TIMEOUT_S)
            assert made["p2tr"].startswith(address)
            asked = {"amount_msat": 1000, "label": "x", "description": "x"}
            assert call(rpc, "invoice", asked, TIMEOUT_S)["bolt11"].startswith(invoice)
        if network == "signet":
            _refused_by_the_wrong_bitcoind(short_path / "w", options)


def _refused_by_the_wrong_bitcoind(folder: Path, options: list[str]) -> None:
    words = [f"--lightning-dir={folder}", "--network=testnet4", "--offline", *options]
    done = subprocess.run(
        [*lightningd_command(), *words],
        env=ENV,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    assert "Wrong network! Our Bitcoin backend is running on 'signet'" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of unix sockets must be short."""
    folder = Path(tempfile.mkdtemp(prefix="ln-rw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# ---- files --------------------------------------------------------------------------------------


def complaint(node: Node) -> str:
    """What a node says that does not start."""
    done = subprocess.run(
        node.command(),
        env=ENV,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        preexec_fn=obey_permissions,
    )
    assert done.returncode == 1, done.stdout[-3000:]
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_may_not_be_read_or_written_is_named(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    l1.rpc("datastore", key="k", string="kept")
    assert l1.stop() == 0
    folder = l1.folder / NETWORK
    database, secret = folder / "lightningd.sqlite3", folder / "hsm_secret"

    database.chmod(0o000)
    assert f"{database}: Permission denied" in complaint(l1)
    database.chmod(0o600)
    secret.chmod(0o000)
    assert "hsm_secret: Permission denied" in complaint(l1)
    secret.chmod(0o400)
    l1.start()
    assert l1.rpc("listdatastore")["datastore"][0]["string"] == "kept"


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of this size at the folder. Skips the test where we may not mount one."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave no byte of its disk."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_stops_the_node_and_costs_nothing(node_factory: NodeFactory) -> None:
    """The log is on the same disk: what cannot be logged is lost, what was answered is not."""
    folder = node_factory.folder / "l1"
    with small_disk(folder, 8):
        l1 = node_factory.make(start=False, may_crash=True)
        l1.errlog = node_factory.folder / "errlog"
        l1.start()
        (l1.folder / NETWORK / "filler").touch()
        fill(l1.folder / NETWORK / "filler")
        stored = []
        with contextlib.suppress(RpcError, OSError, ConnectionError):
            for n in range(10_000):
                l1.rpc("datastore", key=f"k{n}", string="v" * 500)
                stored.append(f"k{n}")
        assert l1.wait_exit() == 1
        said = l1.errlog.read_text()
        assert "the disk is full" in said
        assert "make room" in said
        assert "Traceback" not in said
        (l1.folder / NETWORK / "filler").unlink()
        l1.start()
        kept = [entry["key"][0] for entry in l1.rpc("listdatastore")["datastore"]]
        # The last one was not answered; it may be there or not.
        assert set(stored) <= set(kept)
        assert len(kept) <= len(stored) + 1
        l1.rpc("datastore", key="after", string="v")
        assert l1.stop() == 0


# ---- systemd ------------------------------------------------------------------------------------


def _unit() -> configparser.RawConfigParser:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(REPOSITORY / "contrib" / "systemd" / "lightningd.service")
    return unit


def test_the_line_of_the_unit_starts_a_node_that_tells_systemd(node_factory: NodeFactory) -> None:
    """By hand, since there is no systemd in a test: its sandbox is not shown by this, its protocol is."""
    l1 = node_factory.make(start=False)
    service = _unit()["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    program, *words = shlex.split(service["ExecStart"])
    assert Path(program).name == "lightningd"
    conf = l1.folder / "config"
    lines = [w.removeprefix("--") for w in l1.command()[len(lightningd_command()) :]]
    conf.write_text("\n".join(line for line in lines if not line.startswith("lightning-dir=")))
    words = [f"--conf={conf}" if w.startswith("--conf=") else w for w in words]
    assert words[1].startswith("--lightning-dir=")
    words[1] = f"--lightning-dir={l1.folder}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(node_factory.folder / "notify"))
        systemd.settimeout(TIMEOUT_S)
        env = ENV | {"NOTIFY_SOCKET": str(node_factory.folder / "notify")}
        process = ProcessGroup([*lightningd_command(), *words], l1.errlog, env)
        try:
            assert systemd.recv(100) == b"READY=1"
            assert l1.rpc("getinfo")["alias"] == l1.name
            reload_word = shlex.split(service["ExecReload"])[1]
            assert reload_word == "-HUP"
            (l1.folder / "log").rename(l1.folder / "log.1")
            process.signal(signal.SIGHUP)
            wait_for((l1.folder / "log").exists, "the new log")
            process.signal(signal.Signals[service["KillSignal"]])
            assert systemd.recv(100) == b"STOPPING=1"
            assert process.wait() == 0
        finally:
            process.kill_all()


# ---- a large channel, keys that are given, another program --------------------------------------

LARGE_SAT = 20_000_000
CHANNEL_KEYS = "/".join(f"{n:02x}" * 32 for n in range(0x21, 0x27))


def test_a_large_channel_by_given_keys_and_another_channeld(node_factory: NodeFactory) -> None:
    program = node_factory.folder / "my-channeld"
    program.write_text(
        f'#!/bin/sh\necho "$0" >> {node_factory.folder}/started\n'
        f'exec {sys.executable} -m pylightningd.channeld "$@"\n'
    )
    program.chmod(0o755)
    options: list[dict[str, Any]] = [
        {
            "dev-force-privkey": "12" * 32,
            "dev-force-bip32-seed": "00" * 31 + "01",
            "dev-force-channel-secrets": CHANNEL_KEYS,
            "dev-force-tmp-channel-id": "34" * 32,
            "subdaemon": f"channeld:{program}",
            "channeld-workers": 1,
        },
        {"dev-any-channel-type": True},
    ]
    l1, l2 = node_factory.make_many(2, options)
    assert l1.id == pubkey_from_secret(Secret(b"\x12" * 32)).hex()
    # CLN's test_dev_force_bip32_seed has this address.
    assert l1.rpc("newaddr", addresstype="bech32")["bech32"] == (
        "bcrt1qsdzqt93xsyewdjvagndw9523m27e52er5ca7hm"
    )
    node_factory.open_channel(l1, l2, LARGE_SAT)
    (channel,) = l1.channels()
    assert channel["total_msat"] == LARGE_SAT * 1000
    assert (node_factory.folder / "started").read_text() == f"{program}\n"
    node_factory.pay(l1, l2, 17_000_000_000)
    node_factory.pay(l2, l1, 16_780_000_000, "xpay")
    l1.restart()
    assert (node_factory.folder / "started").read_text() == f"{program}\n" * 2
    node_factory.connect(l1, l2)
    wait_back(l1, l2)
    node_factory.pay(l1, l2, 1_000)
    l1.rpc("close", id=l2.id)
    check_books(node_factory)
