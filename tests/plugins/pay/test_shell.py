"""The payer's commands against a node in memory; every result is held to its schema."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.invoice import bolt11
from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.plugins.lib import RpcError
from tests.plugins.pay.fake_node import HASH, PREIMAGE, FakeNode, channel, lost, make_invoice
from tests.plugins.pay.maps import NODES, US
from tests.regtest.reply_check import check_reply

SCID = "101x0x1"


@pytest.fixture
def node() -> FakeNode:
    return FakeNode([channel("bob", SCID)])


def begin(work: Any) -> Any:
    return asyncio.get_running_loop().create_task(work)


def pay(node: FakeNode, folder: Path, method: str = "pay", **params: Any) -> Any:
    async def work(call: Any) -> Any:
        result = await call(method, **params)
        if method in ("pay", "xpay", "keysend", "listpays"):
            check_reply(method, result)
        return result

    return node.run(work, folder)


def fails(node: FakeNode, folder: Path, method: str = "pay", **params: Any) -> RpcError:
    with pytest.raises(RpcError) as caught:
        pay(node, folder, method, **params)
    return caught.value


def test_direct(node: FakeNode, tmp_path: Path) -> None:
    invoice = make_invoice()
    result = pay(node, tmp_path, bolt11=invoice, label="x")
    assert result["payment_preimage"] == PREIMAGE.hex()
    assert (result["amount_msat"], result["amount_sent_msat"], result["parts"]) == (5000, 5000, 1)
    assert [name for name, _ in node.calls].count("listpeerchannels") == 1
    assert len(node.calls) == 5
    (sent,) = node.named("sendpay")
    assert sent["route"] == [
        {
            "id": NODES["bob"].hex(),
            "channel": SCID,
            "direction": sent["route"][0]["direction"],
            "amount_msat": 5000,
            "delay": 18,
            "style": "tlv",
        }
    ]
    assert (sent["bolt11"], sent["label"], sent["groupid"]) == (invoice, "x", 1)
    assert sent["payment_secret"] == "09" * 32
    assert any(note.get("method") == "pay_success" for note in node.notes)


def test_a_second_payment_asks_less(node: FakeNode, tmp_path: Path) -> None:
    async def work(call: Any) -> None:
        await call("pay", bolt11=make_invoice())
        node.calls.clear()
        other = make_invoice(payment_hash=sha256(b"x").digest())
        await call("pay", bolt11=other)

    node.run(work, tmp_path)
    assert sorted(name for name, _ in node.calls) == [
        "listpeerchannels", "listsendpays", "sendpay", "waitsendpay",
    ]  # fmt: skip


def test_metadata_of_the_invoice_goes_to_the_payee(node: FakeNode, tmp_path: Path) -> None:
    pay(node, tmp_path, bolt11=make_invoice(metadata=b"\x01\xfa\xfa\xf0"))
    assert node.named("sendpay")[0]["payment_metadata"] == "01fafaf0"


def test_upper_case_and_uri(node: FakeNode, tmp_path: Path) -> None:
    invoice = make_invoice()
    pay(node, tmp_path, invstring=f"LIGHTNING:{invoice.upper()}")
    assert node.named("sendpay")[0]["bolt11"] == invoice


def test_xpay(node: FakeNode, tmp_path: Path) -> None:
    result = pay(node, tmp_path, "xpay", invstring=make_invoice())
    assert (result["successful_parts"], result["failed_parts"]) == (1, 0)


@pytest.mark.parametrize(("amount", "why"), [(None, "the offer says"), (1000, "you said")])
def test_an_issuer_that_asks_for_more_than_its_offer_gets_nothing(
    node: FakeNode, tmp_path: Path, amount: int | None, why: str
) -> None:
    answer = {"invoice": make_invoice(amount=10**10), "changes": {"amount_msat": 10**10}}

    async def fetched(**_: Any) -> Any:
        return answer

    node.on_fetchinvoice = fetched  # type: ignore[attr-defined]
    error = fails(node, tmp_path, "xpay", invstring="lno1qgsqvgnwg", amount_msat=amount)
    assert error.code == -32602
    assert f"asks for {10**10}msat, which is not what {why}" in error.message
    assert error.data == answer
    assert [name for name, _ in node.calls] == ["fetchinvoice"]


def test_a_bad_offer_is_named_by_the_parameter_it_was_given_as(
    node: FakeNode, tmp_path: Path
) -> None:
    async def refused(**_: Any) -> Any:
        raise RpcError(
            -32602, "offer: Unparsable offer: why (usage: fetchinvoice offer; example: x)"
        )

    node.on_fetchinvoice = refused  # type: ignore[attr-defined]
    error = fails(node, tmp_path, "xpay", invstring="lno1bad")
    assert error.message.startswith("invstring: Unparsable offer: why")
    assert "fetchinvoice" not in error.message


def test_an_offer_whose_issuer_keeps_to_it_is_paid(node: FakeNode, tmp_path: Path) -> None:
    async def fetched(**_: Any) -> Any:
        return {"invoice": make_invoice(), "changes": {}}

    node.on_fetchinvoice = fetched  # type: ignore[attr-defined]
    assert pay(node, tmp_path, "xpay", invstring="lno1qgsqvgnwg")["amount_msat"] == 5000


def test_paid_already(node: FakeNode, tmp_path: Path) -> None:
    async def work(call: Any) -> tuple[Any, Any]:
        return await call("pay", bolt11=make_invoice()), await call("pay", bolt11=make_invoice())

    first, second = node.run(work, tmp_path)
    check_reply("pay", second)
    assert second["payment_preimage"] == first["payment_preimage"]
    assert len(node.named("sendpay")) == 1


def test_two_at_once(node: FakeNode, tmp_path: Path) -> None:
    async def work(call: Any) -> list[Any]:
        node.gate = asyncio.Event()
        both = [begin(call(m, invstring=make_invoice())) for m in ("pay", "xpay")]
        while not node.named("waitsendpay"):
            await asyncio.sleep(0)
        node.gate.set()
        return [await one for one in both]

    first, second = node.run(work, tmp_path)
    check_reply("xpay", second)
    assert first["payment_preimage"] == second["payment_preimage"]
    assert len(node.named("sendpay")) == 1


def test_two_at_once_that_fail(node: FakeNode, tmp_path: Path) -> None:
    node.outcome = lambda _part: lost(F.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS, 1)

    async def work(call: Any) -> list[Any]:
        both = [call("pay", bolt11=make_invoice()) for _ in range(2)]
        started = [begin(one) for one in both]
        await asyncio.wait(started)
        return [one.exception() for one in started]

    errors = node.run(work, tmp_path)
    assert [error.code for error in errors] == [203, 203]
    assert len(node.named("sendpay")) == 1


def test_parts_of_an_earlier_call_are_waited_for(node: FakeNode, tmp_path: Path) -> None:
    old = {
        "payment_hash": HASH.hex(), "partid": 1, "groupid": 4, "amount_msat": 5000, "amount_sent_msat": 5001,
        "created_at": 7, "created_index": 1, "status": "pending", "destination": NODES["bob"].hex(),
    }  # fmt: skip
    node.parts.append(old)
    result = pay(node, tmp_path, bolt11=make_invoice())
    assert result["amount_sent_msat"] == 5001
    assert node.named("sendpay") == []


def test_a_new_group_after_a_failure(node: FakeNode, tmp_path: Path) -> None:
    node.outcome = lambda part: (
        PREIMAGE.hex() if part["groupid"] == 2 else lost(F.TEMPORARY_NODE_FAILURE, 1)
    )
    assert fails(node, tmp_path, bolt11=make_invoice()).code == 210
    assert pay(node, tmp_path, bolt11=make_invoice())["status"] == "complete"
    listed = pay(node, tmp_path, "listpays")["pays"]
    assert [p["status"] for p in listed] == ["failed", "complete"]
    assert pay(node, tmp_path, "listpays", status="failed")["pays"] == listed[:1]
    assert len(pay(node, tmp_path, "listpays", index="created", start=2)["pays"]) == 1


def test_listpays_of_pending(node: FakeNode, tmp_path: Path) -> None:
    async def work(call: Any) -> Any:
        node.gate = asyncio.Event()
        paying = begin(call("pay", bolt11=make_invoice()))
        while not node.named("waitsendpay"):
            await asyncio.sleep(0)
        listed = await call("listpays")
        status = await call("paystatus")
        node.gate.set()
        await paying
        return listed, status, await call("paystatus", bolt11=make_invoice())

    listed, status, after = node.run(work, tmp_path)
    check_reply("listpays", listed)
    assert listed["pays"][0]["status"] == "pending"
    assert status["pay"][0]["attempts"][0]["state"] == "pending"
    assert after["pay"][0]["attempts"][0]["success"] == {"payment_preimage": PREIMAGE.hex()}


def test_the_error_tells_what_was_tried(node: FakeNode, tmp_path: Path) -> None:
    node.channels.append(channel("bob", "102x0x1"))
    node.outcome = lambda _part: lost(F.TEMPORARY_NODE_FAILURE, 1)
    error = fails(node, tmp_path, bolt11=make_invoice())
    assert error.code == 210
    assert error.message.startswith("Ran out of routes to try after 2 attempts: see `paystatus`.")
    assert "WIRE_TEMPORARY_NODE_FAILURE" in error.message
    attempts = error.data["attempts"]
    assert [a["status"] for a in attempts] == ["failed", "failed"]
    assert {a["route"].split("/")[0] for a in attempts} == {SCID, "102x0x1"}
    assert error.data["bolt11"] == make_invoice()
    assert any(note.get("method") == "pay_failure" for note in node.notes)


def test_sendpay_itself_refuses(node: FakeNode, tmp_path: Path) -> None:
    node.refusal = lost(F.TEMPORARY_CHANNEL_FAILURE, 0)
    error = fails(node, tmp_path, bolt11=make_invoice())
    assert error.code == 210
    node.refusal = RpcError(201, "Payment already completed")
    error = fails(node, tmp_path, bolt11=make_invoice(payment_hash=sha256(b"z").digest()))
    assert (error.code, error.message) == (201, "Payment already completed")


def test_no_channel(tmp_path: Path) -> None:
    error = fails(FakeNode([]), tmp_path, bolt11=make_invoice())
    assert error.code == 205
    assert "we have no channel" in error.message


def test_hints(node: FakeNode, tmp_path: Path) -> None:
    hint = bolt11.RouteHint(NodeId(NODES["bob"]), ShortChannelId.from_str("5x6x7"), 11, 0, 9)
    result = pay(node, tmp_path, bolt11=make_invoice("carol", routes=((hint,),)))
    assert result["amount_sent_msat"] == 5011
    route = node.named("sendpay")[0]["route"]
    assert [hop["channel"] for hop in route] == [SCID, "5x6x7"]
    assert [hop["delay"] for hop in route] == [27, 18]


def test_parts(node: FakeNode, tmp_path: Path) -> None:
    node.channels = [channel("bob", SCID, 3_000_000), channel("bob", "102x0x1", 3_000_000)]
    result = pay(node, tmp_path, bolt11=make_invoice(amount=5_000_000))
    assert result["parts"] == 2
    assert {sent["amount_msat"] for sent in node.named("sendpay")} == {5_000_000}
    assert sorted(sent["partid"] for sent in node.named("sendpay")) == [1, 2]


def test_ourselves(node: FakeNode, tmp_path: Path) -> None:
    result = pay(node, tmp_path, bolt11=make_invoice("us"))
    assert result["destination"] == US.hex()
    assert node.named("sendpay")[0]["route"] == []


def test_keysend(node: FakeNode, tmp_path: Path) -> None:
    async def work(call: Any) -> Any:
        return await call(
            "keysend",
            destination=NODES["bob"].hex(),
            amount_msat="1sat",
            extratlvs={"133773310": "aa"},
        )

    result = node.run(work, tmp_path)
    check_reply("keysend", result)
    (sent,) = node.named("sendonion")
    assert len(sent["onion"]) == 2 * 1366
    assert len(sent["shared_secrets"]) == 1
    assert sent["first_hop"] == {
        "id": NODES["bob"].hex(), "channel": SCID, "amount_msat": 1000, "delay": 22,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({}, -32602, "missing required parameter: bolt11"),
        ({"bolt11": "lnbc1x"}, -32602, "Invalid bolt11"),
        ({"bolt11": "lni1qqg"}, -32602, "Invalid bolt12"),
        ({"bolt11": "lno1qyqq"}, -32602, "Invalid bolt12: unexpected prefix lno"),
        ({"bolt11": make_invoice(currency="bc")}, -32602, "not for lnbcrt"),
        ({"bolt11": make_invoice(), "amount_msat": 5}, -32602, "unnecessary"),
        ({"bolt11": make_invoice(amount=None)}, -32602, "required"),
        ({"bolt11": make_invoice(timestamp=1)}, 207, "Invoice expired"),
        ({"bolt11": make_invoice(), "maxfee": 1, "exemptfee": 1}, -32602, "If you specify maxfee"),
        ({"bolt11": make_invoice(), "partial_msat": 5001}, -32602, "less or equal"),
        ({"bolt11": make_invoice(), "maxdelay": "x"}, -32602, "maxdelay: should be an unsigned"),
        ({"bolt11": make_invoice(), "exclude": ["zz"]}, -32602, "exclude: should be"),
        ({"bolt11": make_invoice(), "maxfee": "1.5sat"}, -32602, "millisatoshi amount"),
    ],
)
def test_wrong_calls(
    node: FakeNode, tmp_path: Path, params: dict[str, Any], code: int, text: str
) -> None:
    error = fails(node, tmp_path, **params)
    assert error.code == code
    assert text in error.message
    assert node.calls == []


def test_description_of_a_hash(node: FakeNode, tmp_path: Path) -> None:
    invoice = make_invoice(description=None, description_hash=sha256(b"long story").digest())
    assert "does not match" in fails(node, tmp_path, bolt11=invoice, description="other").message
    pay(node, tmp_path, bolt11=invoice, description="long story")
    assert node.named("sendpay")[0]["description"] == "long story"


def test_partial(node: FakeNode, tmp_path: Path) -> None:
    result = pay(node, tmp_path, bolt11=make_invoice(), partial_msat=2000)
    (sent,) = node.named("sendpay")
    assert (sent["route"][0]["amount_msat"], sent["amount_msat"]) == (2000, 5000)
    assert result["amount_msat"] == 2000
