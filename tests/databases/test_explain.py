"""With the advised index a page deep inside a collection is a range scan, as the databases' plans say (SPEC §6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from databases.backends import backend_params

from astra_filter import Schema, fields
from astra_filter.sql import SQL
from astra_filter.sql import select as select_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databases.backends import Backend, Table

    from astra_filter.query import ListQuery
    from astra_filter.sql.fragment import Fragment

ROWS = 20_000
LIMIT = 50


def schema(key: fields.Field) -> Schema:
    members = {
        "id": key,
        "name": fields.String(max_length=60),
        "team": fields.String(max_length=60),
        "rank": fields.Number(nullable=True),
        "since": fields.Timestamp(nullable=True),
        "level": fields.Integer(),
    }
    return Schema(members, key="id", binary=True)


SCHEMAS = {"uuid": schema(fields.Uuid()), "integer": schema(fields.Integer())}

ORDERS = [
    "id desc",
    "name",
    "name desc",
    "name desc, id",
    "rank",
    "rank desc",
    "rank desc, id",
    "level, name desc",
    "level, rank",
    "level desc, rank desc",
    "level, rank desc",
    "since desc, level desc",
]

# Each number makes one row; a fifth of the ranks and instants is null, and each name stands about 40 times.
SERIES = {
    "sqlite": (
        "WITH RECURSIVE s (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) SELECT {values} FROM s"
    ),
    "postgresql": "SELECT {values} FROM generate_series(1, {rows}) AS s (n)",
    "mysql": "SELECT {values} FROM (SELECT seq AS n FROM seq_1_to_{rows}) AS s",
}
UUIDS = {
    "sqlite": "printf('00000000-0000-4000-8000-%012d', n)",
    "postgresql": "CAST('00000000-0000-4000-8000-' || lpad(CAST(n AS text), 12, '0') AS uuid)",
    "mysql": "CONCAT('00000000-0000-4000-8000-', LPAD(n, 12, '0'))",
}
NAMES = {
    "sqlite": "printf('{word} %d', n * 7919 % {many})",
    "postgresql": "'{word} ' || (n * 7919 % {many})",
    "mysql": "CONCAT('{word} ', n * 7919 % {many})",
}
INSTANTS = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%S', 1596716692 + n, 'unixepoch') || '.256624Z'",
    "postgresql": "to_timestamp(1596716692 + n)",
    "mysql": "TIMESTAMPADD(SECOND, n, '2020-08-06 12:24:52')",
}


def fill(table: Table, key: str) -> None:
    dialect = table.backend.name
    values = [
        "n",
        UUIDS[dialect] if key == "uuid" else "n",
        NAMES[dialect].format(word="task", many=500),
        NAMES[dialect].format(word="team", many=19),
        "CASE WHEN n % 5 > 0 THEN n / 7.0 END",
        f"CASE WHEN n % 5 > 0 THEN {INSTANTS[dialect]} END",
        "n % 10",
    ]
    series = SERIES[dialect].format(rows=ROWS, values=", ".join(values))
    table.backend.execute(f"INSERT INTO {table.quoted} {series}")


class Plans:
    """A filled table, and what its database does for a statement."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.backend = table.backend

    def analyze(self) -> None:
        verb = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE", "mysql": "ANALYZE TABLE"}[self.backend.name]
        self.backend.execute(f"{verb} {self.table.quoted}")

    def check(self, statement: SQL, rows: int) -> None:
        getattr(self, f"_{self.backend.name}")(statement, rows)

    def _sqlite(self, statement: SQL, _: int) -> None:
        plan = [detail for *_, detail in self.backend.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.params)]
        assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan
        seeks = [step for step in plan if step.startswith("SEARCH")]
        assert seeks
        assert all("INDEX" in step or "INTEGER PRIMARY KEY" in step for step in seeks), plan

    def _postgresql(self, statement: SQL, rows: int) -> None:
        ((plan,),) = self.backend.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}", statement.params)
        nodes = list(walk((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
        assert any("Index Name" in node for node in nodes)
        for node in nodes:
            assert node["Node Type"] != "Seq Scan", node
            # Where few rows are left, the planner may take the key's own index and drop some of them.
            assert node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= 10 * rows, node

    def _mysql(self, statement: SQL, rows: int) -> None:
        plan = self.backend.execute(f"EXPLAIN {statement.text}", statement.params)
        self.backend.execute("FLUSH STATUS")
        self.backend.execute(*statement)
        reads = {name: int(count) for name, count in self.backend.execute("SHOW SESSION STATUS LIKE 'Handler%'")}
        assert [step[3] for step in plan] == ["range"], plan
        assert reads["Handler_read_rnd_next"] == 0, reads
        assert reads["Handler_read_next"] + reads["Handler_read_prev"] <= rows, reads
        assert reads["Handler_icp_attempts"] <= rows + 5, reads


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from walk(inner)


@pytest.fixture(scope="module", params=backend_params(["sqlite", "postgresql", "mysql"]))
def database(request: pytest.FixtureRequest, reach: Callable[[str], Backend]) -> Backend:
    return reach(request.param)


@pytest.fixture(scope="module", params=list(SCHEMAS))
def plans(request: pytest.FixtureRequest, database: Backend) -> Iterator[Plans]:
    with database.table(SCHEMAS[request.param], temporary=False) as table:
        fill(table, request.param)
        yield Plans(table)


def deep(plans: Plans, order: str, skip: int, where: SQL | None = None) -> ListQuery:
    """Return the query of the page that follows the first ``skip`` rows and one more."""
    found = plans.table.schema
    query = found.query({"orderBy": order, "skip": str(skip), "limit": "1"})
    rows = plans.backend.execute(*query.sql(plans.table.name, plans.backend.name, where=where))
    token = query.page_from_rows(rows).next_token
    assert token is not None
    return found.query({"orderBy": order, "limit": str(LIMIT), "continue": token})


@pytest.mark.parametrize("order", ORDERS)
def test_range_scan(plans: Plans, order: str) -> None:
    table, dialect = plans.table, plans.backend.name
    plans.backend.execute(table.schema.create_index(table.name, dialect, order_by=order, name="advised"))
    try:
        plans.analyze()
        # The nulls are a fifth: at the low end, at their last row, and far beyond.
        for skip in (ROWS // 10, ROWS // 2, ROWS - 30):
            plans.check(deep(plans, order, skip).sql(table.name, dialect), LIMIT + 1)
    finally:
        plans.backend.execute("DROP INDEX advised" + (f" ON {table.quoted}" if dialect == "mysql" else ""))


@pytest.mark.parametrize("form", ["wide", "once"])
@pytest.mark.parametrize("order", ["rank desc", "level desc, rank desc", "rank, level desc", "since desc, level desc"])
def test_range_scan_of_the_forms_of_long_filters(
    monkeypatch: pytest.MonkeyPatch, plans: Plans, form: str, order: str
) -> None:
    """Where a filter is too long to stand in each seek, no row before the position's first value is read."""
    table, dialect = plans.table, plans.backend.name
    if dialect == "mysql":
        pytest.skip("its form says the filter once, whatever its length")
    bearable = (lambda _, statement: text(statement).count(" UNION ALL ") <= 1) if form == "wide" else lambda *_: False
    monkeypatch.setattr(select_module._Statement, "_is_bearable", bearable)
    # Of an order that nothing else asks for, and so of no statement that is kept.
    plans.backend.execute(table.schema.create_index(table.name, dialect, order_by=order, name="advised"))
    try:
        plans.analyze()
        for skip in (ROWS // 10, ROWS // 2, ROWS - 30):
            query = deep(plans, order, skip)
            statement = query.sql(table.name, dialect, alias=f"{form} form")
            assert statement.text.count(" UNION ALL ") <= (1 if form == "wide" else 9)
            plan = plans.backend.execute(
                f"EXPLAIN QUERY PLAN {statement.text}" if dialect == "sqlite" else f"EXPLAIN {statement.text}",
                statement.params,
            )
            steps = [str(step[-1]) for step in plan]
            assert not [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step], steps
            assert [step for step in steps if "INDEX" in step or "Index" in step], steps
            if form == "wide" or dialect == "sqlite":
                assert not [step for step in steps if "TEMP B-TREE" in step], steps
    finally:
        plans.backend.execute("DROP INDEX advised")


def text(statement: Fragment) -> str:
    return statement.prepare("?").text


TENANTS = {
    "sqlite": SQL('"team" = ?', ("team 1",)),
    "postgresql": SQL('"team" = %s', ("team 1",)),
    "mysql": SQL("`team` = %s", ("team 1",)),
}


@pytest.mark.parametrize("order", ["name", "rank", "rank desc", "level desc, name"])
def test_range_scan_of_a_tenant(plans: Plans, order: str) -> None:
    table, dialect = plans.table, plans.backend.name
    tenant = TENANTS[dialect]
    plans.backend.execute(
        table.schema.create_index(table.name, dialect, order_by=order, leading=["team"], name="advised")
    )
    try:
        plans.analyze()
        for skip in (ROWS // 200, ROWS // 40, ROWS // 19 - 60):
            query = deep(plans, order, skip, tenant)
            plans.check(query.sql(table.name, dialect, where=tenant), LIMIT + 1)
    finally:
        plans.backend.execute("DROP INDEX advised" + (f" ON {table.quoted}" if dialect == "mysql" else ""))
