"""fundchannel: open a channel with coins of the wallet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pylightningd.common import features as ft
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.script import p2wsh
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel_type import ChannelType, is_acceptable
from pylightningd.common.errors import UserError
from pylightningd.common.features import encode_features
from pylightningd.common.ids import NodeId, Outpoint, txid_hex
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.describe import channel_type_json
from pylightningd.lightningd.control.contribution import parts_of_draft
from pylightningd.lightningd.control.dualopend import DualRequest
from pylightningd.lightningd.control.openingd import OpenRequest
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.closing import closing_script
from pylightningd.lightningd.rpc.errors import (
    FUND_MAX_EXCEEDED,
    FUNDING_BROADCAST_FAIL,
    FUNDING_STATE_INVALID,
    FUNDING_STILL_SYNCING_BITCOIN,
    JSONRPC2_INVALID_PARAMS,
)
from pylightningd.lightningd.rpc.params import (
    Param,
    array_of,
    boolean,
    feerate,
    msat,
    node_id_param,
    outpoint_list,
    sat,
    sat_or_all,
    string,
    u32,
)
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.wallet.draft import Draft

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
_PLACEHOLDER = p2wsh(b"")
_JOINT_WITNESS_WU = 110
"""BOLT 3, "Calculating Fees for Collaborative Transactions": no witness is counted as less than 107, and its count."""
_WUMBO_LIMIT = Sat(2**24 - 1)


async def _no_side_effects(node: Node, id: NodeId, **_rest: Any) -> None:  # noqa: A002
    if id == node.node_id:
        raise UserError(JSONRPC2_INVALID_PARAMS, "id: cannot open a channel with ourselves")


@command(
    "fundchannel",
    family="opening",
    summary="Fund channel with {id} using {amount} (or 'all'), at optional {feerate}. "
    "Only use outputs that have {minconf} confirmations",
    params={
        "id": Param(node_id_param, "the peer; connected to first if it is not"),
        "amount": Param(sat_or_all, "size of the channel, or 'all' the wallet has"),
        "feerate": Param(feerate, "of the funding transaction", default=None),
        "announce": Param(boolean, "tell the network about the channel", default=True),
        "minconf": Param(u32, "least confirmations of the coins used", default=1),
        "push_msat": Param(msat, "give the peer so much of it", default=None),
        "close_to": Param(string, "address for our side at a mutual close", default=None),
        "request_amt": Param(sat, "liquidity to lease (not supported)", default=None),
        "compact_lease": Param(string, "terms of the lease (not supported)", default=None),
        "utxos": Param(outpoint_list, "use exactly these coins", default=None),
        "mindepth": Param(u32, "confirmations before the channel is usable", default=None),
        "reserve": Param(sat, "what we ask the peer to keep", default=None),
        "channel_type": Param(array_of(u32), "feature bits of the channel type", default=None),
    },
    examples=[f"fundchannel {_ID} 1000000", f"-k fundchannel id={_ID} amount=all feerate=slow"],
    errors={
        -1: "the peer refused, or went away",
        300: "the channel would be larger than the peer takes",
        301: "the wallet has not enough",
        302: "the channel would be too small",
        303: "bitcoind refused the funding transaction",
        304: "still syncing with bitcoin",
        305: "the peer is not connected",
    },
    check=_no_side_effects,
)
async def fundchannel(
    node: Node,
    id: NodeId,  # noqa: A002 - the command's own name
    amount: Sat | Literal["all"],
    feerate: Any,
    announce: bool,
    minconf: int,
    push_msat: Msat | None,
    close_to: str | None,
    request_amt: Sat | None,
    compact_lease: str | None,
    utxos: list[Outpoint] | None,
    mindepth: int | None,
    reserve: Sat | None,
    channel_type: list[int] | None,
) -> dict[str, Any]:
    await _no_side_effects(node, id)
    if request_amt is not None or compact_lease is not None:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "request_amt: leases need dual funding, which is not supported"
        )
    if node.chain.sync_warning():
        raise UserError(FUNDING_STILL_SYNCING_BITCOIN, "Still syncing with bitcoin network")
    _check_type(node, channel_type)
    peer = await node.peers.connect(id, [])
    _check_size(node, peer.features, amount)
    perkw = feerate_perkw(node, feerate, "opening")
    together = ft.negotiated(node.features["init"], peer.features, ft.DUAL_FUND)
    if together:
        _check_together(push_msat, reserve, mindepth)
    draft = await node.wallet.draft(
        [(_PLACEHOLDER, "all" if amount == "all" else amount)],
        perkw,
        minconf=minconf,
        utxos=utxos,
        opening_anchor_channel=ft.negotiated(
            node.features["init"], peer.features, ft.ANCHORS_ZERO_FEE_HTLC
        ),
        for_now=True,
        min_witness_wu=_JOINT_WITNESS_WU if together else 0,
    )
    if together:
        wish = _Together(
            peer_id=id,
            announce=announce,
            feerate_perkw=perkw,
            close_to=None if close_to is None else closing_script(node, "close_to", close_to, id),
            channel_type=encode_features(channel_type) if channel_type else b"",
        )
        return await _open_together(node, draft, wish, peer.features)
    try:
        size: Sat = draft.amounts[0]
        _check_size(node, peer.features, size)
        if push_msat is not None and push_msat > size.to_msat():
            raise UserError(
                JSONRPC2_INVALID_PARAMS, f"push_msat: {push_msat} is more than the channel's {size}"
            )
        request = OpenRequest(
            peer_id=id,
            amount=size,
            push=push_msat or Msat(0),
            announce=announce,
            minimum_depth=mindepth,
            reserve=reserve,
            close_to=None if close_to is None else closing_script(node, "close_to", close_to, id),
            channel_type=encode_features(channel_type) if channel_type else b"",
        )
        channel, tx = await node.opening.open(
            request,
            partial(_make_tx, node, draft),
            lambda _channel, tx: node.wallet.record_sent(tx, draft),
        )
    except BaseException:
        await node.wallet.release(draft)
        raise
    taken, why_not = await node.chain.broadcast(tx, owner=("funding", channel.dbid))
    if not taken:
        # The channel stands in the database and the transaction is sent again with every block.
        raise UserError(
            FUNDING_BROADCAST_FAIL, f"Error broadcasting funding transaction: {why_not}"
        )
    return _result(channel, tx)


def _check_type(node: Node, bits: list[int] | None) -> None:
    if bits is None or node.settings.any_channel_type:
        return
    if not is_acceptable(ChannelType(frozenset(bits)), node.features["init"]):
        raise UserError(JSONRPC2_INVALID_PARAMS, "channel_type not supported")


def _check_together(push: Msat | None, reserve: Sat | None, depth: int | None) -> None:
    """What is not to be had where both sides have option_dual_fund."""
    # BOLT 2, "The `open_channel2` Message": it has no push_msat, the reserve is fixed, the accepter says the depth.
    for name, value in (("push_msat", push), ("reserve", reserve), ("mindepth", depth)):
        if value:
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                f"{name}: not possible with a peer that has option_dual_fund",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Together:
    """What the caller wants of a channel that is opened by open_channel2."""

    peer_id: NodeId
    announce: bool
    feerate_perkw: int
    close_to: bytes | None
    channel_type: bytes


async def _open_together(
    node: Node, draft: Draft, wish: _Together, their_features: bytes
) -> dict[str, Any]:
    """Open by open_channel2, with what the draft has."""
    try:
        size: Sat = draft.amounts[0]
        _check_size(node, their_features, size)
        inputs, outputs = parts_of_draft(node, draft)
        request = DualRequest(
            peer_id=wish.peer_id,
            amount=size,
            announce=wish.announce,
            inputs=inputs,
            outputs=outputs,
            inputs_confirmed=all(coin.height is not None for coin in draft.coins),
            locktime=draft.locktime,
            funding_feerate_perkw=wish.feerate_perkw,
            close_to=wish.close_to,
            channel_type=wish.channel_type,
            draft_number=draft.number,
        )
        _opening, channel = await node.dual.open(request)
        if not isinstance(channel, Channel):
            raise UserError(FUNDING_STATE_INVALID, "the transaction is not complete")
    except BaseException:
        # Where the channel became durable its coins are tied to it, and stay so.
        await node.wallet.release_unless_tied(draft)
        raise
    tx, why_not = await node.dual.wait_whole(channel)
    if why_not:
        raise UserError(
            FUNDING_BROADCAST_FAIL, f"Error broadcasting funding transaction: {why_not}"
        )
    return _result(channel, tx)


def _check_size(node: Node, features: bytes, amount: Sat | str) -> None:
    # BOLT 2, "The `open_channel` Message": without option_support_large_channel below 2^24 satoshis.
    if (
        isinstance(amount, Sat)
        and amount > _WUMBO_LIMIT
        and not ft.negotiated(node.features["init"], features, ft.LARGE_CHANNELS)
    ):
        raise UserError(
            FUND_MAX_EXCEEDED,
            f"Amount exceeded {_WUMBO_LIMIT}: the peer does not take larger channels",
        )


async def _make_tx(node: Node, draft: Draft, script: bytes) -> tuple[Tx, int]:
    """The transaction with the real funding script in place of the one that stood in for it."""
    final = draft.with_script(0, script)
    return await node.wallet.sign(final), final.output_index(script)


def _result(channel: Channel, tx: Tx) -> dict[str, Any]:
    result: dict[str, Any] = {
        "tx": tx.serialize().hex(),
        "txid": txid_hex(tx.txid()),
        "outnum": channel.static.funding.index,
        "channel_id": channel.channel_id.hex(),
        "channel_type": channel_type_json(channel),
        "mindepth": channel.minimum_depth,
    }
    if channel.close_to is not None:
        result["close_to"] = channel.close_to.hex()
    return result
