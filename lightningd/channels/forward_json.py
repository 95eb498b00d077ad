"""Forwards as JSON: what listforwards and the notification forward_event say."""

from __future__ import annotations

from typing import Any

from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.lightningd.db.forwards_io import ForwardState


def forward_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `ForwardStore` as listforwards shows it."""
    state = ForwardState(row["state"])
    result: dict[str, Any] = {
        "created_index": row["id"],
        "in_channel": str(ShortChannelId(row["in_channel_scid"])),
        "in_htlc_id": row["in_htlc_id"],
        "in_msat": row["in_msatoshi"],
        "status": state.name.lower(),
        "received_time": row["received_time"],
    }
    if row["updated_index"]:
        result["updated_index"] = row["updated_index"]
    if row["out_channel_scid"] is not None:
        result["out_channel"] = str(ShortChannelId(row["out_channel_scid"]))
    if row["out_htlc_id"] is not None:
        result["out_htlc_id"] = row["out_htlc_id"]
    if row["out_msatoshi"] is not None and row["out_channel_scid"] is not None:
        result["out_msat"] = row["out_msatoshi"]
        result["fee_msat"] = row["in_msatoshi"] - row["out_msatoshi"]
        result["style"] = "tlv"
    if row["resolved_time"] is not None and state in (ForwardState.SETTLED, ForwardState.FAILED):
        result["resolved_time"] = row["resolved_time"]
    if state is ForwardState.LOCAL_FAILED:
        result["failcode"] = row["failcode"]
        result["failreason"] = _wire_name(row["failcode"])
    return result


def _wire_name(code: int) -> str:
    try:
        return FailureCode(code).wire_name
    except ValueError:
        return f"UNKNOWN_{code}"


def forward_event(row: dict[str, Any], payment_hash: bytes) -> dict[str, Any]:
    """A row as the notification shows it."""
    return {"payment_hash": payment_hash.hex(), **forward_json(row)}
