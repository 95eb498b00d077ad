"""Parameters of lists that may be read piece by piece: `index`, `start` and `limit`."""

from __future__ import annotations

from pylightningd.common.errors import UserError
from pylightningd.lightningd.db.indexes_io import Window
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, one_of, u32, u64

_START = Param(u64, "begin with this index", default=None)
_LIMIT = Param(u32, "at most so many", default=None)
WINDOW_PARAMS = {
    "index": Param(one_of("created", "updated"), "which order", default=None),
    "start": _START,
    "limit": _LIMIT,
}
CREATED_PARAMS = {
    "index": Param(one_of("created"), "the order: nothing else is possible", default=None),
    "start": _START,
    "limit": _LIMIT,
}
"""For rows that never change."""


def read_window(index: str | None, start: int | None, limit: int | None) -> Window:
    """The part that is asked for. Raises UserError where it is not said in which order."""
    if index is None:
        for name, value in (("start", start), ("limit", limit)):
            if value is not None:
                raise UserError(
                    JSONRPC2_INVALID_PARAMS,
                    f"Can only specify {{{name}}} with {{index}}: say index=created {name}={value}",
                )
        return Window()
    return Window(index, start or 0, limit)
