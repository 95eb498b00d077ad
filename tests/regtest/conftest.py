"""Fixtures for tests with real processes: `bitcoind` (one per module), `node_factory` (one per test)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.regtest.bitcoind import Bitcoind, BitcoindError
from tests.regtest.books import check_books
from tests.regtest.network import NodeFactory
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import TEST_TIMEOUT_S

HERE = Path(__file__).parent
OUTCOME = pytest.StashKey[bool]()
BOOKS = "books"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.regtest)
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))
            books_of(item)


def books_of(item: pytest.Item) -> tuple[str, ...] | None:
    """Names of the nodes whose books are checked at the end of a test; None: of all.

    `@pytest.mark.books("why not")` is for a test whose nodes cannot add up, `books("why", nodes="l2 l3")` for one where
    only these can. Raises UsageError where there is no reason.
    """
    marker = item.get_closest_marker(BOOKS)
    if marker is None:
        return None
    reason = marker.args[0] if len(marker.args) == 1 else ""
    if not isinstance(reason, str) or len(reason.split()) < 3 or marker.kwargs.keys() - {"nodes"}:
        raise pytest.UsageError(f'{item.nodeid}: say why with books("why", nodes="l2 l3")')
    return tuple(marker.kwargs.get("nodes", "").split())


def check_at_end(item: pytest.Item, factory: NodeFactory) -> list[str]:
    """What is wrong with the books of the nodes that still run, in words."""
    names = books_of(item)
    nodes = [node for node in factory.nodes if names is None or node.name in names]
    try:
        check_books(factory, nodes)
    except (AssertionError, TimeoutError, OSError, RpcError, BitcoindError) as error:
        return [f"at the end of the test: {error}"]
    return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
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
    """Makes nodes. At the end their books must add up and all are stopped; what they logged or left may fail the test."""
    folder = Path(tempfile.mkdtemp(prefix="ln-"))
    factory = NodeFactory(folder, bitcoind)
    problems = ["the test was interrupted"]
    try:
        yield factory
    finally:
        passed = request.node.stash.get(OUTCOME, False)
        problems = check_at_end(request.node, factory) if passed else []
        problems += factory.close()
        if passed and not problems:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"\nthe nodes' folders are kept in {folder}\n{factory.transcript()}")
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
