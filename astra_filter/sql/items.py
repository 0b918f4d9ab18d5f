"""The items of a page, from rows; `astra_filter.memory.items` makes them from resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from astra_filter.fields import Object, Open
from astra_filter.language.values import at
from astra_filter.memory.codegen import Statements
from astra_filter.memory.items import Generator, entry_of, generate, steps_to
from astra_filter.request.field_lists import map_before_key
from astra_filter.request.include import is_included
from astra_filter.sql.forms import foreign
from astra_filter.sql.rows import is_document, parsed
from astra_filter.wording import request as request_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astra_filter.fields import Field
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.memory.codegen import Block
    from astra_filter.memory.items import Put, Write
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
    writers = [_of_path(declaration, path) for path in include]
    writes = [(writer.write, [places[column] for column in writer.columns]) for writer in writers]
    documents = {places[column] for writer in writers for column in writer.documents}

    def listed(row: Row) -> list[Any]:
        values = list(_values(row, columns))
        # Parsed once, however many paths lead into it.
        for place in documents:
            values[place] = parsed(values[place])
        return [write([values[place] for place in own_places]) for write, own_places in writes]

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


def _of_path(declaration: Declaration, path: Path) -> _Writer:
    field = map_before_key(declaration.root, path)
    if field is None:
        return _of_row(declaration, path)
    # Keys of maps have no end, so no code is kept for them.
    *steps, key = path
    column = declaration.leaves[tuple(steps)].column

    def write(values: Sequence[Any]) -> Any:
        return entry_of(field, at(values[0], column.json_path), key)

    return _Writer(write, (column.name,), (column.name,))


def _of_row(declaration: Declaration, path: Path) -> _Writer:
    return declaration.memo.made(("write row", path), _writer, declaration, path)


def _writer(declaration: Declaration, path: Path) -> _Writer:
    leaves = [leaf for leaf in declaration.leaves.values() if is_included(leaf, (path,))]
    # Of the leaves only: what can write the source again must not keep the declaration, which keeps the function.
    write = generate(lambda: _RowGenerator(leaves, path), declaration.root, path)
    columns = dict.fromkeys(leaf.column.name for leaf in leaves)
    return _Writer(write, tuple(columns), tuple(_documents(leaves)))


def _documents(leaves: Sequence[Leaf]) -> dict[str, None]:
    """Return the columns that hold JSON, each once and in order."""
    return dict.fromkeys(leaf.column.name for leaf in leaves if is_document((leaf,)))


class _RowGenerator(Generator):
    """Writes the code of one function, of rows: its argument ``source`` has the values of the columns it needs.

    Of the resources in `astra_filter.memory.items`, whose ``disk`` is a column of JSON, it begins

        column1, column2 = source
        column2 = parse1(column2)
        item1 = {}
        value = column1
        if type(value) is str:
            item1['name'] = value
    """

    def __init__(self, leaves: Sequence[Leaf], path: Path) -> None:
        super().__init__()
        self._path = path
        self._leaves = {leaf.path: leaf for leaf in leaves}
        self._documents = _documents(leaves)
        self._columns: dict[str, str] = {}
        """The variable that has the value of each column."""
        for leaf in leaves:
            self._columns.setdefault(leaf.column.name, f"column{len(self._columns) + 1}")

    def head(self) -> Block:
        block = _COLUMNS(COLUMNS=tuple(self._columns.values()))
        if not self._path:
            parse = self.constant("parse", parsed)
            for column in self._documents:
                block += _PARSE(COLUMN=self._columns[column], PARSE=parse)
        return block

    def place(self, path: Path, field: Field, put: Put, *, nullable: bool) -> Block:
        if isinstance(field, Object):

            def write(name: str, inner: Field, put: Put) -> Block:
                return self.place((*path, name), inner, put, nullable=inner.nullable)

            return self.members(field, put, write, nullable=nullable)
        leaf = self._leaves[path]
        block = _COLUMN(COLUMN=self._columns[leaf.column.name]) + steps_to(leaf.column.json_path)
        found = None if is_document((leaf,)) else foreign(field)
        if found is not None:
            foreign_type, to_own = found
            block += _AS_OWN(FOREIGN=self.constant("foreign", foreign_type), OWN=self.constant("own", to_own))
        return block + self.value(field, put, nullable=nullable)


_COLUMNS = Statements("COLUMNS = source")
_PARSE = Statements("COLUMN = PARSE(COLUMN)")
_COLUMN = Statements("value = COLUMN")
# if type(value) is foreign1: value = own1(value), where foreign1 is UUID and own1 is str
_AS_OWN = Statements("""
if type(value) is FOREIGN:
    value = OWN(value)
""")
