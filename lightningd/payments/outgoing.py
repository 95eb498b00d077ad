"""Payments out: each part is a row before its HTLC is offered, and ends exactly once.

The row is written in the turn that offers the HTLC. channeld's word (refused, fulfilled, failed) ends it, in the
turn that makes that word durable. After a crash `recover` ends parts whose HTLC never came to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import is_dead
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.db.payments_io import Failure, Part, PaymentStatus, PaymentStore
from pylightningd.lightningd.payments.blame import blame, refused_locally
from pylightningd.lightningd.payments.describe import failure_error, part_json
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    PAY_DESTINATION_PERM_FAIL,
    PAY_IN_PROGRESS,
    PAY_INVOICE_REQUEST_INVALID,
    PAY_NO_SUCH_PAYMENT,
    PAY_RHASH_ALREADY_USED,
    PAY_TRY_OTHER_ROUTE,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHop:
    """One hop of a route: the channel, the node behind it, and what that node gets."""

    node: NodeId
    channel: ShortChannelId | None
    amount: Msat
    delay: int
    """Blocks from now until the HTLC to this node expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalData:
    """What only the destination learns."""

    payment_secret: bytes | None
    total: Msat
    metadata: bytes | None = None
    keysend_preimage: bytes | None = None


def make_payloads(hops: list[RouteHop], base_height: int, final: FinalData) -> list[bytes]:
    """The onion payload of each hop. `base_height` is what delays count from."""
    payloads = []
    for hop, following in zip(hops, hops[1:], strict=False):
        if following.channel is None:
            raise ValueError(f"the hop behind {hop.node.hex()} names no channel")
        # BOLT 4, "`payload` format", writer: a hop that forwards gets channel, amount and expiry of the next.
        payloads.append(
            encode_hop_payload(
                ow.Payload(
                    amt_to_forward=following.amount,
                    outgoing_cltv_value=base_height + following.delay,
                    short_channel_id=following.channel,
                )
            )
        )
    payloads.append(encode_hop_payload(_final_payload(hops[-1], base_height, final)))
    return payloads


def _final_payload(hop: RouteHop, base_height: int, final: FinalData) -> ow.Payload:
    data = None
    if final.payment_secret is not None:
        data = ow.PayloadPaymentData(payment_secret=final.payment_secret, total_msat=final.total)
    unknown: tuple[tuple[int, bytes], ...] = ()
    if final.keysend_preimage is not None:
        unknown = ((KEYSEND_TYPE, final.keysend_preimage),)
    return ow.Payload(
        amt_to_forward=hop.amount,
        outgoing_cltv_value=base_height + hop.delay,
        payment_data=data,
        payment_metadata=final.metadata,
        unknown=unknown,
    )


KEYSEND_TYPE = 5482373484
LEAST_BLOCKS = 2
"""Blocks that an HTLC of ours must have before it expires: with fewer our own deadline would fail the channel
before the peer had a fair chance to answer."""


class Payments:
    """All payments out."""

    def __init__(self, node: Node, store: PaymentStore) -> None:
        self._node = node
        self.store = store
        self._parts: dict[int, Part] = {}
        self._waiters: dict[tuple[bytes, int, int], list[Any]] = {}

    # Sending

    def send_route(self, hops: list[RouteHop], part: Part, final: FinalData) -> Part:
        """Send a part along a route. Inside a turn. Raises UserError; returns the part as it now stands."""
        earlier = self._earlier(part)
        if earlier is not None:
            return earlier
        channel = self._first_channel(hops[0])
        # As CLN: one block more, for a block that comes while the payment travels.
        base_height = self._node.chain.height + 1
        payloads = make_payloads(hops, base_height, final)
        onion, secrets = make_onion(
            self._node.entropy.take(32),
            [(hop.node, payload) for hop, payload in zip(hops, payloads, strict=True)],
            part.payment_hash,
        )
        part.path_secrets = b"".join(secrets)
        part.route_nodes = tuple(hop.node for hop in hops)
        part.route_channels = tuple(
            hop.channel if hop.channel is not None else channel.usable_scid for hop in hops
        )
        self._offer(channel, part, onion, base_height + hops[0].delay)
        return part

    def send_onion(self, first: RouteHop, part: Part, onion: bytes) -> Part:
        """Send an onion that somebody else made. Inside a turn. Raises UserError."""
        earlier = self._earlier(part)
        if earlier is not None:
            return earlier
        channel = self._first_channel(first)
        part.route_nodes = part.route_nodes or (first.node,)
        part.route_channels = (channel.usable_scid,)
        self._offer(channel, part, onion, self._node.chain.height + 1 + first.delay)
        return part

    def send_inner(
        self, channel: Channel, part: Part, onion: bytes, cltv_expiry: int, path_key: bytes | None
    ) -> Part:
        """Send what was inside an onion that began at ourselves. Inside a turn. Raises UserError."""
        earlier = self._earlier(part)
        if earlier is not None:
            return earlier
        part.route_nodes = (channel.peer_id,)
        part.route_channels = (channel.usable_scid,)
        self._offer(channel, part, onion, cltv_expiry, path_key)
        return part

    def send_to_self(self, part: Part, payment_secret: bytes | None) -> Part:
        """Pay an invoice of our own: no HTLC is needed. Inside a turn. Raises UserError."""
        earlier = self._earlier(part)
        if earlier is not None:
            return earlier
        node = self._node
        part.destination = node.node_id
        try:
            invoice = node.invoices.payable(
                part.payment_hash, part.total, payment_secret, part.bolt11
            )
        except ValueError as why:
            raise UserError(
                PAY_DESTINATION_PERM_FAIL,
                f"Self-payment failed: {why}",
                {
                    "erring_node": node.node_id.hex(),
                    "erring_index": 0,
                    "payment_hash": part.payment_hash.hex(),
                },
            ) from None
        self.store.insert(part)
        node.invoices.paid(invoice, part.amount_sent)
        self._complete(part, invoice.preimage)
        return part

    def _offer(
        self,
        channel: Channel,
        part: Part,
        onion: bytes,
        cltv_expiry: int,
        path_key: bytes | None = None,
    ) -> None:
        node = self._node
        if cltv_expiry < node.chain.height + LEAST_BLOCKS:
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                f"Expiry cltv {cltv_expiry} too close to current {node.chain.height}",
            )
        self.store.insert(part)
        self._parts[part.id] = part
        node.turn.on_rollback(lambda: self._parts.pop(part.id, None))

        def refused(code: int, text: str) -> None:
            self._fail(part, refused_locally(part, code, text, node.node_id))

        node.switch.offer(
            channel,
            amount=part.amount_sent,
            cltv_expiry=cltv_expiry,
            payment_hash=part.payment_hash,
            onion=onion,
            origin_payment=part.id,
            path_key=path_key,
            on_refused=refused,
        )

    def _first_channel(self, hop: RouteHop) -> Channel:
        channels = self._node.channels
        channel: Channel | None = None
        if hop.channel is None:
            channel = channels.best_with(hop.node)
        else:
            channel = channels.by_scid(hop.channel)
            if channel is not None and channel.peer_id != hop.node:
                channel = None  # its peer could not read the onion
        if channel is None or not channel.is_ready():
            raise self._no_first_hop(hop, channel)
        return channel

    def _no_first_hop(self, hop: RouteHop, channel: Channel | None) -> UserError:
        why = "No connection to first peer found"
        if channel is not None:
            why = f"First peer not ready: channel {channel.usable_scid} is {channel.state.name}"
            if channel.route_id is None:
                why = f"First peer not connected: channel {channel.usable_scid}"
        code = int(FailureCode.TEMPORARY_CHANNEL_FAILURE)
        data: dict[str, Any] = {
            "erring_index": 0,
            "erring_node": self._node.node_id.hex(),
            "failcode": code,
            "failcodename": FailureCode.TEMPORARY_CHANNEL_FAILURE.wire_name,
            "raw_message": code.to_bytes(2, "big").hex(),
        }
        if hop.channel is not None:
            data["erring_channel"] = str(hop.channel)
            data["erring_direction"] = 0 if self._node.node_id < hop.node else 1
        return UserError(PAY_TRY_OTHER_ROUTE, why, data)

    def _earlier(self, part: Part) -> Part | None:
        """What was done before for this hash. Raises UserError where the new part contradicts it."""
        if part.local_invreq_id is not None:
            self._check_request(part.local_invreq_id, part.payment_hash)
        others_complete = False
        pending = Msat(0)
        for old in self.store.of_hash(part.payment_hash):
            if old.status is PaymentStatus.COMPLETE:
                if old.partid == part.partid:
                    # A payment that was made is made: who asks again is told the same, in whatever group.
                    self._check_same(old, part, "succeeded")
                    return old
                others_complete = True
            elif old.status is PaymentStatus.PENDING:
                self._check_beside(old, part)
                if old.partid == part.partid:
                    self._check_same(old, part, "pending")
                    return old
                self._check_total(old, part)
                pending += old.amount or Msat(0)
            if old.key == part.key:
                raise UserError(
                    PAY_RHASH_ALREADY_USED,
                    f"There already is a payment with payment_hash={part.payment_hash.hex()}, "
                    f"groupid={part.groupid}, partid={part.partid}. Either change the partid, or wait for the "
                    "payment to complete and start a new group.",
                )
        if others_complete:
            raise UserError(PAY_RHASH_ALREADY_USED, "Already succeeded other parts")
        # BOLT 4, "Basic Multi-Part Payments", sender: no HTLC beyond total_msat.
        if part.total and pending >= part.total:
            raise UserError(
                PAY_IN_PROGRESS, f"Already have {pending} of {part.total} payments in progress"
            )
        return None

    def _check_beside(self, old: Part, new: Part) -> None:
        """Whether a part may be sent while another is pending."""
        if old.groupid != new.groupid:
            raise UserError(
                PAY_IN_PROGRESS,
                f"Payment with groupid={old.groupid} still in progress, cannot retry before that completes.",
                part_json(old),
            )
        if bool(old.partid) != bool(new.partid):
            kind = "parallel" if old.partid else "non-parallel"
            raise UserError(
                PAY_IN_PROGRESS, f"Already have {kind} payment in progress", part_json(old)
            )

    def _check_total(self, old: Part, new: Part) -> None:
        if old.total is not None and new.total is not None and old.total != new.total:
            raise UserError(
                JSONRPC2_INVALID_PARAMS, f"amount_msat was previously {old.total}, now {new.total}"
            )

    def _check_request(self, invreq_id: bytes, payment_hash: bytes) -> None:
        """A published invoice request is paid while it is open; one for a single use, for one payment_hash only."""
        parts = [
            p for p in self.store.of_request(invreq_id) if p.status is not PaymentStatus.FAILED
        ]
        if any(part.payment_hash == payment_hash for part in parts):
            return
        request = self._node.offer_book.check_payable(invreq_id)
        if parts and request.single_use:
            raise UserError(
                PAY_INVOICE_REQUEST_INVALID,
                f"Single-use invoice_request already in progress with {parts[0].payment_hash.hex()}",
            )

    def _check_same(self, old: Part, new: Part, how: str) -> None:
        if new.amount is not None and old.amount is not None and old.amount != new.amount:
            raise UserError(
                PAY_RHASH_ALREADY_USED,
                f"Already {how} with amount {old.amount} (not {new.amount})",
            )
        if (
            new.destination is not None
            and old.destination is not None
            and old.destination != new.destination
        ):
            raise UserError(PAY_RHASH_ALREADY_USED, f"Already {how} to {old.destination.hex()}")

    def next_group(self, payment_hash: bytes) -> int:
        """The number for a new attempt at a payment."""
        return 1 + max(self.store.groups(payment_hash), default=0)

    # What the switch says; in turns

    def part_fulfilled(self, htlc: LiveHtlc, preimage: bytes) -> None:
        """The preimage is here: it is paid."""
        part = self._of(htlc)
        if part is None or part.status is PaymentStatus.COMPLETE:
            return
        self._complete(part, preimage)

    def _complete(self, part: Part, preimage: bytes) -> None:
        part.status = PaymentStatus.COMPLETE
        part.preimage = preimage
        self._end(part)
        self.store.complete(part)
        if part.local_invreq_id is not None:
            self._node.offer_book.paid_request(part.local_invreq_id)
        self._node.turn.notify("sendpay_success", part_json(part))

    def part_failed(self, htlc: LiveHtlc) -> None:
        """The HTLC is gone, unpaid."""
        part = self._of(htlc)
        if part is not None:
            self._fail(part, blame(part, htlc, self._node.node_id))

    def _fail(self, part: Part, failure: Failure) -> None:
        if part.status is not PaymentStatus.PENDING:
            return
        part.status = PaymentStatus.FAILED
        part.failure = failure
        self._end(part)
        self.store.fail(part)
        error = failure_error(part)
        self._node.turn.notify(
            "sendpay_failure", {"code": error.code, "message": error.message, "data": error.data}
        )

    def _end(self, part: Part) -> None:
        node = self._node
        part.completed_at = int(node.clock.now())
        self._parts.pop(part.id, None)
        node.turn.on_rollback(lambda: self._parts.pop(part.id, None))
        node.turn.after_commit(lambda: self._wake(part))

    def _of(self, htlc: LiveHtlc) -> Part | None:
        part_id = htlc.origin_payment
        if part_id is None:
            return None
        return self._parts.get(part_id) or self.store.get(part_id)

    # Waiting

    def _wake(self, part: Part) -> None:
        for future in self._waiters.pop(part.key, ()):
            if not future.done():
                future.set_result(part)

    async def wait(self, payment_hash: bytes, partid: int, groupid: int | None) -> Part:
        """Return the part when it is over. Raises UserError where there is none, or it failed."""
        part = self._newest(payment_hash, partid, groupid)
        if part is None:
            raise UserError(PAY_NO_SUCH_PAYMENT, "Never attempted payment for given payment_hash")
        if part.status is PaymentStatus.PENDING:
            future = self._node.new_future()
            self._waiters.setdefault(part.key, []).append(future)
            part = await future
        if part.status is PaymentStatus.FAILED:
            raise failure_error(part)
        return part

    def _newest(self, payment_hash: bytes, partid: int, groupid: int | None) -> Part | None:
        live = [
            p
            for p in (*self._parts.values(),)
            if p.payment_hash == payment_hash
            and p.partid == partid
            and groupid in (None, p.groupid)
        ]
        if live:
            return live[-1]
        stored = [
            p
            for p in self.store.of_hash(payment_hash)
            if p.partid == partid and groupid in (None, p.groupid)
        ]
        return max(stored, key=lambda p: (p.groupid, p.id)) if stored else None

    # Start

    def recover(self) -> None:
        """End parts that a crash left open: those without an HTLC were never sent. Once, at start, in a turn."""
        store = self._node.channels.store
        for part in self.store.pending():
            self._parts[part.id] = part
            htlc = store.htlc_of_payment(part.id)
            if htlc is None:
                failure = Failure(
                    code=int(FailureCode.TEMPORARY_CHANNEL_FAILURE),
                    index=0,
                    node=self._node.node_id,
                    message=int(FailureCode.TEMPORARY_CHANNEL_FAILURE).to_bytes(2, "big"),
                    detail="the node stopped before the payment was sent",
                )
                self._fail(part, failure)
            elif htlc.preimage is not None:
                self.part_fulfilled(htlc, htlc.preimage)
            elif is_dead(htlc.state):
                self.part_failed(htlc)

    def give_up(self, htlc: LiveHtlc, why: str) -> None:
        """The channel went on chain and this HTLC will not be paid. In a turn."""
        part = self._of(htlc)
        if part is not None:
            code = int(FailureCode.PERMANENT_CHANNEL_FAILURE)
            self._fail(part, refused_locally(part, code, why, self._node.node_id))
