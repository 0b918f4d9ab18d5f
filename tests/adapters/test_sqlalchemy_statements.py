"""Statements as people write them, through the SQLAlchemy adapter, on every database."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from adapters.engines import ENGINES, engine
from databases.backends import POSTGRES_URL
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    defer,
    immediateload,
    joinedload,
    lazyload,
    load_only,
    mapped_column,
    raiseload,
    relationship,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from astra_filter import SchemaError, fields
from astra_filter.adapters.sqlalchemy import apply, count, page, schema

if TYPE_CHECKING:
    from collections.abc import Iterator


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user_"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(9))
    rank: Mapped[int | None]
    home_id: Mapped[int | None] = mapped_column(sa.ForeignKey("home.id"))
    home: Mapped[Home | None] = relationship(lazy="joined")
    tags: Mapped[list[Tag]] = relationship(lazy="joined", order_by="Tag.id")
    reds: Mapped[list[Tag]] = relationship(
        primaryjoin="and_(User.id == Tag.user_id, Tag.name == 'red')", viewonly=True, order_by="Tag.id"
    )


class Home(Base):
    __tablename__ = "home"
    id: Mapped[int] = mapped_column(primary_key=True)
    town: Mapped[str] = mapped_column(sa.String(20))
    rooms: Mapped[list[Room]] = relationship(lazy="joined", order_by="Room.id")


class Room(Base):
    __tablename__ = "room"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    home_id: Mapped[int] = mapped_column(sa.ForeignKey("home.id"))


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_.id"))
    owner: Mapped[User] = relationship(viewonly=True)


class Node(Base):
    __tablename__ = "node"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(9))
    deleted: Mapped[bool]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("node.id"))
    parent: Mapped[Node | None] = relationship(remote_side=id, back_populates="children")
    children: Mapped[list[Node]] = relationship(back_populates="parent", order_by=id)


class Seat(Base):
    """A class of two keys."""

    __tablename__ = "seat"
    row: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(9), unique=True)


def rows() -> list[Any]:
    homes = [Home(id=1, town="Ulm", rooms=[Room(id=1, name="hall"), Room(id=2, name="den")]), Home(id=2, town="Bonn")]
    users = [
        User(
            id=number,
            name=f"u{number % 4}",
            state="ab"[number % 2],
            rank=None if number == 5 else number // 3,
            home=(*homes, None)[number % 3],
            tags=[
                Tag(id=number * 10 + place, name=name)
                for place, name in enumerate(("red", "blue", "red"))
                if number >> place & 1
            ],
        )
        for number in range(1, 10)
    ]
    seats = [Seat(row=row, number=number, label=f"{row}{'ab'[number]}") for row in (1, 2, 3) for number in (0, 1)]
    nodes = [
        Node(id=1, name="root", deleted=False),
        Node(id=2, name="secret", deleted=True, parent_id=1),
        Node(id=3, name="leaf", deleted=False, parent_id=2),
        Node(id=4, name="leaf", deleted=False, parent_id=1),
    ]
    return [*homes, *users, *seats, *nodes]


@pytest.fixture(scope="module", params=ENGINES)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with engine(request.param, "statements") as found, Session(found) as made:
        Base.metadata.create_all(made.connection())
        made.add_all(rows())
        made.commit()
        yield made


USER = schema(User, relations=["home", "home.rooms", "tags", "reds"])
PLAIN = schema(User)


def walk(session: Session, made: Any, statement: Any, order: str | None = None, **more: str) -> list[Any]:
    parameters = {"limit": "2", "count": "true", **more} | ({} if order is None else {"orderBy": order})
    items: list[Any] = []
    for _ in range(40):
        session.expunge_all()
        query = made.query(parameters)
        total = session.scalar(count(query, statement))
        found = page(query, session.scalars(apply(query, statement)), total=total)
        items += found.items
        if found.next_token is None:
            assert len(items) == found.total
            return items
        parameters["continue"] = found.next_token
    raise AssertionError("the walk does not end")


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    yield statements
    sa.event.remove(connection, "before_cursor_execute", note)


ALIAS = aliased(User)
STATEMENTS = {
    "distinct": sa.select(User).join(User.tags).distinct(),
    "distinct, ordered": sa.select(User).join(User.tags).distinct().order_by(User.name),
    "alias, distinct": sa.select(ALIAS).join(ALIAS.tags).where(ALIAS.rank > 0).distinct(),
    "limited": sa.select(User).order_by(User.name.desc(), User.id).limit(3),
    "offset": sa.select(User).order_by(User.id).limit(4).offset(3),
    "limited alias": sa.select(ALIAS).order_by(ALIAS.id.desc()).limit(3),
    "fetch": sa.select(User).order_by(User.id).fetch(3),
    "grouped": sa.select(User).join(User.tags).group_by(*User.__table__.c).having(sa.func.count(Tag.id) > 1),
    "union": sa.select(User).from_statement(
        sa.union(sa.select(User).where(User.rank == 0), sa.select(User).where(User.state == "a"))
    ),
    "text": sa.select(User).from_statement(sa.text("SELECT * FROM user_ WHERE rank > 1")),
    "columns": sa.select(User).from_statement(
        sa.text("SELECT state, name, rank, home_id, id FROM user_ WHERE rank > 1").columns(
            User.state, User.name, User.rank, User.home_id, User.id
        )
    ),
    "cte": sa.select(User).join(sa.select(Tag.user_id).distinct().cte("tagged"), sa.literal_column("tagged.user_id") == User.id),
    "tenant": sa.select(User).where(User.state == "a"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_as_people_write_them(session: Session, name: str) -> None:
    statement = STATEMENTS[name]
    if name == "fetch" and session.get_bind().dialect.name != "postgresql":
        statement = statement.fetch(None).limit(3)
    if name == "text" and session.get_bind().dialect.name in ("mysql", "mariadb", "postgresql"):
        statement = sa.select(User).from_statement(sa.text("SELECT user_.* FROM user_ WHERE user_.rank > 1"))
    session.expunge_all()
    expected = {user.id for user in session.scalars(statement).unique()}
    assert len(expected) > 1
    everything = [user for user in walk(session, USER, sa.select(User)) if user["id"] in expected]
    for order in (None, "name", "rank desc", "state, name desc"):
        parameters = {} if order is None else {"orderBy": order}
        assert walk(session, USER, statement, order) == USER.query(parameters).page(everything).items, order
    for text in ("tags.name eq 'red'", "rank in (0, null) or home.town eq 'Ulm'", "not state eq 'a'"):
        chosen = USER.compile(text)
        wanted = [user["id"] for user in chosen.select(everything)]
        assert [user["id"] for user in walk(session, USER, statement, filter=text)] == wanted
        session.expunge_all()
        found = session.scalars(apply(chosen, statement)).unique().all()
        assert sorted(user.id for user in found) == wanted


@pytest.mark.database
def test_distinct_on() -> None:
    with engine("postgresql", "distinct_on") as found, Session(found) as session:
        Base.metadata.create_all(session.connection())
        session.add_all(rows())
        session.flush()
        statement = sa.select(User).order_by(User.state, User.rank.desc().nulls_last(), User.id)
        if hasattr(postgresql, "distinct_on"):
            statement = statement.ext(postgresql.distinct_on(User.state))
        else:  # Before SQLAlchemy 2.1.
            statement = statement.distinct(User.state)
        expected = sorted(user.id for user in session.scalars(statement).unique())
        assert [user["id"] for user in walk(session, PLAIN, statement, "name desc")] == sorted(
            expected, key=lambda number: (number % 4, number), reverse=True
        )


def test_keys_of_several_columns(session: Session) -> None:
    made = schema(Seat, key="label")
    statement = sa.select(Seat).order_by(Seat.row.desc(), Seat.number).limit(3)
    assert [seat["label"] for seat in walk(session, made, statement, "label desc")] == ["3b", "3a", "2a"]


def test_rows_of_groups_and_unions(session: Session) -> None:
    """What selects no class is a table: its schema is that of the subquery."""
    total = sa.func.count().label("n")
    grouped = sa.select(User.state, sa.func.min(User.id).label("id"), total).group_by(User.state).having(total > 1)
    union = sa.union(sa.select(User.__table__).where(User.rank == 0), sa.select(User.__table__).where(User.rank == 1))
    table = sa.select(User.__table__).order_by(User.__table__.c.id).limit(3)
    for statement, text, expected in (
        (grouped, "n gt 4", [1]),
        (grouped, "state eq 'a' or n eq 5", [1, 2]),
        (union, "name eq 'u1'", [1, 5]),
        (table, "rank eq 0", [1, 2]),
    ):
        made = schema(statement.subquery(), fields={"id": fields.Integer()}, key="id")
        query = made.query({"filter": text, "limit": "5", "count": "true"})
        found = session.execute(apply(query, statement)).mappings()
        answer = query.page_from_rows(found, total=session.scalar(count(query, statement)))
        assert [item["id"] for item in answer.items] == [
            number for number in expected if text != "name eq 'u1'" or number < 5
        ]
        assert answer.total == len(answer.items)


OPTIONS = {
    "none": [],
    "joined": [joinedload(User.tags)],
    "joined, deeper": [joinedload(User.home).joinedload(Home.rooms)],
    "selectin": [selectinload(User.tags).load_only(Tag.id), selectinload(User.home).selectinload(Home.rooms)],
    "subquery": [subqueryload(User.reds), immediateload(User.home)],
    "raise": [raiseload(User.tags), raiseload(User.home)],
    "raise all": [raiseload("*")],
    "lazy": [lazyload(User.tags), lazyload(User.reds)],
    "load_only": [load_only(User.id, raiseload=True)],
    "defer": [defer(User.name), defer(User.state, raiseload=True)],
    "deeper": [joinedload(User.home).load_only(Home.id), selectinload(User.tags).raiseload("*")],
    "criteria": [with_loader_criteria(Tag, Tag.name == "red")],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_loader_options_of_the_caller(session: Session, name: str) -> None:
    """They are kept, and nothing that the page shows is loaded row by row."""
    statement = sa.select(User).options(*OPTIONS[name])
    everything = walk(session, USER, sa.select(User).options(*OPTIONS["criteria" if name == "criteria" else "none"]))
    assert walk(session, USER, statement) == everything
    for include in ("id,name", "id,home.town", "tags", None):
        session.expunge_all()
        query = USER.query({} if include is None else {"include": include})
        with counted(session) as statements:
            found = page(query, session.scalars(apply(query, statement)).unique())
            # The users, and at most their relations, and those of the relations.
            assert len(statements) <= 7, statements
        assert found.items == query.page(everything).items
    for text in ("tags.name eq 'blue'", "reds.name eq 'red'", "home.rooms.name eq 'den'"):
        chosen = USER.compile(text)
        session.expunge_all()
        assert {user.id for user in session.scalars(apply(chosen, statement)).unique()} == {
            user["id"] for user in chosen.select(everything)
        }, text


def test_options_that_are_kept(session: Session) -> None:
    session.expunge_all()
    query = USER.query("include=id")
    (user, *_) = session.scalars(
        apply(query, sa.select(User).options(raiseload(User.reds), defer(User.state)))
    ).unique()
    assert {"reds", "state", "tags"} <= sa.inspect(user).unloaded
    with pytest.raises(sa.exc.InvalidRequestError, match="raise"):
        _ = user.reds


@pytest.mark.parametrize("include_aliases", [False, True])
def test_criteria_of_a_table_that_refers_to_itself(session: Session, include_aliases: bool) -> None:
    """Rows that are hidden from the page are hidden from its filters."""
    made = schema(Node, relations=["parent", "children", "children.parent"])
    criteria = with_loader_criteria(Node, Node.deleted.is_(False), include_aliases=include_aliases)
    statement = sa.select(Node).options(criteria)
    session.expunge_all()
    everything = page(made.query(""), session.scalars(apply(made.query(""), statement))).items
    assert [node["id"] for node in everything] == [1, 3, 4]
    for text in (
        "children.name eq 'secret'",
        "parent.name eq 'secret'",
        "parent.name eq null",
        "children[name startswith 's']",
        "not children.name eq 'secret'",
        "children[parent.name eq 'root']",
    ):
        chosen = made.compile(text)
        session.expunge_all()
        found = session.scalars(apply(chosen, statement))
        assert sorted(node.id for node in found) == [node["id"] for node in chosen.select(everything)], text
        assert [node["id"] for node in walk(session, made, statement, filter=text)] == sorted(
            node["id"] for node in chosen.select(everything)
        )


def test_eager_rows_of_a_join(session: Session) -> None:
    """A limit would cut the rows that fill a collection."""
    statement = sa.select(User).join(User.tags).options(contains_eager(User.tags))
    with pytest.raises(SchemaError, match=r"contains_eager\(\) of the collection tags and a limit cannot") as caught:
        apply(USER.query("limit=3"), statement)
    assert caught.value.code == "limited_collection"
    session.expunge_all()
    query = USER.query("orderBy=name")
    found = page(query, session.scalars(apply(query, statement)).unique())
    everything = walk(session, USER, sa.select(User))
    expected = query.page([user for user in everything if user["tags"]]).items
    assert [user["id"] for user in found.items] == [user["id"] for user in expected]
    session.expunge_all()
    to_one = sa.select(User).join(User.home).options(contains_eager(User.home))
    assert [user["id"] for user in walk(session, USER, to_one)] == [u["id"] for u in everything if "home" in u]


def test_collections_that_a_class_joins_by_itself(session: Session) -> None:
    """Without unique(), whatever the page includes."""
    for include in ("id", "tags", "home.town", "home.rooms", "reds"):
        session.expunge_all()
        query = USER.query({"include": include, "limit": "3"})
        assert len(page(query, session.scalars(apply(query, sa.select(User)))).items) == 3


@pytest.mark.database
@pytest.mark.parametrize("url", ["sqlite", "postgresql"])
def test_async_sessions_load_nothing_later(url: str) -> None:
    made = "sqlite+aiosqlite://" if url == "sqlite" else sa.make_url(POSTGRES_URL).set(drivername="postgresql+asyncpg")

    async def run() -> None:
        found = create_async_engine(made, poolclass=sa.StaticPool)
        async with found.connect() as connection:
            if url == "postgresql":
                await connection.exec_driver_sql("CREATE SCHEMA astra_filter_statements")
                await connection.exec_driver_sql("SET search_path TO astra_filter_statements")
            await connection.run_sync(Base.metadata.create_all)
            async with AsyncSession(connection) as session:
                session.add_all(rows())
                await session.flush()
                for name, statement in {
                    **STATEMENTS,
                    **{n: sa.select(User).options(*o) for n, o in OPTIONS.items()},
                }.items():
                    if name in ("lazy", "criteria") or (name == "fetch" and url == "sqlite"):
                        continue
                    session.expunge_all()
                    query = USER.query({"filter": "tags.name eq 'red' or rank eq null", "orderBy": "name desc"})
                    answer = page(query, (await session.scalars(apply(query, statement))).unique())
                    assert answer.items, name
            await connection.rollback()
        await found.dispose()

    asyncio.run(run())


def test_what_cannot_be_combined() -> None:
    two = sa.select(User, sa.func.count(Tag.id)).join(User.tags).group_by(User.id)
    with pytest.raises(
        SchemaError, match=r"of what is distinct, grouped or limited, a select\(\) of one class"
    ) as caught:
        apply(PLAIN.query(""), two)
    assert caught.value.code == "bad_target"
