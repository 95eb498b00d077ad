"""Is the database an old copy? hsmd remembers how far each channel was, and is asked at every start.

What it says decides per channel: where hsmd has given up more commitments, or signed more of the peer's, than the
database knows of, the database is older than the truth. Whatever we would broadcast could then be a revoked commitment,
and whatever we would sign could contradict what we signed before. So we do neither, and ask the peer to close.

hsmd only ever follows the database's rows (`got_commitsig` is committed before the revocation), but for one thing: it
signs the peer's next commitment while that round is being committed. So it may be one ahead there, after a crash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.wire.hsmd_wire import CommitmentRecord, HsmdCompareRecords
from pylightningd.lightningd.channels.states import CAN_CLOSE_UNILATERALLY, WITH_PEER

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node

_CHANNELS_A_MESSAGE = 1000
_SIGNED_AHEAD = 1


async def check_records(node: Node) -> None:
    """Compare all channels with hsmd's record, before anything is broadcast or given to a worker."""
    channels = [c for c in node.channels if c.state in CAN_CLOSE_UNILATERALLY and not c.is_stub]
    for first in range(0, len(channels), _CHANNELS_A_MESSAGE):
        part = channels[first : first + _CHANNELS_A_MESSAGE]
        asked = HsmdCompareRecords(records=tuple(record_of(c) for c in part))
        reply = await node.hsm.ask(asked)
        for channel, known in zip(part, reply.records, strict=True):
            await _judge(node, channel, known)


def record_of(channel: Channel) -> CommitmentRecord:
    """What the database knows of a channel."""
    return CommitmentRecord(
        peer_id=channel.peer_id,
        dbid=channel.dbid,
        revoked=channel.next_local_commitment - 1,
        remote_signed=channel.next_remote_commitment,
        broadcast=0,
    )


def contradiction(channel: Channel, known: CommitmentRecord) -> str | None:
    """How hsmd's record shows that our rows of the channel are old; None if they are not."""
    ours = record_of(channel)
    if known.revoked > ours.revoked:
        return (
            f"{known.revoked} of our commitments are revoked, the database knows of {ours.revoked}"
        )
    if known.remote_signed > ours.remote_signed + _SIGNED_AHEAD:
        return (
            f"{known.remote_signed} of the peer's commitments are signed, "
            f"the database knows of {ours.remote_signed}"
        )
    if known.broadcast and channel.state in WITH_PEER:
        return f"our commitment {known.broadcast - 1} was sent to the chain, the database does not know that"
    return None


async def _judge(node: Node, channel: Channel, known: CommitmentRecord) -> None:
    reason = contradiction(channel, known)
    if channel.only_peer_closes:
        node.channel_events.say_lost(channel)
    elif reason is not None:
        text = f"The database is an old copy: {reason}"
        await node.turn.do(lambda: node.channel_events.lost_state(channel, text))
    elif known.revoked + 1 < channel.next_local_commitment - 1:
        # A revocation that a crash cut short may be missing, not more.
        node.log(
            "unusual",
            f"hsmd_state is older than the database ({known.revoked} of {channel.next_local_commitment - 1} "
            "revoked commitments): it takes over what the database says",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
