"""The transactions that take outputs of a closed channel: shape, weight and fee. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import (
    FEERATE_FLOOR_PERKW,
    SIGNATURE_SIZE,
    core_weight,
    fee_for_weight,
    output_weight,
    script_input_weight,
)
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.wallet.coin import Coin, dust_limit

RELAY_STEP_PERKW = 250
"""What a replacement must pay more than what it replaces: bitcoind's 1 sat per vbyte."""


class CannotAfford(Exception):
    """No transaction of this kind leaves anything over."""


@dataclass(frozen=True, slots=True)
class Made:
    """An unsigned transaction and what it pays."""

    tx: Tx
    fee: Sat
    weight: int
    coins: tuple[Coin, ...] = ()


def claim_input_weight(claim: Claim) -> int:
    """Weight of the input that spends the output."""
    items = [len(item) for item in (*claim.before, *claim.after)] + [SIGNATURE_SIZE]
    return script_input_weight(len(claim.witness_script), *items)


def least_fee(weight: int, feerate_perkw: int, replaces: Sat | None) -> int:
    """The fee for a feerate, and enough to replace what was sent before."""
    # BIP 125, "Implementation Details": absolutely more, and for its own size.
    fee = fee_for_weight(max(feerate_perkw, FEERATE_FLOOR_PERKW), weight).sat
    if replaces is not None:
        fee = max(fee, replaces.sat + -(-weight * RELAY_STEP_PERKW // 1000))
    return fee


def sweep(claim: Claim, script: bytes, feerate_perkw: int, replaces: Sat | None) -> Made:
    """Pay the output to `script`, the fee taken from it. Raises CannotAfford.

    The feerate is lowered where the amount does not allow it.
    """
    weight = core_weight(1, 1) + output_weight(script) + claim_input_weight(claim)
    most = claim.amount.sat - dust_limit(script).sat
    fee = least_fee(weight, feerate_perkw, replaces)
    if fee > most:
        if replaces is not None or most < least_fee(weight, FEERATE_FLOOR_PERKW, None):
            raise CannotAfford(f"{claim.outpoint} of {claim.amount} cannot pay a fee of {fee}sat")
        fee = most
    tx = Tx(
        version=2,
        inputs=(TxIn(claim.outpoint.txid, claim.outpoint.index, b"", claim.sequence),),
        outputs=(TxOut(Sat(claim.amount.sat - fee), script),),
        locktime=claim.locktime,
    )
    return Made(tx, Sat(fee), weight)


def with_fee_inputs(
    claim: Claim,
    coins: Sequence[Coin],
    change_script: bytes,
    feerate_perkw: int,
    replaces: Sat | None,
) -> Made:
    """The peer-signed HTLC transaction of a channel with anchors, our coins paying its fee.

    Takes as many of `coins` as are needed, in their order. Raises CannotAfford where they do not do, or where the fee
    is more than the HTLC is worth.
    """
    # BOLT 3, "HTLC-Timeout and HTLC-Success Transactions": the peer's signature covers the first input and output
    # only, so that others may be added for the fee.
    base = Tx.parse(claim.tx)
    weight = (
        core_weight(2, 2)
        + claim_input_weight(claim)
        + sum(output_weight(o.script) for o in base.outputs)
        + output_weight(change_script)
    )
    dust = dust_limit(change_script).sat
    chosen: list[Coin] = []
    brought = 0
    for coin in coins:
        chosen.append(coin)
        brought += coin.amount.sat
        weight += coin.weight()
        fee = least_fee(weight, feerate_perkw, replaces)
        if fee > claim.amount.sat:
            raise CannotAfford(
                f"an HTLC of {claim.amount} is not worth a fee of {fee}sat ({claim.outpoint})"
            )
        if brought >= fee + dust:
            inputs = (
                *base.inputs,
                *(TxIn(c.outpoint.txid, c.outpoint.index, b"", c.sequence) for c in chosen),
            )
            outputs = (*base.outputs, TxOut(Sat(brought - fee), change_script))
            tx = Tx(base.version, inputs, outputs, base.locktime)
            return Made(tx, Sat(fee), weight, tuple(chosen))
    raise CannotAfford(f"the wallet has no coins for the fee of {claim.kind} ({claim.outpoint})")


def anchor_child(
    anchor: TxIn,
    anchor_amount: Sat,
    anchor_weight: int,
    parent_weight: int,
    parent_fee: Sat,
    coins: Sequence[Coin],
    change_script: bytes,
    feerate_perkw: int,
    replaces: Sat | None,
) -> Made:
    """Spend our anchor with coins so that it and its parent together pay the feerate. Raises CannotAfford."""
    weight = core_weight(2, 1) + anchor_weight + output_weight(change_script)
    dust = dust_limit(change_script).sat
    chosen: list[Coin] = []
    brought = anchor_amount.sat
    for coin in coins:
        chosen.append(coin)
        brought += coin.amount.sat
        weight += coin.weight()
        package = fee_for_weight(feerate_perkw, weight + parent_weight).sat - parent_fee.sat
        fee = max(package, least_fee(weight, FEERATE_FLOOR_PERKW, replaces))
        if brought >= fee + dust:
            inputs = (
                anchor,
                *(TxIn(c.outpoint.txid, c.outpoint.index, b"", c.sequence) for c in chosen),
            )
            tx = Tx(2, inputs, (TxOut(Sat(brought - fee), change_script),), 0)
            return Made(tx, Sat(fee), weight, tuple(chosen))
    raise CannotAfford("the wallet has no coins to bump the commitment with")


def signed(tx: Tx, claim: Claim, signature_der: bytes) -> Tx:
    """Put the claim's witness in place."""
    witness = (*claim.before, signature_der, *claim.after, claim.witness_script)
    return tx.with_witness(0, witness)


def anchor_input(txin: TxIn) -> TxIn:
    """An input that may be replaced."""
    return TxIn(txin.txid, txin.index, b"", SEQUENCE_RBF)
