"""What the databases do differently: one declarative record per dialect, over defaults (SPEC §5).

Records hold templates. In a template ``{x}`` is a value, ``{p}`` the parameter it is tested against, ``{e}`` the name
of an array's element, and ``{type}`` and ``{value}`` are a JSON value and the name of its type. A template is filled
with fragments, never with text of a filter.

A field has a column of the type in ``columns``, or stands in JSON. There, timestamps, dates and UUIDs are text that
sorts as its values do: fixed-width UTC timestamps, ``YYYY-MM-DD``, lower-case UUIDs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from astra_filter import errors
from astra_filter.fields import timestamp_text
from astra_filter.sql.fragment import Fragment, Param, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOLE = re.compile(r"\{(\w+)\}")


class Storage(NamedTuple):
    """How values of one field type are kept, and how a canonical value becomes a parameter to test them against."""

    type: str
    """The column type."""
    bind: Callable[[Any], Any] | None = None
    """Canonical value to the driver's; None leaves it as it is."""
    parameter: str = "{p}"
    """The parameter as an expression of the column's type."""


def fill(template: str, **holes: Part) -> Fragment:
    """Return the template with each ``{name}`` replaced by the hole of that name."""
    return Fragment(*(holes[part] if place % 2 else part for place, part in enumerate(_HOLE.split(template)) if part))


def literal(text: str) -> str:
    """Return a SQL string literal. On MySQL, ``text`` must have no backslash, which may be an escape there."""
    return "'" + text.replace("'", "''") + "'"


def _key(text: str) -> Part:
    return Param(None, value=text) if "\\" in text else literal(text)


def _naive(value: datetime) -> datetime:
    return value.replace(tzinfo=None)


def _is_plain(name: str) -> bool:
    """Whether a key reads in JSON as it is written: it needs no escape."""
    return '"' not in name and "\\" not in name and name.isprintable()


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A database's SQL. The defaults are what most of the dialects share."""

    name: str
    placeholders: tuple[str, ...]
    """The placeholder styles the drivers take, the default first."""
    columns: Mapping[str, Storage]
    """How each field type is stored in a column of its own; arrays are JSON."""
    quote: str = '"'
    """Stands around identifiers, and doubled inside them."""
    create_suffix: str = ""
    """What follows the columns in CREATE TABLE."""
    text_collation: str = ""
    """The COLLATE clause of a text column that compares by code point; ``{collation}`` is the caller's choice."""
    max_indexed_length: int | None = None
    """Most characters of text that a key or index can hold; longer text needs a type of its own, ``long_text``."""
    long_text: str = ""
    max_name_length: int | None = None
    """Most bytes of an identifier; what is longer is cut, or refused."""
    folds_column_names: bool = True
    """Whether column names that differ in case only are the same column."""

    exact: str
    """Text of any collation, made to compare by code point."""
    exact_parameter: str = "{p}"
    prefilter: bool = False
    """Whether equality is tested under the column's own collation first, because an index may serve that."""
    exact_json: bool = False
    """Whether text out of JSON needs ``exact`` too."""

    contains: str
    startswith: str
    endswith: str

    document: str = "{x}"
    """A column as a JSON document, null where it is none."""
    element: str = "{e}.value"
    """An array's element, as JSON."""
    element_type: str | None = None
    """The type of an element; None takes ``json_type`` of it."""
    element_document: str | None = None
    """An element whose members are asked for; None takes ``element``."""
    json_type: str
    member: Callable[[Part, tuple[str, ...]], tuple[Fragment, Fragment | None]]
    """A document and at least one name to the value found there and its type; None takes ``json_type`` of the value."""
    reads: Mapping[str, str]
    """The SQL value of JSON that should be ``text``, ``integer``, ``number``, ``boolean`` or ``array``; else null."""
    not_true: str = " IS NOT TRUE"
    """Follows a test, which it negates: true where the test is false or null."""
    some: str
    """Whether ``{condition}`` holds for some element of ``{array}``."""
    not_some: str = "NOT {some}"
    nulls_smallest: bool = True
    """Whether ORDER BY takes nulls for the smallest values when nothing is said."""
    seeks: Literal["or", "merged", "limited"] = "or"
    """How the rows after a position are found: by one condition of ORs; by a UNION ALL of seeks, which the database
    merges by the ORDER BY that follows; or by one of seeks that are each ordered and limited."""
    ranges_row_values: bool = False
    """Whether an index serves a comparison of row values as a range."""
    least: Mapping[str, str] = field(default_factory=dict)
    """A literal for each field type that no value is less than, where a range of nulls alone is not taken for one."""
    rowid_alias: bool = False
    """Whether a key of type integer is no column of an index, so that row values with it are none either."""
    sorted_length: int | None = None
    """Most characters of a text that ORDER BY compares; longer text is sorted by ``sorted_piece`` after piece."""
    sorted_piece: str = ""
    """1,000 bytes of ``{x}`` from the byte ``{start}`` on, counted from 1."""
    ordered_indexes: Literal["any", "binary", "none"] = "any"
    """Which text an index can have in order by code point: of any collation, or of binary ones; or that none serves."""
    returned: Mapping[str, str] = field(default_factory=dict)
    """How columns of a field type are selected, where the driver cannot return ``{x}`` itself."""
    captured_names: frozenset[str] = frozenset()
    """Unqualified column names that would mean the element's own columns where an array is named in ``some``."""
    some_captured: str = ""
    """``some``, where the array's column has such a name."""

    def identifier(self, name: str) -> str:
        """Return a quoted identifier."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def column(self, name: str, alias: str | None) -> Fragment:
        """Return a quoted column name, qualified by a quoted table alias if there is one."""
        return Fragment(f"{self.identifier(alias)}." if alias else "", self.identifier(name))

    def style(self, placeholders: str | None) -> str:
        """Return the placeholder style to use: the one asked for, or the default.

        Raises:
            SchemaError: the dialect's drivers know no such style; the message names those they do.
        """
        if placeholders is None:
            return self.placeholders[0]
        if placeholders not in self.placeholders:
            raise errors.unknown_placeholders(placeholders, self.name, self.placeholders)
        return placeholders


JSON_STORAGE: Mapping[str, Storage] = {
    "string": Storage("text"),
    "enum": Storage("text"),
    "uuid": Storage("text"),
    "integer": Storage("integer"),
    "number": Storage("number"),
    "boolean": Storage("boolean"),
    "timestamp": Storage("text", timestamp_text),
    "date": Storage("text", date.isoformat),
    "array": Storage("array"),
}
"""How each field type is held in JSON: ``Storage.type`` is a key of ``Dialect.reads``."""


def _path(names: tuple[str, ...]) -> str:
    """Return the path to a key that needs no escape, as a SQL literal."""
    return literal("$" + "".join(f'."{name}"' for name in names))


# SQLite --------------------------------------------------------------------------------------------------------------


def _sqlite_member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    # A path cannot name a key whose JSON text has escapes; json_each compares the key itself.
    odd = next((place for place, name in enumerate(names) if not _is_plain(name)), None)
    if odd is None:
        path = _path(names)
        return Fragment("json_extract(", document, ", ", path, ")"), Fragment("json_type(", document, ", ", path, ")")
    found = "(SELECT {what} FROM json_each({document}, {path}) WHERE key = {key}{only})"
    key = _key(names[odd])
    path = _path(names[:odd])
    if odd == len(names) - 1:
        return (
            fill(found, what="value", document=document, path=path, key=key, only=""),
            fill(found, what="type", document=document, path=path, key=key, only=""),
        )
    owner = fill(found, what="value", document=document, path=path, key=key, only=" AND type = 'object'")
    return _sqlite_member(owner, names[odd + 1 :])


_SQLITE = Dialect(
    name="sqlite",
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
    member=_sqlite_member,
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

# PostgreSQL ----------------------------------------------------------------------------------------------------------


def _postgresql_member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    # One step each: with a path of several, the key 0 would find the first element of an array.
    return Fragment(document, *(part for name in names for part in (" -> ", _key(name)))), None


_POSTGRESQL = Dialect(
    name="postgresql",
    placeholders=("%s", "$1", ":p1"),
    columns={
        "string": Storage("text"),
        "enum": Storage("text"),
        "uuid": Storage("uuid"),
        "integer": Storage("bigint"),
        "number": Storage("double precision"),
        "boolean": Storage("boolean"),
        "timestamp": Storage("timestamptz"),
        "date": Storage("date"),
        "array": Storage("jsonb"),
    },
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
    member=_postgresql_member,
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
    seeks="limited",
    ranges_row_values=True,
    # In the session's time zone, the ends of the range would be of years that Python has not.
    returned={"timestamp": "{x} AT TIME ZONE 'UTC'"},
)

# MySQL and MariaDB ---------------------------------------------------------------------------------------------------


def _mysql_member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    for name in names:
        if name.startswith("-"):  # MariaDB's paths find no such key, quoted or escaped.
            raise errors.unreachable_key("mysql", name)
    path = "$" + "".join("." + json.dumps(name, ensure_ascii=False) for name in names)
    return Fragment("JSON_EXTRACT(", document, ", ", _key(path), ")"), None


_MYSQL_NUMBER = "{type} IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')"

_MYSQL = Dialect(
    name="mysql",
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
    member=_mysql_member,
    reads={
        "text": "CASE WHEN {type} = 'STRING' THEN JSON_UNQUOTE({value}) END",
        "integer": (
            f"CASE WHEN {_MYSQL_NUMBER} AND FLOOR(CAST({{value}} AS DOUBLE)) = CAST({{value}} AS DOUBLE) "
            "AND CAST({value} AS DECIMAL(65, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807 "
            "THEN CAST({value} AS DECIMAL(65, 0)) END"
        ),
        "number": f"CASE WHEN {_MYSQL_NUMBER} THEN CAST({{value}} AS DOUBLE) END",
        "boolean": "CASE WHEN {type} = 'BOOLEAN' THEN JSON_UNQUOTE({value}) = 'true' END",
        "array": "CASE WHEN {type} = 'ARRAY' THEN {value} END",
    },
    # A column of type JSON keeps the quotes of strings, and so their type, and has no greatest length.
    ordered_indexes="binary",
    # max_sort_length is 1,024 bytes, some of which are the server's own.
    sorted_length=255,
    sorted_piece="SUBSTRING({x}, {start}, 1000)",
    least={
        "string": "''",
        "enum": "''",
        "uuid": "''",
        "integer": "-9223372036854775808",
        "number": "-1.7976931348623157e308",
        "boolean": "0",
        "timestamp": "'0001-01-01'",
        "date": "'0001-01-01'",
    },
    some="EXISTS (SELECT 1 FROM JSON_TABLE({array}, '$[*]' COLUMNS (value JSON PATH '$')) AS {e} WHERE {condition})",
)

# DuckDB --------------------------------------------------------------------------------------------------------------


def _duckdb_member(document: Part, names: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    if all(map(_is_plain, names)):
        return Fragment("json_extract(", document, ", ", _path(names), ")"), None
    # A path cannot name the others; but the key 0 of a pointer is the first element of an array, too.
    pointer = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)  # RFC 6901
    return Fragment("json_extract(", document, ", ", literal(pointer), ")"), None


_DUCKDB_NUMBER = "{type} IN ('BIGINT', 'UBIGINT', 'DOUBLE')"

_DUCKDB = Dialect(
    name="duckdb",
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
    exact="{x} COLLATE C",
    contains="contains({x}, {p})",
    startswith="starts_with({x}, {p})",
    endswith="suffix({x}, {p})",
    document="try_cast({x} AS JSON)",
    element="{e}",
    json_type="json_type({value})",
    member=_duckdb_member,
    reads={
        "text": "CASE WHEN {type} = 'VARCHAR' THEN json_extract_string({value}, '$') END",
        "integer": (
            f"CASE WHEN {_DUCKDB_NUMBER} AND trunc(try_cast({{value}} AS DOUBLE)) = try_cast({{value}} AS DOUBLE) "
            "THEN try_cast({value} AS BIGINT) END"
        ),
        "number": (
            f"CASE WHEN {_DUCKDB_NUMBER} AND isfinite(try_cast({{value}} AS DOUBLE)) "
            "THEN try_cast({value} AS DOUBLE) END"
        ),
        "boolean": "CASE WHEN {type} = 'BOOLEAN' THEN try_cast({value} AS BOOLEAN) END",
        "array": "try_cast({value} AS JSON[])",
    },
    # EXISTS over unnest, 100 times in one statement, takes minutes.
    some="len(list_filter({array}, lambda {e}: {condition})) > 0",
    not_some="{some} IS NOT TRUE",
    nulls_smallest=False,
    ordered_indexes="none",
    # A TIMESTAMPTZ is returned by a package of its own, pytz; this is the same instant in UTC, without offset.
    returned={"timestamp": "make_timestamp(epoch_us({x}))"},
)

DIALECTS: Mapping[str, Dialect] = {record.name: record for record in (_SQLITE, _POSTGRESQL, _MYSQL, _DUCKDB)}
"""The dialects by name."""


def find_dialect(name: str) -> Dialect:
    """Return the dialect of that name: ``sqlite``, ``postgresql``, ``mysql`` (MariaDB too) or ``duckdb``.

    Raises:
        SchemaError: there is no such dialect; the message names the known ones.
    """
    found = DIALECTS.get(name)
    if found is None:
        raise errors.unknown_dialect(name, tuple(DIALECTS))
    return found
