"""The life of a channel as the master sees it: states, which may follow which, and who hosts each.

Names and numbers are CLN's and stand in the database: never renumber.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class ChannelState(IntEnum):
    """Where a channel is between the funding transaction and oblivion."""

    CHANNELD_AWAITING_LOCKIN = 2
    CHANNELD_NORMAL = 3
    CHANNELD_SHUTTING_DOWN = 4
    CLOSINGD_SIGEXCHANGE = 5
    CLOSINGD_COMPLETE = 6
    AWAITING_UNILATERAL = 7
    FUNDING_SPEND_SEEN = 8
    ONCHAIN = 9
    CLOSED = 10
    DUALOPEND_OPEN_INIT = 11
    """Only in log lines: such an opening has no row."""
    DUALOPEND_AWAITING_LOCKIN = 12
    DUALOPEND_OPEN_COMMITTED = 14
    """Both first commitments are signed, not all signatures of the funding transaction are there."""
    DUALOPEND_OPEN_COMMIT_READY = 15
    """The funding transaction is agreed on; the first commitments are being signed."""


class Cause(Enum):
    """Why a state changed, as `channel_state_changed` and listpeerchannels say it."""

    UNKNOWN = "unknown"
    LOCAL = "local"
    USER = "user"
    REMOTE = "remote"
    PROTOCOL = "protocol"
    ONCHAIN = "onchain"


_S = ChannelState
_ON_CHAIN = frozenset({_S.FUNDING_SPEND_SEEN, _S.ONCHAIN, _S.CLOSED})

_BEFORE_LOCKIN = frozenset({_S.CHANNELD_NORMAL, _S.CHANNELD_SHUTTING_DOWN, _S.AWAITING_UNILATERAL})

NEXT: dict[ChannelState, frozenset[ChannelState]] = {
    _S.DUALOPEND_OPEN_COMMIT_READY: frozenset({_S.DUALOPEND_OPEN_COMMITTED}) | _ON_CHAIN,
    _S.DUALOPEND_OPEN_COMMITTED: _BEFORE_LOCKIN | {_S.DUALOPEND_AWAITING_LOCKIN} | _ON_CHAIN,
    _S.DUALOPEND_AWAITING_LOCKIN: _BEFORE_LOCKIN | _ON_CHAIN,
    _S.CHANNELD_AWAITING_LOCKIN: _BEFORE_LOCKIN | _ON_CHAIN,
    _S.CHANNELD_NORMAL: frozenset({_S.CHANNELD_SHUTTING_DOWN, _S.AWAITING_UNILATERAL} | _ON_CHAIN),
    _S.CHANNELD_SHUTTING_DOWN: frozenset(
        {_S.CLOSINGD_SIGEXCHANGE, _S.AWAITING_UNILATERAL} | _ON_CHAIN
    ),
    _S.CLOSINGD_SIGEXCHANGE: frozenset({_S.CLOSINGD_COMPLETE, _S.AWAITING_UNILATERAL} | _ON_CHAIN),
    _S.CLOSINGD_COMPLETE: frozenset({_S.AWAITING_UNILATERAL} | _ON_CHAIN),
    _S.AWAITING_UNILATERAL: _ON_CHAIN,
    # A reorganisation may unspend the funding output; the channel then waits for a new spend.
    _S.FUNDING_SPEND_SEEN: frozenset({_S.ONCHAIN, _S.CLOSED, _S.AWAITING_UNILATERAL}),
    _S.ONCHAIN: frozenset({_S.CLOSED, _S.AWAITING_UNILATERAL, _S.FUNDING_SPEND_SEEN}),
    _S.CLOSED: frozenset(),
}
"""Which states may follow. Anything else is a bug of ours."""

OPENING_V2 = frozenset(
    {
        _S.DUALOPEND_OPEN_COMMIT_READY,
        _S.DUALOPEND_OPEN_COMMITTED,
        _S.DUALOPEND_AWAITING_LOCKIN,
    }
)
"""Opened together with the peer (BOLT 2, "Channel Establishment v2"), and not usable yet."""

OPENING = OPENING_V2 | {_S.CHANNELD_AWAITING_LOCKIN}
"""Waits until the funding transaction is deep enough, or for its signatures."""

CLOSING = frozenset(
    {
        _S.CHANNELD_SHUTTING_DOWN,
        _S.CLOSINGD_SIGEXCHANGE,
        _S.CLOSINGD_COMPLETE,
        _S.AWAITING_UNILATERAL,
    }
    | _ON_CHAIN
)
"""On its way to its end, or there."""

CHANNELD_STATES = OPENING | {_S.CHANNELD_NORMAL, _S.CHANNELD_SHUTTING_DOWN}
"""A channeld worker hosts the channel while the peer is connected."""

CLOSINGD_STATES = frozenset({_S.CLOSINGD_SIGEXCHANGE, _S.CLOSINGD_COMPLETE})
"""closingd negotiates (again, after each reconnect) while the peer is connected."""

WITH_PEER = CHANNELD_STATES | CLOSINGD_STATES
"""A daemon may host the channel while the peer is connected."""

RESUMED = WITH_PEER - {_S.CLOSINGD_COMPLETE}
"""The peer is still needed: we reconnect to it, and reestablish the channel on every connection.

Once both signed the closing transaction only the peer may want more of us: see `Peers.resume`.
"""

CAN_CLOSE_UNILATERALLY = WITH_PEER | {_S.AWAITING_UNILATERAL}
"""Our last commitment may be broadcast."""


class BadTransition(Exception):
    """A state was about to follow one that it cannot follow."""


def check_transition(old: ChannelState, new: ChannelState) -> None:
    """Raise BadTransition unless `new` may follow `old`."""
    if new not in NEXT[old]:
        raise BadTransition(f"a channel cannot go from {old.name} to {new.name}")
