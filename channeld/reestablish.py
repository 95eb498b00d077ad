"""channel_reestablish: BOLT 2, "Message Retransmission".

Both sides tell how far they have come; each sends again what the other lost. `next_local`, `next_remote`
and `revocations` are explained in `state`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.channeld import dual_funding, ready, updates
from pylightningd.channeld.commit import REVOKE_TIMER, resend_commit, revoke_message
from pylightningd.channeld.events import ChannelStep, UseRoute
from pylightningd.channeld.live import go_on
from pylightningd.channeld.state import Channel, Session
from pylightningd.common.effects import CancelTimer, Log, SendPeer, Tell, ask_hsmd
from pylightningd.common.errors import FailChannel
from pylightningd.common.secret import Secret
from pylightningd.common.shachain import MAX_INDEX
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw

LOST_DATA = 3
"""`kind` of channeld_failed: we lost data."""
PEER_ASKS_CLOSE = 4
"""`kind` of channeld_failed: the peer asks us to close unilaterally."""


# ---- connecting and disconnecting -----------------------------------------------------------------


def on_connected(channel: Channel, msg: cw.ChanneldConnected) -> ChannelStep[None]:
    """The peer is here on a new route."""
    yield from disconnect(channel)
    channel.their_features = msg.their_features
    if channel.local_next_point is None:
        channel.local_next_point = yield from _our_point(channel, channel.next_local)
    channel.session = Session(msg.route_id, fresh=msg.fresh)
    yield UseRoute(msg.route_id)
    if msg.fresh:
        yield from _become_live(channel)
        yield from dual_funding.begin(channel)
        return
    point = yield from _our_point(channel, channel.next_local - 1)
    # BOLT 2, "Message Retransmission", upon reconnection MUST send channel_reestablish, and nothing else
    # before the peer's has come.
    yield SendPeer(
        pw.ChannelReestablish(
            channel_id=channel.facts.channel_id,
            next_commitment_number=channel.next_local,
            next_revocation_number=channel.revocations,
            your_last_per_commitment_secret=_their_last_secret(channel),
            my_current_per_commitment_point=point,
            tlvs=pw.ChannelReestablishTlvs(next_funding=dual_funding.next_funding(channel)),
        )
    )


def disconnect(channel: Channel) -> ChannelStep[None]:
    """The connection is gone: back to what is written down."""
    if channel.session is None:
        return
    yield CancelTimer(REVOKE_TIMER)
    yield from updates.lost_offers(channel)
    channel.session = None
    channel.forget_uncommitted()
    yield UseRoute(None)


def _our_point(channel: Channel, number: int) -> ChannelStep[bytes]:
    reply = yield from ask_hsmd(
        hw.HsmdGetPerCommitmentPoint(dbid=channel.facts.dbid, number=number)
    )
    return reply.point


def _their_last_secret(channel: Channel) -> bytes:
    # BOLT 2, "Message Retransmission", sender MUST set your_last_per_commitment_secret to the last secret it
    # received, all zeroes where there was none.
    if not channel.revocations:
        return bytes(32)
    return channel.shachain.lookup(MAX_INDEX - (channel.revocations - 1))


# ---- the peer's figures ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resend:
    """What the peer lost."""

    channel_ready: bool
    revoke: bool
    commit: bool


def what_to_resend(channel: Channel, msg: pw.ChannelReestablish) -> Resend:
    """Compare the peer's figures with ours; those of a peer ahead of us or far behind are not for here.

    Raises FailChannel where they are impossible.
    """
    asked_commit, asked_revoke = msg.next_commitment_number, msg.next_revocation_number
    # BOLT 2, "Message Retransmission": next_revocation_number is that of the last revoke_and_ack we sent
    # (send it again) or one more; anything else SHOULD fail the channel.
    last_revoked = channel.next_local - 2
    if asked_revoke not in (last_revoked, last_revoked + 1) or asked_revoke < 0:
        raise FailChannel(
            f"bad reestablish revocation_number: {asked_revoke} vs {last_revoked + 1}"
        )
    # BOLT 2, "Message Retransmission": next_commitment_number is that of the last commitment_signed we sent
    # (send it again, under the same number) or one more; anything else SHOULD fail the channel. What the peer
    # has revoked already it cannot have lost.
    resend_commit_ = channel.awaiting_revoke and asked_commit == channel.next_remote - 1
    if not resend_commit_ and asked_commit != channel.next_remote:
        raise FailChannel(
            f"bad reestablish commitment_number: {asked_commit} vs {channel.next_remote}"
        )
    # BOLT 2, "Message Retransmission": channel_ready MUST be sent again where next_commitment_number is 1 in
    # both directions, and otherwise MUST NOT.
    resend_ready = channel.sent_channel_ready and channel.next_local == 1 and asked_commit == 1
    return Resend(resend_ready, asked_revoke == last_revoked, resend_commit_)


def on_reestablish(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[None]:
    """The peer tells how far it has come."""
    # BOLT 2, "Message Retransmission": a next_commitment_number of 0 asks us to fail the channel at once and
    # broadcast our commitment.
    if msg.next_commitment_number == 0:
        yield from _failed(channel, PEER_ASKS_CLOSE, "bad reestablish commitment_number: 0", None)
        return
    if msg.next_revocation_number > channel.next_local - 1:
        yield from _peer_is_ahead(channel, msg)
        return
    yield from _check_our_secret(channel, msg)
    if _is_behind(channel, msg):
        yield from _peer_is_behind(channel, msg)
        return
    resend = what_to_resend(channel, msg)
    if dual_funding.is_in_use(channel):
        # Before channel_ready, which needs all signatures.
        yield from dual_funding.on_reestablish(channel, msg)
    if resend.channel_ready:
        yield from ready.resend_ready(channel)
    # BOLT 2, "Message Retransmission": where both are to be sent again, MUST keep their order.
    if resend.revoke and not channel.last_was_revoke:
        yield from _resend_revoke(channel)
    if resend.commit:
        yield from resend_commit(channel)
    if resend.revoke and channel.last_was_revoke:
        yield from _resend_revoke(channel)
    yield from _become_live(channel)


def _become_live(channel: Channel) -> ChannelStep[None]:
    """Both sides agree where they stand: go on with what was left undone."""
    channel.live.reestablished = True
    route_id = channel.live.route_id
    yield Tell("master", cw.ChanneldReestablished(dbid=channel.facts.dbid, route_id=route_id))
    yield from go_on(channel)


def _resend_revoke(channel: Channel) -> ChannelStep[None]:
    revoked = yield from ask_hsmd(
        hw.HsmdRevokeCommitment(dbid=channel.facts.dbid, number=channel.next_local - 2)
    )
    yield revoke_message(channel, revoked)


def _check_our_secret(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[None]:
    """Check your_last_per_commitment_secret, of a commitment that we have revoked. Raises FailChannel."""
    secret = msg.your_last_per_commitment_secret
    if msg.next_revocation_number == 0:
        correct = secret == bytes(32)
    else:
        correct = yield from _is_our_secret(channel, msg)
    # BOLT 2, "Message Retransmission", receiver SHOULD fail the channel where it is not the expected one.
    if not correct:
        raise FailChannel(
            f"bad reestablish: your_last_per_commitment_secret {msg.next_revocation_number} is wrong"
        )


def _is_our_secret(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[bool]:
    reply = yield from ask_hsmd(
        hw.HsmdCheckSecret(
            dbid=channel.facts.dbid,
            number=msg.next_revocation_number - 1,
            secret=Secret(msg.your_last_per_commitment_secret),
        )
    )
    return reply.correct


# ---- lost data ------------------------------------------------------------------------------------


def _is_behind(channel: Channel, msg: pw.ChannelReestablish) -> bool:
    """Whether the peer forgot what it certainly knew: revocations of ours, or that it revoked its newest commitment."""
    return (
        msg.next_revocation_number < channel.next_local - 2
        or msg.next_commitment_number <= channel.revocations
    )


def _peer_is_ahead(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[None]:
    if not (yield from _is_our_secret(channel, msg)):
        raise FailChannel(
            f"bad future last_local_per_commit_secret: {msg.next_revocation_number}"
            f" vs {channel.next_local - 1}"
        )
    # BOLT 2, "Message Retransmission", receiver: the peer has proved that we revoked commitments we know
    # nothing of. MUST NOT broadcast ours; SHOULD send an error to ask the peer to close.
    yield Log(
        "broken",
        f"They have future commitment number {msg.next_revocation_number} vs our "
        f"{channel.next_local - 1}. We must wait for them to close!",
    )
    yield SendPeer(pw.Error(channel_id=channel.facts.channel_id, data=b"Awaiting unilateral close"))
    point = msg.my_current_per_commitment_point
    yield from _failed(channel, LOST_DATA, "Awaiting unilateral close", point)


def _peer_is_behind(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[None]:
    """The peer lost data. It may still find it, or send an error: that is when we close."""
    # BOLT 2, "Message Retransmission", rationale: wait for the error of a peer that has fallen behind, so
    # that it can mend its state. As in CLN a warning tells it, and the connection stays.
    if msg.next_revocation_number < channel.next_local - 2:
        asked = f"revocation_number: {msg.next_revocation_number} vs {channel.next_local - 1}"
    else:
        asked = f"commitment_number: {msg.next_commitment_number} vs {channel.next_remote}"
    text = f"bad reestablish {asked}"
    channel.live.leaving = True
    yield Log("unusual", text)
    yield SendPeer(pw.Warning(channel_id=channel.facts.channel_id, data=text.encode()))


def _failed(
    channel: Channel, kind: int, reason: str, remote_point: bytes | None
) -> ChannelStep[None]:
    channel.failed = True
    yield Tell(
        "master",
        cw.ChanneldFailed(
            dbid=channel.facts.dbid, kind=kind, reason=reason, remote_point=remote_point
        ),
    )
