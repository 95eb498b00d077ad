"""Finds out where the blinded paths of an invoice begin, and steps over ourselves where we are on them."""

from __future__ import annotations

from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.onion_wire import BlindedPath, EncryptedDataTlv
from pylightningd.plugins.gossmap import Gossmap
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.pay.attempt import PAY_ROUTE_NOT_FOUND, parse_scid
from pylightningd.plugins.pay.blinded import Way, make_way, step_over
from pylightningd.plugins.pay.order import Order

_SCIDDIR_SIZE = 9


class LeadsToUs(Exception):
    """We made the path ourselves."""


async def find_ways(plugin: Plugin, order: Order, our_id: bytes, graph: Gossmap) -> list[Way]:
    """The paths that can be used. Raises RpcError where there is none, LeadsToUs."""
    ways, problems = [], []
    for number, (path, cost) in enumerate(order.paths):
        try:
            way = make_way(introduction_of(path, graph), path, cost)
            if way is None:
                problems.append(f"path {number} needs a feature that is unknown here")
                continue
            while way.introduction == our_id:
                way = await _behind_us(plugin, way)
            ways.append(way)
        except (RpcError, ValueError, WireError) as why:
            problems.append(f"path {number}: {why}")
    if not ways:
        raise RpcError(
            PAY_ROUTE_NOT_FOUND,
            f"None of the invoice's {len(order.paths)} paths can be used: {'; '.join(problems)}",
        )
    for problem in problems:
        plugin.log(f"invoice for {order.payment_hash}: {problem}", "debug")
    return ways


def introduction_of(path: BlindedPath, graph: Gossmap) -> NodeId:
    """The node a path begins at. Raises ValueError where that is an end of a channel that is not on the map."""
    first = path.first_node_id
    if len(first) != _SCIDDIR_SIZE:
        return NodeId(first)
    # BOLT 1, "Fundamental Types", sciddir_or_pubkey: 0 is node_id_1 of the channel, 1 is node_id_2.
    half = graph.half(int.from_bytes(first[1:], "big"), first[0])
    if half is None:
        raise ValueError("it begins at a channel that is not known here")
    return NodeId(graph.node_ids[graph.source(half)])


async def _behind_us(plugin: Plugin, way: Way) -> Way:
    """The rest of a way whose introduction point we are. Raises LeadsToUs, RpcError, ValueError or WireError."""
    answer = await plugin.rpc(
        "decryptencrypteddata",
        encrypted_data=way.hops[0].encrypted_recipient_data.hex(),
        path_key=way.path_key.hex(),
    )
    said = answer["decryptencrypteddata"]
    data = EncryptedDataTlv.decode(bytes.fromhex(said["decrypted"]))
    if len(way.hops) == 1:
        raise LeadsToUs
    if data.payment_relay is None:
        raise ValueError("it does not say what we charge")
    if data.next_node_id is not None:
        following = data.next_node_id
    elif data.short_channel_id is not None:
        following = await _peer_behind(plugin, int(data.short_channel_id))
    else:
        raise ValueError("it does not say who comes after us")
    path_key = data.next_path_key_override or bytes.fromhex(said["next_path_key"])
    return step_over(way, data.payment_relay, following, path_key)


async def _peer_behind(plugin: Plugin, scid: int) -> NodeId:
    listed = await plugin.rpc("listpeerchannels")
    for channel in listed["channels"]:
        names = (channel.get("short_channel_id"), (channel.get("alias") or {}).get("local"))
        if any(name is not None and parse_scid(name) == scid for name in names):
            return NodeId(bytes.fromhex(channel["peer_id"]))
    raise ValueError("it goes on through a channel that we do not have")
