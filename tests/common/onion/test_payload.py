"""Hop payloads with their length, and what `invalid_onion_payload` says of bad ones."""

from __future__ import annotations

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.payload import (
    KEYSEND_PREIMAGE_TYPE,
    BadPayload,
    decode_hop_payload,
    encode_hop_payload,
    keysend_preimage,
    record_offset,
    with_length,
)
from pylightningd.common.wire.onion_wire import Payload, PayloadPaymentData
from pylightningd.common.wire.tlv import write_records
from tests.common.onion.vectors import load, unhex

FORWARD = Payload(
    amt_to_forward=Msat(15000), outgoing_cltv_value=1500, short_channel_id=ShortChannelId(1)
)


def test_payloads_of_the_vector() -> None:
    hops = load("onion-test")["generate"]["hops"]
    first = decode_hop_payload(unhex(hops[0]["payload"]))
    assert first == FORWARD
    last = decode_hop_payload(unhex(hops[4]["payload"]))
    assert last.payment_data is not None
    assert last.payment_data.total_msat == Msat(10000)
    assert last.payment_metadata is None
    for hop in hops:
        assert encode_hop_payload(decode_hop_payload(unhex(hop["payload"]))).hex() == hop["payload"]


def test_keysend() -> None:
    preimage = bytes(range(32))
    sent = Payload(
        amt_to_forward=Msat(1),
        outgoing_cltv_value=9,
        payment_data=PayloadPaymentData(payment_secret=bytes(32), total_msat=Msat(1)),
        unknown=((KEYSEND_PREIMAGE_TYPE, preimage), (133773310, b"hi")),
    )
    raw = encode_hop_payload(sent)
    with pytest.raises(BadPayload, match="133773310"):
        decode_hop_payload(raw)
    read = decode_hop_payload(raw, {KEYSEND_PREIMAGE_TYPE, 133773310})
    assert keysend_preimage(read) == preimage
    assert keysend_preimage(FORWARD) is None
    assert encode_hop_payload(read) == raw


@pytest.mark.parametrize(
    ("raw", "tlv_type", "offset"),
    [
        (b"", 0, 0),
        (b"\x05ab", 0, 0),
        (with_length(write_records([(2, b"\x01"), (100, b"x")])), 100, 6),
        (with_length(write_records([(2, b"\x00\x01")])), 2, 3),
        (with_length(b"\x04\x01\x01\x02\x01\x01"), 2, 6),
        (with_length(write_records([(8, bytes(31))])), 8, 3),
    ],
)
def test_bad_payloads(raw: bytes, tlv_type: int, offset: int) -> None:
    with pytest.raises(BadPayload) as caught:
        decode_hop_payload(raw)
    failure = caught.value.failure()
    assert (failure.type, failure.offset) == (tlv_type, offset)


def test_record_offset() -> None:
    raw = encode_hop_payload(FORWARD)
    at = record_offset(raw, 6)
    assert raw[at : at + 8] == (1).to_bytes(8, "big")
    assert record_offset(raw, 10) == 0
