"""Weights of inputs, outputs and whole transactions before they are signed, and fees from feerates.

Signatures are counted as 71 bytes and their type (low R and low S, as we make them) unless said
otherwise. Feerates are sat per 1000 weight.
"""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.compact_size import write_compact_size

_BARE_INPUT = 32 + 4 + 1 + 4
SIGNATURE_SIZE = 71
"""DER signature with low R and S, and the byte of its type."""
FEERATE_FLOOR_PERKW = 253
"""The least that is relayed: 1 sat per vbyte, rounded up."""


def fee_for_weight(feerate_perkw: int, weight_wu: int) -> Sat:
    """The fee for so much weight, rounded down as BOLT 3 does."""
    return Sat(feerate_perkw * weight_wu // 1000)


def feerate_of(fee: Sat, weight_wu: int) -> int:
    """The feerate that a fee amounts to, rounded down."""
    return fee.sat * 1000 // weight_wu


def perkb_to_perkw(perkb: int) -> int:
    """From sat per 1000 vbytes, rounded up so that it never falls below the relay floor."""
    return -(-perkb // 4)


def perkw_to_perkb(perkw: int) -> int:
    """To sat per 1000 vbytes."""
    return perkw * 4


def core_weight(inputs: int, outputs: int) -> int:
    """What a segwit transaction weighs without its inputs and outputs."""
    counts = len(write_compact_size(inputs)) + len(write_compact_size(outputs))
    return (4 + counts + 4) * 4 + 2


def output_weight(script: bytes) -> int:
    """One output."""
    return (8 + len(write_compact_size(len(script))) + len(script)) * 4


def witness_weight(item_sizes: Iterable[int]) -> int:
    """A witness stack with items of these sizes."""
    sizes = list(item_sizes)
    return len(write_compact_size(len(sizes))) + sum(
        len(write_compact_size(size)) + size for size in sizes
    )


def input_weight(witness_wu: int, script_sig_size: int = 0) -> int:
    """One input with a witness of that weight (1 for an empty one)."""
    return (_BARE_INPUT + script_sig_size) * 4 + witness_wu


P2WPKH_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 33)))
P2SH_P2WPKH_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 33)), 23)
P2TR_INPUT_WEIGHT = input_weight(witness_weight((64,)))
FUNDING_INPUT_WEIGHT = input_weight(witness_weight((0, SIGNATURE_SIZE, SIGNATURE_SIZE, 71)))
ANCHOR_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 40)))
TO_LOCAL_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 0, 79)))
"""Spending a delayed output (own to_local, or what an HTLC transaction pays to)."""
PENALTY_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 1, 79)))
TO_REMOTE_ANCHORS_INPUT_WEIGHT = input_weight(witness_weight((SIGNATURE_SIZE, 37)))


def wallet_input_weight(script: bytes) -> int:
    """An input that spends one of our wallet's outputs. Raises ValueError for other scripts."""
    if sc.is_p2wpkh(script):
        return P2WPKH_INPUT_WEIGHT
    if sc.is_p2tr(script):
        return P2TR_INPUT_WEIGHT
    if sc.is_p2sh(script):
        return P2SH_P2WPKH_INPUT_WEIGHT
    raise ValueError(f"{script.hex()} is not a kind of output our wallet has")


def script_input_weight(script_size: int, *other_items: int) -> int:
    """A p2wsh input: sizes of the witness script and of the items before it."""
    return input_weight(witness_weight((*other_items, script_size)))
