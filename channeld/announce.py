"""Messages that only pass through: announcement_signatures and channel_update belong to lightningd."""

from __future__ import annotations

from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import LIVE, Channel
from pylightningd.common.effects import SendPeer, Tell
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message

MAX_HELD = 16
"""Messages of lightningd that wait for the channel to be reestablished; the oldest goes first."""


def to_master(channel: Channel, msg: Message) -> ChannelStep[None]:
    """Hand a message of the peer to lightningd."""
    yield Tell("master", cw.ChanneldPeerMsg(dbid=channel.facts.dbid, msg=msg.encode()))


def on_send(channel: Channel, msg: cw.ChanneldSend) -> ChannelStep[None]:
    """lightningd has something for the peer."""
    channel.held_sends.append(msg.msg)
    del channel.held_sends[:-MAX_HELD]
    yield from send_held(channel)


def send_held(channel: Channel) -> ChannelStep[None]:
    """Send what waits, if the peer is there."""
    if channel.phase not in LIVE:
        return
    held, channel.held_sends = channel.held_sends, []
    for raw in held:
        yield SendPeer(pw.decode(raw))  # type: ignore[arg-type]  # lightningd's own: never UnknownOdd
