"""HTLCs for us: sets, what is refused, time, hooks, and what is handed over twice."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.onion.payload import KEYSEND_PREIMAGE_TYPE
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.payments.incoming import SET_SECONDS
from tests.lightningd.payments.rig import (
    FINAL_DELTA,
    HASH,
    HEIGHT,
    PREIMAGE,
    Rig,
    make_htlc,
    run,
    told,
)

UNKNOWN = ow.IncorrectOrUnknownPaymentDetails(htlc_msat=Msat(1000), height=HEIGHT)


def test_one_htlc(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(), told())
        assert rig.ended == [(1, PREIMAGE)]
        row = rig.invoices.store.by_label("tea")
        assert (row.state.name, row.received, row.pay_index) == ("PAID", Msat(1000), 1)
        assert [topic for topic, _ in rig.topics] == ["invoice_creation", "invoice_payment"]

    run(tmp_path, test)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "wrong secret": ({}, {"secret": bytes(32)}, UNKNOWN),
    "no secret": ({}, {"secret": None}, UNKNOWN),
    "total too small": ({}, {"amount": 999, "total": 999}, UNKNOWN),
    "total more than twice": ({}, {"total": 2001}, UNKNOWN),
    "expires too soon": (
        {"cltv_expiry": HEIGHT + FINAL_DELTA - 1},
        {"cltv_expiry": HEIGHT + FINAL_DELTA - 1},
        UNKNOWN,
    ),
    "less than the onion says": (
        {"amount": 999},
        {},
        ow.FinalIncorrectHtlcAmount(incoming_htlc_amt=Msat(999)),
    ),
    "earlier than the onion says": (
        {"cltv_expiry": HEIGHT + FINAL_DELTA},
        {"cltv_expiry": HEIGHT + FINAL_DELTA + 1},
        ow.FinalIncorrectCltvExpiry(cltv_expiry=HEIGHT + FINAL_DELTA),
    ),
    "another hash": ({"payment_hash": bytes(32)}, {}, UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(tmp_path: Path, case: str) -> None:
    htlc, said, expected = CASES[case]

    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(**htlc), told(**said))
        assert rig.ended == [(1, expected)]
        assert rig.state() == "unpaid"

    run(tmp_path, test)


@pytest.mark.parametrize(("amount", "total"), [(1000, 1000), (2000, 2000), (1500, 1200)])
def test_up_to_twice_the_amount_is_taken(tmp_path: Path, amount: int, total: int) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(amount), told(total, total))
        assert rig.ended == [(1, PREIMAGE)]
        assert rig.invoices.store.by_label("tea").received == Msat(amount)

    run(tmp_path, test)


def test_any_amount(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice(None)
        await rig.receive(make_htlc(77), told(77))
        assert rig.ended == [(1, PREIMAGE)]

    run(tmp_path, test)


def test_expired_and_paid(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        rig.clock.advance(3600)
        await rig.receive(make_htlc(), told())
        assert rig.ended == [(1, UNKNOWN)]
        other = bytes([5]) * 32
        other_hash = sha256(other).digest()
        await rig.make_invoice(
            label="b", preimage=other, payment_hash=other_hash, expires_at=int(rig.clock.now()) + 9
        )
        await rig.receive(make_htlc(dbid=2, payment_hash=other_hash), told())
        await rig.receive(make_htlc(dbid=3, payment_hash=other_hash), told())
        assert rig.ended[1:] == [(2, other), (3, UNKNOWN)]

    run(tmp_path, test)


def test_a_set(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(400, dbid=1), told(400, 1000))
        await rig.receive(make_htlc(300, dbid=2), told(300, 1000))
        assert rig.ended == []
        assert [t.seconds for t in rig.timers if t.seconds == SET_SECONDS] == [SET_SECONDS]
        await rig.receive(make_htlc(300, dbid=3), told(300, 1000))
        assert rig.ended == [(1, PREIMAGE), (2, PREIMAGE), (3, PREIMAGE)]
        assert all(t.cancelled for t in rig.timers if t.seconds == SET_SECONDS)
        assert rig.invoices.store.by_label("tea").received == Msat(1000)

    run(tmp_path, test)


def test_a_part_that_says_another_total_fails_the_set(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(400, dbid=1), told(400, 1000))
        await rig.receive(make_htlc(700, dbid=2), told(700, 1100))
        assert sorted(dbid for dbid, _ in rig.ended) == [1, 2]
        assert {type(end) for _, end in rig.ended} == {ow.IncorrectOrUnknownPaymentDetails}
        await rig.receive(make_htlc(400, dbid=3), told(400, 1000))
        assert len(rig.ended) == 2
        await rig.receive(make_htlc(600, dbid=4), told(600, 1000))
        assert rig.ended[2:] == [(3, PREIMAGE), (4, PREIMAGE)]

    run(tmp_path, test)


def test_the_rest_does_not_come(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.receive(make_htlc(400, dbid=1), told(400, 1000))
        await rig.receive(make_htlc(300, dbid=2), told(300, 1000))
        await rig.fire(SET_SECONDS)
        assert rig.ended == [(1, ow.MppTimeout()), (2, ow.MppTimeout())]
        # A new set begins from nothing.
        await rig.receive(make_htlc(400, dbid=3), told(400, 1000))
        assert len(rig.ended) == 2
        await rig.receive(make_htlc(600, dbid=4), told(600, 1000))
        assert rig.ended[2:] == [(3, PREIMAGE), (4, PREIMAGE)]

    run(tmp_path, test)


def test_handed_over_twice(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        first, second = make_htlc(500, dbid=1), make_htlc(500, dbid=2)
        await rig.receive(first, told(500, 1000))
        await rig.receive(first, told(500, 1000))
        assert rig.ended == []
        await rig.restart()
        for htlc in (first, first, second):
            await rig.receive(htlc, told(500, 1000))
        assert rig.ended == [(1, PREIMAGE), (2, PREIMAGE)]
        await rig.restart()
        for htlc in (first, second):
            await rig.receive(htlc, told(500, 1000))
        assert len(rig.ended) == 2

    run(tmp_path, test)


def test_a_failed_part_does_not_count_after_a_restart(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        failed = make_htlc(600, dbid=1)
        await rig.receive(failed, told(600, 1000))
        await rig.fire(SET_SECONDS)
        await rig.restart()
        await rig.receive(failed, told(600, 1000))
        await rig.receive(make_htlc(400, dbid=2), told(400, 1000))
        assert rig.ended == [(1, ow.MppTimeout())]
        assert rig.state() == "unpaid"

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"result": "continue"}, PREIMAGE),
        ({"result": "reject"}, UNKNOWN),
        ({"failure_message": "2002"}, b"\x20\x02"),
    ],
)
def test_hook(tmp_path: Path, answer: dict[str, str], expected: Any) -> None:
    async def test(rig: Rig) -> None:
        asked = []

        def hook(payload: Any) -> list[Any]:
            asked.append(payload)
            return [answer]

        rig.hook = hook
        await rig.make_invoice()
        await rig.receive(make_htlc(), told())
        for _ in range(3):
            await rig.turn.do(lambda: None)
        assert asked == [{"payment": {"label": "tea", "preimage": PREIMAGE.hex(), "msat": 1000}}]
        assert rig.ended == [(1, expected)]

    run(tmp_path, test)


def test_keysend(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        record = ((KEYSEND_PREIMAGE_TYPE, PREIMAGE),)
        await rig.receive(make_htlc(), told(secret=None, unknown=record))
        assert rig.ended == [(1, PREIMAGE)]
        (row,) = rig.invoices.store.all()
        assert row.label.startswith("keysend-") and row.received == Msat(1000)
        # A preimage of something else, and one that comes too late, leave no record.
        other = sha256(b"x").digest()
        await rig.receive(make_htlc(dbid=2, payment_hash=other), told(secret=None, unknown=record))
        late = bytes([8]) * 32
        early = HEIGHT + FINAL_DELTA - 1
        await rig.receive(
            make_htlc(dbid=3, payment_hash=sha256(late).digest(), cltv_expiry=early),
            told(secret=None, cltv_expiry=early, unknown=((KEYSEND_PREIMAGE_TYPE, late),)),
        )
        assert [end for _, end in rig.ended[1:]] == [UNKNOWN, UNKNOWN]
        assert len(rig.invoices.store.all()) == 1

    run(tmp_path, test)


def test_a_turn_that_fails_claims_nothing(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        good = rig.resolver.fulfill

        def broken(_htlc: Any, _preimage: bytes) -> None:
            raise RuntimeError("bug")

        rig.resolver.fulfill = broken
        with pytest.raises(RuntimeError):
            await rig.receive(make_htlc(), told())
        assert rig.state() == "unpaid"
        rig.resolver.fulfill = good
        await rig.receive(make_htlc(), told())
        assert rig.ended == [(1, PREIMAGE)]
        assert HASH not in rig.receiver._sets

    run(tmp_path, test)
