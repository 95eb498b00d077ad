"""What a caller of pay, xpay or keysend wants, read and checked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pylightningd.common import features
from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt11, bolt12
from pylightningd.common.invoice.bolt12_rules import invoice_expires_at
from pylightningd.common.network import NETWORKS
from pylightningd.common.wire.bolt12_wire import BlindedPayinfo
from pylightningd.common.wire.bolt12_wire import Invoice as Bolt12Invoice
from pylightningd.common.wire.onion_wire import BlindedPath
from pylightningd.plugins.lib import INVALID_PARAMS, RpcError
from pylightningd.plugins.pay import params
from pylightningd.plugins.pay.attempt import PAY_INVOICE_EXPIRED, parse_scid
from pylightningd.plugins.pay.router import Hint

DEFAULT_RETRY_SECONDS = 60
DEFAULT_MAX_DELAY = 2016
DEFAULT_FEE_PERCENT = 0.5
DEFAULT_EXEMPT_FEE_MSAT = 5000
XPAY_FEE_PERCENT = 1.0
DEFAULT_RISK_PERCENT = 10.0
KEYSEND_FINAL_DELAY = 22
_BOLT12_PREFIXES = ("lno", "lnr", "lni")


@dataclass(slots=True, kw_only=True)
class Order:
    """One payment as it was asked for. Amounts in msat, times in seconds."""

    method: str
    payment_hash: str
    destination: bytes
    amount_msat: int
    total_msat: int
    final_delay: int
    max_fee_msat: int
    max_delay: int
    retry_seconds: int
    may_split: bool
    risk_percent: float = DEFAULT_RISK_PERCENT
    invstring: str | None = None
    payment_secret: str | None = None
    metadata: str | None = None
    label: str | None = None
    description: str | None = None
    local_invreq_id: str | None = None
    hints: tuple[Hint, ...] = ()
    avoid_channels: set[tuple[int, int]] = field(default_factory=set)
    avoid_nodes: set[bytes] = field(default_factory=set)
    paths: tuple[tuple[BlindedPath, BlindedPayinfo], ...] = ()
    """Of a BOLT 12 invoice: the only ways to the payee; `destination` then stands for where they end."""
    payee: bytes | None = None
    """Who has signed a BOLT 12 invoice."""
    keysend_preimage: bytes | None = None
    extra_tlvs: tuple[tuple[int, bytes], ...] = ()

    @property
    def recipient(self) -> bytes:
        """Who is paid, for the user."""
        return self.destination if self.payee is None else self.payee

    @property
    def invoice_kind(self) -> str:
        """Under which name results show the invoice."""
        return "bolt12" if self.paths else "bolt11"


Invoice = bolt11.Invoice | Bolt12Invoice


def is_offer(text: str) -> bool:
    """Whether an invoice must be asked for first."""
    return text.lower().removeprefix("lightning:").startswith("lno1")


def read_invoice(invstring: Any, description: str | None, network: str) -> Invoice:
    """The invoice to pay, of either kind. Raises RpcError."""
    given = params.text("bolt11", invstring) or ""
    bare = given.lower().removeprefix("lightning:")
    if bare.startswith(_BOLT12_PREFIXES) and bare[3:4] == "1":
        try:
            return bolt12.decode_invoice(bare, NETWORKS[network].chain_hash)
        except bolt12.Bolt12Error as why:
            raise RpcError(INVALID_PARAMS, f"Invalid bolt12: {why}") from None
    try:
        return bolt11.decode(given, currency=NETWORKS[network].bolt11_hrp, description=description)
    except bolt11.InvoiceError as why:
        raise RpcError(INVALID_PARAMS, f"Invalid bolt11: {why}") from None


def fee_limit(
    amount_msat: int,
    max_fee_msat: int | None,
    percent: float | None,
    exempt_msat: int | None,
    default_percent: float = DEFAULT_FEE_PERCENT,
) -> int:
    """What a payment may cost. Raises RpcError where the caller says it twice."""
    if max_fee_msat is not None:
        if percent is not None or exempt_msat is not None:
            raise RpcError(
                INVALID_PARAMS,
                "If you specify maxfee, cannot specify maxfeepercent or exemptfee.",
            )
        return max_fee_msat
    share = int(amount_msat * (default_percent if percent is None else percent) / 100)
    return max(share, DEFAULT_EXEMPT_FEE_MSAT if exempt_msat is None else exempt_msat)


def amounts(
    asked: Msat | None, amount_msat: int | None, partial_msat: int | None
) -> tuple[int, int]:
    """What we deliver, and what is paid in all; the invoice asks for `asked`. Raises RpcError."""
    if asked is not None:
        if amount_msat is not None:
            raise RpcError(
                INVALID_PARAMS,
                f"amount_msat parameter unnecessary: the invoice says {asked.msat}msat",
            )
        total = asked.msat
    elif not amount_msat:
        raise RpcError(
            INVALID_PARAMS, "amount_msat parameter required: the invoice leaves the amount open"
        )
    else:
        total = amount_msat
    if partial_msat is not None and partial_msat > total:
        raise RpcError(
            INVALID_PARAMS, f"partial_msat must be less or equal to total amount {total}msat"
        )
    return (total if partial_msat is None else partial_msat), total


def check_expiry(expires_at: int, now: float) -> None:
    """Raises RpcError where it is too late."""
    if now > expires_at:
        late = int(now - expires_at)
        raise RpcError(PAY_INVOICE_EXPIRED, f"Invoice expired {late} seconds ago")


def invoice_hints(invoice: bolt11.Invoice) -> tuple[Hint, ...]:
    """The private ways that the invoice names, one channel each."""
    hints = []
    for route in invoice.routes:
        targets = [hop.node_id for hop in route[1:]] + [invoice.payee]
        for hop, target in zip(route, targets, strict=True):
            if target is None or hop.node_id == target:
                continue
            hints.append(
                Hint(
                    source=hop.node_id,
                    destination=target,
                    scid=int(hop.short_channel_id),
                    base_fee_msat=hop.fee_base_msat,
                    fee_ppm=hop.fee_proportional_millionths,
                    delay=hop.cltv_expiry_delta,
                )
            )
    return tuple(hints)


def pay_order(
    method: str,
    invoice: Invoice,
    given: dict[str, Any],
    *,
    now: float,
    split: bool,
) -> Order:
    """The order of pay or xpay, from its parameters by name. Raises RpcError."""
    if isinstance(invoice, Bolt12Invoice):
        facts = _bolt12_facts(invoice)
        check_expiry(invoice_expires_at(invoice), now)
        asked = invoice.invoice_amount
    else:
        facts = _bolt11_facts(invoice)
        check_expiry(invoice.expires_at, now)
        asked = invoice.amount
    facts["may_split"] = split and facts["may_split"]
    deliver, total = amounts(
        asked,
        params.msat("amount_msat", given.get("amount_msat")),
        params.msat("partial_msat", given.get("partial_msat")),
    )
    channels, nodes = params.exclusions("exclude", given.get("exclude"))
    invreq = params.hex_bytes("localinvreqid", given.get("localinvreqid"), 32)
    return Order(
        method=method,
        amount_msat=deliver,
        total_msat=total,
        max_fee_msat=fee_limit(
            deliver,
            params.msat("maxfee", given.get("maxfee")),
            params.number("maxfeepercent", given.get("maxfeepercent")),
            params.msat("exemptfee", given.get("exemptfee")),
            XPAY_FEE_PERCENT if method == "xpay" else DEFAULT_FEE_PERCENT,
        ),
        max_delay=_default(params.unsigned("maxdelay", given.get("maxdelay")), DEFAULT_MAX_DELAY),
        retry_seconds=_default(
            params.unsigned("retry_for", given.get("retry_for")), DEFAULT_RETRY_SECONDS
        ),
        risk_percent=_default(
            params.number("riskfactor", given.get("riskfactor")), DEFAULT_RISK_PERCENT
        ),
        invstring=given["invstring"],
        label=params.text("label", given.get("label")),
        description=params.text("description", given.get("description")),
        local_invreq_id=None if invreq is None else invreq.hex(),
        avoid_channels=channels,
        avoid_nodes=nodes,
        **facts,
    )


def _bolt11_facts(invoice: bolt11.Invoice) -> dict[str, Any]:
    """What an order takes from the invoice itself."""
    return {
        "payment_hash": invoice.payment_hash.hex(),
        "destination": invoice.payee or b"",
        "final_delay": invoice.min_final_cltv_expiry,
        "may_split": invoice.has_feature(features.BASIC_MPP),
        "payment_secret": invoice.payment_secret.hex(),
        "metadata": None if invoice.metadata is None else invoice.metadata.hex(),
        "hints": invoice_hints(invoice),
    }


def _bolt12_facts(invoice: Bolt12Invoice) -> dict[str, Any]:
    payment_hash = invoice.invoice_payment_hash or b""
    paths, costs = invoice.invoice_paths or (), invoice.invoice_blindedpay or ()
    return {
        "payment_hash": payment_hash.hex(),
        "destination": b"\0" + payment_hash,
        "payee": invoice.invoice_node_id,
        # The delay that the payee wants is in that of each path.
        "final_delay": 0,
        "may_split": features.offers(invoice.invoice_features or b"", features.BASIC_MPP),
        "paths": tuple(zip(paths, costs, strict=True)),
    }


def keysend_order(given: dict[str, Any], preimage: bytes, payment_hash: str) -> Order:
    """The order of keysend. Raises RpcError."""
    destination = params.node_id(
        "destination", params.required("destination", given.get("destination"))
    )
    amount = params.msat("amount_msat", params.required("amount_msat", given.get("amount_msat")))
    if not amount or destination is None:
        params.bad("amount_msat", given.get("amount_msat"), "should be a positive amount")
    return Order(
        method="keysend",
        payment_hash=payment_hash,
        destination=destination,
        amount_msat=amount,
        total_msat=amount,
        final_delay=KEYSEND_FINAL_DELAY,
        max_fee_msat=fee_limit(
            amount,
            params.msat("maxfee", given.get("maxfee")),
            params.number("maxfeepercent", given.get("maxfeepercent")),
            params.msat("exemptfee", given.get("exemptfee")),
        ),
        max_delay=_default(params.unsigned("maxdelay", given.get("maxdelay")), DEFAULT_MAX_DELAY),
        retry_seconds=_default(
            params.unsigned("retry_for", given.get("retry_for")), DEFAULT_RETRY_SECONDS
        ),
        may_split=False,
        label=params.text("label", given.get("label")),
        hints=_given_hints(given.get("routehints"), destination),
        keysend_preimage=preimage,
        extra_tlvs=_tlvs(given.get("extratlvs")),
    )


def _given_hints(value: Any, destination: bytes) -> tuple[Hint, ...]:
    hints: list[Hint] = []
    try:
        for route in value or ():
            targets = [bytes.fromhex(hop["id"]) for hop in route[1:]] + [destination]
            for hop, target in zip(route, targets, strict=True):
                hints.append(
                    Hint(
                        source=bytes.fromhex(hop["id"]),
                        destination=target,
                        scid=parse_scid(hop["scid"]),
                        base_fee_msat=params.msat("feebase", hop["feebase"]) or 0,
                        fee_ppm=int(hop["feeprop"]),
                        delay=int(hop["expirydelta"]),
                    )
                )
    except (KeyError, TypeError, ValueError):
        params.bad(
            "routehints",
            value,
            "should be an array of arrays of {id, scid, feebase, feeprop, expirydelta}",
        )
    return tuple(hints)


def _tlvs(value: Any) -> tuple[tuple[int, bytes], ...]:
    try:
        return tuple((int(kind), bytes.fromhex(data)) for kind, data in (value or {}).items())
    except (AttributeError, TypeError, ValueError):
        params.bad("extratlvs", value, "should be an object of type numbers and hex values")


def _default(value: Any, default: Any) -> Any:
    return default if value is None else value
