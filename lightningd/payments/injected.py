"""injectpaymentonion: an onion whose first hop is ourselves, opened and sent on as if it had come from a peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.onion.failure import make_failure, obfuscate
from pylightningd.common.onion.instructions import (
    Final,
    Forward,
    path_key_of,
    read_instructions,
)
from pylightningd.common.onion.payload import BadPayload, decode_hop_payload
from pylightningd.common.onion.sphinx import BadOnion, Peeled, ephemeral_key, peel
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.blinded import read_blinded
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.forward_rules import MAX_CLTV_BLOCKS
from pylightningd.lightningd.db.payments_io import Part, PaymentStatus
from pylightningd.lightningd.payments.outgoing import LEAST_BLOCKS
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    PAY_DESTINATION_PERM_FAIL,
    PAY_INJECTPAYMENTONION_ALREADY_PAID,
    PAY_INJECTPAYMENTONION_FAILED,
    PAY_RHASH_ALREADY_USED,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@dataclass(frozen=True, slots=True)
class Opened:
    """Our layer of the onion."""

    said: Forward | Final
    peeled: Peeled
    shared_secret: bytes


async def open_onion(
    node: Node, onion: bytes, payment_hash: bytes, amount: Msat, cltv_expiry: int
) -> Opened:
    """Do what a hop does with an onion. Raises UserError."""
    try:
        reply = await node.hsm.ask(hw.HsmdEcdh(points=(ephemeral_key(onion),)))
        shared_secret: bytes = reply.secrets[0].reveal()
        peeled = peel(onion, shared_secret, payment_hash)
    except BadOnion as why:
        raise _bad(f"Could not process onion: {why}") from None
    try:
        payload = decode_hop_payload(peeled.payload)
        path_key = path_key_of(payload, None)
        unblinded = None
        if path_key is not None:
            unblinded = await read_blinded(node, path_key, payload.encrypted_recipient_data)
        said = read_instructions(
            payload,
            is_final=peeled.is_final,
            amount=amount,
            cltv_expiry=cltv_expiry,
            unblinded=unblinded,
        )
    except BadPayload as why:
        raise _bad(
            f"Onion decode for {peeled.payload.hex()} failed at type {why.tlv_type} offset {why.offset} ({why})"
        ) from None
    return Opened(said, peeled, shared_secret)


async def send_opened(node: Node, opened: Opened, part: Part, cltv_expiry: int) -> Part:
    """Send the rest of it on and wait for the end. Raises UserError."""
    said = opened.said

    def send() -> Part:
        if isinstance(said, Final):
            secret = said.payment_secret if said.path_id is None else said.path_id
            part.total = said.total_msat
            return node.payments.send_to_self(part, secret)
        channel = _channel(node, said)
        _check(channel, said.amt_to_forward)
        _check_expiry(node, cltv_expiry, 1)
        _check_expiry(node, said.outgoing_cltv_value, LEAST_BLOCKS)
        return node.payments.send_inner(
            channel,
            part,
            opened.peeled.next_packet or b"",
            said.outgoing_cltv_value,
            said.next_path_key,
        )

    try:
        sent = await node.turn.do(send)
    except UserError as error:
        if error.code == PAY_RHASH_ALREADY_USED:
            raise _already_paid() from None
        if error.code == PAY_DESTINATION_PERM_FAIL:
            unknown = ow.IncorrectOrUnknownPaymentDetails(
                htlc_msat=said.amt_to_forward, height=node.chain.height
            )
            raise _failed(error, make_failure(opened.shared_secret, unknown.encode())) from None
        raise
    if sent is not part:
        if sent.status is PaymentStatus.COMPLETE:
            raise _already_paid()
        raise _bad("This part is on its way already")
    try:
        return await node.payments.wait(part.payment_hash, part.partid, part.groupid)
    except UserError as error:
        raise _failed(error, _reply(opened.shared_secret, part)) from None


def _reply(shared_secret: bytes, part: Part) -> bytes:
    """The failure as whoever made the onion can read it: wrapped by us, the first hop."""
    failure = part.failure
    if failure is not None and failure.onion is not None:
        return obfuscate(shared_secret, failure.onion)
    message = b"" if failure is None else failure.message
    return make_failure(
        shared_secret, message or ow.TemporaryChannelFailure(channel_update=b"").encode()
    )


def _failed(error: UserError, reply: bytes) -> UserError:
    return UserError(PAY_INJECTPAYMENTONION_FAILED, error.message, {"onionreply": reply.hex()})


def _already_paid() -> UserError:
    return UserError(PAY_INJECTPAYMENTONION_ALREADY_PAID, "Already paid this invoice")


def _channel(node: Node, said: Forward) -> Channel:
    if said.short_channel_id is not None:
        channel = node.channels.by_scid(said.short_channel_id)
        if channel is None:
            raise _bad(f"Unknown scid {said.short_channel_id}")
        if not channel.is_ready():
            raise _bad(f"channel {said.short_channel_id} in state {channel.state.name}")
        return channel
    peer = said.next_node_id
    channel = None if peer is None else node.channels.best_with(peer)
    if channel is None or not channel.is_ready():
        raise _bad(f"No available channel with peer {(peer or b'').hex()}")
    return channel


def _check(channel: Channel, amount: Msat) -> None:
    least, most = channel.policy.htlc_minimum, channel.policy.htlc_maximum
    if not least <= amount <= most:
        raise _bad(f"Amount {amount} not in htlc min/max range {least}-{most}")


def _check_expiry(node: Node, cltv_expiry: int, least_blocks: int) -> None:
    """Of the HTLC that the caller says we got, or of the one that goes out."""
    height = node.chain.height
    if cltv_expiry < height + least_blocks:
        raise _bad(f"Expiry cltv {cltv_expiry} too close to current {height}")
    if cltv_expiry > height + MAX_CLTV_BLOCKS:
        raise _bad(
            f"Expiry cltv {cltv_expiry} too far from current {height} + max {MAX_CLTV_BLOCKS}"
        )


def _bad(text: str) -> UserError:
    return UserError(JSONRPC2_INVALID_PARAMS, text)
