"""Values of the payer: what a payment is to achieve, one attempt of it, and how an attempt failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pylightningd.plugins.lib import RpcError
from pylightningd.plugins.routing import Hop

Json = dict[str, Any]
BLINDED_BLOCK = 0xFFFFFF
"""Block of the short_channel_ids that stand for blinded paths; the chain will not have it for centuries."""

PAY_IN_PROGRESS = 200
PAY_RHASH_ALREADY_USED = 201
PAY_UNPARSEABLE_ONION = 202
PAY_DESTINATION_PERM_FAIL = 203
PAY_TRY_OTHER_ROUTE = 204
PAY_ROUTE_NOT_FOUND = 205
PAY_ROUTE_TOO_EXPENSIVE = 206
PAY_INVOICE_EXPIRED = 207
PAY_UNSPECIFIED_ERROR = 209
PAY_STOPPED_RETRYING = 210

ROUTE_FAILURES = frozenset({PAY_UNPARSEABLE_ONION, PAY_DESTINATION_PERM_FAIL, PAY_TRY_OTHER_ROUTE})
"""Errors of sendpay and waitsendpay that tell of a route; all others are about the payment itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a payment is to achieve. Amounts in msat, `deadline` on the clock that `next_step` is called with."""

    destination: bytes
    amount_msat: int
    """What we are to deliver."""
    total_msat: int
    """What the destination gets from all who pay."""
    final_delay: int
    max_fee_msat: int
    max_delay: int
    deadline: float
    may_split: bool
    risk_percent: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFailure:
    """How a part failed, as sendpay or waitsendpay said."""

    code: int
    """Of the JSON-RPC error."""
    message: str
    failcode: int | None = None
    """BOLT 4's; None where nobody could read it."""
    index: int | None = None
    """Who said so: 0 is our own node, n the node behind the n-th hop."""
    raw: bytes = b""
    """The failure message in clear."""
    immediate: bool = False
    """It never left us."""
    data: Json = field(default_factory=dict)

    @classmethod
    def from_error(cls, error: RpcError, *, immediate: bool = False) -> PartFailure:
        """Read the error of sendpay or waitsendpay."""
        data = error.data if isinstance(error.data, dict) else {}
        try:
            raw = bytes.fromhex(data.get("raw_message") or "")
        except (ValueError, TypeError):
            raw = b""
        return cls(
            code=error.code,
            message=error.message,
            failcode=None if error.code == PAY_UNPARSEABLE_ONION else data.get("failcode"),
            index=data.get("erring_index"),
            raw=raw,
            immediate=immediate,
            data=data,
        )


class State(Enum):
    """How an attempt stands; the values are those of error data."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One part on one route."""

    partid: int
    amount_msat: int
    """What it delivers."""
    hops: list[Hop]
    started_at: float
    height: int = 0
    """Of our newest block when it was sent, 0 if unknown."""
    ended_at: float | None = None
    state: State = State.PENDING
    failure: PartFailure | None = None
    reason: str = ""
    """Why it failed and what follows, for the user."""

    @property
    def sent_msat(self) -> int:
        """What leaves us."""
        return self.hops[0].amount_msat

    @property
    def fee_msat(self) -> int:
        """What the nodes on the way keep."""
        return self.sent_msat - self.amount_msat

    def describe_route(self) -> str:
        """The route in short: its channels, each with its direction."""
        return " -> ".join(channel_name(hop) for hop in self.hops)


def scid_text(scid: int) -> str:
    """As users write it."""
    return f"{scid >> 40}x{scid >> 16 & 0xFFFFFF}x{scid & 0xFFFF}"


def parse_scid(text: str) -> int:
    """The number of ``NxNxN``. Raises ValueError."""
    block, tx_index, output = (int(part) for part in text.split("x"))
    if not (0 <= block < 1 << 24 and 0 <= tx_index < 1 << 24 and 0 <= output < 1 << 16):
        raise ValueError(f"{text} is not a short channel id")
    return block << 40 | tx_index << 16 | output


def channel_name(hop: Hop) -> str:
    """The channel of a hop with its direction, as in ``103x1x0/1``."""
    if hop.scid >> 40 == BLINDED_BLOCK:
        return f"blinded path {hop.scid & 0xFFFF}"
    return f"{scid_text(hop.scid)}/{hop.direction}"
