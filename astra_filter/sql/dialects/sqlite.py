"""SQLite."""

from __future__ import annotations

from datetime import date

from astra_filter.language.values import timestamp_text
from astra_filter.sql.dialects.base import Dialect, Storage, fill, key_literal, needs_no_escape, path_literal
from astra_filter.sql.fragment import Fragment, Part


def _member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    # A path cannot name a key whose JSON text has escapes; json_each compares the key itself.
    odd = next((place for place, name in enumerate(names) if not needs_no_escape(name)), None)
    if odd is None:
        path = path_literal(names)
        return Fragment("json_extract(", document, ", ", path, ")"), Fragment("json_type(", document, ", ", path, ")")
    found = "(SELECT {what} FROM json_each({document}, {path}) WHERE key = {key}{only})"
    key = key_literal(names[odd])
    path = path_literal(names[:odd])
    if odd == len(names) - 1:
        return (
            fill(found, what="value", document=document, path=path, key=key, only=""),
            fill(found, what="type", document=document, path=path, key=key, only=""),
        )
    owner = fill(found, what="value", document=document, path=path, key=key, only=" AND type = 'object'")
    return _member(owner, names[odd + 1 :])


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
    seeks="merged",
    ranges_row_values=True,
    rowid_alias=True,
    captured_names=frozenset(
        ["key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root", "rowid", "oid", "_rowid_"]
    ),
    some_captured=(
        "EXISTS (SELECT 1 FROM (SELECT {array} AS elements) AS {e}_of, json_each({e}_of.elements) AS {e} "
        "WHERE {condition})"
    ),
)
