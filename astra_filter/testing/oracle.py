"""The differential oracle: run one filter on the reference, the predicate and databases, and show differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from astra_filter.derive.connections import dialect_of, run
from astra_filter.sql import prepare_sqlite, prepare_where
from astra_filter.sql.ddl import create_table
from astra_filter.sql.dialects import DIALECTS, find_dialect
from astra_filter.sql.rows import to_row
from astra_filter.testing import reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from astra_filter.filter import Filter
    from astra_filter.schema import Schema

_ROWS_PER_INSERT = 50


class Table:
    """Resources in a temporary table of a database, on which filters are run. A context manager, which drops the table.

    Args:
        connection: of one of the ``drivers`` in `astra_filter.sql.DIALECTS`, which speaks UTF-8; nothing is touched but
            a temporary table.
        schema: what the table is made for, by the library's own DDL.

    Raises:
        SchemaError: the connection is of another driver, or as from `Schema.create_table`.
    """

    def __init__(self, connection: Any, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema
        self.dialect = dialect_of(connection).name
        self._record = find_dialect(self.dialect)
        if self.dialect == "sqlite":
            prepare_sqlite(connection)
        columns = {leaf.column.name.lower() for leaf in schema.leaves.values()}
        position = "position"
        while position in columns:
            position += "_"
        self._position = self._record.identifier(position)
        self._name = self._record.identifier("astra_filter_proof")
        statement = create_table(schema, "astra_filter_proof", self.dialect, collation=self._collation())
        self._run(statement.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1).replace("%", self._percent))
        self._run(f"ALTER TABLE {self._name} ADD COLUMN {self._position} INTEGER".replace("%", self._percent))

    def fill(self, resources: Sequence[object]) -> None:
        """Replace what the table holds by these resources; a resource's index is what `select` returns.

        Raises:
            StorageError: a resource has no value in a required column, or a text is too long.
        """
        self._run(f"DELETE FROM {self._name}")
        rows = [to_row(self._schema, resource, self.dialect) for resource in resources]
        placeholder = self._record.placeholders[0]
        for start in range(0, len(rows), _ROWS_PER_INSERT):
            chunk = rows[start : start + _ROWS_PER_INSERT]
            names = ", ".join([self._position, *map(self._record.identifier, chunk[0])]).replace("%", self._percent)
            values = ", ".join([f"({', '.join([placeholder] * (len(chunk[0]) + 1))})"] * len(chunk))
            params = [value for index, row in enumerate(chunk, start) for value in (index, *row.values())]
            self._run(f"INSERT INTO {self._name} ({names}) VALUES {values}", params)

    def select(self, chosen: Filter) -> list[int]:
        """Return the indexes of the resources that a filter selects, ascending."""
        if self.dialect == "sqlite":
            # Whether the schema says it or not, the connection can fold.
            condition = prepare_where(chosen.template.condition, self.dialect, sqlite_fold=True).bind(chosen.values)
        else:
            condition = chosen.sql(self.dialect)
        statement = f"SELECT {self._position} FROM {self._name} WHERE {condition.text}"
        return sorted(position for (position,) in self._run(statement, condition.params))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._record.aborts_transactions:
            self._connection.rollback()  # The table is gone with it.
        self._run(f"DROP TABLE IF EXISTS {self._name}")

    def _run(self, statement: str, params: Any = ()) -> list[tuple[Any, ...]]:
        return run(self._connection, statement, params)

    @property
    def _percent(self) -> str:
        return "%%" if self._record.placeholders[0] == "%s" else "%"

    def _collation(self) -> str:
        if "{collation}" not in self._record.text_collation:
            return "utf8mb4_nopad_bin"  # Not asked for.
        [(version,)] = self._run("SELECT version()")
        return "utf8mb4_nopad_bin" if "MariaDB" in version else "utf8mb4_0900_bin"


def assert_same(
    schema: Schema,
    resources: Sequence[object],
    filter: Filter,  # noqa: A002  # What it is.
    backends: Sequence[Any] = (),
) -> None:
    """Assert that a filter selects the same resources everywhere: what the reference evaluator reads from SPEC §4.

    Args:
        schema: of the filter; not an open one where there are ``backends``.
        resources: mappings or objects that the schema's table can hold.
        filter: the filter.
        backends: connections to databases, as `Table` takes them.

    Raises:
        AssertionError: the predicate or a database selects others; shows filter, resource, SQL and parameters.
    """
    compare(resources, filter)
    for connection in backends:
        with Table(connection, schema) as table:
            table.fill(resources)
            compare(resources, filter, [table])


def compare(resources: Sequence[object], chosen: Filter, tables: Sequence[Table] = ()) -> list[int]:
    """Do as `assert_same` does, on tables that hold the resources already; return the indexes of those selected."""
    expected = [index for index, resource in enumerate(resources) if reference.matches(chosen, resource)]
    matched = [index for index, resource in enumerate(resources) if chosen.matches(resource)]
    _check("Filter.matches", resources, chosen, expected, matched)
    for given in (resources, iter(resources)):
        selected = set(map(id, chosen.select(given)))
        _check("Filter.select", resources, chosen, expected, [i for i, r in enumerate(resources) if id(r) in selected])
    for table in tables:
        _check(table.dialect, resources, chosen, expected, table.select(chosen))
    return expected


def _check(
    where: str, resources: Sequence[object], chosen: Filter, expected: Sequence[int], found: Sequence[int]
) -> None:
    if found == expected:
        return
    apart = [
        f"  {'missing' if index in expected else 'surplus'} {resource!r}"
        for index, resource in enumerate(resources)
        if (index in expected) != (index in found)
    ]
    raise AssertionError("\n".join([f"{where} differs from the reference", *shown(where, chosen, apart)]))


def shown(where: str, chosen: Filter, rows: Sequence[str] = ()) -> list[str]:
    """Return lines that show a filter, ``rows``, and if ``where`` is a dialect the filter's SQL and parameters."""
    lines = [f"  filter  {chosen}", *rows]
    if where in DIALECTS:
        text, params = chosen.sql(where)
        lines += [f"  SQL     {text}", f"  params  {params!r}"]
    return lines
