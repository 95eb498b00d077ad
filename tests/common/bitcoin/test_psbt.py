"""PSBTs: build, carry fields, sign, combine, extract; damaged ones."""

from __future__ import annotations

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin import sighash as sh
from pylightningd.common.bitcoin.psbt import (
    OUTPUT_EXTERNAL_KEY,
    SERIAL_ID_KEY,
    Psbt,
    PsbtError,
)
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import P2WPKH_INPUT_WEIGHT, core_weight, output_weight
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.keys import pubkey_from_secret, sig_to_der, sign_compact

SECRET = b"\x07" * 32
PUBKEY = pubkey_from_secret(SECRET)
SCRIPT = sc.p2wpkh(PUBKEY)
PREVIOUS = Tx(2, (TxIn(Txid(bytes(32)), 0),), (TxOut(Sat(10_000), SCRIPT),))


def _psbt() -> Psbt:
    psbt = Psbt.new(locktime=7)
    psbt.add_input(Outpoint(PREVIOUS.txid(), 0), utxo=PREVIOUS.outputs[0])
    psbt.add_output(TxOut(Sat(9_000), SCRIPT))
    return psbt


def _sign(psbt: Psbt) -> None:
    digest = sh.bip143_sighash(psbt.unsigned_tx(), 0, sc.p2wpkh_script_code(PUBKEY), Sat(10_000))
    psbt.add_signature(0, PUBKEY, sig_to_der(sign_compact(SECRET, digest), sh.SIGHASH_ALL))


def test_contents() -> None:
    psbt = _psbt()
    assert (psbt.input_count, psbt.output_count, psbt.locktime) == (1, 1, 7)
    assert psbt.outpoint(0) == Outpoint(PREVIOUS.txid(), 0)
    assert psbt.spent_output(0) == PREVIOUS.outputs[0]
    assert psbt.fee() == Sat(1_000)
    tx = psbt.unsigned_tx()
    assert tx.locktime == 7
    assert tx.outputs == (TxOut(Sat(9_000), SCRIPT),)
    assert Psbt.new().unsigned_tx() == Tx(2, (), (), 0)


@pytest.mark.parametrize("version", [0, 2])
def test_sign_and_extract(version: int) -> None:
    psbt = Psbt.from_base64(_psbt().to_base64(version))
    assert not psbt.finalize()
    with pytest.raises(PsbtError):
        psbt.extract()
    _sign(psbt)
    assert psbt.finalize()
    tx = psbt.extract()
    assert tx.txid() == psbt.txid()
    assert psbt.final_witness(0) == tx.inputs[0].witness
    least = core_weight(1, 1) + output_weight(SCRIPT) + P2WPKH_INPUT_WEIGHT
    assert least - 2 <= tx.weight() <= least
    assert Psbt.from_bytes(psbt.to_bytes(version)).extract() == tx


def test_combine() -> None:
    mine, theirs = _psbt(), _psbt()
    _sign(theirs)
    mine.combine(theirs)
    assert mine.finalize()
    other = _psbt()
    other.add_output(TxOut(Sat(1), SCRIPT))
    with pytest.raises(PsbtError):
        mine.combine(other)


def test_fields_are_added_and_kept() -> None:
    psbt = _psbt()
    psbt.set_input_field(0, SERIAL_ID_KEY, b"\1" * 8)
    psbt.set_output_field(0, SERIAL_ID_KEY, b"\2" * 8)
    psbt.set_output_field(0, OUTPUT_EXTERNAL_KEY, b"\1")
    psbt.set_output_field(0, OUTPUT_EXTERNAL_KEY, b"\2")
    again = Psbt.from_base64(psbt.to_base64())
    assert again.input_field(0, SERIAL_ID_KEY) == b"\1" * 8
    assert again.output_field(0, SERIAL_ID_KEY) == b"\2" * 8
    assert again.output_field(0, OUTPUT_EXTERNAL_KEY) == b"\2"
    assert again.output_field(0, b"\xfcnone") is None
    assert again.unsigned_tx() == psbt.unsigned_tx()


def test_previous_transaction_must_be_the_one_spent() -> None:
    psbt = Psbt.new()
    psbt.add_input(Outpoint(PREVIOUS.txid(), 0), previous_tx=PREVIOUS)
    assert psbt.spent_output(0) == PREVIOUS.outputs[0]
    wrong = Psbt.new()
    with pytest.raises(PsbtError):
        wrong.add_input(Outpoint(Txid(b"\1" * 32), 0), previous_tx=PREVIOUS)
        wrong.spent_output(0)


def test_fee_needs_utxos_and_enough_of_them() -> None:
    psbt = Psbt.new()
    psbt.add_input(Outpoint(PREVIOUS.txid(), 0))
    with pytest.raises(PsbtError, match="no utxo"):
        psbt.fee()
    psbt.set_witness_utxo(0, TxOut(Sat(5), SCRIPT))
    psbt.add_output(TxOut(Sat(6), SCRIPT))
    with pytest.raises(PsbtError, match="exceed the inputs by 1sat"):
        psbt.fee()
    psbt.set_output_amount(0, Sat(5))
    assert psbt.fee() == Sat(0)
    psbt.remove_output(0)
    psbt.remove_input(0)
    assert (psbt.input_count, psbt.output_count) == (0, 0)


@pytest.mark.parametrize("text", ["", "zz", "cHNidP8=", "!", "cHNidP8BAA"])
def test_garbage(text: str) -> None:
    with pytest.raises(PsbtError):
        Psbt.from_base64(text)
