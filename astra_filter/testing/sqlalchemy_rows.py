"""Rows for `prove_model`, made and found through SQLAlchemy."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import RelationshipDirection

from astra_filter import fields
from astra_filter.adapters import sqlalchemy as adapter
from astra_filter.adapters._orm_forms import converter_of
from astra_filter.adapters._sqlalchemy_types import held, labels
from astra_filter.fields import Array, Object
from astra_filter.testing import generate
from astra_filter.wording import testing as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.orm import Mapper, RelationshipProperty, Session

    from astra_filter.fields import AnyField
    from astra_filter.filter import Filter
    from astra_filter.query import ListQuery, Page
    from astra_filter.schema import Schema

_SINGLES = (0.0, 0.5, -1.5, 0.1, 100.0, 3.25, 1e10, -0.001)
"""Numbers of few digits, which floats of four bytes have."""
_UNMADE = object()


class SQLAlchemyRows:
    """Rows of a mapped class; arguments as in `prove_model`."""

    def __init__(
        self,
        model: type[Any],
        session_factory: Callable[[], Session],
        schema: Schema | None,
        make: Callable[[], Any] | None,
    ) -> None:
        self.schema = adapter.schema(model) if schema is None else schema
        self._model = model
        self._factory = session_factory
        self._make = make
        self._session: Any = None
        self._keys: list[Any] = []

    @contextmanager
    def made(self, pick: generate.Pick, count: int) -> Iterator[None]:
        """Make rows; they are gone at the end."""
        with self._factory() as session:
            self._session = session
            _begin(session)
            try:
                _Maker(session, pick).fill(self._model, self.schema.root, count, self._make)
                session.flush()
                session.expunge_all()
                yield
            finally:
                session.rollback()

    def items(self) -> list[Any]:
        """Return what a page shows of each row."""
        query = self.schema.query({})
        instances = self._all(adapter.apply(query, sa.select(self._model)))
        self._keys = [_identity(instance) for instance in instances]
        return adapter.page(query, instances).items

    def select(self, chosen: Filter) -> list[int]:
        """Return which rows the database selects."""
        statement = adapter.apply(chosen, sa.select(self._model))
        return sorted(self._keys.index(_identity(instance)) for instance in self._all(statement))

    def page(self, query: ListQuery) -> Page:
        """Answer a list request from the database."""
        statement = sa.select(self._model)
        total = self._session.scalar(adapter.count(query, statement))
        return adapter.page(query, self._all(adapter.apply(query, statement)), total=total)

    def _all(self, statement: sa.Select[Any]) -> list[Any]:
        self._session.expunge_all()
        return list(self._session.scalars(statement).unique())


def _begin(session: Session) -> None:
    """Begin a transaction where Python's SQLite would not, and keep what a savepoint has."""
    connection = session.connection()
    if connection.dialect.name == "sqlite" and not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
        connection.exec_driver_sql("BEGIN")


def _identity(instance: Any) -> Any:
    return sa.inspect(instance).identity


class _Maker:
    """Makes instances of mapped classes, those that they refer to first."""

    def __init__(self, session: Session, pick: generate.Pick) -> None:
        self._session = session
        self._pick = pick
        self._made: dict[Any, list[Any]] = {}
        self._taken: set[Any] = set()

    def fill(self, model: Any, owner: Any, count: int, make: Callable[[], Any] | None = None) -> None:
        """Make rows of a class, and rows of the relationships that its schema has."""
        mapper = sa.inspect(model).mapper
        relations = {name: mapper.relationships[name] for name in owner.members if name in mapper.relationships}
        for relation in relations.values():
            if relation.direction is RelationshipDirection.MANYTOONE and relation.mapper is not mapper:
                self._fill_related(relation, owner)
        for _ in range(count):
            self._store(make() if make is not None else self._instance(mapper, owner.members), mapper)
        for name, relation in relations.items():
            if relation.direction is RelationshipDirection.MANYTOONE:
                continue
            if relation.mapper is not mapper:
                self._fill_related(relation, owner)
            if (
                relation.direction is RelationshipDirection.MANYTOMANY
                and not relation.viewonly
                and relation.mapper in self._made
            ):
                for instance in self._made.get(mapper, []):
                    related = [each for each in self._made[relation.mapper] if self._pick(3) == 0]
                    collection = getattr(instance, name)
                    collection.extend(each for each in related if each not in collection)
                self._session.flush()

    def _fill_related(self, relation: RelationshipProperty[Any], owner: Any) -> None:
        if relation.mapper in self._made:
            return
        field = owner.members[relation.key]
        self.fill(relation.mapper.class_, field.items if isinstance(field, Array) else field, 6)

    def _store(self, instance: Any, mapper: Mapper[Any]) -> None:
        try:
            with self._session.begin_nested():
                self._session.add(instance)
                self._session.flush()
        except sa.exc.IntegrityError:  # A rule that nobody here knows of, such as that two columns are unique together.
            return
        self._made.setdefault(mapper, []).append(instance)
        for base in mapper.iterate_to_root():
            if base is not mapper:
                self._made.setdefault(base, []).append(instance)

    def _instance(self, mapper: Mapper[Any], members: Mapping[str, AnyField]) -> Any:
        values: dict[str, Any] = self._references(mapper)
        by_column = {field.column or name: field for name, field in members.items()}
        for attribute in mapper.column_attrs:
            column = attribute.columns[0]
            if attribute.key in values or not isinstance(column, sa.Column) or column.computed is not None:
                continue
            if column is mapper.polymorphic_on or column is mapper.version_id_col or column.foreign_keys:
                continue
            own = column.primary_key and len(mapper.primary_key) == 1 and isinstance(column.type, sa.Integer)
            if own and column.autoincrement in (True, "auto"):
                continue
            defaulted = column.default is not None or column.server_default is not None or column.identity is not None
            if defaulted and self._pick(2):
                continue
            if column.nullable and not column.primary_key and self._pick(4) == 0:
                values[attribute.key] = None
                continue
            field = members.get(attribute.key, by_column.get(column.name))
            value = self._unique(column, field)
            if value is not _UNMADE:
                values[attribute.key] = value
            elif not column.nullable and not defaulted:
                raise wording.unmade_column(mapper.class_.__name__, attribute.key, type(column.type).__name__)
        return mapper.class_(**values)

    def _references(self, mapper: Mapper[Any]) -> dict[str, Any]:
        """Return the values of foreign keys: of rows that are there, and made if they have to be."""
        values: dict[str, Any] = {}
        for table in mapper.tables:
            for constraint in table.foreign_key_constraints if isinstance(table, sa.Table) else ():
                columns = list(constraint.columns)
                target = constraint.referred_table
                if target in mapper.tables:
                    if not all(column.nullable for column in columns):
                        continue  # The key of a table that inherits.
                    rows = list(self._made.get(mapper, []))
                else:
                    referred = next((each for each in mapper.registry.mappers if each.local_table is target), None)
                    if referred is None:
                        raise wording.unmade_column(mapper.class_.__name__, columns[0].name, "ForeignKey")
                    if not self._made.get(referred):
                        if all(column.nullable for column in columns):
                            continue
                        self._store(self._instance(referred, {}), referred)
                    rows = self._made[referred]
                optional = all(column.nullable for column in columns)
                if not rows or (optional and self._pick(3) == 0):
                    continue
                row = rows[self._pick(len(rows))]
                for element in constraint.elements:
                    key = mapper.get_property_by_column(element.parent).key
                    values[key] = getattr(row, sa.inspect(row).mapper.get_property_by_column(element.column).key)
        return values

    def _unique(self, column: sa.Column[Any], field: AnyField | None) -> Any:
        alone = column.unique or column.primary_key
        for _ in range(60):
            value = self.value(column.type, field)
            mark = (column, repr(value).lower() if isinstance(value, str) else repr(value))
            if value is _UNMADE or not alone or mark not in self._taken:
                self._taken.add(mark)
                return value
        return _UNMADE

    def value(self, stored: sa.types.TypeEngine[Any], field: AnyField | None) -> Any:
        """Return a value that a column of a type takes, or `_UNMADE`."""
        pick = self._pick
        converter = None if field is None else converter_of(field)
        if converter is not None and field is not None:
            found = (
                converter.bound(generate.scalar(field, pick)) for _ in range(40)
            )  # Not every value is one of the column.
            return next((value for value in found if value is not None), _UNMADE)
        if isinstance(stored, sa.ARRAY):
            items = field.items if isinstance(field, Array) else None
            return [None if pick(6) == 0 else self.value(stored.item_type, items) for _ in range(pick(4))]
        known = held(stored)
        kind = stored if known is None else known.kind
        if isinstance(kind, sa.JSON) or isinstance(field, Object):
            return None if field is None else generate.json_value(field, pick)
        if isinstance(kind, sa.String) and field is not None and not isinstance(field, (fields.String, fields.Enum)):
            return field.json(generate.scalar(field, pick))
        return self._plain(kind, field, own=known is not None and known.own)

    def _plain(self, kind: sa.types.TypeEngine[Any], field: AnyField | None, *, own: bool) -> Any:
        pick = self._pick
        match kind:
            case sa.Enum():
                members: list[Any] = [*labels(kind).values()] or [*kind.enums]
                return members[pick(len(members))]
            case sa.String():
                if isinstance(field, fields.Enum):
                    return generate.scalar(field, pick)
                return generate.scalar(fields.String(max_length=kind.length or 40), pick)
            case sa.Uuid():
                text = generate.scalar(fields.Uuid(), pick)
                return UUID(text) if kind.as_uuid else text
            case sa.Boolean():
                return bool(pick(2))
            case sa.Integer():
                value = generate.scalar(fields.Integer(), pick)
                least, most = _range(kind)
                return value if least <= value <= most else pick(min(most, 100) + 1)
            case sa.Double() | sa.Float(precision=53):
                return generate.scalar(fields.Number(), pick)
            case sa.Float():
                return _SINGLES[pick(len(_SINGLES))]
            case sa.Numeric():
                places = kind.scale or 0
                whole = (kind.precision or 12) - places
                digits = pick(10 ** min(whole, 4)) * 10**places + pick(10**places)
                found = Decimal(digits if pick(2) else -digits).scaleb(-places)
                return found if kind.asdecimal else float(found)
            case sa.TIMESTAMP() if isinstance(kind, mysql.TIMESTAMP):
                return datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(seconds=pick(10**8))
            case sa.DateTime():
                instant = generate.instant(pick)
                return instant if own or kind.timezone else instant.replace(tzinfo=None)
            case sa.Date():
                return generate.scalar(fields.Date(), pick)
            case sa.types._Binary():  # noqa: SLF001  # The base of all types of bytes.
                return bytes([pick(256)])
            case sa.Interval() | postgresql.INTERVAL():
                return timedelta(seconds=pick(10**6))
            case sa.Time():
                return time(pick(24), pick(60))
            case postgresql.INET():
                return f"10.0.0.{pick(256)}"
            case _:
                return _UNMADE


def _range(kind: sa.Integer) -> tuple[int, int]:
    if isinstance(kind, mysql.TINYINT):
        bits = 7
    elif isinstance(kind, sa.SmallInteger):
        bits = 15
    else:
        bits = 63 if isinstance(kind, sa.BigInteger) else 31
    if getattr(kind, "unsigned", False):
        return 0, 2 ** (bits + 1) - 1
    return -(2**bits), 2**bits - 1
