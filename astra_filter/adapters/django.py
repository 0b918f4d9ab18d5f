"""Django 5.2 and newer: schemas from models, conditions and pages in their querysets.

The SQL is that of `astra_filter.sql` for the database that a queryset goes to; columns, joins and subqueries over
related rows are Django's own. Proven on SQLite and PostgreSQL. On SQLite, names in JSON that are not ASCII are found
where they are stored without escapes: give a `JSONField` an ``encoder`` that sets ``ensure_ascii`` to False.
"""

from __future__ import annotations

from datetime import MINYEAR, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from astra_filter import fields
from astra_filter.adapters._orm_schema import BINARY_COLLATIONS, Describer, Relation, by_column, native_array
from astra_filter.adapters._orm_sql import KEY, Ordered, Path, Place, Seek, Sort, Where, inside, read, slots, tests
from astra_filter.fields import Array, Object, Open
from astra_filter.filter import Filter
from astra_filter.meaning.conditions import IsNull, Some
from astra_filter.meaning.leaves import leaves
from astra_filter.query import ListQuery
from astra_filter.schema import Schema
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import derive as derive_wording
from astra_filter.wording import installation as installation_wording
from astra_filter.wording import sql as sql_wording

try:
    from django.conf import settings
    from django.core.exceptions import ObjectDoesNotExist
    from django.db import models
    from django.db.models.functions import Cast
except ImportError as error:
    raise installation_wording.missing_extra("django", error) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Unpack

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.meaning.conditions import Condition, Test
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Column, Leaf
    from astra_filter.query import Page
    from astra_filter.schema import SchemaOptions


# Schemas -------------------------------------------------------------------------------------------------------------

Model: TypeAlias = Any
"""A model class; Django has no types of its own."""


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
    members = _Describer(fields, exclude, relations, omit_unsupported=omit_unsupported).describe(model)
    key = getattr(model._meta.pk, "attname", None)
    if key in members and members[key].sortable:
        options.setdefault("key", key)
    return Schema(members, **options)


class _Describer(Describer):
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        return [(described.attname, described) for described in model._meta.concrete_fields]

    def attributes(self, model: Any) -> Mapping[str, str]:
        return {column: described.attname for column, described in _columns(model).items()}

    def field(self, described: Any, path: str, **options: Any) -> Field:
        return _field(described, path, **options)

    def relations(self, model: Any) -> Mapping[str, Relation]:
        return {
            name: Relation(relation.related_model, _to_many(relation), _is_reverse(relation) or relation.null)
            for name, relation in _relations(model).items()
        }


@lru_cache(maxsize=256)
def _relations(model: Any) -> Mapping[str, Any]:
    """Return the relations of a model by the name of their attribute."""
    return {
        relation.get_accessor_name() if _is_reverse(relation) else relation.name: relation
        for relation in model._meta.get_fields()
        if isinstance(relation, (models.ForeignKey, models.ManyToManyField, models.ForeignObjectRel))
    }


def _is_reverse(relation: Any) -> bool:
    return isinstance(relation, models.ForeignObjectRel)


def _to_many(relation: Any) -> bool:
    return bool(relation.many_to_many or relation.one_to_many)


def _field(described: Any, path: str, **options: Any) -> Field:
    options["nullable"] = described.null
    options["description"] = str(described.help_text)
    plain = _plain_field(described)
    if plain.get_internal_type() == "ArrayField":
        del options["sortable"]
        return native_array(_scalar(_plain_field(plain.base_field), path), path, **options)
    return _scalar(plain, path, **options)


def _scalar(described: Any, path: str, **options: Any) -> Field:
    match described:
        case models.CharField() | models.TextField():
            binary = True if described.db_collation in BINARY_COLLATIONS else None
            values = [value for value, _ in described.flatchoices]
            if values and all(isinstance(value, str) for value in values):
                return fields.Enum(*values, binary=binary, **options)
            return fields.String(max_length=described.max_length, binary=binary, **options)
        case models.UUIDField():
            return fields.Uuid(**options)
        case models.BooleanField():
            return fields.Boolean(**options)
        case models.IntegerField():
            return fields.Integer(**options)
        case models.FloatField() | models.DecimalField():
            return fields.Number(**options)
        case models.DateTimeField():
            return fields.Timestamp(**options)
        case models.DateField():
            return fields.Date(**options)
        case _:
            raise derive_wording.underivable("unknown_column_type", path, type(described).__name__)


def _plain_field(described: Any) -> Any:
    """Return what a foreign key refers to, or a generated field holds."""
    while True:
        if isinstance(described, models.ForeignKey):
            described = described.target_field
        elif isinstance(described, models.GeneratedField):
            described = described.output_field
        else:
            return described


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
        raise adapters_wording.not_a_filter(chosen)
    model = target.model if isinstance(target, (models.QuerySet, models.Manager)) else target
    return models.Q(_condition(chosen.template.condition, chosen.values, _scope(chosen.declaration, model)))


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
        raise adapters_wording.not_a_query(chosen)
    scope = _scope(chosen.declaration, queryset.model)
    queryset = _filtered(chosen, queryset)
    keys = [Sort(leaf.column, leaf.field, descending) for leaf, descending in chosen.order.keys]
    columns: dict[PlaceKey, Any] = {key.column.name: scope.column(key.column.name) for key in keys}
    if chosen.position is not None:
        seek = Seek(tuple(keys), tuple([value is None for value in chosen.position]))
        values = {
            slot: (key.field, value, key.column)
            for slot, (key, value) in enumerate(zip(keys, chosen.position, strict=True))
        }
        queryset = queryset.filter(_Embedded(seek, columns, values))
    if keys:
        queryset = queryset.order_by(*[_order(key, columns) for key in keys])
    relations = _prefetches(scope, [leaf.path for leaf in chosen.leaves])
    if relations:
        queryset = queryset.prefetch_related(*relations)
    if chosen.limit is not None:
        return queryset[chosen.skip : chosen.skip + chosen.limit + 1]
    return queryset[chosen.skip :] if chosen.skip else queryset


def page(query: ListQuery, queryset: models.QuerySet[Any]) -> Page:
    """Answer a list request from a queryset of model instances, not sliced."""
    queryset = _unsliced(queryset)
    scope = _scope(query.declaration, queryset.model)
    shown = [leaf.path for leaf in query.leaves]
    resources = [read(instance, scope, shown) for instance in apply(query, queryset)]
    return query.page_from_resources(resources, total=_filtered(query, queryset).count() if query.count else None)


def _unsliced(queryset: Any) -> models.QuerySet[Any]:
    found = queryset.all() if isinstance(queryset, models.Manager) else queryset
    if not isinstance(found, models.QuerySet) or found.query.is_sliced:
        raise adapters_wording.bad_target(queryset, "a queryset or manager that is not sliced")
    return found


def _filtered(query: ListQuery, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    return queryset if query.filter is None else queryset.filter(where(query.filter, queryset.model))


def _order(key: Sort, columns: Mapping[PlaceKey, Any]) -> models.OrderBy:
    value = _Embedded(Ordered(key.column, key.field), {key.column.name: columns[key.column.name]}, {})
    nulls = {"nulls_last" if key.descending else "nulls_first": True} if key.column.nullable else {}
    return models.OrderBy(value, descending=key.descending, **nulls)


class _Scope(NamedTuple):
    """Where a condition's paths begin: a row of the model, or one that ``prefix``, of to-one relations, leads to."""

    model: Model
    owner: Object
    leaves: Mapping[Path, Leaf]
    binary: bool
    prefix: str = ""

    def column(self, name: str) -> Any:
        """Return the expression of a column, or of an annotation where there is no such column."""
        described = _columns(self.model).get(name)
        found = models.F(self.prefix + (name if described is None else described.attname))
        # Decimals compare as doubles (SPEC §3).
        return Cast(found, models.FloatField()) if isinstance(described, models.DecimalField) else found

    def value(self, instance: Any, column: str) -> Any:
        described = _columns(self.model).get(column)
        return getattr(instance, column if described is None else described.attname)

    def relation(self, name: str) -> Any:
        return _relations(self.model).get(name)

    def is_relation(self, name: str) -> bool:
        return self.relation(name) is not None

    def relatives(self, instance: Any, name: str) -> Any:
        try:
            found = getattr(instance, name)
        except ObjectDoesNotExist:  # So the reverse of a one-to-one relation says that there is none.
            return None
        return list(found.all()) if _to_many(self.relation(name)) else found

    def related(self, name: str) -> _Scope:
        """Return the scope of a relation's rows."""
        relation = self.relation(name)
        field = self.owner.members[name]
        owner = field.items if isinstance(field, Array) else field
        assert isinstance(owner, Object)  # noqa: S101  # As what has members.
        prefix = "" if _to_many(relation) else f"{self.prefix}{relation.name}__"
        return _Scope(relation.related_model, owner, leaves(owner, binary=self.binary), self.binary, prefix)


def _scope(declaration: Declaration, model: Model) -> _Scope:
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    if not (isinstance(model, type) and issubclass(model, models.Model)):
        raise adapters_wording.bad_target(model, "a model")
    return _Scope(model, declaration.root, declaration.leaves, declaration.binary)


@lru_cache(maxsize=256)
def _columns(model: Any) -> Mapping[str, Any]:
    """Return the fields of a model `by_column`."""
    fields = {described.attname: described for described in model._meta.concrete_fields}
    named = by_column((attribute, described.column) for attribute, described in fields.items())
    return {column: fields[attribute] for column, attribute in named.items()}


def _condition(condition: Condition, values: Sequence[Any], scope: _Scope) -> _Embedded:
    places: dict[Path, Column] = {}
    children: dict[PlaceKey, Any] = {}
    parameters: dict[int, tuple[Field, Any, Column | None]] = {}
    for test in tests(condition):
        inner, path = scope, test.ref.path
        while len(path) > 1 and inner.is_relation(path[0]):
            inner, path = inner.related(path[0]), path[1:]
        if inner.is_relation(path[0]):
            children[test] = _related(test, values, inner, path[0])
            continue
        stored = inner.leaves[path].column
        name = inner.prefix + stored.name
        column = places[test.ref.path] = stored._replace(name=name, nullable=stored.nullable or bool(inner.prefix))
        children[name] = inner.column(stored.name)
        for slot, field in slots(test):
            in_column = test.ref.field.scalar and test.ref.key is None
            parameters[slot] = (field, values[slot], column if in_column else None)
    related = frozenset(key for key in children if not isinstance(key, str))
    return _Embedded(Where(condition, tuple(places.items()), related), children, parameters)


def _related(test: Test, values: Sequence[Any], scope: _Scope, name: str) -> Any:
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
        link, to = relation.field.name if _is_reverse(relation) else relation.related_query_name(), "pk"
    rows = relation.related_model._base_manager.filter((link, models.OuterRef(scope.prefix + to)))
    found = models.Exists(rows.filter(_condition(test.condition, values, scope.related(name))))
    return ~found if test.negated else found


def _prefetches(scope: _Scope, shown: Iterable[Path]) -> list[str]:
    """Return the relations that the paths ``shown`` go through, as ``prefetch_related`` names them."""
    found: list[str] = []
    for name, deeper in inside(scope, shown).items():
        found += [name, *(f"{name}__{relation}" for relation in _prefetches(scope.related(name), deeper))]
    return found


# Expressions ---------------------------------------------------------------------------------------------------------


class _Embedded(models.Expression):  # type: ignore[misc]  # Django has no types.
    """SQL of a shape, with Django's columns and subqueries in its places and the values in its slots."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(
        self,
        shape: Where | Ordered | Seek,
        children: Mapping[PlaceKey, Any],
        parameters: Mapping[int, tuple[Field, Any, Column | None]],
    ) -> None:
        super().__init__()
        self._shape = shape
        self._places = tuple(children)
        self._children = list(children.values())
        self._parameters = parameters

    def get_source_expressions(self) -> list[Any]:
        return self._children

    def set_source_expressions(self, exprs: Iterable[Any]) -> None:
        self._children = list(exprs)

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        children = dict(zip(self._places, self._children, strict=True))
        text: list[str] = []
        params: list[Any] = []
        for part in self._shape.fragment(connection.vendor).parts:
            if isinstance(part, str):
                text.append(part.replace("%", "%%"))
            elif isinstance(part, Place):
                sql, inside = compiler.compile(children[part.value])
                text.append(sql)
                params += inside
            elif isinstance(part, Param):
                text.append("%s")
                params.append(part.value if part.slot is None else self._parameter(part, children, connection))
        return "".join(text), params

    def _parameter(self, param: Param, children: Mapping[PlaceKey, Any], connection: Any) -> Any:
        """Return a canonical value as the column it is tested against stores it."""
        field, value, column = self._parameters[cast("int", param.slot)]
        if field is KEY:
            return value if param.bind is None else param.bind(value)
        if column is None or column.json_path:
            bind = JSON_STORAGE[field.type].bind
            return value if bind is None else bind(value)
        stored = children[column.name].output_field
        match stored:
            case models.UUIDField():
                return stored.get_db_prep_value(value, connection)
            case models.DateTimeField():
                instant = value if settings.USE_TZ else value.replace(tzinfo=None)
                try:
                    return connection.ops.adapt_datetimefield_value(instant)
                except OverflowError:  # The database's time zone has no such day: it is before or after all it has.
                    end = datetime.min if value.year == MINYEAR else datetime.max  # noqa: DTZ901  # As it is stored.
                    return connection.ops.adapt_datetimefield_value(end)
            case models.DateField():
                return connection.ops.adapt_datefield_value(value)
            case models.CharField() | models.TextField():
                return field.json(value)
            case _:
                return value
