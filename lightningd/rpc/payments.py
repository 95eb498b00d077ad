"""Commands that send parts of payments and tell what became of them. Finding routes is the payer plugin's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import AmountError, Msat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, ShortChannelId, node_id
from pylightningd.common.invoice import bolt11 as b11
from pylightningd.common.invoice import bolt12
from pylightningd.lightningd.db.payments_io import Part, PaymentStatus
from pylightningd.lightningd.payments.describe import part_json
from pylightningd.lightningd.payments.new_invoice import is_bolt12
from pylightningd.lightningd.payments.outgoing import FinalData, RouteHop
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    PAY_NO_SUCH_PAYMENT,
    PAY_STATUS_UNEXPECTED,
)
from pylightningd.lightningd.rpc.params import (
    Param,
    array,
    bad_param,
    hash32,
    hex_bytes,
    msat,
    node_id_param,
    obj,
    one_of,
    parse_msat,
    secret32,
    string,
    u16,
    u32,
    u64,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import WINDOW_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_HASH = "3bd4a5c1e2a7f1bd8b4b3e8a7c1b8f6a9d2e0c4f5a6b7c8d9e0f1a2b3c4d5e6f"
_PREIMAGE_WAIT_TIMEOUT = 200
_DELAYS = range(500_000_000)
"""From there on a locktime would mean seconds."""
_HOP_EXAMPLE = '{"amount_msat": 1000, "id": "02...", "delay": 9, "channel": "103x1x0"}'


def _hop_error(index: int, problem: str) -> UserError:
    return UserError(
        JSONRPC2_INVALID_PARAMS, f"route[{index}]: {problem}; a hop looks like {_HOP_EXAMPLE}"
    )


def parse_hop(index: int, value: Any) -> RouteHop:
    """One element of `route`. Raises UserError."""
    if not isinstance(value, dict):
        raise _hop_error(index, "should be an object")
    for key in ("amount_msat", "id", "delay"):
        if key not in value:
            raise _hop_error(index, f"needs {key}")
    try:
        channel = value.get("channel")
        delay = int(value["delay"])
        if delay not in _DELAYS:
            raise ValueError("delay: should be a number of blocks")
        return RouteHop(
            node=node_id(bytes.fromhex(value["id"])),
            channel=None if channel is None else ShortChannelId.from_str(channel),
            amount=parse_msat(str(value["amount_msat"])),
            delay=delay,
        )
    except (ValueError, TypeError, OverflowError, AmountError) as error:
        raise _hop_error(index, str(error)) from None


def _parse_route(route: list[Any]) -> list[RouteHop]:
    hops = [parse_hop(i, hop) for i, hop in enumerate(route)]
    for i, hop in enumerate(hops[1:], 1):
        if hop.channel is None:
            raise _hop_error(i, "needs channel")
    return hops


@command(
    "sendpay",
    family="payments",
    summary="Send along {route} in return for preimage of {payment_hash}",
    params={
        "route": Param(array, "the hops: id, channel, amount_msat and delay of each"),
        "payment_hash": Param(hash32, "what the preimage must hash to"),
        "label": Param(string, "a name of your own for it", default=None),
        "amount_msat": Param(
            msat, "the whole amount, where this is one of several parts", default=None
        ),
        "bolt11": Param(string, "the invoice, to be listed with it", default=None),
        "payment_secret": Param(secret32, "the invoice's payment_secret", default=None),
        "partid": Param(u64, "which part this is", default=0),
        "localinvreqid": Param(hex_bytes, "the offer's request it belongs to", default=None),
        "groupid": Param(u64, "which attempt the parts belong to", default=None),
        "payment_metadata": Param(hex_bytes, "the invoice's metadata", default=None),
        "description": Param(
            string, "what it is for, where the invoice has only a hash", default=None
        ),
        "dev_legacy_hop": Param(string, "not supported", default=None, dev=True),
    },
    examples=[f"sendpay '[{_HOP_EXAMPLE}]' {_HASH}"],
    errors={
        200: "the payment is under way already",
        201: "the payment was made already",
        203: "the destination refuses for good",
        204: "another route may work",
    },
)
async def sendpay(
    node: Node,
    route: list[Any],
    payment_hash: bytes,
    label: str | None,
    amount_msat: Msat | None,
    bolt11: str | None,
    payment_secret: bytes | None,
    partid: int,
    localinvreqid: bytes | None,
    groupid: int | None,
    payment_metadata: bytes | None,
    description: str | None,
    dev_legacy_hop: Any = None,  # noqa: ARG001 - accepted, as CLN's tests pass it
) -> dict[str, Any]:
    if not route:
        return await _pay_self(
            node, payment_hash, amount_msat, groupid, label, description, bolt11, payment_secret
        )
    hops = _parse_route(route)
    final_amount = hops[-1].amount
    if partid and amount_msat is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Must specify amount_msat with partid")
    if amount_msat is not None and amount_msat < final_amount and partid == 0:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"Do not specify amount_msat {amount_msat} below the route's {final_amount} without partid",
        )
    if partid and payment_secret is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "partid requires payment_secret")
    part = Part(
        created_at=int(node.clock.now()),
        payment_hash=payment_hash,
        partid=partid,
        groupid=groupid or 0,
        destination=hops[-1].node,
        amount=final_amount,
        amount_sent=hops[0].amount,
        total=amount_msat or final_amount,
        label=label,
        description=description,
        bolt11=bolt11,
        local_invreq_id=localinvreqid,
    )
    final = FinalData(
        payment_secret=payment_secret,
        total=amount_msat or final_amount,
        metadata=payment_metadata,
    )

    def send() -> Part:
        if groupid is None:
            part.groupid = node.payments.next_group(payment_hash)
        return node.payments.send_route(hops, part, final)

    sent = await node.turn.do(send)
    return _sent_json(sent)


async def _pay_self(
    node: Node,
    payment_hash: bytes,
    amount: Msat | None,
    groupid: int | None,
    label: str | None,
    description: str | None,
    bolt11: str | None,
    payment_secret: bytes | None,
) -> dict[str, Any]:
    """An empty route leads to ourselves."""
    if amount is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Self-payment requires amount_msat")
    part = Part(
        created_at=int(node.clock.now()),
        payment_hash=payment_hash,
        partid=0,
        groupid=node.payments.next_group(payment_hash) if groupid is None else groupid,
        destination=node.node_id,
        amount=amount,
        amount_sent=amount,
        total=amount,
        label=label,
        description=description,
        bolt11=bolt11,
    )
    sent = await node.turn.do(lambda: node.payments.send_to_self(part, payment_secret))
    return _sent_json(sent)


def _sent_json(part: Part) -> dict[str, Any]:
    result = part_json(part)
    if part.status is PaymentStatus.PENDING:
        result["message"] = "Monitor status with listpays or waitsendpay"
    return result


@command(
    "waitsendpay",
    family="payments",
    summary="Wait for payment attempt on {payment_hash} to succeed or fail, but only up to {timeout} seconds",
    params={
        "payment_hash": Param(hash32, "of the payment"),
        "timeout": Param(u32, "seconds to wait; 0 or left out: for ever", default=None),
        "partid": Param(u64, "which part", default=0),
        "groupid": Param(u64, "which attempt; the newest if left out", default=None),
    },
    examples=[f"waitsendpay {_HASH} 60"],
    errors={
        200: "the time is over and the payment still pending",
        202: "the failure cannot be read",
        203: "the destination refuses for good",
        204: "another route may work",
        208: "there is no such payment",
    },
)
async def waitsendpay(
    node: Node,
    payment_hash: bytes,
    timeout: int | None,  # noqa: ASYNC109 - the command's own name
    partid: int,
    groupid: int | None,
) -> dict[str, Any]:
    waiting = node.payments.wait(payment_hash, partid, groupid)
    part: Part = await node.within(
        timeout or None,
        waiting,
        UserError(_PREIMAGE_WAIT_TIMEOUT, "Timed out while waiting"),
    )
    return part_json(part)


def _hash_of(text: str) -> bytes:
    bare = text.lower().removeprefix("lightning:")
    if is_bolt12(bare):
        try:
            return bolt12.decode_invoice(bare).invoice_payment_hash or b""
        except bolt12.Bolt12Error as error:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Invalid invstring: {error}") from None
    try:
        return b11.decode(text).payment_hash
    except b11.InvoiceError as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Invalid invstring: {error}") from None


@command(
    "listsendpays",
    family="payments",
    summary="Show sendpay, old and current, optionally limiting to {bolt11} or {payment_hash}",
    params={
        "bolt11": Param(string, "only payments of this invoice", default=None),
        "payment_hash": Param(hash32, "only payments of this hash", default=None),
        "status": Param(one_of("pending", "complete", "failed"), "only these", default=None),
        **WINDOW_PARAMS,
    },
    examples=["listsendpays", f"listsendpays -k payment_hash={_HASH}"],
)
async def listsendpays(
    node: Node,
    bolt11: str | None,
    payment_hash: bytes | None,
    status: str | None,
    index: str | None,
    start: int | None,
    limit: int | None,
) -> dict[str, Any]:
    if bolt11 is not None and payment_hash is not None:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "Can only specify one of {bolt11} or {payment_hash}"
        )
    wanted = payment_hash if bolt11 is None else _hash_of(bolt11)
    wanted_status = None if status is None else PaymentStatus[status.upper()]
    window = read_window(index, start, limit)
    parts = node.payments.store.listed(window, wanted, wanted_status)
    return {"payments": [part_json(part, listed=True) for part in parts]}


@command(
    "delpay",
    family="payments",
    summary="Delete payment with {payment_hash} and {status}",
    params={
        "payment_hash": Param(hash32, "of the payment"),
        "status": Param(one_of("complete", "failed"), "how it ended"),
        "partid": Param(u64, "only this part", default=None),
        "groupid": Param(u64, "only this attempt", default=None),
    },
    examples=[f"delpay {_HASH} failed"],
    errors={208: "there is no such payment", 211: "it ended otherwise"},
)
async def delpay(
    node: Node, payment_hash: bytes, status: str, partid: int | None, groupid: int | None
) -> dict[str, Any]:
    if (partid is None) != (groupid is None):
        raise UserError(JSONRPC2_INVALID_PARAMS, "Must set both partid and groupid, or neither")

    def delete() -> list[Part]:
        store = node.payments.store
        parts = [
            p
            for p in store.of_hash(payment_hash)
            if partid is None or (p.partid == partid and p.groupid == groupid)
        ]
        if not parts:
            raise UserError(PAY_NO_SUCH_PAYMENT, "Unknown payment with this payment_hash")
        found = [p for p in parts if p.status.name.lower() == status]
        if not found:
            raise UserError(
                PAY_STATUS_UNEXPECTED,
                f"Payment with hash {payment_hash.hex()} has {parts[-1].status.name.lower()} status but it should be {status}",
            )
        store.delete(found)
        return found

    return {"payments": [part_json(p) for p in await node.turn.do(delete)]}


@command(
    "sendonion",
    family="payments",
    summary="Send a payment with a pre-computed onion",
    params={
        "onion": Param(hex_bytes, "the onion packet, 1366 bytes"),
        "first_hop": Param(obj, "id, amount_msat and delay of the first hop"),
        "payment_hash": Param(hash32, "what the preimage must hash to"),
        "label": Param(string, "a name of your own for it", default=None),
        "shared_secrets": Param(array, "to read a failure with, from createonion", default=None),
        "partid": Param(u16, "which part this is", default=0),
        "bolt11": Param(string, "the invoice, to be listed with it", default=None),
        "amount_msat": Param(msat, "what the destination gets", default=None),
        "destination": Param(node_id_param, "who gets it", default=None),
        "localinvreqid": Param(hash32, "the offer's request it belongs to", default=None),
        "groupid": Param(u64, "which attempt the parts belong to", default=None),
        "description": Param(string, "what it is for", default=None),
        "total_amount_msat": Param(msat, "of all parts", default=None),
    },
    examples=['sendonion <hex> \'{"id": "02...", "amount_msat": 1000, "delay": 9}\' ' + _HASH],
    errors={200: "the payment is under way already", 204: "another route may work"},
)
async def sendonion(
    node: Node,
    onion: bytes,
    first_hop: dict[str, Any],
    payment_hash: bytes,
    label: str | None,
    shared_secrets: list[Any] | None,
    partid: int,
    bolt11: str | None,
    amount_msat: Msat | None,
    destination: NodeId | None,
    localinvreqid: bytes | None,
    groupid: int | None,
    description: str | None,
    total_amount_msat: Msat | None,
) -> dict[str, Any]:
    if len(onion) != 1366:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"onion: should be 1366 bytes, not {len(onion)}")
    hop = parse_hop(0, first_hop)
    if hop.delay < 1:
        raise bad_param("first_hop", hop.delay, "should be a positive, non-zero, number")
    secrets = b""
    try:
        secrets = b"".join(bytes.fromhex(s) for s in shared_secrets or ())
    except (ValueError, TypeError):
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "shared_secrets: should be an array of 32-byte hex values"
        ) from None
    part = Part(
        created_at=int(node.clock.now()),
        payment_hash=payment_hash,
        partid=partid,
        groupid=node.payments.next_group(payment_hash) if groupid is None else groupid,
        destination=destination,
        amount=amount_msat,
        amount_sent=hop.amount,
        total=total_amount_msat or amount_msat,
        label=label,
        description=description,
        bolt11=bolt11,
        local_invreq_id=localinvreqid,
        path_secrets=secrets,
    )
    sent = await node.turn.do(lambda: node.payments.send_onion(hop, part, onion))
    return _sent_json(sent)
