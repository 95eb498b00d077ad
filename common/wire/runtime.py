"""What every generated codec in this folder stands on: base classes, and readers and writers of odd-sized types.

The generated modules hold straight-line code; nothing here looks at a schema while a message is read.
BigSize and TLV records are in `tlv.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence, Sized
from dataclasses import Field, FrozenInstanceError, dataclass, make_dataclass
from functools import cache
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, dataclass_transform

from pylightningd.common.amount import AmountError
from pylightningd.common.errors import WireError

DECODE_ERRORS = (struct.error, WireError, AmountError, UnicodeDecodeError, IndexError)
"""All that reading malformed bytes can raise; the generated `decode` turns each into WireError."""

_SHOWN_BYTES = 36
_MAX_WIRESTRING = 0xFFFF


C = TypeVar("C")

put = object.__setattr__
"""How a generated `__init__` fills its slots, which nobody may change later."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
def wire_class(cls: type[C]) -> type[C]:
    """Tell type checkers that a generated class is as good as a frozen dataclass. At run time it is as it stands."""
    return cls


@cache
def _dataclass_fields(cls: type[WireStruct]) -> dict[str, Field[Any]]:
    like: Any = make_dataclass(cls.__name__, cls.__slots__, frozen=True)
    found: dict[str, Field[Any]] = like.__dataclass_fields__
    return found


class _DataclassFields:
    """What `dataclasses.replace` and `fields` look for; made when they do."""

    def __get__(self, _: object, cls: type[WireStruct]) -> dict[str, Field[Any]]:
        return _dataclass_fields(cls)  # type: ignore[arg-type]  # a class can be hashed


class WireStruct:
    """A value made of fields: a message, a subtype, or a TLV stream. Like a frozen dataclass, but quicker to import."""

    __slots__: tuple[str, ...] = ()
    __dataclass_fields__ = _DataclassFields()
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    """(field, csv type, csv count) of each field, for tests and tools; nothing on the hot path reads it."""
    HIDDEN: ClassVar[frozenset[str]] = frozenset()
    """Fields that `repr` must not show."""

    def __repr__(self) -> str:
        shown = (f"{name}={self._show(name)}" for name in self.__slots__)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _show(self, name: str) -> str:
        return "<hidden>" if name in self.HIDDEN else show(getattr(self, name))

    def _values(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


class Message(WireStruct):
    """A message: a u16 type, then the fields."""

    __slots__ = ()
    TYPE: ClassVar[int]
    NAME: ClassVar[str]
    """As it is called in logs, e.g. ``WIRE_UPDATE_ADD_HTLC``."""

    def encode(self) -> bytes:
        """The bytes, type first. Raises ValueError or struct.error where a field does not fit."""
        raise NotImplementedError

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        """Read what `encode` writes. Raises WireError and nothing else."""
        raise NotImplementedError


R_co = TypeVar("R_co", bound=Message, covariant=True)


class Request(Message, Generic[R_co]):
    """A message that is answered by one of class `REPLY`."""

    __slots__ = ()
    REPLY: ClassVar[type[Message]]


class Subtype(WireStruct):
    """A group of fields inside messages."""

    __slots__ = ()

    def write(self) -> bytes:
        """The bytes. Raises ValueError or struct.error where a field does not fit."""
        raise NotImplementedError

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        """The value at `pos` and the position after it. Raises one of DECODE_ERRORS."""
        raise NotImplementedError

    @classmethod
    def read_all(cls, buf: bytes) -> Self:
        """The value that fills `buf`. Raises WireError and nothing else."""
        try:
            value, end = cls.read(buf)
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err
        if end != len(buf):
            raise WireError(f"{cls.__name__}: {len(buf) - end} bytes too many")
        return value


class TlvStream(WireStruct):
    """A TLV stream. Each known record is a field, None where it is absent."""

    __slots__ = ()

    def encode(self) -> bytes:
        """The records in order of their types. Raises ValueError or struct.error where a value does not fit."""
        raise NotImplementedError

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        """Read a whole stream. Raises TlvError (a WireError) and nothing else."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class UnknownOdd:
    """A message of a type we do not know and may ignore."""

    type: int
    payload: bytes
    """Without the type."""


@dataclass(frozen=True, slots=True)
class UnknownFailure:
    """An onion failure with a code we do not know; odd and even mean nothing there."""

    type: int
    payload: bytes
    """Without the code."""


def message_type(buf: bytes) -> int:
    """The type of an encoded message. Raises WireError."""
    if len(buf) < 2:
        raise WireError(f"a message of {len(buf)} bytes has no type")
    return buf[0] << 8 | buf[1]


def unknown_message(wire_type: int, buf: bytes) -> UnknownOdd:
    """What a message of unknown type becomes. Raises WireError where the type is even."""
    # BOLT 1, "Lightning Message Format", receiver MUST ignore an unknown odd type and must not accept an even one.
    if wire_type & 1 == 0:
        raise WireError(f"unknown even message type {wire_type}")
    return UnknownOdd(wire_type, buf[2:])


def malformed(cls: type[WireStruct], err: Exception) -> WireError:
    """The WireError for whatever went wrong while reading a `cls`."""
    return WireError(f"{cls.__name__}: {err}")


def trailing(cls: type[WireStruct], extra: int) -> WireError:
    """The WireError for bytes after the end."""
    return WireError(f"{cls.__name__}: {extra} bytes too many")


def too_short(field: str, wanted: int, left: int) -> WireError:
    """The WireError for a field that ends beyond the buffer."""
    return WireError(f"{field}: {wanted} bytes announced, {left} left")


def wrong_length(value: WireStruct) -> ValueError:
    """For `encode`, where a field of fixed length has another."""
    return ValueError(f"a field of fixed length has another: {value!r}")


def show(value: object) -> str:
    """`repr`, with bytes as hex and long ones clipped."""
    if isinstance(value, bytes):
        if len(value) <= _SHOWN_BYTES:
            return value.hex() or "''"
        return f"{value[:8].hex()}..({len(value)} bytes)"
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))})"
    return repr(value)


def to_bool(value: int) -> bool:
    """A byte that is 0 or 1. Raises WireError."""
    if value > 1:
        raise WireError(f"a bool of {value}")
    return value == 1


def read_flag(buf: bytes, pos: int) -> bool:
    """The presence byte of an optional field. Raises WireError or IndexError."""
    return to_bool(buf[pos])


def _read_run(buf: bytes, pos: int, size: int) -> tuple[bytes, int]:
    start = pos + size
    length = int.from_bytes(buf[pos:start], "big")
    end = start + length
    if end > len(buf):
        raise WireError(f"{length} bytes announced, {max(0, len(buf) - start)} left")
    return buf[start:end], end


def read_string(buf: bytes, pos: int) -> tuple[str, int]:
    """u16 length, then UTF-8."""
    raw, end = _read_run(buf, pos, 2)
    return raw.decode("utf-8"), end


def write_string(value: str) -> bytes:
    """u16 length, then UTF-8. Raises ValueError for more than 65535 bytes."""
    raw = value.encode("utf-8")
    if len(raw) > _MAX_WIRESTRING:
        raise ValueError(f"a string of {len(raw)} bytes, at most {_MAX_WIRESTRING}")
    return len(raw).to_bytes(2, "big") + raw


def read_varbytes(buf: bytes, pos: int) -> tuple[bytes, int]:
    """u32 length, then the bytes."""
    return _read_run(buf, pos, 4)


def write_varbytes(value: bytes) -> bytes:
    """u32 length, then the bytes."""
    return len(value).to_bytes(4, "big") + value


def read_sciddir_or_pubkey(buf: bytes, pos: int) -> tuple[bytes, int]:
    """9 bytes that start with the direction 0 or 1, or the 33 of a key."""
    # BOLT 1, "Fundamental Types": the first byte tells which of the two follows.
    first = buf[pos]
    if first > 3:
        raise WireError(f"sciddir_or_pubkey starts with {first}")
    end = pos + (9 if first < 2 else 33)
    if end > len(buf):
        raise WireError("sciddir_or_pubkey: truncated")
    return buf[pos:end], end


def write_sciddir_or_pubkey(value: bytes) -> bytes:
    """As it is. Raises ValueError where its length and first byte disagree."""
    if not value or value[0] > 3 or len(value) != (9 if value[0] < 2 else 33):
        raise ValueError(f"not a sciddir_or_pubkey: {value.hex()}")
    return value


def join_fixed(values: Sequence[bytes], size: int) -> bytes:
    """Elements of `size` bytes, one after the other. Raises ValueError where one has another size."""
    for value in values:
        if len(value) != size:
            raise ValueError(f"an element of {len(value)} bytes, not {size}")
    return b"".join(values)


def exactly(values: Sized, count: int) -> None:
    """Raise ValueError where there are not `count` values."""
    if len(values) != count:
        raise ValueError(f"{len(values)} elements, not {count}")


def exactly_all(values: Sequence[Sized], size: int) -> None:
    """Raise ValueError where one of them is not `size` bytes long."""
    for value in values:
        exactly(value, size)
