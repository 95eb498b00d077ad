"""Commands for tests, only with --developer: what CLN's own tools do to channels and gossip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, NodeId, ShortChannelId, txid_hex
from pylightningd.common.wire.channeld_wire import ChanneldDevReenableCommit
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.rpc.channels import find_channels
from pylightningd.lightningd.rpc.errors import LIGHTNINGD
from pylightningd.lightningd.rpc.params import (
    Param,
    boolean,
    channel_id,
    node_id_param,
    scid,
)
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
_PEER = {"id": Param(node_id_param, "the peer of the channel")}


@command(
    "dev-fail",
    family="dev",
    summary="Fail with peer {id}: close its channel unilaterally",
    params=_PEER,
    examples=[f"dev-fail {_ID}"],
    errors={-1: "no channel with that peer"},
)
async def dev_fail(node: Node, id: NodeId) -> dict[str, Any]:  # noqa: A002 - the command's own name
    channel = find_channels(node, id)[0]
    await node.turn.do(
        lambda: node.channel_events.permanent_failure(
            channel, Cause.USER, "Failing due to dev-fail command"
        )
    )
    return {}


@command(
    "dev-sign-last-tx",
    family="dev",
    summary="Sign and show the last commitment transaction with peer {id}",
    params=_PEER,
    examples=[f"dev-sign-last-tx {_ID}"],
    errors={-1: "no channel with that peer"},
)
async def dev_sign_last_tx(node: Node, id: NodeId) -> dict[str, Any]:  # noqa: A002
    channel = find_channels(node, id)[0]
    tx = await node.channel_events.signed_commitment(channel, for_chain=False)
    return {"tx": tx.serialize().hex(), "txid": txid_hex(tx.txid())}


@command(
    "dev-reenable-commit",
    family="dev",
    summary="Send commitments again on the channel with {id}, after --dev-disable-commit-after",
    params=_PEER,
    examples=[f"dev-reenable-commit {_ID}"],
    errors={-1: "no channel with that peer"},
)
async def dev_reenable_commit(node: Node, id: NodeId) -> dict[str, Any]:  # noqa: A002
    channel = find_channels(node, id)[0]
    await node.turn.do(
        lambda: node.workers.send(channel, ChanneldDevReenableCommit(dbid=channel.dbid))
    )
    return {}


@command(
    "dev-forget-channel",
    family="dev",
    summary="Forget the channel with peer {id}: only safe if its funding never confirmed",
    params={
        "id": Param(node_id_param, "the peer of the channel"),
        "short_channel_id": Param(scid, "which one, if there are several", default=None),
        "channel_id": Param(channel_id, "which one, if there are several", default=None),
        "force": Param(boolean, "also if the funding output exists", default=False),
    },
    examples=[f"dev-forget-channel {_ID}"],
    errors={-1: "no such channel, several, or its funding output exists"},
)
async def dev_forget_channel(
    node: Node,
    id: NodeId,  # noqa: A002 - the command's own name
    short_channel_id: ShortChannelId | None,
    channel_id: ChannelId | None,
    force: bool,
) -> dict[str, Any]:
    found = [
        c
        for c in find_channels(node, id)
        if channel_id in (None, c.channel_id)
        and (short_channel_id is None or node.channels.by_scid(short_channel_id) is c)
    ]
    if len(found) != 1:
        raise UserError(LIGHTNINGD, f"{len(found)} channels match: name one by its channel_id")
    channel: Channel = found[0]
    if channel.htlcs:
        raise UserError(
            LIGHTNINGD,
            "This channel has HTLCs attached and it is not safe to forget it. Please use `close` or `dev-fail` instead.",
        )
    unspent = await node.chain.backend.unspent(channel.static.funding) is not None
    if unspent and not force:
        raise UserError(
            LIGHTNINGD,
            "Cowardly refusing to forget channel with an unspent funding output, if you know what "
            "you're doing you can override with `force=true`, otherwise consider `close` or `dev-fail`! "
            "If you force and the channel confirms we will not track the funds in the channel",
        )

    def forget() -> None:
        if channel.inflight is not None:
            node.dual.forget(channel, Cause.USER, "dev-forget-channel")
            return
        node.workers.release(channel)
        state = ChannelState.CLOSED
        node.channels.set_state(channel, state, Cause.USER, "dev-forget-channel")
        node.channels.forget(channel)

    await node.turn.do(forget)
    return {
        "forced": force,
        "funding_unspent": unspent,
        "funding_txid": txid_hex(channel.static.funding.txid),
    }
