"""bump: make a stuck transaction of ours confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.chain.feerates import no_estimate
from pylightningd.lightningd.control.bump_wish import Bumped, Wish
from pylightningd.lightningd.control.bumping import Bumper
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import (
    Feerate,
    Param,
    boolean,
    feerate,
    sat,
    txid_or_outpoint,
    u32,
)
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_TXID = "02539f0b8f1c3bd1ab9ac5a7a6a4b3d4c8a1ee3c1a5f27b5a12a8f5c9c0d1e2f"


@command(
    "bump",
    family="bump",
    summary="Make the unconfirmed transaction {txid} confirm: by {feerate}, or in time for block {deadline}, "
    "for {budget} more at most; {dry_run} only tells the cost",
    params={
        "txid": Param(
            txid_or_outpoint,
            "a withdrawal, funding, close, commitment or claim of ours, the peer's commitment, the child that was made for one, or somebody's "
            "transaction that pays our wallet; with :n, spend that output of it if a child is made",
        ),
        "feerate": Param(
            feerate,
            "what it shall pay, together with its unconfirmed ancestors and its child; default urgent",
            default=None,
        ),
        "deadline": Param(u32, "block height by which it shall be confirmed", default=None),
        "budget": Param(sat, "most that it may cost beyond what is paid already", default=None),
        "dry_run": Param(boolean, "change nothing, tell what would be done", default=False),
    },
    examples=[
        f"bump {_TXID}",
        f"bump {_TXID}:1 urgent",
        f"bump -k txid={_TXID} deadline=880000 budget=5000 dry_run=true",
    ],
    errors={
        -1: "it is unknown, confirmed, or pays that much already; or nothing can be done: the message says why",
        301: "our outputs or coins are not enough, or the budget is not",
        313: "less than min-emergency-msat would be left",
        501: "there is no feerate estimate: give a feerate",
    },
)
async def bump(
    node: Node,
    txid: Txid | Outpoint,
    feerate: Feerate | None,
    deadline: int | None,
    budget: Sat | None,
    dry_run: bool,
) -> dict[str, Any]:
    """Choose RBF or CPFP, and do it.

    RBF takes what it costs from the change; of a withdrawal of "all", from what is sent (that is what is left after
    the fee); else from new coins of the wallet.
    """
    rate = _rate(node, feerate, deadline)
    wish = Wish(feerate_perkw=rate, budget=budget, dry_run=dry_run)
    # An Outpoint is a tuple, a Txid bytes.
    asked, output = (txid.txid, txid.index) if isinstance(txid, Outpoint) else (txid, None)
    return _result(asked, rate, dry_run, await Bumper(node).bump(asked, wish, output))


def _rate(node: Node, asked: Feerate | None, deadline: int | None) -> int:
    if asked is not None and deadline is not None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Give feerate or deadline, not both")
    if deadline is None:
        return feerate_perkw(node, asked, "urgent")
    if deadline <= node.chain.height:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"deadline: should be above the present height {node.chain.height}: invalid token '{deadline}'",
        )
    rate: int | None = node.chain.feerates.for_deadline(deadline, node.chain.height)
    if rate is None:
        raise no_estimate()
    return rate


def _result(txid: Txid, rate: int, dry_run: bool, done: Bumped) -> dict[str, Any]:
    result: dict[str, Any] = {
        "bumped_txid": txid_hex(txid),
        "kind": done.what,
        "method": done.method,
        "feerate_perkw": rate,
        "feerate_before_perkw": done.before_perkw,
        "fee_msat": done.fee.sat * 1000,
        "extra_fee_msat": done.extra.sat * 1000,
        "weight": done.weight,
        "dry_run": dry_run,
    }
    if done.paid_from:
        result["paid_from"] = done.paid_from
    if done.replaces is not None:
        result["replaces"] = txid_hex(done.replaces)
    if done.destination is not None:
        result["destination_msat"] = done.destination.sat * 1000
    if done.tx is not None:
        result["txid"] = txid_hex(done.tx.txid())
        result["tx"] = done.tx.serialize().hex()
    return result
