"""HTLCs for us: paid once, in full, or not at all."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.amount import MAX_MSAT, Msat
from pylightningd.common.ids import NodeId
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.db.invoices_io import InvoiceState
from tests.lightningd.channels.rig import HEIGHT, Incoming, Rig, add_invoice, for_us

PREIMAGE = b"p" * 32


def claimed(rig: Rig) -> list[int]:
    return [m.id for m in rig.to_worker(cw.ChanneldFulfillHtlc)]


def failed(rig: Rig) -> list[int]:
    return [m.id for m in rig.to_worker(cw.ChanneldFailHtlc)]


def state(rig: Rig) -> InvoiceState:
    result: InvoiceState = rig.node.invoices.store.by_label("l").state
    return result


def part(amount: int, total: int, **more: Any) -> Any:
    return for_us(PREIMAGE, amount, total=total, **more)


def test_paid_exactly_once(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    rig.receive(channel, 1, for_us(PREIMAGE, 1000))
    assert (claimed(rig), failed(rig)) == ([0], [1])
    assert [t for t, _ in rig.notes if t == "invoice_payment"] == ["invoice_payment"]


def test_a_set_is_paid_when_it_is_whole(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, part(400, 1000))
    assert claimed(rig) == []
    rig.receive(channel, 1, part(600, 1000))
    assert claimed(rig) == [0, 1]
    rig.later(100)
    assert failed(rig) == []


def test_a_set_that_stays_incomplete_is_failed(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, part(400, 1000))
    rig.later(71)
    assert failed(rig) == [0]
    rig.receive(channel, 1, part(600, 1000))
    assert claimed(rig) == []
    rig.receive(channel, 2, part(400, 1000))
    assert claimed(rig) == [1, 2]


def test_a_set_is_taken_up_after_a_restart(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, part(400, 1000))
    rig.restart()
    rig.recover()
    channel = rig.ready(1)
    rig.receive(channel, 1, part(600, 1000))
    assert claimed(rig) == [0, 1]


def test_time_does_not_run_out_while_a_plugin_thinks(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    answer: asyncio.Future[Any] = rig.loop.create_future()
    rig.node.plugins.hooks["invoice_payment"] = [answer]
    rig.receive(channel, 0, part(400, 1000))
    rig.receive(channel, 1, part(600, 1000))
    rig.later(100)
    assert (claimed(rig), failed(rig)) == ([], [])
    answer.set_result({"result": "continue"})
    rig.spin()
    assert claimed(rig) == [0, 1]


@pytest.mark.parametrize("event", ["deadline", "on chain", "forgotten"])
def test_a_set_that_lost_a_part_while_a_plugin_thought_is_not_claimed(rig: Rig, event: str) -> None:
    """The preimage would buy less than the invoice asks, or nothing."""
    first, second = rig.ready(1), rig.ready(2)
    add_invoice(rig, PREIMAGE, 1000)
    answer: asyncio.Future[Any] = rig.loop.create_future()
    rig.node.plugins.hooks["invoice_payment"] = [answer]
    rig.receive(first, 0, part(400, 1000))
    rig.receive(second, 0, part(600, 1000))
    if event == "deadline":
        rig.node.chain.height += 200
    elif event == "on chain":
        rig.turn(
            lambda: rig.node.channels.set_state(
                first, ChannelState.AWAITING_UNILATERAL, Cause.REMOTE, "for the test"
            )
        )
    else:
        first.htlcs.clear()
    answer.set_result({"result": "continue"})
    rig.spin()
    assert claimed(rig) == []
    assert 0 in failed(rig)
    assert state(rig) is InvoiceState.UNPAID


def test_a_long_cltv_delta_of_ours_does_not_forbid_payments(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.node.settings.cltv_delta = 2016
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    assert claimed(rig) == [0]


def test_a_plugin_that_fails_does_not_leave_htlcs_hanging(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    answer: asyncio.Future[Any] = rig.loop.create_future()
    rig.node.plugins.hooks["invoice_payment"] = [answer]
    rig.receive(channel, 0, for_us(PREIMAGE, 1000))
    answer.set_exception(ValueError("no answer"))
    rig.spin()
    rig.failed_tasks.clear()
    assert failed(rig) == [0]
    assert state(rig) is InvoiceState.UNPAID


def test_parts_that_disagree_about_the_total_all_fail(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, part(400, 1000))
    rig.receive(channel, 1, part(400, 1100))
    assert sorted(failed(rig)) == [0, 1]
    rig.receive(channel, 2, part(1000, 1000))
    assert claimed(rig) == [2]


@pytest.mark.parametrize(
    ("amount", "total", "good"),
    [
        (999, 999, False),
        (1000, 1000, True),
        (2000, 2000, True),
        (2001, 2001, False),
        (1000, MAX_MSAT, False),
    ],
)
def test_the_amount_must_be_right(rig: Rig, amount: int, total: int, good: bool) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 1000)
    rig.receive(channel, 0, part(amount, total))
    assert (claimed(rig), failed(rig)) == (([0], []) if good else ([], [0]))


def test_an_amount_beyond_all_bitcoin_fails_only_its_htlc(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, None)
    htlc = part(1000, 1000)
    rig.receive(channel, 0, htlc)
    rig.receive(channel, 1, with_huge_amounts(rig))
    assert (claimed(rig), failed(rig)) == ([0], [1])


def with_huge_amounts(rig: Rig) -> Any:
    """An onion whose amounts have all 64 bits set; no encoder of ours makes one."""
    tlvs = (
        b"\x02\x08"
        + b"\xff" * 8
        + b"\x04\x04"
        + b"\xff" * 4
        + b"\x08\x28"
        + bytes(32)
        + b"\xff" * 8
    )
    payload = bytes([len(tlvs)]) + tlvs
    payment_hash = sha256(b"q").digest()
    onion, secrets = make_onion(
        bytes([5]) * 32, [(NodeId(rig.node.node_id), payload)], payment_hash
    )
    return Incoming(Msat(1000), payment_hash, HEIGHT + 100, onion, secrets[0])


# keysend


def test_keysend_makes_an_invoice_when_it_is_paid(rig: Rig) -> None:
    channel = rig.ready(1)
    for htlc_id, preimage in enumerate((b"k" * 32, b"l" * 32)):
        rig.receive(channel, htlc_id, for_us(preimage, 1000, secret=None, keysend=True))
    assert claimed(rig) == [0, 1]
    rows = rig.node.invoices.store.all()
    assert [r.state for r in rows] == [InvoiceState.PAID] * 2
    assert len({r.label for r in rows}) == 2


def test_keysend_that_fails_leaves_no_invoice(rig: Rig) -> None:
    channel = rig.ready(1)
    soon = for_us(b"k" * 32, 1000, secret=None, keysend=True, cltv_expiry=HEIGHT + 3)
    rig.receive(channel, 0, soon)
    in_parts = for_us(b"l" * 32, 400, total=1000, keysend=True)
    rig.receive(channel, 1, in_parts)
    rig.later(71)
    assert failed(rig) == [0, 1]
    assert rig.node.invoices.store.all() == []
    rig.receive(channel, 2, for_us(b"k" * 32, 1000, secret=None, keysend=True))
    assert claimed(rig) == [2]


@pytest.mark.parametrize("length", [256, 1024])
def test_failures_are_as_long_as_asked(rig: Rig, length: int) -> None:
    rig.node.settings.onion_reply_length = length
    rig.receive(rig.ready(1), 0, for_us(PREIMAGE, 1000))
    (told,) = rig.to_worker(cw.ChanneldFailHtlc)
    assert len(told.failure_onion) == 32 + 2 + 2 + length  # its HMAC and two lengths beside
