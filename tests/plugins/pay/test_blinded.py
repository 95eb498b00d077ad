"""Blinded paths as the payer sees them: ways, onions, failures, and whole payments of BOLT 12 invoices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common import features
from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_merkle import merkle_root, signature_hash
from pylightningd.common.keys import ecdh, pubkey_from_secret, schnorr_sign
from pylightningd.common.network import REGTEST
from pylightningd.common.onion.blinding import make_blinded_path, tweak_key, unblind
from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.common.onion.instructions import (
    Final,
    Forward,
    read_instructions,
    relay_amounts,
)
from pylightningd.common.onion.payload import decode_hop_payload
from pylightningd.common.onion.sphinx import ephemeral_key, peel
from pylightningd.common.wire import bolt12_wire as bw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.plugins.lib import RpcError
from pylightningd.plugins.pay.blinded import (
    Way,
    blinded_onion,
    failure_on,
    make_way,
    number_of,
    step_over,
)
from pylightningd.plugins.pay.ways import introduction_of
from pylightningd.plugins.routing import Hop
from tests.plugins.pay.fake_node import HASH, PREIMAGE, FakeNode, Json, channel, lost
from tests.plugins.pay.maps import NODES, SECRETS, US, direction, failure, public_map, scid
from tests.plugins.pay.test_shell import fails, pay

SCID = "101x0x1"
RELAY = ow.EncryptedDataPaymentRelay(
    cltv_expiry_delta=20, fee_proportional_millionths=1000, fee_base_msat=500
)
ISSUER = bytes([50]) * 32


def cost(**more: Any) -> bw.BlindedPayinfo:
    values: Json = {
        "fee_base_msat": 500,
        "fee_proportional_millionths": 1000,
        "cltv_expiry_delta": 30,
        "htlc_minimum_msat": 1,
        "htlc_maximum_msat": 10**9,
        "features": b"",
    }
    return bw.BlindedPayinfo(**(values | more))


def path_by(*names: str, seed: int = 7) -> ow.BlindedPath:
    """A path through these nodes; the data of each names the next."""
    hops = []
    for name, following in zip(names, (*names[1:], None), strict=True):
        data = ow.EncryptedDataTlv(path_id=b"id")
        if following is not None:
            data = ow.EncryptedDataTlv(next_node_id=NodeId(NODES[following]), payment_relay=RELAY)
        hops.append((NODES[name], data.encode()))
    return make_blinded_path(bytes([seed]) * 32, hops)[0]


def invoice_by(*ways: tuple[ow.BlindedPath, bw.BlindedPayinfo], **more: Any) -> str:
    values: Json = {
        "invreq_metadata": b"m",
        "invreq_chain": REGTEST.chain_hash,
        "invreq_payer_id": NODES["us"],
        "invreq_amount": Msat(5000),
        "invoice_amount": Msat(5000),
        "invoice_payment_hash": HASH,
        "invoice_created_at": 4_000_000_000,
        "invoice_node_id": pubkey_from_secret(ISSUER),
        "invoice_paths": tuple(path for path, _ in ways),
        "invoice_blindedpay": tuple(price for _, price in ways),
        "invoice_features": features.encode_features([features.BASIC_MPP | 1]),
    }
    draft = bw.Invoice(**(values | more))
    digest = signature_hash("invoice", merkle_root(draft.encode()))
    return bolt12.encode_string(
        "lni", replace(draft, signature=schnorr_sign(ISSUER, digest)).encode()
    )


class BlindNode(FakeNode):
    """Knows the secret of our node."""

    async def on_decryptencrypteddata(self, encrypted_data: str, path_key: str) -> Json:
        key = bytes.fromhex(path_key)
        found = unblind(key, ecdh(SECRETS["us"], key), bytes.fromhex(encrypted_data))
        return {
            "decryptencrypteddata": {
                "decrypted": found.data.hex(),
                "next_path_key": found.next_path_key.hex(),
            }
        }


@pytest.fixture
def node() -> BlindNode:
    return BlindNode([channel("bob", SCID)])


def sent_onion(node: FakeNode, number: int = 0) -> Json:
    return node.named("sendonion")[number]


# Values


def follow(packet: bytes, names: list[str], amount: int, expiry: int) -> Final:
    """What each node of a route does with its layer; the last one's instructions."""
    path_key: bytes | None = None
    for name in names:
        secret = SECRETS[name]
        point = ephemeral_key(packet)
        if path_key is not None:
            point = tweak_key(point, ecdh(secret, path_key))
        peeled = peel(packet, ecdh(secret, point), HASH)
        payload = decode_hop_payload(peeled.payload)
        key = payload.current_path_key or path_key
        unblinded = None
        if payload.encrypted_recipient_data is not None:
            assert key is not None
            unblinded = unblind(key, ecdh(secret, key), payload.encrypted_recipient_data)
        said = read_instructions(
            payload, is_final=peeled.is_final, amount=Msat(amount), cltv_expiry=expiry,
            unblinded=unblinded,
        )  # fmt: skip
        if isinstance(said, Final):
            return said
        assert isinstance(said, Forward) and peeled.next_packet is not None
        packet, path_key = peeled.next_packet, said.next_path_key
        amount, expiry = said.amt_to_forward.msat, said.outgoing_cltv_value
    raise AssertionError("nobody was the last")


def test_every_node_of_the_way_can_read_its_part() -> None:
    way = make_way(NodeId(NODES["bob"]), path_by("bob", "carol", "dave"), cost())
    assert way is not None
    route = [
        Hop(1, 0, NODES["bob"], 7000, 80),
        Hop(2, 0, b"\0" * 33, 5000, 0),
    ]
    onion, secrets = blinded_onion(
        route, way, base_height=100, total_msat=9000, payment_hash=HASH, session_key=b"\3" * 32
    )
    assert len(secrets) == 3
    final = follow(onion, ["bob", "carol", "dave"], 7000, 180)
    assert (final.amt_to_forward, final.outgoing_cltv_value) == (Msat(5000), 100)
    assert (final.total_msat, final.path_id) == (Msat(9000), b"id")


@given(
    amount=st.integers(1, 10**12),
    own_base=st.integers(0, 10**6),
    own_ppm=st.integers(0, 10**6),
    base=st.integers(0, 10**6),
    ppm=st.integers(0, 10**6),
)
def test_a_way_without_ourselves_costs_what_the_rest_wants(
    amount: int, own_base: int, own_ppm: int, base: int, ppm: int
) -> None:
    """Never less than what we would have passed on, and hardly more."""
    relay = ow.EncryptedDataPaymentRelay(
        cltv_expiry_delta=6, fee_proportional_millionths=own_ppm, fee_base_msat=own_base
    )
    million = 10**6
    whole_base = (own_base * million + base * (million + own_ppm) + million - 1) // million
    whole_ppm = ((own_ppm + ppm) * million + own_ppm * ppm + million - 1) // million
    way = Way(NodeId(US), b"", path_by("us", "bob").path, whole_base, whole_ppm, 40, 0, 10**12)
    rest = step_over(way, relay, NodeId(NODES["bob"]), b"k")
    assert (rest.delay, rest.introduction, len(rest.hops)) == (34, NODES["bob"], 1)
    wanted = amount + base + amount * ppm // million
    assert amount + rest.base_fee_msat + amount * rest.fee_ppm // million >= wanted
    incoming = Msat(amount + whole_base + -(-amount * whole_ppm // million))
    passed_on, _ = relay_amounts(relay, incoming, 100)
    most = passed_on.msat + 2 + amount // million
    assert amount + rest.base_fee_msat + amount * rest.fee_ppm // million <= most


def test_a_path_that_lies_about_us_is_not_used() -> None:
    way = Way(NodeId(US), b"", path_by("us", "bob").path, 0, 0, 5, 0, 1)
    with pytest.raises(ValueError, match="contradicts"):
        step_over(way, RELAY, NodeId(NODES["bob"]), b"k")


@pytest.mark.parametrize(
    ("hops", "code", "index", "becomes"),
    [
        (2, F.INVALID_ONION_BLINDING, 1, (F.INVALID_ONION_BLINDING, 1)),
        (2, F.TEMPORARY_CHANNEL_FAILURE, 1, (F.INVALID_ONION_BLINDING, 1)),
        (2, F.MPP_TIMEOUT, 2, (F.INVALID_ONION_BLINDING, 1)),
        (1, F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS, 1, (0x400F, 2)),
        (1, F.INVALID_ONION_BLINDING, 1, (F.INVALID_ONION_BLINDING, 1)),
        (2, F.TEMPORARY_CHANNEL_FAILURE, 0, (F.TEMPORARY_CHANNEL_FAILURE, 0)),
    ],
)
def test_failures_are_put_where_they_belong(
    hops: int, code: int, index: int, becomes: tuple[int, int]
) -> None:
    names = ("bob", "carol")[:hops]
    way = make_way(NodeId(NODES["bob"]), path_by(*names), cost())
    assert way is not None
    route = [Hop(1, 0, NODES["bob"], 7000, 80), Hop(2, 0, b"\0" * 33, 5000, 0)]
    placed = failure_on(route, way, failure(code, index))
    assert (placed.failcode, placed.index) == becomes


# Payments


@pytest.mark.parametrize("method", ["pay", "xpay"])
def test_over_a_path(node: BlindNode, tmp_path: Path, method: str) -> None:
    text = invoice_by((path_by("bob", "carol"), cost()))
    result = pay(node, tmp_path, method, invstring=text.upper(), label="tea")
    assert result["payment_preimage"] == PREIMAGE.hex()
    assert result["amount_sent_msat"] == 5000 + 500 + 5
    sent = sent_onion(node)
    assert sent["first_hop"] == {
        "id": NODES["bob"].hex(), "channel": SCID, "amount_msat": 5505, "delay": 30,
    }  # fmt: skip
    assert (sent["bolt11"], sent["label"], sent["total_amount_msat"]) == (text, "tea", 5000)
    assert sent["destination"] == pubkey_from_secret(ISSUER).hex()
    final = follow(bytes.fromhex(sent["onion"]), ["bob", "carol"], 5505, 131)
    assert (final.amt_to_forward, final.path_id) == (Msat(5000), b"id")


def test_an_offer_is_turned_into_an_invoice_first(node: BlindNode, tmp_path: Path) -> None:
    text = invoice_by((path_by("bob", "carol"), cost()))
    asked: list[Json] = []

    async def on_fetchinvoice(**request: Any) -> Json:
        asked.append(request)
        return {"invoice": text, "changes": {}}

    node.on_fetchinvoice = on_fetchinvoice  # type: ignore[attr-defined]
    paid = pay(node, tmp_path, "xpay", invstring="lno1abc", amount_msat=5000, payer_note="for tea")
    assert paid["amount_msat"] == 5000
    assert asked == [{"offer": "lno1abc", "amount_msat": 5000, "payer_note": "for tea"}]


def test_we_are_the_introduction_point(node: BlindNode, tmp_path: Path) -> None:
    text = invoice_by((path_by("us", "bob"), cost()))
    result = pay(node, tmp_path, invstring=text)
    assert result["amount_sent_msat"] == 5000
    assert sent_onion(node)["first_hop"]["delay"] == 10
    final = follow(bytes.fromhex(sent_onion(node)["onion"]), ["bob"], 5000, 111)
    assert final.path_id == b"id"


def test_a_path_of_our_own_is_paid_without_an_htlc(node: BlindNode, tmp_path: Path) -> None:
    text = invoice_by((path_by("us"), cost()))
    assert pay(node, tmp_path, invstring=text)["amount_sent_msat"] == 5000
    [sent] = node.named("sendpay")
    assert (sent["route"], sent["bolt11"]) == ([], text)


def test_the_other_path_is_tried_once_each(node: BlindNode, tmp_path: Path) -> None:
    node.channels.append(channel("dave", "102x0x1"))
    node.outcome = lambda _part: lost(F.INVALID_ONION_BLINDING, 1)
    text = invoice_by((path_by("bob", "carol"), cost()), (path_by("dave", "carol"), cost()))
    error = fails(node, tmp_path, invstring=text)
    assert error.code == 210
    assert "avoiding blinded path" in error.message
    assert error.data["bolt12"] == text
    firsts = {sent["first_hop"]["id"] for sent in node.named("sendonion")}
    assert firsts == {NODES["bob"].hex(), NODES["dave"].hex()}
    assert len(node.named("sendonion")) == 2


def test_in_parts_over_both_paths(node: BlindNode, tmp_path: Path) -> None:
    node.channels.append(channel("dave", "102x0x1"))
    small = cost(htlc_maximum_msat=3_000_000)
    text = invoice_by(
        (path_by("bob", "carol"), small),
        (path_by("dave", "carol"), small),
        invreq_amount=Msat(5_000_000),
        invoice_amount=Msat(5_000_000),
    )
    result = pay(node, tmp_path, invstring=text)
    assert result["parts"] == 2
    assert {s["total_amount_msat"] for s in node.named("sendonion")} == {5_000_000}
    assert sum(s["amount_msat"] for s in node.named("sendonion")) == 5_000_000


def test_no_parts_where_the_payee_does_not_take_them(node: BlindNode, tmp_path: Path) -> None:
    small = cost(htlc_maximum_msat=3000)
    text = invoice_by((path_by("bob", "carol"), small), invoice_features=None)
    assert fails(node, tmp_path, invstring=text).code == 205


@pytest.mark.parametrize("end", ["bob", "carol"])
def test_a_path_may_begin_at_an_end_of_a_channel(end: str) -> None:
    graph = public_map((1, "bob", "carol"))
    other = {"bob": "carol", "carol": "bob"}[end]
    first = bytes([direction(end, other)]) + scid(1).to_bytes(8, "big")
    path = replace(path_by("dave"), first_node_id=first)
    assert introduction_of(path, graph) == NODES[end]


def test_a_path_that_begins_at_an_unknown_channel(node: BlindNode, tmp_path: Path) -> None:
    first = b"\0" + int(ShortChannelId.from_str(SCID)).to_bytes(8, "big")
    text = invoice_by((replace(path_by("bob", "carol"), first_node_id=first), cost()))
    error = fails(node, tmp_path, invstring=text)
    assert "begins at a channel that is not known" in error.message


def test_a_path_that_needs_the_unknown_is_left_out(node: BlindNode, tmp_path: Path) -> None:
    strange = cost(features=b"\1")
    text = invoice_by((path_by("bob", "carol"), strange))
    error = fails(node, tmp_path, invstring=text)
    assert "feature that is unknown" in error.message
    text = invoice_by((path_by("bob", "carol"), strange), (path_by("bob", "carol", seed=8), cost()))
    pay(node, tmp_path, invstring=text)


@pytest.mark.parametrize(
    ("more", "params", "code", "why"),
    [
        ({"invoice_created_at": 5}, {}, 207, "expired"),
        ({"invreq_chain": None}, {}, -32602, "chain"),
        ({}, {"amount_msat": 5}, -32602, "unnecessary"),
        ({"invoice_amount": Msat(5001)}, {}, -32602, "asked for"),
    ],
)
def test_invoices_that_are_not_paid(
    node: BlindNode, tmp_path: Path, more: Json, params: Json, code: int, why: str
) -> None:
    text = invoice_by((path_by("bob", "carol"), cost()), **more)
    error = fails(node, tmp_path, invstring=text, **params)
    assert error.code == code
    assert why in error.message
    assert node.named("sendonion") == []


def test_a_signature_by_somebody_else(node: BlindNode, tmp_path: Path) -> None:
    text = invoice_by((path_by("bob", "carol"), cost()), invoice_node_id=NODES["bob"])
    assert "signature" in fails(node, tmp_path, invstring=text).message


def test_routes_name_the_path_they_end_in() -> None:
    way = make_way(NodeId(NODES["bob"]), path_by("bob"), cost())
    assert way is not None
    hop = Hop(way.hint(3, b"\0" * 33).scid, 0, b"", 0, 0)
    assert number_of(hop) == 3


def test_nobody_can_be_reached(node: BlindNode, tmp_path: Path) -> None:
    text = invoice_by((path_by("erin", "carol"), cost()))
    error = fails(node, tmp_path, invstring=text)
    assert isinstance(error, RpcError)
    assert error.code == 205
