"""What a rune of ours allows: its conditions against a call. Blacklisted numbers, as spans."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pylightningd.common.invoice import bolt11, bolt12
from pylightningd.common.rune import Alternative

NSEC = 1_000_000_000
_PER_SUFFIXES = {
    "": NSEC,
    "sec": NSEC,
    "nsec": 1,
    "usec": 1000,
    "msec": 1_000_000,
    "min": 60 * NSEC,
    "hour": 3600 * NSEC,
    "day": 86400 * NSEC,
}
_MAX_DIGITS = 19
Span = tuple[int, int]


@dataclass
class Request:
    """A call that somebody wants to make with a rune."""

    now_nsec: int
    node_id: str | None
    """Who asks, in hex."""
    method: str | None
    params: list[Any] | dict[str, Any] | None
    used_at_nsec: int | None
    """When a rune of this unique id was used last; None: never, or nobody knows."""

    def check(self, alternative: Alternative) -> str | None:
        """What is wrong with an alternative; None if it holds."""
        name = alternative.field
        if name == "time":
            return alternative.check(self.now_nsec // NSEC)
        if name == "id":
            return alternative.check(self.node_id)
        if name == "method":
            return alternative.check(self.method)
        if name == "pnum":
            return alternative.check(len(self.params or ()))
        if name == "rate":
            return self._check_rate(alternative)
        if name == "per":
            return self._check_per(alternative)
        if name.startswith("pinv"):
            return self._check_invoice(alternative, name.removeprefix("pinv"))
        return alternative.check(self._values.get(name))

    @cached_property
    def _values(self) -> dict[str, str | int]:
        """Parameters by the field that names them: ``parr0``, or ``pname`` and the name, with and without punctuation."""
        if isinstance(self.params, list):
            return {f"parr{i}": _text(value) for i, value in enumerate(self.params)}
        values: dict[str, str | int] = {}
        for key, value in (self.params or {}).items():
            # Plugins take a dash for an underscore.
            for name in (key, key.replace("-", "_"), _bare(key)):
                values.setdefault(f"pname{name}", _text(value))
        return values

    def _check_age(self, nsec: int) -> str | None:
        if self.used_at_nsec is None or max(0, self.now_nsec - self.used_at_nsec) >= nsec:
            return None
        return "too soon"

    def _check_rate(self, alternative: Alternative) -> str | None:
        if alternative.condition != "=":
            return "rate operator must be ="
        rate = whole_number(alternative.value)
        if rate is None or not 0 < rate < 2**32 - 1:
            return "malformed rate"
        return self._check_age(60 * NSEC // rate)

    def _check_per(self, alternative: Alternative) -> str | None:
        if alternative.condition != "=":
            return "per operator must be ="
        match = re.fullmatch("([0-9]+)(.*)", alternative.value)
        count = None if match is None else whole_number(match[1])
        if match is None or count is None or not 0 < count < 2**32 - 1:
            return "malformed per"
        if match[2] not in _PER_SUFFIXES:
            return "malformed suffix"
        return self._check_age(count * _PER_SUFFIXES[match[2]])

    def _check_invoice(self, alternative: Alternative, name: str) -> str | None:
        """A field of an invoice that is a parameter: ``pinvinvstring_amount``."""
        param, _, what = name.rpartition("_")
        if what not in ("amount", "description", "node"):
            return f"Unknown invoice field {name}"
        text = self._values.get(f"pname{param}")
        if text is None:
            return f"Unknown invoice parameter {param}"
        try:
            return alternative.check(_invoice_fields(str(text))[what])
        except ValueError as error:
            return f"Invalid invoice: {error}"


def _bare(name: str) -> str:
    """A parameter's name without punctuation."""
    return "".join(c for c in name if c not in string.punctuation)


def is_ambiguous(params: dict[str, Any]) -> bool:
    """Whether two names differ in punctuation only, so that a condition on one might miss the other."""
    return len({_bare(key) for key in params}) != len(params)


def whole_number(text: str) -> int | None:
    """A number without sign of up to 19 digits (which hold 63 bits); None for all else."""
    return int(text) if len(text) <= _MAX_DIGITS and text.isdecimal() else None


def _text(value: Any) -> str | int:
    """A JSON value as conditions see it: whole numbers as numbers, all else as text."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return value if isinstance(value, int) else str(value)


def _invoice_fields(text: str) -> dict[str, str | int | None]:
    """Raises ValueError."""
    bare = re.sub("^lightning:", "", text, flags=re.IGNORECASE)
    if bare.lower().startswith("lni"):
        signed = bolt12.decode_invoice(bare)
        amount, issuer = signed.invoice_amount, signed.offer_issuer_id
        return {
            "amount": None if amount is None else amount.msat,
            "node": None if issuer is None else issuer.hex(),
            "description": signed.offer_description,
        }
    invoice = bolt11.decode(bare)
    return {
        "amount": None if invoice.amount is None else invoice.amount.msat,
        "node": None if invoice.payee is None else invoice.payee.hex(),
        "description": invoice.description,
    }


# Blacklists


def contains(spans: list[Span], number: int) -> bool:
    """Whether a number is in one of them."""
    return any(first <= number <= last for first, last in spans)


def add_span(spans: list[Span], new: Span) -> list[Span]:
    """With `new`; spans that touch become one."""
    first, last = new
    kept: list[Span] = []
    for a, b in spans:
        if b + 1 < first or a > last + 1:
            kept.append((a, b))
        else:
            first, last = min(first, a), max(last, b)
    return sorted([*kept, (first, last)])


def remove_span(spans: list[Span], gone: Span) -> list[Span]:
    """Without the numbers of `gone`."""
    first, last = gone
    left = [piece for a, b in spans for piece in ((a, min(b, first - 1)), (max(a, last + 1), b))]
    return [(a, b) for a, b in left if a <= b]
