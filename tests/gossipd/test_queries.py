"""BOLT 7's extended queries: vectors, and answers for any graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "bolt07-extended-queries.json").read_text()
)
"""BOLT 7's own file. It is older than the rule that zlib is not allowed any more."""
CLASSES: dict[str, Any] = {
    "QueryChannelRange": pw.QueryChannelRange,
    "ReplyChannelRange": pw.ReplyChannelRange,
    "QueryShortChannelIds": pw.QueryShortChannelIds,
}


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: str(case["hex"])[:100])
def test_vector(case: dict[str, Any]) -> None:
    wanted, raw = case["msg"], case["hex"]
    msg: Any = CLASSES[wanted["type"]].decode(bytes.fromhex(raw))
    assert msg.chain_hash.hex() == wanted["chainHash"]
    assert msg.encode().hex() == raw
    if "firstBlockNum" in wanted:
        assert msg.first_blocknum == wanted["firstBlockNum"]
        assert msg.number_of_blocks == wanted["numberOfBlocks"]
    if isinstance(msg, pw.QueryChannelRange):
        both = "WANT_TIMESTAMPS | WANT_CHECKSUMS" in wanted["tlvStream"]["records"]
        assert msg.tlvs.query_option == (3 if both else None)
    else:
        _check_scids(msg.encoded_short_ids, wanted["shortChannelIds"])
    if isinstance(msg, pw.ReplyChannelRange):
        _check_extras(msg.tlvs, wanted)
    if isinstance(msg, pw.QueryShortChannelIds):
        _check_flags(msg, wanted["tlvStream"]["records"])


def _check_scids(encoded: bytes, wanted: dict[str, Any]) -> None:
    if wanted["encoding"] != "UNCOMPRESSED":
        with pytest.raises(BadGossip, match="Unknown encoding 1"):
            q.decode_scids(encoded)
        return
    found = q.decode_scids(encoded)
    assert [str(scid) for scid in found] == wanted["array"]
    assert q.encode_scids(found) == encoded


def _check_extras(tlvs: pw.ReplyChannelRangeTlvs, wanted: dict[str, Any]) -> None:
    sums = wanted.get("checksums", {}).get("checksums", [])
    pairs = [(c.checksum_node_id_1, c.checksum_node_id_2) for c in tlvs.checksums_tlv or ()]
    assert pairs == [(c["checksum1"], c["checksum2"]) for c in sums]
    if "timestamps" not in wanted:
        assert tlvs.timestamps_tlv is None
        return
    assert tlvs.timestamps_tlv is not None
    if wanted["timestamps"]["encoding"] != "UNCOMPRESSED":
        with pytest.raises(BadGossip, match="Unknown encoding 1"):
            q.decode_timestamps(tlvs.timestamps_tlv)
        return
    stamps = [(t["timestamp1"], t["timestamp2"]) for t in wanted["timestamps"]["timestamps"]]
    assert q.decode_timestamps(tlvs.timestamps_tlv) == stamps
    assert q.encode_timestamps(stamps) == tlvs.timestamps_tlv


def _check_flags(msg: pw.QueryShortChannelIds, records: list[dict[str, Any]]) -> None:
    flags = msg.tlvs.query_flags
    if not records:
        assert flags is None
        return
    # Each flag of the file is compressed.
    assert flags is not None and records[0]["encoding"] == "COMPRESSED_ZLIB"
    with pytest.raises(BadGossip, match="Unknown encoding 1"):
        q.decode_flags(flags, 3)
    with pytest.raises(BadGossip):
        q.read_scid_query(msg)


def test_every_vector_is_here() -> None:
    assert len(VECTORS) == 10


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
