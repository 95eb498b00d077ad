"""decryptencrypteddata and injectpaymentonion: what a node on the way does, at a user's command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.onion.payload import BadPayload
from pylightningd.common.onion.sphinx import PACKET_SIZE
from pylightningd.lightningd.channels.blinded import read_blinded
from pylightningd.lightningd.db.payments_io import Part
from pylightningd.lightningd.payments.injected import open_onion, send_opened
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import (
    Param,
    hash32,
    hex_bytes,
    msat,
    node_id_param,
    string,
    u32,
    u64,
)
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


@command(
    "injectpaymentonion",
    family="payments",
    summary="Send an onion whose first hop is this node, and wait for its end",
    params={
        "onion": Param(hex_bytes, "the onion packet, 1366 bytes; its first layer is ours"),
        "payment_hash": Param(hash32, "what the preimage must hash to"),
        "amount_msat": Param(msat, "what the first layer is to see as what came in"),
        "cltv_expiry": Param(u32, "the height at which what came in would expire"),
        "partid": Param(u64, "which part this is, from 1"),
        "groupid": Param(u64, "which attempt the parts belong to"),
        "label": Param(string, "a name of your own for it", default=None),
        "invstring": Param(string, "the invoice, to be listed with it", default=None),
        "localinvreqid": Param(hash32, "the offer's request it belongs to", default=None),
        "destination_msat": Param(msat, "what the destination gets", default=None),
        "destination": Param(node_id_param, "who gets it", default=None),
    },
    examples=["injectpaymentonion 0003... <payment_hash> 1000msat 120 1 1"],
    errors={
        218: "it failed; `onionreply` says why, to who made the onion",
        219: "the payment was made already",
    },
)
async def injectpaymentonion(
    node: Node,
    onion: bytes,
    payment_hash: bytes,
    amount_msat: Msat,
    cltv_expiry: int,
    partid: int,
    groupid: int,
    label: str | None,
    invstring: str | None,
    localinvreqid: bytes | None,
    destination_msat: Msat | None,
    destination: NodeId | None,
) -> dict[str, Any]:
    if len(onion) != PACKET_SIZE:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"onion must be {PACKET_SIZE} bytes long")
    if not partid:
        raise UserError(JSONRPC2_INVALID_PARAMS, "partid: should be 1 or more: invalid token '0'")
    opened = await open_onion(node, onion, payment_hash, amount_msat, cltv_expiry)
    part = Part(
        created_at=int(node.clock.now()),
        payment_hash=payment_hash,
        partid=partid,
        groupid=groupid,
        destination=destination,
        amount=destination_msat,
        amount_sent=opened.said.amt_to_forward,
        total=None,
        label=label,
        bolt11=invstring,
        local_invreq_id=localinvreqid,
    )
    done = await send_opened(node, opened, part, cltv_expiry)
    return {
        "created_index": done.id,
        "created_at": done.created_at,
        "completed_at": done.completed_at,
        "payment_preimage": (done.preimage or b"").hex(),
    }
