"""The field types of SPEC §3: which literals and operators each takes, and how each reads a value in the data.

The set is closed: `AnyField` lists its members, and who treats a field by its type has a ``match`` that names every
member, or a table that a test finds complete. Long because each type is read beside the others, and added here alone.

Every scalar value has one canonical Python form, in which all backends compare it: text as `str`, UUIDs as canonical
lower-case `str`, integers as `int`, numbers as `float`, timestamps as UTC `datetime`, dates as `date`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, TypeVar, final

from astra_filter.language.names import nearest
from astra_filter.language.operators import EQUALITY, FOLDED, ORDER, TEXT, Kind, Operator, TypeName
from astra_filter.language.values import (
    DATE_PATTERN,
    MAX_DIGITS,
    NO_MEMBERS,
    PLAIN_ENUMS,
    TIMESTAMP_LENGTH,
    TIMESTAMP_PATTERN,
    Between,
    canonical_uuid,
    integral_decimal,
    is_canonical_uuid,
    is_text,
    plain_decimal,
    plain_text,
    read_date,
    read_instant,
    timestamp_text,
    to_utc,
    unwrap,
    usual_instant,
)
from astra_filter.wording import literals as literals_wording
from astra_filter.wording import request as request_wording
from astra_filter.wording import schema as schema_wording

if TYPE_CHECKING:
    import builtins
    import inspect
    from typing import TypedDict, Unpack

    from astra_filter.language.decimals import Grid

    class Options(TypedDict, total=False):
        """What every `Field` takes; for type checkers."""

        nullable: bool
        operators: Iterable[str | Operator] | None
        sortable: bool | None
        returnable: bool
        column: str | None
        json_path: Iterable[str] | None
        storage: str | None
        description: str


_OFFSET_LENGTH = len("+00:00")
_EXACT_DIGITS = 15
"""Digits of a decimal that a double shows again: DBL_DIG of C."""

_FRACTION_DIGITS = 6
"""Digits of a second that a timestamp keeps; ..."""
_MOST_FRACTION_DIGITS = 30
"""... and those that a literal may have."""
_MICROSECOND = timedelta(microseconds=1)

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1

F = TypeVar("F", bound="Field")

_put = object.__setattr__
"""Gives a field that is being made its attributes, which nobody can change afterwards."""


class _Signature:
    """Gives a class's signature as `inspect` and ``help`` show it: with the parameters of ``**options`` by name."""

    def __get__(self, _: object, owner: type[Field]) -> inspect.Signature:
        from inspect import Parameter, Signature, signature  # Only for those who ask: it costs start-up time.

        found: dict[str, Parameter] = {}
        for cls in owner.__mro__[:-1]:
            if "__init__" in vars(cls):
                _, *parameters = signature(vars(cls)["__init__"]).parameters.values()
                for parameter in parameters:
                    if parameter.kind is not Parameter.VAR_KEYWORD:
                        found.setdefault(parameter.name, parameter)
        return Signature(list(found.values()))


class Field:
    """One declared member of a resource. Immutable; the base of the types below, and of no others.

    Args:
        nullable: the value may be missing or null.
        operators: the operators allowed, a subset of the type's own; default all of them.
        sortable: may appear in ``orderBy``; default True for scalars, impossible for arrays and objects.
        returnable: may be returned to the caller.
        column: the SQL column that holds the value; default the field's name, or the parent's column.
        json_path: the members to step through inside ``column``, when it holds JSON.
        storage: what the SQL column is, where it is not what `create_table` would make: a name of SPEC §5, such as
            ``smallint`` or ``epoch_ms``.
        description: one line for people.

    Raises:
        SchemaError: the arguments contradict each other.
    """

    __slots__ = (
        "adapted",
        "column",
        "description",
        "json_path",
        "nullable",
        "operators",
        "returnable",
        "sortable",
        "storage",
    )
    __signature__ = _Signature()

    adapted: object
    """What an adapter adds to a field of its own."""
    nullable: bool
    operators: frozenset[Operator]
    sortable: bool
    returnable: bool
    description: str
    column: str | None
    json_path: tuple[str, ...] | None
    storage: str | None

    type: ClassVar[TypeName]
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
        storage: str | None = None,
        description: str = "",
    ) -> None:
        _put(self, "adapted", None)
        _put(self, "nullable", nullable)
        _put(self, "operators", self.allowed if operators is None else _operators(self, operators))
        _put(self, "sortable", (self.scalar and returnable) if sortable is None else sortable)
        _put(self, "returnable", returnable)
        _put(self, "description", description)
        if self.sortable and not (self.scalar and returnable):
            raise schema_wording.unsortable_type(self.type)
        if json_path is not None and column is None:
            raise schema_wording.path_without_column()
        if isinstance(json_path, str):
            raise request_wording.bad_names("json_path", json_path)
        if storage is not None and not (storage and is_text(storage)):
            raise schema_wording.bad_identifier("storage", storage)
        if storage is not None and (json_path is not None or self.type in ("object", "map")):
            raise schema_wording.storage_in_json(storage)
        if column is not None and not is_text(column):
            raise schema_wording.bad_identifier("column", column)
        steps = None if json_path is None else tuple(json_path)
        for step in steps or ():
            if not is_text(step):
                raise schema_wording.bad_identifier("member", step)
        # Generated code takes no names of other classes.
        _put(self, "column", None if column is None else plain_text(column))
        _put(self, "json_path", None if steps is None else tuple(map(plain_text, steps)))
        _put(self, "storage", None if storage is None else plain_text(storage))

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise schema_wording.closed_types(cls.__name__)

    def __setattr__(self, name: str, value: object) -> None:
        try:
            object.__getattribute__(self, name)
        except AttributeError:  # It has no value yet; or there is no such attribute, which raises here.
            object.__setattr__(self, name, value)
        else:
            raise AttributeError(f"{name} of a field cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a field cannot be changed")

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

    def _folding(self) -> Iterator[tuple[object, ...]]:
        """Yield what the signature says of the operators that ignore case; nothing for older lists."""
        folding = self.operators & FOLDED
        if self.operators != self.allowed and (folding or self.operators == self.allowed - FOLDED):
            yield ("folding", *sorted(operator.value for operator in folding))

    def signature(self) -> tuple[object, ...]:
        """What tells this field from others, for fingerprints: everything that can change a filter's meaning or SQL."""
        return (
            self.type,
            self.nullable,
            tuple(sorted(operator.value for operator in self.operators - FOLDED)),
            self.sortable,
            self.returnable,
            self.column,
            self.json_path,
            *(() if self.storage is None else (("storage", self.storage),)),
            *self._folding(),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'nullable=True' if self.nullable else ''})"


class _Text(Field):
    """A field whose data is text: what strings and enums share."""

    __slots__ = ("binary",)

    binary: bool | None

    kind = Kind.STRING

    def __init__(self, *, binary: bool | None = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        _put(self, "binary", binary)

    def read(self, value: object) -> Any:
        if type(value) is str:
            return value
        try:
            if type(value) in PLAIN_ENUMS:
                held = value._value_  # type: ignore[attr-defined]  # What `value` returns, without a call.
                if type(held) is str:
                    return held
        except Exception:  # noqa: BLE001, S110  # Such as a class that has no hash.
            pass
        return super().read(value)

    def _read(self, value: object) -> str | None:
        value = unwrap(value)
        return plain_text(value) if isinstance(value, str) else None

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.binary)


@final
class String(_Text):
    """Text, compared by code point.

    Args:
        max_length: most code points a value may have; None for no bound. Makes bounded columns and tokens possible.
        binary: whether the SQL column's collation compares by code point; None takes the schema's word.
        folded: the name of a column that holds the text folded (SPEC §4.9), which `to_row` writes and `create_table`
            makes: tests that ignore case are then served by an ordinary index on it, and have SQL everywhere. Inside an
            array it means nothing.
    """

    __slots__ = ("folded", "max_length")

    max_length: int | None

    type = "string"
    allowed = ORDER | TEXT | FOLDED

    def __init__(
        self,
        *,
        max_length: int | None = None,
        binary: bool | None = None,
        folded: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(binary=binary, **options)
        if folded is not None and (not is_text(folded) or not folded):
            raise schema_wording.bad_identifier("folded", folded)
        self.folded = None if folded is None else plain_text(folded)
        if max_length is not None and (type(max_length) is not int or max_length < 1):
            raise schema_wording.bad_max_length(max_length)
        _put(self, "max_length", max_length)

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.max_length, *(() if self.folded is None else (("folded", self.folded),)))


@final
class Enum(_Text):
    """One of the declared strings. An undeclared value in the data equals no literal.

    Args:
        values: the declared strings, at least one, or one Python `enum.Enum` class with string values.
    """

    __slots__ = ("_declared", "values")

    values: tuple[str, ...]
    _declared: frozenset[str]

    type = "enum"
    allowed = EQUALITY

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
            raise schema_wording.bad_enum_values(listed)
        _put(self, "values", tuple(map(plain_text, listed)))
        _put(self, "_declared", frozenset(self.values))

    def coerce(self, literal: str) -> str:
        if literal in self._declared:
            return literal
        raise literals_wording.undeclared_value(literal, self.values, nearest(literal, self.values))

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.values)


class _NoUuid:
    """Stands for `uuid.UUID` until a value of it comes."""


@final
class Uuid(Field):
    """A UUID, compared in canonical lower-case form; RFC 9562 text, bare hex, braces or ``urn:uuid:``."""

    __slots__ = ()

    type = "uuid"
    kind = Kind.STRING
    allowed = EQUALITY

    def coerce(self, literal: str) -> str:
        value = canonical_uuid(literal)
        if value is None:
            raise literals_wording.bad_uuid(literal)
        return value

    _known: ClassVar[builtins.type] = _NoUuid
    """The class `uuid.UUID` once a value of it was read."""

    def read(self, value: object) -> Any:
        if type(value) is str:
            return value if is_canonical_uuid(value) else super().read(value)
        if type(value) is Uuid._known:
            try:
                digits = f"{value.int:032x}"  # type: ignore[attr-defined]
            except AttributeError:  # It was not made as UUIDs are.
                return None
            return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        return super().read(value)

    def _read(self, value: object) -> str | None:
        if type(value) is str:
            return canonical_uuid(value)
        from uuid import UUID  # Costs start-up time, and few resources hold UUID objects.

        Uuid._known = UUID
        value = unwrap(value)
        if isinstance(value, UUID):
            return UUID.__str__(value)
        return canonical_uuid(plain_text(value)) if isinstance(value, str) else None


@final
class Integer(Field):
    """A 64-bit signed integer; never goes through a float."""

    __slots__ = ()

    type = "integer"
    kind = Kind.NUMBER
    allowed = ORDER

    def coerce(self, literal: str) -> int:
        if "." in literal or "e" in literal or "E" in literal:
            raise literals_wording.not_an_integer(literal)
        # Counted before conversion: int() takes quadratic time.
        if len(literal) > 20 or not MIN_INTEGER <= (value := int(literal)) <= MAX_INTEGER:
            raise literals_wording.integer_out_of_range(literal)
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
            whole = integral_decimal(value)
        return None if whole is None or not MIN_INTEGER <= whole <= MAX_INTEGER else whole


@final
class Number(Field):
    """An IEEE 754 double."""

    __slots__ = ()

    type = "number"
    kind = Kind.NUMBER
    allowed = ORDER

    def coerce(self, literal: str) -> float:
        value = float(literal)
        if not isfinite(value):
            raise literals_wording.number_out_of_range(literal)
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
            decimal = plain_decimal(value)
            if decimal is None:
                return None
            double = float(decimal)  # Raises for a signalling NaN.
        return double if isfinite(double) else None

    def json(self, value: float) -> float:
        return value + 0.0  # Databases do not tell -0.0 from 0.0, nor does any order.


@final
class Decimal(Field):
    """An exact decimal number, for money. No value of it, and no literal, ever passes through a float.

    Data may hold `decimal.Decimal`, integers, decimal text, and floats, which count as their shortest text. A value
    with more places, or more digits, than declared counts as null. A literal with more places equals no value and
    orders exactly. Items and tokens show the value as text with all its places: ``"398.70"``.

    Args:
        digits: the digits of the largest value, 1 to 1,000. A database may hold fewer (SPEC §5).
        places: how many of them stand after the point, 0 to ``digits``.
        as_number: items show a JSON number instead of text; for at most 15 digits, which a double holds.
    """

    __slots__ = ("as_number", "grid")

    as_number: bool
    grid: Grid

    type = "decimal"
    kind = Kind.NUMBER
    allowed = ORDER

    def __init__(self, digits: int, places: int, *, as_number: bool = False, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        if type(digits) is not int or not 1 <= digits <= MAX_DIGITS:
            raise schema_wording.bad_digits(digits, MAX_DIGITS)
        if type(places) is not int or not 0 <= places <= digits:
            raise schema_wording.bad_places(places, digits)
        if as_number and digits > _EXACT_DIGITS:
            raise schema_wording.not_exact_as_number(digits, _EXACT_DIGITS)
        from astra_filter.language.decimals import Grid  # Costs start-up time, which few schemas need to pay.

        _put(self, "grid", Grid(digits, places))
        _put(self, "as_number", as_number)

    def coerce(self, literal: str) -> Any:
        return self.grid.coerce(literal)

    def _read(self, value: object) -> Any:
        return self.grid.read(unwrap(value))

    def json(self, value: Any) -> str:
        return self.grid.text(value)

    def output(self, value: object) -> Any:
        canonical = self.read(value)
        if canonical is None:
            return None
        if not self.as_number:
            return self.grid.text(canonical)
        return float(canonical) if self.grid.places else int(canonical)

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), *self.grid, self.as_number)


@final
class Boolean(Field):
    """True or false, never equal to 1 or 0."""

    __slots__ = ()

    type = "boolean"
    kind = Kind.BOOLEAN
    allowed = EQUALITY

    def _read(self, value: object) -> bool | None:
        value = unwrap(value)
        return value if value is True or value is False else None


@final
class Timestamp(Field):
    """An instant, to the microsecond, in the years 1 to 9999 UTC (RFC 3339); a bare date is its midnight UTC.

    A literal may be finer: it equals no value, and orders exactly.
    """

    __slots__ = ()

    type = "timestamp"
    kind = Kind.STRING
    allowed = ORDER

    def coerce(self, literal: str) -> datetime | Between:
        quick = usual_instant(literal)
        if quick is not None:
            return quick
        match = TIMESTAMP_PATTERN.fullmatch(f"{literal}T00:00:00Z" if DATE_PATTERN.fullmatch(literal) else literal)
        if match is None or (match[4] is not None and len(match[4]) > _MOST_FRACTION_DIGITS):
            raise literals_wording.bad_timestamp(literal)
        value = read_instant(match)
        if value is None:
            raise literals_wording.bad_timestamp(literal)
        if match[5] is None and match[6] is None:
            raise literals_wording.timestamp_without_offset(literal, f"{literal}Z")
        fraction = match[4]
        if fraction is None or len(fraction) <= _FRACTION_DIGITS or not fraction[_FRACTION_DIGITS:].strip("0"):
            return value
        try:
            return Between(value, value + _MICROSECOND)
        except OverflowError:  # The year 9999 ends there.
            return Between(value, None)

    def read(self, value: object) -> Any:
        if type(value) is str:
            quick = usual_instant(value)
            if quick is not None:
                return quick
        elif type(value) is datetime:
            zone = value.tzinfo
            if zone is UTC and not value.fold:
                return value
            if zone is None:
                return value.replace(tzinfo=UTC, fold=0)
        return super().read(value)

    def _read(self, value: object) -> datetime | None:
        value = unwrap(value)
        if isinstance(value, datetime):
            return to_utc(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        if not isinstance(value, str):
            return None
        text = plain_text(value)
        match = TIMESTAMP_PATTERN.fullmatch(text)
        if match is not None:
            return read_instant(match)
        day = read_date(text)
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)

    def json(self, value: datetime) -> str:
        return timestamp_text(value)

    def output(self, value: object) -> str | None:
        # What rows and JSON columns hold is canonical already, most of the time.
        if type(value) is str and len(value) == TIMESTAMP_LENGTH and usual_instant(value):
            return value
        if type(value) is datetime:
            zone = value.tzinfo
            if zone is None:
                return value.isoformat(timespec="microseconds") + "Z"
            if zone is UTC:
                return value.isoformat(timespec="microseconds")[:-_OFFSET_LENGTH] + "Z"
        canonical = self.read(value)
        return None if canonical is None else timestamp_text(canonical)


@final
class Date(Field):
    """A calendar date, ``YYYY-MM-DD``, in the years 1 to 9999."""

    __slots__ = ()

    type = "date"
    kind = Kind.STRING
    allowed = ORDER

    def coerce(self, literal: str) -> date:
        value = read_date(literal)
        if value is None:
            raise literals_wording.bad_date(literal)
        return value

    def _read(self, value: object) -> date | None:
        value = unwrap(value)
        if isinstance(value, date):
            return None if isinstance(value, datetime) else date(value.year, value.month, value.day)
        return read_date(plain_text(value)) if isinstance(value, str) else None

    def json(self, value: date) -> str:
        return value.isoformat()


@final
class Array(Field):
    """A list of values of one type, which is not itself an array.

    Args:
        items: the type of the elements. Its own ``nullable``, ``column`` and ``sortable`` mean nothing here.
    """

    __slots__ = ("allowed", "items", "kind")

    items: AnyField

    type = "array"
    scalar = False

    def __init__(self, items: Field, **options: Unpack[Options]) -> None:
        if not isinstance(items, Field):
            raise schema_wording.not_a_field("items", items)
        if isinstance(items, Array):
            raise schema_wording.array_of_arrays()
        if isinstance(items, Map):
            raise schema_wording.array_of_maps()
        _put(self, "items", items)
        # An array takes what its elements take; of objects, whether it is missing.
        _put(self, "allowed", items.operators if items.scalar else EQUALITY)
        _put(self, "kind", items.kind)
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


@final
class Object(Field):
    """A value with members, reached by dotted path.

    Args:
        members: the members by name, at least one.
    """

    __slots__ = ("members",)

    members: Mapping[str, AnyField]

    type = "object"
    scalar = False

    def __init__(self, members: Mapping[str, Field], **options: Unpack[Options]) -> None:
        if not isinstance(members, Mapping):
            raise schema_wording.bad_members(members)
        for name, member in members.items():
            if not is_text(name) or not name:
                raise schema_wording.bad_identifier("field", name)
            if not isinstance(member, Field):
                raise schema_wording.not_a_field(name, member)
        if not members:
            raise schema_wording.no_members()
        _put(self, "members", {plain_text(name): member for name, member in members.items()})
        super().__init__(**options)

    def _read(self, value: object) -> object | None:
        value = unwrap(value)
        return None if isinstance(value, NO_MEMBERS) else value

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), tuple((name, member.signature()) for name, member in self.members.items()))


@final
class Map(Field):
    """An object with free keys and scalar values of one type, such as labels.

    A filter names a key as it names a member: ``labels.env eq 'prod'``. The key comes from the caller, so it is bound
    like a literal and never part of SQL. Every value may be missing; the map itself takes no test. In data, a map is a
    mapping. Entries whose key is no text are passed over, and so are values of another type.

    Args:
        values: the type of the values, a scalar one. Its own ``nullable``, ``sortable``, ``returnable`` and
            ``column`` mean nothing here.
    """

    __slots__ = ("allowed", "kind", "values")

    values: AnyField

    type = "map"
    scalar = False

    def __init__(self, values: Field, **options: Unpack[Options]) -> None:
        if not isinstance(values, Field):
            raise schema_wording.not_a_field("values", values)
        if not values.scalar or isinstance(values, Open):
            raise schema_wording.map_of_containers(values.type)
        # A map takes what its values take.
        _put(self, "allowed", values.operators)
        _put(self, "kind", values.kind)
        super().__init__(**options)
        made = changed(
            values,
            nullable=True,
            operators=self.operators,
            sortable=False,
            returnable=True,
            column=None,
            json_path=None,
        )
        _put(self, "values", made)

    def _read(self, value: object) -> dict[str, Any] | None:
        return self._entries(value, self.values.read)

    def _entries(self, value: object, read: Callable[[object], Any]) -> dict[str, Any] | None:
        value = unwrap(value)
        if not isinstance(value, Mapping):
            return None
        found = [(plain_text(key), read(value[key])) for key in value if isinstance(key, str)]
        return {key: entry for key, entry in found if entry is not None}

    def json(self, value: dict[str, Any]) -> dict[str, Any]:
        return {key: self.values.json(entry) for key, entry in value.items()}

    def output(self, value: object) -> dict[str, Any] | None:
        try:
            return self._entries(value, self.values.output)
        except Exception:  # noqa: BLE001  # As `read`.
            return None

    def signature(self) -> tuple[object, ...]:
        return (*super().signature(), self.values.signature())


@final
class Open(Field):
    """Any value: what an open schema takes every field for. The literal decides the type."""

    __slots__ = ()

    type = "any"


AnyField: TypeAlias = (
    String | Enum | Uuid | Integer | Number | Decimal | Boolean | Timestamp | Date | Array | Object | Map | Open
)
"""A field of any type, for a ``match`` that names them all."""


def changed(field: F, **changes: object) -> F:
    """Return a copy of a field with other values in the attributes named.

    Raises:
        AttributeError: there is no such attribute.
    """
    made = object.__new__(type(field))
    values = {name: getattr(field, name) for cls in type(field).__mro__[:-1] for name in vars(cls)["__slots__"]}
    for name, value in {**values, **changes}.items():
        object.__setattr__(made, name, value)
    return made


def _operators(field: Field, names: Iterable[str | Operator]) -> frozenset[Operator]:
    chosen = set()
    for name in names:
        try:
            chosen.add(Operator(name))
        except ValueError:
            raise schema_wording.unknown_allowed_operator(str(name), field.type) from None
    if not chosen <= field.allowed:
        raise schema_wording.operator_not_of_type(sorted(o.value for o in chosen - field.allowed), field.type)
    return frozenset(chosen)
