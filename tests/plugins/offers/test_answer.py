"""Who gets an invoice, and what is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt12
from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest
from pylightningd.common.wire.tlv import read_records, write_records
from pylightningd.plugins.offers.answer import (
    Asked,
    Known,
    Refused,
    check_offer,
    check_way,
    draft_invoice,
    invoice_amount,
    read_request,
)
from pylightningd.plugins.offers.drafts import offer_secret, with_path
from tests.plugins.offers.people import (
    ALICE_ID,
    BOB,
    CAROL_ID,
    NOW,
    PATH_BASE,
    PREIMAGE,
    entropy,
    offer_of_alice,
    payment_hash,
    sign_request,
    signed_request,
)

KNOWN = Known(active=True)


def asked(raw: bytes) -> Asked:
    return read_request(raw, REGTEST)


def test_an_invoice_repeats_the_request() -> None:
    offer = offer_of_alice()
    raw = signed_request(offer, payer_note="hello")
    # Odd fields that we do not know are repeated as well.
    invreq = InvoiceRequest.decode(raw)
    raw = sign_request(replace(invreq, unknown=((1_000_000_001, b"x"), (2_000_000_001, b"y"))))
    request = asked(raw)
    draft = draft_invoice(request, ALICE_ID, PREIMAGE, NOW)
    invoice = Invoice.decode(bolt12.decode_string(draft.text)[1])
    assert bolt12.invreq_id(invoice.encode()) == bolt12.invreq_id(raw)
    assert invoice.unknown == ((1_000_000_001, b"x"), (2_000_000_001, b"y"))
    assert invoice.invoice_amount == Msat(10_000)
    assert invoice.invoice_node_id == ALICE_ID
    assert invoice.invoice_payment_hash == payment_hash()
    assert (invoice.invoice_created_at, invoice.invoice_relative_expiry) == (NOW, None)
    assert (invoice.signature, invoice.invoice_paths) == (None, None)
    assert draft.label == f"{request.offer_id.hex()}-{(invreq.invreq_payer_id or b'').hex()}-0"
    assert draft.expires_at == NOW + 7200


def test_no_invoice_outlives_its_offer() -> None:
    request = asked(signed_request(offer_of_alice(absolute_expiry=NOW + 60)))
    draft = draft_invoice(request, ALICE_ID, PREIMAGE, NOW)
    invoice = Invoice.decode(bolt12.decode_string(draft.text)[1])
    assert (invoice.invoice_relative_expiry, draft.expires_at) == (60, NOW + 60)


@pytest.mark.parametrize(
    ("offer", "wish", "expected"),
    [
        ({}, {}, 10_000),
        ({}, {"amount_msat": 12_000}, 12_000),
        ({"quantity_max": 0}, {"quantity": 3}, 30_000),
        ({"quantity_max": 5}, {"quantity": 5, "amount_msat": 50_001}, 50_001),
        ({"amount_msat": None}, {"amount_msat": 7}, 7),
    ],
)
def test_amounts(offer: dict[str, Any], wish: dict[str, Any], expected: int) -> None:
    request = asked(signed_request(offer_of_alice(**offer), **wish))
    assert invoice_amount(request.invreq) == Msat(expected)


def changed(raw: bytes, **fields: Any) -> bytes:
    """Another request, signed as it should be."""
    return sign_request(replace(InvoiceRequest.decode(raw), **fields))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"invreq_amount": Msat(9_999)}, "below"),
        ({"invreq_quantity": 1}, "quantity"),
        ({"invreq_metadata": None}, "invreq_metadata"),
        ({"invreq_chain": None}, "chain"),
        ({"invreq_chain": BITCOIN.chain_hash}, "chain"),
        ({"invreq_features": b"\1"}, "feature bit 0"),
        ({"offer_issuer_id": None}, "."),
        ({"invreq_paths": ()}, "invreq_paths"),
    ],
)
def test_malformed(fields: dict[str, Any], why: str) -> None:
    raw = signed_request(offer_of_alice())
    with pytest.raises(Refused, match=why):
        asked(changed(raw, **fields))


def test_a_signature_of_somebody_else() -> None:
    raw = signed_request(offer_of_alice())
    with pytest.raises(Refused, match="signature"):
        asked(sign_request(InvoiceRequest.decode(raw), BOB))


def test_every_cut_and_every_byte() -> None:
    """Whatever a stranger sends, the worst is a refusal."""
    raw = signed_request(offer_of_alice(), amount_msat=20_000, payer_note="note")
    for size in range(len(raw)):
        with pytest.raises(Refused):
            asked(raw[:size])
    for place in range(len(raw)):
        for bit in (1, 0x80):
            broken = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            with pytest.raises(Refused):
                asked(broken)


@pytest.mark.parametrize("kind", [8, 82])
def test_amounts_beyond_all_money(kind: int) -> None:
    raw = signed_request(offer_of_alice(), amount_msat=20_000)
    records = {k: v for k, _, v in read_records(raw)} | {kind: b"\xff" * 8}
    with pytest.raises(Refused):
        draft_invoice(asked(write_records(records.items())), ALICE_ID, PREIMAGE, NOW)


def test_far_too_much() -> None:
    request = asked(signed_request(offer_of_alice(), amount_msat=60_001))
    with pytest.raises(Refused, match="vastly exceeds"):
        draft_invoice(request, ALICE_ID, PREIMAGE, NOW)


def test_which_offers() -> None:
    request = asked(signed_request(offer_of_alice(absolute_expiry=NOW)))
    check_offer(request, KNOWN, NOW - 1)
    with pytest.raises(Refused, match="Offer expired"):
        check_offer(request, KNOWN, NOW)
    with pytest.raises(Refused, match="no longer available"):
        check_offer(request, Known(active=False), NOW - 1)
    with pytest.raises(Refused, match="Unknown offer"):
        check_offer(request, None, NOW - 1)
    foreign = replace(offer_of_alice(), offer_currency="USD")
    with pytest.raises(Refused, match="Currency"):
        check_offer(asked(signed_request(foreign)), KNOWN, NOW)


def test_an_offer_is_known_by_all_its_fields() -> None:
    offer = offer_of_alice()
    request = asked(signed_request(offer))
    assert request.offer_id == bolt12.offer_id(offer.encode())
    cheap = asked(signed_request(replace(offer, offer_amount=1)))
    assert cheap.offer_id != request.offer_id


def test_the_way_it_came() -> None:
    bare = offer_of_alice()
    hidden = with_path(bare, PATH_BASE, entropy(), CAROL_ID, ALICE_ID)
    secret = offer_secret(PATH_BASE, hidden)
    assert secret == offer_secret(PATH_BASE, bare)
    check_way(asked(signed_request(bare)), None, PATH_BASE)
    check_way(asked(signed_request(hidden)), secret, PATH_BASE)
    for offer, given in ((bare, secret), (hidden, None), (hidden, bytes(32))):
        with pytest.raises(Refused, match="Unknown offer"):
            check_way(asked(signed_request(offer)), given, PATH_BASE)
    # The path of another offer of ours will not do either.
    other = with_path(offer_of_alice(description="milk"), PATH_BASE, entropy(), CAROL_ID, ALICE_ID)
    with pytest.raises(Refused, match="Unknown offer"):
        check_way(asked(signed_request(hidden)), offer_secret(PATH_BASE, other), PATH_BASE)
