"""What we put into a transaction that is made with a peer: out of a PSBT, or out of a draft of the wallet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin.psbt import SERIAL_ID_KEY, Psbt
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.ids import Outpoint
from pylightningd.common.wire.common_wire import JointInput, JointOutput
from pylightningd.lightningd.rpc.errors import FUNDING_PSBT_INVALID

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.wallet.draft import Draft

Parts = tuple[tuple[JointInput, ...], tuple[JointOutput, ...]]


def new_serial(node: Node, *, opener: bool) -> int:
    """A serial_id for an input or output of ours: even for the opener."""
    # BOLT 2, "The `tx_add_input` Message": the initiator's are even; each is unique among all of the transaction.
    return int.from_bytes(node.entropy.take(8), "big") & ~1 | (not opener)


def parts_of_psbt(node: Node, psbt: Psbt, *, opener: bool, skip: int | None = None) -> Parts:
    """Our inputs and outputs of a PSBT; what has the peer's kind of serial id is the peer's, what has none is ours.

    `skip`: serial id of an output that is not to be counted (the funding output). Raises UserError.
    """
    tx = psbt.unsigned_tx()
    inputs: list[JointInput] = []
    for n, txin in enumerate(tx.inputs):
        serial = _serial(node, psbt.input_field(n, SERIAL_ID_KEY), opener)
        if serial is None:
            continue
        inputs.append(
            JointInput(
                serial_id=serial,
                ours=True,
                prevtx=_previous(node, psbt, n).serialize(),
                vout=txin.index,
                sequence=txin.sequence,
            )
        )
    outputs = [
        JointOutput(serial_id=serial, ours=True, amount=output.amount, script=output.script)
        for n, output in enumerate(tx.outputs)
        if (serial := _serial(node, psbt.output_field(n, SERIAL_ID_KEY), opener)) is not None
        and serial != skip
    ]
    return tuple(inputs), tuple(outputs)


def _serial(node: Node, field: bytes | None, opener: bool) -> int | None:
    """The serial id, a new one where there is none; None for the peer's."""
    if field is None:
        return new_serial(node, opener=opener)
    serial = int.from_bytes(field, "big")
    return serial if serial % 2 == (not opener) else None


def _previous(node: Node, psbt: Psbt, n: int) -> Tx:
    outpoint = psbt.outpoint(n)
    found = psbt.previous_tx(n)
    if found is None:
        found = _stored(node, outpoint)
    if found is None or found.txid() != outpoint.txid or outpoint.index >= len(found.outputs):
        raise UserError(
            FUNDING_PSBT_INVALID,
            f"PSBT is missing required fields: the whole transaction that input {n} spends ({outpoint})",
        )
    return found


def _stored(node: Node, outpoint: Outpoint) -> Tx | None:
    stored = node.wallet.store.get_tx(outpoint.txid)
    return None if stored is None else stored.tx


def parts_of_draft(node: Node, draft: Draft) -> Parts:
    """The coins of a draft whose first output is the funding output, and its change. Raises UserError."""
    inputs: list[JointInput] = []
    for coin in draft.coins:
        previous = _stored(node, coin.outpoint)
        if previous is None:
            raise UserError(
                FUNDING_PSBT_INVALID, f"the transaction that made {coin.outpoint} is not known"
            )
        inputs.append(
            JointInput(
                serial_id=new_serial(node, opener=True),
                ours=True,
                prevtx=previous.serialize(),
                vout=coin.outpoint.index,
                sequence=coin.sequence,
            )
        )
    outputs = tuple(
        JointOutput(
            serial_id=new_serial(node, opener=True),
            ours=True,
            amount=output.amount,
            script=output.script,
        )
        for output in draft.outputs[1:]
    )
    return tuple(inputs), outputs


async def one_missing(node: Node, outpoints: Iterable[Outpoint]) -> Outpoint | None:
    """One of them that no transaction made, or that is spent (the mempool counts); None also where nobody can tell."""
    for outpoint in outpoints:
        try:
            if await node.chain.backend.unspent(outpoint) is None:
                return outpoint
        except BackendError:
            continue
    return None


async def are_confirmed(node: Node, outpoints: Iterable[Outpoint]) -> bool:
    """Whether each is in a block and unspent; False where the backend cannot tell."""
    for outpoint in outpoints:
        coin = node.wallet.store.get(outpoint)
        if coin is not None:
            if coin.height is None:
                return False
            continue
        try:
            if await node.chain.backend.unspent(outpoint) is None:
                return False
            if await node.chain.backend.mempool_tx(outpoint.txid) is not None:
                return False
        except BackendError:
            return False
    return True
