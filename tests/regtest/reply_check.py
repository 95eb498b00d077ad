"""Every reply that a regtest test sees is held to its command's schema: nothing required missing, nothing extra."""

from __future__ import annotations

import json
import re
from collections import deque
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

SCHEMAS = Path(__file__).parents[2] / "lightningd" / "rpc" / "schemas"


def _whole(bits: int) -> Any:
    return lambda _, value: type(value) is int and 0 <= value < 1 << bits


def _text(pattern: str) -> Any:
    regex = re.compile(pattern)
    return lambda _, value: isinstance(value, str) and bool(regex.fullmatch(value))


# CLN's own types beside JSON Schema's.
TYPES: dict[str, Any] = {
    "u8": _whole(8),
    "u16": _whole(16),
    "u32": _whole(32),
    "u64": _whole(64),
    "msat": _whole(64),
    "sat": _whole(64),
    "hex": _text("([0-9a-f]{2})*"),
    "hash": _text("[0-9a-f]{64}"),
    "txid": _text("[0-9a-f]{64}"),
    "secret": _text("[0-9a-f]{64}"),
    "pubkey": _text("0[23][0-9a-f]{64}"),
    "point32": _text("[0-9a-f]{64}"),
    "signature": _text("30([0-9a-f]{2})+"),
    "bip340sig": _text("[0-9a-f]{128}"),
    "outpoint": _text("[0-9a-f]{64}:[0-9]+"),
    "short_channel_id": _text("[0-9]+x[0-9]+x[0-9]+"),
    "short_channel_id_dir": _text("[0-9]+x[0-9]+x[0-9]+/[01]"),
}

REMEMBERED = 4
_good: dict[str, deque[Any]] = {}
"""The last replies of each command that were found right."""

_Validator = jsonschema.validators.extend(
    jsonschema.Draft7Validator,
    type_checker=jsonschema.Draft7Validator.TYPE_CHECKER.redefine_many(TYPES),
)


class BadReplyError(AssertionError):
    """lightningd's reply is not what its schema says."""


def check_reply(method: str, result: Any) -> None:
    """Raise BadReplyError where a reply breaks its schema; commands without one (plugins', dev-) are not looked at."""
    validator = _validator(method)
    if validator is None:
        return
    # Who waits for something sees the same reply many times.
    seen = _good.setdefault(method, deque(maxlen=REMEMBERED))
    if result in seen:
        return
    problems = sorted(
        f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(result)
    )
    if problems:
        raise BadReplyError(f"reply of {method}:\n" + "\n".join(problems))
    seen.append(result)


@cache
def _validator(method: str) -> Any:
    path = SCHEMAS / f"{method}.json"
    if not path.is_file():
        return None
    return _Validator(json.loads(path.read_text())["response"])
