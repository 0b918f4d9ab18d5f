"""Where the paths of a filter lead in models of Django."""

from __future__ import annotations

from functools import reduce
from operator import and_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from astra_filter.adapters._django_querysets import sources_of
from astra_filter.adapters._django_schema import Model, columns_of, form_of, is_reverse, relations_of, to_many
from astra_filter.adapters._django_sql import Embedded
from astra_filter.adapters._orm_forms import as_shown, converter_of
from astra_filter.adapters._orm_sql import Path, Stored, Where, inside, slots, tests
from astra_filter.fields import Array, Object, Open
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from astra_filter.adapters._orm_forms import Form
    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.meaning.conditions import Condition, Test
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Column, Leaf


class Scope(NamedTuple):
    """Where a condition's paths begin: a row of the model, or one that ``prefix``, of to-one relations, leads to."""

    model: Model
    owner: Object
    leaves: Mapping[Path, Leaf]
    binary: bool
    prefix: str = ""
    route: str = ""
    """The relations that lead here from the model of the queryset, as ``prefetch_related`` names them."""
    sources: Mapping[str, models.QuerySet[Any]] = MappingProxyType({})
    """The rows that the queryset's own `Prefetch` objects show, by route."""
    annotations: Collection[str] | None = ()
    """The names of what the queryset adds to a row of the model; None where nothing is known of it."""
    guards: tuple[Any, ...] = ()
    """What is true where the to-one relations of ``prefix`` lead to rows that the page shows."""

    def column(self, name: str) -> Any:
        """Return the expression of a column, or of an annotation where there is no such column.

        Raises:
            SchemaError: there is neither.
        """
        described = columns_of(self.model).get(name)
        if described is None and self.annotations is not None and name not in self.annotations:
            raise adapters_wording.column_not_found(name, self.model)
        found = models.F(self.prefix + (name if described is None else described.attname))
        return models.Case(models.When(self.guarded(), then=found)) if self.guards else found

    def guarded(self) -> Any:
        """Return what is true where the relations of ``prefix`` lead to rows that the page shows."""
        return reduce(and_, self.guards, models.Q())

    def rows(self, name: str) -> models.QuerySet[Any]:
        """Return the rows that a page can show of a relation."""
        relation = self.relation(name)
        own = self.sources.get(self.route + name)
        if own is not None:
            return own
        model = relation.related_model
        return (model._default_manager if to_many(relation) else model._base_manager).all()

    def form(self, name: str) -> Form:
        """Return the form in which a column holds its values."""
        described = columns_of(self.model).get(name)
        return "plain" if described is None else form_of(described)

    def value(self, instance: Any, leaf: Leaf) -> Any:
        column = leaf.column.name
        described = columns_of(self.model).get(column)
        value = getattr(instance, column if described is None else described.attname)
        converter = converter_of(leaf.field)
        if converter is not None:
            return converter.shown(value)
        return as_shown(self.form(column), leaf.field, value)

    def relation(self, name: str) -> Any:
        return relations_of(self.model).get(name)

    def is_relation(self, name: str) -> bool:
        return self.relation(name) is not None

    def relatives(self, instance: Any, name: str) -> Any:
        try:
            found = getattr(instance, name)
        except ObjectDoesNotExist:  # So the reverse of a one-to-one relation says that there is none.
            return None
        return list(found.all()) if to_many(self.relation(name)) else found

    def related(self, name: str) -> Scope:
        """Return the scope of a relation's rows."""
        relation = self.relation(name)
        field = self.owner.members[name]
        owner = field.items if isinstance(field, Array) else field
        assert isinstance(owner, Object)  # noqa: S101  # As what has members.
        route, guards = f"{self.route}{name}__", self.guards
        if to_many(relation):
            prefix, guards = "", ()
        else:
            prefix = f"{self.prefix}{relation.name}__"
            if self.route + name in self.sources or _hides(relation.related_model._base_manager):
                guards = (*guards, models.Q(models.Exists(self.rows(name).filter(pk=models.OuterRef(prefix + "pk")))))
        found = Scope(relation.related_model, owner, leaves(owner, binary=self.binary), self.binary)
        return found._replace(prefix=prefix, route=route, sources=self.sources, guards=guards)


def _hides(manager: Any) -> bool:
    """Whether a manager may have other rows than the model's table."""
    return type(manager).get_queryset is not models.Manager.get_queryset


def scope_of(declaration: Declaration, target: Any) -> Scope:
    """Return the scope of a model, a manager or a queryset; errors as in `where`."""
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    annotations: Collection[str] | None = None
    model = target
    if isinstance(target, (models.QuerySet, models.Manager)):
        model = target.model
        query = target.all().query
        annotations = {*query.annotations, *query.extra}
    if not (isinstance(model, type) and issubclass(model, models.Model)):
        raise adapters_wording.bad_target(target, "a model, a manager or a queryset")
    found = Scope(model, declaration.root, declaration.leaves, declaration.binary)
    return found._replace(sources=sources_of(target), annotations=annotations)


def condition_on(condition: Condition, values: Sequence[Any], scope: Scope) -> Embedded:
    places: dict[Path, Stored] = {}
    children: dict[PlaceKey, Any] = {}
    parameters: dict[int, tuple[Field, Any, Column | None]] = {}
    for test in tests(condition):
        inner, path = scope, test.ref.path
        while len(path) > 1 and inner.is_relation(path[0]):
            inner, path = inner.related(path[0]), path[1:]
        if inner.is_relation(path[0]):
            children[test] = related_test(test, values, inner, path[0])
            continue
        stored = inner.leaves[path].column
        name = inner.prefix + stored.name
        column = stored._replace(name=name, nullable=stored.nullable or bool(inner.prefix))
        if stored.folded is not None:
            column = column._replace(folded=inner.prefix + stored.folded)
            if test.ref.folded:
                children[inner.prefix + stored.folded] = inner.column(stored.folded)
        places[test.ref.path] = Stored(column, inner.form(stored.name))
        children[name] = inner.column(stored.name)
        for slot, field in slots(test):
            in_column = test.ref.field.scalar and test.ref.key is None
            parameters[slot] = (field, values[slot], column if in_column else None)
    related = frozenset(key for key in children if not isinstance(key, str))
    return Embedded(Where(condition, tuple(places.items()), related), children, parameters)


def related_test(test: Test, values: Sequence[Any], scope: Scope, name: str) -> Any:
    """Return a test on a to-many relation."""
    if isinstance(test, IsNull):  # Missing where its owner is.
        if not scope.prefix:
            return models.Value(test.negated, models.BooleanField())
        there = models.Q((scope.prefix + "isnull", False)) & scope.guarded()
        return models.ExpressionWrapper(there if test.negated else ~there, models.BooleanField())
    assert isinstance(test, Some)  # noqa: S101  # The only other test that an array takes.
    relation = scope.relation(name)
    if relation.one_to_many:
        link, to = relation.field.attname, relation.field.target_field.attname
    else:
        link, to = relation.field.name if is_reverse(relation) else relation.related_query_name(), "pk"
    rows = scope.rows(name).filter((link, models.OuterRef(scope.prefix + to)))
    found = models.Q(models.Exists(rows.filter(condition_on(test.condition, values, scope.related(name)))))
    found &= scope.guarded()
    return models.ExpressionWrapper(~found if test.negated else found, models.BooleanField())


def prefetches(scope: Scope, shown: Iterable[Path]) -> list[str]:
    """Return the relations that the paths ``shown`` go through, as ``prefetch_related`` names them."""
    found: list[str] = []
    for name, deeper in inside(scope, shown).items():
        found += [name, *(f"{name}__{relation}" for relation in prefetches(scope.related(name), deeper))]
    return found
