"""injectonionmessage: an onion message of our own, or of a plugin, treated as if a peer had sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, hex_bytes, pubkey
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_MOST = 65535


async def _check(node: Node, path_key: bytes, message: bytes) -> None:  # noqa: ARG001
    if len(message) > _MOST:
        raise UserError(JSONRPC2_INVALID_PARAMS, "onion message too long")


@command(
    "injectonionmessage",
    family="onion_messages",
    summary="Unwrap using {path_key}, encoded over {message}, which is an onion_message_packet, and "
    "forward or receive it",
    params={
        "path_key": Param(pubkey, "the path key that would come with it"),
        "message": Param(hex_bytes, "the onion_message_packet"),
    },
    examples=[
        "injectonionmessage 0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518 0002"
    ],
    errors={-1: "it does not decrypt, or the next node is not connected"},
    check=_check,
)
async def injectonionmessage(node: Node, path_key: bytes, message: bytes) -> dict[str, Any]:
    """See the summary."""
    await _check(node, path_key, message)
    await node.onion_messages.inject(path_key, message)
    return {}
