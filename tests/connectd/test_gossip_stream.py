"""Gossip waits its turn."""

from __future__ import annotations

from pylightningd.connectd.gossip_stream import CHUNK_BYTES, MAX_QUEUED_BYTES, GossipStream


def test_batches_and_room() -> None:
    stream = GossipStream()
    assert not stream
    stream.add((bytes(CHUNK_BYTES), b"second"))
    stream.add((b"third",))
    assert stream and stream.take() == [bytes(CHUNK_BYTES)]
    assert stream.room() == 0
    assert stream.take() == [b"second", b"third"]
    assert stream.room() == 2
    assert not stream and stream.room() == 0


def test_an_empty_batch_is_answered_too() -> None:
    stream = GossipStream()
    stream.add(())
    assert stream and stream.take() == [] and stream.room() == 1


def test_the_oldest_are_dropped_over_the_bound() -> None:
    stream = GossipStream()
    big = MAX_QUEUED_BYTES // 2
    for mark in (b"1", b"2", b"3"):
        stream.add((mark * big,))
    assert stream.take()[0][:1] == b"2"
