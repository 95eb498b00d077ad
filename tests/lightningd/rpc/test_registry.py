"""Tables of commands: parameters in order and by name, and the words of the errors."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.params import Param, msat, string, u32
from pylightningd.lightningd.rpc.registry import Command, Registry, _check_table, convert_params


async def _handler(node: Any, amount: Msat, note: str, depth: int) -> dict[str, Any]:
    return {}


CMD = Command(
    name="tip",
    family="t",
    summary="",
    params={
        "amount": Param(msat, "how much"),
        "note": Param(string, "why", default="x"),
        "depth": Param(u32, "", default=0, dev=True),
    },
    handler=_handler,
    examples=["tip 1000msat"],
)


def test_by_position_and_by_name() -> None:
    expected = {"amount": Msat(1000), "note": "y", "depth": 0}
    assert convert_params(CMD, [1000, "y"]) == expected
    assert convert_params(CMD, {"note": "y", "amount": "1sat"}) == expected
    assert convert_params(CMD, ["1000msat", None]) == {
        "amount": Msat(1000),
        "note": "x",
        "depth": 0,
    }
    assert CMD.usage == "tip amount [note]"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            [],
            r"missing required parameter: amount \(usage: tip amount \[note\]; example: tip 1000msat\)",
        ),
        ([1, "", 2, 3], "too many parameters: got 4, expected 3"),
        ({"amount": 1, "nope": 2}, "unknown parameter: nope, this may be caused by"),
        (["many"], "amount: should be a millisatoshi amount: invalid token '\"many\"'"),
        ({"amount": 1, "depth": 2}, "Parameter 'depth' is developer-only"),
        ([1, "", 2], "Parameter 2 is developer-only"),
        (7, "Expected array or object for params"),
    ],
)
def test_errors(given: Any, text: str) -> None:
    with pytest.raises(UserError, match=text) as caught:
        convert_params(CMD, given, developer=False)
    assert caught.value.code == -32602


def test_developers_may_more() -> None:
    assert convert_params(CMD, [1, "", 2])["depth"] == 2


def test_registry() -> None:
    dev = Command(name="dev-x", family="t", summary="", params={}, handler=_handler, dev=True)
    registry = Registry({"tip": CMD, "dev-x": dev})
    with pytest.raises(UserError, match="Unknown command 'nope'") as caught:
        registry.find("nope")
    assert caught.value.code == -32601
    with pytest.raises(UserError, match="Command dev-x is developer-only"):
        registry.find("dev-x")
    assert registry.all() == [CMD]
    registry.developer = True
    assert registry.find("dev-x") is dev
    with pytest.raises(ValueError, match="exists already"):
        registry.add(CMD)


def test_a_table_that_does_not_fit_its_function() -> None:
    with pytest.raises(ValueError, match="the function"):
        _check_table("tip", {"amount": Param(msat, "")}, _handler, False)
    with pytest.raises(ValueError, match="after an optional"):
        _check_table("t", {"a": Param(msat, "", default=1), "b": Param(msat, "")}, _handler, False)
