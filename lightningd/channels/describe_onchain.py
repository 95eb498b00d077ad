"""How the outputs of a closed channel stand, as JSON: `onchain_outputs` of listpeerchannels, which CLN has not."""

from __future__ import annotations

from typing import Any

from pylightningd.common.wire.onchaind_wire import OnchainOutput


def onchain_json(outputs: tuple[OnchainOutput, ...]) -> dict[str, Any]:
    """The field, where there is anything to tell."""
    return {"onchain_outputs": [_output(o) for o in outputs]} if outputs else {}


def _output(output: OnchainOutput) -> dict[str, Any]:
    """One output: what it is, and who takes it when, or has taken it."""
    shown: dict[str, Any] = {
        "outpoint": str(output.outpoint),
        "amount_msat": output.amount.to_msat().msat,
        "made_by": output.made_by,
        "kind": output.kind,
        "blockheight": output.height,
    }
    if output.resolved_by:
        shown["resolved_by"] = output.resolved_by
        shown["resolved_blockheight"] = output.resolved_height
    elif output.claim_block:
        shown["claim"] = output.claim_kind
        shown["claim_block"] = output.claim_block
        if output.deadline:
            shown["deadline"] = output.deadline
    return shown
