"""The harness itself: bitcoind, ports, waiting, and that troubles are noticed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.regtest.bitcoind import Bitcoind, BitcoindError
from tests.regtest.log_file import LogFile
from tests.regtest.ports import release_port, reserve_port
from tests.regtest.processes import ProcessGroup
from tests.regtest.waiting import wait_for


def test_bitcoind_mines_pays_and_restarts(bitcoind: Bitcoind) -> None:
    height = bitcoind.height()
    txid = bitcoind.pay(bitcoind.new_address(), 123_456)
    bitcoind.generate(1, wait_for_mempool=txid)
    assert bitcoind.height() == height + 1
    assert bitcoind.mempool() == []
    bitcoind.stop()
    bitcoind.start()
    assert bitcoind.height() == height + 1
    assert bitcoind.cli("getblockcount").strip() == str(height + 1)


def test_bitcoind_reorganises(bitcoind: Bitcoind) -> None:
    bitcoind.generate(2)
    top, height = bitcoind.rpc("getbestblockhash"), bitcoind.height()
    bitcoind.reorg(2)
    assert bitcoind.height() == height + 1
    assert bitcoind.rpc("getblockhash", height) != top


def test_bitcoind_refuses(bitcoind: Bitcoind) -> None:
    with pytest.raises(BitcoindError, match="Block height out of range"):
        bitcoind.rpc("getblockhash", 10**6)


def test_ports_are_not_given_twice() -> None:
    first, second = reserve_port(), reserve_port()
    assert first != second
    release_port(first)
    release_port(second)


def test_wait_says_what_it_waited_for() -> None:
    with pytest.raises(TimeoutError, match="still waiting for rain"):
        wait_for(lambda: False, "rain", timeout_s=0.01)


def test_log_is_searched_forward(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\none\nhalf")
    log = LogFile(path)
    log.wait_for("one")
    log.wait_for("one", "two")
    assert log.contains("half") is None
    with pytest.raises(TimeoutError):
        log.wait_for("one", timeout_s=0.01)


def test_troubles_in_the_log_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("x **BROKEN** lightningd: a\nx **BROKEN** lightningd: b\nfine\n")
    assert LogFile(path).trouble("lightningd: a") == ["x **BROKEN** lightningd: b"]


def test_children_are_ended_with_their_leader(tmp_path: Path) -> None:
    child = "import signal; signal.pause()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    group = ProcessGroup([sys.executable, "-c", script], tmp_path / "out")
    wait_for(lambda: len(group.members()) == 2, "the child")
    group.kill_all()
    group.wait_gone()
