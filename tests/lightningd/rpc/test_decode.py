"""decode against the vectors of BOLT 11 and 12; every reply is held to its schema."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.regtest.reply_check import check_reply

VECTORS = Path(__file__).parents[2] / "vectors"
BOLT11 = json.loads((VECTORS / "bolt11.json").read_text())
OFFERS = json.loads((VECTORS / "bolt12-offers-test.json").read_text())
REQUEST = json.loads((VECTORS / "bolt12-signature-test.json").read_text())[3]["bolt12"]


def call(method: str, *args: Any, node: Any = None) -> dict[str, Any]:
    command = load_families()[method]
    values = convert_params(command, list(args))
    result: dict[str, Any] = asyncio.run(command.handler(node, **values))
    check_reply(method, result)
    return result


def refused(text: str) -> str:
    with pytest.raises(UserError) as caught:
        call("decode", text)
    assert caught.value.code == -32602
    return caught.value.message


@pytest.mark.parametrize("vector", OFFERS, ids=range(len(OFFERS)))
def test_offers(vector: dict[str, Any]) -> None:
    try:
        result = call("decode", vector["bolt12"])
    except UserError:
        assert not vector["valid"]
        return
    assert result["type"] == "bolt12 offer"
    assert result["valid"] is vector["valid"]


def test_offer_fields() -> None:
    offer = next(v for v in OFFERS if v["description"] == "with amount")["bolt12"]
    result = call("decode", offer)
    assert result["offer_amount_msat"] == 10000
    assert len(result["offer_id"]) == 64


def test_invoice_request() -> None:
    result = call("decode", REQUEST)
    assert result["type"] == "bolt12 invoice_request"
    assert result["valid"]
    assert len(result["signature"]) == 128


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lnbc1x", "Invalid bolt11"),
        ("lno1qq", "Invalid bolt12"),
        ("hello", "Unparseable string"),
        ("tU-RLjMiDpY2U0o3W1oFowar36RFGpWloPbW9-RuZdo9MD9pZD0wMjRiOWExZmE4ZTAw", "rune"),
    ],
)
def test_what_cannot_be_read(text: str, said: str) -> None:
    assert said in refused(text)


def test_an_offer_without_what_it_needs() -> None:
    offer = next(v for v in OFFERS if v["description"].startswith("Missing offer_description"))
    result = call("decode", offer["bolt12"])
    assert not result["valid"]
    assert "offer_description" in result["warning_missing_offer_description"]


@pytest.mark.parametrize("vector", BOLT11["valid"], ids=range(len(BOLT11["valid"])))
def test_bolt11(vector: dict[str, Any]) -> None:
    result = call("decode", vector["text"])
    assert (result["type"], result["valid"]) == ("bolt11 invoice", True)
    assert result["signature"].startswith("30")
    assert call("decode", "lightning:" + vector["text"]) == result


KEYSEND = ("02" + "11" * 32, "00" * 32, 5)


def _run(check: Any) -> None:
    asyncio.run(check)


class _Asked:
    """A node with its options; what it logs."""

    def __init__(self, **options: bool) -> None:
        names = ("dev-hsmd-fail-preapprove", "dev-hsmd-no-preapprove-check")
        self.config = {name: options.get(name.replace("-", "_"), False) for name in names}
        self.said: list[str] = []

    def log(self, _level: str, text: str) -> None:
        self.said.append(text)


def test_preapproval() -> None:
    node = _Asked()
    assert call("preapproveinvoice", "lnbcrt1", node=node) == {}
    assert call("preapprovekeysend", *KEYSEND, node=node) == {}
    assert node.said == ["preapprove_invoice: check_only=0", "preapprove_keysend: check_only=0"]


@pytest.mark.parametrize(
    ("method", "args", "code"),
    [("preapproveinvoice", ("lnbcrt1",), 213), ("preapprovekeysend", KEYSEND, 214)],
)
def test_preapproval_declined(method: str, args: tuple[Any, ...], code: int) -> None:
    node: Any = _Asked(dev_hsmd_fail_preapprove=True)
    with pytest.raises(UserError, match="was declined") as caught:
        call(method, *args, node=node)
    assert caught.value.code == code
    command = load_families()[method]
    assert command.check is not None
    values = convert_params(command, list(args))
    with pytest.raises(UserError, match="was declined"):
        _run(command.check(node, **values))
    assert node.said[-1].endswith("check_only=1")
    mute: Any = _Asked(dev_hsmd_fail_preapprove=True, dev_hsmd_no_preapprove_check=True)
    _run(command.check(mute, **values))
    assert mute.said == []
