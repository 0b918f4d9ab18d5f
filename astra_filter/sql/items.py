"""The items of a page, from rows; `astra_filter.memory.items` makes them from resources."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

from astra_filter.fields import Object, Open
from astra_filter.memory.items import Generator, fill, steps_to
from astra_filter.request.include import is_included
from astra_filter.sql.rows import is_document, parsed
from astra_filter.wording import request as request_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astra_filter.fields import Field
    from astra_filter.language.operators import TypeName
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.memory.items import Code, Sink, Write
    from astra_filter.request.include import Path

Row: TypeAlias = "Sequence[Any] | Mapping[str, Any]"


def of_rows(declaration: Declaration, include: tuple[Path, ...] | None, columns: Sequence[str]) -> Callable[[Row], Any]:
    """Return what makes the items of rows: tuples or mappings, JSON parsed or as text.

    Args:
        declaration: of the resources.
        include: the paths whose values are the item's, in order; None for whole resources.
        columns: the columns of a row that is a tuple, in order.

    Raises:
        SchemaError: an open schema.
    """
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    places = {column: place for place, column in enumerate(columns)}
    if include is None:
        whole = _of_row(declaration, ())
        assert whole.columns == tuple(columns)  # noqa: S101  # What is sorted by is returned (SPEC §3).
        return lambda row: whole.write(_values(row, columns))
    writers = [_of_row(declaration, path) for path in include]
    chosen = [(writer.write, [places[column] for column in writer.columns]) for writer in writers]
    documents = {places[column] for writer in writers for column in writer.documents}

    def listed(row: Row) -> list[Any]:
        values = list(_values(row, columns))
        # Parsed once, however many paths lead into it.
        for place in documents:
            values[place] = parsed(values[place])
        return [write([values[place] for place in own]) for write, own in chosen]

    return listed


def _values(row: Row, columns: Sequence[str]) -> Sequence[Any]:
    if not isinstance(row, Mapping):
        if len(row) != len(columns):
            raise request_wording.wrong_row(columns, len(row))
        return row
    try:
        return [row[column] for column in columns]
    except KeyError as error:
        raise request_wording.missing_column(error.args[0]) from None


class _Writer(NamedTuple):
    """The function for a path."""

    write: Write
    columns: tuple[str, ...]
    """The columns whose values it takes, in order."""
    documents: tuple[str, ...]
    """Those of the columns that hold JSON; the function of an ``include`` takes them parsed."""


def _of_row(declaration: Declaration, path: Path) -> _Writer:
    return declaration.memo.made(("write row", path), _writer, declaration, path)


def _writer(declaration: Declaration, path: Path) -> _Writer:
    return _Rows(declaration, path).writer()


class _Rows(Generator):
    """Writes the function for rows: its argument ``source`` has the values of the columns that the path needs."""

    def __init__(self, declaration: Declaration, path: Path) -> None:
        super().__init__()
        self._declaration = declaration
        self._path = path
        self._leaves = {leaf.path: leaf for leaf in declaration.leaves.values() if is_included(leaf, (path,))}
        self._columns = {leaf.column.name: self.new("column") for leaf in self._leaves.values()}

        self._documents = {leaf.column.name: None for leaf in self._leaves.values() if is_document((leaf,))}

    def writer(self) -> _Writer:
        write = self.generate(self._declaration.root, self._path)
        return _Writer(write, tuple(self._columns), tuple(self._documents))

    def head(self) -> Code:
        names = ast.Tuple([ast.Name(name, ast.Store()) for name in self._columns.values()], ast.Store())
        code = fill("COLUMNS = source", COLUMNS=names)
        if not self._path:
            parse = self.constant(parsed)
            for column in self._documents:
                code += fill("COLUMN = PARSE(COLUMN)", COLUMN=self._columns[column], PARSE=parse)
        return code

    def place(self, path: Path, field: Field, sink: Sink, *, nullable: bool) -> Code:
        if isinstance(field, Object):

            def write(name: str, inner: Field, sink: Sink) -> Code:
                return self.place((*path, name), inner, sink, nullable=inner.nullable)

            return self.members(field, sink, write, nullable=nullable)
        leaf = self._leaves[path]
        value = fill("value = COLUMN", COLUMN=self._columns[leaf.column.name]) + steps_to(leaf.column.json_path)
        given = None if is_document((leaf,)) else _GIVEN.get(field.type)
        if given is not None:
            kind, canonical = given
            value += fill(_AS_CANONICAL, KIND=self.constant(kind), CANONICAL=self.constant(canonical))
        return value + self.value(field, sink, nullable=nullable)


_GIVEN: Mapping[TypeName, tuple[type, type]] = {
    "boolean": (int, bool),  # SQLite and MySQL have no booleans of their own.
    "uuid": (UUID, str),  # Of PostgreSQL and DuckDB.
}
"""What some drivers give for a type, and what makes it the type's own."""
_AS_CANONICAL = """
if type(value) is KIND:
    value = CANONICAL(value)
"""
