"""Ping and pong."""

from __future__ import annotations

import pytest

from pylightningd.common.errors import WarnPeer
from pylightningd.common.wire.peer_wire import Ping, Pong
from pylightningd.connectd.ping import Due, PingDone, Pinger, PingError, answer


@pytest.mark.parametrize(("wanted", "size"), [(0, 0), (1, 1), (65531, 65531)])
def test_answer(wanted: int, size: int) -> None:
    pong = answer(Ping(num_pong_bytes=wanted, ignored=bytes(7)).encode())
    assert pong == Pong(ignored=bytes(size))


@pytest.mark.parametrize("wanted", [65532, 65535])
def test_no_answer(wanted: int) -> None:
    assert answer(Ping(num_pong_bytes=wanted, ignored=b"").encode()) is None


@pytest.mark.parametrize("raw", ["0012", "00120001", "001200010005"])
def test_malformed_ping(raw: str) -> None:
    with pytest.raises(WarnPeer, match="Invalid ping"):
        answer(bytes.fromhex(raw))


def test_the_timer() -> None:
    pinger = Pinger(100.0)
    assert pinger.on_timer(159.0) is Due.NOTHING
    assert pinger.on_timer(160.0) is Due.PING
    probe = pinger.probe()
    assert pinger.on_timer(200.0) is Due.HANG_UP
    pinger.last_received = 199.0
    assert pinger.on_timer(200.0) is Due.NOTHING, "it still talks; the pong may be behind that"
    assert pinger.on_pong(Pong(ignored=bytes(probe.num_pong_bytes)).encode()) is None
    assert not pinger.awaits_pong


def test_the_command() -> None:
    pinger = Pinger(0.0)
    assert pinger.ask(7, 128, 4) == Ping(num_pong_bytes=128, ignored=bytes(4))
    with pytest.raises(PingError, match="already pending"):
        pinger.ask(8, 1, 1)
    assert pinger.on_pong(Pong(ignored=bytes(128)).encode()) == PingDone(7, 132)
    assert pinger.on_pong(Pong(ignored=bytes(128)).encode()) == "Unexpected pong?"


def test_a_pong_of_another_size_fits_no_ping() -> None:
    pinger = Pinger(0.0)
    pinger.ask(7, 128, 4)
    assert pinger.on_pong(Pong(ignored=bytes(127)).encode()) == "Unexpected pong?"
    assert pinger.abandon() == 7
    with pytest.raises(WarnPeer, match="Invalid pong"):
        pinger.on_pong(b"\x00\x13\x00\x05")


def test_a_ping_without_pong_leaves_room_for_another() -> None:
    pinger = Pinger(0.0)
    pinger.ask(7, 65532, 0)
    assert not pinger.awaits_pong
    with pytest.raises(PingError, match="does not fit"):
        pinger.ask(7, 1, 65530)
