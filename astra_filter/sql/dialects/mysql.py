"""MySQL and MariaDB."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from astra_filter.fields import Decimal, Enum
from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.sql.dialects.base import (
    EQUALITY_ONLY,
    EVERYTHING,
    Dialect,
    Elements,
    NamedStorage,
    Storage,
    decimal_pattern,
    key_literal,
    literal,
)
from astra_filter.sql.forms import bytes_of, hex_of, is_on_grid, is_single
from astra_filter.sql.fragment import Fragment, Part
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astra_filter import fields


def _naive(value: datetime) -> datetime:
    return value.replace(tzinfo=None)


def _member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    path = "$" + "".join(map(_step, names))
    return Fragment("JSON_EXTRACT(", document, ", ", key_literal(path), ")"), None


def _step(name: str) -> str:
    return "." + json.dumps(name, ensure_ascii=False)


def _path(key: str) -> str:
    return "$" + _step(key)


_NUMBER = "{type} IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')"


def _read_decimal(grid: Grid) -> str:
    text = f"CASE WHEN {{type}} = 'STRING' THEN JSON_UNQUOTE({{value}}) WHEN {_NUMBER} THEN CAST({{value}} AS CHAR) END"
    cast = f"CAST({text} AS DECIMAL({grid.digits}, {grid.places}))"
    return f"CASE WHEN {text} REGEXP '{decimal_pattern(grid)}' THEN {cast} END"


_DATETIME = "CAST({p} AS DATETIME(6))"
_CHARSET = re.compile(r"[a-z][a-z0-9_]*")


def _charset(charset: str) -> Storage:
    if _CHARSET.fullmatch(charset) is None:
        raise wording.not_of_storage(f"charset:{charset}", "that is no name of a character set")
    # What the character set lacks becomes a question mark, which the exact test tells apart.
    return Storage(f"VARCHAR({{length}}) CHARACTER SET {charset}", exact=True, equal=f"CONVERT({{p}} USING {charset})")


def _enum(field: fields.Enum) -> Storage:
    odd = [value for value in field.values if "\\" in value or value != value.rstrip(" ")]
    if odd:
        raise wording.not_of_storage("enum", f"a label has a backslash, or a blank at its end: {odd[0]!r}")
    # An ENUM sorts by the places of its labels, whatever its collation.
    labels = ", ".join(map(literal, field.values))
    return Storage(
        f"ENUM({labels}) CHARACTER SET utf8mb4", exact=True, equal="{p}", holds=frozenset(field.values).__contains__
    )


# A TIMESTAMP lies between these, and CONVERT_TZ leaves others as they are.
_FIRST, _LAST = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=UTC)


def _bind_timestamp(value: datetime) -> datetime:
    if value < _FIRST:
        return datetime(1000, 1, 1)  # noqa: DTZ001  # Before all of them in every time zone.
    return datetime(9000, 1, 1) if value > _LAST else _naive(value)  # noqa: DTZ001  # Behind them.


_TIMESTAMP = Storage(
    "TIMESTAMP(6)",
    _bind_timestamp,
    f"CONVERT_TZ({_DATETIME}, '+00:00', @@session.time_zone)",
    returned="CONVERT_TZ({x}, @@session.time_zone, '+00:00')",
    holds=lambda value: _FIRST <= value <= _LAST,
)


_SIGNED = "CASE WHEN {x} <= 9223372036854775807 THEN CAST({x} AS SIGNED) END"


def _unsigned(field: fields.Integer | Decimal) -> Storage:
    if isinstance(field, Decimal):
        if field.grid != (20, 0):
            raise wording.not_of_storage("unsigned", "its values are those of Decimal(20, 0)")
        return Storage(
            "BIGINT UNSIGNED",
            decimal_text,
            "CAST({p} AS DECIMAL(21, 1))",
            holds=lambda value: 0 <= value < 2**64,
        )
    return Storage(
        "BIGINT UNSIGNED",
        parameter="CAST({p} AS SIGNED)",
        # What lies beyond the integers of 64 bits counts as null.
        value=_SIGNED,
        returned=_SIGNED,
        equal="CAST({p} AS SIGNED)",
        decides=True,
        partial=True,
        holds=lambda value: value >= 0,
    )


def _set(field: fields.Array) -> Storage:
    items = field.items
    if not isinstance(items, Enum):
        raise wording.not_of_storage("set", "its elements are those of an Enum")
    labels = items.values
    odd = [label for label in labels if "\\" in label or "," in label or not label or label != label.rstrip(" ")]
    if odd:
        raise wording.not_of_storage(
            "set", f"a label is empty, or has a backslash, a comma, a blank at its end: {odd[0]!r}"
        )
    first, *others = map(literal, labels)
    listed = " UNION ALL ".join([f"SELECT {first} AS value", *[f"SELECT {label}" for label in others]])
    some = (
        f"EXISTS (SELECT 1 FROM ({listed}) AS {{e}} "
        f"WHERE FIND_IN_SET({_EXACT.format('{e}.value')}, {_EXACT.format('{array}')}) > 0 AND ({{condition}}))"
    )
    return Storage(
        f"SET({', '.join(map(literal, labels))}) CHARACTER SET utf8mb4",
        ",".join,
        # It keeps each label once, and in the order of the declaration.
        holds=lambda values: values == [label for label in labels if label in values],
        elements=Elements(some, "{e}.value", Storage("text", exact=True), exact=True),
    )


_EXACT = "CAST(CONVERT({} USING utf8mb4) AS BINARY)"


_STORAGES: Mapping[str, NamedStorage] = {
    "float": NamedStorage(
        ("number",),
        "`FLOAT`",
        EVERYTHING,
        lambda _field, _: Storage(
            "FLOAT", parameter="CAST({p} AS DOUBLE)", returned="CAST({x} AS DOUBLE)", holds=is_single
        ),
    ),
    "unsigned": NamedStorage(
        ("decimal", "integer"),
        "`BIGINT UNSIGNED`: `Decimal(20, 0)`; "
        "of an `Integer`, which takes what is past 63 bits for null, `eq` and `in` only",
        EVERYTHING,
        lambda field, _: _unsigned(field),
    ),
    **{
        name: NamedStorage(
            ("timestamp",),
            f"`DATETIME({name[-1]})` in UTC",
            EVERYTHING,
            lambda _field, _, name=name, size=size: Storage(  # type: ignore[misc]
                f"DATETIME({name[-1]})", _naive, _DATETIME, holds=partial(is_on_grid, size=size)
            ),
        )
        for name, size in (("datetime0", 1_000_000), ("datetime3", 1000))
    },
    "timestamp": NamedStorage(
        ("timestamp",),
        "`TIMESTAMP`, in a session whose time zone has no summer time",
        EVERYTHING,
        lambda _field, _: _TIMESTAMP,
    ),
    "enum": NamedStorage(("enum",), "`ENUM`", EQUALITY_ONLY, lambda field, _: _enum(field)),
    "charset": NamedStorage(
        ("string", "enum"),
        "text of another character set",
        EQUALITY_ONLY,
        lambda _field, charset: _charset(charset),
        "the character set, such as `latin1`",
    ),
    "set": NamedStorage(("array",), "`SET`, of an `Enum`", (), lambda field, _: _set(field)),
    "binary": NamedStorage(("uuid",), "`BINARY(16)`", EVERYTHING, lambda _field, _: Storage("BINARY(16)", bytes_of)),
    "hex": NamedStorage(
        ("uuid",),
        "`CHAR(32)` of lower-case digits",
        EVERYTHING,
        lambda _field, _: Storage("CHAR(32) CHARACTER SET ascii COLLATE ascii_bin", hex_of),
    ),
    "uuid": NamedStorage(
        ("uuid",),
        "MariaDB's own `UUID`",
        EQUALITY_ONLY,
        lambda _field, _: Storage("UUID", value="CAST({x} AS CHAR)", equal="CAST({p} AS UUID)", decides=True),
    ),
}


MYSQL = Dialect(
    name="mysql",
    drivers=("pymysql",),
    sqlalchemy_names=("mysql", "mariadb"),
    cannot={
        "ordered index of folded text": "an index of text has the order of the column's collation",
        "dashed key": "MariaDB's JSON paths find no such key, quoted or escaped",
    },
    placeholders=("%s", "?"),
    quote="`",
    columns={
        "string": Storage("VARCHAR({length}) CHARACTER SET utf8mb4"),
        "enum": Storage("VARCHAR({length}) CHARACTER SET utf8mb4"),
        "uuid": Storage("CHAR(36) CHARACTER SET ascii COLLATE ascii_bin"),
        "integer": Storage("BIGINT"),
        "number": Storage("DOUBLE"),
        "boolean": Storage("BOOLEAN"),
        "timestamp": Storage("DATETIME(6)", _naive, "CAST({p} AS DATETIME(6))"),
        "date": Storage("DATE", None, "CAST({p} AS DATE)"),
        "array": Storage("JSON"),
    },
    storages=_STORAGES,
    text_collation=" COLLATE {collation}",
    max_digits=64,
    max_places=37,
    # A string would be compared with a DECIMAL as doubles.
    decimal=lambda grid: Storage(
        f"DECIMAL({grid.digits}, {grid.places})",
        decimal_text,
        f"CAST({{p}} AS DECIMAL({grid.digits + 1}, {grid.places + 1}))",
    ),
    read_decimal=_read_decimal,
    # MariaDB refuses other names, or the whole statement.
    names="[\x01-\uffff]{0,63}[\x01-\x08\x0e-\x1f\x21-\uffff]",
    names_are="1 to 64 characters up to U+FFFF, the last of them no blank",
    max_indexed_length=768,
    long_text="LONGTEXT CHARACTER SET utf8mb4",
    # Even utf8mb4_bin ignores trailing spaces; bytes of UTF-8 sort by code point, whatever the connection speaks.
    exact="CAST(CONVERT({x} USING utf8mb4) AS BINARY)",
    # Older collations do not know 738 letters. The two bytes are those of the two letters sigma.
    fold=(
        "REPLACE(LOWER(CONVERT({x} USING utf8mb4) COLLATE utf8mb4_uca1400_as_cs), "
        "CONVERT(X'CF82' USING utf8mb4), CONVERT(X'CF83' USING utf8mb4))"
    ),
    exact_parameter="CAST(CONVERT({p} USING utf8mb4) AS BINARY)",
    prefilter=True,
    exact_json=True,
    contains="LOCATE({p}, {x}) > 0",
    startswith="LEFT({x}, CHAR_LENGTH({p})) = {p}",
    endswith="RIGHT({x}, CHAR_LENGTH({p})) = {p}",
    json_type="JSON_TYPE({value})",
    member=_member,
    entry="JSON_EXTRACT({x}, {key})",
    bind_key=_path,
    reads={
        "text": "CASE WHEN {type} = 'STRING' THEN JSON_UNQUOTE({value}) END",
        "integer": (
            f"CASE WHEN {_NUMBER} AND FLOOR(CAST({{value}} AS DOUBLE)) = CAST({{value}} AS DOUBLE) "
            "AND CAST({value} AS DECIMAL(65, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807 "
            "THEN CAST({value} AS DECIMAL(65, 0)) END"
        ),
        "number": f"CASE WHEN {_NUMBER} THEN CAST({{value}} AS DOUBLE) END",
        "boolean": "CASE WHEN {type} = 'BOOLEAN' THEN JSON_UNQUOTE({value}) = 'true' END",
        "array": "CASE WHEN {type} = 'ARRAY' THEN {value} END",
    },
    # max_sort_length is 1,024 bytes, some of which are the server's own.
    sorted_length=255,
    sorted_piece="SUBSTRING({x}, {start}, 1000)",
    least={
        "string": "''",
        "enum": "''",
        "uuid": "''",
        "integer": "-9223372036854775808",
        "number": "-1.7976931348623157e308",
        "decimal": f"-{'9' * 65}",
        "boolean": "0",
        "timestamp": "'0001-01-01'",
        "date": "'0001-01-01'",
    },
    # A column of type JSON keeps the quotes of strings, and so their type, and has no greatest length.
    some="EXISTS (SELECT 1 FROM JSON_TABLE({array}, '$[*]' COLUMNS (value JSON PATH '$')) AS {e} WHERE {condition})",
)
