"""BOLT 3, "Appendix A: Expected Weights" and "Appendix B: Funding Transaction Test Vectors".

The weights are counted on transactions of our own scripts, with signatures as large as they can be.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin import weight
from pylightningd.common.bitcoin.hashes import hash160, sha256d
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel import fees
from pylightningd.common.ids import Txid
from pylightningd.common.interactive_tx import balance
from pylightningd.common.keys import der_to_sig, pubkey_from_secret, verify_compact

LARGEST_SIG = bytes(73)
KEY = bytes.fromhex("023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb")
OTHER_KEY = bytes.fromhex("030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c1")
EXPIRY_OF_FOUR_BYTES = 0x7FFFFFFF
"""Appendix A counts four bytes for cltv_expiry."""


def tx_with(witness: tuple[bytes, ...], *scripts: bytes) -> Tx:
    """One input, and outputs to these scripts."""
    spends = TxIn(Txid(bytes(32)), 0, witness=witness)
    return Tx(2, (spends,), tuple(TxOut(Sat(1000), script) for script in scripts), 0)


@pytest.mark.parametrize("htlcs", [0, 1, 50])
@pytest.mark.parametrize("anchors", [False, True])
def test_commitment(anchors: bool, htlcs: int) -> None:
    p2wsh = sc.p2wsh(b"")
    outputs = [p2wsh] * htlcs + [p2wsh]  # HTLCs and to_local
    outputs += [p2wsh] * 3 if anchors else [sc.p2wpkh(KEY)]  # to_remote, and both anchors
    witness = (b"", LARGEST_SIG, LARGEST_SIG, sc.funding_script(KEY, OTHER_KEY))
    counted = tx_with(witness, *outputs).weight()
    if anchors:
        counted += 8  # the appendix counts three bytes for the number of outputs
    assert counted == (900 if anchors else 500) + 172 * htlcs + 224
    assert counted == fees.commitment_weight(htlcs, anchors=anchors)


@pytest.mark.parametrize(("anchors", "timeout", "success"), [(False, 663, 702), (True, 666, 705)])
def test_htlc_transactions(anchors: bool, timeout: int, success: int) -> None:
    keys = (KEY, OTHER_KEY, KEY, bytes(32))
    offered = sc.offered_htlc_script(*keys, anchors=anchors)
    received = sc.received_htlc_script(*keys, EXPIRY_OF_FOUR_BYTES, anchors=anchors)
    assert (len(offered), len(received)) == ((136, 143) if anchors else (133, 140))
    out = sc.p2wsh(b"")
    spends_offered = (b"", LARGEST_SIG, LARGEST_SIG, b"", offered)
    spends_received = (b"", LARGEST_SIG, LARGEST_SIG, bytes(32), received)
    assert tx_with(spends_offered, out).weight() == timeout
    assert tx_with(spends_received, out).weight() == success
    # "really 702 and 705, but we use these numbers for historical reasons".
    assert fees.htlc_timeout_fee(1000, anchors=anchors).sat == (0 if anchors else timeout)
    assert fees.htlc_success_fee(1000, anchors=anchors).sat == (0 if anchors else success + 1)


def test_funding_of_version_2() -> None:
    inputs = [sc.p2wpkh(KEY)] * 3
    outputs = [sc.p2wsh(b""), sc.p2wpkh(KEY), sc.p2tr(bytes(32))]
    # 43 for the funding output, 41 for each input, 9 and the script for each other output; 10 fields; 2 of segwit.
    bare = 43 + 3 * 41 + 2 * 9 + 22 + 34
    expected = 4 * (bare + 10) + 2 + 3 * balance.MIN_WITNESS_WEIGHT
    assert balance.share_weight(inputs, outputs, initiator=True) == expected
    assert weight.core_weight(3, 3) == 4 * 10 + 2


COINBASE = Tx.parse(
    bytes.fromhex(
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff03510101ffffffff0100f2052a01"
        "0000001976a9143ca33c2e4446f4a305f23c80df8ad1afdcf652f988ac00000000"
    )
)
COINBASE_SECRET = bytes.fromhex("6bd078650fcee8444e4e09825227b801a1ca928debb750eb36e6d56124bb20e8")
FUNDING_TX = bytes.fromhex(
    "0200000001adbb20ea41a8423ea937e76e8151636bf6093b70eaff942930d20576600521fd000000006b48304502210090587b6201e166"
    "ad6af0227d3036a9454223d49a1f11839c1a362184340ef0240220577f7cd5cca78719405cbf1de7414ac027f0239ef6e214c90fcaab04"
    "54d84b3b012103535b32d5eb0a6ed0982a0479bbadc9868d9836f6ba94dd5a63be16d875069184ffffffff028096980000000000220020"
    "c015c4a6be010e21657068fc2e6a9d02b27ebe4d490a25846f7237f104d1a3cd20256d29010000001600143ca33c2e4446f4a305f23c80"
    "df8ad1afdcf652f900000000"
)
FUNDING_TXID = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be"


def test_funding_transaction() -> None:
    pubkey = pubkey_from_secret(COINBASE_SECRET)
    assert sc.p2pkh(hash160(pubkey)) == COINBASE.outputs[0].script
    script_sig_wu = 4 * (72 + 1 + 33 + 1)
    change_script = sc.p2wpkh(pubkey)
    funding_script = sc.p2wsh(sc.funding_script(KEY, OTHER_KEY))
    size_wu = 4 * (10 + 41) + script_sig_wu
    size_wu += weight.output_weight(funding_script) + weight.output_weight(change_script)
    change = COINBASE.outputs[0].amount - Sat(10_000_000) - weight.fee_for_weight(15_000, size_wu)
    assert change.sat == 4_989_986_080
    spends = TxIn(COINBASE.txid(), 0)
    outputs = (TxOut(Sat(10_000_000), funding_script), TxOut(change, change_script))
    unsigned = Tx(2, (spends,), outputs, 0)
    given = Tx.parse(FUNDING_TX)
    assert given.serialize() == FUNDING_TX
    assert replace(given, inputs=(replace(given.inputs[0], script_sig=b""),)) == unsigned
    assert given.txid()[::-1].hex() == FUNDING_TXID

    script_sig = given.inputs[0].script_sig
    signature, flag = der_to_sig(script_sig[1 : 1 + script_sig[0]])
    assert (flag, script_sig[1 + script_sig[0] :]) == (1, sc.push(pubkey))
    # The digest of a signature before segwit: the transaction with the spent script in its input, and the flag.
    to_sign = replace(unsigned, inputs=(replace(spends, script_sig=COINBASE.outputs[0].script),))
    digest = sha256d(to_sign.serialize() + flag.to_bytes(4, "little"))
    verify_compact(pubkey, digest, signature)
