"""createonion: an onion from payloads that the caller made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.keys import InvalidKey, is_pubkey
from pylightningd.common.onion.sphinx import OnionTooLarge, make_onion
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, array, hex_bytes, secret32, u16
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ROUTING_SIZE = 1300


def _hop(index: int, value: Any) -> tuple[bytes, bytes]:
    try:
        pubkey, payload = bytes.fromhex(value["pubkey"]), bytes.fromhex(value["payload"])
    except (KeyError, TypeError, ValueError):
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f'hops[{index}]: should be an object like {{"pubkey": "02...", "payload": "<hex>"}}',
        ) from None
    if not is_pubkey(pubkey):
        raise UserError(
            JSONRPC2_INVALID_PARAMS, f"hops[{index}]: pubkey is not a compressed public key"
        )
    return pubkey, payload


@command(
    "createonion",
    family="onions",
    summary="Create an onion going through the provided nodes, each with its own payload",
    params={
        "hops": Param(array, "pubkey and payload (with its length in front) of each hop"),
        "assocdata": Param(hex_bytes, "what the onion is bound to: the payment_hash"),
        "session_key": Param(secret32, "for tests; random if left out", default=None),
        "onion_size": Param(u16, "bytes of routing information", default=_ROUTING_SIZE),
    },
    examples=['createonion \'[{"pubkey": "02...", "payload": "..."}]\' <payment_hash>'],
)
async def createonion(
    node: Node, hops: list[Any], assocdata: bytes, session_key: bytes | None, onion_size: int
) -> dict[str, Any]:
    parsed = [_hop(i, hop) for i, hop in enumerate(hops)]
    if not parsed:
        raise UserError(JSONRPC2_INVALID_PARAMS, "hops: should hold at least one hop")
    if session_key is None:
        key = node.entropy.take(32)
    else:
        key = session_key
    try:
        packet, secrets = make_onion(key, parsed, assocdata, onion_size)
    except OnionTooLarge as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"hops: {error}") from None
    except InvalidKey as error:
        name = "session_key" if session_key is not None else "hops"
        raise UserError(JSONRPC2_INVALID_PARAMS, f"{name}: {error}") from None
    return {"onion": packet.hex(), "shared_secrets": [secret.hex() for secret in secrets]}
