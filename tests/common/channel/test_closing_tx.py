"""Mutual closes, both kinds."""

from __future__ import annotations

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.channel import closing_tx as ct
from pylightningd.common.keys import pubkey_from_secret, sign_compact, verify_compact
from tests.common.channel.bolt03 import FUNDING, LOCAL_FUNDING, REMOTE_FUNDING

LOCAL, REMOTE = b"\x00\x14" + b"\1" * 20, b"\x00\x20" + b"\2" * 32
KEYS = pubkey_from_secret(LOCAL_FUNDING), pubkey_from_secret(REMOTE_FUNDING)
FUNDED = Sat(10_000)


def _make(to_local: int, to_remote: int) -> Tx:
    return ct.make_closing_tx(FUNDING, LOCAL, REMOTE, Sat(to_local), Sat(to_remote), Sat(546))


def test_outputs_are_sorted_and_dust_is_left_out() -> None:
    assert [o.amount.sat for o in _make(6000, 3000).outputs] == [3000, 6000]
    assert [o.script for o in _make(6000, 545).outputs] == [LOCAL]
    assert [o.script for o in _make(545, 546).outputs] == [REMOTE]
    assert [o.script for o in _make(3000, 3000).outputs] == [LOCAL, REMOTE]
    with pytest.raises(ValueError, match="needs an output"):
        _make(1, 1)
    assert _make(6000, 3000).inputs[0].sequence == 0xFFFFFFFF


def test_signing() -> None:
    tx = _make(6000, 3000)
    digest = ct.closing_sighash(tx, *KEYS, FUNDED)
    assert digest == bip143_sighash(tx, 0, sc.funding_script(*KEYS), FUNDED)
    sigs = [sign_compact(s, digest) for s in (LOCAL_FUNDING, REMOTE_FUNDING)]
    for key, sig in zip(KEYS, sigs, strict=True):
        verify_compact(key, digest, sig)
    signed = ct.signed_closing_tx(tx, KEYS[0], sigs[0], KEYS[1], sigs[1])
    swapped = ct.signed_closing_tx(tx, KEYS[1], sigs[1], KEYS[0], sigs[0])
    assert signed == swapped
    # Expected with signatures of 73 bytes (type included); ours are 71.
    assert ct.closing_tx_weight(LOCAL, REMOTE) - signed.weight() == 4


def test_simple_close() -> None:
    burn = b"\x6a\x06" + bytes(6)
    tx = ct.make_simple_closing_tx(
        FUNDING, closer=TxOut(Sat(5), burn), closee=TxOut(Sat(9000), REMOTE), locktime=77
    )
    assert (tx.locktime, tx.inputs[0].sequence) == (77, 0xFFFFFFFD)
    assert tx.outputs == (TxOut(Sat(0), burn), TxOut(Sat(9000), REMOTE))
    with pytest.raises(ValueError, match="needs an output"):
        ct.make_simple_closing_tx(FUNDING, closer=None, closee=None, locktime=0)
