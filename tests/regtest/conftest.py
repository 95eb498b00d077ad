"""Fixtures for tests with real processes: `bitcoind` (one per module), `node_factory` (one per test)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.waiting import TEST_TIMEOUT_S

HERE = Path(__file__).parent
OUTCOME = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.regtest)
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.passed
    return report


@pytest.fixture(scope="module")
def bitcoind() -> Iterator[Bitcoind]:
    """A chain shared by the tests of a module. Tests that stop or reorganise it leave it running."""
    # Not pytest's tmp_path: unix sockets below it would have names that are too long.
    folder = Path(tempfile.mkdtemp(prefix="ln-bt-"))
    daemon = Bitcoind(folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def node_factory(request: pytest.FixtureRequest, bitcoind: Bitcoind) -> Iterator[NodeFactory]:
    """Makes nodes. At the end all are stopped, and what they logged or left behind may fail the test."""
    folder = Path(tempfile.mkdtemp(prefix="ln-"))
    factory = NodeFactory(folder, bitcoind)
    problems = ["the test was interrupted"]
    try:
        yield factory
    finally:
        problems = factory.close()
        passed = request.node.stash.get(OUTCOME, False)
        if passed and not problems:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"\nthe nodes' folders are kept in {folder}\n{factory.transcript()}")
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
