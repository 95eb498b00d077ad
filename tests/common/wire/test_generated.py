"""Every generated class: it reads what it writes, and malformed bytes raise WireError and nothing else."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pylightningd.common.errors import WireError
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.runtime import Message, Subtype, TlvStream, UnknownOdd, WireStruct
from tests.common.wire.strategies import message

_FOLDER = Path(peer_wire.__file__).parent
_NAMES = sorted(path.stem for path in _FOLDER.glob("*_wire.py"))
_MODULES = {name: importlib.import_module(f"pylightningd.common.wire.{name}") for name in _NAMES}
_FROM_PEERS = {"peer_wire", "onion_wire", "bolt12_wire"}
_few = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def _classes() -> list[Any]:
    found = []
    for name, module in _MODULES.items():
        for cls_name, cls in vars(module).items():
            if (
                inspect.isclass(cls)
                and issubclass(cls, WireStruct)
                and cls.__module__ == module.__name__
            ):
                found.append(pytest.param(cls, id=f"{name.removesuffix('_wire')}-{cls_name}"))
    return found


def _write(value: Any) -> bytes:
    return value.write() if isinstance(value, Subtype) else value.encode()


def _read(cls: Any, raw: bytes) -> Any:
    return cls.read_all(raw) if issubclass(cls, Subtype) else cls.decode(raw)


def _read_or_refuse(cls: Any, raw: bytes) -> Any:
    try:
        return _read(cls, raw)
    except WireError:
        return None


@pytest.mark.parametrize("cls", _classes())
def test_every_class_survives_bytes_it_wrote_and_bytes_somebody_broke(
    cls: type[WireStruct],
) -> None:
    canonical = cls.__module__.rpartition(".")[2] not in _FROM_PEERS or not issubclass(cls, Message)

    @_few
    @given(message(cls), st.data())
    def check(value: Any, data: st.DataObject) -> None:
        raw = _write(value)
        assert _read(cls, raw) == value
        assert repr(value)
        for _ in range(min(len(raw), 12)):
            cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
            _read_or_refuse(cls, cut)
            flipped = bytearray(raw)
            bit = data.draw(st.integers(0, 8 * len(raw) - 1))
            flipped[bit // 8] ^= 1 << bit % 8
            other = _read_or_refuse(cls, bytes(flipped))
            if other is not None and canonical:
                assert _write(other) == bytes(flipped)

    check()


@pytest.mark.parametrize("cls", _classes())
def test_every_truncation_raises_only_wire_error(cls: type[WireStruct]) -> None:
    @settings(_few, max_examples=1)
    @given(message(cls))
    def check(value: Any) -> None:
        raw = _write(value)
        for end in range(len(raw)):
            _read_or_refuse(cls, raw[:end])

    check()


@pytest.mark.parametrize("name", [name for name in _NAMES if hasattr(_MODULES[name], "decode")])
def test_the_module_reads_each_message_by_its_type(name: str) -> None:
    module: ModuleType = _MODULES[name]
    for number, cls in module.MESSAGES.items():
        assert cls.TYPE == number

        @settings(_few, max_examples=1)
        @given(message(cls))
        def check(value: Any) -> None:
            assert module.decode(value.encode()) == value

        check()


@settings(_few, max_examples=200)
@given(st.sampled_from(sorted(_MODULES)), st.binary(max_size=200))
def test_any_bytes_raise_only_wire_error(name: str, raw: bytes) -> None:
    module = _MODULES[name]
    if not hasattr(module, "decode"):
        return
    try:
        module.decode(raw)
    except WireError:
        pass


def test_peer_messages_ignore_bytes_after_the_end() -> None:
    fee = peer_wire.UpdateFee(channel_id=b"\x01" * 32, feerate_per_kw=253)  # type: ignore[arg-type]
    assert peer_wire.decode(fee.encode() + b"more") == fee


def test_internal_messages_refuse_bytes_after_the_end() -> None:
    hsmd = _MODULES["hsmd_wire"]

    @settings(_few, max_examples=1)
    @given(message(hsmd.HsmdInitReply))
    def check(value: Any) -> None:
        with pytest.raises(WireError):
            hsmd.decode(value.encode() + b"\0")

    check()


def test_an_unknown_type_is_ignored_when_odd_and_refused_when_even() -> None:
    assert peer_wire.decode(b"\xff\xffabc") == UnknownOdd(0xFFFF, b"abc")
    with pytest.raises(WireError, match="unknown even message type 65534"):
        peer_wire.decode(b"\xff\xfe")
    with pytest.raises(WireError, match="no type"):
        peer_wire.decode(b"\xff")


def test_a_limit_of_the_largest_u64_can_be_read() -> None:
    field = next(
        row for row in peer_wire.OpenChannel.WIRE if row[0] == "max_htlc_value_in_flight_msat"
    )

    @settings(_few, max_examples=1)
    @given(message(peer_wire.OpenChannel))
    def check(value: Any) -> None:
        at = 2 + 32 + 32 + 8 + 8 + 8
        raw = value.encode()
        raw = raw[:at] + b"\xff" * 8 + raw[at + 8 :]
        assert getattr(peer_wire.OpenChannel.decode(raw), field[0]) == 0xFFFFFFFFFFFFFFFF

    check()


def test_repr_shows_hex_clips_what_is_long_and_hides_preimages() -> None:
    fulfill = peer_wire.UpdateFulfillHtlc(
        channel_id=b"\x01" * 32,  # type: ignore[arg-type]
        id=1,
        payment_preimage=b"\x42" * 32,
    )
    assert "01" * 32 in repr(fulfill)
    assert "42" * 4 not in repr(fulfill)
    assert "payment_preimage=<hidden>" in repr(fulfill)
    assert "(100 bytes)" in repr(peer_wire.Ping(num_pong_bytes=0, ignored=bytes(100)))


def test_a_field_of_wrong_length_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="fixed length"):
        peer_wire.UpdateFee(channel_id=b"\x01" * 31, feerate_per_kw=253).encode()  # type: ignore[arg-type]


def test_streams_and_messages_are_told_apart() -> None:
    assert issubclass(peer_wire.InitTlvs, TlvStream)
    assert peer_wire.Init.TYPE == 16
    assert peer_wire.Init.NAME == "WIRE_INIT"
