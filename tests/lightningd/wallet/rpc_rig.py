"""Call commands on the wallet's rig as a client does; every reply is held to its schema."""

from __future__ import annotations

from typing import Any

from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.wallet.rig import Rig
from tests.regtest.reply_check import check_reply


async def call(rig: Rig, method: str, *args: Any, **named: Any) -> dict[str, Any]:
    """The command's result. Raises UserError."""
    command = load_families()[method]
    values = convert_params(command, named or list(args))
    if command.check is not None:
        await command.check(rig, **values)
    result: dict[str, Any] = await command.handler(rig, **values)
    check_reply(method, result)
    return result
