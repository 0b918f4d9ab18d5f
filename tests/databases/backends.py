"""The databases that tests run on: one class each, which makes tables of a schema, fills them and asks them.

SQLite and DuckDB run in memory. PostgreSQL and MySQL or MariaDB are reached by ASTRA_FILTER_POSTGRES_URL and
ASTRA_FILTER_MYSQL_URL; each connection works in a namespace of its own, which it drops when it is closed.
"""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from astra_filter.sql import prepare_sqlite
from astra_filter.sql.ddl import create_table
from astra_filter.sql.dialects import find_dialect
from astra_filter.sql.rows import columns, to_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn

    from astra_filter import Schema
    from astra_filter.filter import Filter
    from astra_filter.sql import SQL

POSTGRES_URL = os.environ.get("ASTRA_FILTER_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
MYSQL_URL = os.environ.get("ASTRA_FILTER_MYSQL_URL", "mysql://root@127.0.0.1:3306/test")
POSITION = "position_"
"""The column that every table of the harness has besides its schema's: the resource's index, from 0."""

_namespaces = itertools.count()


class Unreachable(Exception):  # noqa: N818
    """The database is not there."""


class Backend:
    """A connection to a database.

    Attributes:
        name: of the dialect.
        collation: what `create_table` is told.
        hostile: what makes the text columns of CREATE TABLE fold case and accents.
    """

    name: str
    collation = "utf8mb4_nopad_bin"
    hostile: tuple[str, str]

    def __init__(self) -> None:
        self._names = itertools.count()
        self._record = find_dialect(self.name)

    def execute(self, text: str, params: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows, if any.

        Parameters are in the dialect's default placeholder style; with None the text is taken as it is.
        """
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    @contextmanager
    def table(
        self, schema: Schema, resources: Sequence[object] = (), *, temporary: bool = True, hostile: bool = False
    ) -> Iterator[Table]:
        """Make a table of a schema and store resources in it by ``to_row``; drop it at the end.

        MariaDB cannot name a temporary table twice in one statement. In a hostile table, text columns that are not
        declared binary fold case and accents, and there is no primary key.
        """
        name = f"rows_{next(self._names)}"
        statement = create_table(schema, name, self.name, collation=self.collation)
        statement = statement.replace("(\n", f"(\n    {POSITION} INTEGER,\n", 1)
        if temporary:
            statement = statement.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
        if hostile:
            statement = re.sub(r",\n    PRIMARY KEY .*", "", statement)
            for leaf in schema.leaves.values():
                if leaf.field.type in ("string", "enum") and not leaf.column.binary:
                    line = re.compile(rf"^    {re.escape(self._record.identifier(leaf.column.name))} .*$", re.MULTILINE)
                    statement = line.sub(lambda match: match[0].replace(*self.hostile), statement)
        self.execute(statement)
        table = Table(self, schema, name)
        try:
            table.insert([to_row(schema, resource, self.name) for resource in resources])
            yield table
        finally:
            self.execute(f"DROP TABLE {self._record.identifier(name)}")


class Table:
    """A table of a schema, in a backend."""

    def __init__(self, backend: Backend, schema: Schema, name: str) -> None:
        self.backend = backend
        self.schema = schema
        self.name = name
        self._rows = 0

    @property
    def quoted(self) -> str:
        return find_dialect(self.backend.name).identifier(self.name)

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows as they are: a driver's value for each column by name, the same columns in each."""
        record = find_dialect(self.backend.name)
        placeholder = record.placeholders[0]
        for start in range(0, len(rows), 100):
            chunk = [{POSITION: self._rows + index, **row} for index, row in enumerate(rows[start : start + 100])]
            self._rows += len(chunk)
            names = ", ".join(record.identifier(name) for name in chunk[0])
            if placeholder == "%s":
                names = names.replace("%", "%%")
            values = f"({', '.join([placeholder] * len(chunk[0]))})"
            self.backend.execute(
                f"INSERT INTO {self.quoted} ({names}) VALUES {', '.join([values] * len(chunk))}",
                tuple(value for row in chunk for value in row.values()),
            )

    def select(self, chosen: Filter, **options: Any) -> list[int]:
        """Return the indexes of the resources that a filter selects, ascending; ``options`` as in `Filter.sql`."""
        return self.where(chosen.sql(self.backend.name, **options), alias=options.get("alias"))

    def where(self, condition: SQL, alias: str | None = None) -> list[int]:
        """Return the indexes of the resources for which a condition is true, ascending."""
        alias = "" if alias is None else " AS " + find_dialect(self.backend.name).identifier(alias)
        text = f"SELECT {POSITION} FROM {self.quoted}{alias} WHERE {condition.text}"
        return sorted(position for (position,) in self.backend.execute(text, condition.params))

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows as the driver gives the columns of a page, without the harness's own column, in the order of insertion."""
        record = find_dialect(self.backend.name)
        held = columns(self.schema)
        names = list(held)
        listed = ", ".join(
            record.returned.get(leaves[0].field.type, "{x}").replace("{x}", record.identifier(name))
            for name, leaves in held.items()
        )
        found = self.backend.execute(f"SELECT {listed} FROM {self.quoted} ORDER BY {POSITION}")
        return [dict(zip(names, row, strict=True)) for row in found]


class Sqlite(Backend):
    name = "sqlite"
    hostile = (" TEXT", " TEXT COLLATE NOCASE")

    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        prepare_sqlite(self.connection)

    def execute(self, text: str, params: Any = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(text, params or ()).fetchall()

    def close(self) -> None:
        self.connection.close()


class Duckdb(Backend):
    name = "duckdb"
    hostile = (" VARCHAR", " VARCHAR COLLATE NOCASE.NOACCENT")

    def __init__(self) -> None:
        import duckdb

        super().__init__()
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("SET threads = 1")

    def execute(self, text: str, params: Any = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(text, params or ()).fetchall()

    def close(self) -> None:
        self.connection.close()


class Postgresql(Backend):
    name = "postgresql"
    hostile = ('COLLATE "C"', 'COLLATE "hostile"')

    def __init__(self) -> None:
        import psycopg

        super().__init__()
        try:
            self.connection = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError as error:
            raise Unreachable(str(error)) from error
        self.namespace = f"astra_filter_{os.getpid()}_{next(_namespaces)}"
        self.connection.execute(f"CREATE SCHEMA {self.namespace}")
        self.connection.execute(f"SET search_path TO {self.namespace}, public")
        self.connection.execute(
            "CREATE COLLATION hostile (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
        )

    def execute(self, text: str, params: Any = None) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(text, params)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self.connection.execute(f"DROP SCHEMA {self.namespace} CASCADE")
        self.connection.close()


class Mysql(Backend):
    name = "mysql"

    def __init__(self, charset: str = "utf8mb4") -> None:
        import pymysql

        super().__init__()
        url = urlsplit(MYSQL_URL)
        self.namespace = f"astra_filter_{os.getpid()}_{next(_namespaces)}"
        try:
            self.connection = pymysql.connect(
                host=url.hostname or "127.0.0.1",
                port=url.port or 3306,
                user=unquote(url.username or "root"),
                password=unquote(url.password or ""),
                charset=charset,
                autocommit=True,
                connect_timeout=5,
            )
        except pymysql.OperationalError as error:
            raise Unreachable(str(error)) from error
        self.execute(f"CREATE DATABASE {self.namespace}")
        self.connection.select_db(self.namespace)
        ((version,),) = self.execute("SELECT version()")
        if "MariaDB" not in version:
            self.collation = "utf8mb4_0900_bin"
        self.hostile = (self.collation, "utf8mb4_general_ci")

    def execute(self, text: str, params: Any = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(text, params)
            return list(cursor.fetchall())

    def close(self) -> None:
        self.execute(f"DROP DATABASE {self.namespace}")
        self.connection.close()


BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (Sqlite, Postgresql, Mysql, Duckdb)}


SERVERS = frozenset({"postgresql", "mysql"})
"""Backends that are a process of their own. The others run inside the tests' process and are always there."""


def backend_params(names: Iterable[str]) -> list[Any]:
    """Make the parameters of a fixture or test that takes backends in turn, with the marks that its tests get.

    DuckDB needs no server, but takes some milliseconds to plan a statement, which is too long for thousands of tests.
    """
    marks = dict.fromkeys(SERVERS, pytest.mark.database) | {"duckdb": pytest.mark.slow}
    return [pytest.param(name, marks=marks.get(name, ())) for name in names]


def unreachable(name: str, error: Exception) -> NoReturn:
    """Skip where a database cannot be reached, but in CI fail."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} cannot be reached: {error}")
