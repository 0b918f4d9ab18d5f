"""The digits of a decimal, where a JSON Schema tells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from astra_filter.language.decimals import from_integer, read_number
from astra_filter.language.values import MAX_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

_LOWER, _UPPER = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
# Digits before the point, then, perhaps after other marks, the point and the digits behind it:
# `^-?\d{1,10}(\.\d{1,2})?$`, and what pydantic writes.
_DIGIT, _TIMES = r"(?:\\d|\[0-9\])", r"\{(?:[0-9]+,)?([0-9]{1,4})\}"
_PATTERN = re.compile(rf"{_DIGIT}{_TIMES}(?:.*?\\\.{_DIGIT}{_TIMES})?")


def known_digits(node: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return digits and places of a decimal; None where a schema does not tell both.

    A number tells them by ``multipleOf`` and its bounds, a string of the format ``decimal`` by its pattern:
    ``{"multipleOf": 0.01, "minimum": 0, "maximum": 999.99}`` has five digits, two of them places.
    """
    if "multipleOf" in node:
        digits = _of_number(node)
    elif node.get("format") == "decimal":
        digits = _of_pattern(node.get("pattern"))
    else:
        return None
    return digits if digits is not None and 1 <= digits[0] <= MAX_DIGITS else None


def _of_number(node: Mapping[str, Any]) -> tuple[int, int] | None:
    places = _places(node["multipleOf"])
    lower = [bound for keyword in _LOWER if (bound := _number(node.get(keyword))) is not None]
    upper = [bound for keyword in _UPPER if (bound := _number(node.get(keyword))) is not None]
    if places is None or not lower or not upper:
        return None
    whole = max(0, *[bound.adjusted() + 1 for bound in (*lower, *upper) if bound])
    return whole + places, places


def _of_pattern(pattern: object) -> tuple[int, int] | None:
    match = _PATTERN.search(pattern) if isinstance(pattern, str) else None
    if match is None:
        return None
    whole, places = int(match[1]), int(match[2] or 0)
    return whole + places, places


def _number(value: object) -> Decimal | None:
    """Return a JSON number as a decimal: a float as its shortest text, which is how it was written."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return read_number(repr(value)) if isinstance(value, float) else from_integer(value)


def _places(step: object) -> int | None:
    """Return the places of the multiples of 1, 0.1, 0.01 and so on; None for other steps."""
    unit = _number(step)
    if unit is None:
        return None
    sign, digits, exponent = unit.normalize().as_tuple()
    return -exponent if (sign, digits) == (0, (1,)) and isinstance(exponent, int) and exponent <= 0 else None
