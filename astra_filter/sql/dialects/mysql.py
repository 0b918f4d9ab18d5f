"""MySQL and MariaDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from astra_filter.language.decimals import Grid, decimal_text
from astra_filter.sql.dialects.base import Dialect, Storage, decimal_pattern, key_literal
from astra_filter.sql.fragment import Fragment, Part

if TYPE_CHECKING:
    from datetime import datetime


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
    max_indexed_length=768,
    long_text="LONGTEXT CHARACTER SET utf8mb4",
    # Even utf8mb4_bin ignores trailing spaces; bytes of UTF-8 sort by code point, whatever the connection speaks.
    exact="CAST(CONVERT({x} USING utf8mb4) AS BINARY)",
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
    lost_key="-",
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
