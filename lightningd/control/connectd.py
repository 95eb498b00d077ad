"""The master's side of connectd: connections come and go, and messages that no channel's worker takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.errors import UserError, WireError
from pylightningd.common.ids import ChannelId
from pylightningd.common.keys import is_pubkey
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import message_type
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import WITH_PEER, ChannelState
from pylightningd.lightningd.control.held_errors import HeldErrors
from pylightningd.lightningd.peers import Peer

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.lightningd.node import Node

_WHOLE_CONNECTION = bytes(32)
_OPEN_CHANNEL, _ERROR, _WARNING = pw.OpenChannel.TYPE, pw.Error.TYPE, pw.Warning.TYPE
_REESTABLISH = pw.ChannelReestablish.TYPE
_OPEN_CHANNEL2 = pw.OpenChannel2.TYPE
_ONION_MESSAGE = pw.OnionMessage.TYPE


class ConnectControl:
    """Handles what connectd says."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pings: dict[int, Any] = {}
        self._next_cookie = 1
        self.held_errors = HeldErrors(node)
        self.suppresses_gossip = False
        """For tests: peers are to hear no gossip from us."""
        self.custom_messages: tuple[int, ...] = ()
        """Even message types that plugins take; connectd ends a connection on others that it does not know."""

    def take_custom_messages(self, types: Sequence[int]) -> None:
        """Plugins with other message types came or went. Inside a turn."""
        self.custom_messages = tuple(types)
        self._node.fleet.tell("connectd", cw.ConnectdSetCustommsgs(types=self.custom_messages))

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of connectd."""
        for incoming in batch:
            self._node.turn.submit(partial(self._handle, incoming.msg))

    def _handle(self, msg: object) -> None:
        peers = self._node.peers
        match msg:
            case cw.ConnectdPeerConnected():
                peers.connected(msg)
            case cw.ConnectdPeerDisconnected():
                peers.disconnected(msg.peer_id, msg.connection, msg.reason)
            case cw.ConnectdConnectFailed():
                peers.connect_failed(msg)
            case cw.ConnectdPeerMsg():
                peer = peers.get(msg.peer_id)
                if peer is not None and peer.connection == msg.connection:
                    self._peer_message(peer, msg.msg)
            case cw.ConnectdPingDone():
                self._ping_done(msg)
            case _:
                raise TypeError(f"connectd sent {type(msg).__name__}")

    # Messages of peers that belong to no route

    def _peer_message(self, peer: Peer, raw: bytes) -> None:
        kind = message_type(raw)
        try:
            if kind in (_ERROR, _WARNING):
                self._trouble(peer, raw, kind)
            elif kind == pw.PeerStorage.TYPE:
                self._node.peer_storage.on_storage(peer, pw.PeerStorage.decode(raw))
            elif kind == pw.PeerStorageRetrieval.TYPE:
                self._node.peer_storage.on_retrieval(peer, pw.PeerStorageRetrieval.decode(raw))
            elif kind == _OPEN_CHANNEL:
                pw.OpenChannel.decode(raw)  # a malformed one ends the connection
                self._node.turn.after_commit(lambda: self._node.opening.on_open_channel(peer, raw))
            elif kind == _OPEN_CHANNEL2:
                opening = pw.OpenChannel2.decode(raw)
                if self._opens_together(peer):
                    self._node.turn.after_commit(
                        lambda: self._node.dual.on_open_channel2(peer, raw)
                    )
                else:
                    self._refuse(
                        peer, opening.temporary_channel_id, "v2 channels are not supported"
                    )
            elif kind == _ONION_MESSAGE:
                self._node.turn.after_commit(lambda: self._node.onion_messages.received(peer, raw))
            elif is_channel_message(kind):
                self._channel_message(peer, raw, kind)
            else:
                self._node.turn.after_commit(lambda: self._node.peer_hooks.custommsg(peer, raw))
        except WireError as error:
            self._node.log("debug", f"Bad message: {error}", source="connectd", peer_id=peer.id)
            warning = pw.Warning(channel_id=ChannelId(_WHOLE_CONNECTION), data=str(error).encode())
            self.send(peer, warning.encode())
            why = str(error)
            self._node.turn.after_commit(lambda: self._node.peers.disconnect(peer, why))

    def _opens_together(self, peer: Peer) -> bool:
        return ft.negotiated(self._node.features["init"], peer.features, ft.DUAL_FUND)

    def _channel_message(self, peer: Peer, raw: bytes, kind: int) -> None:
        channel_id = ChannelId(raw[2:34])
        channel = self._node.channels.by_channel_id(channel_id)
        if channel is not None and channel.peer_id == peer.id:
            self._resume_complete_close(peer, channel, kind)
        if self._node.peers.stash(peer, channel_id, raw):
            return
        if channel is not None and channel.peer_id == peer.id and channel.route_id is not None:
            return  # connectd learns of the route right now; nothing of a new session is lost
        if channel is not None and channel.peer_id == peer.id and channel.state in WITH_PEER:
            return  # it has no worker just now; an error would end it
        if kind == pw.TxAbort.TYPE and self._opens_together(peer):
            return  # of an opening that is over here as well
        if kind != _REESTABLISH:
            self._node.log(
                "debug",
                f"Message of type {kind} for unknown channel {channel_id.hex()}",
                source="connectd",
                peer_id=peer.id,
            )
            self._refuse(peer, channel_id, "unknown channel")
            return
        if channel is not None and channel.peer_id == peer.id:
            self._learn_point(channel, raw)
        self._reestablish_of_closed(peer, channel, channel_id)

    def _learn_point(self, channel: Channel, raw: bytes) -> None:
        """Where our data is lost, the peer's own word says what its commitment is made of."""
        # BOLT 2, "Message Retransmission": my_current_per_commitment_point is for exactly that.
        if not channel.only_peer_closes or channel.is_stub:
            return
        node, before = self._node, channel.future_remote_point
        point = pw.ChannelReestablish.decode(raw).my_current_per_commitment_point
        # A peer that has forgotten the channel sends just any point, as CLN its own id: the mark of a stub, for us.
        if point in (before, channel.peer_id) or not is_pubkey(point):
            return
        if node.onchain.explains(channel):
            return
        node.turn.on_rollback(lambda: setattr(channel, "future_remote_point", before))
        channel.future_remote_point = point
        node.channels.store.save(channel)
        node.onchain.point_known(channel)

    def _resume_complete_close(self, peer: Peer, channel: Channel, kind: int) -> None:
        """Both signed the closing transaction, but the peer does not know it: say it again."""
        if channel.state is not ChannelState.CLOSINGD_COMPLETE or channel.route_id is not None:
            return
        if kind == _REESTABLISH and channel.channel_id not in peer.stash:
            self._node.peers.resume(peer, channel)

    def _reestablish_of_closed(
        self, peer: Peer, channel: Channel | None, channel_id: ChannelId
    ) -> None:
        """A peer wants to go on with a channel that we have closed or never knew."""
        # BOLT 2, "Message Retransmission": the error makes the peer close its side if it has not yet.
        text = "unknown channel"
        if channel is not None:
            text = f"channel closed: {channel.close_cause or channel.state.name}"
        self._refuse(peer, channel_id, text)

    def _refuse(self, peer: Peer, channel_id: ChannelId, text: str) -> None:
        self.send(peer, pw.Error(channel_id=channel_id, data=text.encode()).encode())

    def _trouble(self, peer: Peer, raw: bytes, kind: int) -> None:
        """An `error` or `warning` that no worker got."""
        node = self._node
        msg = pw.Error.decode(raw) if kind == _ERROR else pw.Warning.decode(raw)
        text = readable(msg.data)
        word = "ERROR" if kind == _ERROR else "WARNING"
        where = "connection" if msg.channel_id == _WHOLE_CONNECTION else msg.channel_id.hex()
        node.log("info", f"Received {word} {where}: {text}", source="connectd", peer_id=peer.id)
        if kind != _ERROR:
            return
        # BOLT 1, "The `error` and `warning` Messages": channel_id zero means every channel with the sender.
        for channel in node.channels.of_peer(peer.id):
            if msg.channel_id in (_WHOLE_CONNECTION, channel.channel_id):
                self.held_errors.obey(channel, f"They sent ERROR {where}: {text}")

    def send(self, peer: Peer, raw: bytes) -> None:
        """Send an encoded message on a peer's connection, after the commit."""
        connectd = self._node.fleet.get("connectd")
        if peer.connection is not None and connectd is not None:
            self._node.turn.send(connectd, cw.ConnectdSendMsg(connection=peer.connection, msg=raw))

    # ping

    async def ping(self, peer: Peer, length: int, pong_bytes: int) -> int:
        """Send a ping; the total length of the pong. Raises UserError."""
        if peer.connection is None:
            raise UserError(-1, "Peer not connected")
        connectd = self._node.fleet.get("connectd")
        if connectd is None:
            raise UserError(-1, "connectd is being restarted; try again")
        cookie = self._next_cookie
        self._next_cookie += 1
        future = self._pings[cookie] = self._node.new_future()
        connectd.send(
            cw.ConnectdPing(
                connection=peer.connection, cookie=cookie, num_pong_bytes=pong_bytes, len=length
            )
        )
        sent_at = self._node.clock.now()
        total: int = await future
        seconds = self._node.clock.now() - sent_at
        await self._node.turn.do(lambda: self._node.peers.ponged(peer, seconds))
        return total

    def forget_pings(self) -> None:
        """connectd is gone, and with it every pong."""
        pings, self._pings = self._pings, {}
        for future in pings.values():
            if not future.done():
                future.set_exception(UserError(-1, "connectd stopped; try again"))

    def _ping_done(self, msg: cw.ConnectdPingDone) -> None:
        future = self._pings.pop(msg.cookie, None)
        if future is None or future.done():
            return
        if msg.error:
            future.set_exception(UserError(-1, msg.error))
        else:
            future.set_result(msg.total_length)


def is_channel_message(kind: int) -> bool:
    """Whether a BOLT 2 message of this type names its channel in its first 32 bytes."""
    cls = pw.MESSAGES.get(kind)
    return cls is not None and "channel_id" in cls.__dataclass_fields__ and kind < 256


def readable(data: bytes) -> str:
    """The text of an error or warning; hex where it is not printable."""
    # BOLT 1: data need not be text; if every byte is printable ASCII it is shown as it is.
    if all(32 <= byte < 127 for byte in data):
        return data.decode("ascii")
    return data.hex()
