"""decode: what an invoice or an offer says. And the two commands that ask whether a payment may be made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.script import is_p2pkh, is_p2sh, witness_program
from pylightningd.common.errors import UserError, WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bech32, bolt11, bolt12
from pylightningd.common.invoice.bolt12_merkle import merkle_root
from pylightningd.common.keys import sig_to_der
from pylightningd.common.network import NETWORKS, Network, network_by_bolt11_hrp
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest, Offer
from pylightningd.common.wire.onion_wire import BlindedPath
from pylightningd.common.wire.runtime import Subtype
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    PAY_INVOICE_PREAPPROVAL_DECLINED,
    PAY_KEYSEND_PREAPPROVAL_DECLINED,
)
from pylightningd.lightningd.rpc.params import Param, hash32, msat, node_id_param, string
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

Json = dict[str, Any]
Bolt12 = Offer | InvoiceRequest | Invoice
_BOLT12: dict[str, tuple[str, type[Bolt12]]] = {
    bolt12.OFFER_PREFIX: ("bolt12 offer", Offer),
    bolt12.INVOICE_REQUEST_PREFIX: ("bolt12 invoice_request", InvoiceRequest),
    bolt12.INVOICE_PREFIX: ("bolt12 invoice", Invoice),
}
_AMOUNTS = {"invreq_amount": "invreq_amount_msat", "invoice_amount": "invoice_amount_msat"}
_WITHOUT = re.compile(r"(?:without|invoice needs) (\w+)")
_WARNINGS = frozenset(
    {
        "warning_missing_offer_issuer_id",
        "warning_missing_offer_description",
        "warning_missing_invreq_metadata",
        "warning_missing_invreq_payer_id",
        "warning_invalid_invoice_request_signature",
        "warning_missing_invoice_paths",
        "warning_missing_invoice_blindedpay",
        "warning_missing_invoice_created_at",
        "warning_missing_invoice_payment_hash",
        "warning_missing_invoice_amount",
        "warning_missing_invoice_node_id",
        "warning_invalid_invoice_signature",
    }
)
_URI = "lightning:"
_RUNE_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")
_MIN_RUNE = 43
"""A rune is base64 of at least 32 bytes."""


@command(
    "decode",
    family="decode",
    summary="Decode {string} message, returning {type} and {valid}",
    params={"string": Param(string, "an invoice, offer or invoice request")},
    examples=["decode lnbcrt1...", "decode lno1..."],
)
async def decode(node: Node, string: str) -> Json:  # noqa: ARG001 - every command gets the node
    text = string.strip()
    if text[: len(_URI)].lower() == _URI:
        text = text[len(_URI) :]
    prefix = text[:4].lower()
    if prefix.endswith("1") and prefix[:3] in _BOLT12:
        return _decode_bolt12(text)
    if prefix.startswith("ln"):
        try:
            return bolt11_json(bolt11.decode(text, known_features=None))
        except bolt11.InvoiceError as error:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Invalid bolt11: {error}") from None
    if len(text) >= _MIN_RUNE and set(text) <= _RUNE_ALPHABET:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "string: this looks like a rune; runes are not supported yet"
        )
    raise UserError(
        JSONRPC2_INVALID_PARAMS,
        "string: Unparseable string: neither a BOLT 11 invoice (lnbc..., lntb..., lnbcrt...) nor a BOLT 12 "
        "offer (lno1...), invoice request (lnr1...) or invoice (lni1...)",
    )


# BOLT 11


def bolt11_json(invoice: bolt11.Invoice) -> Json:
    """A valid invoice, as CLN shows it."""
    network = network_by_bolt11_hrp(invoice.currency) or NETWORKS["bitcoin"]
    result: Json = {
        "type": "bolt11 invoice",
        "valid": True,
        "currency": invoice.currency,
        "created_at": invoice.timestamp,
        "expiry": invoice.expiry,
        "payee": (invoice.payee or b"").hex(),
        "min_final_cltv_expiry": invoice.min_final_cltv_expiry,
        "payment_hash": invoice.payment_hash.hex(),
        "payment_secret": invoice.payment_secret.hex(),
        "signature": sig_to_der((invoice.signature or bytes(65))[:64], 0)[:-1].hex(),
    }
    if invoice.amount is not None:
        result["amount_msat"] = invoice.amount.msat
    if invoice.description is not None:
        result["description"] = invoice.description
    if invoice.description_hash is not None:
        result["description_hash"] = invoice.description_hash.hex()
    if invoice.features:
        result["features"] = invoice.features.hex()
    if invoice.metadata is not None:
        result["payment_metadata"] = invoice.metadata.hex()
    if invoice.fallbacks:
        result["fallbacks"] = [_fallback_json(f.script(), network) for f in invoice.fallbacks]
    if invoice.routes:
        result["routes"] = [[_hint_json(hint) for hint in route] for route in invoice.routes]
    if invoice.unknown:
        result["extra"] = [
            {"tag": field.tag, "data": "".join(bech32.CHARSET[word] for word in field.words)}
            for field in invoice.unknown
        ]
    return result


def _hint_json(hint: bolt11.RouteHint) -> Json:
    return {
        "pubkey": hint.node_id.hex(),
        "short_channel_id": str(hint.short_channel_id),
        "fee_base_msat": hint.fee_base_msat,
        "fee_proportional_millionths": hint.fee_proportional_millionths,
        "cltv_expiry_delta": hint.cltv_expiry_delta,
    }


def _fallback_json(script: bytes, network: Network) -> Json:
    result: Json = {"type": _script_kind(script), "hex": script.hex()}
    address = script_to_address(script, network)
    if address is not None:
        result["addr"] = address
    return result


def _script_kind(script: bytes) -> str:
    if is_p2pkh(script):
        return "P2PKH"
    if is_p2sh(script):
        return "P2SH"
    version, program = witness_program(script) or (0, b"")
    if version == 0:
        return "P2WPKH" if len(program) == 20 else "P2WSH"
    return "P2TR"


# BOLT 12


def _decode_bolt12(text: str) -> Json:
    try:
        prefix, tlvs = bolt12.decode_string(text)
        kind, cls = _BOLT12[prefix]
        value = cls.decode(tlvs)
        if not tlvs:
            raise bolt12.Bolt12Error("it is empty")
    except (bolt12.Bolt12Error, WireError, ValueError) as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Invalid bolt12: {error}") from None
    result: Json = {"type": kind, "valid": True}
    problem = _problem(text)
    if problem is not None:
        result["valid"] = False
        result[_warning(kind, problem)] = problem
    if isinstance(value, Offer):
        result["offer_id"] = merkle_root(tlvs).hex()
    elif value.offer_issuer_id is not None or value.offer_paths is not None:
        result["offer_id"] = bolt12.offer_id(tlvs).hex()
    if problem is None or not isinstance(value, Offer):
        result |= _fields(value)
    if value.unknown and problem is None:
        name = kind.removeprefix("bolt12 ")
        result[f"unknown_{name}_tlvs"] = [
            {"type": tlv_type, "length": len(raw), "value": raw.hex()}
            for tlv_type, raw in value.unknown
        ]
    return result


def _warning(kind: str, problem: str) -> str:
    """The member of the result that such a problem is told in. Raises UserError where CLN has none for it."""
    missing = _WITHOUT.search(problem)
    name = kind.removeprefix("bolt12 ")
    if missing is not None:
        wanted = f"warning_missing_{missing[1]}"
    elif "issuer_id" in problem:
        wanted = "warning_missing_offer_issuer_id"
    else:
        wanted = f"warning_invalid_{name}_signature" if "signature" in problem else ""
    if wanted not in _WARNINGS:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Invalid bolt12: {problem}")
    return wanted


def _problem(text: str) -> str | None:
    """What makes a BOLT 12 string invalid."""
    try:
        bolt12.decode(text)
    except bolt12.Bolt12Error as error:
        return str(error)
    return None


def _fields(value: Bolt12) -> Json:
    result: Json = {}
    for name, _, _ in value.WIRE:
        field = getattr(value, name)
        if field is None or name == "invoice_blindedpay":
            continue
        shown = _AMOUNTS.get(name, name)
        if name == "offer_amount" and value.offer_currency is None:
            shown = "offer_amount_msat"
        if name == "invoice_paths" and isinstance(value, Invoice):
            result[shown] = _paths_with_costs(value)
        else:
            result[shown] = _shown(field)
    return result


def _shown(field: Any) -> Any:
    if isinstance(field, bytes):
        return field.hex()
    if isinstance(field, Msat):
        return field.msat
    if isinstance(field, BlindedPath):
        return _path_json(field)
    if isinstance(field, tuple):
        return [_shown(item) for item in field]
    if isinstance(field, Subtype):
        if hasattr(field, "domain"):
            return {
                name: getattr(field, name).decode(errors="replace") for name in ("name", "domain")
            }
        return _fallback_address(field)
    return field


def _fallback_address(field: Any) -> Json:
    program: bytes = field.address
    return {"version": field.version, "hex": program.hex()}


def _path_json(path: BlindedPath) -> Json:
    result: Json = {
        "first_path_key": path.first_path_key.hex(),
        "path": [
            {
                "blinded_node_id": hop.blinded_node_id.hex(),
                "encrypted_recipient_data": hop.encrypted_recipient_data.hex(),
            }
            for hop in path.path
        ],
    }
    first = path.first_node_id
    if len(first) == 33:
        result["first_node_id"] = first.hex()
    else:
        scid = int.from_bytes(first[1:9], "big")
        result["first_scid"] = f"{scid >> 40}x{scid >> 16 & 0xFFFFFF}x{scid & 0xFFFF}"
        result["first_scid_dir"] = first[0]
    return result


def _paths_with_costs(invoice: Invoice) -> list[Json]:
    paths = [_path_json(path) for path in invoice.invoice_paths or ()]
    for path, cost in zip(paths, invoice.invoice_blindedpay or (), strict=False):
        path["payinfo"] = {
            "fee_base_msat": cost.fee_base_msat,
            "fee_proportional_millionths": cost.fee_proportional_millionths,
            "cltv_expiry_delta": cost.cltv_expiry_delta,
            "htlc_minimum_msat": int(cost.htlc_minimum_msat),
            "htlc_maximum_msat": int(cost.htlc_maximum_msat),
            "features": cost.features.hex(),
        }
    return paths


# May it be paid? Nobody here says no, except a test; hooks of plugins may.


def _ask(node: Node, what: str, *, check_only: bool) -> None:
    """Raises UserError where --dev-hsmd-fail-preapprove has it declined."""
    node.log("debug", f"preapprove_{what}: check_only={int(check_only)}")
    if node.config["dev-hsmd-fail-preapprove"]:
        code = PAY_INVOICE_PREAPPROVAL_DECLINED
        if what == "keysend":
            code = PAY_KEYSEND_PREAPPROVAL_DECLINED
        raise UserError(code, f"{what} was declined")


async def _check_invoice(node: Node, **_params: Any) -> None:
    if not node.config["dev-hsmd-no-preapprove-check"]:
        _ask(node, "invoice", check_only=True)


async def _check_keysend(node: Node, **_params: Any) -> None:
    if not node.config["dev-hsmd-no-preapprove-check"]:
        _ask(node, "keysend", check_only=True)


@command(
    "preapproveinvoice",
    family="decode",
    summary="Ask the HSM to preapprove an invoice",
    params={"bolt11": Param(string, "the invoice")},
    examples=["preapproveinvoice lnbcrt1..."],
    check=_check_invoice,
)
async def preapproveinvoice(node: Node, bolt11: str) -> Json:  # noqa: ARG001
    _ask(node, "invoice", check_only=False)
    return {}


@command(
    "preapprovekeysend",
    family="decode",
    summary="Ask the HSM to preapprove a keysend payment",
    params={
        "destination": Param(node_id_param, "who gets it"),
        "payment_hash": Param(hash32, "of the payment"),
        "amount_msat": Param(msat, "how much"),
    },
    examples=["preapprovekeysend 02... <payment_hash> 1000"],
    check=_check_keysend,
)
async def preapprovekeysend(
    node: Node,
    destination: NodeId,  # noqa: ARG001
    payment_hash: bytes,  # noqa: ARG001
    amount_msat: Msat,  # noqa: ARG001
) -> Json:
    _ask(node, "keysend", check_only=False)
    return {}
