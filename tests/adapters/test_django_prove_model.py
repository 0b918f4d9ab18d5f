"""`prove_model` over models of Django, on every database; ASTRA_FILTER_EXAMPLES makes it look harder."""

from __future__ import annotations

import os
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from adapters.django_databases import DATABASES
from adapters.django_databases import database as namespace
from django.contrib.postgres.fields import ArrayField
from django.db import connections, models
from django.db.models.functions import Now

from astra_filter import Schema, SchemaError, fields
from astra_filter.adapters.django import converted, schema
from astra_filter.testing import prove_model

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = max(1, int(os.environ.get("ASTRA_FILTER_EXAMPLES", "100")) // 100)
"""How often rows are made of each model; 20 filters and 5 walks each."""


class Model(models.Model):
    class Meta:
        abstract = True
        app_label = "adapters"


class Hundredths(models.IntegerField):
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else Decimal(value) / 100

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else int(value * 100)


class Everything(Model):
    """Every field of Django that one of ours represents."""

    text = models.TextField(null=True)
    char = models.CharField(max_length=30, null=True)
    slug = models.SlugField(null=True)
    mail = models.EmailField(null=True)
    url = models.URLField(null=True)
    state = models.CharField(max_length=9, null=True, choices=[("b", "Pending"), ("a", "Running"), ("C", "Done")])
    small = models.SmallIntegerField(null=True)
    integer = models.IntegerField(null=True)
    big = models.BigIntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    number = models.FloatField(null=True)
    money = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    exact = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    precise = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    flag = models.BooleanField(null=True)
    moment = models.DateTimeField(null=True)
    stamped = models.DateTimeField(db_default=Now())
    day = models.DateField(null=True)
    uuid = models.UUIDField(null=True)
    document = models.JSONField(null=True)
    hundredths = Hundredths(null=True)
    required = models.CharField(max_length=20)


class Keyed(Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=20, null=True)


class Named(Model):
    """A key of text."""

    name = models.CharField(max_length=20, primary_key=True)
    keyed = models.ForeignKey(Keyed, on_delete=models.CASCADE)


class Parent(Model):
    name = models.CharField(max_length=20, null=True)


class Child(Parent):
    rank = models.IntegerField(null=True)


class Pupil(Model):
    name = models.CharField(max_length=20, null=True)
    friend = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="friends")


class Lesson(Model):
    title = models.CharField(max_length=20, null=True)
    points = models.IntegerField(null=True)
    pupils = models.ManyToManyField(Pupil, related_name="lessons")
    teacher = models.ForeignKey(Keyed, null=True, on_delete=models.CASCADE)


class Arrays(Model):
    tags = ArrayField(models.CharField(max_length=20, null=True), null=True)
    numbers = ArrayField(models.IntegerField(null=True), null=True)
    days = ArrayField(models.DateField(null=True), null=True)


class Unmade(Model):
    data = models.BinaryField()
    file = models.FileField(default="x")
    kind = models.CharField(max_length=3)


class Pointed(models.Field):
    def db_type(self, connection: Any) -> str:
        return "text"


class Strange(Model):
    point = Pointed()


DOCUMENT = fields.Object(
    {"name": fields.String(nullable=True), "size": fields.Number(nullable=True), "at": fields.Timestamp(nullable=True)},
    nullable=True,
)


def hundredths(value: float) -> Decimal:
    """Return a number of hundredths, where it is one."""
    found = Decimal(repr(value))
    if abs(value) > 10**6 or found != round(found, 2):
        raise ValueError(value)
    return found


ZOO: dict[type[models.Model], tuple[Schema, tuple[str, ...]]] = {
    Everything: (
        schema(
            Everything,
            fields={
                "document": DOCUMENT,
                "exact": fields.Decimal(12, 2, nullable=True),
                "hundredths": converted(fields.Number(nullable=True), to_database=hundredths, to_resource=float),
            },
        ),
        DATABASES,
    ),
    Keyed: (schema(Keyed, relations=["named_set", "lesson_set", "lesson_set.pupils"]), DATABASES),
    Named: (schema(Named, relations=["keyed"]), DATABASES),
    Parent: (schema(Parent, relations=["child"]), DATABASES),
    Child: (schema(Child, relations=["parent_ptr"]), DATABASES),
    Pupil: (schema(Pupil, relations=["friend", "friends", "lessons"]), DATABASES),
    Lesson: (schema(Lesson, relations=["pupils", "pupils.friend", "teacher"]), DATABASES),
    Unmade: (schema(Unmade, exclude=["data", "file"]), DATABASES),
    Arrays: (schema(Arrays), ("postgresql",)),
}


@pytest.fixture(scope="module", params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with namespace(request.param) as name:
        with connections[name].schema_editor() as editor:
            for model, (_, databases) in ZOO.items():
                if name in databases:
                    editor.create_model(model)
        yield name


@pytest.mark.parametrize("model", ZOO, ids=lambda model: model.__name__)
def test_zoo(database: str, model: type[models.Model]) -> None:
    made, databases = ZOO[model]
    if database not in databases:
        return
    found = prove_model(model, database, schema=made, examples=EXAMPLES)
    assert found.rows > 0
    assert (found.filters, found.walks) == (20 * EXAMPLES, 5 * EXAMPLES)
    assert not model._default_manager.using(database).exists()
    print(model.__name__, database, found)  # For the figures of long runs.


def test_five_lines(database: str) -> None:
    found = prove_model(
        Keyed, database, examples=1, filters=3, walks=1, make=lambda random: Keyed(name=random.choice("ab"))
    )
    assert (found.rows, found.filters, found.walks) == (15, 3, 1)


def test_what_cannot_be_made(database: str) -> None:
    with pytest.raises(
        SchemaError, match=r"no value can be made for Strange\.point, of the type Pointed: give make="
    ) as caught:
        prove_model(Strange, database, schema=schema(Strange, exclude=["point"]))
    assert caught.value.code == "unmade_column"
