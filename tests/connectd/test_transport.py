"""BOLT 8's message vectors, and broken packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.secret import Secret
from pylightningd.connectd.noise import Secured
from pylightningd.connectd.transport import Transport
from tests.connectd.handshake import BOB, node_id, pair

CK = "919219dbb2920afa8db80f9a51787a840bcf111ed8d588caf9ab4be716e42b01"
SK = "969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9"
RK = "bb9020b8965f4df047e07f955f3c4b88418984aadc5cdb35096b9ea8fa5c3442"
OUTPUTS = {
    0: "cf2b30ddf0cf3f80e7c35a6e6730b59fe802473180f396d88a8fb0db8cbcf25d2f214cf9ea1d95",
    1: "72887022101f0b6753e0c7de21657d35a4cb2a1f5cde2650528bbc8f837d0f0d7ad833b1a256a1",
    500: "178cb9d7387190fa34db9c2d50027d21793c9bc2d40b1e14dcf30ebeeeb220f48364f7a4c68bf8",
    501: "1b186c57d44eb6de4c057c49940d79bb838a145cb528d6e8fd26dbe50a60ca2c104b56b60e45bd",
    1000: "4a2f3cc3b5e78ddb83dcb426d9863d9d9a723b0337c89dd0b005d89f8d3c05c52b76b29b740f09",
    1001: "2ecd8c8a5629d0d02ab457a0fdd0f7b90a192cd46be5ecb6ca570bfc5e268338b1a16cf4ef2d36",
}


def secured(send: str, receive: str) -> Secured:
    keys = (Secret(bytes.fromhex(k)) for k in (send, receive, CK))
    return Secured(node_id(BOB), *keys)


def test_vectors() -> None:
    us, them = Transport(secured(SK, RK)), Transport(secured(RK, SK))
    stream = b""
    for number in range(1002):
        packet = us.encrypt(b"hello")
        if number in OUTPUTS:
            assert packet.hex() == OUTPUTS[number]
        stream += packet
    assert them.receive(stream) == [b"hello"] * 1002


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 200), min_size=1))
def test_any_cut_of_the_stream_gives_the_same_messages(
    messages: list[bytes], sizes: list[int]
) -> None:
    alice, bob = map(Transport, pair())
    stream = b"".join(map(alice.encrypt, messages))
    got: list[bytes] = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        got += bob.receive(stream[:size])
        stream = stream[size:]
        turn += 1
    assert got == messages and not bob.failed


def test_largest_and_empty() -> None:
    alice, bob = map(Transport, pair())
    assert bob.receive(alice.encrypt(bytes(65535)) + alice.encrypt(b"")) == [bytes(65535), b""]
    with pytest.raises(ValueError, match="65536 bytes"):
        alice.encrypt(bytes(65536))


@pytest.mark.parametrize("place", [0, 17, 18, 40])
def test_a_flipped_bit_ends_it_but_not_what_came_before(place: int) -> None:
    alice, bob = map(Transport, pair())
    good = alice.encrypt(b"good")
    bad = bytearray(alice.encrypt(bytes(10)))
    bad[place] ^= 1
    assert bob.receive(good + bytes(bad)) == [b"good"]
    assert bob.failed
    assert bob.receive(alice.encrypt(b"more")) == []


def test_a_repeated_packet_ends_it() -> None:
    alice, bob = map(Transport, pair())
    packet = alice.encrypt(b"once")
    assert bob.receive(packet + packet) == [b"once"]
    assert bob.failed
