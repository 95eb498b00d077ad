"""Signatures, points and Schnorr against BIP 340's samples and known values."""

from __future__ import annotations

from hashlib import sha256

import pytest
from coincurve import PrivateKey

from pylightningd.common import keys
from pylightningd.common.secret import Secret

ALICE = b"\x01" * 32
BOB = b"\x02" * 32
DIGEST = sha256(b"digest").digest()
ORDER = bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")


def test_all_forms_of_a_secret_sign_alike() -> None:
    sigs = {keys.sign_compact(s, DIGEST) for s in (ALICE, Secret(ALICE), PrivateKey(ALICE))}
    assert len(sigs) == 1
    assert keys.pubkey_from_secret(ALICE) == PrivateKey(ALICE).public_key.format()


def test_ungrinded_signature_is_plain_rfc6979() -> None:
    der = PrivateKey(ALICE).sign(DIGEST, hasher=None)
    assert keys.sig_to_der(keys.sign_compact(ALICE, DIGEST, grind=False), 1) == der + b"\x01"


@pytest.mark.parametrize("n", range(40))
def test_signatures_have_low_r_and_verify(n: int) -> None:
    digest = sha256(bytes([n])).digest()
    sig = keys.sign_compact(ALICE, digest)
    assert sig[0] < 0x80
    assert sig[32] < 0x80
    assert keys.der_to_sig(keys.sig_to_der(sig, 0x83)) == (sig, 0x83)
    assert len(keys.sig_to_der(sig, 1)) <= 71
    keys.verify_compact(keys.pubkey_from_secret(ALICE), digest, sig)


def test_wrong_key_digest_or_signature_is_refused() -> None:
    sig = keys.sign_compact(ALICE, DIGEST)
    alice, bob = keys.pubkey_from_secret(ALICE), keys.pubkey_from_secret(BOB)
    for key, digest, bad in (
        (bob, DIGEST, sig),
        (alice, bytes(32), sig),
        (alice, DIGEST, sig[:-1] + bytes([sig[-1] ^ 1])),
        (alice, DIGEST, sig[:63]),
        (alice, DIGEST, b"\xff" * 64),
        (alice, DIGEST, bytes(64)),
    ):
        with pytest.raises(keys.BadSignature):
            keys.verify_compact(key, digest, bad)


def test_high_s_is_refused() -> None:
    sig = keys.sign_compact(ALICE, DIGEST)
    s = int.from_bytes(ORDER, "big") - int.from_bytes(sig[32:], "big")
    with pytest.raises(keys.BadSignature):
        keys.verify_compact(
            keys.pubkey_from_secret(ALICE), DIGEST, sig[:32] + s.to_bytes(32, "big")
        )


def test_invalid_keys_are_refused() -> None:
    for secret in (bytes(32), ORDER, b"\xff" * 32, b"short"):
        with pytest.raises(keys.InvalidKey):
            keys.pubkey_from_secret(secret)
        assert not keys.is_secret_key(secret)
    for pubkey in (b"", bytes(33), b"\x02" * 32, b"\x04" + b"\x01" * 32, b"\x02" + b"\xff" * 32):
        with pytest.raises(keys.InvalidKey):
            keys.check_pubkey(pubkey)
        assert not keys.is_pubkey(pubkey)
    assert keys.is_secret_key(ALICE)


def test_ecdh_is_symmetric_and_is_coincurves() -> None:
    a, b = keys.pubkey_from_secret(ALICE), keys.pubkey_from_secret(BOB)
    assert keys.ecdh(ALICE, b) == keys.ecdh(BOB, a) == PrivateKey(ALICE).ecdh(b)


def test_point_arithmetic_agrees_with_secrets() -> None:
    a, b = keys.pubkey_from_secret(ALICE), keys.pubkey_from_secret(BOB)
    assert keys.point_add(a, b) == keys.pubkey_from_secret(b"\x03" * 32)
    assert keys.point_tweak_add(a, BOB) == keys.pubkey_from_secret(
        keys.secret_tweak_add(ALICE, BOB)
    )
    assert keys.point_mul(a, BOB) == keys.pubkey_from_secret(keys.secret_mul(ALICE, BOB))
    negative = bytes([a[0] ^ 1]) + a[1:]
    with pytest.raises(keys.InvalidKey):
        keys.point_add(a, negative)


def test_recovery() -> None:
    sig, recovery_id = keys.sign_recoverable(ALICE, DIGEST)
    assert keys.recover(DIGEST, sig, recovery_id) == keys.pubkey_from_secret(ALICE)
    assert keys.recover(DIGEST, sig, recovery_id ^ 1) != keys.pubkey_from_secret(ALICE)
    with pytest.raises(keys.BadSignature):
        keys.recover(DIGEST, sig, 4)


# BIP 340, test vectors 0 and 1.
SCHNORR = [
    (
        "0000000000000000000000000000000000000000000000000000000000000003",
        "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
        "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
    ),
    (
        "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341"
        "8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a",
    ),
]


@pytest.mark.parametrize(("secret", "xonly", "aux", "message", "signature"), SCHNORR)
def test_bip340(secret: str, xonly: str, aux: str, message: str, signature: str) -> None:
    key = bytes.fromhex(secret)
    msg = bytes.fromhex(message)
    sig = keys.schnorr_sign(key, msg, bytes.fromhex(aux))
    assert sig.hex() == signature
    assert keys.xonly(keys.pubkey_from_secret(key)).hex() == xonly
    keys.schnorr_verify(bytes.fromhex(xonly), msg, sig)
    with pytest.raises(keys.BadSignature):
        keys.schnorr_verify(bytes.fromhex(xonly), msg, sig[:-1] + b"\xff")


def test_taproot_tweak_of_key_and_secret_agree() -> None:
    tweak = sha256(b"tweak").digest()
    for secret in (ALICE, BOB, b"\x03" * 32, b"\x05" * 32):
        out, _ = keys.taproot_tweak_pubkey(keys.xonly(keys.pubkey_from_secret(secret)), tweak)
        tweaked = keys.taproot_tweak_secret(secret, tweak)
        assert keys.xonly(keys.pubkey_from_secret(tweaked)) == out
