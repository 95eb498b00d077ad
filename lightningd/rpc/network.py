"""Commands about the network's gossip that the master answers itself; listchannels and its kin are a plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.rpc.params import Param, hex_bytes
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "addgossip",
    family="network",
    summary="Inject gossip {message} (hex)",
    params={
        "message": Param(hex_bytes, "a channel_announcement, channel_update or node_announcement")
    },
    examples=["addgossip 0102..."],
    errors={-1: "the message is malformed, wrongly signed, or tells nothing new"},
)
async def addgossip(node: Node, message: bytes) -> dict[str, Any]:
    error = await node.gossip.add(message)
    if error:
        raise UserError(LIGHTNINGD, error)
    return {}
