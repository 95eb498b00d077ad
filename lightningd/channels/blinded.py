"""Received HTLCs inside blinded paths: what the path says, and what nobody may learn when they fail."""

from __future__ import annotations

from enum import Enum, auto
from hashlib import sha256
from typing import TYPE_CHECKING

from pylightningd.common.onion.blinding import BlindingError, Unblinded, unblind
from pylightningd.common.onion.instructions import must_hide_reason
from pylightningd.common.onion.payload import (
    ENCRYPTED_RECIPIENT_DATA,
    BadPayload,
    decode_hop_payload,
)
from pylightningd.common.onion.sphinx import BadOnion, peel
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import LiveHtlc

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

NO_SECRET = bytes(32)
"""Stands for the secret of an onion whose key is no point."""


class Hiding(Enum):
    """How an HTLC that fails may be failed."""

    NOTHING = auto()
    """With the reason."""
    AS_INTRODUCTION = auto()
    """We begin a blinded path: the payer may learn only that something behind us failed."""
    INSIDE = auto()
    """We are inside one: even that is said by the introduction point only."""


def hiding(htlc: LiveHtlc) -> Hiding:
    """What a failure of this received HTLC must hide: told from its row, so it holds after a restart too."""
    if htlc.path_key is not None:
        return Hiding.INSIDE
    if htlc.shared_secret is None or htlc.shared_secret == NO_SECRET:
        return Hiding.NOTHING
    try:
        peeled = peel(htlc.onion, htlc.shared_secret, htlc.payment_hash)
        payload = decode_hop_payload(peeled.payload)
    except (BadOnion, BadPayload):
        return Hiding.NOTHING
    if must_hide_reason(payload, None, is_final=peeled.is_final):
        return Hiding.AS_INTRODUCTION
    return Hiding.NOTHING


def blinding_failure(htlc: LiveHtlc) -> ow.InvalidOnionBlinding:
    """The one failure that a blinded path knows."""
    return ow.InvalidOnionBlinding(sha256_of_onion=sha256(htlc.onion).digest())


async def read_blinded(node: Node, path_key: bytes, encrypted: bytes | None) -> Unblinded:
    """Have hsmd do ECDH with the path key, and decrypt. Raises BadPayload."""
    reply = await node.hsm.ask(hw.HsmdEcdh(points=(path_key,)))
    try:
        return unblind(path_key, reply.secrets[0].reveal(), encrypted or b"")
    except BlindingError as why:
        raise BadPayload(str(why), ENCRYPTED_RECIPIENT_DATA) from None
