"""Asks peers for gossip that we lack: everything at first, then what a look at their list shows, then strays.

Pure: `on_*` and `tick` return what to send, as (connection, encoded message).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pylightningd.common import features as ft
from pylightningd.common.wire.peer_wire import (
    GossipTimestampFilter,
    ReplyChannelRange,
    ReplyShortChannelIdsEnd,
)
from pylightningd.gossipd import queries as q
from pylightningd.gossipd.announcements import BadGossip
from pylightningd.gossipd.graph import Graph
from pylightningd.gossipd.peers import GossipPeer
from pylightningd.gossipd.pending import PendingChannels

MAX_STREAMS = 5
"""Peers that may stream their gossip to us."""
NEVER = 0xFFFFFFFF
RECENT_SECONDS = 2 * 3600
MAX_WANTED = 200_000
MAX_REPLIES = 2000
"""Messages in answer to one query_channel_range."""

Send = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are asked. Seconds."""

    full_sync: float
    nodes: float
    answer: float

    @classmethod
    def choose(cls, *, fast: bool) -> Pace:
        """Slow for the real network, fast for tests."""
        return cls(10, 5, 10) if fast else cls(3600, 300, 60)


@dataclass(slots=True)
class _Asked:
    """A question that a peer has not answered yet."""

    since: float
    range: bool
    replies: int = 0
    late: bool = False
    """Others are asked meanwhile; the answer, when it comes, is as good as any."""


@dataclass
class Seeker:
    """One for the daemon."""

    graph: Graph
    pending: PendingChannels
    chain_hash: bytes
    fast: bool = False
    peers: dict[int, GossipPeer] = field(default_factory=dict)
    wanted: dict[int, int] = field(default_factory=dict)
    """scid to query flags."""
    refused: frozenset[int] | dict[int, None] = frozenset()
    streams: set[int] = field(default_factory=set)
    _asked: dict[int, _Asked] = field(default_factory=dict)
    _slow: set[int] = field(default_factory=set)
    """Peers that were late once: others are asked before them."""
    _last_sync: float = float("-inf")
    _last_nodes: float = float("-inf")
    _asked_nodes: set[int] = field(default_factory=set)

    @property
    def pace(self) -> Pace:
        """How often things are asked."""
        return Pace.choose(fast=self.fast)

    # Peers

    def on_peer(self, peer: GossipPeer, now: float) -> list[Send]:
        """A peer is there."""
        self.peers[peer.connection] = peer
        out = [self._filter(peer, now)]
        if not self._range_running():
            out += self._sync(now, only=peer)
        return out

    def on_peer_gone(self, connection: int, now: float) -> list[Send]:
        """It left: another may take its place."""
        self.peers.pop(connection, None)
        self._asked.pop(connection, None)
        self._slow.discard(connection)
        if connection in self.streams:
            self.streams.discard(connection)
            for peer in self.peers.values():
                if peer.connection not in self.streams:
                    return [self._filter(peer, now)]
        return []

    def _filter(self, peer: GossipPeer, now: float) -> Send:
        """Turn a peer's stream on, or off where there are enough."""
        first, count = NEVER, 0
        # BOLT 7, "The `gossip_timestamp_filter` Message": nothing is asked of who is not worth asking.
        if peer.offers(ft.GOSSIP_QUERIES) and len(self.streams) < MAX_STREAMS:
            everything = self.fast or (not self.streams and not self.graph.channels)
            first = 0 if everything else max(0, int(now) - RECENT_SECONDS)
            count = NEVER
            self.streams.add(peer.connection)
        msg = GossipTimestampFilter(
            chain_hash=self.chain_hash, first_timestamp=first, timestamp_range=count
        )
        return peer.connection, msg.encode()

    # What is missing

    def on_unknown_channel(self, scid: int) -> None:
        """An update came for a channel that we do not know."""
        self._want(scid, q.WANT_ALL)

    def _want(self, scid: int, flags: int) -> None:
        if scid in self.refused or len(self.wanted) >= MAX_WANTED:
            return
        self.wanted[scid] = self.wanted.get(scid, 0) | flags

    def on_range_reply(self, connection: int, msg: ReplyChannelRange) -> None:
        """Part of a peer's list. Raises BadGossip."""
        asked = self._asked.get(connection)
        if asked is None or not asked.range:
            raise BadGossip("reply_channel_range without query_channel_range")
        asked.replies += 1
        if asked.replies > MAX_REPLIES:
            raise BadGossip(f"more than {MAX_REPLIES} replies to one query_channel_range")
        scids = q.decode_scids(msg.encoded_short_ids)
        tlv = msg.tlvs.timestamps_tlv
        stamps = [] if tlv is None else q.decode_timestamps(tlv)
        if stamps and len(stamps) != len(scids):
            raise BadGossip(f"{len(stamps)} timestamps for {len(scids)} short_channel_ids")
        for n, scid in enumerate(scids):
            self._compare(scid, stamps[n] if stamps else None)
        if msg.sync_complete:
            del self._asked[connection]

    def _compare(self, scid: int, stamps: tuple[int, int] | None) -> None:
        channel = self.graph.get(scid)
        if channel is None:
            if scid not in self.pending:
                self._want(scid, q.WANT_ALL)
            return
        flags = 0
        for update, stamp, bit in zip(
            channel.updates, stamps or (0, 0), (q.WANT_UPDATE_1, q.WANT_UPDATE_2), strict=True
        ):
            if stamp > (update.timestamp if update is not None else 0):
                flags |= bit
        if flags:
            self._want(scid, flags)

    def on_scids_end(self, connection: int, _msg: ReplyShortChannelIdsEnd) -> None:
        """A peer has told all it knows of what we asked for."""
        asked = self._asked.get(connection)
        if asked is None or asked.range:
            raise BadGossip("reply_short_channel_ids_end without query_short_channel_ids")
        del self._asked[connection]

    # Asking

    def tick(self, now: float) -> list[Send]:
        """What to ask now."""
        self._expire(now)
        out: list[Send] = []
        if now - self._last_sync >= self.pace.full_sync and not self._range_running():
            out += self._sync(now)
        if now - self._last_nodes >= self.pace.nodes:
            self._last_nodes = now
            self._seek_nodes()
        out += self._ask_wanted(now)
        return out

    def _expire(self, now: float) -> None:
        # BOLT 7, "Query Messages", sender MUST NOT ask again before the peer has answered, however long that takes:
        # so it stays in `_asked`.
        for connection, asked in self._asked.items():
            if now - asked.since > self.pace.answer:
                asked.late = True
                self._slow.add(connection)

    def _range_running(self) -> bool:
        return any(a.range and not a.late for a in self._asked.values())

    def _idle(self) -> list[GossipPeer]:
        """Peers that may be asked, those that were slow before last."""
        found = [
            p
            for p in self.peers.values()
            if p.connection not in self._asked and p.offers(ft.GOSSIP_QUERIES)
        ]
        return sorted(found, key=lambda p: p.connection in self._slow)

    def _sync(self, now: float, only: GossipPeer | None = None) -> list[Send]:
        idle = self._idle()
        if only is not None:
            idle = [p for p in idle if p is only]
        if not idle:
            return []
        # Another peer each time, so that one who hides things cannot do so for long.
        peer = idle[int(now // self.pace.full_sync) % len(idle)]
        self._last_sync = now
        self._asked[peer.connection] = _Asked(now, range=True)
        extended = peer.offers(ft.GOSSIP_QUERIES_EX)
        return [(peer.connection, q.make_range_query(self.chain_hash, extended=extended))]

    def _seek_nodes(self) -> None:
        """Want the announcements of nodes that have none yet, each channel once in a while."""
        if len(self._asked_nodes) > MAX_WANTED or self.fast:
            self._asked_nodes.clear()
        found = 0
        for node_id, node in self.graph.nodes.items():
            if node.offset or not node.scids or found >= q.MAX_SCIDS_A_QUERY:
                continue
            scid = next(iter(node.scids))
            if scid not in self._asked_nodes:
                self._asked_nodes.add(scid)
                first = self.graph.channels[scid].node_1 == node_id
                self._want(scid, q.WANT_NODE_1 if first else q.WANT_NODE_2)
                found += 1

    def _ask_wanted(self, now: float) -> list[Send]:
        out: list[Send] = []
        for peer in self._idle():
            chosen = self._take_wanted()
            if not chosen:
                break
            self._asked[peer.connection] = _Asked(now, range=False)
            extended = peer.offers(ft.GOSSIP_QUERIES_EX)
            raw = q.make_scid_query(self.chain_hash, chosen, extended=extended)
            out.append((peer.connection, raw))
        return out

    def _take_wanted(self) -> dict[int, int]:
        chosen: dict[int, int] = {}
        while self.wanted and len(chosen) < q.MAX_SCIDS_A_QUERY:
            scid = next(iter(self.wanted))
            flags = self.wanted.pop(scid)
            known = self.graph.get(scid) is not None
            # What came in the meantime need not be asked for.
            if (flags & q.WANT_CHANNEL and (known or scid in self.pending)) or (
                not flags & q.WANT_CHANNEL and not known
            ):
                continue
            chosen[scid] = flags
        return chosen
