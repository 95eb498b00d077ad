"""What the outputs of a closed channel mean for the books: how onchaind tells of one, as moves.

A channel's account gave away our whole balance when it closed. What we take of its outputs is put back into the
account and leaves it at once for the wallet, so that the account ends at nothing and fees can be told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.ids import Outpoint, Txid, txid_from_hex

if TYPE_CHECKING:
    from pylightningd.common.wire.onchaind_wire import OnchainOutput


@dataclass(frozen=True, slots=True)
class Move:
    """One move. `account` is empty for the channel's own."""

    account: str
    tags: tuple[str, ...]
    outpoint: Outpoint
    amount: Sat
    height: int
    spending_txid: Txid | None = None
    is_debit: bool = False
    payment_hash: bytes | None = None
    amount_stays: bool = False
    """Nothing is credited: it was before, or is nobody's business."""


_OUR_HTLC_TXS = ("OUR_HTLC_TIMEOUT_TX", "OUR_HTLC_SUCCESS_TX")
_TO_WALLET = (
    "OUR_DELAYED_RETURN_TO_WALLET",
    "THEIR_HTLC_FULFILL_TO_US",
    "OUR_HTLC_TIMEOUT_TO_US",
    "OUR_PENALTY_TX",
)
PENALTY_ADJ = "penalty_adj"
"""Stands in `account` for the pair of moves inside the channel that marks a penalty."""


def output_moves(output: OnchainOutput) -> list[Move]:
    """What is known by now of one output. Told again, the same moves in the same order, or more."""
    by, _, spender = output.resolved_by.partition(" ")
    if output.kind in ("ANCHOR_TO_US", "ANCHOR_TO_THEM"):
        return [_outside(output, "anchor")]
    if output.kind in ("OUTPUT_TO_THEM", "DELAYED_OUTPUT_TO_THEM"):
        return [_outside(output, "to_them")]
    if not by:
        return []
    if not spender:
        ignored = by == "THEIR_HTLC_TIMEOUT_TO_THEM"
        return [_outside(output, "htlc_timeout")] if ignored else []
    txid = txid_from_hex(spender)
    if output.claim_kind and by == output.claim_kind:
        return list(_ours(output, by, txid))
    return list(_theirs(output, txid))


def _ours(output: OnchainOutput, by: str, txid: Txid) -> Iterator[Move]:
    """We took it."""
    revoked = output.made_by == "THEIR_REVOKED_UNILATERAL"
    if by == "OUR_PENALTY_TX" or revoked:
        yield _in(output, "penalty")
        yield _out(output, "to_wallet", txid)
        yield Move(PENALTY_ADJ, (), output.outpoint, output.amount, 0)
        return
    if output.made_by in _OUR_HTLC_TXS:
        yield _in(output, "htlc_tx")
    elif output.made_by == "OUR_UNILATERAL" and output.kind == "DELAYED_OUTPUT_TO_US":
        yield _in(output, "delayed_to_us")
    if by == "OUR_HTLC_TIMEOUT_TO_US":
        yield _in(output, "htlc_timeout")
    if by in ("THEIR_HTLC_FULFILL_TO_US", "OUR_HTLC_SUCCESS_TX"):
        yield replace(_in(output, "htlc_fulfill"), payment_hash=output.payment_hash)
    if output.made_by == "OUR_UNILATERAL" and output.kind == "OUR_HTLC":
        yield _in(output, "htlc_timeout")
        yield _out(output, "htlc_timeout", txid)
    elif output.made_by == "OUR_UNILATERAL" and output.kind == "THEIR_HTLC":
        yield _out(output, "htlc_fulfill", txid)
    if by in _TO_WALLET or output.kind == "DELAYED_OUTPUT_TO_US":
        yield _out(output, "to_wallet", txid)


def _theirs(output: OnchainOutput, txid: Txid) -> Iterator[Move]:
    """The peer took it."""
    stealable = ("stealable",) if output.made_by == "THEIR_REVOKED_UNILATERAL" else ()
    if output.kind in ("OUTPUT_TO_US", "DELAYED_OUTPUT_TO_US"):
        yield _outside(output, "penalized")
    elif output.kind == "DELAYED_CHEAT_OUTPUT_TO_THEM":
        yield _outside(output, "stolen")
    elif output.kind == "OUR_HTLC":
        yield replace(_outside(output, "htlc_fulfill"), payment_hash=output.payment_hash)
        yield _spent_outside(output, ("htlc_fulfill", *stealable), txid)
    elif output.kind == "THEIR_HTLC" and stealable:
        yield _outside(output, "htlc_timeout", *stealable)
        yield _spent_outside(output, ("htlc_timeout", *stealable), txid)


def _in(output: OnchainOutput, tag: str) -> Move:
    return Move("", (tag,), output.outpoint, output.amount, output.height)


def _out(output: OnchainOutput, tag: str, txid: Txid) -> Move:
    height = output.resolved_height
    return Move("", (tag,), output.outpoint, output.amount, height, txid, is_debit=True)


def _outside(output: OnchainOutput, *tags: str) -> Move:
    return Move("external", tags, output.outpoint, output.amount, output.height)


def _spent_outside(output: OnchainOutput, tags: tuple[str, ...], txid: Txid) -> Move:
    """The peer spent what was credited to it: nothing moves any more."""
    height = output.resolved_height
    return Move("external", tags, output.outpoint, output.amount, height, txid, amount_stays=True)
