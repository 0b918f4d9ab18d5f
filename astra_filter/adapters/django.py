"""Django 5.2 and newer: schemas from models, conditions and pages in their querysets.

The SQL is that of `astra_filter.sql` for the database that a queryset goes to; columns, joins and subqueries over
related rows are Django's own. Proven on SQLite and PostgreSQL. On SQLite, names in JSON that are not ASCII are found
where they are stored without escapes: give a `JSONField` an ``encoder`` that sets ``ensure_ascii`` to False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter.adapters._orm_forms import converted
from astra_filter.adapters._orm_sql import Seek, Sort, Stored, read
from astra_filter.filter import Filter
from astra_filter.query import ListQuery
from astra_filter.schema import Schema
from astra_filter.wording import adapters as wording
from astra_filter.wording import installation as installation_wording

try:
    import django.conf  # noqa: F401  # A name that only Django has; what follows imports the rest of it.
    from django.db import models
except ImportError as error:
    raise installation_wording.missing_extra("django", error) from error

from astra_filter.adapters import _django_fold  # noqa: F401  # Connections to SQLite ignore case from here on.
from astra_filter.adapters._django_querysets import narrowable, of_instances
from astra_filter.adapters._django_schema import Model, ModelDescriber
from astra_filter.adapters._django_scope import condition_on, prefetches, scope_of
from astra_filter.adapters._django_sql import Embedded, OrderTerm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.query import Page
    from astra_filter.schema import SchemaOptions

__all__ = ["apply", "converted", "page", "schema", "where"]

# Schemas -------------------------------------------------------------------------------------------------------------


def schema(
    model: Model,
    *,
    fields: Mapping[str, Field] | None = None,
    exclude: Iterable[str] = (),
    relations: Iterable[str] = (),
    omit_unsupported: bool = False,
    **options: Unpack[SchemaOptions],
) -> Schema:
    """Return the schema of a model's rows.

    Fields keep their names, foreign keys as ``author_id``; text with choices becomes an enum. Names that begin with an
    underscore are left out. The key is the primary key, where that is one field.

    Args:
        model: the model.
        fields: fields to take instead of those of the model, by dotted path; a `JSONField` needs one, and `converted`
            makes one for a column whose Python values are of a class of their own.
        exclude: the dotted paths of fields that do not exist for callers: ``password``, ``author.email``.
        relations: the dotted paths of the relations that callers may look through, each after the one it is reached by:
            to-one relations become objects, to-many ones arrays of objects, reverse ones by the name of their accessor
            (``tag_set``). Their fields cannot be sorted by.
        omit_unsupported: leave out fields of types that no field represents, instead of refusing them.
        options: ``key``, ``limits``, ``binary`` and ``bounded_tokens``, as `Schema` takes them.

    Raises:
        SchemaError: the model's fields have types that no field represents, or that change values in a way that is not
            known; the message has a line for each. Or a path in the arguments leads nowhere.
    """
    members = ModelDescriber(fields, exclude, relations, omit_unsupported=omit_unsupported).describe(model)
    key = getattr(model._meta.pk, "attname", None)
    if key in members and members[key].sortable:
        options.setdefault("key", key)
    return Schema(members, **options)


# Querysets -----------------------------------------------------------------------------------------------------------


def where(chosen: Filter, target: Model | models.QuerySet[Any]) -> models.Q:
    """Return the condition that is true for exactly the rows that a filter selects (SPEC §4).

    Tests through to-many relations become EXISTS, those through to-one relations joins; they see the related rows that
    a page shows: those of the model's default manager, or of the queryset's own `Prefetch`. The condition is for
    ``filter()``: where it is part of one that is negated, by ``~`` or ``exclude()``, NULL may stand for false.

    Args:
        chosen: the filter; a field is found by its column's name, or else by the attribute or annotation of that name.
        target: the queryset, or its model.

    Raises:
        SchemaError: an argument is something else; an open schema.
    """
    if not isinstance(chosen, Filter):
        raise wording.not_a_filter(chosen)
    return models.Q(condition_on(chosen.template.condition, chosen.values, scope_of(chosen.declaration, target)))


def apply(chosen: Filter | ListQuery, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Return a queryset narrowed to what a filter selects, or to a page of a list request.

    For a page that is the filter, the order, the position, the limit and one row more. What the queryset says already
    (the tenant, annotations, `Prefetch`) stands, but for an order. The relations that the page shows are prefetched.
    What ``union()`` or ``distinct("name")`` gave becomes a subquery, without its annotations.

    Args:
        chosen: the filter or the list request.
        queryset: not sliced; for a list request of model instances.

    Raises:
        SchemaError: an argument is something else; the model lacks a column; an open schema.
    """
    if isinstance(chosen, Filter):
        queryset = narrowable(queryset)
        return queryset.filter(where(chosen, queryset))
    if not isinstance(chosen, ListQuery):
        raise wording.not_a_query(chosen)
    queryset = of_instances(queryset)
    scope = scope_of(chosen.declaration, queryset)
    queryset = _filtered(chosen, queryset)
    keys = [
        Sort(Stored(leaf.column, scope.form(leaf.column.name)), leaf.field, descending)
        for leaf, descending in chosen.order.keys
    ]
    columns: dict[PlaceKey, Any] = {key.place: scope.column(key.place) for key in keys}
    if chosen.position is not None:
        seek = Seek(tuple(keys), tuple([value is None for value in chosen.position]))
        values = {
            slot: (key.field, value, key.stored.column)
            for slot, (key, value) in enumerate(zip(keys, chosen.position, strict=True))
        }
        queryset = queryset.filter(Embedded(seek, columns, values))
    if keys:
        queryset = queryset.order_by(*[OrderTerm(key, columns[key.place]) for key in keys])
    relations = prefetches(scope, [leaf.path for leaf in chosen.leaves])
    if relations:
        queryset = queryset.prefetch_related(*relations)
    if chosen.limit is not None:
        return queryset[chosen.skip : chosen.skip + chosen.limit + 1]
    return queryset[chosen.skip :] if chosen.skip else queryset


def page(query: ListQuery, queryset: models.QuerySet[Any]) -> Page:
    """Answer a list request from a queryset of model instances, not sliced."""
    if not isinstance(query, ListQuery):
        raise wording.not_a_query(query)
    queryset = of_instances(queryset)
    scope = scope_of(query.declaration, queryset)
    shown = [leaf.path for leaf in query.leaves]
    resources = [read(instance, scope, shown) for instance in apply(query, queryset)]
    return query.page_from_resources(resources, total=_filtered(query, queryset).count() if query.count else None)


def _filtered(query: ListQuery, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    return queryset if query.filter is None else queryset.filter(where(query.filter, queryset))
