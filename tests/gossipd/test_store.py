"""The gossip_store file: round trips, damage, compaction, and any sequence of changes."""

from __future__ import annotations

from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.gossipd import store as sm
from pylightningd.gossipd.graph import Graph
from pylightningd.gossipd.store import DELETED, MemoryStore, StoreTrouble, scan
from pylightningd.gossipd.store_io import FileStore
from tests.gossipd import world as w

Lines = list[tuple[str, str]]


def open_store(path: Path, lines: Lines | None = None) -> FileStore:
    return FileStore(
        path, lambda level, text: (lines if lines is not None else []).append((level, text))
    )


def fill(store: sm.Store) -> Graph:
    graph = Graph(store)
    channel = graph.add_channel(w.announcement(1, 2, 1), 77, w.NOW)
    graph.set_update(channel, 0, w.update(1, 2, 1), w.NOW)
    graph.set_node(w.node(1), w.node_announcement(1), w.NOW)
    return graph


def snapshot(graph: Graph) -> tuple[object, ...]:
    read = graph.store.read
    channels = {
        s: (read(c.offset), c.amount_sat, c.dies_at, [u and read(u.offset) for u in c.updates])
        for s, c in graph.channels.items()
    }
    nodes = {n: (sorted(e.scids), e.offset and read(e.offset)) for n, e in graph.nodes.items()}
    return channels, nodes


def test_format() -> None:
    store = MemoryStore()
    store.append(b"\x01\x00abc", 7)
    assert store.buf[0] == 16
    crc = google_crc32c.extend(7, b"\x01\x00abc").to_bytes(4, "big")
    assert store.buf[-17:] == b"\x20\x00\x00\x05" + crc + b"\0\0\0\7" + b"\x01\x00abc"


def test_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "gossip_store"
    store = open_store(path)
    before = snapshot(fill(store))
    store.close()
    again = open_store(path)
    graph = Graph(again)
    assert graph.load(again.records()) == 0
    assert snapshot(graph) == before
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [1, 5, 100, 200])
def test_truncated_end_is_repaired(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "gossip_store"
    store = open_store(path)
    fill(store)
    store.close()
    path.write_bytes(path.read_bytes()[:-cut])
    lines: Lines = []
    again = open_store(path, lines)
    assert [level for level, _ in lines] == ["unusual"]
    assert "bytes are dropped" in lines[0][1]
    graph = Graph(again)
    graph.load(again.records())
    assert list(graph.channels) == [w.scid(1)]
    again.append(b"\x01\x01new", 1)
    again.close()
    assert [r.msg for r in open_store(path).records()][-1] == b"\x01\x01new"


def test_flipped_bit_ends_the_store(tmp_path: Path) -> None:
    path = tmp_path / "gossip_store"
    store = open_store(path)
    graph = fill(store)
    offset = graph.channels[w.scid(1)].offset
    store.close()
    raw = bytearray(path.read_bytes())
    raw[offset + 40] ^= 4
    path.write_bytes(raw)
    lines: Lines = []
    again = open_store(path, lines)
    assert "wrong checksum" in lines[0][1]
    assert again.end == offset


def test_other_version_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "gossip_store"
    path.write_bytes(b"\x2fsomething")
    lines: Lines = []
    open_store(path, lines)
    assert path.read_bytes()[0] == 16
    assert (tmp_path / "gossip_store.corrupt").read_bytes() == b"\x2fsomething"


def test_compaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylightningd.gossipd.store_io.COMPACT_WASTE", 100)
    path = tmp_path / "gossip_store"
    store = open_store(path)
    graph = fill(store)
    for n in range(1, 40):
        graph.set_update(
            graph.channels[w.scid(1)], 0, w.update(1, 2, 1, timestamp=w.NOW + n), w.NOW + n
        )
    before = snapshot(graph)
    store.close()
    follower = path.open("rb")
    old_size = path.stat().st_size
    again = open_store(path)
    fresh = Graph(again)
    assert fresh.load(again.records()) == 0
    assert snapshot(fresh) == before
    assert path.stat().st_size < old_size / 2
    with follower:
        ended = follower.read()[old_size + sm.HEADER_SIZE :]
    assert ended[:2] == (4105).to_bytes(2, "big")
    assert int.from_bytes(ended[2:10], "big") == again.end
    uuid = path.read_bytes()[1 + sm.HEADER_SIZE + 2 :][:32]
    assert ended[10:42] == uuid


def test_crash_between_announcement_and_amount() -> None:
    store = MemoryStore()
    store.append(w.announcement(1, 2, 1), w.NOW)
    graph = Graph(store)
    assert graph.load(scan(bytes(store.buf))) == 1
    assert not graph.channels and not graph.nodes


actions = st.lists(
    st.tuples(
        st.sampled_from(["channel", "update", "node", "dying", "remove"]),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=25,
)
_RAW = {
    (kind, n): (w.announcement(n, n + 1, n) if kind == "channel" else w.node_announcement(n))
    for kind in ("channel", "node")
    for n in range(1, 6)
}


@settings(deadline=None, max_examples=60)
@given(actions)
def test_any_history_reads_back(todo: list[tuple[str, int, bool]]) -> None:
    store = MemoryStore()
    graph = Graph(store)
    for time, (kind, n, flag) in enumerate(todo, start=1):
        channel = graph.channels.get(w.scid(n))
        if kind == "channel" and channel is None:
            graph.add_channel(_RAW["channel", n], n * 100, time)
        elif kind == "node" and w.node(n) in graph.nodes:
            graph.set_node(w.node(n), _RAW["node", n], time)
        elif channel is None:
            continue
        elif kind == "update":
            a, b = w.ordered(n, n + 1)
            one, other = (b, a) if flag else (a, b)
            graph.set_update(channel, int(flag), _update(one, other, n), time)
        elif kind == "dying" and not channel.dies_at:
            graph.set_dying(channel, 100 + time)
        elif kind == "remove":
            graph.remove(channel)
    for content in (bytes(store.buf), sm.compact(bytes(store.buf), bytes(32))):
        again = Graph(MemoryStore(content))
        live = [r for r in scan(content) if not r.flags & DELETED]
        assert again.load(live) == 0
        assert snapshot(again) == snapshot(graph)


def _update(a: int, b: int, n: int) -> bytes:
    if (a, b, n) not in _UPDATES:
        _UPDATES[a, b, n] = w.update(a, b, n)
    return _UPDATES[a, b, n]


_UPDATES: dict[tuple[int, int, int], bytes] = {}


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_else(raw: bytes) -> None:
    try:
        list(scan(bytes((16,)) + raw))
    except StoreTrouble as trouble:
        assert 1 <= trouble.offset <= len(raw) + 1


def test_cln_tools_read_it(tmp_path: Path) -> None:
    pyln = pytest.importorskip("pyln.client")
    path = tmp_path / "gossip_store"
    world = w.World()
    world.connect(1, 1)
    for n in (1, 2, 3):
        world.publish(n, n + 1, n)
    world.receive(1, w.update(1, 2, 1, timestamp=w.NOW + 1), w.node_announcement(2))
    world.gossip.intake.spent(1001, (w.scid(3),))
    world.gossip.intake.new_height(2000)
    path.write_bytes(world.store.buf)
    graph = pyln.Gossmap(str(path))
    graph.refresh()
    assert [str(scid) for scid in graph.channels] == [str(w.scid(1)), str(w.scid(2))]
    graph.store_file.close()
    assert graph.get_node(w.node(2).hex()).alias.rstrip("\0") == "node2"
