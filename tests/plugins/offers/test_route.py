"""Ways for onion messages over a map."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.common.features import ONION_MESSAGES, encode_features
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.peer_wire import NodeAnnouncement
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


def test_no_announcement_is_decoded_twice(
    graph: Gossmap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def announcement(graph: Gossmap, node_id: bytes) -> NodeAnnouncement | None:
        read.append(node_id)
        return said(graph, node_id)

    said = route.announcement
    monkeypatch.setattr(route, "announcement", announcement)
    carriers = route.Carriers(graph)

    def found() -> list[NodeId] | None:
        return find_way(graph, NodeId(node(1)), ids(2), NodeId(node(4)), carriers)

    assert found() == ids(1, 2, 3, 4)
    assert sorted(read) == ids(3, 4, 5)
    assert found() == ids(1, 2, 3, 4)
    assert len(read) == 3
    # A new announcement counts at once; nothing else is read again.
    _again(tmp_path).name(3, b"")
    graph.refresh()
    assert found() is None
    assert sorted(read[3:]) == ids(3)
    # A store that was written anew may have other messages at the same places.
    (tmp_path / "gossip_store").unlink()
    store = StoreFile(tmp_path / "gossip_store")
    for n, (a, b) in enumerate([(1, 2), (2, 3), (3, 4)], 101):
        store.both(n, a, b)
    for n in (2, 3, 4):
        store.name(n, b"", features=CARRIES)
    graph.refresh()
    assert found() == ids(1, 2, 3, 4)
    assert len(read) == 6


def test_a_search_reads_no_more_than_so_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub, 20, with many neighbours around; our peer, 2, is at one of them."""
    store = StoreFile(tmp_path / "gossip_store")
    for n in range(100, 200):
        store.both(n, 20, n)
        store.name(n, b"", features=CARRIES if n % 2 else b"")
    store.both(201, 199, 2)
    store.both(202, 101, 3)
    store.name(20, b"", features=CARRIES)
    graph = Gossmap(store.path)
    graph.refresh()
    assert way(graph, ids(2), 20) == ids(1, 2, 199, 20)
    read: list[bytes] = []
    carries = route.carries_messages

    def counted(graph: Gossmap, node_id: bytes) -> bool:
        read.append(node_id)
        return carries(graph, node_id)

    monkeypatch.setattr(route, "carries_messages", counted)
    monkeypatch.setattr(route, "MAX_LOOKED_AT", 10)
    assert way(graph, ids(2), 20) is None
    assert len(read) <= 11
    # What was found before that is still followed.
    assert way(graph, ids(3), 20) == ids(1, 3, 101, 20)


def test_who_a_sciddir_means(graph: Gossmap) -> None:
    assert [route.end_of_channel(graph, int(scid(103)), d) for d in (0, 1)] == ids(3, 4)
    assert route.end_of_channel(graph, 7, 0) is None


def test_what_nodes_say(graph: Gossmap) -> None:
    assert route.is_public(graph, node(6))
    assert not route.is_public(graph, node(99))
    assert route.announcement(graph, node(6)) is None
    assert not route.carries_messages(graph, node(5))
