"""Commands that sign and check messages, and derive secrets for applications."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.wire.hsmd_wire import HsmdDeriveSecret, HsmdSignMessage
from pylightningd.common.zbase32 import from_zbase32, to_zbase32
from pylightningd.lightningd.rpc.dispatch import invalid_params
from pylightningd.lightningd.rpc.errors import SIGNMESSAGE_PUBKEY_NOT_FOUND
from pylightningd.lightningd.rpc.params import Param, hex_bytes, pubkey, string
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

MAX_MESSAGE = 65535
_HEADER_BASE = 31
_PREFIX = b"Lightning Signed Message:"


def _message_bytes(message: str) -> bytes:
    raw = message.encode()
    if len(raw) > MAX_MESSAGE:
        raise invalid_params("Message must be < 64k")
    return raw


async def _check_signmessage(node: Node, message: str) -> None:
    _message_bytes(message)


@command(
    "signmessage",
    family="signing",
    summary="Sign a text with the node's key",
    params={"message": Param(string, "at most 65535 bytes")},
    examples=["signmessage 'this is my message'"],
    check=_check_signmessage,
)
async def signmessage(node: Node, message: str) -> dict[str, Any]:
    """The form is the one that lnd introduced: zbase32 of a recoverable signature."""
    reply = await node.hsm.ask(HsmdSignMessage(message=_message_bytes(message)))
    signature, recid = reply.signature[:64], reply.signature[64]
    return {
        "signature": signature.hex(),
        "recid": f"{recid:02x}",
        "zbase": to_zbase32(bytes([_HEADER_BASE + recid]) + signature),
    }


def _read_zbase(zbase: str) -> bytes:
    """Signature and recovery id, 65 bytes. Raises UserError."""
    try:
        raw = from_zbase32(zbase)
    except ValueError:
        raise invalid_params("zbase is not valid zbase32") from None
    if len(raw) != 65:
        raise invalid_params(f"zbase is too {'short' if len(raw) < 65 else 'long'}")
    if not 0 <= raw[0] - _HEADER_BASE <= 3:
        raise invalid_params("cannot parse zbase signature")
    return raw[1:] + bytes([raw[0] - _HEADER_BASE])


async def _check_checkmessage(node: Node, message: str, zbase: str, pubkey: bytes | None) -> None:
    _read_zbase(zbase)


@command(
    "checkmessage",
    family="signing",
    summary="Check a text's signature by a node",
    params={
        "message": Param(string, "the text"),
        "zbase": Param(string, "the signature, as signmessage gave it"),
        "pubkey": Param(pubkey, "the signer; any known node if left out", default=None),
    },
    examples=["checkmessage 'this is my message' d6s4..."],
    errors={SIGNMESSAGE_PUBKEY_NOT_FOUND: "the signer is no node we know of"},
    check=_check_checkmessage,
)
async def checkmessage(
    node: Node, message: str, zbase: str, pubkey: bytes | None
) -> dict[str, Any]:
    """Without a key anything would be signed by somebody: then only known nodes count."""
    # coincurve takes a while to load; nothing else of the master's start needs it.
    from coincurve import PublicKey

    signature = _read_zbase(zbase)
    digest = sha256(sha256(_PREFIX + message.encode()).digest()).digest()
    try:
        signer = PublicKey.from_signature_and_message(signature, digest, hasher=None).format()
    except ValueError:
        return {"verified": False}
    if pubkey is not None:
        return {"pubkey": signer.hex(), "verified": signer == pubkey}
    if signer != node.node_id and not await _is_known(node, signer):
        raise UserError(
            SIGNMESSAGE_PUBKEY_NOT_FOUND,
            "pubkey not found in the graph",
            {"claimed_key": signer.hex()},
        )
    return {"pubkey": signer.hex(), "verified": True}


async def _is_known(node: Node, signer: bytes) -> bool:
    if node.registry.get("listnodes") is None:
        return False
    found = await node.dispatcher.call("listnodes", {"id": signer.hex()})
    return bool(found.get("nodes"))


def _info(hex: bytes | None, string: str | None) -> bytes:
    if hex is not None and string is not None:
        raise invalid_params("Cannot have both hex and string")
    if hex is not None:
        return hex
    if string is not None:
        return string.encode()
    raise invalid_params("Must have either hex or string")


async def _check_makesecret(node: Node, hex: bytes | None, string: str | None) -> None:
    _info(hex, string)


@command(
    "makesecret",
    family="signing",
    summary="Derive a secret from hsm_secret and a text",
    params={
        "hex": Param(hex_bytes, "what to derive from, as hex", default=None),
        "string": Param(string, "what to derive from, as text", default=None),
    },
    examples=["makesecret 73636220736563726574", "makesecret -k string='scb secret'"],
    check=_check_makesecret,
)
async def makesecret(node: Node, hex: bytes | None, string: str | None) -> dict[str, Any]:
    """See the summary."""
    reply = await node.hsm.ask(HsmdDeriveSecret(info=_info(hex, string)))
    return {"secret": reply.secret.reveal().hex()}
