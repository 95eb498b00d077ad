"""feerates, parsefeerate, waitblockheight: replies as CLN's schemas have them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import pylightningd.lightningd.rpc.chain  # noqa: F401  registers the commands
from pylightningd.lightningd.chain.feerates import Feerates, FeeSettings
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher
from pylightningd.lightningd.rpc.registry import BUILTIN, Registry
from tests.regtest.reply_check import check_reply

ESTIMATES = [(2, 60000), (6, 44000), (12, 30000), (100, 15000)]


def run(rates: Feerates, method: str, params: Any) -> dict[str, Any]:
    async def wait_height(height: int, timeout_s: float) -> int:
        return height + int(timeout_s)

    node: Any = SimpleNamespace(
        chain=SimpleNamespace(feerates=rates, wait_height=wait_height), log=lambda *_, **__: None
    )
    dispatcher = Dispatcher(node, Registry(BUILTIN, developer=True))
    reply = asyncio.run(dispatcher.answer(Call(method, params)))
    if "result" in reply:
        check_reply(method, reply["result"])
    return reply


def known(**settings: Any) -> Feerates:
    rates = Feerates(FeeSettings(**settings))
    rates.update(1000, ESTIMATES)
    return rates


@pytest.mark.parametrize(("style", "factor"), [("perkw", 1), ("perkb", 4)])
def test_feerates(style: str, factor: int) -> None:
    result = run(known(), "feerates", [style])["result"]
    assert result[style]["opening"] == 7500 * factor
    assert result[style]["floor"] == 253 * factor
    assert result[style]["estimates"][1] == {
        "blockcount": 6, "feerate": 11000 * factor, "smoothed_feerate": 11000 * factor,
    }  # fmt: skip
    assert result["onchain_fee_estimates"]["opening_channel_satoshis"] == 5265
    assert "warning_missing_feerates" not in result


def test_feerates_unknown() -> None:
    result = run(Feerates(), "feerates", {"style": "perkb"})["result"]
    assert result["warning_missing_feerates"] == "Some fee estimates unavailable: bitcoind startup?"
    assert "opening" not in result["perkb"]
    assert "onchain_fee_estimates" not in result
    assert run(Feerates(), "feerates", ["x"])["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("text", "perkw"),
    [
        ("slow", 3750),
        ("6blocks", 11000),
        ("1000perkb", 253),
        ("2000", 500),
        ("777perkw", 777),
        ("minimum", 253),
    ],
)
def test_parsefeerate(text: str, perkw: int) -> None:
    assert run(known(), "parsefeerate", [text]) == {"result": {"perkw": perkw}}


def test_parsefeerate_unknown() -> None:
    for text in ("slow", "6blocks", "opening"):
        error = run(Feerates(), "parsefeerate", [text])["error"]
        assert (error["code"], error["message"]) == (501, "Cannot estimate fees (yet)")


def test_waitblockheight() -> None:
    assert run(known(), "waitblockheight", [5, 2]) == {"result": {"blockheight": 7}}
