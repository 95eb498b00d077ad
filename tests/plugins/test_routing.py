"""Routes: fees and delays by hand, and the cheapest of all on small random maps."""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.plugins.gossmap import Gossmap
from pylightningd.plugins.routing import Hop, NoRoute, Wish, find_route, route_fee_msat
from tests.plugins.graphs import StoreFile, node, scid


@pytest.fixture
def store(tmp_path: Path) -> StoreFile:
    return StoreFile(tmp_path / "gossip_store")


def load(store: StoreFile) -> Gossmap:
    graph = Gossmap(store.path)
    graph.refresh()
    return graph


def test_fees_and_delays_as_in_bolt_7(store: StoreFile) -> None:
    # BOLT 7, "Routing Example": A pays C 4,999,999 msat by way of B.
    a, b, c = 1, 2, 3
    store.both(1, a, b, 100_000_000, base=100, ppm=1000, delay=10)
    store.channel(2, b, c, 100_000_000)
    store.update(2, b, c, base=200, ppm=2000, delay=20)
    graph = load(store)
    wish = Wish(amount_msat=4_999_999, final_delay=9 + 42)
    hops = find_route(graph, node(a), node(c), wish)
    assert hops == [
        Hop(scid(1), 0, node(b), 5_010_198, 20 + 9 + 42),
        Hop(scid(2), 0, node(c), 4_999_999, 9 + 42),
    ]
    assert route_fee_msat(hops) == 200 + 4_999_999 * 2000 // 1_000_000
    assert find_route(graph, node(a), node(b), Wish(amount_msat=1)) == [
        Hop(scid(1), 0, node(b), 1, 9)
    ]


def diamond(store: StoreFile) -> Gossmap:
    """1 to 4 by 2 (cheap) or 3 (dear)."""
    store.both(1, 1, 2)
    store.both(2, 2, 4, base=10)
    store.both(3, 1, 3)
    store.both(4, 3, 4, base=5000)
    return load(store)


def through(graph: Gossmap, **wish: object) -> list[int]:
    hops = find_route(graph, node(1), node(4), Wish(amount_msat=1000, **wish))  # type: ignore[arg-type]
    return [h.scid >> 40 for h in hops]


def test_choices(store: StoreFile) -> None:
    graph = diamond(store)
    second = graph.half(scid(2), 0)
    assert second is not None
    assert through(graph) == [1, 2]
    assert through(graph, exclude_halves={second}) == [3, 4]
    assert through(graph, exclude_nodes={graph.node_index[node(2)]}) == [3, 4]
    assert through(graph, penalties_msat={second: 10_000}) == [3, 4]
    assert through(graph, limits_msat={second: 999}) == [3, 4]
    assert through(graph, limits_msat={second: 1000}) == [1, 2]


@pytest.mark.parametrize("terms", [{"high": 999}, {"low": 1001}, {"disabled": True}])
def test_unusable_halves(store: StoreFile, terms: dict[str, int]) -> None:
    graph = diamond(store)
    store.update(2, 2, 4, **terms)  # type: ignore[arg-type]
    graph.refresh()
    assert through(graph) == [3, 4]


def test_capacity_counts_more_than_promises(store: StoreFile) -> None:
    store.both(1, 1, 2, 10, high=10**9)
    graph = load(store)
    with pytest.raises(NoRoute, match="Could not find a route"):
        find_route(graph, node(1), node(2), Wish(amount_msat=10_001))


def test_too_many_hops(store: StoreFile) -> None:
    for n in range(1, 5):
        store.both(n, n, n + 1)
    store.both(9, 1, 4, base=0)
    store.both(8, 4, 5, base=10**6)
    graph = load(store)
    assert len(find_route(graph, node(1), node(5), Wish(amount_msat=1))) == 2
    with pytest.raises(NoRoute, match="Shortest route was 2"):
        find_route(graph, node(1), node(5), Wish(amount_msat=1, max_hops=1))


def test_unknown_ends(store: StoreFile) -> None:
    graph = diamond(store)
    with pytest.raises(NoRoute, match="unknown source"):
        find_route(graph, node(99), node(1), Wish(amount_msat=1))
    with pytest.raises(NoRoute, match="unknown destination"):
        find_route(graph, node(1), node(99), Wish(amount_msat=1))
    assert find_route(graph, node(1), node(1), Wish(amount_msat=1)) == []


edges = st.lists(
    st.tuples(
        st.integers(1, 5), st.integers(1, 5), st.integers(0, 3000), st.integers(0, 5000)
    ).filter(lambda e: e[0] != e[1]),
    min_size=1,
    max_size=9,
)


@settings(deadline=None, max_examples=100)
@given(edges)
def test_nothing_is_cheaper(chosen: list[tuple[int, int, int, int]]) -> None:
    amount = 100_000
    with tempfile.TemporaryDirectory() as folder:
        store = StoreFile(Path(folder, "gossip_store"))
        for n, (a, b, base, ppm) in enumerate(chosen, start=1):
            store.both(n, a, b, base=base, ppm=ppm)
        graph = load(store)
        best = cheapest(chosen, amount)
        try:
            wish = Wish(amount_msat=amount, riskfactor_percent=0)
            hops = find_route(graph, node(1), node(5), wish)
        except NoRoute:
            assert best is None
            return
    assert best is not None
    # A route of more hops may cost a msat a hop more than the search thinks.
    assert route_fee_msat(hops) <= best + len(chosen)
    assert hops[-1].node_id == node(5)


def cheapest(chosen: list[tuple[int, int, int, int]], amount: int) -> int | None:
    """Try every way from 1 to 5."""
    found = []
    for size in range(4):
        for middle in permutations((2, 3, 4), size):
            path = (1, *middle, 5)
            total = amount
            for a, b in reversed(list(zip(path, path[1:], strict=False))):
                costs = [
                    0 if a == 1 else base + total * ppm // 1_000_000
                    for x, y, base, ppm in chosen
                    if {x, y} == {a, b}
                ]
                if not costs:
                    break
                total += min(costs)
            else:
                found.append(total - amount)
    return min(found, default=None)
