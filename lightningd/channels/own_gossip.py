"""The gossip messages about ourselves, as values: built, compared, checked. No signing here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pylightningd.common.address import AddressError, parse_address
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import BadSignature, InvalidKey, verify_compact
from pylightningd.common.wire.peer_wire import (
    AnnouncementSignatures,
    ChannelAnnouncement,
    ChannelUpdate,
    NodeAnnouncement,
)
from pylightningd.lightningd.channels.channel import Channel

ANNOUNCE_DEPTH = 6
REFRESH_SECONDS = 13 * 24 * 3600
MUST_BE_ONE, DONT_FORWARD = 1, 2
DIRECTION, DISABLED = 1, 2
NO_SIGNATURE = bytes(64)
_ANNOUNCEMENT_SIGNED_FROM = 2 + 4 * 64
_SIGNED_FROM = 2 + 64
_UPDATE_HEAD = 2 + 64
_ORDER = {"ipv4": 1, "ipv6": 2, "torv3": 4, "dns": 5}


# ---- channel_announcement -----------------------------------------------------------------------


def make_announcement(
    channel: Channel, our_id: NodeId, chain_hash: bytes, features: bytes
) -> ChannelAnnouncement:
    """Without signatures. The channel must have its short_channel_id."""
    if channel.short_channel_id is None:
        raise ValueError("a channel without short_channel_id cannot be announced")
    ours = (our_id, channel.static.local_basepoints.funding_pubkey)
    theirs = (channel.peer_id, channel.static.remote_basepoints.funding_pubkey)
    # BOLT 7, "The `channel_announcement` Message": node_id_1 is the lesser one, its bitcoin key goes with it.
    first, second = (ours, theirs) if we_are_first(our_id, channel) else (theirs, ours)
    return ChannelAnnouncement(
        node_signature_1=NO_SIGNATURE,
        node_signature_2=NO_SIGNATURE,
        bitcoin_signature_1=NO_SIGNATURE,
        bitcoin_signature_2=NO_SIGNATURE,
        features=features,
        chain_hash=chain_hash,
        short_channel_id=channel.short_channel_id,
        node_id_1=first[0],
        node_id_2=second[0],
        bitcoin_key_1=first[1],
        bitcoin_key_2=second[1],
    )


def we_are_first(our_id: NodeId, channel: Channel) -> bool:
    """Whether we are node_1 of the channel."""
    return our_id < channel.peer_id


def signed_part(announcement: ChannelAnnouncement) -> bytes:
    """What the four signatures are of."""
    return announcement.encode()[_ANNOUNCEMENT_SIGNED_FROM:]


def with_signatures(
    announcement: ChannelAnnouncement,
    ours: tuple[bytes, bytes],
    theirs: tuple[bytes, bytes],
    *,
    first: bool,
) -> bytes:
    """The whole message; pairs are (node, bitcoin) signatures, `first` whether we are node_1."""
    one, two = (ours, theirs) if first else (theirs, ours)
    return replace(
        announcement,
        node_signature_1=one[0],
        node_signature_2=two[0],
        bitcoin_signature_1=one[1],
        bitcoin_signature_2=two[1],
    ).encode()


def verify_their_signatures(
    channel: Channel, announcement: ChannelAnnouncement, sigs: tuple[bytes, bytes]
) -> None:
    """Check the peer's (node, bitcoin) signatures. Raises BadSignature or InvalidKey."""
    digest = sha256d(signed_part(announcement))
    verify_compact(channel.peer_id, digest, sigs[0])
    verify_compact(channel.static.remote_basepoints.funding_pubkey, digest, sigs[1])


def make_announcement_signatures(
    channel: Channel, scid: ShortChannelId, ours: tuple[bytes, bytes]
) -> bytes:
    """For the peer."""
    return AnnouncementSignatures(
        channel_id=channel.channel_id,
        short_channel_id=scid,
        node_signature=ours[0],
        bitcoin_signature=ours[1],
    ).encode()


# ---- channel_update -----------------------------------------------------------------------------


def update_scid(channel: Channel) -> ShortChannelId | None:
    """How our channel_update names the channel; None while it has no name that may be used."""
    # BOLT 7, "The `channel_update` Message": the alias that the peer gave, where the real one must not be known;
    # an unannounced channel may use either.
    if channel.channel_type.has_scid_alias:
        return channel.remote_alias
    if channel.announce:
        return channel.short_channel_id or channel.remote_alias
    return channel.remote_alias or channel.short_channel_id


def make_update(
    channel: Channel, our_id: NodeId, chain_hash: bytes, *, disabled: bool
) -> ChannelUpdate | None:
    """What our update should say, without signature and time; None while there is no name for the channel."""
    scid = update_scid(channel)
    if scid is None:
        return None
    policy = channel.policy
    # BOLT 7, "The `channel_update` Message": dont_forward for what is not to be announced; the low bit of
    # channel_flags tells the direction.
    return ChannelUpdate(
        signature=NO_SIGNATURE,
        chain_hash=chain_hash,
        short_channel_id=scid,
        timestamp=0,
        message_flags=MUST_BE_ONE | (0 if channel.announce else DONT_FORWARD),
        channel_flags=(0 if we_are_first(our_id, channel) else DIRECTION)
        | (DISABLED if disabled else 0),
        cltv_expiry_delta=policy.cltv_expiry_delta,
        htlc_minimum_msat=policy.htlc_minimum.msat,
        fee_base_msat=policy.fee_base_msat,
        fee_proportional_millionths=policy.fee_proportional_millionths,
        htlc_maximum_msat=min(policy.htlc_maximum, channel.capacity.to_msat()).msat,
    )


def update_timestamp(raw: bytes) -> int:
    """Of an encoded channel_update; 0 where there is none."""
    return int.from_bytes(raw[106:110], "big")


def says_the_same(raw: bytes, wanted: ChannelUpdate) -> bool:
    """Whether an encoded channel_update differs from `wanted` in nothing but signature and time."""
    other = wanted.encode()
    return raw[66:106] == other[66:106] and raw[110:] == other[110:]


def read_peers_update(raw: bytes, channel: Channel, our_id: NodeId) -> ChannelUpdate | None:
    """The peer's channel_update for its direction of a channel; None where it is anything else."""
    try:
        msg = ChannelUpdate.decode(raw)
    except WireError:
        return None
    if bool(msg.channel_flags & DIRECTION) != we_are_first(our_id, channel):
        return None
    try:
        verify_compact(channel.peer_id, sha256d(raw[_SIGNED_FROM:]), msg.signature)
    except (BadSignature, InvalidKey):
        return None
    return msg


# ---- node_announcement --------------------------------------------------------------------------


def make_node_announcement(
    our_id: NodeId, alias: str, rgb: bytes, features: bytes, addresses: Sequence[str], port: int
) -> NodeAnnouncement:
    """Without signature and time. Addresses that cannot be announced are left out."""
    found = {}
    for text in addresses:
        try:
            address = parse_address(text, port)
        except AddressError:
            continue
        found[address.encode()] = _ORDER[address.kind]
    # BOLT 7, "The `node_announcement` Message": descriptors in ascending order of their types.
    ordered = sorted(found, key=lambda raw: found[raw])
    return NodeAnnouncement(
        signature=NO_SIGNATURE,
        features=features,
        timestamp=0,
        node_id=our_id,
        rgb_color=rgb,
        alias=alias.encode()[:32].ljust(32, b"\0"),
        addresses=b"".join(ordered),
    )


def same_node(raw: bytes, wanted: NodeAnnouncement) -> bool:
    """Whether an encoded node_announcement differs from `wanted` in nothing but signature and time."""
    try:
        known = NodeAnnouncement.decode(raw)
    except WireError:
        return False
    return replace(known, signature=NO_SIGNATURE, timestamp=0) == wanted


def node_timestamp(raw: bytes) -> int:
    """Of an encoded node_announcement; 0 where there is none."""
    if not raw:
        return 0
    return NodeAnnouncement.decode(raw).timestamp
