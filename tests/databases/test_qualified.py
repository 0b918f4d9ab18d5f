"""Qualified tables: a tuple, quoted part by part, everywhere a table is named (SPEC §5, §6)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from astra_filter import SQL, Schema, SchemaError, fields
from astra_filter.sql.dialects import find_dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = Schema({"id": fields.Integer(), "name": fields.String(nullable=True, max_length=20)}, key="id", binary=True)
RESOURCES = [{"id": n, "name": None if n % 3 == 0 else f"name {n % 4}"} for n in range(12)]


@contextmanager
def namespace(backend: Any, name: str) -> Iterator[str]:
    quoted = find_dialect(backend.name).identifier(name)
    if backend.name == "sqlite":
        make, drop = f"ATTACH ':memory:' AS {quoted}", f"DETACH {quoted}"
    elif backend.name == "mysql":
        make, drop = f"CREATE DATABASE {quoted}", f"DROP DATABASE {quoted}"
    else:
        make, drop = f"CREATE SCHEMA {quoted}", f"DROP SCHEMA {quoted} CASCADE"
    backend.execute(make)
    try:
        yield name
    finally:
        backend.execute(drop)


@pytest.mark.parametrize("bare", ["tasks", 'o"dd `ta.ble'])
def test_pages_of_a_qualified_table(backend: Any, bare: str) -> None:
    record = find_dialect(backend.name)
    with namespace(backend, f"aö_{os.getpid()}") as outer:
        table = (outer, bare)
        backend.execute(SCHEMA.create_table(table, backend.name))
        for resource in RESOURCES:
            row = SCHEMA.to_row(resource, backend.name)
            names = ", ".join(map(record.identifier, row))
            places = ", ".join([record.placeholders[0]] * len(row))
            backend.execute(f"INSERT INTO {record.table(table)} ({names}) VALUES ({places})", tuple(row.values()))
        if backend.name != "duckdb":
            backend.execute(SCHEMA.create_index(table, backend.name, order_by="name desc"))
        token, seen = None, []
        while True:
            asked = {"filter": "id ne 5", "orderBy": "name desc", "limit": "4", "count": "true", "continue": token}
            query = SCHEMA.query(asked)
            [(total,)] = backend.execute(*query.count_sql(table, backend.name))
            page = query.page_from_rows(backend.execute(*query.sql(table, backend.name)), total=total)
            aliased = query.sql(table, backend.name, alias="t", where=SQL("t.id >= 0", ()))
            assert query.page_from_rows(backend.execute(*aliased), total=total) == page
            assert page.total == 11
            seen += page.items
            token = page.next_token
            if token is None:
                break
        assert seen == SCHEMA.query({"filter": "id ne 5", "orderBy": "name desc"}).page(RESOURCES).items


def test_sqlite_puts_the_schema_before_the_index() -> None:
    assert SCHEMA.create_index(("app", "tasks"), "sqlite") == ('CREATE INDEX "app"."tasks_id" ON "tasks" ("id")')
    assert SCHEMA.create_index(("app", "tasks"), "postgresql") == 'CREATE INDEX "tasks_id" ON "app"."tasks" ("id")'
    assert SCHEMA.query("").sql(("a", "b", "c"), "postgresql").text.endswith('FROM "a"."b"."c" ORDER BY "c"."id"')


@pytest.mark.parametrize(
    "table", ["", (), ("a", ""), ("a", "b", "c", "d"), ("a", 5), ["a", "b"], None, "a\0b", ("\ud800",)]
)
def test_wrong_names(table: Any) -> None:
    for make in (
        lambda: SCHEMA.create_table(table, "sqlite"),
        lambda: SCHEMA.create_index(table, "sqlite"),
        lambda: SCHEMA.query("").sql(table, "sqlite"),
        lambda: SCHEMA.query("").count_sql(table, "sqlite"),
    ):
        with pytest.raises(SchemaError) as caught:
            make()
        assert caught.value.code == "bad_table"
