"""Django 5.2 and newer: schemas from models, conditions and pages in their querysets.

The SQL is that of `astra_filter.sql` for the database that a queryset goes to; columns, joins and subqueries over
related rows are Django's own. Proven on SQLite and PostgreSQL. On SQLite, names in JSON that are not ASCII are found
where they are stored without escapes: give a `JSONField` an ``encoder`` that sets ``ensure_ascii`` to False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter.adapters._orm_sql import Seek, Sort, read
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

from astra_filter.adapters._django_schema import Model, ModelDescriber
from astra_filter.adapters._django_scope import condition_on, prefetches, scope_of
from astra_filter.adapters._django_sql import Embedded, order_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.query import Page
    from astra_filter.schema import SchemaOptions


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
        fields: fields to take instead of those of the model, by dotted path; a `JSONField` needs one.
        exclude: the dotted paths of fields that do not exist for callers: ``password``, ``author.email``.
        relations: the dotted paths of the relations that callers may look through, each after the one it is reached by:
            to-one relations become objects, to-many ones arrays of objects, reverse ones by the name of their accessor
            (``tag_set``). Their fields cannot be sorted by.
        omit_unsupported: leave out fields of types that no field represents, instead of refusing them.
        options: ``key``, ``limits``, ``binary`` and ``bounded_tokens``, as `Schema` takes them.

    Raises:
        SchemaError: a model's field has a type that no field represents; a path in the arguments leads nowhere.
    """
    members = ModelDescriber(fields, exclude, relations, omit_unsupported=omit_unsupported).describe(model)
    key = getattr(model._meta.pk, "attname", None)
    if key in members and members[key].sortable:
        options.setdefault("key", key)
    return Schema(members, **options)


# Querysets -----------------------------------------------------------------------------------------------------------


def where(chosen: Filter, target: Model | models.QuerySet[Any]) -> models.Q:
    """Return the condition that is true for exactly the rows that a filter selects (SPEC §4).

    Tests through to-many relations become EXISTS, those through to-one relations joins. The condition is for
    ``filter()``: where it is part of one that is negated, by ``~`` or ``exclude()``, NULL may stand for false.

    Args:
        chosen: the filter; a field is found by its column's name, or else by the attribute or annotation of that name.
        target: the queryset, or its model.

    Raises:
        SchemaError: an argument is something else; an open schema.
    """
    if not isinstance(chosen, Filter):
        raise wording.not_a_filter(chosen)
    model = target.model if isinstance(target, (models.QuerySet, models.Manager)) else target
    return models.Q(condition_on(chosen.template.condition, chosen.values, scope_of(chosen.declaration, model)))


def apply(chosen: Filter | ListQuery, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Return a queryset narrowed to what a filter selects, or to a page of a list request.

    For a page that is the filter, the order, the position, the limit and one row more. What the queryset says already
    (the tenant, annotations) stands, but for an order. The relations that the page shows are prefetched.

    Args:
        chosen: the filter or the list request.
        queryset: of model instances, not sliced.

    Raises:
        SchemaError: an argument is something else; an open schema.
    """
    queryset = _unsliced(queryset)
    if isinstance(chosen, Filter):
        return queryset.filter(where(chosen, queryset.model))
    if not isinstance(chosen, ListQuery):
        raise wording.not_a_query(chosen)
    scope = scope_of(chosen.declaration, queryset.model)
    queryset = _filtered(chosen, queryset)
    keys = [Sort(leaf.column, leaf.field, descending) for leaf, descending in chosen.order.keys]
    columns: dict[PlaceKey, Any] = {key.column.name: scope.column(key.column.name) for key in keys}
    if chosen.position is not None:
        seek = Seek(tuple(keys), tuple([value is None for value in chosen.position]))
        values = {
            slot: (key.field, value, key.column)
            for slot, (key, value) in enumerate(zip(keys, chosen.position, strict=True))
        }
        queryset = queryset.filter(Embedded(seek, columns, values))
    if keys:
        queryset = queryset.order_by(*[order_term(key, columns) for key in keys])
    relations = prefetches(scope, [leaf.path for leaf in chosen.leaves])
    if relations:
        queryset = queryset.prefetch_related(*relations)
    if chosen.limit is not None:
        return queryset[chosen.skip : chosen.skip + chosen.limit + 1]
    return queryset[chosen.skip :] if chosen.skip else queryset


def page(query: ListQuery, queryset: models.QuerySet[Any]) -> Page:
    """Answer a list request from a queryset of model instances, not sliced."""
    queryset = _unsliced(queryset)
    scope = scope_of(query.declaration, queryset.model)
    shown = [leaf.path for leaf in query.leaves]
    resources = [read(instance, scope, shown) for instance in apply(query, queryset)]
    return query.page_from_resources(resources, total=_filtered(query, queryset).count() if query.count else None)


def _unsliced(queryset: Any) -> models.QuerySet[Any]:
    found = queryset.all() if isinstance(queryset, models.Manager) else queryset
    if not isinstance(found, models.QuerySet) or found.query.is_sliced:
        raise wording.bad_target(queryset, "a queryset or manager that is not sliced")
    return found


def _filtered(query: ListQuery, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    return queryset if query.filter is None else queryset.filter(where(query.filter, queryset.model))
