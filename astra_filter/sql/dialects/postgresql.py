"""PostgreSQL."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from astra_filter.fields import Enum
from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.language.operators import EQUALITY
from astra_filter.language.values import MAX_DIGITS, timestamp_text
from astra_filter.sql.dialects.base import (
    EQUALITY_ONLY,
    EVERYTHING,
    Dialect,
    Elements,
    NamedStorage,
    Storage,
    decimal_pattern,
    grid,
    key_literal,
    literal,
)
from astra_filter.sql.forms import EPOCHS, is_on_grid, is_single, units
from astra_filter.sql.fragment import Fragment, Part
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from astra_filter import fields
    from astra_filter.language.operators import Operator, TypeName
    from astra_filter.sql.dialects.base import Bind


def _member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    # One step each: with a path of several, the key 0 would find the first element of an array.
    return Fragment(document, *(part for name in names for part in (" -> ", key_literal(name)))), None


def _read_decimal(grid: Grid) -> str:
    text, number = "{value} #>> '{}'", "CAST({value} AS numeric)"
    return (
        f"CASE {{type}} WHEN 'string' THEN CASE WHEN {text} ~ '{decimal_pattern(grid)}' "
        f"THEN CAST({text} AS numeric) END "
        f"WHEN 'number' THEN CASE WHEN abs({number}) <= {decimal_text(grid.largest)} "
        f"AND {number} = round({number}, {grid.places}) THEN {number} END END"
    )


def _integer(bits: int) -> Storage:
    end = 2 ** (bits - 1)
    return Storage(
        {16: "smallint", 32: "integer"}[bits],
        # A literal may be any integer of 64 bits.
        parameter="CAST({p} AS bigint)",
        holds=lambda value: -end <= value < end,
    )


_DOUBLE = "CAST({x} AS double precision)"
# Casts of what no double holds would raise; NaN, which no field reads, is above all.
_NUMERIC = f"CASE WHEN abs({{x}}) < 2.5e-324 THEN 0 WHEN abs({{x}}) <= 1.7976931348623157e308 THEN {_DOUBLE} END"
_TEXT = "CAST({x} AS text)"


def _naive(value: datetime) -> datetime:
    return value.replace(tzinfo=None)


def _epoch(size: int) -> Storage:
    to_units = partial(units, size=size)
    return Storage(
        "bigint",
        lambda value: to_units(value)[0],
        "CAST({p} AS bigint)",
        # No instant of the years 1 to 9999 is so many units away.
        bind_literal=grid(to_units, int, 2**62),
        returned="{x}",
        holds=partial(is_on_grid, size=size),
    )


def _char(field: fields.String) -> Storage:
    most = field.max_length
    if most is None:
        raise wording.not_of_storage("char", "give it the max_length of the column")
    # PostgreSQL pads the value, and takes no notice of blanks at its end.
    return Storage(
        f"character({most})",
        value=_TEXT,
        exact=True,
        equal="CAST(CAST({p} AS text) AS bpchar)",
        returned=_TEXT,
        holds=lambda value: value == value.rstrip(" "),
    )


def _enum(field: fields.Enum, name: str) -> Storage:
    kind = ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
    # An index takes neither the cast to text nor the order of the labels for the order by code point.
    ordered = sorted(field.values)
    ranks = {value: rank for rank, value in enumerate(ordered)}
    cases = " ".join(f"WHEN {literal(value)} THEN {rank}" for rank, value in enumerate(ordered))

    def bind_literal(_: Operator) -> Bind:
        return ranks.__getitem__

    return Storage(
        kind,
        parameter="CAST({p} AS integer)",
        bind_literal=bind_literal,
        value=f"CASE {{x}} {cases} END",
        exact=False,
        # Null for what is no label, which a cast would raise for.
        equal=(
            f"(SELECT label FROM unnest(enum_range(CAST(NULL AS {kind}))) AS label "
            "WHERE CAST(label AS text) = CAST({p} AS text))"
        ),
        decides=True,
        returned=_TEXT,
    )


# As text: asyncpg takes the first and the last datetime for the infinities.
_TIMESTAMPTZ = Storage("timestamptz", timestamp_text, "CAST(CAST({p} AS text) AS timestamptz)")
_OWN_TEXT = Storage("text", exact=True)
_ELEMENTS: Mapping[str, tuple[tuple[TypeName, ...], Storage]] = {
    "text": (("string", "enum"), _OWN_TEXT),
    "varchar": (("string", "enum"), _OWN_TEXT),
    "smallint": (("integer",), _integer(16)),
    "integer": (("integer",), _integer(32)),
    "bigint": (("integer",), Storage("bigint", parameter="CAST({p} AS bigint)")),
    "real": (("number",), Storage("real", parameter="CAST({p} AS double precision)", holds=is_single)),
    "double precision": (("number",), Storage("double precision", parameter="CAST({p} AS double precision)")),
    "boolean": (("boolean",), Storage("boolean", parameter="CAST({p} AS boolean)")),
    "uuid": (("uuid",), Storage("uuid", parameter="CAST({p} AS uuid)")),
    "date": (("date",), Storage("date", parameter="CAST({p} AS date)")),
    "timestamptz": (("timestamp",), _TIMESTAMPTZ),
}
"""The types of the elements of arrays, by name: the fields that hold them, and how they are compared."""


def _array(field: fields.Array, kind: str) -> Storage:
    items = field.items
    returned = None
    equal = f"CAST({{p}} AS {kind})"
    if isinstance(items, Enum) and kind.startswith("enum:"):
        storage = _enum(items, kind.removeprefix("enum:"))
        kind, equal, returned = storage.type, str(storage.equal), "CAST({x} AS text[])"
    else:
        types, storage = _ELEMENTS.get(kind, ((), _OWN_TEXT))
        if items.type not in types:
            known = [name for name, (types, _) in _ELEMENTS.items() if items.type in types]
            raise wording.not_of_storage(
                f"array:{kind}", f"elements of type {items.type} are {', '.join(known) or 'none that it holds'}"
            )
    if kind == "timestamptz":
        equal = storage.parameter
    if kind == "real":
        returned = "CAST({x} AS double precision[])"
    elements = Elements(
        "EXISTS (SELECT 1 FROM unnest({array}) AS {e} (value) WHERE {condition})",
        "{e}.value",
        storage,
        bool(storage.exact),
        "{array} && ARRAY[{p}]",
        equal,
    )
    return Storage(f"{kind}[]", bind=_held(storage.holds), returned=returned, elements=elements)


def _held(holds: Callable[[Any], bool] | None) -> Bind | None:
    """Return what makes null of the elements that the column cannot hold."""
    if holds is None:
        return None
    return lambda values: [value if value is None or holds(value) else None for value in values]


_INET = (
    "CASE WHEN masklen({x}) = CASE family({x}) WHEN 4 THEN 32 ELSE 128 END THEN host({x}) ELSE CAST({x} AS text) END"
)
"""The text of an address as PostgreSQL shows it: the cast alone adds the length of its mask."""


def _address(text: str) -> str | None:
    """Return a text that PostgreSQL takes for an address, None for others."""
    from ipaddress import ip_interface  # Only for such columns.

    try:
        found = ip_interface(text)
    except ValueError:
        return None
    return None if "%" in text else str(found)


def _is_address(text: str) -> bool:
    """Whether PostgreSQL shows an address as this text."""
    found = _address(text)
    if found is None:
        return False
    address, _, bits = found.partition("/")
    # It shows some of version 6 with the point of version 4, as not all versions of Python do.
    return text == (address if bits == ("128" if ":" in address else "32") else found) and not text.startswith("::")


def _inet(field: fields.String) -> Storage:
    if field.sortable or not field.operators <= EQUALITY:
        raise wording.not_of_storage(
            "inet", "addresses sort as no text does: declare operators=['eq', 'ne', 'in'], sortable=False"
        )
    return Storage(
        "inet",
        value=_INET,
        exact=True,
        equal="CAST(CAST({p} AS text) AS inet)",
        bind_equal=_address,
        returned=_INET,
        holds=_is_address,
    )


def _exact_number(value: float) -> Decimal:
    from decimal import Decimal  # Costs start-up time.

    return Decimal(repr(value))


def _naive_text(value: datetime) -> str:
    return _naive(value).isoformat()


def _bind_naive_text(_: Operator) -> Bind:
    return _naive_text


def _read_double(_: Operator) -> Bind:
    return float


_STORAGES: Mapping[str, NamedStorage] = {
    "integer": NamedStorage(("integer",), "`integer`", EVERYTHING, lambda _field, _: _integer(32)),
    "smallint": NamedStorage(("integer",), "`smallint`", EVERYTHING, lambda _field, _: _integer(16)),
    "real": NamedStorage(
        ("number",),
        "`real`",
        EVERYTHING,
        lambda _field, _: Storage("real", parameter="CAST({p} AS double precision)", returned=_DOUBLE, holds=is_single),
    ),
    "numeric": NamedStorage(
        ("number",),
        "`numeric`; `Decimal` is exact and served by its index",
        (),
        lambda _field, _: Storage(
            "numeric",
            _exact_number,
            "CAST({p} AS double precision)",
            bind_literal=_read_double,
            value=_NUMERIC,
            partial=True,
            returned=_NUMERIC,
        ),
    ),
    "timestamp": NamedStorage(
        ("timestamp",),
        "`timestamp`, without time zone, in UTC",
        EVERYTHING,
        # As text: asyncpg takes the first and the last datetime for the infinities.
        lambda _field, _: Storage(
            "timestamp", _naive, "CAST(CAST({p} AS text) AS timestamp)", bind_literal=_bind_naive_text, returned="{x}"
        ),
    ),
    **{
        name: NamedStorage(
            ("timestamp",),
            f"`bigint`, {unit} since 1970",
            EVERYTHING,
            lambda _field, _, size=EPOCHS[name]: _epoch(size),  # type: ignore[misc]
        )
        for name, unit in (("epoch_s", "seconds"), ("epoch_ms", "milliseconds"), ("epoch_us", "microseconds"))
    },
    "citext": NamedStorage(
        ("string",),
        "`citext`",
        EQUALITY_ONLY,
        lambda _field, _: Storage(
            "citext", value=_TEXT, exact=True, equal="CAST(CAST({p} AS text) AS citext)", returned=_TEXT
        ),
    ),
    "char": NamedStorage(
        ("string",), "`character(n)`, n the `max_length`", EQUALITY_ONLY, lambda field, _: _char(field)
    ),
    "enum": NamedStorage(
        ("enum",),
        "an enum type, whose labels the field declares, all of them",
        EQUALITY_ONLY,
        _enum,
        "the type, such as `mood` or `app.mood`",
    ),
    "inet": NamedStorage(
        ("string",),
        "`inet`; only `eq`, `ne` and `in`, and not sortable",
        EQUALITY_ONLY,
        lambda field, _: _inet(field),
    ),
    "array": NamedStorage(
        ("array",),
        "an array of scalars; a GIN index serves",
        EQUALITY_ONLY,
        _array,
        "the type of the elements, such as `text`",
    ),
}


POSTGRESQL = Dialect(
    name="postgresql",
    drivers=("psycopg",),
    sqlalchemy_names=("postgresql",),
    placeholders=("%s", "$1", ":p1"),
    columns={
        "string": Storage("text"),
        "enum": Storage("text"),
        "uuid": Storage("uuid"),
        "integer": Storage("bigint"),
        "number": Storage("double precision"),
        "boolean": Storage("boolean"),
        # Bound as text: asyncpg would make infinities of the first and last values of Python.
        "timestamp": Storage("timestamptz", None, "CAST(CAST({p} AS text) AS timestamptz)", lambda _: timestamp_text),
        "date": Storage("date", None, "CAST(CAST({p} AS text) AS date)", lambda _: date.isoformat),
        "array": Storage("jsonb"),
    },
    storages=_STORAGES,
    refused_storages={
        "json": (
            "operators of json raise for the escape \\u0000 and for numbers past all exponents, whatever is asked; "
            "make it jsonb: ALTER TABLE … ALTER COLUMN … TYPE jsonb"
        ),
    },
    max_digits=MAX_DIGITS,
    max_places=MAX_DIGITS,
    decimal=lambda grid: Storage(f"numeric({grid.digits}, {grid.places})", decimal_text, "CAST({p} AS numeric)"),
    read_decimal=_read_decimal,
    text_collation=' COLLATE "C"',
    max_name_length=63,
    folds_column_names=False,
    exact='{x} COLLATE "C"',
    # The inner collation because a nondeterministic one cannot be searched in; the other is ICU's, without a language.
    fold='replace(lower(replace({x} COLLATE "C", chr(304), \'i\') COLLATE "und-x-icu"), chr(962), chr(963))',
    folds_in_index=True,
    prefilter=True,
    exact_json=True,
    contains="strpos({x}, {p}) > 0",
    startswith="starts_with({x}, {p})",
    endswith="right({x}, length({p})) = {p}",
    json_type="jsonb_typeof({value})",
    embedded_document="to_jsonb({x})",  # ORMs have columns of type json and of arrays, too.
    member=_member,
    entry="{x} -> CAST({key} AS text)",
    # Only CASE keeps a cast from being evaluated on other values: AND does not.
    reads={
        "text": "CASE WHEN {type} = 'string' THEN {value} #>> '{}' END",
        "integer": (
            "CASE WHEN {type} = 'number' THEN CASE WHEN CAST({value} AS numeric) = trunc(CAST({value} AS numeric)) "
            "AND CAST({value} AS numeric) BETWEEN -9223372036854775808 AND 9223372036854775807 "
            "THEN CAST({value} AS bigint) END END"
        ),
        # Numbers that a double rounds to zero or to infinity would raise.
        "number": (
            "CASE WHEN {type} = 'number' THEN CASE WHEN abs(CAST({value} AS numeric)) < 2.5e-324 THEN 0 "
            "WHEN abs(CAST({value} AS numeric)) <= 1.7976931348623157e308 "
            "THEN CAST({value} AS double precision) END END"
        ),
        "boolean": "CASE WHEN {type} = 'boolean' THEN CAST({value} AS boolean) END",
        "array": "CASE WHEN {type} = 'array' THEN {value} END",
    },
    some="EXISTS (SELECT 1 FROM jsonb_array_elements({array}) AS {e} (value) WHERE {condition})",
    nulls_smallest=False,
    aborts_transactions=True,
    seeks="limited",
    ranges_row_values=True,
    # In the session's time zone, the ends of the range would be of years that Python has not.
    returned={"timestamp": "{x} AT TIME ZONE 'UTC'"},
)
