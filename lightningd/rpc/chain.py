"""Commands about the chain: feerates, parsefeerate, waitblockheight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.lightningd.chain.feerates import Feerates, no_estimate, to_style
from pylightningd.lightningd.rpc.errors import WAIT_TIMEOUT
from pylightningd.lightningd.rpc.params import Feerate, Param, feerate, one_of, u32
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

SHOWN = (
    "opening",
    "mutual_close",
    "unilateral_close",
    "unilateral_anchor_close",
    "penalty",
    "splice",
)
# Weights of typical transactions: a funding with one input and change, a mutual close, commitments without HTLCs.
OPENING_WEIGHT = 702
MUTUAL_CLOSE_WEIGHT = 673
COMMITMENT_WEIGHT = 598
ANCHOR_COMMITMENT_WEIGHT = 1112
HTLC_TIMEOUT_WEIGHT = 663
HTLC_SUCCESS_WEIGHT = 703


def feerate_perkw(node: Node, asked: Feerate | None, default: str = "opening") -> int:
    """The feerate that a parameter of type `feerate` means now. Raises UserError 501 while unknown."""
    rates: Feerates = node.chain.feerates
    if asked is None:
        return rates.need(default)
    if asked.perkw is not None:
        return asked.perkw
    if asked.name is not None:
        return rates.need(asked.name)
    found = rates.for_blocks(asked.blocks or 1)
    if found is None:
        raise no_estimate()
    return found


@command(
    "feerates",
    family="chain",
    summary="Return feerate estimates, either satoshi-per-kw ({style} perkw) or satoshi-per-kb ({style} perkb).",
    params={
        "style": Param(
            one_of("perkb", "perkw"),
            "unit: perkw (sat per 1000 weight units) or perkb (sat per kvB)",
        )
    },
    examples=["lightning-cli feerates perkw"],
)
async def feerates(node: Node, style: str) -> dict[str, Any]:
    """What this node thinks that transactions must pay."""
    rates: Feerates = node.chain.feerates
    reply: dict[str, Any] = {}
    if not rates.known:
        reply["warning_missing_feerates"] = "Some fee estimates unavailable: bitcoind startup?"
    reply[style] = _by_name(rates, style)
    if rates.known:
        reply["onchain_fee_estimates"] = _typical_fees(rates)
    return reply


def _by_name(rates: Feerates, style: str) -> dict[str, Any]:
    found = {name: rates.get(name) for name in SHOWN}
    shown: dict[str, Any] = {
        name: to_style(rate, style) for name, rate in found.items() if rate is not None
    }
    shown["min_acceptable"] = to_style(rates.min_acceptable, style)
    shown["max_acceptable"] = to_style(rates.max_acceptable, style)
    shown["floor"] = to_style(rates.floor_perkw, style)
    shown["estimates"] = [
        {
            "blockcount": now.blocks,
            "feerate": to_style(now.perkw, style),
            "smoothed_feerate": to_style(smoothed.perkw, style),
        }
        for now, smoothed in zip(rates.estimates, rates.smoothed, strict=True)
    ]
    return shown


def _typical_fees(rates: Feerates) -> dict[str, int]:
    """Fees of typical transactions, in satoshi."""

    def fee(name: str, weight: int) -> int:
        return (rates.get(name) or 0) * weight // 1000

    return {
        "opening_channel_satoshis": fee("opening", OPENING_WEIGHT),
        "mutual_close_satoshis": fee("mutual_close", MUTUAL_CLOSE_WEIGHT),
        "unilateral_close_satoshis": fee("unilateral_anchor_close", ANCHOR_COMMITMENT_WEIGHT),
        "unilateral_close_nonanchor_satoshis": fee("unilateral_close", COMMITMENT_WEIGHT),
        "htlc_timeout_satoshis": fee("htlc_resolution", HTLC_TIMEOUT_WEIGHT),
        "htlc_success_satoshis": fee("htlc_resolution", HTLC_SUCCESS_WEIGHT),
    }


@command(
    "parsefeerate",
    family="chain",
    summary="Return current feerate in perkw + perkb for given feerate string.",
    params={"feerate_str": Param(feerate, "a feerate as other commands take it")},
    examples=["lightning-cli parsefeerate normal", "lightning-cli parsefeerate 2000perkb"],
    errors={501: "there is no estimate yet"},
)
async def parsefeerate(node: Node, feerate_str: Feerate) -> dict[str, Any]:
    """What a feerate's text means now."""
    return {"perkw": feerate_perkw(node, feerate_str)}


@command(
    "waitblockheight",
    family="chain",
    summary="Wait for the blockchain to reach {blockheight}, up to {timeout} seconds.",
    params={
        "blockheight": Param(u32, "the height to wait for"),
        "timeout": Param(u32, "seconds to wait at most", default=60),
    },
    examples=["lightning-cli waitblockheight 800000 600"],
    errors={WAIT_TIMEOUT: "the time is over"},
)
async def waitblockheight(
    node: Node,
    blockheight: int,
    timeout: int,  # noqa: ASYNC109 CLN's name of the parameter
) -> dict[str, Any]:
    """Return once the block is processed, with the height then."""
    return {"blockheight": await node.chain.wait_height(blockheight, timeout)}
