"""How the outputs of a closed channel stand, as JSON: `onchain_outputs` of listpeerchannels, which CLN has not."""

from __future__ import annotations

from typing import Any

from pylightningd.common.wire.onchaind_wire import OnchainOutput
from pylightningd.lightningd.chain.broadcast import FINAL_DEPTH


def onchain_json(outputs: tuple[OnchainOutput, ...]) -> dict[str, Any]:
    """The field, where there is anything to tell."""
    return {"onchain_outputs": [_output(o) for o in outputs]} if outputs else {}


def _output(output: OnchainOutput) -> dict[str, Any]:
    """One output: what it is, who takes it when, or has taken it, and when that is final.

    BOLT 5, "General Nomenclature": it is irrevocably resolved when what resolves it is 100 blocks deep.
    """
    shown: dict[str, Any] = {
        "outpoint": str(output.outpoint),
        "amount_msat": output.amount.to_msat().msat,
        "made_by": output.made_by,
        "kind": output.kind,
        "blockheight": output.height,
        "final_depth": FINAL_DEPTH,
    }
    if output.payment_hash is not None:
        shown["payment_hash"] = output.payment_hash.hex()
    if output.resolved_by:
        shown["resolved_by"] = output.resolved_by
        shown["resolved_blockheight"] = output.resolved_height
        shown["final_blockheight"] = output.resolved_height + FINAL_DEPTH - 1
    elif output.claim_block:
        shown["claim"] = output.claim_kind
        shown["claim_block"] = output.claim_block
        if output.deadline:
            shown["deadline"] = output.deadline
        if output.rival_block:
            shown["rival_block"] = output.rival_block
    elif output.ignore_block:
        shown["ignore_block"] = output.ignore_block
    return shown
