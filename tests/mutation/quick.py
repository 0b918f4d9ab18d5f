"""What kills most mutants within seconds: the conformance cases in memory and on SQLite, without a test runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cases import identity, suites
from databases.backends import Sqlite

from astra_filter import FilterError, StorageError
from astra_filter.language.names import path_text
from astra_filter.request.include import returnable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cases import Suite
    from databases.backends import Table

    from astra_filter import Filter, ListQuery, Schema


def check() -> bool:
    """Whether all cases hold, each compiled by the plain way and by the cached one, and pages are the same everywhere."""
    sqlite = Sqlite()
    for suite in suites():
        schema = suite.make_schema()
        compiled = _compiled(suite, schema)
        if compiled is None:
            return False
        if suite.only is None:
            with sqlite.table(schema, suite.rows) as table:
                if not (_selects_the_same(suite, compiled, table) and _pages_are_the_same(suite.rows, schema, table)):
                    return False
    return True


def _compiled(suite: Suite, schema: Schema) -> list[tuple[Filter, Any]] | None:
    compiled = []
    for case in suite.cases:
        for _ in range(2):
            try:
                chosen = schema.compile(case.filter)
            except FilterError as error:
                if [(problem.code, tuple(problem.span)) for problem in error.problems] != list(case.problems or ()):
                    return None
                if case.hint not in (None, error.hint):
                    return None
            else:
                if case.ids is None or tuple(map(identity, chosen.select(suite.rows))) != case.ids:
                    return None
                if tuple(identity(row) for row in suite.rows if chosen.matches(row)) != case.ids:
                    return None
                compiled.append((chosen, case))
    return compiled


def _selects_the_same(suite: Suite, compiled: list[tuple[Filter, Any]], table: Table) -> bool:
    for chosen, case in compiled:
        try:
            found = table.select(chosen)
        except StorageError:
            if "sqlite" not in case.beyond:
                return False
        else:
            if tuple(identity(suite.rows[index]) for index in found) != case.ids:
                return False
    return True


def _pages_are_the_same(rows: list[Any], schema: Schema, table: Table) -> bool:
    stored = [schema.from_row(row, "sqlite") for row in table.rows()]
    shown = schema.query("").page(rows).items
    if all(leaf.returnable for leaf in schema.leaves.values()) and sorted(stored, key=identity) != shown:
        return False
    for parameters in _requests(schema, len(rows)):
        token = None
        while True:
            more = [] if token is None else [("continue", token)]
            query = schema.query([*parameters, *more])
            page = query.page(rows)
            if query.page_from_rows(_asked(query, table), total=page.total) != page:
                return False
            token = page.next_token
            if token is None:
                break
    return True


def _requests(schema: Schema, count: int) -> Iterator[list[tuple[str, str]]]:
    limit = ("limit", str(count // 3 + 1))
    sortable = [path_text(path) for path, leaf in schema.leaves.items() if leaf.sortable]
    names = [path_text(path) for path in returnable(schema.root)]
    yield [("include", ",".join(names[:100]))]
    for number, name in enumerate(sortable[:6]):
        yield [limit, ("orderBy", f"{name} desc" if number % 2 else name)]
    yield [limit, ("orderBy", ",".join(f"{name} desc" for name in sortable[-4:])), ("include", names[-1])]
    yield [
        limit,
        ("orderBy", ",".join(f"{n}{' desc' * (i % 2)}" for i, n in enumerate(sortable[-3:]))),
        ("count", "true"),
    ]


def _asked(query: ListQuery, table: Table) -> list[Any]:
    statement = query.sql(table.name, "sqlite")
    return table.backend.execute(statement.text, statement.params)
