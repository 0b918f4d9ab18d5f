"""The fields of tables and mapped classes of SQLAlchemy."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipDirection

from astra_filter import fields
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Mapper, RelationshipProperty

    from astra_filter.fields import Field


class ModelDescriber(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return columns_of(model)

    def attributes(self, model: Any) -> Mapping[str, str]:
        return attributes_of(model if isinstance(model, sa.FromClause) else sa.inspect(model).mapper)

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return field_of(described, path, **options)

    def relations(self, model: Any) -> Mapping[str, Relation]:
        return {
            name: Relation(
                relation.mapper,
                bool(relation.uselist),
                relation.direction is not RelationshipDirection.MANYTOONE
                or any(column.nullable for column in relation.local_columns),
                loadable=relation.lazy not in ("dynamic", "write_only"),
            )
            for name, relation in relationships(model).items()
        }


def relationships(target: Any) -> Mapping[str, RelationshipProperty[Any]]:
    return {} if isinstance(target, sa.FromClause) else dict(sa.inspect(target).mapper.relationships)


def primary_key(target: Any) -> list[str]:
    if isinstance(target, sa.FromClause):
        return [column.key for column in target.primary_key]
    mapper = sa.inspect(target).mapper
    return [mapper.get_property_by_column(column).key for column in mapper.primary_key]


def columns_of(target: Any) -> list[tuple[str, Any]]:
    """Return the columns of a table or a mapped class by the names of their attributes."""
    if isinstance(target, sa.FromClause):
        return [(column.key, column) for column in target.c]
    return [(attribute.key, attribute.columns[0]) for attribute in sa.inspect(target).mapper.column_attrs]


def field_of(described: sa.ColumnElement[Any], path: str, **options: Any) -> Field:
    options["nullable"] = getattr(described, "nullable", True) is not False
    kind = plain_type(described.type)
    if isinstance(kind, sa.ARRAY):
        del options["sortable"]
        return native_array(scalar(plain_type(kind.item_type), path), path, **options)
    return scalar(kind, path, description=getattr(described, "comment", None) or "", **options)


def scalar(kind: sa.types.TypeEngine[Any], path: str, **options: Any) -> Field:
    match kind:
        case sa.Enum(enum_class=None):
            # A native enum has no collation, and others hold the declared values only.
            return fields.Enum(*kind.enums, binary=True, **options)
        case sa.Enum(enum_class=type() as declared) if all(isinstance(member.value, str) for member in declared):
            values = [member.value for member in declared]
            # What is stored may be the members' names, which do not sort as the values do.
            options["sortable"] = options.get("sortable", False) and values == kind.enums
            return fields.Enum(*values, binary=True, **options)
        case sa.String():
            binary = True if kind.collation in BINARY_COLLATIONS else None
            return fields.String(max_length=kind.length, binary=binary, **options)
        case sa.Uuid():
            return fields.Uuid(**options)
        case sa.Boolean():
            return fields.Boolean(**options)
        case sa.Integer():
            return fields.Integer(**options)
        case sa.Numeric() | sa.Float():
            return fields.Number(**options)
        case sa.DateTime():
            return fields.Timestamp(**options)
        case sa.Date():
            return fields.Date(**options)
        case _:
            raise wording.underivable("unknown_column_type", path, type(kind).__name__)


def plain_type(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    # An interval is a decorated timestamp, where a database has none of its own.
    while isinstance(kind, sa.types.TypeDecorator) and not isinstance(kind, sa.Interval):
        kind = kind.impl_instance
    return kind


@lru_cache(maxsize=256)
def attributes_of(model: sa.FromClause | Mapper[Any]) -> Mapping[str, str]:
    """Return the attributes of a table or a mapped class `by_column`."""
    # An expression that is mapped has no name but its attribute's.
    named = [(key, column.name if isinstance(column, sa.ColumnClause) else key) for key, column in columns_of(model)]
    return by_column(named)
