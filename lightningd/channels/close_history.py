"""Why a channel was closed, step by step: who did what, at which height. Each step is a row of the turn that it happened in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pylightningd.common.ids import Txid, txid_hex
from pylightningd.lightningd.channels.states import Cause, ChannelState

_EVENTS = {
    ChannelState.CHANNELD_SHUTTING_DOWN: "shutdown",
    ChannelState.CLOSINGD_SIGEXCHANGE: "fee_negotiation",
    ChannelState.CLOSINGD_COMPLETE: "mutual_close",
    ChannelState.AWAITING_UNILATERAL: "unilateral_close",
    ChannelState.CLOSED: "resolved",
}
"""What it means that a channel came into a state. What the chain does has steps of its own."""
_WHO = {
    Cause.USER: "user",
    Cause.REMOTE: "remote",
    Cause.ONCHAIN: "chain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseStep:
    """One link of the chain of causes."""

    timestamp: float
    height: int
    who: str
    """"user", "local" (our node, by its own rules), "remote" or "chain"."""
    event: str
    """"shutdown", "fee_negotiation", "mutual_close", "unilateral_close", "reorganisation", "funding_spent", "recognised" or
    "resolved"."""
    message: str
    txid: Txid | None = None

    def json(self) -> dict[str, Any]:
        """For listpeerchannels and listclosedchannels."""
        when = datetime.fromtimestamp(self.timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        shown: dict[str, Any] = {
            "timestamp": when[:-3] + "Z",
            "blockheight": self.height,
            "who": self.who,
            "event": self.event,
            "message": self.message,
        }
        if self.txid is not None:
            shown["txid"] = txid_hex(self.txid)
        return shown


def event_of(old: ChannelState | None, new: ChannelState) -> str | None:
    """What a change of state is called, if it is a step of its own."""
    if new is ChannelState.AWAITING_UNILATERAL and old in (
        ChannelState.FUNDING_SPEND_SEEN,
        ChannelState.ONCHAIN,
    ):
        return "reorganisation"
    return _EVENTS.get(new)


def who_of(cause: Cause) -> str:
    """Who is behind a change of state."""
    return _WHO.get(cause, "local")


class CloseHistory:
    """Reads and writes the steps. Writes belong to the turn that is running."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def add(self, dbid: int, step: CloseStep) -> None:
        """Another step; one that says the same as the last is none."""
        last = self._db.execute_sql(
            "SELECT event, message FROM channel_close_steps WHERE channel_id=?"
            " ORDER BY id DESC LIMIT 1",
            (dbid,),
        ).fetchone()
        if last is not None and tuple(last) == (step.event, step.message):
            return
        self._db.execute_sql(
            "INSERT INTO channel_close_steps"
            " (channel_id, timestamp, blockheight, who, event, message, txid)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (dbid, step.timestamp, step.height, step.who, step.event, step.message, step.txid),
        )

    def steps(self, dbid: int) -> list[CloseStep]:
        """All of a channel, oldest first."""
        cursor = self._db.execute_sql(
            "SELECT timestamp, blockheight, who, event, message, txid FROM channel_close_steps"
            " WHERE channel_id=? ORDER BY id",
            (dbid,),
        )
        return [
            CloseStep(
                timestamp=r[0],
                height=r[1],
                who=r[2],
                event=r[3],
                message=r[4],
                txid=None if r[5] is None else Txid(bytes(r[5])),
            )
            for r in cursor.fetchall()
        ]

    def json(self, dbid: int) -> dict[str, Any]:
        """The field, where a close has begun."""
        steps = self.steps(dbid)
        return {"close_causes": [step.json() for step in steps]} if steps else {}
