"""sendpay's rules about earlier attempts, how parts end, waiting, and what a crash leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.common.onion.payload import decode_hop_payload
from pylightningd.lightningd.db.payments_io import PaymentStatus
from pylightningd.lightningd.payments.outgoing import FinalData, make_payloads
from tests.lightningd.payments.rig import (
    END,
    HASH,
    HEIGHT,
    PEER,
    PREIMAGE,
    SECRET,
    US,
    Rig,
    make_part,
    route,
    run,
    start,
)


async def refused(rig: Rig, **more: object) -> UserError:
    with pytest.raises(UserError) as caught:
        await rig.send(**more)
    return caught.value


async def fulfil(rig: Rig, part) -> None:
    await rig.turn.do(lambda: rig.payments.part_fulfilled(rig.out_htlc(part), PREIMAGE))


async def fail(rig: Rig, part) -> None:
    htlc = rig.out_htlc(part, failure_onion=b"unreadable")
    await rig.turn.do(lambda: rig.payments.part_failed(htlc))


def test_what_only_the_payee_learns() -> None:
    final = FinalData(payment_secret=SECRET, total=Msat(9000), metadata=b"\x01\xfa\xfa\xf0")
    first, second, last = (
        decode_hop_payload(raw) for raw in make_payloads(route(1000), 100, final)
    )
    assert [p.outgoing_cltv_value for p in (first, second, last)] == [120, 110, 110]
    assert first.payment_metadata is None and second.payment_data is None
    assert last.payment_metadata == b"\x01\xfa\xfa\xf0"
    assert last.payment_data is not None
    assert (last.payment_data.payment_secret, last.payment_data.total_msat) == (SECRET, Msat(9000))


def test_what_is_offered(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        (offer,) = rig.offered
        assert (offer["amount"], offer["cltv_expiry"]) == (Msat(1002), HEIGHT + 1 + 30)
        assert offer["payment_hash"] == HASH
        assert offer["origin_payment"] == part.id
        assert len(offer["onion"]) == 1366
        assert len(part.path_secrets) == 3 * 32

    run(tmp_path, test)


def test_paid_is_paid(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        await fulfil(rig, part)
        await fulfil(rig, part)
        assert [topic for topic, _ in rig.topics] == ["sendpay_success"]
        assert (await rig.payments.wait(HASH, 0, None)).preimage == PREIMAGE
        # The same again is told the same, also in another group, and no HTLC is offered.
        for group in (1, 2):
            again = await rig.send(groupid=group)
            assert (again.id, again.preimage) == (part.id, PREIMAGE)
        assert len(rig.offered) == 1
        assert "Already succeeded with amount" in (await refused(rig, amount=999)).message
        other = NodeId(PEER)
        assert "Already succeeded to" in (await refused(rig, destination=other)).message
        error = await refused(rig, partid=1)
        assert (error.code, error.message) == (201, "Already succeeded other parts")
        await fail(rig, part)
        assert rig.payments.store.get(part.id).status is PaymentStatus.COMPLETE

    run(tmp_path, test)


def test_pending(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        again = await rig.send()
        assert (again.id, again.status) == (part.id, PaymentStatus.PENDING)
        assert len(rig.offered) == 1
        error = await refused(rig, groupid=2)
        assert error.code == 200 and "groupid=1 still in progress" in error.message
        error = await refused(rig, partid=1, total=Msat(5000))
        assert error.code == 200 and "non-parallel" in error.message
        error = await refused(rig, amount=900)
        assert error.code == 201 and "Already pending with amount" in error.message

    run(tmp_path, test)


def test_parts(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        total = Msat(2500)
        first = await rig.send(partid=1, total=total)
        second = await rig.send(partid=2, total=total)
        assert "parallel" in (await refused(rig, partid=0)).message
        error = await refused(rig, partid=3, total=Msat(3000))
        assert error.code == -32602 and "previously" in error.message
        # The last part may go beyond the total, but none after it.
        third = await rig.send(partid=3, total=total)
        error = await refused(rig, partid=4, total=total)
        assert error.code == 200 and "Already have 3000msat of 2500msat" in error.message
        await fail(rig, third)
        error = await refused(rig, partid=3, total=total)
        assert error.code == 201 and "There already is a payment" in error.message
        await rig.send(partid=5, total=total)
        await fulfil(rig, first)
        assert (
            await refused(rig, partid=6, total=total)
        ).message == "Already succeeded other parts"
        assert rig.payments.store.get(second.id).status is PaymentStatus.PENDING

    run(tmp_path, test)


def test_a_new_group_after_a_failure(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        await fail(rig, part)
        assert [topic for topic, _ in rig.topics] == ["sendpay_failure"]
        with pytest.raises(UserError) as caught:
            await rig.payments.wait(HASH, 0, None)
        assert caught.value.code == 202
        assert rig.payments.next_group(HASH) == 2
        assert "There already is" in (await refused(rig)).message
        later = await rig.send(groupid=2)
        await fulfil(rig, later)
        assert (await rig.payments.wait(HASH, 0, None)).id == later.id
        with pytest.raises(UserError):
            await rig.payments.wait(HASH, 0, 1)

    run(tmp_path, test)


def test_waiters_are_woken_after_the_commit(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        waiting = [start(rig.payments.wait(HASH, 0, g)) for g in (None, 1)]
        await asyncio.sleep(0)
        await fulfil(rig, part)
        assert [(await w).preimage for w in waiting] == [PREIMAGE, PREIMAGE]
        with pytest.raises(UserError) as caught:
            await rig.payments.wait(bytes(32), 0, None)
        assert caught.value.code == 208

    run(tmp_path, test)


def test_refused_by_the_channel(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.send()
        refuse = rig.offered[0]["on_refused"]
        await rig.turn.do(lambda: refuse(int(F.TEMPORARY_CHANNEL_FAILURE), "no room"))
        with pytest.raises(UserError, match="no room") as caught:
            await rig.payments.wait(HASH, 0, None)
        assert caught.value.code == 204
        assert caught.value.data["erring_index"] == 0

    run(tmp_path, test)


def test_no_first_channel_leaves_no_trace(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        rig.first.is_ready = lambda: False
        rig.first.state = type("S", (), {"name": "CHANNELD_NORMAL"})
        assert (await refused(rig)).code == 204
        assert rig.payments.store.all() == []

    run(tmp_path, test)


def test_a_turn_that_fails_offers_nothing(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        def broken(*_args: object, **_more: object) -> None:
            raise RuntimeError("bug")

        good, rig.switch.offer = rig.switch.offer, broken
        with pytest.raises(RuntimeError):
            await rig.send()
        assert rig.payments.store.all() == []
        rig.switch.offer = good
        await rig.send()

    run(tmp_path, test)


@pytest.mark.parametrize("fate", ["never offered", "on its way", "paid", "failed"])
def test_restart(tmp_path: Path, fate: str) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send()
        if fate == "on its way":
            rig.htlc_rows[part.id] = rig.out_htlc(part, state=HtlcState.SENT_ADD_COMMIT)
        elif fate == "paid":
            rig.htlc_rows[part.id] = rig.out_htlc(part, preimage=PREIMAGE)
        elif fate == "failed":
            rig.htlc_rows[part.id] = rig.out_htlc(
                part, state=HtlcState.RCVD_REMOVE_ACK_REVOCATION, failure_onion=b"x"
            )
        await rig.restart()
        status = rig.payments.store.get(part.id).status
        expected = {"on its way": PaymentStatus.PENDING, "paid": PaymentStatus.COMPLETE}
        assert status is expected.get(fate, PaymentStatus.FAILED)
        if fate == "on its way":
            waiting = start(rig.payments.wait(HASH, 0, None))
            await asyncio.sleep(0)
            await fulfil(rig, part)
            assert (await waiting).preimage == PREIMAGE

    run(tmp_path, test)


def test_paying_ourselves(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.make_invoice(1000)

        def send(amount: int, secret: bytes | None, **more: object):
            part = make_part(amount, destination=US, amount_sent=Msat(amount), **more)
            return rig.turn.do(lambda: rig.payments.send_to_self(part, secret))

        for amount, secret in ((999, SECRET), (2001, SECRET), (1000, bytes(32)), (1000, None)):
            with pytest.raises(UserError) as caught:
                await send(amount, secret)
            assert caught.value.code == 203
        assert rig.state() == "unpaid"
        paid = await send(1000, SECRET)
        assert (paid.status, paid.preimage) == (PaymentStatus.COMPLETE, PREIMAGE)
        assert rig.state() == "paid"
        assert rig.offered == []
        assert {"invoice_payment", "sendpay_success"} <= {topic for topic, _ in rig.topics}
        assert (await send(1000, SECRET, groupid=2)).id == paid.id

    run(tmp_path, test)


def test_destination_is_kept(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        part = await rig.send(label="x", description="y", bolt11="lnbcrt1")
        stored = rig.payments.store.get(part.id)
        assert (stored.destination, stored.label, stored.description) == (END, "x", "y")
        assert stored.route_nodes[-1] == END

    run(tmp_path, test)
