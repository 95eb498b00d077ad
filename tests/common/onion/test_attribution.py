"""Attribution data: the BOLT's vectors for failure and success, tampering, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.onion.attribution import (
    ATTRIBUTION_SIZE,
    Attribution,
    attribute,
    read_attribution,
)
from pylightningd.common.onion.failure import FailureFrom, make_failure, obfuscate, unwrap
from tests.common.onion.vectors import load, unhex

VECTOR = load("attribution")
SECRETS = [unhex(hop["hop_shared_secret"]) for hop in load("onion-error-test")["generate"]["hops"]]
HOLD = VECTOR["hold_times"]


def test_failure_vector() -> None:
    made = make_failure(SECRETS[4], unhex(VECTOR["failure_message"]), VECTOR["padded_to"])
    packet = obfuscate(SECRETS[4], made)
    data = None
    for node in range(4, -1, -1):
        data = attribute(SECRETS[node], HOLD[node], packet, data)
        packet = obfuscate(SECRETS[node], packet)
        assert packet.hex() == VECTOR["error_packets"][node]
        assert data.hex() == VECTOR["failure_attribution"][node]
    assert data is not None
    assert read_attribution(SECRETS, packet, data) == Attribution(tuple(HOLD), None)
    assert unwrap(SECRETS, packet) == FailureFrom(4, unhex(VECTOR["failure_message"]))


def test_success_vector() -> None:
    data = None
    for node in range(4, -1, -1):
        data = attribute(SECRETS[node], HOLD[node], b"", data)
        assert data.hex() == VECTOR["success_attribution"][node]
    assert data is not None
    assert read_attribution(SECRETS, b"", data) == Attribution(tuple(HOLD), None)


def _returned(erring: int, spoiler: int | None = None) -> tuple[bytes, bytes]:
    """Failure onion and attribution as the origin gets them; `spoiler` changes the onion it passes on."""
    packet = obfuscate(SECRETS[erring], make_failure(SECRETS[erring], b"\x20\x02"))
    data = None
    for node in range(erring, -1, -1):
        data = attribute(SECRETS[node], HOLD[node], packet, data)
        packet = obfuscate(SECRETS[node], packet)
        if node == spoiler:
            packet = packet[:50] + bytes([packet[50] ^ 1]) + packet[51:]
    assert data is not None
    return packet, data


@pytest.mark.parametrize("erring", range(5))
def test_any_node_may_err(erring: int) -> None:
    packet, data = _returned(erring)
    read = read_attribution(SECRETS, packet, data, hops=erring + 1)
    assert read == Attribution(tuple(HOLD[: erring + 1]), None)


@pytest.mark.parametrize("spoiler", range(5))
def test_spoilt_packet_is_blamed_on_one_link(spoiler: int) -> None:
    packet, data = _returned(4, spoiler)
    assert read_attribution(SECRETS, packet, data) == Attribution(tuple(HOLD[:spoiler]), spoiler)


def test_node_without_support_ends_the_chain() -> None:
    packet = obfuscate(SECRETS[0], _returned(4)[0])
    data = attribute(SECRETS[0], 9, packet, None)
    read = read_attribution(SECRETS, obfuscate(SECRETS[0], packet), data)
    assert (read.hold_times, read.broken_at) == ((9,), 1)


@given(st.binary(max_size=400), st.binary(min_size=ATTRIBUTION_SIZE, max_size=ATTRIBUTION_SIZE))
def test_garbage(packet: bytes, data: bytes) -> None:
    assert read_attribution(SECRETS, packet, data).broken_at is not None
    assert read_attribution(SECRETS, packet, data[1:]) == Attribution((), 0)


def test_longest_route() -> None:
    secrets = [bytes([i + 1]) * 32 for i in range(20)]
    data = None
    for node in range(19, -1, -1):
        data = attribute(secrets[node], node, b"", data)
    assert data is not None
    assert read_attribution(secrets, b"", data) == Attribution(tuple(range(20)), None)
