"""BOLT 7's queries: reading them, answering from the graph, and making our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.wire.peer_wire import (
    ChannelUpdateChecksums,
    QueryChannelRange,
    QueryChannelRangeTlvs,
    QueryShortChannelIds,
    QueryShortChannelIdsQueryFlags,
    QueryShortChannelIdsTlvs,
    ReplyChannelRange,
    ReplyChannelRangeTimestampsTlv,
    ReplyChannelRangeTlvs,
    ReplyShortChannelIdsEnd,
)
from pylightningd.common.wire.tlv import read_bigsize
from pylightningd.gossipd.announcements import BadGossip, update_checksum
from pylightningd.gossipd.graph import Graph

UNCOMPRESSED = 0
WANT_TIMESTAMPS, WANT_CHECKSUMS = 1, 2
WANT_CHANNEL, WANT_UPDATE_1, WANT_UPDATE_2, WANT_NODE_1, WANT_NODE_2 = 1, 2, 4, 8, 16
WANT_ALL = 31
MAX_SCIDS_A_QUERY = 2000
MAX_SCIDS_A_REPLY = 2600
"""So that scids, timestamps and checksums (24 bytes) fit a message of 65535 bytes."""
ALL_BLOCKS = 0xFFFFFFFF


# ---- arrays -------------------------------------------------------------------------------------


def encode_scids(scids: Sequence[int]) -> bytes:
    """`encoded_short_ids`; the scids must ascend."""
    return bytes((UNCOMPRESSED,)) + b"".join([s.to_bytes(8, "big") for s in scids])


def decode_scids(encoded: bytes) -> list[ShortChannelId]:
    """Raises BadGossip."""
    body = _body(encoded, "short_channel_ids")
    if len(body) % 8:
        raise BadGossip(f"Bad query: {len(body)} bytes are not a whole number of short_channel_ids")
    return [ShortChannelId(int.from_bytes(body[i : i + 8], "big")) for i in range(0, len(body), 8)]


def decode_timestamps(tlv: ReplyChannelRangeTimestampsTlv) -> list[tuple[int, int]]:
    """Pairs for node_1 and node_2. Raises BadGossip."""
    if tlv.encoding_type != UNCOMPRESSED:
        raise BadGossip(f"Unknown encoding {tlv.encoding_type} of timestamps")
    body = tlv.encoded_timestamps
    if len(body) % 8:
        raise BadGossip(f"Bad reply: {len(body)} bytes are not a whole number of timestamps")
    return [
        (int.from_bytes(body[i : i + 4], "big"), int.from_bytes(body[i + 4 : i + 8], "big"))
        for i in range(0, len(body), 8)
    ]


def encode_timestamps(pairs: Sequence[tuple[int, int]]) -> ReplyChannelRangeTimestampsTlv:
    """Reads back with `decode_timestamps`."""
    body = b"".join([a.to_bytes(4, "big") + b.to_bytes(4, "big") for a, b in pairs])
    return ReplyChannelRangeTimestampsTlv(encoding_type=UNCOMPRESSED, encoded_timestamps=body)


def decode_flags(tlv: QueryShortChannelIdsQueryFlags, count: int) -> list[int]:
    """One flag for each scid. Raises BadGossip."""
    if tlv.encoding_type != UNCOMPRESSED:
        raise BadGossip(f"Unknown encoding {tlv.encoding_type} of query flags")
    flags: list[int] = []
    pos = 0
    try:
        while pos < len(tlv.encoded_query_flags):
            flag, pos = read_bigsize(tlv.encoded_query_flags, pos)
            flags.append(flag)
    except (WireError, IndexError) as err:
        raise BadGossip(f"Bad query flags: {err}") from None
    if len(flags) != count:
        raise BadGossip(f"Bad query: {len(flags)} flags for {count} short_channel_ids")
    return flags


def _body(encoded: bytes, what: str) -> bytes:
    # BOLT 7, "Query Messages": zlib is no longer allowed, so anything but 0 is unknown.
    if not encoded or encoded[0] != UNCOMPRESSED:
        kind = encoded[0] if encoded else "none"
        raise BadGossip(f"Unknown encoding {kind} of {what}")
    return encoded[1:]


# ---- answering ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScidQuery:
    """A checked query_short_channel_ids."""

    scids: list[ShortChannelId]
    flags: list[int]


def read_scid_query(msg: QueryShortChannelIds) -> ScidQuery:
    """Raises BadGossip."""
    scids = decode_scids(msg.encoded_short_ids)
    tlv = msg.tlvs.query_flags
    flags = [WANT_ALL] * len(scids) if tlv is None else decode_flags(tlv, len(scids))
    return ScidQuery(scids, flags)


def answer_scids(graph: Graph, query: ScidQuery, chain_hash: bytes) -> Iterator[bytes]:
    """What a query_short_channel_ids asks for, as it is when each message is taken."""
    # BOLT 7, "The `query_short_channel_ids`/`reply_short_channel_ids_end` Messages", receiver: announcement
    # and updates as the flags say, then the nodes (each once), then the end.
    nodes: dict[NodeId, None] = {}
    for scid, flags in zip(query.scids, query.flags, strict=True):
        channel = graph.get(scid)
        if channel is None:
            continue
        yield from graph.messages(scid, flags)
        if flags & WANT_NODE_1:
            nodes[channel.node_1] = None
        if flags & WANT_NODE_2:
            nodes[channel.node_2] = None
    for node_id in nodes:
        raw = graph.node_message(node_id)
        if raw is not None:
            yield raw
    yield ReplyShortChannelIdsEnd(chain_hash=chain_hash, full_information=1).encode()


def answer_range(graph: Graph, msg: QueryChannelRange) -> Iterator[bytes]:
    """The replies to a query_channel_range."""
    first, count = msg.first_blocknum, msg.number_of_blocks
    end = min(first + count, 1 << 32)
    scids = graph.scids(min(first, 1 << 24), min(end, 1 << 24))
    options = msg.tlvs.query_option or 0
    chunks = list(_chunks(scids)) or [[]]
    at = first
    for n, chunk in enumerate(chunks):
        final = n == len(chunks) - 1
        # BOLT 7, "The `query_channel_range` and `reply_channel_range` Messages", receiver: replies ascend and
        # together cover what was asked; the last one says so.
        reach = end if final else max(ShortChannelId(chunk[-1]).block, at) + 1
        reach = max(reach, at + 1)
        yield ReplyChannelRange(
            chain_hash=msg.chain_hash,
            first_blocknum=at,
            number_of_blocks=min(reach - at, 0xFFFFFFFF),
            sync_complete=int(final),
            encoded_short_ids=encode_scids(chunk),
            tlvs=_extras(graph, chunk, options),
        ).encode()
        if not final:
            # The next may begin in the same block, where a block's channels are split.
            at = min(reach, ShortChannelId(chunks[n + 1][0]).block)


def _chunks(scids: list[int]) -> Iterator[list[int]]:
    for i in range(0, len(scids), MAX_SCIDS_A_REPLY):
        yield scids[i : i + MAX_SCIDS_A_REPLY]


def _extras(graph: Graph, scids: list[int], options: int) -> ReplyChannelRangeTlvs:
    entries = [graph.channels[s] for s in scids]
    timestamps = checksums = None
    if options & WANT_TIMESTAMPS:
        timestamps = encode_timestamps(
            [tuple(u.timestamp if u else 0 for u in e.updates) for e in entries]  # type: ignore[misc]  # always two
        )
    if options & WANT_CHECKSUMS:
        sums = [
            [update_checksum(graph.store.read(u.offset)) if u else 0 for u in e.updates]
            for e in entries
        ]
        checksums = tuple(
            ChannelUpdateChecksums(checksum_node_id_1=a, checksum_node_id_2=b) for a, b in sums
        )
    return ReplyChannelRangeTlvs(timestamps_tlv=timestamps, checksums_tlv=checksums)


# ---- asking -------------------------------------------------------------------------------------


def make_scid_query(chain_hash: bytes, wanted: dict[int, int], *, extended: bool) -> bytes:
    """Ask for channels; the values are query flags, sent only if the peer knows them."""
    scids = sorted(wanted)
    flags = None
    if extended:
        body = bytes([wanted[s] for s in scids])
        flags = QueryShortChannelIdsQueryFlags(encoding_type=UNCOMPRESSED, encoded_query_flags=body)
    return QueryShortChannelIds(
        chain_hash=chain_hash,
        encoded_short_ids=encode_scids(scids),
        tlvs=QueryShortChannelIdsTlvs(query_flags=flags),
    ).encode()


def make_range_query(chain_hash: bytes, *, extended: bool) -> bytes:
    """Ask for all channels there are, with the age of their updates if the peer can tell."""
    return QueryChannelRange(
        chain_hash=chain_hash,
        first_blocknum=0,
        number_of_blocks=ALL_BLOCKS,
        tlvs=QueryChannelRangeTlvs(query_option=WANT_TIMESTAMPS if extended else None),
    ).encode()
