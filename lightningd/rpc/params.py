"""Types of parameters: JSON value in, Python value out, CLN's words where it does not fit.

As in CLN a value is judged by its text, so ``"5"`` is as good as ``5`` where a number is wanted
(lightning-cli and many libraries send strings). A type is used in a command's table as
``Param(msat, "how much")``; types with arguments are functions, e.g. ``one_of("bech32", "p2tr")``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pylightningd.common.amount import AmountError, Msat, Sat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import (
    ChannelId,
    NodeId,
    Outpoint,
    ShortChannelId,
    Txid,
    txid_from_hex,
)
from pylightningd.common.ids import node_id as make_node_id
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS

Convert = Callable[[str, Any], Any]
_UNSIGNED = re.compile(r"[0-9]+")
_FEERATE = re.compile(r"([0-9]+)(perkw|perkb)?")
_TARGET = re.compile(r"([0-9]+)blocks")
_DIGITS = {"btc": 11, "sat": 3, "msat": 0}


@dataclass(frozen=True, slots=True)
class ParamType:
    """How to read one kind of value, and its name and JSON schema for the documentation."""

    name: str
    convert: Convert
    schema: dict[str, Any]

    def __call__(self, param: str, value: Any) -> Any:
        return self.convert(param, value)


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a command. Without `default` it is required; the default is a Python value."""

    type: ParamType
    about: str
    default: Any = REQUIRED
    dev: bool = False
    """Only with --developer."""

    @property
    def required(self) -> bool:
        """Must the caller give it?"""
        return self.default is REQUIRED


def shown(value: Any) -> str:
    """A JSON value as the caller wrote it, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def bad_param(param: str, value: Any, expected: str) -> UserError:
    """The error for a value that does not fit, in CLN's form."""
    return UserError(
        JSONRPC2_INVALID_PARAMS, f"{param}: {expected}: invalid token '{shown(value)}'"
    )


def text_of(value: Any) -> str | None:
    """A scalar as text, None for null, arrays and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return json.dumps(value)
    return None


def _from_text(
    name: str, expected: str, schema: dict[str, Any], read: Callable[[str], Any]
) -> ParamType:
    """A type that is read from a scalar's text; `read` raises ValueError where it does not fit."""

    def convert(param: str, value: Any) -> Any:
        text = text_of(value)
        if text is None:
            raise bad_param(param, value, expected)
        try:
            return read(text)
        except (ValueError, ArithmeticError):
            raise bad_param(param, value, expected) from None

    return ParamType(name, convert, schema)


def _hex(text: str, length: int | None = None) -> bytes:
    raw = bytes.fromhex(text)
    if len(text) != 2 * len(raw):
        raise ValueError("white space")
    if length is not None and len(raw) != length:
        raise ValueError("wrong length")
    return raw


# Plain values


def _unsigned(bits: int) -> ParamType:
    def read(text: str) -> int:
        if not _UNSIGNED.fullmatch(text) or int(text) >> bits:
            raise ValueError("out of range")
        return int(text)

    return _from_text(
        f"u{bits}", f"should be an unsigned {bits} bit integer", {"type": f"u{bits}"}, read
    )


u8 = _unsigned(8)
u16 = _unsigned(16)
u32 = _unsigned(32)
u64 = _unsigned(64)


def _integer(text: str) -> int:
    value = int(text) if re.fullmatch(r"-?[0-9]+", text) else None
    if value is None or not -(1 << 63) <= value < 1 << 63:
        raise ValueError("not an integer")
    return value


s64 = _from_text("integer", "should be an integer", {"type": "integer"}, _integer)
"""A whole number of either sign."""


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("not a boolean")
    return text == "true"


boolean = _from_text("boolean", "should be 'true' or 'false'", {"type": "boolean"}, _boolean)


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError("negative")
    return value


number = _from_text(
    "number", "should be a non-negative floating-point number", {"type": "number"}, _number
)


def _millionths(text: str) -> int:
    value = Decimal(text)
    if not value.is_finite() or value < 0:
        raise ValueError("negative")
    return int(value * 1_000_000)


millionths = _from_text(
    "number", "should be a non-negative floating-point number", {"type": "number"}, _millionths
)
"""A fraction or percentage, as a whole number of millionths (0.5 is 500000)."""

string = _from_text("string", "should be a string", {"type": "string"}, str)


def _string_or_int(param: str, value: Any) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise bad_param(param, value, "should be a string or number")


string_or_int = ParamType(
    "label", _string_or_int, {"oneOf": [{"type": "string"}, {"type": "integer"}]}
)
"""A label: text or a number, kept as text."""
label = string_or_int


def one_of(*choices: str) -> ParamType:
    """One of some words."""

    def convert(param: str, value: Any) -> str:
        text = text_of(value)
        if text not in choices:
            quoted = ", ".join(f"'{c}'" for c in choices)
            raise bad_param(
                param, value, f"should be {'one of ' if len(choices) > 1 else ''}{quoted}"
            )
        return text

    return ParamType("|".join(choices), convert, {"type": "string", "enum": list(choices)})


# Bytes

hex_bytes = _from_text("hex", "should be a hex value", {"type": "hex"}, _hex)
secret32 = _from_text(
    "secret", "should be a 32 byte hex value", {"type": "secret"}, lambda t: _hex(t, 32)
)
hash32 = _from_text(
    "hash", "should be a 32 byte hex value", {"type": "hash"}, lambda t: _hex(t, 32)
)


# Names of things


def _point(text: str) -> bytes:
    return make_node_id(_hex(text, 33))


node_id_param = _from_text(
    "pubkey", "should be a node id", {"type": "pubkey"}, lambda t: NodeId(_point(t))
)
node_id = node_id_param
pubkey = _from_text("pubkey", "should be a compressed pubkey", {"type": "pubkey"}, _point)
scid = _from_text(
    "short_channel_id",
    "should be a short_channel_id of form NxNxN",
    {"type": "short_channel_id"},
    ShortChannelId.from_str,
)


def _scid_dir(text: str) -> tuple[ShortChannelId, int]:
    left, _, direction = text.partition("/")
    if direction not in ("0", "1"):
        raise ValueError("no direction")
    return ShortChannelId.from_str(left), int(direction)


scid_dir = _from_text(
    "short_channel_id_dir",
    "should be a short_channel_id_dir of form NxNxN/N",
    {"type": "short_channel_id_dir"},
    _scid_dir,
)
channel_id = _from_text(
    "channel_id", "should be a channel id", {"type": "hash"}, lambda t: ChannelId(_hex(t, 32))
)


def _scid_or_id(text: str) -> ShortChannelId | ChannelId:
    return ChannelId(_hex(text, 32)) if len(text) == 64 else ShortChannelId.from_str(text)


scid_or_id = _from_text(
    "short_channel_id or channel_id",
    "should be a channel ID or short channel ID",
    {"oneOf": [{"type": "short_channel_id"}, {"type": "hash"}]},
    _scid_or_id,
)


def _peer_or_channel(text: str) -> NodeId | ShortChannelId | ChannelId:
    return NodeId(_point(text)) if len(text) == 66 else _scid_or_id(text)


peer_or_channel = _from_text(
    "id",
    "should be a node id, channel ID or short channel ID",
    {"type": "string"},
    _peer_or_channel,
)
"""Tell the three apart: ShortChannelId is an int; a NodeId has 33 bytes, a ChannelId 32."""
txid = _from_text("txid", "should be a txid", {"type": "txid"}, lambda t: Txid(txid_from_hex(t)))
outpoint = _from_text(
    "outpoint", "should be a txid:outnum", {"type": "outpoint"}, Outpoint.from_str
)


def _txid_or_outpoint(text: str) -> Txid | Outpoint:
    return Outpoint.from_str(text) if ":" in text else Txid(txid_from_hex(text))


txid_or_outpoint = _from_text(
    "txid or outpoint",
    "should be a txid or a txid:outnum",
    {"oneOf": [{"type": "txid"}, {"type": "outpoint"}]},
    _txid_or_outpoint,
)


# Amounts


def _split_amount(text: str, bare_unit: str) -> Decimal:
    """Thousandths of a satoshi in an amount with or without a unit."""
    match = re.fullmatch(r"([0-9]*\.?[0-9]*)(msat|sat|btc)?", text)
    if match is None or not any(c.isdigit() for c in match[1]):
        raise ValueError("not an amount")
    unit = match[2] or bare_unit
    if "." in match[1] and unit != "btc":
        raise ValueError("only btc has a decimal point")
    try:
        value = Decimal(match[1]).scaleb(_DIGITS[unit])
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if value != value.to_integral_value():
        raise ValueError("more decimals than there are")
    return value


def parse_msat(text: str) -> Msat:
    """Read ``1000``, ``1000msat``, ``1sat`` or ``0.00000001btc``. Raises ValueError."""
    if text.isdecimal() and text.isascii():
        return Msat(int(text))
    return Msat(int(_split_amount(text, "msat")))


def parse_sat(text: str) -> Sat:
    """Read ``1000``, ``1000sat``, ``1000000msat`` or ``0.00001btc``. Raises ValueError."""
    value = int(_split_amount(text, "sat"))
    if value % 1000:
        raise AmountError("not a whole number of satoshis")
    return Sat(value // 1000)


msat = _from_text("msat", "should be a millisatoshi amount", {"type": "msat"}, parse_msat)
sat = _from_text("sat", "should be a satoshi amount", {"type": "sat"}, parse_sat)


class _Word:
    """A word that stands for an amount."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __repr__(self) -> str:
        return self.word


ANY = _Word("any")
ALL = _Word("all")
msat_or_any = _from_text(
    "msat_or_any",
    "should be a positive millisatoshi amount or 'any'",
    {"type": "msat_or_any"},
    lambda t: ANY if t == "any" else _positive(parse_msat(t)),
)
"""`ANY` or Msat above zero."""
msat_or_all = _from_text(
    "msat_or_all",
    "should be a millisatoshi amount or 'all'",
    {"type": "msat_or_all"},
    lambda t: ALL if t == "all" else parse_msat(t),
)
"""`ALL` or Msat."""
sat_or_all = _from_text(
    "sat_or_all",
    "should be a satoshi amount or 'all'",
    {"type": "sat_or_all"},
    lambda t: ALL if t == "all" else parse_sat(t),
)
"""`ALL` or Sat."""


def _positive(amount: Msat) -> Msat:
    if not amount:
        raise ValueError("zero")
    return amount


# Feerates

FEERATE_FLOOR_PERKW = 253
FEERATE_NAMES = (
    "urgent", "normal", "slow", "minimum", "opening", "mutual_close", "unilateral_close", "unilateral_anchor_close",
    "delayed_to_us", "htlc_resolution", "penalty", "min_acceptable", "max_acceptable",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feerate:
    """What the caller said: a rate, a name, or a number of blocks. The chain turns the last two into a rate."""

    perkw: int | None = None
    name: str | None = None
    blocks: int | None = None


def parse_feerate(text: str) -> Feerate:
    """Read ``slow``, ``6blocks``, ``253perkw``, ``1000perkb`` or ``1000`` (per kB). Raises ValueError."""
    if text in FEERATE_NAMES:
        return Feerate(name=text)
    if match := _TARGET.fullmatch(text):
        return Feerate(blocks=int(match[1]))
    match = _FEERATE.fullmatch(text)
    if match is None:
        raise ValueError("not a feerate")
    number_ = int(match[1])
    perkw = number_ if match[2] == "perkw" else -(-number_ // 4)
    if perkw >> 32:
        raise ValueError("too large")
    return Feerate(perkw=max(perkw, FEERATE_FLOOR_PERKW))


feerate = _from_text(
    "feerate",
    "should be a feerate: 'slow', 'normal', 'urgent', a number of blocks such as '6blocks', or an integer with "
    "optional perkw/perkb",
    {"type": "feerate"},
    parse_feerate,
)

# Compound values


def _array(param: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise bad_param(param, value, "should be an array")
    return value


def _obj(param: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_param(param, value, "should be an object")
    return value


array = ParamType("array", _array, {"type": "array"})
"""An array of anything; the command looks inside."""
obj = ParamType("object", _obj, {"type": "object"})
anything = ParamType("any", lambda _param, value: value, {})


def array_of(item: ParamType) -> ParamType:
    """An array whose items all have one type."""

    def convert(param: str, value: Any) -> list[Any]:
        return [item(f"{param}[{i}]", v) for i, v in enumerate(_array(param, value))]

    return ParamType(f"array of {item.name}", convert, {"type": "array", "items": item.schema})


outpoint_list = array_of(outpoint)


def string_or_array(item: ParamType = string) -> ParamType:
    """One value or an array of them; always a list in Python."""

    def convert(param: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return [item(f"{param}[{i}]", v) for i, v in enumerate(value)]
        return [item(param, value)]

    return ParamType(
        f"{item.name} or array",
        convert,
        {"oneOf": [item.schema, {"type": "array", "items": item.schema}]},
    )
