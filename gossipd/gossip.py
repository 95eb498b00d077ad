"""The core of gossipd: what each message leads to. All ways out go through a `Port`; time comes as an argument."""

from __future__ import annotations

from collections.abc import Callable

from pylightningd.common.address import read_addresses
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire import gossipd_wire as gw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import message_type
from pylightningd.gossipd import queries as q
from pylightningd.gossipd.announcements import (
    CHANNEL_ANNOUNCEMENT,
    CHANNEL_UPDATE,
    NODE_ANNOUNCEMENT,
    STALE_SECONDS,
    BadGossip,
    IgnoredGossip,
)
from pylightningd.gossipd.graph import Graph
from pylightningd.gossipd.intake import Intake, OwnChannel
from pylightningd.gossipd.peers import MAX_ANSWERS, GossipPeer
from pylightningd.gossipd.port import OURS, Port
from pylightningd.gossipd.rate_limit import RateLimit
from pylightningd.gossipd.seeker import Seeker, Send
from pylightningd.gossipd.store import Store

FLUSH_SECONDS, FAST_FLUSH_SECONDS = 60.0, 1.0
PRUNE_SECONDS = 3600.0
FAST_STALE_SECONDS, FAST_PRUNE_SECONDS = 120, 30.0
"""With --dev-fast-gossip-prune, as CLN."""
MAX_REMEMBERED_SOURCES = 20_000


class Gossip:
    """All peers, the graph, and the rules that join them."""

    def __init__(
        self,
        port: Port,
        store: Store,
        *,
        chain_hash: bytes,
        node_id: NodeId,
        height: int,
        fast: bool = False,
        fast_prune: bool = False,
    ) -> None:
        self._port = port
        self._fast = fast
        self._chain_hash = chain_hash
        self.graph = Graph(store)
        self.intake = Intake(
            graph=self.graph,
            outcome=self,
            chain_hash=chain_hash,
            our_id=node_id,
            height=height,
            limit=None if fast else RateLimit(),
            stale_seconds=FAST_STALE_SECONDS if fast_prune else STALE_SECONDS,
        )
        self._prune_seconds = FAST_PRUNE_SECONDS if fast_prune else PRUNE_SECONDS
        self.seeker = Seeker(self.graph, self.intake.pending, chain_hash, fast)
        self.seeker.refused = self.intake.refused
        self.peers: dict[int, GossipPeer] = {}
        self._sources: dict[int, int] = {}
        self._last_flush = float("-inf")
        self._last_prune: float | None = None
        self._handlers: dict[int, Callable[[GossipPeer, bytes, float], None]] = {
            CHANNEL_ANNOUNCEMENT: lambda p, raw, _: self.intake.channel_announcement(
                raw, p.connection
            ),
            CHANNEL_UPDATE: lambda p, raw, now: self.intake.channel_update(raw, p.connection, now),
            NODE_ANNOUNCEMENT: lambda p, raw, now: self.intake.node_announcement(
                raw, p.connection, now
            ),
            pw.QueryShortChannelIds.TYPE: self._on_query_scids,
            pw.ReplyShortChannelIdsEnd.TYPE: self._on_scids_end,
            pw.QueryChannelRange.TYPE: self._on_query_range,
            pw.ReplyChannelRange.TYPE: self._on_range_reply,
            pw.GossipTimestampFilter.TYPE: self._on_filter,
        }

    # Peers

    def peer_connected(self, connection: int, node_id: NodeId, features: bytes, now: float) -> None:
        """connectd has a peer that has finished its init."""
        peer = self.peers[connection] = GossipPeer(connection, node_id, features)
        self._ask(self.seeker.on_peer(peer, now))

    def peer_gone(self, connection: int, now: float) -> None:
        """Its connection ended."""
        if self.peers.pop(connection, None) is not None:
            self._ask(self.seeker.on_peer_gone(connection, now))

    def peer_message(self, connection: int, raw: bytes, now: float) -> None:
        """A gossip message of a peer."""
        peer = self.peers.get(connection)
        if peer is None:
            return
        try:
            handler = self._handlers.get(message_type(raw))
            if handler is None:
                raise BadGossip(f"message type {message_type(raw)} is no gossip")
            handler(peer, raw, now)
        except IgnoredGossip as why:
            self._port.log("trace", str(why), peer.node_id)
        except BadGossip as error:
            self.bad(connection, error)
        except WireError as error:
            self.bad(connection, BadGossip(str(error)))

    def room(self, connection: int) -> None:
        """The last batch is on its way."""
        peer = self.peers.get(connection)
        if peer is not None:
            peer.room = True
            self._pump(peer)

    def _ask(self, sends: list[Send]) -> None:
        for connection, raw in sends:
            peer = self.peers.get(connection)
            if peer is not None:
                peer.direct.append(raw)
                self._pump(peer)

    def _pump(self, peer: GossipPeer) -> None:
        """Send a peer its next batch, if it has room."""
        while peer.room and peer.has_work:
            batch = peer.next_batch(self.graph.store, self._sources.get)
            if batch:
                peer.room = False
                self._port.send(peer.connection, batch)
            elif peer.flushing:
                # Nothing for it among the records looked at: the rest at the next tick.
                return

    # Queries

    def _on_query_scids(self, peer: GossipPeer, raw: bytes, _now: float) -> None:
        msg = pw.QueryShortChannelIds.decode(raw)
        if msg.chain_hash != self._chain_hash:
            end = pw.ReplyShortChannelIdsEnd(chain_hash=msg.chain_hash, full_information=0)
            peer.direct.append(end.encode())
        else:
            query = q.read_scid_query(msg)
            self._check_answers(peer)
            peer.answers.append(q.answer_scids(self.graph, query, self._chain_hash))
        self._pump(peer)

    def _on_query_range(self, peer: GossipPeer, raw: bytes, _now: float) -> None:
        msg = pw.QueryChannelRange.decode(raw)
        if msg.chain_hash != self._chain_hash:
            reply = pw.ReplyChannelRange(
                chain_hash=msg.chain_hash,
                first_blocknum=msg.first_blocknum,
                number_of_blocks=msg.number_of_blocks,
                sync_complete=0,
                encoded_short_ids=q.encode_scids([]),
            )
            peer.direct.append(reply.encode())
        else:
            self._check_answers(peer)
            peer.answers.append(q.answer_range(self.graph, msg))
        self._pump(peer)

    def _check_answers(self, peer: GossipPeer) -> None:
        # BOLT 7, "Query Messages": one query of a kind at a time; the receiver may close on more.
        if len(peer.answers) >= MAX_ANSWERS:
            raise BadGossip(f"more than {MAX_ANSWERS} queries at once")

    def _on_range_reply(self, peer: GossipPeer, raw: bytes, now: float) -> None:
        self.seeker.on_range_reply(peer.connection, pw.ReplyChannelRange.decode(raw))
        self._ask(self.seeker.tick(now))

    def _on_scids_end(self, peer: GossipPeer, raw: bytes, now: float) -> None:
        self.seeker.on_scids_end(peer.connection, pw.ReplyShortChannelIdsEnd.decode(raw))
        self._ask(self.seeker.tick(now))

    def _on_filter(self, peer: GossipPeer, raw: bytes, _now: float) -> None:
        msg = pw.GossipTimestampFilter.decode(raw)
        if msg.chain_hash != self._chain_hash:
            raise IgnoredGossip("gossip_timestamp_filter: for another chain")
        peer.set_filter(msg.first_timestamp, msg.timestamp_range)
        self._pump(peer)

    # The master

    def add(self, raw: bytes, known_amount_sat: int | None, now: float) -> str:
        """Gossip of our own, or by addgossip. Returns why it was not taken, or an empty text."""
        try:
            kind = message_type(raw)
            if kind == CHANNEL_ANNOUNCEMENT:
                self.intake.channel_announcement(raw, OURS, known_amount_sat)
            elif kind == CHANNEL_UPDATE:
                self.intake.channel_update(raw, OURS, now)
            elif kind == NODE_ANNOUNCEMENT:
                self.intake.node_announcement(raw, OURS, now)
            else:
                return f"message type {kind} is no gossip"
        except (BadGossip, IgnoredGossip, WireError) as why:
            return str(why)
        return ""

    def txout(self, scid: int, amount_sat: int, script: bytes) -> None:
        """The answer to `Port.ask_txout`."""
        self.intake.txout(scid, amount_sat, script)

    def our_channel(self, scid: int, peer_id: NodeId) -> None:
        """A channel of ours, under its scid or an alias."""
        self.intake.own[scid] = OwnChannel(peer_id)
        channel = self.graph.get(scid)
        if channel is not None:
            update = channel.updates[int(channel.node_2 == peer_id)]
            if update is not None:
                self.remote_update(peer_id, self.graph.store.read(update.offset))

    def addresses(self, node_id: NodeId) -> tuple[str, ...]:
        """Where a node says it can be reached."""
        raw = self.graph.node_message(node_id)
        if raw is None:
            return ()
        try:
            found = read_addresses(pw.NodeAnnouncement.decode(raw).addresses)
        except WireError:
            return ()
        return tuple(str(a) for a in found)

    # Time

    def tick(self, now: float) -> None:
        """Call once a second or so."""
        if now - self._last_flush >= (FAST_FLUSH_SECONDS if self._fast else FLUSH_SECONDS) - 0.05:
            self._last_flush = now
            for peer in self.peers.values():
                peer.flushing = peer.filter is not None
        for peer in list(self.peers.values()):
            self._pump(peer)
        self._ask(self.seeker.tick(now))
        # After a long time away peers get an hour to refresh what is stale.
        if self._last_prune is None:
            self._last_prune = now
        elif now - self._last_prune >= self._prune_seconds:
            self._last_prune = now
            self.intake.prune(now)

    # What the intake reports

    def accepted(self, offset: int, source: int) -> None:
        """A message is in the store: ours goes out at once, others at the next flush."""
        if source != OURS:
            self._sources[offset] = source
            if len(self._sources) > MAX_REMEMBERED_SOURCES:
                del self._sources[next(iter(self._sources))]
            return
        raw = self.graph.store.read(offset)
        for peer in list(self.peers.values()):
            # BOLT 7, "Rebroadcasting": what we make ourselves is sent whatever the filter.
            peer.direct.append(raw)
            self._sources_of_ours(peer, offset)
            self._pump(peer)

    def _sources_of_ours(self, peer: GossipPeer, offset: int) -> None:
        """Where a peer's stream is at this very record, it need not come there again."""
        if peer.cursor == offset and peer.filter is not None:
            record = self.graph.store.record(offset)
            if record is not None:
                peer.cursor = record.end

    def ask_txout(self, scid: int) -> None:
        """See `Outcome`."""
        self._port.ask_txout(scid)

    def unknown_channel(self, scid: int, source: int) -> None:
        """See `Outcome`."""
        self.seeker.on_unknown_channel(scid)

    def remote_update(self, peer_id: NodeId, raw: bytes) -> None:
        """See `Outcome`."""
        self._port.tell_master(gw.GossipdRemoteUpdate(peer_id=peer_id, msg=raw))

    def log(self, level: str, text: str, source: int) -> None:
        """See `Outcome`."""
        peer = self.peers.get(source)
        self._port.log(level, text, peer.node_id if peer is not None else None)

    def bad(self, source: int, error: BadGossip) -> None:
        """A peer broke a rule."""
        peer = self.peers.get(source)
        if peer is None:
            self._port.log("debug", f"gossip of a peer that left: {error}")
            return
        self._port.log("unusual", f"Bad gossip: {error}", peer.node_id)
        self._port.warn(source, str(error))

    def counts(self) -> tuple[int, int]:
        """Channels and nodes."""
        return len(self.graph.channels), len(self.graph.nodes)
