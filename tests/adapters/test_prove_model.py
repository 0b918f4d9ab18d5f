"""`prove_model` over a zoo of models; ASTRA_FILTER_EXAMPLES makes it look harder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from adapters.engines import ENGINES, engine
from adapters.zoo import ZOO, Base, Kind, MariaBase, PostgresBase
from sqlalchemy.orm import sessionmaker

from astra_filter.testing import prove_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

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
