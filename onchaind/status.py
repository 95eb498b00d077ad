"""How things stand, for people: the words and the table that listpeerchannels shows."""

from __future__ import annotations

from pylightningd.common.ids import txid_hex
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.onchaind.outputs import Output
from pylightningd.onchaind.state import FINAL_DEPTH


def progress(
    dbid: int, epoch: int, height: int, tip: int, outputs: list[Output]
) -> ow.OnchaindProgress:
    """All of it. `height`: the block that spent the funding output."""
    return ow.OnchaindProgress(
        dbid=dbid,
        epoch=epoch,
        status=status_text(height, tip, outputs),
        outputs=tuple(_row(o) for o in outputs),
    )


def status_text(height: int, tip: int, outputs: list[Output]) -> str:
    """One line, as CLN words it."""
    unresolved = sum(o.resolved is None or o.resolved.depth(tip) < FINAL_DEPTH for o in outputs)
    waiting = [o for o in outputs if o.claim is not None and o.resolved is None]
    if waiting:
        best = min(waiting, key=_first_block)
        blocks = _first_block(best) - 1 - tip
        what = f"{best.kind} ({best.outpoint}) using {best.claim_kind}"
        if blocks <= 0:
            return f"{unresolved} outputs unresolved: waiting confirmation that we spent {what}"
        return f"{unresolved} outputs unresolved: in {blocks} blocks will spend {what}"
    still = next((o for o in outputs if o.resolved is None), None)
    if still is not None:
        return (
            f"{unresolved} outputs unresolved: {still.kind} is one (depth {tip - still.height + 1})"
        )
    newest = min(
        (o.resolved.depth(tip) for o in outputs if o.resolved is not None),
        default=tip - height + 1,
    )
    left = max(0, FINAL_DEPTH - min(newest, tip - height + 1))
    return f"All outputs resolved: waiting {left} more blocks before forgetting channel"


def _first_block(output: Output) -> int:
    return 0 if output.claim is None else output.claim.first_block


def _row(output: Output) -> ow.OnchainOutput:
    claim, resolved = output.claim, output.resolved
    by = ""
    if resolved is not None:
        by = str(resolved.kind)
        if not output.is_ignored:
            by += f" {txid_hex(resolved.txid)}"
    return ow.OnchainOutput(
        outpoint=output.outpoint,
        amount=output.amount,
        made_by=str(output.made_by),
        kind=str(output.kind),
        payment_hash=None if output.htlc is None else output.htlc.payment_hash,
        height=output.height,
        claim_kind="" if claim is None else claim.kind,
        claim_block=0 if claim is None else claim.first_block,
        deadline=0 if claim is None else claim.deadline,
        rival_block=0 if claim is None else claim.rival_from,
        ignore_block=output.ignore_at or 0,
        resolved_by=by,
        resolved_height=0 if resolved is None else resolved.height,
    )
