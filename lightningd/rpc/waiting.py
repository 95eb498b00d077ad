"""Command wait: for the next row of a kind to be made, changed or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.lightningd.db.indexes_io import INDEXES, SUBSYSTEMS, Reached
from pylightningd.lightningd.rpc.params import Param, one_of, u64
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_WITH_DETAILS = ("invoices", "forwards", "sendpays")
"""Those that have the same object under the old name as well, for callers of deprecated APIs."""


@command(
    "wait",
    family="waiting",
    summary="Wait for {subsystem}'s counter {indexname} to reach {nextvalue}",
    params={
        "subsystem": Param(one_of(*SUBSYSTEMS), "what kind of rows"),
        "indexname": Param(one_of(*INDEXES), "what happens to them"),
        "nextvalue": Param(u64, "the value to wait for; 0 tells where the counter stands"),
    },
    examples=["wait invoices created 0", "wait sendpays updated 7"],
    about="The reply comes once what it tells is on disk. Rows carry the counters' values as created_index and "
    "updated_index, and lists can begin at one: listinvoices index=updated start=7.",
)
async def wait(node: Node, subsystem: str, indexname: str, nextvalue: int) -> dict[str, Any]:
    future = node.new_future()
    node.db.indexes.wait(subsystem, indexname, nextvalue, future)
    reached: Reached = await future
    result: dict[str, Any] = {"subsystem": subsystem, indexname: reached.value}
    if reached.row is not None:
        old = node.config["allow-deprecated-apis"] and not node.developer
        if subsystem in _WITH_DETAILS and old:
            result["details"] = reached.row
        result[subsystem] = reached.row
    return result
