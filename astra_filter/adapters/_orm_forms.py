"""The forms in which columns of people's own hold values, where they are not those of SPEC §5.

What a database stores, what SQL compares and what Python reads may be three things: text timestamps of SQLite have many
spellings, PostgreSQL pads CHAR, a REAL is a short decimal to people and a long one to SQL. So a column has a form:
how SQL reads it, and what is done to the value that Python has.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from astra_filter import fields
from astra_filter.language.decimals import decimal_text
from astra_filter.language.operators import Operator
from astra_filter.sql.dialects.base import fill
from astra_filter.wording import adapters as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from astra_filter.fields import Field
    from astra_filter.sql.operands import Operand

F = TypeVar("F", bound="Field")

Form: TypeAlias = Literal[
    "plain", "instant", "float", "single", "decimal", "digits15", "places10", "padded", "folding", "unsigned", "uuid"
]
"""``plain`` is as SPEC §5 has it. The others: ``instant``, timestamps, text on SQLite; ``float``, of 4 bytes on
MariaDB; ``single``, of 4 bytes but on SQLite; ``decimal``, compared as doubles (SPEC §3), and ``digits15`` and
``places10``, of which the ORM reads no more on SQLite; ``padded``, CHAR, whose trailing blanks say nothing;
``folding``, a type of text that folds case; ``unsigned``, may be past 64 bits with a sign; ``uuid``, of MariaDB's own
type, which sorts otherwise."""

_OFFSET = "ltrim(ltrim(substr({x}, 20), '.'), '0123456789')"
"""What follows the seconds of SQLite's text, without the fraction: an offset, ``Z``, or nothing."""
_INSTANT = (
    # Most are written in one way, which is compared as it stands.
    "CASE WHEN {x} GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]' THEN {x} ELSE "
    # SQLite moves whole seconds to UTC; it would round the fraction.
    "datetime(substr({x}, 1, 19) || "
    f"CASE length({_OFFSET}) WHEN 3 THEN {_OFFSET} || ':00' "
    f"WHEN 5 THEN substr({_OFFSET}, 1, 3) || ':' || substr({_OFFSET}, 4) ELSE {_OFFSET} END) || '.' || "
    f"substr(substr({{x}}, 21, max(0, length({{x}}) - 20 - length({_OFFSET}))) || '000000', 1, 6) END"
)
LARGEST = "1.7976931348623157e308"
"""The largest double, as SQL."""

_DECIMALS = {
    # Casts of what no double holds would raise; NaN is above all.
    "postgresql": (
        f"CASE WHEN abs({{x}}) < 2.5e-324 THEN 0 WHEN abs({{x}}) <= {LARGEST} THEN CAST({{x}} AS double precision) END"
    ),
    "mysql": "CAST({x} AS DOUBLE)",
}
_READS: Mapping[str, Mapping[str, str]] = {
    "instant": {"sqlite": _INSTANT},
    "float": {"mysql": "CAST(CAST({x} AS CHAR) AS DOUBLE)"},
    "single": {
        # The shortest decimal that makes the float, as people wrote it; MariaDB shows six digits everywhere.
        "postgresql": "CAST(CAST({x} AS text) AS double precision)",
        "mysql": "CAST(CAST({x} AS CHAR) AS DOUBLE)",
    },
    # Null is 0 to printf.
    "decimal": {**_DECIMALS, "sqlite": "CAST({x} AS REAL)"},
    "digits15": {**_DECIMALS, "sqlite": "CASE WHEN {x} IS NOT NULL THEN CAST(printf('%.15g', {x}) AS REAL) END"},
    "places10": {**_DECIMALS, "sqlite": "CASE WHEN {x} IS NOT NULL THEN CAST(printf('%.10f', {x}) AS REAL) END"},
    "padded": {"postgresql": "CAST({x} AS text)", "mysql": "RTRIM({x})", "sqlite": "rtrim({x}, ' ')"},
    "folding": {"postgresql": "CAST({x} AS text)"},
    "unsigned": {"mysql": "CASE WHEN {x} <= 9223372036854775807 THEN {x} END"},
}
_SORTED_UUID = "CAST({x} AS CHAR)"
_DECIMAL = frozenset({"decimal", "digits15", "places10"})
_READS_NULL = frozenset(
    [
        ("instant", "sqlite"),
        *[(form, "postgresql") for form in _DECIMAL],
        ("unsigned", "mysql"),
        ("unsigned", "mariadb"),
    ]
)
"""Where SQL reads a value as null that no field reads."""


def as_read(form: Form, dialect: str, operand: Operand, *, sorting: bool) -> Operand:
    """Return the operand of a column as its values are compared.

    Args:
        form: of the column.
        dialect: the name of the database's SQL, or ``mariadb`` where UUIDs are of its own type.
        operand: the column as it stands.
        sorting: values are sorted by, and sought in that order.
    """
    if form == "uuid":
        template = _SORTED_UUID if sorting and dialect == "mariadb" else None
    else:
        template = _READS.get(form, {}).get("mysql" if dialect == "mariadb" else dialect)
    if template is None:
        return operand
    nullable = operand.nullable or (form, dialect) in _READS_NULL
    return operand._replace(value=fill(template, x=operand.value), nullable=nullable)


def as_shown(form: Form, field: Field, value: Any) -> Any:
    """Return what an ORM's instance holds as it is compared and shown; null where SQL reads null."""
    if form == "padded" and isinstance(value, str):
        return value.rstrip(" ")
    if form == "single" and type(value) is float:
        return _shortest(value)
    nulled = form == "unsigned" or (form in _DECIMAL and isinstance(field, fields.Number))
    if nulled and field.read(value) is None:
        return None
    return value


def _shortest(value: float) -> float:
    """Return the shortest decimal that makes a float of 4 bytes, where the value is one, as some drivers give them."""
    try:
        single = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return value
    if single != value:
        return value
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", shorter))[0] == value:
            return shorter
    return float(f"{value:.9g}")


FITS: Mapping[type[Field], frozenset[type[Field] | None]] = {
    fields.Object: frozenset({fields.Object}),
    fields.Array: frozenset({fields.Object}),
    fields.Map: frozenset({fields.Object}),
    fields.String: frozenset({fields.String}),
    fields.Enum: frozenset({fields.String}),
    fields.Uuid: frozenset({fields.Uuid, fields.String}),
    fields.Integer: frozenset({fields.Integer}),
    fields.Number: frozenset({fields.Number, fields.Integer}),
    fields.Decimal: frozenset({fields.Number, fields.Integer}),
    fields.Boolean: frozenset({fields.Boolean}),
    fields.Timestamp: frozenset({fields.Timestamp, fields.String}),
    fields.Date: frozenset({fields.Date, fields.String}),
}
"""The columns, by the field that represents them, whose values a field compares; `Object` stands for JSON. Dates and
UUIDs may be text, which must be canonical."""


def decimal_parameter(value: Decimal, dialect: str) -> Any:
    """Return a decimal as the driver of a database takes it, to be compared with a column of an ORM."""
    return float(value) if dialect == "sqlite" else decimal_text(value)


@dataclass(frozen=True)
class Converter:
    """How a column holds a field's values; see `converted`."""

    to_database: Callable[[Any], Any]
    to_resource: Callable[[Any], Any]
    ordered: bool

    def bound(self, value: Any) -> Any:
        """Return what the model's attribute takes for a canonical value; None where there is no such value."""
        try:
            return self.to_database(value)
        except _NO_VALUE:
            return None

    def shown(self, value: Any) -> Any:
        """Return what the field reads of what the attribute holds; as it is, which no field reads, where that fails."""
        try:
            return None if value is None else self.to_resource(value)
        except _NO_VALUE:
            return value


_NO_VALUE = (ValueError, TypeError, LookupError, ArithmeticError)
"""What people's functions raise for values that they do not know."""


def converted(
    field: F,
    *,
    to_database: Callable[[Any], Any],
    to_resource: Callable[[Any], Any],
    ordered: bool = False,
) -> F:
    """Return a field for a column whose Python values are of a class of their own, for ``fields`` of `schema`.

    Filters, orders, tokens and items use the pair alike. Without ``ordered`` the field takes ``eq``, ``ne`` and ``in``
    only, and cannot be sorted by.

    Args:
        field: the field that callers see; it is not changed.
        to_database: makes a canonical value (`Field.coerce` tells which) what the model's attribute takes. Two values
            make two that the database tells apart. It may raise ``ValueError`` for a value that the column never has.
        to_resource: makes what the attribute holds a value that the field reads; the inverse of ``to_database``.
        ordered: the database orders what it stores as the field orders its values, and ``to_database`` takes them all.

    Raises:
        SchemaError: the field is no scalar, or an argument cannot be called.
    """
    if not getattr(field, "scalar", False) or not callable(to_database) or not callable(to_resource):
        raise wording.bad_converter(field)
    allowed = {Operator.EQ, Operator.NE, Operator.IN}
    if ordered:
        allowed |= {Operator.LT, Operator.LTE, Operator.GT, Operator.GTE}
    return fields.changed(
        field,
        operators=field.operators & allowed,
        sortable=field.sortable and ordered,
        adapted=Converter(to_database, to_resource, ordered),
    )


def converter_of(field: Field) -> Converter | None:
    """Return the converter that `converted` gave a field."""
    return field.adapted if isinstance(field.adapted, Converter) else None
