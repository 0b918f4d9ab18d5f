"""Schemas that catalogues tell, of tables as people make them (SPEC §5)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from databases.storage_cases import CASES
from databases.test_storages import params
from schemas import SCHEMAS

from astra_filter import Schema, SchemaError, fields
from astra_filter.sql.dialects import find_dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databases.backends import Backend
    from databases.storage_cases import Case

NAMES = (f"people_{number}" for number in itertools.count())


def made(source: str) -> Schema:
    """Return the schema that Python source makes."""
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102
    return scope["SCHEMA"]


def signatures(schema: Schema) -> dict[str, tuple[object, ...]]:
    return {path[0]: leaf.field.signature() for path, leaf in schema.leaves.items()}


class Tables:
    """Makes tables, and drops them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.made: list[str] = []

    def make(self, columns: str) -> str:
        name = next(NAMES)
        self.backend.execute(f"CREATE TABLE {name} ({columns})")
        self.made.append(name)
        return name


@pytest.fixture
def tables(backend: Backend) -> Iterator[Tables]:
    found = Tables(backend)
    yield found
    for name in found.made:
        backend.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize("case", params(CASES))
def test_columns_of_every_storage(case: Case, reach: Callable[[str], Backend]) -> None:
    """What `create_table` makes of a storage is read as that storage, or as one that holds all of its values."""
    backend: Any = reach(case.dialect)
    for statement in case.setup:
        backend.execute(statement)
    own = Schema({"id": fields.Integer(), "maybe": case.field(nullable=True), "sure": case.field()}, key="id")
    name = next(NAMES)
    backend.execute(own.create_table(name, case.dialect))
    try:
        if case.dialect == "sqlite" and case.kind in (fields.Timestamp, fields.Uuid):
            return  # STRICT tables tell no more of them than that they are text, integers or blobs.
        found = Schema.from_database(backend.connection, name)
    finally:
        backend.execute(f"DROP TABLE {name}")
    expected = {
        # An ENUM of MySQL, and text of SQLite with a collation, may be declared as text; SQLite has no bound for it.
        "sqlite": lambda field: fields.String(storage=field.storage, nullable=field.nullable),
        "mysql": lambda field: fields.String(max_length=255, storage=field.storage, nullable=field.nullable),
    }
    for path in ("maybe", "sure"):
        field: Any = own.leaves[path,].field
        text = isinstance(field, fields.Enum) and case.known in ("nocase", "rtrim", "charset")
        if text or (case.dialect == "sqlite" and case.known in ("nocase", "rtrim")):
            field = expected[case.dialect](field)
        elif case.known == "unsigned":
            field = fields.Decimal(20, 0, storage="unsigned", nullable=field.nullable)
        elif case.storage.startswith("epoch"):
            field = fields.Integer(nullable=field.nullable)
        elif case.kind is fields.Array and case.scalar.type == "enum":
            labels = found.leaves[path,].field.items  # type: ignore[union-attr]
            text = case.dialect == "duckdb" or case.storage == "array:text"  # Its elements are plain text.
            items = fields.String() if text else fields.Enum(*labels.values)
            assert text or sorted(labels.values) == sorted(case.scalar.values)  # type: ignore[attr-defined]
            field = fields.Array(items, storage=case.storage, nullable=field.nullable)
        elif case.known == "enum":
            labels = found.leaves[path,].field.values  # type: ignore[union-attr]  # In an order of their own.
            assert sorted(labels) == sorted(field.values)
            field = fields.Enum(*labels, storage=case.storage, nullable=field.nullable)
        assert signatures(found)[path] == field.signature()
    assert found.key == "id"


def test_tables_that_schemas_make(backend: Backend) -> None:
    """As they were declared, as far as a catalogue can tell."""
    schema = Schema(
        {
            "id": fields.Integer(),
            "name": fields.String(max_length=20),
            "text": fields.String(nullable=True),
            "price": fields.Decimal(12, 2, nullable=True),
            "share": fields.Number(),
            "since": fields.Timestamp(nullable=True),
            "day": fields.Date(),
            "uuid": fields.Uuid(),
            "open": fields.Boolean(),
        },
        key="id",
        binary=True,
    )
    name = next(NAMES)
    backend.execute(schema.create_table(name, backend.name, collation=backend.collation))
    try:
        found = Schema.from_database(backend.connection, name, binary=True)  # type: ignore[attr-defined]
    finally:
        backend.execute(f"DROP TABLE {name}")
    kinds = {path[0]: leaf.field.type for path, leaf in found.leaves.items()}
    nullable = {path[0]: leaf.nullable for path, leaf in found.leaves.items()}
    # SQLite has four types of values; what they stand for is told by the schema alone.
    expected = {
        "sqlite": {"price": "integer", "since": "string", "day": "string", "uuid": "string", "open": "integer"}
    }.get(backend.name, {})
    assert kinds == {path[0]: leaf.field.type for path, leaf in schema.leaves.items()} | expected
    assert nullable == {path[0]: leaf.nullable for path, leaf in schema.leaves.items()}
    assert all(leaf.column.binary for leaf in found.leaves.values())


PEOPLE = {
    "postgresql": (
        (
            'id uuid PRIMARY KEY, code varchar(8) COLLATE "C" NOT NULL, title text COLLATE "hostile", '
            "price numeric(20, 4) NOT NULL, free numeric, flag boolean, small smallint, made timestamp(3) with time zone, "
            "pad char(4), ip inet, tags text[], sizes integer[] NOT NULL"
        ),
        {
            "id": fields.Uuid(),
            "code": fields.String(max_length=8, binary=True),
            "title": fields.String(nullable=True),
            "price": fields.Decimal(20, 4),
            "free": fields.Number(storage="numeric", nullable=True),
            "flag": fields.Boolean(nullable=True),
            "small": fields.Integer(storage="smallint", nullable=True),
            "made": fields.Timestamp(nullable=True),
            "pad": fields.String(max_length=4, storage="char", nullable=True),
            "ip": fields.String(storage="inet", operators=["eq", "ne", "in"], sortable=False, nullable=True),
            "tags": fields.Array(fields.String(), storage="array:text", nullable=True),
            "sizes": fields.Array(fields.Integer(), storage="array:integer"),
        },
        "b bytea, j jsonb, i interval[]",
    ),
    "mysql": (
        (
            "id bigint unsigned PRIMARY KEY, code varchar(8) CHARACTER SET latin1 NOT NULL, title text CHARACTER SET utf8mb4, "
            "kind enum('a', 'b''c', ',') NOT NULL, price decimal(20, 4), flag tinyint(1), tiny tinyint, made datetime, "
            "roles set('a', 'b''c'), moved timestamp(6) NULL, sorted varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        ),
        {
            "id": fields.Decimal(20, 0, storage="unsigned"),
            "code": fields.String(max_length=8, storage="charset:latin1"),
            "title": fields.String(nullable=True),
            "kind": fields.Enum("a", "b'c", ",", storage="enum"),
            "price": fields.Decimal(20, 4, nullable=True),
            "flag": fields.Boolean(nullable=True),
            "tiny": fields.Integer(nullable=True),
            "made": fields.Timestamp(storage="datetime0", nullable=True),
            "roles": fields.Array(fields.Enum("a", "b'c"), storage="set", nullable=True),
            "moved": fields.Timestamp(storage="timestamp", nullable=True),
            "sorted": fields.String(max_length=9, binary=True, nullable=True),
        },
        "b blob, j json, i time",
    ),
    "sqlite": (
        (
            "id INTEGER PRIMARY KEY, code VARCHAR(8) COLLATE NOCASE NOT NULL, title TEXT, price DECIMAL(20, 4), flag BOOLEAN, "
            "day DATE, tail TEXT COLLATE RTRIM"
        ),
        {
            "id": fields.Integer(),
            "code": fields.String(storage="nocase"),
            "title": fields.String(binary=True, nullable=True),
            "price": fields.Number(nullable=True),
            "flag": fields.Boolean(nullable=True),
            "day": fields.Date(nullable=True),
            "tail": fields.String(storage="rtrim", nullable=True),
        },
        "b BLOB, j, i DATETIME",
    ),
    "duckdb": (
        (
            "id BIGINT PRIMARY KEY, kind ENUM('a', 'b''c') NOT NULL, price DECIMAL(20, 4), huge HUGEINT, flag BOOLEAN, "
            "made TIMESTAMP_S, title VARCHAR, tags VARCHAR[], sizes INTEGER[]"
        ),
        {
            "id": fields.Integer(),
            "kind": fields.Enum("a", "b'c", storage="enum"),
            "price": fields.Decimal(20, 4, nullable=True),
            "huge": fields.Integer(storage="hugeint", nullable=True),
            "flag": fields.Boolean(nullable=True),
            "made": fields.Timestamp(storage="timestamp_s", nullable=True),
            "title": fields.String(nullable=True),
            "tags": fields.Array(fields.String(), storage="list", nullable=True),
            "sizes": fields.Array(fields.Integer(), storage="list", nullable=True),
        },
        "b BLOB, j JSON, i INTERVAL[]",
    ),
}


def test_tables_of_people(backend: Any, tables: Tables) -> None:
    columns, expected, unsupported = PEOPLE[backend.name]
    schema = Schema.from_database(backend.connection, tables.make(columns))
    assert signatures(schema) == {name: field.signature() for name, field in expected.items()}
    assert schema.key == "id"
    # Its queries run.
    name = tables.made[-1]
    assert backend.execute(*schema.query({"orderBy": "id", "limit": "5"}).sql(name, backend.name)) == []
    again = made(schema.to_python())
    assert again.signature == schema.signature
    both = tables.make(f"{columns}, {unsupported}")
    with pytest.raises(SchemaError) as caught:
        Schema.from_database(backend.connection, both)
    assert caught.value.code == "unsupported_columns"
    head, *lines = str(caught.value).splitlines()
    assert head.startswith(f"no storage holds these columns of table '{both}'; omit_unsupported=True leaves them out:")
    assert [line.split(":")[0].strip() for line in lines] == ["b", "j", "i"]
    assert signatures(Schema.from_database(backend.connection, both, omit_unsupported=True)) == signatures(schema)


def test_keys(backend: Any, tables: Tables) -> None:
    both = tables.make("a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b)")
    assert Schema.from_database(backend.connection, both).key is None
    assert Schema.from_database(backend.connection, both, key="b").key == "b"
    assert Schema.from_database(backend.connection, tables.make("a INTEGER, b INTEGER NOT NULL")).key is None


def test_no_table(backend: Any) -> None:
    for name in ("no_such_table", ("no_such_schema", "no_such_table")):
        with pytest.raises(SchemaError) as caught:
            Schema.from_database(backend.connection, name)
        assert caught.value.code == "no_table"
    with pytest.raises(SchemaError) as caught:
        Schema.from_database(object(), "t")
    assert caught.value.code == "unknown_driver"


def test_nothing_left(backend: Any, tables: Tables) -> None:
    kind = {"postgresql": "bytea", "mysql": "blob"}.get(backend.name, "BLOB")
    with pytest.raises(SchemaError) as caught:
        Schema.from_database(backend.connection, tables.make(f"a {kind}"), omit_unsupported=True)
    assert caught.value.code == "nothing_to_infer"


def test_qualified_tables(backend: Any, tables: Tables) -> None:
    name = tables.make("a INTEGER NOT NULL")
    statement = {
        "postgresql": "SELECT current_schema()",
        "mysql": "SELECT DATABASE()",
        "sqlite": "SELECT 'main'",
        "duckdb": "SELECT current_schema()",
    }[backend.name]
    [(qualifier,)] = backend.execute(statement)
    schema = Schema.from_database(backend.connection, (qualifier, name))
    assert list(schema.leaves) == [("a",)]
    assert backend.execute(*schema.query("").sql((qualifier, name), backend.name)) == []


@pytest.mark.parametrize(
    ("values", "storage"),
    [
        (["2020-08-06T12:24:52.256624Z"], None),
        (["2020-08-06 12:24:52.256624", "2020-08-06 12:24:52.000000"], "sqlalchemy"),
        (["2020-08-06 12:24:52.256624", "2020-08-06 12:24:52"], "django"),
        (["2020-08-06T12:24:52Z"], "iso_s"),
        (["2020-08-06T12:24:52.256Z", None], "iso_ms"),
    ],
)
def test_instants_of_sqlite_show_their_spelling(sqlite: Any, values: list[str | None], storage: str | None) -> None:
    name = next(NAMES)
    sqlite.execute(f"CREATE TABLE {name} (t DATETIME)")
    for value in values:
        sqlite.execute(f"INSERT INTO {name} VALUES (?)", (value,))
    [field] = [leaf.field for leaf in Schema.from_database(sqlite.connection, name).leaves.values()]
    assert (field.type, field.storage) == ("timestamp", storage)
    for odd in (5, "2020-08-06T12:24:52.25Z", "soon", 1596716692.25):
        sqlite.execute(f"INSERT INTO {name} VALUES (?)", (odd,))
        with pytest.raises(SchemaError, match="how its instants are written"):
            Schema.from_database(sqlite.connection, name)
        sqlite.execute(f"DELETE FROM {name} WHERE t = ?", (odd,))
    sqlite.execute(f"DROP TABLE {name}")


def test_names_of_enum_types(postgresql: Any) -> None:
    postgresql.execute("CREATE SCHEMA IF NOT EXISTS mood")
    postgresql.execute('DROP TYPE IF EXISTS "own Kind"; DROP TYPE IF EXISTS "own.kind"; DROP TYPE IF EXISTS mood.other')
    postgresql.execute("""CREATE TYPE "own Kind" AS ENUM ('b', 'a'); CREATE TYPE "own.kind" AS ENUM ('a')""")
    postgresql.execute("CREATE TYPE mood.other AS ENUM ('x')")
    name = next(NAMES)
    postgresql.execute(f'CREATE TABLE {name} (a "own Kind", b mood.other, c "own.kind")')
    with pytest.raises(SchemaError, match="the name of its type has a dot"):
        Schema.from_database(postgresql.connection, name)
    schema = Schema.from_database(postgresql.connection, name, omit_unsupported=True)
    assert signatures(schema) == {
        "a": fields.Enum("b", "a", storage="enum:own Kind", nullable=True).signature(),
        "b": fields.Enum("x", storage="enum:mood.other", nullable=True).signature(),
    }
    for text in ("a eq 'b' and b in ('x', null)", "not a eq 'a'"):
        condition = schema.compile(text).sql("postgresql")
        assert postgresql.execute(f"SELECT 1 FROM {name} WHERE {condition.text}", condition.params) == []
    postgresql.execute(f'DROP TABLE {name}; DROP TYPE "own Kind"; DROP TYPE "own.kind"; DROP TYPE mood.other')


@pytest.mark.parametrize("name", SCHEMAS)
def test_source_makes_the_schema_again(name: str) -> None:
    assert made(SCHEMAS[name].to_python()).signature == SCHEMAS[name].signature


def test_source() -> None:
    schema = Schema(
        {
            "id": fields.Uuid(description="the one"),
            "price": fields.Decimal(12, 2, as_number=True, nullable=True, operators=["eq", "lt"]),
            "disk": fields.Object({"size": fields.Integer(sortable=False)}, column="d", json_path=["x"]),
            "tags": fields.Array(fields.Enum("a", "b'c"), returnable=False),
            "since": fields.Timestamp(storage="datetime3"),
            "labels": fields.Map(fields.Decimal(5, 1, operators=["lt"]), nullable=True),
        },
        key="id",
        binary=True,
    )
    assert (
        schema.to_python("TASKS")
        == """\
from astra_filter import Schema, fields

TASKS = Schema(
    {
        'id': fields.Uuid(description='the one'),
        'price': fields.Decimal(12, 2, as_number=True, nullable=True, operators=['eq', 'lt']),
        'disk': fields.Object({
            'size': fields.Integer(sortable=False),
        }, column='d', json_path=('x',)),
        'tags': fields.Array(fields.Enum('a', "b'c"), returnable=False),
        'since': fields.Timestamp(storage='datetime3'),
        'labels': fields.Map(fields.Decimal(5, 1, operators=['lt']), nullable=True),
    },
    key='id',
    binary=True,
)
"""
    )
    with pytest.raises(SchemaError):
        Schema.open().to_python()


def test_storages_have_names_of_their_own() -> None:
    """A name that two dialects share is read back alike."""
    for case in CASES:
        assert find_dialect(case.dialect).storage(case.field()).type
