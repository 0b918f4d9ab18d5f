"""SQL of a shape as an element of SQLAlchemy, and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from astra_filter import fields
from astra_filter.adapters._orm_sql import Place, Seek, Sort, Where
from astra_filter.adapters._sqlalchemy_schema import plain_type
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from sqlalchemy.sql.compiler import SQLCompiler

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.meaning.leaves import Column

_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
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
    for part in element._shape.fragment(_DIALECTS[compiler.dialect.name]).parts:  # noqa: SLF001
        if isinstance(part, str):
            text.append(compiler.escape_literal_column(part))  # type: ignore[no-untyped-call]
        elif isinstance(part, Place):
            child = children[part.value]
            place = compiler.process(child, **options)
            text.append(f"CAST({place} AS CHAR)" if _sorts_otherwise(element, child, compiler.dialect) else place)
        elif isinstance(part, Param):
            bind = sa.bindparam(None, part.value, sa.String(), unique=True) if part.slot is None else binds[part.slot]
            text.append(compiler.process(bind, **options))
    return "".join(text)


def _sorts_otherwise(element: Embedded, child: sa.ColumnElement[Any], dialect: sa.Dialect) -> bool:
    """Whether a database does not sort a type as SPEC §6 says: MariaDB its UUIDs."""
    if dialect.name != "mariadb" or isinstance(element._shape, Where):  # noqa: SLF001
        return False
    kind = child.type
    return isinstance(kind, sa.Uuid) and kind.native_uuid and dialect.supports_native_uuid


def bind(field: Field, value: Any, column: Column | None, stored: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    """Return the parameter for a canonical value, to be tested against a column of a type, or None for one in JSON."""
    storage = JSON_STORAGE[field.type]
    parameter = _PARAMETERS[storage.type]
    if column is None or column.json_path:
        value = value if storage.bind is None else storage.bind(value)
        return sa.bindparam(None, value, parameter, unique=True)
    plain = plain_type(stored)
    match field, plain:
        case fields.Enum(), sa.Enum(enum_class=cls):
            value = value if cls is None else cls(value)
        case fields.Uuid(), sa.Uuid():
            value = UUID(value) if plain.as_uuid else value
        case fields.Timestamp(), sa.DateTime():
            value = value if plain.timezone else value.replace(tzinfo=None)
        case ((fields.Timestamp() | fields.Date()), sa.String()):
            value, stored = field.json(value), parameter
        case ((fields.String() | fields.Enum() | fields.Integer() | fields.Number()), _) if plain is stored:
            # The width or precision of the column's own type must not cut the literal.
            stored = parameter
    return sa.bindparam(None, value, stored, unique=True)
