"""The `filter` member of a request: which fields of the result the caller wants.

An object names fields: ``true`` takes the whole field, an object or a one-element array looks inside. Lists in
the result are filtered item by item.
"""

from __future__ import annotations

from typing import Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import bad_param


def check_filter(wanted: Any) -> None:
    """Raises UserError where `wanted` is not a filter."""
    if not isinstance(wanted, dict):
        raise bad_param("filter", wanted, "Expected object")
    _check(wanted)


def _check(wanted: Any) -> None:
    if isinstance(wanted, dict):
        for item in wanted.values():
            _check(item)
    elif isinstance(wanted, list):
        if len(wanted) != 1:
            raise UserError(JSONRPC2_INVALID_PARAMS, "Arrays can only have one element")
        _check(wanted[0])
    elif wanted is not True:
        raise bad_param("filter", wanted, "value must be true")


def apply_filter(result: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Keep what `wanted` names. What cannot match is told in ``warning_parameter_filter``."""
    misfits: list[str] = []
    kept: dict[str, Any] = _keep(result, wanted, "", misfits)
    if misfits:
        kept["warning_parameter_filter"] = ", ".join(dict.fromkeys(misfits))
    return kept


def _keep(value: Any, wanted: Any, path: str, misfits: list[str]) -> Any:
    if wanted is True:
        return value
    if isinstance(wanted, list):
        if not isinstance(value, list):
            misfits.append(f"{path} is not an array")
            return value
        return [_keep(item, wanted[0], f"{path}[]", misfits) for item in value]
    if not isinstance(value, dict):
        misfits.append(f"{path} is {'an array' if isinstance(value, list) else 'not an object'}")
        return value
    return {
        name: _keep(value[name], inner, f"{path}.{name}", misfits)
        for name, inner in wanted.items()
        if name in value
    }
