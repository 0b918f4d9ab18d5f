"""SQLAlchemy 2, Core and ORM: schemas from tables and mapped classes, conditions and pages in their statements.

The SQL is that of `astra_filter.sql` for the dialect that a statement is compiled for; columns, parameters and
subqueries over related rows are SQLAlchemy's own, so aliases, caching, type decorators and drivers work as elsewhere.
On SQLite, names in JSON that are not ASCII are found where they are stored without escapes: give the engine a
``json_serializer`` with ``ensure_ascii=False``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, assert_never, cast
from uuid import UUID

from astra_filter import fields
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.adapters._orm_sql import Path, Place, Seek, Sort, Where, inside, read, slots, tests
from astra_filter.fields import Array, Object, Open
from astra_filter.filter import Filter
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.query import ListQuery
from astra_filter.schema import Schema
from astra_filter.sql.dialects import DIALECTS
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import derive as derive_wording
from astra_filter.wording import installation as installation_wording
from astra_filter.wording import sql as sql_wording

try:
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.orm import RelationshipDirection, aliased, selectinload, undefer
    from sqlalchemy.orm.collections import collection_adapter
    from sqlalchemy.sql import coercions, roles
    from sqlalchemy.sql.compiler import StrSQLCompiler
    from sqlalchemy.sql.visitors import InternalTraversal
except ImportError as error:
    raise installation_wording.missing_extra("sqlalchemy", error) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Self, Unpack

    from sqlalchemy.orm import InstrumentedAttribute, Mapper, RelationshipProperty
    from sqlalchemy.orm.strategy_options import _AbstractLoad
    from sqlalchemy.sql.compiler import SQLCompiler

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import AnyField, Field
    from astra_filter.meaning.conditions import Condition, Test
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Column, Leaf
    from astra_filter.query import Page
    from astra_filter.schema import SchemaOptions

S = TypeVar("S", bound="sa.Select[Any]")

_DIALECTS = {word: record.name for record in DIALECTS.values() for word in record.sqlalchemy_names}
"""Our dialect by SQLAlchemy's."""
_PARAMETERS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "text": sa.String(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
}
"""The types of parameters, as `JSON_STORAGE` names them."""

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
        fields: fields to take instead of those of the columns, by dotted path; a column of JSON needs one.
        exclude: the dotted paths of columns that do not exist for callers: ``password_hash``, ``author.email``.
        relations: the dotted paths of the relationships that callers may look through, each after the one it is reached
            by: to-one relationships become objects, to-many ones arrays of objects. Their fields cannot be sorted by.
        omit_unsupported: leave out columns of types that no field represents, instead of refusing them.
        options: ``key``, ``limits``, ``binary`` and ``bounded_tokens``, as `Schema` takes them.

    Raises:
        SchemaError: a column has a type that no field represents; a path in the arguments leads nowhere.
    """
    members = _Describer(fields, exclude, relations, omit_unsupported=omit_unsupported).describe(target)
    keys = _primary_key(target)
    if len(keys) == 1 and keys[0] in members and members[keys[0]].sortable:
        options.setdefault("key", keys[0])
    return Schema(members, **options)


class _Describer(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return _columns(model)

    def attributes(self, model: Any) -> Mapping[str, str]:
        return _attributes(model if isinstance(model, sa.FromClause) else sa.inspect(model).mapper)

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return _field(described, path, **options)

    def relations(self, model: Any) -> Mapping[str, Relation]:
        return {
            name: Relation(
                relation.mapper,
                bool(relation.uselist),
                relation.direction is not RelationshipDirection.MANYTOONE
                or any(column.nullable for column in relation.local_columns),
                loadable=relation.lazy not in ("dynamic", "write_only"),
            )
            for name, relation in _relationships(model).items()
        }


def _relationships(target: Any) -> Mapping[str, RelationshipProperty[Any]]:
    return {} if isinstance(target, sa.FromClause) else dict(sa.inspect(target).mapper.relationships)


def _primary_key(target: Any) -> list[str]:
    if isinstance(target, sa.FromClause):
        return [column.key for column in target.primary_key]
    mapper = sa.inspect(target).mapper
    return [mapper.get_property_by_column(column).key for column in mapper.primary_key]


def _columns(target: Any) -> list[tuple[str, Any]]:
    """Return the columns of a table or a mapped class by the names of their attributes."""
    if isinstance(target, sa.FromClause):
        return [(column.key, column) for column in target.c]
    return [(attribute.key, attribute.columns[0]) for attribute in sa.inspect(target).mapper.column_attrs]


def _field(described: sa.ColumnElement[Any], path: str, **options: Any) -> Field:
    options["nullable"] = getattr(described, "nullable", True) is not False
    kind = _plain_type(described.type)
    if isinstance(kind, sa.ARRAY):
        del options["sortable"]
        return native_array(_scalar(_plain_type(kind.item_type), path), path, **options)
    return _scalar(kind, path, description=getattr(described, "comment", None) or "", **options)


def _scalar(kind: sa.types.TypeEngine[Any], path: str, **options: Any) -> Field:
    match kind:
        case sa.Enum(enum_class=None):
            # A native enum has no collation, and others hold the declared values only.
            return fields.Enum(*kind.enums, binary=True, **options)
        case sa.Enum(enum_class=type() as declared) if all(isinstance(member.value, str) for member in declared):
            values = [member.value for member in declared]
            # What is stored may be the members' names, which do not sort as the values do.
            options["sortable"] = options.get("sortable", False) and values == kind.enums
            return fields.Enum(*values, binary=True, **options)
        case sa.String():
            binary = True if kind.collation in BINARY_COLLATIONS else None
            return fields.String(max_length=kind.length, binary=binary, **options)
        case sa.Uuid():
            return fields.Uuid(**options)
        case sa.Boolean():
            return fields.Boolean(**options)
        case sa.Integer():
            return fields.Integer(**options)
        case sa.Numeric() | sa.Float():
            return fields.Number(**options)
        case sa.DateTime():
            return fields.Timestamp(**options)
        case sa.Date():
            return fields.Date(**options)
        case _:
            raise derive_wording.underivable("unknown_column_type", path, type(kind).__name__)


def _plain_type(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    # An interval is a decorated timestamp, where a database has none of its own.
    while isinstance(kind, sa.types.TypeDecorator) and not isinstance(kind, sa.Interval):
        kind = kind.impl_instance
    return kind


# Statements ----------------------------------------------------------------------------------------------------------


def where(chosen: Filter, target: Any) -> sa.ColumnElement[bool]:
    """Return the condition that is true for exactly the rows that a filter selects (SPEC §4).

    Tests through a relationship become EXISTS. The condition is for WHERE; ``~`` of it is its exact opposite, but where
    it is part of a larger expression that is negated, NULL may stand for false.

    Args:
        chosen: the filter; a field is found by its column's name, or else by the attribute of that name.
        target: what the statement selects from: a table, a mapped class, or an alias of either.

    Raises:
        SchemaError: an argument is something else; the target lacks a column; an open schema.
    """
    if not isinstance(chosen, Filter):
        raise adapters_wording.not_a_filter(chosen)
    return _condition(chosen.template.condition, chosen.values, _scope(chosen.declaration, target))


def apply(chosen: Filter | ListQuery, statement: S, target: Any = None) -> S:
    """Return a SELECT narrowed to what a filter selects, or to a page of a list request.

    For a page that is the filter, the order, the position, the limit and one row more.

    What the statement says already (the tenant, joins, options) stands, but for an ORDER BY, which is replaced. The
    relationships of a mapped class that the page shows are loaded along.

    Args:
        chosen: the filter or the list request.
        statement: a ``select()`` of a table or a mapped class.
        target: what the fields are found in; default what the statement selects first.

    Raises:
        SchemaError: as `where`; the statement is not a ``select()``.
    """
    target = _target(statement) if target is None else target
    if isinstance(chosen, Filter):
        return statement.where(where(chosen, target))
    if not isinstance(chosen, ListQuery):
        raise adapters_wording.not_a_query(chosen)
    query = chosen
    scope = _scope(query.declaration, target)
    statement = _filtered(query, statement, target)
    columns: dict[PlaceKey, sa.ColumnElement[Any]] = {}
    keys: list[Sort] = []
    for leaf, descending in query.order.keys:
        stored, column = leaf.column, scope.column(leaf.column.name)
        if isinstance(_plain_type(column.type), sa.Enum):  # Databases sort enums by their declaration.
            stored, column = stored._replace(binary=False), sa.cast(column, sa.String())
        columns[stored.name] = column
        keys.append(Sort(stored, leaf.field, descending))
    if query.position is not None:
        seek = Seek(tuple(keys), tuple([value is None for value in query.position]))
        binds = {
            slot: _bind(key.field, value, key.column, columns[key.column.name].type)
            for slot, (key, value) in enumerate(zip(keys, query.position, strict=True))
            if value is not None
        }
        statement = statement.where(_Embedded(seek, columns, binds))
    if keys:
        statement = statement.order_by(None).order_by(*[_Embedded(key, columns, {}) for key in keys])
    if query.skip:
        statement = statement.offset(query.skip)
    if query.limit is not None:
        statement = statement.limit(query.limit + 1)
    return statement.options(*_loads(scope, [leaf.path for leaf in query.leaves]))


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
    resources = [read(instance, _scope(query.declaration, type(instance)), shown) for instance in instances]
    return query.page_from_resources(resources, total=total)


def count(query: ListQuery, statement: sa.Select[Any], target: Any = None) -> sa.Select[Any]:
    """Return the SELECT of the number of all matches, whatever the page; arguments as in `apply`."""
    matches = _filtered(query, statement, _target(statement) if target is None else target)
    matches = matches.order_by(None).with_only_columns(sa.literal(1), maintain_column_froms=True)
    return sa.select(sa.func.count()).select_from(matches.subquery())


def _filtered(query: ListQuery, statement: S, target: Any) -> S:
    return statement if query.filter is None else statement.where(where(query.filter, target))


def _target(statement: sa.Select[Any]) -> Any:
    if not isinstance(statement, sa.Select):
        raise adapters_wording.bad_target(statement, "a select() of a table or a mapped class")
    first = statement.column_descriptions[0]
    target = first.get("entity")
    if target is None:
        target = getattr(first["expr"], "table", None)
    return statement.get_final_froms()[0] if target is None else target


class _Scope(NamedTuple):
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
        return _attributes(sa.inspect(self.target).mapper).get(column, column)

    def value(self, instance: Any, column: str) -> Any:
        return getattr(instance, self.attribute(column))

    def is_relation(self, name: str) -> bool:
        return name in _relationships(self.target)

    def relatives(self, instance: Any, name: str) -> Any:
        found = getattr(instance, name)
        # A collection may be a mapping, or of a class of its own.
        return list(collection_adapter(found)) if _relationships(self.target)[name].uselist else found

    def related(self, name: str) -> _Scope:
        """Return the scope of a relationship's rows."""
        field = self.owner.members[name]
        owner = field.items if isinstance(field, Array) else field
        assert isinstance(owner, Object)  # noqa: S101  # As what has members.
        target = _relationships(self.target)[name].mapper.class_
        return _Scope(target, owner, leaves(owner, binary=self.binary), self.binary)


def _scope(declaration: Declaration, target: Any) -> _Scope:
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    if not isinstance(target, sa.FromClause):
        inspected = sa.inspect(target, raiseerr=False)
        if not (getattr(inspected, "is_mapper", False) or getattr(inspected, "is_aliased_class", False)):
            raise adapters_wording.bad_target(target, "a table, a mapped class, or an alias of either")
    return _Scope(target, declaration.root, declaration.leaves, declaration.binary)


@lru_cache(maxsize=256)
def _attributes(model: sa.FromClause | Mapper[Any]) -> Mapping[str, str]:
    """Return the attributes of a table or a mapped class `by_column`."""
    # An expression that is mapped has no name but its attribute's.
    named = [(key, column.name if isinstance(column, sa.ColumnClause) else key) for key, column in _columns(model)]
    return by_column(named)


def _condition(condition: Condition, values: tuple[Any, ...], scope: _Scope) -> sa.ColumnElement[bool]:
    places: dict[Path, Column] = {}
    children: dict[PlaceKey, sa.ColumnElement[Any]] = {}
    binds: dict[int, sa.BindParameter[Any]] = {}
    for test in tests(condition):
        path = test.ref.path
        if scope.is_relation(path[0]):
            if test not in children:
                children[test] = _related(test, values, scope)
            continue
        column = places[path] = scope.leaves[path].column
        stored = children.get(column.name)
        if stored is None:
            stored = children[column.name] = scope.column(column.name)
        for slot, field in slots(test):
            binds[slot] = _bind(field, values[slot], column if test.ref.field.scalar else None, stored.type)
    related = frozenset(key for key in children if not isinstance(key, str))
    return _Embedded(Where(condition, tuple(places.items()), related), children, binds)


def _related(test: Test, values: tuple[Any, ...], scope: _Scope) -> sa.ColumnElement[bool]:
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
        found = attribute.has(_condition(test, values, inner))
    elif isinstance(test, Some):
        found = attribute.any(_condition(test.condition, values, inner))
    else:  # A to-many relationship is never null.
        found = sa.true()
        negated = not negated
    return ~found if negated else found


def _loads(scope: _Scope, shown: Sequence[Path]) -> Iterator[_AbstractLoad]:
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
        yield selectinload(getattr(scope.target, name)).options(*_loads(scope.related(name), deeper))


@lru_cache(maxsize=256)
def _deferred(mapper: Mapper[Any]) -> frozenset[str]:
    """Return the attributes of a mapped class whose columns are not loaded before they are asked for."""
    return frozenset(attribute.key for attribute in mapper.column_attrs if attribute.deferred)


# Elements ------------------------------------------------------------------------------------------------------------


class _Embedded(sa.ColumnElement[Any]):
    """SQL of a shape, with SQLAlchemy's columns and subqueries in its places and its parameters in its slots."""

    __visit_name__ = "astra_filter"
    stringify_dialect = "sqlite"
    _traverse_internals = [  # noqa: RUF012  # So SQLAlchemy wants it.
        ("_shape", InternalTraversal.dp_plain_obj),
        ("_children", InternalTraversal.dp_clauseelement_list),
        ("_binds", InternalTraversal.dp_clauseelement_list),
    ]

    def __init__(
        self,
        shape: Where | Sort | Seek,
        children: Mapping[PlaceKey, sa.ColumnElement[Any]],
        binds: Mapping[int, sa.BindParameter[Any]],
    ) -> None:
        self.type = sa.types.NULLTYPE if isinstance(shape, Sort) else sa.Boolean()
        self._shape = shape
        # The keys follow from the shape, so they are no part of what the statement cache goes by.
        self._places = tuple(children)
        self._children = list(children.values())
        self._slots = tuple(binds)
        self._binds = list(binds.values())

    @property
    def _from_objects(self) -> list[sa.FromClause]:
        return [source for child in self._children for source in child._from_objects]  # noqa: SLF001  # As expressions do.

    def self_group(self, against: Any = None) -> Self:  # noqa: ARG002  # It brings its own parentheses.
        return self

    def _negate(self) -> sa.ColumnElement[Any]:
        return self.is_not(sa.true())


@compiles(_Embedded, *_DIALECTS)
def _render(element: _Embedded, compiler: SQLCompiler, **options: Any) -> str:
    options.pop("add_to_result_map", None)
    children = dict(zip(element._places, element._children, strict=True))  # noqa: SLF001
    binds = dict(zip(element._slots, element._binds, strict=True))  # noqa: SLF001
    text: list[str] = []
    for part in element._shape.fragment(_DIALECTS[compiler.dialect.name]).parts:  # noqa: SLF001
        if isinstance(part, str):
            text.append(compiler.escape_literal_column(part))  # type: ignore[no-untyped-call]
        elif isinstance(part, Place):
            child = children[part.value]
            place = compiler.process(child, **options)
            text.append(f"CAST({place} AS CHAR)" if _sorts_otherwise(element, child, compiler.dialect) else place)
        elif isinstance(part, Param):
            bind = sa.bindparam(None, part.value, sa.String(), unique=True) if part.slot is None else binds[part.slot]
            text.append(compiler.process(bind, **options))
    return "".join(text)


@compiles(_Embedded)
def _refuse(element: _Embedded, compiler: SQLCompiler, **options: Any) -> str:
    """Raise the library's own error for a dialect that it does not know."""
    if isinstance(compiler, StrSQLCompiler):  # Text for people: it takes `stringify_dialect`.
        return compiler.visit_unsupported_compilation(element, None, **options)  # type: ignore[no-any-return,no-untyped-call]
    raise sql_wording.unknown_dialect(compiler.dialect.name, tuple(_DIALECTS))


def _sorts_otherwise(element: _Embedded, child: sa.ColumnElement[Any], dialect: sa.Dialect) -> bool:
    """Whether a database does not sort a type as SPEC §6 says: MariaDB its UUIDs."""
    if dialect.name != "mariadb" or isinstance(element._shape, Where):  # noqa: SLF001
        return False
    kind = child.type
    return isinstance(kind, sa.Uuid) and kind.native_uuid and dialect.supports_native_uuid


def _bind(
    field: AnyField, value: Any, column: Column | None, stored: sa.types.TypeEngine[Any]
) -> sa.BindParameter[Any]:
    """Return the parameter for a canonical value, to be tested against a column of a type, or None for one in JSON."""
    storage = JSON_STORAGE[field.type]
    parameter = _PARAMETERS[storage.type]
    if column is None or column.json_path:
        value = value if storage.bind is None else storage.bind(value)
        return sa.bindparam(None, value, parameter, unique=True)
    plain = _plain_type(stored)
    match field:
        case fields.Enum() if isinstance(plain, sa.Enum):
            value = value if plain.enum_class is None else plain.enum_class(value)
        case fields.String() | fields.Enum() | fields.Integer() | fields.Number():
            # The width or precision of the column's own type must not cut the literal.
            stored = parameter if plain is stored else stored
        case fields.Uuid():
            value = UUID(value) if isinstance(plain, sa.Uuid) and plain.as_uuid else value
        case fields.Timestamp() | fields.Date():
            if isinstance(plain, sa.String):
                value, stored = field.json(value), parameter
            elif isinstance(field, fields.Timestamp) and isinstance(plain, sa.DateTime):
                value = value if plain.timezone else value.replace(tzinfo=None)
        case fields.Boolean() | Array() | Object() | Open():
            pass
        case _:
            assert_never(field)
    return sa.bindparam(None, value, stored, unique=True)
