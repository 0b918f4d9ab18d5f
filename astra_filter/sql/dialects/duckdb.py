"""DuckDB."""

from __future__ import annotations

from datetime import date

from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.language.values import timestamp_text
from astra_filter.sql.dialects.base import Dialect, Storage, decimal_pattern, literal, needs_no_escape, path_literal
from astra_filter.sql.fragment import Fragment, Part


def _member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    if all(map(needs_no_escape, names)):
        return Fragment("json_extract(", document, ", ", path_literal(names), ")"), None
    # A path cannot name the others; but the key 0 of a pointer is the first element of an array, too.
    pointer = "".join(map(_pointer, names))
    return Fragment("json_extract(", document, ", ", literal(pointer), ")"), None


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")  # RFC 6901


_NUMBER = "{type} IN ('BIGINT', 'UBIGINT', 'DOUBLE')"


def _read_decimal(grid: Grid) -> str:
    text = "json_extract_string({value}, '$')"
    cast = f"try_cast({text} AS DECIMAL({grid.digits}, {grid.places}))"
    # JSON numbers are doubles here, so only text is exact.
    return f"CASE WHEN {{type}} = 'VARCHAR' AND regexp_matches({text}, '{decimal_pattern(grid)}') THEN {cast} END"


DUCKDB = Dialect(
    name="duckdb",
    drivers=("duckdb", "_duckdb"),
    cannot={"ordered index": "its indexes serve lookups, and no ORDER BY"},
    placeholders=("?", "$1"),
    columns={
        "string": Storage("VARCHAR"),
        "enum": Storage("VARCHAR"),
        "uuid": Storage("UUID", None, "CAST({p} AS UUID)"),
        "integer": Storage("BIGINT"),
        "number": Storage("DOUBLE"),
        "boolean": Storage("BOOLEAN"),
        "timestamp": Storage("TIMESTAMPTZ", timestamp_text, "CAST({p} AS TIMESTAMPTZ)"),
        "date": Storage("DATE", date.isoformat, "CAST({p} AS DATE)"),
        "array": Storage("JSON"),
    },
    max_digits=37,
    max_places=37,
    # A long decimal would be bound as a double.
    decimal=lambda grid: Storage(
        f"DECIMAL({grid.digits}, {grid.places})",
        decimal_text,
        f"CAST({{p}} AS DECIMAL({grid.digits + 1}, {grid.places + 1}))",
    ),
    read_decimal=_read_decimal,
    exact="{x} COLLATE C",
    contains="contains({x}, {p})",
    startswith="starts_with({x}, {p})",
    endswith="suffix({x}, {p})",
    document="try_cast({x} AS JSON)",
    element="{e}",
    json_type="json_type({value})",
    member=_member,
    entry="CASE WHEN json_type({x}) = 'OBJECT' THEN json_extract({x}, CAST({key} AS VARCHAR)) END",
    bind_key=_pointer,
    reads={
        "text": "CASE WHEN {type} = 'VARCHAR' THEN json_extract_string({value}, '$') END",
        "integer": (
            f"CASE WHEN {_NUMBER} AND trunc(try_cast({{value}} AS DOUBLE)) = try_cast({{value}} AS DOUBLE) "
            "THEN try_cast({value} AS BIGINT) END"
        ),
        "number": (
            f"CASE WHEN {_NUMBER} AND isfinite(try_cast({{value}} AS DOUBLE)) THEN try_cast({{value}} AS DOUBLE) END"
        ),
        "boolean": "CASE WHEN {type} = 'BOOLEAN' THEN try_cast({value} AS BOOLEAN) END",
        "array": "try_cast({value} AS JSON[])",
    },
    # EXISTS over unnest, 100 times in one statement, takes minutes.
    some="len(list_filter({array}, lambda {e}: {condition})) > 0",
    not_some="{some} IS NOT TRUE",
    # It binds the body of a lambda twice: 16 arrays inside each other took 21 s.
    most_arrays=8,
    nulls_smallest=False,
    # A TIMESTAMPTZ is returned by a package of its own, pytz; this is the same instant in UTC, without offset.
    returned={"timestamp": "make_timestamp(epoch_us({x}))"},
)
