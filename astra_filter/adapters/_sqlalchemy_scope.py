"""Where the paths of a filter lead in tables and mapped classes of SQLAlchemy."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased, selectinload, undefer
from sqlalchemy.orm.collections import collection_adapter
from sqlalchemy.sql import coercions, roles

from astra_filter.adapters._orm_sql import Path, Stored, Where, inside, slots, tests
from astra_filter.adapters._sqlalchemy_schema import attributes_of, relationships
from astra_filter.adapters._sqlalchemy_sql import Embedded, bind, form_of, show
from astra_filter.fields import Array, Object, Open
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import InstrumentedAttribute, Mapper
    from sqlalchemy.orm.strategy_options import _AbstractLoad

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.meaning.conditions import Condition, Test
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf


class Scope(NamedTuple):
    """Where a condition's paths begin: a row of the target."""

    target: Any
    owner: Object
    leaves: Mapping[Path, Leaf]
    binary: bool

    def column(self, name: str) -> sa.ColumnElement[Any]:
        if isinstance(self.target, sa.FromClause):
            found = next((column for column in self.target.c if column.name == name), None)
            found = self.target.c.get(name) if found is None else found
            if found is None:
                raise adapters_wording.column_not_found(name, self.target)
            return cast("sa.ColumnElement[Any]", found)
        attribute = getattr(self.target, self.attribute(name), None)
        if attribute is None:
            raise adapters_wording.column_not_found(name, self.target)
        element: sa.ColumnElement[Any] = coercions.expect(roles.ExpressionElementRole, attribute)
        return element

    def attribute(self, column: str) -> str:
        return attributes_of(sa.inspect(self.target).mapper).get(column, column)

    def value(self, instance: Any, leaf: Leaf) -> Any:
        name = self.attribute(leaf.column.name)
        if not hasattr(type(instance), name):
            raise adapters_wording.column_not_found(name, type(instance))
        value = getattr(instance, name)
        return value if leaf.column.json_path else show(leaf.field, self.column(leaf.column.name).type, value)

    def is_relation(self, name: str) -> bool:
        return name in relationships(self.target)

    def relatives(self, instance: Any, name: str) -> Any:
        found = getattr(instance, name)
        # A collection may be a mapping, or of a class of its own.
        return list(collection_adapter(found)) if relationships(self.target)[name].uselist else found

    def related(self, name: str) -> Scope:
        """Return the scope of a relationship's rows."""
        field = self.owner.members[name]
        owner = field.items if isinstance(field, Array) else field
        assert isinstance(owner, Object)  # noqa: S101  # As what has members.
        target = relationships(self.target)[name].mapper.class_
        return Scope(target, owner, leaves(owner, binary=self.binary), self.binary)


def scope_of(declaration: Declaration, target: Any) -> Scope:
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    if not isinstance(target, sa.FromClause):
        inspected = sa.inspect(target, raiseerr=False)
        if not (getattr(inspected, "is_mapper", False) or getattr(inspected, "is_aliased_class", False)):
            raise adapters_wording.bad_target(target, "a table, a mapped class, or an alias of either")
    return Scope(target, declaration.root, declaration.leaves, declaration.binary)


def condition_on(condition: Condition, values: tuple[Any, ...], scope: Scope) -> sa.ColumnElement[bool]:
    places: dict[Path, Stored] = {}
    children: dict[PlaceKey, sa.ColumnElement[Any]] = {}
    binds: dict[int, sa.BindParameter[Any]] = {}
    for test in tests(condition):
        path = test.ref.path
        if scope.is_relation(path[0]):
            if test not in children:
                children[test] = related_test(test, values, scope)
            continue
        column = scope.leaves[path].column
        stored = children.get(column.name)
        if stored is None:
            stored = children[column.name] = scope.column(column.name)
        places[path] = Stored(column, form_of(stored))
        for slot, field in slots(test):
            binds[slot] = bind(field, values[slot], column if test.ref.field.scalar else None, stored.type)
    related = frozenset(key for key in children if not isinstance(key, str))
    return Embedded(Where(condition, tuple(places.items()), related), children, binds)


def related_test(test: Test, values: tuple[Any, ...], scope: Scope) -> sa.ColumnElement[bool]:
    """Return a test that begins at a relationship, as EXISTS."""
    name, *rest = test.ref.path
    inner = scope.related(name)
    inner = inner._replace(target=aliased(inner.target))
    attribute: InstrumentedAttribute[Any] = getattr(scope.target, name).of_type(inner.target)
    negated = test.negated
    if rest:
        ref = replace(test.ref, path=tuple(rest))
        if isinstance(test, IsNull):  # Null, or nothing there to hold a value.
            negated = not negated
        test = replace(test, ref=ref, negated=isinstance(test, IsNull))
        found = attribute.has(condition_on(test, values, inner))
    elif isinstance(test, Some):
        found = attribute.any(condition_on(test.condition, values, inner))
    else:  # A to-many relationship is never null.
        found = sa.true()
        negated = not negated
    return ~found if negated else found


def loads(scope: Scope, shown: Sequence[Path]) -> Iterator[_AbstractLoad]:
    """Return the options that load what the paths ``shown`` need: relationships, and columns that are deferred."""
    if isinstance(scope.target, sa.FromClause):
        return
    deferred = _deferred(sa.inspect(scope.target).mapper)
    for path in shown if deferred else ():
        if not scope.is_relation(path[0]):
            name = scope.attribute(scope.leaves[path].column.name)
            if name in deferred:
                yield undefer(getattr(scope.target, name))
    for name, deeper in inside(scope, shown).items():
        yield selectinload(getattr(scope.target, name)).options(*loads(scope.related(name), deeper))


@lru_cache(maxsize=256)
def _deferred(mapper: Mapper[Any]) -> frozenset[str]:
    """Return the attributes of a mapped class whose columns are not loaded before they are asked for."""
    return frozenset(attribute.key for attribute in mapper.column_attrs if attribute.deferred)
