"""Offers and invoice requests in the database, what ends them, and the one key that signs requests."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import payer_key
from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.common.wire.bolt12_wire import InvoiceRequest, Offer
from pylightningd.common.wire.hsmd_wire import HsmdDeriveSecret, HsmdSignBolt12
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.sign_node import sign_bolt12
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState
from pylightningd.lightningd.db.payments_io import Part, PaymentStatus
from pylightningd.lightningd.rpc import offers as commands
from tests.lightningd.channels.rig import FakeHsm, Rig
from tests.regtest.reply_check import check_reply

KEYS = NodeSecrets(bytes([1]) * 32, is_test_network=True)
Json = dict[str, Any]


class _Hsm(FakeHsm):
    """Signs BOLT 12 as hsmd does."""

    async def ask(self, msg: Any) -> Any:
        if isinstance(msg, HsmdSignBolt12):
            return sign_bolt12(KEYS, msg)
        if isinstance(msg, HsmdDeriveSecret):
            return SimpleNamespace(secret=KEYS.derived_secret(msg.info))
        return await super().ask(msg)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.node.hsm = _Hsm()
    rig.node.node_id = KEYS.node_id
    yield rig
    rig.close()


def call(rig: Rig, coro: Coroutine[Any, Any, Json]) -> Json:
    result = rig.wait(coro).result()
    check_reply(coro.__name__, result)
    return result


def offer(**more: Any) -> Offer:
    values: Json = {
        "offer_chains": (REGTEST.chain_hash,),
        "offer_amount": 5_000,
        "offer_description": "tea",
        "offer_issuer_id": KEYS.node_id,
    }
    return Offer(**(values | more))


def create(rig: Rig, made: Offer, *, label: str | None = None, single_use: bool = False) -> Json:
    text = bolt12.encode_string("lno", made.encode())
    return call(rig, commands.createoffer(rig.node, text, label, single_use, force_paths=False))


def listed(rig: Rig, offer_id: str) -> Json:
    (row,) = call(rig, commands.listoffers(rig.node, bytes.fromhex(offer_id), active_only=False))[
        "offers"
    ]
    return row


def test_an_offer_is_made_once(rig: Rig) -> None:
    made = create(rig, offer(), label="a")
    assert (made["created"], made["active"], made["used"]) == (True, True, False)
    assert made["offer_id"] == bolt12.offer_id(offer().encode()).hex()
    again = create(rig, offer(), label="b", single_use=True)
    assert (again["created"], again["label"], again["single_use"]) == (False, "a", False)
    assert listed(rig, made["offer_id"])["description"] == "tea"


@pytest.mark.parametrize(
    "made",
    [
        offer(offer_chains=(BITCOIN.chain_hash,)),
        offer(offer_description=None),
        offer(offer_issuer_id=None),
        offer(offer_features=b"\1"),
    ],
)
def test_offers_that_break_the_rules(rig: Rig, made: Offer) -> None:
    with pytest.raises(UserError, match="bolt12"):
        create(rig, made)


def test_disabled_and_enabled(rig: Rig) -> None:
    offer_id = bytes.fromhex(create(rig, offer())["offer_id"])
    assert call(rig, commands.disableoffer(rig.node, offer_id))["active"] is False
    assert call(rig, commands.listoffers(rig.node, None, active_only=True)) == {"offers": []}
    for command, code in ((commands.disableoffer, 1001), (commands.enableoffer, None)):
        task = rig.wait(command(rig.node, offer_id))
        error = task.exception()
        assert (error.code if isinstance(error, UserError) else None) == code
    assert listed(rig, offer_id.hex())["active"] is True
    error = rig.wait(commands.enableoffer(rig.node, offer_id)).exception()
    assert isinstance(error, UserError)
    assert error.code == 1006
    error = rig.wait(commands.disableoffer(rig.node, bytes(32))).exception()
    assert isinstance(error, UserError)
    assert (error.code, error.message) == (-1, "Unknown offer")


def invoice_for(offer_id: str, name: str) -> InvoiceRow:
    preimage = sha256(name.encode()).digest()
    return InvoiceRow(
        label=name,
        payment_hash=sha256(preimage).digest(),
        preimage=preimage,
        payment_secret=bytes(32),
        amount=Msat(5_000),
        expires_at=2_000_000_000,
        bolt11="lni1" + name,
        description="tea",
        min_final_cltv=10,
        local_offer_id=bytes.fromhex(offer_id),
    )


def pay(rig: Rig, row: InvoiceRow) -> None:
    rig.turn(lambda: rig.node.invoices.paid(row, Msat(5_000)))


def state(rig: Rig, label: str) -> InvoiceState:
    row: InvoiceRow = rig.node.invoices.store.by_label(label)
    return row.state


def test_an_offer_for_one_payment(rig: Rig) -> None:
    offer_id = create(rig, offer(), single_use=True)["offer_id"]
    first, second = invoice_for(offer_id, "first"), invoice_for(offer_id, "second")
    for row in (first, second):
        rig.turn(lambda row=row: rig.node.invoices.add(row))
    waiting = rig.wait(rig.node.invoices.wait(lambda i: i.label == "second", "second"))
    pay(rig, first)
    rig.spin()
    assert (state(rig, "first"), state(rig, "second")) == (InvoiceState.PAID, InvoiceState.EXPIRED)
    assert waiting.result().state is InvoiceState.EXPIRED
    row = listed(rig, offer_id)
    assert (row["active"], row["used"]) == (False, True)
    with pytest.raises(UserError) as refused:
        rig.turn(lambda: rig.node.invoices.add(invoice_for(offer_id, "third")))
    assert refused.value.code == 907
    error = rig.wait(commands.enableoffer(rig.node, bytes.fromhex(offer_id))).exception()
    assert isinstance(error, UserError)
    assert error.code == 1007


def test_an_offer_for_many_payments(rig: Rig) -> None:
    offer_id = create(rig, offer())["offer_id"]
    for name in ("first", "second"):
        row = invoice_for(offer_id, name)
        rig.turn(lambda row=row: rig.node.invoices.add(row))
        pay(rig, row)
    assert (listed(rig, offer_id)["active"], listed(rig, offer_id)["used"]) == (True, True)


def test_an_offer_that_we_never_made(rig: Rig) -> None:
    row = invoice_for("07" * 32, "strange")
    rig.turn(lambda: rig.node.invoices.add(row))
    assert row.local_offer_id is None


def test_a_failed_turn_leaves_the_offer(rig: Rig) -> None:
    offer_id = create(rig, offer(), single_use=True)["offer_id"]
    row = invoice_for(offer_id, "first")
    rig.turn(lambda: rig.node.invoices.add(row))

    def pay_and_fail() -> None:
        rig.node.invoices.paid(row, Msat(5_000))
        raise UserError(-1, "no")

    with pytest.raises(UserError):
        rig.turn(pay_and_fail)
    assert listed(rig, offer_id)["used"] is False
    assert state(rig, "first") is InvoiceState.UNPAID


# ---- invoice requests ---------------------------------------------------------------------------


def request(**more: Any) -> InvoiceRequest:
    values: Json = {
        "invreq_metadata": b"metadata",
        "offer_description": "refund",
        "invreq_chain": REGTEST.chain_hash,
        "invreq_amount": Msat(5_000),
        "invreq_payer_id": KEYS.node_id,
    }
    return InvoiceRequest(**(values | more))


def create_request(
    rig: Rig, made: InvoiceRequest, *, save: bool = True, single_use: bool = True
) -> Json:
    text = bolt12.encode_string("lnr", made.encode())
    return call(rig, commands.createinvoicerequest(rig.node, text, save, None, single_use))


def test_a_request_of_the_node_or_of_an_alias(rig: Rig) -> None:
    made = create_request(rig, request())
    bolt12.decode_invoice_request(made["bolt12"], REGTEST.chain_hash)  # the signature is good
    assert made["invreq_id"] == bolt12.invreq_id(request().encode()).hex()
    rows = call(rig, commands.listinvoicerequests(rig.node, None, active_only=True))
    assert rows == {"invoicerequests": [made]}
    base = KEYS.derived_secret(b"node-alias-base").reveal()
    alias = payer_key(KEYS.node_id, base, b"metadata")
    signed = create_request(rig, request(invreq_payer_id=alias), save=False)
    bolt12.decode_invoice_request(signed["bolt12"], REGTEST.chain_hash)
    assert len(rig.node.offer_book.store.all("invoicerequests")) == 1
    with pytest.raises(UserError, match="Could not create"):
        create_request(rig, request())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"invreq_metadata": None}, "must have invreq_metadata"),
        ({"invreq_payer_id": None}, "must have invreq_payer_id"),
        ({"invreq_payer_id": bytes([2]) + bytes([5]) * 32}, "did not match"),
        ({"invreq_chain": BITCOIN.chain_hash}, "chain"),
        ({"invreq_amount": None}, "invreq_amount"),
    ],
)
def test_requests_that_are_not_signed(rig: Rig, fields: Json, why: str) -> None:
    with pytest.raises(UserError, match=why):
        create_request(rig, request(**fields))


def test_a_request_is_disabled(rig: Rig) -> None:
    invreq_id = bytes.fromhex(create_request(rig, request())["invreq_id"])
    assert call(rig, commands.disableinvoicerequest(rig.node, invreq_id))["active"] is False
    error = rig.wait(commands.disableinvoicerequest(rig.node, invreq_id)).exception()
    assert isinstance(error, UserError)
    assert error.code == 1001


def part(invreq_id: str, name: str, number: int = 1) -> Part:
    return Part(
        created_at=1,
        payment_hash=sha256(name.encode()).digest(),
        partid=number,
        groupid=1,
        destination=None,
        amount=Msat(2_500),
        amount_sent=Msat(2_500),
        total=Msat(5_000),
        local_invreq_id=bytes.fromhex(invreq_id),
    )


def offered(rig: Rig, one: Part) -> None:
    """As `sendpay` begins."""
    earlier = rig.turn(lambda: rig.node.payments._earlier(one))
    assert earlier is None
    rig.turn(lambda: rig.node.payments.store.insert(one))


def ends(rig: Rig, one: Part, status: PaymentStatus) -> None:
    one.status = status
    if status is PaymentStatus.COMPLETE:
        rig.turn(lambda: rig.node.payments._complete(one, bytes(32)))
    else:
        rig.turn(lambda: rig.node.payments.store.fail(one))


def test_a_request_for_one_payment_is_paid_once(rig: Rig) -> None:
    invreq_id = create_request(rig, request())["invreq_id"]
    one = part(invreq_id, "one")
    offered(rig, one)
    offered(rig, part(invreq_id, "one", 2))  # the rest of the same payment
    with pytest.raises(UserError, match="already in progress") as refused:
        offered(rig, part(invreq_id, "two"))
    assert refused.value.code == 212
    ends(rig, one, PaymentStatus.COMPLETE)
    (row,) = rig.node.offer_book.store.all("invoicerequests")
    assert (row.active, row.used) == (False, True)
    with pytest.raises(UserError, match="Inactive invoice_request"):
        offered(rig, part(invreq_id, "two"))


def test_after_a_failure_another_invoice_may_be_paid(rig: Rig) -> None:
    invreq_id = create_request(rig, request())["invreq_id"]
    one = part(invreq_id, "one")
    offered(rig, one)
    ends(rig, one, PaymentStatus.FAILED)
    offered(rig, part(invreq_id, "two"))


def test_an_unknown_request_is_not_paid(rig: Rig) -> None:
    with pytest.raises(UserError, match="Unknown invoice_request"):
        offered(rig, part("05" * 32, "one"))
