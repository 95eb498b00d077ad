"""Reads the parameters of topology's commands. Errors are CLN's: name, what was expected, what came."""

from __future__ import annotations

import re
from typing import Any

from pylightningd.common.ids import ShortChannelId, node_id
from pylightningd.plugins.lib import INVALID_PARAMS, RpcError

_AMOUNT = re.compile(r"(\d+)(?:\.(\d{1,11}))?(msat|sat|btc)?")
_DECIMALS = {"msat": 0, "sat": 3, "btc": 11}


def refuse(name: str, expected: str, value: Any) -> RpcError:
    """The error for a parameter."""
    return RpcError(INVALID_PARAMS, f"{name}: should be {expected}: invalid token '{value}'")


def read_node_id(name: str, value: Any) -> bytes:
    """Raises RpcError."""
    try:
        return node_id(bytes.fromhex(value))
    except (TypeError, ValueError):
        raise refuse(name, "a node id", value) from None


def read_scid(name: str, value: Any) -> ShortChannelId:
    """Raises RpcError."""
    try:
        return ShortChannelId.from_str(value)
    except (TypeError, ValueError):
        raise refuse(name, "a short_channel_id of form NxNxN", value) from None


def read_number(name: str, value: Any) -> int:
    """Raises RpcError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise refuse(name, "an integer", value)


def read_factor(name: str, value: Any) -> float:
    """A number with up to six decimals. Raises RpcError."""
    try:
        factor = float(value)
    except (TypeError, ValueError):
        factor = -1.0
    if isinstance(value, bool) or not 0 <= factor < 1e12:  # noqa: PLR2004 - any sane percentage
        raise refuse(name, "a non-negative floating-point number", value)
    return factor


def read_msat(name: str, value: Any) -> int:
    """``1000``, ``1000msat``, ``1sat`` or ``0.00000001btc``. Raises RpcError."""
    match = _AMOUNT.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        raise refuse(name, "a millisatoshi amount", value)
    whole, fraction, unit = match.groups()
    places = _DECIMALS[unit or "msat"]
    fraction = fraction or ""
    if len(fraction) > places:
        raise refuse(name, "a millisatoshi amount", value)
    return int(whole + fraction.ljust(places, "0"))


def read_exclusions(value: Any) -> tuple[list[tuple[ShortChannelId, int]], list[bytes]]:
    """Directions of channels, and nodes. Raises RpcError."""
    if not isinstance(value, list):
        raise refuse("exclude", "an array of short_channel_id/direction or node id", value)
    halves: list[tuple[ShortChannelId, int]] = []
    nodes: list[bytes] = []
    for item in value:
        scid, slash, direction = str(item).partition("/")
        if slash and direction in ("0", "1"):
            halves.append((read_scid("exclude", scid), int(direction)))
        elif len(str(item)) == 66:  # noqa: PLR2004 - hex of 33 bytes
            nodes.append(read_node_id("exclude", item))
        else:
            raise refuse("exclude", "short_channel_id/direction or node id", item)
    return halves, nodes


def read_layers(value: Any, known: set[str]) -> set[str]:
    """Names of askrene's layers. Raises RpcError where one is not known."""
    if not isinstance(value, list):
        raise refuse("layers", "an array of names of layers", value)
    for name in value:
        if name not in known:
            raise refuse("layers", "names of known layers: " + ", ".join(sorted(known)), name)
    return set(value)
