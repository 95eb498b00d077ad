"""openchannel_init, openchannel_update, openchannel_signed, openchannel_abort: open a channel together with the peer, step by step.

The PSBT is the caller's: he reserves its coins before, signs it after, and frees them if nothing comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import Psbt, PsbtError
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.errors import UserError
from pylightningd.common.features import encode_features
from pylightningd.common.ids import ChannelId, NodeId, txid_hex
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.describe import channel_type_json
from pylightningd.lightningd.channels.inflight import Inflight, make_psbt, outpoint_of
from pylightningd.lightningd.channels.states import Cause
from pylightningd.lightningd.control.contribution import are_confirmed, parts_of_psbt
from pylightningd.lightningd.control.dualopend import DualOpening, DualRequest, finished
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.closing import closing_script
from pylightningd.lightningd.rpc.errors import (
    FUND_CANNOT_AFFORD,
    FUND_MAX_EXCEEDED,
    FUNDING_BROADCAST_FAIL,
    FUNDING_PEER_NOT_CONNECTED,
    FUNDING_PSBT_INVALID,
    FUNDING_STATE_INVALID,
    FUNDING_STILL_SYNCING_BITCOIN,
    FUNDING_UNKNOWN_CHANNEL,
    FUNDING_UNKNOWN_PEER,
    FUNDING_V2_NOT_SUPPORTED,
    JSONRPC2_INVALID_PARAMS,
)
from pylightningd.lightningd.rpc.params import (
    Param,
    array_of,
    boolean,
    channel_id,
    feerate,
    node_id_param,
    sat,
    string,
    u32,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.wallet_params import GivenPsbt, psbt_param

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
_CHANNEL = "252d1b0a1e57895e84137f28cf19ab2c35847e284c112fefdecc7afeaa5c1de7"
_PSBT = "cHNidP8BAgQCAAAAAQMEbwAAAAEEAQABBQEAAQYBAwH7BAIAAAAA"
_WUMBO_LIMIT = Sat(2**24 - 1)
_ERRORS = {
    309: "the PSBT is not usable",
    311: "no channel of that id is being opened",
    312: "the opening is not at this step",
}


@command(
    "openchannel_init",
    family="openchannel",
    summary="Init an open channel to {id} with {initialpsbt} for {amount} satoshis. Returns updated {psbt} "
    "with (partial) contributions from peer",
    params={
        "id": Param(node_id_param, "the peer; it must be connected"),
        "amount": Param(sat, "what we put into the channel"),
        "initialpsbt": Param(psbt_param, "our inputs, and our change"),
        "commitment_feerate": Param(feerate, "of commitment transactions", default=None),
        "funding_feerate": Param(feerate, "of the funding transaction", default=None),
        "announce": Param(boolean, "tell the network about the channel", default=True),
        "close_to": Param(string, "address for our side at a mutual close", default=None),
        "request_amt": Param(sat, "liquidity to lease (not supported)", default=None),
        "compact_lease": Param(string, "terms of the lease (not supported)", default=None),
        "channel_type": Param(array_of(u32), "feature bits of the channel type", default=None),
    },
    examples=[f"openchannel_init {_ID} 100000 {_PSBT}"],
    errors={
        -1: "the peer refused, or went away",
        300: "the channel would be larger than the peer takes",
        301: "the PSBT's inputs bring less than the amount",
        304: "still syncing with bitcoin",
        305: "the peer is not connected",
        306: "the peer is not known",
        309: "the PSBT is not usable",
        310: "the peer has no option_dual_fund",
    },
)
async def openchannel_init(
    node: Node,
    id: NodeId,  # noqa: A002 - the command's own name
    amount: Sat,
    initialpsbt: GivenPsbt,
    commitment_feerate: Any,
    funding_feerate: Any,
    announce: bool,
    close_to: str | None,
    request_amt: Sat | None,
    compact_lease: str | None,
    channel_type: list[int] | None,
) -> dict[str, Any]:
    if request_amt or compact_lease is not None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "request_amt: leases are not supported")
    _check_affords(initialpsbt.psbt, amount)
    peer = node.peers.get(id)
    if peer is None:
        raise UserError(FUNDING_UNKNOWN_PEER, "Unknown peer")
    if peer.connection is None:
        raise UserError(FUNDING_PEER_NOT_CONNECTED, "Peer not connected")
    if not ft.negotiated(node.features["init"], peer.features, ft.DUAL_FUND):
        raise UserError(FUNDING_V2_NOT_SUPPORTED, "v2 openchannel not supported by peer")
    large = ft.negotiated(node.features["init"], peer.features, ft.LARGE_CHANNELS)
    if amount > _WUMBO_LIMIT and not large:
        raise UserError(FUND_MAX_EXCEEDED, f"Amount exceeded {_WUMBO_LIMIT}")
    if node.chain.sync_warning():
        raise UserError(FUNDING_STILL_SYNCING_BITCOIN, "Still syncing with bitcoin network")
    inputs, outputs = parts_of_psbt(node, initialpsbt.psbt, opener=True)
    perkw = feerate_perkw(node, funding_feerate, "opening")
    request = DualRequest(
        peer_id=id,
        amount=amount,
        announce=announce,
        inputs=inputs,
        outputs=outputs,
        inputs_confirmed=await are_confirmed(node, map(outpoint_of, inputs)),
        locktime=initialpsbt.psbt.locktime,
        funding_feerate_perkw=perkw,
        commitment_feerate_perkw=None
        if commitment_feerate is None
        else feerate_perkw(node, commitment_feerate, "unilateral_close"),
        close_to=None if close_to is None else closing_script(node, "close_to", close_to, id),
        channel_type=encode_features(channel_type) if channel_type else b"",
        consult=True,
    )
    opening, proposal = await node.dual.open(request)
    if not isinstance(proposal, ow.OpeningdProposal):
        raise UserError(FUNDING_STATE_INVALID, "the opening went on unasked")
    return _proposed(opening, proposal, initialpsbt.version)


def _check_affords(psbt: Psbt, amount: Sat) -> None:
    total = 0
    for n in range(psbt.input_count):
        try:
            spent = psbt.spent_output(n)
        except PsbtError as error:
            raise UserError(FUNDING_PSBT_INVALID, f"initialpsbt: {error}") from None
        total += 0 if spent is None else spent.amount.sat
    if total <= amount.sat:
        raise UserError(
            FUND_CANNOT_AFFORD,
            f"Provided PSBT cannot afford funding of amount {amount}: its inputs have {total}sat",
        )


def _proposed(opening: DualOpening, proposal: ow.OpeningdProposal, version: int) -> dict[str, Any]:
    """The transaction so far. Raises UserError where the peer has not said its terms (a bug)."""
    terms = opening.terms
    if terms is None:
        raise UserError(FUNDING_STATE_INVALID, "the peer has not accepted the channel")
    kind = ChannelType.decode(terms.channel_type)
    psbt = make_psbt(opening.locktime, proposal.inputs, proposal.outputs)
    return {
        "channel_id": terms.channel_id.hex(),
        "psbt": psbt.to_base64(version),
        "channel_type": {"bits": sorted(kind.bits), "names": kind.names()},
        "commitments_secured": False,
        "funding_serial": opening.funding_serial,
        "requires_confirmed_inputs": terms.requires_confirmed_inputs,
    }


@command(
    "openchannel_update",
    family="openchannel",
    summary="Update {channel_id} with {psbt}. Returns updated {psbt} with (partial) contributions from peer",
    params={
        "channel_id": Param(channel_id, "of the channel that is being opened"),
        "psbt": Param(psbt_param, "the transaction as we want it now"),
    },
    examples=[f"openchannel_update {_CHANNEL} {_PSBT}"],
    errors={-1: "the peer gave up, or went away", **_ERRORS},
)
async def openchannel_update(
    node: Node,
    channel_id: ChannelId,
    psbt: GivenPsbt,
) -> dict[str, Any]:
    opening = node.dual.opening_of(channel_id)
    if opening is None:
        return _again(node, channel_id, psbt)
    if not opening.we_are_opener:
        raise UserError(FUNDING_STATE_INVALID, "Channel open not in progress")
    inputs, outputs = parts_of_psbt(node, psbt.psbt, opener=True, skip=opening.funding_serial)
    news = await node.dual.propose(opening, inputs, outputs)
    if isinstance(news, Channel):
        return _secured(news, psbt.version)
    proposed = _proposed(opening, news, psbt.version)
    serial = proposed.pop("funding_serial")
    ordered = sorted(o.serial_id for o in news.outputs)
    return {**proposed, "funding_outnum": ordered.index(serial) if serial in ordered else 0}


def _again(node: Node, name: ChannelId, psbt: GivenPsbt) -> dict[str, Any]:
    """The opening is past this step: fine, if it is about the same transaction."""
    channel = node.channels.by_channel_id(name)
    if channel is None:
        raise UserError(FUNDING_UNKNOWN_CHANNEL, f"Unknown channel {name.hex()}")
    if channel.inflight is None or psbt.psbt.txid() != channel.static.funding.txid:
        raise UserError(FUNDING_STATE_INVALID, "Channel open not in progress")
    return _secured(channel, psbt.version)


def _secured(channel: Channel, version: int) -> dict[str, Any]:
    inflight = _inflight(channel)
    result: dict[str, Any] = {
        "channel_id": channel.channel_id.hex(),
        "psbt": inflight.psbt().to_base64(version),
        "channel_type": channel_type_json(channel),
        "commitments_secured": inflight.got_commitment,
        "funding_outnum": channel.static.funding.index,
    }
    if channel.close_to is not None:
        result["close_to"] = channel.close_to.hex()
    return result


def _inflight(channel: Channel) -> Inflight:
    if channel.inflight is None:
        raise UserError(FUNDING_STATE_INVALID, "Channel open not initialized yet.")
    return channel.inflight


@command(
    "openchannel_signed",
    family="openchannel",
    summary="Send our {signed_psbt}'s tx sigs for {channel_id}. Returns the channel's tx and txid",
    params={
        "channel_id": Param(channel_id, "of the channel that is being opened"),
        "signed_psbt": Param(psbt_param, "the funding transaction, our inputs signed"),
    },
    examples=[f"openchannel_signed {_CHANNEL} {_PSBT}"],
    errors={
        -1: "the peer gave up",
        303: "bitcoind refused the funding transaction",
        305: "the peer is not connected: the opening goes on when it is back",
        **_ERRORS,
    },
)
async def openchannel_signed(
    node: Node,
    channel_id: ChannelId,
    signed_psbt: GivenPsbt,
) -> dict[str, Any]:
    channel = _to_be_signed(node, channel_id)
    witnesses = finished(_inflight(channel), signed_psbt.psbt)

    def sign() -> None:
        if node.channels.get(channel.dbid) is not channel:
            raise UserError(FUNDING_UNKNOWN_CHANNEL, "The opening was given up")
        if channel.inflight is None or channel.inflight.is_signed:
            raise UserError(FUNDING_STATE_INVALID, "Already sent sigs, waiting for peer's")
        node.dual.expect_whole(channel)
        node.dual.signed(channel, witnesses)

    await node.turn.do(sign)
    peer = node.peers.get(channel.peer_id)
    if peer is None or peer.connection is None:
        raise UserError(
            FUNDING_PEER_NOT_CONNECTED, "Peer not connected: the opening goes on when it is back"
        )
    tx, why_not = await node.dual.wait_whole(channel)
    if why_not:
        raise UserError(FUNDING_BROADCAST_FAIL, f"Error broadcasting funding tx: {why_not}")
    return {
        "channel_id": channel.channel_id.hex(),
        "tx": tx.serialize().hex(),
        "txid": txid_hex(tx.txid()),
    }


def _to_be_signed(node: Node, name: ChannelId) -> Channel:
    if node.dual.opening_of(name) is not None:
        raise UserError(
            FUNDING_STATE_INVALID,
            "Commitments for this channel not yet secured, see `openchannel_update`",
        )
    channel = node.channels.by_channel_id(name)
    if channel is None:
        raise UserError(FUNDING_UNKNOWN_CHANNEL, "Unknown channel")
    inflight = _inflight(channel)
    if inflight.is_whole:
        raise UserError(FUNDING_STATE_INVALID, "Already have a finalized PSBT for this channel")
    if inflight.is_signed:
        raise UserError(FUNDING_STATE_INVALID, "Already sent sigs, waiting for peer's")
    if not inflight.got_commitment:
        raise UserError(
            FUNDING_STATE_INVALID,
            "Commitments for this channel not yet secured, see `openchannel_update`",
        )
    return channel


@command(
    "openchannel_abort",
    family="openchannel",
    summary="Abort {channel_id}'s open. Usable while `commitments_secured` is false, and until the peer may have our signatures",
    params={"channel_id": Param(channel_id, "of the channel that is being opened")},
    examples=[f"openchannel_abort {_CHANNEL}"],
    errors=_ERRORS,
)
async def openchannel_abort(node: Node, channel_id: ChannelId) -> dict[str, Any]:
    reason = "Abort requested"
    opening = node.dual.opening_of(channel_id)
    if opening is not None:
        if opening.accepted is not None and not opening.accepted.done():
            raise UserError(FUNDING_STATE_INVALID, "Another openchannel command is in progress")
        node.opening.give_up(opening, reason)
        await node.turn.do(lambda: node.dual.failed(opening))
    else:
        await node.turn.do(lambda: _abort(node, channel_id, reason))
    return {"channel_id": channel_id.hex(), "channel_canceled": True, "reason": reason}


def _abort(node: Node, name: ChannelId, reason: str) -> None:
    """An opening whose transaction is complete, but without our signatures for the peer. Inside a turn."""
    channel = node.channels.by_channel_id(name)
    if channel is None:
        raise UserError(FUNDING_UNKNOWN_CHANNEL, f"Unknown channel {name.hex()}")
    if channel.inflight is None:
        raise UserError(FUNDING_STATE_INVALID, "Channel open not in progress")
    if not node.dual.may_forget(channel):
        raise UserError(FUNDING_STATE_INVALID, "Sigs already exchanged, can't cancel")
    node.dual.abort(channel, Cause.USER, reason)
