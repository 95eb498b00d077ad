"""Command wait, and lists in the order of creation or change, over a forward and a payment."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.channels.rig import Rig, add_invoice, send_part
from tests.lightningd.channels.test_forward import PREIMAGE, fulfilled, offer_through
from tests.regtest.reply_check import check_reply


def start(rig: Rig, method: str, **params: Any) -> asyncio.Task[Any]:
    command = load_families()[method]

    async def checked() -> Any:
        reply = await command.handler(rig.node, **convert_params(command, params))
        check_reply(method, reply)
        return reply

    return rig.wait(checked())


def call(rig: Rig, method: str, **params: Any) -> Any:
    return start(rig, method, **params).result()


def wait(rig: Rig, subsystem: str, index: str, value: int) -> asyncio.Task[Any]:
    return start(rig, "wait", subsystem=subsystem, indexname=index, nextvalue=value)


def test_a_forward(rig: Rig) -> None:
    first, second = rig.ready(1), rig.ready(2, 2)
    made = wait(rig, "htlcs", "created", 2)
    offered, settled = wait(rig, "forwards", "created", 1), wait(rig, "forwards", "updated", 1)
    offer_through(rig)
    assert not made.done()
    rig.commit_offers(second)
    assert made.result()["htlcs"]["short_channel_id"] == str(second.usable_scid)
    assert made.result()["htlcs"]["direction"] == "out"
    told = offered.result()["forwards"]
    assert (told["status"], told["in_channel"]) == ("offered", str(first.usable_scid))
    assert not settled.done()
    rig.worker_says(fulfilled(second, PREIMAGE))
    told = settled.result()
    assert (told["updated"], told["forwards"]["status"]) == (1, "settled")
    (forward,) = call(rig, "listforwards", index="updated", start=1)["forwards"]
    assert (forward["created_index"], forward["updated_index"]) == (1, 1)
    assert call(rig, "listforwards", index="updated", start=2)["forwards"] == []
    assert call(rig, "listforwards", status="failed")["forwards"] == []
    htlcs = call(rig, "listhtlcs", index="updated")["htlcs"]
    newest = call(rig, "wait", subsystem="htlcs", indexname="updated", nextvalue=0)
    assert htlcs[-1]["updated_index"] == newest["updated"]
    assert [h["updated_index"] for h in htlcs] == sorted(h["updated_index"] for h in htlcs)
    gone = wait(rig, "forwards", "deleted", 1)
    forward_id = {"in_channel": forward["in_channel"], "in_htlc_id": forward["in_htlc_id"]}
    call(rig, "delforward", status="settled", **forward_id)
    assert gone.result()["forwards"] == {"status": "settled", **forward_id}


def test_a_payment_and_an_invoice(rig: Rig) -> None:
    channel = rig.ready(1)
    created, failed = wait(rig, "sendpays", "created", 1), wait(rig, "sendpays", "updated", 1)
    part = send_part(rig, channel, sha256(PREIMAGE).digest())
    assert created.result()["sendpays"]["status"] == "pending"
    rig.turn(lambda: rig.node.switch.released(channel.dbid))
    assert failed.result()["sendpays"]["payment_hash"] == part.payment_hash.hex()
    (shown,) = call(rig, "listsendpays", index="updated", start=1, limit=1)["payments"]
    assert shown["updated_index"] == 1
    made = wait(rig, "invoices", "created", 1)
    add_invoice(rig, b"q" * 32, 1000, "tea")
    assert made.result()["invoices"]["label"] == "tea"
    assert "details" not in made.result()


def test_details_for_those_who_may_have_old_fields(rig: Rig) -> None:
    rig.node.developer = False
    made = wait(rig, "invoices", "created", 1)
    add_invoice(rig, b"q" * 32, 1000, "tea")
    assert made.result()["details"] == made.result()["invoices"]


@pytest.mark.parametrize("command", ["listsendpays", "listforwards", "listhtlcs"])
def test_a_start_needs_an_order(rig: Rig, command: str) -> None:
    with pytest.raises(UserError, match="Can only specify {start} with {index}"):
        call(rig, command, start=1)
