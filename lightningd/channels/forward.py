"""The HTLC switch: what becomes of an HTLC once it is in both commitments for good.

`Switch.committed` peels the onion and either hands the HTLC to the receiver of payments or offers one like it
on the next channel; `Switch.fulfilled_downstream` and `failed_downstream` carry the outcome back. All of it runs
inside turns, in the same one that makes the cause durable. The link between the two HTLCs is
`channel_htlcs.origin_htlc`, so after a crash the same functions are called from the rows (`recover`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import is_dead, is_irrevocable
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.blinding import Unblinded
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.onion.instructions import (
    Final,
    Forward,
    path_key_of,
    read_instructions,
)
from pylightningd.common.onion.payload import BadPayload, decode_hop_payload
from pylightningd.common.onion.sphinx import BadOnion, Peeled, peel
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.channeld_wire import ChanneldOfferHtlc
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.blinded import (
    NO_SECRET,
    blinding_failure,
    read_blinded,
)
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc, Policy
from pylightningd.lightningd.channels.forward_rules import (
    CannotForward,
    Instructions,
    check_forward,
    failure_of,
)
from pylightningd.lightningd.channels.named_update import NamedUpdates, without_update
from pylightningd.lightningd.channels.offers import Offer, Offers
from pylightningd.lightningd.channels.states import WITH_PEER
from pylightningd.lightningd.db.forwards_io import ForwardStore

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_NOT_NOW = int(FailureCode.TEMPORARY_CHANNEL_FAILURE)


class Switch:
    """Forwards HTLCs between channels."""

    def __init__(self, node: Node, forwards: ForwardStore) -> None:
        self._node = node
        self.forwards = forwards
        self.offers = Offers()
        self._named_updates = NamedUpdates(node)
        self._old_policies: dict[int, tuple[Policy, float]] = {}

    def keep_old_policy(self, channel: Channel, seconds: int) -> None:
        """The fees are about to change: senders who have not heard of it may use the present ones for a while."""
        until = self._node.clock.now() + seconds
        self._old_policies[channel.dbid] = (replace(channel.policy), until)

    # Incoming

    def committed(self, channel: Channel, htlc: LiveHtlc, *, too_dusty: bool = False) -> None:
        """A received HTLC is irrevocable. Decide about it, or ask plugins first.

        One that is `too_dusty` is failed, whatever it is for.
        """
        htlc.handled = True
        try:
            peeled = self._peel(htlc)
            payload = decode_hop_payload(peeled.payload)
            path_key = path_key_of(payload, htlc.path_key)
            told = None if path_key is not None else self._read(htlc, peeled, payload)
        except BadOnion as bad:
            self._node.resolver.fail_malformed(htlc, int(bad.code), sha256(htlc.onion).digest())
            return
        except BadPayload as bad:
            self._node.resolver.fail(htlc, bad.failure())
            return
        if too_dusty:
            # BOLT 2, "Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`", receiver:
            # SHOULD fail it once it is committed, and SHOULD NOT reveal a preimage.
            self._node.resolver.fail(htlc, ow.TemporaryNodeFailure())
        elif told is not None:
            self._told(channel, htlc, told)
        elif path_key is not None:
            self._node.turn.after_commit(
                lambda: self._unblind_first(channel, htlc, peeled, payload, path_key)
            )

    def _told(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        """The onion is read: ask plugins, or go on."""
        if self._node.plugins.has_hook("htlc_accepted"):
            self._node.turn.after_commit(lambda: self._node.htlc_hook.ask(channel, htlc, told))
        else:
            self.proceed(channel, htlc, told)

    def proceed(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        """Do what the onion says."""
        if htlc.is_resolved or channel.state not in WITH_PEER:
            return  # where it went to the chain undecided, it times out there
        if told.is_final:
            self._node.receiver.accept(channel, htlc, told)
            return
        try:
            self._forward(channel, htlc, told)
        except CannotForward as cannot:
            self._refuse(channel, htlc, told, cannot.failure)

    def _peel(self, htlc: LiveHtlc) -> Peeled:
        if htlc.shared_secret is None or htlc.shared_secret == NO_SECRET:
            raise BadOnion(FailureCode.INVALID_ONION_KEY, htlc.onion, "its key is not a point")
        return peel(htlc.onion, htlc.shared_secret, htlc.payment_hash)

    def _unblind_first(
        self, channel: Channel, htlc: LiveHtlc, peeled: Peeled, payload: ow.Payload, path_key: bytes
    ) -> None:
        """What to do is encrypted: hsmd has the key. A restart meanwhile asks anew."""

        async def work() -> None:
            try:
                unblinded = await read_blinded(
                    self._node, path_key, payload.encrypted_recipient_data
                )
                told = self._read(htlc, peeled, payload, unblinded)
            except BadPayload as bad:
                await self._node.turn.do(partial(self._blinding_fails, channel, htlc, str(bad)))
                return
            await self._node.turn.do(partial(self._told, channel, htlc, told))

        self._node.attempt(
            work(),
            f"blinded HTLC {htlc.dbid}",
            lambda why: self._node.turn.submit(partial(self._blinding_fails, channel, htlc, why)),
        )

    def _blinding_fails(self, channel: Channel, htlc: LiveHtlc, why: str) -> None:
        if htlc.is_resolved or channel.state not in WITH_PEER:
            return
        self._node.log(
            "debug",
            f"Failing HTLC {htlc.id} of a blinded path: {why}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        self._node.resolver.fail(htlc, blinding_failure(htlc))

    def _read(
        self,
        htlc: LiveHtlc,
        peeled: Peeled,
        payload: ow.Payload,
        unblinded: Unblinded | None = None,
    ) -> Instructions:
        """Raises BadPayload."""
        said = read_instructions(
            payload,
            is_final=peeled.is_final,
            amount=htlc.amount,
            cltv_expiry=htlc.cltv_expiry,
            unblinded=unblinded,
        )
        forward = said if isinstance(said, Forward) else None
        return Instructions(
            scid=None if forward is None else forward.short_channel_id,
            next_node=None if forward is None else forward.next_node_id,
            next_path_key=None if forward is None else forward.next_path_key,
            is_final=forward is None,
            amount=said.amt_to_forward,
            cltv_expiry=said.outgoing_cltv_value,
            payload=payload,
            raw_payload=peeled.payload,
            next_onion=peeled.next_packet or b"",
            is_blinded=unblinded is not None,
            path_id=said.path_id if isinstance(said, Final) else None,
        )

    def _forward(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        named = self._next_channel(told)
        out = self._chosen(channel, named, told)
        scid = (told.scid if out is named else None) or out.usable_scid
        update = named.our_update
        if not out.is_ready():
            self._node.channel_gossip.tried_while_gone(out)
            raise CannotForward(ow.TemporaryChannelFailure(channel_update=update))
        now = self._node.clock.now()
        self._check_policy(named, htlc, told, now, update)
        self.forwards.offered(htlc, channel.usable_scid, scid, told.amount, now)

        def refused(code: int, _text: str) -> None:
            failure = failure_of(code, update)
            self._refuse(channel, htlc, told, failure)

        def sent(htlc_id: int) -> None:
            self.forwards.sent(htlc, htlc_id)

        self.offer(
            out,
            amount=told.amount,
            cltv_expiry=told.cltv_expiry,
            payment_hash=htlc.payment_hash,
            onion=told.next_onion,
            origin_htlc=htlc.dbid,
            path_key=told.next_path_key,
            on_refused=refused,
            on_sent=sent,
        )

    def _chosen(self, channel: Channel, named: Channel, told: Instructions) -> Channel:
        """Where the HTLC goes out: any channel with the peer of the one that is named will do."""
        # BOLT 4, "Non-strict Forwarding": MAY use another channel with the same next node.
        if told.scid is None or self._node.settings.strict_forwarding:
            return named
        out = self._node.channels.better_than(named, told.amount)
        if out is not named:
            self._node.log(
                "debug",
                f"Chose a better channel than {told.scid}: {out.usable_scid}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
        return out

    def _check_policy(
        self, named: Channel, htlc: LiveHtlc, told: Instructions, now: float, update: bytes
    ) -> None:
        """Whether the HTLC keeps to what we say of the channel that its sender named. Raises CannotForward."""
        check = partial(
            check_forward,
            incoming=htlc,
            amount=told.amount,
            cltv_expiry=told.cltv_expiry,
            height=self._node.chain.height,
            update=update,
            # BOLT 4, "`payload` format", reader: in a blinded path the amount is worked out from what came in,
            # rounded up, and so the fee that is left may be one short.
            rounding_msat=1 if told.is_blinded else 0,
        )
        try:
            check(named.policy)
        except CannotForward:
            old, until = self._old_policies.get(named.dbid, (named.policy, 0.0))
            if now >= until:
                raise
            check(old)

    def _next_channel(self, told: Instructions) -> Channel:
        if told.scid is None:
            out = None if told.next_node is None else self._node.channels.best_with(told.next_node)
        else:
            out = self._node.channels.by_scid(told.scid)
        if out is None:
            raise CannotForward(ow.UnknownNextPeer())
        # BOLT 2, "The `channel_ready` Message": with option_scid_alias the real scid must not be used.
        if out.channel_type.has_scid_alias and told.scid == out.short_channel_id:
            raise CannotForward(ow.UnknownNextPeer())
        return out

    def _refuse(
        self, channel: Channel, htlc: LiveHtlc, told: Instructions, failure: Message
    ) -> None:
        self._node.log(
            "debug",
            f"Failing HTLC {htlc.id}: {type(failure).__name__}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        self.forwards.local_fail(
            htlc,
            channel.usable_scid,
            told.scid,
            told.amount,
            failure.TYPE,
            self._node.clock.now(),
        )
        scid = told.scid
        if scid is None or self._named_updates.fits(failure, scid):
            self._node.resolver.fail(htlc, failure)
        else:
            self._node.turn.after_commit(lambda: self._fail_renamed(htlc, failure, scid))

    def _fail_renamed(self, htlc: LiveHtlc, failure: Message, scid: ShortChannelId) -> None:
        """Once hsmd has signed our update for the name that was used. A restart meanwhile decides anew."""
        node = self._node

        async def work() -> None:
            renamed = await self._named_updates.rename(failure, scid)
            await node.turn.do(partial(node.resolver.fail, htlc, renamed))

        def otherwise(_why: str) -> None:
            node.turn.submit(partial(node.resolver.fail, htlc, without_update(failure)))

        node.attempt(work(), f"channel_update for {scid}", otherwise)

    # Outgoing

    def offer(
        self,
        out: Channel,
        *,
        amount: Msat,
        cltv_expiry: int,
        payment_hash: bytes,
        onion: bytes,
        on_refused: Callable[[int, str], None],
        on_sent: Callable[[int], None] | None = None,
        origin_htlc: int | None = None,
        origin_payment: int | None = None,
        path_key: bytes | None = None,
    ) -> None:
        """Offer an HTLC on a channel whose worker runs. Exactly one of the callbacks follows, in a turn."""
        offer = Offer(
            cookie=self.offers.new_cookie(),
            channel_dbid=out.dbid,
            worker=out.worker or "",
            amount=amount,
            cltv_expiry=cltv_expiry,
            payment_hash=payment_hash,
            origin_htlc=origin_htlc,
            origin_payment=origin_payment,
            on_refused=on_refused,
            on_sent=on_sent,
        )
        self.offers.add(offer)
        self._node.turn.on_rollback(lambda: self.offers.take(offer.cookie))
        self._node.workers.send(
            out,
            ChanneldOfferHtlc(
                dbid=out.dbid,
                cookie=offer.cookie,
                amount=amount,
                cltv_expiry=cltv_expiry,
                payment_hash=payment_hash,
                onion=onion,
                path_key=path_key,
            ),
        )

    def refused(self, cookie: int, code: int, text: str) -> None:
        """channeld could not add an offered HTLC, or forgot it in a reconnect."""
        offer = self.offers.take(cookie)
        if offer is not None:
            self._node.turn.on_rollback(lambda: self.offers.put_back(offer))
            offer.on_refused(code, text)

    def take_sent(self, channel_dbid: int, htlc_id: int) -> Offer | None:
        """The offer that a commitment now covers; if that cannot be written down, it stays open."""
        offer = self.offers.take_sent(channel_dbid, htlc_id)
        if offer is not None:
            self._node.turn.on_rollback(lambda: self.offers.put_back(offer))
        return offer

    def worker_died(self, worker: str) -> None:
        """Offers that no commitment covered died with their daemon."""
        for offer in self.offers.of_worker(worker):
            self.refused(offer.cookie, _NOT_NOW, f"{worker} stopped")

    def released(self, channel_dbid: int) -> None:
        """No worker has the channel any more: offers that no commitment covered will not come to be."""
        for offer in self.offers.of_channel(channel_dbid):
            self.refused(offer.cookie, _NOT_NOW, "The channel was taken from its worker")

    def fulfilled_downstream(self, htlc: LiveHtlc, preimage: bytes) -> None:
        """An HTLC we offered was fulfilled: claim what it serves, at once, for a preimage cannot be taken back."""
        if htlc.origin_htlc is not None:
            incoming = self._origin(htlc.origin_htlc)
            if incoming is not None:
                self._node.resolver.fulfill(incoming, preimage)
                self._count_forward(incoming, htlc)
        elif htlc.origin_payment is not None:
            self._node.payments.part_fulfilled(htlc, preimage)

    def failed_downstream(self, htlc: LiveHtlc) -> None:
        """An HTLC we offered is out of both commitments and unpaid: fail what it serves."""
        if htlc.origin_htlc is not None:
            incoming = self._origin(htlc.origin_htlc)
            if incoming is not None and not incoming.is_resolved:
                self._pass_back(incoming, htlc)
        elif htlc.origin_payment is not None:
            self._node.payments.part_failed(htlc)

    def lost_onchain(self, htlc: LiveHtlc, why: str) -> None:
        """An HTLC we offered died on the chain: nobody can be paid with it any more. May be said twice."""
        if htlc.failure_onion is not None or htlc.malformed_code:
            self.failed_downstream(htlc)
        elif htlc.origin_htlc is not None:
            incoming = self._origin(htlc.origin_htlc)
            if incoming is not None and not incoming.is_resolved:
                code = int(FailureCode.PERMANENT_CHANNEL_FAILURE)
                self.forwards.failed(incoming, code, self._node.clock.now())
                self._node.resolver.fail(incoming, ow.PermanentChannelFailure())
        elif htlc.origin_payment is not None:
            self._node.payments.give_up(htlc, why)

    def _pass_back(self, incoming: LiveHtlc, htlc: LiveHtlc) -> None:
        now = self._node.clock.now()
        if htlc.malformed_code:
            # BOLT 4, "Returning Errors": we write the failure for a next node that could not read its onion.
            code = htlc.malformed_code
            self.forwards.failed(incoming, code, now)
            self._node.resolver.fail(incoming, code.to_bytes(2, "big") + htlc.malformed_sha256)
        else:
            self.forwards.failed(incoming, 0, now)
            self._node.resolver.pass_back(incoming, htlc.failure_onion or b"")

    def _count_forward(self, incoming: LiveHtlc, outgoing: LiveHtlc) -> None:
        self.forwards.settled(incoming, self._node.clock.now())

    def _origin(self, dbid: int) -> LiveHtlc | None:
        """The live received HTLC of that row; None once it is dead."""
        row = self._node.channels.store.htlc_by_row(dbid)
        if row is None:
            return None
        channel = self._node.channels.get(row.channel_dbid)
        return None if channel is None else channel.htlcs.get((False, row.id))

    # Start

    def recover(self) -> None:
        """Decide anew about every received HTLC that is committed and not resolved. Once, at start, in a turn.

        Each in a function of its own: one that we cannot deal with must not keep the node from starting.
        """
        for channel in self._node.channels:
            for htlc in list(channel.htlcs.values()):
                if not htlc.offered_by_us and not htlc.is_resolved and is_at_rest(htlc):
                    self._node.turn.submit(partial(self._recover_one, channel, htlc))

    def _recover_one(self, channel: Channel, htlc: LiveHtlc) -> None:
        served = self._node.channels.store.offered_for(htlc.dbid)
        if served is None:
            if channel.state in WITH_PEER:
                self.committed(channel, htlc)
        elif served.preimage is not None:
            self.fulfilled_downstream(served, served.preimage)
        elif is_out(served):
            self.failed_downstream(served)


def is_at_rest(htlc: LiveHtlc) -> bool:
    """Whether a received HTLC is in both commitments for good."""
    return is_irrevocable(htlc.state)


def is_out(htlc: LiveHtlc) -> bool:
    """Whether an HTLC is out of both commitments for good."""
    return is_dead(htlc.state)
