"""Commands about moves of money: listchainmoves, listchannelmoves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.lightningd.moves.describe import chain_json, channel_json
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import CREATED_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "listchainmoves",
    family="moves",
    summary="List what moved the node's money on the chain",
    params=CREATED_PARAMS,
    examples=["listchainmoves", "listchainmoves created 10 5"],
)
async def listchainmoves(
    node: Node, index: str | None, start: int | None, limit: int | None
) -> dict[str, Any]:
    moves = node.moves.store.chain(read_window(index, start, limit))
    return {"chainmoves": [chain_json(move) for move in moves]}


@command(
    "listchannelmoves",
    family="moves",
    summary="List what moved the node's money inside channels",
    params=CREATED_PARAMS,
    examples=["listchannelmoves", "listchannelmoves created 10 5"],
)
async def listchannelmoves(
    node: Node, index: str | None, start: int | None, limit: int | None
) -> dict[str, Any]:
    moves = node.moves.store.channel(read_window(index, start, limit))
    return {"channelmoves": [channel_json(move) for move in moves]}
