"""What the master tells channeld's workers, and what their messages mean.

Every message of a worker is handled in a turn: rows and memory change together, and the reply (which lets the
worker speak to the peer) leaves after the commit. A handler that fails is undone; its channel is then read
anew from the database and started again, while all others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire.peer_wire import ClosingSigned
from pylightningd.common.wire.runtime import message_type
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import (
    CLOSINGD_STATES,
    OPENING,
    Cause,
    ChannelState,
)
from pylightningd.lightningd.control.revocations import Revocations

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.lightningd.node import Node

(
    _FAILED_TRANSIENT,
    _FAILED_BY_US,
    _FAILED_BY_PEER,
    _LOST_STATE,
    _PEER_LOST,
    _BUG,
    _OPENING_GIVEN_UP,
) = range(7)


class UnknownChannel(Exception):
    """A worker named a channel that the master does not have: one of us has a bug."""


class ChanneldControl:
    """The master's side of the links to the channeld workers."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._revocations = Revocations(node)
        self._handlers: dict[type, Callable[[Channel, Any, Incoming], None]] = {
            cw.ChanneldHtlcOffered: self._on_htlc_offered,
            cw.ChanneldSendingCommitsig: self._on_sending_commitsig,
            cw.ChanneldGotCommitsig: self._on_got_commitsig,
            cw.ChanneldGotRevoke: self._on_got_revoke,
            cw.ChanneldGotChannelReady: self._on_got_channel_ready,
            cw.ChanneldSendingChannelReady: self._on_sending_channel_ready,
            cw.ChanneldGotFirstCommitsig: self._on_first_commitsig,
            cw.ChanneldGotTxSignatures: self._on_tx_signatures,
            cw.ChanneldGotShutdown: self._on_got_shutdown,
            cw.ChanneldReestablished: self._on_reestablished,
            cw.ChanneldShutdownComplete: self._on_shutdown_complete,
            cw.ChanneldPeerMsg: self._on_peer_msg,
            cw.ChanneldFailed: self._on_failed,
            cw.ChanneldWarning: self._on_warning,
        }

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of a worker: queue each for the turn."""
        for incoming in batch:
            self._node.turn.submit(partial(self._handle, incoming))

    def _handle(self, incoming: Incoming) -> None:
        msg: Any = incoming.msg
        if isinstance(msg, cw.ChanneldForgotten):
            self._node.workers.forgotten(msg.dbid)
            return
        handler = self._handlers.get(type(msg))
        if handler is None:
            raise UnknownChannel(f"{type(msg).__name__} from {incoming.link.name}")
        channel = self._node.channels.get(msg.dbid)
        if channel is None:
            # It was closed or forgotten while the message was under way.
            self._node.log("debug", f"{msg.NAME} of forgotten channel {msg.dbid}")
            return
        if not self._node.workers.hears(channel.dbid):
            # It was taken from the worker while the message was under way: nothing of it may count any more.
            self._node.log("debug", f"{msg.NAME} of channel {msg.dbid}, which was taken away")
            return
        self._node.turn.on_rollback(partial(self._restart_channel, channel.dbid))
        handler(channel, msg, incoming)

    def _restart_channel(self, dbid: int) -> None:
        """A change failed half-way: take the channel from the database again and reconnect its peer.

        At once, for whatever else is in this turn must not see, or build on, what was undone.
        """
        if self._node.turn.failed is not None:
            return
        self._node.workers.silence(dbid)
        self._node.channels.reload(dbid)
        self._node.turn.submit(lambda: self._node.peers.restart_channel(dbid))

    # HTLCs

    def _on_htlc_offered(
        self, _channel: Channel, msg: cw.ChanneldHtlcOffered, _incoming: Incoming
    ) -> None:
        if msg.error or msg.failure_code:
            self._node.switch.refused(msg.cookie, msg.failure_code, msg.error)
        else:
            self._node.switch.offers.accepted(msg.cookie, msg.id)

    def _on_sending_commitsig(
        self, channel: Channel, msg: cw.ChanneldSendingCommitsig, incoming: Incoming
    ) -> None:
        if msg.number != channel.next_remote_commitment:
            raise ValueError(
                f"channeld signs commitment {msg.number}, the next is {channel.next_remote_commitment}"
            )
        for added in msg.added:
            self._add_ours(channel, added)
        self._change_states(channel, msg.changed)
        channel.next_remote_commitment = msg.number + 1
        channel.last_sent_updates = msg.updates
        channel.last_was_revoke = False
        self._set_fees(channel, msg.fees)
        self._node.channels.store.save_commitment(channel)
        self._node.channels.store.save_sent_updates(channel)
        self._node.turn.reply(incoming, cw.ChanneldSendingCommitsigReply())

    def _add_ours(self, channel: Channel, added: cw.Htlc) -> None:
        offer = self._node.switch.take_sent(channel.dbid, added.id)
        if offer is None:
            raise ValueError(f"channeld signs for HTLC {added.id} that nobody asked for")
        htlc = self._new_htlc(channel, added)
        htlc.origin_htlc = offer.origin_htlc
        htlc.origin_payment = offer.origin_payment
        self._node.channels.store.insert_htlc(htlc)
        channel.htlcs[htlc.key] = htlc
        channel.next_htlc_id = max(channel.next_htlc_id, htlc.id + 1)
        channel.counters.out_payments_offered += 1
        channel.counters.out_offered_msat += htlc.amount.msat
        if offer.on_sent is not None:
            offer.on_sent(htlc.id)

    def _new_htlc(self, channel: Channel, added: cw.Htlc) -> LiveHtlc:
        return LiveHtlc(
            dbid=0,
            channel_dbid=channel.dbid,
            id=added.id,
            offered_by_us=added.offered_by_us,
            state=HtlcState(added.state),
            amount=added.amount,
            payment_hash=added.payment_hash,
            cltv_expiry=added.cltv_expiry,
            onion=added.onion,
            path_key=added.path_key,
            received_time=self._node.clock.now(),
        )

    def _on_got_commitsig(
        self, channel: Channel, msg: cw.ChanneldGotCommitsig, incoming: Incoming
    ) -> None:
        if msg.number != channel.next_local_commitment:
            raise ValueError(
                f"channeld got commitment {msg.number}, the next is {channel.next_local_commitment}"
            )
        if msg.added and channel.state in CLOSINGD_STATES:
            # A close without these HTLCs may be signed: whoever forwards them pays them himself.
            raise ValueError(f"channeld got HTLCs in {channel.state.name}")
        store = self._node.channels.store
        for added in msg.added:
            htlc = self._new_htlc(channel, added)
            store.insert_htlc(htlc)
            channel.htlcs[htlc.key] = htlc
            channel.next_remote_htlc_id = max(channel.next_remote_htlc_id, htlc.id + 1)
            channel.counters.in_payments_offered += 1
            channel.counters.in_offered_msat += htlc.amount.msat
        for removed in msg.removed:
            self._learn_removal(channel, removed)
        channel.next_local_commitment = msg.number + 1
        channel.last_was_revoke = True
        channel.last_tx = msg.tx
        channel.last_sig = msg.signature
        channel.last_htlc_sigs = msg.htlc_signatures
        self._set_fees(channel, msg.fees)
        self._change_states(channel, msg.changed)
        if (channel.to_local, channel.to_remote) != (msg.to_local, msg.to_remote):
            raise ValueError(
                f"channeld has balances {msg.to_local} and {msg.to_remote}, "
                f"we have {channel.to_local} and {channel.to_remote}"
            )
        store.save_commitment(channel)
        store.save_last_tx(channel)
        self._node.turn.reply(incoming, cw.ChanneldGotCommitsigReply())

    def _learn_removal(self, channel: Channel, removed: cw.Htlc) -> None:
        htlc = channel.htlcs[removed.offered_by_us, removed.id]
        htlc.preimage = removed.preimage
        htlc.failure_onion = removed.failure_onion
        htlc.malformed_code = removed.malformed_code
        htlc.malformed_sha256 = removed.malformed_sha256
        htlc.state = HtlcState(removed.state)
        self._node.channels.store.save_htlc_resolution(htlc)
        if htlc.preimage is not None:
            self._node.switch.fulfilled_downstream(htlc, htlc.preimage)

    def _on_got_revoke(
        self, channel: Channel, msg: cw.ChanneldGotRevoke, incoming: Incoming
    ) -> None:
        if msg.number != channel.revocations_received:
            raise ValueError(
                f"channeld got the revocation of {msg.number}, the next is {channel.revocations_received}"
            )
        self._revocations.revoking(channel, msg.secret)
        channel.revocations_received = msg.number + 1
        channel.shachain = msg.shachain
        channel.remote_current_point = channel.remote_next_point or channel.remote_current_point
        channel.remote_next_point = msg.next_point
        self._set_fees(channel, msg.fees)
        secrets = {s.id: s.secret.reveal() for s in msg.onion_secrets}
        too_dusty = {s.id for s in msg.onion_secrets if s.too_dusty}
        committed = self._change_states(channel, msg.changed, secrets)
        self._node.channels.store.save_commitment(channel)
        self._node.turn.reply(incoming, cw.ChanneldGotRevokeReply())
        for htlc in committed:
            self._node.switch.committed(channel, htlc, too_dusty=htlc.id in too_dusty)

    def _change_states(
        self,
        channel: Channel,
        changes: tuple[cw.HtlcChange, ...],
        secrets: dict[int, bytes] | None = None,
    ) -> list[LiveHtlc]:
        """Move HTLCs. Returns received ones that are now in both commitments for good."""
        store = self._node.channels.store
        moved: list[LiveHtlc] = []
        committed: list[LiveHtlc] = []
        for change in changes:
            htlc = channel.htlcs[change.offered_by_us, change.id]
            htlc.state = HtlcState(change.state)
            moved.append(htlc)
            if htlc.state is HtlcState.RCVD_ADD_ACK_REVOCATION:
                htlc.shared_secret = (secrets or {}).get(htlc.id)
                committed.append(htlc)
        store.save_htlc_states(moved)
        for htlc in moved:
            if hs.is_dead(htlc.state):
                self._bury(channel, htlc)
        return committed

    def _bury(self, channel: Channel, htlc: LiveHtlc) -> None:
        """An HTLC is out of both commitments: its money is now in one of the balances."""
        del channel.htlcs[htlc.key]
        if htlc.preimage is not None:
            self._settle(channel, htlc)
        elif htlc.offered_by_us:
            self._node.switch.failed_downstream(htlc)

    def _settle(self, channel: Channel, htlc: LiveHtlc) -> None:
        counters = channel.counters
        self._node.moves.htlc_paid(channel, htlc)
        if htlc.offered_by_us:
            channel.to_local -= htlc.amount
            channel.to_remote += htlc.amount
            channel.min_to_local = min(channel.min_to_local, channel.to_local)
            counters.out_payments_fulfilled += 1
            counters.out_fulfilled_msat += htlc.amount.msat
        else:
            channel.to_local += htlc.amount
            channel.to_remote -= htlc.amount
            channel.max_to_local = max(channel.max_to_local, channel.to_local)
            counters.in_payments_fulfilled += 1
            counters.in_fulfilled_msat += htlc.amount.msat

    def _set_fees(self, channel: Channel, fees: tuple[cw.FeeState, ...]) -> None:
        if fees and fees != channel.fees:
            channel.fees = fees
            self._node.channels.store.save_fees(channel)

    # Dual funding

    def _on_first_commitsig(
        self, channel: Channel, msg: cw.ChanneldGotFirstCommitsig, incoming: Incoming
    ) -> None:
        self._node.dual.got_commitment(channel, msg.tx, msg.signature)
        self._node.turn.reply(incoming, cw.ChanneldGotFirstCommitsigReply())

    def _on_tx_signatures(
        self, channel: Channel, msg: cw.ChanneldGotTxSignatures, incoming: Incoming
    ) -> None:
        self._node.dual.got_signatures(channel, msg.witnesses)
        self._node.turn.reply(incoming, cw.ChanneldGotTxSignaturesReply())

    # Life

    def _on_got_channel_ready(
        self, channel: Channel, msg: cw.ChanneldGotChannelReady, incoming: Incoming
    ) -> None:
        if not channel.got_channel_ready:
            channel.remote_next_point = msg.next_point
        channel.got_channel_ready = True
        if msg.alias is not None:
            channel.remote_alias = msg.alias
        self._node.channels.store.save(channel)
        self._node.turn.reply(incoming, cw.ChanneldGotChannelReadyReply())
        self._maybe_normal(channel)

    def _on_sending_channel_ready(
        self, channel: Channel, _msg: cw.ChanneldSendingChannelReady, incoming: Incoming
    ) -> None:
        channel.sent_channel_ready = True
        self._node.channels.store.save(channel)
        self._node.turn.reply(incoming, cw.ChanneldSendingChannelReadyReply())
        self._maybe_normal(channel)

    def _maybe_normal(self, channel: Channel) -> None:
        # BOLT 2, "The `channel_ready` Message": the channel is usable once both have sent it.
        if channel.state in OPENING and channel.sent_channel_ready and channel.got_channel_ready:
            self._node.channels.set_state(
                channel, ChannelState.CHANNELD_NORMAL, Cause.UNKNOWN, "Lockin complete"
            )
            self._node.moves.channel_open(channel, with_push=True)
            if channel.depth > 0:
                self._node.dual.locked_in(channel)
        self._node.channel_gossip.channel_changed(channel)

    def _on_reestablished(
        self, channel: Channel, msg: cw.ChanneldReestablished, _incoming: Incoming
    ) -> None:
        self._node.connectd.held_errors.data_is_good(channel)
        if msg.route_id != channel.route_id:
            return  # of a connection that has ended since
        channel.reestablished = True
        channel.last_stable_connection = int(self._node.clock.now())
        self._node.channel_gossip.channel_changed(channel)
        self._node.channel_events.reestablished(channel)
        # The worker knows the feerates of when it was given the channel, and has no wish of its own.
        self._node.channel_events.fee_limits_changed(channel)

    def _on_got_shutdown(
        self, channel: Channel, msg: cw.ChanneldGotShutdown, incoming: Incoming
    ) -> None:
        channel.remote_shutdown_script = msg.script
        if msg.wrong_funding is not None and channel.wrong_funding is None:
            # The first counts: each one named is looked for on the chain.
            self._node.closing.other_funding(channel, msg.wrong_funding)
        if not channel.local_shutdown_script:
            channel.local_shutdown_script = self._node.closing.own_script(channel)
        if channel.closer is None:
            channel.closer = "remote"
        if channel.state is ChannelState.CHANNELD_NORMAL or channel.state in OPENING:
            self._node.channels.set_state(
                channel,
                ChannelState.CHANNELD_SHUTTING_DOWN,
                Cause.REMOTE,
                "Peer closes channel",
            )
        else:
            self._node.channels.store.save(channel)
        self._node.turn.reply(
            incoming, cw.ChanneldGotShutdownReply(local_script=channel.local_shutdown_script)
        )
        self._node.channel_gossip.channel_changed(channel)

    def _on_shutdown_complete(
        self, channel: Channel, msg: cw.ChanneldShutdownComplete, _incoming: Incoming
    ) -> None:
        if msg.route_id != channel.route_id:
            return  # of a connection that has ended since: on the next, shutdown is exchanged again
        self._node.closing.shutdown_complete(channel)

    def _on_peer_msg(self, channel: Channel, msg: cw.ChanneldPeerMsg, _incoming: Incoming) -> None:
        if message_type(msg.msg) == ClosingSigned.TYPE:
            self._node.closing.early_message(channel, msg.msg)
        else:
            self._node.channel_gossip.peer_message(channel, msg.msg)

    def _on_warning(self, channel: Channel, msg: cw.ChanneldWarning, _incoming: Incoming) -> None:
        self._node.log(
            "info",
            f"Received WARNING channel {channel.channel_id.hex()}: {msg.text}",
            source="channeld",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )

    def _on_failed(self, channel: Channel, msg: cw.ChanneldFailed, _incoming: Incoming) -> None:
        if msg.kind in (_LOST_STATE, _FAILED_BY_US, _FAILED_BY_PEER):
            # Whatever the peer said beside it, this is how the channel ends.
            self._node.connectd.held_errors.forget(channel)
        if msg.kind == _FAILED_TRANSIENT:
            self._node.channel_events.transient_failure(channel, msg.reason, worker_hangs_up=True)
        elif msg.kind == _OPENING_GIVEN_UP:
            if self._node.dual.may_forget(channel):
                self._node.dual.forget(channel, Cause.REMOTE, msg.reason)
            else:
                # The worker had not heard yet that we have signed: it takes the channel up anew with that.
                self._node.log(
                    "unusual",
                    f"Too late to give up the opening, we have signed: {msg.reason}",
                    peer_id=channel.peer_id,
                    dbid=channel.dbid,
                )
                self._node.peers.restart_channel(channel.dbid)
        elif msg.kind == _BUG:
            # A bug of ours never closes a channel: it is taken up anew, ever more slowly.
            self._node.log(
                "broken",
                f"channeld holds the channel: {msg.reason}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
            self._node.peers.restart_channel(channel.dbid)
        elif msg.kind == _LOST_STATE:
            # A peer that has forgotten the channel sends just any point, as CLN its own id: the mark of a stub, for us.
            if msg.remote_point != channel.peer_id:
                channel.future_remote_point = msg.remote_point
            self._node.channel_events.lost_state(channel, msg.reason)
        else:
            cause = Cause.PROTOCOL if msg.kind == _FAILED_BY_US else Cause.REMOTE
            self._node.channel_events.permanent_failure(channel, cause, msg.reason)


def channel_init(
    channel: Channel, feerate_min: int, feerate_max: int, max_dust: Msat
) -> cw.ChanneldChannel:
    """All that a worker needs to take up a channel, from its rows. Feerates in sat per 1000 weight."""
    return cw.ChanneldChannel(
        channel=channel.static,
        announce=channel.announce,
        minimum_depth=channel.minimum_depth,
        short_channel_id=channel.short_channel_id,
        local_alias=channel.local_alias,
        depth=channel.depth,
        next_local_commitment=channel.next_local_commitment,
        next_remote_commitment=channel.next_remote_commitment,
        revocations_received=channel.revocations_received,
        to_local=channel.to_local,
        to_remote=channel.to_remote,
        fees=channel.fees,
        remote_current_point=channel.remote_current_point,
        remote_next_point=channel.remote_next_point,
        shachain=channel.shachain,
        htlcs=tuple(h.to_wire() for h in channel.htlcs.values()),
        next_htlc_id=channel.next_htlc_id,
        next_remote_htlc_id=channel.next_remote_htlc_id,
        last_sent_updates=channel.last_sent_updates,
        last_was_revoke=channel.last_was_revoke,
        sent_channel_ready=channel.sent_channel_ready,
        got_channel_ready=channel.got_channel_ready,
        local_shutdown_script=channel.local_shutdown_script,
        remote_shutdown_script=channel.remote_shutdown_script,
        remote_upfront_shutdown_script=channel.remote_upfront_shutdown_script,
        their_features=channel.their_features,
        feerate_min_perkw=feerate_min,
        feerate_max_perkw=feerate_max,
        max_dust_exposure=max_dust,
    )
