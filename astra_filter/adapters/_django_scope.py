"""Where the paths of a filter lead in models of Django."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.functions import Cast

from astra_filter.adapters._django_schema import Model, columns_of, is_reverse, relations_of, to_many
from astra_filter.adapters._django_sql import Embedded
from astra_filter.adapters._orm_sql import Path, Where, inside, slots, tests
from astra_filter.fields import Array, Object, Open
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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

    def column(self, name: str) -> Any:
        """Return the expression of a column, or of an annotation where there is no such column."""
        described = columns_of(self.model).get(name)
        found = models.F(self.prefix + (name if described is None else described.attname))
        # Decimals compare as doubles (SPEC §3).
        return Cast(found, models.FloatField()) if isinstance(described, models.DecimalField) else found

    def value(self, instance: Any, column: str) -> Any:
        described = columns_of(self.model).get(column)
        return getattr(instance, column if described is None else described.attname)

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
        prefix = "" if to_many(relation) else f"{self.prefix}{relation.name}__"
        return Scope(relation.related_model, owner, leaves(owner, binary=self.binary), self.binary, prefix)


def scope_of(declaration: Declaration, model: Model) -> Scope:
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    if not (isinstance(model, type) and issubclass(model, models.Model)):
        raise adapters_wording.bad_target(model, "a model")
    return Scope(model, declaration.root, declaration.leaves, declaration.binary)


def condition_on(condition: Condition, values: Sequence[Any], scope: Scope) -> Embedded:
    places: dict[Path, Column] = {}
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
        column = places[test.ref.path] = stored._replace(name=name, nullable=stored.nullable or bool(inner.prefix))
        children[name] = inner.column(stored.name)
        for slot, field in slots(test):
            parameters[slot] = (field, values[slot], column if test.ref.field.scalar else None)
    related = frozenset(key for key in children if not isinstance(key, str))
    return Embedded(Where(condition, tuple(places.items()), related), children, parameters)


def related_test(test: Test, values: Sequence[Any], scope: Scope, name: str) -> Any:
    """Return a test on a to-many relation."""
    if isinstance(test, IsNull):  # Missing where its owner is.
        if not scope.prefix:
            return models.Value(test.negated, models.BooleanField())
        missing = models.Q((scope.prefix + "isnull", not test.negated))
        return models.ExpressionWrapper(missing, models.BooleanField())
    assert isinstance(test, Some)  # noqa: S101  # The only other test that an array takes.
    relation = scope.relation(name)
    if relation.one_to_many:
        link, to = relation.field.attname, relation.field.target_field.attname
    else:
        link, to = relation.field.name if is_reverse(relation) else relation.related_query_name(), "pk"
    rows = relation.related_model._base_manager.filter((link, models.OuterRef(scope.prefix + to)))
    found = models.Exists(rows.filter(condition_on(test.condition, values, scope.related(name))))
    return ~found if test.negated else found


def prefetches(scope: Scope, shown: Iterable[Path]) -> list[str]:
    """Return the relations that the paths ``shown`` go through, as ``prefetch_related`` names them."""
    found: list[str] = []
    for name, deeper in inside(scope, shown).items():
        found += [name, *(f"{name}__{relation}" for relation in prefetches(scope.related(name), deeper))]
    return found
