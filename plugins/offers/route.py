"""Ways for onion messages over the network's map. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from pylightningd.common.errors import WireError
from pylightningd.common.features import ONION_MESSAGES, offers
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.peer_wire import NodeAnnouncement
from pylightningd.plugins.gossmap import DISABLED, SET, Gossmap

MAX_NODES = 10
"""Of a way, us and the end included."""
MAX_LOOKED_AT = 2000
"""Nodes whose announcements one search reads: letters of strangers make us search."""


def is_public(graph: Gossmap, node_id: bytes) -> bool:
    """Whether the node has an announced channel."""
    index = graph.node_index.get(node_id)
    return index is not None and bool(graph.node_channels[index])


def announcement(graph: Gossmap, node_id: bytes) -> NodeAnnouncement | None:
    """What the node says of itself."""
    index = graph.node_index.get(node_id)
    if index is None or not graph.node_offsets[index]:
        return None
    try:
        return NodeAnnouncement.decode(graph.message(graph.node_offsets[index]))
    except WireError:
        return None


def carries_messages(graph: Gossmap, node_id: bytes) -> bool:
    """Whether the node announced that it passes onion messages on."""
    said = announcement(graph, node_id)
    return said is not None and offers(said.features, ONION_MESSAGES)


class Carriers:
    """Nodes that announced that they pass onion messages on: each announcement is decoded once for all searches."""

    def __init__(self, graph: Gossmap) -> None:
        self._graph = graph
        self._generation = graph.generation
        self._known: dict[int, bool] = {}
        """By the offset of the announcement, so that a new one of the same node counts as new."""

    def __contains__(self, node_id: bytes) -> bool:
        graph = self._graph
        if self._generation != graph.generation:
            self._generation = graph.generation
            self._known.clear()
        index = graph.node_index.get(node_id)
        if index is None or not graph.node_offsets[index]:
            return False
        offset = graph.node_offsets[index]
        if offset not in self._known:
            self._known[offset] = carries_messages(graph, node_id)
        return self._known[offset]


def end_of_channel(graph: Gossmap, scid: int, direction: int) -> NodeId | None:
    """The node that a sciddir of a public channel means."""
    index = graph.channel_index.get(scid)
    if index is None:
        return None
    nodes = graph.node_2 if direction else graph.node_1
    return NodeId(graph.node_ids[nodes[index]])


def find_way(
    graph: Gossmap,
    our_id: NodeId,
    peers: Collection[NodeId],
    target: NodeId,
    carriers: Carriers | None = None,
) -> list[NodeId] | None:
    """The shortest way from us to `target` over `peers` that are connected, or None.

    Between is who announced that it passes messages on, and whose channel to the next is in use.
    """
    if carriers is None:
        carriers = Carriers(graph)
    ours = frozenset(peers)
    if target in ours:
        return [our_id, target]
    if target not in carriers:
        return None
    # From the end, so that the first peer of ours that is met is nearest to it.
    after: dict[bytes, NodeId] = {target: target}
    silent: set[bytes] = {our_id}
    queue: deque[tuple[NodeId, int]] = deque([(target, 2)])
    while queue:
        node, length = queue.popleft()
        if length >= MAX_NODES:
            return None
        for before in _before(graph, node):
            if before in after or before in silent:
                continue
            if before in ours:
                after[before] = node
                return [our_id, *_unroll(after, before, target)]
            if len(after) + len(silent) > MAX_LOOKED_AT:
                continue  # those that were found before it may still be next to a peer
            if before in carriers:
                after[before] = node
                queue.append((before, length + 1))
            else:
                silent.add(before)
    return None


def _before(graph: Gossmap, node: NodeId) -> list[NodeId]:
    """Nodes with a channel in use towards this one."""
    index = graph.node_index.get(node)
    if index is None:
        return []
    found = []
    for channel in graph.node_channels[index]:
        half = 2 * channel + (0 if graph.node_2[channel] == index else 1)
        flags = graph.half_flags[half]
        if flags & SET and not flags & DISABLED:
            found.append(NodeId(graph.node_ids[graph.source(half)]))
    return found


def _unroll(after: dict[bytes, NodeId], first: NodeId, target: NodeId) -> list[NodeId]:
    way = [first]
    while way[-1] != target:
        way.append(after[way[-1]])
    return way
