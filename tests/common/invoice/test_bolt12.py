"""BOLT 12 strings and offers against the vectors, and the rules for requests and invoices."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Msat
from pylightningd.common.invoice.bolt12 import (
    Bolt12Error,
    decode,
    decode_invoice,
    decode_invoice_request,
    decode_offer,
    decode_string,
    encode_string,
    offer_id,
)
from pylightningd.common.invoice.bolt12_merkle import merkle_root, signature_hash
from pylightningd.common.invoice.bolt12_rules import BITCOIN_CHAIN
from pylightningd.common.wire.bolt12_wire import (
    BlindedPayinfo,
    Invoice,
    InvoiceRequest,
    InvoiceRequestInvreqBip353Name,
    Offer,
)
from pylightningd.common.wire.onion_wire import BlindedPath, BlindedPathHop
from pylightningd.common.wire.tlv import read_records

FOLDER = Path(__file__).parents[2] / "vectors"
STRINGS = json.loads((FOLDER / "bolt12-format-string-test.json").read_text())
OFFERS = json.loads((FOLDER / "bolt12-offers-test.json").read_text())
SIGNED = json.loads((FOLDER / "bolt12-signature-test.json").read_text())[3]
# Where a description is not here, the vector is bad in more ways than it says (most with paths are).
REASONS = {
    "fields out of order": "after",
    "unknown even TLV type 78": "unknown and even",
    "UTF-8": "decode",
    "invalid offer_issuer_id": "is not a public key",
    "Contains type >= 80": "does not belong|even",
    "unknown feature 122": "bit 122",
    "Missing offer_description": "without offer_description",
    "Missing offer_amount": "without offer_amount",
    "zero offer_amount": "more than 0",
    "Missing offer_issuer_id": "offer_issuer_id or offer_paths",
    "zero entries": "offer_chains is empty",
    "padding": "left over",
}


@pytest.mark.parametrize("vector", STRINGS, ids=range(len(STRINGS)))
def test_strings(vector: dict[str, Any]) -> None:
    if not vector["valid"]:
        with pytest.raises(Bolt12Error):
            decode_string(vector["string"])
        return
    prefix, tlvs = decode_string(vector["string"])
    assert encode_string(prefix, tlvs) == STRINGS[0]["string"]
    assert Offer.decode(tlvs).offer_issuer == "BOLT 12 industries"


@pytest.mark.parametrize("vector", OFFERS, ids=lambda v: v["description"].replace(" ", "_"))
def test_offers(vector: dict[str, Any]) -> None:
    if not vector["valid"]:
        reason = next((why for part, why in REASONS.items() if part in vector["description"]), None)
        with pytest.raises(Bolt12Error, match=reason):
            decode_offer(vector["bolt12"])
        return
    offer = decode(vector["bolt12"])
    prefix, tlvs = decode_string(vector["bolt12"])
    found = [(kind, len(value), value.hex()) for kind, _, value in read_records(tlvs)]
    assert found == [(f["type"], int(f["length"]), f["hex"]) for f in vector["fields"]]
    assert encode_string(prefix, offer.encode()) == vector["bolt12"]


def test_signed_request() -> None:
    invreq = decode(SIGNED["bolt12"])
    assert isinstance(invreq, InvoiceRequest)
    assert invreq.offer_currency == "USD"
    _, tlvs = decode_string(SIGNED["bolt12"])
    with pytest.raises(Bolt12Error, match="signature"):
        decode_invoice_request(tlvs[:-1] + b"\x00")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": ()}, "without hops"),
        ({"first_node_id": b"\x02" + b"\xff" * 32}, "first_node_id"),
        ({"first_path_key": b"\x02" + b"\xff" * 32}, "first_path_key"),
        (
            {
                "path": (
                    BlindedPathHop(
                        blinded_node_id=b"\x02" + b"\xff" * 32, encrypted_recipient_data=b""
                    ),
                )
            },
            "blinded_node_id",
        ),
    ],
)
def test_bad_paths_in_offers(change: dict[str, Any], reason: str) -> None:
    assert decode_offer(Offer(offer_paths=(PATH,)).encode()).offer_issuer_id is None
    with pytest.raises(Bolt12Error, match=reason):
        decode_offer(Offer(offer_paths=(PATH, replace(PATH, **change))).encode())


KEY = PrivateKey(bytes([0x42]) * 32)
BOB = KEY.public_key.format()
PATH = BlindedPath(
    first_node_id=BOB,
    first_path_key=BOB,
    path=(BlindedPathHop(blinded_node_id=BOB, encrypted_recipient_data=b""),),
)
CAROL = PrivateKey(bytes([1]) * 32).public_key.format()
CAROLS_PATH = replace(
    PATH, path=(BlindedPathHop(blinded_node_id=CAROL, encrypted_recipient_data=b""),)
)
REQUEST = InvoiceRequest(
    invreq_metadata=b"m", invreq_payer_id=BOB, offer_issuer_id=BOB, invreq_amount=Msat(5)
)
INVOICE = Invoice(
    invoice_amount=Msat(5),
    invoice_created_at=1000,
    invoice_payment_hash=bytes(32),
    invoice_node_id=BOB,
    invoice_paths=(PATH,),
    invoice_blindedpay=(
        BlindedPayinfo(
            fee_base_msat=0,
            fee_proportional_millionths=0,
            cltv_expiry_delta=0,
            htlc_minimum_msat=0,
            htlc_maximum_msat=1,
            features=b"",
        ),
    ),
)


def _signed(name: str, value: InvoiceRequest | Invoice) -> bytes:
    digest = signature_hash(name, merkle_root(value.encode()))
    return replace(value, signature=KEY.sign_schnorr(digest)).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"invreq_metadata": None}, "needs invreq_payer_id"),
        ({"invreq_features": b"\x01"}, "invreq_features: unknown feature bit 0"),
        ({"invreq_features": b"\x02"}, None),
        ({"invreq_paths": (replace(PATH, path=()),)}, "without hops"),
        ({"invreq_quantity": 1}, "one item"),
        ({"offer_quantity_max": 3}, "no invreq_quantity"),
        ({"offer_quantity_max": 3, "invreq_quantity": 4}, "4 is not within 1 and 3"),
        ({"offer_quantity_max": 0, "invreq_quantity": 400}, None),
        (
            {"offer_amount": 2, "offer_quantity_max": 3, "invreq_quantity": 3},
            "5msat is below 6msat",
        ),
        ({"invreq_amount": None}, "no invreq_amount"),
        ({"offer_issuer_id": None}, None),
        ({"offer_issuer_id": None, "offer_chains": (bytes(32),)}, "offer_chains in an"),
        ({"offer_issuer_id": None, "invreq_amount": None}, "no invreq_amount"),
        ({"unknown": ((161, b""),)}, "type 161 does not belong"),
        (
            {"invreq_bip_353_name": InvoiceRequestInvreqBip353Name(name=b"a b", domain=b"x.y")},
            "characters",
        ),
        (
            {"invreq_bip_353_name": InvoiceRequestInvreqBip353Name(name=b"a_b", domain=b"x.y")},
            None,
        ),
    ],
)
def test_rules_for_requests(change: dict[str, Any], reason: str | None) -> None:
    tlvs = _signed("invoice_request", replace(REQUEST, **change))
    if reason is None:
        assert decode_invoice_request(encode_string("lnr", tlvs)).invreq_payer_id == BOB
        return
    with pytest.raises(Bolt12Error, match=reason):
        decode_invoice_request(tlvs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"invoice_amount": None}, "needs invoice_amount"),
        ({"invoice_paths": ()}, "needs invoice_paths"),
        ({"invoice_blindedpay": INVOICE.invoice_blindedpay * 2}, "differ"),  # type: ignore[operator]  # it is set above
        ({"invoice_features": b"\x01\x00\x00"}, None),
        ({"invoice_features": b"\x04\x00\x00"}, "bit 18"),
        ({"invreq_amount": Msat(6)}, "not what was asked"),
        ({"invoice_relative_expiry": 5}, "expired"),
        ({"invoice_node_id": CAROL}, "signature"),
        ({"offer_issuer_id": BOB}, None),
        ({"offer_issuer_id": CAROL}, "who made the offer"),
        ({"offer_issuer_id": CAROL, "offer_paths": (PATH,)}, "who made the offer"),
        ({"offer_issuer_id": BOB, "offer_paths": (CAROLS_PATH,)}, None),
        ({"offer_paths": (CAROLS_PATH,)}, "who made the offer"),
        ({"offer_paths": (CAROLS_PATH, PATH)}, None),
    ],
)
def test_rules_for_invoices(change: dict[str, Any], reason: str | None) -> None:
    tlvs = _signed("invoice", replace(INVOICE, **change))
    if reason is None:
        assert decode_invoice(tlvs, BITCOIN_CHAIN, now=8200).invoice_amount == Msat(5)
        return
    with pytest.raises(Bolt12Error, match=reason):
        decode_invoice(tlvs, now=1006)


def test_chain_and_default_expiry() -> None:
    tlvs = _signed("invoice", INVOICE)
    with pytest.raises(Bolt12Error, match="chain we are on"):
        decode_invoice(tlvs, chain=bytes(32))
    with pytest.raises(Bolt12Error, match="expired"):
        decode_invoice(tlvs, now=8201)
    with pytest.raises(Bolt12Error, match="not for this chain"):
        decode_offer(OFFERS[0]["bolt12"], chain=bytes(32))


def test_offer_id_is_the_same_in_what_answers_it() -> None:
    offer = Offer(offer_issuer_id=BOB, offer_description="x")
    invreq = replace(REQUEST, offer_description="x")
    assert offer_id(offer.encode()) == offer_id(_signed("invoice_request", invreq))


def test_wrong_prefix() -> None:
    with pytest.raises(Bolt12Error, match="expected 'lnr'"):
        decode_invoice_request(OFFERS[0]["bolt12"])
    with pytest.raises(Bolt12Error, match="unknown prefix"):
        decode("lnx1" + OFFERS[0]["bolt12"][4:])


@given(st.text(max_size=60), st.binary(max_size=80), st.sampled_from(["lno", "lnr", "lni"]))
def test_garbage_is_only_ever_a_bolt12_error(text: str, tlvs: bytes, prefix: str) -> None:
    for attempt in (text, encode_string(prefix, tlvs)):
        try:
            decode(attempt)
        except Bolt12Error:
            pass
