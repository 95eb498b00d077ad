"""Parameters of the payer's commands: JSON values in, Python values out, CLN's words where one does not fit. Pure."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from pylightningd.plugins.lib import INVALID_PARAMS, RpcError
from pylightningd.plugins.pay.attempt import parse_scid

_AMOUNT = re.compile(r"([0-9]*\.?[0-9]*)(msat|sat|btc)?")
_DIGITS = {"btc": 11, "sat": 3, "msat": 0}
_MAX_MSAT = 21_000_000 * 100_000_000 * 1000


def bad(name: str, value: Any, expected: str) -> NoReturn:
    """Raise the error for a value that does not fit."""
    raise RpcError(INVALID_PARAMS, f"{name}: {expected}: invalid token '{json.dumps(value)}'")


def required(name: str, value: Any) -> Any:
    """The value; raises RpcError where the caller left it out."""
    if value is None:
        raise RpcError(INVALID_PARAMS, f"missing required parameter: {name}")
    return value


def text(name: str, value: Any) -> str | None:
    """A string; numbers are taken as their text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    bad(name, value, "should be a string")


def msat(name: str, value: Any) -> int | None:
    """``1000``, ``1000msat``, ``1sat`` or ``0.00000001btc``."""
    if value is None:
        return None
    found = _AMOUNT.fullmatch(str(value)) if isinstance(value, str | int) else None
    expected = "should be a millisatoshi amount"
    if found is None or isinstance(value, bool) or not any(c.isdigit() for c in found[1]):
        bad(name, value, expected)
    unit = found[2] or "msat"
    try:
        amount = Decimal(found[1]).scaleb(_DIGITS[unit])
    except InvalidOperation:
        bad(name, value, expected)
    fits = amount == amount.to_integral_value() and amount <= _MAX_MSAT
    if not fits or ("." in found[1] and unit != "btc"):
        bad(name, value, expected)
    return int(amount)


def unsigned(name: str, value: Any, bits: int = 32) -> int | None:
    """A whole number from 0."""
    if value is None:
        return None
    if isinstance(value, bool) or not re.fullmatch("[0-9]+", str(value)) or int(value) >> bits:
        bad(name, value, f"should be an unsigned {bits} bit integer")
    return int(value)


def number(name: str, value: Any) -> float | None:
    """A number from 0, perhaps with decimals."""
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if isinstance(value, bool) or not 0 <= found < float("inf"):
        bad(name, value, "should be a non-negative floating-point number")
    return found


def hex_bytes(name: str, value: Any, length: int | None = None) -> bytes | None:
    """Hex, of so many bytes."""
    if value is None:
        return None
    try:
        raw = bytes.fromhex(value)
    except (TypeError, ValueError):
        raw = b""
    if (not raw and value != "") or (length is not None and len(raw) != length):
        what = "hex value" if length is None else f"{length} byte hex value"
        bad(name, value, f"should be a {what}")
    return raw


def node_id(name: str, value: Any) -> bytes | None:
    """A compressed public key."""
    if value is None:
        return None
    try:
        raw = bytes.fromhex(value)
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != 33 or raw[0] not in (2, 3):
        bad(name, value, "should be a node id")
    return raw


def one_of(name: str, value: Any, *choices: str) -> str | None:
    """One of some words."""
    if value is None:
        return None
    if value in choices:
        return str(value)
    quoted = ", ".join(f"'{c}'" for c in choices)
    bad(name, value, f"should be one of {quoted}")


def exclusions(name: str, value: Any) -> tuple[set[tuple[int, int]], set[bytes]]:
    """Channels (``NxNxN/N``) and nodes of an exclude array."""
    channels: set[tuple[int, int]] = set()
    nodes: set[bytes] = set()
    if value is None:
        return channels, nodes
    expected = "should be an array of short_channel_id_dir or node_id"
    if not isinstance(value, list):
        bad(name, value, expected)
    for item in value:
        try:
            if "/" in item:
                scid, _, direction = item.partition("/")
                if direction not in ("0", "1"):
                    bad(name, item, expected)
                channels.add((parse_scid(scid), int(direction)))
            else:
                raw = bytes.fromhex(item)
                if len(raw) != 33:
                    bad(name, item, expected)
                nodes.add(raw)
        except (TypeError, ValueError):
            bad(name, item, expected)
    return channels, nodes
