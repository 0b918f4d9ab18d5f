"""DuckDB."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.language.values import timestamp_text
from astra_filter.sql.dialects.base import (
    Dialect,
    Elements,
    NamedStorage,
    Storage,
    decimal_pattern,
    literal,
    needs_no_escape,
    path_literal,
)
from astra_filter.sql.forms import is_on_grid, is_single
from astra_filter.sql.fragment import Fragment, Part
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from astra_filter import fields


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


def _naive_text(value: datetime) -> str:
    return timestamp_text(value)[:-1]


def _instant(kind: str, size: int) -> Storage:
    return Storage(
        kind,
        _naive_text,
        "CAST({p} AS TIMESTAMP)",
        value="CAST({x} AS TIMESTAMP)",
        returned="CAST({x} AS TIMESTAMP)",
        holds=partial(is_on_grid, size=size),
    )


# The instants that 64 bits of nanoseconds reach.
_FIRST_NS, _LAST_NS = 1678, 2261


def _nanoseconds() -> Storage:
    return _instant("TIMESTAMP_NS", 1)._replace(holds=lambda value: _FIRST_NS <= value.year <= _LAST_NS)


def _integer(kind: str, least: int) -> Storage:
    # What lies beyond the integers of 64 bits counts as null.
    read = "try_cast({x} AS BIGINT)"
    return Storage(kind, value=read, partial=True, returned=read, holds=lambda value: value >= least)


def _enum(field: fields.Enum) -> Storage:
    return Storage(
        f"ENUM({', '.join(map(literal, field.values))})",
        value="CAST({x} AS VARCHAR)",
        exact=False,
        returned="CAST({x} AS VARCHAR)",
        holds=frozenset(field.values).__contains__,
    )


def _list(field: fields.Array) -> Storage:
    items = field.items
    if not items.scalar or items.type in ("timestamp", "decimal"):
        raise wording.not_of_storage("list", f"elements of type {items.type} have no such column here: store JSON")
    storage = DUCKDB.storage(items)
    elements = Elements(
        "len(list_filter({array}, lambda {e}: {condition})) > 0", "{e}", storage, items.type in ("string", "enum")
    )
    return Storage(f"{storage.type}[]", elements=elements)


_STORAGES: Mapping[str, NamedStorage] = {
    **{
        name: NamedStorage(
            ("timestamp",),
            f"`{name.upper()}` in UTC",
            (),
            lambda _field, _, name=name, size=size: _instant(name.upper(), size),  # type: ignore[misc]
        )
        for name, size in (("timestamp", 1), ("timestamp_s", 1_000_000), ("timestamp_ms", 1000))
    },
    "timestamp_ns": NamedStorage(
        ("timestamp",),
        "`TIMESTAMP_NS` in UTC, read to the microsecond",
        (),
        lambda _field, _: _nanoseconds(),
    ),
    "list": NamedStorage(("array",), "a list of scalars, `T[]`", (), lambda field, _: _list(field)),
    "enum": NamedStorage(("enum",), "`ENUM`", (), lambda field, _: _enum(field)),
    "hugeint": NamedStorage(
        ("integer",),
        "`HUGEINT`; what is past 64 bits counts as null",
        (),
        lambda _field, _: _integer("HUGEINT", -(2**63)),
    ),
    "ubigint": NamedStorage(
        ("integer",),
        "`UBIGINT`; what is past 63 bits counts as null",
        (),
        lambda _field, _: _integer("UBIGINT", 0),
    ),
    "float": NamedStorage(
        ("number",),
        "`FLOAT`",
        (),
        lambda _field, _: Storage(
            "FLOAT",
            parameter="CAST({p} AS DOUBLE)",
            value="CAST({x} AS DOUBLE)",
            returned="CAST({x} AS DOUBLE)",
            holds=is_single,
        ),
    ),
}


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
    storages=_STORAGES,
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
    fold="replace(lower({x} COLLATE C), chr(962), chr(963))",
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
