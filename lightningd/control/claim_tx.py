"""The transactions that take outputs of a closed channel: shape, weight and fee. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import (
    FEERATE_FLOOR_PERKW,
    core_weight,
    fee_for_weight,
    output_weight,
)
from pylightningd.common.wire.hsmd_wire import ClaimInput, HsmdSignClaims
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.control.claim_groups import input_weight, value
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
    capped: bool = False
    """It pays less than was wanted: more is not worth it."""


def least_fee(weight: int, feerate_perkw: int, replaces: Sat | None) -> int:
    """The fee for a feerate, and enough to replace what was sent before."""
    # BIP 125, "Implementation Details": absolutely more, and for its own size.
    fee = fee_for_weight(max(feerate_perkw, FEERATE_FLOOR_PERKW), weight).sat
    if replaces is not None:
        fee = max(fee, replaces.sat + -(-weight * RELAY_STEP_PERKW // 1000))
    return fee


def sweep(
    claims: Sequence[Claim],
    script: bytes,
    feerate_perkw: int,
    replaces: Sat | None,
    most: Sat | None = None,
) -> Made:
    """Pay outputs to `script`, the fee taken from them. Raises CannotAfford.

    The feerate is lowered where the amounts, or `most`, do not allow it.
    """
    total = value(claims)
    weight = (
        core_weight(len(claims), 1) + output_weight(script) + sum(input_weight(c) for c in claims)
    )
    highest = total - dust_limit(script).sat
    fee, capped = _within(
        weight, feerate_perkw, replaces, highest, most, f"{claims[0].outpoint} of {total}sat"
    )
    tx = Tx(
        version=2,
        inputs=tuple(TxIn(c.outpoint.txid, c.outpoint.index, b"", c.sequence) for c in claims),
        outputs=(TxOut(Sat(total - fee), script),),
        locktime=max(c.locktime for c in claims),
    )
    return Made(tx, Sat(fee), weight, capped=capped)


def _within(
    weight: int,
    feerate_perkw: int,
    replaces: Sat | None,
    highest: int,
    most: Sat | None,
    what: str,
) -> tuple[int, bool]:
    """The fee, and whether a limit made it less than wanted.

    `highest` can never be paid; `most` gives way to the least that anybody relays. Raises CannotAfford.
    """
    wanted = least_fee(weight, feerate_perkw, replaces)
    limit = highest
    if most is not None:
        limit = min(highest, max(most.sat, least_fee(weight, FEERATE_FLOOR_PERKW, None)))
    if wanted <= limit:
        return wanted, False
    if limit < least_fee(weight, FEERATE_FLOOR_PERKW, replaces):
        raise CannotAfford(f"{what} is not worth a fee of {wanted}sat (at most {max(limit, 0)}sat)")
    return limit, True


def with_fee_inputs(
    claims: Sequence[Claim],
    coins: Sequence[Coin],
    change_script: bytes,
    feerate_perkw: int,
    replaces: Sat | None,
    most: Sat | None = None,
) -> Made:
    """Peer-signed HTLC transactions of a channel with anchors in one, our coins paying the fee.

    Takes as many of `coins` as are needed, in their order. Raises CannotAfford where they do not do, or where the fee
    is more than the HTLCs are worth; `most` lowers the feerate.
    """
    # BOLT 3, "HTLC-Timeout and HTLC-Success Transactions": the peer's signature covers its input and the output of the
    # same number only, so that others may be added.
    bases = [Tx.parse(claim.tx) for claim in claims]
    weight = (
        core_weight(len(claims) + 2, len(claims) + 1)
        + sum(input_weight(c) for c in claims)
        + sum(output_weight(base.outputs[0].script) for base in bases)
        + output_weight(change_script)
    )
    dust, what = dust_limit(change_script).sat, f"{claims[0].outpoint} of {value(claims)}sat"
    chosen: list[Coin] = []
    brought = 0
    for coin in coins:
        chosen.append(coin)
        brought += coin.amount.sat
        weight += coin.weight()
        fee, capped = _within(weight, feerate_perkw, replaces, value(claims), most, what)
        if brought >= fee + dust:
            inputs = (
                *(base.inputs[0] for base in bases),
                *(TxIn(c.outpoint.txid, c.outpoint.index, b"", c.sequence) for c in chosen),
            )
            outputs = (
                *(base.outputs[0] for base in bases),
                TxOut(Sat(brought - fee), change_script),
            )
            tx = Tx(bases[0].version, inputs, outputs, bases[0].locktime)
            return Made(tx, Sat(fee), weight, tuple(chosen), capped)
    raise CannotAfford(
        f"the wallet has no coins for the fee of {claims[0].kind} ({claims[0].outpoint})"
    )


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
    most: Sat | None = None,
) -> Made:
    """Spend our anchor with coins so that it and its parent together pay the feerate. Raises CannotAfford.

    `most`: the child's fee is no more, whatever the feerate is then; where even that would not replace the old child,
    there is none.
    """
    weight = core_weight(2, 1) + anchor_weight + output_weight(change_script)
    dust = dust_limit(change_script).sat
    chosen: list[Coin] = []
    brought = anchor_amount.sat
    for coin in coins:
        chosen.append(coin)
        brought += coin.amount.sat
        weight += coin.weight()
        package = fee_for_weight(feerate_perkw, weight + parent_weight).sat - parent_fee.sat
        least = least_fee(weight, FEERATE_FLOOR_PERKW, replaces)
        fee, capped = max(package, least), False
        if most is not None and fee > most.sat:
            if least > most.sat:
                raise CannotAfford(f"a fee of {fee}sat is over the {most.sat}sat at stake")
            fee, capped = most.sat, True
        if brought >= fee + dust:
            inputs = (
                anchor,
                *(TxIn(c.outpoint.txid, c.outpoint.index, b"", c.sequence) for c in chosen),
            )
            tx = Tx(2, inputs, (TxOut(Sat(brought - fee), change_script),), 0)
            return Made(tx, Sat(fee), weight, tuple(chosen), capped)
    raise CannotAfford("the wallet has no coins to bump the commitment with")


def witnesses(claims: Sequence[Claim], signatures_der: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """The witnesses of the inputs that spend the outputs."""
    return [
        (*claim.before, signature, *claim.after, claim.witness_script)
        for claim, signature in zip(claims, signatures_der, strict=True)
    ]


def signed(tx: Tx, claims: Sequence[Claim], signatures_der: Sequence[bytes]) -> Tx:
    """Put the claims' witnesses in place: theirs are the first inputs."""
    made = witnesses(claims, signatures_der)
    inputs = [replace(i, witness=w) for i, w in zip(tx.inputs, made, strict=False)]
    return replace(tx, inputs=(*inputs, *tx.inputs[len(made) :]))


def sign_request(dbid: int, tx: Tx, claims: Sequence[Claim]) -> HsmdSignClaims:
    """What to ask of hsmd: the claims are the first inputs."""
    return HsmdSignClaims(
        dbid=dbid,
        tx=tx.serialize(),
        inputs=tuple(
            ClaimInput(
                input_index=n,
                amount=claim.amount,
                witness_script=claim.witness_script,
                signer=claim.signer,
                commitment_number=claim.commitment_number,
                point=claim.point,
                revocation_secret=claim.revocation_secret,
            )
            for n, claim in enumerate(claims)
        ),
    )


def anchor_input(txin: TxIn) -> TxIn:
    """An input that may be replaced."""
    return TxIn(txin.txid, txin.index, b"", SEQUENCE_RBF)
