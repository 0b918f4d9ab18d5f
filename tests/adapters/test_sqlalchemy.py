"""The SQLAlchemy adapter: the conformance cases through it (SPEC §4, §5), relationships, schemas, pages (SPEC §6)."""

from __future__ import annotations

import asyncio
import enum
import importlib
import json
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from adapters.engines import ENGINES, engine
from cases import Case, Suite, identity, suites
from databases.backends import POSTGRES_URL, backend_params
from sqlalchemy.dialects import mysql, oracle, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    Session,
    WriteOnlyMapped,
    aliased,
    attribute_keyed_dict,
    mapped_column,
    relationship,
)

from astra_filter import Schema, SchemaError, StorageError, compile, fields
from astra_filter.adapters.sqlalchemy import apply, count, page, schema, where
from astra_filter.errors import MissingExtraError
from astra_filter.sql.rows import columns, folded_columns, is_document, to_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.meaning.leaves import Leaf

STORED = [
    pytest.param(suite, case, id=f"{suite.name}-{number}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.ids is not None and suite.only is None
]
JSON = sa.JSON(none_as_null=True)
TIMESTAMP = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
HOSTILE = {"sqlite": "NOCASE", "postgresql": "hostile", "mysql": "utf8mb4_general_ci"}


@pytest.fixture(scope="module", params=backend_params(ENGINES))
def database(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    with engine(request.param, "sqlalchemy") as found, found.connect() as connection:
        if request.param == "postgresql":
            connection.exec_driver_sql(
                "CREATE COLLATION hostile (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
            )
        connection.commit()
        connection.info["tables"] = {}
        yield connection


def dialect(database: sa.Connection) -> str:
    return database.dialect.name.replace("mariadb", "mysql")


def kind(leaf: Leaf, collation: str) -> sa.types.TypeEngine[Any]:
    """Return the type that somebody who uses SQLAlchemy would give a column."""
    match leaf.field:
        case fields.String() | fields.Enum():
            return sa.Text(collation=collation)
        case fields.Uuid():
            return sa.Uuid()
        case fields.Integer():
            return sa.BigInteger()
        case fields.Number():
            return sa.Double()
        case fields.Decimal(grid=grid):
            return sa.Numeric(grid.digits, grid.places)
        case fields.Boolean():
            return sa.Boolean()
        case fields.Timestamp():
            return TIMESTAMP
        case fields.Date():
            return sa.Date()
    raise AssertionError(leaf)


def stored(schema: Schema, resource: Any) -> dict[str, Any]:
    """Return the values of a row, as SQLAlchemy takes them."""
    row = to_row(schema, resource, "postgresql")
    for name, held in columns(schema).items():
        if row[name] is not None and is_document(held):
            row[name] = json.loads(row[name])
        elif row[name] is not None and isinstance(held[0].field, fields.Uuid):
            row[name] = UUID(row[name])
        elif row[name] is not None and isinstance(held[0].field, fields.Decimal):
            row[name] = Decimal(row[name])
    return row


def is_too_long_for_sqlite(suite: Suite) -> bool:
    """Whether a suite has decimals that SQLite makes doubles, as both ORMs store them, and that doubles do not hold."""
    held = [leaf for leaf in suite.schema.leaves.values() if isinstance(leaf.field, fields.Decimal)]
    return any(leaf.field.grid.digits > 14 and not leaf.column.json_path for leaf in held)


def table_of(suite: Suite, database: sa.Connection) -> sa.Table:
    """Return a table of the suite's rows, made when first asked for."""
    tables = database.info["tables"]
    if suite.name not in tables:
        made = [sa.Column("position_", sa.Integer)]
        keys = {}
        folded = {name: (leaf,) for name, leaf in folded_columns(suite.schema).items()}
        for number, (name, held) in enumerate({**columns(suite.schema), **folded}.items()):
            type_ = JSON if is_document(held) else kind(held[0], HOSTILE[dialect(database)])
            keys[name] = f"c{number}"
            made.append(sa.Column(name, type_, key=keys[name], nullable=held[0].column.nullable))
        table = sa.Table(f"rows_{len(tables)}", sa.MetaData(), *made)
        table.create(database)
        rows = [
            {"position_": place, **{keys[name]: value for name, value in stored(suite.schema, row).items()}}
            for place, row in enumerate(suite.rows)
        ]
        if rows:
            database.execute(table.insert(), rows)
        database.commit()
        tables[suite.name] = table
    return tables[suite.name]


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "case"), STORED)
def test_conformance(database: sa.Connection, suite: Suite, case: Case) -> None:
    if dialect(database) == "sqlite" and is_too_long_for_sqlite(suite):
        return
    table = table_of(suite, database)
    expected = [place for place, row in enumerate(suite.rows) if identity(row) in case.ids]
    others = [place for place in range(len(suite.rows)) if place not in expected]
    chosen = suite.schema.compile(case.filter)
    statement = sa.select(table.c.position_).order_by(table.c.position_)
    if dialect(database) in case.beyond:
        with pytest.raises(StorageError):
            database.execute(statement.where(where(chosen, table)))
        return
    assert list(database.scalars(statement.where(where(chosen, table)))) == expected
    assert list(database.scalars(statement.where(~where(chosen, table)))) == others
    # Joined with a condition of the server's own, and under an alias.
    alias = table.alias()
    assert (
        list(
            database.scalars(
                sa.select(alias.c.position_)
                .where(sa.or_(alias.c.position_ < 0, where(chosen, alias)), alias.c.position_ >= 0)
                .order_by(alias.c.position_)
            )
        )
        == expected
    )


# The ORM -------------------------------------------------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


task_tag = sa.Table(
    "task_tag",
    Base.metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
)


class Company(Base):
    __tablename__ = "company"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.String(50))


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.String(50))
    password: Mapped[str] = mapped_column(sa.String(50), default="secret")
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("company.id"))
    company: Mapped[Company | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(back_populates="owner")


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.String(50))
    weight: Mapped[int | None]
    labels: Mapped[list[Any] | None] = mapped_column(JSON)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("author.id"))
    owner: Mapped[Author | None] = relationship(back_populates="tags")


class Task(Base):
    __tablename__ = "task"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column("Title %", sa.String(50), comment="What it is called.")
    level: Mapped[Level | None]
    external: Mapped[UUID | None]
    done: Mapped[bool | None]
    price: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 2))
    precise: Mapped[Decimal | None] = mapped_column(sa.Numeric(30, 20))
    small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    start: Mapped[datetime | None] = mapped_column(TIMESTAMP)
    local: Mapped[datetime | None] = mapped_column(
        sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    )
    day: Mapped[date | None]
    extra: Mapped[Any | None] = mapped_column(JSON)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("author.id"))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("task.id"))
    author: Mapped[Author | None] = relationship()
    parent: Mapped[Task | None] = relationship(remote_side=id, back_populates="children")
    children: Mapped[list[Task]] = relationship(back_populates="parent", order_by=id)
    tags: Mapped[list[Tag]] = relationship(secondary=task_tag, order_by=Tag.id)


LABELS = fields.Array(fields.Object({"name": fields.String(), "value": fields.String(nullable=True)}), nullable=True)
EXTRA = fields.Object({"size": fields.Number(nullable=True), "kind": fields.String(nullable=True)}, nullable=True)
RELATIONS = (
    "author", "author.company", "author.tags", "parent", "parent.author", "parent.parent", "children", "children.author",
    "tags", "tags.owner", "children.tags",
)  # fmt: skip
TASK = schema(
    Task,
    fields={
        "extra": EXTRA,
        **{f"{path}.extra": EXTRA for path in ("parent", "parent.parent", "children")},
        **{f"{path}.labels": LABELS for path in ("tags", "author.tags", "children.tags")},
    },
    exclude=["author.password", "parent.author.password", "children.author.password", "tags.owner.password"],
    relations=RELATIONS,
)


def tasks() -> list[Task]:
    acme, nameless = Company(id=1, name="Acme"), Company(id=2, name=None)
    ann = Author(id=1, name="Ann", company=acme)
    bob = Author(id=2, name="bob", company=nameless)
    none = Author(id=3, name=None)
    red = Tag(id=1, name="red", weight=3, owner=ann, labels=[{"name": "env", "value": "prod"}])
    blue = Tag(id=2, name="blue", weight=1, labels=[{"name": "env", "value": "dev"}, {"name": "x", "value": "prod"}])
    plain = Tag(id=3, name=None, weight=None, labels=None, owner=none)
    first = Task(
        id=1, title="one", level=Level.LOW, external=UUID(int=1), done=True, price=Decimal("0.10"), small=7,
        precise=Decimal("0.10000000000000000001"),
        start=datetime(2020, 8, 6, 12, 24, 52, 256624, tzinfo=UTC), local=datetime(2020, 8, 6, 12), day=date(2020, 8, 6),
        extra={"size": 1.5, "kind": "a"}, author=ann, tags=[red, blue],
    )  # fmt: skip
    second = Task(
        id=2, title="ONE", level=Level.HIGH, external=UUID(int=255), done=False, price=Decimal("20.00"), small=-1,
        start=datetime(2021, 1, 1, tzinfo=UTC), local=datetime(2021, 1, 1), day=date(2021, 1, 1),
        extra={"size": 2, "kind": "b"}, author=bob, parent=first, tags=[blue],
    )  # fmt: skip
    third = Task(id=3, title="two ", author=none, parent=second, tags=[plain])
    fourth = Task(id=4, title="two", extra=None, parent=first, author=ann)
    fifth = Task(id=5, title="", extra="text", level=Level.LOW, parent=fourth)
    return [first, second, third, fourth, fifth]


FILTERS = [
    "title eq 'one'",
    "title gt 'ONE'",
    "title endswith ' '",
    "level eq 'low'",
    "level ne 'low'",
    "level in ('high', null)",
    "external eq '{00000000-0000-0000-0000-0000000000FF}'",
    "done eq true",
    "done ne true",
    "price eq 0.1",
    "price gte 0.1",
    "precise eq 0.1",
    "small lt 5000000000",
    "small in (7, -9223372036854775808)",
    "start lt '2020-08-06T14:24:52.256625+02:00'",
    "start eq '2021-01-01'",
    "local eq '2021-01-01'",
    "local lte '2020-08-06T14:00:00+02:00'",
    "day gt '2020-08-06'",
    "extra.size gt 1.5",
    "extra.kind ne 'a'",
    "extra.size eq null",
    "author.name eq 'Ann'",
    "author.name ne 'Ann'",
    "author.name eq null",
    "author.name ne null",
    "author.name in ('bob', null)",
    "author.name not in ('bob', null)",
    "author.name contains 'b'",
    "author.id eq null",
    "author.company.name eq 'Acme'",
    "author.company.name eq null",
    "not author.company.name startswith 'A'",
    "author.tags.name eq 'red'",
    "author.tags eq null",
    "author.tags ne null",
    "author.tags[name eq 'red' and owner_id eq 1]",
    "author.tags.labels.value eq 'prod'",
    "parent.title eq 'one'",
    "parent.title ne 'one'",
    "parent.parent.title eq 'one'",
    "parent.parent.id eq null",
    "parent.author.name eq 'Ann' and author.name ne 'Ann'",
    "parent.extra.kind eq 'a'",
    "children.title eq 'two'",
    "children.title ne 'two'",
    "children[title eq 'two' and author.name eq 'Ann']",
    "children[author.name eq 'bob' or tags.name eq 'red']",
    "not children[author.name ne 'Ann']",
    "tags.name eq 'blue'",
    "tags.name ne 'blue'",
    "tags.name eq null",
    "tags.name ne null",
    "tags.weight gt 1",
    "tags.name eq 'blue' and tags.weight gt 1 and not tags[name eq 'blue' and weight gt 1]",
    "tags[not name eq 'blue']",
    "not tags[name eq 'blue']",
    "tags.owner.name eq 'Ann'",
    "tags.owner.name eq null",
    "tags[owner.name eq null and weight eq null]",
    "tags.labels.name eq 'x'",
    "tags.labels[name eq 'env' and value eq 'prod']",
    "tags[labels eq null]",
    "tags[name eq 'red' and labels[value eq 'prod']]",
    "tags.labels eq null",
    "children.tags.name eq null",
    "children.tags.labels.value eq 'dev' or parent.title eq 'two'",
    "(tags.name eq 'red' or title eq 'two') and not (author.name eq 'bob' or level eq 'high') and id lt 5",
]


@pytest.fixture(scope="module")
def session(database: sa.Connection) -> Iterator[Session]:
    Base.metadata.create_all(database)
    with Session(database) as found:
        found.add_all(tasks())
        found.commit()
        yield found


@pytest.mark.parametrize("text", FILTERS)
@pytest.mark.slow
def test_mapped_class(session: Session, text: str) -> None:
    """The predicate reads the same objects through their attributes."""
    everything = list(session.scalars(sa.select(Task).order_by(Task.id)))
    chosen = TASK.compile(text)
    expected = chosen.select(everything)
    others = [task for task in everything if task not in expected]
    assert expected, "a filter that selects nothing shows nothing"
    assert others
    assert list(session.scalars(sa.select(Task).where(where(chosen, Task)).order_by(Task.id))) == expected
    assert list(session.scalars(sa.select(Task).where(~where(chosen, Task)).order_by(Task.id))) == others
    opposite = TASK.compile(f"not ({text})")
    assert list(session.scalars(sa.select(Task).where(where(opposite, Task)).order_by(Task.id))) == others
    alias = aliased(Task)
    assert list(session.scalars(sa.select(alias).where(where(chosen, alias)).order_by(alias.id))) == expected


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50))
    kind: Mapped[str] = mapped_column("Kind", sa.String(9))
    boss_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    boss: Mapped[Person | None] = relationship(remote_side=id)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Employee(Person):
    __tablename__ = "employee"
    id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    called: Mapped[str] = mapped_column("name", sa.String(50))
    __mapper_args__ = {"polymorphic_identity": "employee"}  # noqa: RUF012


class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str | None] = mapped_column("Note", sa.String(20), deferred=True)
    parts: Mapped[dict[int, Part]] = relationship(collection_class=attribute_keyed_dict("id"), order_by="Part.id")
    written: WriteOnlyMapped[Part] = relationship(viewonly=True)
    read: DynamicMapped[Part] = relationship(viewonly=True)


class Part(Base):
    __tablename__ = "part"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20), deferred=True)
    shelf_id: Mapped[int] = mapped_column(sa.ForeignKey("shelf.id"))


@pytest.fixture(scope="module")
def shelves(session: Session) -> Session:
    session.add(Shelf(id=1, note="x", parts={1: Part(id=1, name="a"), 2: Part(id=2, name="b")}))
    session.commit()
    return session


PARTS = [{"id": 1, "name": "a", "shelf_id": 1}, {"id": 2, "name": "b", "shelf_id": 1}]


def test_collections_that_are_no_lists(shelves: Session) -> None:
    query = schema(Shelf, relations=["parts"]).query("filter=parts.name eq 'a'&include=parts")
    assert page(query, shelves.scalars(apply(query, sa.select(Shelf)))).items == [[PARTS]]
    for name in ("written", "read"):
        with pytest.raises(SchemaError, match=f"^{name}: ") as caught:
            schema(Shelf, relations=[name])
        assert caught.value.code == "unloadable_relationship"


def test_deferred_columns_that_are_shown_are_loaded_along(shelves: Session) -> None:
    """Of an AsyncSession no column can be loaded later."""
    made = schema(Shelf, relations=["parts"])
    for target in (Shelf, aliased(Shelf)):
        shelves.expunge_all()
        with counted(shelves) as statements:
            query = made.query("")
            items = page(query, shelves.scalars(apply(query, sa.select(target)))).items
        assert items == [{"id": 1, "note": "x", "parts": PARTS}]
        assert len(statements) == 2
    shelves.expunge_all()
    query = made.query("include=id")
    (shelf,) = shelves.scalars(apply(query, sa.select(Shelf)))
    assert "note" in sa.inspect(shelf).unloaded


def test_columns_of_one_name(session: Session) -> None:
    """The tables of a class that inherits may both have a column of a name, only one of which callers may see."""
    session.add_all([Employee(id=1, name="secret", called="Ann"), Employee(id=2, name="Ann", called="Bob", boss_id=1)])
    session.flush()
    made = schema(Employee, exclude=["name"])
    assert (made.root.members["called"].column, made.root.members["kind"].column) == (None, "Kind")
    for text, expected in (
        ("called startswith 'secret'", []),
        ("called eq 'Ann' and kind eq 'employee'", [{"id": 1, "kind": "employee", "called": "Ann"}]),
    ):
        query = made.query({"filter": text, "orderBy": "called"})
        assert page(query, session.scalars(apply(query, sa.select(Employee)))).items == expected
    query = schema(Employee).query({"filter": "called eq 'Bob' and name eq 'Ann'", "include": "id,called,name"})
    assert page(query, session.scalars(apply(query, sa.select(Employee)))).items == [[2, "Bob", "Ann"]]


def test_columns_that_nothing_tells_apart() -> None:
    class Own(DeclarativeBase):
        pass

    class Thing(Own):
        __tablename__ = "thing"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    class Odd(Thing):
        __tablename__ = "odd"
        id: Mapped[int] = mapped_column(sa.ForeignKey("thing.id"), primary_key=True)
        called: Mapped[str] = mapped_column("name")
        other: Mapped[str] = mapped_column("called")

    with pytest.raises(SchemaError) as caught:
        schema(Odd)
    assert str(caught.value) == "called: other columns have its name, and that of its column; exclude it"
    assert caught.value.code == "ambiguous_column"
    assert set(schema(Odd, exclude=["called"]).root.members) == {"id", "name", "other"}


# Pages ---------------------------------------------------------------------------------------------------------------


class State(enum.Enum):
    PENDING = "b"
    RUNNING = "a"
    DONE = "c"


class Job(Base):
    __tablename__ = "job"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[State | None] = mapped_column(
        sa.Enum(State, values_callable=lambda cls: [member.value for member in cls])
    )
    rank: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(TIMESTAMP)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("author.id"))
    author: Mapped[Author | None] = relationship()


JOB = schema(
    Job, relations=["author", "author.tags"], fields={"author.tags.labels": LABELS}, exclude=["author.password"]
)


@pytest.fixture(scope="module")
def jobs(session: Session) -> list[Job]:
    random = Random(6)
    session.add_all(
        Job(
            id=UUID(int=random.getrandbits(128), version=4),
            name=random.choice(["a", "A", "b", "é", "e", "a ", "😀", "\ufffd", ""]),
            state=random.choice([*State, None]),
            rank=random.choice([1, 2, None]),
            at=datetime(2020, 1, 1, 0, 0, 0, random.choice([0, 1, 999_999]), tzinfo=UTC),
            author_id=random.choice([1, 2, 3, None]),
        )
        for _ in range(80)
    )
    session.commit()
    return list(session.scalars(sa.select(Job)))


ORDERS = [
    None,
    "id desc",
    "name",
    "name desc",
    "rank",
    "rank desc",
    "state",
    "state desc, rank",
    "at desc, name, rank desc",
    "rank, name desc, state",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", [None, "name ne 'a' and not author.tags.name eq 'blue'"])
@pytest.mark.slow
def test_pages(session: Session, jobs: list[Job], order: str | None, text: str | None) -> None:
    """SPEC §6: the pages of the SELECT are those of the reference in memory."""
    parameters = {"filter": text, "orderBy": order, "limit": "7", "count": "true"}
    statement = sa.select(Job).where(Job.author_id.is_distinct_from(3))
    mine = [job for job in jobs if job.author_id != 3]
    seen = 0
    while True:
        query = JOB.query(parameters)
        expected = query.page(mine)
        total = session.scalar(count(query, statement))
        found = page(query, session.scalars(apply(query, statement)), total=total)
        assert found == expected
        seen += len(found.items)
        if found.next_token is None:
            break
        parameters["continue"] = found.next_token
    assert seen == found.total == len(JOB.compile(text).select(mine) if text else mine)


def test_skip_without_limit(session: Session, jobs: list[Job]) -> None:
    query = JOB.query({"skip": "70", "include": "id,name"})
    assert page(query, session.scalars(apply(query, sa.select(Job)))) == query.page(jobs)


def test_pages_of_a_table(session: Session, jobs: list[Job]) -> None:
    """SPEC §6: rows of a table, without the ORM."""
    plain = schema(Job.__table__)
    assert plain.key == "id"
    query = plain.query({"filter": "rank eq null", "orderBy": "name desc", "limit": "5"})
    rows = session.execute(apply(query, sa.select(Job.__table__))).mappings()
    found = query.page_from_rows(rows)
    assert found == query.page(jobs)
    assert found.next_token is not None


def test_names_that_sqlalchemy_quotes(database: sa.Connection) -> None:
    """Without the ORM, the names of columns are a class of SQLAlchemy's own."""
    table = sa.Table(
        "quoted", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9), key="k")
    )
    table.create(database)
    database.execute(table.insert(), [{"id": 1, "k": "a"}])
    query = schema(table).query({"filter": "k eq 'a'", "count": "true"})
    assert query.page_from_rows(database.execute(apply(query, sa.select(table))).mappings(), total=1).items == [
        {"id": 1, "k": "a"}
    ]
    assert query.page([{"id": 1, "k": "a"}]).items == [{"id": 1, "k": "a"}]


def test_relationships_are_loaded_along(session: Session) -> None:
    query = JOB.query({"limit": "40"})
    session.expire_all()
    with counted(session) as statements:
        page(query, session.scalars(apply(query, sa.select(Job))))
    # The jobs, their authors, and the authors' tags.
    assert len(statements) == 3
    session.expire_all()
    query = JOB.query({"include": "id,author_id"})
    with counted(session) as statements:
        page(query, session.scalars(apply(query, sa.select(Job))))
    assert len(statements) == 1


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    yield statements
    sa.event.remove(connection, "before_cursor_execute", note)


@pytest.mark.parametrize("name", backend_params(["sqlite", "postgresql"]))
def test_async_session(name: str) -> None:
    url = "sqlite+aiosqlite://" if name == "sqlite" else sa.make_url(POSTGRES_URL).set(drivername="postgresql+asyncpg")

    async def run() -> None:
        made = create_async_engine(url, poolclass=sa.StaticPool)
        try:
            async with made.connect() as connection:
                if name == "postgresql":
                    await connection.exec_driver_sql("CREATE SCHEMA astra_filter_async")
                    await connection.exec_driver_sql("SET search_path TO astra_filter_async")
                await connection.run_sync(Base.metadata.create_all)
                async with AsyncSession(connection) as session:
                    session.add_all(tasks())
                    await session.flush()
                    session.expunge_all()
                    statement = sa.select(Task)
                    query = TASK.query({})
                    everything = page(query, await session.scalars(apply(query, statement))).items
                    for text in FILTERS[::3]:
                        session.expunge_all()
                        query = TASK.query({"filter": text})
                        found = page(query, await session.scalars(apply(query, statement)))
                        assert found.items == query.filter.select(everything), text
                await connection.rollback()
        finally:
            await made.dispose()

    asyncio.run(run())


# Schemas and statements ----------------------------------------------------------------------------------------------


def test_schema_of_a_mapped_class() -> None:
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
        "local": ("Timestamp", True),
        "day": ("Date", True),
        "extra": ("Object", True),
        "author_id": ("Integer", True),
        "parent_id": ("Integer", True),
        "author": ("Object", True),
        "parent": ("Object", True),
        "children": ("Array", False),
        "tags": ("Array", False),
    }
    assert TASK.key == "id"
    assert (made["title"].column, made["title"].max_length, made["title"].description) == (
        "Title %",
        50,
        "What it is called.",
    )
    assert (made["level"].values, made["level"].sortable) == (("low", "high"), False)
    assert set(made["author"].members) == {"id", "name", "company_id", "company", "tags"}
    assert not made["author"].members["name"].sortable
    assert JOB.root.members["state"].sortable


def test_schema_refuses_what_it_cannot_describe() -> None:
    table = sa.Table(
        "t", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.LargeBinary), sa.Column("_c", sa.Text)
    )
    with pytest.raises(SchemaError, match="b: no field represents the type LargeBinary") as caught:
        schema(table)
    assert caught.value.code == "unknown_column_type"
    assert set(schema(table, omit_unsupported=True).root.members) == {"a"}
    assert set(schema(table, exclude=["b"]).root.members) == {"a"}
    assert schema(table, exclude=["b"]).key is None
    for wrong in (
        {"exclude": ["b", "d"]},
        {"exclude": ["b"], "relations": ["d"]},
        {"exclude": ["b"], "fields": {"d": fields.Date()}},
    ):
        with pytest.raises(SchemaError, match="d: there is no such column or relationship"):
            schema(table, **wrong)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (sa.Interval(), "unknown_column_type"),
        (postgresql.ARRAY(sa.Interval()), "unknown_column_type"),
        (postgresql.ARRAY(sa.DateTime()), "timestamp_elements"),
        (postgresql.ARRAY(sa.DateTime(timezone=True)), "timestamp_elements"),
    ],
)
def test_types_that_no_field_represents(kind: sa.types.TypeEngine[Any], code: str) -> None:
    """An interval is a timestamp on some databases; PostgreSQL's own text of timestamps in JSON compares otherwise."""
    with pytest.raises(SchemaError, match=r"^a: ") as caught:
        schema(sa.Table("t", sa.MetaData(), sa.Column("a", kind)))
    assert caught.value.code == code


def test_schema_of_other_types() -> None:
    class Trimmed(sa.types.TypeDecorator[str]):
        impl = sa.String(9)
        cache_ok = True

    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", Trimmed),
        sa.Column("b", postgresql.ARRAY(sa.Integer)),
        sa.Column("c", sa.Text(collation="C")),
        sa.Column("d", sa.Enum("x", "y")),
    )
    members = schema(table).root.members
    assert members["a"].max_length == 9
    assert isinstance(members["b"].items, fields.Integer)
    assert (members["a"].binary, members["c"].binary) == (None, True)
    assert members["d"].values == ("x", "y")


@pytest.mark.database
def test_arrays_of_postgresql() -> None:
    """A column of arrays is read as JSON."""
    with engine("postgresql", "arrays") as found, found.begin() as connection:
        table = sa.Table(
            "t",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("tags", postgresql.ARRAY(sa.Text)),
            sa.Column("ids", postgresql.ARRAY(sa.Uuid)),
        )
        table.create(connection)
        rows = [
            {"id": 1, "tags": ["a", None], "ids": [UUID(int=10)]},
            {"id": 2, "tags": [], "ids": None},
            {"id": 3, "tags": None, "ids": [UUID(int=11), UUID(int=12)]},
        ]
        connection.execute(table.insert(), rows)
        made = schema(table)
        for text in (
            "tags eq 'a'",
            "tags ne 'a'",
            "tags eq null",
            "ids eq '0000000000000000000000000000000C'",
            "ids ne null",
        ):
            chosen = made.compile(text)
            statement = sa.select(table.c.id).where(where(chosen, table)).order_by(table.c.id)
            assert list(connection.scalars(statement)) == [row["id"] for row in chosen.select(rows)] != [], text


def test_uuids_that_a_type_refuses(database: sa.Connection, session: Session, jobs: list[Job]) -> None:
    """MariaDB compares its UUIDs as null with one of an unknown variant."""
    for text in ("id ne 'ea58325a-8f6e-82c6-5053-0b5cf2172926'", "id not in ('ea58325a-8f6e-82c6-5053-0b5cf2172926')"):
        assert len(session.scalars(sa.select(Job).where(where(JOB.compile(text), Job))).all()) == len(jobs)


@pytest.mark.parametrize(
    "dialect", [sqlite.dialect(), postgresql.dialect(), mysql.dialect()], ids=lambda found: found.name
)
def test_statement_depends_on_the_shape_alone(dialect: sa.Dialect) -> None:
    """SPEC §5: values are parameters; the statement is compiled once for a shape."""
    first, second = (
        sa.select(Task).where(
            where(TASK.compile(f"title eq '{word}' and tags.labels.name eq '{word}' and price gt {n}"), Task)
        )
        for word, n in (("needle", 12345), ("'' OR 1=1 --", 54321))
    )
    text = str(first.compile(dialect=dialect))
    assert text == str(second.compile(dialect=dialect))
    assert "needle" not in text
    assert "12345" not in text
    assert "EXISTS" in text
    assert first._generate_cache_key() == second._generate_cache_key()
    other = sa.select(Task).where(
        where(TASK.compile("title ne 'needle' and tags.labels.name eq 'x' and price gt 1"), Task)
    )
    assert first._generate_cache_key() != other._generate_cache_key()


def test_text_for_people() -> None:
    assert "instr" in str(where(TASK.compile("title contains 'x'"), Task))


def test_unsupported_dialect() -> None:
    """It is refused before there is any SQL, by an error of the library's own."""
    with pytest.raises(SchemaError) as caught:
        sa.select(Task).where(where(TASK.compile("title eq 'x'"), Task)).compile(dialect=oracle.dialect())
    assert caught.value.code == "unknown_dialect"
    assert str(caught.value).endswith("the dialects are sqlite, postgresql, mysql, mariadb")


def test_open_schema_has_no_columns() -> None:
    with pytest.raises(SchemaError) as caught:
        where(compile("title eq 'x'"), Task)
    assert caught.value.code == "open_schema"


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "astra_filter.adapters.sqlalchemy")
    with pytest.raises(MissingExtraError, match=r"'astra-filter\[sqlalchemy\]'"):
        importlib.import_module("astra_filter.adapters.sqlalchemy")


def test_maps_of_decimals_share_a_cached_statement() -> None:
    """Keys and exact values are bound anew each time, in the form that the database takes for the operator."""
    priced = Schema({"id": fields.Integer(), "prices": fields.Map(fields.Decimal(9, 2))}, key="id")
    table = sa.Table("priced", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("prices", JSON))
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        rows = [{"id": 1, "prices": {"a": "1.10", "$": "9.99"}}, {"id": 2, "prices": {"a": "2.00"}}]
        connection.execute(table.insert(), rows)
        for text, expected in (
            ("prices.a gt 1.1", [2]),
            ("prices.a gt 1.09999999999", [1, 2]),
            ("prices.`$` gt 9", [1]),
            ("prices.a gte 1.1", [1, 2]),
            ("prices.a gte 1.1000001", [2]),
            ("prices.a eq 2", [2]),
            ("prices.a eq 2.001", []),
            ("prices.`$` in (9.99, null)", [1, 2]),
        ):
            statement = apply(priced.compile(text), sa.select(table.c.id).order_by(table.c.id), table)
            assert list(connection.scalars(statement)) == expected
