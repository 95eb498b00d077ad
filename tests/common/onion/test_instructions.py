"""What each hop of the blinded payment vector is told, and the rules a bad payload breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.blinding import Unblinded, tweak_key, unblind
from pylightningd.common.onion.instructions import (
    Final,
    Forward,
    must_hide_reason,
    path_key_of,
    read_instructions,
)
from pylightningd.common.onion.payload import BadPayload, decode_hop_payload
from pylightningd.common.onion.sphinx import ephemeral_key, make_onion, peel
from pylightningd.common.wire.onion_wire import (
    EncryptedDataPaymentConstraints,
    EncryptedDataPaymentRelay,
    EncryptedDataTlv,
    Payload,
    PayloadPaymentData,
)
from tests.common.onion.vectors import ecdh, load, unhex

VECTOR = load("blinded-payment-onion-test")
KEY = b"\x02" + bytes(31) + b"\x01"
CHANNEL = ShortChannelId.make(1, 2, 3)


def test_blinded_payment_is_built() -> None:
    made = VECTOR["generate"]
    hops = [(unhex(h["pubkey"]), unhex(h["payload"])) for h in made["full_route"]["hops"]]
    packet, _ = make_onion(unhex(made["session_key"]), hops, unhex(made["associated_data"]))
    assert packet.hex() == made["onion"]


def test_blinded_payment_is_followed() -> None:
    """Each node in turn, from the HTLC the one before it forwards."""
    made, nodes = VECTOR["generate"], VECTOR["decrypt"]["hops"]
    packet, path_key = unhex(made["onion"]), None
    amount, expiry = Msat(110125), 749150
    seen: list[Forward | Final] = []
    for node in nodes:
        assert packet.hex() == node["onion"]
        private = unhex(node["node_privkey"])
        point = ephemeral_key(packet)
        if path_key is not None:
            point = tweak_key(point, ecdh(private, path_key))
        peeled = peel(packet, ecdh(private, point), unhex(made["associated_data"]))
        payload = decode_hop_payload(peeled.payload)
        key = path_key_of(payload, path_key)
        unblinded = None
        if key is not None:
            assert payload.encrypted_recipient_data is not None
            unblinded = unblind(key, ecdh(private, key), payload.encrypted_recipient_data)
        told = read_instructions(
            payload,
            is_final=peeled.is_final,
            amount=amount,
            cltv_expiry=expiry,
            unblinded=unblinded,
        )
        seen.append(told)
        if isinstance(told, Forward):
            assert (told.next_path_key or b"").hex() == node.get("next_path_key", "")
            path_key, amount, expiry = (
                told.next_path_key,
                told.amt_to_forward,
                told.outgoing_cltv_value,
            )
            packet = peeled.next_packet or b""
    assert [int(f.short_channel_id or 0) for f in seen if isinstance(f, Forward)] == [10, 1, 2, 3]
    last = seen[-1]
    assert isinstance(last, Final)
    assert (amount, expiry) == (Msat(100000), 749000)
    assert (last.amt_to_forward, last.total_msat) == (Msat(100000), Msat(150000))
    assert (last.path_id or b"").hex() == "c9cf92f45ade68345bc20ae672e2012f4af487ed4415"


PLAIN = Payload(amt_to_forward=Msat(90), outgoing_cltv_value=50, short_channel_id=CHANNEL)
BLINDED = Payload(encrypted_recipient_data=b"e", current_path_key=KEY)
BLINDED_FINAL = replace(
    BLINDED, amt_to_forward=Msat(100), outgoing_cltv_value=50, total_amount_msat=Msat(100)
)
RELAY = EncryptedDataTlv(
    short_channel_id=CHANNEL,
    payment_relay=EncryptedDataPaymentRelay(
        cltv_expiry_delta=10, fee_proportional_millionths=0, fee_base_msat=20
    ),
)


def _read(
    payload: Payload, data: EncryptedDataTlv | None, *, final: bool = False
) -> Forward | Final:
    unblinded = None if data is None else Unblinded(data.encode(), KEY)
    return read_instructions(
        payload, is_final=final, amount=Msat(100), cltv_expiry=60, unblinded=unblinded
    )


def test_plain_forward_and_final() -> None:
    forward = _read(PLAIN, None)
    assert isinstance(forward, Forward)
    assert (forward.short_channel_id, forward.amt_to_forward) == (CHANNEL, Msat(90))
    final = _read(PLAIN, None, final=True)
    assert isinstance(final, Final)
    assert (final.total_msat, final.payment_secret) == (Msat(90), None)
    data = PayloadPaymentData(payment_secret=bytes(32), total_msat=Msat(500))
    final = _read(replace(PLAIN, payment_data=data), None, final=True)
    assert isinstance(final, Final)
    assert (final.total_msat, final.payment_secret) == (Msat(500), bytes(32))


def test_blinded_forward_to_a_node_with_override() -> None:
    other = b"\x03" + KEY[1:]
    data = replace(
        RELAY, short_channel_id=None, next_node_id=NodeId(KEY), next_path_key_override=other
    )
    told = _read(BLINDED, data)
    assert isinstance(told, Forward)
    assert (told.next_node_id, told.next_path_key) == (KEY, other)
    assert (told.amt_to_forward, told.outgoing_cltv_value) == (Msat(80), 50)


@pytest.mark.parametrize(
    ("payload", "data", "final", "reason"),
    [
        (replace(PLAIN, amt_to_forward=None), None, False, "no amt_to_forward"),
        (replace(PLAIN, outgoing_cltv_value=None), None, True, "no outgoing_cltv_value"),
        (replace(PLAIN, short_channel_id=None), None, False, "no short_channel_id"),
        (replace(BLINDED, amt_to_forward=Msat(1)), RELAY, False, "does not belong"),
        (replace(BLINDED, unknown=((77, b""),)), RELAY, False, "does not belong"),
        (BLINDED, replace(RELAY, payment_relay=None), False, "no payment_relay"),
        (BLINDED, replace(RELAY, short_channel_id=None), False, "no next hop"),
        (BLINDED, replace(RELAY, next_node_id=NodeId(KEY)), False, "both"),
        (BLINDED, replace(RELAY, allowed_features=b"\x01"), False, "allowed_features"),
        (
            BLINDED,
            replace(
                RELAY,
                payment_constraints=EncryptedDataPaymentConstraints(
                    max_cltv_expiry=59, htlc_minimum_msat=0
                ),
            ),
            False,
            "expiry 60 is above 59",
        ),
        (
            BLINDED,
            replace(
                RELAY,
                payment_constraints=EncryptedDataPaymentConstraints(
                    max_cltv_expiry=60, htlc_minimum_msat=101
                ),
            ),
            False,
            "100msat is below 101msat",
        ),
        (
            BLINDED,
            replace(
                RELAY,
                payment_relay=EncryptedDataPaymentRelay(
                    cltv_expiry_delta=1, fee_proportional_millionths=0, fee_base_msat=101
                ),
            ),
            False,
            "leaves nothing",
        ),
        (
            replace(BLINDED_FINAL, total_amount_msat=None),
            EncryptedDataTlv(),
            True,
            "no total_amount",
        ),
        (replace(BLINDED_FINAL, short_channel_id=CHANNEL), EncryptedDataTlv(), True, "not belong"),
    ],
)
def test_rules(payload: Payload, data: EncryptedDataTlv | None, final: bool, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        _read(payload, data, final=final)


def test_undecodable_data_in_a_blinded_path() -> None:
    with pytest.raises(BadPayload, match="encrypted_recipient_data"):
        read_instructions(
            BLINDED,
            is_final=False,
            amount=Msat(1),
            cltv_expiry=1,
            unblinded=Unblinded(b"\x02", KEY),
        )


@pytest.mark.parametrize(
    ("payload", "key", "reason"),
    [
        (PLAIN, KEY, "path key without"),
        (replace(PLAIN, current_path_key=KEY), None, "without encrypted"),
        (BLINDED, KEY, "although the message"),
        (replace(BLINDED, current_path_key=None), None, "without a path key"),
        (replace(BLINDED, current_path_key=b"\x02" + b"\xff" * 32), None, "not a public key"),
    ],
)
def test_where_the_path_key_may_be(payload: Payload, key: Any, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        path_key_of(payload, key)


def test_path_key_and_hidden_reasons() -> None:
    assert path_key_of(PLAIN, None) is None
    assert path_key_of(BLINDED, None) == KEY
    assert path_key_of(replace(BLINDED, current_path_key=None), KEY) == KEY
    assert must_hide_reason(None, KEY, is_final=True)
    assert must_hide_reason(BLINDED, None, is_final=False)
    assert not must_hide_reason(BLINDED, None, is_final=True)
    assert not must_hide_reason(None, None, is_final=False)
