"""Failure onions: the BOLT's vector, round trips, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Msat
from pylightningd.common.onion.crypto import derive_key
from pylightningd.common.onion.failure import (
    FailureFrom,
    UnreadableFailure,
    make_failure,
    obfuscate,
    unwrap,
)
from pylightningd.common.onion.failure_codes import (
    FailureCode,
    code_name,
    is_bad_onion,
    is_node_failure,
    is_permanent,
    is_update,
)
from pylightningd.common.wire import onion_wire
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


@pytest.mark.parametrize("code", list(FailureCode))
def test_codes_are_those_of_the_wire_classes(code: FailureCode) -> None:
    assert onion_wire.MESSAGES[code].NAME == code.wire_name == code_name(code)


def test_every_wire_class_has_its_code() -> None:
    assert {int(code) for code in FailureCode} == set(onion_wire.MESSAGES)


def test_message_with_trailing_tlvs_through_the_onion() -> None:
    # BOLT 4, "Test Vector": the failure of the longer example, 300 bytes of TLV behind it.
    tlvs = bytes.fromhex("fd84d1fd012c") + b"\x80" * 300
    sent = onion_wire.IncorrectOrUnknownPaymentDetails(htlc_msat=Msat(100), height=800000)
    found = unwrap(SECRETS, _returned(4, sent.encode() + tlvs, SECRETS))
    assert isinstance(found, FailureFrom)
    assert onion_wire.decode(found.message) == sent


def test_flags() -> None:
    code = FailureCode.TEMPORARY_CHANNEL_FAILURE
    assert is_update(code)
    assert not (is_permanent(code) or is_node_failure(code) or is_bad_onion(code))
    assert is_permanent(FailureCode.PERMANENT_NODE_FAILURE)
    assert is_node_failure(FailureCode.PERMANENT_NODE_FAILURE)
    assert is_bad_onion(FailureCode.INVALID_ONION_KEY)
    assert code_name(0x40FF) == "WIRE_UNKNOWN_0x40ff"
