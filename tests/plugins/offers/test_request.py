"""Asking for an invoice, and what is taken for an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import payer_key
from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceError, InvoiceRequest, Offer
from pylightningd.plugins.lib import INVALID_PARAMS, RpcError
from pylightningd.plugins.offers.answer import draft_invoice, read_request
from pylightningd.plugins.offers.request import (
    OFFER_BAD_INVREQ_REPLY,
    OFFER_EXPIRED,
    check_invoice_answer,
    check_offer_is_usable,
    error_answer,
    read_offer,
)
from tests.plugins.offers.people import (
    ALIAS_BASE,
    ALICE_ID,
    BOB_ID,
    CAROL,
    CAROL_ID,
    METADATA,
    NOW,
    PREIMAGE,
    offer_of_alice,
    sign_invoice,
    signed_invoice,
    signed_request,
    unsigned_request,
)


def test_a_request_repeats_the_offer() -> None:
    offer = replace(offer_of_alice(), unknown=((1_000_000_001, b"x"),))
    made = InvoiceRequest.decode(unsigned_request(offer, payer_note="hi", bip353=("bob", "b.org")))
    assert bolt12.offer_id(made.encode()) == bolt12.offer_id(offer.encode())
    assert made.invreq_payer_id == payer_key(BOB_ID, ALIAS_BASE, METADATA)
    assert (made.invreq_chain, made.invreq_amount) == (REGTEST.chain_hash, None)
    assert made.invreq_bip_353_name is not None
    assert made.invreq_bip_353_name.domain == b"b.org"


@pytest.mark.parametrize(
    ("offer", "wish", "why"),
    [
        ({"amount_msat": None}, {}, "amount_msat parameter required"),
        ({}, {"amount_msat": 9_999}, "at least 10000msat"),
        ({}, {"quantity": 1}, "quantity parameter unnecessary"),
        ({"quantity_max": 3}, {}, "quantity parameter required"),
        ({"quantity_max": 3}, {"quantity": 0}, "must be non-zero"),
        ({"quantity_max": 3}, {"quantity": 4}, "quantity must be <= 3"),
        ({"quantity_max": 0}, {"quantity": 2**63}, "more than there is"),
    ],
)
def test_wishes_that_do_not_fit(offer: dict[str, Any], wish: dict[str, Any], why: str) -> None:
    with pytest.raises(RpcError, match=why) as refused:
        unsigned_request(offer_of_alice(**offer), **wish)
    assert refused.value.code == INVALID_PARAMS


def test_offers_that_cannot_be_taken_up() -> None:
    expired = offer_of_alice(absolute_expiry=NOW - 1)
    with pytest.raises(RpcError, match="expired") as refused:
        check_offer_is_usable(expired, NOW)
    assert refused.value.code == OFFER_EXPIRED
    text = bolt12.encode_string("lno", expired.encode())
    assert read_offer(text, REGTEST) == (expired, expired.encode())
    for bad in (text[:-4], "lno1", "lnbc1", ""):
        with pytest.raises(RpcError, match="Unparsable offer"):
            read_offer(bad, REGTEST)
    with pytest.raises(RpcError, match="chain"):
        read_offer(text, BITCOIN)


def answered(offer: Offer, **wish: Any) -> tuple[bytes, bytes]:
    """The request of bob and the invoice of alice."""
    request = signed_request(offer, **wish)
    draft = draft_invoice(read_request(request, REGTEST), ALICE_ID, PREIMAGE, NOW)
    return request, signed_invoice(draft.text)


def check(invoice: bytes, request: bytes, *, issuer: bytes = ALICE_ID, now: int = NOW) -> Any:
    return check_invoice_answer(invoice, request, issuer, REGTEST, now)


def test_the_right_answer() -> None:
    request, invoice = answered(offer_of_alice(quantity_max=0), quantity=2)
    result = check(invoice, request)
    assert result["changes"] == {}
    assert bolt12.decode_string(result["invoice"]) == ("lni", invoice)


def test_another_amount_is_told() -> None:
    request, invoice = answered(offer_of_alice())
    more = sign_invoice(replace(Invoice.decode(invoice), invoice_amount=Msat(11_000)))
    assert check(more, request)["changes"] == {"amount_msat": 11_000}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"invreq_payer_note": "not mine"}, "invoice_request match"),
        ({"offer_description": "milk"}, "invoice_request match"),
        ({"invreq_metadata": b"other"}, "invoice_request match"),
        ({"unknown": ((1_000_000_001, b"x"),)}, "invoice_request match"),
        ({"invoice_payment_hash": None}, "invoice field"),
        ({"invoice_paths": None}, "invoice field"),
        ({"invoice_features": b"\1"}, "invoice field"),
        ({"invreq_chain": None}, "invoice field"),
    ],
)
def test_wrong_answers(fields: dict[str, Any], field: str) -> None:
    request, invoice = answered(offer_of_alice())
    wrong = sign_invoice(replace(Invoice.decode(invoice), **fields))
    with pytest.raises(RpcError, match=f"Incorrect {field}") as refused:
        check(wrong, request)
    assert refused.value.code == OFFER_BAD_INVREQ_REPLY


def test_answers_of_somebody_else() -> None:
    request, invoice = answered(offer_of_alice())
    with pytest.raises(RpcError, match="Incorrect invoice_node_id"):
        check(invoice, request, issuer=CAROL_ID)
    signed_by_carol = sign_invoice(Invoice.decode(invoice), CAROL)
    with pytest.raises(RpcError, match="signature"):
        check(signed_by_carol, request)
    carols = sign_invoice(replace(Invoice.decode(invoice), invoice_node_id=CAROL_ID), CAROL)
    with pytest.raises(RpcError, match="Incorrect invoice_node_id"):
        check(carols, request)


def test_too_late() -> None:
    request, invoice = answered(offer_of_alice())
    check(invoice, request, now=NOW + 7200)
    with pytest.raises(RpcError, match="expired"):
        check(invoice, request, now=NOW + 7201)


def test_errors() -> None:
    error = error_answer(
        InvoiceError(error="no", erroneous_field=82, suggested_value=b"\5").encode()
    )
    assert error.code == OFFER_BAD_INVREQ_REPLY
    assert error.data == {"error": "no", "erroneous_field": 82, "suggested_value": "05"}
    assert error_answer(b"\xff").data == {"invoice_error_hex": "ff"}
