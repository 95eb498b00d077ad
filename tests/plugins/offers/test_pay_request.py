"""Invoices that answer an invoice request of ours: which are paid."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import path_secret
from pylightningd.common.invoice.bolt12_rules import INVREQ_TYPES, mirrored_records
from pylightningd.common.network import REGTEST
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest
from pylightningd.common.wire.tlv import write_records
from pylightningd.plugins.offers.answer import Refused
from pylightningd.plugins.offers.drafts import draft_request, request_with_path
from pylightningd.plugins.offers.pay_request import Bill, check_bill, read_bill
from tests.plugins.offers.people import (
    ALICE_ID,
    BOB,
    BOB_ID,
    CAROL_ID,
    NOW,
    PATH_BASE,
    PREIMAGE,
    entropy,
    offer_of_alice,
    sign_request,
    signed_invoice,
)


def request_of_bob(**more: Any) -> InvoiceRequest:
    values: dict[str, Any] = {
        "amount_msat": 5_000,
        "description": "refund",
        "issuer": None,
        "absolute_expiry": None,
    }
    return draft_request(REGTEST, BOB_ID, b"some metadata", **(values | more))


def bill_of_alice(invreq: InvoiceRequest, **changed: Any) -> bytes:
    signed = sign_request(invreq, BOB)
    ours = Invoice(
        invoice_created_at=NOW,
        invoice_payment_hash=sha256(PREIMAGE).digest(),
        invoice_amount=invreq.invreq_amount,
        invoice_node_id=ALICE_ID,
    ).encode()
    tlvs = write_records(
        mirrored_records(signed, INVREQ_TYPES) + mirrored_records(ours, (range(160, 240),))
    )
    return signed_invoice(bolt12.encode_string("lni", tlvs), **changed)


def read(raw: bytes, secret: bytes | None = None, now: int = NOW) -> Bill:
    return read_bill(raw, secret, PATH_BASE, REGTEST, now)


def test_the_invoice_of_an_open_request() -> None:
    invreq = request_of_bob()
    raw = bill_of_alice(invreq)
    bill = read(raw)
    assert bill.invreq_id == bolt12.invreq_id(invreq.encode())
    check_bill(bill, known_active=True, now=NOW)
    assert bill.text() == bolt12.encode_string("lni", raw)


def test_requests_that_are_not_open() -> None:
    bill = read(bill_of_alice(request_of_bob()))
    with pytest.raises(Refused, match="Unknown invoice_request"):
        check_bill(bill, known_active=None, now=NOW)
    with pytest.raises(Refused, match="no longer available"):
        check_bill(bill, known_active=False, now=NOW)


def test_a_request_ends_when_it_says() -> None:
    bill = read(bill_of_alice(request_of_bob(absolute_expiry=NOW)))
    check_bill(bill, known_active=True, now=NOW - 1)
    for now in (NOW, NOW + 1):
        with pytest.raises(Refused, match="no longer available"):
            check_bill(bill, known_active=True, now=now)


def test_more_than_we_offered() -> None:
    invreq = request_of_bob()
    other = replace(Invoice.decode(bill_of_alice(invreq)), invoice_amount=Msat(5_001))
    # The codec's rule already: invoice_amount is invreq_amount.
    with pytest.raises(Refused, match="invoice_amount"):
        read(bill_of_alice(invreq, invoice_amount=other.invoice_amount))


def test_an_invoice_for_an_offer_is_nothing_that_we_pay_unasked() -> None:
    fields = replace(request_of_bob(), offer_issuer_id=offer_of_alice().offer_issuer_id)
    bill = read(bill_of_alice(fields))
    with pytest.raises(Refused, match="Unknown invoice_request"):
        check_bill(bill, known_active=True, now=NOW)


def test_malformed_or_late() -> None:
    raw = bill_of_alice(request_of_bob())
    with pytest.raises(Refused, match="expired"):
        read(raw, now=NOW + 7201)
    for size in range(len(raw)):
        with pytest.raises(Refused):
            read(raw[:size])
    for place in range(0, len(raw), 3):
        broken = raw[:place] + bytes([raw[place] ^ 0x10]) + raw[place + 1 :]
        with pytest.raises(Refused):
            read(broken)


def test_only_over_the_requests_own_path() -> None:
    bare = request_of_bob()
    secret = path_secret(PATH_BASE, bolt12.invreq_id(bare.encode()))
    hidden = request_with_path(bare, PATH_BASE, entropy(), CAROL_ID, BOB_ID)
    read(bill_of_alice(bare))
    read(bill_of_alice(hidden), secret)
    for invreq, given in ((bare, secret), (hidden, None), (hidden, bytes(32))):
        with pytest.raises(Refused, match="Unknown invoice_request"):
            read(bill_of_alice(invreq), given)
