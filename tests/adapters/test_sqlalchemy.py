"""The SQLAlchemy adapter: the conformance cases through it (SPEC §4, §5), relationships, schemas, pages (SPEC §6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from adapters.engines import ENGINES, engine
from cases import Case, Suite, identity, suites
from sqlalchemy.dialects import mysql

from astra_filter import StorageError, fields
from astra_filter.sql.rows import columns, is_document, to_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter import Schema
    from astra_filter.fields import Leaf

STORED = [
    pytest.param(suite, case, id=f"{suite.name}-{number}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.ids is not None and suite.only is None
]
JSON = sa.JSON(none_as_null=True)
TIMESTAMP = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
HOSTILE = {"sqlite": "NOCASE", "postgresql": "hostile", "mysql": "utf8mb4_general_ci"}


@pytest.fixture(scope="module", params=ENGINES)
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
    return row


def table_of(suite: Suite, database: sa.Connection) -> sa.Table:
    """Return a table of the suite's rows, made when first asked for."""
    tables = database.info["tables"]
    if suite.name not in tables:
        made = [sa.Column("position_", sa.Integer)]
        keys = {}
        for number, (name, held) in enumerate(columns(suite.schema).items()):
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


@pytest.mark.parametrize(("suite", "case"), STORED)
def test_conformance(database: sa.Connection, suite: Suite, case: Case) -> None:
    table = table_of(suite, database)
    expected = [place for place, row in enumerate(suite.rows) if identity(row) in case.ids]
    others = [place for place in range(len(suite.rows)) if place not in expected]
    chosen = suite.schema.compile(case.filter)
    statement = sa.select(table.c.position_).order_by(table.c.position_)
    if dialect(database) in case.beyond:
        with pytest.raises(StorageError):
            database.execute(statement.where(chosen.sqlalchemy(table)))
        return
    assert list(database.scalars(statement.where(chosen.sqlalchemy(table)))) == expected
    assert list(database.scalars(statement.where(~chosen.sqlalchemy(table)))) == others
    # Joined with a condition of the server's own, and under an alias.
    alias = table.alias()
    assert (
        list(
            database.scalars(
                sa.select(alias.c.position_)
                .where(sa.or_(alias.c.position_ < 0, chosen.sqlalchemy(alias)), alias.c.position_ >= 0)
                .order_by(alias.c.position_)
            )
        )
        == expected
    )
