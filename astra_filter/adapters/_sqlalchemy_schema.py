"""The fields of tables and mapped classes of SQLAlchemy."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipDirection

from astra_filter import fields
from astra_filter.adapters._orm_forms import converter_of
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.adapters._sqlalchemy_types import family, fits, held, values
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import derive as derive_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Mapper, RelationshipProperty

    from astra_filter.fields import Field


class ModelDescriber(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return columns_of(model)

    def attributes(self, model: Any) -> Mapping[str, str]:
        if isinstance(model, sa.FromClause):
            return attributes_of(model)
        inspected = sa.inspect(model, raiseerr=False)
        if not (getattr(inspected, "is_mapper", False) or getattr(inspected, "is_aliased_class", False)):
            raise adapters_wording.bad_target(model, "a table or a mapped class")
        return attributes_of(inspected.mapper)

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return field_of(described, path, **options)

    def accept(self, described: Any, field: Field, path: str) -> Field:
        return accepted(described, field, path)

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
    """Return the field of a column; errors as in `schema`."""
    options["nullable"] = getattr(described, "nullable", True) is not False
    kind = _plain(described.type, path)
    if isinstance(kind, sa.ARRAY):
        if kind.dimensions not in (None, 1):
            raise derive_wording.underivable("nested_array", path)
        del options["sortable"]
        return native_array(_scalar(_plain(kind.item_type, path), path), path, **options)
    return _scalar(kind, path, description=getattr(described, "comment", None) or "", **options)


def accepted(described: sa.ColumnElement[Any], field: Field, path: str) -> Field:
    """Return a field that was given for a column, if it compares what the column holds."""
    stored = described.type
    known = held(stored)
    if converter_of(field) is not None:
        text = known is not None and family(known.kind) is fields.String
        if not text and isinstance(field, (fields.String, fields.Enum)):
            return fields.changed(field, binary=True)  # A column that is no text has no collation.
        return field
    if known is None:
        # What decorates JSON is read like any object.
        inner = stored.impl_instance if isinstance(stored, sa.types.TypeDecorator) else None
        if isinstance(inner, sa.JSON) and isinstance(field, (fields.Array, fields.Object)):
            return field
        raise adapters_wording.unguessed_type(path, type(stored).__name__)
    if not fits(field, known.kind):
        raise adapters_wording.misfit(path, field, type(known.kind).__name__)
    if isinstance(known.kind, sa.Enum) and isinstance(field, fields.Enum):
        sortable = field.sortable and set(field.values) <= set(known.kind.enums)
        return fields.changed(field, binary=True, sortable=sortable)  # As of a native enum, which has no collation.
    return field


def _plain(stored: sa.types.TypeEngine[Any], path: str) -> sa.types.TypeEngine[Any]:
    known = held(stored)
    if known is None:
        raise adapters_wording.unguessed_type(path, type(stored).__name__)
    return known.kind


def _scalar(kind: sa.types.TypeEngine[Any], path: str, **options: Any) -> Field:
    match family(kind):
        case fields.Enum:
            assert isinstance(kind, sa.Enum)  # noqa: S101  # As what has that field.
            found = list(values(kind))
            if not found:
                raise adapters_wording.enum_members(path, getattr(kind.enum_class, "__name__", "Enum"), kind.enums)
            # What is stored may be the members' names, which do not sort as the values do.
            options["sortable"] = options.get("sortable", False) and found == kind.enums
            # A native enum has no collation, and others hold the declared values only.
            return fields.Enum(*found, binary=True, **options)
        case fields.String:
            assert isinstance(kind, sa.String)  # noqa: S101  # As above.
            binary = True if kind.collation in BINARY_COLLATIONS else None
            return fields.String(max_length=kind.length, binary=binary, **options)
        case None | fields.Object:
            raise adapters_wording.unknown_column_type(path, type(kind).__name__, json=isinstance(kind, sa.JSON))
        case found_family:
            return found_family(**options)


@lru_cache(maxsize=256)
def attributes_of(model: sa.FromClause | Mapper[Any]) -> Mapping[str, str]:
    """Return the attributes of a table or a mapped class `by_column`."""
    # An expression that is mapped has no name but its attribute's.
    named = [(key, column.name if isinstance(column, sa.ColumnClause) else key) for key, column in columns_of(model)]
    return by_column(named)
