"""Amounts of bitcoin as values that carry their unit.

`Sat` is whole satoshis, `Msat` is thousandths of one. They refuse to mix with each other and with
plain numbers, so a missing conversion is an error and not a factor of a thousand. Neither holds
less than zero or more than all the bitcoin there can ever be.

Hot loops may unwrap to ints whose names end in ``_msat`` or ``_sat``.
"""

from __future__ import annotations

from typing import Self

MAX_SAT = 21_000_000 * 100_000_000
MAX_MSAT = MAX_SAT * 1000


class AmountError(ValueError):
    """An amount below zero, above 21 million bitcoin, or not readable as an amount."""


class _Amount:
    __slots__ = ("_value",)
    _MAX = 0
    _UNIT = ""

    def __init__(self, value: int) -> None:
        if not 0 <= value <= self._MAX:
            raise AmountError(f"{value}{self._UNIT} is not within 0 and {self._MAX}{self._UNIT}")
        self._value = value

    def __add__(self, other: Self) -> Self:
        return type(self)(self._value + self._same(other))

    def __sub__(self, other: Self) -> Self:
        """The difference. Raises AmountError where it is below zero."""
        return type(self)(self._value - self._same(other))

    def __mul__(self, times: int) -> Self:
        return type(self)(self._value * times)

    def __lt__(self, other: Self) -> bool:
        return self._value < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self._value <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self._value > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self._value >= self._same(other)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __hash__(self) -> int:
        return hash((self._UNIT, self._value))

    def __bool__(self) -> bool:
        return self._value != 0

    def __str__(self) -> str:
        return f"{self._value}{self._UNIT}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value})"

    def minus_or_zero(self, other: Self) -> Self:
        """The difference, or zero where `other` is larger."""
        return type(self)(max(0, self._value - self._same(other)))

    def _same(self, other: Self) -> int:
        if type(other) is not type(self):
            raise TypeError(f"cannot combine {self!r} with {other!r}")
        return other._value


class Msat(_Amount):
    """Thousandths of a satoshi."""

    __slots__ = ()
    _MAX = MAX_MSAT
    _UNIT = "msat"

    @property
    def msat(self) -> int:
        """The plain number, for codecs, the database, JSON and hot loops."""
        return self._value

    def to_sat_floor(self) -> Sat:
        """Whole satoshis, what is left over dropped."""
        return Sat(self._value // 1000)

    def to_sat_ceil(self) -> Sat:
        """Whole satoshis, rounded up."""
        return Sat(-(-self._value // 1000))


class Sat(_Amount):
    """Satoshis."""

    __slots__ = ()
    _MAX = MAX_SAT
    _UNIT = "sat"

    @property
    def sat(self) -> int:
        """The plain number, for codecs, the database, JSON and hot loops."""
        return self._value

    def to_msat(self) -> Msat:
        """The same amount in thousandths."""
        return Msat(self._value * 1000)
