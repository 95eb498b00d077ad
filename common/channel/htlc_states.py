"""The 20 states of an HTLC, as a table.

An HTLC is added and removed in a fixed dance of commitments and revocations. Each state says what
both commitment transactions hold, so every question is a flag test. Names and numbers are those of
CLN and go into the database: never reorder.

The same walk (its adding half) serves feerates, see `fee_states`.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class Side(IntEnum):
    """Us or our peer. The numbers go into the database."""

    LOCAL = 0
    REMOTE = 1

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.REMOTE if self is Side.LOCAL else Side.LOCAL


class HtlcState(IntEnum):
    """Who did what last. SENT is us, RCVD our peer; ACK is the second half, on the offerer's side."""

    # We offered it, in this order:
    SENT_ADD_HTLC = 0
    SENT_ADD_COMMIT = 1
    RCVD_ADD_REVOCATION = 2
    RCVD_ADD_ACK_COMMIT = 3
    SENT_ADD_ACK_REVOCATION = 4
    # ... and they resolve it:
    RCVD_REMOVE_HTLC = 5
    RCVD_REMOVE_COMMIT = 6
    SENT_REMOVE_REVOCATION = 7
    SENT_REMOVE_ACK_COMMIT = 8
    RCVD_REMOVE_ACK_REVOCATION = 9
    # They offered it, in this order:
    RCVD_ADD_HTLC = 10
    RCVD_ADD_COMMIT = 11
    SENT_ADD_REVOCATION = 12
    SENT_ADD_ACK_COMMIT = 13
    RCVD_ADD_ACK_REVOCATION = 14
    # ... and we resolve it:
    SENT_REMOVE_HTLC = 15
    SENT_REMOVE_COMMIT = 16
    RCVD_REMOVE_REVOCATION = 17
    RCVD_REMOVE_ACK_COMMIT = 18
    SENT_REMOVE_ACK_REVOCATION = 19


class Event(Enum):
    """The four messages that move states."""

    SENT_COMMIT = "sent_commit"
    RCVD_REVOCATION = "rcvd_revocation"
    RCVD_COMMIT = "rcvd_commit"
    SENT_REVOCATION = "sent_revocation"


# Flags of one side's commitment; REMOTE's are shifted by 6 bits. The values are CLN's.
PENDING = 0x01
"""A change to this side's commitment waits for the next signature."""
COMMITTED = 0x02
"""The HTLC is in this side's newest commitment."""
REVOKED = 0x04
"""This side has revoked the commitment before the last change."""
OWNER = 0x08
"""This side offered it."""
WAS_COMMITTED = 0x10
"""The HTLC has been in a commitment of this side."""
WILL_SEND = 0x20
"""This side has more messages to send before all is at rest."""
ADDING = 0x1000
REMOVING = 0x2000
_SHIFT = 6

_LETTERS = {
    "p": PENDING, "c": COMMITTED, "r": REVOKED, "o": OWNER, "w": WAS_COMMITTED, "s": WILL_SEND,
}  # fmt: skip

# Direction (+ adding, - removing, = at rest), our commitment, their commitment.
_S = HtlcState
_TABLE: dict[HtlcState, str] = {
    _S.SENT_ADD_HTLC: "+ os ps",
    _S.SENT_ADD_COMMIT: "+ os cws",
    _S.RCVD_ADD_REVOCATION: "+ ops crws",
    _S.RCVD_ADD_ACK_COMMIT: "+ ocws crw",
    _S.SENT_ADD_ACK_REVOCATION: "= ocrw crw",
    _S.RCVD_REMOVE_HTLC: "- opcws cws",
    _S.RCVD_REMOVE_COMMIT: "- ows cws",
    _S.SENT_REMOVE_REVOCATION: "- orws pcws",
    _S.SENT_REMOVE_ACK_COMMIT: "- orw ws",
    _S.RCVD_REMOVE_ACK_REVOCATION: "= orw rw",
    _S.RCVD_ADD_HTLC: "+ ps os",
    _S.RCVD_ADD_COMMIT: "+ cws os",
    _S.SENT_ADD_REVOCATION: "+ crws ops",
    _S.SENT_ADD_ACK_COMMIT: "+ crw ocws",
    _S.RCVD_ADD_ACK_REVOCATION: "= crw ocrw",
    _S.SENT_REMOVE_HTLC: "- cws opcws",
    _S.SENT_REMOVE_COMMIT: "- cws ows",
    _S.RCVD_REMOVE_REVOCATION: "- pcws orws",
    _S.RCVD_REMOVE_ACK_COMMIT: "- ws orw",
    _S.SENT_REMOVE_ACK_REVOCATION: "= rw orw",
}


def _flags_of(row: str) -> int:
    direction, local, remote = row.split()
    flags = {"+": ADDING, "-": REMOVING, "=": 0}[direction]
    flags |= sum(_LETTERS[c] for c in local)
    return flags | sum(_LETTERS[c] for c in remote) << _SHIFT


FLAGS: tuple[int, ...] = tuple(_flags_of(_TABLE[state]) for state in HtlcState)
"""Flags by state number."""

_NEXT: dict[Event, frozenset[HtlcState]] = {
    Event.SENT_COMMIT: frozenset(
        (_S.SENT_ADD_HTLC, _S.SENT_REMOVE_HTLC, _S.SENT_ADD_REVOCATION, _S.SENT_REMOVE_REVOCATION)
    ),
    Event.RCVD_REVOCATION: frozenset(
        (_S.SENT_ADD_COMMIT, _S.SENT_REMOVE_COMMIT, _S.SENT_ADD_ACK_COMMIT, _S.SENT_REMOVE_ACK_COMMIT)
    ),
    Event.RCVD_COMMIT: frozenset(
        (_S.RCVD_ADD_HTLC, _S.RCVD_REMOVE_HTLC, _S.RCVD_ADD_REVOCATION, _S.RCVD_REMOVE_REVOCATION)
    ),
    Event.SENT_REVOCATION: frozenset(
        (_S.RCVD_ADD_COMMIT, _S.RCVD_REMOVE_COMMIT, _S.RCVD_ADD_ACK_COMMIT, _S.RCVD_REMOVE_ACK_COMMIT)
    ),
}  # fmt: skip


def next_state_on(state: HtlcState, event: Event) -> HtlcState | None:
    """The state after the event, or None where the event does not touch it."""
    return HtlcState(state + 1) if state in _NEXT[event] else None


def state_after(state: HtlcState, event: Event) -> HtlcState:
    """The state after the event, which may be the same one."""
    return HtlcState(state + 1) if state in _NEXT[event] else state


def has_flag(state: HtlcState, side: Side, flag: int) -> bool:
    """Whether a flag (PENDING, COMMITTED, ...) holds for one side's commitment."""
    return bool(FLAGS[state] >> _SHIFT * side & flag)


def is_committed(state: HtlcState, side: Side) -> bool:
    """Whether the HTLC stands in this side's newest commitment."""
    return bool(FLAGS[state] >> _SHIFT * side & COMMITTED)


def was_committed(state: HtlcState, side: Side) -> bool:
    """Whether the HTLC stands, or has stood, in a commitment of this side."""
    return bool(FLAGS[state] >> _SHIFT * side & WAS_COMMITTED)


def is_pending(state: HtlcState, side: Side) -> bool:
    """Whether a change waits for the next signature on this side's commitment."""
    return bool(FLAGS[state] >> _SHIFT * side & PENDING)


def owner_of(state: HtlcState) -> Side:
    """Who offered it."""
    return Side.LOCAL if state < HtlcState.RCVD_ADD_HTLC else Side.REMOTE


def is_adding(state: HtlcState) -> bool:
    """Whether it is on its way in."""
    return bool(FLAGS[state] & ADDING)


def is_removing(state: HtlcState) -> bool:
    """Whether it is on its way out."""
    return bool(FLAGS[state] & REMOVING)


def is_irrevocable(state: HtlcState) -> bool:
    """Whether it is in both commitments for good and nobody has begun to remove it."""
    return state in (HtlcState.SENT_ADD_ACK_REVOCATION, HtlcState.RCVD_ADD_ACK_REVOCATION)


def is_dead(state: HtlcState) -> bool:
    """Whether it is out of both commitments for good."""
    return state in (HtlcState.RCVD_REMOVE_ACK_REVOCATION, HtlcState.SENT_REMOVE_ACK_REVOCATION)


def first_state(offerer: Side) -> HtlcState:
    """The state of an HTLC just offered."""
    return HtlcState.SENT_ADD_HTLC if offerer is Side.LOCAL else HtlcState.RCVD_ADD_HTLC


def remove_state(offerer: Side) -> HtlcState:
    """The state when its recipient sends the message that resolves it."""
    return HtlcState.RCVD_REMOVE_HTLC if offerer is Side.LOCAL else HtlcState.SENT_REMOVE_HTLC


def last_add_state(offerer: Side) -> HtlcState:
    """The state at rest in both commitments."""
    return (
        HtlcState.SENT_ADD_ACK_REVOCATION
        if offerer is Side.LOCAL
        else HtlcState.RCVD_ADD_ACK_REVOCATION
    )
