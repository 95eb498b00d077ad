"""close: together with the peer if it answers in time, alone if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.bitcoin.script import is_valid_shutdown_script
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, Outpoint, txid_hex
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.channels import find_channels
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.rpc.params import (
    Param,
    array_of,
    boolean,
    feerate,
    outpoint,
    peer_or_channel,
    string,
    u32,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.wallet_params import script_of_address

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.rpc.dispatch import Call

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
_TWO_DAYS = 48 * 3600


def _parse_step(text: str) -> tuple[int, bool]:
    """``50%`` of the gap, or a number of satoshis."""
    digits = text.removesuffix("%")
    if (
        not digits.isdigit()
        or (text.endswith("%") and not 0 < int(digits) <= 100)
        or int(digits) == 0
    ):
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"fee_negotiation_step: should be a positive integer or a percentage of 1% to 100%: "
            f"invalid token '{text}'; for example 50% or 10",
        )
    return int(digits), text.endswith("%")


def _the_one(channels: list[Channel]) -> Channel:
    open_ones = [c for c in channels if c.state <= ChannelState.AWAITING_UNILATERAL]
    if not open_ones:
        raise UserError(
            LIGHTNINGD, f"Channel is already closed: it is in state {channels[0].state.name}"
        )
    if len(open_ones) > 1:
        names = ", ".join(str(c.usable_scid) for c in open_ones)
        raise UserError(
            LIGHTNINGD,
            f"Peer has multiple channels: use channel_id or scid to choose one of {names}",
        )
    return open_ones[0]


def closing_script(node: Node, param: str, address: str, peer_id: NodeId) -> bytes:
    """The script of an address that a close may pay us to. Raises UserError for one that this peer must refuse."""
    script = script_of_address(node, param, address)
    peer = node.peers.get(peer_id)
    # BOLT 2, "Closing Initiation: `shutdown`": other forms get a warning from the peer and no close.
    anysegwit = peer is None or ft.negotiated(
        node.features["init"], peer.features, ft.SHUTDOWN_ANYSEGWIT
    )
    if not is_valid_shutdown_script(script, anysegwit=anysegwit):
        kinds = (
            "P2WPKH, P2WSH or P2TR" if anysegwit else "P2WPKH or P2WSH (this peer takes no P2TR)"
        )
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"{param}: a channel can be closed to a segwit address only, {kinds}, as newaddr gives: "
            f"invalid token '{address}'",
        )
    return script


@command(
    "close",
    family="closing",
    summary="Close the channel with {id} (either peer ID, channel ID, or short channel ID). "
    "Force a unilateral (non-cooperative) close if {unilateraltimeout} seconds pass",
    params={
        "id": Param(string, "a peer with one channel, or a channel"),
        "unilateraltimeout": Param(
            u32, "seconds to wait for the peer before closing alone; 0: wait forever", default=None
        ),
        "destination": Param(string, "address for our side", default=None),
        "fee_negotiation_step": Param(string, "how far to give in at each step", default="50%"),
        "wrong_funding": Param(
            outpoint, "the funding output that was really paid to", default=None
        ),
        "force_lease_closed": Param(boolean, "close a leased channel", default=False),
        "feerange": Param(array_of(feerate), "least and most feerate to accept", default=None),
    },
    examples=[f"close {_ID}", "close 103x1x0 10"],
    errors={-1: "no such channel, or it is closed already"},
)
async def close(
    node: Node,
    call: Call,
    id: str,  # noqa: A002 - the command's own name
    unilateraltimeout: int | None,
    destination: str | None,
    fee_negotiation_step: str,
    wrong_funding: Outpoint | None,
    force_lease_closed: bool,  # noqa: ARG001 - nothing is leased here
    feerange: list[Any] | None,
) -> dict[str, Any]:
    channel = _the_one(find_channels(node, peer_or_channel("id", id)))
    agreed = node.closing.agreed_tx(channel)
    if agreed is not None:
        return _result(node.closing.broadcast_again(channel, agreed), "mutual")
    script = None
    if destination is not None:
        script = closing_script(node, "destination", destination, channel.peer_id)
    upfront = channel.local_upfront_shutdown_script
    may_change = node.settings.shutdown_destination_may_change
    if script is not None and upfront and script != upfront and not may_change:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"destination: the channel was opened with a promise to close to script {upfront.hex()}",
        )
    if wrong_funding is not None:
        _check_wrong_funding(node, channel)
    begun = channel.local_shutdown_script
    if script is not None and begun and script != begun and not may_change:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"Destination address {script.hex()} does not match already-sent shutdown script {begun.hex()}",
        )
    wish = node.closing.wish(channel)
    wish.fee_negotiation_step, wish.step_is_percent = _parse_step(fee_negotiation_step)
    if feerange is not None:
        if len(feerange) != 2:
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                'feerange: should be [min, max], for example ["slow","urgent"]',
            )
        low, high = (feerate_perkw(node, f, "mutual_close") for f in feerange)
        wish.feerange = (low, high)
    done = node.new_future()
    wish.waiters.append(done)
    await node.turn.do(lambda: _begin(node, channel, script, wrong_funding))
    timeout = _timeout(node, channel, unilateraltimeout)
    if timeout is not None and not done.done():
        _tell_waiting(call, node, channel, timeout)
    tx, kind = await _wait(node, channel, done, timeout)
    return _result(tx, kind)


def _check_wrong_funding(node: Node, channel: Channel) -> None:
    """The peer would refuse it otherwise."""
    feature = ft.SHUTDOWN_WRONG_FUNDING
    peer = node.peers.get(channel.peer_id)
    theirs = b"" if peer is None else peer.features
    ours = node.features["init"]
    if not ft.negotiated(ours, theirs, feature):
        said = [("yes" if ft.offers(bits, feature) else "no") for bits in (ours, theirs)]
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"wrong_funding feature not negotiated (we said {said[0]}, they said {said[1]}: "
            "try experimental-shutdown-wrong-funding?)",
        )
    if not channel.static.we_are_opener:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            "wrong_funding: should be given by who opened the channel: only that side has paid",
        )
    if channel.next_local_commitment != 1 or channel.next_remote_commitment != 1:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            "wrong_funding: the channel was used already, so its funding output cannot be another one",
        )


def _begin(
    node: Node, channel: Channel, script: bytes | None, wrong_funding: Outpoint | None
) -> None:
    if channel.state is ChannelState.AWAITING_UNILATERAL:
        node.channel_events.close_again(channel)
    else:
        node.closing.begin(channel, script, wrong_funding)


def _timeout(node: Node, channel: Channel, asked: int | None) -> int | None:
    """Seconds until we close alone; None: never."""
    if asked is None:
        return _TWO_DAYS
    return asked or None


def _tell_waiting(call: Call, node: Node, channel: Channel, timeout: int) -> None:
    peer = node.peers.get(channel.peer_id)
    if peer is None or not peer.connected:
        call.message(
            "info",
            f"peer is offline, will negotiate once they reconnect (they have {timeout} seconds before we close unilaterally).",
        )


async def _wait(node: Node, channel: Channel, done: Any, seconds: int | None) -> tuple[Tx, str]:
    def give_up() -> None:
        if not done.done():
            node.turn.submit(
                lambda: node.channel_events.permanent_failure(
                    channel, Cause.USER, "Forcibly closed by `close` command timeout"
                )
            )

    timer = None if seconds is None else node.call_later(seconds, give_up)
    try:
        outcome: tuple[Tx, str] = await done
        return outcome
    finally:
        if timer is not None:
            timer.cancel()


def _result(tx: Tx, kind: str) -> dict[str, Any]:
    raw, txid = tx.serialize().hex(), txid_hex(tx.txid())
    return {"type": kind, "txs": [raw], "txids": [txid]}
