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
from pylightningd.plugins.parameters import may, need
from pylightningd.plugins.routing import MAX_HOPS, Hop, NoRoute, Wish, find_route

PAY_ROUTE_NOT_FOUND = 205
PAY_ROUTE_TOO_EXPENSIVE = 206
CERTAIN_PPM = 1_000_000
"""We make no guess how likely a payment gets through."""
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
    params={
        "short_channel_id": may("short_channel_id", "this one alone"),
        "source": may("node_id", "those that this node sends through"),
        "destination": may("node_id", "those that lead to this node"),
    },
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
    params={"id": may("node_id", "this one alone")},
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
    params={
        "id": need("node_id", "where to"),
        "amount_msat": need("msat", "how much is to arrive"),
        "riskfactor": need("number", "what a delay of a year costs, in percent; 10 is usual"),
        "cltv": may("u32", "blocks that the last node wants; 9 if left out"),
        "fromid": may("node_id", "where from, if not from here"),
        "fuzzpercent": may("number", "taken, as CLN's, and without effect"),
        "exclude": may("array", "channels (103x1x0/1) and nodes that must not be used"),
        "maxhops": may("u32", "so many channels at most; 20 if left out"),
    },
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


# ---- getroutes ----------------------------------------------------------------------------------

LOCAL_CHANNELS, SOURCE_FREE = "auto.localchans", "auto.sourcefree"
KNOWN_LAYERS = {LOCAL_CHANNELS, SOURCE_FREE, "auto.no_mpp_support"}
MAX_DELAY_BLOCKS = 2016


@plugin.method(
    "getroutes",
    params={
        "source": need("node_id", "where from"),
        "destination": need("node_id", "where to"),
        "amount_msat": need("msat", "how much is to arrive"),
        "layers": need(
            "array", "names of layers: auto.localchans, auto.sourcefree, auto.no_mpp_support"
        ),
        "maxfee_msat": need("msat", "the most to pay in fees"),
        "final_cltv": need("u32", "blocks that the last node wants"),
        "maxdelay": may("u32", "the most blocks for which money may be held up"),
        "maxparts": may("u32", "so many parts at most; there is never more than one"),
    },
    description="Find a route for {amount_msat} from {source} to {destination}, in the form of askrene's answers",
    example="getroutes 0266e4598d1d3c41... 02a1b2c3d4e5f607... 10000 [] 100 9",
)
async def getroutes(
    source: Any,
    destination: Any,
    amount_msat: Any,
    layers: Any,
    maxfee_msat: Any,
    final_cltv: Any,
    maxdelay: Any = None,
    maxparts: Any = None,
) -> Json:
    """One route, never several parts; of the layers only those that CLN makes by itself. Errors 205 and 206."""
    start = params.read_node_id("source", source)
    end = params.read_node_id("destination", destination)
    max_fee = params.read_msat("maxfee_msat", maxfee_msat)
    names = params.read_layers(layers, KNOWN_LAYERS)
    if maxparts is not None:
        params.read_number("maxparts", maxparts)
    blocks = MAX_DELAY_BLOCKS if maxdelay is None else params.read_number("maxdelay", maxdelay)
    wish = Wish(
        amount_msat=params.read_msat("amount_msat", amount_msat),
        final_delay=params.read_number("final_cltv", final_cltv),
        max_delay=min(blocks, MAX_DELAY_BLOCKS),
    )
    known = await graph()
    mine = await our_channels() if LOCAL_CHANNELS in names else []
    with known.overlay(local_channels(await our_id(), mine, spendable=True)):
        try:
            hops = find_route(known, start, end, wish)
        except NoRoute as why:
            raise RpcError(PAY_ROUTE_NOT_FOUND, str(why)) from None
        path = _path_json(known, start, hops, source_free=SOURCE_FREE in names)
    fee = path[0]["amount_in_msat"] - wish.amount_msat if path else 0
    if fee > max_fee:
        raise RpcError(
            PAY_ROUTE_TOO_EXPENSIVE, f"The cheapest route costs {fee}msat, more than {max_fee}msat"
        )
    route = {
        "probability_ppm": CERTAIN_PPM,
        "amount_msat": wish.amount_msat,
        "final_cltv": wish.final_delay,
        "path": path,
    }
    return {"probability_ppm": CERTAIN_PPM, "routes": [route]}


def _path_json(known: Gossmap, start: bytes, hops: list[Hop], *, source_free: bool) -> list[Json]:
    """What goes into each hop and what comes out of it."""
    path: list[Json] = []
    for hop in hops:
        if path:
            amount_in, cltv_in = path[-1]["amount_out_msat"], path[-1]["cltv_out"]
        else:
            amount_in, cltv_in = hop.amount_msat, hop.delay
            half = known.half(hop.scid, hop.direction)
            if not source_free and half is not None:
                amount_in += known.base_fee[half]
                amount_in += hop.amount_msat * known.fee_ppm[half] // 1_000_000
                cltv_in += known.delay[half]
        path.append(
            {
                "short_channel_id_dir": f"{ShortChannelId(hop.scid)}/{hop.direction}",
                "node_id_in": path[-1]["node_id_out"] if path else start.hex(),
                "node_id_out": hop.node_id.hex(),
                "amount_in_msat": amount_in,
                "amount_out_msat": hop.amount_msat,
                "cltv_in": cltv_in,
                "cltv_out": hop.delay,
            }
        )
    return path


# ---- listincoming -------------------------------------------------------------------------------


@plugin.method(
    "listincoming", params={}, description="List the channels incoming from our direct peers"
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
