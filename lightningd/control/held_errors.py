"""Errors of a peer that wait for a worker's verdict.

An `error` for the whole connection reaches the master by another way than the `channel_reestablish` before it, which
goes to the channel's worker. Obeyed at once it would have us broadcast our commitment although the reestablish may
prove that it is an old one, which costs all our money. So it waits until the worker has told how the channel stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import RESUMED, Cause

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

PATIENCE_SECONDS = 10
"""How long a worker may take, also after the connection has ended: what the peer sent may still be on its way to it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Why the peer wants a channel closed, said on one connection."""

    reason: str
    connection: int | None


class HeldErrors:
    """By channel: why the peer wants it closed. In memory only: a peer that means it says so on each connection."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._held: dict[int, _Held] = {}

    def obey(self, channel: Channel, reason: str) -> None:
        """The peer failed a channel. Close it, or wait for the verdict about it. Inside a turn."""
        node = self._node
        peer = node.peers.of(channel.peer_id)
        expected = channel.route_id is not None or channel.channel_id in peer.stash
        if channel.state not in RESUMED or channel.reestablished or not expected:
            node.channel_events.permanent_failure(channel, Cause.REMOTE, reason)
            return
        before = self._held.get(channel.dbid)
        if before is not None and before.connection == peer.connection:
            return
        # BOLT 2, "Message Retransmission": who has lost data must not broadcast its commitment transaction.
        node.log(
            "debug",
            f"Waiting for channel_reestablish before: {reason}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        held = _Held(reason, peer.connection)
        self._put(channel.dbid, held)
        node.turn.after_commit(
            lambda: node.call_later(
                PATIENCE_SECONDS,
                lambda: node.turn.submit(partial(self._time_over, channel.dbid, held)),
            )
        )

    def _put(self, dbid: int, held: _Held | None) -> None:
        before = self._held.pop(dbid, None)
        if held is not None:
            self._held[dbid] = held

        def undo() -> None:
            self._held.pop(dbid, None)
            if before is not None:
                self._held[dbid] = before

        self._node.turn.on_rollback(undo)

    def _time_over(self, dbid: int, held: _Held) -> None:
        """The peer never said where it stands: what we have is all there is to go by."""
        if self._held.get(dbid) is not held:
            return  # decided, or said again since
        channel = self._node.channels.get(dbid)
        connection = None if channel is None else self._node.peers.of(channel.peer_id).connection
        if channel is None or connection not in (None, held.connection):
            # It is back, and reestablishes: if it still means it, it says so again.
            self._put(dbid, None)
        else:
            self.data_is_good(channel)

    def data_is_good(self, channel: Channel) -> None:
        """The worker knows the channel to be in step. Inside a turn."""
        held = self._held.get(channel.dbid)
        if held is not None:
            self._put(channel.dbid, None)
            self._node.channel_events.permanent_failure(channel, Cause.REMOTE, held.reason)

    def forget(self, channel: Channel) -> None:
        """The channel ends in another way: we lost data, so the peer must close, or it is closed already."""
        self._put(channel.dbid, None)
