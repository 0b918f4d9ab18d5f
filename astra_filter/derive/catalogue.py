"""The columns of a table to fields, as the catalogue of its database tells them (SPEC §5).

Each database has a function that reads its catalogue into `Found`, what all of them tell of a column, and a function
from the type of a column to its field. A column that no storage holds raises `_Unsupported`, with the reason.

Long because the types of four databases stand side by side.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, assert_never

from astra_filter import fields
from astra_filter.derive.connections import dialect_of, run
from astra_filter.errors import AstraFilterError
from astra_filter.language.values import is_text
from astra_filter.sql.dialects.base import table_parts
from astra_filter.sql.forms import SPELLINGS
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from astra_filter.fields import Field
    from astra_filter.sql.dialects.base import Dialect, TableName


class _Unsupported(Exception):  # noqa: N818  # Never leaves this module.
    """No storage holds a column; its argument is the reason."""


class Found(NamedTuple):
    """A column as the catalogue has it."""

    name: str
    type: str
    """The name of its type, in lower case but for labels and names of one's own."""
    nullable: bool
    key: bool
    """Whether it is in the primary key."""
    length: int | None = None
    digits: int | None = None
    places: int | None = None
    collation: str | None = None
    """Of text; None where it compares in a way that nobody told."""
    labels: tuple[str, ...] = ()
    """Of an enum."""
    array: bool = False
    """Whether it is an array of the type."""
    charset: str | None = None


_Make: TypeAlias = "Callable[..., Field]"


def members(
    connection: Any, table: TableName, *, omit_unsupported: bool = False
) -> tuple[dict[str, fields.Field], str | None]:
    """Return fields for the columns of a table or view, and the name of its key, where one column is that.

    Args:
        connection: of `sqlite3`, `psycopg`, `pymysql` or `duckdb`; only the catalogue is read, and on SQLite, whose
            catalogue does not tell how instants are written, some values of columns that are declared to hold them.
        table: its name; a tuple where it is qualified.
        omit_unsupported: leave out the columns that no storage holds, instead of refusing them.

    Raises:
        SchemaError: no such driver or table; columns that no storage holds, each with the reason, all in one error.
    """
    dialect = dialect_of(connection)
    found, make = _look(connection, dialect, table)
    if not found:
        raise wording.no_table(table)
    made: dict[str, fields.Field] = {}
    reasons: dict[str, str] = {}
    for column in found:
        if not is_text(column.name) or not column.name:
            reasons[column.name] = "no field can have its name"
            continue
        try:
            field = make(column)
            dialect.storage(field)
        except (_Unsupported, AstraFilterError) as error:
            reasons[column.name] = str(error)
        else:
            made[column.name] = field
    if reasons and not omit_unsupported:
        raise wording.unsupported_columns(table, reasons)
    if not made:
        raise wording.no_columns(table)
    keys = [column.name for column in found if column.key]
    key = keys[0] if len(keys) == 1 else None
    return made, key if key in made and made[key].sortable and not made[key].nullable else None


def _look(connection: Any, dialect: Dialect, table: TableName) -> tuple[list[Found], Callable[[Found], Field]]:
    match dialect.name:
        case "sqlite":
            return _sqlite(connection, dialect, table), lambda column: _of_sqlite(connection, dialect, table, column)
        case "postgresql":
            return _postgresql(connection, dialect, table), _of_postgresql
        case "mysql":
            return _mysql(connection, table), _of_mysql
        case "duckdb":
            return _duckdb(connection, table), _of_duckdb
        case _:
            assert_never(dialect.name)


def _typed(column: Found, types: Mapping[str, tuple[_Make, str | None]]) -> Field:
    """Return the field of a type that says all: a class and perhaps a storage."""
    found = types.get(column.type)
    if found is None:
        raise _Unsupported(f"its type is {column.type}")
    make, storage = found
    return make(nullable=column.nullable, storage=storage)


def _decimal(column: Found) -> Field:
    digits, places = column.digits, column.places
    if digits is None or places is None or not 0 <= places <= digits:
        raise _Unsupported("the places of its numeric type are not within its digits")
    return fields.Decimal(digits, places, nullable=column.nullable)


_UNKNOWN_MEMBERS = "the catalogue does not tell the members of its JSON: declare an Object, an Array or a Map"

# PostgreSQL ----------------------------------------------------------------------------------------------------------

_POSTGRESQL: Mapping[str, tuple[_Make, str | None]] = {
    "bool": (fields.Boolean, None),
    "int2": (fields.Integer, "smallint"),
    "int4": (fields.Integer, "integer"),
    "int8": (fields.Integer, None),
    "float4": (fields.Number, "real"),
    "float8": (fields.Number, None),
    "timestamptz": (fields.Timestamp, None),
    "timestamp": (fields.Timestamp, "timestamp"),
    "date": (fields.Date, None),
    "uuid": (fields.Uuid, None),
}
_ELEMENTS: Mapping[str, tuple[str, type[Field]]] = {
    "text": ("text", fields.String),
    "varchar": ("varchar", fields.String),
    "int2": ("smallint", fields.Integer),
    "int4": ("integer", fields.Integer),
    "int8": ("bigint", fields.Integer),
    "float4": ("real", fields.Number),
    "float8": ("double precision", fields.Number),
    "bool": ("boolean", fields.Boolean),
    "uuid": ("uuid", fields.Uuid),
    "date": ("date", fields.Date),
    "timestamptz": ("timestamptz", fields.Timestamp),
}
"""The storage and the field of an array's elements, by their type."""
_BINARY = frozenset({"C", "POSIX", "ucs_basic"})
"""Collations that compare by code point, in a database of UTF-8."""
_HEADER = 4
"""What PostgreSQL adds to a length, and to digits and places."""


def _postgresql(connection: Any, dialect: Dialect, table: TableName) -> list[Found]:
    rows = run(
        connection,
        """
        SELECT a.attname, t.typname, n.nspname, pg_type_is_visible(t.oid), t.typtype, w.typcategory = 'A',
            NOT a.attnotnull,
            EXISTS (
                SELECT 1 FROM pg_index AS i
                WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)
            ),
            a.atttypmod,
            CASE WHEN c.collname = 'default'
                THEN (SELECT datcollate FROM pg_database WHERE datname = current_database() AND datlocprovider = 'c')
                ELSE c.collname END,
            ARRAY(SELECT CAST(e.enumlabel AS text) FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
        FROM pg_attribute AS a
        JOIN pg_type AS w ON w.oid = a.atttypid
        JOIN pg_type AS t ON t.oid = CASE WHEN w.typcategory = 'A' THEN w.typelem ELSE w.oid END
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
        WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """,
        (dialect.table(table),),
    )
    found = []
    for name, bare, namespace, visible, sort, array, nullable, key, modifier, collation, labels in rows:
        size = modifier - _HEADER if modifier >= _HEADER else None
        digits, places = (None, None) if size is None else (size >> 16, (size & 0x7FF ^ 0x400) - 0x400)
        kind = bare if namespace == "pg_catalog" or bare == "citext" else f"{namespace}.{bare}"
        if sort == "e":
            kind = f"enum:{bare if visible else f'{namespace}.{bare}'}"
        found.append(
            Found(
                name,
                kind,
                array=array,
                nullable=nullable,
                key=key,
                length=size,
                digits=digits,
                places=places,
                collation=collation,
                # A storage names the type as it is said, and the parts of a name by a dot.
                labels=() if "." in bare or "." in namespace or ":" in kind[len("enum:") :] else tuple(labels),
            )
        )
    return found


def _of_postgresql(column: Found) -> Field:
    nullable = column.nullable
    if column.type.startswith("enum:"):
        if not column.labels:
            raise _Unsupported("the name of its type has a dot or a colon")
        if column.array:
            return fields.Array(fields.Enum(*column.labels), storage=f"array:{column.type}", nullable=nullable)
        return fields.Enum(*column.labels, storage=column.type, nullable=nullable)
    if column.array:
        if column.type not in _ELEMENTS:
            raise _Unsupported(f"it is an array of {column.type}")
        kind, items = _ELEMENTS[column.type]
        return fields.Array(items(), storage=f"array:{kind}", nullable=nullable)
    match column.type:
        case "inet":
            return fields.String(storage="inet", operators=("eq", "ne", "in"), sortable=False, nullable=nullable)
        case "text" | "varchar":
            return fields.String(
                max_length=column.length, binary=column.collation in _BINARY or None, nullable=nullable
            )
        case "bpchar":
            return fields.String(max_length=column.length, storage="char", nullable=nullable)
        case "citext":
            return fields.String(storage="citext", nullable=nullable)
        case "numeric":
            return fields.Number(storage="numeric", nullable=nullable) if column.length is None else _decimal(column)
        case "json" | "jsonb":
            raise _Unsupported(_UNKNOWN_MEMBERS)
        case _:
            return _typed(column, _POSTGRESQL)


# MySQL and MariaDB ---------------------------------------------------------------------------------------------------

_MYSQL: Mapping[str, tuple[_Make, str | None]] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), (fields.Integer, None)),
    "boolean": (fields.Boolean, None),
    "float": (fields.Number, "float"),
    "double": (fields.Number, None),
    "date": (fields.Date, None),
    "uuid": (fields.Uuid, "uuid"),
}
_MYSQL_BINARY = frozenset({"utf8mb4_nopad_bin", "utf8mb4_0900_bin"})
_MYSQL_TEXT = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_UUID_LENGTH, _HEX_LENGTH, _BYTES = 36, 32, 16


def _mysql(connection: Any, table: TableName) -> list[Found]:
    *qualifiers, bare = table_parts(table)
    where = "table_schema = %s AND table_name = %s" if qualifiers else "table_schema = DATABASE() AND table_name = %s"
    rows = run(
        connection,
        "SELECT column_name, data_type, column_type, is_nullable = 'YES', column_key = 'PRI', "
        "character_maximum_length, numeric_precision, numeric_scale, datetime_precision, collation_name, "
        "character_set_name "
        f"FROM information_schema.columns WHERE {where} ORDER BY ordinal_position",  # Fixed words.
        (*qualifiers[-1:], bare),
    )
    documents = _mysql_documents(connection, qualifiers, bare)
    found = []
    for name, kind, whole, nullable, key, length, digits, places, fraction, collation, charset in rows:
        labels = _LABEL.findall(whole) if kind in ("enum", "set") else []
        if whole.startswith("tinyint(1)"):
            own = "boolean"
        elif name in documents:
            own = "json"
        else:
            own = "bigint unsigned" if kind == "bigint" and whole.endswith("unsigned") else kind
        found.append(
            Found(
                name,
                own,
                nullable=bool(nullable),
                key=bool(key),
                length=length,
                digits=digits,
                places=places if fraction is None else fraction,
                collation=collation,
                labels=tuple([label.replace("''", "'") for label in labels]),
                charset=charset,
            )
        )
    return found


def _mysql_documents(connection: Any, qualifiers: Sequence[str], bare: str) -> set[str]:
    """Return the columns that hold JSON: on MariaDB those that a check says it of."""
    [(version,)] = run(connection, "SELECT VERSION()")
    if "MariaDB" not in version:
        return set()
    where = "constraint_schema = %s" if qualifiers else "constraint_schema = DATABASE()"
    rows = run(
        connection,
        f"SELECT check_clause FROM information_schema.check_constraints WHERE {where} AND table_name = %s",
        (*qualifiers[-1:], bare),
    )
    checks = [re.fullmatch(r"json_valid\(`(.*)`\)", clause) for (clause,) in rows]
    return {match[1].replace("``", "`") for match in checks if match is not None}


def _of_mysql(column: Found) -> Field:
    nullable = column.nullable
    match column.type:
        case "enum":
            return fields.Enum(*column.labels, storage="enum", nullable=nullable)
        case "set":
            return fields.Array(fields.Enum(*column.labels), storage="set", nullable=nullable)
        case "decimal":
            return _decimal(column)
        case "bigint unsigned":
            return fields.Decimal(20, 0, storage="unsigned", nullable=nullable)
        case "datetime":
            storage = {0: "datetime0", 3: "datetime3"}.get(column.places or 0)
            return fields.Timestamp(storage=storage, nullable=nullable)
        case "timestamp":
            return fields.Timestamp(storage="timestamp", nullable=nullable)
        case "binary" if column.length == _BYTES:
            return fields.Uuid(storage="binary", nullable=nullable)
        case "char" if column.charset == "ascii" and column.length == _UUID_LENGTH:
            return fields.Uuid(nullable=nullable)
        case "char" if column.charset == "ascii" and column.length == _HEX_LENGTH:
            return fields.Uuid(storage="hex", nullable=nullable)
        case "json":
            raise _Unsupported(_UNKNOWN_MEMBERS)
        case kind if kind in _MYSQL_TEXT:
            length = column.length if kind in ("char", "varchar") else None
            if column.charset == "utf8mb4":
                binary = column.collation in _MYSQL_BINARY or None
                return fields.String(max_length=length, binary=binary, nullable=nullable)
            return fields.String(max_length=length, storage=f"charset:{column.charset}", nullable=nullable)
        case _:
            return _typed(column, _MYSQL)


# DuckDB --------------------------------------------------------------------------------------------------------------

_DUCKDB: Mapping[str, tuple[_Make, str | None]] = {
    **dict.fromkeys(
        ("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"), (fields.Integer, None)
    ),
    "ubigint": (fields.Integer, "ubigint"),
    "hugeint": (fields.Integer, "hugeint"),
    "boolean": (fields.Boolean, None),
    "float": (fields.Number, "float"),
    "double": (fields.Number, None),
    "varchar": (fields.String, None),
    "uuid": (fields.Uuid, None),
    "date": (fields.Date, None),
    "timestamp with time zone": (fields.Timestamp, None),
    **{name: (fields.Timestamp, name) for name in ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")},
}


_DUCKDB_ELEMENTS: Mapping[str, type[Field]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"), fields.Integer),
    "varchar": fields.String,
    "double": fields.Number,
    "boolean": fields.Boolean,
    "uuid": fields.Uuid,
    "date": fields.Date,
}


def _duckdb(connection: Any, table: TableName) -> list[Found]:
    *qualifiers, bare = table_parts(table)
    # An unqualified table is looked for where a statement would find it.
    names = ["table_name = ?", "(table_schema = ? OR ? IS NULL)", "(table_catalog = ? OR ? IS NULL)"]
    schema = qualifiers[-1] if qualifiers else None
    catalogue = qualifiers[0] if len(qualifiers) > 1 else None
    rows = run(
        connection,
        "SELECT column_name, data_type, is_nullable = 'YES', numeric_precision, numeric_scale, table_catalog, "
        f"table_schema FROM information_schema.columns WHERE {' AND '.join(names)} "  # Fixed words.
        "ORDER BY table_schema <> current_schema(), table_catalog, table_schema, ordinal_position",
        (bare, schema, schema, catalogue, catalogue),
    )
    rows = [row for row in rows if row[5:] == rows[0][5:]]
    keys = run(
        connection,
        "SELECT database_name, schema_name, constraint_column_names FROM duckdb_constraints() "
        "WHERE table_name = ? AND constraint_type = 'PRIMARY KEY'",
        (bare,),
    )
    primary = [columns for *place, columns in keys if rows and tuple(place) == tuple(rows[0][5:])]
    return [
        Found(
            name,
            kind if kind.startswith("ENUM") else kind.lower(),
            nullable=nullable,
            key=any(name in columns for columns in primary),
            digits=digits,
            places=places,
            labels=tuple([label.replace("''", "'") for label in _LABEL.findall(kind)]),
        )
        for name, kind, nullable, digits, places, *_ in rows
    ]


def _of_duckdb(column: Found) -> Field:
    if column.type.endswith("[]"):
        items = _DUCKDB_ELEMENTS.get(column.type.removesuffix("[]"))
        if items is None:
            raise _Unsupported(f"its type is {column.type}")
        return fields.Array(items(), storage="list", nullable=column.nullable)
    if column.type.startswith("ENUM("):
        return fields.Enum(*column.labels, storage="enum", nullable=column.nullable)
    if column.type.startswith("decimal("):
        return _decimal(column)
    if column.type == "json":
        raise _Unsupported(_UNKNOWN_MEMBERS)
    return _typed(column, _DUCKDB)


# SQLite --------------------------------------------------------------------------------------------------------------

_SAMPLE = 1000
_UNSPELLED = (
    "the catalogue does not tell how its instants are written, and its values do not show it: "
    f"declare a Timestamp with one of the storages {', '.join(SPELLINGS)} or epoch_s, epoch_ms, epoch_us"
)


def _sqlite(connection: Any, dialect: Dialect, table: TableName) -> list[Found]:
    *qualifiers, bare = table_parts(table)
    schema = qualifiers[-1] if qualifiers else None
    if schema is not None and (schema,) not in run(connection, "SELECT name FROM pragma_database_list"):
        return []
    info = run(
        connection,
        'SELECT name, upper(type), "notnull", pk FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1'
        if schema is not None
        else 'SELECT name, upper(type), "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1',
        (bare, schema) if schema is not None else (bare,),
    )
    keys = [name for name, _, _, place in info if place]
    return [
        Found(
            name,
            kind,
            # The rowid is never null; other primary keys may be, but for STRICT and WITHOUT ROWID.
            nullable=not required and not (place and kind == "INTEGER" and len(keys) == 1),
            key=bool(place),
            collation=_sqlite_collation(connection, dialect, table, name),
        )
        for name, kind, required, place in info
    ]


def _sqlite_collation(connection: Any, dialect: Dialect, table: TableName, name: str) -> str | None:
    """Return the collation of a column, which SQLite tells nowhere but in the program of a statement."""
    quoted = dialect.identifier(name)
    program = run(
        connection,
        f"EXPLAIN SELECT 1 FROM {dialect.table(table)} WHERE +{quoted} < 'a'",  # Quoted names.
    )
    for _, opcode, *_, collation, _, _ in program:
        if opcode in ("Ge", "Lt") and collation:
            return str(collation).rpartition("-")[0]
    return None


def _of_sqlite(connection: Any, dialect: Dialect, table: TableName, column: Found) -> Field:
    # What a declared type means to SQLite: https://www.sqlite.org/datatype3.html, section 3.1.
    kind, nullable = column.type, column.nullable
    if "BOOL" in kind:
        return fields.Boolean(nullable=nullable)
    if "DATETIME" in kind or "TIMESTAMP" in kind:
        return _sqlite_instant(connection, dialect, table, column)
    if kind == "DATE":
        return fields.Date(nullable=nullable)
    if "INT" in kind:
        return fields.Integer(nullable=nullable)
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        storage = {"NOCASE": "nocase", "RTRIM": "rtrim"}.get(column.collation or "")
        binary = column.collation == "BINARY" or None
        return fields.String(binary=binary, storage=storage, nullable=nullable)
    if any(word in kind for word in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")):
        return fields.Number(nullable=nullable)
    raise _Unsupported(f"its declared type is {kind or 'missing'}")


def _sqlite_instant(connection: Any, dialect: Dialect, table: TableName, column: Found) -> Field:
    quoted = dialect.identifier(column.name)
    rows = run(
        connection,
        f"SELECT {quoted} FROM {dialect.table(table)} WHERE {quoted} IS NOT NULL LIMIT {_SAMPLE}",
    )
    plain = fields.Timestamp(nullable=column.nullable)
    seen = [(value, plain.read(value)) for (value,) in rows]
    if seen and all(isinstance(value, str) and read is not None for value, read in seen):
        if all(plain.json(read) == value for value, read in seen):
            return plain
        for name, spelling in SPELLINGS.items():
            if all(spelling.write(read) == value for value, read in seen):
                return fields.Timestamp(storage=name, nullable=column.nullable)
    raise _Unsupported(_UNSPELLED)
