"""BOLT 7's extended queries: vectors, and answers for any graph."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire import peer_wire as pw
from pylightningd.gossipd import queries as q
from pylightningd.gossipd.announcements import BadGossip
from pylightningd.gossipd.graph import ChannelEntry, Graph, Update
from pylightningd.gossipd.store import MemoryStore
from tests.gossipd import world as w

CHAIN = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"

# BOLT 7's extended-queries.json: the uncompressed cases. type, first block, blocks, scids, timestamps, checksums.
RANGE_QUERIES = [
    (f"0107{CHAIN}000186a0000005dc", 100000, 1500, None),
    (f"0107{CHAIN}000088b800000064010103", 35000, 100, 3),
]
RANGE_REPLIES = [
    (
        f"0108{CHAIN}000b8a06000005dc01001900000000000000008e0000000000003c69000000000045a6c4",
        ["0x0x142", "0x0x15465", "0x69x42692"],
        None,
        None,
    ),
    (
        f"0108{CHAIN}0001ddde000005dc01001900000000000000304300000000000778d6000000000046e1c1"
        "011900000282c1000e77c5000778ad00490ab00000b57800955bff"
        "031800000457000008ae00000d050000115c000015b300001a0a",
        ["0x0x12355", "0x7x30934", "0x70x57793"],
        [(164545, 948165), (489645, 4786864), (46456, 9788415)],
        [(1111, 2222), (3333, 4444), (5555, 6666)],
    ),
]


@pytest.mark.parametrize(("raw", "first", "count", "option"), RANGE_QUERIES)
def test_range_query_vectors(raw: str, first: int, count: int, option: int | None) -> None:
    msg = pw.QueryChannelRange.decode(bytes.fromhex(raw))
    assert (msg.first_blocknum, msg.number_of_blocks) == (first, count)
    assert msg.tlvs.query_option == option
    assert msg.encode().hex() == raw


@pytest.mark.parametrize(("raw", "scids", "stamps", "sums"), RANGE_REPLIES)
def test_range_reply_vectors(
    raw: str,
    scids: list[str],
    stamps: list[tuple[int, int]] | None,
    sums: list[tuple[int, int]] | None,
) -> None:
    msg = pw.ReplyChannelRange.decode(bytes.fromhex(raw))
    found = q.decode_scids(msg.encoded_short_ids)
    assert [str(s) for s in found] == scids
    assert q.encode_scids(found) == msg.encoded_short_ids
    if stamps is not None:
        assert msg.tlvs.timestamps_tlv is not None and msg.tlvs.checksums_tlv is not None
        assert q.decode_timestamps(msg.tlvs.timestamps_tlv) == stamps
        assert q.encode_timestamps(stamps) == msg.tlvs.timestamps_tlv
        pairs = [(c.checksum_node_id_1, c.checksum_node_id_2) for c in msg.tlvs.checksums_tlv]
        assert pairs == sums
    assert msg.encode().hex() == raw


def test_zlib_is_refused() -> None:
    with pytest.raises(BadGossip, match="Unknown encoding 1"):
        q.decode_scids(bytes.fromhex("01789c636000833e08659309a65878be010010a9023a"))


@pytest.mark.parametrize("encoded", [b"", b"\0\1", b"\2" + bytes(8)])
def test_bad_arrays(encoded: bytes) -> None:
    with pytest.raises(BadGossip):
        q.decode_scids(encoded)


def test_flags_must_match() -> None:
    query = pw.QueryShortChannelIds.decode(q.make_scid_query(w.CHAIN, {5: 31, 3: 1}, extended=True))
    assert q.read_scid_query(query) == q.ScidQuery([ShortChannelId(3), ShortChannelId(5)], [1, 31])
    assert query.tlvs.query_flags is not None
    with pytest.raises(BadGossip):
        q.decode_flags(query.tlvs.query_flags, 3)


def make_graph(scids: set[int]) -> Graph:
    graph = Graph(MemoryStore())
    for scid in scids:
        entry = ChannelEntry(scid, w.node(1), w.node(2), 1)
        entry.updates = [Update(1, scid % 1000), None]
        graph.channels[scid] = entry
    return graph


@settings(deadline=None, max_examples=50)
@given(
    scids=st.sets(
        st.builds(
            lambda b, t: int(ShortChannelId.make(b, t, 0)), st.integers(0, 20), st.integers(0, 9)
        ),
        max_size=60,
    ),
    first=st.integers(0, 22),
    count=st.integers(1, 30),
    size=st.integers(1, 7),
)
def test_range_answers_cover_what_was_asked(
    scids: set[int], first: int, count: int, size: int
) -> None:
    query = pw.QueryChannelRange(
        chain_hash=w.CHAIN,
        first_blocknum=first,
        number_of_blocks=count,
        tlvs=pw.QueryChannelRangeTlvs(query_option=1),
    )
    patch = pytest.MonkeyPatch()
    patch.setattr(q, "MAX_SCIDS_A_REPLY", size)
    try:
        replies = [pw.ReplyChannelRange.decode(r) for r in q.answer_range(make_graph(scids), query)]
    finally:
        patch.undo()
    found = [s for r in replies for s in q.decode_scids(r.encoded_short_ids)]
    assert found == sorted(s for s in scids if first <= s >> 40 < first + count)
    assert (
        replies[0].first_blocknum <= first < replies[0].first_blocknum + replies[0].number_of_blocks
    )
    last = replies[-1]
    assert last.first_blocknum + last.number_of_blocks >= first + count
    assert [r.sync_complete for r in replies] == [0] * (len(replies) - 1) + [1]
    at = first
    for reply in replies:
        assert reply.number_of_blocks > 0
        assert at - 1 <= reply.first_blocknum <= at
        at = reply.first_blocknum + reply.number_of_blocks
        for scid in q.decode_scids(reply.encoded_short_ids):
            assert reply.first_blocknum <= scid.block < at
        assert reply.tlvs.timestamps_tlv is not None
        stamps = q.decode_timestamps(reply.tlvs.timestamps_tlv)
        assert stamps == [(s % 1000, 0) for s in q.decode_scids(reply.encoded_short_ids)]
