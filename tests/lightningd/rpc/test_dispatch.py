"""What a caller hears, and what the log says, when a command fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.errors import BackendError, UserError
from pylightningd.lightningd.node import Node
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher
from pylightningd.lightningd.rpc.registry import Command, Registry


@dataclass
class FakeNode:
    lines: list[str] = field(default_factory=list)

    def log(self, level: str, text: str) -> None:
        self.lines.append(f"{level} {text}")


@pytest.mark.parametrize(
    ("error", "message", "broken"),
    [
        (UserError(5, "no such thing"), "no such thing", False),
        (BackendError("bitcoind is away"), "bitcoind is away", False),
        (LinkClosed("hsmd exited with 0"), "fail was cut short: hsmd exited with 0", False),
        (KeyError("x"), "Internal error in fail: KeyError: 'x'", True),
    ],
)
def test_only_bugs_are_broken(error: Exception, message: str, broken: bool) -> None:
    async def handler(node: Any) -> dict[str, Any]:
        raise error

    registry = Registry()
    registry.add(
        Command(name="fail", family="t", summary="", params={}, handler=handler, examples=["fail"])
    )
    node = FakeNode()
    dispatcher = Dispatcher(cast("Node", node), registry)
    reply = asyncio.run(dispatcher.answer(Call("fail", [], source="test")))
    assert message in reply["error"]["message"]
    assert any(line.startswith("broken") for line in node.lines) is broken
