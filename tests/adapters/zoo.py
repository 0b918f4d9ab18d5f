"""Models of every kind, for the proof that the adapters keep SPEC §4 and §6 on people's own models (SQLAlchemy).

`ZOO` names each model with the databases it can live on and how its schema is made.
"""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from adapters.test_sqlalchemy_columns import GUID, Bytes, Cents, DashedGUID, Lower, NaiveUtc, UtcDateTime
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from astra_filter import Schema, fields
from astra_filter.adapters.sqlalchemy import converted, schema

ALL = ("sqlite", "postgresql", "mysql")
FINE = mysql.DATETIME(fsp=6)


class Base(DeclarativeBase):
    pass


class PostgresBase(DeclarativeBase):
    pass


class MariaBase(DeclarativeBase):
    pass


def cents(value: float) -> Decimal:
    """Return a number of cents, where it is one."""
    found = Decimal(repr(value))
    if abs(value) > 10**6 or found != round(found, 2):
        raise ValueError(value)
    return found


class Color(enum.Enum):
    RED = "red"
    GREEN = "Green"
    BLUE = "b lue"


class Grade(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Generic(Base):
    """Every generic type that a field represents."""

    __tablename__ = "generic"
    id: Mapped[int] = mapped_column(primary_key=True)
    string: Mapped[str | None] = mapped_column(sa.String(30))
    unicode: Mapped[str | None] = mapped_column(sa.Unicode(30))
    text: Mapped[str | None] = mapped_column(sa.Text)
    long: Mapped[str | None] = mapped_column(sa.UnicodeText)
    fixed: Mapped[str | None] = mapped_column(sa.CHAR(6))
    small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    integer: Mapped[int | None]
    big: Mapped[int | None] = mapped_column(sa.BigInteger)
    real: Mapped[float | None] = mapped_column(sa.REAL)
    single: Mapped[float | None] = mapped_column(sa.Float(24))
    float_: Mapped[float | None] = mapped_column("float", sa.Float)
    double: Mapped[float | None] = mapped_column(sa.Double)
    money: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    exact: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    precise: Mapped[Decimal | None] = mapped_column(sa.Numeric(30, 20))
    rounded: Mapped[float | None] = mapped_column(sa.Numeric(10, 3, asdecimal=False))
    flag: Mapped[bool | None]
    moment: Mapped[datetime | None] = mapped_column(sa.DateTime().with_variant(FINE, "mysql", "mariadb"))
    zoned: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True).with_variant(FINE, "mysql", "mariadb"))
    whole_seconds: Mapped[datetime | None] = mapped_column(
        sa.DateTime().with_variant(postgresql.TIMESTAMP(precision=0), "postgresql")
    )
    day: Mapped[date | None]
    uuid_: Mapped[uuid.UUID | None] = mapped_column("uuid")
    uuid_text: Mapped[str | None] = mapped_column(sa.Uuid(as_uuid=False))
    uuid_char: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid(native_uuid=False))
    color: Mapped[Color | None]
    word: Mapped[str | None] = mapped_column(sa.Enum("x", "Y", "z y", name="word"))
    byte: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    length: Mapped[Any | None] = mapped_column(sa.Interval)
    json: Mapped[Any | None] = mapped_column(sa.JSON(none_as_null=True))


class Decorated(Base):
    __tablename__ = "decorated"
    id: Mapped[uuid.UUID] = mapped_column(GUID, primary_key=True)
    dashed: Mapped[Any | None] = mapped_column(DashedGUID)
    binary: Mapped[Any | None] = mapped_column(Bytes)
    utc: Mapped[Any | None] = mapped_column(UtcDateTime)
    naive: Mapped[Any | None] = mapped_column(NaiveUtc)
    lower: Mapped[str | None] = mapped_column(Lower)
    cents: Mapped[Any | None] = mapped_column(Cents)
    grade: Mapped[Grade | None] = mapped_column(sa.Enum(Grade))
    label: Mapped[Grade | None] = mapped_column(sa.Enum(Grade))


class Server(Base):
    """What the database fills in."""

    __tablename__ = "server"
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    touched: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    state: Mapped[str] = mapped_column(sa.String(9), server_default="new")
    rank: Mapped[int] = mapped_column("rank_", server_default="0")
    twice: Mapped[int | None] = mapped_column(sa.Computed("rank_ * 2", persisted=True))


class Postgres(PostgresBase):
    __tablename__ = "postgres"
    id: Mapped[uuid.UUID] = mapped_column(postgresql.UUID(as_uuid=True), primary_key=True)
    folded: Mapped[str | None] = mapped_column(postgresql.CITEXT)
    collated: Mapped[str | None] = mapped_column(sa.String(30, collation="en-x-icu"))
    binary: Mapped[str | None] = mapped_column(sa.String(30, collation="C"))
    tags: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(sa.Text))
    numbers: Mapped[list[int] | None] = mapped_column(postgresql.ARRAY(sa.Integer))
    keys: Mapped[list[Any] | None] = mapped_column(postgresql.ARRAY(sa.Uuid))
    days: Mapped[list[Any] | None] = mapped_column(postgresql.ARRAY(sa.Date))
    colors: Mapped[list[Color] | None] = mapped_column(postgresql.ARRAY(sa.Enum(Color, name="shade")))
    native: Mapped[Color | None] = mapped_column(postgresql.ENUM(Color, name="color2"))
    precision: Mapped[float | None] = mapped_column(postgresql.DOUBLE_PRECISION)
    moment: Mapped[datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=True, precision=3))
    document: Mapped[Any | None] = mapped_column(postgresql.JSONB(none_as_null=True))
    address: Mapped[Any | None] = mapped_column(postgresql.INET)


class Maria(MariaBase):
    __tablename__ = "maria"
    id: Mapped[int] = mapped_column(mysql.BIGINT(unsigned=True), primary_key=True, autoincrement=True)
    tiny: Mapped[int | None] = mapped_column(mysql.TINYINT)
    medium: Mapped[int | None] = mapped_column(mysql.INTEGER(unsigned=True))
    large: Mapped[int | None] = mapped_column(mysql.BIGINT(unsigned=True))
    single: Mapped[float | None] = mapped_column(mysql.FLOAT)
    double: Mapped[float | None] = mapped_column(mysql.DOUBLE)
    money: Mapped[Decimal | None] = mapped_column(mysql.DECIMAL(12, 2))
    folded: Mapped[str | None] = mapped_column(mysql.VARCHAR(30, collation="utf8mb4_general_ci"))
    swedish: Mapped[str | None] = mapped_column(mysql.TEXT(collation="utf8mb4_swedish_ci"))
    binary: Mapped[str | None] = mapped_column(mysql.VARCHAR(30, collation="utf8mb4_nopad_bin"))
    seconds: Mapped[datetime | None] = mapped_column(mysql.DATETIME)
    fine: Mapped[datetime | None] = mapped_column(mysql.DATETIME(fsp=3))
    stamp: Mapped[datetime | None] = mapped_column(mysql.TIMESTAMP(fsp=6))
    word: Mapped[str | None] = mapped_column(mysql.ENUM("x", "Y", "z y"))


class Person(Base):
    """Joined tables."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(9))
    name: Mapped[str | None] = mapped_column(sa.String(20))
    boss_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    boss: Mapped[Person | None] = relationship(remote_side=id, back_populates="staff")
    staff: Mapped[list[Person]] = relationship(back_populates="boss", order_by=id)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Worker(Person):
    __tablename__ = "worker"
    id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    wage: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "worker"}  # noqa: RUF012


class Animal(Base):
    """One table."""

    __tablename__ = "animal"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(9))
    name: Mapped[str | None] = mapped_column(sa.String(20))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012


class Dog(Animal):
    barks: Mapped[bool | None]
    __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012


class Place(Base):
    """A table for each class."""

    __tablename__ = "place"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None] = mapped_column(sa.String(20))
    __mapper_args__ = {"polymorphic_identity": "place", "concrete": True}  # noqa: RUF012


class City(Place):
    __tablename__ = "city"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None] = mapped_column(sa.String(20))
    people: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "city", "concrete": True}  # noqa: RUF012


student_course = sa.Table(
    "student_course",
    Base.metadata,
    sa.Column("student_id", sa.ForeignKey("student.id"), primary_key=True),
    sa.Column("course_id", sa.ForeignKey("course.id"), primary_key=True),
)


class Course(Base):
    __tablename__ = "course"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str | None] = mapped_column(sa.String(20))
    points: Mapped[int | None]


class Student(Base):
    __tablename__ = "student"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    courses: Mapped[list[Course]] = relationship(secondary=student_course, order_by=Course.id)
    marks: Mapped[list[Mark]] = relationship(back_populates="student", order_by="Mark.term")


class Mark(Base):
    """A key of two columns."""

    __tablename__ = "mark"
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("student.id"), primary_key=True)
    term: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    grade: Mapped[float | None]
    student: Mapped[Student] = relationship(back_populates="marks")


class Kind(NamedTuple):
    model: type[Any]
    schema: Schema
    databases: tuple[str, ...] = ALL


DOCUMENT = fields.Object(
    {
        "name": fields.String(nullable=True),
        "size": fields.Number(nullable=True),
        "at": fields.Timestamp(nullable=True),
        "tags": fields.Array(fields.String(), nullable=True),
    },
    nullable=True,
)
ZOO = [
    Kind(Generic, schema(Generic, fields={"json": DOCUMENT, "exact": fields.Decimal(12, 2, nullable=True)}, exclude=["byte", "length"])),
    Kind(
        Decorated,
        schema(
            Decorated,
            fields={
                "cents": converted(fields.Number(nullable=True), to_database=cents, to_resource=float),
                "grade": converted(fields.Integer(nullable=True), to_database=Grade, to_resource=int),
                "label": fields.Enum("LOW", "HIGH", nullable=True),
            },
        ),
    ),
    Kind(Server, schema(Server)),
    Kind(Postgres, schema(Postgres, fields={"document": DOCUMENT}, exclude=["address"]), ("postgresql",)),
    Kind(Maria, schema(Maria), ("mysql",)),
    Kind(Person, schema(Person, relations=["boss", "staff", "staff.boss"])),
    Kind(Worker, schema(Worker, relations=["boss", "staff"])),
    Kind(Animal, schema(Animal)),
    Kind(Dog, schema(Dog)),
    Kind(City, schema(City)),
    Kind(Student, schema(Student, relations=["courses", "marks"])),
    Kind(Mark, schema(Mark, relations=["student", "student.courses"])),
]  # fmt: skip
