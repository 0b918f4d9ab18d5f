"""An index on the column of a storage serves what its table says, as the databases' plans tell (SPEC §5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from databases.storage_cases import CASES
from databases.test_storages import Asyncpg, params

from astra_filter import Schema, fields
from astra_filter.sql.dialects import find_dialect
from astra_filter.sql.dialects.base import EQUALITY_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databases.backends import Backend, Table
    from databases.storage_cases import Case

    from astra_filter.sql import SQL

ROWS = 4000
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE", "mysql": "ANALYZE TABLE"}


def served(case: Case) -> tuple[str, ...]:
    return EQUALITY_ONLY if case.equality_only else find_dialect(case.dialect).storages[case.known].served


class Indexed:
    """A table with an index on the column, which is ``plain``, and one of the column and the key, ``paged``."""

    def __init__(self, case: Case, table: Table) -> None:
        self.case = case
        self.table = table

    def plan(self, statement: SQL | tuple[str, Any]) -> str:
        text, values = statement
        explain = {
            "sqlite": "EXPLAIN QUERY PLAN",
            "postgresql": "EXPLAIN (FORMAT JSON)",
            "mysql": "EXPLAIN FORMAT=JSON",
        }
        rows = self.table.backend.execute(f"{explain[self.case.dialect]} {text}", values)
        return "\n".join(row[-1] if isinstance(row[-1], str) else json.dumps(row[-1]) for row in rows)

    def assert_sought(self, plan: str) -> None:
        """Nothing of the table is read but what an index finds."""
        match self.case.dialect:
            case "sqlite":
                assert "SEARCH" in plan, plan
                assert "SCAN" not in plan, plan
            case "postgresql":
                assert '"Index Cond"' in plan, plan
                assert "Seq Scan" not in plan, plan
            case _:
                # MariaDB.
                assert '"access_type": "ALL"' not in plan, plan
                assert '"access_type": "index"' not in plan, plan
                assert '"key": "p' in plan, plan


@pytest.fixture(scope="module", params=params([case for case in CASES if served(case)]))
def indexed(request: pytest.FixtureRequest, reach: Callable[[str], Backend]) -> Iterator[Indexed]:
    case: Case = request.param
    backend = reach(case.dialect)
    for statement in case.setup:
        backend.execute(statement)
    # The planner, which does not know the label, takes a third of the rows to have it.
    seldom = case.scalar.type in ("enum", "boolean") and case.dialect == "postgresql"
    if seldom:
        backend.execute("SET enable_seqscan = off")
    schema = Schema({"id": fields.Uuid(), "value": case.field()}, key="id")
    with backend.table(schema, temporary=False) as table:
        rows = [
            schema.to_row(
                {
                    "id": f"{number:08x}-0000-4000-8000-000000000000",
                    "value": [value, value] if case.known == "array" else value,
                },
                case.dialect,
            )
            for number, value in enumerate(case.many(ROWS))
        ]
        table.insert(rows)
        record = find_dialect(case.dialect)
        column = record.identifier("value")
        method = "USING gin " if case.known == "array" else ""
        backend.execute(f"CREATE INDEX plain ON {table.quoted} {method}({column})")
        if "seek" in served(case):
            backend.execute(f"CREATE INDEX paged ON {table.quoted} ({column}, id)")
        elif (
            case.dialect != "mysql" and case.field().sortable
        ):  # Whose indexes have no order by code point of such text.
            backend.execute(schema.create_index(table.name, case.dialect, order_by="value", name="paged"))
        backend.execute(f"{ANALYZE[case.dialect]} {table.quoted}")
        yield Indexed(case, table)
    if seldom:
        backend.execute("RESET enable_seqscan")


def literals(case: Case) -> list[str]:
    """Return values of few rows."""
    seldom = isinstance(case.scalar, fields.Enum)
    return [case.text(value) for value in (case.literals()[2:] if seldom else case.many(ROWS)[5:8])]


def test_equality(indexed: Indexed) -> None:
    case, table = indexed.case, indexed.table
    found = literals(case)
    for text in (f"value eq {found[0]}", f"value in ({', '.join(found)})"):
        condition = table.schema.compile(text).sql(case.dialect)
        plan = indexed.plan((f"SELECT id FROM {table.quoted} WHERE {condition.text}", condition.params))
        indexed.assert_sought(plan)


def test_ranges(indexed: Indexed) -> None:
    case, table = indexed.case, indexed.table
    if "range" not in served(case) or case.kind is fields.Uuid:
        return
    values = sorted(case.many(ROWS))
    low, high = case.text(values[10]), case.text(values[-10])
    for text in (f"value lt {low}", f"value lte {low}", f"value gt {high}", f"value gte {high}"):
        condition = table.schema.compile(text).sql(case.dialect)
        plan = indexed.plan((f"SELECT id FROM {table.quoted} WHERE {condition.text}", condition.params))
        indexed.assert_sought(plan)


@pytest.mark.parametrize("order", ["value", "value desc"])
def test_pages(indexed: Indexed, order: str) -> None:
    """By an index on the column, or where that has another order, by the one that `create_index` writes."""
    case, table = indexed.case, indexed.table
    if not case.field().sortable or ("seek" not in served(case) and case.dialect == "mysql"):
        return
    query = table.schema.query({"orderBy": order, "limit": "20"})
    statement = query.sql(table.name, case.dialect)
    plan = indexed.plan(statement)
    assert "Sort" not in plan.replace("Sort Key", ""), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "filesort" not in plan, plan
    token = query.page_from_rows(table.backend.execute(*statement)).next_token
    following = table.schema.query({"orderBy": order, "limit": "20", "continue": token})
    indexed.assert_sought(indexed.plan(following.sql(table.name, case.dialect)))


def test_asyncpg(indexed: Indexed) -> None:
    """Parameters of the other driver have other types, under which an index serves, too."""
    case, table = indexed.case, indexed.table
    if case.dialect != "postgresql":
        return
    found = literals(case)
    with Asyncpg(table.backend) as connection:
        if case.scalar.type in ("enum", "boolean"):
            connection.execute("SET enable_seqscan = off")
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection.execute(f"SET plan_cache_mode = {mode}")
            for text in (f"value eq {found[0]}", f"value in ({', '.join(found)})"):
                condition = table.schema.compile(text).sql(case.dialect, placeholders="$1")
                statement = f"EXPLAIN (FORMAT JSON) SELECT id FROM {table.quoted} WHERE {condition.text}"
                [(plan,)] = connection.execute(statement, condition.params)
                indexed.assert_sought(plan)
