"""Parameters that only wallet commands have: addresses, outputs, PSBTs."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.address import AddressError, address_to_script
from pylightningd.common.bitcoin.compact_size import read_compact_size
from pylightningd.common.bitcoin.psbt import Psbt, PsbtError
from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.rpc.params import ALL, ParamType, bad_param, parse_sat, text_of

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.wallet.funding import Wanted

_VERSION_KEY = b"\xfb"


@dataclass(frozen=True, slots=True)
class GivenPsbt:
    """A PSBT as the caller sent it."""

    psbt: Psbt
    version: int
    """In which it came, and goes back."""


def _convert_psbt(param: str, value: Any) -> GivenPsbt:
    text = text_of(value)
    try:
        found = Psbt.from_base64(text or "")
        return GivenPsbt(found, _version(base64.b64decode(text or "")))
    except (PsbtError, ValueError, IndexError):
        raise bad_param(param, value, "Expected a PSBT") from None


def _version(raw: bytes) -> int:
    """The version a PSBT says it has."""
    pos = 5
    while True:
        size, pos = read_compact_size(raw, pos)
        if size == 0:
            return 0
        key = raw[pos : pos + size]
        length, pos = read_compact_size(raw, pos + size)
        if key == _VERSION_KEY:
            return int.from_bytes(raw[pos : pos + length], "little")
        pos += length


psbt_param = ParamType("psbt", _convert_psbt, {"type": "string"})
"""A `GivenPsbt`."""


def _convert_outputs(param: str, value: Any) -> list[tuple[str, Sat | str]]:
    """Addresses stay text: which are good depends on the network."""
    if not isinstance(value, list):
        raise bad_param(param, value, "should be an array of outputs: [{address: amount}, ...]")
    outputs: list[tuple[str, Sat | str]] = []
    for item in value:
        if not isinstance(item, dict) or len(item) != 1:
            raise UserError(
                JSONRPC2_INVALID_PARAMS, "The output format must be {destination: amount}"
            )
        ((address, amount),) = item.items()
        outputs.append((address, _amount(amount)))
    return outputs


def _amount(value: Any) -> Sat | str:
    text = text_of(value)
    if text == "all":
        return text
    try:
        return parse_sat(text or "")
    except (ValueError, ArithmeticError):
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"'{text if text is not None else value}' is a invalid satoshi amount",
        ) from None


outputs_param = ParamType("outputs", _convert_outputs, {"type": "array"})
"""List of (address, Sat or "all")."""


def script_of_address(node: Node, param: str, address: str) -> bytes:
    """The script an address pays to. Raises UserError for others than this network's."""
    try:
        return address_to_script(address, node.network)
    except AddressError as error:
        if "not an address of network" in str(error):
            raise UserError(
                LIGHTNINGD, f"Destination address is not on network {node.network.name}"
            ) from None
        raise UserError(
            LIGHTNINGD,
            f"Could not parse destination address, {param} should be a valid address ({error})",
        ) from None


def wanted(node: Node, outputs: list[tuple[str, Sat | str]]) -> list[Wanted]:
    """The outputs as the wallet takes them. Raises UserError."""
    return [
        (script_of_address(node, "outputs", address), amount if isinstance(amount, Sat) else "all")
        for address, amount in outputs
    ]


def sat_or_word(amount: Any) -> Any:
    """A `sat_or_all` parameter as the wallet takes it."""
    return "all" if amount is ALL else amount
