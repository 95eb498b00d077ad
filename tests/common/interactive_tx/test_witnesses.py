"""What tx_signatures may say: BOLT 2, "The `tx_signatures` Message"."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import (
    SIGHASH_ALL,
    SIGHASH_NONE,
    bip143_sighash,
    bip341_sighash,
)
from pylightningd.common.bitcoin.tx import TxIn
from pylightningd.common.ids import Txid
from pylightningd.common.interactive_tx.joint_tx import spent_by_all, unsigned_tx
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.interactive_tx.witnesses import their_witnesses
from pylightningd.common.keys import (
    pubkey_from_secret,
    schnorr_sign,
    sig_to_der,
    sign_compact,
    xonly,
)
from pylightningd.common.wire.common_wire import JointFunding, JointInput, JointOutput
from pylightningd.common.wire.peer_wire import TxSignatures, Witness
from tests.common.interactive_tx import table as t
from tests.common.interactive_tx import vectors as v

SECRET = b"\x11" * 32
KEY = pubkey_from_secret(SECRET)
TAPROOT = sc.p2tr(xonly(KEY))
WITNESS_SCRIPT = sc.push(KEY) + sc.OP_CHECKSIG


def encoded(stack: tuple[bytes, ...]) -> bytes:
    return TxIn(Txid(bytes(32)), 0, witness=stack).serialize_witness()


def message(funding: JointFunding, *stacks: tuple[bytes, ...] | bytes, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "channel_id": t.CID,
        "txid": unsigned_tx(funding).txid(),
        "witnesses": tuple(
            Witness(witness_data=s if isinstance(s, bytes) else encoded(s)) for s in stacks
        ),
    }
    return TxSignatures(**(values | changes))


def of_bolt3(*, we_open: bool) -> JointFunding:
    alice, bob = t.opener(), t.accepter()
    t.talk(alice, bob)
    return (alice if we_open else bob).result()


def with_coin(script: bytes) -> JointFunding:
    """The peer spends one output of this script."""
    entry = JointInput(
        serial_id=1, ours=False, prevtx=t.coin(1, 50_000, script), vout=0, sequence=0
    )
    output = JointOutput(serial_id=2, ours=True, amount=Sat(40_000), script=t.WPKH)
    return JointFunding(
        locktime=0,
        feerate_perkw=253,
        our_funding=Sat(0),
        their_funding=Sat(40_000),
        we_sign_first=True,
        inputs=(entry,),
        outputs=(output,),
    )


def signed_wpkh(funding: JointFunding, sighash: int = SIGHASH_ALL) -> tuple[bytes, bytes]:
    digest = bip143_sighash(
        unsigned_tx(funding), 0, sc.p2wpkh_script_code(KEY), Sat(50_000), sighash
    )
    return sig_to_der(sign_compact(SECRET, digest), sighash), KEY


def signed_taproot(funding: JointFunding, sighash: int = 0) -> bytes:
    spent = [s.output for s in spent_by_all(funding)]
    signature = schnorr_sign(SECRET, bip341_sighash(unsigned_tx(funding), 0, spent, sighash))
    return signature + (bytes((sighash,)) if sighash else b"")


def refused(funding: JointFunding, msg: TxSignatures) -> str:
    with pytest.raises(NegotiationFailed) as caught:
        their_witnesses(funding, msg)
    return str(caught.value)


def test_vectors_of_bolt3() -> None:
    for we_open, theirs in ((True, v.WITNESS_ACCEPTER), (False, v.WITNESS_OPENER)):
        funding = of_bolt3(we_open=we_open)
        msg = message(funding, theirs)
        assert msg.txid[::-1].hex() == v.TXID
        (stack,) = their_witnesses(funding, msg)
        assert encoded(stack) == theirs


def test_no_inputs_no_witnesses() -> None:
    funding = with_coin(t.WPKH)
    nothing = JointFunding(
        locktime=0,
        feerate_perkw=253,
        our_funding=Sat(0),
        their_funding=Sat(0),
        we_sign_first=False,
        inputs=tuple(t.joint_input(2, 50_000) for _ in range(1)),
        outputs=funding.outputs,
    )
    assert their_witnesses(nothing, message(nothing)) == ()


def test_kinds_of_outputs() -> None:
    wpkh = with_coin(sc.p2wpkh(KEY))
    their_witnesses(wpkh, message(wpkh, signed_wpkh(wpkh)))
    tap = with_coin(TAPROOT)
    their_witnesses(tap, message(tap, (signed_taproot(tap),)))
    their_witnesses(tap, message(tap, (signed_taproot(tap, SIGHASH_ALL),)))
    their_witnesses(tap, message(tap, (b"leaf's", b"script", b"\xc0" + b"k" * 32)))
    wsh = with_coin(sc.p2wsh(WITNESS_SCRIPT))
    their_witnesses(wsh, message(wsh, (signed_wpkh(wsh)[0], WITNESS_SCRIPT)))


def test_about_another_transaction() -> None:
    funding = of_bolt3(we_open=True)
    msg = message(funding, v.WITNESS_ACCEPTER, txid=Txid(b"x" * 32))
    assert "78787878" in refused(funding, msg)


@pytest.mark.parametrize("number", [0, 2])
def test_wrong_number(number: int) -> None:
    funding = of_bolt3(we_open=True)
    msg = message(funding, *[v.WITNESS_ACCEPTER] * number)
    assert f"{number} witnesses for 1 inputs" in refused(funding, msg)


@pytest.mark.parametrize("raw", [b"", b"\0", b"\x01", b"\xff" * 9, v.WITNESS_ACCEPTER + b"\0"])
def test_empty_or_broken(raw: bytes) -> None:
    funding = of_bolt3(we_open=True)
    assert "witness of input" in refused(funding, message(funding, raw))


def test_other_sighash() -> None:
    wpkh, tap = with_coin(sc.p2wpkh(KEY)), with_coin(TAPROOT)
    assert "0x2 is not SIGHASH_ALL" in refused(wpkh, message(wpkh, signed_wpkh(wpkh, SIGHASH_NONE)))
    assert "SIGHASH_ALL" in refused(tap, message(tap, (signed_taproot(tap, SIGHASH_NONE),)))
    wsh = with_coin(sc.p2wsh(WITNESS_SCRIPT))
    signature = signed_wpkh(wsh, SIGHASH_NONE)[0]
    assert "0x2 is not SIGHASH_ALL" in refused(wsh, message(wsh, (signature, WITNESS_SCRIPT)))


def test_bad_signatures() -> None:
    wpkh, tap = with_coin(sc.p2wpkh(KEY)), with_coin(TAPROOT)
    signature, key = signed_wpkh(wpkh)
    other = pubkey_from_secret(b"\x12" * 32)
    wrong = sig_to_der(sign_compact(SECRET, sha256(b"").digest()), SIGHASH_ALL)
    for stack in (
        (wrong, key),
        (signature, other),
        (signature,),
        (signature, key, b""),
        (b"", key),
        (signature, b"\x05" + key[1:]),
    ):
        assert "witness of input 0" in refused(wpkh, message(wpkh, stack))
    for stack in ((b"s" * 64,), (b"s" * 66,), (b"",), (b"script", b"\x50annex")):
        assert "witness of input 0" in refused(tap, message(tap, stack))


def test_not_standard() -> None:
    wsh = with_coin(sc.p2wsh(WITNESS_SCRIPT))
    for stack in (
        (b"other script",),
        (b"x" * 81, WITNESS_SCRIPT),
        *([(b"",) * 101 + (WITNESS_SCRIPT,)]),
    ):
        assert "witness of input 0" in refused(wsh, message(wsh, stack))
    long = with_coin(sc.p2wsh(b"\x51" * 3601))
    assert "not standard" in refused(long, message(long, (b"\x51" * 3601,)))
    for script in (b"\x52\x20" + b"f" * 32, b"\x51\x02ab", b"\x00\x02ab"):
        future = with_coin(script)
        assert "not standard" in refused(future, message(future, (b"",)))


scripts = st.sampled_from(
    [sc.p2wpkh(KEY), TAPROOT, sc.p2wsh(WITNESS_SCRIPT), b"\x60\x02ab", b"\x51\x20" + bytes(32)]
)
items = st.one_of(
    st.binary(max_size=90),
    st.sampled_from([KEY, WITNESS_SCRIPT, b"\x30\x06\x02\x01\x01\x02\x01\x01\x01", b"\x50"]),
)


@settings(max_examples=80, deadline=None)
@given(scripts, st.one_of(st.binary(max_size=60), st.lists(items, max_size=4).map(tuple)))
def test_anything(script: bytes, stack: Any) -> None:
    funding = with_coin(script)
    try:
        (got,) = their_witnesses(funding, message(funding, stack))
    except NegotiationFailed:
        return
    assert got
