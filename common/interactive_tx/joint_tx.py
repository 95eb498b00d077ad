"""The transaction of both sides as values: what it spends, its bytes, and who signs first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pylightningd.common.bitcoin.script import funding_script, p2wsh, witness_program
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint
from pylightningd.common.interactive_tx.rules import MAX_INPUTS, NegotiationFailed
from pylightningd.common.wire.common_wire import JointFunding, JointInput, JointOutput

TX_VERSION = 2

Witness = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What an input spends."""

    outpoint: Outpoint
    output: TxOut


def spent_by(entry: JointInput) -> Spent:
    """What this input spends, read from the transaction that comes with it. Raises NegotiationFailed."""
    return _prevout(entry.prevtx, entry.vout)


@lru_cache(maxsize=MAX_INPUTS)
def _prevout(raw: bytes, vout: int) -> Spent:
    """One output of a serialised transaction. A peer may send 64 kB for each input: read once, not at every step."""
    # BOLT 2, "The `tx_add_input` Message", receiver MUST fail where prevtx is no transaction, has no such output,
    # or pays it to anything but a witness program. A shared input exists only where a channel does.
    if not raw:
        raise NegotiationFailed("tx_add_input with no prevtx")
    try:
        prevtx = Tx.parse(raw)
    except WireError as err:
        raise NegotiationFailed(f"Unable to parse prevtx: {err}") from None
    if not prevtx.inputs:
        raise NegotiationFailed("prevtx has no inputs")
    if vout >= len(prevtx.outputs):
        raise NegotiationFailed(
            f"Invalid tx outnum sent. {vout}: prevtx has {len(prevtx.outputs)} outputs"
        )
    output = prevtx.outputs[vout]
    if witness_program(output.script) is None:
        raise NegotiationFailed(
            f"Invalid tx sent. Not SegWit: {prevtx.serialize(witness=False).hex()[:200]}"
        )
    return Spent(Outpoint(prevtx.txid(), vout), output)


def spent_by_all(funding: JointFunding) -> tuple[Spent, ...]:
    """What each input of a complete transaction spends, in order."""
    return tuple(spent_by(entry) for entry in funding.inputs)


def build(inputs: Sequence[JointInput], outputs: Sequence[JointOutput], locktime: int) -> Tx:
    """The unsigned transaction of these. Raises NegotiationFailed for an input that spends nothing."""
    # BOLT 2, "Interactive Transaction Construction": inputs and outputs are sorted by serial_id.
    points = [(spent_by(entry).outpoint, entry) for entry in sorted(inputs, key=_serial_id)]
    return Tx(
        TX_VERSION,
        tuple([TxIn(p.txid, p.index, sequence=entry.sequence) for p, entry in points]),
        tuple([TxOut(o.amount, o.script) for o in sorted(outputs, key=_serial_id)]),
        locktime,
    )


def unsigned_tx(funding: JointFunding) -> Tx:
    """The funding transaction without witnesses; its txid is final."""
    return build(funding.inputs, funding.outputs, funding.locktime)


def signed_tx(funding: JointFunding, ours: Sequence[Witness], theirs: Sequence[Witness]) -> Tx:
    """The whole transaction; the witnesses of each side in the order of its inputs. Raises ValueError at a wrong number."""
    tx = unsigned_tx(funding)
    for mine, witnesses in ((True, ours), (False, theirs)):
        for index, witness in zip(inputs_of(funding, ours=mine), witnesses, strict=True):
            tx = tx.with_witness(index, witness)
    return tx


def inputs_of(funding: JointFunding, *, ours: bool) -> list[int]:
    """Indices of one side's inputs in the transaction."""
    return [n for n, entry in enumerate(funding.inputs) if entry.ours is ours]


def funding_index(
    outputs: Sequence[JointOutput], funding_key: bytes, other_funding_key: bytes
) -> int | None:
    """Which output, in the transaction's order, is the channel's; None where none is or more than one could be."""
    script = p2wsh(funding_script(funding_key, other_funding_key))
    found = [n for n, o in enumerate(sorted(outputs, key=_serial_id)) if o.script == script]
    return found[0] if len(found) == 1 else None


def sign_first(inputs: Sequence[JointInput], *, on_tie: bool) -> bool:
    """Whether our tx_signatures go first; `on_tie`: our node_id is the lesser one."""
    # BOLT 2, "The `tx_signatures` Message", sender: first is who has contributed less by its tx_add_input values;
    # where both are equal, the lesser node_id.
    totals = {True: 0, False: 0}
    for entry in inputs:
        totals[entry.ours] += spent_by(entry).output.amount.sat
    return on_tie if totals[True] == totals[False] else totals[True] < totals[False]


def _serial_id(entry: JointInput | JointOutput) -> int:
    return entry.serial_id
