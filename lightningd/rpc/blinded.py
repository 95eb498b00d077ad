"""decryptencrypteddata: what a blinded path tells us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.onion.payload import BadPayload
from pylightningd.lightningd.channels.blinded import read_blinded
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, hex_bytes, node_id_param
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.common.ids import NodeId
    from pylightningd.lightningd.node import Node


@command(
    "decryptencrypteddata",
    family="onions",
    summary="Decrypt {encrypted_data} that is for this node, using {path_key}",
    params={
        "encrypted_data": Param(hex_bytes, "encrypted_recipient_data of our hop"),
        "path_key": Param(node_id_param, "the path key of our hop"),
    },
    examples=["decryptencrypteddata 0a... 02..."],
)
async def decryptencrypteddata(
    node: Node, encrypted_data: bytes, path_key: NodeId
) -> dict[str, Any]:
    try:
        found = await read_blinded(node, path_key, encrypted_data)
    except BadPayload as why:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Decryption failed! {why}") from None
    return {
        "decryptencrypteddata": {
            "decrypted": found.data.hex(),
            "next_path_key": found.next_path_key.hex(),
        }
    }
