"""The field types of SPEC §3: which literals and operators each takes, and how each reads a value in the data.

Every scalar value has one canonical Python form, in which all backends compare it: text as `str`, UUIDs as canonical
lower-case `str`, integers as `int`, numbers as `float`, timestamps as UTC `datetime`, dates as `date`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from astra_filter import errors
from astra_filter.names import nearest
from astra_filter.nodes import Kind, Operator

if TYPE_CHECKING:
    import builtins
    from decimal import Decimal
    from typing import TypedDict, Unpack

    class Options(TypedDict, total=False):
        """What every `Field` takes; for type checkers."""

        nullable: bool
        operators: Iterable[str | Operator] | None
        sortable: bool | None
        returnable: bool
        column: str | None
        json_path: Iterable[str] | None
        description: str


_EQUALITY = frozenset({Operator.EQ, Operator.NE, Operator.IN})
_ORDER = _EQUALITY | {Operator.LT, Operator.LTE, Operator.GT, Operator.GTE}
_TEXT = _ORDER | {Operator.CONTAINS, Operator.STARTSWITH, Operator.ENDSWITH}

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1


class Column(NamedTuple):
    """Where a resource's value is stored: a column, or a place in a column that holds JSON."""

    name: str
    json_path: tuple[str, ...]
    """Members to step through inside the column; empty for the column itself."""
    nullable: bool
    """False only for a column of its own that is declared NOT NULL."""
    binary: bool
    """The column's text has a collation that compares by code point."""


class Field:
    """One declared member of a resource.

    Args:
        nullable: the value may be missing or null.
        operators: the operators allowed, a subset of the type's own; default all of them.
        sortable: may appear in ``orderBy``; default True for scalars, impossible for arrays and objects.
        returnable: may be returned to the caller.
        column: the SQL column that holds the value; default the field's name, or the parent's column.
        json_path: the members to step through inside ``column``, when it holds JSON.
        description: one line for people.

    Raises:
        SchemaError: the arguments contradict each other.
    """

    type: ClassVar[str]
    kind: ClassVar[Kind | None] = None
    """The kind of literal the type takes; None when it takes none but null."""
    allowed: ClassVar[frozenset[Operator]] = frozenset()
    scalar: ClassVar[bool] = True

    def __init__(
        self,
        *,
        nullable: bool = False,
        operators: Iterable[str | Operator] | None = None,
        sortable: bool | None = None,
        returnable: bool = True,
        column: str | None = None,
        json_path: Iterable[str] | None = None,
        description: str = "",
    ) -> None:
        self.nullable = nullable
        self.operators = self.allowed if operators is None else _operators(self, operators)
        self.sortable = (self.scalar and returnable) if sortable is None else sortable
        self.returnable = returnable
        self.description = description
        if self.sortable and not (self.scalar and returnable):
            raise errors.unsortable_type(self.type)
        if json_path is not None and column is None:
            raise errors.path_without_column()
        if isinstance(json_path, str):
            raise errors.bad_names("json_path", json_path)
        if column is not None and not is_text(column):
            raise errors.bad_identifier("column", column)
        steps = None if json_path is None else tuple(json_path)
        for step in steps or ():
            if not is_text(step):
                raise errors.bad_identifier("member", step)
        # Generated code takes no names of other classes.
        self.column = None if column is None else _plain(column)
        self.json_path = None if steps is None else tuple(map(_plain, steps))

    def coerce(self, literal: str) -> Any:
        """Turn a raw literal of ``kind`` into its canonical value.

        Raises:
            LiteralError: the literal is no value of this type.
        """
        return literal

    def read(self, value: object) -> Any:
        """Return the canonical form of a value in the data, or None when it has not this type (SPEC §4.6, §4.7)."""
        try:
            return self._read(value)
        except Exception:  # noqa: BLE001  # Data never makes a filter raise, and classes of its own may raise anything.
            return None

    def _read(self, value: object) -> Any:
        """Do as `read` does; may raise instead of returning None."""
        raise AssertionError(type(self), value)

    def json(self, value: Any) -> Any:
        """Return a canonical value as what JSON can hold: the form it is returned in, and stored in inside JSON."""
        return value

    def output(self, value: object) -> Any:
        """Return ``json`` of what ``read`` gives, or None: a value in the data as it is returned."""
        canonical = self.read(value)
        return None if canonical is None else self.json(canonical)

    def signature(self) -> tuple[object, ...]:
        """What tells this field from others, for fingerprints: everything that can change a filter's meaning or SQL."""
        return (
            self.type,
            self.nullable,
            tuple(sorted(operator.value for operator in self.operators)),
            self.sortable,
            self.returnable,
            self.column,
            self.json_path,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'nullable=True' if self.nullable else ''})"


class _Text(Field):
    """A field whose data is text: what strings and enums share."""

    kind = Kind.STRING

    def __init__(self, *, binary: bool | None = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.binary = binary

    def read(self, value: object) -> Any:
        return value if type(value) is str else super().read(value)

    def _read(self, value: object) -> str | None:
        value = unwrap(value)
        return _plain(value) if isinstance(value, str) else None

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.binary)


class String(_Text):
    """Text, compared by code point.

    Args:
        max_length: most code points a value may have; None for no bound. Makes bounded columns and tokens possible.
        binary: whether the SQL column's collation compares by code point; None takes the schema's word.
    """

    type = "string"
    allowed = _TEXT

    def __init__(
        self, *, max_length: int | None = None, binary: bool | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(binary=binary, **options)
        if max_length is not None and (type(max_length) is not int or max_length < 1):
            raise errors.bad_max_length(max_length)
        self.max_length = max_length

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.max_length)


class Enum(_Text):
    """One of the declared strings. An undeclared value in the data equals no literal.

    Args:
        values: the declared strings, at least one, or one Python `enum.Enum` class with string values.
    """

    type = "enum"
    allowed = _EQUALITY

    def __init__(
        self, *values: str | builtins.type[enum.Enum], binary: bool | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(binary=binary, **options)
        listed: list[str] = []
        for value in values:
            if isinstance(value, type):
                listed.extend(member.value for member in value)
            else:
                listed.append(value.value if isinstance(value, enum.Enum) else value)
        if not listed or not all(map(is_text, listed)) or len(set(listed)) != len(listed):
            raise errors.bad_enum_values(listed)
        self.values = tuple(map(_plain, listed))
        self._declared = frozenset(self.values)

    def coerce(self, literal: str) -> str:
        if literal in self._declared:
            return literal
        raise errors.undeclared_value(literal, self.values, nearest(literal, self.values))

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.values)


_UUID = re.compile(
    r"(?:urn:uuid:|(\{))?([0-9a-f]{8})(-)?([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{12})(?(1)\})",
    re.IGNORECASE | re.ASCII,
)


is_canonical_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


class Uuid(Field):
    """A UUID, compared in canonical lower-case form; RFC 9562 text, bare hex, braces or ``urn:uuid:``."""

    type = "uuid"
    kind = Kind.STRING
    allowed = _EQUALITY

    def coerce(self, literal: str) -> str:
        value = _canonical_uuid(literal)
        if value is None:
            raise errors.bad_uuid(literal)
        return value

    def read(self, value: object) -> Any:
        return value if type(value) is str and is_canonical_uuid(value) else super().read(value)

    def _read(self, value: object) -> str | None:
        if type(value) is str:
            return _canonical_uuid(value)
        from uuid import UUID  # Costs start-up time, and few resources hold UUID objects.

        value = unwrap(value)
        if isinstance(value, UUID):
            return UUID.__str__(value)
        return _canonical_uuid(_plain(value)) if isinstance(value, str) else None


class Integer(Field):
    """A 64-bit signed integer; never goes through a float."""

    type = "integer"
    kind = Kind.NUMBER
    allowed = _ORDER

    def coerce(self, literal: str) -> int:
        if "." in literal or "e" in literal or "E" in literal:
            raise errors.not_an_integer(literal)
        # Counted before conversion: int() takes quadratic time.
        if len(literal) > 20 or not MIN_INTEGER <= (value := int(literal)) <= MAX_INTEGER:
            raise errors.integer_out_of_range(literal)
        return value

    def read(self, value: object) -> Any:
        if type(value) is int:
            return value if MIN_INTEGER <= value <= MAX_INTEGER else None
        return super().read(value)

    def _read(self, value: object) -> int | None:
        value = unwrap(value)
        if isinstance(value, bool):
            return None
        whole: int | None
        if isinstance(value, float):
            double = float.__float__(value)
            whole = int(double) if double.is_integer() else None
        elif isinstance(value, int):
            whole = int.__int__(value)
        else:
            whole = _integral_decimal(value)
        return None if whole is None or not MIN_INTEGER <= whole <= MAX_INTEGER else whole


class Number(Field):
    """An IEEE 754 double."""

    type = "number"
    kind = Kind.NUMBER
    allowed = _ORDER

    def coerce(self, literal: str) -> float:
        value = float(literal)
        if not isfinite(value):
            raise errors.number_out_of_range(literal)
        return value

    def read(self, value: object) -> Any:
        if type(value) is float:
            return value if isfinite(value) else None
        return super().read(value)

    def _read(self, value: object) -> float | None:
        value = unwrap(value)
        if isinstance(value, bool):
            return None
        if isinstance(value, float):
            double = float.__float__(value)
        elif isinstance(value, int):
            double = float(int.__int__(value))  # Raises past the doubles.
        else:
            decimal = _decimal(value)
            if decimal is None:
                return None
            double = float(decimal)  # Raises for a signalling NaN.
        return double if isfinite(double) else None

    def json(self, value: float) -> float:
        return value + 0.0  # Databases do not tell -0.0 from 0.0, nor does any order.


class Boolean(Field):
    """True or false, never equal to 1 or 0."""

    type = "boolean"
    kind = Kind.BOOLEAN
    allowed = _EQUALITY

    def _read(self, value: object) -> bool | None:
        value = unwrap(value)
        return value if value is True or value is False else None


_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]:[0-5][0-9])"
    r"(?:\.([0-9]+))?(?:([Zz])|([+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


_SHORT_LENGTH, TIMESTAMP_LENGTH = len("2020-08-06T12:24:52Z"), len("2020-08-06T12:24:52.256624Z")
"""Of a timestamp without a fraction, and in storage form."""


class Timestamp(Field):
    """An instant, to the microsecond, in the years 1 to 9999 UTC (RFC 3339)."""

    type = "timestamp"
    kind = Kind.STRING
    allowed = _ORDER

    def coerce(self, literal: str) -> datetime:
        quick = usual_instant(literal)
        if quick is not None:
            return quick
        match = _TIMESTAMP.fullmatch(f"{literal}T00:00:00Z" if _DATE.fullmatch(literal) else literal)
        if match is None:
            raise errors.bad_timestamp(literal)
        value = _instant(match)
        if value is None:
            raise errors.bad_timestamp(literal)
        if match[5] is None and match[6] is None:
            raise errors.timestamp_without_offset(literal, literal[: TIMESTAMP_LENGTH - 1] + "Z")
        if match[4] is not None and len(match[4]) > 6:
            raise errors.timestamp_too_fine(literal)
        return value

    def read(self, value: object) -> Any:
        if type(value) is str:
            quick = usual_instant(value)
            if quick is not None:
                return quick
        return super().read(value)

    def _read(self, value: object) -> datetime | None:
        value = unwrap(value)
        if isinstance(value, datetime):
            return _utc(value)
        match = _TIMESTAMP.fullmatch(_plain(value)) if isinstance(value, str) else None
        return None if match is None else _instant(match)

    def json(self, value: datetime) -> str:
        return timestamp_text(value)

    def output(self, value: object) -> str | None:
        # What rows and JSON columns hold is canonical already, most of the time.
        if type(value) is str and len(value) == TIMESTAMP_LENGTH and usual_instant(value):
            return value
        canonical = self.read(value)
        return None if canonical is None else timestamp_text(canonical)


class Date(Field):
    """A calendar date, ``YYYY-MM-DD``, in the years 1 to 9999."""

    type = "date"
    kind = Kind.STRING
    allowed = _ORDER

    def coerce(self, literal: str) -> date:
        value = _date(literal)
        if value is None:
            raise errors.bad_date(literal)
        return value

    def _read(self, value: object) -> date | None:
        value = unwrap(value)
        if isinstance(value, date):
            return None if isinstance(value, datetime) else date(value.year, value.month, value.day)
        return _date(_plain(value)) if isinstance(value, str) else None

    def json(self, value: date) -> str:
        return value.isoformat()


class Array(Field):
    """A list of values of one type, which is not itself an array.

    Args:
        items: the type of the elements. Its own ``nullable``, ``column`` and ``sortable`` mean nothing here.
    """

    type = "array"
    scalar = False

    def __init__(self, items: Field, **options: Unpack[Options]) -> None:
        if not isinstance(items, Field):
            raise errors.not_a_field("items", items)
        if isinstance(items, Array):
            raise errors.array_of_arrays()
        self.items = items
        # An array takes what its elements take; of objects, whether it is missing.
        self.allowed = items.operators if items.scalar else _EQUALITY  # type: ignore[misc]
        self.kind = items.kind  # type: ignore[misc]
        super().__init__(**options)

    def coerce(self, literal: str) -> Any:
        return self.items.coerce(literal)

    def _read(self, value: object) -> list[Any] | tuple[Any, ...] | None:
        if type(value) is list or type(value) is tuple:
            return value
        value = unwrap(value)
        return list(value) if isinstance(value, (list, tuple)) else None

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.items.signature())


class Object(Field):
    """A value with members, reached by dotted path.

    Args:
        members: the members by name, at least one.
    """

    type = "object"
    scalar = False

    def __init__(self, members: Mapping[str, Field], **options: Unpack[Options]) -> None:
        if not isinstance(members, Mapping):
            raise errors.bad_members(members)
        for name, member in members.items():
            if not is_text(name) or not name:
                raise errors.bad_identifier("field", name)
            if not isinstance(member, Field):
                raise errors.not_a_field(name, member)
        if not members:
            raise errors.no_members()
        self.members = {_plain(name): member for name, member in members.items()}
        super().__init__(**options)

    def _read(self, value: object) -> object | None:
        value = unwrap(value)
        return None if isinstance(value, _NO_MEMBERS) else value

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), tuple((name, member.signature()) for name, member in self.members.items()))


class Open(Field):
    """Any value: what an open schema takes every field for. The literal decides the type."""

    type = "any"


_NO_MEMBERS = (str, bytes, bool, int, float, list, tuple, datetime, date, type(None))
"""Values that are leaves or arrays, whatever attributes Python gives them."""


def member(owner: object, name: str) -> object:
    """Return a member of a value in the data, None where missing: by key of a mapping, by attribute of an object."""
    # Data never makes a filter raise (SPEC §4.6), and a property or a mapping may raise anything.
    try:
        if isinstance(owner, dict):
            return dict.get(owner, name)  # As the generated code has it.
        owner = unwrap(owner)
        if isinstance(owner, _NO_MEMBERS):
            return None
        if isinstance(owner, Mapping):
            return owner.get(name)
        # No filter reaches the interpreter's own attributes, in an open schema either.
        return None if name.startswith("__") else getattr(owner, name, None)
    except Exception:  # noqa: BLE001
        return None


def at(owner: object, path: Iterable[str]) -> object:
    """Return what a value in the data has at a path, as `member` steps through it."""
    for name in path:
        owner = member(owner, name)
    return owner


def timestamp_text(value: datetime) -> str:
    """Return a UTC timestamp as fixed-width text: ``2020-08-06T12:24:52.256624Z`` (SPEC §5)."""
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _operators(field: Field, names: Iterable[str | Operator]) -> frozenset[Operator]:
    chosen = set()
    for name in names:
        try:
            chosen.add(Operator(name))
        except ValueError:
            raise errors.unknown_allowed_operator(str(name), field.type) from None
    if not chosen <= field.allowed:
        raise errors.operator_not_of_type(sorted(o.value for o in chosen - field.allowed), field.type)
    return frozenset(chosen)


def is_text(value: object) -> bool:
    """Whether a value is a string that every backend can hold: no U+0000, no lone surrogate."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def unwrap(value: object) -> object:
    """Return what a value in the data counts as: of an `enum.Enum` member its value (SPEC §4.7)."""
    try:
        return value.value if isinstance(value, enum.Enum) else value
    except Exception:  # noqa: BLE001  # As in `Field.read`.
        return None


def _plain(value: str) -> str:
    """Return the text of a `str` whose class may have another ``__str__``; raises where it only says that it is one."""
    return str.__str__(value)


def _decimal(value: object) -> Decimal | None:
    """Return the value of a `Decimal`, whatever its class makes of it."""
    from decimal import Decimal  # Costs start-up time.

    if type(value) is Decimal:
        return value
    return Decimal(value) if isinstance(value, Decimal) else None


def _integral_decimal(value: object) -> int | None:
    decimal = _decimal(value)
    # The exponent is looked at before conversion: int(Decimal("1e999999999")) would fill the memory.
    if decimal is None or not decimal.is_finite() or decimal.adjusted() > 18 or decimal != decimal.to_integral_value():
        return None
    return int(decimal)


def _canonical_uuid(text: str) -> str | None:
    match = _UUID.fullmatch(text)
    return None if match is None else "-".join(match.group(2, 4, 5, 6, 7)).lower()


def usual_instant(text: str) -> datetime | None:
    """Read a timestamp spelled as most are, in UTC with capital letters; None for other texts, some of them timestamps.

    `fromisoformat` takes what ISO 8601 has besides, told apart by where the marks stand, and a `Z` before U+0000.
    """
    length = len(text)
    marks = text[4:20:3]
    if marks == "--T::." and _SHORT_LENGTH + 2 <= length <= TIMESTAMP_LENGTH:
        usual = text[-1] == "Z"
    else:
        usual = marks == "--T::Z" and length == _SHORT_LENGTH
    if not usual or "\0" in text or (TAKES_HOUR_24 and text[11:13] == "24"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # No such day.
        return None


def _takes(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


TAKES_HOUR_24 = _takes("2020-08-06T24:00:00Z")
"""Whether this Python's `fromisoformat` takes what RFC 3339 does not."""


def _instant(match: re.Match[str]) -> datetime | None:
    try:
        # `fromisoformat` reads all that the expression matches, upper-case, and cuts digits past the sixth too.
        value = datetime.fromisoformat(match[0].upper())
        if value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):  # No such day; outside the years 1 to 9999 in UTC.
        return None


def _utc(value: datetime) -> datetime | None:
    moved = value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
    if type(moved) is datetime:
        return moved.replace(fold=0)
    # A class of its own may hold and compare more than its fields say.
    day, time = (moved.year, moved.month, moved.day), (moved.hour, moved.minute, moved.second, moved.microsecond)
    return datetime(*day, *time, tzinfo=UTC)


def _date(text: str) -> date | None:
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class Leaf(NamedTuple):
    """A scalar or an array of a schema, outside any array: what a column or a place in a JSON column holds."""

    path: tuple[str, ...]
    field: Field
    column: Column
    nullable: bool
    """Whether any step of the path is nullable."""
    returnable: bool
    """Whether every step of the path is."""

    @property
    def sortable(self) -> bool:
        """Whether it may be sorted by: a token shows its value, so it must be returnable."""
        return self.field.sortable and self.returnable


def leaves(root: Object | Open, *, binary: bool) -> dict[tuple[str, ...], Leaf]:
    """Return the leaves of a schema by path, in declared order; none of an open one, which declares nothing.

    Args:
        root: the fields of a resource.
        binary: whether text columns have a binary collation where their field does not say.
    """
    found: dict[tuple[str, ...], Leaf] = {}
    if isinstance(root, Open):
        return found

    def visit(
        owner: Object,
        path: tuple[str, ...],
        column: str | None,
        json_path: tuple[str, ...],
        nullable: bool,
        returnable: bool,
    ) -> None:
        for name, member in owner.members.items():
            place = (*path, name)
            if member.column is not None:
                at, inside = member.column, member.json_path or ()
            elif column is None:
                at, inside = name, ()
            else:
                at, inside = column, (*json_path, name)
            maybe = nullable or member.nullable
            shown = returnable and member.returnable
            if isinstance(member, Object):
                visit(member, place, at, inside, maybe, shown)
            else:
                own = getattr(member, "binary", None)
                where = Column(at, inside, maybe or bool(inside), binary if own is None else own)
                found[place] = Leaf(place, member, where, maybe, shown)

    visit(root, (), None, (), False, True)
    return found
