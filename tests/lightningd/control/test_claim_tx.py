"""Fees and shapes of the transactions that take outputs of a closed channel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxIn
from pylightningd.common.bitcoin.weight import ANCHOR_INPUT_WEIGHT, P2WPKH_INPUT_WEIGHT
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.control import claim_tx
from pylightningd.lightningd.control.claim_tx import CannotAfford
from tests.onchaind.rig import COIN, SWEEP, Rig, htlc

RIG = Rig(anchors=True, htlcs=(htlc(1, ours=True),))
TIMEOUT = RIG.resolve(RIG.ours.tx).claim("OUR_HTLC_TIMEOUT_TX")
SWEEP_CLAIM = RIG.resolve(RIG.ours.tx).claim("OUR_DELAYED_RETURN_TO_WALLET")


def test_sweep_weighs_what_was_counted() -> None:
    made = claim_tx.sweep([SWEEP_CLAIM], SWEEP, 2000, None)
    tx = RIG.make(SWEEP_CLAIM)
    assert made.weight - 1 <= tx.weight() <= made.weight
    assert made.fee == Sat(2000 * made.weight // 1000)
    assert tx.outputs[0].amount + made.fee == SWEEP_CLAIM.amount


def test_a_replacement_pays_more_than_what_it_replaces() -> None:
    first = claim_tx.sweep([SWEEP_CLAIM], SWEEP, 2000, None)
    second = claim_tx.sweep([SWEEP_CLAIM], SWEEP, 2000, first.fee)
    # BIP 125, rule 4: its own size at one sat per vbyte, on top.
    assert second.fee.sat >= first.fee.sat + second.weight // 4


def test_a_small_output_pays_what_it_can() -> None:
    small = replace(SWEEP_CLAIM, amount=Sat(600))
    made = claim_tx.sweep([small], SWEEP, 2000, None)
    assert made.tx.outputs[0].amount == Sat(330)
    with pytest.raises(CannotAfford):
        claim_tx.sweep([replace(SWEEP_CLAIM, amount=Sat(400))], SWEEP, 2000, None)


def test_htlc_transaction_gets_its_fee_from_coins() -> None:
    made = claim_tx.with_fee_inputs([TIMEOUT], [COIN], SWEEP, 2000, None)
    base = Tx.parse(TIMEOUT.tx)
    assert made.tx.inputs[0] == base.inputs[0]
    assert made.tx.outputs[0] == base.outputs[0]
    assert made.tx.outputs[1].amount + made.fee == COIN.amount
    assert made.coins == (COIN,)
    signed = RIG.make(TIMEOUT).with_witness(1, (b"s" * 71, b"k" * 33))
    assert abs(signed.weight() - made.weight) <= 4


def test_htlc_is_never_claimed_for_more_than_its_worth() -> None:
    made = claim_tx.with_fee_inputs([TIMEOUT], [COIN], SWEEP, 30_000, None)
    assert made.capped
    assert made.fee == TIMEOUT.amount
    with pytest.raises(CannotAfford, match="not worth"):
        claim_tx.with_fee_inputs([TIMEOUT], [COIN], SWEEP, 30_000, made.fee)


def test_a_budget_lowers_the_feerate_but_never_below_what_is_relayed() -> None:
    made = claim_tx.sweep([SWEEP_CLAIM], SWEEP, 5000, None, Sat(700))
    assert (made.fee, made.capped) == (Sat(700), True)
    least = claim_tx.sweep([SWEEP_CLAIM], SWEEP, 5000, None, Sat(1))
    assert least.fee.sat == 253 * least.weight // 1000
    with pytest.raises(CannotAfford):
        claim_tx.sweep([SWEEP_CLAIM], SWEEP, 5000, made.fee, Sat(700))
    child = (TxIn(RIG.ours.txid, 0), Sat(330), ANCHOR_INPUT_WEIGHT, 1124, Sat(300), [COIN], SWEEP)
    assert claim_tx.anchor_child(*child, 9000, None, Sat(2000)).fee == Sat(2000)
    with pytest.raises(CannotAfford, match="at stake"):
        claim_tx.anchor_child(*child, 9000, Sat(2000), Sat(2000))


def test_as_many_coins_as_are_needed() -> None:
    small = replace(COIN, amount=Sat(1000))
    coins = [replace(small, outpoint=Outpoint(Txid(b"w" * 32), n)) for n in range(9)]
    made = claim_tx.with_fee_inputs([TIMEOUT], coins, SWEEP, 1000, None)
    assert 1 < len(made.coins) < 9
    with pytest.raises(CannotAfford, match="no coins"):
        claim_tx.with_fee_inputs([TIMEOUT], [], SWEEP, 1000, None)


def test_anchor_child_pays_for_its_parent() -> None:
    made = claim_tx.anchor_child(
        TxIn(RIG.ours.txid, 0),
        Sat(330),
        ANCHOR_INPUT_WEIGHT,
        1124,
        Sat(300),
        [COIN],
        sc.p2wpkh(b"\x02" * 33),
        2500,
        None,
    )
    total = made.weight + 1124
    assert (made.fee + Sat(300)).sat == 2500 * total // 1000
    assert made.tx.outputs[0].amount + made.fee == Sat(330) + COIN.amount
    assert made.weight > ANCHOR_INPUT_WEIGHT + P2WPKH_INPUT_WEIGHT
