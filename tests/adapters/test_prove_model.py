"""`prove_model` over a zoo of models; ASTRA_FILTER_EXAMPLES makes it look harder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from adapters.engines import ENGINES, engine
from adapters.zoo import ZOO, Base, Kind, MariaBase, PostgresBase
from sqlalchemy.orm import registry, sessionmaker

from astra_filter import Schema, SchemaError, fields
from astra_filter.adapters.sqlalchemy import schema
from astra_filter.testing import prove_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

EXAMPLES = max(1, int(os.environ.get("ASTRA_FILTER_EXAMPLES", "100")) // 100)
"""How often rows are made of each model; 20 filters and 5 walks each."""


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with engine(request.param, "zoo") as found:
        if request.param == "postgresql":
            with found.begin() as connection:
                connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public")
        for base in (Base, *OWN.get(request.param, ())):
            base.metadata.create_all(found)
        yield found


OWN = {"postgresql": (PostgresBase,), "mysql": (MariaBase,)}


@pytest.mark.parametrize("kind", ZOO, ids=lambda kind: kind.model.__name__)
def test_zoo(database: sa.Engine, kind: Kind) -> None:
    if database.dialect.name.replace("mariadb", "mysql") not in kind.databases:
        return
    found = prove_model(kind.model, sessionmaker(database), schema=kind.schema, examples=EXAMPLES)
    assert found.rows > 0
    assert found.filters == 20 * EXAMPLES
    assert found.walks == (5 * EXAMPLES if kind.schema.key is not None else 0)
    print(kind.model.__name__, database.dialect.name, found)  # For the figures of long runs.


def test_differences_are_found(database: sa.Engine) -> None:
    """A schema that says what is not so: the text is of a collation that folds case."""
    if database.dialect.name != "sqlite":
        return
    table = sa.Table(
        "folding",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(9, collation="NOCASE")),
    )
    cls = type("Folding", (), {})
    registry().map_imperatively(cls, table)
    table.create(database)
    wrong = Schema({"id": fields.Integer(), "name": fields.String(nullable=True, binary=True)}, key="id")
    with pytest.raises(AssertionError, match="the database differs from the reference\n  filter  "):
        prove_model(cls, sessionmaker(database), schema=wrong, filters=60, walks=0)
    with pytest.raises(AssertionError, match="a page differs from the reference\n  orderBy="):
        prove_model(cls, sessionmaker(database), schema=wrong, filters=0, walks=60)
    right = prove_model(cls, sessionmaker(database), filters=5, walks=5)
    assert str(right).startswith("2 columns, 150 rows, 50 filters, ")
    with database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_rules_of_ones_own(database: sa.Engine) -> None:
    if database.dialect.name != "sqlite":
        return
    table = sa.Table(
        "ruled",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("size", sa.Integer, sa.CheckConstraint("size BETWEEN 1 AND 3"), nullable=False),
    )
    cls = type("Ruled", (), {})
    registry().map_imperatively(cls, table)
    table.create(database)

    def make(random: Random) -> object:
        instance = cls()
        instance.size = random.randrange(1, 4)
        return instance

    found = prove_model(cls, sessionmaker(database), make=make, examples=2, filters=5, walks=2)
    assert found.rows == 30


@pytest.mark.parametrize(("model", "factory"), [(5, sessionmaker()), ("Model", None), (Base, None)], ids=str)
def test_what_is_no_model(model: Any, factory: Any) -> None:
    with pytest.raises(SchemaError, match="a class mapped by SQLAlchemy or a model of Django is expected") as caught:
        prove_model(model, factory)
    assert caught.value.code == "unknown_model"


def test_columns_that_nobody_can_fill(database: sa.Engine) -> None:
    class Point(sa.types.UserDefinedType[Any]):
        cache_ok = True

    table = sa.Table(
        "pointed",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Point, nullable=False),
    )
    cls = type("Pointed", (), {})
    registry().map_imperatively(cls, table)
    with pytest.raises(
        SchemaError, match=r"no value can be made for Pointed\.at, of the type Point: give make="
    ) as caught:
        prove_model(cls, sessionmaker(database), schema=schema(cls, exclude=["at"]))
    assert caught.value.code == "unmade_column"
