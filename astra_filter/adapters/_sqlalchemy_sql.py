"""SQL of a shape as an element of SQLAlchemy, and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import StrSQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from astra_filter import fields
from astra_filter.adapters._orm_forms import as_shown, converter_of, decimal_parameter
from astra_filter.adapters._orm_sql import KEY, Place, Seek, Sort, Where
from astra_filter.adapters._sqlalchemy_types import held, labels, values
from astra_filter.sql.dialects import DIALECTS
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from sqlalchemy.sql.compiler import SQLCompiler

    from astra_filter.adapters._orm_forms import Form
    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import AnyField, Field
    from astra_filter.meaning.leaves import Column

_DIALECTS = {word: record.name for record in DIALECTS.values() for word in record.sqlalchemy_names}
"""Our dialect by SQLAlchemy's."""
_PARAMETERS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "text": sa.String(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
}
"""The types of parameters, as `JSON_STORAGE` names them."""


class Embedded(sa.ColumnElement[Any]):
    """SQL of a shape, with SQLAlchemy's columns and subqueries in its places and its parameters in its slots."""

    __visit_name__ = "astra_filter"
    stringify_dialect = "sqlite"
    _traverse_internals = [  # noqa: RUF012  # So SQLAlchemy wants it.
        ("_shape", InternalTraversal.dp_plain_obj),
        ("_children", InternalTraversal.dp_clauseelement_list),
        ("_binds", InternalTraversal.dp_clauseelement_list),
    ]

    def __init__(
        self,
        shape: Where | Sort | Seek,
        children: Mapping[PlaceKey, sa.ColumnElement[Any]],
        binds: Mapping[int, sa.BindParameter[Any]],
    ) -> None:
        self.type = sa.types.NULLTYPE if isinstance(shape, Sort) else sa.Boolean()
        self._shape = shape
        # The keys follow from the shape, so they are no part of what the statement cache goes by.
        self._places = tuple(children)
        self._children = list(children.values())
        self._slots = tuple(binds)
        self._binds = list(binds.values())

    @property
    def _from_objects(self) -> list[sa.FromClause]:
        return [source for child in self._children for source in child._from_objects]  # noqa: SLF001  # As expressions do.

    def self_group(self, against: Any = None) -> Self:  # noqa: ARG002  # It brings its own parentheses.
        return self

    def _negate(self) -> sa.ColumnElement[Any]:
        return self.is_not(sa.true())


@compiles(Embedded, *_DIALECTS)
def render(element: Embedded, compiler: SQLCompiler, **options: Any) -> str:
    options.pop("add_to_result_map", None)
    children = dict(zip(element._places, element._children, strict=True))  # noqa: SLF001
    binds = dict(zip(element._slots, element._binds, strict=True))  # noqa: SLF001
    text: list[str] = []
    for part in element._shape.fragment(_dialect(compiler.dialect)).parts:  # noqa: SLF001
        if isinstance(part, str):
            text.append(compiler.escape_literal_column(part))  # type: ignore[no-untyped-call]
        elif isinstance(part, Place):
            text.append(compiler.process(children[part.value], **options))
        elif isinstance(part, Param):
            bound = sa.bindparam(None, part.value, sa.String(), unique=True) if part.slot is None else binds[part.slot]
            exact = isinstance(bound.type, _Exact)
            text.append(compiler.process(sa.type_coerce(bound, _Exact(part.bind)) if exact else bound, **options))
    return "".join(text)


@compiles(Embedded)
def refuse(element: Embedded, compiler: SQLCompiler, **options: Any) -> str:
    """Raise the library's own error for a dialect that it does not know."""
    if isinstance(compiler, StrSQLCompiler):  # Text for people: it takes `stringify_dialect`.
        return compiler.visit_unsupported_compilation(element, None, **options)  # type: ignore[no-any-return,no-untyped-call]
    raise wording.unknown_dialect(compiler.dialect.name, tuple(_DIALECTS))


class _Exact(sa.types.TypeDecorator[Any]):
    """A decimal that is compared with one inside JSON, as the database and the operator take it.

    Args:
        form: turns the canonical value into the driver's; known only when the statement is written.
    """

    impl = sa.String
    cache_ok = False

    def __init__(self, form: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self._form = form

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  # SQLAlchemy's.
        return value if self._form is None else self._form(value)


class _Key(sa.types.TypeDecorator[str]):
    """The key of a map, in the form that a database takes it in."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        form = DIALECTS[_DIALECTS[dialect.name]].bind_key
        return value if form is None or value is None else form(value)


class _Decimal(sa.types.TypeDecorator[Any]):
    """An exact decimal, in the form that a database compares."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else decimal_parameter(value, dialect.name)


def _dialect(dialect: sa.Dialect) -> str:
    """Return our dialect's name, ``mariadb`` where UUIDs are of the database's own type."""
    return "mariadb" if dialect.name == "mariadb" and dialect.supports_native_uuid else _DIALECTS[dialect.name]


def bind(field: AnyField, value: Any, column: Column | None, stored: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    """Return the parameter for a canonical value, to be tested against a column of a type, or None for one in JSON."""
    if field is KEY:
        return sa.bindparam(None, value, _Key(), unique=True)
    if isinstance(field, fields.Decimal) and (column is None or column.json_path):
        return sa.bindparam(None, value, _Exact(), unique=True)
    converter = converter_of(field)
    if isinstance(field, fields.Decimal) and converter is None:
        return sa.bindparam(None, value, _Decimal(), unique=True)
    storage = JSON_STORAGE[field.type]
    parameter = _PARAMETERS[storage.type]
    if column is None or column.json_path:
        value = value if storage.bind is None else storage.bind(value)
        if isinstance(stored, sa.ARRAY) and isinstance(field, fields.Enum):
            value = _label(stored.item_type, value)
        return sa.bindparam(None, value, parameter, unique=True)
    if converter is not None:
        return sa.bindparam(None, converter.bound(value), stored, unique=True)
    known = held(stored)
    kind = stored if known is None else known.kind
    of_type = stored if known is not None and known.own else kind
    match field, kind:
        case fields.Enum(), sa.Enum():
            value = _member(kind, value)
        case fields.Uuid(), sa.Uuid():
            value = UUID(value) if kind.as_uuid else value
        case fields.Timestamp(), sa.DateTime() if known is not None and not known.own:
            value = value if kind.timezone else value.replace(tzinfo=None)
            # Neither a format of its own nor a precision must cut the literal.
            of_type = sa.DateTime(timezone=kind.timezone)
        case ((fields.Timestamp() | fields.Date()), sa.String()):
            value, of_type = field.json(value), parameter
        case ((fields.String() | fields.Enum() | fields.Integer() | fields.Number()), _):
            # The width or precision of the column's own type must not cut the literal.
            of_type = parameter
        case ((fields.Uuid() | fields.Decimal() | fields.Boolean() | fields.Timestamp() | fields.Date()), _):
            pass
        case ((fields.Array() | fields.Object() | fields.Map() | fields.Open()), _):
            pass
        case _:
            assert_never(field)
    return sa.bindparam(None, value, of_type, unique=True)


def is_enum(element: sa.ColumnElement[Any]) -> bool:
    """Whether a column is of an enum's type."""
    known = held(element.type)
    return known is not None and isinstance(known.kind, sa.Enum)


def form_of(element: sa.ColumnElement[Any]) -> Form:
    """Return the form in which a column holds its values."""
    known = held(element.type)
    return "plain" if known is None else known.form


def show(field: Field, stored: sa.types.TypeEngine[Any], value: Any) -> Any:
    """Return what an instance's attribute holds as the field reads it."""
    if value is None:
        return None
    converter = converter_of(field)
    if converter is not None:
        return converter.shown(value)
    known = held(stored)
    if known is None:
        return value
    if isinstance(known.kind, sa.Enum) and isinstance(field, fields.Enum) and not _by_value(known.kind, field):
        return next((label for label, member in labels(known.kind).items() if member is value), value)
    return as_shown(known.form, field, value)


def _by_value(kind: sa.Enum, field: fields.Enum) -> bool:
    """Whether a field has the values of an enum's members, not what the database has for them."""
    return set(field.values) <= set(values(kind))


def _member(kind: sa.Enum, value: str) -> Any:
    return values(kind).get(value) or labels(kind).get(value, value)


def _label(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """Return what the database has for an element of an array of enums."""
    known = held(kind)
    if known is None or not isinstance(known.kind, sa.Enum):
        return value
    member = values(known.kind).get(value)
    return next((label for label, each in labels(known.kind).items() if each is member), value)
