"""The harness itself: bitcoind, ports, waiting, and that troubles are noticed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.regtest.bitcoind import Bitcoind, BitcoindError
from tests.regtest.conftest import check_at_end
from tests.regtest.log_file import LogFile
from tests.regtest.network import NodeFactory
from tests.regtest.ports import release_port, reserve_port
from tests.regtest.processes import ProcessGroup
from tests.regtest.rpc_client import RpcError
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


@pytest.fixture
def fake_lightningd(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(__file__).with_name("fake_lightningd.py")
    monkeypatch.setenv("LIGHTNINGD", f"{sys.executable} {script}")


@pytest.mark.books("the fake knows of no money")
@pytest.mark.usefixtures("fake_lightningd")
def test_node_starts_answers_and_restarts(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    assert (l1.name, l2.name) == ("l1", "l2")
    assert l1.id == "02" * 33
    l1.wait_for_log("Server started")
    with pytest.raises(RpcError, match="Unknown command") as caught:
        l1.rpc("nonsense")
    assert caught.value.code == -32601
    l1.restart()
    l1.wait_for_log("Server started")
    l1.restart(clean=False)
    assert l1.log.count("Server started") == 3
    assert l2.stop() == 0
    l2.start()
    done = l2.cli("-N", "none", "-R", "getinfo")
    assert done.returncode == 0, done.stderr


@pytest.mark.books("the fake knows of no money")
@pytest.mark.usefixtures("fake_lightningd")
def test_books_are_asked_of_each_running_node(
    node_factory: NodeFactory, request: pytest.FixtureRequest
) -> None:
    l1, l2 = node_factory.make_many(2)
    unmarked = SimpleNamespace(nodeid="", get_closest_marker=lambda _name: None)
    (complaint,) = check_at_end(unmarked, node_factory)  # type: ignore[arg-type]
    assert "listfunds: Unknown command" in complaint
    assert check_at_end(request.node, node_factory) == []
    for node in (l1, l2):
        node.stop()
    assert check_at_end(unmarked, node_factory) == []  # type: ignore[arg-type]


@pytest.mark.usefixtures("fake_lightningd")
def test_failed_start_says_why(node_factory: NodeFactory) -> None:
    with pytest.raises(RuntimeError, match="l1 ended with 3 at start:\nbad option"):
        node_factory.make({"fake-fail": True}, may_crash=True)


@pytest.mark.usefixtures("fake_lightningd")
def test_bugs_and_deaths_fail_the_test(bitcoind: Bitcoind, tmp_path: Path) -> None:
    factory = NodeFactory(tmp_path, bitcoind)
    l1, l2, l3 = factory.make_many(3, {"fake-broken": True})
    l2.allow_trouble = "it is"
    l3.signal(signal.SIGKILL)
    wait_for(lambda: not l3.is_running, "l3's end")
    problems = factory.close()
    assert problems == ["l1 logged: x **BROKEN** lightningd: it is", problems[1]]
    assert problems[1].startswith("l3 had ended with -9")
