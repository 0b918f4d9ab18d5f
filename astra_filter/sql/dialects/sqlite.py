"""SQLite."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import partial
from typing import TYPE_CHECKING

from astra_filter.language.decimals import Grid, scaled
from astra_filter.language.operators import Operator
from astra_filter.language.values import timestamp_text
from astra_filter.sql.dialects.base import (
    EQUALITY_ONLY,
    EVERYTHING,
    Bind,
    Dialect,
    NamedStorage,
    Storage,
    fill,
    grid,
    key_literal,
    needs_no_escape,
    path_literal,
)
from astra_filter.sql.forms import (
    EPOCHS,
    SPELLINGS,
    Spelling,
    bytes_of,
    from_microseconds,
    hex_of,
    is_on_grid,
    units,
)
from astra_filter.sql.fragment import Fragment, Part

if TYPE_CHECKING:
    from collections.abc import Mapping


def _member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    # A path cannot name a key whose JSON text has escapes; json_each compares the key itself.
    odd = next((place for place, name in enumerate(names) if not needs_no_escape(name)), None)
    if odd is None:
        path = path_literal(names)
        return Fragment("json_extract(", document, ", ", path, ")"), Fragment("json_type(", document, ", ", path, ")")
    # The document is named first: a column named as one of json_each would mean that one's inside its call.
    found = (
        "(SELECT json_each.{what} FROM (SELECT {document} AS document) AS member_of, "
        "json_each(member_of.document, {path}) WHERE json_each.key = {key}{only})"
    )
    key = key_literal(names[odd])
    path = path_literal(names[:odd])
    if odd == len(names) - 1:
        return (
            fill(found, what="value", document=document, path=path, key=key, only=""),
            fill(found, what="type", document=document, path=path, key=key, only=""),
        )
    owner = fill(found, what="value", document=document, path=path, key=key, only=" AND json_each.type = 'object'")
    return _member(owner, names[odd + 1 :])


def _decimal(grid: Grid) -> Storage:
    """Return how a decimal is stored: as the integer of its units, ``39870`` for ``398.70``."""
    places = grid.places
    # Beyond all values of the column, for what equals none.
    beyond = 10**grid.digits

    def exactly(value: Decimal) -> int:
        units = scaled(value, places)
        return int(units) if units == units.to_integral_value() else beyond

    def up(value: Decimal) -> int:
        return int(scaled(value, places).to_integral_value(ROUND_CEILING))

    def down(value: Decimal) -> int:
        return int(scaled(value, places).to_integral_value(ROUND_FLOOR))

    def bind_literal(operator: Operator) -> Bind:
        match operator:
            case Operator.LT | Operator.GTE:
                return up
            case Operator.LTE | Operator.GT:
                return down
            case _:
                return exactly

    return Storage("INTEGER", exactly, bind_literal=bind_literal)


def _read_decimal(grid: Grid) -> str:
    places, units = grid.places, 10**grid.places
    point = "." + "[0-9]" * places if places else ""
    whole = "replace({value}, '.', '')"
    # A double is a number of the grid if the nearest one, divided again, gives it.
    nearest = f"CAST(round({{value}} * {units}.0) AS INTEGER)"
    double = f"abs({{value}}) <= {min(grid.largest, 10**15)} AND {nearest} / {units}.0 = {{value}}"
    integer = f"abs({{value}}) <= {10 ** (grid.digits - places) - 1}"
    text = f"{{value}} GLOB '*[0-9]{point}' AND NOT {whole} GLOB '*[^0-9-]*' AND length({whole}) <= {grid.digits + 2}"
    return (
        f"CASE {{type}} WHEN 'text' THEN CASE WHEN {text} THEN CAST({whole} AS INTEGER) END "
        f"WHEN 'integer' THEN CASE WHEN {integer} THEN {{value}} * {units} END "
        f"WHEN 'real' THEN CASE WHEN {double} THEN {nearest} END END"
    )


def _epoch(size: int) -> Storage:
    to_units = partial(units, size=size)
    return Storage(
        "INTEGER",
        lambda value: to_units(value)[0],
        # No instant of the years 1 to 9999 is so many units away.
        bind_literal=grid(to_units, int, 2**62),
        holds=partial(is_on_grid, size=size),
    )


def _spelled(spelling: Spelling) -> Storage:
    if spelling.size == 1:
        return Storage("TEXT", spelling.write)

    def write(whole: int) -> str:
        try:
            return spelling.write(from_microseconds(whole * spelling.size))
        except OverflowError:
            return ":"  # Behind all digits, as the next second is behind the year 9999.

    return Storage(
        "TEXT",
        spelling.write,
        bind_literal=grid(partial(units, size=spelling.size), write, ""),
        holds=partial(is_on_grid, size=spelling.size),
    )


def _collated(collation: str) -> Storage:
    return Storage(f"TEXT COLLATE {collation}", exact=True, equal="{p}")


_STORAGES: Mapping[str, NamedStorage] = {
    **{
        name: NamedStorage(
            ("timestamp",),
            f"text in UTC, such as `{spelling.example}`",
            EVERYTHING,
            lambda _field, _, spelling=spelling: _spelled(spelling),  # type: ignore[misc]
        )
        for name, spelling in SPELLINGS.items()
    },
    **{
        name: NamedStorage(
            ("timestamp",),
            f"integers, {unit} since 1970",
            EVERYTHING,
            lambda _field, _, size=EPOCHS[name]: _epoch(size),  # type: ignore[misc]
        )
        for name, unit in (("epoch_s", "seconds"), ("epoch_ms", "milliseconds"), ("epoch_us", "microseconds"))
    },
    "hex": NamedStorage(
        ("uuid",), "text of 32 lower-case digits", EVERYTHING, lambda _field, _: Storage("TEXT", hex_of)
    ),
    "blob": NamedStorage(("uuid",), "a blob of 16 bytes", EVERYTHING, lambda _field, _: Storage("BLOB", bytes_of)),
    **{
        name: NamedStorage(
            ("string", "enum"),
            f"text declared `COLLATE {name.upper()}`",
            EQUALITY_ONLY,
            lambda _field, _, name=name: _collated(name.upper()),  # type: ignore[misc]
        )
        for name in ("nocase", "rtrim")
    },
}


SQLITE = Dialect(
    name="sqlite",
    drivers=("sqlite3",),
    sqlalchemy_names=("sqlite",),
    placeholders=("?", ":p1"),
    columns={
        "string": Storage("TEXT"),
        "enum": Storage("TEXT"),
        "uuid": Storage("TEXT"),
        "integer": Storage("INTEGER"),
        "number": Storage("REAL"),
        "boolean": Storage("INTEGER", int),
        "timestamp": Storage("TEXT", timestamp_text),
        "date": Storage("TEXT", date.isoformat),
        "array": Storage("TEXT"),
    },
    storages=_STORAGES,
    refused_storages={
        "iso": (
            "text of instants that ends with Z and has fractions of different lengths does not sort as they do: "
            "write all digits of the fraction, or use iso_s or iso_ms"
        ),
        "epoch_real": "a REAL is no exact instant, and equals none: store whole milliseconds or microseconds",
        "julian": "a REAL is no exact instant, and equals none: store whole milliseconds or microseconds",
    },
    max_digits=18,
    max_places=18,
    decimal=_decimal,
    read_decimal=_read_decimal,
    create_suffix=" STRICT",
    exact="{x} COLLATE BINARY",
    contains="instr({x}, {p}) > 0",
    startswith="substr({x}, 1, length({p})) = {p}",
    # substr(x, -0) would be all of x, but its first 0 characters are the empty string.
    endswith="substr({x}, -length({p}), length({p})) = {p}",
    document="CASE WHEN json_valid({x}) THEN {x} END",
    element_type="{e}.type",
    # A string's value looks like an object's when it is JSON text.
    element_document="CASE WHEN {e}.type = 'object' THEN {e}.value END",
    json_type="json_type({value})",
    member=_member,
    # No path takes any key as it is: `$` is the document.
    entry="(SELECT {read} FROM json_each({x}) AS map_entry WHERE map_entry.key = {key} LIMIT 1)",
    entry_captured=(
        "(SELECT {read} FROM (SELECT {x} AS document) AS map_entry_of, json_each(map_entry_of.document) AS map_entry "
        "WHERE map_entry.key = {key} LIMIT 1)"
    ),
    entry_owner="CASE WHEN {type} = 'object' THEN {value} END",
    reads={
        "text": "CASE WHEN {type} = 'text' THEN {value} END",
        # An integer past 64 bits is a real, which no integer equals.
        "integer": (
            "CASE WHEN {type} IN ('integer', 'real') AND {value} = CAST({value} AS INTEGER) "
            "THEN CAST({value} AS INTEGER) END"
        ),
        "number": (
            "CASE WHEN {type} IN ('integer', 'real') AND {value} BETWEEN -1.7976931348623157e308 "
            "AND 1.7976931348623157e308 THEN CAST({value} AS REAL) END"
        ),
        "boolean": "CASE {type} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END",
        "array": "CASE WHEN {type} = 'array' THEN {value} END",
    },
    # TRUE is a column, where there is one of that name.
    not_true=" IS NOT 1",
    some="EXISTS (SELECT 1 FROM json_each({array}) AS {e} WHERE {condition})",
    # Its parser has room for 100 symbols, some of which the statement around takes.
    most_depth=95,
    seeks="merged",
    ranges_row_values=True,
    ranges_collated=False,
    index_in_schema=True,
    rowid_alias=True,
    captured_names=frozenset(
        ["key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root", "rowid", "oid", "_rowid_"]
    ),
    some_captured=(
        "EXISTS (SELECT 1 FROM (SELECT {array} AS elements) AS {e}_of, json_each({e}_of.elements) AS {e} "
        "WHERE {condition})"
    ),
)
