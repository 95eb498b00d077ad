"""What the payer's commands answer: results, errors, and the lists of listpays and paystatus. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pylightningd.plugins.lib import RpcError
from pylightningd.plugins.pay.attempt import Attempt, Json, State
from pylightningd.plugins.pay.order import Order
from pylightningd.plugins.pay.session import Done, PaySession

Iso = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment that was made, now or earlier."""

    preimage: str
    destination: str | None
    created_at: float
    attempts: int
    failed: int
    amount_msat: int
    sent_msat: int
    some_pending: bool = False


def paid_json(order: Order, paid: Paid) -> Json:
    """The result of pay, keysend or xpay."""
    if order.method == "xpay":
        return {
            "payment_preimage": paid.preimage,
            "failed_parts": paid.failed,
            "successful_parts": paid.attempts - paid.failed,
            "amount_msat": paid.amount_msat,
            "amount_sent_msat": paid.sent_msat,
        }
    result: Json = {
        "destination": paid.destination or order.recipient.hex(),
        "payment_hash": order.payment_hash,
        "created_at": paid.created_at,
        "parts": paid.attempts,
        "amount_msat": paid.amount_msat,
        "amount_sent_msat": paid.sent_msat,
        "payment_preimage": paid.preimage,
        "status": "complete",
    }
    if paid.some_pending:
        result["warning_partial_completion"] = (
            "Some parts of the payment are not yet completed, but we have the confirmation from the recipient."
        )
    return result


def paid_now(session: PaySession, started_at: float) -> Paid:
    """What a session has achieved."""
    attempts = session.attempts
    return Paid(
        preimage=session.preimage or "",
        destination=None,
        created_at=started_at,
        attempts=len(attempts),
        failed=sum(a.state is State.FAILED for a in attempts),
        amount_msat=session.goal.amount_msat,
        sent_msat=session.sent_msat,
        some_pending=bool(session.pending),
    )


def paid_before(parts: list[Json]) -> Paid | None:
    """The earlier success, from listsendpays of one group; None where there was none."""
    complete = [part for part in parts if part["status"] == "complete"]
    if not complete:
        return None
    return Paid(
        preimage=complete[0]["payment_preimage"],
        destination=complete[0].get("destination"),
        created_at=parts[0]["created_at"],
        attempts=len(parts),
        failed=sum(part["status"] == "failed" for part in parts),
        amount_msat=sum(part.get("amount_msat", 0) for part in complete),
        sent_msat=sum(part["amount_sent_msat"] for part in complete),
        some_pending=any(part["status"] == "pending" for part in parts),
    )


def failure_error(order: Order, session: PaySession, done: Done) -> RpcError:
    """The error of a payment that could not be made: what was tried, and why it failed."""
    data: Json = {}
    if done.last is not None:
        data.update(done.last.data)
    if order.invstring is not None:
        data[order.invoice_kind] = order.invstring
    data.update(
        payment_hash=order.payment_hash,
        destination=order.recipient.hex(),
        amount_msat=order.amount_msat,
        amount_sent_msat=0,
        status="failed",
        attempts=[attempt_json(a) for a in session.attempts],
    )
    return RpcError(done.code, done.message, data)


def attempt_json(attempt: Attempt) -> Json:
    """One attempt, in the data of an error."""
    found: Json = {
        "status": attempt.state.value,
        "partid": attempt.partid,
        "amount_msat": attempt.amount_msat,
        "amount_sent_msat": attempt.sent_msat,
        "route": attempt.describe_route(),
    }
    if attempt.reason:
        found["failreason"] = attempt.reason
    if attempt.failure is not None:
        for name in ("failcode", "failcodename", "erring_index", "erring_node", "erring_channel"):
            if name in attempt.failure.data:
                found[name] = attempt.failure.data[name]
    return found


@dataclass(slots=True, kw_only=True)
class Record:
    """One payment for paystatus; kept in memory alone."""

    order: Order
    session: PaySession
    wall_minus_clock: float
    """Adds to the times of attempts to make them seconds since 1970."""


def status_json(record: Record, now: float, iso_time: Iso) -> Json:
    """One payment of paystatus. `now` on the clock of attempts."""
    order = record.order
    found: Json = {
        "amount_msat": order.amount_msat,
        "destination": order.recipient.hex(),
        "attempts": [_status_attempt(a, record, now, iso_time) for a in record.session.attempts],
    }
    if order.label is not None:
        found["label"] = order.label
    if order.invstring is not None:
        found[order.invoice_kind] = order.invstring
    return found


def _status_attempt(attempt: Attempt, record: Record, now: float, iso_time: Iso) -> Json:
    found: Json = {
        "strategy": f"Part {attempt.partid} over {attempt.describe_route()}",
        "start_time": iso_time(attempt.started_at + record.wall_minus_clock),
        "age_in_seconds": int(now - attempt.started_at),
        "amount_msat": attempt.amount_msat,
        "state": "pending" if attempt.state is State.PENDING else "completed",
    }
    if attempt.ended_at is not None:
        found["end_time"] = iso_time(attempt.ended_at + record.wall_minus_clock)
    if attempt.state is State.SUCCESS:
        found["success"] = {"payment_preimage": record.session.preimage}
    elif attempt.failure is not None:
        failure = attempt.failure
        found["failure"] = {
            **failure.data,
            "code": failure.code,
            "message": f"{failure.message}; {attempt.reason}",
        }
    return found


def listpays_json(parts: Iterable[Json], wanted_status: str | None) -> list[Json]:
    """Parts of listsendpays gathered into payments, oldest first."""
    groups: dict[tuple[str, int], list[Json]] = {}
    for part in parts:
        groups.setdefault((part["payment_hash"], part.get("groupid", 0)), []).append(part)
    pays = [_pay_json(group) for group in groups.values()]
    return [pay for pay in pays if wanted_status in (None, pay["status"])]


def _pay_json(parts: list[Json]) -> Json:
    first = parts[0]
    states = {part["status"] for part in parts}
    status = next(s for s in ("complete", "pending", "failed") if s in states)
    found: Json = {
        "payment_hash": first["payment_hash"],
        "status": status,
        "created_at": first["created_at"],
        "created_index": first["created_index"],
    }
    for name in ("destination", "label", "bolt11", "bolt12", "description"):
        if name in first:
            found[name] = first[name]
    updated = max((part.get("updated_index", 0) for part in parts), default=0)
    if updated:
        found["updated_index"] = updated
    alive = [part for part in parts if part["status"] != "failed"]
    if status == "complete":
        done = [part for part in parts if part["status"] == "complete"]
        ends = [part["completed_at"] for part in done if "completed_at" in part]
        if ends:
            found["completed_at"] = max(ends)
        if all("amount_msat" in part for part in alive):
            found["amount_msat"] = sum(part["amount_msat"] for part in alive)
        found["preimage"] = done[0]["payment_preimage"]
        if len(alive) > 1:
            found["number_of_parts"] = len(alive)
    if status != "pending":
        found["amount_sent_msat"] = sum(part["amount_sent_msat"] for part in alive)
    if status == "failed":
        onion = next((p["erroronion"] for p in parts if "erroronion" in p), None)
        if onion is not None:
            found["erroronion"] = onion
    return found
