"""The fields of models of Django."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models

from astra_filter import fields
from astra_filter.adapters._orm_forms import FITS, converter_of
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import derive as derive_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.adapters._orm_forms import Form
    from astra_filter.fields import Field

Model: TypeAlias = Any
"""A model class; Django has no types of its own."""


class ModelDescriber(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return [(described.attname, described) for described in model._meta.concrete_fields]

    def attributes(self, model: Any) -> Mapping[str, str]:
        if not (isinstance(model, type) and issubclass(model, models.Model)):
            raise adapters_wording.bad_target(model, "a model")
        return {column: described.attname for column, described in columns_of(model).items()}

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return field_of(described, path, **options)

    def accept(self, described: Any, field: Field, path: str) -> Field:
        return accepted(described, field, path)

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
    """Return the field of a model's field; errors as in `schema`."""
    options["nullable"] = described.null
    options["description"] = str(described.help_text)
    plain = plain_field(described)
    if changes_values(described) or changes_values(plain):
        raise adapters_wording.unguessed_type(path, type(described).__name__)
    if plain.get_internal_type() != "ArrayField":
        return _scalar(plain, path, **options)
    del options["sortable"]
    items = plain_field(plain.base_field)
    if items.get_internal_type() == "ArrayField":
        raise derive_wording.underivable("nested_array", path)
    if changes_values(items):
        raise adapters_wording.unguessed_type(path, type(items).__name__)
    return native_array(_scalar(items, path), path, **options)


def accepted(described: Any, field: Field, path: str) -> Field:
    """Return a field that was given for a model's field, if it compares what the column holds."""
    plain = plain_field(described)
    if converter_of(field) is not None:
        if isinstance(field, (fields.String, fields.Enum)) and family(plain) is not fields.String:
            return fields.changed(field, binary=True)  # A column that is no text has no collation.
        return field
    if changes_values(described) or changes_values(plain):
        # What reads JSON in its own way is read like any object.
        if isinstance(plain, models.JSONField) and isinstance(field, (fields.Array, fields.Object)):
            return field
        raise adapters_wording.unguessed_type(path, type(described).__name__)
    if not _fits(field, plain):
        raise adapters_wording.misfit(path, field, type(plain).__name__)
    return field


def changes_values(described: Any) -> bool:
    """Whether a field outside of Django changes what is read from the database, or the column's type.

    What changes only the way to the database shows what is stored, and literals go past it.
    """
    own = [cls for cls in type(described).__mro__ if not cls.__module__.startswith("django.")]
    if any(name in vars(cls) for cls in own for name in _READING):
        return True
    model = getattr(described, "model", None)
    held = None if model is None else inspect.getattr_static(model, described.attname, None)
    # An attribute of a class of its own may show anything.
    return held is not None and not type(held).__module__.startswith("django.")


_READING = frozenset(
    {"from_db_value", "get_db_converters", "select_format", "db_type", "db_parameters", "cast_db_type", "rel_db_type"}
)


def family(described: Any) -> type[Field] | None:
    """Return the type of the field that represents a model's field; None where none does."""
    return next((field for kind, field in _FAMILIES if isinstance(described, kind)), None)


_FAMILIES: tuple[tuple[Any, type[Field]], ...] = (
    (models.JSONField, fields.Object),
    ((models.CharField, models.TextField), fields.String),
    (models.UUIDField, fields.Uuid),
    (models.BooleanField, fields.Boolean),
    (models.IntegerField, fields.Integer),
    ((models.FloatField, models.DecimalField), fields.Number),
    (models.DateTimeField, fields.Timestamp),
    (models.DateField, fields.Date),
)


def form_of(described: Any) -> Form:
    """Return the form in which a column holds its values; ``plain`` for what is no model's field."""
    match plain_field(described):
        case models.DateTimeField():
            return "instant"
        case models.DecimalField() as plain:
            return "plain" if plain.max_digits is not None and plain.max_digits <= _DOUBLE_DIGITS else "digits15"
        case models.PositiveBigIntegerField():
            return "unsigned"
        case models.UUIDField():
            return "uuid"
        case _:
            return "plain"


_DOUBLE_DIGITS = 15
"""The most digits of which a double loses none."""


def _scalar(described: Any, path: str, **options: Any) -> Field:
    match family(described):
        case fields.String:
            binary = True if described.db_collation in BINARY_COLLATIONS else None
            values = [value for value, _ in described.flatchoices]
            if values and all(isinstance(value, str) for value in values):
                return fields.Enum(*values, binary=binary, **options)
            return fields.String(max_length=described.max_length, binary=binary, **options)
        case None | fields.Object:
            json = isinstance(described, models.JSONField)
            raise adapters_wording.unknown_column_type(path, type(described).__name__, json=json)
        case found:
            return found(**options)


def _fits(field: Field, described: Any) -> bool:
    """Whether a field compares the values of a model's field."""
    if isinstance(field, fields.Array) and described.get_internal_type() == "ArrayField":
        items = plain_field(described.base_field)
        timed = isinstance(field.items, fields.Timestamp) and bool(field.items.operators)
        return (
            not changes_values(items)
            and _fits(field.items, items)
            and not (timed or isinstance(field.items, fields.Decimal))
        )
    if isinstance(field, fields.Integer) and isinstance(described, models.DecimalField):
        return bool(described.decimal_places == 0)
    if isinstance(field, fields.Decimal) and isinstance(described, models.FloatField):
        return False
    taken = FITS.get(type(field))
    return taken is None or family(described) in taken


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
