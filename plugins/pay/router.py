"""Where a part can go: the public map, our own channels, the invoice's hints and what the payment has learnt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pylightningd.plugins.gossmap import DISABLED, SET, Gossmap, LocalChannel, LocalHalf
from pylightningd.plugins.pay.attempt import Goal
from pylightningd.plugins.pay.knowledge import ANY_CAPACITY_MSAT, Channel, Knowledge
from pylightningd.plugins.routing import Hop, NoRoute, Wish, find_route, route_fee_msat


class TooExpensive(NoRoute):
    """There is a way, but it costs more, or locks money for longer, than allowed."""


@dataclass(frozen=True, slots=True)
class OwnChannel:
    """A channel of ours, as far as sending through it matters."""

    local: LocalChannel
    usable: bool
    spendable_msat: int
    slots: int
    """How many more HTLCs we may add."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One hop of a private way to the destination."""

    source: bytes
    destination: bytes
    scid: int
    base_fee_msat: int
    fee_ppm: int
    delay: int
    htlc_min_msat: int = 0
    htlc_max_msat: int = ANY_CAPACITY_MSAT

    def local(self) -> LocalChannel:
        """As a channel to be put on the map."""
        half = LocalHalf(
            enabled=True,
            base_fee_msat=self.base_fee_msat,
            fee_ppm=self.fee_ppm,
            delay=self.delay,
            htlc_min_msat=self.htlc_min_msat,
            htlc_max_msat=self.htlc_max_msat,
        )
        return LocalChannel(
            scid=self.scid,
            ours=self.source,
            peer=self.destination,
            capacity_msat=ANY_CAPACITY_MSAT,
            outgoing=half,
            incoming=None,
        )


@dataclass(slots=True)
class Router:
    """Finds routes for one payment."""

    graph: Gossmap
    our_id: bytes
    goal: Goal
    own: Sequence[OwnChannel]
    hints: Sequence[Hint] = ()
    _by_scid: dict[int, OwnChannel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.know_own(self.own)

    def know_own(self, own: Sequence[OwnChannel]) -> None:
        """Take in how our channels stand now."""
        self.own = own
        self._by_scid = {channel.local.scid: channel for channel in self.own}

    @contextmanager
    def ready(self, knowledge: Knowledge) -> Iterator[None]:
        """Put all we know on the map. Within, nothing may wait: others use the same map."""
        channels = [
            *(hint.local() for hint in self.hints if hint.source != self.our_id),
            *knowledge.policies.values(),
            *(channel.local for channel in self.own),
        ]
        with self.graph.overlay(channels):
            yield

    def find(
        self,
        amount_msat: int,
        budget_msat: int,
        knowledge: Knowledge,
        used: Mapping[Channel, int],
        parts: Mapping[int, int],
    ) -> list[Hop]:
        """The best route for an amount. Inside `ready`. Raises NoRoute.

        `used`: msat that our other parts use of each channel; `parts`: how many of them begin with each of our own.
        """
        goal = self.goal
        wish = Wish(
            amount_msat=amount_msat,
            final_delay=goal.final_delay,
            riskfactor_percent=goal.risk_percent,
            max_delay=goal.max_delay,
            exclude_halves=frozenset(self._excluded(knowledge, parts)),
            exclude_nodes=self._nodes(knowledge),
            limits_msat=self._limits(knowledge, used),
        )
        hops = find_route(self.graph, self.our_id, goal.destination, wish)
        if route_fee_msat(hops) > budget_msat:
            # The best one weighs time against fees; look for the cheapest.
            hops = find_route(
                self.graph, self.our_id, goal.destination, replace(wish, riskfactor_percent=0.0)
            )
        if route_fee_msat(hops) > budget_msat:
            raise TooExpensive(
                f"the cheapest route for {amount_msat}msat costs {route_fee_msat(hops)}msat in fees, "
                f"and {budget_msat}msat are allowed"
            )
        return hops

    def _excluded(self, knowledge: Knowledge, parts: Mapping[int, int]) -> Iterator[int]:
        graph = self.graph
        for scid, direction in knowledge.avoid_channels:
            half = graph.half(scid, direction)
            if half is not None:
                yield half
        us = graph.node_index.get(self.our_id)
        for index in graph.node_channels[us] if us is not None else ():
            own = self._by_scid.get(graph.scids[index])
            if own is None or own.slots <= parts.get(own.local.scid, 0):
                yield 2 * index
                yield 2 * index + 1

    def _nodes(self, knowledge: Knowledge) -> frozenset[int]:
        known = (self.graph.node_index.get(node) for node in knowledge.avoid_nodes)
        return frozenset(index for index in known if index is not None)

    def _limits(self, knowledge: Knowledge, used: Mapping[Channel, int]) -> dict[int, int]:
        """What each half has left, for those that we use or know something of."""
        graph = self.graph
        limits = {}
        for key in {*used, *knowledge.limits}:
            half = graph.half(*key)
            if half is None:
                continue
            most = min(graph.htlc_max[half], graph.capacity_sat[half >> 1] * 1000)
            own = self._by_scid.get(key[0])
            if own is not None:
                most = own.spendable_msat
            limits[half] = max(0, min(most, knowledge.limits.get(key, most)) - used.get(key, 0))
        return limits

    def grow(
        self,
        hops: list[Hop],
        most_msat: int,
        budget_msat: int,
        knowledge: Knowledge,
        used: Mapping[Channel, int],
    ) -> list[Hop]:
        """The same route for as much as fits, at most `most_msat`. Inside `ready`."""
        if any((hop.scid, hop.direction) in knowledge.limits for hop in hops):
            # What it carries is a guess already.
            return hops
        limits = self._limits(knowledge, used)
        low, high = hops[-1].amount_msat, most_msat
        best = hops
        while low < high:
            middle = (low + high + 1) // 2
            found = self._walk(hops, middle, limits)
            if found is not None and route_fee_msat(found) <= budget_msat:
                best, low = found, middle
            else:
                high = middle - 1
        return best

    def _walk(
        self, hops: Iterable[Hop], amount_msat: int, limits: Mapping[int, int]
    ) -> list[Hop] | None:
        """The same channels with another amount; None where one cannot carry it."""
        graph = self.graph
        found: list[Hop] = []
        for hop in reversed(list(hops)):
            half = graph.half(hop.scid, hop.direction)
            if half is None or graph.half_flags[half] & (SET | DISABLED) != SET:
                return None
            if not graph.htlc_min[half] <= amount_msat <= graph.htlc_max[half]:
                return None
            if amount_msat > min(
                limits.get(half, amount_msat), graph.capacity_sat[half >> 1] * 1000
            ):
                return None
            found.append(replace(hop, amount_msat=amount_msat))
            amount_msat += graph.base_fee[half] + amount_msat * graph.fee_ppm[half] // 1_000_000
        found.reverse()
        return found

    def diagnose(self, amount_msat: int, search_said: str) -> str:
        """Why there is no route, for the user. Outside `ready`."""
        if not search_said.startswith("Could not find") and "unknown" not in search_said:
            return search_said
        usable = [channel for channel in self.own if channel.usable]
        if not self.own:
            return "we have no channel"
        if not usable:
            return "none of our channels is usable now: no peer is connected and ready"
        total = sum(channel.spendable_msat for channel in usable)
        if total < amount_msat:
            return f"our channels can send {total}msat at most, {amount_msat}msat are needed"
        destination = self.goal.destination
        known = self.graph.node_index.get(destination)
        reachable = (known is not None and bool(self.graph.node_channels[known])) or any(
            c.local.peer == destination for c in self.own
        )
        if not reachable and not any(h.destination == destination for h in self.hints):
            return f"{destination.hex()} has no public channel that we know of, and the invoice names no private one"
        return "no path of channels that is left has enough capacity"
