"""Sphinx: the BOLT's vectors, then what a hostile onion can do."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.onion.sphinx import (
    PACKET_SIZE,
    BadOnion,
    OnionTooLarge,
    ephemeral_key,
    make_onion,
    peel,
)
from tests.common.onion.vectors import ecdh, load, unhex

KEYS = [bytes([0x41 + i]) * 32 for i in range(5)]
IDS = [PrivateKey(key).public_key.format() for key in KEYS]
SESSION = bytes([3]) * 32


def _hops(*payloads: bytes) -> list[tuple[bytes, bytes]]:
    return [(IDS[i], bytes([len(p)]) + p) for i, p in enumerate(payloads)]


def test_onion_vector() -> None:
    vector = load("onion-test")
    made = vector["generate"]
    hops = [(unhex(h["pubkey"]), unhex(h["payload"])) for h in made["hops"]]
    assoc = unhex(made["associated_data"])
    packet, secrets = make_onion(unhex(made["session_key"]), hops, assoc)
    assert packet.hex() == vector["onion"]
    assert len(packet) == PACKET_SIZE == 1366
    for key, secret, (_, payload) in zip(vector["decode"], secrets, hops, strict=True):
        assert ecdh(unhex(key), ephemeral_key(packet)) == secret
        peeled = peel(packet, secret, assoc)
        assert peeled.payload == payload
        packet = peeled.next_packet or b""
    assert peeled.is_final


def test_error_vector_shares_keys_with_this_route() -> None:
    made = load("onion-error-test")["generate"]
    hops = [(unhex(h["pubkey"]), b"\x02\x00\x00") for h in made["hops"]]
    _, secrets = make_onion(unhex(made["session_key"]), hops, b"")
    assert [s.hex() for s in secrets] == [h["hop_shared_secret"] for h in made["hops"]]


def test_wrong_version() -> None:
    packet, _ = make_onion(SESSION, _hops(b"ab"), b"")
    with pytest.raises(BadOnion, match="version") as caught:
        ephemeral_key(b"\x01" + packet[1:])
    assert caught.value.code == FailureCode.INVALID_ONION_VERSION
    assert len(caught.value.sha256_of_onion) == 32


@pytest.mark.parametrize("key", [b"\x02" + b"\xff" * 32, b"\x04" + b"\x01" * 32, b"\x02" * 10])
def test_bad_ephemeral_key(key: bytes) -> None:
    with pytest.raises(BadOnion, match="public key") as caught:
        ephemeral_key(b"\x00" + key + (bytes(1332) if len(key) == 33 else b""))
    assert caught.value.code == FailureCode.INVALID_ONION_KEY


def test_wrong_associated_data() -> None:
    packet, secrets = make_onion(SESSION, _hops(b"ab"), b"right")
    with pytest.raises(BadOnion, match="hmac") as caught:
        peel(packet, secrets[0], b"wrong")
    assert caught.value.code == FailureCode.INVALID_ONION_HMAC


@pytest.mark.parametrize(
    "payload",
    [b"\x00", b"\x01\x00", b"\xfd\x00\x02ab", b"\xfd\xff\xff", b"\xfe\x00\x01\x00\x00", b"\xff"],
)
def test_bad_payload_length(payload: bytes) -> None:
    packet, secrets = make_onion(SESSION, [(IDS[0], payload)], b"")
    with pytest.raises(BadOnion):
        peel(packet, secrets[0], b"")


def test_too_large() -> None:
    with pytest.raises(OnionTooLarge, match="1301"):
        make_onion(SESSION, [(IDS[0], bytes(1269))], b"")
    with pytest.raises(ValueError, match="at least one hop"):
        make_onion(SESSION, [], b"")


def test_payload_that_fills_the_onion() -> None:
    payload = b"\xfd" + (1265).to_bytes(2, "big") + bytes(1265)
    packet, secrets = make_onion(SESSION, [(IDS[0], payload)], b"")
    assert peel(packet, secrets[0], b"").payload == payload


@given(
    payloads=st.lists(st.binary(min_size=2, max_size=200), min_size=1, max_size=5),
    size=st.sampled_from([1300, 1500, 32768]),
    assoc=st.binary(max_size=40),
)
def test_every_hop_reads_its_payload(payloads: list[bytes], size: int, assoc: bytes) -> None:
    hops = _hops(*payloads)
    packet, secrets = make_onion(SESSION, hops, assoc, size)
    for i, (_, payload) in enumerate(hops):
        assert len(packet) == size + 66
        assert ecdh(KEYS[i], ephemeral_key(packet)) == secrets[i]
        peeled = peel(packet, secrets[i], assoc)
        assert peeled.payload == payload
        assert peeled.is_final == (i == len(hops) - 1)
        packet = peeled.next_packet or b""


@given(st.binary(max_size=1500), st.binary(min_size=32, max_size=32))
def test_garbage_is_only_ever_a_bad_onion(packet: bytes, secret: bytes) -> None:
    with pytest.raises(BadOnion):
        ephemeral_key(packet)
        peel(packet, secret, b"")
