"""Each storage means what SPEC §4 says, on its own database and with each of its drivers, and its index serves."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from databases.backends import POSTGRES_URL, SERVERS
from databases.storage_cases import CASES

from astra_filter import Schema, StorageError, fields
from astra_filter.sql.dialects import DIALECTS, find_dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from databases.backends import Backend, Table
    from databases.storage_cases import Case

ROWS = int(os.environ.get("ASTRA_FILTER_STORAGE_ROWS", "60"))
FILTERS = int(os.environ.get("ASTRA_FILTER_STORAGE_FILTERS", "0"))
"""Random filters of each storage; without them, every operator is tried with every literal."""


def params(cases: list[Case]) -> list[Any]:
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.database] * (case.dialect in SERVERS) + [pytest.mark.slow] * (case.dialect == "duckdb"),
        )
        for case in cases
    ]


class Filled:
    """A table with all values that a storage holds, and what asks it."""

    def __init__(self, case: Case, table: Table, rows: list[dict[str, Any]]) -> None:
        self.case = case
        self.table = table
        self.rows = rows
        self.drivers: list[tuple[str, Callable[..., list[Any]]]] = [("", table.backend.execute)]


@pytest.fixture(scope="module", params=params(CASES))
def filled(request: pytest.FixtureRequest, reach: Callable[[str], Backend]) -> Iterator[Filled]:
    case: Case = request.param
    backend = reach(case.dialect)
    for statement in case.setup:
        backend.execute(statement)
    schema = Schema(
        {
            "id": fields.Integer(),
            "maybe": case.field(nullable=True),
            "sure": case.field(),
        },
        key="id",
        sqlite_fold=True,
    )
    values = case.values()
    numbers = random.Random(7)
    rows: list[dict[str, Any]] = []
    for number in range(max(ROWS, len(values))):
        sure = values[number] if number < len(values) else numbers.choice(values)
        rows.append({"id": number, "maybe": numbers.choice([None, *values]), "sure": sure})
    with backend.table(schema, rows, temporary=False) as table:
        found = Filled(case, table, rows)
        if case.dialect != "postgresql":
            yield found
            return
        with Asyncpg(backend) as connection:
            found.drivers.append(("$1", connection.execute))
            yield found


class Asyncpg:
    """The other driver of PostgreSQL, on the namespace of a backend."""

    def __init__(self, backend: Any) -> None:
        self._namespace = backend.namespace
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        import asyncpg

        self._connection = self._loop.run_until_complete(asyncpg.connect(POSTGRES_URL))
        self.execute(f"SET search_path TO {self._namespace}, public")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()

    def execute(self, text: str, values: Any = ()) -> list[Any]:
        return [tuple(row) for row in self._loop.run_until_complete(self._connection.fetch(text, *values))]


def test_every_storage_has_a_case() -> None:
    assert {(case.dialect, case.known, case.kind.type) for case in CASES} == {
        (dialect, name, kind)
        for dialect, record in DIALECTS.items()
        for name, storage in record.storages.items()
        for kind in storage.types
    }


@pytest.mark.parametrize("path", ["maybe", "sure"])
def test_filters(filled: Filled, path: str) -> None:
    case, table = filled.case, filled.table
    assert len(filled.rows) > 3
    found = 0
    null = [f"{path} eq null", f"{path} ne null"] if path == "maybe" else []
    for text in (*null, *case.tests(path, 1, FILTERS or None)):
        for whole in (text, f"not ({text})"):
            chosen = table.schema.compile(whole)
            expected = [number for number, row in enumerate(filled.rows) if chosen.matches(row)]
            found += len(expected)
            for style, execute in filled.drivers:
                condition = chosen.sql(case.dialect, placeholders=style or None)
                rows = execute(f"SELECT id FROM {table.quoted} WHERE {condition.text}", condition.params)
                assert sorted(key for (key,) in rows) == expected, (whole, style, condition)
    assert found


@pytest.mark.parametrize("order", ["maybe", "maybe desc", "sure", "sure desc", "sure, maybe desc", "maybe, id desc"])
def test_pages(filled: Filled, order: str) -> None:
    if not filled.case.field().sortable:
        order = "id desc" if "desc" in order else "id"
    table, dialect = filled.table, filled.case.dialect
    for style, execute in filled.drivers:
        token, seen = None, []
        while True:
            parameters = {"orderBy": order, "limit": "17"} | ({} if token is None else {"continue": token})
            query = table.schema.query(parameters)
            statement = query.sql(table.name, dialect, placeholders=style or None)
            page = query.page_from_rows(execute(statement.text, statement.params))
            seen += page.items
            token = page.next_token
            if token is None:
                break
        whole = table.schema.query({"orderBy": order}).page(filled.rows).items
        assert [item["id"] for item in seen] == [item["id"] for item in whole]
        assert seen == whole


def test_rows_come_back(filled: Filled) -> None:
    table = filled.table
    for style, execute in filled.drivers:
        query = table.schema.query("")
        statement = query.sql(table.name, filled.case.dialect, placeholders=style or None)
        rows = execute(statement.text, statement.params)
        names = ["id", "maybe", "sure"]
        found = [table.schema.from_row(dict(zip(names, row, strict=True)), filled.case.dialect) for row in rows]
        shown = [
            {name: value for name, value in item.items() if value is not None} for item in query.page(filled.rows).items
        ]
        assert found == shown


def test_what_a_column_cannot_hold_is_null_to_it(filled: Filled) -> None:
    case = filled.case
    storage = find_dialect(case.dialect).storage(case.field())
    if storage.holds is None:
        return
    if isinstance(case.field(), fields.Array):
        return
    odd = [value for value in map(case.field().read, case.literals()) if value is not None and not storage.holds(value)]
    for value in odd:
        row = filled.table.schema.to_row({"id": 1, "maybe": value, "sure": filled.rows[0]["sure"]}, case.dialect)
        assert row["maybe"] is None
        with pytest.raises(StorageError) as caught:
            filled.table.schema.to_row({"id": 1, "sure": value}, case.dialect)
        assert caught.value.code == "null_in_required"


UNREAD = [
    ("postgresql", "numeric", fields.Number, ("'NaN'", "1e400", "-1e400"), "1.5"),
    ("mysql", "unsigned", fields.Integer, ("9223372036854775808", "18446744073709551615"), "7"),
    ("duckdb", "hugeint", fields.Integer, ("9223372036854775808", "-9223372036854775809"), "7"),
    ("duckdb", "ubigint", fields.Integer, ("9223372036854775808",), "7"),
]


@pytest.mark.parametrize(
    ("dialect", "storage", "kind", "unread", "read"),
    [pytest.param(*each, marks=[pytest.mark.database] if each[0] in SERVERS else []) for each in UNREAD],
)
@pytest.mark.parametrize("nullable", [True, False])
def test_what_no_field_reads_is_null(
    reach: Callable[[str], Backend],
    dialect: str,
    storage: str,
    kind: type[fields.Field],
    unread: tuple[str, ...],
    read: str,
    nullable: bool,
) -> None:
    """Rows of others hold it, in columns that are NOT NULL, too; it is the smallest value, and shown as null."""
    backend = reach(dialect)
    schema = Schema({"id": fields.Integer(), "value": kind(storage=storage, nullable=nullable)}, key="id")
    with backend.table(schema, temporary=False) as table:
        for number, value in enumerate((*unread, read)):
            backend.execute(f"INSERT INTO {table.quoted} VALUES (0, {number}, {value})")
        last = len(unread)
        for text, matched in (
            ("value gte 0", [last]),
            ("value lt 100", [last]),
            (f"value eq {read}", [last]),
            (f"value ne {read}", list(range(last))),
            (f"value in (3, {read})", [last]),
            (f"value not in (3, {read})", list(range(last))),
            ("not value gt 0", list(range(last))),
        ):
            condition = schema.compile(text).sql(dialect)
            rows = backend.execute(f"SELECT id FROM {table.quoted} WHERE {condition.text}", condition.params)
            assert sorted(number for (number,) in rows) == matched, text
        for order in ("value", "value desc"):
            token, seen = None, []
            while True:
                query = schema.query({"orderBy": order, "limit": "1"} | ({} if token is None else {"continue": token}))
                page = query.page_from_rows(backend.execute(*query.sql(table.name, dialect)))
                seen += page.items
                token = page.next_token
                if token is None or len(seen) > last:
                    break
            numbers = [item["id"] for item in seen]
            assert numbers == ([*range(last), last] if order == "value" else [last, *reversed(range(last))])
            assert [item.get("value") for item in seen].count(None) == last
