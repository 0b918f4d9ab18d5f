"""The columns that people have, through the SQLAlchemy adapter: filters, orders and pages agree with what is shown."""

from __future__ import annotations

import asyncio
import enum
import uuid
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from adapters.engines import ENGINES, engine
from databases.backends import POSTGRES_URL
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry

from astra_filter import SchemaError, StorageError, fields
from astra_filter.adapters.sqlalchemy import apply, converted, page, schema, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from astra_filter import Schema

ONE_SECOND = datetime(2020, 8, 6, 12, 24, 52)


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with engine(request.param, "columns") as found:
        if request.param == "postgresql":
            with found.begin() as connection:
                connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public")
        yield found


def model(column: Any, **more: Any) -> type[Any]:
    """Return a mapped class with the columns ``id`` and ``v``, in a registry of its own."""
    columns = [sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", column), *more.values()]
    cls = type("Row", (), {})
    registry().map_imperatively(cls, sa.Table("rows_of_one", sa.MetaData(), *columns))
    return cls


def rows_of(session: Session, cls: type[Any], values: Iterable[Any]) -> None:
    table = sa.inspect(cls).local_table
    table.drop(session.connection(), checkfirst=True)
    table.create(session.connection())
    for number, value in enumerate(values, 1):
        row = cls()
        row.id, row.v = number, value
        session.add(row)
    session.flush()
    session.expire_all()


def walk(session: Session, made: Schema, cls: type[Any], order: str, limit: int = 2) -> list[Any]:
    """Return the items of all pages of an order."""
    parameters = {"orderBy": order, "limit": str(limit)}
    items: list[Any] = []
    for _ in range(50):
        query = made.query(parameters)
        found = page(query, session.scalars(apply(query, sa.select(cls))))
        items += found.items
        if found.next_token is None:
            return items
        parameters["continue"] = found.next_token
    raise AssertionError("the walk does not end")


def check(session: Session, made: Schema, cls: type[Any], filters: Iterable[str], *, sortable: bool = True) -> None:
    """Compare filters, their opposites and walks in the database with the predicate over the items shown."""
    query = made.query({})
    everything = page(query, session.scalars(apply(query, sa.select(cls)))).items
    for text in chain.from_iterable((each, f"not ({each})") for each in filters):
        chosen = made.compile(text)
        expected = [item["id"] for item in chosen.select(everything)]
        found = session.scalars(sa.select(cls).where(where(chosen, cls)).order_by(sa.text("id")))
        assert [row.id for row in found] == expected, text
    for order in ("v", "v desc") if sortable else ():
        reference = made.query({"orderBy": order}).page(everything).items
        assert walk(session, made, cls, order) == reference, order


# Timestamps ----------------------------------------------------------------------------------------------------------


def test_server_defaults_on_every_database(database: sa.Engine) -> None:
    """Five rows of one second, which SQLite writes without a fraction."""
    cls = model(sa.DateTime, created=sa.Column("created", sa.DateTime, nullable=False, server_default=sa.func.now()))
    made = schema(cls)
    with Session(database) as session:
        rows_of(session, cls, [None] * 5)
        created = session.scalar(sa.select(sa.func.min(cls.created)))
        session.execute(sa.update(cls).values(created=sa.literal_column(f"'{created:%Y-%m-%d %H:%M:%S}'")))
        session.expire_all()
        for order in ("created", "created desc"):
            found = [item["id"] for item in walk(session, made, cls, order)]
            assert found == sorted([1, 2, 3, 4, 5], reverse="desc" in order)
        for text in (f"created gte '{created:%Y-%m-%dT%H:%M:%SZ}'", f"created eq '{created:%Y-%m-%dT%H:%M:%SZ}'"):
            assert len(session.scalars(apply(made.compile(text), sa.select(cls))).all()) == 5


SPELLINGS = [
    "2020-08-06 12:24:52",
    "2020-08-06T12:24:52",
    "2020-08-06 12:24:52.2",
    "2020-08-06 12:24:52.25",
    "2020-08-06 12:24:52.256",
    "2020-08-06T12:24:52.2566Z",
    "2020-08-06 12:24:52.25662",
    "2020-08-06 12:24:52.256624",
    "2020-08-06 14:24:52.256624+02:00",
    "2020-08-06T14:24:52+02:00",
    "2020-08-06T14:24:52.256+0200",
    "2020-08-06 14:24:52.256+02",
    "2020-08-06 00:54:52.25-11:30",
    "2020-08-06T12:24:52Z",
    "2020-08-06 12:24",
    "2020-08-06",
    "2019-12-31 23:30:00-01:00",
    "2020-01-01 00:30:00",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
]
INSTANTS = [
    "v eq '2020-08-06T12:24:52Z'",
    "v gt '2020-08-06T12:24:52Z'",
    "v lte '2020-08-06T12:24:52.256Z'",
    "v in ('2020-08-06T12:24:52.25Z', '2020-08-06', '2020-01-01T00:30:00Z')",
    "v lt '2020-01-01T00:30:00.000001Z'",
    "v gte '9999-12-31T23:59:59.999999Z' or v lte '0001-01-01T00:00:00Z'",
    "v eq null",
]


@pytest.mark.parametrize(
    "kind", [sa.DateTime(), sa.DateTime(timezone=True), sqlite.DATETIME(truncate_microseconds=True)]
)
def test_spellings_of_sqlite(kind: Any) -> None:
    cls = model(kind)
    made = schema(cls)
    with engine("sqlite", "spellings") as found, Session(found) as session:
        rows_of(session, cls, [])
        for number, text in enumerate([*SPELLINGS, None, *SPELLINGS], 1):
            session.execute(sa.text("INSERT INTO rows_of_one VALUES (:id, :v)"), {"id": number, "v": text})
        check(session, made, cls, INSTANTS)


def test_spellings_through_aiosqlite() -> None:
    cls = model(sa.DateTime)
    made = schema(cls)

    async def run() -> list[list[int]]:
        found = create_async_engine("sqlite+aiosqlite://", poolclass=sa.StaticPool)
        async with found.connect() as connection, AsyncSession(connection) as session:
            await connection.run_sync(sa.inspect(cls).local_table.create)
            for number in range(1, 6):
                text = "2020-08-06 12:24:52" + ".0" * (number % 2)
                await connection.exec_driver_sql(f"INSERT INTO rows_of_one VALUES ({number}, '{text}')")
            parameters, pages = {"orderBy": "v desc", "limit": "2"}, []
            while True:
                query = made.query(parameters)
                given = page(query, await session.scalars(apply(query, sa.select(cls))))
                pages.append([item["id"] for item in given.items])
                if given.next_token is None:
                    await connection.rollback()
                    break
                parameters["continue"] = given.next_token
        await found.dispose()
        return pages

    assert asyncio.run(run()) == [[5, 4], [3, 2], [1]]


# Values that no field reads ------------------------------------------------------------------------------------------


@pytest.mark.database
def test_no_number_on_postgresql() -> None:
    cls = model(sa.Double)
    made = schema(cls)
    with engine("postgresql", "nan") as found, Session(found) as session:
        rows_of(session, cls, [1.0, float("nan"), float("inf"), float("-inf"), None, 2.0])
        numbers = ["v gt 1", "v gte 1", "v lt 2", "v lte 1.5", "v ne 1"]
        query = made.query({})
        everything = page(query, session.scalars(apply(query, sa.select(cls)))).items
        for text in chain.from_iterable((each, f"not ({each})") for each in numbers):
            chosen = made.compile(text)
            expected = [item["id"] for item in chosen.select(everything)]
            assert [row.id for row in session.scalars(apply(chosen, sa.select(cls)))] == expected, text
        for order in ("v desc", "v"):
            with pytest.raises(StorageError, match="the sort field v holds a value that is none of its type") as caught:
                walk(session, made, cls, order, 1)
            assert caught.value.code == "unreadable_in_token"


@pytest.mark.database
def test_not_a_number_as_decimal() -> None:
    """Read as doubles, decimals without end have an order: what no double holds is null."""
    cls = model(sa.Numeric)
    with engine("postgresql", "decimals") as found, Session(found) as session:
        rows_of(session, cls, [])
        for number, text in enumerate(["1", "NaN", "1e400", "1e-400", "2", "0.1", "0.10000000000000000001"], 1):
            session.execute(sa.text(f"INSERT INTO rows_of_one VALUES ({number}, '{text}')"))
        for text in ("v gt 0", "v lt 2", "v eq 0.1"):
            chosen = schema(cls).compile(text)
            rows = session.scalars(sa.select(cls)).all()
            found_ids = sorted(row.id for row in session.scalars(apply(chosen, sa.select(cls))))
            assert found_ids == [row.id for row in chosen.select(rows)], text


@pytest.mark.database
def test_dates_that_are_none_on_mariadb() -> None:
    cls = model(sa.DateTime)
    made = schema(cls)
    with engine("mysql", "zero") as found, Session(found) as session:
        session.execute(sa.text("SET SESSION sql_mode = ''"))
        rows_of(session, cls, [ONE_SECOND])
        session.execute(sa.text("INSERT INTO rows_of_one VALUES (2, '0000-00-00 00:00:00'), (3, '2020-00-01')"))
        for order in ("v", "v desc"):
            with pytest.raises(StorageError, match="the sort field v "):
                walk(session, made, cls, order, 1)


@pytest.mark.database
def test_integers_past_the_sign() -> None:
    cls = model(mysql.BIGINT(unsigned=True))
    made = schema(cls)
    with engine("mysql", "unsigned") as found, Session(found) as session:
        rows_of(session, cls, [5, 2**64 - 1, None, 2**63 - 1, 2**63, 0])
        check(session, made, cls, ["v gt 0", "v eq 5", "v ne 5", "v eq null", "v lte 9223372036854775807"])


@pytest.mark.database
def test_text_that_stands_for_dates() -> None:
    """A field of one's own over text: only the canonical spelling is found again."""
    cls = model(sa.String(40))
    made = schema(cls, fields={"v": fields.Timestamp(nullable=True)})
    for name in ENGINES:
        with engine(name, "text_dates") as found, Session(found) as session:
            rows_of(session, cls, ["2020-08-06T12:24:52.256624Z", "2020-08-06T12:24:52.000000Z", None])
            assert [item["id"] for item in walk(session, made, cls, "v", 1)] == [3, 2, 1]
            rows_of(session, cls, ["2020-08-06T12:24:52.256624Z", "2020-08-06 12:24:52", None])
            with pytest.raises(StorageError, match="v holds the text '2020-08-06 12:24:52'") as caught:
                walk(session, made, cls, "v", 1)
            assert caught.value.code == "unordered_in_token"


@pytest.mark.database
def test_timestamps_in_json() -> None:
    cls = model(sa.JSON)
    made = schema(cls, fields={"v": fields.Object({"at": fields.Timestamp(nullable=True)}, nullable=True)})
    for name in ENGINES:
        with engine(name, "json_dates") as found, Session(found) as session:
            rows_of(
                session, cls, [{"at": "2020-08-06T12:24:52.256624Z"}, {"at": "2020-08-06T12:24:52Z"}, {"at": 5}, {}]
            )
            with pytest.raises(StorageError, match=r"the sort field v\.at holds"):
                walk(session, made, cls, "v.at", 1)
            rows_of(
                session, cls, [{"at": "2020-08-06T12:24:52.256624Z"}, {"at": "2020-08-06T12:24:52.000000Z"}, {"at": 5}]
            )
            assert [item["id"] for item in walk(session, made, cls, "v.at", 1)] == [3, 2, 1]


# Types that change values --------------------------------------------------------------------------------------------


class GUID(sa.types.TypeDecorator[uuid.UUID]):
    """As SQLAlchemy's documentation has it."""

    impl = sa.CHAR
    cache_ok = True
    _default_type = sa.CHAR(32)
    _uuid_as_str = attrgetter("hex")

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.UUID())
        return dialect.type_descriptor(self._default_type)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name in ("postgresql", "mssql"):
            return value
        return self._uuid_as_str(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class DashedGUID(GUID):
    cache_ok = True
    _default_type = sa.CHAR(36)
    _uuid_as_str = str


class Bytes(sa.types.TypeDecorator[uuid.UUID]):
    impl = sa.LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(sa.BINARY(16) if dialect.name in ("mysql", "mariadb") else sa.LargeBinary())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.bytes

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else uuid.UUID(bytes=value)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    impl = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is not None:
            if value.tzinfo is None:
                raise ValueError("naive datetime is disallowed")
            return value.astimezone(UTC)
        return None

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is not None:
            value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value


class NaiveUtc(sa.types.TypeDecorator[datetime]):
    impl = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.replace(tzinfo=UTC)


class Lower(sa.types.TypeDecorator[str]):
    """Changes values on the way to the database only."""

    impl = sa.String(20)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.lower()


@pytest.mark.parametrize("kind", [GUID, DashedGUID, Bytes], ids=lambda kind: kind.__name__)
def test_uuids_as_people_keep_them(database: sa.Engine, kind: type[Any]) -> None:
    cls = model(kind)
    made = schema(cls)
    assert type(made.root.members["v"]) is fields.Uuid
    values = [uuid.UUID(int=number << 64 | 0xFEDCBA) for number in (7, 3, 2**60, 2**63 + 1, 10)]
    with Session(database) as session:
        rows_of(session, cls, [*values, None, values[0]])
        check(
            session,
            made,
            cls,
            [f"v eq '{values[0]}'", f"v ne '{values[2].hex.upper()}'", f"v in ('{values[1]}', null)"],
        )


@pytest.mark.parametrize("kind", [UtcDateTime, NaiveUtc], ids=lambda kind: kind.__name__)
def test_timestamps_as_people_keep_them(database: sa.Engine, kind: type[Any]) -> None:
    cls = model(kind)
    made = schema(cls)
    east = timezone(timedelta(hours=9))
    moments = [datetime(2020, 8, 6, 12, tzinfo=UTC), datetime(2020, 8, 6, 12, 0, 0, 1, tzinfo=UTC)]
    with Session(database) as session:
        rows_of(
            session, cls, [*moments, datetime(2020, 8, 6, 21, tzinfo=east), None, datetime(1969, 1, 1, tzinfo=east)]
        )
        check(
            session, made, cls, ["v eq '2020-08-06T12:00:00Z'", "v gt '2020-08-06T21:00:00+09:00'", "v lt '1970-01-01'"]
        )


def test_literals_go_past_what_binding_changes(database: sa.Engine) -> None:
    cls = model(Lower)
    made = schema(cls)
    with Session(database) as session:
        rows_of(session, cls, ["ABC", "x", None, "Abcd"])
        check(session, made, cls, ["v eq 'ABC'", "v eq 'abc'", "v startswith 'AB'", "v startswith 'ab'"])


class Local(NaiveUtc):
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.astimezone(timezone(timedelta(hours=9))).replace(tzinfo=None)


class Seconds(NaiveUtc):
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None, microsecond=0)


class Cents(sa.types.TypeDecorator[Decimal]):
    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else Decimal(value) / 100


class Logged(sa.types.TypeDecorator[str]):
    """Changes nothing, which nobody can know."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return value


class Folded(sa.String):
    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> Any:
        return sa.func.lower(bindvalue)


class Reversed(sa.String):
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return sa.func.reverse(column)


class Point(sa.types.UserDefinedType[Any]):
    cache_ok = True


class Priority(enum.Enum):
    LOW = 1
    HIGH = 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Local(), "unguessed_type"),
        (Seconds(), "unguessed_type"),
        (Cents(), "unguessed_type"),
        (Logged(), "unguessed_type"),
        (Folded(), "unguessed_type"),
        (Reversed(), "unguessed_type"),
        (sa.Integer().with_variant(sa.String(), "sqlite"), "unguessed_type"),
        (postgresql.ARRAY(Cents()), "unguessed_type"),
        (sa.Enum(Priority), "enum_members"),
        (postgresql.ARRAY(sa.Enum(Priority)), "enum_members"),
        (postgresql.ARRAY(sa.Integer, dimensions=2), "nested_array"),
        (sqlite.DATETIME(storage_format="%(year)04d%(month)02d%(day)02d"), "unknown_column_type"),
        (sqlite.DATE(storage_format="%(day)02d.%(month)02d.%(year)04d"), "unknown_column_type"),
        (mysql.SET("a", "b"), "unknown_column_type"),
        (Point(), "unknown_column_type"),
        (sa.PickleType(), "unknown_column_type"),
        (postgresql.INET(), "unknown_column_type"),
    ],
    ids=lambda kind: type(kind).__name__,
)
def test_what_is_not_guessed(kind: Any, code: str) -> None:
    cls = model(kind)
    with pytest.raises(SchemaError, match=r"^v: ") as caught:
        schema(cls)
    assert caught.value.code == code
    assert set(schema(cls, exclude=["v"]).root.members) == {"id"}
    assert set(schema(cls, omit_unsupported=True).root.members) == {"id"}


def test_one_error_names_all_columns() -> None:
    table = sa.Table(
        "t", sa.MetaData(), sa.Column("a", Cents), sa.Column("b", sa.Enum(Priority)), sa.Column("c", sa.Time)
    )
    with pytest.raises(SchemaError) as caught:
        schema(table)
    pair = "converted(fields.…, to_database=…, to_resource=…)"
    unguessed = "changes values on their way to the database or from it, which is not guessed"
    names = "no strings; their names are stored"
    assert str(caught.value).splitlines() == [
        f"a: the type Cents {unguessed}; write fields={{'a': {pair}}}, or exclude=['a']",
        f"b: the values of Priority are {names}; write fields={{'b': fields.Enum('LOW', 'HIGH')}}, or exclude=['b']",
        f"c: no field represents the type Time; write fields={{'c': {pair}}}, or exclude=['c']",
    ]
    assert caught.value.code == "bad_columns"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (postgresql.INET(), fields.String()),
        (sa.Time(), fields.String()),
        (sa.Interval(), fields.String()),
        (sa.Uuid(), fields.String()),
        (sa.Text(), fields.Array(fields.String())),
        (sa.Float(), fields.Integer()),
        (sa.Numeric(10, 2), fields.Integer()),
        (sa.Double(), fields.Decimal(10, 2)),
        (postgresql.ARRAY(sa.Numeric), fields.Array(fields.Decimal(10, 2))),
        (sa.Integer(), fields.Boolean()),
        (sa.DateTime(), fields.Date()),
        (sa.Date(), fields.Timestamp()),
        (sa.Enum(Priority), fields.Enum("LOW", "MIDDLE")),
        (postgresql.ARRAY(sa.Integer), fields.Array(fields.String())),
        (postgresql.ARRAY(sa.Integer, dimensions=2), fields.Array(fields.Integer())),
    ],
    ids=repr,
)
def test_fields_that_do_not_fit(kind: Any, field: fields.Field) -> None:
    with pytest.raises(SchemaError, match=r"^v: the field \w+ does not compare values of the type ") as caught:
        schema(model(kind), fields={"v": field})
    assert caught.value.code == "misfit"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (sa.Numeric(10, 0), fields.Integer()),
        (sa.Integer(), fields.Number()),
        (sa.Numeric(10, 2), fields.Decimal(10, 2)),
        (sa.String(36), fields.Uuid()),
        (sa.String(9), fields.Enum("a")),
        (sa.JSON(), fields.Array(fields.Integer())),
    ],
    ids=repr,
)
def test_fields_that_fit(kind: Any, field: fields.Field) -> None:
    assert schema(model(kind), fields={"v": field}).root.members["v"] is field


def test_converters(database: sa.Engine) -> None:
    """Filters, orders, tokens and items use the pair alike."""
    cases: list[tuple[Any, fields.Field, list[Any], list[str], bool]] = [
        (
            Cents(),
            converted(
                fields.Number(nullable=True),
                to_database=lambda value: Decimal(repr(value)),
                to_resource=float,
                ordered=True,
            ),
            [Decimal("0.10"), Decimal("20.00"), None, Decimal("0.20"), Decimal("0.10")],
            ["v eq 0.1", "v gt 0.1", "v in (20, null)", "v ne 0.2"],
            True,
        ),
        (
            sa.Enum(Priority),
            converted(fields.Integer(nullable=True), to_database=Priority, to_resource=lambda member: member.value),
            [Priority.LOW, None, Priority.HIGH],
            ["v eq 1", "v in (1, 2)", "v ne 2", "v eq null"],
            False,
        ),
        (
            sa.Boolean(),
            converted(
                fields.Enum("yes", "no", nullable=True),
                to_database=lambda word: word == "yes",
                to_resource=lambda value: "yes" if value else "no",
            ),
            [True, False, None],
            ["v eq 'yes'", "v ne 'yes'", "v in ('no', null)"],
            False,
        ),
        (
            sa.Time(),
            converted(
                fields.String(nullable=True),
                to_database=time.fromisoformat,
                to_resource=lambda value: f"{value:%H:%M}",
            ),
            [ONE_SECOND.replace(second=0).time(), None],
            ["v eq '12:24'", "v ne '12:24'", "v eq '00:00'"],
            False,
        ),
    ]
    for kind, field, values, filters, sortable in cases:
        if isinstance(kind, sa.Time) and database.dialect.name in ("mysql", "mariadb"):
            continue  # Its driver gives intervals.
        cls = model(kind)
        made = schema(cls, fields={"v": field})
        assert made.root.members["v"].sortable is sortable
        with Session(database) as session:
            rows_of(session, cls, values)
            check(session, made, cls, filters, sortable=sortable)
            session.rollback()


def test_converters_that_are_none() -> None:
    for field, to_database in ((fields.Object({"a": fields.Integer()}), str), (fields.Integer(), None), ("x", str)):
        with pytest.raises(SchemaError) as caught:
            converted(field, to_database=to_database, to_resource=str)
        assert caught.value.code == "bad_converter"
    with pytest.raises(SchemaError, match="a field for v is expected, not the class Integer"):
        schema(model(sa.Integer), fields={"v": fields.Integer})


class Shade(enum.Enum):
    DARK = "dark"
    LIGHT = "light"


def test_names_and_values_of_enums(database: sa.Engine) -> None:
    """The database has the names; people see the values, or the names where a field says so."""
    for kind, field, filters in (
        (sa.Enum(Shade), None, ["v eq 'dark'", "v in ('light', null)", "v ne 'light'"]),
        (sa.Enum(Priority), fields.Enum("LOW", "HIGH", nullable=True), ["v eq 'LOW'", "v ne 'LOW'"]),
    ):
        cls = model(kind)
        made = schema(cls, fields={} if field is None else {"v": field})
        with Session(database) as session:
            rows_of(session, cls, [*kind.enum_class, None])
            check(session, made, cls, filters, sortable=False)
            assert [row.id for row in session.scalars(apply(made.compile(filters[0]), sa.select(cls)))] == [1]
            session.rollback()


@pytest.mark.database
def test_arrays_of_enums() -> None:
    cls = model(postgresql.ARRAY(sa.Enum(Shade, name="shade")))
    made = schema(cls)
    with engine("postgresql", "shades") as found, Session(found) as session:
        rows_of(session, cls, [[Shade.DARK], [Shade.LIGHT, Shade.DARK], [], None, [Shade.LIGHT]])
        check(
            session, made, cls, ["v eq 'dark'", "v in ('dark', 'light')", "v ne 'light'", "v eq null"], sortable=False
        )
        assert len(session.scalars(apply(made.compile("v eq 'dark'"), sa.select(cls))).all()) == 2


# What databases compare in their own way -----------------------------------------------------------------------------

LETTERS = ["b", "A", "a", "B", "c", "C", None]
TEXTS = ["v eq 'a'", "v gt 'B'", "v in ('A', 'c')", "v startswith 'b'", "v ne 'C'", "v contains 'A'"]


@pytest.mark.database
def test_citext() -> None:
    cls = model(postgresql.CITEXT)
    made = schema(cls)
    with engine("postgresql", "citext") as found, Session(found) as session:
        session.execute(sa.text("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public"))
        rows_of(session, cls, LETTERS)
        check(session, made, cls, TEXTS)
        assert [item.get("v") for item in walk(session, made, cls, "v")] == [None, "A", "B", "C", "a", "b", "c"]


def test_collations_that_fold(database: sa.Engine) -> None:
    collation = {"sqlite": "NOCASE", "postgresql": "en-x-icu", "mysql": "utf8mb4_general_ci"}
    cls = model(sa.String(9, collation=collation[database.dialect.name.replace("mariadb", "mysql")]))
    with Session(database) as session:
        rows_of(session, cls, LETTERS)
        check(session, schema(cls), cls, TEXTS)


def test_padded_text(database: sa.Engine) -> None:
    cls = model(sa.CHAR(5))
    with Session(database) as session:
        rows_of(session, cls, ["ab", "abc", "ab ", None, "", "b", "a c"])
        check(session, schema(cls), cls, ["v eq 'ab'", "v endswith 'b'", "v gt 'ab'", "v in ('', 'b')", "v eq 'ab '"])


@pytest.mark.parametrize(
    "kind",
    [sa.REAL(), sa.Float(), sa.Float(24), sa.Double(), sa.Float(53), sa.Numeric(30, 20)],
    ids=lambda value: type(value).__name__,
)
def test_numbers_of_all_sizes(database: sa.Engine, kind: Any) -> None:
    cls = model(kind)
    made = schema(cls)
    with Session(database) as session:
        values = [0.1, 0.25, -1.5, None, 100, 0.2, 0.1, 3.14159]
        rows_of(session, cls, values if not isinstance(kind, sa.Numeric) or kind.asdecimal is False else
                [None if value is None else Decimal(str(value)) for value in values])  # fmt: skip
        check(session, made, cls, ["v eq 0.1", "v gt 0.1", "v lte 0.2", "v ne 3.14159", "v in (0.1, 100, null)"])
        assert len(session.scalars(apply(made.compile("v eq 0.1"), sa.select(cls))).all()) == 2


def test_decimals_that_are_cut_as_they_are_read() -> None:
    """Of a type without places, SQLAlchemy shows ten of those that SQLite has."""
    cls = model(sa.Numeric)
    with engine("sqlite", "cut") as found, Session(found) as session:
        rows_of(session, cls, [])
        for number, text in enumerate(
            ["0.12345678901234", "0.1234567890", "NULL", "0.12345678906", "7", "1e20", "-0.5"], 1
        ):
            session.execute(sa.text(f"INSERT INTO rows_of_one VALUES ({number}, {text})"))
        check(
            session,
            schema(cls),
            cls,
            ["v eq 0.123456789", "v gt 0.123456789", "v lte 0.1234567891", "v eq 1e20", "v eq null", "v gt -1"],
        )


@pytest.mark.database
def test_floats_through_asyncpg() -> None:
    """Its floats of four bytes are long."""
    cls = model(sa.REAL)
    made = schema(cls)

    async def run() -> None:
        found = create_async_engine(sa.make_url(POSTGRES_URL).set(drivername="postgresql+asyncpg"))
        async with found.connect() as connection, AsyncSession(connection) as session:
            await connection.exec_driver_sql("CREATE SCHEMA astra_filter_floats")
            await connection.exec_driver_sql("SET search_path TO astra_filter_floats")
            await connection.run_sync(sa.inspect(cls).local_table.create)
            await connection.exec_driver_sql("INSERT INTO rows_of_one VALUES (1, 0.1), (2, 0.2), (3, 0.1)")
            query = made.query({"filter": "v lt 0.2", "orderBy": "v desc", "limit": "1"})
            first = page(query, await session.scalars(apply(query, sa.select(cls))))
            assert first.items == [{"id": 3, "v": 0.1}]
            query = made.query({"filter": "v lt 0.2", "orderBy": "v desc", "limit": "1", "continue": first.next_token})
            assert page(query, await session.scalars(apply(query, sa.select(cls)))).items == [{"id": 1, "v": 0.1}]
            chosen = made.compile("v eq 0.1")
            assert len((await session.scalars(apply(chosen, sa.select(cls)))).all()) == 2
            await connection.rollback()
        await found.dispose()

    asyncio.run(run())


# Wrong arguments -----------------------------------------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Mine(Base):
    __tablename__ = "mine"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Other(Base):
    __tablename__ = "other"
    id: Mapped[int] = mapped_column(primary_key=True)


class Unmapped:
    pass


MINE = schema(Mine)


@pytest.mark.parametrize(
    "target", [Unmapped, Unmapped(), 5, "mine", None, sa.text("mine")], ids=lambda value: type(value).__name__
)
def test_targets_that_are_none(target: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        where(MINE.compile("name eq 'x'"), target)
    assert caught.value.code == "bad_target"


def test_instances_are_no_targets() -> None:
    with pytest.raises(SchemaError, match="a mapped class, or an alias of either is expected") as caught:
        where(MINE.compile("name eq 'x'"), Mine(id=1))
    assert caught.value.code == "bad_target"
    for target in (Unmapped, Mine(id=1), 5, None):
        with pytest.raises(SchemaError) as caught:
            schema(target)
        assert caught.value.code == "bad_target"


@pytest.mark.parametrize(
    "made",
    [Mine.__table__, Mine, sa.text("SELECT 1"), sa.update(Mine), "SELECT 1", None],
    ids=lambda value: type(value).__name__,
)
def test_statements_that_are_none(made: Any) -> None:
    for chosen in (MINE.compile("name eq 'x'"), MINE.query("filter=name eq 'x'")):
        with pytest.raises(SchemaError, match=r"a select\(\) of a table or a mapped class is expected") as caught:
            apply(chosen, made)
        assert caught.value.code == "bad_target"


def test_queries_of_old_are_no_statements() -> None:
    with Session() as session, pytest.raises(SchemaError) as caught:
        apply(MINE.compile("name eq 'x'"), session.query(Mine))
    assert caught.value.code == "bad_target"


@pytest.mark.parametrize(
    "chosen", ["name eq 'x'", None, MINE, MINE.query("filter=name eq 'x'"), str], ids=lambda value: type(value).__name__
)
def test_filters_that_are_none(chosen: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        where(chosen, Mine)
    assert caught.value.code == "bad_query"
    if isinstance(chosen, (str, type, type(None), type(MINE))):
        with pytest.raises(SchemaError) as caught:
            apply(chosen, sa.select(Mine))
        assert caught.value.code == "bad_query"


def test_filters_of_another_model() -> None:
    for chosen in (MINE.compile("name eq 'x'"), MINE.query("filter=name eq 'x'"), MINE.query("orderBy=name")):
        with pytest.raises(
            SchemaError, match="Other has no column or attribute 'name', which the schema declares"
        ) as caught:
            apply(chosen, sa.select(Other))
        assert caught.value.code == "column_not_found"
    with pytest.raises(SchemaError) as caught:
        page(MINE.query(""), [Other(id=1)])
    assert caught.value.code == "column_not_found"
