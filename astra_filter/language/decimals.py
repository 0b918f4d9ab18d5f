"""Exact decimals: reading them from literals and data, and the grid of a column (SPEC §3).

A field of ``digits`` digits, ``places`` of them after the point, holds the multiples of ``10 ** -places`` that have no
more digits: its grid. A literal may be any number. It is reduced to the *half-step grid* before it is compared: a
number between two neighbours of the grid becomes the point halfway between them. That point equals no value of the
grid, and is less or greater than each value exactly as the literal is. With two places, ``12.341`` and ``12.349`` both
become ``12.345``.

Nothing here goes through a float. Exponents are checked before a number of that size is built.
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Context, Decimal
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from astra_filter.language.values import MAX_DIGITS, plain_decimal, plain_text

_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]+))?")
"""A JSON number: sign, integer part, fraction, sign of the exponent and the exponent without leading zeros."""
_MAX_EXPONENT_DIGITS = 9
_MAX_BITS = 3400
"""A longer integer has more than `MAX_DIGITS` digits. It is not converted, which would take quadratic time."""
_CONTEXT = Context(prec=MAX_DIGITS + 10, Emax=10**17, Emin=-(10**17))


class Grid(NamedTuple):
    """The values that a field can hold."""

    digits: int
    places: int

    @property
    def unit(self) -> Decimal:
        """The distance between neighbours: ``Decimal("0.01")`` for two places."""
        return Decimal((0, (1,), -self.places))

    @property
    def largest(self) -> Decimal:
        """The largest value: ``Decimal("999.99")`` for five digits, two of them places."""
        return Decimal((0, (9,) * self.digits, -self.places))

    @property
    def least(self) -> Decimal:
        """The least value. `copy_negate`, because ``-`` rounds to the precision of the thread's context."""
        return self.largest.copy_negate()

    def on(self, value: Decimal) -> Decimal | None:
        """Return a finite value with exactly ``places`` places; None where the grid does not have it."""
        if value.is_zero():
            return Decimal((0, (0,), -self.places))
        unit, least, largest = _bounds(self)
        if not least <= value <= largest:
            return None
        rounded = value.quantize(unit, ROUND_FLOOR, _CONTEXT)
        return rounded if rounded == value else None

    def half_step(self, value: Decimal) -> Decimal:
        """Return the point of the half-step grid for a value; past the range, the point half a unit past its end."""
        half = Decimal((0, (5,), -self.places - 1))
        if value > self.largest:
            return _CONTEXT.add(self.largest, half)
        if value < self.least:
            return _CONTEXT.subtract(self.least, half)
        rounded = value.quantize(self.unit, ROUND_FLOOR, _CONTEXT)
        return rounded if rounded == value else _CONTEXT.add(rounded, half)

    def coerce(self, literal: str) -> Decimal:
        """Return the point of the half-step grid for a literal, which is a JSON number."""
        value = read_number(literal)
        assert value is not None  # noqa: S101  # The parser takes numbers only.
        return self.half_step(value)

    def read(self, value: object) -> Decimal | None:
        """Return a value in the data with exactly ``places`` places; None where it is not one of the grid."""
        if type(value) is Decimal:
            return self.on(value) if value.is_finite() else None
        if isinstance(value, bool):
            return None
        number: Decimal | None
        if isinstance(value, float):
            double = float.__float__(value)
            number = read_number(float.__repr__(double)) if isfinite(double) else None
        elif isinstance(value, int):
            number = from_integer(int.__int__(value))
        elif isinstance(value, str):
            number = read_number(plain_text(value))
        else:
            number = plain_decimal(value)
        return None if number is None or not number.is_finite() else self.on(number)

    def text(self, value: Decimal) -> str:
        """Return a value of the grid as text, with all its places."""
        return decimal_text(value)


@lru_cache(64)
def _bounds(grid: Grid) -> tuple[Decimal, Decimal, Decimal]:
    return grid.unit, grid.least, grid.largest


def read_number(text: str) -> Decimal | None:
    """Return the value of a JSON number, None for any other text.

    An exponent past nine digits stands for a number past every grid, or for one next to zero, and is cut.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = match.groups()
    digits = whole + (fraction or "")
    if not digits.strip("0"):
        return Decimal(0)
    power = exponent or "0"
    if len(power) > _MAX_EXPONENT_DIGITS:
        power = "9" * _MAX_EXPONENT_DIGITS
    # The point moves into the exponent, so that `Decimal` takes any number of digits.
    shift = int(f"{exponent_sign or ''}{power}") - len(fraction or "")
    return Decimal(f"{sign}{digits}e{shift}")


def from_integer(value: int) -> Decimal | None:
    """Return an integer as a decimal, None where it has more than `MAX_DIGITS` digits."""
    return None if value.bit_length() > _MAX_BITS else Decimal(value)


def decimal_text(value: Decimal) -> str:
    """Return fixed-point text with all places of the value: ``398.70``."""
    return format(value, "f")


def from_scaled(value: int, places: int) -> Decimal:
    """Return the decimal that is so many units: ``398.70`` for ``39870`` with two places."""
    return Decimal(value).scaleb(-places, _CONTEXT)


def scaled(value: Decimal, places: int) -> Decimal:
    """Return a value as a multiple of the unit: ``39870`` for ``398.70`` with two places."""
    return value.scaleb(places, _CONTEXT)
