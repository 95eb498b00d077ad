"""Commands about forwards: listforwards, delforward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.ids import ShortChannelId
from pylightningd.lightningd.channels.forward_json import forward_json
from pylightningd.lightningd.db.forwards_io import ForwardState
from pylightningd.lightningd.rpc.params import Param, one_of, scid, u64
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import WINDOW_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

DELFORWARD_NOT_FOUND = 1401


@command(
    "listforwards",
    family="forwards",
    summary="List all forwarded payments and their information optionally filtering by {status}, "
    "{in_channel} and {out_channel}",
    params={
        "status": Param(
            one_of("offered", "settled", "local_failed", "failed"), "only these", default=None
        ),
        "in_channel": Param(scid, "only those that came in here", default=None),
        "out_channel": Param(scid, "only those that went out here", default=None),
        **WINDOW_PARAMS,
    },
    examples=["listforwards settled", "listforwards -k in_channel=103x1x0"],
)
async def listforwards(
    node: Node,
    status: str | None,
    in_channel: ShortChannelId | None,
    out_channel: ShortChannelId | None,
    index: str | None,
    start: int | None,
    limit: int | None,
) -> dict[str, Any]:
    state = None if status is None else ForwardState[status.upper()]
    window = read_window(index, start, limit)
    rows = node.switch.forwards.listed(window, state, in_channel, out_channel)
    return {"forwards": [forward_json(row) for row in rows]}


@command(
    "delforward",
    family="forwards",
    summary="Delete a forward that is over",
    params={
        "in_channel": Param(scid, "the channel it came in on"),
        "in_htlc_id": Param(u64, "its id there"),
        "status": Param(one_of("settled", "local_failed", "failed"), "how it ended"),
    },
    examples=["delforward 103x1x0 17 settled"],
    errors={DELFORWARD_NOT_FOUND: "there is no such forward"},
)
async def delforward(
    node: Node, in_channel: ShortChannelId, in_htlc_id: int, status: str
) -> dict[str, Any]:
    state = ForwardState[status.upper()]
    found = await node.turn.do(lambda: node.switch.forwards.delete(in_channel, in_htlc_id, state))
    if not found:
        raise UserError(DELFORWARD_NOT_FOUND, "Could not find that forward")
    return {}
