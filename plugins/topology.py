"""Plugin `topology`: what is known of the network (listchannels, listnodes) and ways through it (getroute, listincoming)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pylightningd.common.address import read_addresses
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire.peer_wire import NodeAnnouncement
from pylightningd.plugins import topology_params as params
from pylightningd.plugins.gossmap import DISABLED, SET, Gossmap, GossmapError
from pylightningd.plugins.lib import INVALID_PARAMS, PLUGIN_ERROR, Plugin, RpcError
from pylightningd.plugins.local_channels import hint_names, local_channels
from pylightningd.plugins.routing import MAX_HOPS, Hop, NoRoute, Wish, find_route

PAY_ROUTE_NOT_FOUND = 205
DEFAULT_CLTV = 9
Json = dict[str, Any]

plugin = Plugin()


class State:
    """What the plugin keeps between calls."""

    graph: Gossmap | None = None
    our_id: bytes = b""


state = State()


async def graph() -> Gossmap:
    """The map, up to date. Raises RpcError."""
    if state.graph is None:
        folder = plugin.configuration.get("lightning-dir", ".")
        state.graph = Gossmap(Path(folder, "gossip_store"))
    try:
        state.graph.refresh()
    except GossmapError as why:
        raise RpcError(PLUGIN_ERROR, f"Could not load gossmap: {why}") from None
    return state.graph


async def our_id() -> bytes:
    """The node's id."""
    if not state.our_id:
        state.our_id = bytes.fromhex((await plugin.rpc("getinfo"))["id"])
    return state.our_id


async def our_channels() -> list[Json]:
    """listpeerchannels."""
    found: list[Json] = (await plugin.rpc("listpeerchannels"))["channels"]
    return found


# ---- listchannels -------------------------------------------------------------------------------


@plugin.method(
    "listchannels",
    usage="[short_channel_id] [source] [destination]",
    description="List all known channels in the network",
    example="listchannels 103x1x0",
)
async def listchannels(
    short_channel_id: Any = None, source: Any = None, destination: Any = None
) -> Json:
    """By channel, by one end, or all; our own unannounced ones are among them."""
    if sum(x is not None for x in (short_channel_id, source, destination)) > 1:
        raise RpcError(
            INVALID_PARAMS,
            "Can only specify one of `short_channel_id`, `source` or `destination`",
        )
    scid = None
    if short_channel_id is not None:
        scid = params.read_scid("short_channel_id", short_channel_id)
    sender = None if source is None else params.read_node_id("source", source)
    receiver = None if destination is None else params.read_node_id("destination", destination)
    ours = local_channels(await our_id(), await our_channels(), spendable=False)
    known = await graph()
    with known.overlay(ours, replace=False):
        halves = _chosen_halves(known, scid, sender, receiver)
        return {"channels": [_half_json(known, h) for h in halves]}


def _chosen_halves(
    known: Gossmap, scid: int | None, sender: bytes | None, receiver: bytes | None
) -> list[int]:
    if scid is not None:
        index = known.channel_index.get(scid)
        halves = [] if index is None else [2 * index, 2 * index + 1]
    elif sender is not None or receiver is not None:
        node = known.node_index.get(sender or receiver or b"")
        channels = [] if node is None else known.node_channels[node]
        end = known.source if sender is not None else known.destination
        halves = [h for c in channels for h in (2 * c, 2 * c + 1) if end(h) == node]
    else:
        halves = [h for c in known.channel_index.values() for h in (2 * c, 2 * c + 1)]
    return [h for h in halves if known.half_flags[h] & SET]


def _half_json(known: Gossmap, half: int) -> Json:
    index = half >> 1
    disabled = known.half_flags[half] & DISABLED
    return {
        "source": known.node_ids[known.source(half)].hex(),
        "destination": known.node_ids[known.destination(half)].hex(),
        "short_channel_id": str(ShortChannelId(known.scids[index])),
        "direction": half & 1,
        "public": known.is_public(index),
        "amount_msat": known.capacity_sat[index] * 1000,
        "message_flags": known.message_flags[half],
        "channel_flags": (half & 1) | disabled,
        "active": not disabled,
        "last_update": known.last_update[half],
        "base_fee_millisatoshi": known.base_fee[half],
        "fee_per_millionth": known.fee_ppm[half],
        "delay": known.delay[half],
        "htlc_minimum_msat": known.htlc_min[half],
        "htlc_maximum_msat": known.htlc_max[half],
        "features": known.channel_features.get(index, b"").hex(),
    }


# ---- listnodes ----------------------------------------------------------------------------------


@plugin.method(
    "listnodes",
    usage="[id]",
    description="List all known nodes in the network",
    example="listnodes 0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518",
)
async def listnodes(id: Any = None) -> Json:  # noqa: A002 - the parameter's name is CLN's
    """One node or all."""
    wanted = None if id is None else params.read_node_id("id", id)
    known = await graph()
    if wanted is None:
        chosen = list(known.nodes())
    else:
        index = known.node_index.get(wanted)
        chosen = [index] if index is not None and known.node_channels[index] else []
    return {"nodes": [_node_json(known, n) for n in chosen]}


def _node_json(known: Gossmap, index: int) -> Json:
    found: Json = {"nodeid": known.node_ids[index].hex()}
    offset = known.node_offsets[index]
    if not offset:
        return found
    try:
        msg = NodeAnnouncement.decode(known.message(offset))
        addresses = read_addresses(msg.addresses)
    except WireError:
        return found
    found |= {
        "alias": msg.alias.rstrip(b"\0").decode("utf-8", "backslashreplace")[:32],
        "color": msg.rgb_color.hex(),
        "last_timestamp": msg.timestamp,
        "features": msg.features.hex(),
        "addresses": [{"type": a.kind, "address": a.host, "port": a.port} for a in addresses],
    }
    return found


# ---- getroute -----------------------------------------------------------------------------------


@plugin.method(
    "getroute",
    usage="id amount_msat riskfactor [cltv] [fromid] [fuzzpercent] [exclude] [maxhops]",
    description="Show route to {id} for {amount_msat}, using {riskfactor} and optional {cltv} (default 9)",
    example="getroute 0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518 10000 1",
)
async def getroute(
    id: Any,  # noqa: A002 - the parameter's name is CLN's
    amount_msat: Any,
    riskfactor: Any,
    cltv: Any = None,
    fromid: Any = None,
    fuzzpercent: Any = None,
    exclude: Any = None,
    maxhops: Any = None,
) -> Json:
    """The cheapest route; error 205 where there is none."""
    destination = params.read_node_id("id", id)
    amount = params.read_msat("amount_msat", amount_msat)
    risk = params.read_factor("riskfactor", riskfactor)
    final = DEFAULT_CLTV if cltv is None else params.read_number("cltv", cltv)
    me = await our_id()
    source = me if fromid is None else params.read_node_id("fromid", fromid)
    if fuzzpercent is not None:
        params.read_factor("fuzzpercent", fuzzpercent)
    halves, nodes = params.read_exclusions([] if exclude is None else exclude)
    hops = MAX_HOPS if maxhops is None else params.read_number("maxhops", maxhops)
    ours = local_channels(me, await our_channels(), spendable=True)
    known = await graph()
    with known.overlay(ours):
        bad_halves = {known.half(scid, direction) for scid, direction in halves} - {None}
        bad_nodes = {known.node_index.get(n) for n in nodes} - {None}
        wish = Wish(
            amount_msat=amount,
            final_delay=final,
            riskfactor_percent=risk,
            max_hops=hops,
            exclude_halves=bad_halves,  # type: ignore[arg-type]  # None was taken out
            exclude_nodes=bad_nodes,  # type: ignore[arg-type]  # None was taken out
        )
        try:
            found = find_route(known, source, destination, wish)
        except NoRoute as why:
            raise RpcError(PAY_ROUTE_NOT_FOUND, str(why)) from None
    return {"route": [hop_json(h) for h in found]}


def hop_json(hop: Hop) -> Json:
    """A hop as getroute shows it and sendpay takes it."""
    return {
        "id": hop.node_id.hex(),
        "channel": str(ShortChannelId(hop.scid)),
        "direction": hop.direction,
        "amount_msat": hop.amount_msat,
        "delay": hop.delay,
        "style": "tlv",
    }


# ---- listincoming -------------------------------------------------------------------------------


@plugin.method(
    "listincoming", usage="", description="List the channels incoming from our direct peers"
)
async def listincoming() -> Json:
    """For the route hints of invoices: our channels in the direction towards us."""
    me = await our_id()
    channels = await our_channels()
    names = hint_names(channels)
    known = await graph()
    with known.overlay(local_channels(me, channels, spendable=False)):
        node = known.node_index.get(me)
        mine = [] if node is None else list(known.node_channels[node])
        halves = [h for c in mine for h in (2 * c, 2 * c + 1) if known.destination(h) == node]
        found = [_incoming_json(known, h, names) for h in halves if known.half_flags[h] & SET]
    return {"incoming": found}


def _incoming_json(known: Gossmap, half: int, names: dict[int, int]) -> Json:
    index = half >> 1
    peer = known.source(half)
    scid = known.scids[index]
    found: Json = {
        "id": known.node_ids[peer].hex(),
        "short_channel_id": str(ShortChannelId(names.get(scid, scid))),
        "fee_base_msat": known.base_fee[half],
        "htlc_min_msat": known.htlc_min[half],
        "htlc_max_msat": known.htlc_max[half],
        "fee_proportional_millionths": known.fee_ppm[half],
        "cltv_expiry_delta": known.delay[half],
        "incoming_capacity_msat": _peer_capacity(known, peer, index),
        "public": known.is_public(index),
        "enabled": not known.half_flags[half] & DISABLED,
    }
    offset = known.node_offsets[peer]
    if offset:
        try:
            found["peer_features"] = NodeAnnouncement.decode(known.message(offset)).features.hex()
        except WireError:
            pass
    return found


def _peer_capacity(known: Gossmap, peer: int, but: int) -> int:
    """What others can send to the peer, in msat."""
    total = 0
    for channel in known.node_channels[peer]:
        for half in (2 * channel, 2 * channel + 1):
            open_half = known.half_flags[half] & (SET | DISABLED) == SET
            if channel != but and open_half and known.destination(half) == peer:
                total += known.htlc_max[half]
    return total


def main() -> None:
    """Run as a plugin of lightningd."""
    from pylightningd.plugins.lib_io import run

    run(plugin)


if __name__ == "__main__":
    main()
