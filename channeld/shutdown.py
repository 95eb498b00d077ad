"""shutdown, both ways, until nothing is pending: BOLT 2, "Closing Initiation: `shutdown`".

Then the channel is closingd's. What closes it is not here.
"""

from __future__ import annotations

from pylightningd.channeld.announce import to_master
from pylightningd.channeld.commit import has_changes
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import LIVE, Channel, Phase
from pylightningd.common import features as ft
from pylightningd.common.bitcoin.script import is_valid_shutdown_script
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.effects import SendPeer, Tell, ask_master
from pylightningd.common.errors import WarnPeer
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message


def on_shutdown_wanted(channel: Channel, msg: cw.ChanneldShutdown) -> ChannelStep[None]:
    """lightningd wants the channel closed. From now on nothing is offered; the message goes out at a flush."""
    channel.local_shutdown_script = msg.script
    yield from ()


def on_wrong_funding(channel: Channel, msg: cw.ChanneldWrongFunding) -> ChannelStep[None]:
    """lightningd wants another output closed than the one that was negotiated."""
    channel.wrong_funding = msg.outpoint
    yield from ()


def maybe_send_shutdown(channel: Channel) -> ChannelStep[None]:
    """Send shutdown (also again after a reconnect) once none of our updates waits for a signature."""
    if not channel.local_shutdown_script or channel.phase not in LIVE:
        return
    # BOLT 2, "Closing Initiation: `shutdown`", sender MUST NOT send it while updates are pending on the
    # receiver's commitment, and not twice on one connection.
    if channel.live.sent_shutdown or channel.live.unsigned_updates:
        return
    channel.live.sent_shutdown = True
    wrong = channel.wrong_funding
    tlvs = pw.ShutdownTlvs(
        wrong_funding=None
        if wrong is None
        else pw.ShutdownWrongFunding(txid=wrong.txid, outnum=wrong.index)
    )
    yield SendPeer(
        pw.Shutdown(
            channel_id=channel.facts.channel_id,
            scriptpubkey=channel.local_shutdown_script,
            tlvs=tlvs,
        )
    )


def on_shutdown(channel: Channel, msg: pw.Shutdown) -> ChannelStep[None]:
    """The peer wants to close."""
    _check_script(channel, msg.scriptpubkey)
    reply = yield from ask_master(
        cw.ChanneldGotShutdown(
            dbid=channel.facts.dbid,
            script=msg.scriptpubkey,
            wrong_funding=_wrong_funding(channel, msg.tlvs.wrong_funding),
        )
    )
    channel.live.got_shutdown = True
    channel.remote_shutdown_script = msg.scriptpubkey
    # BOLT 2, "Closing Initiation: `shutdown`", receiver MUST reply with a shutdown once it has no outstanding
    # updates: `maybe_send_shutdown` sees to it.
    if not channel.local_shutdown_script:
        channel.local_shutdown_script = reply.local_script


def _wrong_funding(channel: Channel, named: pw.ShutdownWrongFunding | None) -> Outpoint | None:
    """The output that the peer says it has paid to. Only an opener may, of a channel that was never used."""
    if named is None:
        return None
    feature = ft.SHUTDOWN_WRONG_FUNDING
    if not ft.negotiated(channel.our_features, channel.their_features, feature):
        raise WarnPeer(f"wrong_funding shutdown needs feature {feature}")
    if channel.facts.opener is Side.LOCAL:
        raise WarnPeer("No shutdown wrong_funding for channels we opened!")
    if channel.next_local != 1 or channel.next_remote != 1 or channel.htlcs:
        raise WarnPeer("No shutdown wrong_funding for used channels!")
    return Outpoint(Txid(named.txid), named.outnum)


def _check_script(channel: Channel, script: bytes) -> None:
    ours, theirs = channel.our_features, channel.their_features
    # BOLT 2, "Closing Initiation: `shutdown`", receiver MUST fail the connection where a script named when
    # the channel was opened is not the same.
    upfront = channel.facts.remote_upfront_script
    if upfront and upfront != script:
        raise WarnPeer(f"scriptpubkey {script.hex()} is not as agreed upfront ({upfront.hex()})")
    # BOLT 2, "Closing Initiation: `shutdown`", receiver SHOULD warn where the script has none of the known
    # forms.
    if not is_valid_shutdown_script(
        script,
        anysegwit=ft.negotiated(ours, theirs, ft.SHUTDOWN_ANYSEGWIT),
        simple_close=ft.negotiated(ours, theirs, ft.SIMPLE_CLOSE),
        allow_old=not channel.facts.anchors,
    ):
        raise WarnPeer(f"Bad shutdown scriptpubkey {script.hex()}")


def maybe_complete(channel: Channel) -> ChannelStep[None]:
    """Hand the channel over once both shutdowns are exchanged and nothing is pending."""
    if channel.phase not in LIVE:
        return
    session = channel.live
    if not (session.sent_shutdown and session.got_shutdown):
        return
    if channel.htlcs or not channel.fees.is_settled or channel.awaiting_revoke:
        return
    assert not has_changes(channel)
    session.handed_over = True
    dbid, route_id = channel.facts.dbid, session.route_id
    yield Tell("master", cw.ChanneldShutdownComplete(dbid=dbid, route_id=route_id))


def on_closing_message(channel: Channel, msg: Message) -> ChannelStep[None]:
    """The peer begins to negotiate the fee, perhaps before we have noticed that all is done."""
    yield from maybe_complete(channel)
    if channel.phase is not Phase.HANDED_OVER:
        raise WarnPeer(f"Unexpected {type(msg).NAME} while HTLCs are pending")
    yield from to_master(channel, msg)
