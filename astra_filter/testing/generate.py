"""Data and filters for a schema, made from a source of choices: Hypothesis draws them, or a seeded generator.

Everything here is a function of a `Pick`; whatever it picks, what is made is valid for the schema, and the smaller its
picks, the simpler it is.

Long because all that is made shares its pools of values, and one way to pick from them.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, assert_never
from uuid import UUID

from astra_filter import fields
from astra_filter.fields import Array, Enum, Map, Object, String
from astra_filter.language.decimals import from_scaled
from astra_filter.language.names import path_text
from astra_filter.language.operators import NULLABLE, TEXT, Operator, spellings
from astra_filter.language.values import member, timestamp_text
from astra_filter.request import include
from astra_filter.syntax.printer import string_text

if TYPE_CHECKING:
    from astra_filter.fields import AnyField
    from astra_filter.schema import Schema

T = TypeVar("T")

Pick: TypeAlias = Callable[[int], int]
"""Gives a number from 0 to below its argument; 0 stands for the simplest choice."""

_TEXTS = (
    "a", "b", "", "A", "ab", "ba", "a ", " a", "aa", "é", "e\u0301", "É", "ß", "ss", "i", "I", "ı", "İ", "ﬁ",
    "\u2126", "Ω", "中", "\uffff", "\ufffd", "😀", "😀a", "1", "01", "1.0", "true", "null", "%", "_", "a%", "%s", "?",
    "$1", ":p1", "'", "''", '"', "`", "\\", "\\'", "a\\", "--", "/*", ";", "\n", "\r\n", "\t", "\x01", "\x7f", "\x85",
    "\xa0", "\u200b", "\u202e", "[]", "{}", '"a"', '{"a":"b"}', "2020-08-06", "NaN",
    "Σ", "ς", "σ", "ΑΣ", "Ⴀ", "ꭰ",
)  # fmt: skip
"""Strings that databases like to take for one another, or for something else."""
_KEYS = (
    "a", "b", "env", "app.io/name", "A", "a ", " a", "é", "e\u0301", "😀", "$", "$.a", "$[0]", "*", "0", "[0]", "#-1",
    "'", '"', '\\"', "`", "\\", "%", "%s", "?", ":p1", "$1", "/", "~", "~1", "a/b", "--", "-a", "null", "and", "in",
    "\n", "\x01", "\u2028", "{}", "key", "value", "__class__",
)  # fmt: skip
"""Keys of maps that databases like to take for something else."""
_UUIDS = (
    "12345678-1234-1234-1234-123456789abc", "12345678-1234-1234-1234-123456789abd",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "a0000000-0000-4000-8000-000000000000",
)  # fmt: skip
_INTEGERS = (
    0, 1, -1, 2, 10, 9, 100, 2**31, -(2**31) - 1, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63 - 2,
    -(2**63), -(2**63) + 1,
)  # fmt: skip
_NUMBERS = (
    0.0, 1.0, -1.0, 0.5, -0.0, 2.0, 10.0, 0.1, 0.3, 0.1 + 0.2, 1e-7, 1e16, 1e22, 1e23, 2.0**53, 2.0**53 + 2, 2.0**63,
    -(2.0**63), 1e308, 1.7976931348623157e308, -1.7976931348623157e308,
    2.2250738585072014e-308, 5e-324, -5e-324, 123456789.12345679,
)  # fmt: skip
_DATES = (date(2020, 8, 6), date(2020, 8, 7), date(1970, 1, 1), date(2020, 2, 29), date(1, 1, 1), date(9999, 12, 31))
_INSTANTS = tuple(
    datetime.fromisoformat(text + "+00:00")
    for text in (
        "2020-08-06T12:24:52", "2020-08-06T12:24:52.256624", "2020-08-06T12:24:52.256623", "2020-08-06T00:00:00",
        "2020-08-06T23:30:00", "2020-08-07T00:00:00", "1970-01-01T00:00:00", "1969-12-31T23:59:59.999999",
        "2020-02-29T12:00:00.1", "0001-01-01T00:00:00", "0001-01-01T00:00:00.000001", "9999-12-31T23:59:59.999999",
        "2021-03-28T01:30:00",
    )
)  # fmt: skip
_OFFSETS = ("Z", "z", "+00:00", "-00:00", "+02:00", "-11:30", "+23:59", "-23:59")


def _one(pick: Pick, choices: Sequence[T]) -> T:
    return choices[pick(len(choices))]


def _some(pick: Pick, chances: int) -> bool:
    """True once in ``chances``."""
    return pick(chances) == chances - 1


# Values --------------------------------------------------------------------------------------------------------------


def _canonical(field: AnyField, pick: Pick) -> Any:
    """Return a value of a scalar field, in canonical form."""
    match field:
        case String():
            text = _one(pick, _TEXTS)
            while _some(pick, 4):
                text += _one(pick, _TEXTS)
            if field.max_length is not None and _some(pick, 16):
                text += "a" * field.max_length
            return text[: field.max_length]
        case Enum():
            return _one(pick, field.values)
        case fields.Uuid():
            value = _one(pick, _UUIDS)
            return str(UUID(int=pick(2**32) << 64)) if _some(pick, 2) else value
        case fields.Integer():
            whole = _one(pick, _INTEGERS)
            return pick(100) if _some(pick, 4) else whole
        case fields.Number():
            number = _one(pick, _NUMBERS)
            return pick(1000) / 8 if _some(pick, 4) else number
        case fields.Decimal():
            return _decimal(field, pick)
        case fields.Boolean():
            return _one(pick, (True, False))
        case fields.Timestamp():
            return _one(pick, _INSTANTS)
        case fields.Date():
            return _one(pick, _DATES)
        case Array() | Object() | Map() | fields.Open():
            raise AssertionError(field)
        case _:
            assert_never(field)


_UNITS = (0, 1, -1, 5, 10, 99, 100, 101, 250, -100, 12345)


def _decimal(field: fields.Decimal, pick: Pick) -> Decimal:
    """Return a value of the grid: near zero, at its ends, or anywhere."""
    digits, places = field.grid
    end = 10**digits - 1
    form = pick(4)
    units = _one(pick, _UNITS) if form < 2 else pick(1000) if form == 2 else end - pick(3)
    return from_scaled(max(min(units if pick(4) else -units, end), -end), places)


def _decimal_form(value: Decimal, form: int) -> object:
    """Return a decimal in one of the forms that data may have it in."""
    if form == 3 and value == value.to_integral_value():
        return int(value)
    if form == 4 and Decimal(repr(float(value))) == value:
        return float(value)
    return value if form == 5 else format(value, "f")


def _decimal_literal(value: Decimal, pick: Pick) -> str:
    """Return a number that is the value, or next to it."""
    form = pick(8)
    text = format(value, "f")
    if form == 1:
        return text + ("0" if "." in text else ".0")
    if form in (2, 3):
        # Off the grid, above or below.
        return text + ("" if "." in text else ".") + ("1" if form == 2 else "9") * (pick(20) + 1)
    if form == 4:
        return f"{text}e{pick(5) - 2}"
    if form == 5:
        return f"{'-' if pick(2) else ''}{pick(10)}e{_one(pick, ('400', '-400', '99999999999999999999'))}"
    return text


def json_value(field: AnyField, pick: Pick) -> Any:
    """Return what JSON has of a value of a field: canonical, now and then of another type."""
    if _some(pick, 12):
        # SQL does not test the format of text.
        told_by_format = field.type in ("timestamp", "date", "uuid", "decimal")
        return _one(pick, (None, 5, True, [], {}, *([] if told_by_format else ["x"])))
    if isinstance(field, Object):
        return {name: json_value(inner, pick) for name, inner in field.members.items() if pick(5)}
    if isinstance(field, Array):
        return [json_value(field.items, pick) for _ in range(pick(4))]
    return field.json(_canonical(field, pick))


def instant(pick: Pick) -> datetime:
    """Return an instant that drivers can read in any time zone: not in the first year or the last."""
    value: datetime = _one(pick, _INSTANTS)
    return value if 1 < value.year < 9999 else value.replace(year=2000)


def scalar(field: AnyField, pick: Pick) -> Any:
    """Return a value of a scalar field, in canonical form."""
    return _canonical(field, pick)


class _Day(date):
    """A class of one's own."""


def _as_data(field: AnyField, value: Any, pick: Pick) -> object:
    """Return a canonical value in one of the forms that data may have it in (SPEC §4.7)."""
    found = _in_form(field, value, pick)
    if not _some(pick, 12):
        return found
    kind = {str: enum.StrEnum, int: enum.IntEnum}.get(type(found), enum.Enum) if pick(2) else enum.Enum
    return kind("Member", {"ONE": found}).ONE  # type: ignore[attr-defined]


def _in_form(field: AnyField, value: Any, pick: Pick) -> object:
    form = pick(6)
    match field.type:
        case "uuid":
            return UUID(value) if form == 4 else _uuid_text(value, pick) if form == 5 else value
        case "integer":
            if form == 4 and -(2**53) <= value <= 2**53:
                return float(value)
            return Decimal(value) if form == 5 else value
        case "decimal":
            return _decimal_form(value, form)
        case "number":
            if form == 4 and value.is_integer():
                return int(value)
            return Decimal(value) if form == 5 else value
        case "timestamp":
            if form == 3:
                return value.replace(tzinfo=None)
            if form == 5 and value.time() == datetime.min.time():
                return value.date() if pick(2) else value.date().isoformat()
            if form == 4:
                return _moved(value, timedelta(hours=pick(47) - 23)) or value
            return _timestamp_text(value, pick) if form < 3 else timestamp_text(value)[:-1]
        case "date":
            if form == 4:
                return _Day(value.year, value.month, value.day)
            return value if form == 5 else value.isoformat()
        case "string" | "enum" | "boolean":
            return value
        case "array" | "object" | "map" | "any":
            raise AssertionError(field)
        case _:
            assert_never(field.type)


def _uuid_text(value: str, pick: Pick) -> str:
    form = pick(5)
    if form == 1:
        return value.upper()
    if form == 2:
        return value.replace("-", "")
    if form == 3:
        return "{" + value + "}"
    return "urn:uuid:" + value.upper() if form == 4 else value


def _timestamp_text(value: datetime, pick: Pick) -> str:
    offset = _one(pick, _OFFSETS)
    if offset[0] in "+-":
        away = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:])) * (-1 if offset[0] == "-" else 1)
        moved = _moved(value, away)
        offset, value = ("Z", value) if moved is None else (offset, moved)
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds")
    if _some(pick, 3):
        text = text.rstrip("0").rstrip(".") if value.microsecond else text[:19]
    return text.replace("T", _one(pick, "TTt ")) + offset


_FRACTION = re.compile("(.{19})([.][0-9]+)?(.*)")


def _finer(text: str, pick: Pick) -> str:
    """Return a timestamp with more digits than a microsecond has; they may all be zero."""
    whole, fraction, offset = _FRACTION.fullmatch(text).groups()  # type: ignore[union-attr]
    digits = (fraction or ".").ljust(7, "0") + _one(pick, ("1", "000", "0" * 23 + "1", "999", "5"))
    return f"{whole}{digits}{offset}"


def _moved(value: datetime, away: timedelta) -> datetime | None:
    try:
        return value.astimezone(timezone(away))
    except OverflowError:
        return None


def _misfit(field: AnyField, pick: Pick) -> object:
    """Return a value that has the type of few fields, and is not too long for this one."""
    found = _one(
        pick,
        (
            "x", 5, True, 1.5, [], {}, "5", "true", "2020-08-06", "2020-08-06T12:24:52", "2020-13-01T00:00:00Z", 2**63,
            -(2**63) - 1, 1e300, 10**400, float("nan"), float("inf"), Decimal("sNaN"), Decimal("1e400"), ["a"],
            [None], {"name": "a"}, "12345678-1234-1234-1234-123456789abg", b"a", date(2020, 8, 6), ("a",), "\uff15",
            _INSTANTS[0],
            "2020-08-06T12:24:52.123456789Z", "0001-01-01T00:00:00+01:00", '["a"]', '{"name": "a"}',
        ),
    )  # fmt: skip
    if isinstance(found, (list, tuple)) and isinstance(field, Array):
        return type(found)([_cut(field.items, each) for each in found])
    return _cut(field, found)


def _cut(field: AnyField, value: object) -> object:
    return value[: field.max_length] if isinstance(field, String) and isinstance(value, str) else value


# Resources -----------------------------------------------------------------------------------------------------------


def dataset(schema: Schema, pick: Pick, most: int = 8) -> list[Any]:
    """Return resources that a table for the schema can hold: required columns are filled, keys are unique."""
    found: dict[object, Any] = {}
    required = {leaf.path for leaf in schema.leaves.values() if not leaf.column.nullable}
    for number in range(pick(most) + 1):
        made = _object(schema.root, (), required, pick)  # type: ignore[arg-type]  # Not an open schema.
        key: object = number
        if schema.key is not None:
            key = schema.leaves[schema.key,].field.read(made[schema.key])
        found.setdefault(key, _held(made, pick))
    return list(found.values())


def _held(made: dict[str, Any], pick: Pick) -> Any:
    """Return an object in one of the forms that data may have it in: a mapping, or something with attributes."""
    form = pick(16)
    if form == 15:
        return MappingProxyType(made)
    by_attribute = all(name.isidentifier() and not name.startswith("__") for name in made)
    return SimpleNamespace(**made) if form in (13, 14) and by_attribute else made


def _object(owner: Object, path: tuple[str, ...], required: set[tuple[str, ...]], pick: Pick) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, field in owner.members.items():
        place = (*path, name)
        needed = any(other[: len(place)] == place for other in required)
        odd = 2 if needed else pick(16)  # The simplest resource has what is required.
        if odd == 15:
            made[name] = None
        elif odd == 14:
            made[name] = _misfit(field, pick)
        elif odd > 1:
            made[name] = _member(field, place, required, pick)
    return made


def _member(field: AnyField, place: tuple[str, ...], required: set[tuple[str, ...]], pick: Pick) -> Any:
    if isinstance(field, Object):
        return _held(_object(field, place, required, pick), pick)
    if isinstance(field, Array):
        elements = [_element(field.items, pick) for _ in range(pick(4))]
        return tuple(elements) if _some(pick, 8) else elements
    if isinstance(field, Map):
        return _map(field, pick)
    if isinstance(field, Enum) and _some(pick, 16):
        return _one(pick, _TEXTS)  # Most are not declared.
    return _as_data(field, _canonical(field, pick), pick)


def _map(field: Map, pick: Pick) -> Any:
    # What begins with a hyphen, a database may refuse to hold.
    keys = [key for key in (_key(pick) for _ in range(pick(5))) if not key.startswith("-")]
    made = {key: _element(field.values, pick) for key in keys}
    return MappingProxyType(made) if _some(pick, 12) else made


def _key(pick: Pick) -> str:
    key = _one(pick, _KEYS)
    return key + _one(pick, _KEYS) if _some(pick, 12) else key


def _element(field: AnyField, pick: Pick) -> Any:
    odd = pick(12)
    if odd == 11:
        return None
    return _misfit(field, pick) if odd == 10 else _member(field, (), set(), pick)


# Filters -------------------------------------------------------------------------------------------------------------


class _Target(NamedTuple):
    """A path that a test may be on, from the resource or from an array's element."""

    names: tuple[str, ...]
    field: AnyField
    nullable: bool


_OR, _AND, _UNARY = range(3)


def filter_text(schema: Schema, pick: Pick, near: Iterable[object] = (), *, wild: bool = False) -> str:
    """Return the text of a valid filter.

    Args:
        schema: not an open one.
        pick: the source of choices.
        near: resources whose values many literals are taken from or close to.
        wild: spell it in any way the syntax allows, not canonically.
    """
    text, _ = _Writer(pick, wild=wild).condition(schema.root, list(near), 3)  # type: ignore[arg-type]
    return text


class _Writer:
    def __init__(self, pick: Pick, *, wild: bool) -> None:
        self._pick = pick
        self._wild = wild

    def condition(self, owner: Object, near: Sequence[object], depth: int) -> tuple[str, int]:
        """Return the text of a condition, and how tight its operator binds."""
        form = self._pick(8) if depth else 0
        if form in (4, 5):
            return self._group(owner, near, depth, _AND), _AND
        if form == 6:
            return self._group(owner, near, depth, _OR), _OR
        if form == 7:
            operand = self._operand(owner, near, depth, _UNARY)
            return f"{self._word('not')}{self._gap(operand)}{operand}", _UNARY
        return self._test(owner, near, depth), _UNARY

    def _group(self, owner: Object, near: Sequence[object], depth: int, level: int) -> str:
        text = self._operand(owner, near, depth, level)
        while True:
            operand = self._operand(owner, near, depth, level)
            text += f"{self._space()}{self._word('or' if level == _OR else 'and')}{self._gap(operand)}{operand}"
            if not _some(self._pick, 3):
                return text

    def _operand(self, owner: Object, near: Sequence[object], depth: int, level: int) -> str:
        text, own = self.condition(owner, near, depth - 1)
        enclosed = own < level or (self._wild and _some(self._pick, 8))
        return f"({self._gap('(')}{text}{self._gap('(')})" if enclosed else text

    def _test(self, owner: Object, near: Sequence[object], depth: int) -> str:
        targets = _targets(owner)
        brackets = _brackets(owner)
        if depth and brackets and (not targets or _some(self._pick, 4)):
            names, field, _ = _one(self._pick, brackets)
            elements = [element for resource in near for element in _values(names, field, resource)]
            inner, _ = self.condition(field, elements, depth - 1)  # type: ignore[arg-type]  # Objects only.
            return f"{self._path(names)}[{inner}]"
        target = _one(self._pick, targets)
        if isinstance(target.field, Map):
            target = _Target((*target.names, _key(self._pick)), target.field.values, nullable=True)
        scalar = target.field.items if isinstance(target.field, Array) else target.field
        operators = [operator for operator in Operator if operator in target.field.operators]
        of_null = [operator for operator in operators if operator in NULLABLE]
        if isinstance(scalar, Object) or (target.nullable and of_null and _some(self._pick, 8)):
            return self._comparison(target, _one(self._pick, of_null), lambda: self._word("null"))
        found = [value for resource in near for value in _values(target.names, scalar, resource)]
        return self._comparison(target, _one(self._pick, operators), lambda: self._literal(scalar, found))

    def _comparison(self, target: _Target, operator: Operator, literal: Callable[[], str]) -> str:
        path = self._path(target.names)
        match operator:
            case Operator.IN | Operator.IIN:
                return self._membership(path, target, operator, literal)
            case (
                Operator.EQ
                | Operator.NE
                | Operator.LT
                | Operator.LTE
                | Operator.GT
                | Operator.GTE
                | Operator.CONTAINS
                | Operator.STARTSWITH
                | Operator.ENDSWITH
                | Operator.IEQ
                | Operator.INE
                | Operator.ICONTAINS
                | Operator.ISTARTSWITH
                | Operator.IENDSWITH
            ):
                pass
            case _:
                assert_never(operator)
        text = literal()
        if operator in TEXT and self._wild and _some(self._pick, 3):
            return f"{self._word(operator.value)}({path},{self._gap('(')}{text})"
        spelling = spellings(operator)[-1 if self._wild and _some(self._pick, 3) else 0]
        return f"{path}{self._space()}{self._word(spelling)}{self._gap(text)}{text}"

    def _membership(self, path: str, target: _Target, operator: Operator, literal: Callable[[], str]) -> str:
        items = [] if _some(self._pick, 16) else [literal()]
        while items and _some(self._pick, 2):
            items.append(literal())
        if target.nullable and _some(self._pick, 4):
            items.insert(self._pick(len(items) + 1), self._word("null"))
        word = self._word(operator.value)
        if _some(self._pick, 3):
            word = self._word("not") + self._space() + word
        comma = f"{self._gap('(')},{self._gap(')') or ' '}"
        return f"{path}{self._space()}{word} ({comma.join(items)})"

    def _literal(self, field: AnyField, found: Sequence[Any]) -> str:
        pick = self._pick
        value = _one(pick, found) if found and pick(4) else _canonical(field, pick)
        match field.type:
            case "string":
                return string_text(_piece(value, pick))
            case "enum":
                return string_text(value)
            case "uuid":
                return string_text(_uuid_text(value, pick))
            case "integer":
                return str(min(max(value + (0, 0, 1, -1)[pick(4)], -(2**63)), 2**63 - 1))
            case "number":
                return _number_text(value, pick)
            case "decimal":
                return _decimal_literal(value, pick)
            case "boolean":
                return self._word(str(value).lower())
            case "timestamp":
                if value.time() == datetime.min.time() and _some(pick, 3):
                    return string_text(value.date().isoformat())
                text = _timestamp_text(value, pick)
                return string_text(_finer(text, pick) if _some(pick, 6) else text)
            case "date":
                return string_text(value.isoformat())
            case "array" | "object" | "map" | "any":
                raise AssertionError(field)
            case _:
                assert_never(field.type)

    # Spelling

    def _path(self, names: Sequence[str]) -> str:
        if not self._wild:
            return path_text(names)
        parts = [f"`{name.replace('`', '``')}`" if _some(self._pick, 6) else path_text([name]) for name in names]
        return ("." if not _some(self._pick, 6) else " . ").join(parts)

    def _word(self, word: str) -> str:
        if not self._wild:
            return word
        return (word, word.upper(), word.title())[self._pick(3)]

    def _space(self) -> str:
        return _one(self._pick, (" ", "  ", "\t", "\n", "\r\n")) if self._wild else " "

    def _gap(self, following: str) -> str:
        """White space, or none where ``following`` needs none before it."""
        if self._wild and following[:1] in "('`":
            return _one(self._pick, ("", " ", "\n"))
        return "" if following in ("(", ")") else self._space()


def is_testable(schema: Schema) -> bool:
    """Whether there is a filter that a schema, not an open one, takes."""
    return bool(_targets(schema.root))  # type: ignore[arg-type]


def _targets(owner: Object) -> list[_Target]:
    return [
        target
        for target in _reachable(owner, (), nullable=False)
        if target.field.operators
        and (
            not isinstance(target.field, Array)
            or not isinstance(target.field.items, Object)
            or (target.nullable and target.field.operators & NULLABLE)
        )
    ]


def _brackets(owner: Object) -> list[_Target]:
    return [
        _Target(names, field.items, nullable)
        for names, field, nullable in _reachable(owner, (), nullable=False)
        if isinstance(field, Array)
        and isinstance(field.items, Object)
        and (_targets(field.items) or _brackets(field.items))
    ]


def _reachable(owner: Object, names: tuple[str, ...], *, nullable: bool) -> Iterable[_Target]:
    for name, field in owner.members.items():
        maybe = nullable or field.nullable
        inner = field.items if isinstance(field, Array) else field
        if not isinstance(field, Object):
            yield _Target((*names, name), field, maybe)
        if isinstance(inner, Object):
            yield from _reachable(inner, (*names, name), nullable=maybe or inner.nullable)


def _values(names: Sequence[str], field: AnyField, resource: object) -> list[Any]:
    """Return what of its field's type is at the end of a path, in canonical form."""
    found: list[object] = [resource]
    for name in names:
        found = [member(value, name) for value in found]
        found = [element for value in found for element in (value if isinstance(value, (list, tuple)) else (value,))]
    read = [field.read(value) for value in found]
    declared = field.values if isinstance(field, Enum) else None
    return [value for value in read if value is not None and (declared is None or value in declared)]


def _piece(text: str, pick: Pick) -> str:
    """Return a text or something close to it."""
    form = pick(12)
    if form < 6:
        return text
    if form == 6:
        return text[: pick(len(text) + 1)]
    if form == 7:
        return text[pick(len(text) + 1) :]
    if form == 8:
        return text + _one(pick, _TEXTS)
    if form == 9:
        return text.strip()
    return text.upper() if form == 10 else text.lower()


def _number_text(value: float, pick: Pick) -> str:
    form = pick(5)
    if form == 1 and value.is_integer() and abs(value) < 1e25:
        return str(int(value))
    if form == 2:
        return f"{value:.17E}"
    if form == 3:
        return f"{value:.3e}" if abs(value) < 1e300 else repr(value)
    return repr(value)


# Queries -------------------------------------------------------------------------------------------------------------


def query(schema: Schema, pick: Pick, near: Iterable[object] = ()) -> list[tuple[str, str]]:
    """Return the query parameters of a valid list request (SPEC §6), decoded, without ``continue``."""
    near = list(near)
    filters = (0, 1, 1, 2)[pick(4)] if is_testable(schema) else 0
    pairs = [("filter", filter_text(schema, pick, near, wild=True)) for _ in range(filters)]
    sortable = [path for path, leaf in schema.leaves.items() if leaf.sortable]
    if sortable and pick(2):
        chosen = dict.fromkeys(_one(pick, sortable) for _ in range(pick(3) + 1))
        keys = [path_text(path) + ("", " asc", " desc")[pick(3)] for path in chosen]
        pairs.append(("orderBy", ", ".join(keys)))
    returnable = list(include.returnable(schema.root))
    if returnable and pick(2):
        chosen = dict.fromkeys(_included(schema, _one(pick, returnable), pick) for _ in range(pick(3) + 1))
        pairs.append(("include", ",".join(map(path_text, chosen))))
    if pick(2):
        pairs.append(("limit", str(pick(5) + 1)))
    if _some(pick, 3):
        pairs.append(("skip", str(pick(4))))
    if _some(pick, 3):
        pairs.append(("count", "true"))
    return pairs


def _included(schema: Schema, path: tuple[str, ...], pick: Pick) -> tuple[str, ...]:
    """Return a path for ``include``: of a map, or of what it has under a key."""
    leaf = schema.leaves.get(path)
    return (*path, _key(pick)) if leaf is not None and isinstance(leaf.field, Map) and pick(2) else path


# Garbage -------------------------------------------------------------------------------------------------------------

_SCRAPS = (
    "'", "`", '"', "(", ")", "[", "]", ",", ".", " ", "and", "or", "not", "in", "eq", "null", "true", "0", "-", "1e5",
    "=", "==", "&&", "\0", "\ud800", "\udc80", "\u202e", "\u200b", "e\u0301", "ı", "ſ", "K", "٣", "é", "😀", "\n",
    "\r", "\x0b", "\u2028", "''",
    "``", "1'a'", "eq-1", "“", "”", "is null", "between", "like '%x%'", "2020-08-06T12:24:52Z", "--", ";",
    "%", "\\", "/*",
)  # fmt: skip


def mutated(text: str, pick: Pick) -> str:
    """Return a text with a few of its pieces lost, doubled, moved or replaced."""
    for _ in range(pick(4) + 1):
        start = pick(len(text) + 1)
        end = min(len(text), start + pick(6))
        form = pick(6)
        if form < 2:
            text = text[:start] + _one(pick, _SCRAPS) + text[start if form else end :]
        elif form == 2:
            text = text[:start] + text[end:]
        elif form == 3:
            text = text[:end] + text[start:end] * (pick(3) + 1) + text[end:]
        elif form == 4:
            text = text[start:end] + text[:start] + text[end:]
        else:
            text = text[:end]
    return text
