"""SQLAlchemy 2, Core and ORM: schemas from tables and mapped classes, conditions and pages in their statements.

The SQL is that of `astra_filter.sql` for the dialect that a statement is compiled for; columns, parameters and
subqueries over related rows are SQLAlchemy's own, so aliases, caching, type decorators and drivers work as elsewhere.
On SQLite, names in JSON that are not ASCII are found where they are stored without escapes: give the engine a
``json_serializer`` with ``ensure_ascii=False``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from astra_filter.adapters._orm_forms import converted
from astra_filter.adapters._orm_sql import Seek, Sort, Stored, read
from astra_filter.filter import Filter
from astra_filter.query import ListQuery
from astra_filter.schema import Schema
from astra_filter.wording import adapters as wording
from astra_filter.wording import installation as installation_wording

try:
    import sqlalchemy as sa
except ImportError as error:
    raise installation_wording.missing_extra("sqlalchemy", error) from error

from astra_filter.adapters import _sqlalchemy_fold  # noqa: F401  # New connections to SQLite ignore case from here on.
from astra_filter.adapters._sqlalchemy_loads import options
from astra_filter.adapters._sqlalchemy_schema import ModelDescriber, primary_key
from astra_filter.adapters._sqlalchemy_scope import condition_on, criteria_of, scope_of
from astra_filter.adapters._sqlalchemy_sql import Embedded, bind, form_of, is_enum
from astra_filter.adapters._sqlalchemy_statements import narrowable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from sqlalchemy.orm.context import FromStatement

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.query import Page
    from astra_filter.schema import SchemaOptions

__all__ = ["apply", "converted", "count", "page", "schema", "where"]

Statement: TypeAlias = "sa.Select[Any] | sa.CompoundSelect[Any] | FromStatement[Any]"

# Schemas -------------------------------------------------------------------------------------------------------------


def schema(
    target: Any,
    *,
    fields: Mapping[str, Field] | None = None,
    exclude: Iterable[str] = (),
    relations: Iterable[str] = (),
    omit_unsupported: bool = False,
    **options: Unpack[SchemaOptions],
) -> Schema:
    """Return the schema of a table's or a mapped class's rows.

    Columns become fields of their own names, or of their attributes' names, nullable where the column is. Names that
    begin with an underscore are left out. The key is the primary key, where that is one column.

    Args:
        target: a `sqlalchemy.Table`, or a class mapped by the ORM.
        fields: fields to take instead of those of the columns, by dotted path; a column of JSON needs one, and
            `converted` makes one for a column whose Python values are of a class of their own.
        exclude: the dotted paths of columns that do not exist for callers: ``password_hash``, ``author.email``.
        relations: the dotted paths of the relationships that callers may look through, each after the one it is reached
            by: to-one relationships become objects, to-many ones arrays of objects. Their fields cannot be sorted by.
        omit_unsupported: leave out columns of types that no field represents, instead of refusing them.
        options: ``key``, ``limits``, ``binary`` and ``bounded_tokens``, as `Schema` takes them.

    Raises:
        SchemaError: columns have types that no field represents, or that change values in a way that is not known;
            the message has a line for each. Or a path in the arguments leads nowhere.
    """
    members = ModelDescriber(fields, exclude, relations, omit_unsupported=omit_unsupported).describe(target)
    keys = primary_key(target)
    if len(keys) == 1 and keys[0] in members and members[keys[0]].sortable:
        options.setdefault("key", keys[0])
    return Schema(members, **options)


# Statements ----------------------------------------------------------------------------------------------------------


def where(chosen: Filter, target: Any) -> sa.ColumnElement[bool]:
    """Return the condition that is true for exactly the rows that a filter selects (SPEC §4).

    Tests through a relationship become EXISTS, under the relationship's own ``primaryjoin`` and the statement's
    ``with_loader_criteria()``: they see the rows that a page shows. (Where both ends are of one table, criteria need
    ``include_aliases=True``, or `apply`.) The condition is for WHERE; ``~`` of it is its exact opposite, but where it
    is part of a larger expression that is negated, NULL may stand for false.

    Args:
        chosen: the filter; a field is found by its column's name, or else by the attribute of that name.
        target: what the statement selects from: a table, a mapped class, or an alias of either.

    Raises:
        SchemaError: an argument is something else; the target lacks a column; an open schema.
    """
    if not isinstance(chosen, Filter):
        raise wording.not_a_filter(chosen)
    return condition_on(chosen.template.condition, chosen.values, scope_of(chosen.declaration, target))


def apply(chosen: Filter | ListQuery, statement: Statement, target: Any = None) -> sa.Select[Any]:
    """Return a SELECT narrowed to what a filter selects, or to a page of a list request.

    For a page that is the filter, the order, the position, the limit and one row more.

    What the statement says already (the tenant, joins, options) stands, but for an ORDER BY, which is replaced. What is
    distinct, grouped, limited or a union becomes a subquery, whose rows are the collection. The relationships of a
    mapped class that the page shows are loaded along, unless the statement's own options load them.

    Args:
        chosen: the filter or the list request.
        statement: a ``select()`` of a table or a mapped class, a union, or a ``from_statement()``.
        target: what the fields are found in; default what the statement selects first. Not used for a subquery.

    Raises:
        SchemaError: as `where`; the statement is something else, or cannot be combined with a page.
    """
    if not isinstance(chosen, (Filter, ListQuery)):
        raise wording.not_a_query(chosen)
    statement, target = narrowable(statement, target)
    if isinstance(chosen, Filter):
        return _narrowed(statement, chosen, target)
    query = chosen
    scope = scope_of(query.declaration, target, statement)
    statement = _filtered(query, statement, target)
    columns: dict[PlaceKey, sa.ColumnElement[Any]] = {}
    keys: list[Sort] = []
    for leaf, descending in query.order.keys:
        stored, column = leaf.column, scope.column(leaf.column.name)
        form = form_of(column)
        if is_enum(column):  # Databases sort enums by their declaration.
            stored, column = stored._replace(binary=False), sa.cast(column, sa.String())
        columns[stored.name] = column
        keys.append(Sort(Stored(stored, form), leaf.field, descending))
    if query.position is not None:
        seek = Seek(tuple(keys), tuple([value is None for value in query.position]))
        binds = {
            slot: bind(key.field, value, key.stored.column, columns[key.place].type)
            for slot, (key, value) in enumerate(zip(keys, query.position, strict=True))
            if value is not None
        }
        statement = statement.where(Embedded(seek, columns, binds))
    if keys:
        statement = statement.order_by(None).order_by(*[Embedded(key, columns, {}) for key in keys])
    if query.skip:
        statement = statement.offset(query.skip)
    if query.limit is not None:
        statement = statement.limit(query.limit + 1)
    own, statement = statement._with_options, statement.options()  # noqa: SLF001  # A statement tells nobody else.
    shown = [leaf.path for leaf in query.leaves]
    statement._with_options = ()  # noqa: SLF001  # A copy's: `options` has all that were there.
    return statement.options(*options(own, scope, shown, limited=query.limit is not None))


def page(query: ListQuery, instances: Iterable[object], *, total: int | None = None) -> Page:
    """Answer a list request from the instances of a mapped class that the SELECT of `apply` gave.

    For the rows of a table there is ``query.page_from_rows(result.mappings())``.

    Args:
        query: the list request.
        instances: all of them, in order.
        total: what the SELECT of `count` gave, where ``count`` is asked for.

    Raises:
        StorageError: the next token would be too long.
    """
    shown = [leaf.path for leaf in query.leaves]
    resources = [read(instance, scope_of(query.declaration, type(instance)), shown) for instance in instances]
    return query.page_from_resources(resources, total=total)


def count(query: ListQuery, statement: Statement, target: Any = None) -> sa.Select[Any]:
    """Return the SELECT of the number of all matches, whatever the page; arguments as in `apply`."""
    narrowed, target = narrowable(statement, target)
    criteria = criteria_of(narrowed)  # Which do not reach into a subquery by themselves.
    matches = _filtered(query, narrowed, target)
    matches = matches.order_by(None).with_only_columns(sa.literal(1), maintain_column_froms=True)
    return sa.select(sa.func.count()).select_from(matches.subquery()).options(*criteria)


def _filtered(query: ListQuery, statement: sa.Select[Any], target: Any) -> sa.Select[Any]:
    return statement if query.filter is None else _narrowed(statement, query.filter, target)


def _narrowed(statement: sa.Select[Any], chosen: Filter, target: Any) -> sa.Select[Any]:
    scope = scope_of(chosen.declaration, target, statement)
    return statement.where(condition_on(chosen.template.condition, chosen.values, scope))
