"""Commands about channels: listpeerchannels, listclosedchannels, setchannel, listhtlcs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, NodeId, ShortChannelId
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.describe import channel_json, closed_json, htlc_row_json
from pylightningd.lightningd.channels.describe_onchain import onchain_json
from pylightningd.lightningd.channels.states import CLOSING
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.rpc.params import (
    Param,
    boolean,
    channel_id,
    msat,
    node_id_param,
    peer_or_channel,
    scid,
    string,
    u32,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.windows import WINDOW_PARAMS, read_window

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"


def find_channels(node: Node, name: NodeId | ShortChannelId | ChannelId) -> list[Channel]:
    """Every channel with that peer, or the one of that id. Raises UserError where there is none."""
    if isinstance(name, ShortChannelId):
        found = node.channels.by_scid(name)
        if found is None:
            raise UserError(LIGHTNINGD, f"Unknown channel: no channel has short_channel_id {name}")
        return [found]
    if len(name) == 32:
        found = node.channels.by_channel_id(ChannelId(name))
        if found is None:
            raise UserError(LIGHTNINGD, f"Unknown channel: no channel has id {name.hex()}")
        return [found]
    channels = node.channels.of_peer(NodeId(name))
    if not channels:
        raise UserError(LIGHTNINGD, f"Unknown peer: no channel with {name.hex()}")
    return channels


@command(
    "listpeerchannels",
    family="channels",
    summary="Show channels with direct peers",
    params={
        "id": Param(node_id_param, "only channels with this peer", default=None),
        "short_channel_id": Param(scid, "only this channel", default=None),
        "channel_id": Param(channel_id, "only this channel", default=None),
    },
    examples=["listpeerchannels", f"listpeerchannels {_ID}"],
)
async def listpeerchannels(
    node: Node,
    id: NodeId | None,  # noqa: A002 - the command's own name
    short_channel_id: ShortChannelId | None,
    channel_id: ChannelId | None,
) -> dict[str, Any]:
    given = [x for x in (id, short_channel_id, channel_id) if x is not None]
    if len(given) > 1:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            "Cannot specify more than one of id, short_channel_id, channel_id",
        )
    found = [
        c
        for c in node.channels
        if (id is None or c.peer_id == id)
        and (short_channel_id is None or node.channels.by_scid(short_channel_id) is c)
        and (channel_id is None or c.channel_id == channel_id)
    ]
    return {
        "channels": [
            channel_json(c, node.peers.get(c.peer_id), node.node_id)
            | onchain_json(node.onchain.outputs.get(c.dbid, ()))
            | (node.channels.history.json(c.dbid) if c.state in CLOSING else {})
            for c in found
        ]
    }


@command(
    "listclosedchannels",
    family="channels",
    summary="Show channels that are closed and forgotten",
    params={"id": Param(node_id_param, "only channels with this peer", default=None)},
    examples=["listclosedchannels"],
)
async def listclosedchannels(node: Node, id: NodeId | None) -> dict[str, Any]:  # noqa: A002
    closed = [c for c in node.channels.store.load_closed() if id is None or c.peer_id == id]
    return {
        "closedchannels": [
            closed_json(c, node.channels.store.htlcs_sent(c.dbid))
            | node.channels.history.json(c.dbid)
            for c in closed
        ]
    }


@command(
    "setchannel",
    family="channels",
    summary="Sets fees and/or htlc_max/min for channel with {id} (either peer ID, channel ID, "
    "short channel ID or 'all')",
    params={
        "id": Param(string, "a peer, a channel, or 'all'"),
        "feebase": Param(msat, "the fixed part of the fee", default=None),
        "feeppm": Param(u32, "the proportional part, in millionths", default=None),
        "htlcmin": Param(msat, "forward nothing smaller", default=None),
        "htlcmax": Param(msat, "forward nothing larger", default=None),
        "enforcedelay": Param(u32, "accept the old fees for so many seconds more", default=600),
        "ignorefeelimits": Param(
            boolean, "let the peer choose any commitment feerate", default=None
        ),
    },
    examples=[f"setchannel {_ID} 1000 10", "setchannel all 0 100"],
    errors={-1: "no such channel"},
)
async def setchannel(
    node: Node,
    id: str,  # noqa: A002 - the command's own name
    feebase: Msat | None,
    feeppm: int | None,
    htlcmin: Msat | None,
    htlcmax: Msat | None,
    enforcedelay: int,
    ignorefeelimits: bool | None,
) -> dict[str, Any]:
    channels = (
        list(node.channels) if id == "all" else find_channels(node, peer_or_channel("id", id))
    )
    open_ones = [c for c in channels if c.state not in CLOSING]
    if not open_ones and id != "all":
        raise UserError(LIGHTNINGD, f"Channel is in state {channels[0].state.name}: it is closing")

    def change() -> list[dict[str, Any]]:
        return [
            _set_one(node, c, feebase, feeppm, htlcmin, htlcmax, enforcedelay, ignorefeelimits)
            for c in open_ones
        ]

    return {"channels": await node.turn.do(change)}


def _set_one(
    node: Node,
    channel: Channel,
    feebase: Msat | None,
    feeppm: int | None,
    htlcmin: Msat | None,
    htlcmax: Msat | None,
    enforcedelay: int,
    ignorefeelimits: bool | None,
) -> dict[str, Any]:
    policy, static, warnings = channel.policy, channel.static, {}
    node.switch.keep_old_policy(channel, enforcedelay)
    if feebase is not None:
        policy.fee_base_msat = feebase.msat
    if feeppm is not None:
        policy.fee_proportional_millionths = feeppm
    if htlcmin is not None:
        policy.htlc_minimum = max(htlcmin, static.remote_config.htlc_minimum)
        if policy.htlc_minimum > htlcmin:
            warnings["warning_htlcmin_too_low"] = (
                f"Set minimum_htlc_out_msat to minimum allowed by peer {policy.htlc_minimum}"
            )
    if htlcmax is not None:
        limit = min(
            channel.capacity.to_msat() - static.remote_config.channel_reserve.to_msat(),
            static.remote_config.max_htlc_value_in_flight,
        )
        policy.htlc_maximum = min(htlcmax, limit)
        if policy.htlc_maximum < htlcmax:
            warnings["warning_htlcmax_too_high"] = (
                f"Set maximum_htlc_out_msat to maximum possible {limit}"
            )
    if ignorefeelimits is not None:
        channel.ignore_fee_limits = ignorefeelimits
        node.channel_events.fee_limits_changed(channel)
    node.channels.store.save(channel)
    node.channel_gossip.policy_changed(channel)
    result: dict[str, Any] = {
        "peer_id": channel.peer_id.hex(),
        "channel_id": channel.channel_id.hex(),
        "fee_base_msat": policy.fee_base_msat,
        "fee_proportional_millionths": policy.fee_proportional_millionths,
        "minimum_htlc_out_msat": policy.htlc_minimum.msat,
        "maximum_htlc_out_msat": policy.htlc_maximum.msat,
        "ignore_fee_limits": channel.ignore_fee_limits,
        **warnings,
    }
    if channel.short_channel_id is not None:
        result["short_channel_id"] = str(channel.short_channel_id)
    return result


@command(
    "listhtlcs",
    family="channels",
    summary="List all known HTLCS (optionally, just for [id] (scid or channel id))",
    params={
        "id": Param(string, "only HTLCs of this channel", default=None),
        **WINDOW_PARAMS,
    },
    examples=["listhtlcs", "listhtlcs 103x1x0"],
)
async def listhtlcs(
    node: Node,
    id: str | None,  # noqa: A002 - the command's own name
    index: str | None,
    start: int | None,
    limit: int | None,
) -> dict[str, Any]:
    window = read_window(index, start, limit)
    dbid = None if id is None else find_channels(node, peer_or_channel("id", id))[0].dbid
    return {"htlcs": [htlc_row_json(row) for row in node.channels.store.htlcs(dbid, window)]}
