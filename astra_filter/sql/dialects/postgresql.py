"""PostgreSQL."""

from __future__ import annotations

from datetime import date

from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.language.values import MAX_DIGITS, timestamp_text
from astra_filter.sql.dialects.base import Dialect, Storage, decimal_pattern, key_literal
from astra_filter.sql.fragment import Fragment, Part


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
    max_digits=MAX_DIGITS,
    max_places=MAX_DIGITS,
    decimal=lambda grid: Storage(f"numeric({grid.digits}, {grid.places})", decimal_text, "CAST({p} AS numeric)"),
    read_decimal=_read_decimal,
    text_collation=' COLLATE "C"',
    max_name_length=63,
    folds_column_names=False,
    exact='{x} COLLATE "C"',
    prefilter=True,
    exact_json=True,
    contains="strpos({x}, {p}) > 0",
    startswith="starts_with({x}, {p})",
    endswith="right({x}, length({p})) = {p}",
    json_type="jsonb_typeof({value})",
    embedded_document="to_jsonb({x})",  # ORMs have columns of type json and of arrays, too.
    member=_member,
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
