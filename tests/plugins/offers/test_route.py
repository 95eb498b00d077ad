"""Ways for onion messages over a map."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.common.features import ONION_MESSAGES, encode_features
from pylightningd.common.ids import NodeId
from pylightningd.plugins.gossmap import Gossmap
from pylightningd.plugins.offers import route
from pylightningd.plugins.offers.route import find_way
from tests.plugins.graphs import StoreFile, node, scid

CARRIES = encode_features([ONION_MESSAGES | 1])


def ids(*numbers: int) -> list[NodeId]:
    return [NodeId(node(n)) for n in numbers]


@pytest.fixture
def graph(tmp_path: Path) -> Gossmap:
    """1 - 2 - 3 - 4, 1 - 5 - 4 where 5 carries no messages, and 6 that has no announcement."""
    store = StoreFile(tmp_path / "gossip_store")
    for n, (a, b) in enumerate([(1, 2), (2, 3), (3, 4), (1, 5), (5, 4), (4, 6)], 101):
        store.both(n, a, b)
    for n in (1, 2, 3, 4):
        store.name(n, b"", features=CARRIES)
    store.name(5, b"")
    found = Gossmap(store.path)
    found.refresh()
    return found


def way(graph: Gossmap, peers: list[NodeId], target: int) -> list[NodeId] | None:
    return find_way(graph, NodeId(node(1)), peers, NodeId(node(target)))


def test_ways(graph: Gossmap) -> None:
    assert way(graph, ids(2), 2) == ids(1, 2)
    assert way(graph, ids(2), 4) == ids(1, 2, 3, 4)
    assert way(graph, ids(2, 3), 4) == ids(1, 3, 4)
    # A peer may carry messages without having said so to the world.
    assert way(graph, ids(5), 4) == ids(1, 5, 4)
    assert way(graph, ids(2), 5) is None
    assert way(graph, ids(2), 6) is None
    assert way(graph, ids(2), 99) is None
    assert way(graph, [], 4) is None


def test_only_channels_in_use_in_that_direction(graph: Gossmap, tmp_path: Path) -> None:
    StoreFile.update(_again(tmp_path), 102, 2, 3, disabled=True)
    graph.refresh()
    assert way(graph, ids(2), 4) is None
    assert find_way(graph, NodeId(node(4)), ids(3), NodeId(node(1))) == ids(4, 3, 2, 1)


def _again(tmp_path: Path) -> StoreFile:
    store = StoreFile.__new__(StoreFile)
    store.path = tmp_path / "gossip_store"
    return store


def test_not_too_far(tmp_path: Path) -> None:
    store = StoreFile(tmp_path / "gossip_store")
    for n in range(1, 20):
        store.both(100 + n, n, n + 1)
    for n in range(1, 21):
        store.name(n, b"", features=CARRIES)
    graph = Gossmap(store.path)
    graph.refresh()
    found = way(graph, ids(2), route.MAX_NODES)
    assert found == ids(*range(1, route.MAX_NODES + 1))
    assert way(graph, ids(2), route.MAX_NODES + 1) is None


def test_who_a_sciddir_means(graph: Gossmap) -> None:
    assert [route.end_of_channel(graph, int(scid(103)), d) for d in (0, 1)] == ids(3, 4)
    assert route.end_of_channel(graph, 7, 0) is None


def test_what_nodes_say(graph: Gossmap) -> None:
    assert route.is_public(graph, node(6))
    assert not route.is_public(graph, node(99))
    assert route.announcement(graph, node(6)) is None
    assert not route.carries_messages(graph, node(5))
