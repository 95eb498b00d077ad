"""BIP 143's sample, and both digests against libwally for any transaction."""

from __future__ import annotations

import pytest
import wallycore as wally
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import sighash as sh
from pylightningd.common.bitcoin.script import p2tr, p2wpkh_script_code
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.keys import pubkey_from_secret, taproot_tweak_pubkey, xonly
from tests.common.bitcoin.strategies import outputs, scripts, txs

TYPES = (0x01, 0x02, 0x03, 0x81, 0x82, 0x83)


def test_bip143_native_p2wpkh() -> None:
    tx = Tx.parse(
        bytes.fromhex(
            "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000"
            "eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ff"
            "ffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d"
            "000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000"
        )
    )
    secret = bytes.fromhex("619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9")
    pubkey = pubkey_from_secret(secret)
    assert pubkey.hex() == "025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357"
    code = p2wpkh_script_code(pubkey)
    assert code.hex() == "76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac"
    digest = sh.bip143_sighash(tx, 1, code, Sat(600_000_000))
    assert digest.hex() == "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670"


@given(
    txs.filter(lambda t: t.outputs),
    st.data(),
    scripts.filter(len),
    st.integers(1, 10**15),
    st.sampled_from(TYPES),
)
def test_bip143_agrees_with_libwally(
    tx: Tx, data: st.DataObject, code: bytes, amount: int, kind: int
) -> None:
    index = data.draw(st.integers(0, len(tx.inputs) - 1))
    theirs = wally.tx_get_btc_signature_hash(
        wally.tx_from_bytes(tx.serialize(), 0),
        index,
        code,
        amount,
        kind,
        wally.WALLY_TX_FLAG_USE_WITNESS,
    )
    assert sh.bip143_sighash(tx, index, code, Sat(amount), kind) == bytes(theirs)


@given(txs.filter(lambda t: t.outputs), st.data(), st.sampled_from((0, *TYPES)))
def test_bip341_agrees_with_libwally(tx: Tx, data: st.DataObject, kind: int) -> None:
    index = data.draw(st.integers(0, len(tx.inputs) - 1))
    n = len(tx.inputs)
    # libwally refuses inputs that are not taproot.
    taproot = st.builds(
        TxOut,
        outputs.map(lambda o: o.amount),
        st.binary(min_size=32, max_size=32).map(p2tr),
    )
    spent = data.draw(st.lists(taproot, min_size=n, max_size=n))
    if kind & 3 == 3 and index >= len(tx.outputs):
        with pytest.raises(ValueError, match="does not exist"):
            sh.bip341_sighash(tx, index, spent, kind)
        return
    scripts_map = wally.map_init(n, None)
    for i, output in enumerate(spent):
        wally.map_add_integer(scripts_map, i, output.script)
    theirs = wally.tx_get_btc_taproot_signature_hash(
        wally.tx_from_bytes(tx.serialize(), 0),
        index,
        scripts_map,
        [o.amount.sat for o in spent],
        None,
        0,
        0xFFFFFFFF,
        None,
        kind,
        0,
    )
    assert sh.bip341_sighash(tx, index, spent, kind) == bytes(theirs)


def test_taproot_output_of_bip86() -> None:
    internal = bytes.fromhex("cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115")
    key, _ = taproot_tweak_pubkey(internal, sh.taproot_tweak(internal))
    assert key.hex() == "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"
    assert len(p2tr(key)) == 34


def test_types_match_wallets() -> None:
    assert sh.SIGHASH_SINGLE_ANYONECANPAY == 0x83
    assert xonly(pubkey_from_secret(b"\x01" * 32)) == pubkey_from_secret(b"\x01" * 32)[1:]
    assert TxOut(Sat(1), b"").serialize() == b"\x01" + bytes(8)
