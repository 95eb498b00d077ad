"""What we tell of our own channels, to their peers and to the world.

A channel's gossip has no state of its own: what there is to do follows from its rows (announce flag, scid, the peer's
signatures, our newest update) and from what was already said on this connection and to this gossipd. Whenever
something changed, `_Refresher` looks at what is missing and does it, one thing after the other; so a restart needs no recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat
from pylightningd.common.bus.link import LinkClosed, Refused
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import BadSignature, InvalidKey
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.channeld_wire import ChanneldSend
from pylightningd.common.wire.peer_wire import (
    AnnouncementSignatures,
    ChannelAnnouncement,
    ChannelUpdate,
)
from pylightningd.common.wire.runtime import message_type
from pylightningd.lightningd.channels import own_gossip as og
from pylightningd.lightningd.channels.channel import Channel, RemotePolicy
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db import vars_io

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

DISABLE_AFTER_SECONDS = 600
"""A peer that is away for so long has its channel marked disabled."""
_NODE_ANNOUNCEMENT = "node_announcement"
_DAY_SECONDS = 24 * 3600
_FAST_SECONDS = 30
"""With --dev-fast-gossip-prune: channels are pruned after two minutes."""

_LIVE = frozenset({ChannelState.CHANNELD_NORMAL})
_CLOSING = frozenset(
    {
        ChannelState.CHANNELD_SHUTTING_DOWN,
        ChannelState.CLOSINGD_SIGEXCHANGE,
        ChannelState.CLOSINGD_COMPLETE,
        ChannelState.AWAITING_UNILATERAL,
    }
)


@dataclass(slots=True)
class _Said:
    """What was already said of a channel. In memory only."""

    on_route: int | None = None
    """The connection that the next two are about."""
    sigs_sent: bool = False
    sigs_wanted: bool = False
    """The peer has sent its signatures on this connection."""
    update_sent: bytes = b""
    our_sigs: tuple[bytes, bytes] | None = None
    sigs_scid: ShortChannelId | None = None
    """What `our_sigs` are for."""
    early_sigs: AnnouncementSignatures | None = None
    """The peer's, for a scid that we do not know yet."""
    known_names: frozenset[int] = frozenset()
    """Told to this gossipd."""
    announced: bool = False
    update_published: bytes = b""
    gone_since: float | None = None
    remote_timestamp: int = 0
    tried_while_gone: bool = False
    running: bool = False
    again: bool = False


class ChannelGossip:
    """`node.channel_gossip`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said: dict[int, _Said] = {}
        self._node_told = b""
        """The node_announcement that this gossipd has."""
        self._node_running = False
        self._timer_runs = False

    def _of(self, channel: Channel) -> _Said:
        return self._said.setdefault(channel.dbid, _Said())

    # What others report; inside turns

    def channel_changed(self, channel: Channel) -> None:
        """Its state, its connection or its readiness changed."""
        said = self._of(channel)
        if channel.reestablished:
            said.gone_since = None
            said.tried_while_gone = False
        elif said.gone_since is None:
            said.gone_since = self._node.clock.now()
            self._node.turn.after_commit(
                lambda: self._node.call_later(
                    DISABLE_AFTER_SECONDS + 1, partial(self._kick, channel.dbid)
                )
            )
        self._node.turn.after_commit(partial(self._kick, channel.dbid))

    def depth_changed(self, channel: Channel) -> None:
        """Its funding transaction has more, or fewer, confirmations."""
        said = self._of(channel)
        early = said.early_sigs
        if early is not None and early.short_channel_id == channel.short_channel_id:
            said.early_sigs = None
            self._take_signatures(channel, early)
        self._node.turn.after_commit(partial(self._kick, channel.dbid))

    def policy_changed(self, channel: Channel) -> None:
        """`setchannel`, or another change of what we charge."""
        self._node.turn.after_commit(partial(self._kick, channel.dbid))

    def tried_while_gone(self, channel: Channel) -> None:
        """Somebody wanted to send through a channel whose peer is away: tell that it is of no use now."""
        self._of(channel).tried_while_gone = True
        self._node.turn.after_commit(partial(self._kick, channel.dbid))

    def peer_message(self, channel: Channel, raw: bytes) -> None:
        """announcement_signatures or channel_update from the peer."""
        try:
            if message_type(raw) == AnnouncementSignatures.TYPE:
                self._on_signatures(channel, AnnouncementSignatures.decode(raw))
            elif message_type(raw) == ChannelUpdate.TYPE:
                self.remote_update(channel.peer_id, raw)
        except WireError as error:
            self._log(channel, "unusual", f"malformed gossip: {error}")

    def remote_update(self, peer_id: NodeId, raw: bytes) -> None:
        """A channel_update by one of our peers, seen by gossipd."""
        scid = ShortChannelId(int.from_bytes(raw[98:106], "big"))
        channel = self._node.channels.by_scid(scid)
        if channel is None or channel.peer_id != peer_id:
            return
        msg = og.read_peers_update(raw, channel, self._node.node_id)
        said = self._of(channel)
        if msg is None or msg.timestamp < said.remote_timestamp:
            return
        said.remote_timestamp = msg.timestamp
        policy = RemotePolicy(
            fee_base_msat=msg.fee_base_msat,
            fee_proportional_millionths=msg.fee_proportional_millionths,
            cltv_expiry_delta=msg.cltv_expiry_delta,
            htlc_minimum=Msat(min(msg.htlc_minimum_msat, channel.capacity.to_msat().msat)),
            htlc_maximum=Msat(min(msg.htlc_maximum_msat, channel.capacity.to_msat().msat)),
        )
        if policy != channel.remote_policy:
            channel.remote_policy = policy
            self._node.channels.store.save(channel)

    def _on_signatures(self, channel: Channel, msg: AnnouncementSignatures) -> None:
        said = self._of(channel)
        # BOLT 7, "The `announcement_signatures` Message": a node that has not sent its own since the connection
        # was made answers with them.
        if not channel.announce:
            self._log(channel, "debug", "announcement_signatures for a private channel: ignored")
        elif msg.short_channel_id != channel.short_channel_id:
            said.early_sigs = msg
        else:
            self._note_connection(channel, said)
            said.sigs_wanted = True
            if channel.remote_announcement_sigs is None:
                # A peer that saw the blocks later than we did may have dropped ours: once more, now that it is
                # there as well. Only the first time, so that nobody answers for ever.
                said.sigs_sent = False
            self._take_signatures(channel, msg)
            self._node.turn.after_commit(partial(self._kick, channel.dbid))

    def _take_signatures(self, channel: Channel, msg: AnnouncementSignatures) -> None:
        sigs = (msg.node_signature, msg.bitcoin_signature)
        if sigs == channel.remote_announcement_sigs:
            return
        try:
            og.verify_their_signatures(channel, self._announcement(channel), sigs)
        except (BadSignature, InvalidKey) as error:
            # BOLT 7, "The `announcement_signatures` Message", receiver MAY close the connection on a wrong one.
            self._log(channel, "unusual", f"announcement_signatures do not fit: {error}")
            peer = self._node.peers.of(channel.peer_id)
            self._node.turn.after_commit(
                lambda: self._node.peers.disconnect(peer, "wrong announcement_signatures")
            )
            return
        channel.remote_announcement_sigs = sigs
        self._node.channels.store.save(channel)

    def _announcement(self, channel: Channel) -> ChannelAnnouncement:
        node = self._node
        # Both sides must build the same bytes, and nobody uses features here yet.
        return og.make_announcement(channel, node.node_id, node.network.chain_hash, b"")

    # gossipd

    def gossipd_started(self) -> None:
        """A gossipd that knows only its file: say everything again."""
        self._node_told = b""
        for channel in self._node.channels:
            said = self._of(channel)
            said.known_names = frozenset()
            said.announced = False
            said.update_published = b""
            self._kick(channel.dbid)
        if not self._timer_runs:
            self._timer_runs = True
            self._node.call_later(self._check_seconds(), self._daily)

    def _check_seconds(self) -> int:
        """How often it is looked whether an update is old."""
        return _FAST_SECONDS if self._node.settings.fast_gossip_prune else _DAY_SECONDS

    def _refresh_seconds(self) -> int:
        """The age at which our channel_update is said again: well before anybody prunes the channel."""
        fast = self._node.settings.fast_gossip_prune
        return 3 * _FAST_SECONDS if fast else og.REFRESH_SECONDS

    def _daily(self) -> None:
        for channel in self._node.channels:
            self._kick(channel.dbid)
        self._node.call_later(self._check_seconds(), self._daily)

    def node_changed(self) -> None:
        """Our alias or addresses changed."""
        self._node.attempt(self._refresh_node(), "announce our node")

    # One channel after another, never two at a time of one

    def _kick(self, dbid: int) -> None:
        channel = self._node.channels.get(dbid)
        if channel is None or self._node.stopping:
            self._said.pop(dbid, None)
            return
        said = self._of(channel)
        if said.running:
            said.again = True
            return
        said.running = True
        self._node.attempt(self._run(dbid, said), f"gossip of channel {dbid}")

    async def _run(self, dbid: int, said: _Said) -> None:
        try:
            while True:
                said.again = False
                channel = self._node.channels.get(dbid)
                if channel is None:
                    return
                await self._refresh(channel, said)
                if not said.again:
                    return
        except (LinkClosed, Refused) as why:
            if not self._node.stopping:
                self._node.log("unusual", f"gossip of channel {dbid}: {why}")
        finally:
            said.running = False

    async def _refresh(self, channel: Channel, said: _Said) -> None:
        self._register(channel, said)
        if not (channel.sent_channel_ready and channel.got_channel_ready):
            return
        if channel.state not in _LIVE | _CLOSING:
            return
        self._note_connection(channel, said)
        await self._make_update(channel, said)
        await self._to_peer(channel, said)
        await self._to_world(channel, said)

    def _note_connection(self, channel: Channel, said: _Said) -> None:
        """On a new connection nothing has been said yet."""
        if channel.route_id != said.on_route:
            said.on_route = channel.route_id
            said.sigs_sent = said.sigs_wanted = False
            said.update_sent = b""

    def _register(self, channel: Channel, said: _Said) -> None:
        """Tell gossipd the channel's names, so that it passes on the peer's updates."""
        names = frozenset(
            s for s in (channel.short_channel_id, channel.local_alias) if s is not None
        )
        for scid in names - said.known_names:
            self._node.gossip.our_channel(scid, channel.peer_id)
        said.known_names = names

    # channel_update

    def _is_disabled(self, channel: Channel, said: _Said) -> bool:
        if channel.state not in _LIVE:
            return True
        if said.gone_since is None:
            return False
        away = self._node.clock.now() - said.gone_since
        return said.tried_while_gone or away >= DISABLE_AFTER_SECONDS

    async def _make_update(self, channel: Channel, said: _Said) -> None:
        """Keep `channel.our_update` what it should be."""
        node = self._node
        disabled = self._is_disabled(channel, said)
        wanted = og.make_update(channel, node.node_id, node.network.chain_hash, disabled=disabled)
        if wanted is None:
            return
        now = int(node.clock.now())
        old = channel.our_update
        last = og.update_timestamp(old)
        if og.says_the_same(old, wanted) and last > now - self._refresh_seconds():
            return
        # BOLT 7, "The `channel_update` Message": the timestamp grows with each one.
        stamped = replace(wanted, timestamp=max(now, last + 1))
        reply = await node.hsm.ask(hw.HsmdSignGossip(message=stamped.encode()))
        await node.turn.do(partial(self._keep_update, channel.dbid, reply.message))

    def _keep_update(self, dbid: int, raw: bytes) -> None:
        channel = self._node.channels.get(dbid)
        if channel is not None:
            channel.our_update = raw
            self._node.channels.store.save(channel)

    # The peer

    async def _to_peer(self, channel: Channel, said: _Said) -> None:
        """What this connection has not heard yet."""
        if not channel.reestablished or channel.state not in _LIVE | {
            ChannelState.CHANNELD_SHUTTING_DOWN
        }:
            return
        # BOLT 7, "The `announcement_signatures` Message": sent again after a reconnect while the peer's are
        # missing, and in answer to the peer's.
        needed = channel.remote_announcement_sigs is None or said.sigs_wanted
        if needed and self._is_announceable(channel) and not said.sigs_sent:
            await self._sign(channel, said)
            await self._send(channel, self._signatures(channel, said))
            said.sigs_sent = True
        if channel.our_update and said.update_sent != channel.our_update:
            await self._send(channel, channel.our_update)
            said.update_sent = channel.our_update

    async def _send(self, channel: Channel, raw: bytes) -> None:
        msg = ChanneldSend(dbid=channel.dbid, msg=raw)
        await self._node.turn.do(lambda: self._node.workers.send(channel, msg))

    def _is_announceable(self, channel: Channel) -> bool:
        # BOLT 7, "The `announcement_signatures` Message": with six confirmations, if open_channel said so.
        return (
            channel.announce
            and channel.short_channel_id is not None
            and self._depth(channel) >= og.ANNOUNCE_DEPTH
        )

    def _depth(self, channel: Channel) -> int:
        if channel.short_channel_id is None:
            return 0
        return max(channel.depth, int(self._node.chain.height) - channel.short_channel_id.block + 1)

    async def _sign(self, channel: Channel, said: _Said) -> None:
        scid = channel.short_channel_id
        if said.our_sigs is not None and said.sigs_scid == scid:
            return
        hsm = self._node.hsm
        await hsm.ask(hw.HsmdSetupChannel(channel=channel.static))
        reply = await hsm.ask(
            hw.HsmdSignChannelAnnouncement(
                peer_id=channel.peer_id,
                dbid=channel.dbid,
                announcement=og.signed_part(self._announcement(channel)),
            )
        )
        said.our_sigs = (reply.node_signature, reply.bitcoin_signature)
        said.sigs_scid = scid

    def _signatures(self, channel: Channel, said: _Said) -> bytes:
        if said.our_sigs is None or said.sigs_scid is None:
            raise RuntimeError("the channel was not signed for")
        return og.make_announcement_signatures(channel, said.sigs_scid, said.our_sigs)

    # The world

    async def _to_world(self, channel: Channel, said: _Said) -> None:
        """Announcement, update and our node, as far as this gossipd has not got them."""
        theirs = channel.remote_announcement_sigs
        if theirs is None or not self._is_announceable(channel) or not channel.our_update:
            return
        if not said.announced:
            if not await self._announce(channel, said, theirs):
                return
            said.announced = True
        if said.update_published != channel.our_update:
            raw = channel.our_update
            await self._add(channel, raw)
            said.update_published = raw
        await self._refresh_node()

    async def _announce(self, channel: Channel, said: _Said, theirs: tuple[bytes, bytes]) -> bool:
        announcement = self._announcement(channel)
        try:
            og.verify_their_signatures(channel, announcement, theirs)
        except (BadSignature, InvalidKey):
            # A reorganisation gave the channel another scid: these signatures are of no use any more.
            await self._node.turn.do(partial(self._forget_signatures, channel.dbid))
            return False
        await self._sign(channel, said)
        if said.our_sigs is None or channel.short_channel_id is None:
            return False
        first = og.we_are_first(self._node.node_id, channel)
        raw = og.with_signatures(announcement, said.our_sigs, theirs, first=first)
        watch = partial(self._node.gossip.watch, channel.static.funding, channel.short_channel_id)
        await self._node.turn.do(watch)
        await self._add(channel, raw)
        return True

    def _forget_signatures(self, dbid: int) -> None:
        channel = self._node.channels.get(dbid)
        if channel is not None:
            channel.remote_announcement_sigs = None
            self._node.channels.store.save(channel)

    async def _add(self, channel: Channel, raw: bytes) -> None:
        known = channel.capacity if message_type(raw) == ChannelAnnouncement.TYPE else None
        error = await self._node.gossip.add(raw, known)
        if error:
            self._log(channel, "trace", f"gossipd: {error}")

    async def _refresh_node(self) -> None:
        """Announce our node, if it has a public channel and something is new (or old)."""
        node = self._node
        if self._node_running or not any(s.announced for s in self._said.values()):
            return
        self._node_running = True
        try:
            raw = await self._node_announcement()
            if raw != self._node_told:
                error = await node.gossip.add(raw)
                if error:
                    node.log("trace", f"gossipd: {error}")
                self._node_told = raw
        finally:
            self._node_running = False

    async def _node_announcement(self) -> bytes:
        node = self._node
        old = vars_io.get_blob(node.db, _NODE_ANNOUNCEMENT) or b""
        wanted = og.make_node_announcement(
            node.node_id,
            node.alias,
            node.rgb,
            node.features["node"],
            node.addresses.to_announce(),
            node.network.ln_port,
        )
        now = int(node.clock.now())
        last = og.node_timestamp(old)
        if old and og.same_node(old, wanted) and last > now - og.REFRESH_SECONDS:
            return old
        stamped = replace(wanted, timestamp=max(now, last + 1))
        reply = await node.hsm.ask(hw.HsmdSignGossip(message=stamped.encode()))
        raw: bytes = reply.message
        await node.turn.do(lambda: vars_io.set_blob(node.db, _NODE_ANNOUNCEMENT, raw))
        return raw

    def _log(self, channel: Channel, level: str, text: str) -> None:
        self._node.log(level, text, source="lightningd", peer_id=channel.peer_id, dbid=channel.dbid)
