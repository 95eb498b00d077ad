"""The map follows the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.plugins.gossmap import (
    DISABLED,
    SET,
    Gossmap,
    GossmapError,
    LocalChannel,
    LocalHalf,
)
from tests.plugins.graphs import StoreFile, node, scid

HALF = LocalHalf(
    enabled=True, base_fee_msat=1, fee_ppm=2, delay=3, htlc_min_msat=4, htlc_max_msat=5000
)


def local(n: int, ours: int, peer: int, **changes: LocalHalf | None) -> LocalChannel:
    halves = {"outgoing": HALF, "incoming": None} | changes
    return LocalChannel(
        scid=scid(n), ours=node(ours), peer=node(peer), capacity_msat=7_000_000, **halves
    )


@pytest.fixture
def store(tmp_path: Path) -> StoreFile:
    return StoreFile(tmp_path / "gossip_store")


@pytest.fixture
def graph(store: StoreFile) -> Gossmap:
    store.both(1, 1, 2, 5000, base=10, ppm=20, delay=30)
    store.both(2, 3, 2)
    made = Gossmap(store.path)
    assert made.refresh()
    return made


def image(graph: Gossmap) -> object:
    """All that a search could see."""
    return (
        dict(graph.channel_index),
        [bytes(n) for n in graph.node_ids],
        [list(c) for c in graph.node_channels],
        [list(t) for t in (graph.half_flags, graph.base_fee, graph.htlc_max, graph.delay)][:4],
    )


def test_reads(graph: Gossmap) -> None:
    half = graph.half(scid(1), 1)
    assert half == 1
    assert graph.node_ids[graph.source(half)] == node(2)
    assert graph.node_ids[graph.destination(half)] == node(1)
    assert (graph.base_fee[half], graph.fee_ppm[half], graph.delay[half]) == (10, 20, 30)
    assert graph.capacity_sat[0] == 5000
    assert graph.last_update[half] == 1001
    assert not graph.refresh()


def test_follows(graph: Gossmap, store: StoreFile) -> None:
    store.update(1, 1, 2, base=11, disabled=True)
    store.name(2, b"two")
    assert graph.refresh()
    assert graph.base_fee[0] == 11
    assert graph.half_flags[0] == SET | DISABLED
    assert b"two" in graph.message(graph.node_offsets[graph.node_index[node(2)]])
    store.delete(1)
    graph.refresh()
    assert graph.half(scid(1), 0) is None
    assert [graph.node_ids[n] for n in graph.nodes()] == [node(2), node(3)]
    store.both(3, 1, 3)
    graph.refresh()
    assert len(graph.scids) == 2, "the place is used again"
    assert [list(c) for c in graph.node_channels] == [[0], [1], [1, 0]]


def test_half_written_record_waits(graph: Gossmap, store: StoreFile) -> None:
    store.both(3, 1, 3)
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[:-5])
    graph.refresh()
    assert graph.half_flags[5] == 0
    with store.path.open("ab") as file:
        file.write(whole[-5:])
    graph.refresh()
    assert graph.half_flags[5] == SET


def test_replaced_file_is_read_anew(graph: Gossmap, store: StoreFile, tmp_path: Path) -> None:
    other = StoreFile(tmp_path / "other")
    other.both(9, 4, 5)
    other.path.rename(store.path)
    graph.refresh()
    assert list(graph.channel_index) == [scid(9)]


def test_deleted_records_are_skipped(store: StoreFile) -> None:
    store.channel(1, 1, 2)
    store.raw(b"\x01\x02" + bytes(136), flags=0xA000)
    graph = Gossmap(store.path)
    graph.refresh()
    assert len(graph.channel_index) == 1


def test_features(store: StoreFile) -> None:
    store.channel(1, 1, 2, features=b"\x20\x00")
    store.update(1, 1, 2)
    graph = Gossmap(store.path)
    graph.refresh()
    assert graph.channel_features == {0: b"\x20\x00"}
    assert graph.half_flags[0] == SET


def test_overlay_is_taken_off(graph: Gossmap) -> None:
    before = image(graph)
    with graph.overlay([local(1, 1, 2), local(7, 1, 9), local(8, 2, 3, incoming=HALF)]):
        assert graph.htlc_max[0] == 5000
        assert not graph.is_public(graph.channel_index[scid(7)])
        assert node(9) in graph.node_index
        half = graph.half(scid(8), 1)
        assert half is not None and graph.delay[half] == 3
    graph._free.clear()
    after = image(graph)
    assert after[:3] == before[:3]  # type: ignore[index]
    assert [t[:4] for t in after[3]] == [t[:4] for t in before[3]]  # type: ignore[index]


def test_overlay_of_unknown_only(graph: Gossmap) -> None:
    with graph.overlay([local(1, 1, 2), local(7, 1, 9)], replace=False):
        assert graph.htlc_max[0] == 990_000_000
        assert scid(7) in graph.channel_index


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(GossmapError):
        Gossmap(tmp_path / "gossip_store").refresh()
    (tmp_path / "gossip_store").write_bytes(b"\x0c")
    with pytest.raises(GossmapError, match="version 0c"):
        Gossmap(tmp_path / "gossip_store").refresh()
