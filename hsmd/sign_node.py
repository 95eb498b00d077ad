"""What the node's own key does: ECDH, gossip, invoices, messages, BOLT 12."""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.bitcoin.hashes import sha256d, tagged_hash
from pylightningd.common.invoice.bolt12_keys import NODE_ALIAS_BASE, alias_tweak
from pylightningd.common.keys import (
    ecdh,
    schnorr_sign,
    secret_tweak_add,
    sign_compact,
    sign_recoverable,
)
from pylightningd.common.network import Network
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.permissions import Refusal

_NODE_ANNOUNCEMENT, _CHANNEL_UPDATE = 257, 258
_SIGNED_FROM = 2 + 64


def do_ecdh(node: NodeSecrets, msg: w.HsmdEcdh) -> w.HsmdEcdhReply:
    """The shared secret with each point."""
    key = node.node_key
    return w.HsmdEcdhReply(secrets=tuple([Secret(ecdh(key, point)) for point in msg.points]))


def sign_channel_announcement(
    node: NodeSecrets, network: Network, channel: Channel, msg: w.HsmdSignChannelAnnouncement
) -> w.HsmdSignChannelAnnouncementReply:
    """Both our signatures. Raises Refusal unless it announces this channel, on our chain.

    The funding key signs a hash of these bytes: they must not be the digest of a transaction in disguise.
    """
    body = msg.announcement
    start = 2 + int.from_bytes(body[:2], "big")
    keys = body[start + 40 :]
    if body[start : start + 32] != network.chain_hash or len(keys) != 4 * 33:
        raise Refusal("this is no channel_announcement for our chain")
    side = 0 if keys[:33] == node.node_id else 1
    expected = (node.node_id, channel.peer_id)
    found = (keys[33 * side : 33 * side + 33], keys[33 * (1 - side) : 33 * (1 - side) + 33])
    bitcoin_key = keys[66 + 33 * side : 99 + 33 * side]
    if found != expected or bitcoin_key != channel.points.funding_pubkey:
        raise Refusal("this channel_announcement is not for a channel of ours with this peer")
    digest = sha256d(body)
    return w.HsmdSignChannelAnnouncementReply(
        node_signature=sign_compact(node.node_key, digest),
        bitcoin_signature=sign_compact(channel.secrets.funding, digest),
    )


def sign_gossip(
    node: NodeSecrets, network: Network, msg: w.HsmdSignGossip
) -> w.HsmdSignGossipReply:
    """Put our signature into a channel_update or node_announcement. Raises Refusal for others' messages."""
    raw = msg.message
    signed = raw[_SIGNED_FROM:]
    kind = int.from_bytes(raw[:2], "big")
    if kind == _CHANNEL_UPDATE:
        if signed[:32] != network.chain_hash:
            raise Refusal("this channel_update is for another chain")
    elif kind == _NODE_ANNOUNCEMENT:
        start = 2 + int.from_bytes(signed[:2], "big") + 4
        if signed[start : start + 33] != node.node_id:
            raise Refusal("this node_announcement is for another node")
    else:
        raise Refusal(f"message type {kind} is not gossip that we sign")
    # BOLT 7, "The `channel_update` Message": the signature covers the double SHA256 of all that follows it.
    signature = sign_compact(node.node_key, sha256d(signed))
    return w.HsmdSignGossipReply(message=raw[:2] + signature + signed)


def sign_invoice(node: NodeSecrets, msg: w.HsmdSignInvoice) -> w.HsmdSignInvoiceReply:
    """BOLT 11 signature."""
    if not msg.hrp.startswith("ln"):
        raise Refusal(f"{msg.hrp!r} is not the beginning of an invoice")
    # BOLT 11, "Data Part", writer MUST sign SHA256 of the prefix as UTF-8 and the padded data part.
    digest = sha256(msg.hrp.encode() + msg.data).digest()
    return w.HsmdSignInvoiceReply(signature=_recoverable(node, digest))


def sign_message(node: NodeSecrets, msg: w.HsmdSignMessage) -> w.HsmdSignMessageReply:
    """The `signmessage` command: a fixed prefix keeps it apart from all else that we sign."""
    digest = sha256d(b"Lightning Signed Message:" + msg.message)
    return w.HsmdSignMessageReply(signature=_recoverable(node, digest))


def _recoverable(node: NodeSecrets, digest: bytes) -> bytes:
    signature, recovery_id = sign_recoverable(node.node_key, digest)
    return signature + bytes((recovery_id,))


_BOLT12_MESSAGES = frozenset({"invoice_request", "invoice"})


def sign_bolt12(node: NodeSecrets, msg: w.HsmdSignBolt12) -> w.HsmdSignBolt12Reply:
    """BOLT 12 signature of a request or an invoice; with a tweak, by the node's alias of that tweak.

    Raises Refusal for anything else: an alias pays, it never issues invoices.
    """
    if msg.messagename not in _BOLT12_MESSAGES or msg.fieldname != "signature":
        raise Refusal(f"{msg.messagename} {msg.fieldname} is nothing that we sign")
    if msg.public_tweak and msg.messagename != "invoice_request":
        raise Refusal(f"an {msg.messagename} is signed with the node's own key")
    # BOLT 12, "Signature Calculation": the tag is "lightning", the message's name and the field's.
    digest = tagged_hash(f"lightning{msg.messagename}{msg.fieldname}", msg.merkle_root)
    key = node.node_key
    if msg.public_tweak:
        base = node.derived_secret(NODE_ALIAS_BASE).reveal()
        key = secret_tweak_add(key, alias_tweak(base, msg.public_tweak))
    return w.HsmdSignBolt12Reply(signature=schnorr_sign(key, digest))
