"""What the databases do differently: one declarative record per dialect, over defaults (SPEC §5).

Records hold templates. In a template ``{x}`` is a value, ``{p}`` the parameter it is tested against, ``{e}`` the name
of an array's element, and ``{type}`` and ``{value}`` are a JSON value and the name of its type. A template is filled
with fragments, never with text of a filter.

A field has a column of the type in ``columns``, or stands in JSON. There, timestamps, dates and UUIDs are text that
sorts as its values do: fixed-width UTC timestamps, ``YYYY-MM-DD``, lower-case UUIDs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from astra_filter.fields import Decimal, Field
from astra_filter.language.operators import Operator
from astra_filter.language.values import is_text, timestamp_text
from astra_filter.sql.fragment import Fragment, Param, Part
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from astra_filter.language.decimals import Grid
    from astra_filter.language.operators import TypeName

DialectName: TypeAlias = Literal["sqlite", "postgresql", "mysql", "duckdb"]
"""The dialects. One more is a file beside this one, a name here and a place in `DIALECTS`; tests say what it lacks."""
Feature: TypeAlias = Literal["ordered index", "ordered index of folded text", "dashed key"]
"""What some dialect cannot do (``Dialect.cannot``):

- ``ordered index``: an index that serves ``orderBy`` (`Schema.create_index`);
- ``ordered index of folded text``: such an index of text whose collation is not binary;
- ``dashed key``: reach a member of JSON whose name begins with ``-``; under such a key of a map a filter finds null.
"""

_MOST_PARTS = 3
"""Catalogue, schema and table."""
_HOLE = re.compile(r"\{(\w+)\}")


TableName: TypeAlias = str | tuple[str, ...]
"""The name of a table; qualified by its schema, or by catalogue and schema, as a tuple: ``("app", "tasks")``."""

Bind: TypeAlias = "Callable[[Any], Any]"
"""Turns a canonical value into the driver's."""


class Elements(NamedTuple):
    """How SQL tests the elements of a column that is an array of the database's own, of scalars."""

    some: str
    """As `Dialect.some`."""
    value: str
    """An element, which goes by the name ``{e}``."""
    storage: Storage
    exact: bool
    """Whether SQL must be added to make elements compare by code point."""
    contains: str = ""
    """Whether ``{array}`` has the parameters ``{p}`` among its elements, or one of them: what an index serves, and is
    tested beside ``some``. Empty where there is no such form."""
    equal: str = "{p}"
    """A parameter there."""


class Storage(NamedTuple):
    """How values of one field type are kept, and how a canonical value becomes a parameter to test them against."""

    type: str
    """The column type."""
    bind: Bind | None = None
    """Canonical value to the driver's; None leaves it as it is."""
    parameter: str = "{p}"
    """The parameter as an expression of the column's type."""
    bind_literal: Callable[[Operator], Bind] | None = None
    """Where a literal need not be a value of the column: how it is bound for an operator; None for ``bind``."""
    value: str = "{x}"
    """The column as it is compared with the parameter, and sorted."""
    exact: bool | None = None
    """Whether SQL must be added to make the text compare by code point; None takes the field's word."""
    equal: str | None = None
    """Another form of the parameter, which the column as it stands is tested against for equality, so that an index
    serves; null where no value of the column equals the literal."""
    bind_equal: Bind | None = None
    """How the literal is bound there."""
    decides: bool = False
    """Whether that test says all; otherwise more is equal by it, and the values are compared besides."""
    partial: bool = False
    """Whether ``value`` may be null where the column is not."""
    returned: str | None = None
    """How the column is selected; None for the dialect's way."""
    holds: Callable[[Any], bool] | None = None
    """Whether the column can hold a canonical value; None where it holds all."""
    elements: Elements | None = None
    """Of an array of the database's own."""

    def literal_bind(self, operator: Operator) -> Bind | None:
        """Return how a literal is bound that the operator compares with the column."""
        return self.bind if self.bind_literal is None else self.bind_literal(operator)


Served: TypeAlias = Literal["eq", "in", "range", "order", "seek"]
"""What an index may serve: tests, ORDER BY, and the page that follows a position."""

EVERYTHING: tuple[Served, ...] = ("eq", "in", "range", "order", "seek")
EQUALITY_ONLY: tuple[Served, ...] = ("eq", "in")


class NamedStorage(NamedTuple):
    """A column that `create_table` would not have made, as ``storage=`` of a field names it."""

    types: tuple[TypeName, ...]
    """The field types whose values it holds."""
    column: str
    """The column, for people."""
    served: tuple[Served, ...]
    """What an index on the column as it stands serves."""
    make: Callable[[Any, str], Storage]
    """The field, and what stands behind the colon of the name, to the storage."""
    argument: str = ""
    """What stands behind the colon, for people; empty where nothing may."""

    def row(self, name: str) -> str:
        """Return the row of a table in Markdown that tells the storage of that name."""
        shown = f"`{name}:…`, {self.argument}" if self.argument else f"`{name}`"
        return f"| {shown} | {', '.join(self.types)} | {self.column} | {', '.join(self.served) or 'nothing'} |"


def grid(to_units: Callable[[Any], tuple[int, bool]], write: Callable[[int], Any], impossible: Any) -> Any:
    """Return the ``bind_literal`` of a column that is coarser than the literals (SPEC §5).

    Args:
        to_units: a canonical value to the whole units below it, and whether it is exactly so many.
        write: so many units as the driver's value.
        impossible: a value that the column never has.
    """

    def down(value: Any) -> Any:
        return write(to_units(value)[0])

    def up(value: Any) -> Any:
        units, exactly = to_units(value)
        return write(units if exactly else units + 1)

    def same(value: Any) -> Any:
        units, exactly = to_units(value)
        return write(units) if exactly else impossible

    def bind_literal(operator: Operator) -> Bind:
        match operator:
            case Operator.LT | Operator.GTE:
                return up
            case Operator.LTE | Operator.GT:
                return down
            case _:
                return same

    return bind_literal


def fill(template: str, **holes: Part) -> Fragment:
    """Return the template with each ``{name}`` replaced by the hole of that name."""
    return Fragment(*[holes[part] if is_hole else part for is_hole, part in _pieces(template)])


@lru_cache(512)
def _pieces(template: str) -> tuple[tuple[int, str], ...]:
    """Cut a template at its holes: each piece, and whether it is one."""
    return tuple([(place % 2, part) for place, part in enumerate(_HOLE.split(template)) if part])


def literal(text: str) -> str:
    """Return a SQL string literal. On MySQL, ``text`` must have no backslash, which may be an escape there."""
    return "'" + text.replace("'", "''") + "'"


def key_literal(text: str) -> Part:
    """Return a JSON key or path in SQL: a literal, or a parameter where a backslash could be an escape."""
    return Param(None, value=text) if "\\" in text else literal(text)


def needs_no_escape(name: str) -> bool:
    """Whether a key reads in JSON as it is written: it needs no escape."""
    return '"' not in name and "\\" not in name and name.isprintable()


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A database's SQL. The defaults are what most of the dialects share."""

    name: DialectName
    drivers: tuple[str, ...]
    """The modules of the drivers whose connections speak it."""
    sqlalchemy_names: tuple[str, ...] = ()
    """What SQLAlchemy calls it; empty where its statements cannot be embedded there."""
    cannot: Mapping[Feature, str] = field(default_factory=dict)
    """What it cannot do, and why: asked for that, it raises the library's own error before there is any SQL."""
    placeholders: tuple[str, ...]
    """The placeholder styles the drivers take, the default first."""
    columns: Mapping[TypeName, Storage]
    """How each field type is stored in a column of its own; arrays are JSON."""
    storages: Mapping[str, NamedStorage]
    """The other columns that hold values of a field, by the name of the ``storage``."""
    refused_storages: Mapping[str, str] = field(default_factory=dict)
    """Names of columns that cannot keep the promise, with the reason and the way out."""
    quote: str = '"'
    """Stands around identifiers, and doubled inside them."""
    create_suffix: str = ""
    """What follows the columns in CREATE TABLE."""
    text_collation: str = ""
    """The COLLATE clause of a text column that compares by code point; ``{collation}`` is the caller's choice."""
    max_indexed_length: int | None = None
    """Most characters of text that a key or index can hold; longer text needs a type of its own, ``long_text``."""
    long_text: str = ""
    max_digits: int
    """The most digits of a decimal."""
    max_places: int
    """The most digits of a decimal after the point."""
    decimal: Callable[[Grid], Storage]
    """How a column of decimals is stored."""
    read_decimal: Callable[[Grid], str]
    """The SQL value of JSON that should be a decimal, as in ``reads``; comparable with a parameter of ``decimal``."""
    max_name_length: int | None = None
    """Most bytes of an identifier; what is longer is cut, or refused."""
    names: str = ""
    """A regular expression of the names that a table or column can have; empty where every name will do."""
    names_are: str = ""
    """What it says, for people."""
    folds_column_names: bool = True
    """Whether column names that differ in case only are the same column."""

    exact: str
    """Text of any collation, made to compare by code point."""
    exact_parameter: str = "{p}"
    prefilter: bool = False
    """Whether equality is tested under the column's own collation first, because an index may serve that."""
    fold: str | None = None
    """Text of any collation, folded as `astra_filter.language.fold` does; ``exact`` makes it compare by code point.
    None where the database cannot do it."""
    folds_in_index: bool = False
    """Whether an index may be on folded text, and then serves the tests that ignore case."""
    exact_json: bool = False
    """Whether text out of JSON needs ``exact`` too."""

    contains: str
    startswith: str
    endswith: str

    document: str = "{x}"
    """A column as a JSON document, null where it is none."""
    embedded_document: str | None = None
    """``document`` for the columns of an ORM, which may be of other types; None takes ``document``."""
    element: str = "{e}.value"
    """An array's element, as JSON."""
    element_type: str | None = None
    """The type of an element; None takes ``json_type`` of it."""
    element_document: str | None = None
    """An element whose members are asked for; None takes ``element``."""
    json_type: str
    member: Callable[[Part, tuple[str, ...]], tuple[Fragment, Fragment | None]]
    """A document and at least one name to the value found there and its type; None takes ``json_type`` of the value."""
    reads: Mapping[str, str]
    """The SQL value of JSON that should be ``text``, ``integer``, ``number``, ``boolean`` or ``array``; else null."""
    entry: str
    """The value of the map ``{x}``, a JSON document, under the key ``{key}``: null where it has none, or is no object.
    Or where there is a ``{read}``, what that makes of ``map_entry.value`` and ``map_entry.type``."""
    entry_captured: str = ""
    """``entry``, where the map's column has one of `captured_names`."""
    entry_owner: str = "{value}"
    """A JSON value as the ``{x}`` of ``entry``."""
    bind_key: Bind | None = None
    """The key of a map as the parameter ``{key}``; None for the key itself."""
    not_true: str = " IS NOT TRUE"
    """Follows a test, which it negates: true where the test is false or null."""
    some: str
    """Whether ``{condition}`` holds for some element of ``{array}``."""
    not_some: str = "NOT {some}"
    most_depth: int | None = None
    """How far a condition may fill the stack of the database's parser (`Term.depth`), where that is small."""
    most_arrays: int | None = None
    """Most arrays inside each other whose elements one test asks, where each doubles the work."""
    nulls_smallest: bool = True
    """Whether ORDER BY takes nulls for the smallest values when nothing is said."""
    seeks: Literal["or", "merged", "limited"] = "or"
    """How the rows after a position are found: by one condition of ORs; by a UNION ALL of seeks, which the database
    merges by the ORDER BY that follows; or by one of seeks that are each ordered and limited."""
    ranges_row_values: bool = False
    """Whether an index serves a comparison of row values as a range."""
    ranges_collated: bool = True
    """Whether one of row values, too, in which text has a collation of its own."""
    least: Mapping[TypeName, str] = field(default_factory=dict)
    """A literal for each field type that no value is less than, where a range of nulls alone is not taken for one."""
    index_in_schema: bool = False
    """Whether a qualified index name stands before ON, and the bare table behind it."""
    rowid_alias: bool = False
    """Whether a key of type integer is no column of an index, so that row values with it are none either."""
    sorted_length: int | None = None
    """Most characters of a text that ORDER BY compares; longer text is sorted by ``sorted_piece`` after piece."""
    sorted_piece: str = ""
    """1,000 bytes of ``{x}`` from the byte ``{start}`` on, counted from 1."""
    aborts_transactions: bool = False
    """Whether an error ends the transaction, with all that was done in it."""
    returned: Mapping[TypeName, str] = field(default_factory=dict)
    """How columns of a field type are selected, where the driver cannot return ``{x}`` itself."""
    captured_names: frozenset[str] = frozenset()
    """Column names that would mean the element's own columns where an array is named in ``some``, unless the name of
    another table qualifies them."""
    some_captured: str = ""
    """``some``, where the array's column has such a name."""

    def identifier(self, name: str) -> str:
        """Return a quoted identifier."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def table(self, name: TableName) -> str:
        """Return a quoted table name, part by part: ``"app"."tasks"`` for ``("app", "tasks")``.

        Raises:
            SchemaError: the name is not text, or a tuple of it.
        """
        return ".".join(map(self.identifier, table_parts(name)))

    def column(self, name: str, alias: str | None) -> Fragment:
        """Return a quoted column name, qualified by a quoted table alias if there is one."""
        return Fragment(f"{self.identifier(alias)}." if alias else "", self.identifier(name))

    def captures(self, inner: str, name: str, alias: str | None) -> bool:
        """Whether a column's name would mean a column of ``inner``, an alias of the library's own, in its subquery."""
        return name.lower() in self.captured_names and (alias is None or alias.lower() == inner)

    def storage(self, field: Field) -> Storage:
        """Return how a field is stored in a column of its own.

        Raises:
            StorageError: a decimal has more digits than the dialect holds; the dialect has no such storage for it.
        """
        if field.storage is not None:
            return self._named_storage(field, field.storage)
        return self.decimal(self._grid(field)) if isinstance(field, Decimal) else self.columns[field.type]

    def _named_storage(self, field: Field, storage: str) -> Storage:
        name, colon, argument = storage.partition(":")
        if name in self.refused_storages:
            raise wording.refused_storage(self.name, name, self.refused_storages[name])
        named = self.storages.get(name)
        if (
            named is None
            or field.type not in named.types
            or bool(argument) != bool(named.argument)
            or (colon and not argument)
        ):
            known = [
                f"{name}:…" if named.argument else name
                for name, named in self.storages.items()
                if field.type in named.types
            ]
            raise wording.unknown_storage(self.name, storage, field.type, known)
        return _made(named.make, field, argument)

    def json_storage(self, field: Field) -> tuple[Storage, str]:
        """Return how a field is held in JSON, and the template that reads it there; raises as `storage` does."""
        if isinstance(field, Decimal):
            grid = self._grid(field)
            return self.decimal(grid), self.read_decimal(grid)
        storage = JSON_STORAGE[field.type]
        return storage, self.reads[storage.type]

    def _grid(self, field: Decimal) -> Grid:
        digits, places = field.grid
        if digits > self.max_digits or places > self.max_places:
            raise wording.too_many_digits(self.name, digits, places, self.max_digits, self.max_places)
        return field.grid

    @property
    def entry_is_query(self) -> bool:
        """Whether ``entry`` reads the value in a subquery of its own."""
        return "{read}" in self.entry

    def read_entry(self, owner: Part, key: Param, template: str, *, captured: bool) -> Fragment:
        """Return the value under a key, read by a template of ``reads``.

        Args:
            owner: the map.
            key: its parameter.
            template: reads the value.
            captured: the map's column stands there with one of `captured_names`.
        """
        entry = self.entry_captured if captured else self.entry
        if self.entry_is_query:
            return fill(entry, x=owner, key=key, read=fill(template, value="map_entry.value", type="map_entry.type"))
        value = fill(entry, x=owner, key=key)
        return fill(template, value=value, type=fill(self.json_type, value=value))

    def style(self, placeholders: str | None) -> str:
        """Return the placeholder style to use: the one asked for, or the default.

        Raises:
            SchemaError: the dialect's drivers know no such style; the message names those they do.
        """
        if placeholders is None:
            return self.placeholders[0]
        if placeholders not in self.placeholders:
            raise wording.unknown_placeholders(placeholders, self.name, self.placeholders)
        return placeholders


@lru_cache(maxsize=256)
def _made(make: Callable[[Any, str], Storage], field: Field, argument: str) -> Storage:
    """Return a named storage, which rows ask for one by one."""
    return make(field, argument)


def table_parts(name: TableName) -> tuple[str, ...]:
    """Return the parts of a table's name, outermost first.

    Raises:
        SchemaError: the name is not text, or a tuple of it.
    """
    parts = name if isinstance(name, tuple) else (name,)
    if not 1 <= len(parts) <= _MOST_PARTS or not all(part and is_text(part) for part in parts):
        raise wording.bad_table(name)
    return parts


def decimal_pattern(grid: Grid) -> str:
    """Return the regular expression of canonical decimals: fixed-point text, with no more places than the grid has.

    Quantifiers have two numbers, as ``{2}`` would be a hole of a template, and none is ``?``, a placeholder.
    """
    whole = grid.digits - grid.places
    integer = f"(0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    fraction = f"([.][0-9]{{1,{grid.places}}}){{0,1}}" if grid.places else ""
    return f"^-{{0,1}}{integer}{fraction}$"


JSON_STORAGE: Mapping[TypeName, Storage] = {
    "string": Storage("text"),
    "enum": Storage("text"),
    "uuid": Storage("text"),
    "integer": Storage("integer"),
    "number": Storage("number"),
    "boolean": Storage("boolean"),
    "timestamp": Storage("text", timestamp_text),
    "date": Storage("text", date.isoformat),
    "array": Storage("array"),
}
"""How each field type is held in JSON: ``Storage.type`` is a key of ``Dialect.reads``."""


def path_literal(names: tuple[str, ...]) -> str:
    """Return the path to a key that needs no escape, as a SQL literal."""
    return literal("$" + "".join(f'."{name}"' for name in names))
