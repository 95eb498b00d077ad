"""Checks a reply against a command's schema, as CLN's test tools do: nothing missing, nothing extra."""

from __future__ import annotations

import re
from typing import Any

import jsonschema

from pylightningd.lightningd.rpc.registry import BUILTIN

HEX = re.compile(r"(?:[0-9a-f]{2})*")


def _is(pattern: str) -> Any:
    compiled = re.compile(pattern)
    return lambda _checker, value: isinstance(value, str) and bool(compiled.fullmatch(value))


def _unsigned(bits: int) -> Any:
    return lambda _checker, value: (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits
    )


_CHECKER = jsonschema.Draft7Validator.TYPE_CHECKER.redefine_many(
    {
        "hex": _is(r"(?:[0-9a-f]{2})*"),
        "hash": _is(r"[0-9a-f]{64}"),
        "secret": _is(r"[0-9a-f]{64}"),
        "txid": _is(r"[0-9a-f]{64}"),
        "pubkey": _is(r"0[23][0-9a-f]{64}"),
        "point32": _is(r"[0-9a-f]{64}"),
        "signature": _is(r"[0-9a-f]+"),
        "bip340sig": _is(r"[0-9a-f]{128}"),
        "short_channel_id": _is(r"\d+x\d+x\d+"),
        "short_channel_id_dir": _is(r"\d+x\d+x\d+/[01]"),
        "outpoint": _is(r"[0-9a-f]{64}:\d+"),
        "feerate": _is(r".+"),
        "outputdesc": lambda _checker, value: isinstance(value, dict),
        "msat": _unsigned(64),
        "sat": _unsigned(64),
        "u8": _unsigned(8),
        "u16": _unsigned(16),
        "u32": _unsigned(32),
        "u64": _unsigned(64),
        "integer": lambda _c, v: isinstance(v, int) and not isinstance(v, bool),
    }
)
_Validator = jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=_CHECKER)


def check_reply(command: str, result: dict[str, Any]) -> dict[str, Any]:
    """Raises jsonschema.ValidationError where the result does not fit; returns it."""
    schema = BUILTIN[command].schema()
    assert schema is not None, f"{command} has no schema"
    _Validator(schema["response"]).validate(result)
    return result
