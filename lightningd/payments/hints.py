"""Route hints: how a payer reaches us where gossip does not show our channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.invoice.bolt11 import RouteHint
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

Hints = tuple[tuple[RouteHint, ...], ...]
MAX_HINTS = 3


def incoming_capacity(channels: Iterable[Channel]) -> tuple[int, int]:
    """What our connected peers can send us, in msat: in all, and through the best single channel."""
    receivable = [c.estimate_receivable().msat for c in channels if c.is_ready()]
    return sum(receivable), max(receivable, default=0)


def hint_for(channel: Channel) -> RouteHint | None:
    """One hop from our peer to us; None before the peer told its fees."""
    policy = channel.remote_policy
    scid = channel.remote_alias or channel.short_channel_id
    if policy is None or scid is None:
        return None
    return RouteHint(
        node_id=channel.peer_id,
        short_channel_id=scid,
        fee_base_msat=policy.fee_base_msat,
        fee_proportional_millionths=policy.fee_proportional_millionths,
        cltv_expiry_delta=policy.cltv_expiry_delta,
    )


def choose_hints(node: Node, amount: Msat | None, expose: Any) -> tuple[Hints, dict[str, str]]:
    """The hints for an invoice and the warnings to give; `expose` is the command's exposeprivatechannels."""
    open_ones = [c for c in node.channels if c.state is ChannelState.CHANNELD_NORMAL]
    public = [c for c in open_ones if c.announce]
    private = [c for c in open_ones if not c.announce]
    if expose is None:
        wanted = [] if public else private
    elif isinstance(expose, bool) or expose in ("true", "false"):
        wanted = private if expose in (True, "true") else []
    else:
        wanted = _named(node, expose)
    ranked = sorted(wanted, key=lambda c: c.estimate_receivable().msat, reverse=True)
    hints = [hint for hint in map(hint_for, ranked) if hint is not None][:MAX_HINTS]
    warnings = {}
    if expose is None and private and public and amount is not None:
        total, _ = incoming_capacity(public)
        if total < amount.msat:
            warnings["warning_private_unused"] = (
                "Insufficient incoming capacity, once private channels were excluded "
                "(try exposeprivatechannels=true?)"
            )
    return tuple((hint,) for hint in hints), warnings


def _named(node: Node, expose: Any) -> list[Channel]:
    names = expose if isinstance(expose, list) else [expose]
    found: list[Channel] = []
    for name in names:
        try:
            channel = node.channels.by_scid(ShortChannelId.from_str(str(name)))
        except ValueError:
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                "exposeprivatechannels: should be a boolean, a short_channel_id or an array of them: "
                f"invalid token {name!r}",
            ) from None
        if channel is None:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"exposeprivatechannels: no channel {name}")
        found.append(channel)
    return found
