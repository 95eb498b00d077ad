"""Failure onions: the BOLT's vector, round trips, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.onion.crypto import derive_key
from pylightningd.common.onion.failure import (
    FailureFrom,
    UnreadableFailure,
    decode_failure,
    encode_failure,
    make_failure,
    obfuscate,
    unwrap,
)
from pylightningd.common.onion.failure_codes import FIELDS, FailureCode
from tests.common.onion.vectors import load, unhex

SECRETS = [bytes([i + 1]) * 32 for i in range(20)]


def _returned(hop: int, message: bytes, secrets: list[bytes]) -> bytes:
    blob = make_failure(secrets[hop], message)
    for secret in reversed(secrets[:hop]):
        blob = obfuscate(secret, blob)
    return blob


def test_vector() -> None:
    vector = load("onion-error-test")
    made = vector["generate"]
    secrets = [unhex(h["hop_shared_secret"]) for h in made["hops"]]
    for hop, secret in zip(made["hops"], secrets, strict=True):
        assert derive_key(b"ammag", secret).hex() == hop["ammag_key"]
    assert derive_key(b"um", secrets[4]).hex() == made["hops"][4]["um_key"]
    body = obfuscate(secrets[4], make_failure(secrets[4], unhex(made["failure_message"])))[32:]
    assert body.hex() == made["hops"][4]["payload"]
    blob = _returned(4, unhex(made["failure_message"]), secrets)
    assert blob.hex() == vector["errorpacket"]
    assert unwrap(secrets, blob) == FailureFrom(4, unhex(made["failure_message"]))


@given(
    hop=st.integers(0, 19),
    message=st.binary(min_size=2, max_size=600),
)
def test_origin_finds_the_hop(hop: int, message: bytes) -> None:
    blob = _returned(hop, message, SECRETS)
    assert len(blob) >= 32 + 4 + 256
    assert unwrap(SECRETS, blob) == FailureFrom(hop, message)


@given(st.binary(max_size=400))
def test_garbage_is_unreadable(blob: bytes) -> None:
    assert unwrap(SECRETS, blob) == UnreadableFailure()


def test_dummy_rounds_are_never_an_answer() -> None:
    secrets = SECRETS[:2]
    dummy = bytes([7]) * 32
    blob = _returned(2, b"\x20\x02", [*secrets, dummy])
    assert unwrap(secrets, blob) == UnreadableFailure()


@pytest.mark.parametrize("message", [b"", b"\x20"])
def test_signed_but_malformed_names_the_hop(message: bytes) -> None:
    assert unwrap(SECRETS, _returned(3, message, SECRETS)) == UnreadableFailure(3)


def _example(kind: str) -> int | bytes:
    return {"sha256": bytes(range(32)), "u16bytes": b"update", "bigsize": 5482373484}.get(kind, 7)


@pytest.mark.parametrize("code", list(FailureCode))
def test_each_code_survives_the_wire(code: FailureCode) -> None:
    values = {name: _example(kind) for name, kind in FIELDS.get(code, ())}
    encoded = encode_failure(code, **values, tlvs=b"\xfd\x84\xd1\x00")
    decoded = decode_failure(encoded)
    assert decoded is not None
    assert (decoded.code, decoded.fields, decoded.tlvs) == (code, values, b"\xfd\x84\xd1\x00")
    assert decoded.name == f"WIRE_{code.name}"
    if values:
        assert decode_failure(encode_failure(code, **values)[:-1]) is None


def test_flags() -> None:
    decoded = decode_failure(encode_failure(FailureCode.TEMPORARY_CHANNEL_FAILURE))
    assert decoded is not None
    assert decoded.is_update
    assert not (decoded.is_permanent or decoded.is_node_failure or decoded.is_bad_onion)
    assert decoded.fields == {"channel_update": b""}


def test_unknown_code_and_short_message() -> None:
    decoded = decode_failure(b"\x40\xff\x01")
    assert decoded is not None
    assert (decoded.is_permanent, decoded.tlvs, decoded.name) == (True, b"\x01", "WIRE_UNKNOWN_0x40ff")
    assert decode_failure(b"\x40") is None


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="needs htlc_msat"):
        encode_failure(FailureCode.FEE_INSUFFICIENT)
    with pytest.raises(TypeError, match="no field height"):
        encode_failure(FailureCode.MPP_TIMEOUT, height=3)
