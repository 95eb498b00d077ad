"""Finds the cheapest way through a `Gossmap` for one payment. Pure: the map and the wishes in, hops out.

The search goes backwards from the destination, because fees and time locks add up from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from pylightningd.plugins.gossmap import DISABLED, SET, Gossmap

MAX_HOPS = 20
BLOCKS_A_YEAR = 52_596
SHORTER = 1 << 50
"""A hop's cost where the number of hops is what counts; more than any fee."""


class NoRoute(Exception):
    """There is no way. The text says what was missing, for the user."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One channel of a route. What `getroute` shows, and `sendpay` takes."""

    scid: int
    direction: int
    node_id: bytes
    """Where it leads to."""
    amount_msat: int
    """What goes through it."""
    delay: int
    """Blocks left on the HTLC that arrives there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a route is to be like."""

    amount_msat: int
    final_delay: int = 9
    riskfactor_percent: float = 10.0
    """What locked-up money costs a year, in percent of it."""
    max_hops: int = MAX_HOPS
    max_delay: int = 2016
    """Blocks on the first HTLC."""
    exclude_halves: Collection[int] = frozenset()
    """Numbers of `Gossmap.half`."""
    exclude_nodes: Collection[int] = frozenset()
    """Numbers of nodes: nothing goes through them."""
    limits_msat: Mapping[int, int] = field(default_factory=dict)
    """What a half can carry at most, as far as we learnt."""
    penalties_msat: Mapping[int, int] = field(default_factory=dict)
    """What a half shall count as dearer than it is."""


def find_route(graph: Gossmap, source: bytes, destination: bytes, wish: Wish) -> list[Hop]:
    """The cheapest route by fees and risk. Raises NoRoute.

    Our own channels cost us nothing; give what can be sent over them by `Gossmap.overlay`.
    """
    start = graph.node_index.get(source)
    if start is None or not graph.node_channels[start]:
        raise NoRoute(f"{source.hex()}: unknown source node_id (no public channels?)")
    end = graph.node_index.get(destination)
    if end is None or not graph.node_channels[end]:
        raise NoRoute(f"{destination.hex()}: unknown destination node_id (no public channels?)")
    if start == end:
        return []
    if end in wish.exclude_nodes:
        raise NoRoute("Could not find a route")
    hops = _search(graph, start, end, wish, per_hop=0)
    if hops is None:
        raise NoRoute("Could not find a route")
    if len(hops) > wish.max_hops or hops[0].delay > wish.max_delay:
        # The cheapest is too long: look for the one with fewest hops instead.
        hops = _search(graph, start, end, wish, per_hop=SHORTER) or []
        if len(hops) > wish.max_hops:
            raise NoRoute(f"Shortest route was {len(hops)}")
        if not hops or hops[0].delay > wish.max_delay:
            raise NoRoute(f"Every route locks funds for more than {wish.max_delay} blocks")
    return hops


def route_fee_msat(hops: list[Hop]) -> int:
    """What the nodes on the way keep."""
    return hops[0].amount_msat - hops[-1].amount_msat if hops else 0


def _search(graph: Gossmap, start: int, end: int, wish: Wish, *, per_hop: int) -> list[Hop] | None:
    """Dijkstra from `end` to `start`.

    Hot loop: the arrays are bound to local names, amounts are bare ints in msat.
    """
    flags, base_fee, fee_ppm = graph.half_flags, graph.base_fee, graph.fee_ppm
    htlc_min, htlc_max, delays = graph.htlc_min, graph.htlc_max, graph.delay
    node_1, node_2, capacity = graph.node_1, graph.node_2, graph.capacity_sat
    node_channels = graph.node_channels
    excluded, bad_nodes = wish.exclude_halves, wish.exclude_nodes
    limits, penalties = wish.limits_msat, wish.penalties_msat
    risk = wish.riskfactor_percent / 100 / BLOCKS_A_YEAR
    best: dict[int, float] = {end: 0.0}
    amounts = {end: wish.amount_msat}
    delay_at = {end: wish.final_delay}
    via: dict[int, int] = {}
    done: set[int] = set()
    heap: list[tuple[float, int]] = [(0.0, end)]
    while heap:
        cost, node = heappop(heap)
        if node in done:
            continue
        if node == start:
            return _hops(graph, start, end, via, amounts, delay_at)
        done.add(node)
        amount_msat, delay = amounts[node], delay_at[node]
        for index in node_channels[node]:
            # The half that leads here.
            if node_2[index] == node:
                half, other = 2 * index, node_1[index]
            else:
                half, other = 2 * index + 1, node_2[index]
            if other in done or flags[half] & (SET | DISABLED) != SET:
                continue
            if not htlc_min[half] <= amount_msat <= htlc_max[half]:
                continue
            if amount_msat > capacity[index] * 1000:
                continue
            if half in excluded or (limits and amount_msat > limits.get(half, amount_msat)):
                continue
            if other == start:
                # BOLT 7, "HTLC Fees": the sender pays nobody for its own channel.
                fee_msat, more = 0, 0
            elif other in bad_nodes:
                continue
            else:
                fee_msat = base_fee[half] + amount_msat * fee_ppm[half] // 1_000_000
                more = delays[half]
            total = cost + fee_msat + amount_msat * more * risk + per_hop
            if penalties:
                total += penalties.get(half, 0)
            # Of equal ones, the shorter.
            total += 1
            if total < best.get(other, _INFINITE):
                best[other] = total
                amounts[other] = amount_msat + fee_msat
                delay_at[other] = delay + more
                via[other] = half
                heappush(heap, (total, other))
    return None


_INFINITE = float("inf")


def _hops(
    graph: Gossmap,
    start: int,
    end: int,
    via: Mapping[int, int],
    amounts: Mapping[int, int],
    delay_at: Mapping[int, int],
) -> list[Hop]:
    hops: list[Hop] = []
    node = start
    while node != end:
        half = via[node]
        node = graph.destination(half)
        hops.append(
            Hop(
                scid=graph.scids[half >> 1],
                direction=half & 1,
                node_id=graph.node_ids[node],
                amount_msat=amounts[node],
                delay=delay_at[node],
            )
        )
    return hops
