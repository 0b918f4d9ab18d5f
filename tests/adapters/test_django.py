"""The Django adapter: the conformance cases through it (SPEC §4, §5), relations, schemas, pages (SPEC §6)."""

from __future__ import annotations

import importlib
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from adapters.django_databases import DATABASES
from adapters.django_databases import database as namespace
from cases import Case, Suite, identity, suites
from databases.backends import backend_params
from django.db import connections, models
from django.test.utils import CaptureQueriesContext

from astra_filter import Schema, SchemaError, StorageError, compile, fields
from astra_filter.adapters.django import apply, page, schema, where
from astra_filter.errors import MissingExtraError
from astra_filter.sql.rows import columns, folded_columns, is_document, to_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.meaning.leaves import Leaf


STORED = [
    pytest.param(suite, case, id=f"{suite.name}-{number}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.ids is not None
    and suite.only is None
    # Django itself escapes neither in the names of columns.
    and not any(character in name for name in columns(suite.schema) for character in '"%')
]
HOSTILE = {"default": "NOCASE", "postgresql": "hostile", "mysql": "utf8mb4_general_ci"}


@pytest.fixture(scope="module", params=backend_params(DATABASES))
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with namespace(request.param) as name:
        if name == "postgresql":
            with connections[name].cursor() as cursor:
                cursor.execute(
                    "CREATE COLLATION hostile (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
                )
        yield name


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
        case fields.Decimal(grid=grid):
            return models.DecimalField(max_digits=grid.digits, decimal_places=grid.places, **options)
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
        elif row[name] is not None and isinstance(held[0].field, fields.Decimal):
            row[name] = Decimal(row[name])
    return list(row.values())


def is_too_long_for_sqlite(suite: Suite) -> bool:
    """Whether a suite has decimals that SQLite makes doubles, as both ORMs store them, and that doubles do not hold."""
    held = [leaf for leaf in suite.schema.leaves.values() if isinstance(leaf.field, fields.Decimal)]
    return any(leaf.field.grid.digits > 14 and not leaf.column.json_path for leaf in held)


MODELS: dict[tuple[str, str], type[models.Model]] = {}


def model_of(suite: Suite, database: str) -> type[models.Model]:
    """Return a model of the suite's rows, its table made when first asked for."""
    key = (suite.name, database)
    if key not in MODELS:
        named = {}
        folded = {name: (leaf,) for name, leaf in folded_columns(suite.schema).items()}
        for number, (name, held) in enumerate({**columns(suite.schema), **folded}.items()):
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


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "case"), STORED)
def test_conformance(database: str, suite: Suite, case: Case) -> None:
    if database == "default" and is_too_long_for_sqlite(suite):
        return
    model = model_of(suite, database)
    rows = model._base_manager.using(database).order_by("place").values_list("place", flat=True)
    expected = [place for place, row in enumerate(suite.rows) if identity(row) in case.ids]
    chosen = suite.schema.compile(case.filter)
    if database in case.beyond:
        with pytest.raises(StorageError):
            list(apply(chosen, rows))
        return
    assert list(apply(chosen, rows)) == expected
    # Joined with a condition of the server's own.
    assert list(rows.filter(models.Q(place__lt=0) | where(chosen, model), place__gte=0)) == expected


# Relations -----------------------------------------------------------------------------------------------------------


class Model(models.Model):
    class Meta:
        abstract = True
        app_label = "adapters"


class Company(Model):
    name = models.CharField(max_length=50, null=True)


class Author(Model):
    name = models.CharField(max_length=50, null=True)
    password = models.CharField(max_length=50, default="secret")
    code = models.IntegerField(unique=True)
    company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE)


class Profile(Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE, related_name="profile")
    town = models.TextField(db_column="Town name")


class Tag(Model):
    name = models.CharField(max_length=50, null=True)
    weight = models.IntegerField(null=True)
    labels = models.JSONField(null=True)
    owner = models.ForeignKey(Author, null=True, to_field="code", on_delete=models.CASCADE)


class Task(Model):
    title = models.CharField(max_length=50, help_text="What it is called.", db_column="Title")
    level = models.CharField(max_length=9, null=True, choices=[("low", "Low"), ("high", "High")])
    external = models.UUIDField(null=True)
    done = models.BooleanField(null=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    precise = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    small = models.SmallIntegerField(null=True)
    start = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    extra = models.JSONField(null=True)
    author = models.ForeignKey(Author, null=True, on_delete=models.CASCADE)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    tags = models.ManyToManyField(Tag, related_name="tasks")


class Item(Model):
    title = models.CharField(max_length=20, db_column="name")
    price = models.DecimalField(max_digits=5, decimal_places=2, db_column="cost")


class Note(Model):
    item = models.ForeignKey(Item, on_delete=models.CASCADE)
    text = models.TextField()


class Book(Item):
    called = models.CharField(max_length=20, db_column="name")
    cost = models.DecimalField(max_digits=5, decimal_places=2, db_column="own")
    fee = models.DecimalField(max_digits=5, decimal_places=2, db_column="cost")


class Stamp(Model):
    at = models.DateTimeField()


LABELS = fields.Array(fields.Object({"name": fields.String(), "value": fields.String(nullable=True)}), nullable=True)
EXTRA = fields.Object({"size": fields.Number(nullable=True), "kind": fields.String(nullable=True)}, nullable=True)
RELATIONS = (
    "author", "author.company", "author.profile", "author.tag_set", "author.tag_set.tasks", "parent", "parent.parent",
    "parent.tags", "children", "children.author", "tags", "tags.owner", "children.tags",
)  # fmt: skip
TASK = schema(
    Task,
    fields={
        "extra": EXTRA,
        **{f"{path}.extra": EXTRA for path in ("parent", "parent.parent", "children", "author.tag_set.tasks")},
        **{f"{path}.labels": LABELS for path in ("tags", "author.tag_set", "parent.tags", "children.tags")},
    },
    exclude=["author.password", "children.author.password", "tags.owner.password"],
    relations=RELATIONS,
)


def fill(database: str) -> None:
    def make(model: type[Model], **values: Any) -> Any:
        return model._base_manager.using(database).create(**values)

    acme, nameless = make(Company, id=1, name="Acme"), make(Company, id=2, name=None)
    ann = make(Author, id=1, code=30, name="Ann", company=acme)
    bob = make(Author, id=2, code=10, name="bob", company=nameless)
    none = make(Author, id=3, code=20, name=None)
    make(Profile, author=ann, town="Ulm")
    red = make(Tag, id=1, name="red", weight=3, owner=ann, labels=[{"name": "env", "value": "prod"}])
    blue = make(
        Tag, id=2, name="blue", weight=1, labels=[{"name": "env", "value": "dev"}, {"name": "x", "value": "prod"}]
    )
    plain = make(Tag, id=3, name=None, weight=None, labels=None, owner=none)
    first = make(
        Task, id=1, title="one", level="low", external=UUID(int=1), done=True, price=Decimal("0.10"), small=7,
        precise=Decimal("0.10000000000000000001"),
        start=datetime(2020, 8, 6, 12, 24, 52, 256624, tzinfo=UTC), day=date(2020, 8, 6),
        extra={"size": 1.5, "kind": "a"}, author=ann,
    )  # fmt: skip
    second = make(
        Task, id=2, title="ONE", level="high", external=UUID(int=255), done=False, price=Decimal("20.00"), small=-1,
        start=datetime(2021, 1, 1, tzinfo=UTC), day=date(2021, 1, 1),
        extra={"size": 2, "kind": "b"}, author=bob, parent=first,
    )  # fmt: skip
    third = make(Task, id=3, title="two ", author=none, parent=second)
    fourth = make(Task, id=4, title="two", extra=None, parent=first, author=ann)
    make(Task, id=5, title="", extra="text", level="low", parent=fourth)
    first.tags.set([red, blue])
    second.tags.set([blue])
    third.tags.set([plain])


FILTERS = [
    "title eq 'one'",
    "title gt 'ONE'",
    "title endswith ' '",
    "level ne 'low'",
    "level in ('high', null)",
    "external eq '{00000000-0000-0000-0000-0000000000FF}'",
    "external not in ('00000000-0000-0000-0000-000000000001')",
    "done eq true",
    "done ne true",
    "price eq 0.1",
    "price gte 0.1",
    "precise eq 0.1",
    "small lt 5000000000",
    "small in (7, -9223372036854775808)",
    "start lt '2020-08-06T14:24:52.256625+02:00'",
    "start eq '2021-01-01'",
    "day gt '2020-08-06'",
    "extra.size gt 1.5",
    "extra.kind ne 'a'",
    "author.name eq 'Ann'",
    "author.name ne 'Ann'",
    "author.name eq null",
    "author.name not in ('bob', null)",
    "author.id eq null",
    "author.company.name eq 'Acme'",
    "author.company.name eq null",
    "not author.company.name startswith 'A'",
    "author.profile.town eq 'Ulm'",
    "author.profile.town ne 'Ulm'",
    "author.profile.id eq null",
    "author.tag_set.name eq 'red'",
    "author.tag_set.name ne 'red'",
    "author.tag_set eq null",
    "author.tag_set ne null",
    "author.tag_set.tasks.title eq 'one'",
    "author.tag_set[owner_id eq 30 and labels[value eq 'prod']]",
    "parent.title eq 'one'",
    "parent.title ne 'one'",
    "parent.parent.title eq 'one'",
    "parent.parent.id eq null",
    "parent.extra.kind eq 'a'",
    "parent.tags.name eq 'red'",
    "parent.tags[name ne 'red' and weight eq 1]",
    "parent.tags eq null",
    "children.title eq 'two'",
    "children.title ne 'two'",
    "children[title eq 'two' and author.name eq 'Ann']",
    "children[author.name eq 'bob' or tags.name eq 'red']",
    "not children[author.name ne 'Ann']",
    "children[author.name eq null]",
    "tags.name eq 'blue'",
    "tags.name ne 'blue'",
    "tags.name eq null",
    "tags.name ne null",
    "tags.name eq 'blue' and tags.weight gt 1 and not tags[name eq 'blue' and weight gt 1]",
    "tags[not name eq 'blue']",
    "not tags[name eq 'blue']",
    "tags.owner.name eq 'Ann'",
    "tags.owner.name eq null",
    "tags[owner.name eq null and weight eq null]",
    "tags.labels[name eq 'env' and value eq 'prod']",
    "tags[labels eq null]",
    "tags.labels eq null",
    "children.tags.labels.value eq 'dev' or parent.title eq 'two'",
    "(tags.name eq 'red' or title eq 'two') and not (author.name eq 'bob' or level eq 'high') and id lt 5",
]


@pytest.fixture(scope="module")
def related(database: str) -> str:
    with connections[database].schema_editor() as editor:
        for model in (Company, Author, Profile, Tag, Task, Job, Item, Note, Book):
            editor.create_model(model)
    fill(database)
    return database


@pytest.mark.parametrize("text", FILTERS)
@pytest.mark.slow
def test_relations(related: str, text: str) -> None:
    """The predicate reads what a page of all tasks shows."""
    everything = Task.objects.using(related)
    resources = page(TASK.query({}), everything).items
    chosen = TASK.compile(text)
    expected = [resource["id"] for resource in chosen.select(resources)]
    others = [resource["id"] for resource in resources if resource["id"] not in expected]
    assert expected
    assert others
    assert [task.id for task in apply(chosen, everything).order_by("id")] == expected
    assert [task.id for task in apply(TASK.compile(f"not ({text})"), everything).order_by("id")] == others
    query = TASK.query({"filter": text})
    assert page(query, everything).items == query.page(resources).items
    # Beside joins of the server's own, over the same relations.
    own = everything.filter(models.Q(author__name="Ann") | models.Q(author__isnull=True) | models.Q(author__code__gt=0))
    assert [task.id for task in apply(chosen, own).order_by("id")] == expected
    own = apply(chosen, everything).filter(author__name="Ann").order_by("id")
    assert [task.id for task in own] == [number for number in expected if number in (1, 4)]


def test_models_that_inherit(related: str) -> None:
    """The tables of a model that inherits may both have a column of a name, only one of which callers may see."""
    Item.objects.using(related).create(id=1, title="plain", price=1)
    Book.objects.using(related).create(id=2, title="secret", price=2, called="Ann", cost=3, fee=Decimal("0.10"))
    Note.objects.using(related).create(id=1, item_id=2, text="x")
    books = Book.objects.using(related)
    made = schema(Book, exclude=["title", "cost"], relations=["item_ptr", "note_set"])
    assert made.key == "item_ptr_id"
    assert not made.root.members["item_ptr"].nullable
    for text, expected in (
        ("called startswith 'secret'", []),
        ("called eq 'Ann' and fee eq 0.1 and price eq 2", [2]),
        ("item_ptr.title eq 'secret' and note_set.text eq 'x'", [2]),
        ("item_ptr.title ne 'secret' or note_set[text ne 'x']", []),
    ):
        assert [book.pk for book in apply(made.compile(text), books)] == expected, text
    assert page(made.query("orderBy=fee,called"), books).items == [
        {
            "id": 2,
            "price": 2.0,
            "item_ptr_id": 2,
            "called": "Ann",
            "fee": 0.1,
            "item_ptr": {"id": 2, "title": "secret", "price": 2.0},
            "note_set": [{"id": 1, "item_id": 2, "text": "x"}],
        }
    ]
    made = schema(Item, relations=["book"], exclude=["book.cost"])
    items = Item.objects.using(related)
    assert made.root.members["book"].nullable
    assert [item.pk for item in apply(made.compile("book.called eq null"), items)] == [1]
    query = made.query("filter=book.fee eq 0.1 and book.title eq 'secret'&include=id,book.called")
    assert page(query, items).items == [[2, "Ann"]]


# Pages ---------------------------------------------------------------------------------------------------------------


class Job(Model):
    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=9, null=True, choices=[("b", "Pending"), ("a", "Running"), ("c", "Done")])
    rank = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=5, decimal_places=2)
    at = models.DateTimeField()
    author = models.ForeignKey(Author, null=True, on_delete=models.CASCADE)


JOB = schema(
    Job, relations=["author", "author.tag_set"], fields={"author.tag_set.labels": LABELS}, exclude=["author.password"]
)


@pytest.fixture(scope="module")
def jobs(related: str) -> list[dict[str, Any]]:
    random = Random(6)
    Job.objects.using(related).bulk_create(
        Job(
            id=UUID(int=random.getrandbits(128), version=4),
            name=random.choice(["a", "A", "b", "é", "e", "a ", "😀", "\ufffd", ""]),
            state=random.choice(["a", "b", "c", None]),
            rank=random.choice([1, 2, None]),
            price=random.choice([Decimal("0.1"), Decimal("0.2"), Decimal(10)]),
            at=datetime(2020, 1, 1, 0, 0, 0, random.choice([0, 1, 999_999]), tzinfo=UTC),
            author_id=random.choice([1, 2, 3, None]),
        )
        for _ in range(80)
    )
    found = page(JOB.query({}), Job.objects.using(related)).items
    assert len(found) == 80
    assert sum("author" in job for job in found) > 40
    return found


ORDERS = [
    None,
    "id desc",
    "name",
    "name desc",
    "rank",
    "rank desc",
    "state desc, rank",
    "price, at desc",
    "at desc, name, rank desc",
    "rank, name desc, state",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", [None, "name ne 'a' and not author.tag_set.name eq 'blue'"])
@pytest.mark.slow
def test_pages(related: str, jobs: list[dict[str, Any]], order: str | None, text: str | None) -> None:
    """SPEC §6: the pages of the queryset are those of the reference in memory."""
    parameters = {"filter": text, "orderBy": order, "limit": "7", "count": "true"}
    mine = [job for job in jobs if job.get("author_id") != 3]
    queryset = Job.objects.using(related).exclude(author_id=3).order_by("-name")
    seen = 0
    while True:
        query = JOB.query(parameters)
        found = page(query, queryset)
        assert found == query.page(mine)
        seen += len(found.items)
        if found.next_token is None:
            break
        parameters["continue"] = found.next_token
    assert seen == found.total == len(JOB.compile(text).select(mine) if text else mine)


def test_skip(related: str, jobs: list[dict[str, Any]]) -> None:
    for parameters in ({"skip": "70"}, {"skip": "70", "limit": "3"}):
        query = JOB.query({**parameters, "include": "id,name"})
        assert page(query, Job.objects.using(related)) == query.page(jobs)


def test_relations_are_prefetched(related: str, jobs: list[dict[str, Any]]) -> None:
    with CaptureQueriesContext(connections[related]) as queries:
        page(JOB.query({"limit": "40"}), Job.objects.using(related))
    # The jobs, their authors, and the authors' tags.
    assert len(queries) == 3
    with CaptureQueriesContext(connections[related]) as queries:
        page(JOB.query({"include": "id,author_id"}), Job.objects.using(related))
    assert len(queries) == 1


def test_nested_members_of_flat_columns(related: str) -> None:
    """A schema of one's own puts columns where it likes."""
    made = Schema({"id": fields.Integer(), "info": fields.Object({"called": fields.String(column="Title")})}, key="id")
    found = page(made.query({"filter": "info.called eq 'one'"}), Task.objects.using(related))
    assert found.items == [{"id": 1, "info": {"called": "one"}}]


@pytest.mark.parametrize("name", ["west", "east"])
def test_timestamps_that_a_time_zone_has_not(name: str) -> None:
    """At the ends of the range, where a database keeps the time of a place."""
    with connections[name].schema_editor() as editor:
        editor.create_model(Stamp)
    stamps = Stamp.objects.using(name)
    stamps.create(id=1, at=datetime(2020, 1, 1, tzinfo=UTC))
    made = schema(Stamp)
    for text, expected in (
        ("at gt '0001-01-01T00:00:00Z'", [1]),
        ("at lte '0001-01-01T00:00:00Z'", []),
        ("at lt '9999-12-31T23:59:59.999999Z'", [1]),
        ("at in ('9999-12-31T23:59:59.999999Z', '2020-01-01')", [1]),
        ("at gte '9999-12-31T23:59:59.999999Z'", []),
    ):
        assert [stamp.id for stamp in apply(made.compile(text), stamps)] == expected, text
    connections[name].close()


# Schemas -------------------------------------------------------------------------------------------------------------


def test_schema_of_a_model() -> None:
    made = TASK.root.members
    assert {name: (type(field).__name__, field.nullable) for name, field in made.items()} == {
        "id": ("Integer", False),
        "title": ("String", False),
        "level": ("Enum", True),
        "external": ("Uuid", True),
        "done": ("Boolean", True),
        "price": ("Number", True),
        "precise": ("Number", True),
        "small": ("Integer", True),
        "start": ("Timestamp", True),
        "day": ("Date", True),
        "extra": ("Object", True),
        "author_id": ("Integer", True),
        "parent_id": ("Integer", True),
        "author": ("Object", True),
        "parent": ("Object", True),
        "children": ("Array", False),
        "tags": ("Array", False),
    }
    assert (TASK.key, JOB.key) == ("id", "id")
    title = made["title"]
    assert (title.column, title.max_length, title.description) == ("Title", 50, "What it is called.")
    assert made["level"].values == ("low", "high")
    author = made["author"].members
    assert set(author) == {"id", "name", "code", "company_id", "company", "profile", "tag_set"}
    assert author["profile"].nullable
    assert not author["name"].sortable
    assert isinstance(schema(Tag, fields={"labels": LABELS}).root.members["owner_id"], fields.Integer)


def test_schema_refuses_what_it_cannot_describe() -> None:
    with pytest.raises(SchemaError, match="labels: no field represents the type JSONField") as caught:
        schema(Tag)
    assert caught.value.code == "unknown_column_type"
    assert set(schema(Tag, omit_unsupported=True).root.members) == {"id", "name", "weight", "owner_id"}
    for wrong in ({"exclude": ["d"]}, {"relations": ["d"]}, {"fields": {"d": fields.Date()}}):
        with pytest.raises(SchemaError, match="d: there is no such column or relationship"):
            schema(Company, **wrong)


def test_arrays_of_timestamps() -> None:
    """PostgreSQL's own text of timestamps in JSON compares otherwise."""
    postgres = pytest.importorskip("django.contrib.postgres.fields")

    class Timed(Model):
        at = postgres.ArrayField(models.DateTimeField())
        days = postgres.ArrayField(models.DateField())

    with pytest.raises(SchemaError, match=r"^at: ") as caught:
        schema(Timed)
    assert caught.value.code == "timestamp_elements"
    shown = fields.Array(fields.Timestamp(operators=()))
    assert schema(Timed, fields={"at": shown}).root.members["at"] is shown
    assert set(schema(Timed, omit_unsupported=True).root.members) == {"id", "days"}


def test_open_schema_has_no_columns() -> None:
    with pytest.raises(SchemaError) as caught:
        apply(compile("title eq 'x'"), Task.objects)
    assert caught.value.code == "open_schema"


def test_values_are_parameters() -> None:
    """SPEC §5: nothing of the filter's text is in the SQL text."""
    sql, params = apply(
        TASK.compile("title eq 'needle' and tags.labels.name eq 'needle'"), Task.objects
    ).query.sql_with_params()
    assert "needle" not in sql
    assert params.count("needle") == 2


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "django.conf", None)
    monkeypatch.delitem(sys.modules, "astra_filter.adapters.django")
    with pytest.raises(MissingExtraError, match=r"'astra-filter\[django\]'"):
        importlib.import_module("astra_filter.adapters.django")
