"""Where the paths of a filter lead in tables and mapped classes of SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import LoaderCriteriaOption, aliased
from sqlalchemy.orm.collections import collection_adapter
from sqlalchemy.sql import coercions, roles

from astra_filter.adapters._orm_sql import Path, Stored, Where, slots, tests
from astra_filter.adapters._sqlalchemy_schema import attributes_of, relationships
from astra_filter.adapters._sqlalchemy_sql import Embedded, bind, form_of, show
from astra_filter.fields import Array, Object, Open
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import QueryableAttribute

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
    criteria: tuple[LoaderCriteriaOption, ...] = ()
    """The ``with_loader_criteria()`` of the statement, which its related rows meet."""

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
        return Scope(target, owner, leaves(owner, binary=self.binary), self.binary, self.criteria)


def scope_of(declaration: Declaration, target: Any, statement: sa.Select[Any] | None = None) -> Scope:
    """Return the scope of a target, in a statement if there is one; errors as in `where`."""
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    if not isinstance(target, sa.FromClause):
        inspected = sa.inspect(target, raiseerr=False)
        if not (getattr(inspected, "is_mapper", False) or getattr(inspected, "is_aliased_class", False)):
            raise adapters_wording.bad_target(target, "a table, a mapped class, or an alias of either")
    criteria = () if statement is None else criteria_of(statement)
    return Scope(target, declaration.root, declaration.leaves, declaration.binary, criteria)


def criteria_of(statement: sa.Select[Any]) -> tuple[LoaderCriteriaOption, ...]:
    """Return the ``with_loader_criteria()`` of a statement."""
    options = statement._with_options  # noqa: SLF001  # It tells nobody else.
    return tuple([option for option in options if isinstance(option, LoaderCriteriaOption)])


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
        if test.ref.folded and column.folded is not None and column.folded not in children:
            children[column.folded] = scope.column(column.folded)
        for slot, field in slots(test):
            in_column = test.ref.field.scalar and test.ref.key is None
            binds[slot] = bind(field, values[slot], column if in_column else None, stored.type)
    related = frozenset(key for key in children if not isinstance(key, str))
    return Embedded(Where(condition, tuple(places.items()), related), children, binds)


def related_test(test: Test, values: tuple[Any, ...], scope: Scope) -> sa.ColumnElement[bool]:
    """Return a test that begins at a relationship, as EXISTS."""
    name, *rest = test.ref.path
    inner = scope.related(name)
    attribute: QueryableAttribute[Any] = getattr(scope.target, name)
    unseen: list[sa.ColumnElement[bool]] = []
    relation = relationships(scope.target)[name]
    # Only a row of the same table needs another name. Without one, criteria for the whole statement reach it.
    if relation.mapper.common_parent(relation.parent):
        inner = inner._replace(target=aliased(inner.target))
        attribute = attribute.of_type(inner.target)
        named = sa.inspect(inner.target)
        unseen = [
            named._adapt_element(option._resolve_where_criteria(named))  # noqa: SLF001  # Nobody else applies it.
            for option in scope.criteria
            if not option.include_aliases and relation.mapper in option._all_mappers()  # noqa: SLF001  # As above.
        ]
    negated = test.negated
    if rest:
        ref = replace(test.ref, path=tuple(rest))
        if isinstance(test, IsNull):  # Null, or nothing there to hold a value.
            negated = not negated
        test = replace(test, ref=ref, negated=isinstance(test, IsNull))
        found = attribute.has(sa.and_(condition_on(test, values, inner), *unseen))
    elif isinstance(test, Some):
        found = attribute.any(sa.and_(condition_on(test.condition, values, inner), *unseen))
    else:  # A to-many relationship is never null.
        found = sa.true()
        negated = not negated
    return ~found if negated else found
