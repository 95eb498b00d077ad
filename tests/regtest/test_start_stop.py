"""A real node comes up and goes down: signals, locks, background, databases it must refuse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

from tests.regtest.network import NodeFactory
from tests.regtest.node import REPOSITORY, Node, lightningd_command
from tests.regtest.waiting import TIMEOUT_S, wait_for


def run(node: Node, *more: str) -> subprocess.CompletedProcess[str]:
    """Start lightningd once more with the node's options, and wait for its end."""
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [*node.command(), *more],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_up_and_down(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    l1.wait_for_log(f"Server started with public key {l1.id}, alias {l1.name}")
    info = l1.rpc("getinfo")
    assert info["version"].startswith("v")
    assert "warning_bitcoind_sync" not in info
    assert (l1.folder / "lightningd-regtest.pid").read_text().strip() == str(l1.pid)
    assert oct(os.stat(l1.rpc_path).st_mode)[-3:] == "600"
    assert l1.rpc("stop") == {"result": "Shutdown complete"}
    assert l1.wait_exit() == 0
    assert not l1.rpc_path.exists()
    l1.start()
    assert l1.rpc("getinfo")["id"] == info["id"]


def test_sigterm_stops_cleanly_and_sighup_reopens_the_log(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    old = l1.folder / "log"
    old.rename(l1.folder / "log.1")
    l1.signal(signal.SIGHUP)
    wait_for(old.exists)
    l1.signal(signal.SIGTERM)
    assert l1.wait_exit() == 0
    assert "Stopping: signal SIGTERM" in old.read_text()


def test_kill_9_loses_nothing(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    l1.rpc("datastore", key="k", string="v")
    l1.kill9()
    l1.start()
    assert l1.rpc("listdatastore")["datastore"][0]["string"] == "v"


def test_two_nodes_on_one_folder(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    second = run(l1)
    assert second.returncode == 1
    assert "lightningd already running?" in second.stderr
    assert f"process {l1.pid}" in second.stderr
    elsewhere = run(l1, f"--pid-file={l1.folder}/other.pid")
    assert elsewhere.returncode == 1
    assert "in use by another lightningd" in elsewhere.stderr
    assert l1.rpc("getinfo")["id"] == l1.id


def test_databases_that_are_refused(node_factory: NodeFactory) -> None:
    l1 = node_factory.make()
    assert l1.stop() == 0
    path = l1.folder / "regtest" / "lightningd.sqlite3"
    keep = path.with_suffix(".good")
    shutil.copy(path, keep)

    def refused(change: str) -> str:
        with sqlite3.connect(path) as database:
            database.execute(change)
        database.close()
        done = run(l1)
        assert done.returncode == 1
        shutil.copy(keep, path)
        return done.stderr

    assert "written by a newer lightningd" in refused("UPDATE version SET version = 9999")
    wrong = "UPDATE vars SET blobval = zeroblob(32) WHERE name = 'genesis_hash'"
    assert "does not match network" in refused(wrong)
    path.write_bytes(b"rubbish" * 1000)
    assert "it is not a SQLite database" in run(l1).stderr
    shutil.copy(keep, path)
    l1.start()


def test_background(node_factory: NodeFactory) -> None:
    l1 = node_factory.make(start=False)
    done = run(l1, "--daemon")
    assert done.returncode == 0, done.stderr
    pid = int((l1.folder / "lightningd-regtest.pid").read_text())
    answer = l1.cli("getinfo")
    assert json.loads(answer.stdout)["alias"] == l1.name
    assert l1.cli("stop").returncode == 0
    wait_for(lambda: not Path(f"/proc/{pid}").exists())


def test_words_that_end_at_once(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path)}

    def go(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*lightningd_command(), *words],
            env=env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    version = go("--version")
    assert version.returncode == 0
    assert version.stdout.startswith("v26.06")
    assert "option_static_remotekey" in go("--list-features-only").stdout
    assert "--fee-base" in go("--help").stdout
    assert (
        go("--test-daemons-only").returncode == 0
    )  # each daemon with --help, as one starts it by hand
    wrong = go("--fee-base=many")
    assert wrong.returncode == 1
    assert wrong.stderr == "lightningd: --fee-base=many: 'many' is not a number\n"
    assert "not supported by this node" in go("--bookkeeper-dir=x").stderr
    assert "--recover: Invalid length: must be 32 bytes" in go("--recover=00").stderr
    assert not (tmp_path / ".lightning").exists()


def test_an_unknown_option(node_factory: NodeFactory) -> None:
    l1 = node_factory.make(start=False)
    done = run(l1, "--fee-bass=1")
    assert done.returncode == 1
    assert done.stderr == "lightningd: --fee-bass=1: unknown option (did you mean --fee-base?)\n"


def test_hsmd_is_vital(node_factory: NodeFactory) -> None:
    l1 = node_factory.make(allow_trouble="hsmd was killed", may_crash=True)
    l1.kill_daemon("hsmd")
    assert l1.wait_exit() == 1
    l1.start()
    assert l1.rpc("getinfo")["id"] == l1.id
