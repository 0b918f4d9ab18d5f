"""The meaning of a filter, read straight from SPEC §4: the judge between the predicate and the databases.

Written for plainness, not for speed, and independent of what it judges: it walks the syntax tree, knows no checked
tree, and reads literals and data by its own rules. Only which fields there are comes from the schema.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never
from uuid import UUID

from astra_filter.fields import Array, Boolean, Field, Map, Number, Object, Open, String
from astra_filter.language.operators import Kind, Operator
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Not, Or

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.filter import Filter
    from astra_filter.syntax.nodes import Literal, Node, Slot

_Test: TypeAlias = Callable[[Field, object], bool]
"""Of the value at the end of a path, and its field."""


def matches(chosen: Filter, resource: object) -> bool:
    """Say whether a filter selects a resource (SPEC §4).

    Args:
        chosen: the filter.
        resource: a mapping, or an object with attributes.
    """
    return _Reading(chosen.literals).holds(chosen.syntax.root, chosen.declaration.root, resource)


class _Reading:
    def __init__(self, literals: Sequence[Literal]) -> None:
        self._literals = literals

    def holds(self, node: Node, owner: Field, value: object) -> bool:
        """Whether a condition is true of a resource or of an array's element, whose field is ``owner``."""
        match node:
            case And(operands):
                return all(self.holds(operand, owner, value) for operand in operands)
            case Or(operands):
                return any(self.holds(operand, owner, value) for operand in operands)
            case Not(operand):
                return not self.holds(operand, owner, value)
            case Element(path, condition):
                return _at(path.names, owner, value, lambda field, found: self._some_element(condition, field, found))
            case Membership(path, operator, slots, negated):
                equal = Operator.EQ if operator is Operator.IN else Operator.IEQ
                return negated != any(self._one(path.names, equal, slot, owner, value) for slot in slots)
            case Comparison(path, Operator.NE, slot):
                return not self._one(path.names, Operator.EQ, slot, owner, value)
            case Comparison(path, Operator.INE, slot):
                return not self._one(path.names, Operator.IEQ, slot, owner, value)
            case Comparison(path, operator, slot):
                return self._one(path.names, operator, slot, owner, value)
            case _:
                assert_never(node)

    def _some_element(self, condition: Node, field: Field, found: object) -> bool:
        items = field.items if isinstance(field, Array) else field
        return any(self.holds(condition, items, element) for element in _elements(found))

    def _one(self, names: Sequence[str], operator: Operator, slot: Slot, owner: Field, value: object) -> bool:
        if slot.kind is Kind.NULL:
            return _at(names, owner, value, _is_null)
        literal = self._literals[slot.number]

        def test(field: Field, found: object) -> bool:
            if isinstance(field, Array):
                return any(_compare(field.items, element, operator, literal) for element in _elements(found))
            if isinstance(field, Open):
                field = _OPEN[slot.kind]
                if _is_array(found):
                    return any(_compare(field, element, operator, literal) for element in _elements(found))
            return _compare(field, found, operator, literal)

        return _at(names, owner, value, test)


_OPEN: Mapping[Kind, Field] = {Kind.STRING: String(), Kind.NUMBER: Number(), Kind.BOOLEAN: Boolean()}
"""In an open schema the literal decides the type (SPEC §3)."""


def _at(names: Sequence[str], owner: Field, value: object, test: _Test) -> bool:
    """Whether ``test`` holds at the end of a path; through an array, whether it does for some element (SPEC §4.5)."""
    field: Field = owner.members[names[0]] if isinstance(owner, Object) else owner
    found = _member(value, names[0])
    rest = names[1:]
    if not rest:
        return test(field, found)
    if isinstance(field, Map):
        plain = _plain(found)
        return test(field.values, plain.get(rest[0]) if isinstance(plain, Mapping) else None)
    if isinstance(field, Array):
        return any(_at(rest, field.items, element, test) for element in _elements(found))
    if isinstance(field, Open) and _is_array(found):
        return any(_at(rest, field, element, test) for element in _elements(found))
    return _at(rest, field, found, test)


def _is_null(field: Field, value: object) -> bool:
    if isinstance(field, Array):
        return not _is_array(value)
    return _plain(value) is None if isinstance(field, Open) else _read(field, value) is None


def _compare(field: Field, value: object, operator: Operator, literal: Literal) -> bool:
    left: Any = _read(field, value)
    if left is None:  # SPEC §4.2: on null every positive test is false.
        return False
    right: Any = _read_literal(field, literal)
    match operator:
        case Operator.EQ:
            return bool(left == right)
        case Operator.LT:
            return bool(left < right)
        case Operator.LTE:
            return bool(left <= right)
        case Operator.GT:
            return bool(left > right)
        case Operator.GTE:
            return bool(left >= right)
        case Operator.CONTAINS:
            return any(left[start : start + len(right)] == right for start in range(len(left) - len(right) + 1))
        case Operator.STARTSWITH:
            return bool(left[: len(right)] == right)
        case Operator.ENDSWITH:
            return bool(left[len(left) - len(right) :] == right) if len(right) <= len(left) else False
        case Operator.IEQ:
            return _folded(left) == _folded(right)
        case Operator.ICONTAINS:
            return _compare(field, _folded(value), Operator.CONTAINS, _folded(literal))
        case Operator.ISTARTSWITH:
            return _compare(field, _folded(value), Operator.STARTSWITH, _folded(literal))
        case Operator.IENDSWITH:
            return _compare(field, _folded(value), Operator.ENDSWITH, _folded(literal))
        case Operator.NE | Operator.IN | Operator.INE | Operator.IIN:
            raise AssertionError(operator)
        case _:
            assert_never(operator)


def _folded(value: object) -> str:
    """Return text with each code point in lower case by itself, but for one that would become two, and for sigma."""
    return "".join([{"İ": "i", "ς": "σ"}.get(letter, letter.lower()) for letter in str(_plain(value))])


# Data (SPEC §4.6, §4.7) -----------------------------------------------------------------------------------------------


def _plain(value: object) -> object:
    return value.value if isinstance(value, enum.Enum) else value


def _is_array(value: object) -> bool:
    return isinstance(_plain(value), (list, tuple))


def _elements(value: object) -> Sequence[object]:
    plain = _plain(value)
    return plain if isinstance(plain, (list, tuple)) else ()


def _member(owner: object, name: str) -> object:
    owner = _plain(owner)
    if isinstance(owner, dict):
        return dict.get(owner, name)
    if isinstance(owner, Mapping):
        return owner.get(name)
    is_leaf = isinstance(owner, (str, bytes, bool, int, float, list, tuple, date, type(None)))
    return None if is_leaf or name.startswith("__") else getattr(owner, name, None)


def _read(field: Field, value: object) -> object:
    """Return a value in the data as what its field compares by; None when it has not the field's type."""
    value = _plain(value)
    match field.type:
        case "string" | "enum":
            return value if isinstance(value, str) else None
        case "uuid":
            return value.int if isinstance(value, UUID) else _uuid(value)
        case "integer":
            return _integer(value)
        case "number":
            return _double(value)
        case "decimal":
            return _fraction(field, value)
        case "boolean":
            return value if isinstance(value, bool) else None
        case "timestamp":
            if isinstance(value, datetime):
                return _instant(value)
            if isinstance(value, date):
                return _timestamp(f"{value.isoformat()}T00:00:00Z")
            return _timestamp(value if _date(value) is None else f"{value}T00:00:00Z")
        case "date":
            if isinstance(value, date) and not isinstance(value, datetime):
                return date(value.year, value.month, value.day)
            return _date(value)
        case "array" | "object" | "map" | "any":
            return None
        case _:
            assert_never(field.type)


def _read_literal(field: Field, literal: Literal) -> object:
    match field.type:
        case "integer":
            return int(str(literal))
        case "number":
            return float(str(literal))
        case "decimal":
            return _exact(str(literal))
        case "timestamp":
            whole: Any = _read(field, literal)
            finer = re.search("[.][0-9]{6}([0-9]+)", str(literal))
            return whole + Fraction(int(finer[1]), 10 ** len(finer[1])) if finer else whole
        case "string" | "enum" | "uuid" | "boolean" | "date":
            return _read(field, literal)
        case "array" | "object" | "map" | "any":
            raise AssertionError(field)
        case _:
            assert_never(field.type)


_FAR = 3000
"""Digits that no field has."""
_JSON_NUMBER = re.compile("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?")


def _is_number(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()  # A signalling NaN raises even when it is compared.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _integer(value: Any) -> int | None:
    if not _is_number(value) or not -1e19 < value < 1e19:  # Neither infinite nor NaN, nor too large to convert.
        return None
    whole = int(value)
    return whole if whole == value and -(2**63) <= whole < 2**63 else None


def _double(value: Any) -> float | None:
    if not _is_number(value) or value != value:  # noqa: PLR0124  # NaN.
        return None
    try:
        double = float(value)
    except OverflowError:
        return None
    return None if double in (float("inf"), float("-inf")) else double


def _fraction(field: Field, value: Any) -> Fraction | None:
    """Return a decimal as a fraction, None where the field has fewer digits or places."""
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, str):
        exact = _exact(value) if _JSON_NUMBER.fullmatch(value) else None
    elif not _is_number(value) or (isinstance(value, Decimal) and value and abs(value.adjusted()) > _FAR):
        exact = None
    else:
        exact = Fraction(value) if value else Fraction(0)
    if exact is None:
        return None
    digits, places = field.grid  # type: ignore[attr-defined]  # Of a decimal.
    units = exact * 10**places
    return exact if units.denominator == 1 and abs(units) < 10**digits else None


def _exact(text: str) -> Fraction:
    """Return a JSON number as a fraction; one past `_FAR` digits on either side counts as one of so many."""
    mantissa, _, exponent = text.lower().partition("e")
    shift = max(min(int(exponent or "0"), _FAR), -_FAR)
    return Fraction(mantissa) * Fraction(10) ** shift


def _uuid(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    text = value.lower() if value.isascii() else value
    if text.startswith("urn:uuid:"):
        text = text.removeprefix("urn:uuid:")
    elif text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    if [len(group) for group in text.split("-")] not in ([32], [8, 4, 4, 4, 12]):
        return None
    digits = text.replace("-", "")
    return int(digits, 16) if all(digit in "0123456789abcdef" for digit in digits) else None


def _date(value: object) -> date | None:
    if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return date(*map(int, value.split("-")))
    except ValueError:
        return None


_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC) - _EPOCH


def _timestamp(value: object) -> Fraction | None:
    """Return the microseconds since the year 1 began in UTC."""
    match = isinstance(value, str) and re.fullmatch(
        "(.{10})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})([.][0-9]+)?([Zz]|([+-])([0-9]{2}):([0-9]{2}))?", value
    )
    day = _date(match[1]) if match else None
    if not match or day is None:
        return None
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4])
    micro = int((match[5] or ".")[1:7].ljust(6, "0"))
    away = int(match[8] or 0), int(match[9] or 0)
    if hours > 23 or minutes > 59 or seconds > 59 or away > (23, 59) or away[1] > 59:
        return None
    since = timedelta(days=day.toordinal() - 1, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)
    since -= timedelta(hours=away[0], minutes=away[1]) * (-1 if match[7] == "-" else 1)
    return _microseconds(since)


def _instant(value: datetime) -> Fraction | None:
    offset = value.utcoffset() or timedelta(0)
    return _microseconds(value.replace(tzinfo=UTC) - _EPOCH - offset)


def _microseconds(since: timedelta) -> Fraction | None:
    return Fraction(since // timedelta(microseconds=1)) if timedelta(0) <= since <= _LATEST else None
