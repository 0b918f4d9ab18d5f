"""SQLite."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from astra_filter.language.decimals import Grid, scaled
from astra_filter.language.operators import Operator
from astra_filter.language.values import timestamp_text
from astra_filter.sql.dialects.base import Bind, Dialect, Storage, fill, key_literal, needs_no_escape, path_literal
from astra_filter.sql.fragment import Fragment, Part


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
