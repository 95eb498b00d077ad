"""Commands about connections that came and went: listnetworkevents, delnetworkevent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.lightningd.db.network_events_io import NetworkEvent
from pylightningd.lightningd.rpc.errors import DELNETWORKEVENT_NOT_FOUND
from pylightningd.lightningd.rpc.params import Param, node_id_param, u64
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import CREATED_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "listnetworkevents",
    family="network_events",
    summary="List connections that were made, failed or ended, and pings",
    params={"id": Param(node_id_param, "only of this peer", default=None), **CREATED_PARAMS},
    examples=["listnetworkevents", "listnetworkevents -k index=created start=10 limit=5"],
)
async def listnetworkevents(
    node: Node,
    id: NodeId | None,  # noqa: A002 - the command's own name
    index: str | None,
    start: int | None,
    limit: int | None,
) -> dict[str, Any]:
    events = node.peers.events.listed(read_window(index, start, limit), id)
    return {"networkevents": [_event_json(event) for event in events]}


def _event_json(event: NetworkEvent) -> dict[str, Any]:
    result: dict[str, Any] = {
        "created_index": event.id,
        "peer_id": event.peer_id.hex(),
        "type": event.kind,
        "timestamp": event.timestamp,
    }
    if event.reason is not None:
        result["reason"] = event.reason
    if event.nsec:
        result["duration_nsec"] = event.nsec
    if event.kind == "connect_fail":
        result["connect_attempted"] = event.attempted
    return result


@command(
    "delnetworkevent",
    family="network_events",
    summary="Delete the network event of {created_index}",
    params={"created_index": Param(u64, "which one, as listnetworkevents shows it")},
    examples=["delnetworkevent 17"],
    errors={DELNETWORKEVENT_NOT_FOUND: "there is no such event"},
)
async def delnetworkevent(node: Node, created_index: int) -> dict[str, Any]:
    if not await node.turn.do(lambda: node.peers.events.delete(created_index)):
        raise UserError(DELNETWORKEVENT_NOT_FOUND, "Could not find that networkevent")
    return {}
