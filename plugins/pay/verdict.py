"""Who is to blame for a failed part, by failure code and by where on the route it comes from. Pure.

`index` says who wrote the failure: 0 is our own node, i the node behind ``hops[i - 1]``; that node sends on over
``hops[i]``. The last one is the destination. No verdict ever points at us or, for a fault of a node, at the destination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pylightningd.common.onion.failure_codes import (
    FailureCode,
    code_name,
    is_bad_onion,
    is_node_failure,
    is_permanent,
)
from pylightningd.plugins.pay.attempt import PAY_UNPARSEABLE_ONION, PartFailure, channel_name
from pylightningd.plugins.routing import Hop

_NOT_FROM_THE_WAY = frozenset(
    {
        FailureCode.INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS,
        FailureCode.FINAL_INCORRECT_CLTV_EXPIRY,
        FailureCode.FINAL_INCORRECT_HTLC_AMOUNT,
        FailureCode.MPP_TIMEOUT,
    }
)
"""Only the destination may say these."""
_NODE_MISREADS = frozenset({FailureCode.INVALID_ONION_PAYLOAD, FailureCode.EXPIRY_TOO_FAR})
"""No flag says so, but no other channel of that node would do either."""
_POLICY = frozenset(
    {
        FailureCode.AMOUNT_BELOW_MINIMUM,
        FailureCode.FEE_INSUFFICIENT,
        FailureCode.INCORRECT_CLTV_EXPIRY,
        FailureCode.EXPIRY_TOO_SOON,
        FailureCode.CHANNEL_DISABLED,
    }
)
"""The channel's rules are not what we thought."""


class Kind(Enum):
    """What follows from a failure."""

    GIVE_UP = auto()
    """The destination refuses for good."""
    RETRY = auto()
    """Nobody is to blame."""
    AVOID_CHANNEL = auto()
    AVOID_NODE = auto()
    LIMIT_CHANNEL = auto()
    """The channel cannot carry that much now."""
    UPDATE_CHANNEL = auto()
    """The channel's rules are in the failure message; without them it is to be avoided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows; `hop` is the place in the route of the channel, or of the node behind it."""

    kind: Kind
    hop: int = -1
    why: str = ""


def judge(failure: PartFailure, hops: Sequence[Hop], luck: int = 0) -> Verdict:
    """Blame somebody. `luck` chooses where nobody knows."""
    last = len(hops)
    code, index = failure.failcode, failure.index
    if failure.code == PAY_UNPARSEABLE_ONION or code is None or index is None:
        return _unreadable(index, hops, luck)
    if not 0 <= index <= last:
        return _unreadable(None, hops, luck)
    said = f"{code_name(code)} from {_who(index, hops)}"
    if index == last:
        return _from_destination(code, hops, said)
    if is_bad_onion(code):
        # BOLT 4, "Failure Messages", BADONION: the node before the one that could not read the onion tells us.
        return Verdict(Kind.AVOID_CHANNEL, index, said)
    if index == 0:
        return _from_us(failure, code, said)
    return _from_the_way(code, index, said)


def _from_destination(code: int, hops: Sequence[Hop], said: str) -> Verdict:
    incoming = len(hops) - 1
    if code == FailureCode.MPP_TIMEOUT:
        # BOLT 4, "Failure Messages", mpp_timeout: the rest of the set did not come in time.
        return Verdict(Kind.RETRY, why=said)
    if is_permanent(code) and not is_bad_onion(code):
        # BOLT 4, "Receiving Failure Codes", origin: PERM of the final node fails the payment.
        return Verdict(Kind.GIVE_UP, why=said)
    # All else is either wrong from a destination, or the doing of the node before it.
    return Verdict(Kind.AVOID_CHANNEL, incoming, said)


def _from_us(failure: PartFailure, code: int, said: str) -> Verdict:
    if code == FailureCode.TEMPORARY_CHANNEL_FAILURE and not failure.immediate:
        return Verdict(Kind.LIMIT_CHANNEL, 0, f"{said} ({failure.message})")
    return Verdict(Kind.AVOID_CHANNEL, 0, f"{said} ({failure.message})")


def _from_the_way(code: int, index: int, said: str) -> Verdict:
    node = index - 1
    if code in _NOT_FROM_THE_WAY:
        return Verdict(Kind.AVOID_NODE, node, f"{said}, which only the destination may say")
    # BOLT 4, "Receiving Failure Codes", origin: NODE removes all channels of the erring node.
    if is_node_failure(code) or code in _NODE_MISREADS:
        return Verdict(Kind.AVOID_NODE, node, said)
    if code == FailureCode.TEMPORARY_CHANNEL_FAILURE:
        return Verdict(Kind.LIMIT_CHANNEL, index, said)
    if code in _POLICY:
        return Verdict(Kind.UPDATE_CHANNEL, index, said)
    return Verdict(Kind.AVOID_CHANNEL, index, said)


def _unreadable(index: int | None, hops: Sequence[Hop], luck: int) -> Verdict:
    """A failure nobody can read: somebody between us and the destination garbled it, and we do not know who."""
    said = "a failure that cannot be read"
    if index is not None and 0 < index < len(hops):
        return Verdict(Kind.AVOID_NODE, index - 1, f"{said}, from {_who(index, hops)}")
    if len(hops) < 2:
        return Verdict(Kind.AVOID_CHANNEL, 0, said)
    # Never our own channel: the peer is a node on the way as well, and the channels behind it are as likely.
    guess = 1 + luck % (len(hops) - 1)
    return Verdict(
        Kind.AVOID_CHANNEL, guess, f"{said}; {channel_name(hops[guess])} is avoided on suspicion"
    )


def _who(index: int, hops: Sequence[Hop]) -> str:
    if index == 0:
        return "our own node"
    name = hops[index - 1].node_id.hex()
    return f"the destination {name}" if index == len(hops) else f"node {name}"
