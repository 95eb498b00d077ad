"""Onion messages as bytes and as the hooks' JSON. Pure: keys are handed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pylightningd.common.entropy import Entropy
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import is_secret_key
from pylightningd.common.onion.onion_message import (
    extend_path,
    make_message_path,
    make_onion_message,
)
from pylightningd.common.wire.onion_wire import BlindedPath, BlindedPathHop, OnionmsgTlv

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What `injectonionmessage` takes."""

    path_key: bytes
    packet: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """An onion message that came to us, as a hook tells it."""

    path_secret: bytes | None
    reply_path: BlindedPath | None
    invoice_request: bytes | None
    invoice: bytes | None
    invoice_error: bytes | None


def session_key(entropy: Entropy) -> bytes:
    """A fresh private key."""
    while True:
        raw = entropy.take(32)
        if is_secret_key(raw):
            return raw


def seal(
    entropy: Entropy, way: list[NodeId], onward: BlindedPath | None, content: OnionmsgTlv
) -> Sealed:
    """A message over `way` (from us) and, where its last node only is the door to one, on over `onward`.

    Raises OnionTooLarge.
    """
    # BOLT 4, "The `onion_message` Message": all of the way is blinded, the part that we made as well.
    if onward is None:
        path = make_message_path(session_key(entropy), way)
    elif len(way) == 1:
        path = onward
    else:
        door = replace(onward, first_node_id=way[-1])
        path = extend_path(session_key(entropy), way[:-1], door)
    packet = make_onion_message(session_key(entropy), path.path, content)
    return Sealed(path.first_path_key, packet)


def reply_path(
    entropy: Entropy, way: list[NodeId], secret: bytes, *, neighbour_is_public: bool
) -> BlindedPath:
    """The way back to us of an answer that came over `way`; `secret` is how we know it again.

    The answering node finds the neighbour before it on the way by itself if the network knows that one.
    """
    start = len(way) - (2 if neighbour_is_public and len(way) > 1 else 1)
    return make_message_path(session_key(entropy), way[start::-1], secret)


def entrance(our_secret: bytes, entropy: Entropy, peer: NodeId, our_id: NodeId) -> BlindedPath:
    """A path to us through one peer, to be published."""
    return make_message_path(session_key(entropy), [peer, our_id], our_secret)


def read_letter(message: Json) -> Letter:
    """The `onion_message` of a hook."""

    def raw(name: str) -> bytes | None:
        return bytes.fromhex(message[name]) if name in message else None

    path = message.get("reply_blindedpath")
    return Letter(
        path_secret=raw("pathsecret"),
        reply_path=None if path is None else _read_path(path),
        invoice_request=raw("invoice_request"),
        invoice=raw("invoice"),
        invoice_error=raw("invoice_error"),
    )


def _read_path(shown: Json) -> BlindedPath:
    if "first_node_id" in shown:
        first = bytes.fromhex(shown["first_node_id"])
    else:
        scid = int(ShortChannelId.from_str(shown["first_scid"]))
        first = bytes((shown["first_scid_dir"],)) + scid.to_bytes(8, "big")
    hops = tuple(
        BlindedPathHop(
            blinded_node_id=bytes.fromhex(hop["blinded_node_id"]),
            encrypted_recipient_data=bytes.fromhex(hop["encrypted_recipient_data"]),
        )
        for hop in shown["hops"]
    )
    return BlindedPath(
        first_node_id=first, first_path_key=bytes.fromhex(shown["first_path_key"]), path=hops
    )
