"""Invoices: expiry, and those who wait."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.lightningd.db.invoices_io import InvoiceState
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.payments.rig import Rig, make_htlc, run, start, told
from tests.regtest.reply_check import check_reply


async def call(rig: Rig, method: str, *args: Any, **named: Any) -> dict[str, Any]:
    command = load_families()[method]
    result: dict[str, Any] = await command.handler(
        rig, **convert_params(command, named or list(args))
    )
    check_reply(method, result)
    return result


async def settle(*waiting: asyncio.Future[Any]) -> None:
    """Let those who wait begin to."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(w.done() for w in waiting)


def test_taken_label_and_preimage(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        with pytest.raises(UserError) as caught:
            await rig.make_invoice()
        assert caught.value.code == 900
        with pytest.raises(UserError) as caught:
            await rig.make_invoice(label="other")
        assert caught.value.code == 901
        assert len(rig.invoices.store.all()) == 1

    run(tmp_path, test)


def test_expiry(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        (timer,) = rig.timers
        assert timer.seconds == 3600
        waiting = start(call(rig, "waitinvoice", "tea"))
        await settle(waiting)
        rig.clock.advance(3600)
        await rig.fire(3600)
        with pytest.raises(UserError) as caught:
            await waiting
        assert caught.value.code == 903
        assert rig.state() == "expired"
        with pytest.raises(UserError) as caught:
            await call(rig, "waitinvoice", "tea")
        assert caught.value.code == 903

    run(tmp_path, test)


def test_the_timer_is_for_the_one_that_expires_first(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        now = int(rig.clock.now())
        for label, seconds in (("cake", 3600), ("rum", 7200), ("milk", 60)):
            await rig.make_invoice(
                label=label, payment_hash=label.encode() * 8, expires_at=now + seconds
            )
        assert [t.seconds for t in rig.timers if not t.cancelled] == [60]
        for seconds, due in (
            (60, {"milk"}),
            (3540, {"milk", "cake"}),
            (3600, {"milk", "cake", "rum"}),
        ):
            rig.clock.advance(seconds)
            await rig.fire(seconds)
            await rig.turn.do(lambda: None)
            rows = rig.invoices.store.all()
            assert {row.label for row in rows if row.state is InvoiceState.EXPIRED} == due
        assert not [t for t in rig.timers if not t.cancelled]
        await rig.make_invoice(expires_at=now + 9000)
        assert [t.seconds for t in rig.timers if not t.cancelled] == [1800]

    run(tmp_path, test)


def test_expired_while_the_node_was_down(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        await rig.restart()
        rig.clock.advance(4000)
        rig.invoices.start()
        await rig.turn.do(lambda: None)
        assert rig.state() == "expired"
        assert (await call(rig, "delinvoice", "tea", "expired"))["status"] == "expired"

    run(tmp_path, test)


def test_waiters_of_a_payment(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        one = start(call(rig, "waitinvoice", "tea"))
        any_one = start(call(rig, "waitanyinvoice"))
        await settle(one, any_one)
        await rig.receive(make_htlc(), told())
        assert (await one)["status"] == "paid"
        assert (await any_one)["pay_index"] == 1
        assert (await call(rig, "waitanyinvoice", 0))["label"] == "tea"
        with pytest.raises(UserError) as caught:
            await call(rig, "waitanyinvoice", 1, 0)
        assert caught.value.code == 904

    run(tmp_path, test)


def test_a_deleted_invoice_wakes_its_own_waiters_only(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        preimage = bytes([5]) * 32
        other_hash = sha256(preimage).digest()
        await rig.make_invoice(label="paid", preimage=preimage, payment_hash=other_hash)
        await rig.receive(make_htlc(payment_hash=other_hash), told())
        own = start(call(rig, "waitinvoice", "tea"))
        next_one = start(call(rig, "waitanyinvoice", 1))
        await settle(own, next_one)
        await call(rig, "delinvoice", "paid", "paid")
        await settle(own, next_one)
        await call(rig, "delinvoice", "tea", "unpaid")
        with pytest.raises(UserError) as caught:
            await own
        assert caught.value.code == 905
        await settle(next_one)
        next_one.cancel()

    run(tmp_path, test)


def test_pay_index_is_never_used_twice(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        for n in (1, 2):
            preimage = bytes([n]) * 32
            digest = sha256(preimage).digest()
            row = await rig.make_invoice(label=f"i{n}", preimage=preimage, payment_hash=digest)
            await rig.receive(make_htlc(dbid=n, payment_hash=digest), told())
            paid = rig.invoices.store.by_label(row.label)
            assert (paid.state, paid.pay_index) == (InvoiceState.PAID, n)
            await rig.turn.do(lambda gone=paid: rig.invoices.store.delete(gone))

    run(tmp_path, test)


def test_delinvoice_of_another_status(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice()
        with pytest.raises(UserError) as caught:
            await call(rig, "delinvoice", "tea", "paid")
        assert caught.value.code == 906
        assert await call(rig, "delinvoice", label="tea", status="unpaid", desconly=True)
        with pytest.raises(UserError) as caught:
            await call(rig, "delinvoice", label="tea", status="unpaid", desconly=True)
        assert caught.value.code == 908
        with pytest.raises(UserError) as caught:
            await call(rig, "delinvoice", "nobody", "paid")
        assert caught.value.code == 905

    run(tmp_path, test)
