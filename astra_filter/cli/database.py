"""SQLite databases that this library did not make (SPEC §5, "What is promised").

The table is read through a temporary view that shows each value as the library itself would have stored it, and what
has not its field's type as null: storage classes are tested in SQL; UTF-8 and formats of text and JSON by functions,
given blobs because Python fails for text that is not UTF-8 before it calls them. Filter, order and page are then
SQLite's work. Columns whose values need no test (those of STRICT tables, and the rowid) are shown as they are, so that
their indexes serve. The database is opened for reading only.
"""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import fields
from astra_filter.cli import messages
from astra_filter.derive import sample
from astra_filter.errors import SchemaError
from astra_filter.language.values import is_text
from astra_filter.schema import Schema
from astra_filter.sql import prepare_sqlite, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from astra_filter.fields import Field
    from astra_filter.language.operators import TypeName
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.query import ListQuery, Page

_SAMPLE = 10_000
_REMEMBERED = 10_000

# Storage classes: https://www.sqlite.org/datatype3.html. An infinity times zero is no number, which is null.
_TESTED: Mapping[TypeName, str | None] = {
    "string": "CASE WHEN typeof({0}) = 'text' AND is_utf8(CAST({0} AS BLOB)) THEN {0} END",
    "enum": "CASE WHEN typeof({0}) = 'text' AND is_utf8(CAST({0} AS BLOB)) THEN {0} END",
    "boolean": "CASE WHEN typeof({0}) = 'integer' AND {0} IN (0, 1) THEN {0} END",
    # Reals past 64 bits become the last integer, which SQLite finds different from them.
    "integer": (
        "CASE typeof({0}) WHEN 'integer' THEN {0} "
        "WHEN 'real' THEN CASE WHEN {0} = CAST({0} AS INTEGER) THEN CAST({0} AS INTEGER) END END"
    ),
    "number": (
        "CASE WHEN typeof({0}) IN ('integer', 'real') AND CAST({0} AS REAL) * 0.0 = 0.0 THEN CAST({0} AS REAL) END"
    ),
    "uuid": None,
    "decimal": None,
    "timestamp": None,
    "date": None,
    "array": None,
    "object": None,
    "map": None,
}
"""What a column's value counts as; None where SQL cannot say, and the field itself reads it."""
_STRICT: Mapping[TypeName, set[str]] = {"string": {"TEXT"}, "enum": {"TEXT"}, "integer": {"INT", "INTEGER"}}


class _Column(NamedTuple):
    name: str
    declared: str
    """The declared type, in upper case."""
    primary: int
    """The place in the primary key, from 1; 0 for a column outside it."""


class Table:
    """One table or view of a database.

    Args:
        path: the database.
        name: what to call it in messages.
        wanted: the table; None for the only one there is.

    Raises:
        InputError: it is no database, or has no such table.
    """

    def __init__(self, path: Path, name: str, wanted: str | None) -> None:
        self.database = name
        try:
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise messages.not_a_database(name, error) from None
        prepare_sqlite(self._connection)
        try:
            self._open(wanted)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _open(self, wanted: str | None) -> None:
        self._connection.text_factory = lambda data: data.decode("utf-8", "replace")
        self._connection.create_function("is_utf8", 1, lambda data: _decoded(data) is not None, deterministic=True)
        try:
            encoding = self._connection.execute("PRAGMA encoding").fetchone()[0]
            tables = self._tables()
        except sqlite3.Error as error:
            raise messages.not_a_database(self.database, error) from None
        if encoding != "UTF-8":
            raise messages.utf16_database(self.database)
        self.name = _choose(self.database, tables, wanted)
        with self._running():
            self._look()

    def _tables(self) -> list[str]:
        found = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' "
            "ORDER BY name"
        )
        return [name for (name,) in found]

    def _look(self) -> None:
        found = self._connection.execute(
            "SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", (self.name,)
        )
        self._columns = [_Column(name, declared.upper(), primary) for name, declared, primary in found]
        self._strict = bool(
            self._connection.execute(
                "SELECT strict FROM pragma_table_list(?) WHERE schema = 'main'", (self.name,)
            ).fetchone()[0]
        )
        primary = [column for column in self._columns if column.primary]
        self._primary = primary[0].name if len(primary) == 1 else None
        # The primary key that has no index of its own is the rowid, a 64-bit integer in any table.
        indexed = self._connection.execute("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", (self.name,))
        self._rowid = self._primary if indexed.fetchone() is None else None

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Word SQLite's errors, and let Ctrl-C end the process at once: Python's handler would wait for SQLite."""
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            yield
        except sqlite3.Error as error:
            raise messages.database_failed(self.database, error) from None
        finally:
            signal.signal(signal.SIGINT, before)

    # Fields

    def members(self, declared: Mapping[str, Field] | None = None) -> dict[str, Field]:
        """Return fields for the columns, all of them nullable, because what is mistyped in the table counts as null.

        Fields that are not ``declared`` are inferred from the first 10,000 rows and the declared types of the columns;
        columns that hold nothing but blobs, or have no name, are then left out.

        Raises:
            InputError: no column is left.
        """
        if declared is not None:
            return {name: _nullable(field) for name, field in declared.items()}
        names = ", ".join(_quoted(column.name) for column in self._columns)
        with self._running():
            values = list(
                zip(
                    *self._connection.execute(f"SELECT {names} FROM main.{_quoted(self.name)} LIMIT {_SAMPLE}"),
                    strict=True,
                )
            )
        found = {}
        for place, column in enumerate(self._columns):
            field = _field(column, values[place] if values else ())
            if field is not None and column.name and is_text(column.name):
                found[column.name] = field
        if not found:
            raise messages.nothing_to_infer(f"{self.database}, table {self.name}")
        return found

    @property
    def key(self) -> str | None:
        """The column that is the primary key, if one column is."""
        return self._primary

    def identifies(self, leaf: Leaf) -> bool:
        """Whether a column has a different value in every row, and is never null once mistyped values count as null."""
        if leaf.column.name == self._rowid and leaf.field.type == "integer":
            return True
        self._show({leaf.path[0]: leaf.field})
        name = _quoted(leaf.column.name)
        with self._running():
            count, values = self._connection.execute(
                f"SELECT count(*), count(DISTINCT {name} COLLATE BINARY) FROM temp.{_quoted(self.name)}"
            ).fetchone()
        return bool(count == values)

    # Rows

    def page(self, query: ListQuery) -> Page:
        """Answer a list request.

        Raises:
            InputError: the table lacks a column of the schema, or SQLite cannot read it.
        """
        self._prepare(query)
        total = None
        with self._running():
            if query.count:
                total = self._connection.execute(*query.count_sql(self.name, "sqlite")).fetchone()[0]
            found = self._connection.execute(*query.sql(self.name, "sqlite")).fetchall()
        return query.page_from_rows(found, total=total)

    def count(self, query: ListQuery) -> int:
        """Return how many rows a request's filter selects; errors as of `page`."""
        self._prepare(query)
        with self._running():
            return int(self._connection.execute(*query.count_sql(self.name, "sqlite")).fetchone()[0])

    def _prepare(self, query: ListQuery) -> None:
        root = query.declaration.root
        assert isinstance(root, fields.Object)  # noqa: S101  # `members` gave it its fields.
        self._show(root.members)
        # What needs no test is expected to be UTF-8: with replacements, two values of a key could look alike.
        self._connection.text_factory = str

    def _show(self, members: Mapping[str, Field]) -> None:
        """Make the view, which hides the table of its name. A member's column has the member's name."""
        shown = []
        for number, (name, field) in enumerate(members.items()):
            column = self._column(name)
            value = _quoted(column.name)
            test = _TESTED[field.type]
            if test is None:
                function = f"canonical_{number}"
                self._connection.create_function(function, 1, _canonical(name, field), deterministic=True)
                value = f"CASE WHEN typeof({value}) = 'text' THEN {function}(CAST({value} AS BLOB)) END"
            elif not self._is_exact(column, field):
                value = test.format(value)
            shown.append(f"{value} AS {_quoted(name)}")
        view = _quoted(self.name)
        with self._running():
            self._connection.execute(f"DROP VIEW IF EXISTS temp.{view}")
            self._connection.execute(f"CREATE TEMP VIEW {view} AS SELECT {', '.join(shown)} FROM main.{view}")

    def _column(self, name: str) -> _Column:
        for column in self._columns:
            # Column names of SQLite are case-insensitive in ASCII, and only there.
            if _folded(column.name) == _folded(name):
                return column
        raise messages.no_column(f"{self.database}, table {self.name}", name, [c.name for c in self._columns])

    def _is_exact(self, column: _Column, field: Field) -> bool:
        """Whether a column holds nothing but canonical values of the field."""
        strict = self._strict and column.declared in _STRICT.get(field.type, ())
        return strict or (column.name == self._rowid and field.type == "integer")


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _canonical(name: str, field: Field) -> Callable[[bytes], str | None]:
    """Return what makes the canonical text of a value, of a scalar or of JSON, from the text as stored."""
    alone = Schema({name: _nullable(field)})

    @lru_cache(maxsize=_REMEMBERED)
    def canonical(data: bytes) -> str | None:
        value = _decoded(data)
        if value is None:
            return None
        if field.scalar:
            read = field.read(value)
            return None if read is None else str(field.json(read))
        document = rows.from_row(alone, {name: value}).get(name)
        return None if document is None else json.dumps(document, ensure_ascii=False)

    return canonical


def _nullable(field: Field) -> Field:
    """Return a field that is nullable and otherwise the same."""
    return fields.changed(field, nullable=True)


def _choose(database: str, tables: list[str], wanted: str | None) -> str:
    if not tables:
        raise messages.no_tables(database)
    if wanted is None:
        if len(tables) != 1:
            raise messages.which_table(database, tables)
        return tables[0]
    for table in tables:
        if _folded(table) == _folded(wanted):
            return table
    raise messages.no_table(database, wanted, tables)


def _field(column: _Column, values: tuple[Any, ...]) -> Field | None:
    """The field of a column, from its declared type and the values at hand."""
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bytes) for value in present):
        return None
    if "BOOL" in column.declared and all(value in (0, 1) for value in present):
        return fields.Boolean(nullable=True)
    if not present:
        return _of_affinity(column.declared)
    documents = _documents(present)
    try:
        field = sample.members([{"value": value} for value in documents or present]).get("value")
    except SchemaError:
        # Objects without members and arrays of arrays: what no field represents.
        return None if documents is None else fields.String(nullable=True)
    # Integers so far, in a column that would hold fractions too.
    if isinstance(field, fields.Integer) and "INT" not in column.declared and column.declared:
        return fields.Number(nullable=True)
    return field


def _of_affinity(declared: str) -> Field:
    """The field of a column without values: https://www.sqlite.org/datatype3.html, section 3.1."""
    if "INT" in declared:
        return fields.Integer(nullable=True)
    if any(word in declared for word in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return fields.Number(nullable=True)
    return fields.String(nullable=True)


def _documents(values: list[Any]) -> list[Any] | None:
    """The arrays and objects that a column holds as JSON; None when some value is neither."""
    found = []
    for value in values:
        if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
            return None
        try:
            found.append(json.loads(value))
        except (ValueError, RecursionError):
            return None
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _folded(name: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in name)
