"""Onion messages (BOLT 4): build one for a blinded path, and take one layer off.

Opening one needs two ECDH results from hsmd, in this order: `path_secret` with the message's path
key, then `onion_secret` with ``tweak_key(ephemeral_key(packet), path_secret)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pylightningd.common.errors import IgnorePeer, WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.blinding import BlindingError, make_blinded_path, unblind
from pylightningd.common.onion.crypto import HMAC_SIZE
from pylightningd.common.onion.payload import with_length
from pylightningd.common.onion.sphinx import (
    LARGE_MESSAGE_SIZE,
    ROUTING_SIZE,
    BadOnion,
    OnionTooLarge,
    make_onion,
    peel,
)
from pylightningd.common.wire.onion_wire import (
    BlindedPath,
    BlindedPathHop,
    EncryptedDataTlv,
    OnionmsgTlv,
)
from pylightningd.common.wire.tlv import read_bigsize

_PAYLOAD_FIELDS = ("invoice_request", "invoice", "invoice_error")


class BadOnionMessage(IgnorePeer):
    """An onion message to be dropped without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardMessage:
    """Send `packet` with `path_key` to a node, named by its id or by a channel between us."""

    next_node_id: NodeId | None
    short_channel_id: ShortChannelId | None
    path_key: bytes
    packet: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMessage:
    """It is for us. `path_id` is what we put into our blinded path, None where the sender made it."""

    tlvs: OnionmsgTlv
    path_id: bytes | None


def make_message_path(
    session_key: bytes, node_ids: Sequence[NodeId], path_id: bytes | None = None
) -> BlindedPath:
    """A blinded path through `node_ids`, each told the id of the next; `path_id` for the last."""
    hops = [EncryptedDataTlv(next_node_id=next_id).encode() for next_id in node_ids[1:]] + [
        EncryptedDataTlv(path_id=path_id).encode()
    ]
    return make_blinded_path(session_key, list(zip(node_ids, hops, strict=True)))[0]


def extend_path(session_key: bytes, node_ids: Sequence[NodeId], onward: BlindedPath) -> BlindedPath:
    """`onward` with our own blinded hops `node_ids` before it, the last of which hands over to it.

    `onward.first_node_id` must be a node id, not a `sciddir`.
    """
    entry = NodeId(onward.first_node_id)
    hops = [EncryptedDataTlv(next_node_id=next_id) for next_id in (*node_ids[1:], entry)]
    hops[-1] = replace(hops[-1], next_path_key_override=onward.first_path_key)
    data = [hop.encode() for hop in hops]
    before, _ = make_blinded_path(session_key, list(zip(node_ids, data, strict=True)))
    return replace(before, path=before.path + onward.path)


def make_onion_message(
    session_key: bytes, hops: Sequence[BlindedPathHop], content: OnionmsgTlv
) -> bytes:
    """The packet for the first hop of a blinded path, `content` for the last. Raises OnionTooLarge."""
    tlvs = [OnionmsgTlv(encrypted_recipient_data=hop.encrypted_recipient_data) for hop in hops]
    tlvs[-1] = replace(content, encrypted_recipient_data=hops[-1].encrypted_recipient_data)
    payloads = [with_length(tlv.encode()) for tlv in tlvs]
    needed = sum(len(payload) + HMAC_SIZE for payload in payloads)
    if needed > LARGE_MESSAGE_SIZE:
        raise OnionTooLarge(f"the message needs {needed} bytes, at most {LARGE_MESSAGE_SIZE}")
    # BOLT 4, "Onion Messages", writer: one of two sizes, and no associated data.
    size = ROUTING_SIZE if needed <= ROUTING_SIZE else LARGE_MESSAGE_SIZE
    keys = [hop.blinded_node_id for hop in hops]
    packet, _ = make_onion(session_key, list(zip(keys, payloads, strict=True)), b"", size)
    return packet


def open_onion_message(
    packet: bytes, path_key: bytes, path_secret: bytes, onion_secret: bytes
) -> ForwardMessage | FinalMessage:
    """Take our layer off. `packet` has passed `ephemeral_key`. Raises BadOnionMessage."""
    # BOLT 4, "Onion Messages", reader: ignore the message where it does not decrypt or has unknown even types.
    try:
        peeled = peel(packet, onion_secret, b"")
        _, start = read_bigsize(peeled.payload)
        tlvs = OnionmsgTlv.decode(peeled.payload[start:])
        if tlvs.encrypted_recipient_data is None:
            raise BadOnionMessage("no encrypted_recipient_data")
        unblinded = unblind(path_key, path_secret, tlvs.encrypted_recipient_data)
        data = EncryptedDataTlv.decode(unblinded.data)
    except (BadOnion, WireError, BlindingError) as error:
        raise BadOnionMessage(str(error)) from error
    if data.allowed_features is not None and any(data.allowed_features):
        raise BadOnionMessage("unknown bit in allowed_features")
    if peeled.next_packet is None:
        return _final(tlvs, data)
    return _forward(tlvs, data, peeled.next_packet, unblinded.next_path_key)


def _forward(
    tlvs: OnionmsgTlv, data: EncryptedDataTlv, packet: bytes, next_path_key: bytes
) -> ForwardMessage:
    # BOLT 4, "Onion Messages", reader that is not the last: no other field, no path_id, a next peer.
    if tlvs != OnionmsgTlv(encrypted_recipient_data=tlvs.encrypted_recipient_data):
        raise BadOnionMessage("a field beside encrypted_recipient_data for a node in the middle")
    if data.path_id is not None:
        raise BadOnionMessage("a path_id for a node in the middle")
    if data.next_node_id is None and data.short_channel_id is None:
        raise BadOnionMessage("no next hop")
    return ForwardMessage(
        next_node_id=data.next_node_id,
        short_channel_id=None if data.next_node_id is not None else data.short_channel_id,
        path_key=data.next_path_key_override or next_path_key,
        packet=packet,
    )


def _final(tlvs: OnionmsgTlv, data: EncryptedDataTlv) -> FinalMessage:
    # BOLT 4, "Onion Messages", final reader: at most one payload field.
    known = sum(getattr(tlvs, name) is not None for name in _PAYLOAD_FIELDS)
    others = sum(kind >= 64 for kind, _ in tlvs.unknown)
    if known + others > 1:
        raise BadOnionMessage("more than one payload field")
    return FinalMessage(tlvs=tlvs, path_id=data.path_id)
