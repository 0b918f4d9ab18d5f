"""What people say in querysets before a filter or a page is put to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query import ModelIterable

from astra_filter.wording import adapters as wording

if TYPE_CHECKING:
    from collections.abc import Mapping


def narrowable(given: Any) -> models.QuerySet[Any]:
    """Return a queryset that takes a filter, and an order of its own: of the rows that the given one has.

    Raises:
        SchemaError: it is no queryset or manager, or it is sliced.
    """
    found = given.all() if isinstance(given, models.Manager) else given
    if not isinstance(found, models.QuerySet) or found.query.is_sliced:
        raise wording.bad_target(given, "a queryset or manager that is not sliced")
    if not (found.query.combinator or found.query.distinct_fields):
        return found
    # The rows of a union take no conditions, and DISTINCT ON an order of its own: so they become a subquery.
    rows = found.model._base_manager.using(found.db).filter(pk__in=found.values("pk"))
    rows._prefetch_related_lookups = found._prefetch_related_lookups
    return rows


def of_instances(given: Any) -> models.QuerySet[Any]:
    """Return a queryset of instances that takes a filter and an order; raises as `narrowable`, or for ``values()``."""
    if isinstance(given, models.QuerySet) and not issubclass(given._iterable_class, ModelIterable):
        raise wording.bad_target(given._iterable_class, "a queryset of instances, which values() has not,")
    found = narrowable(given).all()
    found.query.standard_ordering = True  # reverse() would turn the page's order round.
    return found


def sources_of(target: Any) -> Mapping[str, models.QuerySet[Any]]:
    """Return the rows of relations that a queryset's `Prefetch` objects name, by the relation's lookup.

    Raises:
        SchemaError: they are sliced, so that no condition has the rows that the page shows.
    """
    if not isinstance(target, models.QuerySet):
        return {}
    found: dict[str, models.QuerySet[Any]] = {}
    for lookup in target._prefetch_related_lookups:
        rows = getattr(lookup, "queryset", None)
        if rows is None or lookup.prefetch_to != lookup.prefetch_through:  # The latter fills another attribute.
            continue
        if rows.query.is_sliced or rows.query.combinator:
            raise wording.bad_target(lookup, "a Prefetch of rows that are neither sliced nor combined")
        found[lookup.prefetch_to] = rows
    return found
