"""The models that people have, through the Django adapter: columns, querysets, managers, wrong arguments."""

from __future__ import annotations

import ipaddress
import uuid
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from adapters.django_databases import DATABASES
from adapters.django_databases import database as namespace
from django.contrib.postgres.fields import ArrayField
from django.db import connections, models
from django.db.models.functions import Now

from astra_filter import SchemaError, StorageError, fields
from astra_filter.adapters.django import apply, converted, page, schema, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from astra_filter import Schema


class Model(models.Model):
    class Meta:
        abstract = True
        app_label = "adapters"


class Upper(models.CharField):
    """Changes values on the way to the database only."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None else value.upper()


class Cents(models.IntegerField):
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else Decimal(value) / 100

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else int(value * 100)


class Whole(Model):
    at = models.DateTimeField(null=True)
    made = models.DateTimeField(db_default=Now())
    number = models.FloatField(null=True)
    precise = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    large = models.PositiveBigIntegerField(null=True)
    name = Upper(max_length=20, null=True)
    price = Cents(null=True)
    key = models.UUIDField(null=True)


class Host(Model):
    ip = models.GenericIPAddressField()


class Described:
    """An attribute of a class of its own."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else instance.__dict__[self.field.attname]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class Shouted(models.CharField):
    descriptor_class = Described


class Cited(models.CharField):
    def db_type(self, connection: Any) -> str:
        return "citext"


class Alive(models.Manager):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted=False)


class Person(Model):
    name = models.CharField(max_length=20)
    deleted = models.BooleanField(default=False)
    objects = Alive()
    everything = models.Manager()

    class Meta:
        app_label = "adapters"
        base_manager_name = "objects"


class Sticker(Model):
    name = models.CharField(max_length=20)
    deleted = models.BooleanField(default=False)
    owner = models.ForeignKey(Person, null=True, on_delete=models.CASCADE)
    objects = Alive()
    everything = models.Manager()


class Post(Model):
    title = models.CharField(max_length=20)
    state = models.CharField(max_length=9)
    rank = models.IntegerField()
    tags = models.ManyToManyField(Sticker)
    owner = models.ForeignKey(Person, null=True, on_delete=models.CASCADE)


class Comment(Model):
    text = models.CharField(max_length=20)
    deleted = models.BooleanField(default=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE)
    objects = Alive()


@pytest.fixture(scope="module", params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with namespace(request.param) as name:
        with connections[name].schema_editor() as editor:
            for model in (Whole, Person, Sticker, Post, Comment):
                editor.create_model(model)
        shown, hidden = (
            Person.everything.using(name).create(name=n, deleted=n == "hidden") for n in ("shown", "hidden")
        )
        red = Sticker.everything.using(name).create(name="red", owner=shown)
        secret = Sticker.everything.using(name).create(name="secret", deleted=True, owner=shown)
        odd = Sticker.everything.using(name).create(name="odd", owner=hidden)
        for number in range(8):
            post = Post.objects.using(name).create(
                title=f"t{number}", state="ab"[number % 2], rank=number // 3, owner=(shown, hidden, None)[number % 3]
            )
            post.tags.set([tag for place, tag in enumerate((red, secret, odd)) if number >> place & 1])
            Comment._base_manager.using(name).create(text="spam", deleted=number < 4, post=post)
            Comment._base_manager.using(name).create(text="ham", deleted=number % 2 == 0, post=post)
        yield name


@pytest.fixture
def wholes(database: str) -> Iterator[models.QuerySet[Any]]:
    yield Whole.objects.using(database)
    Whole.objects.using(database).all().delete()


def walk(made: Schema, queryset: Any, order: str | None = None, limit: int = 2) -> list[Any]:
    parameters = {"limit": str(limit)} | ({} if order is None else {"orderBy": order})
    items: list[Any] = []
    for _ in range(60):
        found = page(made.query(parameters), queryset)
        items += found.items
        if found.next_token is None:
            return items
        parameters["continue"] = found.next_token
    raise AssertionError("the walk does not end")


def check(made: Schema, queryset: Any, filters: Iterable[str], orders: Iterable[str] = ()) -> None:
    """Compare filters, their opposites and walks in the database with the predicate over the items shown."""
    everything = page(made.query({}), queryset).items
    for text in chain.from_iterable((each, f"not ({each})") for each in filters):
        chosen = made.compile(text)
        expected = [item["id"] for item in chosen.select(everything)]
        assert sorted(row.pk for row in apply(chosen, queryset)) == expected, text
    for order in chain.from_iterable((each, f"{each} desc") for each in orders):
        assert walk(made, queryset, order) == made.query({"orderBy": order}).page(everything).items, order


WHOLE = schema(Whole, exclude=["price"])

# Columns -------------------------------------------------------------------------------------------------------------


def test_defaults_of_the_database(wholes: Any) -> None:
    """The database writes its own timestamps in its own way."""
    for _ in range(5):
        wholes.create()
    moment = wholes.first().made
    wholes.update(made=moment)
    check(
        WHOLE,
        wholes,
        [f"made eq '{moment:%Y-%m-%dT%H:%M:%S.%fZ}'", f"made gte '{moment:%Y-%m-%dT%H:%M:%S.%fZ}'"],
        ["made"],
    )
    assert [item["id"] for item in walk(WHOLE, wholes, "made")] == sorted(row.pk for row in wholes)


@pytest.mark.parametrize("database", ["default"], indirect=True)
def test_spellings_of_sqlite(database: str, wholes: Any) -> None:
    rows, name = wholes, database
    spellings = [
        "2020-08-06 12:24:52", "2020-08-06T12:24:52", "2020-08-06 12:24:52.2", "2020-08-06 12:24:52.256624",
        "2020-08-06 14:24:52.256624+02:00", "2020-08-06T12:24:52.25Z", "2019-12-31 23:30:00-01:00", "2020-08-06 12:24",
    ]  # fmt: skip
    for text in spellings:
        pk = rows.create().pk
        with connections[name].cursor() as cursor:
            cursor.execute("UPDATE adapters_whole SET at = %s, made = '2020-01-01 00:00:00' WHERE id = %s", [text, pk])
    rows.create()
    check(
        WHOLE,
        rows,
        ["at eq '2020-08-06T12:24:52Z'", "at gt '2020-08-06T12:24:52.2Z'", "at in ('2020-01-01T00:30:00Z', null)"],
        ["at", "made"],
    )


def test_numbers(wholes: Any, database: str) -> None:
    for number, precise in ((0.1, "0.1"), (None, None), (-5.5, "0.10000000000000000001"), (1e300, "20")):
        wholes.create(number=number, precise=None if precise is None else Decimal(precise), large=number and 5)
    check(
        WHOLE, wholes, ["number gt 0", "number eq 0.1", "precise eq 0.1", "precise lte 0.1", "large gte 0"],
        ["number", "precise", "large"],
    )  # fmt: skip
    if database == "postgresql":
        wholes.create(number=float("nan"))
        wholes.create(number=float("inf"))
        check(WHOLE, wholes, ["number gt 0", "number gte 1", "number ne 1"])
        with pytest.raises(StorageError, match="the sort field number holds a value that is none of its type"):
            walk(WHOLE, wholes, "number desc", 1)
    if database == "mysql":
        with connections[database].cursor() as cursor:
            cursor.execute("UPDATE adapters_whole SET large = 18446744073709551615 WHERE number < 0")
        check(WHOLE, wholes, ["large gt 0", "large eq null", "large ne 5"], ["large"])


def test_text_that_is_changed_on_its_way(wholes: Any) -> None:
    """Literals go past what the field does."""
    wholes.create(name="abc")
    wholes.create(name="x")
    check(WHOLE, wholes, ["name eq 'abc'", "name eq 'ABC'", "name startswith 'a'", "name gt 'ABC'"], ["name"])


def test_uuids(wholes: Any) -> None:
    keys = [uuid.UUID(int=number << 64 | 0xFEDCBA) for number in (7, 3, 2**60, 2**63 + 1)]
    for key in [*keys, None]:
        wholes.create(key=key)
    check(WHOLE, wholes, [f"key eq '{keys[0]}'", f"key in ('{keys[1].hex}', null)"], ["key"])


def test_converters(wholes: Any) -> None:
    pair = converted(
        fields.Number(nullable=True), to_database=lambda value: Decimal(repr(value)), to_resource=float, ordered=True
    )
    made = schema(Whole, fields={"price": pair})
    for price in ("0.10", "20", None, "0.2", "0.10"):
        wholes.create(price=None if price is None else Decimal(price))
    check(made, wholes, ["price eq 0.1", "price gt 0.1", "price in (20, null)", "price ne 0.2"], ["price"])
    assert {item.get("price") for item in walk(made, wholes)} == {0.1, 20.0, None, 0.2}


def test_what_is_not_guessed() -> None:
    class Odd(Model):
        a = Cents()
        b = Shouted(max_length=3)
        c = Cited(max_length=3)
        d = ArrayField(ArrayField(models.IntegerField()))
        e = ArrayField(Cents())
        f = models.DurationField()
        g = models.GenericIPAddressField()

        class Meta:
            app_label = "odd"

    with pytest.raises(SchemaError) as caught:
        schema(Odd)
    assert caught.value.code == "bad_columns"
    lines = str(caught.value).splitlines()
    assert [line[:2] for line in lines] == ["a:", "b:", "c:", "d:", "e:", "f:", "g:"]
    pair = "converted(fields.…, to_database=…, to_resource=…)"
    assert lines[0] == (
        "a: the type Cents changes values on their way to the database or from it, which is not guessed; "
        f"write fields={{'a': {pair}}}, or exclude=['a']"
    )
    assert lines[5] == f"f: no field represents the type DurationField; write fields={{'f': {pair}}}, or exclude=['f']"
    assert set(schema(Odd, omit_unsupported=True).root.members) == {"id"}
    for name, field in {
        "a": fields.Integer(), "f": fields.String(), "g": fields.String(), "d": fields.Array(fields.Integer()),
    }.items():  # fmt: skip
        with pytest.raises(SchemaError, match=f"^{name}: ") as caught:
            schema(Odd, fields={name: field}, omit_unsupported=True)
        assert caught.value.code in ("misfit", "unguessed_type")


def test_addresses_through_a_converter(database: str) -> None:
    made = schema(
        Host,
        fields={
            "ip": converted(fields.String(), to_database=lambda text: str(ipaddress.ip_address(text)), to_resource=str)
        },
    )
    with connections[database].schema_editor() as editor:
        editor.create_model(Host)
    for ip in ("10.0.0.1", "::1"):
        Host.objects.using(database).create(ip=ip)
    check(made, Host.objects.using(database), ["ip eq '10.0.0.1'", "ip ne '::1'"])


# Managers ------------------------------------------------------------------------------------------------------------

POST = schema(Post, relations=["tags", "tags.owner", "owner", "owner.sticker_set", "comment_set"])


def test_filters_see_what_pages_show(database: str) -> None:
    """Default managers hide rows, and so does a base manager: their text cannot be probed."""
    posts = Post.objects.using(database)
    check(
        POST,
        posts,
        [
            "tags.name eq 'secret'",
            "tags.name ne 'secret'",
            "tags[name startswith 's']",
            "tags.owner.name eq 'hidden'",
            "tags.owner.name eq null",
            "tags[owner.name eq null]",
            "owner.name eq 'hidden'",
            "owner.name ne 'hidden'",
            "owner.name eq null",
            "owner.sticker_set.name eq 'secret'",
            "owner.sticker_set.name eq 'odd'",
            "owner.sticker_set eq null",
            "comment_set.text eq 'spam'",
            "not comment_set.text eq 'spam' and comment_set.text eq 'ham'",
        ],
    )
    assert not apply(POST.compile("tags.name eq 'secret' or owner.name eq 'hidden'"), posts).exists()
    assert apply(POST.compile("tags.name eq 'red'"), posts).exists()


def test_prefetch_of_ones_own(database: str) -> None:
    for lookup in (
        models.Prefetch("tags", Sticker.everything.using(database).filter(name__in=["secret", "odd"])),
        models.Prefetch("owner", Person.everything.using(database).filter(name="hidden")),
        models.Prefetch("comment_set", Comment.objects.using(database).exclude(text="spam")),
        models.Prefetch("tags", Sticker.everything.using(database), to_attr="all_tags"),
    ):
        check(
            POST,
            Post.objects.using(database).prefetch_related(lookup),
            [
                "tags.name eq 'secret'", "tags.name eq 'red'", "owner.name eq 'hidden'", "owner.name eq 'shown'",
                "comment_set.text eq 'spam'", "comment_set[text eq 'ham']",
            ],
            ["title"],
        )  # fmt: skip
    sliced = Post.objects.using(database).prefetch_related(models.Prefetch("tags", Sticker.objects.all()[:1]))
    with pytest.raises(SchemaError, match="a Prefetch of rows that are neither sliced nor combined is expected"):
        page(POST.query(""), sliced)


# Querysets as people write them --------------------------------------------------------------------------------------

PLAIN = schema(Post)


def test_querysets_as_people_write_them(database: str) -> None:
    posts = Post.objects.using(database)
    querysets = {
        "distinct": posts.filter(comment__text__in=["spam", "ham"]).distinct(),
        "reverse": posts.order_by("title").reverse(),
        "union": posts.filter(rank=0).union(posts.filter(rank=2)),
        "union all": posts.filter(rank=0).union(posts.filter(state="a"), all=True),
        "annotated": posts.annotate(n=models.Count("comment")).filter(n__gt=0),
        "related": posts.select_related("owner").prefetch_related("tags"),
        "only": posts.only("rank"),
        "ordered": posts.order_by("rank", "?"),
    }
    if database == "postgresql":
        querysets["distinct on"] = posts.order_by("state", "-rank").distinct("state")
    if database != "mysql":
        querysets["difference"] = posts.all().difference(posts.filter(rank=1))
    for name, queryset in querysets.items():
        expected = sorted({post.pk for post in queryset})
        assert [item["id"] for item in walk(PLAIN, queryset, None, 3)] == expected, name
        total = page(PLAIN.query({"count": "true", "limit": "1"}), queryset).total
        assert total == len(expected), name
        check(PLAIN, queryset, ["title gt 't3'", "state eq 'a'", "rank in (0, 2)"], ["rank", "title"])


def test_annotations_are_fields(database: str) -> None:
    made = schema(Post)
    made = type(made)({**made.root.members, "n": fields.Integer(), "shout": fields.String()}, key="id")
    posts = Post.objects.using(database).annotate(
        n=models.Count("tags"), shout=models.functions.Upper("title", output_field=models.CharField())
    )
    check(
        made, posts, ["n gt 1", "shout eq 'T3'", "n eq 0 or rank eq 2", "not n eq 1 and shout gt 'T1'"], ["n", "shout"]
    )
    for text in ("n gt 1", "rank eq 1 and n eq 1"):
        with pytest.raises(
            SchemaError, match="Post has no column or attribute 'n', which the schema declares"
        ) as caught:
            apply(made.compile(text), Post.objects.using(database))
        assert caught.value.code == "column_not_found"


def test_querysets_of_no_instances(database: str) -> None:
    posts = Post.objects.using(database)
    for queryset in (posts.values("id"), posts.values_list("id"), posts.values("state").annotate(n=models.Count("id"))):
        for call in (page, apply):
            with pytest.raises(SchemaError, match="a queryset of instances") as caught:
                call(PLAIN.query(""), queryset)
            assert caught.value.code == "bad_target"


# Wrong arguments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [Post.objects.all()[:3], [], None, 5, Post, Post(), "post", Post.objects.raw("SELECT 1")],
    ids=["slice", "list", "None", "int", "model", "instance", "str", "raw"],
)
def test_querysets_that_are_none(target: Any) -> None:
    for call, chosen in ((apply, PLAIN.compile("rank eq 1")), (apply, PLAIN.query("")), (page, PLAIN.query(""))):
        with pytest.raises(SchemaError, match="a queryset or manager that is not sliced is expected") as caught:
            call(chosen, target)
        assert caught.value.code == "bad_target"


@pytest.mark.parametrize("target", [Post(), None, 5, int, "post", []], ids=repr)
def test_models_that_are_none(target: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        where(PLAIN.compile("rank eq 1"), target)
    assert caught.value.code == "bad_target"
    with pytest.raises(SchemaError, match="a model is expected") as caught:
        schema(target)
    assert caught.value.code == "bad_target"


def test_managers_are_targets() -> None:
    text = "rank eq 1"
    for target in (Post, Post.objects, Post.objects.all()):
        assert "rank" in str(Post.objects.filter(where(PLAIN.compile(text), target)).query)


@pytest.mark.parametrize("chosen", ["rank eq 1", None, PLAIN, str, 5], ids=repr)
def test_filters_that_are_none(chosen: Any) -> None:
    for call in (
        lambda: where(chosen, Post),
        lambda: apply(chosen, Post.objects.all()),
        lambda: page(chosen, Post.objects.all()),
    ):
        with pytest.raises(SchemaError) as caught:
            call()
        assert caught.value.code == "bad_query"


def test_filters_of_another_model() -> None:
    for chosen in (PLAIN.compile("rank eq 1"), PLAIN.query("filter=rank eq 1"), PLAIN.query("orderBy=rank")):
        with pytest.raises(SchemaError, match="Comment has no column or attribute 'rank', which the schema declares"):
            apply(chosen, Comment.objects)
