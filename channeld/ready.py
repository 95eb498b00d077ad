"""channel_ready, both ways: BOLT 2, "The `channel_ready` Message"."""

from __future__ import annotations

from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import LIVE, Channel
from pylightningd.common.effects import Log, SendPeer, ask_master
from pylightningd.common.errors import WarnPeer
from pylightningd.common.keys import is_pubkey
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw


def on_depth(channel: Channel, msg: cw.ChanneldFundingDepth) -> ChannelStep[None]:
    """The funding transaction has so many confirmations now."""
    channel.depth = msg.depth
    if msg.short_channel_id is not None:
        channel.short_channel_id = msg.short_channel_id
    if msg.local_alias is not None:
        channel.local_alias = msg.local_alias
    yield from maybe_send_ready(channel)


def maybe_send_ready(channel: Channel) -> ChannelStep[None]:
    """Send our first channel_ready once it is due."""
    if channel.sent_channel_ready or channel.phase not in LIVE:
        return
    # BOLT 2, "The `channel_ready` Message", sender MUST NOT send it before minimum_depth (0: at once).
    if channel.depth < channel.facts.minimum_depth:
        return
    yield from ask_master(cw.ChanneldSendingChannelReady(dbid=channel.facts.dbid))
    channel.sent_channel_ready = True
    yield _message(channel)


def resend_ready(channel: Channel) -> ChannelStep[None]:
    """The same once more, after a reconnect."""
    yield _message(channel)


def _message(channel: Channel) -> SendPeer:
    # BOLT 2, "The `channel_ready` Message", sender MUST set second_per_commitment_point to the point of
    # commitment 1, and an alias with option_scid_alias. As in CLN ours is always there.
    assert channel.next_local == 1
    assert channel.local_next_point is not None
    return SendPeer(
        pw.ChannelReady(
            channel_id=channel.facts.channel_id,
            second_per_commitment_point=channel.local_next_point,
            tlvs=pw.ChannelReadyTlvs(short_channel_id=channel.local_alias),
        )
    )


def on_channel_ready(channel: Channel, msg: pw.ChannelReady) -> ChannelStep[None]:
    """The peer is ready."""
    # BOLT 2, "Message Retransmission": a redundant channel_ready MUST be ignored.
    if channel.got_channel_ready:
        yield Log("debug", "Ignoring redundant channel_ready")
        return
    if not is_pubkey(msg.second_per_commitment_point):
        raise WarnPeer("channel_ready: second_per_commitment_point is not a point")
    yield from ask_master(
        cw.ChanneldGotChannelReady(
            dbid=channel.facts.dbid,
            next_point=msg.second_per_commitment_point,
            alias=msg.tlvs.short_channel_id,
        )
    )
    channel.remote_next_point = msg.second_per_commitment_point
    channel.got_channel_ready = True
