"""JSON by the C functions beneath the module json: importing that, with re and enum, takes longer than all else here.

A number with a fraction or an exponent stays the text it was (1.50 stays 1.50), in requests and in what is shown.
"""

from __future__ import annotations

from _json import encode_basestring, encode_basestring_ascii, make_scanner

# Importing typing costs a tenth of the start time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLANKS = " \t\r\n"


class Number(str):
    """A number that is shown exactly as it was received."""

    __slots__ = ()


class _Settings:
    """What json.JSONDecoder would hand to the scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = Number
    parse_int = int
    parse_constant = Number


_scan = make_scanner(_Settings)  # type: ignore[arg-type]  # wants a JSONDecoder, and takes these six attributes


def decode_at(text: str, position: int) -> tuple[Any, int]:
    """One JSON value at this place and where it ends. Raises ValueError."""
    try:
        return _scan(text, position)
    except StopIteration as stop:
        raise ValueError(f"no JSON value at {stop.value}") from None


def decode(text: str) -> Any:
    """The one JSON value that a text is. Raises ValueError, which says where it is wrong."""
    try:
        bare = text.strip(BLANKS)
        value, end = decode_at(bare, 0)
        if end == len(bare):
            return value
    except ValueError:
        pass
    import json

    return json.loads(text)


def encode(value: Any) -> str:
    """JSON in ASCII, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{encode(k)}: {encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(encode, value)) + "]"
    return _scalar(value, encode_basestring_ascii)


def scalar(value: Any) -> str:
    """A string, number or literal as JSON in Unicode; so is an empty array or object."""
    return _scalar(value, encode_basestring) if value not in ({}, []) else encode(value)


def _scalar(value: Any, quoted: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and not isinstance(value, Number):
        text: str = quoted(value)
        return text
    return str(value)
