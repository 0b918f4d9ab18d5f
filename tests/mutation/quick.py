"""What kills most mutants within a second: the conformance cases on the predicate and on SQLite, without a test runner."""

from __future__ import annotations

from cases import identity, suites
from databases.backends import Sqlite

from astra_filter import FilterError, StorageError


def check() -> bool:
    """Whether all cases hold, each compiled by the plain way and by the cached one."""
    sqlite = Sqlite()
    for suite in suites():
        schema = suite.make_schema()
        compiled = []
        for case in suite.cases:
            for _ in range(2):
                try:
                    chosen = schema.compile(case.filter)
                except FilterError as error:
                    if [(problem.code, tuple(problem.span)) for problem in error.problems] != list(case.problems or ()):
                        return False
                    if case.hint not in (None, error.hint):
                        return False
                else:
                    if case.ids is None or tuple(map(identity, chosen.select(suite.rows))) != case.ids:
                        return False
                    if tuple(identity(row) for row in suite.rows if chosen.matches(row)) != case.ids:
                        return False
                    compiled.append((chosen, case))
        if suite.only is None:
            with sqlite.table(schema, suite.rows) as table:
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
