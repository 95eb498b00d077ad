"""Lines for the log as messages to the master."""

from __future__ import annotations

from typing import Any, Final

import orjson

from pylightningd.common.ids import NodeId
from pylightningd.common.wire.bus_wire import BusLog

LEVELS: Final = ("io", "trace", "debug", "info", "unusual", "broken")
"""From the chattiest to the gravest; a message carries the place in this tuple."""
_MAX_TEXT = 60_000


def make_log(
    level: str,
    text: str,
    fields: dict[str, Any],
    *,
    peer_id: NodeId | None = None,
    dbid: int = 0,
) -> BusLog:
    """The message for one line. Bytes in `fields` are shown as hex, what JSON lacks as text."""
    raw = orjson.dumps(fields, default=_plain, option=orjson.OPT_NON_STR_KEYS) if fields else b""
    clipped = text if len(text) < _MAX_TEXT // 4 else text[: _MAX_TEXT // 4] + " ..."
    return BusLog(
        level=LEVELS.index(level), peer_id=peer_id, channel_dbid=dbid, text=clipped, fields=raw
    )


def log_level(msg: BusLog) -> str:
    """Its level by name; ``broken`` where the number is unknown."""
    return LEVELS[msg.level] if msg.level < len(LEVELS) else "broken"


def log_fields(msg: BusLog) -> dict[str, Any]:
    """Its fields. Raises orjson.JSONDecodeError."""
    return orjson.loads(msg.fields) if msg.fields else {}


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
