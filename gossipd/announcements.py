"""Reading and checking single gossip messages (BOLT 7). Whether they fit the graph is decided in `intake.py`.

`read_*` checks shape and plain rules and is cheap; `verify_*` checks signatures (some 50 µs each).
"""

from __future__ import annotations

from typing import TypeVar

import google_crc32c

from pylightningd.common.address import read_addresses
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.errors import WireError
from pylightningd.common.features import first_unsupported
from pylightningd.common.keys import BadSignature, InvalidKey, verify_compact
from pylightningd.common.wire.peer_wire import (
    ChannelAnnouncement,
    ChannelUpdate,
    NodeAnnouncement,
)

M = TypeVar("M", ChannelAnnouncement, ChannelUpdate, NodeAnnouncement)

CHANNEL_ANNOUNCEMENT, NODE_ANNOUNCEMENT, CHANNEL_UPDATE = 256, 257, 258
GOSSIP_TYPES = frozenset({CHANNEL_ANNOUNCEMENT, NODE_ANNOUNCEMENT, CHANNEL_UPDATE})

MUST_BE_ONE, DONT_FORWARD = 1, 2
"""Bits of channel_update's message_flags."""
DIRECTION, DISABLE = 1, 2
"""Bits of channel_update's channel_flags."""

_SIGNED_FROM_CHANNEL = 2 + 4 * 64
_SIGNED_FROM_ONE = 2 + 64
MAX_FUTURE_SECONDS = 24 * 3600
STALE_SECONDS = 14 * 24 * 3600


class BadGossip(Exception):
    """The sender broke a rule: it gets a warning with this text."""


class IgnoredGossip(Exception):
    """Nothing wrong with the sender, but of no use to us; the text says why."""


def read_channel_announcement(raw: bytes, chain_hash: bytes) -> ChannelAnnouncement:
    """Raises BadGossip, IgnoredGossip."""
    msg = _decode(ChannelAnnouncement, raw)
    # BOLT 7, "The `channel_announcement` Message", receiver MUST ignore other chains and unknown even features.
    if msg.chain_hash != chain_hash:
        raise IgnoredGossip("channel_announcement: for another chain")
    unknown = first_unsupported(b"", msg.features)
    if unknown is not None:
        raise IgnoredGossip(f"channel_announcement: unknown feature {unknown}")
    if msg.node_id_1 >= msg.node_id_2:
        raise BadGossip(
            "node_id_1 must be the lesser node id!"
            f" 1={msg.node_id_1.hex()}, 2={msg.node_id_2.hex()}"
        )
    return msg


def verify_channel_announcement(msg: ChannelAnnouncement, raw: bytes) -> None:
    """Check the four signatures. Raises BadGossip."""
    # BOLT 7, "The `channel_announcement` Message": all four sign the double SHA256 of what follows them.
    digest = sha256d(raw[_SIGNED_FROM_CHANNEL:])
    for name, key, signature in (
        ("node_signature_1", msg.node_id_1, msg.node_signature_1),
        ("node_signature_2", msg.node_id_2, msg.node_signature_2),
        ("bitcoin_signature_1", msg.bitcoin_key_1, msg.bitcoin_signature_1),
        ("bitcoin_signature_2", msg.bitcoin_key_2, msg.bitcoin_signature_2),
    ):
        _verify(f"channel_announcement {msg.short_channel_id}: {name}", key, digest, signature)


def read_channel_update(
    raw: bytes, chain_hash: bytes, now: float, stale_seconds: int = STALE_SECONDS
) -> ChannelUpdate:
    """Raises BadGossip, IgnoredGossip. `now` in seconds since 1970."""
    msg = _decode(ChannelUpdate, raw)
    # BOLT 7, "The `channel_update` Message", receiver MUST ignore other chains, SHOULD ignore far-off timestamps.
    if msg.chain_hash != chain_hash:
        raise IgnoredGossip("channel_update: for another chain")
    _check_timestamp("channel_update", msg.timestamp, now, stale_seconds)
    return msg


def verify_channel_update(msg: ChannelUpdate, raw: bytes, node_id: bytes) -> None:
    """Check the signature of the node whose direction it is. Raises BadGossip."""
    digest = sha256d(raw[_SIGNED_FROM_ONE:])
    _verify(f"channel_update {scid_direction(msg)}", node_id, digest, msg.signature)


def read_node_announcement(raw: bytes, now: float) -> NodeAnnouncement:
    """Raises BadGossip, IgnoredGossip."""
    msg = _decode(NodeAnnouncement, raw)
    _check_future("node_announcement", msg.timestamp, now)
    try:
        # BOLT 7, "The `node_announcement` Message", receiver SHOULD warn where addrlen cuts a known descriptor.
        read_addresses(msg.addresses)
    except WireError as err:
        raise BadGossip(f"node_announcement: malformed wireaddrs: {err}") from None
    return msg


def verify_node_announcement(msg: NodeAnnouncement, raw: bytes) -> None:
    """Check its signature. Raises BadGossip."""
    digest = sha256d(raw[_SIGNED_FROM_ONE:])
    _verify(f"node_announcement {msg.node_id.hex()}", msg.node_id, digest, msg.signature)


def update_checksum(raw: bytes) -> int:
    """The checksum of a channel_update in query_channel_range."""
    # BOLT 7, "The `query_channel_range` and `reply_channel_range` Messages": CRC32C without signature and timestamp.
    without_timestamp = raw[66:106] + raw[110:]
    return int(google_crc32c.extend(0, without_timestamp))


def scid_direction(msg: ChannelUpdate) -> str:
    """``103x1x0/1``."""
    return f"{msg.short_channel_id}/{msg.channel_flags & DIRECTION}"


def _decode(cls: type[M], raw: bytes) -> M:
    try:
        return cls.decode(raw)
    except WireError as err:
        raise BadGossip(f"Malformed {cls.NAME}: {err}") from None


def _check_future(what: str, timestamp: int, now: float) -> None:
    if timestamp > now + MAX_FUTURE_SECONDS:
        raise IgnoredGossip(f"{what}: timestamp {timestamp} is in the future")


def _check_timestamp(what: str, timestamp: int, now: float, stale_seconds: int) -> None:
    _check_future(what, timestamp, now)
    # BOLT 7, "Pruning the Network View": older than two weeks is not to be kept.
    if timestamp < now - stale_seconds:
        raise IgnoredGossip(f"{what}: timestamp {timestamp} is too old")


def _verify(what: str, key: bytes, digest: bytes, signature: bytes) -> None:
    try:
        verify_compact(key, digest, signature)
    except (BadSignature, InvalidKey) as err:
        raise BadGossip(f"Bad signature on {what}: {err}") from None
