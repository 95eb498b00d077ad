"""Points, private keys and signatures on secp256k1, as bytes.

A thin layer over the library inside coincurve. Its own `PrivateKey` costs 57 µs to build, so
signing here takes the 32 bytes directly. Public keys are parsed once and remembered.

What is *not* here: which key belongs to what (`key_derivation`), what is signed (`bitcoin/sighash`).

Compact signatures are r and s, 32 bytes each, big-endian: the form that BOLT messages carry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from coincurve import GLOBAL_CONTEXT, PrivateKey
from coincurve._libsecp256k1 import ffi, lib  # the wrapper offers no compact signatures

from pylightningd.common.secret import Secret

SecretLike: TypeAlias = bytes | Secret | PrivateKey

_CTX = GLOBAL_CONTEXT.ctx
_COMPRESSED = lib.SECP256K1_EC_COMPRESSED
_NULL = ffi.NULL


class BadSignature(ValueError):
    """A signature that does not fit the key and the message, or is no signature at all."""


class InvalidKey(ValueError):
    """Bytes that are no point on the curve, or a number that is no private key."""


def _raw(secret: SecretLike) -> bytes:
    if isinstance(secret, Secret):
        raw = secret.reveal()
    elif isinstance(secret, PrivateKey):
        raw = secret.secret
    else:
        raw = secret
    if len(raw) != 32:
        raise InvalidKey(f"a private key is 32 bytes, not {len(raw)}")
    return raw


def _check32(raw: bytes, what: str) -> None:
    if len(raw) != 32:
        raise ValueError(f"{what} is 32 bytes, not {len(raw)}")


# ---- points ----------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _parse(pubkey: bytes) -> Any:
    if len(pubkey) != 33:
        raise InvalidKey(f"a public key is 33 bytes, not {len(pubkey)}")
    point = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_parse(_CTX, point, pubkey, 33):
        raise InvalidKey(f"{pubkey.hex()} is not a point on the curve")
    return point


@lru_cache(maxsize=4096)
def _parse_xonly(xonly: bytes) -> Any:
    if len(xonly) != 32:
        raise InvalidKey(f"an x-only key is 32 bytes, not {len(xonly)}")
    point = ffi.new("secp256k1_xonly_pubkey *")
    if not lib.secp256k1_xonly_pubkey_parse(_CTX, point, xonly):
        raise InvalidKey(f"{xonly.hex()} is not the x of a point on the curve")
    return point


def _format(point: Any) -> bytes:
    out = ffi.new("unsigned char[33]")
    size = ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(_CTX, out, size, point, _COMPRESSED)
    return bytes(ffi.buffer(out, 33))


def check_pubkey(pubkey: bytes) -> bytes:
    """Return the 33 bytes as they are. Raises InvalidKey unless they are a compressed point."""
    _parse(pubkey)
    return pubkey


def is_pubkey(pubkey: bytes) -> bool:
    """Whether the bytes are a compressed point on the curve."""
    try:
        _parse(pubkey)
    except InvalidKey:
        return False
    return True


def pubkey_from_secret(secret: SecretLike) -> bytes:
    """The compressed point of a private key. Raises InvalidKey."""
    point = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_create(_CTX, point, _raw(secret)):
        raise InvalidKey("not a private key: zero or not below the order of the curve")
    return _format(point)


def is_secret_key(raw: bytes) -> bool:
    """Whether 32 bytes are a private key."""
    return len(raw) == 32 and bool(lib.secp256k1_ec_seckey_verify(_CTX, raw))


def point_add(first: bytes, *others: bytes) -> bytes:
    """The sum of points. Raises InvalidKey where it is the point at infinity."""
    parsed = [_parse(first), *map(_parse, others)]
    point = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_combine(_CTX, point, parsed, len(parsed)):
        raise InvalidKey("the sum of these points is not a point")
    return _format(point)


def point_tweak_add(point: bytes, scalar: bytes) -> bytes:
    """``point + scalar * G``, the scalar 32 bytes big-endian. Raises InvalidKey."""
    _check32(scalar, "a scalar")
    result = ffi.new("secp256k1_pubkey *", _parse(point)[0])
    if not lib.secp256k1_ec_pubkey_tweak_add(_CTX, result, scalar):
        raise InvalidKey("scalar out of range, or the result is not a point")
    return _format(result)


def point_mul(point: bytes, scalar: bytes) -> bytes:
    """``scalar * point``, the scalar 32 bytes big-endian. Raises InvalidKey."""
    _check32(scalar, "a scalar")
    result = ffi.new("secp256k1_pubkey *", _parse(point)[0])
    if not lib.secp256k1_ec_pubkey_tweak_mul(_CTX, result, scalar):
        raise InvalidKey("scalar is zero or out of range")
    return _format(result)


def secret_tweak_add(secret: SecretLike, scalar: bytes) -> Secret:
    """``secret + scalar`` modulo the order of the curve. Raises InvalidKey."""
    _check32(scalar, "a scalar")
    result = ffi.new("unsigned char[32]", _raw(secret))
    if not lib.secp256k1_ec_seckey_tweak_add(_CTX, result, scalar):
        raise InvalidKey("scalar out of range, or the result is not a private key")
    return Secret(bytes(ffi.buffer(result, 32)))


def secret_mul(secret: SecretLike, scalar: bytes) -> Secret:
    """``secret * scalar`` modulo the order of the curve. Raises InvalidKey."""
    _check32(scalar, "a scalar")
    result = ffi.new("unsigned char[32]", _raw(secret))
    if not lib.secp256k1_ec_seckey_tweak_mul(_CTX, result, scalar):
        raise InvalidKey("scalar is zero or out of range")
    return Secret(bytes(ffi.buffer(result, 32)))


def ecdh(secret: SecretLike, point: bytes) -> bytes:
    """SHA256 of the compressed shared point, 32 bytes. Raises InvalidKey."""
    shared = ffi.new("unsigned char[32]")
    if not lib.secp256k1_ecdh(_CTX, shared, _parse(point), _raw(secret), _NULL, _NULL):
        raise InvalidKey("not a private key: zero or not below the order of the curve")
    return bytes(ffi.buffer(shared, 32))


# ---- ECDSA -----------------------------------------------------------------------------------


def sign_compact(secret: SecretLike, digest: bytes, *, grind: bool = True) -> bytes:
    """Sign a 32-byte digest; 64 bytes with low S.

    With `grind` the nonce is varied until R is low too, so that the DER form is one byte shorter and
    weights are predictable (two tries on average). Without it the signature is plain RFC 6979, as
    the vectors of BOLT 3 have it. Raises InvalidKey.
    """
    _check32(digest, "a digest")
    raw = _raw(secret)
    sig = ffi.new("secp256k1_ecdsa_signature *")
    out = ffi.new("unsigned char[64]")
    extra = ffi.new("unsigned char[32]") if grind else _NULL
    tries = 0
    while True:
        if not lib.secp256k1_ecdsa_sign(_CTX, sig, digest, raw, _NULL, extra):
            raise InvalidKey("not a private key: zero or not below the order of the curve")
        lib.secp256k1_ecdsa_signature_serialize_compact(_CTX, out, sig)
        if not grind or out[0] < 0x80:
            return bytes(ffi.buffer(out, 64))
        tries += 1
        ffi.buffer(extra, 4)[:] = tries.to_bytes(4, "little")


def verify_compact(pubkey: bytes, digest: bytes, signature: bytes) -> None:
    """Check a 64-byte signature of a 32-byte digest. Raises BadSignature (also for high S) or InvalidKey."""
    point = _parse(pubkey)
    _check32(digest, "a digest")
    if len(signature) != 64:
        raise BadSignature(f"a compact signature is 64 bytes, not {len(signature)}")
    sig = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_signature_parse_compact(_CTX, sig, signature):
        raise BadSignature("r or s is not below the order of the curve")
    # BOLT 2, "The `funding_created` Message": a signature that is not low-S fails the channel; the
    # library accepts low S only.
    if not lib.secp256k1_ecdsa_verify(_CTX, sig, digest, point):
        raise BadSignature(f"signature {signature.hex()} is not by {pubkey.hex()}")


def _der_int(raw: bytes) -> bytes:
    raw = raw.lstrip(b"\0") or b"\0"
    if raw[0] & 0x80:
        raw = b"\0" + raw
    return bytes((2, len(raw))) + raw


def sig_to_der(signature: bytes, sighash_byte: int) -> bytes:
    """The form bitcoin scripts want: DER, then the byte that says what was signed."""
    if len(signature) != 64:
        raise BadSignature(f"a compact signature is 64 bytes, not {len(signature)}")
    body = _der_int(signature[:32]) + _der_int(signature[32:])
    return bytes((0x30, len(body))) + body + bytes((sighash_byte,))


def der_to_sig(der: bytes) -> tuple[bytes, int]:
    """Undo `sig_to_der`: the compact signature and the sighash byte. Raises BadSignature."""
    if not 9 <= len(der) <= 73:
        raise BadSignature(f"a DER signature is 9 to 73 bytes, not {len(der)}")
    sig = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_signature_parse_der(_CTX, sig, der[:-1], len(der) - 1):
        raise BadSignature(f"{der.hex()} is not a DER signature")
    out = ffi.new("unsigned char[64]")
    lib.secp256k1_ecdsa_signature_serialize_compact(_CTX, out, sig)
    return bytes(ffi.buffer(out, 64)), der[-1]


def sign_recoverable(secret: SecretLike, digest: bytes) -> tuple[bytes, int]:
    """A compact signature and the recovery id (0 to 3) from which `recover` finds the key."""
    _check32(digest, "a digest")
    sig = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    if not lib.secp256k1_ecdsa_sign_recoverable(_CTX, sig, digest, _raw(secret), _NULL, _NULL):
        raise InvalidKey("not a private key: zero or not below the order of the curve")
    out = ffi.new("unsigned char[64]")
    recovery_id = ffi.new("int *")
    lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(_CTX, out, recovery_id, sig)
    return bytes(ffi.buffer(out, 64)), int(recovery_id[0])


def recover(digest: bytes, signature: bytes, recovery_id: int) -> bytes:
    """The public key that made a recoverable signature. Raises BadSignature."""
    _check32(digest, "a digest")
    if len(signature) != 64 or not 0 <= recovery_id <= 3:
        raise BadSignature("a recoverable signature is 64 bytes and an id from 0 to 3")
    sig = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    if not lib.secp256k1_ecdsa_recoverable_signature_parse_compact(
        _CTX, sig, signature, recovery_id
    ):
        raise BadSignature("r or s is not below the order of the curve")
    point = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ecdsa_recover(_CTX, point, sig, digest):
        raise BadSignature("no key could have made this signature")
    return _format(point)


# ---- Schnorr (BIP 340) and taproot tweaks (BIP 341) ---------------------------------------------


def xonly(pubkey: bytes) -> bytes:
    """The x coordinate of a compressed key."""
    return check_pubkey(pubkey)[1:]


def schnorr_sign(secret: SecretLike, message: bytes, aux: bytes | None = None) -> bytes:
    """BIP 340 signature of 32 bytes. `aux` is 32 fresh random bytes, or None for none."""
    _check32(message, "a message")
    if aux is not None:
        _check32(aux, "auxiliary randomness")
    pair = ffi.new("secp256k1_keypair *")
    if not lib.secp256k1_keypair_create(_CTX, pair, _raw(secret)):
        raise InvalidKey("not a private key: zero or not below the order of the curve")
    out = ffi.new("unsigned char[64]")
    aux_data = _NULL if aux is None else aux
    if not lib.secp256k1_schnorrsig_sign32(_CTX, out, message, pair, aux_data):
        raise InvalidKey("signing failed")
    return bytes(ffi.buffer(out, 64))


def schnorr_verify(xonly_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a BIP 340 signature against an x-only key. Raises BadSignature or InvalidKey."""
    point = _parse_xonly(xonly_key)
    if len(signature) != 64:
        raise BadSignature(f"a Schnorr signature is 64 bytes, not {len(signature)}")
    if not lib.secp256k1_schnorrsig_verify(_CTX, signature, message, len(message), point):
        raise BadSignature(f"signature {signature.hex()} is not by {xonly_key.hex()}")


def taproot_tweak_pubkey(xonly_key: bytes, tweak: bytes) -> tuple[bytes, int]:
    """Output key of BIP 341 for an internal key: its x, and the parity of its y."""
    _check32(tweak, "a tweak")
    result = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_xonly_pubkey_tweak_add(_CTX, result, _parse_xonly(xonly_key), tweak):
        raise InvalidKey("tweak out of range")
    formatted = _format(result)
    return formatted[1:], formatted[0] & 1


def taproot_tweak_secret(secret: SecretLike, tweak: bytes) -> Secret:
    """The private key that belongs to `taproot_tweak_pubkey`."""
    _check32(tweak, "a tweak")
    pair = ffi.new("secp256k1_keypair *")
    if not lib.secp256k1_keypair_create(_CTX, pair, _raw(secret)):
        raise InvalidKey("not a private key: zero or not below the order of the curve")
    if not lib.secp256k1_keypair_xonly_tweak_add(_CTX, pair, tweak):
        raise InvalidKey("tweak out of range")
    out = ffi.new("unsigned char[32]")
    lib.secp256k1_keypair_sec(_CTX, out, pair)
    return Secret(bytes(ffi.buffer(out, 32)))
