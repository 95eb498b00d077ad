"""Commands about runes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.common.invoice import bolt12
from pylightningd.common.network import REGTEST
from pylightningd.common.rune import Alternative, Rune
from pylightningd.common.wire.bolt12_wire import Invoice
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from pylightningd.lightningd.rune_check import add_span, remove_span
from pylightningd.plugins.offers.answer import draft_invoice, read_request
from tests.lightningd.wallet.rig import Rig
from tests.lightningd.wallet.rpc_rig import call
from tests.plugins.offers.people import (
    ALICE_ID,
    CAROL,
    CAROL_ID,
    NOW,
    PREIMAGE,
    offer_of_alice,
    sign_invoice,
    signed_invoice,
    signed_request,
)
from tests.regtest.reply_check import check_reply

ALICE = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"


async def check(rig: Rig, rune: str, **request: Any) -> dict[str, Any]:
    command = load_families()["checkrune"]
    values = convert_params(command, {"rune": rune, **request})
    result: dict[str, Any] = await command.handler(rig, **values)
    check_reply("checkrune", result)
    return result


async def refused(rig: Rig, rune: str, **request: Any) -> tuple[int, str]:
    with pytest.raises(UserError) as caught:
        await check(rig, rune, **request)
    return caught.value.code, caught.value.message


def test_create_and_show(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def scenario(rig: Rig) -> None:
        first = await call(rig, "createrune")
        assert first["unique_id"] == "0"
        assert "no restrictions" in first["warning_unrestricted_rune"]
        second = await call(rig, "createrune", restrictions="readonly")
        assert second["unique_id"] == "1"
        narrowed = await call(rig, "createrune", second["rune"], [["time<100", "id=" + ALICE]])
        assert narrowed["unique_id"] == "1"
        shown = (await call(rig, "showrunes"))["runes"]
        assert [r["rune"] for r in shown] == [first["rune"], second["rune"]]
        assert shown[1]["restrictions_as_english"] == (
            "method starts with list OR method starts with get OR method equal to summary"
            " AND method unequal to listdatastore"
        )
        (other,) = (await call(rig, "showrunes", narrowed["rune"]))["runes"]
        assert other["stored"] is False
        assert "our_rune" not in other
        foreign = "oNJAqigqDrHBGzsm7gV3z87oGpzq-KqFlOxx2O9iEQk9MA=="
        (other,) = (await call(rig, "showrunes", foreign))["runes"]
        assert (other["stored"], other["our_rune"]) == (False, False)
        assert (await refused(rig, foreign))[0] == 1501
        await rig.restart()
        assert (await call(rig, "createrune"))["unique_id"] == "2"

    rig.run(scenario)


def test_check(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def rune(*restrictions: list[str]) -> str:
        made: str = (await call(rig, "createrune", restrictions=list(restrictions)))["rune"]
        return made

    async def scenario(rig: Rig) -> None:
        async def allowed(rune: str, **request: Any) -> None:
            assert await check(rig, rune, **request) == {"valid": True}

        mine = await rune(["id=" + ALICE], ["method=pay"], ["pnameamountmsat<1000"])
        pay: dict[str, Any] = {"nodeid": ALICE, "method": "pay"}
        await allowed(mine, **pay, params={"amount_msat": 999})
        assert await refused(rig, mine, **pay, params={"amount_msat": 1000}) == (
            1502,
            "Not permitted: parameter amountmsat is greater or equal to 1000",
        )
        assert (await refused(rig, mine, method="pay"))[1] == "Not permitted: id not present"
        by_place = await rune(["parr1=io"], ["pnum=2"])
        await allowed(by_place, method="x", params=["a", "io"])
        assert (await refused(rig, by_place, params=["a"]))[
            1
        ] == "Not permitted: parameter #1 not present"
        late = await rune([f"time<{int(rig.clock.now())}"])
        assert (await refused(rig, late))[1].startswith("Not permitted: time is greater")

    rig.run(scenario)


def test_no_spelling_gets_around_a_condition(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def scenario(rig: Rig) -> None:
        async def rune(*restrictions: list[str]) -> str:
            made: str = (await call(rig, "createrune", restrictions=list(restrictions)))["rune"]
            return made

        little = await rune(["method=keysend"], ["pnameamount_msat<1000"])
        keysend: dict[str, Any] = {"method": "keysend"}
        for spelling in ("amount_msat", "amount-msat"):
            await check(rig, little, **keysend, params={spelling: 1})
            assert (await refused(rig, little, **keysend, params={spelling: 10**10}))[0] == 1502
        for pair in (
            {"amount_msat": 1, "amount-msat": 10**10},
            {"amount-msat": 10**10, "amount_msat": 1},
            {"amountmsat": 1, "amount_msat": 10**10},
        ):
            for any_rune in (little, await rune()):
                code, text = await refused(rig, any_rune, **keysend, params=pair)
                assert code == -32602
                assert text.startswith("params: two spellings of one parameter")
        for field in ("amount_msat", "amountmsat"):
            none = await rune([f"pname{field}!"])
            await check(rig, none, params={"label": "x"})
            for spelling in ("amount_msat", "amount-msat"):
                assert await refused(rig, none, params={spelling: 1}) == (
                    1502,
                    f"Not permitted: parameter {field} is present",
                )

    rig.run(scenario)


def test_an_invoice_by_somebody_else_than_the_shop(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    asked = read_request(signed_request(offer_of_alice()), REGTEST)
    real = signed_invoice(draft_invoice(asked, ALICE_ID, PREIMAGE, NOW).text)
    forged = sign_invoice(replace(Invoice.decode(real), invoice_node_id=CAROL_ID), CAROL)

    async def scenario(rig: Rig) -> None:
        only = [[f"pinvinvstring_node={ALICE_ID.hex()}"]]
        shop = (await call(rig, "createrune", restrictions=only))["rune"]
        await check(rig, shop, params={"invstring": bolt12.encode_string("lni", real)})
        code, text = await refused(
            rig, shop, params={"invstring": bolt12.encode_string("lni", forged)}
        )
        assert (code, "Invalid invoice: invoice_node_id" in text) == (1502, True)

    rig.run(scenario)


def test_numbers_that_are_too_long(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    many = "9" * 5000

    async def scenario(rig: Rig) -> None:
        for condition, why in (
            (f"rate={many}", "malformed rate"),
            (f"per={many}sec", "malformed per"),
        ):
            made = (await call(rig, "createrune", restrictions=[[condition]]))["rune"]
            assert await refused(rig, made) == (1502, f"Not permitted: {why}")
        for number in (many, str(2**63), "²", ""):
            numbered = Rune.master(b"s").restrict((Alternative("", "=", number),)).to_base64()
            for command in ("showrunes", "checkrune"):
                with pytest.raises(UserError, match="should have valid numeric unique_id"):
                    await call(rig, command, numbered)
        last = Rune.master(b"s").restrict((Alternative("", "=", str(2**63 - 1)),)).to_base64()
        assert (await refused(rig, last))[0] == 1501

    rig.run(scenario)


def test_not_too_often(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def scenario(rig: Rig) -> None:
        made = (await call(rig, "createrune", restrictions=[["rate=2"], ["per=5sec"]]))["rune"]
        assert "last_used" not in (await call(rig, "showrunes"))["runes"][0]
        await call(rig, "checkrune", made)
        for seconds in (4, 25):
            assert await refused(rig, made) == (1502, "Not permitted: too soon")
            rig.clock.advance(seconds)
        assert await refused(rig, made) == (1502, "Not permitted: too soon")
        rig.clock.advance(1)
        await call(rig, "checkrune", made)
        assert (await call(rig, "showrunes"))["runes"][0]["last_used"] == rig.clock.now()

    rig.run(scenario)


def test_blacklist(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def scenario(rig: Rig) -> None:
        async def listed(*span: Any, command: str = "blacklistrune") -> list[tuple[int, int]]:
            reply = await call(rig, command, *span)
            return [(s["start"], s["end"]) for s in reply["blacklist"]]

        runes = [(await call(rig, "createrune"))["rune"] for _ in range(2)]
        assert await listed(1) == [(1, 1)]
        assert await listed(2) == [(1, 2)]
        assert await listed(6) == [(1, 2), (6, 6)]
        assert await listed(3, 5) == [(1, 6)]
        assert await listed(9) == [(1, 6), (9, 9)]
        assert await listed(3, 4, True) == [(1, 2), (5, 6), (9, 9)]
        assert await listed() == [(1, 2), (5, 6), (9, 9)]
        assert await refused(rig, runes[1]) == (1503, "Not authorized: Blacklisted rune")
        await call(rig, "checkrune", runes[0])
        assert (await call(rig, "showrunes", runes[1]))["runes"][0]["blacklisted"] is True
        with pytest.raises(UserError, match="end without start"):
            await call(rig, "blacklistrune", end=3)
        with pytest.raises(UserError, match="Cannot blacklist beyond"):
            await call(rig, "blacklistrune", 100_000_000)

    rig.run(scenario)


@pytest.mark.parametrize(
    "given",
    [
        {"rune": "x"},
        {"rune": 3},
        {"restrictions": "all"},
        {"restrictions": [[]]},
        {"restrictions": [["=3"]]},
        {"restrictions": ["method=pay"]},
        {"restrictions": [["method"]]},
    ],
)
def test_wrong_calls(tmp_path: Path, given: dict[str, Any]) -> None:
    rig = Rig(tmp_path)

    async def scenario(rig: Rig) -> None:
        with pytest.raises(UserError) as caught:
            await call(rig, "createrune", **given)
        assert caught.value.code == -32602

    rig.run(scenario)


def test_spans() -> None:
    assert add_span([(5, 6)], (0, 9)) == [(0, 9)]
    assert remove_span([(5, 9)], (0, 20)) == []


def test_the_same_hsm_secret_makes_the_same_runes_as_in_cln(tmp_path: Path) -> None:
    # CLN's test_showrunes with old_hsmsecret: its test tools write the node's name as the secret.
    rig = Rig(tmp_path, secret=b"lightning-1".ljust(32, b"\0"))

    async def scenario(rig: Rig) -> None:
        made = [(await call(rig, "createrune"))["rune"] for _ in range(2)]
        assert made == [
            "OSqc7ixY6F-gjcigBfxtzKUI54uzgFSA6YfBQoWGDV89MA==",
            "geZmO6U7yqpHn-moaX93FVMVWrDRfSNY4AXx9ypLcqg9MQ==",
        ]
        ninth = "lI6iPwM1R9OkcRW25SH0a06PscPDinTfLFAjzSGFGE09OQ=="
        (shown,) = (await call(rig, "showrunes", ninth))["runes"]
        assert "our_rune" not in shown

    rig.run(scenario)
