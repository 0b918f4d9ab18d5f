"""The table of a schema (SPEC §5), as text and on the servers."""

from __future__ import annotations

import sqlite3

import pytest

from astra_filter import Schema, SchemaError, StorageError, fields
from astra_filter.sql.dialects import DIALECTS

SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(max_length=255),
        "summary": fields.String(nullable=True),
        "note": fields.String(nullable=True, max_length=769),
        "state": fields.Enum("on", "off"),
        "n": fields.Integer(nullable=True),
        "x": fields.Number(),
        "ok": fields.Boolean(),
        "at": fields.Timestamp(),
        "day": fields.Date(nullable=True),
        "tags": fields.Array(fields.String()),
        "o": fields.Object({"a": fields.String(), "b": fields.Integer()}),
        "moved": fields.Object({"c": fields.Integer(column="its own")}),
    },
    key="id",
)
STATEMENTS = {
    "sqlite": """\
CREATE TABLE "odd""name" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "summary" TEXT,
    "note" TEXT,
    "state" TEXT NOT NULL,
    "n" INTEGER,
    "x" REAL NOT NULL,
    "ok" INTEGER NOT NULL,
    "at" TEXT NOT NULL,
    "day" TEXT,
    "tags" TEXT NOT NULL,
    "o" TEXT,
    "its own" INTEGER NOT NULL,
    PRIMARY KEY ("id")
) STRICT""",
    "postgresql": """\
CREATE TABLE "odd""name" (
    "id" uuid NOT NULL,
    "name" text COLLATE "C" NOT NULL,
    "summary" text COLLATE "C",
    "note" text COLLATE "C",
    "state" text COLLATE "C" NOT NULL,
    "n" bigint,
    "x" double precision NOT NULL,
    "ok" boolean NOT NULL,
    "at" timestamptz NOT NULL,
    "day" date,
    "tags" jsonb NOT NULL,
    "o" jsonb,
    "its own" bigint NOT NULL,
    PRIMARY KEY ("id")
)""",
    "mysql": """\
CREATE TABLE `odd"name` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `name` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    `summary` LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    `note` LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    `state` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    `n` BIGINT,
    `x` DOUBLE NOT NULL,
    `ok` BOOLEAN NOT NULL,
    `at` DATETIME(6) NOT NULL,
    `day` DATE,
    `tags` JSON NOT NULL,
    `o` JSON,
    `its own` BIGINT NOT NULL,
    PRIMARY KEY (`id`)
)""",
    "duckdb": """\
CREATE TABLE "odd""name" (
    "id" UUID NOT NULL,
    "name" VARCHAR NOT NULL,
    "summary" VARCHAR,
    "note" VARCHAR,
    "state" VARCHAR NOT NULL,
    "n" BIGINT,
    "x" DOUBLE NOT NULL,
    "ok" BOOLEAN NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "day" DATE,
    "tags" JSON NOT NULL,
    "o" JSON,
    "its own" BIGINT NOT NULL,
    PRIMARY KEY ("id")
)""",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_create_table(name):
    assert SCHEMA.create_table('odd"name', name) == STATEMENTS[name]


def test_without_key():
    schema = Schema({"a": fields.Integer()})
    assert schema.create_table("t", "sqlite") == 'CREATE TABLE "t" (\n    "a" INTEGER NOT NULL\n) STRICT'


def test_collation_of_mysql():
    statement = SCHEMA.create_table("t", "mysql", collation="utf8mb4_0900_bin")
    assert statement == STATEMENTS["mysql"].replace("utf8mb4_nopad_bin", "utf8mb4_0900_bin").replace(
        '`odd"name`', "`t`"
    )
    assert "utf8mb4" not in SCHEMA.create_table("t", "duckdb", collation="utf8mb4_0900_bin")
    with pytest.raises(SchemaError) as caught:
        SCHEMA.create_table("t", "mysql", collation="x; DROP TABLE t")
    assert caught.value.code == "bad_collation"


TEXTS = ["a", "A", "a ", "á", "a\u0301", "ß", "ss", "", " ", "😀", "\ufffd", "ı", "I", "i"]


def test_columns_compare_by_code_point(backend):
    """What the DDL declares is what ``binary`` promises: a key tells texts apart, and sorts them by code point."""
    schema = Schema({"id": fields.String(max_length=10)}, key="id", binary=True)
    with backend.table(schema, [{"id": text} for text in TEXTS]) as table:
        found = backend.execute(f"SELECT id FROM {table.quoted} ORDER BY id")
        assert [text for (text,) in found] == sorted(TEXTS)
        for index, text in enumerate(TEXTS):
            assert table.select(schema.compile(f"id eq '{text}'")) == [index]
            assert table.select(schema.compile(f"id lt '{text}'")) == [
                i for i, other in enumerate(TEXTS) if other < text
            ]


@pytest.mark.parametrize(
    "kind",
    [
        fields.String(max_length=768),
        fields.Enum("a", "b" * 700),
        fields.Integer(),
        fields.Number(),
        fields.Uuid(),
        fields.Timestamp(),
        fields.Date(),
        fields.Boolean(),
    ],
)
def test_every_scalar_can_be_the_key(backend, kind):
    schema = Schema({"id": kind}, key="id")
    with backend.table(schema, temporary=False):
        pass


def test_keys_that_mysql_cannot_index():
    for kind in (fields.String(), fields.String(max_length=769)):
        schema = Schema({"id": kind}, key="id")
        with pytest.raises(StorageError) as caught:
            schema.create_table("t", "mysql")
        assert caught.value.code == "unbounded_key"
        for name in DIALECTS.keys() - {"mysql"}:
            schema.create_table("t", name)


def test_columns_that_differ_in_case_only(postgresql):
    schema = Schema({"id": fields.Integer(), "ID": fields.Integer()}, key="id")
    with postgresql.table(schema, [{"id": 1, "ID": 2}]) as table:
        assert table.select(schema.compile("id eq 1 and ID eq 2")) == [0]
    for name in ("sqlite", "mysql", "duckdb"):
        with pytest.raises(StorageError) as caught:
            schema.create_table("t", name)
        assert caught.value.code == "folded_column_names"


def test_strict_tables_refuse_other_types(sqlite):
    schema = Schema({"id": fields.Integer(), "n": fields.Integer()}, key="id")
    with sqlite.table(schema) as table, pytest.raises(sqlite3.IntegrityError):
        table.insert([{"id": 1, "n": "x"}])


def test_values_of_an_enum_fit(backend):
    """SPEC §3: an undeclared value equals no literal, and is not null."""
    schema = Schema({"id": fields.Integer(), "state": fields.Enum("on", "b" * 900)}, key="id")
    with backend.table(schema, [{"id": 1, "state": "x" * 255}, {"id": 2, "state": "b" * 900}]) as table:
        assert table.select(schema.compile("state ne 'on'")) == [0, 1]
        assert table.select(schema.compile(f"state eq '{'b' * 900}'")) == [1]


def test_column_names_that_postgresql_would_cut() -> None:
    fits, cut = "n" + "é" * 31, "é" * 32
    schema = Schema({"id": fields.Integer(), fits: fields.Integer()}, key="id")
    assert fits in schema.create_table("t", "postgresql")
    schema = Schema({"id": fields.Integer(), cut: fields.Integer()}, key="id")
    assert cut in schema.create_table("t", "sqlite")
    with pytest.raises(StorageError) as caught:
        schema.create_table("t", "postgresql")
    assert caught.value.code == "name_too_long"


def test_leading_columns_are_several() -> None:
    schema = Schema({"id": fields.Integer()}, key="id")
    with pytest.raises(SchemaError) as caught:
        schema.create_index("t", "sqlite", leading="tenant")
    assert caught.value.code == "bad_names"


@pytest.mark.parametrize("names", [("a", "A"), ("A", "a"), ("b", "aB", "Ab")])
def test_columns_that_differ_in_case_only_in_any_order(names):
    schema = Schema({name: fields.Integer() for name in names}, key=names[0])
    with pytest.raises(StorageError) as caught:
        schema.create_table("t", "sqlite")
    assert caught.value.code == "folded_column_names"
    assert names[-1] in schema.create_table("t", "postgresql")


def test_names_of_indexes_have_60_characters_at_most():
    schema = Schema({"id": fields.Integer()}, key="id")
    longest, longer = ("t" * length for length in (57, 58))
    assert f'"{longest}_id" ON' in schema.create_index(longest, "sqlite")
    name = schema.create_index(longer, "sqlite").split('"')[1]
    assert len(name) == 60
    assert name.startswith("t" * 43 + "_")


@pytest.mark.parametrize("name", ["n" * 65, "é" * 65, "😀", "a😀b", " ", "a ", "a\t", "\n", "a\r"], ids=ascii)
def test_names_that_mariadb_refuses(mysql, name: str) -> None:
    schema = Schema({"id": fields.Integer(), "a": fields.Integer(column=name)}, key="id")
    for made, table in ((schema, "t"), (Schema({"id": fields.Integer()}, key="id"), name)):
        assert name in made.create_table(table, "postgresql" if len(name) < 30 else "sqlite")
        with pytest.raises(StorageError) as caught:
            made.create_table(table, "mysql")
        assert caught.value.code == "impossible_name"
        assert str(caught.value).endswith("names are 1 to 64 characters up to U+FFFF, the last of them no blank")


@pytest.mark.parametrize("name", ["n" * 64, "é" * 64, " a", "\x01", "\uffff", "a\xa0", "-a"], ids=ascii)
def test_names_that_mariadb_takes(mysql, name: str) -> None:
    schema = Schema({"id": fields.Integer(), "a": fields.Integer(column=name)}, key="id")
    with mysql.table(schema, [{"id": 1, "a": 5}]) as table:
        assert table.select(schema.compile("a eq 5")) == [0]


DASHED = fields.Object({"-a": fields.String()})


@pytest.mark.parametrize(
    "members",
    [
        {"o": DASHED},
        {"o": fields.Object({"-a": fields.String()}, column="o")},
        {"o": fields.Object({"b": DASHED}, column="o")},
        {"o": fields.Array(DASHED)},
        {"o": fields.Array(fields.Object({"b": fields.Array(DASHED)}))},
        {"o": fields.Integer(column="c", json_path=["x", "-a"])},
        {"o": fields.Object({"b": fields.String()}, column="c", json_path=["-a"])},
    ],
)
def test_members_that_mariadb_does_not_find(members: dict[str, fields.Field]) -> None:
    schema = Schema({"id": fields.Integer(), **members}, key="id")
    assert schema.create_table("t", "postgresql")
    with pytest.raises(StorageError) as caught:
        schema.create_table("t", "mysql")
    assert caught.value.code == "unreachable_key"


def test_dashed_columns_of_mariadb(mysql) -> None:
    """An object without a column of its own has columns for members, which may have any name."""
    schema = Schema({"id": fields.Integer(), "o": fields.Object({"a": fields.String(column="-a")})}, key="id")
    with mysql.table(schema, [{"id": 1, "o": {"a": "x"}}]) as table:
        assert table.select(schema.compile("o.a eq 'x'")) == [0]
