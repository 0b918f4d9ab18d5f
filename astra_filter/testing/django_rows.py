"""Rows for `prove_model`, made and found through Django."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models, transaction

from astra_filter import fields
from astra_filter.adapters import django as adapter
from astra_filter.adapters._django_schema import is_reverse, plain_field, relations_of, to_many
from astra_filter.adapters._orm_forms import converter_of
from astra_filter.fields import Array, Object
from astra_filter.testing import generate
from astra_filter.wording import testing as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from astra_filter.fields import AnyField
    from astra_filter.filter import Filter
    from astra_filter.query import ListQuery, Page
    from astra_filter.schema import Schema

_UNMADE = object()


class DjangoRows:
    """Rows of a model; arguments as in `prove_model`, ``using`` is the alias of the database."""

    def __init__(self, model: Any, using: str, schema: Schema | None, make: Callable[[], Any] | None) -> None:
        self.schema = adapter.schema(model) if schema is None else schema
        self._model = model
        self._using = using
        self._make = make
        self._keys: list[Any] = []

    @contextmanager
    def made(self, pick: generate.Pick, count: int) -> Iterator[None]:
        """Make rows; they are gone at the end."""
        with transaction.atomic(using=self._using):
            _Maker(self._using, pick).fill(self._model, self.schema.root, count, self._make)
            yield
            transaction.set_rollback(True, using=self._using)

    def _all(self) -> Any:
        return self._model._default_manager.using(self._using)

    def items(self) -> list[Any]:
        """Return what a page shows of each row."""
        query = self.schema.query({})
        found = list(adapter.apply(query, self._all()))
        self._keys = [instance.pk for instance in found]
        # A schema without a key has no order: the rows are taken as they came.
        given = adapter.page(query, self._all())
        return given.items

    def select(self, chosen: Filter) -> list[int]:
        """Return which rows the database selects."""
        return sorted(self._keys.index(instance.pk) for instance in adapter.apply(chosen, self._all()))

    def page(self, query: ListQuery) -> Page:
        """Answer a list request from the database."""
        return adapter.page(query, self._all())


class _Maker:
    """Makes instances of models, those that they refer to first."""

    def __init__(self, using: str, pick: generate.Pick) -> None:
        self._using = using
        self._pick = pick
        self._made: dict[Any, list[Any]] = {}
        self._taken: set[Any] = set()

    def fill(self, model: Any, owner: Any, count: int, make: Callable[[], Any] | None = None) -> None:
        """Make rows of a model, and rows of the relations that its schema has."""
        relations = {name: found for name, found in relations_of(model).items() if name in owner.members}
        for name, relation in relations.items():
            if not is_reverse(relation) and not to_many(relation):
                self._fill_related(name, relation, owner, model)
        for _ in range(count):
            self._store(make() if make is not None else self._instance(model, owner.members), model)
        for name, relation in relations.items():
            if not is_reverse(relation) and not to_many(relation):
                continue
            self._fill_related(name, relation, owner, model)
            if relation.many_to_many:
                for instance in self._made.get(model, []):
                    related = [each for each in self._made.get(relation.related_model, []) if self._pick(3) == 0]
                    getattr(instance, name).add(*related)

    def _fill_related(self, name: str, relation: Any, owner: Any, model: Any) -> None:
        if relation.related_model in self._made or relation.related_model is model:
            return
        field = owner.members[name]
        self.fill(relation.related_model, field.items if isinstance(field, Array) else field, 6)

    def _store(self, instance: Any, model: Any) -> None:
        try:
            with transaction.atomic(using=self._using):
                instance.save(using=self._using, force_insert=True)
        except IntegrityError:  # A rule that nobody here knows of, such as that two fields are unique together.
            return
        self._made.setdefault(model, []).append(instance)

    def _instance(self, model: Any, members: Mapping[str, AnyField]) -> Any:
        values: dict[str, Any] = {}
        for described in model._meta.concrete_fields:
            if described.generated or isinstance(described, models.AutoField) or described.auto_created:
                continue
            if isinstance(described, models.ForeignKey):
                values[described.name] = self._reference(described, model)
                continue
            if described.has_default() and self._pick(2):
                continue
            if described.null and self._pick(4) == 0:
                values[described.attname] = None
                continue
            value = self._unique(described, members.get(described.attname))
            if value is not _UNMADE:
                values[described.attname] = value
            elif not described.null and not described.has_default():
                raise wording.unmade_column(model.__name__, described.attname, type(described).__name__)
        return model(**values)

    def _reference(self, described: Any, model: Any) -> Any:
        target = described.related_model
        rows = self._made.get(target, [])
        if described.unique:
            rows = [row for row in rows if (described, row.pk) not in self._taken]
        if described.null and (not rows or self._pick(3) == 0):
            return None
        if not rows:
            if target is model:
                raise wording.unmade_column(model.__name__, described.attname, "ForeignKey")
            self._store(self._instance(target, {}), target)
            rows = self._made.get(target, [])[-1:]
        row = rows[self._pick(len(rows))]
        self._taken.add((described, row.pk))
        return row

    def _unique(self, described: Any, field: AnyField | None) -> Any:
        for _ in range(60):
            value = self._value(described, field)
            mark = (described, repr(value).lower())
            if value is _UNMADE or not described.unique or mark not in self._taken:
                self._taken.add(mark)
                return value
        return _UNMADE

    def _value(self, described: Any, field: AnyField | None) -> Any:
        """Return a value that a model's field takes, or `_UNMADE`."""
        pick = self._pick
        converter = None if field is None else converter_of(field)
        if converter is not None and field is not None:
            found = (
                converter.bound(generate.scalar(field, pick)) for _ in range(40)
            )  # Not every value is one of the column.
            return next((value for value in found if value is not None), _UNMADE)
        plain = plain_field(described)
        if plain.get_internal_type() == "ArrayField":
            items = field.items if isinstance(field, Array) else None
            return [None if pick(6) == 0 else self._value(plain.base_field, items) for _ in range(pick(4))]
        if isinstance(plain, models.JSONField) or isinstance(field, Object):
            return {} if field is None else generate.json_value(field, pick)
        return self._plain(plain, field)

    def _plain(self, plain: Any, field: AnyField | None) -> Any:
        pick = self._pick
        match plain:
            case models.CharField() | models.TextField():
                choices = [value for value, _ in plain.flatchoices]
                if choices:
                    return choices[pick(len(choices))]
                if field is not None and not isinstance(field, fields.String):
                    return field.json(generate.scalar(field, pick))
                return generate.scalar(fields.String(max_length=plain.max_length or 40), pick)
            case models.UUIDField():
                return UUID(generate.scalar(fields.Uuid(), pick))
            case models.BooleanField():
                return bool(pick(2))
            case models.IntegerField():
                bits = {"SmallIntegerField": 15, "BigIntegerField": 63, "PositiveBigIntegerField": 63}
                most = 2 ** bits.get(plain.get_internal_type(), 15 if "Small" in plain.get_internal_type() else 31) - 1
                least = 0 if plain.get_internal_type().startswith("Positive") else -most - 1
                value = generate.scalar(fields.Integer(), pick)
                return value if least <= value <= most else pick(100)
            case models.FloatField():
                return generate.scalar(fields.Number(), pick)
            case models.DecimalField():
                whole = plain.max_digits - plain.decimal_places
                scale = 10**plain.decimal_places
                digits = pick(10 ** min(whole, 4)) * scale + pick(scale)
                return Decimal(digits if pick(2) else -digits).scaleb(-plain.decimal_places)
            case models.DateTimeField():
                instant = generate.instant(pick)
                return instant if settings.USE_TZ else instant.replace(tzinfo=None)
            case models.DateField():
                return generate.scalar(fields.Date(), pick)
            case models.BinaryField():
                return bytes([pick(256)])
            case models.DurationField():
                return timedelta(seconds=pick(10**6))
            case models.TimeField():
                return time(pick(24), pick(60))
            case models.GenericIPAddressField():
                return f"10.0.0.{pick(256)}"
            case _:
                return _UNMADE
