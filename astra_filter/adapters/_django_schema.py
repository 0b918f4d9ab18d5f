"""The fields of models of Django."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models

from astra_filter import fields
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.fields import Field

Model: TypeAlias = Any
"""A model class; Django has no types of its own."""


class ModelDescriber(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return [(described.attname, described) for described in model._meta.concrete_fields]

    def attributes(self, model: Any) -> Mapping[str, str]:
        return {column: described.attname for column, described in columns_of(model).items()}

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return field_of(described, path, **options)

    def relations(self, model: Any) -> Mapping[str, Relation]:
        return {
            name: Relation(relation.related_model, to_many(relation), is_reverse(relation) or relation.null)
            for name, relation in relations_of(model).items()
        }


@lru_cache(maxsize=256)
def relations_of(model: Any) -> Mapping[str, Any]:
    """Return the relations of a model by the name of their attribute."""
    return {
        relation.get_accessor_name() if is_reverse(relation) else relation.name: relation
        for relation in model._meta.get_fields()
        if isinstance(relation, (models.ForeignKey, models.ManyToManyField, models.ForeignObjectRel))
    }


def is_reverse(relation: Any) -> bool:
    return isinstance(relation, models.ForeignObjectRel)


def to_many(relation: Any) -> bool:
    return bool(relation.many_to_many or relation.one_to_many)


def field_of(described: Any, path: str, **options: Any) -> Field:
    options["nullable"] = described.null
    options["description"] = str(described.help_text)
    plain = plain_field(described)
    if plain.get_internal_type() == "ArrayField":
        del options["sortable"]
        return native_array(scalar(plain_field(plain.base_field), path), path, **options)
    return scalar(plain, path, **options)


def scalar(described: Any, path: str, **options: Any) -> Field:
    match described:
        case models.CharField() | models.TextField():
            binary = True if described.db_collation in BINARY_COLLATIONS else None
            values = [value for value, _ in described.flatchoices]
            if values and all(isinstance(value, str) for value in values):
                return fields.Enum(*values, binary=binary, **options)
            return fields.String(max_length=described.max_length, binary=binary, **options)
        case models.UUIDField():
            return fields.Uuid(**options)
        case models.BooleanField():
            return fields.Boolean(**options)
        case models.IntegerField():
            return fields.Integer(**options)
        case models.FloatField() | models.DecimalField():
            return fields.Number(**options)
        case models.DateTimeField():
            return fields.Timestamp(**options)
        case models.DateField():
            return fields.Date(**options)
        case _:
            raise wording.underivable("unknown_column_type", path, type(described).__name__)


def plain_field(described: Any) -> Any:
    """Return what a foreign key refers to, or a generated field holds."""
    while True:
        if isinstance(described, models.ForeignKey):
            described = described.target_field
        elif isinstance(described, models.GeneratedField):
            described = described.output_field
        else:
            return described


@lru_cache(maxsize=256)
def columns_of(model: Any) -> Mapping[str, Any]:
    """Return the fields of a model `by_column`."""
    fields = {described.attname: described for described in model._meta.concrete_fields}
    named = by_column((attribute, described.column) for attribute, described in fields.items())
    return {column: fields[attribute] for column, attribute in named.items()}
