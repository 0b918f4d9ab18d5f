"""The Django adapter: the conformance cases through it (SPEC §4, §5), relations, schemas, pages (SPEC §6)."""

from __future__ import annotations

import importlib
import json
import os
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import django
import pytest
from adapters.engines import POSTGRES_URL, unreachable
from cases import Case, Suite, identity, suites
from django.conf import settings

from astra_filter import SchemaError, compile, fields
from astra_filter.errors import MissingExtraError
from astra_filter.sql.rows import columns, is_document, to_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter import Schema
    from astra_filter.fields import Leaf

NAMESPACE = f"astra_filter_django_{os.getpid()}"
SERVER = urlsplit(POSTGRES_URL)
settings.configure(
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": SERVER.path[1:],
            "HOST": SERVER.hostname,
            "PORT": SERVER.port or 5432,
            "USER": unquote(SERVER.username or "postgres"),
            "PASSWORD": unquote(SERVER.password or ""),
            "OPTIONS": {"options": f"-csearch_path={NAMESPACE},public"},
        },
    },
)
django.setup()

from django.core.exceptions import FieldDoesNotExist  # noqa: E402  # Models need settings.
from django.db import OperationalError, connections, models  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from astra_filter.adapters.django import apply, page, schema, where  # noqa: E402

STORED = [
    pytest.param(suite, case, id=f"{suite.name}-{number}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.ids is not None
    and suite.only is None
    # Django itself escapes neither in the names of columns.
    and not any(character in name for name in columns(suite.schema) for character in '"%')
]
HOSTILE = {"default": "NOCASE", "postgresql": "hostile"}


@pytest.fixture(scope="module", params=["default", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    connection = connections[request.param]
    if request.param == "postgresql":
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {NAMESPACE}")
        except OperationalError as error:
            unreachable("postgresql", error)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE COLLATION hostile (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
            )
    yield request.param
    if request.param == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {NAMESPACE} CASCADE")
    connection.close()


class Unescaped(json.JSONEncoder):
    """Writes no ASCII escapes, behind which SQLite does not find names (SPEC §5)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


def kind(leaf: Leaf, collation: str, **options: Any) -> models.Field:
    """Return the field that somebody who uses Django would give a column."""
    options["null"] = leaf.column.nullable
    match leaf.field:
        case fields.String() | fields.Enum():
            return models.TextField(db_collation=collation, **options)
        case fields.Uuid():
            return models.UUIDField(**options)
        case fields.Integer():
            return models.BigIntegerField(**options)
        case fields.Number():
            return models.FloatField(**options)
        case fields.Boolean():
            return models.BooleanField(**options)
        case fields.Timestamp():
            return models.DateTimeField(**options)
        case fields.Date():
            return models.DateField(**options)
    raise AssertionError(leaf)


def stored(schema: Schema, resource: Any) -> list[Any]:
    """Return the values of a row, as Django takes them."""
    row = to_row(schema, resource, "postgresql")
    for name, held in columns(schema).items():
        if row[name] is not None and is_document(held):
            row[name] = json.loads(row[name])
        elif row[name] is not None and isinstance(held[0].field, fields.Uuid):
            row[name] = UUID(row[name])
    return list(row.values())


MODELS: dict[tuple[str, str], type[models.Model]] = {}


def model_of(suite: Suite, database: str) -> type[models.Model]:
    """Return a model of the suite's rows, its table made when first asked for."""
    key = (suite.name, database)
    if key not in MODELS:
        named = {}
        for number, (name, held) in enumerate(columns(suite.schema).items()):
            named[f"c{number}"] = (
                models.JSONField(null=True, encoder=Unescaped, db_column=name)
                if is_document(held)
                else kind(held[0], HOSTILE[database], db_column=name)
            )
        meta = type("Meta", (), {"app_label": "conformance", "db_table": f"rows_{len(MODELS)}"})
        body = {"__module__": __name__, "Meta": meta, "place": models.IntegerField(primary_key=True), **named}
        model = type(f"Rows{len(MODELS)}", (models.Model,), body)
        with connections[database].schema_editor() as editor:
            editor.create_model(model)
        model._base_manager.using(database).bulk_create(
            model(place=number, **dict(zip(named, stored(suite.schema, row), strict=True)))
            for number, row in enumerate(suite.rows)
        )
        MODELS[key] = model
    return MODELS[key]


@pytest.mark.parametrize(("suite", "case"), STORED)
def test_conformance(database: str, suite: Suite, case: Case) -> None:
    model = model_of(suite, database)
    rows = model._base_manager.using(database).order_by("place").values_list("place", flat=True)
    expected = [place for place, row in enumerate(suite.rows) if identity(row) in case.ids]
    chosen = suite.schema.compile(case.filter)
    assert list(apply(rows, chosen)) == expected
    # Joined with a condition of the server's own.
    assert list(rows.filter(models.Q(place__lt=0) | where(chosen, model), place__gte=0)) == expected
