"""One payment: what has been tried, what is known, and what to do next. Pure.

The shell asks `next_step`, sends what it says, and reports back with `succeeded` and `failed` until it is told `Done`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pylightningd.common.errors import WireError
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.wire import onion_wire
from pylightningd.plugins.pay.attempt import (
    PAY_DESTINATION_PERM_FAIL,
    PAY_ROUTE_NOT_FOUND,
    PAY_ROUTE_TOO_EXPENSIVE,
    PAY_STOPPED_RETRYING,
    Attempt,
    Goal,
    PartFailure,
    State,
)
from pylightningd.plugins.pay.knowledge import Knowledge, in_use
from pylightningd.plugins.pay.router import Router, TooExpensive
from pylightningd.plugins.pay.verdict import Kind, Verdict, judge
from pylightningd.plugins.routing import Hop, NoRoute

MIN_PART_MSAT = 10_000
"""A payment is not split into parts smaller than this; fees and HTLC slots would be wasted."""
MAX_PARTS = 64
"""On their way at once."""
MAX_ATTEMPTS = 500


@dataclass(frozen=True, slots=True)
class Send:
    """Send these parts."""

    attempts: list[Attempt]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before a part ends."""


@dataclass(frozen=True, slots=True)
class WaitHeight:
    """The destination has seen a block that we have not: wait for that height."""

    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The payment is over; with a preimage it is paid."""

    preimage: str | None = None
    code: int = 0
    message: str = ""
    last: PartFailure | None = None
    """The failure that decided it, where one did."""


Step = Send | Wait | WaitHeight | Done


@dataclass(slots=True)
class PaySession:
    """The state of one payment."""

    goal: Goal
    router: Router
    knowledge: Knowledge = field(default_factory=Knowledge)
    attempts: list[Attempt] = field(default_factory=list)
    first_partid: int = 1
    preimage: str | None = None
    height: int = 0
    """Of the newest block that our node has seen, kept by the shell; 0 if it does not know."""
    _height_wanted: int = 0
    _refused: tuple[Verdict, PartFailure] | None = None
    """The destination's last word."""
    _stopped: Done | None = None

    # What happened

    def succeeded(self, partid: int, preimage: str, now: float) -> None:
        """A part came through: the payment is made."""
        attempt = self._attempt(partid)
        attempt.state, attempt.ended_at = State.SUCCESS, now
        self.preimage = preimage

    def failed(self, partid: int, failure: PartFailure, now: float) -> str:
        """A part failed; returns what is known and what follows, for the log."""
        attempt = self._attempt(partid)
        attempt.state, attempt.ended_at, attempt.failure = State.FAILED, now, failure
        verdict = self._judge(attempt, failure)
        follows = self.knowledge.learn(
            verdict, attempt, failure, self.router.our_id, in_use(self.attempts)
        )
        attempt.reason = f"{verdict.why}; {follows}"
        if verdict.kind is Kind.GIVE_UP:
            self._refused = (verdict, failure)
        return attempt.reason

    def _judge(self, attempt: Attempt, failure: PartFailure) -> Verdict:
        height = height_seen(failure, len(attempt.hops))
        if attempt.height and height > attempt.height:
            # BOLT 4, "Failure Messages", incorrect_or_unknown_payment_details: the height tells us that our
            # expiry may have been too low only because the destination was a block ahead of us.
            self._height_wanted = max(self._height_wanted, height)
            return Verdict(Kind.RETRY, why=f"the destination is at block {height} already")
        return judge(failure, attempt.hops, luck=len(self.attempts))

    def stop(self, code: int, message: str) -> None:
        """End it as soon as no part is on its way: something is wrong that no route can mend."""
        if self._stopped is None:
            self._stopped = Done(code=code, message=message)

    # What to do

    def next_step(self, now: float) -> Step:
        """What is to be done. New attempts in it count as sent."""
        if self.preimage is not None:
            return Done(preimage=self.preimage)
        end = self._end(now)
        if end is not None:
            return Wait() if self.pending else end
        if self._height_wanted > self.height:
            return WaitHeight(self._height_wanted)
        missing = self.goal.amount_msat - sum(a.amount_msat for a in self.pending)
        if missing <= 0:
            return Wait()
        try:
            attempts = self._plan(missing, now)
        except NoRoute as why:
            return Wait() if self.pending else self._no_route(why)
        return Send(attempts)

    @property
    def pending(self) -> list[Attempt]:
        """Parts that are on their way."""
        return [a for a in self.attempts if a.state is State.PENDING]

    @property
    def sent_msat(self) -> int:
        """What has left us and did not come back."""
        return sum(a.sent_msat for a in self.attempts if a.state is not State.FAILED)

    def _end(self, now: float) -> Done | None:
        if self._stopped is not None:
            return self._stopped
        if self._refused is not None:
            verdict, failure = self._refused
            return Done(
                code=PAY_DESTINATION_PERM_FAIL, message=f"failed: {verdict.why}", last=failure
            )
        if now >= self.goal.deadline and self.attempts:
            return self._give_up("Timed out")
        if len(self.attempts) >= MAX_ATTEMPTS:
            return self._give_up("Too many failures")
        return None

    def _plan(self, missing_msat: int, now: float) -> list[Attempt]:
        """Parts that deliver what is missing. Raises NoRoute where they cannot deliver all of it."""
        router, knowledge = self.router, self.knowledge
        planned: list[Attempt] = []
        first: NoRoute | None = None
        chunk = left = missing_msat
        budget = self.goal.max_fee_msat - sum(a.fee_msat for a in self.pending)
        with router.ready(knowledge):
            while left:
                ours = [*self.attempts, *planned]
                used = in_use(ours)
                try:
                    hops = router.find(chunk, budget, knowledge, used, _firsts(ours))
                except NoRoute as why:
                    first = first or why
                    if not self._may_split(chunk, len(planned)):
                        # What was wrong with the whole says more than what was wrong with the last crumb.
                        raise first from None
                    chunk = max(chunk // 2, MIN_PART_MSAT)
                    continue
                if chunk < left:
                    grown = router.grow(hops, left, budget, knowledge, used)
                    if 0 < left - grown[-1].amount_msat < MIN_PART_MSAT:
                        # No crumbs: leave enough for a part that is worth its fee.
                        most = max(chunk, left - MIN_PART_MSAT)
                        grown = router.grow(hops, most, budget, knowledge, used)
                    hops = grown
                attempt = self._new(hops, len(planned), now)
                planned.append(attempt)
                left -= attempt.amount_msat
                budget -= attempt.fee_msat
                chunk = left
        self.attempts += planned
        return planned

    def _may_split(self, chunk_msat: int, planned: int) -> bool:
        return (
            self.goal.may_split
            and chunk_msat > MIN_PART_MSAT
            and len(self.pending) + planned + 2 <= MAX_PARTS
        )

    def _new(self, hops: list[Hop], planned: int, now: float) -> Attempt:
        return Attempt(
            partid=self.first_partid + len(self.attempts) + planned,
            amount_msat=hops[-1].amount_msat,
            hops=hops,
            started_at=now,
            height=self.height,
        )

    def _attempt(self, partid: int) -> Attempt:
        return self.attempts[partid - self.first_partid]

    # How it ended

    def _no_route(self, why: NoRoute) -> Done:
        reason = str(why)
        if not isinstance(why, TooExpensive):
            reason = self.router.diagnose(self.goal.amount_msat, reason)
        if self.attempts:
            return self._give_up("Ran out of routes to try", reason)
        if isinstance(why, TooExpensive):
            return Done(code=PAY_ROUTE_TOO_EXPENSIVE, message=f"Route too expensive: {reason}")
        return Done(code=PAY_ROUTE_NOT_FOUND, message=f"Could not find a route: {reason}")

    def _give_up(self, what: str, reason: str = "") -> Done:
        count = len(self.attempts)
        text = f"{what} after {count} attempt{'' if count == 1 else 's'}: see `paystatus`"
        failed = [a for a in self.attempts if a.state is State.FAILED]
        details = [f"part {a.partid} ({a.amount_msat}msat): {a.reason}" for a in failed[-3:]]
        if reason:
            details.append(reason)
        if details:
            text = f"{text}. {'; '.join(details)}"
        last = failed[-1].failure if failed else None
        return Done(code=PAY_STOPPED_RETRYING, message=text, last=last)


def height_seen(failure: PartFailure, hops: int) -> int:
    """The block height that the destination gives with its refusal, 0 where it gives none."""
    if (
        failure.index != hops
        or failure.failcode != FailureCode.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS
    ):
        return 0
    try:
        message = onion_wire.IncorrectOrUnknownPaymentDetails.decode(failure.raw)
    except WireError:
        return 0
    return message.height


def _firsts(attempts: list[Attempt]) -> dict[int, int]:
    """How many parts on their way begin with each of our channels."""
    counts: dict[int, int] = {}
    for attempt in attempts:
        if attempt.state is State.PENDING:
            scid = attempt.hops[0].scid
            counts[scid] = counts.get(scid, 0) + 1
    return counts
